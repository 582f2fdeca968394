//! Tending the file: when the log is checkpointed, and how far the index of words has come.
//!
//! Owns the times of both. It stores no message, and its failures are the next commit's to meet.
//!
//! Only a checkpoint waits for the disk. One is made when [`LOG_PAGES`] pages wait in the log, or
//! [`CHECKPOINT_AFTER`] after the first commit that no checkpoint followed: at the end of a turn, when
//! everything that was due has been written to the peers. It takes some milliseconds on a working
//! disk. A disk that stalls stalls the loop with it, in a checkpoint or in a commit: the loop is late
//! then, [`Attendance`](super::super::clock::Attendance) sees it, and the node is told that it was
//! [`Away`](crate::node::Input::Away): it blames itself and asks in again, and the others have long
//! gone on without it.
//!
//! The index of words ([`Store::index`]) costs ten times as much as a commit, so it follows behind,
//! [`INDEX_BATCH`] messages at a time with a pause of [`INDEX_PAUSE`].

use std::path::Path;
use std::time::Duration;

use crate::node::Time;
use crate::store::Store;

/// Pages in the log that are worth a checkpoint.
const LOG_PAGES: u64 = 1_000;
/// How long a commit waits for a checkpoint: what a power cut may cost.
const CHECKPOINT_AFTER: Duration = Duration::from_secs(5);
/// Messages whose words go into the index at a time, some 5 ms of work.
const INDEX_BATCH: u32 = 250;
/// The pause between two batches of the index.
const INDEX_PAUSE: Duration = Duration::from_millis(20);
/// Commits between two looks at the log's length.
const LOOK_EVERY: u32 = 16;

/// What is still to be done for what was committed.
#[derive(Debug)]
pub(super) struct Tending {
    /// The time of the first commit that no checkpoint followed.
    dirty_since: Option<Time>,
    /// When the index of words goes on, if it is behind.
    index_at: Option<Time>,
    /// Commits since the log was last looked at.
    unlooked: u32,
    /// The log's length that is worth a checkpoint.
    checkpoint_at: u64,
}

impl Tending {
    /// Nothing is known of the file: its index may be behind.
    pub(super) fn new(now: Time) -> Tending {
        Tending {
            dirty_since: None,
            index_at: Some(now),
            unlooked: 0,
            checkpoint_at: LOG_PAGES,
        }
    }

    /// The file was opened anew.
    pub(super) fn on_reopened(&mut self, now: Time) {
        self.dirty_since = None;
        self.checkpoint_at = LOG_PAGES;
        self.index_at.get_or_insert(now);
    }

    /// So many messages were committed.
    pub(super) fn on_commit(&mut self, now: Time, count: usize) {
        self.unlooked += 1 + u32::try_from(count).unwrap_or(0) / LOOK_EVERY;
        self.dirty_since.get_or_insert(now);
        self.index_at.get_or_insert(now + INDEX_PAUSE);
    }

    /// When there is something to do although nothing happens.
    pub(super) fn next_wake(&self) -> Option<Time> {
        let checkpoint = self.dirty_since.map(|at| at + CHECKPOINT_AFTER);
        [checkpoint, self.index_at].into_iter().flatten().min()
    }

    /// Does what is due for the file, if one is open. The index waits while commits are behind.
    pub(super) fn tend(
        &mut self,
        now: Time,
        path: &Path,
        mut store: Option<&mut Store>,
        is_behind: bool,
    ) {
        self.index(now, path, store.as_deref_mut(), is_behind);
        self.checkpoint(now, path, store.as_deref());
    }

    /// Brings the index of words further, if it is time to.
    fn index(&mut self, now: Time, path: &Path, store: Option<&mut Store>, is_behind: bool) {
        let Some(store) = store.filter(|s| s.is_writable()) else {
            self.index_at = None;
            return;
        };
        if is_behind || self.index_at.is_none_or(|at| at > now) {
            return;
        }
        self.index_at = match store.index(INDEX_BATCH) {
            Ok(true) => Some(now + INDEX_PAUSE),
            Ok(false) => None,
            // Searching goes without. The next commit meets whatever it is, and says so.
            Err(e) => {
                let path = path.display();
                log::warn!("{path}: the words of messages are not indexed: {e}");
                None
            }
        };
        self.unlooked += LOOK_EVERY;
        self.dirty_since.get_or_insert(now);
    }

    /// Checkpoints if it is time to.
    fn checkpoint(&mut self, now: Time, path: &Path, store: Option<&Store>) {
        let (Some(store), Some(since)) = (store, self.dirty_since) else {
            return;
        };
        let is_old = now >= since + CHECKPOINT_AFTER;
        let is_long = self.unlooked >= LOOK_EVERY && {
            self.unlooked = 0;
            store.log_pages().is_ok_and(|n| n >= self.checkpoint_at)
        };
        if !is_old && !is_long {
            return;
        }
        self.dirty_since = None;
        if let Err(e) = store.checkpoint() {
            // The next commit meets whatever it is, and says so.
            return log::info!("{}: no checkpoint: {e}", path.display());
        }
        // A reader can keep some of the log from being emptied: that is no reason to try each turn.
        self.checkpoint_at = store.log_pages().unwrap_or(0) + LOG_PAGES;
    }
}
