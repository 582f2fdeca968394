//! What is dated so far ahead of the clock on the wall that nobody writes after it yet.
//!
//! Owns nothing: it is held like everything else, in the same order. But nothing is dropped to make room for it,
//! since all that is said now has its place before it. It has room of its own; what comes when that is full counts as
//! not said, and may come again. Once the clock has come near enough it is like everything else.

use super::History;
use crate::limits::BEYOND_REACH_MIN;
use crate::wire::Position;

impl History {
    /// What lies beyond this position is dated too far ahead to have a place among the newest.
    pub(in crate::node) fn set_reach(&mut self, reach: Position) {
        self.reach = reach;
    }

    /// True if this is dated so far ahead.
    pub(in crate::node) fn is_beyond_reach(&self, position: Position) -> bool {
        position > self.reach
    }

    /// How many messages are dated so far ahead, and how many bytes they take.
    pub(super) fn beyond_reach(&self) -> (usize, usize) {
        self.order.size_after(self.reach)
    }

    /// How many messages more there is room for that are dated so far ahead: as much as a history may take in all.
    pub(in crate::node) fn room_beyond_reach(&self) -> usize {
        let (count, bytes) = self.beyond_reach();
        let room = self.max.max(BEYOND_REACH_MIN).saturating_sub(count);
        if bytes < self.bytes_max() { room } else { 0 }
    }

    /// The position of the newest message in memory that somebody may write a later one after; all zero if there is
    /// none.
    pub(in crate::node) fn newest_within_reach(&self) -> Position {
        self.order.last_until(self.reach)
    }
}

#[cfg(test)]
#[path = "beyond_test.rs"]
mod tests;
