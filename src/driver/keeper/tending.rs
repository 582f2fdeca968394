//! Tending the file: when a helper process brings the log into it, and the index of words further.
//!
//! Owns the times of both, and what becomes of the log. It stores no message. The words that it hands back
//! are for the user.
//!
//! Only a checkpoint waits for the disk, so a [`Helper`] makes it. One is started when [`LOG_PAGES`]
//! pages wait in the log, or [`TEND_AFTER`] after the first commit that no checkpoint followed. In the second
//! case it first brings the index of words further, which costs ten times as much as the commits, unless
//! messages wait to become rows (`rows`), since only rows have an index. Then the
//! log is held ([`Store::hold_log`]), and the helper checkpoints. When it has ended and nothing was committed
//! meanwhile, the log is cut to nothing.
//!
//! Where something is always committed meanwhile, the log grows. Past [`STORE_LOG_PAGES_MAX`] commits wait
//! for one checkpoint, so that it can be cut, as long as not much comes in. A disk too slow even for that is
//! said to be.

use std::time::Duration;

use crate::limits::{STORE_BATCH_MAX, STORE_LOG_PAGES_MAX};
use crate::node::Time;
use crate::store::{Reply, Store, StoreError};

use super::helper::Helper;
use super::space::Space;

/// Pages in the log that are worth a checkpoint.
const LOG_PAGES: u64 = 16_000;
/// How long a commit waits for a checkpoint to begin. What a power cut may cost is this, and the time
/// that a checkpoint takes.
const TEND_AFTER: Duration = Duration::from_secs(5);
/// Commits between two looks at the log's length.
const LOOK_EVERY: u32 = 16;
/// A log that may not have more pages than this is looked at after each commit.
const SHORT_LOG_PAGES: u64 = 4_096;
/// Pages of a log of which the user is told that the disk is too slow.
const LOG_PAGES_TOLD: u64 = 2 * STORE_LOG_PAGES_MAX;
/// The pause after a helper that failed.
const FAILED_PAUSE: Duration = Duration::from_secs(5);
const MIB_PAGES: u64 = 256;

/// How far a helper is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// None is at work.
    Idle,
    /// It works on the index of words, and may be in the way of a commit.
    Indexing,
    /// It checkpoints.
    Checkpointing,
}

/// What is still to be done for what was committed.
#[derive(Debug)]
pub(super) struct Tending {
    /// The time of the first commit that no checkpoint followed.
    dirty_since: Option<Time>,
    /// Commits since the log was last looked at.
    unlooked: u32,
    /// The pages that are worth a checkpoint wait in the log.
    is_long: bool,
    stage: Stage,
    /// Pages of a log that is long, and of one that is to be cut before anything else.
    long_pages: u64,
    most_pages: u64,
    /// How large a helper may make the file and the log.
    helper_limits: (u64, u64),
    /// The words of some messages are not in the index.
    is_unindexed: bool,
    /// Everything was in the file when a helper had ended, and the log was not cut since.
    is_log_done: bool,
    /// Commits wait until the log can be cut.
    is_holding: bool,
    /// After a failure: not before this time.
    not_before: Option<Time>,
    /// The last helper said what went wrong.
    failed: Option<StoreError>,
    is_failure_told: bool,
    is_slowness_told: bool,
}

impl Tending {
    /// Nothing is known of the file: its index may be behind, and its log full.
    pub(super) fn new(now: Time, space: &Space) -> Tending {
        let most_pages = space.log_pages();
        Tending {
            dirty_since: Some(now),
            unlooked: 0,
            is_long: false,
            stage: Stage::Idle,
            long_pages: LOG_PAGES.min(most_pages / 2),
            most_pages,
            helper_limits: space.helper_limits(),
            is_unindexed: false,
            is_log_done: false,
            is_holding: false,
            not_before: None,
            failed: None,
            is_failure_told: false,
            is_slowness_told: false,
        }
    }

    /// The file was opened anew.
    pub(super) fn on_reopened(&mut self, now: Time) {
        self.dirty_since.get_or_insert(now);
        (self.is_long, self.is_log_done, self.is_holding) = (false, false, false);
    }

    /// Before a commit: a log that is all in the file must be cut, before anything is added to it.
    pub(super) fn before_commit(&mut self, store: &Store) {
        if self.is_log_done && self.stage == Stage::Idle {
            // If it fails, what follows meets the same.
            self.is_log_done = !store.empty_log().unwrap_or(false);
        }
    }

