//! A hybrid logical clock (Kulkarni et al. 2014) in one 64-bit number.
//!
//! Owns the last timestamp that was given or seen. It never reads the time: it is told.

/// Bits below the milliseconds: room for 65,535 events within one millisecond.
const COUNTER_BITS: u32 = 16;

/// The clock of one node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HybridClock {
    last: u64,
}

impl HybridClock {
    /// A timestamp greater than every one given or observed so far. At the end of its range it
    /// saturates: order falls back to (origin, seq) there.
    pub(super) fn tick(&mut self, wall_ms: u64) -> u64 {
        let physical = wall_ms.saturating_mul(1 << COUNTER_BITS);
        self.last = physical.max(self.last.saturating_add(1));
        self.last
    }

    pub(super) fn observe(&mut self, timestamp: u64) {
        self.last = self.last.max(timestamp);
    }

    pub(super) fn last(self) -> u64 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_passes_what_it_saw_whatever_the_wall_clock_does() {
        let mut clock = HybridClock::default();
        let a = clock.tick(1_000);
        let b = clock.tick(10);
        assert!(b > a);
        clock.observe(5_000 << 16);
        assert!(clock.tick(2_000) > 5_000 << 16);
        clock.observe(u64::MAX);
        assert_eq!(clock.tick(3_000), u64::MAX);
    }
}
