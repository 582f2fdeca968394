//! From whom a node that is let in fetches the history.

use crate::node::rig::{Rig, config, hello, office, response};
use crate::node::{Event, Input, Timer};
use crate::wire::{Key, Message, MessageId, Position};

const LEADER: Key = Key(9);
const BEN: Key = Key(10);

fn asks(sent: &[Message]) -> bool {
    sent.iter().any(|m| matches!(m, Message::Sync(_)))
}

#[test]
fn who_has_not_the_whole_history_is_not_asked_while_somebody_with_more_may_come() {
    let mut rig = Rig::seeking(config());
    let leader = rig.meet_as(hello(LEADER, Some(office(1, LEADER))));
    let members = [(1, LEADER), (2, config().key), (3, BEN)];
    let floor = Position {
        timestamp: 1_000,
        ..Position::default()
    };
    let sent = rig.receive(leader, Message::JoinResponse(response(&members, floor)));
    assert!(!asks(&sent));
    rig.pass(rig.node.cx.config.failure_timeout);
    rig.receive(leader, Message::Ping { coordinator: None });
    let sent = rig.turn(vec![Input::Timer(Timer::Tick)]);
    assert!(asks(&sent), "nobody came");
}

#[test]
fn who_is_let_in_anew_has_joined_again_once_the_host_has_compared_histories_with_it() {
    let mut rig = Rig::new();
    let leader = rig.meet(LEADER);
    let coordinator = Some(office(7, LEADER));
    let sent = rig.receive(leader, Message::Ping { coordinator });
    assert!(sent.iter().any(|m| matches!(m, Message::JoinRequest(_))));
    let members = [(7, LEADER), (1, config().key)];
    let answer = response(&members, Position::default());
    let sent = rig.receive(leader, Message::JoinResponse(answer));
    assert!(asks(&sent), "{sent:?}");
    let again = Event::Joined { again: true };
    assert!(!rig.shown.contains(&again));
    rig.receive(leader, Message::SyncAnswer(rig.answer()));
    assert!(rig.shown.contains(&again), "{:?}", rig.shown);
}

#[test]
fn what_is_said_while_a_node_joins_is_shown_once_it_has() {
    let (mut rig, leader) = Rig::member_of(LEADER);
    rig.receive(leader, crate::node::rig::stable(2));
    for seq in 1..=3 {
        rig.receive(leader, crate::node::rig::chat(LEADER, seq, &[]));
    }
    assert_eq!(rig.read(), []);
    rig.receive(leader, Message::SyncAnswer(rig.answer()));
    assert!(rig.node.is_joined());
    let id = |seq| MessageId {
        origin: LEADER,
        seq,
    };
    assert_eq!(rig.read(), [id(2), id(3)], "not what was said before");
}
