//! Keys that are remembered for a while: whose process ended, who has left.

use std::collections::{BTreeSet, VecDeque};

use crate::limits;
use crate::wire::Key;

/// The newest keys of a kind; the oldest are forgotten beyond `GONE_MAX`.
#[derive(Debug, Default)]
pub(super) struct KeyMemory {
    keys: BTreeSet<Key>,
    order: VecDeque<Key>,
}

impl KeyMemory {
    pub(super) fn insert(&mut self, key: Key) {
        if self.keys.insert(key) {
            self.order.push_back(key);
            if self.order.len() > limits::GONE_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.keys.remove(&oldest);
            }
        }
    }

    pub(super) fn remove(&mut self, key: Key) {
        if self.keys.remove(&key) {
            self.order.retain(|k| *k != key);
        }
    }

    pub(super) fn contains(&self, key: Key) -> bool {
        self.keys.contains(&key)
    }
}
