//! Leaving in good order: what was said is confirmed first, then LEAVE goes behind it.
//!
//! A leaver answers no ELECTION and never announces itself.

use std::time::Duration;

use super::{Class, Close, Effect, Event, Key, Node, Standing, Time, Timer, Weakness};
use crate::wire::Message;

/// A wish to leave, while what was said is not yet confirmed.
#[derive(Debug)]
pub(super) struct Leaving {
    /// When it leaves whatever is not confirmed.
    until: Time,
    /// Since when nothing of its own holds it any more.
    ready: Option<Time>,
}

/// A leaver stays while chat comes in without such a pause: somebody who leaves at the same time
/// may have nobody else to confirm it.
const QUIET: Duration = Duration::from_millis(50);
/// But not longer than this: in some rooms somebody always speaks.
const QUIET_WAIT_MAX: Duration = Duration::from_millis(100);

impl Node {
    pub(super) fn start_leaving(&mut self, patience: Duration) {
        let until = self.now.time + patience;
        self.leaving = Some(Leaving { until, ready: None });
        self.set_timer(Timer::Leave, until);
    }

    pub(super) fn on_leave_timer(&mut self) {
        // An earlier time is only a look at whether all is quiet, at the end of the turn.
        if self
            .leaving
            .as_ref()
            .is_some_and(|l| self.now.time >= l.until)
        {
            self.leave_now();
        }
    }

    /// At the end of a turn: leaves once everything is confirmed, or cannot be any more.
    pub(super) fn step_leaving(&mut self) {
        let Some(Leaving { until, ready }) = self.leaving else {
            return;
        };
        let waits_for_room = !self.joined && self.chat.unsent_lines() > 0;
        if waits_for_room || (self.undelivered() > 0 && !self.is_hopeless()) {
            return;
        }
        let ready = Some(ready.unwrap_or(self.now.time));
        self.leaving = Some(Leaving { until, ready });
        let quiet = self.heard_chat + QUIET;
        let patience = ready.map_or(until, |at| until.min(at + QUIET_WAIT_MAX));
        if self.now.time >= quiet.min(patience) {
            return self.leave_now();
        }
        self.set_timer(Timer::Leave, quiet.min(patience));
    }

    fn leave_now(&mut self) {
        let class = match self.config.weakened {
            Some(Weakness::LeaveBeforeChat) => Class::Control,
            _ => Class::Chat,
        };
        let links = self.links.all_open();
        self.send_many(links.clone(), class, Message::Leave);
        for link in links {
            let how = Close::Graceful;
            self.out.push(Effect::Close { link, how });
        }
        let (unconfirmed, missed) = (self.undelivered(), self.missed_by());
        self.show(Event::Left {
            confirmed: unconfirmed == 0 && missed.is_empty(),
            unconfirmed,
            missing: self.unconfirmed_by(),
            missed,
        });
        self.standing = Standing::Gone;
    }

    pub(super) fn on_leave(&mut self, key: Key) {
        self.left.insert(key, self.now.time);
        self.note_silent(key);
        self.delivery.recheck();
        self.part_with(key, "the coordinator left");
    }

    /// A peer's process has ended: its port refuses.
    pub(super) fn on_died(&mut self, key: Key) {
        self.dead.insert(key, self.now.time);
        self.note_silent(key);
        self.delivery.recheck();
        self.part_with(key, "the coordinator's process ended");
        self.forget_if_stranger(key);
    }

    /// A peer has left, or its process has ended: what that means depends on who it was.
    pub(super) fn part_with(&mut self, key: Key, reason: &str) {
        if self.asking.as_ref().is_some_and(|a| a.target.key == key) {
            self.stop_asking();
        }
        match &self.standing {
            Standing::Coordinator(_) => self.lose_member(key),
            Standing::Member if self.coordinator.as_ref().is_some_and(|c| c.key == key) => {
                self.lose_coordinator(reason);
            }
            Standing::Seeking(_) => self.forget_group(key),
            Standing::Electing(_) => self.recheck_election(),
            _ => {}
        }
    }
}
