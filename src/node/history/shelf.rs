//! Authors of whom nothing is left but messages in the store: all that is kept of one is which ones.
//!
//! Owns these authors, each with one stretch of numbers, in a tenth of the memory that one takes of whom
//! more is known. Whoever hears of one again takes it back first. Nothing here is a member's.

use std::collections::BTreeMap;

use super::origin::Origin;
use super::{History, Ranges};
use crate::limits::{ORIGINS_IDLE_MAX, STORED_AUTHORS_MAX};
use crate::wire::{Key, MessageId, SeqRange};

/// The first and the last number of each of these authors' messages.
#[derive(Debug, Default)]
pub(super) struct Shelf(BTreeMap<Key, (u64, u64)>);

impl Shelf {
    /// True if this message is in the store, and of an author of whom nothing else is known.
    pub(super) fn contains(&self, id: MessageId) -> bool {
        let stretch = self.0.get(&id.origin);
        stretch.is_some_and(|(first, last)| (*first..=*last).contains(&id.seq))
    }

    /// The highest number of this author; 0 if it is not here.
    pub(super) fn highest(&self, author: Key) -> u64 {
        self.0.get(&author).map_or(0, |(_, last)| *last)
    }

    /// How many messages they are.
    #[cfg(debug_assertions)]
    pub(super) fn messages(&self) -> u64 {
        self.0.values().map(|(first, last)| last - first + 1).sum()
    }

    /// Of all of them, what is in the store.
    pub(super) fn ranges(&self) -> impl Iterator<Item = SeqRange> {
        let ranges = self.0.iter();
        ranges.map(|(key, (first, last))| SeqRange::new(*key, *first, *last))
    }

    /// What is in the store of this author.
    pub(super) fn stretch(&self, author: Key) -> Option<Ranges> {
        let (first, last) = self.0.get(&author)?;
        let mut ranges = Ranges::default();
        ranges.insert_range(*first, *last);
        Some(ranges)
    }

    /// Nothing is held of them any more.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds what is in the store of an author, if that is one stretch together with what is here.
    pub(super) fn add(&mut self, range: SeqRange) -> bool {
        let SeqRange {
            author,
            first,
            last,
        } = range;
        let Some(known) = self.0.get_mut(&author) else {
            self.0.insert(author, (first, last));
            return true;
        };
        if known.1.checked_add(1) == Some(first) {
            known.1 = last;
        } else if last.checked_add(1) == Some(known.0) {
            known.0 = first;
        } else {
            return false;
        }
        true
    }
}

impl History {
    /// Something is to be noted of this author: what is in the store of it is known as of any other.
    pub(in crate::node) fn take_off_shelf(&mut self, author: Key) {
        if let Some((first, last)) = self.shelf.0.remove(&author) {
            let origin = self.origins.entry(author).or_default();
            origin.restore(first, last);
        }
    }

    /// Puts authors of whom nothing else is known away, once they are many; if there are too many of them,
    /// the store's part of the history is given up as one that was dropped would be.
    pub(super) fn shelve_idle_origins(&mut self) {
        if self.origins.len() <= self.order.len() + ORIGINS_IDLE_MAX || self.only_printed {
            return;
        }
        let shelf = &mut self.shelf.0;
        self.origins.retain(|key, origin| {
            let stretch = origin.only_stored_stretch();
            shelf.extend(stretch.map(|stretch| (*key, stretch)));
            stretch.is_none()
        });
        if self.shelf.0.len() > STORED_AUTHORS_MAX {
            let until = self.stored_part.as_ref().map(|part| part.until);
            self.raise_floor(until.unwrap_or_default());
        }
    }
}

impl Origin {
    /// These are in the store, and nowhere else.
    pub(super) fn restore(&mut self, first: u64, last: u64) {
        self.held.insert_range(first, last);
        self.only_stored.insert_range(first, last);
        self.stored.insert_range(first, last);
        self.take_range(first, last);
    }
}
