//! What a member brings of others: bounded, however many they are.

use super::*;
use crate::node::Event;
use crate::node::rig::Rig;

const BEN: Key = Key(9);
const STRANGERS: u64 = 3 * limits::ORIGINS_IDLE_MAX as u64;

fn relay(from: u64, ack: Option<Ack>, stable: Option<Stable>) -> Message {
    Message::Relay(Relay {
        from: Key(from),
        to: Key(5),
        ack,
        stable,
        seal: None,
    })
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
    assert!(rig.node.talk.past.words() <= limits::ORIGINS_IDLE_MAX + 2);
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
