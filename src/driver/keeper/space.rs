//! How much of the disk the store may take (`--store-max`), and what is done when it has that.
//!
//! Owns the limit and how much of it is taken. It deletes nothing itself: [`Store::drop_oldest`] does that, when
//! this says that it is time. The words that it hands back are for the user.
//!
//! The limit is for the file and its log together. A part of it is the log's ([`LOG_PART`]); the file grows up to
//! the rest, and then the oldest messages are deleted, a step in a turn, so that what is stored next has room in
//! the pages that become free. What is stored at a time is small against the limit, and there is always
//! room for the next of it. While the log has no room a commit waits until a helper has checkpointed and the log
//! is cut; if too much waits for that, nothing more is taken in from peers and stdin.
//!
//! A file that is larger when papo starts is made to fit before it is opened ([`Space::limits_at_start`]). One that
//! could not be, or that somebody put in its place since, does not grow, while its oldest messages go: it is made
//! smaller at the next start. The default deletes nothing so: a file that is larger keeps its size, since its user may
//! have left the option out by mistake.

use std::time::Duration;

use crate::limits::{
    STORE_BATCH_BYTES_MAX, STORE_BYTES_DEFAULT, STORE_BYTES_MIN, STORE_LOG_PAGES_MAX,
};
use crate::node::Time;
use crate::store::{DiskUse, SizeLimits, Store, StoreError};

/// The part of the limit that is the log's: one of so many, or as much as a log may have anyway.
const LOG_PART: u64 = 4;
/// Bytes of a page, and of its frame in the log.
const PAGE: u64 = 4_096;
/// One commit is so many times smaller than the limit, at least.
const BATCHES: u64 = 32;
/// Of what one commit brings, so many times as much is added to the file or to the log.
const GROWTH: u64 = 3;
/// The pause after deleting has failed.
const FAILED_PAUSE: Duration = Duration::from_secs(1);

/// What the user was told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Told {
    Nothing,
    /// It is nearly full.
    Nearly,
    /// The oldest go.
    Full,
}

/// The limit, and what is taken of it.
#[derive(Debug)]
pub(super) struct Space {
    max: u64,
    /// A file that is found larger keeps its size.
    keeps_larger: bool,
    /// How large the file may become.
    file_max: u64,
    taken: DiskUse,
    /// Something was written since it was last looked how much is taken.
    is_stale: bool,
    told: Told,
    /// After a failure: not before this time.
    not_before: Option<Time>,
}

impl Space {
    /// So many bytes are allowed.
    pub(super) fn new(max: u64) -> Space {
        let max = max.max(STORE_BYTES_MIN);
        Space {
            max,
            keeps_larger: max == STORE_BYTES_DEFAULT,
            file_max: max - log_part(max),
            taken: DiskUse::default(),
            is_stale: true,
            told: Told::Nothing,
            not_before: None,
        }
    }

    /// Bytes of messages in one commit, at most.
    pub(super) fn batch_bytes(&self) -> usize {
        let bytes = usize::try_from(self.max / BATCHES).unwrap_or(usize::MAX);
        bytes.min(STORE_BATCH_BYTES_MAX)
    }

    fn growth(&self) -> u64 {
        GROWTH * self.batch_bytes() as u64
    }

    /// Pages in the log at which a commit waits for a checkpoint, as long as that is not in vain.
    pub(super) fn log_pages(&self) -> u64 {
        (log_part(self.max).saturating_sub(self.growth()) / PAGE).min(STORE_LOG_PAGES_MAX)
    }

    /// How large a helper may make the file and its log, in bytes.
    pub(super) fn helper_limits(&self) -> (u64, u64) {
        (self.file_max, log_part(self.max) / 2)
    }

    /// The file or its log may take more, or less, from now on.
    pub(super) fn on_written(&mut self) {
        self.is_stale = true;
    }

    /// Looks how much is taken, if that may have changed: it costs as much as a commit of some messages.
    pub(super) fn look(&mut self, store: &Store) {
        if !self.is_stale {
            return;
        }
        let Ok(taken) = store.disk_use() else {
            return;
        };
        (self.taken, self.is_stale) = (taken, false);
        if std::mem::take(&mut self.keeps_larger) {
            self.file_max = self.file_max.max(taken.file);
        }
    }

    /// What a file may take when it is opened. One that is larger by no more than what one commit adds is left
    /// alone: what the index of words adds cannot be told to the page, and to write a large file anew takes long.
    pub(super) fn limits_at_start(&self) -> SizeLimits {
        let (file, used) = match self.keeps_larger {
            true => (u64::MAX, u64::MAX),
            false => (self.file_max.saturating_add(self.growth()), self.enough()),
        };
        let log = log_part(self.max);
        SizeLimits { file, used, log }
    }

    /// What may be in use of the file before the oldest go.
    pub(super) fn enough(&self) -> u64 {
        self.file_max.saturating_sub(self.growth())
    }

    /// True if the oldest messages are to go.
    pub(super) fn is_over(&self) -> bool {
        self.taken.used > self.enough()
    }

    /// True if the file would grow beyond what it may take, or beyond what it takes already, by what is stored next.
    pub(super) fn is_full(&self) -> bool {
        self.taken.used.saturating_add(self.growth()) > self.file_max.max(self.taken.file)
    }

