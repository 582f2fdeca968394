//! A hybrid logical clock (Kulkarni et al. 2014) in one 64-bit number, and how far ahead it may be.
//!
//! Owns the last timestamp that was given or seen. It never reads the time: it is told.

use crate::wire::{COUNTER_BITS, Position};

/// The clock of one node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HybridClock {
    last: u64,
}

/// True if this timestamp lies so far ahead of the clock on the wall that it counts as not said.
pub(super) fn is_far_ahead(timestamp: u64, wall_ms: u64) -> bool {
    timestamp > Position::latest(wall_ms).timestamp
}

/// True if nothing is written after this timestamp, so far ahead it lies: whoever has a clock that is behind this one
/// would count what follows as not said.
fn is_too_far_to_pass(timestamp: u64, wall_ms: u64) -> bool {
    timestamp > Position::reach(wall_ms).timestamp
}

/// The timestamp of a moment.
pub(super) fn timestamp_of(wall_ms: u64) -> u64 {
    wall_ms.saturating_mul(1 << COUNTER_BITS)
}

impl HybridClock {
    /// A timestamp greater than every one given or observed so far. Where those are too far ahead, because
    /// the clock on the wall was set back, it begins anew: not everybody would believe it otherwise. At the end of
    /// its range it saturates: order falls back to (origin, seq) there.
    pub(super) fn tick(&mut self, wall_ms: u64) -> u64 {
        self.last = self.next(wall_ms);
        self.last
    }

    /// What [`tick`](HybridClock::tick) would give now.
    pub(super) fn next(self, wall_ms: u64) -> u64 {
        let next = self.last.saturating_add(1);
        let is_too_far = is_too_far_to_pass(next, wall_ms);
        let next = if is_too_far { 0 } else { next };
        timestamp_of(wall_ms).max(next)
    }

    /// Somebody has said this. What is too far ahead to be passed is not: one line dated so would be enough for all
    /// that this node says to count as not said where the clock on the wall is a little behind.
    pub(super) fn observe(&mut self, timestamp: u64, wall_ms: u64) {
        if !is_too_far_to_pass(timestamp, wall_ms) {
            self.restore(timestamp);
        }
    }

    /// This was said, as is known from before.
    pub(super) fn restore(&mut self, timestamp: u64) {
        self.last = self.last.max(timestamp);
    }

    pub(super) fn last(self) -> u64 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 60 * 60 * 1_000;

    #[test]
    fn it_passes_what_it_saw_whatever_the_wall_clock_does() {
        let mut clock = HybridClock::default();
        let a = clock.tick(1_000);
        let b = clock.tick(10);
        assert!(b > a);
        clock.observe(5_000 << 16, 10);
        assert!(clock.tick(2_000) > 5_000 << 16);
    }

    #[test]
    fn what_lies_more_than_a_day_ahead_was_not_said() {
        assert!(!is_far_ahead(((1_001 + 24 * HOUR) << 16) - 1, 1_000));
        for timestamp in [u64::MAX, u64::MAX - 1, (1_001 + 24 * HOUR) << 16] {
            assert!(is_far_ahead(timestamp, 1_000));
        }
    }

    #[test]
    fn what_lies_almost_a_day_ahead_is_not_passed() {
        let mut clock = HybridClock::default();
        for timestamp in [u64::MAX, u64::MAX - 1, (1_001 + 20 * HOUR) << 16] {
            clock.observe(timestamp, 1_000);
            assert_eq!(clock.last(), 0);
        }
        let latest = ((1_001 + 20 * HOUR) << 16) - 1;
        clock.observe(latest, 1_000);
        assert_eq!(clock.last(), latest);
        // What would be too far ahead is not written either.
        assert_eq!(clock.tick(1_000), 1_000 << 16);
        // What is written at the latest moment counts where the clock is four hours behind.
        clock.observe(latest - 1, 1_000 + 4 * HOUR);
        assert!(!is_far_ahead(clock.tick(1_000 + 4 * HOUR), 1_000));
    }

    #[test]
    fn a_wall_clock_at_its_end_is_no_trouble() {
        let mut clock = HybridClock::default();
        assert_eq!(clock.tick(u64::MAX), u64::MAX);
        clock.observe(u64::MAX, u64::MAX);
        assert_eq!(clock.tick(u64::MAX), u64::MAX);
        assert_eq!(clock.tick(0), 0);
        assert_eq!(clock.tick(0), 1);
    }
}
