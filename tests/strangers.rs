//! What somebody who is no member says to a node of an open room: it speaks the protocol, on a link
//! of its own, and forges what only members and coordinators say.

#[path = "fuzz/bench.rs"]
#[allow(dead_code, reason = "each test binary uses a part of the bench")]
mod bench;
#[path = "strangers/numbers.rs"]
mod numbers;
#[path = "wire/raw.rs"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod raw;
#[path = "strangers/withheld.rs"]
mod withheld;
#[path = "strangers/words.rs"]
mod words;

use std::time::Duration;

use bench::{Bench, ROOM, address_of};
use papo::node::{Closed, Command, Event, Input, LinkId};
use papo::wire::{
    Chunk, Coordinator, Datagram, Id, JoinRequest, JoinResponse, Key, Member, Message, PeerUpdate,
    Position, SyncAnswer, UpdateKind, VERSION, View,
};

const ME: u64 = 50;
const MEMBER: u64 = 60;
const STRANGER: u64 = 70;

fn ack() -> papo::wire::Ack {
    papo::wire::Ack {
        from: 1,
        seq: 1,
        missed: Vec::new(),
    }
}

fn request(key: u64) -> JoinRequest {
    JoinRequest {
        version: VERSION,
        room: ROOM.to_owned(),
        key: Key(key),
        nick: format!("n{key}"),
        attempt: 1,
        port: address_of(key).0.port(),
        addresses: vec![address_of(key)],
        id: None,
        next_id: 0,
        view_version: 0,
        office: false,
        no: 0,
    }
}

fn member(id: Id, key: u64) -> Member {
    Member {
        id,
        key: Key(key),
        nick: format!("n{key}"),
        addresses: vec![address_of(key)],
    }
}

fn view(coordinator: u64, version: u64, members: &[(Id, u64)]) -> View {
    View {
        coordinator: Key(coordinator),
        version,
        next_id: 9,
        members: members.iter().map(|(id, key)| member(*id, *key)).collect(),
        left: Vec::new(),
        clock: 0,
    }
}

fn claim(id: Id, key: u64, version: u64) -> Coordinator {
    Coordinator {
        id,
        key: Key(key),
        addresses: vec![address_of(key)],
        version,
    }
}

/// A coordinator with one other member.
fn coordinator() -> (Bench, LinkId) {
    let mut bench = Bench::new(ME, 1);
    bench.pass(Duration::from_secs(3));
    assert_eq!(bench.node.id(), Some(1));
    let link = bench.accept(MEMBER, 0);
    bench.tell(link, Message::JoinRequest(request(MEMBER)));
    assert_eq!(bench.node.members().len(), 2);
    (bench, link)
}

/// A member with id 2 of a group whose coordinator, with id 1, is `MEMBER`.
fn follower() -> (Bench, LinkId) {
    let mut bench = Bench::new(ME, 1);
    let link = bench.accept(MEMBER, 0);
    bench.tell(
        link,
        welcome(MEMBER, 2, view(MEMBER, 5, &[(1, MEMBER), (2, ME)])),
    );
    bench.pass(Duration::from_millis(10));
    assert_eq!(bench.node.coordinator().map(|c| c.key), Some(Key(MEMBER)));
    (bench, link)
}

fn welcome(from: u64, id: Id, mut view: View) -> Message {
    view.coordinator = Key(from);
    Message::JoinResponse(JoinResponse {
        id,
        view,
        clock: 0,
        newest: Position::default(),
        floor: None,
        lost: Vec::new(),
        no: 0,
    })
}

/// Each is told with the host, so that whoever shows it can tell the user once of each.
#[test]
fn who_is_not_let_into_a_full_room_is_named_with_its_host() {
    let (mut bench, _) = coordinator();
    let full = papo::limits::MEMBERS_MAX as u64;
    for key in 1_000..1_000 + full {
        // Each has a host of its own: one alone gets no more than half of the places.
        let [.., high, low] = key.to_be_bytes();
        let link = bench.accept_from(([10, 0, high, low], 4_001).into(), key, 0);
        bench.tell(link, Message::JoinRequest(request(key)));
    }
    assert_eq!(bench.node.members().len() as u64, full);
    let refused = bench.events.iter().filter_map(|event| match event {
        Event::NotLetIn { host, text } => Some((*host, text.clone())),
        _ => None,
    });
    let refused: Vec<_> = refused.collect();
    assert_eq!(refused.len(), 2, "the coordinator and one more were there");
    for (host, text) in &refused {
        assert!(
            text.contains("full") && text.contains(&host.to_string()),
            "{text}"
        );
    }
}

