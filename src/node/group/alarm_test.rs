//! When an alarm is raised, what ends it, and what a coordinator answers.

use std::net::SocketAddr;

use crate::limits;
use crate::node::rig::{Rig, config, office};
use crate::node::{Effect, Event, Input, LinkId, Timer, micros};
use crate::wire::{Datagram, Key, Message};

const LEADER: Key = Key(9);
const OTHER: Key = Key(3);

fn from() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 28_783))
}

/// The coordinator's HEARTBEAT comes.
fn beat(rig: &mut Rig) {
    let datagram = Datagram::Heartbeat {
        room: config().room,
        coordinator: office(1, LEADER),
        members: 2,
        nick: None,
    };
    let from = from();
    rig.turn(vec![Input::Datagram { from, datagram }]);
    rig.done.clear();
}

fn elects(rig: &Rig) -> bool {
    (rig.shown.iter()).any(|e| matches!(e, Event::Election { .. }))
}

/// A member whose coordinator has just sent a HEARTBEAT, and does not send the next one.
fn missing(mut rig: Rig) -> Rig {
    rig.pass(config().heartbeat);
    beat(&mut rig);
    rig.fire(Timer::Tick);
    rig
}

/// Lets the alarm go on to its end; how often the HEARTBEAT was asked for, and the dials.
fn go_on(rig: &mut Rig) -> (usize, Vec<LinkId>) {
    let (mut asked, mut dials) = (0, Vec::new());
    while rig.timers.contains_key(&Timer::Alarm) {
        rig.fire(Timer::Alarm);
        for effect in std::mem::take(&mut rig.done) {
            match effect {
                Effect::Unicast {
                    to,
                    datagram: Datagram::BeatRequest { key, .. },
                } => {
                    assert_eq!((to, key), (from(), config().key));
                    asked += 1;
                }
                Effect::Dial { link, .. } => dials.push(link),
                _ => {}
            }
        }
    }
    (asked, dials)
}

#[test]
fn a_coordinator_that_says_nothing_more_is_given_up_before_the_failure_timeout() {
    let mut rig = missing(Rig::member_of(LEADER).0);
    let last_sign = rig.micros;
    let (asked, dials) = go_on(&mut rig);
    assert!(elects(&rig));
    assert!(rig.micros - last_sign < micros(config().heartbeat) * 2);
    assert!(asked >= 12, "its HEARTBEAT was asked for {asked} times");
    assert!(dials.len() >= 3, "knocked {} times", dials.len());
    assert_eq!(rig.node.coordinator().map(|c| c.key), Some(config().key));
    assert_eq!(
        rig.node.members().len(),
        1,
        "the lost one is not in the view"
    );
}

#[test]
fn any_sign_of_life_ends_an_alarm() {
    let mut rig = missing(Rig::member_of(LEADER).0);
    rig.fire(Timer::Alarm);
    beat(&mut rig);
    go_on(&mut rig);
    assert!(!elects(&rig), "its HEARTBEAT came");

    let (rig, link) = Rig::member_of(LEADER);
    let mut rig = missing(rig);
    rig.receive(link, Message::Pong { coordinator: None });
    go_on(&mut rig);
    assert!(!elects(&rig), "its link is alive");
}

#[test]
fn a_knock_that_is_answered_leaves_the_silence_to_the_failure_timeout() {
    let mut rig = missing(Rig::member_of(LEADER).0);
    let beaten = rig.micros - micros(config().heartbeat * 9 / 8);
    rig.fire(Timer::Alarm);
    let dialled = rig.dials();
    let [(link, _)] = dialled[..] else {
        panic!("one knock: {dialled:?}");
    };
    let sent = rig.turn(vec![Input::Connected { link }]);
    assert!(sent.is_empty(), "no HELLO: {sent:?}");
    let is_closed = |e: &Effect| matches!(e, Effect::Close { link: l, .. } if *l == link);
    assert!(rig.done.iter().any(is_closed), "it is no link");
    go_on(&mut rig);
    rig.fire(Timer::Tick);
    assert!(
        !rig.timers.contains_key(&Timer::Alarm),
        "it was looked into"
    );
    while !elects(&rig) {
        rig.fire(Timer::Watch);
    }
    let patience = config().failure_timeout + config().heartbeat;
    assert!(rig.micros - beaten >= micros(patience));
    assert!(rig.micros - beaten < micros(patience + config().heartbeat));
}

#[test]
fn a_forged_heartbeat_keeps_nobody_in_office_for_long() {
    let mut rig = Rig::member_of(LEADER).0;
    let heard = rig.micros;
    while !elects(&rig) {
        rig.pass(config().heartbeat / 2);
        beat(&mut rig);
        if rig.timers[&Timer::Watch].0 <= rig.micros {
            rig.fire(Timer::Watch);
        }
    }
    let most = config().failure_timeout * 2 + config().heartbeat * 2;
    assert!(rig.micros - heard < micros(most));
}

#[test]
fn a_knock_that_is_refused_says_nothing() {
    let mut rig = missing(Rig::member_of(LEADER).0);
    rig.fire(Timer::Alarm);
    let (link, _) = rig.dials()[0];
    let why = crate::node::Closed::Refused;
    rig.turn(vec![Input::Closed { link, why }]);
    assert!(!elects(&rig));
    go_on(&mut rig);
    assert!(elects(&rig));
}

#[test]
fn who_hears_nobody_else_either_is_cut_off_itself() {
    let members = [(1, LEADER), (2, config().key), (3, OTHER)];
    let (mut rig, _) = Rig::member_among(&members);
    rig.meet(OTHER);
    let mut deaf = missing(rig);
    go_on(&mut deaf);
    assert!(!elects(&deaf), "nobody is heard");

    let (mut rig, _) = Rig::member_among(&members);
    let other = rig.meet(OTHER);
    let mut hears = missing(rig);
    hears.fire(Timer::Alarm);
    hears.receive(other, Message::Pong { coordinator: None });
    go_on(&mut hears);
    assert!(elects(&hears), "the other one is heard");
}

#[test]
fn whom_a_neighbour_hears_is_not_given_up_early() {
    let members = [(1, LEADER), (2, config().key), (3, OTHER)];
    let (mut rig, _) = Rig::member_among(&members);
    let other = rig.meet(OTHER);
    let mut rig = missing(rig);
    rig.fire(Timer::Alarm);
    rig.receive(other, Message::ProbeAnswer(LEADER));
    go_on(&mut rig);
    assert!(!elects(&rig));
}

#[test]
fn a_coordinator_answers_members_that_ask_for_its_heartbeat_and_not_without_end() {
    let ask = |rig: &mut Rig, key: Key, times: u32| {
        let (from, room) = (from(), config().room);
        let datagram = Datagram::BeatRequest { room, key };
        let input = Input::Datagram { from, datagram };
        rig.done.clear();
        rig.turn(vec![input; times as usize]);
        let is_beat = |e: &&Effect| matches!(e, Effect::Unicast { to, datagram: Datagram::Heartbeat { .. } } if *to == from);
        rig.done.iter().filter(is_beat).count()
    };
    let mut rig = Rig::new();
    let link = rig.meet(OTHER);
    assert_eq!(ask(&mut rig, OTHER, 1), 0, "it is no member");
    rig.admit(link, OTHER);
    assert_eq!(ask(&mut rig, OTHER, 1), 1);
    let most = limits::BEAT_ANSWERS_MAX;
    assert_eq!(ask(&mut rig, OTHER, 2 * most), most as usize - 1);
    rig.pass(config().heartbeat);
    assert_eq!(ask(&mut rig, OTHER, 1), 1);
}
