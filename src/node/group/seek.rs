//! The search of a node that never had an id: for how long it looks, and which group it has heard of.
//!
//! Owns the discovery window and what was heard in it. It sends nothing, and does not found the room
//! when the window is over: that is for `join` to do.

use std::time::Duration;

use crate::node::Time;
use crate::timing;
use crate::wire::{Coordinator, Key};

/// The search of a node that never had an id.
#[derive(Debug)]
pub(super) struct Seek {
    attempt: u64,
    asked_first: Time,
    /// Until when those who name the group have paid for the time.
    charged: Time,
    window_end: Time,
    /// The window was made longer for a rival.
    extended: bool,
    /// The group that it has heard of, and when it last did.
    heard: Option<(Coordinator, Time)>,
    /// It has looked for others' groups in vain for so long that what is only heard counts no more.
    is_last: bool,
}

impl Seek {
    /// A search that begins now.
    pub(super) fn new(now: Time) -> Seek {
        Seek {
            attempt: 0,
            asked_first: now,
            charged: now,
            window_end: now + timing::DISCOVERY_WINDOW,
            extended: false,
            heard: None,
            is_last: false,
        }
    }

    /// The coordinator of the group that it has heard of.
    pub(super) fn heard(&self) -> Option<&Coordinator> {
        self.heard.as_ref().map(|(coordinator, _)| coordinator)
    }

    /// True if it has heard of a group with this coordinator.
    pub(super) fn has_heard_of(&self, key: Key) -> bool {
        self.heard().is_some_and(|c| c.key == key)
    }

    /// Somebody says now that there is a group. True if nobody said so of this coordinator before; none
    /// if a group with a higher claim is known.
    pub(super) fn hear(&mut self, told: &Coordinator, now: Time) -> Option<bool> {
        if self.heard().is_some_and(|c| c.claim() > told.claim()) {
            return None;
        }
        let is_new = !self.has_heard_of(told.key);
        self.heard = Some((told.clone(), now));
        Some(is_new)
    }

    /// There is no group with this coordinator; false if it was not the one that was heard of.
    pub(super) fn forget(&mut self, key: Key) -> bool {
        self.heard.take_if(|(c, _)| c.key == key).is_some()
    }

    /// A group of which nobody has said anything for so long is not counted on any more.
    pub(super) fn forget_unheard(&mut self, now: Time, patience: Duration) {
        self.heard.take_if(|(_, at)| now.since(*at) >= patience);
    }

    /// For how long it has been looking.
    pub(super) fn age(&self, now: Time) -> Duration {
        now.since(self.asked_first)
    }

    /// For how long it has been looking since this was last asked for.
    pub(super) fn take_uncharged(&mut self, now: Time) -> Duration {
        let since = std::mem::replace(&mut self.charged, now);
        now.since(since)
    }

    /// How long the window is still open.
    pub(super) fn left(&self, now: Time) -> Duration {
        self.window_end.since(now)
    }

    /// It looks as if it began now; the window ends then.
    pub(super) fn begin_again(&mut self, now: Time, end: Time) {
        self.asked_first = now;
        self.window_end = end;
        self.is_last = false;
    }

    /// Whoever it has heard of is not reached: it looks once more, for groups that a link confirms and for
    /// rivals, until then.
    pub(super) fn look_for_the_last_time(&mut self, end: Time) {
        self.heard = None;
        self.is_last = true;
        self.look_anew_until(end);
    }

    /// It looks for the last time, and what is only heard does not count.
    pub(super) fn is_last(&self) -> bool {
        self.is_last
    }

    /// The window does not end before then.
    pub(super) fn look_at_least_until(&mut self, end: Time) {
        self.window_end = self.window_end.max(end);
    }

    /// The window ends then, and a rival may make it longer, as it may in a search that begins.
    pub(super) fn look_anew_until(&mut self, end: Time) {
        self.window_end = end;
        self.extended = false;
    }

    /// A rival with a higher key looks for the room too: it is given one more window, once.
    pub(super) fn extend(&mut self) {
        if !self.extended {
            self.extended = true;
            self.window_end = self.window_end + timing::DISCOVERY_WINDOW;
        }
    }

    /// How often it has asked again.
    pub(super) fn attempt(&self) -> u64 {
        self.attempt
    }

    /// It asks once more; returns how often it has asked again by that.
    pub(super) fn next_attempt(&mut self) -> u64 {
        self.attempt += 1;
        self.attempt
    }
}
