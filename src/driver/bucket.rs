//! A token bucket: how often something may happen.
//!
//! Owns the credit of one source. It delays nothing: what is over the rate is the caller's to drop.

use std::time::Duration;

use crate::node::{Time, micros};

/// Credit is counted in millionths, so that each microsecond earns a whole number.
const ONE: u64 = 1_000_000;

/// A burst, and so much per second after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    burst: u64,
    per_second: u64,
}

impl Allowed {
    pub(super) fn new(burst: u32, per_second: u32) -> Allowed {
        Allowed {
            burst: u64::from(burst) * ONE,
            per_second: u64::from(per_second),
        }
    }
}

/// The credit of one source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    credit: u64,
    at: Time,
}

impl Bucket {
    /// A full one.
    pub(super) fn full(allowed: Allowed, now: Time) -> Bucket {
        Bucket {
            credit: allowed.burst,
            at: now,
        }
    }

    fn earned(&self, allowed: Allowed, now: Time) -> u64 {
        let passed = micros(now.since(self.at));
        let earned = passed.saturating_mul(allowed.per_second);
        self.credit.saturating_add(earned).min(allowed.burst)
    }

    /// True if all that was taken is earned again.
    pub(super) fn is_full(&self, allowed: Allowed, now: Time) -> bool {
        self.earned(allowed, now) == allowed.burst
    }

    /// When one more is within the rate at the earliest.
    pub(super) fn ready_at(&self, allowed: Allowed) -> Time {
        let lacks = ONE.saturating_sub(self.credit);
        let wait = lacks.div_ceil(allowed.per_second.max(1));
        self.at + Duration::from_micros(wait)
    }

    /// When it was last used.
    pub(super) fn used(&self) -> Time {
        self.at
    }

    /// Whether one more is within the rate; if so it is taken.
    pub(super) fn take(&mut self, allowed: Allowed, now: Time) -> bool {
        self.credit = self.earned(allowed, now);
        self.at = now;
        let is_within = self.credit >= ONE;
        self.credit -= if is_within { ONE } else { 0 };
        is_within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_burst_one_waits_for_the_next() {
        let allowed = Allowed::new(3, 10);
        let mut bucket = Bucket::full(allowed, Time(0));
        for _ in 0..3 {
            assert_eq!(bucket.ready_at(allowed), Time(0));
            assert!(bucket.take(allowed, Time(0)));
        }
        let next = bucket.ready_at(allowed);
        assert_eq!(next, Time(100_000));
        assert!(!bucket.clone().take(allowed, Time(99_999)));
        assert!(bucket.take(allowed, next));
    }
}