    /// True if the log has room for what is written next.
    pub(super) fn has_log_room(&self) -> bool {
        let log = self.taken.log + self.growth();
        let all = self.file_max.saturating_add(log_part(self.max));
        log <= log_part(self.max) || self.taken.file.saturating_add(log) <= all
    }

    /// When the oldest are to go, if they are.
    pub(super) fn next_wake(&self, now: Time) -> Option<Time> {
        let is_due = self.is_over() && self.has_log_room();
        is_due.then(|| self.not_before.map_or(now, |at| at.max(now)))
    }

    /// What came of deleting the oldest.
    pub(super) fn note(&mut self, now: Time, result: Result<(), StoreError>) {
        self.is_stale = true;
        self.not_before = result.err().map(|e| {
            log::info!("the oldest messages stay: {e}");
            now + FAILED_PAUSE
        });
    }

    /// The limit as the option takes it.
    pub(super) fn max_text(&self) -> String {
        size_text(self.max)
    }

    /// The oldest messages are deleted before the file is opened; what the user is told of it. The other words are
    /// not needed any more then.
    pub(super) fn words_at_start(&mut self) -> String {
        self.told = Told::Full;
        format!(
            "it is larger than it may become (--store-max {max}): its oldest messages are deleted until it fits; give \
             a larger --store-max to keep more",
            max = self.max_text()
        )
    }

    /// What the user is to be told, once each.
    pub(super) fn words(&mut self) -> Option<String> {
        let state = if self.is_over() {
            Told::Full
        } else if self.taken.used > self.enough() / 10 * 9 {
            Told::Nearly
        } else {
            Told::Nothing
        };
        if state <= self.told {
            return None;
        }
        self.told = state;
        let max = self.max_text();
        Some(match state {
            Told::Full => format!(
                "it is as large as it may become (--store-max {max}): from now on the oldest messages are \
                 deleted to make room; give a larger --store-max to keep more"
            ),
            _ => format!(
                "nine tenths of --store-max {max} are full: at the limit the oldest messages will be deleted; \
                 give a larger --store-max to keep them"
            ),
        })
    }
}

fn log_part(max: u64) -> u64 {
    (max / LOG_PART).min(STORE_LOG_PAGES_MAX * PAGE)
}

/// A size as the option takes it.
fn size_text(bytes: u64) -> String {
    let units = [(30, "G"), (20, "M"), (10, "K")];
    let unit = units
        .iter()
        .find(|(bits, _)| bytes.trailing_zeros() >= *bits);
    unit.map_or(bytes.to_string(), |(bits, name)| {
        format!("{}{name}", bytes >> bits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_a_commit_when_nothing_is_to_go_and_the_log_is_cut() {
        for max in [0, 1 << 20, 2 << 20, 100 << 20, 4 << 30, u64::MAX] {
            let mut space = Space::new(max);
            space.taken.used = space.enough();
            space.taken.file = space.file_max;
            assert!(!space.is_over() && space.has_log_room(), "{max}");
            assert!(space.taken.used + space.growth() <= space.file_max, "{max}");
            assert!(
                space.log_pages() * PAGE + space.growth() <= log_part(space.max),
                "{max}"
            );
            assert!(space.log_pages() > 0 && space.batch_bytes() > 0, "{max}");
        }
    }

    #[test]
    fn a_file_that_is_larger_does_not_grow_and_takes_more_while_its_oldest_go() {
        let mut space = Space::new(1 << 20);
        let file = 10 << 20;
        space.taken = DiskUse {
            file,
            used: file,
            log: 0,
        };
        assert!(space.is_over() && space.is_full() && space.has_log_room());
        space.taken.used = file - space.growth();
        assert!(space.is_over() && !space.is_full());
        let limits = space.limits_at_start();
        assert!(limits.file < 1 << 20 && limits.used < limits.file && limits.log < limits.file);
    }

    #[test]
    fn the_default_deletes_nothing_of_a_file_that_is_larger() {
        let given = Space::new(STORE_BYTES_DEFAULT - 1).limits_at_start();
        assert!(given.file < STORE_BYTES_DEFAULT);
        let left_out = Space::new(STORE_BYTES_DEFAULT).limits_at_start();
        assert_eq!(left_out.file, u64::MAX);
    }

    #[test]
    fn the_user_is_told_once_that_it_is_nearly_full_and_once_that_it_is_full() {
        let mut space = Space::new(2 << 20);
        assert_eq!(space.words(), None);
        space.taken.used = space.enough() / 10 * 9 + 1;
        assert!(
            space
                .words()
                .is_some_and(|w| w.starts_with("nine tenths of --store-max 2M"))
        );
        assert_eq!(space.words(), None);
        space.taken.used = space.enough() + 1;
        assert!(
            space
                .words()
                .is_some_and(|w| w.contains("the oldest messages are deleted"))
        );
        space.taken.used = 0;
        assert_eq!(space.words(), None);
        space.taken.used = space.enough() + 1;
        assert_eq!(space.words(), None);
    }

    #[test]
    fn sizes_read_as_they_are_given() {
        let sizes = [
            (1 << 30, "1G"),
            (2 << 20, "2M"),
            (1_536 << 10, "1536K"),
            (7, "7"),
        ];
        for (bytes, text) in sizes {
            assert_eq!(size_text(bytes), text);
        }
    }
}