/// The answer to a SYNC of who holds another history, from its first line on.
fn unequal(no: u64) -> Message {
    Message::SyncAnswer(SyncAnswer {
        no,
        equal: false,
        floor: Position::default(),
        newest: None,
        parts: Vec::new(),
    })
}

fn standing(bench: &Bench) -> String {
    let node = &bench.node;
    format!(
        "{:?} {:?} {:?} {} {}",
        node.id(),
        node.coordinator(),
        node.members(),
        node.view_version(),
        node.is_electing()
    )
}

fn forgeries(of: u64) -> Vec<Message> {
    let mine = view(STRANGER, 90, &[(8, STRANGER), (2, ME)]);
    let step = |kind, version, who: Member| {
        Message::PeerUpdate(PeerUpdate {
            coordinator: Key(of),
            version,
            next_id: 9,
            kind,
            members: vec![who],
            clock: 0,
        })
    };
    let mut all = vec![
        Message::Election {
            id: 1,
            forced: true,
        },
        Message::Election {
            id: 1,
            forced: false,
        },
        Message::ElectionOk { coordinator: None },
        Message::ElectionOk {
            coordinator: Some(claim(8, STRANGER, 9)),
        },
        Message::CoordinatorAnnouncement(view(of, 91, &[(1, of)])),
        welcome(STRANGER, 2, mine),
        Message::Rename("somebody".to_owned()),
        Message::ProbeAnswer(Key(MEMBER)),
        Message::Ack(ack()),
        Message::Leave,
    ];
    for version in [6, 7, 90, u64::MAX] {
        all.push(step(UpdateKind::Lost, version, member(2, ME)));
        all.push(step(UpdateKind::Lost, version, member(1, MEMBER)));
        all.push(step(UpdateKind::Joined, version, member(8, STRANGER)));
        all.push(step(UpdateKind::Renamed, version, member(1, STRANGER)));
        all.push(step(UpdateKind::Whole, version, member(1, of)));
    }
    all
}

#[test]
fn forged_control_messages_of_a_stranger_change_nothing() {
    for (mut bench, true_link) in [coordinator(), follower()] {
        let before = standing(&bench);
        let leader = bench.node.coordinator().expect("there is one").key;
        for forgery in forgeries(leader.0) {
            let what = format!("{forgery:?}");
            let link = bench.accept(STRANGER, 0);
            bench.tell(link, forgery);
            bench.end_turn();
            assert_eq!(standing(&bench), before, "{what}");
            let why = Closed::Ended;
            bench.feed(Input::Closed { link, why });
            // The true peer lives on.
            let version = bench.node.view_version();
            let coordinator = Some(claim(1, leader.0, version));
            bench.tell(true_link, Message::Ping { coordinator });
            bench.pass(Duration::from_millis(300));
            assert_eq!(standing(&bench), before, "later: {what}");
        }
    }
}

#[test]
fn a_view_that_nobody_asked_for_is_taken_from_the_coordinator_alone() {
    let (mut bench, link) = follower();
    let whole = |version| {
        Message::PeerUpdate(PeerUpdate {
            coordinator: Key(MEMBER),
            version,
            next_id: 9,
            kind: UpdateKind::Whole,
            members: vec![member(1, MEMBER), member(2, ME), member(3, 61)],
            clock: 0,
        })
    };
    let stranger = bench.accept(STRANGER, 0);
    bench.tell(stranger, whole(8));
    assert_eq!(bench.node.members().len(), 2);
    bench.tell(link, whole(8));
    assert_eq!(bench.node.members().len(), 3);
    let other = bench.accept(61, 0);
    bench.tell(other, whole(9));
    assert_eq!(bench.node.view_version(), 8);
    bench.tell(link, whole(9));
    assert_eq!(bench.node.view_version(), 9);
}

