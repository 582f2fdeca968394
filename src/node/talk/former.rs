//! Who was lost from this node's group, and may come back.
//!
//! Owns their list, in a limit, and what a newcomer wrote first after them. A newcomer is told of them, so that
//! whoever comes back misses nothing of what it said meanwhile. It never decides who is lost.

use std::collections::VecDeque;

use crate::limits::FORMER_MEMBERS_MAX;
use crate::wire::Key;

/// Former members, the one that was lost first comes first.
#[derive(Debug, Default)]
pub(super) struct Former {
    /// Each with the first message that this node wrote once it had been told of it; none if this node was there.
    lost: VecDeque<(Key, Option<u64>)>,
}

impl Former {
    /// A member is lost. Who makes room for it in the list is forgotten.
    pub(super) fn lose(&mut self, key: Key) -> Option<Key> {
        self.remember(key, None)
    }

    /// This one was lost before this node came; the next message that this node writes is this one. Who makes room for
    /// it in the list is forgotten.
    pub(super) fn hear_of(&mut self, key: Key, next: u64) -> Option<Key> {
        if self.lost.iter().any(|(known, _)| *known == key) {
            return None;
        }
        self.remember(key, Some(next))
    }

    fn remember(&mut self, key: Key, from: Option<u64>) -> Option<Key> {
        self.lost.retain(|(known, _)| *known != key);
        let is_full = self.lost.len() == FORMER_MEMBERS_MAX;
        let forgotten = is_full.then(|| self.lost.pop_front()).flatten();
        self.lost.push_back((key, from));
        forgotten.map(|(key, _)| key)
    }

    /// This one is back. The first message that it owes to this node, if that came while it was away.
    pub(super) fn find(&mut self, key: Key) -> Option<u64> {
        let at = self.lost.iter().position(|(known, _)| *known == key)?;
        self.lost.remove(at)?.1
    }

    /// The first message that one owes to this node that is not back yet, if this node came while it was away.
    pub(super) fn owed_from(&self, key: Key) -> Option<u64> {
        let mut lost = self.lost.iter();
        lost.find(|(known, _)| *known == key)?.1
    }

    /// All of them.
    pub(super) fn keys(&self) -> Vec<Key> {
        self.lost.iter().map(|(key, _)| *key).collect()
    }
}

#[cfg(test)]
#[path = "former_test.rs"]
mod tests;
