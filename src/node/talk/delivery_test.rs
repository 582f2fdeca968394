//! What the author learns of its messages, and what follows from it.

use std::time::Duration;

use crate::node::rig::{Rig, config};
use crate::node::{Command, Event, Input, LinkId, Time, Timer};
use crate::timing;
use crate::wire::{Ack, Key, Message, Stable};

const BEN: Key = Key(9);
const EVE: Key = Key(10);

fn member(rig: &mut Rig, key: Key) -> LinkId {
    let link = rig.meet(key);
    rig.admit(link, key);
    link
}

fn ack(from: u64, seq: u64, missed: &[(u64, u64)]) -> Message {
    let missed = missed.to_vec();
    Message::Ack(Ack { from, seq, missed })
}

#[test]
fn each_message_is_delivered_with_those_who_confirmed_or_missed_it_though_they_are_gone() {
    let mut rig = Rig::new();
    let (ben, eve) = (member(&mut rig, BEN), member(&mut rig, EVE));
    rig.say(10);
    // She says nothing of the first four, and leaves.
    rig.receive(eve, ack(5, 10, &[(5, 6)]));
    rig.receive(eve, Message::Leave);
    rig.receive(ben, ack(1, 10, &[]));
    let delivered = rig.shown.iter().filter_map(|e| match e {
        Event::Delivered {
            first,
            last,
            confirmed,
            missed,
            ..
        } => Some((*first, *last, *confirmed, missed.clone())),
        _ => None,
    });
    let delivered: Vec<_> = delivered.collect();
    let missed = vec![EVE];
    assert_eq!(
        delivered,
        [(1, 4, 1, vec![]), (5, 6, 1, missed), (7, 10, 2, vec![])]
    );
}

#[test]
fn who_missed_something_and_is_gone_counts_and_is_named_when_the_author_leaves() {
    let mut rig = Rig::new();
    let (ben, eve) = (member(&mut rig, BEN), member(&mut rig, EVE));
    rig.say(2);
    rig.receive(eve, ack(1, 2, &[(1, 1)]));
    rig.receive(eve, Message::Leave);
    rig.receive(ben, ack(1, 2, &[]));
    let patience = Duration::from_secs(1);
    rig.turn(vec![Input::Command(Command::Leave { patience })]);
    rig.pass(timing::LEAVE_QUIET_MAX);
    rig.turn(vec![Input::Timer(Timer::Leave)]);
    let left = rig.shown.iter().find_map(|e| match e {
        Event::Left {
            confirmed, missed, ..
        } => Some((*confirmed, missed.clone())),
        _ => None,
    });
    let (confirmed, missed) = left.expect("it has left");
    let missed: Vec<_> = missed.iter().map(|(m, count)| (m.key, *count)).collect();
    assert_eq!((confirmed, missed), (false, vec![(EVE, 1)]));
}

#[test]
fn what_one_member_has_not_confirmed_is_not_told_as_stable() {
    let mut rig = Rig::new();
    let (ben, eve) = (member(&mut rig, BEN), member(&mut rig, EVE));
    rig.say(10);
    rig.receive(ben, ack(1, 10, &[]));
    rig.receive(eve, ack(1, 4, &[]));
    let sent = rig.turn(vec![Input::Timer(Timer::Tick)]);
    let word = Stable {
        from: None,
        said: 10,
        stable: 4,
    };
    assert!(sent.contains(&Message::Stable(word)), "{sent:?}");
}

#[test]
fn the_first_confirmation_of_a_member_does_not_make_stdin_wait_longer_than_a_stall() {
    let mut config = config();
    config.unstable_bytes_max = 1_000;
    let mut rig = Rig::with(config);
    // Long after this node began.
    rig.pass(timing::STALL_LONGEST * 10);
    let ben = member(&mut rig, BEN);
    rig.say(10);
    rig.receive(ben, ack(1, 1, &[]));
    let now = Time(rig.micros);
    assert_eq!(rig.node.chased_until(now), Some(now + timing::STALL));
    // Who was slower than that, and goes on, is waited for a little longer.
    rig.pass(timing::STALL * 2);
    rig.receive(ben, ack(2, 2, &[]));
    let now = Time(rig.micros);
    assert!(rig.node.chased_until(now) >= Some(now + timing::STALL * 4));
}

#[test]
fn who_keeps_up_is_not_waited_for_however_much_another_lacks() {
    let mut config = config();
    config.unstable_bytes_max = 1_000;
    let mut rig = Rig::with(config);
    let (ben, eve) = (member(&mut rig, BEN), member(&mut rig, EVE));
    rig.say(1);
    rig.receive(eve, ack(1, 1, &[]));
    // Eve's process is stopped.
    rig.pass(timing::STALL);
    rig.say(10);
    rig.receive(ben, ack(1, 11, &[]));
    rig.say(1);
    let now = Time(rig.micros);
    assert_eq!(rig.node.chased_until(now), None, "ben lacks one");
    rig.say(10);
    assert!(rig.node.chased_until(now) > Some(now), "ben lacks eleven");
}
