//! A token bucket: how often something may happen.
//!
//! Owns the credit of one source. It delays nothing: what is over the rate is the caller's to drop.

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
