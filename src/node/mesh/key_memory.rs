//! Keys that are remembered for a while: whose process ended, who has left.
//!
//! Owns so many keys at most and when each was noted; the oldest is forgotten for a new one. What it means to
//! be remembered is not known here.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::Time;
use crate::limits;
use crate::wire::Key;

/// The newest keys of a kind; the oldest are forgotten beyond `GONE_MAX`.
#[derive(Debug, Default)]
pub(super) struct KeyMemory {
    keys: BTreeSet<Key>,
    order: VecDeque<(Key, Time)>,
}

impl KeyMemory {
    pub(super) fn insert(&mut self, key: Key, now: Time) {
        if self.keys.insert(key) {
            self.order.push_back((key, now));
            if self.order.len() > limits::GONE_MAX {
                self.forget_oldest();
            }
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((oldest, _)) = self.order.pop_front() {
            self.keys.remove(&oldest);
        }
    }

    /// Forgets the keys that came in earlier than this long ago.
    pub(super) fn forget_older(&mut self, now: Time, age: Duration) {
        while self
            .order
            .front()
            .is_some_and(|(_, at)| now.since(*at) > age)
        {
            self.forget_oldest();
        }
    }

    pub(super) fn remove(&mut self, key: Key) {
        if self.keys.remove(&key) {
            self.order.retain(|(k, _)| *k != key);
        }
    }

    /// When this key came in.
    pub(super) fn since(&self, key: Key) -> Option<Time> {
        if !self.keys.contains(&key) {
            return None;
        }
        self.order
            .iter()
            .find(|(k, _)| *k == key)
            .map(|(_, at)| *at)
    }

    pub(super) fn contains(&self, key: Key) -> bool {
        self.keys.contains(&key)
    }
}

#[cfg(test)]
#[path = "key_memory_test.rs"]
mod tests;
