//! What one exchange may cost: whatever it brings, it ends.
//!
//! Owns when it began and what it brought. The more a peer says that it has, the more it may bring and the
//! longer it may take; but it has to bring it at some pace, or others get their turn beside it, and then
//! instead of it.

use std::time::Duration;

use crate::limits::{EXCHANGE_BYTES_MIN, MESSAGE_BYTES_MAX};
use crate::node::Time;
use crate::timing;
use crate::wire::Part;

/// One exchange's.
#[derive(Debug)]
pub(super) struct Budget {
    began: Time,
    /// What came that was of use.
    bytes: u64,
    /// How many messages the peer says that it has.
    said: u64,
}

impl Budget {
    pub(super) fn new(began: Time) -> Budget {
        Budget {
            began,
            bytes: 0,
            said: u64::MAX,
        }
    }

    /// The peer says that it has this.
    pub(super) fn said(&mut self, parts: &[Part]) {
        if !parts.is_empty() {
            let counts = parts.iter().map(|part| part.count);
            self.said = counts.fold(0, u64::saturating_add);
        }
    }

    /// Something came that was of use.
    pub(super) fn spend(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn is_below(&self, now: Time, bytes_per_second: u64) -> bool {
        let millis = u64::try_from(now.since(self.began).as_millis()).unwrap_or(u64::MAX);
        self.bytes < millis.saturating_mul(bytes_per_second) / 1_000
    }

    /// True if others need not wait for its end.
    pub(super) fn is_slow(&self, now: Time) -> bool {
        now.since(self.began) >= timing::SYNC_ALONE && self.is_below(now, timing::SYNC_ALONE_PACE)
    }

    /// True if it has lasted as long as one with a stranger may.
    pub(super) fn has_strangers_time(&self, now: Time) -> bool {
        now.since(self.began) >= timing::SYNC_STRANGER
    }

    /// True if it has had its time, or brought more than it could.
    pub(super) fn is_spent(&self, now: Time) -> bool {
        let took = now.since(self.began);
        let longest = timing::SYNC_FRUITLESS + Duration::from_secs(self.said.min(1 << 20));
        let most = EXCHANGE_BYTES_MIN.saturating_add(self.said.saturating_mul(MESSAGE_BYTES_MAX));
        let is_late = took >= longest.min(timing::SYNC_LONGEST);
        let crawls = took >= timing::SYNC_FRUITLESS && self.is_below(now, timing::SYNC_PACE);
        is_late || crawls || self.bytes > most
    }
}
