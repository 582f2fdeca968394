//! What a member brings of others: bounded, however many they are.

use super::*;
use crate::node::rig::{Rig, address, chat, config, hello, office, response, step, view};
use crate::node::{Event, Input, Timer};
use crate::wire::{Position, UpdateKind};

const BEN: Key = Key(9);
const STRANGERS: u64 = 3 * limits::ORIGINS_IDLE_MAX as u64;

fn relay(from: u64, ack: Option<Ack>, stable: Option<Stable>) -> Message {
    Message::Relay(Relay {
        from: Key(from),
        to: Key(5),
        ack,
        stable,
        request: None,
        seal: None,
    })
}

/// What a node that is let in says to somebody who comes after it: the first of its lines that this one owes.
fn owed_by_who_comes(lost: Vec<Key>, weakened: Option<Weakness>) -> Option<u64> {
    let mut own = config();
    own.weakened = weakened;
    let leader = Key(3);
    let mut rig = Rig::seeking(own);
    let link = rig.meet_as(hello(leader, Some(office(1, leader))));
    let members = [(1, leader), (2, config().key)];
    let mut answer = response(&members, Position::default());
    answer.lost = lost;
    rig.receive(link, Message::JoinResponse(answer));
    rig.receive(link, Message::SyncAnswer(rig.answer()));
    assert!(rig.node.is_joined());
    rig.say(1);
    rig.say(1);
    let (_, mut sent) = rig.greet(hello(BEN, None));
    let comes = view(3, &[(1, leader), (4, BEN)]).members.remove(1);
    sent.extend(rig.receive(link, step(leader, UpdateKind::Joined, comes)));
    let froms = sent.iter().filter_map(|m| match m {
        Message::Stable(stable) => stable.from,
        _ => None,
    });
    froms.max()
}

#[test]
fn a_newcomer_tells_who_was_lost_before_it_came_that_it_owes_all_of_its_lines() {
    assert_eq!(owed_by_who_comes(vec![Key(8), BEN], None), Some(1));
    assert_eq!(owed_by_who_comes(vec![Key(8)], None), Some(3));
    let weakened = Some(Weakness::NewcomersAreOld);
    assert_eq!(owed_by_who_comes(vec![BEN], weakened), Some(3));
}

#[test]
fn the_words_of_ever_new_strangers_are_not_kept() {
    let mut rig = Rig::new();
    let ben = rig.meet(BEN);
    rig.admit(ben, BEN);
    let stable = Stable {
        from: Some(7),
        said: 6,
        stable: 6,
    };
    for stranger in 100..100 + STRANGERS {
        rig.receive(ben, relay(stranger, None, Some(stable)));
    }
    assert!(rig.node.talk.history.authors() <= limits::ORIGINS_IDLE_MAX + 2);
    assert!(rig.node.talk.past.words() <= 2 * limits::ORIGINS_IDLE_MAX + 2);
}

#[test]
fn the_confirmations_of_strangers_are_not_kept() {
    let mut rig = Rig::new();
    let ben = rig.meet(BEN);
    rig.admit(ben, BEN);
    rig.say(1);
    let ack = Ack {
        from: 1,
        seq: 1,
        missed: Vec::new(),
    };
    for stranger in 100..200 {
        rig.receive(ben, relay(stranger, Some(ack.clone()), None));
    }
    assert_eq!(rig.node.talk.delivery.confirmers(), 0);
    rig.receive(ben, Message::Ack(ack));
    let is_delivered = |event: &Event| matches!(event, Event::Delivered { confirmed: 1, .. });
    assert!(rig.shown.iter().any(is_delivered), "{:?}", rig.shown);
}

/// It may have heard nothing from here since it was in the view, and would take what was said then for old.
#[test]
fn one_that_was_lost_is_told_what_it_owed_once_it_is_linked_again() {
    let from_of = |sent: Vec<Message>| {
        sent.into_iter().find_map(|message| match message {
            Message::Stable(stable) => stable.from,
            _ => None,
        })
    };
    let mut rig = Rig::new();
    rig.say(2);
    let ben = rig.meet(BEN);
    rig.admit(ben, BEN);
    rig.say(1);
    for _ in 0..100 {
        rig.fire(Timer::Tick);
    }
    let is_lost = |event: &Event| matches!(event, Event::MemberLeft(..));
    assert!(rig.shown.iter().any(is_lost), "{:?}", rig.shown);
    let mut again = hello(BEN, None);
    again.round = 1;
    let link = rig.node.new_link();
    let from = address(50_001).0;
    rig.turn(vec![Input::Accepted { link, from }]);
    assert_eq!(from_of(rig.receive(link, Message::Hello(again))), Some(3));
    // To whoever was never in the view nothing is owed.
    let link = rig.node.new_link();
    rig.turn(vec![Input::Accepted { link, from }]);
    let stranger = Message::Hello(hello(Key(20), None));
    assert_eq!(from_of(rig.receive(link, stranger)), None);
}

