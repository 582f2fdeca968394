//! What was hashed so far of messages that stand together: hashes are costly, and most messages are dropped
//! before anybody asks for one.
//!
//! Owns the sums. Whoever changes the messages says so.

use crate::wire::{ChatMessage, Sum};

/// A sum is kept for each so many messages.
const SUM_EVERY: usize = 64;

/// Sums of the hashes of the first messages of a block.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// Of the first `SUM_EVERY`, twice as many, and so on.
    every: Vec<Sum>,
    /// Of all.
    whole: Option<Sum>,
}

impl Sums {
    /// Messages were added at the end.
    pub(super) fn forget_whole(&mut self) {
        self.whole = None;
    }

    /// Messages from this index on changed.
    pub(super) fn forget_from(&mut self, index: usize) {
        self.whole = None;
        self.every.truncate(index / SUM_EVERY);
    }

    /// The sum of the hashes of the first `count` of these, which are all messages there are.
    pub(super) fn before(&mut self, messages: &[ChatMessage], count: usize) -> Sum {
        let is_whole = count == messages.len();
        if let Some(whole) = self.whole.filter(|_| is_whole) {
            return whole;
        }
        let kept = count / SUM_EVERY;
        while self.every.len() < kept {
            let from = self.every.len() * SUM_EVERY;
            let mut sum = self.every.last().copied().unwrap_or_default();
            sum.add(Sum::of(&messages[from..from + SUM_EVERY]));
            self.every.push(sum);
        }
        let before = kept.checked_sub(1).map(|last| self.every[last]);
        let mut sum = before.unwrap_or_default();
        sum.add(Sum::of(&messages[kept * SUM_EVERY..count]));
        if is_whole {
            self.whole = Some(sum);
        }
        sum
    }
}
