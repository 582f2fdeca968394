//! Who asks by a datagram is told of the coordinator.

use std::time::Duration;

use crate::node::rig::{Rig, address, config, request, view};
use crate::node::{Config, Effect, Input, Timer, Weakness, micros};
use crate::timing;
use crate::wire::{Datagram, JoinRequest, Key, Message};

const ME: Key = Key(5);
const LEADER: Key = Key(9);
const BEN: Key = Key(10);
const NEWCOMER: Key = Key(11);

fn ask(rig: &mut Rig, attempt: u64) {
    let datagram = Datagram::JoinRequest(JoinRequest {
        attempt,
        ..request(NEWCOMER)
    });
    let from = address(6_000).0;
    rig.turn(vec![Input::Datagram { from, datagram }]);
}

/// Whom the newcomer is told of, if it is told.
fn told(rig: &mut Rig) -> Option<Key> {
    rig.fire(Timer::Referral);
    rig.done.drain(..).find_map(|effect| match effect {
        Effect::Unicast {
            datagram: Datagram::Referral { coordinator, .. },
            ..
        } => Some(coordinator.key),
        _ => None,
    })
}

/// The longest time after which an answer to such a question came.
fn longest_wait(attempt: u64) -> Duration {
    let (mut rig, _) = Rig::member_of(LEADER);
    let mut wait = || {
        let asked = rig.micros;
        ask(&mut rig, attempt);
        assert_eq!(told(&mut rig), Some(LEADER));
        Duration::from_micros(rig.micros - asked)
    };
    (0..20).map(|_| wait()).max().expect("it was asked")
}

#[test]
fn who_asks_no_more_is_answered_before_it_founds_a_room_of_its_own() {
    let last = u64::from(timing::JOIN_REQUESTS) - 1;
    assert!(longest_wait(last) <= timing::JOIN_RETRY / 4);
    assert!(longest_wait(last - 1) > timing::JOIN_RETRY / 4);
}

/// Whom a newcomer is told of that asked a member who elects, once somebody was elected.
fn told_after_an_election(weakened: Option<Weakness>) -> Option<Key> {
    let members = [(4, LEADER), (2, ME), (3, BEN)];
    let config = Config {
        weakened,
        ..config()
    };
    let (mut rig, _) = Rig::member_with(config, &members);
    rig.pass(rig.node.cx.config.failure_timeout);
    let ben = rig.meet(BEN);
    while !rig.node.is_electing() {
        rig.receive(ben, Message::Ping { coordinator: None });
        rig.fire(Timer::Watch);
    }
    rig.done.clear();
    ask(&mut rig, 1);
    if !rig.timers.contains_key(&Timer::Referral) {
        return None;
    }
    assert_eq!(told(&mut rig), None, "nobody is elected");
    let view = view(3, &[(3, BEN), (2, ME)]);
    rig.receive(ben, Message::CoordinatorAnnouncement(view));
    let elected = rig.micros;
    let named = told(&mut rig);
    assert!(rig.micros - elected <= micros(timing::REFERRAL_RETRY));
    named
}

#[test]
fn who_asks_during_an_election_is_told_whom_it_brought() {
    assert_eq!(told_after_an_election(None), Some(BEN));
    let weakened = Some(Weakness::AskersMayFoundFirst);
    assert_eq!(told_after_an_election(weakened), None);
}
