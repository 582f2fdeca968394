//! When a commit waits for a moment: for more to come, or for a helper that is in its way.
//!
//! Owns the times of that. It commits nothing, and what a failure means to the user is not decided here.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::limits::STORE_BATCH_MAX;
use crate::node::Time;
use crate::store::BLOCK_MIN;

/// The pause before a commit is tried again that a helper was in the way of.
const CROSSED: Duration = Duration::from_millis(10);
/// How often in a row that may be, before it is a trouble.
const CROSSED_MAX: u32 = 100;
/// The pause between two commits of many messages: what comes meanwhile costs a commit less.
const GATHER: Duration = Duration::from_millis(20);
/// Many messages, of which blocks are made, and which are not yet too many to wait.
const GATHERED: RangeInclusive<usize> = BLOCK_MIN..=STORE_BATCH_MAX * 3 / 4;

/// What a commit waits for.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    crossed: Option<Crossed>,
}

/// A commit that a helper was in the way of.
#[derive(Clone, Copy, Debug)]
struct Crossed {
    retry_at: Time,
    times: u32,
}

impl Pacing {
    /// True if so many messages in one commit are many.
    pub(super) fn is_many(count: usize) -> bool {
        count >= *GATHERED.start()
    }

    /// Until when so many messages wait for more to come, if the last commit of many was then.
    pub(super) fn gathers_until(&self, now: Time, unstored: usize, last: Time) -> Option<Time> {
        let until = last + GATHER;
        let waits = self.crossed.is_none() && GATHERED.contains(&unstored) && now < until;
        waits.then_some(until)
    }

    /// When a commit is tried again that a helper was in the way of.
    pub(super) fn retry_at(&self) -> Option<Time> {
        self.crossed.map(|c| c.retry_at)
    }

    /// A commit was made.
    pub(super) fn on_commit(&mut self) {
        self.crossed = None;
    }

    /// A commit failed, and a helper may have been in its way: true if that is to be over in a moment.
    pub(super) fn on_crossed(&mut self, now: Time, may_be: bool) -> bool {
        let times = self.crossed.map_or(0, |c| c.times);
        let is_so = may_be && times < CROSSED_MAX;
        self.crossed = is_so.then_some(Crossed {
            times: times + 1,
            retry_at: now + CROSSED,
        });
        is_so
    }
}
