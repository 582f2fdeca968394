//! A coordinator that falls silent.

use crate::node::rig::Rig;
use crate::node::{Event, Input, Timer, micros};
use crate::wire::{Key, Message};

const LEADER: Key = Key(9);

fn is_given_up(rig: &Rig) -> bool {
    let election = |e: &Event| matches!(e, Event::Election { .. });
    rig.shown.iter().any(election)
}

/// The coordinator has said nothing for a failure timeout, and the watch expires.
fn silent() -> (Rig, crate::node::LinkId) {
    let (mut rig, link) = Rig::member_of(LEADER);
    rig.micros += micros(rig.node.cx.config.failure_timeout);
    let sent = rig.turn(vec![Input::Timer(Timer::Watch)]);
    let is_ping = |m: &Message| matches!(m, Message::Ping { .. });
    assert!(sent.iter().any(is_ping), "it is asked whether it lives");
    (rig, link)
}

#[test]
fn a_silent_coordinator_has_one_heartbeat_more_to_answer() {
    let (mut rig, _) = silent();
    let heartbeat = micros(rig.node.cx.config.heartbeat);
    rig.micros += heartbeat / 2;
    rig.turn(vec![Input::Timer(Timer::Watch)]);
    assert!(!is_given_up(&rig), "it may be about to answer");
    rig.micros += heartbeat;
    rig.turn(vec![Input::Timer(Timer::Watch)]);
    assert!(is_given_up(&rig));
}

#[test]
fn a_coordinator_that_answers_in_time_stays() {
    let (mut rig, link) = silent();
    let heartbeat = micros(rig.node.cx.config.heartbeat);
    rig.micros += heartbeat / 2;
    rig.receive(link, Message::Pong { coordinator: None });
    rig.micros += heartbeat;
    rig.turn(vec![Input::Timer(Timer::Watch)]);
    assert!(!is_given_up(&rig));
}