    /// So many messages were committed.
    pub(super) fn on_commit(&mut self, now: Time, count: usize) {
        self.unlooked += 1 + u32::try_from(count).unwrap_or(0) / LOOK_EVERY;
        self.dirty_since.get_or_insert(now);
    }

    /// Nothing can be committed before the log is cut.
    pub(super) fn want_cut(&mut self) {
        self.is_holding |= self.stage == Stage::Idle;
    }

    /// True while commits wait for the log, `unstored` messages having come in meanwhile.
    pub(super) fn holds_commits(&self, unstored: usize) -> bool {
        self.is_holding && unstored < STORE_BATCH_MAX
    }

    /// True if a commit may have failed because a helper was in its way.
    pub(super) fn is_in_the_way(&self) -> bool {
        self.stage == Stage::Indexing
    }

    /// When there is something to do although nothing happens.
    pub(super) fn next_wake(&self, now: Time, store: &Store) -> Option<Time> {
        if self.stage != Stage::Idle {
            return None;
        }
        let due = self.dirty_since.map(|at| at + TEND_AFTER);
        let wants_words = self.is_unindexed && store.waiting_blocks() == 0;
        let due = due
            .filter(|_| !wants_words)
            .or(wants_words.then_some(now))?;
        Some(self.not_before.map_or(due, |at| at.max(due)))
    }

    /// Does what is due for the file, if one is open for writing. Nothing is begun while commits are
    /// behind, unless the log is long.
    pub(super) fn tend(
        &mut self,
        now: Time,
        helper: &mut Helper,
        store: Option<&Store>,
        is_behind: bool,
    ) -> Option<String> {
        let store = store.filter(|s| s.is_writable());
        if helper.is_running() {
            self.follow(now, helper, store);
        }
        let Some(store) = store else {
            self.dirty_since = None;
            return None;
        };
        self.look(store);
        if !helper.is_running() && self.is_due(now, store, is_behind) {
            self.begin(now, helper, store, is_behind);
        }
        self.words()
    }

    /// Looks at the log now and then.
    fn look(&mut self, store: &Store) {
        let is_short = self.most_pages <= SHORT_LOG_PAGES;
        if self.unlooked < if is_short { 1 } else { LOOK_EVERY } {
            return;
        }
        self.unlooked = 0;
        let length = store.log_length().unwrap_or_default();
        self.is_long = length.waiting >= self.long_pages;
        if length.pages >= LOG_PAGES_TOLD && !self.is_slowness_told && self.failed.is_none() {
            self.is_slowness_told = true;
            self.failed = Some(StoreError::Unusable(format!(
                "the disk is too slow, or somebody reads the file for long: its log has {} MiB",
                length.pages / MIB_PAGES
            )));
        }
    }

    fn is_due(&self, now: Time, store: &Store, is_behind: bool) -> bool {
        let may = self.not_before.is_none_or(|at| now >= at);
        let is_old = self.is_old(now) && !is_behind;
        may && (self.is_long
            || self.is_holding
            || is_old
            || self.wants_index(now, store, is_behind))
    }

    /// True if what was committed has waited for long.
    fn is_old(&self, now: Time) -> bool {
        self.dirty_since.is_some_and(|at| now >= at + TEND_AFTER)
    }

    /// True if it is also the time for the index of words, which goes behind commits that are behind, and
    /// messages that are no rows yet.
    fn wants_index(&self, now: Time, store: &Store, is_behind: bool) -> bool {
        let waits = is_behind || self.is_holding || store.waiting_blocks() > 0;
        (self.is_old(now) || self.is_unindexed) && !waits
    }

    /// True if a helper is wanted, whatever for, or at work: nothing is committed then that can wait.
    pub(super) fn is_wanted(&self) -> bool {
        self.stage != Stage::Idle || self.is_long || self.is_holding
    }

    /// Starts a helper.
    fn begin(&mut self, now: Time, helper: &mut Helper, store: &Store, is_behind: bool) {
        if !self.wants_index(now, store, is_behind) {
            if self.is_old(now) {
                (self.dirty_since, self.is_unindexed) = (None, true);
            }
            return self.begin_checkpoint(now, helper, store);
        }
        match helper.start(&store.tend_request(Some(self.helper_limits))) {
            Ok(()) => {
                self.stage = Stage::Indexing;
                (self.dirty_since, self.is_long, self.is_unindexed) = (None, false, false);
            }
            Err(e) => self.fail(now, no_process(&e)),
        }
    }

