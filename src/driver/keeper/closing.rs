//! The end of a store: the log is brought into the file once more, if the disk does that soon.
//!
//! Owns what is open until then, and until when that is waited for. If the disk is too slow the log stays
//! beside the file; whoever opens the file next takes it up, and nothing is lost.

use crate::node::Time;
use crate::timing;

use super::files::Files;
use super::helper::Helper;
use super::tending::Tending;

/// A store that is being closed.
#[derive(Debug)]
pub(in crate::driver) struct Closing {
    files: Files,
    tending: Tending,
    helper: Helper,
    until: Time,
    /// The last checkpoint was begun.
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
                (self.tending).begin_checkpoint(now, &mut self.helper, store);
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