/// Members are carried what is due to them once others bring the author's word: it hears nothing on the link.
#[test]
fn what_was_confirmed_in_vain_is_carried_once_others_bring_the_word_of_its_author() {
    assert_eq!(carried(None), (false, true));
    let weakened = Some(Weakness::RelaysAreNoSign);
    assert_eq!(carried(weakened), (false, false));
}

/// If others are given a confirmation to carry to a member that is watched by others: before they bring its
/// word, and after that.
fn carried(weakened: Option<Weakness>) -> (bool, bool) {
    let mut own = config();
    own.weakened = weakened;
    let leader = Key(3);
    let mut rig = Rig::seeking(own);
    let link = rig.meet_as(hello(leader, Some(office(1, leader))));
    let far = BEN;
    let keys = [leader, config().key, Key(7), Key(8), far, Key(11)];
    let members: Vec<_> = (1..).zip(keys).collect();
    let answer = response(&members, Position::default());
    rig.receive(link, Message::JoinResponse(answer));
    rig.receive(link, Message::SyncAnswer(rig.answer()));
    assert!(rig.node.is_joined());
    let from = rig.meet(far);
    let sent = rig.receive(from, chat(far, 1, &[]));
    let is_ack = |m: &Message| matches!(m, Message::Ack(_));
    assert!(sent.iter().any(is_ack), "{sent:?}");
    // It was sent before the confirmation came, which gets lost.
    let word = Stable {
        from: None,
        said: 1,
        stable: 0,
    };
    rig.receive(from, Message::Stable(word));
    let before = looks(&mut rig, link, far);
    rig.receive(link, relay(far.0, None, Some(word)));
    (before, looks(&mut rig, link, far))
}

/// Some looks at the links, of which that with a carrier is alive: if a confirmation to this member is carried.
fn looks(rig: &mut Rig, carrier: LinkId, to: Key) -> bool {
    let mut is_carried = false;
    for _ in 0..16 {
        rig.receive(carrier, Message::Pong { coordinator: None });
        for message in rig.fire(Timer::Tick) {
            is_carried |= matches!(message, Message::Relay(r) if r.to == to && r.ack.is_some());
        }
    }
    is_carried
}

/// Two members are told a line each but the last; one of them is lost to the view, which lives on its link. How many
/// lines are kept, of a history of four, once the other one has confirmed all: at once, and after that one had time to
/// come back.
fn kept_for_who_returns(weakened: Option<Weakness>) -> [usize; 2] {
    let mut own = config();
    own.weakened = weakened;
    own.history_max = 4;
    let leader = Key(3);
    let mut rig = Rig::seeking(own);
    let link = rig.meet_as(hello(leader, Some(office(1, leader))));
    let members = [(1, leader), (2, config().key), (3, BEN)];
    let answer = response(&members, Position::default());
    rig.receive(link, Message::JoinResponse(answer));
    rig.receive(link, Message::SyncAnswer(rig.answer()));
    let ben = rig.meet(BEN);
    while !rig.node.is_joined() {
        rig.receive(link, Message::Ping { coordinator: None });
        rig.fire(Timer::Tick);
    }
    rig.say(8);
    let lost = view(3, &members).members.remove(2);
    rig.receive(link, step(leader, UpdateKind::Lost, lost));
    let ack = Ack {
        from: 1,
        seq: 8,
        missed: Vec::new(),
    };
    rig.receive(link, Message::Ack(ack));
    let at_once = rig.node.history().len();
    for _ in 0..20 {
        rig.receive(link, Message::Ping { coordinator: None });
        rig.receive(ben, Message::Ping { coordinator: None });
        rig.fire(Timer::Tick);
    }
    [at_once, rig.node.history().len()]
}

#[test]
fn what_one_lacks_that_is_lost_for_a_moment_and_linked_is_kept_for_it() {
    assert_eq!(kept_for_who_returns(None), [8, 4]);
    let weakened = Some(Weakness::ReturningAreGone);
    assert_eq!(kept_for_who_returns(weakened), [4, 4]);
}
