//! Coordinators that are heard, and whose word counts for nothing until a link confirms it: which of them are
//! dialled, and how often.
//!
//! Owns the pauses between these dials, and a memory of who is heard beyond the few of whom `hearsay` knows since
//! when. Who forges a coordinator pays with one datagram, and can make up thousands; one that lives is heard again
//! and again. So a further one is dialled once it is heard again, and what it proves on its link counts. Whose word
//! counts is the business of `hearsay`.

use std::collections::BTreeMap;

use super::{Group, Parts};
use crate::limits;
use crate::node::{Time, Weakness};
use crate::timing;
use crate::wire::{Coordinator, Key};

/// A coordinator beyond those that `hearsay` remembers.
#[derive(Debug)]
struct Further {
    first: Time,
    dialled: Option<Time>,
}

/// All of these, in two halves: when the newer half is full, it becomes the older one, which is forgotten. So whoever
/// is heard often enough stays, and of those heard once the newest do.
#[derive(Debug, Default)]
struct FurtherOnes {
    newer: BTreeMap<Key, Further>,
    older: BTreeMap<Key, Further>,
}

impl FurtherOnes {
    /// This one is heard now.
    fn hear(&mut self, key: Key, now: Time) -> &mut Further {
        let (newer, older) = (self.newer.remove(&key), self.older.remove(&key));
        if self.newer.len() >= limits::HEARSAY_FURTHER_MAX / 2 {
            self.older = std::mem::take(&mut self.newer);
        }
        let known = newer.or(older).unwrap_or(Further {
            first: now,
            dialled: None,
        });
        self.newer.entry(key).or_insert(known)
    }

    fn forget(&mut self, key: Key) {
        self.newer.remove(&key);
        self.older.remove(&key);
    }
}

/// What is remembered of those that are heard and not reached.
#[derive(Debug, Default)]
pub(super) struct Unreached {
    further: FurtherOnes,
    /// When the next dial may be.
    next: Time,
}

impl Unreached {
    /// A link confirms that this coordinator can be reached.
    pub(super) fn forget(&mut self, key: Key) {
        self.further.forget(key);
    }

    /// How many there are.
    #[cfg(debug_assertions)]
    pub(super) fn len(&self) -> usize {
        self.further.newer.len() + self.further.older.len()
    }
}

impl Group {
    /// Dials whoever is heard and does not count, now and then: the firewall may be opened, the link that there is may
    /// carry nothing from it any more, or so many others are heard that its word never counted.
    pub(super) fn dial_unreached(&mut self, parts: &mut Parts<'_>, told: &Coordinator) {
        let (now, pause) = (parts.cx.now.time, parts.mesh.redial_pause(self));
        let is_left_out =
            parts.cx.is_weakened(Weakness::DoubtedAreNotDialled) && self.is_idle(parts, told.key);
        if self.leaving.is_some() || parts.mesh.is_proven(parts.cx, told.key) || is_left_out {
            return;
        }
        let Unreached { further, next } = &mut self.unreached;
        let (dialled, is_worth_it) = match self.hearsay.last_dial(told.key) {
            Some(dialled) => (dialled, true),
            None => {
                let further = further.hear(told.key, now);
                let is_again = now.since(further.first) >= timing::HEARSAY_AGAIN;
                (&mut further.dialled, is_again)
            }
        };
        let is_due = dialled.is_none_or(|at| now.since(at) >= pause);
        let is_free = now >= *next && !parts.mesh.is_dialling(told.key);
        if is_worth_it && is_due && is_free {
            // By chance, so that nobody who beats evenly takes the turn of one that beats a moment later each time.
            *next = now + parts.cx.jitter(pause * 2 / limits::HEARSAY_DIALS);
            *dialled = Some(now);
            parts.mesh.dial(parts.cx, told.key, &told.addresses, false);
        }
    }
}

#[cfg(test)]
#[path = "unreached_test.rs"]
mod tests;
