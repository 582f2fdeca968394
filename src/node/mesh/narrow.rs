//! Paths on which large packets vanish: to whom links go in small segments.
//!
//! Owns what shows such a path. Small packets pass, so that a link opens and HELLO is exchanged; with the
//! first large packet everything behind it waits for ever. Who waits hears nothing more and dials again; the
//! next link opens at once, and the same happens to it. A path that was cut shows otherwise: nothing opens on
//! it for a while, and then links stay.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, Key, Link, Mesh, News, Time, Weakness};
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

    fn note_return(&mut self, now: Time) {
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
}

impl Mesh {
    /// There is to be another link with this peer: if the one that there is has fallen silent, that counts.
    pub(super) fn note_silence(&mut self, cx: &Context, key: Key) {
        if self.is_alive(cx, key) || cx.is_weakened(Weakness::NoSmallSegments) {
            return;
        }
        let Some(link) = self.links.to_mut(key) else {
            return;
        };
        if !link.count_silence() {
            return;
        }
        let is_early = link.heard.since(link.opened) < timing::SILENT_EARLY;
        let narrow = &mut self.narrow;
        let silences = narrow.silences.entry(key).or_default();
        *silences = if is_early { *silences + 1 } else { 1 };
        let is_repeated = *silences >= SILENCES;
        let recent = |at: &&Time| {
            let ago = cx.since(**at);
            ago >= timing::LINKED_AT_ONCE && ago < timing::RETURNS_REMEMBERED
        };
        if !is_repeated && narrow.returns.iter().filter(recent).count() < RETURNS {
            return;
        }
        narrow.keys.insert(key);
        if !std::mem::replace(&mut narrow.is_told, true) {
            self.news.push_back(News::Narrow(key));
        }
    }

    /// A link with this peer opens: perhaps instead of a silent one, and at once.
    pub(super) fn note_return(&mut self, cx: &Context, key: Key) {
        let is_at_once =
            (self.links.dialled.get(&key)).is_some_and(|at| cx.since(*at) < timing::LINKED_AT_ONCE);
        if is_at_once && self.links.to(key).is_some_and(Link::was_silent) {
            self.narrow.note_return(cx.now.time);
        }
    }
}
