//! What a process holds in the end, in its memory and in its store, for the check that all agree.
//!
//! Owns nothing: it reads a node through its public getters, and a store as it is.

use papo::wire::ChatMessage;

use super::agenda::RunId;
use super::checks::convergence::Held;
use super::process::Process;
use super::store::Store;

/// What a process holds; which of its own messages are not delivered yet is not said here.
pub fn held(run: RunId, process: &Process, stores: &[Store]) -> Held {
    let node = &process.node;
    let mut history: Vec<ChatMessage> = node.history().iter().cloned().collect();
    if let Some(store) = stores.get(process.host).filter(|_| process.stores) {
        let newer = history.first().map(|m| m.position());
        let is_older = |m: &&ChatMessage| newer.is_none_or(|newer| m.position() < newer);
        let stored = store.iter().filter(is_older);
        let held = stored.filter(|m| node.history().contains(m.id()));
        history = held.cloned().chain(history).collect();
    }
    Held {
        run,
        key: process.key,
        id: node.id(),
        nick: node.nick().to_string(),
        joined: node.is_joined(),
        coordinator: node.coordinator(),
        members: node.members().to_vec(),
        peers: node.peers().collect(),
        floor: node.history().floor(),
        history,
        outstanding: None,
    }
}
