//! Which streams wait for what: to be read in the next turn, or to be written before the next sleep.
//!
//! Owns the order in which they wait. A stream is on each list once at the most, and remembers that
//! itself. Nothing is read or written here.

use std::collections::VecDeque;

use super::stream::Stream;
use super::table::Table;

/// Who waits.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// To be read.
    ready: VecDeque<usize>,
    /// To be written.
    dirty: Vec<usize>,
}

impl Lists {
    /// The stream waits to be read in the next turn.
    pub(super) fn list(&mut self, table: &mut Table, slot: usize) {
        if table[slot].list() {
            self.ready.push_back(slot);
        }
    }

    /// How many streams wait to be read.
    pub(super) fn ready_len(&self) -> usize {
        self.ready.len()
    }

    /// The stream that has waited longest to be read.
    pub(super) fn next_ready(&mut self, table: &mut Table) -> Option<usize> {
        while let Some(slot) = self.ready.pop_front() {
            if table.get_mut(slot).is_some_and(Stream::unlist) {
                return Some(slot);
            }
        }
        None
    }

    /// The stream waits to be written before the next sleep.
    pub(super) fn mark_dirty(&mut self, table: &mut Table, slot: usize) {
        if table[slot].mark_dirty() {
            self.dirty.push(slot);
        }
    }

    /// Those that wait to be written; the list is given back to [`Lists::put_back`], for its memory.
    pub(super) fn take_dirty(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.dirty)
    }

    /// Everything on this list was written. Whoever was marked meanwhile stays so.
    pub(super) fn put_back(&mut self, mut dirty: Vec<usize>) {
        dirty.clear();
        dirty.append(&mut self.dirty);
        self.dirty = dirty;
    }
}
