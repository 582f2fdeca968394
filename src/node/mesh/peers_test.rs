//! A peer that the user named, and nobody there.

use crate::node::rig::{Rig, address, config};
use crate::node::{Closed, Event, Input, Peer, Timer};

/// The next dial, while timers fire; every dial is refused.
fn next_dial(rig: &mut Rig, timer: Timer) -> u16 {
    loop {
        if let Some((link, to)) = rig.dials().pop() {
            let why = Closed::Refused;
            rig.turn(vec![Input::Closed { link, why }]);
            return to.port();
        }
        rig.fire(timer);
    }
}

#[test]
fn a_named_peer_is_dialled_at_each_of_its_addresses_in_turn_and_the_user_is_told() {
    let mut config = config();
    config.peers = vec![Peer {
        name: "ben.local".to_string(),
        addresses: vec![address(7_001).0, address(7_002).0],
    }];
    let mut rig = Rig::seeking(config);
    let mut dialled = vec![next_dial(&mut rig, Timer::Join)];
    while !rig.node.is_joined() {
        rig.fire(Timer::Join);
    }
    let is_told = |e: &Event| {
        let Event::Warning(text) = e else {
            return false;
        };
        text.starts_with("--peer ben.local: connection refused")
    };
    assert!(rig.shown.iter().any(is_told), "{:?}", rig.shown);
    // Also in the room: it may start later.
    for _ in 0..2 {
        dialled.push(next_dial(&mut rig, Timer::Tick));
    }
    assert_eq!(dialled, [7_001, 7_002, 7_001]);
}
