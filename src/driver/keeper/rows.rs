//! When blocks of messages become rows: while nobody is held up by it.
//!
//! Owns the times of that. It stores no message: those in blocks are stored already. The words that it hands
//! back are for the user.
//!
//! What comes many at a time is committed as blocks ([`Store::commit`]), and a block becomes rows in a turn of
//! the loop that stores few messages or none, one in a turn, some 2 ms. It is begun when no commit was one of
//! many for [`QUIET`], since a process that reads what others write as fast as it can has such turns, too, and
//! those others need the processor. Commits of few put nothing off: people may go on talking for days. Past
//! [`HURRY_BYTES`] the pause is not waited for, nor while blocks keep what comes from becoming blocks
//! ([`Store::is_crowded`]).
//!
//! While a helper process works on the file, or is due, blocks wait: what it checkpoints is to be all that is in
//! the log, so that this can be cut. Not so at the end, where one more checkpoint follows (`closing`): few blocks
//! become rows then whatever a helper does, and if it is in the way they wait for the next start.

use std::time::Duration;

use crate::limits::{ARRIVED_BLOCKS_MAX, ARRIVED_BYTES_MAX};
use crate::node::Time;
use crate::store::{Store, StoreError};

/// The pause after a commit of many messages, after which blocks become rows.
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
    /// The time of the last commit of many messages.
    many_at: Time,
    /// After a failure: not before this time.
    not_before: Option<Time>,
    is_failure_told: bool,
}

impl Rows {
    /// Nothing was stored yet.
    pub(super) fn new(now: Time) -> Rows {
        Rows {
            many_at: now,
            not_before: None,
            is_failure_told: false,
        }
    }

    /// Many messages were committed together.
    pub(super) fn on_commit(&mut self, now: Time) {
        self.many_at = now;
    }

    /// When that was last.
    pub(super) fn many_at(&self) -> Time {
        self.many_at
    }

    /// When a block is to become rows; none if none waits.
    pub(super) fn next_wake(&self, store: &Store) -> Option<Time> {
        let blocks = store.waiting_blocks();
        let is_much = blocks > HURRY_BLOCKS || store.waiting_bytes() > HURRY_BYTES;
        let hurries = is_much || store.is_crowded();
        let pause = if hurries { Duration::ZERO } else { QUIET };
        let due = self.many_at + pause;
        (blocks > 0).then(|| self.not_before.map_or(due, |at| at.max(due)))
    }

    /// True if a block is to become rows in this turn.
    pub(super) fn is_due(&self, now: Time, store: &Store) -> bool {
        let due = self.next_wake(store).is_some_and(|at| at <= now);
        due && self.many_at < now
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