#[test]
fn a_coordinator_that_was_not_asked_lets_nobody_in() {
    let (mut bench, _) = follower();
    let link = bench.accept(STRANGER, 0);
    let theirs = view(STRANGER, 3, &[(8, STRANGER), (2, ME)]);
    bench.tell(link, welcome(STRANGER, 2, theirs.clone()));
    assert_eq!(bench.node.coordinator().map(|c| c.key), Some(Key(MEMBER)));
    // A higher claim is asked, and then believed: two groups become one.
    bench.take_sent(link);
    let coordinator = Some(claim(8, STRANGER, 3));
    bench.tell(link, Message::Ping { coordinator });
    let asked = bench.take_sent(link);
    assert!(asked.iter().any(|m| matches!(m, Message::JoinRequest(_))));
    bench.tell(link, welcome(STRANGER, 2, theirs));
    assert_eq!(bench.node.coordinator().map(|c| c.key), Some(Key(STRANGER)));
}

#[test]
fn counts_that_a_liar_brings_to_their_end_let_the_room_go_on() {
    let (mut bench, _) = coordinator();
    let link = bench.accept(STRANGER, 0);
    let mut liar = request(STRANGER);
    (liar.id, liar.next_id, liar.view_version) = (Some(1 << 53), u64::MAX, u64::MAX);
    bench.tell(link, Message::JoinRequest(liar));
    let others: Vec<u64> = (80..90).collect();
    for key in &others {
        let link = bench.accept(*key, 0);
        let mut asks = request(*key);
        asks.view_version = u64::MAX;
        bench.tell(link, Message::JoinRequest(asks));
    }
    assert_eq!(bench.node.members().len(), 3 + others.len());
    let ids: Vec<Id> = bench.node.members().iter().map(|m| m.id).collect();
    assert_eq!(ids, (1..=13).collect::<Vec<Id>>());
}

#[test]
fn a_view_of_the_last_version_does_not_stop_who_takes_office_after_it() {
    let (mut bench, link) = follower();
    let whole = PeerUpdate {
        coordinator: Key(MEMBER),
        version: u64::MAX,
        next_id: u64::MAX,
        kind: UpdateKind::Whole,
        members: vec![member(1, MEMBER), member(2, ME)],
        clock: 0,
    };
    bench.tell(link, Message::PeerUpdate(whole));
    assert_eq!(bench.node.view_version(), u64::MAX);
    bench.tell(link, Message::Leave);
    bench.end_turn();
    assert_eq!(bench.node.coordinator().map(|c| c.key), Some(Key(ME)));
    let link = bench.accept(80, 0);
    bench.tell(link, Message::JoinRequest(request(80)));
    assert_eq!(bench.node.members().len(), 2);
}

#[test]
fn who_was_made_to_leave_by_somebody_else_comes_back() {
    let (mut bench, true_link) = coordinator();
    // Somebody takes the member's place, as who sits on the way can in an open room.
    let link = bench.accept(MEMBER, 1 << 53);
    assert!(!bench.links.contains(&true_link));
    bench.tell(link, Message::Leave);
    assert_eq!(bench.node.members().len(), 1);
    bench.feed(Input::Closed {
        link,
        why: Closed::Ended,
    });
    let again = bench.accept(MEMBER, 1);
    bench.tell(again, Message::JoinRequest(request(MEMBER)));
    assert_eq!(bench.node.members().len(), 2);
    let last = bench.events.last();
    assert!(matches!(last, Some(Event::MemberJoined(m)) if m.key == Key(MEMBER)));
}

#[test]
fn an_impossible_round_is_refused() {
    let (mut bench, true_link) = coordinator();
    let link = bench.accept(MEMBER, u64::MAX);
    assert!(bench.links.contains(&true_link) && !bench.links.contains(&link));
}

#[test]
fn strangers_are_not_dialled_where_they_say_and_leave_nothing_behind() {
    let (mut bench, _) = coordinator();
    let dials = bench.dials.len();
    let before = format!("{:?}", bench.node).len();
    for key in 1_000..3_000 {
        let link = bench.accept(key, 0);
        bench.tell(link, Message::Ack(ack()));
        bench.tell(link, Message::Chat(Vec::new()));
        bench.end_turn();
        bench.feed(Input::Closed {
            link,
            why: Closed::Ended,
        });
    }
    assert_eq!(bench.dials.len(), dials);
    // All that a node holds is in what it prints of itself.
    let after = format!("{:?}", bench.node).len();
    assert!(after < before + 2_000, "{before} grew to {after}");
}

