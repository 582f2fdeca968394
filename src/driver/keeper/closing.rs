//! The end of a store: the log is brought into the file once more, if the disk does that soon.
//!
//! Owns what is open until then, and until when that is waited for. If the disk is too slow, or the log so long
//! that few disks were fast enough, it stays beside the file; whoever opens the file next takes it up, and
//! nothing is lost.

use crate::node::Time;
use crate::store::StoreError;
use crate::timing;

use super::files::Files;
use super::helper::Helper;
use super::tending::Tending;

/// Pages of 4 KiB in a log that is brought into the file at the end: with more of them most disks would still be
/// at it when the time is over, which was waited for in vain then.
const LAST_PAGES_MAX: u64 = 8_000;

/// A store that is being closed.
#[derive(Debug)]
pub(in crate::driver) struct Closing {
    files: Files,
    tending: Tending,
    helper: Helper,
    until: Time,
    /// The last checkpoint was begun, or the log is too long for one.
    is_begun: bool,
}

impl Closing {
    /// Nothing more is committed.
    pub(super) fn new(now: Time, files: Files, tending: Tending, mut helper: Helper) -> Closing {
        if tending.is_in_the_way() {
            // The index of words can wait.
            helper.go_on();
        }
        Closing {
            files,
            tending,
            helper,
            until: now + timing::FAREWELL_STORE,
            is_begun: false,
        }
    }

    /// Goes on; the result is until when there is something to wait for.
    pub(in crate::driver) fn step(&mut self, now: Time) -> Option<Time> {
        let store = self.files.store().filter(|store| store.is_writable());
        if let Some(store) = store.filter(|_| now < self.until) {
            // Whatever woke the loop: reading what is not there costs little.
            self.helper.on_event();
            self.tending.follow(now, &mut self.helper, Some(store));
            if !self.helper.is_running() && !self.is_begun && !self.tending.is_done(store) {
                self.is_begun = true;
                if store
                    .log_length()
                    .is_ok_and(|log| log.waiting <= LAST_PAGES_MAX)
                {
                    (self.tending).begin_checkpoint(now, &mut self.helper, store);
                }
            }
            if self.helper.is_running() {
                let again = self.helper.next_wake(now);
                return Some(again.map_or(self.until, |at| at.min(self.until)));
            }
        }
        self.files.close();
        None
    }
}

/// What was not stored, in words for the user; none if nothing is left.
pub(super) fn unstored(shown: &str, count: u64, why: &StoreError) -> Option<String> {
    let left = match count {
        0 => return None,
        1 => "1 message is".to_owned(),
        n => format!("{n} messages are"),
    };
    Some(format!("{shown}: {left} not stored: {why}"))
}
