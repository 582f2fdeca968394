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

/// A link that nobody watches may be silent for minutes; that its stream ends then is no silence of minutes.
#[test]
fn a_member_whose_idle_link_ends_has_the_whole_patience() {
    let mut rig = Rig::new();
    let keys = [11, 12, 13, 14, 15].map(Key);
    let links = keys.map(|key| {
        let link = rig.meet(key);
        rig.admit(link, key);
        link
    });
    // This node has id 1: its neighbours have the ids 2 and 6.
    let ping = || Message::Ping { coordinator: None };
    let timeout = rig.node.cx.config.failure_timeout;
    for _ in 0..40 {
        rig.fire(Timer::Tick);
        for link in [links[0], links[4]] {
            rig.receive(link, ping());
        }
    }
    let (link, why) = (links[2], crate::node::Closed::Ended);
    rig.turn(vec![Input::Closed { link, why }]);
    let ended = rig.micros;
    let is_member = |rig: &Rig| rig.node.members().iter().any(|m| m.key == keys[2]);
    while is_member(&rig) {
        rig.fire(Timer::Tick);
        for link in [links[0], links[4]] {
            rig.receive(link, ping());
        }
        assert!(
            rig.micros < ended + micros(timeout) * 20,
            "it is never lost"
        );
    }
    let patience = timeout * crate::timing::MEMBER_PATIENCE;
    assert!(
        rig.micros - ended >= micros(patience),
        "{}",
        rig.micros - ended
    );
}
