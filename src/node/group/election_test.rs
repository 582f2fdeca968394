//! What a member does that has lost its coordinator, or is told of another one.

use crate::node::rig::{Rig, office, view};
use crate::node::{Departure, Event, Input, Timer};
use crate::wire::{Key, Message};

const ME: Key = Key(5);
const LEADER: Key = Key(9);
const BEN: Key = Key(10);

fn leader(rig: &Rig) -> Option<Key> {
    rig.node.coordinator().map(|c| c.key)
}

#[test]
fn an_elector_stays_with_the_coordinator_that_a_higher_member_still_hears() {
    let (mut rig, _) = Rig::member_among(&[(4, LEADER), (2, ME), (3, BEN)]);
    rig.pass(rig.node.cx.config.failure_timeout);
    let ben = rig.meet(BEN);
    while !rig.node.is_electing() {
        rig.receive(ben, Message::Ping { coordinator: None });
        rig.fire(Timer::Watch);
    }
    let sent = rig.fire(Timer::Election);
    let is_question = |m: &Message| matches!(m, Message::Election { .. });
    assert!(sent.iter().any(is_question), "{sent:?}");
    let coordinator = Some(office(4, LEADER));
    rig.receive(ben, Message::ElectionOk { coordinator });
    assert!(!rig.node.is_electing());
    assert_eq!(leader(&rig), Some(LEADER));
}

#[test]
fn a_lower_member_is_followed_only_once_the_coordinator_leaves_a_ping_unanswered() {
    let members = [(4, LEADER), (2, ME), (3, BEN)];
    let (mut rig, _) = Rig::member_among(&members);
    let ben = rig.meet(BEN);
    let announce = |version| Message::CoordinatorAnnouncement(view(version, &[(3, BEN), (2, ME)]));
    rig.receive(ben, announce(3));
    assert_eq!(leader(&rig), Some(LEADER), "it may well be alive");
    rig.pass(rig.node.cx.config.failure_timeout);
    let sent = rig.turn(vec![Input::Timer(Timer::Watch)]);
    let is_ping = |m: &Message| matches!(m, Message::Ping { .. });
    assert!(sent.iter().any(is_ping), "it is asked whether it lives");
    rig.pass(rig.node.cx.config.heartbeat / 2);
    rig.receive(ben, announce(4));
    assert_eq!(leader(&rig), Some(BEN));
}

#[test]
fn the_next_view_is_without_a_coordinator_that_left() {
    let (mut rig, link) = Rig::member_of(LEADER);
    rig.receive(link, Message::SyncAnswer(rig.answer()));
    assert!(rig.node.is_joined());
    rig.receive(link, Message::Leave);
    assert_eq!(leader(&rig), Some(ME));
    assert_eq!(rig.node.members().len(), 1);
    let has_left = |e: &Event| {
        let Event::MemberLeft(member, departure) = e else {
            return false;
        };
        (member.key, *departure) == (LEADER, Departure::Left)
    };
    assert!(rig.shown.iter().any(has_left), "{:?}", rig.shown);
}
