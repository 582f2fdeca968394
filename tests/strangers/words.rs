//! Time, numbers and others' words: what a stranger or a member says is bounded, and an author speaks for
//! itself.

use std::time::Duration;

use papo::node::{Closed, Command, Event, Input, LinkId};
use papo::timing;
use papo::wire::{
    ChatMessage, Chunk, Comparison, Contents, Digest, Draft, Hello, Id, JoinResponse, Key, Message,
    Part, PeerUpdate, Position, Stable, Sum, Sync, SyncAnswer, UpdateKind,
};

use super::bench::{self, Bench, address_of};
use super::{ME, MEMBER, STRANGER, coordinator, follower, member, request, unequal, view, welcome};

#[test]
fn no_id_is_given_twice_whatever_a_joiner_brings() {
    for (id, next) in [
        (1 << 53, 0),
        ((1 << 53) - 1, 1 << 53),
        (1 << 32, (1 << 32) + 1),
        (u64::MAX, u64::MAX),
        (0, 0),
    ] {
        let (mut bench, _) = coordinator();
        let link = bench.accept(STRANGER, 0);
        let mut liar = request(STRANGER);
        (liar.id, liar.next_id) = (Some(id), next);
        bench.tell(link, Message::JoinRequest(liar));
        let mut given: Vec<Id> = bench.node.members().iter().map(|m| m.id).collect();
        for key in 80..86 {
            let link = bench.accept(key, 0);
            bench.tell(link, Message::JoinRequest(request(key)));
            given.push(
                bench
                    .node
                    .members()
                    .iter()
                    .find(|m| m.key == Key(key))
                    .unwrap()
                    .id,
            );
            bench.tell(link, Message::Leave);
        }
        assert!(given.windows(2).all(|w| w[0] < w[1]), "{id}: {given:?}");
    }
}

#[test]
fn rounds_at_their_end_let_a_pair_link_again() {
    let (mut bench, true_link) = coordinator();
    let end = 1 << 53;
    let link = bench.accept(MEMBER, end);
    assert!(!bench.links.contains(&true_link) && bench.links.contains(&link));
    let why = Closed::Ended;
    bench.feed(Input::Closed { link, why });
    // The other end counts to the end, too: neither refuses the other, whoever dials.
    let link = bench.accept(MEMBER, end);
    assert!(bench.links.contains(&link), "its dial is taken");
    bench.sent.clear();
    bench.feed(Input::Closed { link, why });
    bench.pass(Duration::from_secs(2));
    let dial = bench.dials.last().expect("a member is dialled").0;
    bench.feed(Input::Connected { link: dial });
    let hello = bench.take_sent(dial);
    let Some(Message::Hello(hello)) = hello.first() else {
        panic!("{hello:?}")
    };
    assert!(hello.round <= end, "{}", hello.round);
    for (round, is_taken) in [
        (0, true),
        (end - 1, true),
        (end, true),
        (end + 1, false),
        (u64::MAX, false),
    ] {
        let (mut bench, _) = coordinator();
        let link = bench.accept(80, round);
        assert_eq!(bench.links.contains(&link), is_taken, "{round}");
    }
}

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What this author has said, without causes.
pub(super) fn said(key: u64, seq: u64, timestamp: u64) -> ChatMessage {
    let draft = Draft {
        origin: Key(key),
        seq,
        timestamp,
        sent_at: 0,
        from: 2,
        nick: "n".into(),
        dependencies: Vec::new().into(),
        text: format!("{key} {seq}").into(),
    };
    ChatMessage::new(&draft).expect("it keeps the rules")
}

/// What the user was shown of others.
fn shown(bench: &Bench) -> Vec<(u64, u64)> {
    let messages = bench.events.iter().filter_map(|event| match event {
        Event::Messages {
            messages,
            own: false,
            ..
        } => Some(messages),
        _ => None,
    });
    messages
        .flatten()
        .map(|m| (m.origin().0, m.seq()))
        .collect()
}

