//! When blocks of messages become rows: while nobody is held up by it.
//!
//! Owns the times of that. It stores no message: those in blocks are stored already. The words that it hands
//! back are for the user.
//!
//! What comes many at a time is committed as blocks ([`Store::commit`]), and a block becomes rows in a turn of
//! the loop that stores nothing, one in a turn, some 2 ms. It is begun when nothing was stored for [`QUIET`],
//! since a process that reads what others write as fast as it can has such turns, too, and those others need
//! the processor. Past [`HURRY_BYTES`] that is not waited for. While a helper process works on the file, or is
//! due, blocks wait: what it checkpoints is to be all that is in the log, so that this can be cut.

use std::time::Duration;

use crate::limits::{ARRIVED_BLOCKS_MAX, ARRIVED_BYTES_MAX};
use crate::node::Time;
use crate::store::{Store, StoreError};

/// The pause in what is stored after which blocks become rows.
const QUIET: Duration = Duration::from_secs(1);
/// So much in blocks waits for no pause.
const HURRY_BYTES: usize = ARRIVED_BYTES_MAX / 2;
const HURRY_BLOCKS: usize = ARRIVED_BLOCKS_MAX / 2;
/// The pause after a failure.
const FAILED_PAUSE: Duration = Duration::from_secs(1);
/// Up to so many blocks become rows at the end, some 60 ms; if there are more, they wait for the next start.
const LAST_BLOCKS_MAX: usize = 32;

/// When blocks become rows.
#[derive(Debug)]
pub(super) struct Rows {
    /// The time of the last commit of messages.
    stored_at: Time,
    /// After a failure: not before this time.
    not_before: Option<Time>,
    is_failure_told: bool,
}

impl Rows {
    /// Nothing was stored yet.
    pub(super) fn new(now: Time) -> Rows {
        Rows {
            stored_at: now,
            not_before: None,
            is_failure_told: false,
        }
    }

    /// Messages were committed.
    pub(super) fn on_commit(&mut self, now: Time) {
        self.stored_at = now;
    }

    /// When messages were committed last.
    pub(super) fn stored_at(&self) -> Time {
        self.stored_at
    }

    /// When a block is to become rows; none if none waits.
    pub(super) fn next_wake(&self, store: &Store) -> Option<Time> {
        let blocks = store.waiting_blocks();
        let hurries = blocks > HURRY_BLOCKS || store.waiting_bytes() > HURRY_BYTES;
        let pause = if hurries { Duration::ZERO } else { QUIET };
        let due = self.stored_at + pause;
        (blocks > 0).then(|| self.not_before.map_or(due, |at| at.max(due)))
    }

    /// True if a block is to become rows in this turn.
    pub(super) fn is_due(&self, now: Time, store: &Store) -> bool {
        let due = self.next_wake(store).is_some_and(|at| at <= now);
        due && self.stored_at < now
    }

    /// A block became rows, or did not.
    pub(super) fn note(&mut self, now: Time, result: Result<(), StoreError>) -> Option<String> {
        let e = match result {
            Ok(()) => {
                (self.not_before, self.is_failure_told) = (None, false);
                return None;
            }
            Err(e) => e,
        };
        self.not_before = Some(now + FAILED_PAUSE);
        // No space, or somebody else writes: what is to be stored meets that, too, and it is said then.
        let is_told = std::mem::replace(&mut self.is_failure_told, true);
        if is_told || matches!(e, StoreError::Later(_)) {
            log::info!("blocks of messages stay: {e}");
            return None;
        }
        Some(format!(
            "messages that are stored cannot be brought into its table: {e}; they stay as they are"
        ))
    }

    /// True if what waits at the end is little enough to become rows then.
    pub(super) fn is_little(store: &Store) -> bool {
        (1..=LAST_BLOCKS_MAX).contains(&store.waiting_blocks())
    }
}
