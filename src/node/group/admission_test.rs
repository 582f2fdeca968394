//! Who asks a coordinator is let in.

use crate::node::Input;
use crate::node::rig::{Rig, address, hello, request};
use crate::wire::{Datagram, Key, Message};

const BEN: Key = Key(9);

#[test]
fn whoever_asks_by_multicast_is_let_in_on_the_link_that_the_coordinator_dials() {
    let mut rig = Rig::new();
    let from = address(6_000).0;
    let datagram = Datagram::JoinRequest(request(BEN));
    rig.turn(vec![Input::Datagram { from, datagram }]);
    let dials = rig.dials();
    let [(link, to)] = dials[..] else {
        panic!("no dial but {dials:?}");
    };
    assert_eq!(to, address(4_001).0, "where its sender listens");
    rig.turn(vec![Input::Connected { link }]);
    let sent = rig.receive(link, Message::Hello(hello(BEN, None)));
    let is_answer = |m: &Message| matches!(m, Message::JoinResponse(_));
    assert!(sent.iter().any(is_answer), "without another question");
}
