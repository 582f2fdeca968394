//! What a member says that speaks the protocol as it should, and lies: in an open room, where anybody may become
//! one, and in a locked one. The others lose no line by it, and are one room with one history once it is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use papo::wire::{
    Chunk, Coordinator, Key, Message, MessageId, PeerUpdate, Position, Stable, UpdateKind,
};

use crate::harness::{Node, PATIENCE, Signal, agree, let_pass, ms, talk_in_turn};
use crate::mallory::{
    Heard, Mallory, alone, door, line, now, unequal, warned, while_it_lies, worst_and_median,
};
use crate::place::{Place, in_both};
use crate::secrets::Peace;
use crate::speaker::key_of;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What a new member says of its own lines: all are new.
fn stable(said: u64) -> Message {
    Message::Stable(Stable {
        from: Some(1),
        said,
        stable: 0,
    })
}

/// Two honest members; the first one coordinates.
fn pair(place: &Place<'_>, options: &[&str]) -> [Node; 2] {
    let nodes = ["ana", "bia"].map(|nick| {
        let node = place.join_with(nick, options);
        node.joined();
        node
    });
    nodes[0].sees_members(2);
    nodes
}

fn texts(nodes: &[&Node]) -> Vec<String> {
    let history = agree(nodes, PATIENCE);
    history.into_iter().map(|said| said.text).collect()
}

/// So many lines of its own were confirmed.
fn is_confirmed(node: &Node, lines: usize) {
    node.wait("the confirmations", PATIENCE, |record| {
        (record.all("delivered").count() >= lines).then_some(())
    });
}

/// It hands on lines with the next numbers of those who are there, and with the last one.
#[test]
fn what_a_member_passes_on_in_others_names_swallows_none_of_their_lines() {
    in_both(|place| {
        let [ana, bia] = pair(place, &[]);
        let victims = [key_of(&ana), key_of(&bia)];
        let mut last = Instant::now();
        let lie = move |mallory: &mut Mallory, heard: Heard<'_>| match heard {
            Heard::Turn if last.elapsed() > ms(200) => {
                last = Instant::now();
                mallory.say_to_all(&Message::Behind);
            }
            Heard::Message(n, Message::Sync(sync)) => mallory.say(n, &unequal(sync.no)),
            Heard::Message(n, Message::Fetch(fetch)) => {
                let seqs = (1..=20).chain([u64::MAX]);
                let forged = victims
                    .iter()
                    .flat_map(|v| seqs.clone().map(|seq| line(*v, seq, now(), "forged")));
                let mut messages: Vec<_> = forged.collect();
                messages.sort_by_key(papo::wire::ChatMessage::position);
                let (no, next) = (fetch.no, None);
                mallory.say(n, &Message::Chunk(Chunk { no, next, messages }));
            }
            _ => {}
        };
        while_it_lies(door(place, &[&ana, &bia]), lie, |_| {
            // It has had its say before the first line, and has it again.
            let_pass(ms(700));
            let began = Instant::now();
            talk_in_turn(&ana, &bia, 12);
            assert!(began.elapsed() < ms(3_000), "{:?}", began.elapsed());
        });
        is_confirmed(&ana, 6);
        is_confirmed(&bia, 6);
        let lines: Vec<String> = (0..12).map(|n| format!("line {n}")).collect();
        assert_eq!(texts(&[&ana, &bia]), lines);
    });
}

/// It gives one number to two texts, one for each of the others.
#[test]
fn two_texts_under_one_name_are_said_once_and_nobody_takes_them_for_one() {
    in_both(|place| {
        let [ana, bia] = pair(place, &[]);
        let mut is_said = false;
        let at = now();
        let lie = move |mallory: &mut Mallory, _: Heard<'_>| {
            if std::mem::replace(&mut is_said, true) {
                return;
            }
            mallory.say_to_all(&stable(1));
            for (n, text) in ["one thing", "another"].into_iter().enumerate() {
                let said = line(mallory.key(), 1, at, text);
                mallory.say(n, &Message::Chat(vec![said]));
            }
        };
        while_it_lies(door(place, &[&ana, &bia]), lie, |_| {
            ana.heard("mallory", 1);
            bia.heard("mallory", 1);
        });
        let words = "two different texts";
        let began = Instant::now();
        while warned(&ana, words) + warned(&bia, words) == 0 {
            assert!(began.elapsed() < PATIENCE, "nobody notices");
            ana.wait_for_anything(ms(50));
        }
        talk_in_turn(&ana, &bia, 4);
        is_confirmed(&ana, 2);
        is_confirmed(&bia, 2);
        // A third one looks at both.
        let caio = place.join("caio");
        caio.joined();
        caio.sees_members(3);
        let digest = |node: &Node| node.ask("/status", "status").text("digest").to_owned();
        assert_ne!(digest(&ana), digest(&bia));
        for node in [&ana, &bia, &caio] {
            assert!(warned(node, words) <= 1, "{}", node.stderr());
        }
        caio.say("and I");
        ana.heard("caio", 1);
        bia.heard("caio", 1);
        is_confirmed(&caio, 1);
    });
}