#[test]
fn requests_of_nodes_that_cannot_be_dialled_do_not_fill_the_list_of_guests() {
    let (mut bench, _) = coordinator();
    for key in 1_000..1_900 {
        // One that has left is not dialled.
        let link = bench.accept(key, 0);
        bench.tell(link, Message::Leave);
        let why = Closed::Ended;
        bench.feed(Input::Closed { link, why });
        bench.feed(Input::Datagram {
            from: address_of(key).0,
            datagram: Datagram::JoinRequest(request(key)),
        });
    }
    let dials = bench.dials.len();
    bench.feed(Input::Datagram {
        from: address_of(80).0,
        datagram: Datagram::JoinRequest(request(80)),
    });
    assert_eq!(bench.dials.len(), dials + 1);
}

#[test]
fn an_exchange_that_brings_nothing_is_ended_and_the_next_member_is_asked() {
    let (mut bench, member) = coordinator();
    bench.feed(Input::Command(Command::Say(
        ["a line"].into_iter().collect(),
    )));
    let liar = bench.accept(STRANGER, 0);
    bench.tell(liar, Message::JoinRequest(request(STRANGER)));
    bench.tell(liar, Message::Behind);
    bench.tell(member, Message::Behind);
    let mut fetches = 0;
    for n in 1..40 {
        bench.pass(Duration::from_millis(400));
        for message in bench.take_sent(liar) {
            let answer = match message {
                Message::Sync(sync) => unequal(sync.no),
                Message::Fetch(fetch) => {
                    fetches += 1;
                    Message::Chunk(Chunk {
                        no: fetch.no,
                        next: Some(Position::new(n, Key(0), 0)),
                        messages: Vec::new(),
                    })
                }
                _ => continue,
            };
            bench.tell(liar, answer);
        }
        bench.tell(member, Message::Ping { coordinator: None });
    }
    assert!(fetches > 3);
    let sent = bench.take_sent(member);
    assert!(sent.iter().any(|m| matches!(m, Message::Sync(_))));
}

/// A peer that lives.
fn keep_alive(bench: &mut Bench, links: &[LinkId]) {
    for link in links {
        bench.tell(*link, Message::Ping { coordinator: None });
    }
}

#[test]
fn who_trickles_holds_up_nobody_and_has_its_time() {
    let (mut bench, member) = coordinator();
    let stranger = bench.accept(STRANGER, 0);
    // Nobody else is asked.
    bench.tell(stranger, Message::JoinRequest(request(STRANGER)));
    bench.tell(stranger, Message::Behind);
    let (mut first, mut brought, mut ended) = (None, 0, None);
    for n in 1..=20 {
        for message in bench.take_sent(stranger) {
            let answer = match message {
                Message::Sync(sync) => {
                    if first.is_none() {
                        first = Some(sync.no);
                    } else {
                        ended.get_or_insert(n);
                    }
                    Message::SyncAnswer(SyncAnswer {
                        no: sync.no,
                        equal: false,
                        floor: Position::default(),
                        newest: None,
                        parts: Vec::new(),
                    })
                }
                Message::Fetch(fetch) => {
                    brought += 1;
                    Message::Chunk(Chunk {
                        no: fetch.no,
                        next: Some(Position::new(1_000 * n, Key(STRANGER), n)),
                        messages: vec![words::said(STRANGER, n, 1_000 * n)],
                    })
                }
                _ => continue,
            };
            bench.tell(stranger, answer);
        }
        if n == 2 {
            bench.tell(member, Message::Behind);
        }
        keep_alive(&mut bench, &[stranger, member]);
        bench.pass(Duration::from_millis(800));
        if n == 4 {
            let sent = bench.take_sent(member);
            assert!(
                sent.iter().any(|m| matches!(m, Message::Sync(_))),
                "{sent:?}"
            );
            assert!(brought >= 2, "the other exchange went on: {brought}");
        }
        if ended.is_some() {
            return;
        }
        // The next one that it asks for is another one.
        bench.tell(stranger, Message::Behind);
    }
    panic!("an exchange that brings 100 bytes a second never ended");
}
