//! Which of two links of a pair stays.

use std::net::SocketAddr;

use crate::node::rig::{Rig, address, hello, request};
use crate::node::{Effect, Event, Input, LinkId, Timer};
use crate::timing;
use crate::wire::{Hello, Key, Message};

/// The peer has the higher key, so that of two links of one round its own stays.
const PEER: Key = Key(9);

fn round(round: u64) -> Hello {
    Hello {
        round,
        ..hello(PEER, None)
    }
}

/// A founder, and its link with a member, which has dialled for the second time.
fn paired() -> (Rig, LinkId) {
    let mut rig = Rig::new();
    let link = rig.meet_as(round(1));
    rig.receive(link, Message::JoinRequest(request(PEER)));
    rig.done.clear();
    (rig, link)
}

/// Lets time pass until the member is lost in silence.
fn lose(rig: &mut Rig) {
    rig.shown.clear();
    let is_lost = |e: &Event| matches!(e, Event::MemberLeft(..));
    for _ in 0..100 {
        if rig.shown.iter().any(is_lost) {
            return rig.done.clear();
        }
        next(rig);
    }
    panic!("the member was not lost");
}

/// The timer that is due next runs.
fn next(rig: &mut Rig) -> Timer {
    let first = rig.timers.iter().min_by_key(|(_, at)| **at);
    let (timer, _) = first.expect("a timer runs");
    let timer = *timer;
    rig.fire(timer);
    timer
}

fn is_closed(rig: &Rig, link: LinkId) -> bool {
    let closes = |e: &Effect| matches!(e, Effect::Close { link: l, .. } if *l == link);
    rig.done.iter().any(closes)
}

#[test]
fn an_older_dial_of_the_peer_does_not_replace_a_link_that_lives() {
    let (mut rig, old) = paired();
    let late = rig.meet_as(round(0));
    assert!(is_closed(&rig, late));
    assert!(!is_closed(&rig, old));
}

#[test]
fn a_link_that_is_silent_keeps_out_nobody_who_has_forgotten_its_rounds() {
    let (mut rig, old) = paired();
    lose(&mut rig);
    let new = rig.meet_as(round(0));
    assert!(is_closed(&rig, old));
    assert!(!is_closed(&rig, new));
}

#[test]
fn a_link_that_is_silent_keeps_nobody_from_being_dialled() {
    let (mut rig, _) = paired();
    lose(&mut rig);
    while next(&mut rig) != Timer::Redial {
        rig.dials();
    }
    let dialled: Vec<_> = rig.dials().into_iter().map(|(_, to)| to).collect();
    assert_eq!(dialled, [address(4_001).0]);
}

/// Whether the user is told that large packets get lost, where a member at this address is linked anew again and again
/// since its links fall silent.
fn is_called_narrow(from: SocketAddr) -> bool {
    let mut rig = Rig::new();
    for no in 1..5 {
        let link = rig.node.new_link();
        rig.turn(vec![Input::Accepted { link, from }]);
        rig.receive(link, Message::Hello(round(no)));
        rig.admit(link, PEER);
        rig.pass(timing::SILENT_EARLY / 2);
    }
    let is_narrow =
        |event: &Event| matches!(event, Event::Warning(text) if text.starts_with("large packets"));
    rig.shown.iter().any(is_narrow)
}

#[test]
fn who_falls_silent_on_the_same_machine_gets_no_processor_and_loses_no_packets() {
    assert!(is_called_narrow(SocketAddr::from(([10, 0, 0, 2], 50_000))));
    assert!(!is_called_narrow(SocketAddr::from((
        [127, 0, 0, 1],
        50_000
    ))));
}