    /// Starts a helper that only checkpoints.
    pub(super) fn begin_checkpoint(&mut self, now: Time, helper: &mut Helper, store: &Store) {
        if let Err(e) = helper.start(&store.tend_request(None)) {
            return self.fail(now, no_process(&e));
        }
        self.is_long = false;
        self.let_checkpoint(now, helper, Some(store));
    }

    /// Takes in what a helper says, and its end.
    pub(super) fn follow(&mut self, now: Time, helper: &mut Helper, store: Option<&Store>) {
        for reply in helper.replies() {
            match reply {
                Reply::Indexed(more) => {
                    self.is_unindexed = more;
                    self.let_checkpoint(now, helper, store);
                }
                // Searching goes without.
                Reply::Unindexed(e) => {
                    log_unindexed(&e);
                    self.let_checkpoint(now, helper, store);
                }
                Reply::Checkpointed => {
                    self.not_before = None;
                    self.is_failure_told = false;
                    self.stage = Stage::Idle;
                }
                // The next commit meets that, and says so.
                Reply::Failed(e) if e.is_moved() => {
                    self.not_before = Some(now + FAILED_PAUSE);
                }
                Reply::Failed(e) => self.fail(now, e),
                _ => {}
            }
        }
        if helper.has_ended() {
            self.on_end(now, store);
        }
    }

    fn let_checkpoint(&mut self, now: Time, helper: &mut Helper, store: Option<&Store>) {
        match store.map(Store::hold_log) {
            Some(Ok(())) => {
                self.stage = Stage::Checkpointing;
                helper.go_on();
            }
            Some(Err(e)) => self.fail(now, e),
            // It was moved, or cannot be used any more.
            None => {}
        }
        helper.release();
    }

    /// A helper has ended.
    fn on_end(&mut self, now: Time, store: Option<&Store>) {
        if self.stage != Stage::Idle && self.not_before.is_none() {
            self.fail(
                now,
                StoreError::Unusable("the process for it was ended".into()),
            );
        }
        self.stage = Stage::Idle;
        let was_holding = std::mem::take(&mut self.is_holding);
        let Some(store) = store else {
            return;
        };
        store.release_log();
        let length = store.log_length().unwrap_or_default();
        self.is_log_done = length.pages > 0 && length.waiting == 0;
        self.before_commit(store);
        if length.waiting > 0 {
            self.dirty_since.get_or_insert(now);
        }
        let is_short = length.waiting == 0 || length.pages < self.most_pages;
        self.is_slowness_told &= !is_short;
        // Twice in a row it would be in vain: somebody may be reading the log.
        self.is_holding = !is_short && !was_holding && self.not_before.is_none();
    }

    /// It could not be done: that is said once, and it is tried again later.
    pub(super) fn fail(&mut self, now: Time, e: StoreError) {
        self.not_before = Some(now + FAILED_PAUSE);
        self.dirty_since.get_or_insert(now);
        if !std::mem::replace(&mut self.is_failure_told, true) {
            self.failed = Some(e);
        } else {
            log::info!("no checkpoint: {e}");
        }
    }

    /// What went wrong, the first time.
    fn words(&mut self) -> Option<String> {
        let e = self.failed.take()?;
        Some(format!(
            "what is stored stays in the log beside the file: {e}; it is tried again"
        ))
    }

    /// True if the file has everything, and nothing is left to do before it is closed.
    pub(super) fn is_done(&self, store: &Store) -> bool {
        self.stage == Stage::Idle && store.log_length().is_ok_and(|log| log.waiting == 0)
    }
}

fn no_process(e: &std::io::Error) -> StoreError {
    StoreError::Unusable(format!("no process can be started for it: {e}"))
}

/// What the disk refuses to the index of words it refuses to a commit or a checkpoint, too, of which the user is
/// told in words. Whatever else is wrong with the index, nobody else says.
fn log_unindexed(e: &StoreError) {
    let is_told = matches!(e, StoreError::Later(_) | StoreError::Unusable(_));
    let level = if is_told {
        log::Level::Debug
    } else {
        log::Level::Warn
    };
    log::log!(level, "the words of messages are not indexed: {e}");
}