/// The highest of all says in each election that it takes over, or names one who does not exist.
#[test]
fn who_promises_to_coordinate_and_never_does_is_passed_over() {
    in_both(|place| {
        let nodes = ["ana", "bia", "caio"].map(|nick| {
            let node = place.join(nick);
            node.joined();
            node
        });
        let [ana, bia, caio] = &nodes;
        ana.sees_members(3);
        let mut rounds = 0;
        let lie = move |mallory: &mut Mallory, heard: Heard<'_>| match heard {
            Heard::Message(n, Message::Election { .. }) => {
                rounds += 1;
                let ghost = Coordinator {
                    id: 99,
                    key: Key(0x6666),
                    addresses: Vec::new(),
                    version: 99,
                };
                let coordinator = Some(ghost).filter(|_| rounds % 4 >= 2);
                mallory.say(n, &Message::ElectionOk { coordinator });
            }
            Heard::Message(n, Message::Probe(about)) => {
                mallory.say(n, &Message::ProbeAnswer(*about));
            }
            _ => {}
        };
        while_it_lies(door(place, &[ana, bia, caio]), lie, |_| {
            for node in [bia, caio] {
                node.sees_members(4);
            }
            let honest = [bia.id(), caio.id()];
            let killed = ana.signal(Signal::KILL);
            for node in [bia, caio] {
                node.wait("a coordinator that exists", PATIENCE, |record| {
                    let now = record.coordinator?;
                    honest.contains(&now).then_some(())
                });
            }
            let took = killed.elapsed();
            eprintln!("an honest one coordinates after {took:?}");
            assert!(took < ms(15_000), "{took:?}");
            // It goes on so: who comes is let in.
            let dora = place.join("dora");
            dora.joined();
            dora.say("in");
            for node in [bia, caio] {
                node.heard("dora", 1);
            }
        });
        agree(&[bia, caio], PATIENCE);
    });
}

/// Views, steps and promises that nobody asked a member for.
#[test]
fn a_members_views_of_others_change_nothing() {
    in_both(|place| {
        let [ana, bia] = pair(place, &[]);
        let (leader, victim) = (key_of(&ana), key_of(&bia));
        let mut is_said = false;
        let is_time = Arc::new(AtomicBool::new(false));
        let is_due = Arc::clone(&is_time);
        let lie = move |mallory: &mut Mallory, heard: Heard<'_>| {
            let now = matches!(heard, Heard::Turn) && is_due.load(SeqCst);
            if !now || std::mem::replace(&mut is_said, true) {
                return;
            }
            let own = mallory.key();
            let member = |key, id| papo::wire::Member {
                id,
                key,
                nick: "mallory".to_owned(),
                addresses: Vec::new(),
            };
            for version in (1..9).chain([1_000, u64::MAX - 1, u64::MAX]) {
                for (kind, members) in [
                    (UpdateKind::Whole, vec![member(leader, 1), member(own, 3)]),
                    (UpdateKind::Lost, vec![member(victim, 2)]),
                    (UpdateKind::Left, vec![member(victim, 2)]),
                    (UpdateKind::Renamed, vec![member(victim, 2)]),
                    (UpdateKind::Joined, vec![member(Key(99), 9)]),
                ] {
                    mallory.say_to_all(&Message::PeerUpdate(PeerUpdate {
                        coordinator: leader,
                        version,
                        next_id: u64::MAX,
                        kind,
                        members,
                        clock: u64::MAX,
                    }));
                }
                let view = |leader| alone(leader, version, vec![member(leader, 1)]);
                mallory.say_to_all(&Message::CoordinatorAnnouncement(view(leader)));
                mallory.say_to_all(&Message::CoordinatorAnnouncement(view(Key(99))));
                let response = papo::wire::JoinResponse {
                    id: 2,
                    view: view(own),
                    clock: u64::MAX,
                    newest: Position::END,
                    floor: None,
                    lost: Vec::new(),
                    no: 0,
                };
                mallory.say_to_all(&Message::JoinResponse(response));
            }
            mallory.say_to_all(&Message::ElectionOk { coordinator: None });
        };
        while_it_lies(door(place, &[&ana, &bia]), lie, |_| {
            for node in [&ana, &bia] {
                node.sees_members(3);
            }
            let marks = [&ana, &bia].map(Node::mark);
            is_time.store(true, SeqCst);
            let_pass(ms(1_500));
            for (node, mark) in [&ana, &bia].iter().zip(marks) {
                let changed = node.look(|record| {
                    let kinds = ["member_left", "member_renamed", "coordinator", "joined"];
                    let mut new = record.events[mark..].iter();
                    new.find(|e| kinds.contains(&e.kind.as_str())).cloned()
                });
                assert!(changed.is_none(), "{}: {changed:?}", node.name);
                let all = node.look(|record| record.view.len());
                assert_eq!(all, 3, "{}", node.name);
            }
        });
        for node in [&ana, &bia] {
            node.sees_members(2);
        }
        let peace = Peace::of(&[&ana, &bia]);
        let_pass(ms(300));
        peace.holds();
        talk_in_turn(&ana, &bia, 2);
    });
}

