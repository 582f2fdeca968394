//! What the user's side reads of the node, as a trait, so that tests can stand in for the node
//! with plain data.
//!
//! This module owns no state, and never changes a node.

use std::net::SocketAddr;

use crate::node::{Node, Time};
use crate::wire::{ChatMessage, Claim, Id, Key, Member};

/// The room as this node knows it.
pub trait RoomState {
    /// True between the first `Joined` and leaving.
    fn is_joined(&self) -> bool;
    /// False until joined, and while own lines pile up.
    fn wants_lines(&self) -> bool;
    /// This node's identity.
    fn key(&self) -> Key;
    /// This node's id, once it has one.
    fn id(&self) -> Option<Id>;
    /// The coordinator, oneself perhaps.
    fn coordinator(&self) -> Option<Claim>;
    /// The view in the order of ids, oneself included; empty before joining.
    fn members(&self) -> &[Member];
    /// Who was in the view before and is about to be let in again.
    fn awaited(&self) -> Vec<&Member> {
        Vec::new()
    }
    /// Where the other end of the link with this member is, and since when there is one.
    fn link(&self, _key: Key) -> Option<(SocketAddr, Time)> {
        None
    }
    /// How many messages were said that not everybody has confirmed, and who has not.
    fn unconfirmed(&self) -> (u64, Vec<Member>) {
        (0, Vec::new())
    }
    /// How many messages are held.
    fn history_len(&self) -> usize;
    /// How many messages will be held once the history is complete, while it comes.
    fn history_expected(&self) -> Option<u64> {
        None
    }
    /// The same on every node that holds the same messages.
    fn digest(&self) -> u64;
    /// The newest `count` messages, in the history's order.
    fn newest(&self, count: usize) -> Vec<ChatMessage>;
    /// The newest message that fits.
    fn newest_that(&self, fits: &dyn Fn(&ChatMessage) -> bool) -> Option<ChatMessage>;
    /// The newest `count` of those that were said before this node was in the room.
    fn old(&self, count: usize) -> Vec<ChatMessage>;
    /// Named counts for `/status`.
    fn counters(&self) -> Vec<(&'static str, u64)>;
}

impl RoomState for Node {
    fn is_joined(&self) -> bool {
        Node::is_joined(self)
    }

    fn wants_lines(&self) -> bool {
        Node::wants_lines(self)
    }

    fn key(&self) -> Key {
        Node::key(self)
    }

    fn id(&self) -> Option<Id> {
        Node::id(self)
    }

    fn coordinator(&self) -> Option<Claim> {
        Node::coordinator(self)
    }

    fn members(&self) -> &[Member] {
        Node::members(self)
    }

    fn awaited(&self) -> Vec<&Member> {
        Node::awaited(self).collect()
    }

    fn link(&self, key: Key) -> Option<(SocketAddr, Time)> {
        Node::link(self, key)
    }

    fn unconfirmed(&self) -> (u64, Vec<Member>) {
        Node::unconfirmed(self)
    }

    fn history_len(&self) -> usize {
        self.history().len()
    }

    fn digest(&self) -> u64 {
        self.history().digest().short()
    }

    fn newest(&self, count: usize) -> Vec<ChatMessage> {
        let newest = self.history().iter().rev().take(count);
        let mut newest: Vec<_> = newest.cloned().collect();
        newest.reverse();
        newest
    }

    fn newest_that(&self, fits: &dyn Fn(&ChatMessage) -> bool) -> Option<ChatMessage> {
        self.history().iter().rev().find(|m| fits(m)).cloned()
    }

    fn old(&self, count: usize) -> Vec<ChatMessage> {
        Node::old(self, count)
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        Node::counters(self)
    }
}

/// Who is in the room when this node has joined, as the events say it: the view and who is awaited, in the
/// order of ids. Nothing more will be said of who is awaited and comes back.
pub(super) fn everybody(room: &dyn RoomState) -> Vec<&Member> {
    let mut all: Vec<&Member> = room.members().iter().collect();
    for member in room.awaited() {
        // Whose id is another one's now comes back with a new one, and is told of then.
        if let Err(at) = all.binary_search_by_key(&member.id, |m| m.id) {
            all.insert(at, member);
        }
    }
    all
}
