//! The protocol core.
mod api;
pub use api::*;

use crate::wire::{ChatMessage, Claim, Id, Key, Member};
use std::rc::Rc;

/// One node's whole protocol state.
#[derive(Debug)]
pub struct Node {
    config: Config,
    members: Vec<Member>,
    history: History,
    links: u64,
}

/// The messages held.
#[derive(Debug, Default)]
pub struct History;

#[allow(missing_docs, clippy::unused_self)]
impl History {
    pub fn len(&self) -> usize {
        0
    }
    pub fn is_empty(&self) -> bool {
        true
    }
    /// The same on every node that holds the same messages.
    pub fn digest(&self) -> u64 {
        0
    }
    /// All messages in the total order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Rc<ChatMessage>> {
        std::iter::empty()
    }
}

#[allow(missing_docs, clippy::unused_self)]
impl Node {
    pub fn new(config: Config, _rng: fastrand::Rng) -> Node {
        Node {
            config,
            members: Vec::new(),
            history: History,
            links: 0,
        }
    }
    /// Once, before any input.
    pub fn start(&mut self, _now: Now, _out: &mut Outbox) {}
    /// Takes one input in; effects are left in `out`, to be carried out in their order.
    pub fn handle(&mut self, _now: Now, _input: Input, _out: &mut Outbox) {}
    /// Once at the end of each turn of the loop: sends what the turn gathered (own lines in one
    /// frame, one ACK per author).
    pub fn end_turn(&mut self, _now: Now, _out: &mut Outbox) {}
    /// The number for a link that was accepted.
    pub fn new_link(&mut self) -> LinkId {
        self.links += 1;
        LinkId(self.links)
    }
    /// False until joined, and while own lines pile up: stdin is not read then.
    pub fn wants_lines(&self) -> bool {
        false
    }
    /// Own messages that are not yet delivered.
    pub fn undelivered(&self) -> u64 {
        0
    }
    /// True between the first `Joined` and leaving.
    pub fn is_joined(&self) -> bool {
        false
    }
    pub fn key(&self) -> Key {
        self.config.key
    }
    pub fn id(&self) -> Option<Id> {
        None
    }
    pub fn nick(&self) -> &str {
        &self.config.nick
    }
    /// The coordinator, oneself perhaps.
    pub fn coordinator(&self) -> Option<Claim> {
        None
    }
    /// The view in the order of ids, oneself included; empty before joining.
    pub fn members(&self) -> &[Member] {
        &self.members
    }
    pub fn history(&self) -> &History {
        &self.history
    }
    /// Named counts for /status and the status event: (name, value).
    pub fn counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}
