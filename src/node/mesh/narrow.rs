//! Paths on which large packets vanish: to whom links go in small segments.
//!
//! Owns what shows such a path. Small packets pass, so that a link opens and HELLO is exchanged; with the
//! first large packet everything behind it waits for ever. Who waits hears nothing more and dials again; the
//! next link opens at once, and the same happens to it. A path that was cut shows otherwise: nothing opens on
//! it for a while, and then links stay.

use std::collections::{BTreeMap, BTreeSet};

use super::{Key, Time};
use crate::timing;

/// So many silences of one peer's links in a row, all but the first of them early, are no chance.
const SILENCES: u32 = 2;
/// Nor are so many times in ten seconds that some peer's link was silent and the next one opened at once.
/// What happens to several at a time happens once.
const RETURNS: usize = 2;

/// What is known of paths on which large packets vanish.
#[derive(Debug, Default)]
pub(super) struct Narrow {
    /// The silences in a row of each peer's links.
    silences: BTreeMap<Key, u32>,
    /// When a peer with a silent link was linked again at once, the newest last.
    returns: Vec<Time>,
    /// Links with these go in small segments.
    keys: BTreeSet<Key>,
    /// The user was told of one: what helps is the same for all.
    is_told: bool,
}

impl Narrow {
    /// Links with this peer go in small segments.
    pub(super) fn is_narrow(&self, key: Key) -> bool {
        self.keys.contains(&key)
    }

    /// Nothing is kept of this peer's links.
    pub(super) fn forget(&mut self, key: Key) {
        self.silences.remove(&key);
        self.keys.remove(&key);
    }

    /// A link opened at once in the place of a silent one.
    pub(super) fn note_return(&mut self, now: Time) {
        self.returns
            .retain(|at| now.since(*at) < timing::RETURNS_REMEMBERED);
        if self
            .returns
            .last()
            .is_none_or(|at| now.since(*at) >= timing::LINKED_AT_ONCE)
        {
            self.returns.push(now);
        }
    }

    /// A link with this peer has fallen silent, soon after it was opened or not. True if this shows for the
    /// first time that large packets vanish on the way to somebody.
    pub(super) fn note_silence(&mut self, now: Time, key: Key, is_early: bool) -> bool {
        let silences = self.silences.entry(key).or_default();
        *silences = if is_early { *silences + 1 } else { 1 };
        let is_repeated = *silences >= SILENCES;
        let recent = |at: &&Time| {
            let ago = now.since(**at);
            ago >= timing::LINKED_AT_ONCE && ago < timing::RETURNS_REMEMBERED
        };
        if !is_repeated && self.returns.iter().filter(recent).count() < RETURNS {
            return false;
        }
        self.keys.insert(key);
        !std::mem::replace(&mut self.is_told, true)
    }
}
