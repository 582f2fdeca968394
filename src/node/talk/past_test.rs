//! Authors of whom nobody knows whether what they wrote is old.

use crate::node::Timer;
use crate::node::rig::{Rig, chat};
use crate::wire::{Key, MessageId};

const BEN: Key = Key(9);
const STRANGER: Key = Key(20);

#[test]
fn the_word_of_an_author_that_stays_away_is_waited_for_once() {
    let mut rig = Rig::new();
    let ben = rig.meet(BEN);
    rig.admit(ben, BEN);
    let id = |seq| MessageId {
        origin: STRANGER,
        seq,
    };
    rig.pass_on(BEN, chat(STRANGER, 1, &[]));
    assert_eq!(rig.read(), []);
    rig.pass(rig.node.cx.config.failure_timeout / 2);
    rig.fire(Timer::Tick);
    assert_eq!(rig.read(), [id(1)]);
    rig.pass_on(BEN, chat(STRANGER, 2, &[]));
    assert_eq!(rig.read(), [id(2)]);
}
