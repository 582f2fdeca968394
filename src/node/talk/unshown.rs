//! What was taken in as old and not shown, since something later of its author was here already.
//!
//! Owns the names of these messages, in limits, until their author says from which message on it counts on this node:
//! what is owed all the same is shown then, as late. It never decides what is old, and holds no message itself.

use std::collections::BTreeMap;

use super::{Lent, Talk};
use crate::limits::{MEMBERS_MAX, MISSED_RANGES_MAX};
use crate::node::history::Ranges;
use crate::node::{Arrival, Weakness};
use crate::wire::{Key, MessageId};

/// The sequence numbers by author.
#[derive(Debug, Default)]
pub(super) struct Unshown(BTreeMap<Key, Ranges>);

impl Unshown {
    /// This was taken in and is not shown.
    pub(super) fn note(&mut self, id: MessageId) {
        if self.0.len() >= MEMBERS_MAX && !self.0.contains_key(&id.origin) {
            return;
        }
        let seqs = self.0.entry(id.origin).or_default();
        if seqs.iter().count() < MISSED_RANGES_MAX {
            seqs.insert(id.seq);
        }
    }

    /// What there is of this author.
    fn take(&mut self, author: Key) -> Ranges {
        self.0.remove(&author).unwrap_or_default()
    }
}

impl Talk {
    /// This author has said from which message on it counts on this node. What is not here any more of that is
    /// missing, and asked for.
    pub(super) fn show_unshown(&mut self, lent: &mut Lent<'_>, author: Key, from: u64) {
        let owed = self.unshown.take(author).within(from, u64::MAX);
        if owed.is_empty() || lent.cx.is_weakened(Weakness::UnshownIsSeen) {
            return;
        }
        let held = self.history.iter();
        let held = held.filter(|m| m.origin() == author && owed.contains(m.seq()));
        let held: Vec<_> = held.filter(|m| !self.is_old(lent.cx, m)).cloned().collect();
        for message in held {
            self.show_taken_in(lent, std::slice::from_ref(&message), Arrival::Late);
        }
        for (first, last) in owed.iter() {
            self.history.origin_mut(author).forget_unseen(first, last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_are_noted() {
        let id = |origin, seq| MessageId {
            origin: Key(origin),
            seq,
        };
        let mut unshown = Unshown::default();
        (0..1_000).for_each(|n| unshown.note(id(1, 2 * n)));
        assert_eq!(unshown.take(Key(1)).len(), MISSED_RANGES_MAX as u64);
        assert!(unshown.take(Key(1)).is_empty());
        (0..2 * MEMBERS_MAX as u64).for_each(|key| unshown.note(id(key, 1)));
        assert_eq!(unshown.0.len(), MEMBERS_MAX);
    }
}
