//! A store that cannot be written to: what is wrong with it, and when it is tried again.
//!
//! Owns whether there is a trouble, and of which kind. It opens and writes no file, and tells the user nothing:
//! what it has for the user are words.

use std::time::Duration;

use crate::node::Time;
use crate::store::StoreError;

/// The pause between two attempts to store something while that fails.
const RETRY: Duration = Duration::from_secs(1);

/// Whether a store can be written to.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    met: Option<Met>,
}

/// Why it cannot.
#[derive(Clone, Copy, Debug)]
struct Met {
    retry_at: Time,
    /// The file has to be opened again.
    reopen: bool,
    /// It was moved or deleted, or has another name; nothing else was said yet.
    is_moved: bool,
}

impl Trouble {
    /// True while nothing can be stored.
    pub(super) fn is_met(&self) -> bool {
        self.met.is_some()
    }

    /// True if that is so because the file was moved.
    pub(super) fn is_of_a_move(&self) -> bool {
        self.met.is_some_and(|met| met.is_moved)
    }

    /// True if something may be stored, or tried to be, now.
    pub(super) fn may_try(&self, now: Time) -> bool {
        self.met.is_none_or(|met| met.retry_at <= now)
    }

    /// When it is tried again.
    pub(super) fn retry_at(&self) -> Option<Time> {
        self.met.map(|met| met.retry_at)
    }

    /// True if the file has to be opened again before it is tried.
    pub(super) fn wants_reopening(&self) -> bool {
        self.met.is_some_and(|met| met.reopen)
    }

    /// The file was opened again.
    pub(super) fn on_reopened(&mut self) {
        if let Some(met) = &mut self.met {
            met.reopen = false;
        }
    }

    /// True if the user has not been told of this.
    pub(super) fn is_new(&self, e: &StoreError) -> bool {
        self.met.is_none_or(|met| met.is_moved && !e.is_moved())
    }

    /// Nothing can be stored, for a while.
    pub(super) fn enter(&mut self, now: Time, e: &StoreError, is_open: bool) {
        // A file that was moved has a new one in its place at once, unless that goes on and on.
        let pause = match e.is_moved() && self.met.is_none() {
            true => Duration::ZERO,
            false => RETRY,
        };
        self.met = Some(Met {
            retry_at: now + pause,
            // A full disk needs no other descriptors, nor does a file with a second name; for whatever
            // else it is new ones may help.
            reopen: !matches!(e, StoreError::Later(_) | StoreError::Linked(_)) || !is_open,
            is_moved: e.is_moved(),
        });
    }

    /// It is over; true if there was one.
    pub(super) fn end(&mut self) -> bool {
        self.met.take().is_some()
    }
}

/// What the user is told of it.
pub(super) fn words(shown: &str, e: &StoreError) -> String {
    format!(
        "{shown}: nothing can be stored: {e}; the chat goes on in memory, and nothing is confirmed \
         until it is stored"
    )
}

/// What the user is told besides when it is over: `given_up` messages had no room in memory until then.
pub(super) fn without(given_up: u64) -> String {
    match given_up {
        0 => String::new(),
        1 => "; 1 message that came meanwhile is not in the file".to_owned(),
        n => format!("; {n} messages that came meanwhile are not in the file"),
    }
}
