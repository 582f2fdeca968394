//! What peers have answered when they were asked for what is missing.
//!
//! Owns when each last answered an exchange to its end, and how many broke off since. It asks nobody and gives nothing
//! up.

use std::collections::{BTreeMap, BTreeSet};

use super::Lent;
use crate::node::{Time, Weakness};
use crate::timing;
use crate::wire::{Key, Position};

/// Exchanges in a row with one peer that did not go to their end.
#[derive(Clone, Copy, Debug)]
struct Failed {
    count: u32,
    /// When the last one broke off.
    last: Time,
    /// Since when the peer has answered nothing at all.
    mute_since: Time,
}

/// What the peers in reach have answered.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// When the last exchange with each peer that went to its end began, and when it ended.
    asked: BTreeMap<Key, (Time, Time)>,
    /// Peers whose last answer says that they have dropped something.
    droppers: BTreeSet<Key>,
    /// The exchanges in a row with each peer that did not go to their end.
    failed: BTreeMap<Key, Failed>,
}

impl Answers {
    /// This node was away: nobody's answers could come meanwhile.
    pub(super) fn come_back(&mut self) {
        self.failed.clear();
    }

    /// This peer has answered an exchange to its end.
    pub(super) fn has_answered(&mut self, peer: Key, began: Time, ended: Time) {
        self.asked.insert(peer, (began, ended));
        self.failed.remove(&peer);
    }

    /// This peer says up to where it may have dropped what it held.
    pub(super) fn note_floor(&mut self, peer: Key, floor: Position) {
        if floor > Position::default() {
            self.droppers.insert(peer);
        } else {
            self.droppers.remove(&peer);
        }
    }

    /// True if this peer may have dropped something, of its own lines too.
    pub(super) fn has_dropped(&self, peer: Key) -> bool {
        self.droppers.contains(&peer)
    }

    /// An exchange with this peer did not go to its end.
    pub(super) fn has_failed(&mut self, peer: Key, now: Time) {
        let failed = self.failed.entry(peer).or_insert(Failed {
            count: 0,
            last: now,
            mute_since: now,
        });
        failed.count = failed.count.saturating_add(1);
        failed.last = now;
    }

    /// This peer has answered something, if not to the end, or not in time.
    pub(super) fn has_spoken(&mut self, peer: Key, now: Time) {
        if let Some(failed) = self.failed.get_mut(&peer) {
            failed.mute_since = now;
        }
    }

    /// True if the last exchange with this peer broke off.
    pub(super) fn has_broken_off(&self, peer: Key) -> bool {
        self.failed.contains_key(&peer)
    }

    /// This peer has brought something that was missing, in time or not: it is slow.
    pub(super) fn has_brought(&mut self, peer: Key) {
        self.failed.remove(&peer);
    }

    /// True if this peer has answered none of the last questions to the end.
    pub(super) fn is_failing(&self, peer: Key) -> bool {
        let failed = self.failed.get(&peer);
        failed.is_some_and(|failed| failed.count >= timing::CHANCES_OF_STRANGERS)
    }

    /// True if this peer answers none of many questions to the end: it must not keep a gap from being given up
    /// for ever. Members get more patience than strangers, unless they say themselves that there is nothing to give,
    /// or nobody knows the author (`is_doubtful`). Whoever has answered nothing at all for as long gets that patience
    /// for everything at once. The gap was noticed at `since`, and is waited for since `awaited`.
    pub(super) fn has_had_its_chances(
        &self,
        lent: &Lent<'_>,
        peer: Key,
        (since, awaited): (Time, Time),
        is_doubtful: bool,
    ) -> bool {
        let (failures, timeouts) = if lent.view.contains(peer) && !is_doubtful {
            (timing::CHANCES_OF_MEMBERS, timing::SILENT_LINK_TIMEOUTS_MAX)
        } else {
            (timing::CHANCES_OF_STRANGERS, 2 * timing::GAP_TIMEOUTS)
        };
        let Some(failed) = self.failed.get(&peer) else {
            return false;
        };
        let is_mute = failed.count >= timing::CHANCES_OF_MEMBERS
            && !lent.cx.is_weakened(Weakness::MuteAreAwaitedAnew);
        let waited = if is_mute {
            awaited.min(failed.mute_since)
        } else {
            awaited
        };
        let is_old = lent.cx.since(waited) >= lent.cx.config.failure_timeout * timeouts;
        is_old && failed.count >= failures && failed.last >= since
    }

    /// When the last exchange with this peer that went to its end began, and when it ended.
    pub(super) fn last_answer(&self, peer: Key) -> Option<(Time, Time)> {
        self.asked.get(&peer).copied()
    }

    /// Nothing is kept of a peer without a link.
    pub(super) fn forget_peer(&mut self, peer: Key) {
        self.asked.remove(&peer);
        self.droppers.remove(&peer);
        self.failed.remove(&peer);
    }
}