fn warnings(bench: &Bench) -> Vec<&str> {
    let texts = bench.events.iter().filter_map(|event| match event {
        Event::Warning(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

pub(super) fn stable(from: Option<u64>, said: u64) -> Message {
    Message::Stable(Stable {
        from,
        said,
        stable: 0,
    })
}

/// The timestamp of the next line that the node says.
fn own_timestamp(bench: &mut Bench) -> u64 {
    bench.sent.clear();
    bench.feed(Input::Command(Command::Say(["mine"].into_iter().collect())));
    bench.end_turn();
    let mut sent = bench.sent.iter();
    let chat = sent.find_map(|(_, message)| match message {
        Message::Chat(messages) => messages.first(),
        _ => None,
    });
    chat.expect("the line goes out").timestamp()
}

#[test]
fn what_is_dated_more_than_a_day_ahead_counts_as_not_said() {
    let (mut bench, link) = coordinator();
    let now = bench.now.wall_ms;
    let latest = (now + DAY_MS) << 16 | 0xffff;
    bench.tell(link, stable(Some(1), 0));
    for (seq, timestamp) in [(1, latest + 1), (1, u64::MAX), (1, now << 16), (2, latest)] {
        bench.tell(link, Message::Chat(vec![said(MEMBER, seq, timestamp)]));
    }
    assert_eq!(shown(&bench), [(MEMBER, 1), (MEMBER, 2)]);
    assert_eq!(warnings(&bench).len(), 1, "{:?}", warnings(&bench));
    assert!(bench.node.history().iter().all(|m| m.timestamp() <= latest));
    // The node's own lines are such that others take them.
    assert!(own_timestamp(&mut bench) <= latest);
}

#[test]
fn no_clock_that_somebody_tells_is_followed_more_than_a_day_ahead() {
    // HELLO.
    let (mut bench, _) = coordinator();
    let before = own_timestamp(&mut bench);
    let clock = u64::MAX;
    let link = accept_with_clock(&mut bench, 80, 0, clock);
    bench.tell(link, Message::JoinRequest(request(80)));
    assert!(own_timestamp(&mut bench) < before + (1_000 << 16));
    // PEER_UPDATE and a JOIN_RESPONSE.
    let (mut bench, link) = follower();
    bench.pass(Duration::from_secs(1));
    let update = Message::PeerUpdate(PeerUpdate {
        coordinator: Key(MEMBER),
        version: 6,
        next_id: 9,
        kind: UpdateKind::Joined,
        members: vec![member(3, 61)],
        clock,
    });
    bench.tell(link, update);
    let Message::JoinResponse(again) = welcome(MEMBER, 2, view(MEMBER, 9, &[(1, MEMBER), (2, ME)]))
    else {
        unreachable!("it is a JOIN_RESPONSE")
    };
    bench.tell(link, Message::JoinResponse(JoinResponse { clock, ..again }));
    bench.pass(Duration::from_secs(9));
    let now = bench.now.wall_ms;
    assert!(own_timestamp(&mut bench) < (now + 1_000) << 16);
}

/// Somebody's link, and HELLO with this clock.
fn accept_with_clock(bench: &mut Bench, key: u64, round: u64, clock: u64) -> LinkId {
    let link = bench.node.new_link();
    bench.links.insert(link);
    let from = address_of(key).0;
    bench.feed(Input::Accepted { link, from });
    let Message::Hello(hello) = bench::hello_of(key, round) else {
        unreachable!("it is a HELLO")
    };
    bench.tell(link, Message::Hello(Hello { clock, ..hello }));
    link
}

/// So what is said to it counts as new there.
#[test]
fn what_is_said_to_a_member_is_dated_after_all_that_it_had_seen() {
    let (mut bench, _) = coordinator();
    let minutes = |n: u64| (bench.now.wall_ms + n * 60_000) << 16;
    let clocks = [minutes(1), minutes(2)];
    let link = accept_with_clock(&mut bench, STRANGER, 0, clocks[0]);
    assert!(own_timestamp(&mut bench) < clocks[0], "it is no member yet");
    bench.tell(link, Message::JoinRequest(request(STRANGER)));
    assert!(own_timestamp(&mut bench) > clocks[0]);
    // The same when a member links again, which may have seen more since.
    accept_with_clock(&mut bench, STRANGER, 1, clocks[1]);
    assert!(own_timestamp(&mut bench) > clocks[1]);
}

#[test]
fn a_clock_that_differs_from_most_others_by_more_than_a_day_is_said_once() {
    for (ahead, says) in [(2 * DAY_MS, true), (DAY_MS / 2, false), (0, false)] {
        for (theirs, side) in [(true, "behind"), (false, "ahead of")] {
            let (mut bench, _) = coordinator();
            let now = bench.now.wall_ms;
            for key in 80..83 {
                let link = bench.node.new_link();
                bench.links.insert(link);
                let from = address_of(key).0;
                bench.feed(Input::Accepted { link, from });
                let Message::Hello(hello) = bench::hello_of(key, 0) else {
                    unreachable!("it is a HELLO")
                };
                let wall = if theirs { now + ahead } else { now - ahead };
                bench.tell(link, Message::Hello(Hello { wall, ..hello }));
                bench.tell(link, Message::JoinRequest(request(key)));
            }
            bench.pass(Duration::from_secs(2));
            let said = warnings(&bench);
            assert_eq!(said.len(), usize::from(says), "{said:?}");
            assert!(
                said.iter()
                    .all(|w| w.contains(side) && w.contains("2 days")),
                "{said:?}"
            );
        }
    }
}

#[test]
fn live_chat_of_another_author_than_the_links_ends_the_link() {
    for author in [ME, MEMBER, 99] {
        let (mut bench, member) = coordinator();
        bench.tell(member, stable(Some(1), 0));
        let link = bench.accept(STRANGER, 0);
        let own = said(STRANGER, 1, 5);
        bench.tell(link, Message::Chat(vec![own, said(author, 1, 6)]));
        assert!(!bench.links.contains(&link), "{author}");
        assert!(shown(&bench).is_empty(), "{author}");
        // The member's own word comes through.
        bench.tell(member, Message::Chat(vec![said(MEMBER, 1, 7)]));
        assert_eq!(shown(&bench), [(MEMBER, 1)]);
    }
}

/// Asks what a peer is asked, and answers with these messages.
fn pass_on(bench: &mut Bench, link: LinkId, messages: &[ChatMessage]) -> bool {
    let mut asked = false;
    bench.tell(link, Message::Behind);
    for _ in 0..3 {
        for message in bench.take_sent(link) {
            let answer = match message {
                Message::Sync(sync) => unequal(sync.no),
                Message::Fetch(fetch) => Message::Chunk(Chunk {
                    no: fetch.no,
                    next: None,
                    messages: messages.to_vec(),
                }),
                _ => continue,
            };
            asked = true;
            bench.tell(link, answer);
        }
    }
    asked
}

#[test]
fn the_history_is_asked_of_members_and_not_of_strangers() {
    let (mut bench, _) = coordinator();
    let link = bench.accept(STRANGER, 0);
    let sync = Sync {
        no: 1,
        floor: Position::default(),
        digest: Digest([1; 16]),
        count: 1,
        back: false,
    };
    bench.tell(link, Message::Sync(sync));
    assert!(!pass_on(&mut bench, link, &[said(STRANGER, 1, 5)]));
    assert!(shown(&bench).is_empty());
    // Once it is let in it is asked.
    bench.tell(link, Message::JoinRequest(request(STRANGER)));
    assert!(pass_on(&mut bench, link, &[said(STRANGER, 1, 5)]));
}

/// A member of another group may be the only one that has the causes of what it says; it has little time.
#[test]
fn a_stranger_whose_own_line_waits_is_asked_for_its_causes_but_not_for_long() {
    let (mut bench, member) = coordinator();
    let link = bench.accept(STRANGER, 0);
    let now = bench.now.wall_ms << 16;
    bench.tell(link, stable(Some(1), 0));
    bench.tell(link, Message::Chat(vec![said(STRANGER, 4, now)]));
    let started = bench.now.time;
    let (mut last_fetch, mut answers) = (None, 0);
    while bench.now.time.since(started) < 2 * timing::SYNC_STRANGER {
        bench.pass(Duration::from_millis(100));
        bench.tell(member, Message::Ping { coordinator: None });
        for message in bench.take_sent(link) {
            let answer = match message {
                Message::Sync(sync) => unequal(sync.no),
                Message::Fetch(fetch) => {
                    last_fetch = Some(bench.now.time.since(started));
                    answers += 1;
                    // One more each time, of somebody whom nobody knows, and never the last one.
                    let line = said(99, answers, now + answers);
                    Message::Chunk(Chunk {
                        no: fetch.no,
                        next: Some(line.position()),
                        messages: vec![line],
                    })
                }
                _ => continue,
            };
            bench.tell(link, answer);
        }
    }
    let last = last_fetch.expect("it is asked");
    assert!(answers > 5, "{answers}");
    assert!(
        last <= timing::SYNC_STRANGER + Duration::from_millis(500),
        "{last:?}"
    );
}

/// Nor does it have more time for saying where the histories differ.
#[test]
fn a_stranger_that_tells_of_ever_smaller_parts_is_not_asked_for_long_either() {
    let (mut bench, member) = coordinator();
    bench.feed(Input::Command(Command::Say(
        ["a line"].into_iter().collect(),
    )));
    let upto = bench.node.history().newest();
    let part = |upto, count| Part {
        upto,
        count,
        sum: Sum::default(),
    };
    let link = bench.accept(STRANGER, 0);
    let now = bench.now.wall_ms << 16;
    bench.tell(link, stable(Some(1), 0));
    bench.tell(link, Message::Chat(vec![said(STRANGER, 4, now)]));
    let started = bench.now.time;
    let (mut last_asked, mut answers) = (None, 0);
    while bench.now.time.since(started) < 2 * timing::SYNC_STRANGER {
        bench.pass(Duration::from_millis(100));
        bench.tell(member, Message::Ping { coordinator: None });
        for message in bench.take_sent(link) {
            let answer = match message {
                Message::Sync(sync) => Message::SyncAnswer(SyncAnswer {
                    no: sync.no,
                    equal: false,
                    floor: Position::default(),
                    newest: Some(upto),
                    parts: vec![part(upto, 1)],
                }),
                Message::Compare(compare) => {
                    last_asked = Some(bench.now.time.since(started));
                    answers += 1;
                    let parts = vec![part(Position::new(answers, Key(1), 1), 0), part(upto, 1)];
                    Message::Comparison(Comparison {
                        no: compare.no,
                        spans: vec![Contents {
                            parts: Some(parts),
                            items: None,
                        }],
                    })
                }
                _ => continue,
            };
            bench.tell(link, answer);
        }
    }
    let last = last_asked.expect("it is asked");
    assert!(answers > 5, "{answers}");
    assert!(
        last <= timing::SYNC_STRANGER + Duration::from_millis(500),
        "{last:?}"
    );
}

#[test]
fn what_others_pass_on_in_the_name_of_a_present_member_is_not_its_word() {
    let (mut bench, member) = coordinator();
    let liar = bench.accept(80, 0);
    bench.tell(liar, Message::JoinRequest(request(80)));
    bench.tell(member, stable(Some(1), 1));
    bench.tell(liar, stable(Some(1), 0));
    let now = bench.now.wall_ms << 16;
    let forged = [
        said(MEMBER, 2, now),
        said(MEMBER, u64::MAX, now),
        said(ME, 1, now),
    ];
    assert!(pass_on(&mut bench, liar, &forged));
    assert!(bench.node.history().iter().all(|m| m.origin() != Key(ME)));
    // What it has said may come by way of others.
    assert!(pass_on(&mut bench, liar, &[said(MEMBER, 1, now)]));
    bench.tell(member, Message::Chat(vec![said(MEMBER, 2, now + 1)]));
    bench.end_turn();
    assert_eq!(shown(&bench), [(MEMBER, 1), (MEMBER, 2)]);
    let acks: Vec<u64> = (bench.take_sent(member).iter())
        .filter_map(|m| match m {
            Message::Ack(ack) => Some(ack.seq),
            _ => None,
        })
        .collect();
    assert_eq!(acks.last(), Some(&2));
}

#[test]
fn an_authors_numbers_at_their_end_stop_nothing() {
    for last in [u64::MAX, u64::MAX - 1, 1 << 53, 1] {
        let (mut bench, link) = coordinator();
        let now = bench.now.wall_ms << 16;
        bench.tell(link, stable(Some(1), 0));
        bench.tell(link, Message::Chat(vec![said(MEMBER, last, now)]));
        bench.tell(link, stable(None, last));
        for _ in 0..20 {
            bench.pass(Duration::from_millis(400));
            pass_on(&mut bench, link, &[]);
            bench.tell(link, Message::Ping { coordinator: None });
        }
        bench.end_turn();
        assert_eq!(shown(&bench), [(MEMBER, last)]);
        // What the node itself says is confirmed, also by an ACK that says more than it wrote.
        own_timestamp(&mut bench);
        bench.tell(
            link,
            Message::Ack(papo::wire::Ack {
                from: 1,
                seq: last,
                missed: Vec::new(),
            }),
        );
        bench.end_turn();
        let delivered = |e: &Event| matches!(e, Event::Delivered { confirmed: 1, .. });
        assert!(bench.events.iter().any(delivered), "{last}");
    }
}
