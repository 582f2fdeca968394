//! What is dated so far ahead of the clock on the wall that nobody writes after it yet.
//!
//! Owns nothing: it is held like everything else, in the same order. But nothing is dropped to make room for it,
//! since all that is said now has its place before it. It has as much room as the history itself; what comes when
//! that is full is shown, and not held. Once the clock has come near enough it is like everything else.

use super::History;
use crate::wire::{ChatMessage, Position};

impl History {
    /// What lies beyond this position is dated too far ahead to have a place among the newest.
    pub(in crate::node) fn set_reach(&mut self, reach: Position) {
        self.reach = reach;
    }

    /// True if this is dated so far ahead.
    pub(super) fn is_beyond_reach(&self, position: Position) -> bool {
        position > self.reach
    }

    /// How many messages are dated so far ahead, and how many bytes they take.
    pub(super) fn beyond_reach(&self) -> (usize, usize) {
        self.order.size_after(self.reach)
    }

    /// True if no more of what is dated so far ahead is held.
    pub(super) fn is_full_beyond_reach(&self) -> bool {
        let (count, bytes) = self.beyond_reach();
        count >= self.max || bytes >= self.bytes_max()
    }

    /// The position of the newest message in memory that somebody may write a later one after; all zero if there is
    /// none.
    pub(in crate::node) fn newest_within_reach(&self) -> Position {
        self.order.last_until(self.reach)
    }

    /// Adds messages of a run that goes beyond the reach, one by one.
    pub(super) fn insert_beyond_reach(&mut self, run: &[ChatMessage]) {
        for message in run {
            if !self.insert(message.clone()) {
                self.settle(message);
            }
        }
    }
}

#[cfg(test)]
#[path = "beyond_test.rs"]
mod tests;