/// As far ahead as others believe, and more than they keep.
#[test]
fn lines_dated_a_day_ahead_fill_no_history_for_good() {
    in_both(|place| {
        let short = ["--history", "200"];
        let [ana, bia] = pair(place, &short);
        let mut is_said = false;
        let ahead = now() + ((DAY_MS - 60_000) << 16);
        let lie = move |mallory: &mut Mallory, heard: Heard<'_>| {
            if !matches!(heard, Heard::Turn) || std::mem::replace(&mut is_said, true) {
                return;
            }
            mallory.say_to_all(&stable(0));
            let key = mallory.key();
            for first in (0..2_000).step_by(500) {
                let flood = (first..first + 500).map(|n| line(key, n + 1, ahead + n, "x"));
                let flood: Vec<_> = flood.collect();
                mallory.say_to_all(&Message::Chat(flood));
            }
        };
        while_it_lies(door(place, &[&ana, &bia]), lie, |_| {
            ana.heard("mallory", 2_000);
            bia.heard("mallory", 2_000);
            talk_in_turn(&ana, &bia, 8);
        });
        is_confirmed(&ana, 4);
        // What was said later comes later, for one who comes now and keeps few lines.
        let caio = place.join_with("caio", &short);
        caio.joined();
        let held = caio.ask("/history", "history");
        let texts = held.list("messages").iter();
        let texts = texts.filter_map(|m| m["text"].as_str());
        let lines: Vec<&str> = texts.filter(|text| text.starts_with("line")).collect();
        let expected: Vec<String> = (0..8).map(|n| format!("line {n}")).collect();
        assert_eq!(lines, expected);
    });
}

/// Its lines name what nobody has said: of nobody, and of those who are there. Each is said again with other causes.
#[test]
fn causes_that_do_not_exist_keep_only_what_follows_from_them_waiting() {
    in_both(|place| {
        let [ana, bia] = pair(place, &[]);
        let victims = [key_of(&ana), key_of(&bia)];
        let (mut written, mut last) = (0, Instant::now());
        let lie = move |mallory: &mut Mallory, heard: Heard<'_>| {
            if !matches!(heard, Heard::Turn) || last.elapsed() < ms(100) {
                return;
            }
            last = Instant::now();
            if written == 0 {
                mallory.say_to_all(&stable(0));
            }
            written += 1;
            let own = line(mallory.key(), written, now(), "y");
            let origins = [Key(0x6666), victims[0], victims[1]];
            for further in [1_000, 2_000, 3_000] {
                let named = origins.map(|origin| MessageId {
                    origin,
                    seq: further + written,
                });
                let draft = papo::wire::Draft {
                    dependencies: named.to_vec().into(),
                    ..own.draft()
                };
                let said = papo::wire::ChatMessage::new(&draft).expect("it keeps the rules");
                mallory.say_to_all(&Message::Chat(vec![said]));
            }
        };
        while_it_lies(door(place, &[&ana, &bia]), lie, |_| {
            let_pass(ms(500));
            let mut delays = Vec::new();
            for n in 1..=10 {
                let said = Instant::now();
                ana.say(&format!("line {n}"));
                bia.heard("ana", n);
                delays.push(said.elapsed());
                let_pass(ms(100));
            }
            let (worst, median) = worst_and_median(delays);
            eprintln!("a line took {median:?} at the median, {worst:?} at most");
            assert!(worst < Duration::from_secs(2), "{worst:?}");
            assert!(median < ms(200), "{median:?}");
        });
        is_confirmed(&ana, 10);
        agree(&[&ana, &bia], PATIENCE);
    });
}
