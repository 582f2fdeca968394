//! Who was lost a moment ago, and what its author learns of it later.

use std::time::Duration;

use super::*;
use crate::node::rig::{Rig, config, step, view};
use crate::node::{Command, Input, LinkId, Timer};
use crate::wire::{Id, Message, UpdateKind};

const LEADER: Key = Key(3);
const ANA: Key = Key(9);

fn ack(from: u64, seq: u64, missed: &[(u64, u64)]) -> Ack {
    let missed = missed.to_vec();
    Ack { from, seq, missed }
}

#[test]
fn a_word_settles_what_it_says_once() {
    let mut overdue = Overdue::default();
    overdue.await_word(ANA, (11, 20), Time(0));
    let settled = |all, missed| Settled { all, missed };
    // What she missed before the tenth was no secret.
    assert_eq!(overdue.settle(ANA, &ack(1, 15, &[(9, 12)])), settled(5, 2));
    assert_eq!(overdue.settle(ANA, &ack(1, 15, &[(9, 12)])), settled(0, 0));
    assert_eq!(overdue.of(ANA), 5);
    let twice = ack(16, 17, &[(16, 16), (16, 17), (17, 17)]);
    assert_eq!(overdue.settle(ANA, &twice), settled(2, 2));
    assert_eq!(overdue.settle(ANA, &ack(1, 30, &[])), settled(3, 0));
    assert_eq!(overdue.of(ANA), 0);
    assert_eq!(overdue.take_missed(), BTreeMap::from([(ANA, 4)]));
    assert_eq!(overdue.take_missed(), BTreeMap::new());
}

#[test]
fn only_so_many_words_are_awaited() {
    let mut overdue = Overdue::default();
    for key in 0..2 * MEMBERS_MAX as u64 {
        overdue.await_word(Key(key), (1, 1), Time(0));
    }
    assert_eq!(overdue.due.len(), MEMBERS_MAX);
    overdue.await_word(Key(0), (2, 2), Time(1));
    assert_eq!(overdue.of(Key(0)), 2);
    // Only a member's word is waited for longer than this.
    let long = Time(0) + OVERDUE_KEPT;
    overdue.tidy(long, |key| key == Key(7));
    let due = |key| overdue.of(Key(key));
    assert_eq!([due(0), due(1), due(7)], [2, 0, 1]);
}

/// A member of a room of three says ten lines, which the coordinator confirms once ana is lost.
fn one_is_lost(weakened: Option<Weakness>) -> (Rig, LinkId, LinkId) {
    let members: [(Id, Key); 3] = [(1, LEADER), (2, config().key), (3, ANA)];
    let mut own = config();
    own.weakened = weakened;
    let (mut rig, link) = Rig::member_with(own, &members);
    rig.receive(link, Message::SyncAnswer(rig.answer()));
    let ana = rig.meet(ANA);
    while !rig.node.is_joined() {
        rig.receive(link, Message::Ping { coordinator: None });
        rig.fire(Timer::Tick);
    }
    rig.say(10);
    let lost = view(3, &members).members.remove(2);
    rig.receive(link, step(LEADER, UpdateKind::Lost, lost));
    rig.receive(link, Message::Ack(ack(1, 10, &[])));
    (rig, link, ana)
}

/// Looks at the links for this long, while the coordinator lives, or until this node has left: what it says then, and
/// how long that took.
fn leave(rig: &mut Rig, link: LinkId, longest: Duration) -> Option<(Left, Duration)> {
    let begin = rig.micros;
    loop {
        let passed = Duration::from_micros(rig.micros - begin);
        let left = rig.shown.iter().find_map(|event| match event {
            Event::Left {
                confirmed,
                missed,
                lost,
                ..
            } => Some((*confirmed, counts(missed), counts(lost))),
            _ => None,
        });
        if left.is_some() || passed > longest {
            return left.map(|left| (left, passed));
        }
        rig.receive(link, Message::Ping { coordinator: None });
        rig.fire(Timer::Tick);
        rig.fire_due(&[Timer::Leave]);
    }
}

