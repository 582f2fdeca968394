//! When a SYNC is due.

use super::*;
use crate::node::rig::{Rig, chat};
use crate::wire::Chunk;

const ANA: Key = Key(9);

#[test]
fn while_chat_pours_in_every_third_round_is_a_sync() {
    let mut rig = Rig::new();
    let ana = rig.meet(ANA);
    rig.admit(ana, ANA);
    let mut asked = Vec::new();
    for seq in 1..=6 {
        rig.pass(timing::SYNC_ROUND);
        rig.receive(ana, chat(ANA, seq, &[]));
        let sent = rig.turn(vec![crate::node::Input::Timer(Timer::SyncRound)]);
        let sync = sent.iter().find_map(|m| match m {
            Message::Sync(sync) => Some(sync.no),
            _ => None,
        });
        asked.push(sync.is_some());
        if sync.is_some() {
            rig.receive(ana, Message::SyncAnswer(rig.answer()));
        }
    }
    assert_eq!(asked, [false, false, true, false, false, true]);
}

#[test]
fn what_somebody_invents_in_this_nodes_name_is_not_taken_from_a_chunk() {
    let mut rig = Rig::new();
    let ana = rig.meet(ANA);
    rig.admit(ana, ANA);
    let me = rig.node.key();
    rig.receive(ana, Message::Ping { coordinator: None });
    rig.turn(vec![crate::node::Input::Timer(Timer::SyncRound)]);
    let mut answer = rig.answer();
    answer.equal = false;
    let sent = rig.receive(ana, Message::SyncAnswer(answer));
    let [Message::Fetch(fetch)] = &sent[..] else {
        panic!("no FETCH but {sent:?}");
    };
    let mut messages = Vec::new();
    for message in [chat(ANA, 1, &[]), chat(me, 1, &[]), chat(ANA, 2, &[])] {
        if let Message::Chat(chat) = message {
            messages.extend(chat);
        }
    }
    let (no, next) = (fetch.no, None);
    rig.receive(ana, Message::Chunk(Chunk { no, next, messages }));
    let history = rig.node.history();
    assert_eq!((history.highest(ANA), history.highest(me)), (2, 0));
}
