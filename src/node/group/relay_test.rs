//! Whoever cannot reach the coordinator, and the members in between.

use super::*;
use crate::node::rig::{Rig, address, config, hello, office, request, response};
use crate::node::{Input, Timer};
use crate::wire::{Datagram, Position};

const LEADER: Key = Key(9);
const BEN: Key = Key(10);

/// What this writer asks the node of a rig by way of others.
fn carried(writer: Key, turn: u64, nick: &str) -> Relay {
    let fields = JoinRequest {
        nick: nick.to_string(),
        ..request(writer)
    };
    Relay {
        from: writer,
        to: config().key,
        ack: None,
        stable: None,
        request: Some(Box::new(CarriedRequest { turn, fields })),
        seal: None,
    }
}

/// A coordinator with a member, and the member's link.
fn coordinator_with(member: Key, weakened: Option<Weakness>) -> (Rig, LinkId) {
    let mut rig = Rig::new();
    rig.node.cx.config.weakened = weakened;
    let link = rig.meet(member);
    rig.admit(link, member);
    (rig, link)
}

fn nick_of(rig: &Rig, key: Key) -> Option<String> {
    let members = rig.node.members();
    let member = members.iter().find(|m| m.key == key)?;
    Some(member.nick.clone())
}

#[test]
fn nobody_asks_for_somebody_else() {
    let nick_after = |weakness| {
        let (mut rig, eva) = coordinator_with(Key(66), weakness);
        let ben = rig.meet(BEN);
        rig.admit(ben, BEN);
        let forged = JoinRequest {
            nick: "fool".to_string(),
            attempt: IN_VAIN,
            ..request(BEN)
        };
        rig.receive(eva, Message::JoinRequest(forged));
        nick_of(&rig, BEN)
    };
    assert_eq!(nick_after(None).as_deref(), Some("ben"));
    let unprotected = nick_after(Some(Weakness::AnybodyAsksForOthers));
    assert_eq!(unprotected.as_deref(), Some("fool"));
}

/// Its carrier could bring it again when its writer has another nick, or has gone.
#[test]
fn what_somebody_asked_by_way_of_others_counts_once() {
    let nick_after_old_one = |weakness: Option<Weakness>| {
        let (mut rig, eva) = coordinator_with(Key(66), weakness);
        let mut is_answered = |turn, nick| {
            let sent = rig.receive(eva, Message::Relay(carried(BEN, turn, nick)));
            sent.iter().any(|m| matches!(m, Message::JoinResponse(_)))
        };
        assert!(is_answered(1, "ben") && is_answered(2, "benny"));
        assert_eq!(is_answered(1, "ben"), weakness.is_some());
        nick_of(&rig, BEN)
    };
    assert_eq!(nick_after_old_one(None).as_deref(), Some("benny"));
    let unprotected = nick_after_old_one(Some(Weakness::OldQuestionsCount));
    assert_eq!(unprotected.as_deref(), Some("ben"));
}

#[test]
fn a_member_carries_its_neighbours_own_question_to_its_own_coordinator_only() {
    let (mut rig, _) = Rig::member_among(&[(1, LEADER), (2, config().key)]);
    let ben = rig.meet(BEN);
    let mut is_passed_on = |writer: Key, to: Key| {
        let relay = Relay {
            to,
            ..carried(writer, 1, "ben")
        };
        let message = Message::Relay(relay);
        rig.receive(ben, message.clone()).contains(&message)
    };
    assert!(is_passed_on(BEN, LEADER));
    assert!(!is_passed_on(Key(11), LEADER), "it is of somebody else");
    assert!(!is_passed_on(BEN, Key(5)), "it is for somebody else");
}

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
        asked.push(sent.iter().any(|m| matches!(m, Message::Relay(_))));
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