/// Whether everything is confirmed; who missed how much; of whom nothing was heard on how much.
type Left = (bool, Vec<(Key, u64)>, Vec<(Key, u64)>);

fn counts(members: &[(Member, u64)]) -> Vec<(Key, u64)> {
    members.iter().map(|(m, count)| (m.key, *count)).collect()
}

const PATIENCE: Duration = Duration::from_secs(60);

fn stop(rig: &mut Rig) {
    let patience = PATIENCE;
    rig.turn(vec![Input::Command(Command::Leave { patience })]);
}

#[test]
fn whoever_leaves_waits_for_one_that_was_lost_a_moment_ago_and_says_what_it_missed() {
    for weakened in [None, Some(Weakness::LostAreNotAwaited)] {
        let (mut rig, link, ana) = one_is_lost(weakened);
        let delivered = |e: &Event| {
            matches!(
                e,
                Event::Delivered {
                    first: 1,
                    last: 10,
                    confirmed: 1,
                    ..
                }
            )
        };
        assert!(rig.shown.iter().any(delivered), "nobody waits for that");
        stop(&mut rig);
        let early = leave(&mut rig, link, Duration::from_secs(1));
        assert_eq!(early.is_some(), weakened.is_some(), "{early:?}");
        if weakened.is_some() {
            continue;
        }
        rig.receive(ana, Message::Ack(ack(1, 4, &[(2, 4)])));
        rig.receive(ana, Message::Ack(ack(5, 10, &[])));
        let (left, _) = leave(&mut rig, link, PATIENCE).expect("nothing is due any more");
        assert_eq!(left, (false, vec![(ANA, 3)], vec![]));
    }
}

#[test]
fn who_does_not_come_back_is_named_and_waited_for_no_longer_than_what_it_lacks_is_kept() {
    let (mut rig, link, _) = one_is_lost(None);
    stop(&mut rig);
    let (left, took) = leave(&mut rig, link, PATIENCE).expect("it leaves");
    assert_eq!(left, (true, vec![], vec![(ANA, 10)]));
    let patience = rig.node.cx.gap_patience();
    assert!(took > patience / 2 && took < patience * 2, "{took:?}");
}

#[test]
fn who_was_away_for_a_minute_is_gone() {
    let (mut rig, link, _) = one_is_lost(None);
    let lost = Time(rig.micros);
    while Time(rig.micros).since(lost) <= OVERDUE_KEPT {
        rig.receive(link, Message::Ping { coordinator: None });
        rig.fire(Timer::Tick);
    }
    stop(&mut rig);
    let (left, _) = leave(&mut rig, link, PATIENCE).expect("it leaves");
    assert_eq!(left, (true, vec![], vec![]));
}

#[test]
fn who_leaves_in_good_order_is_not_waited_for() {
    let (mut rig, link, ana) = one_is_lost(None);
    rig.receive(ana, Message::Leave);
    stop(&mut rig);
    let (left, took) = leave(&mut rig, link, PATIENCE).expect("it leaves");
    assert_eq!(left, (true, vec![], vec![]));
    assert!(took < rig.node.cx.gap_patience() / 2, "{took:?}");
}

#[test]
fn an_author_that_stays_learns_in_one_line_what_was_missed_by_one_that_was_away() {
    let (mut rig, link, ana) = one_is_lost(None);
    rig.receive(ana, Message::Ack(ack(1, 4, &[(2, 2)])));
    rig.receive(ana, Message::Ack(ack(5, 10, &[(5, 6)])));
    rig.receive(ana, Message::Ack(ack(1, 10, &[(2, 6)])));
    for _ in 0..2 {
        rig.receive(link, Message::Ping { coordinator: None });
        rig.fire(Timer::Tick);
    }
    let warnings = rig.shown.iter().filter_map(|e| match e {
        Event::Warning(text) => Some(text.as_str()),
        _ => None,
    });
    let said: Vec<_> = warnings.filter(|text| text.contains("missed")).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].ends_with("was away, and has missed 3 lines of this node"),
        "{said:?}"
    );
}
