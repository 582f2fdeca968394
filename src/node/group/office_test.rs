//! What others rely on a coordinator for.

use crate::node::Input;
use crate::node::rig::{Rig, address};
use crate::wire::{Key, Message, PeerUpdate};

const BEN: Key = Key(9);

#[test]
fn members_are_told_when_the_coordinators_own_addresses_change() {
    let mut rig = Rig::new();
    let ben = rig.meet(BEN);
    rig.admit(ben, BEN);
    let sent = rig.turn(vec![Input::Addresses(vec![address(4_010)])]);
    let tells = |m: &Message| {
        let Message::PeerUpdate(PeerUpdate { members, .. }) = m else {
            return false;
        };
        members[0].addresses == [address(4_010)]
    };
    assert!(sent.iter().any(tells), "{sent:?}");
}
