//! Whoever cannot reach the coordinator, and the members in between.

use super::*;
use crate::node::rig::{Rig, address, config, hello, office, request, response};
use crate::node::{Input, Timer};
use crate::wire::{Datagram, Position};

const LEADER: Key = Key(9);
const BEN: Key = Key(10);

#[test]
fn a_question_that_was_asked_in_vain_goes_to_a_neighbour_each_time() {
    let mut rig = Rig::seeking(config());
    let leader = office(1, LEADER);
    let ben = rig.meet_as(hello(BEN, Some(leader.clone())));
    let mut asked = Vec::new();
    for _ in 0..6 {
        let coordinator = Some(leader.clone());
        rig.receive(ben, Message::Ping { coordinator });
        let sent = rig.fire(Timer::Join);
        asked.push(sent.iter().any(|m| matches!(m, Message::JoinRequest(_))));
    }
    assert_eq!(asked, [false, false, true, true, true, true]);
}

#[test]
fn only_a_peer_that_names_the_coordinator_may_bring_its_answer() {
    let mut rig = Rig::seeking(config());
    let datagram = Datagram::Heartbeat {
        room: "lobby".to_string(),
        coordinator: office(1, LEADER),
        members: 1,
        nick: None,
    };
    let from = address(6_000).0;
    rig.turn(vec![Input::Datagram { from, datagram }]);
    let ben = rig.meet(BEN);
    let answer = response(&[(1, LEADER), (2, config().key)], Position::default());
    let answer = Message::JoinResponse(answer);
    rig.receive(ben, answer.clone());
    assert_eq!(rig.node.id(), None);
    let coordinator = Some(office(1, LEADER));
    rig.receive(ben, Message::Ping { coordinator });
    rig.receive(ben, answer);
    assert_eq!(rig.node.id(), Some(2));
}

#[test]
fn about_three_members_of_a_room_offer_a_link_to_whoever_asks_in_vain() {
    let (mut rig, _) = Rig::member_among(&[(1, LEADER), (2, Key(5)), (3, BEN), (4, Key(11))]);
    rig.done.clear();
    for n in 0..400 {
        let mut request = request(Key(1_000 + n));
        request.attempt = IN_VAIN + 1;
        let datagram = Datagram::JoinRequest(request);
        let from = address(6_000).0;
        rig.turn(vec![Input::Datagram { from, datagram }]);
    }
    // Each of the four with a chance of three in four.
    let offers = rig.dials().len();
    assert!((260..340).contains(&offers), "{offers}");
}
