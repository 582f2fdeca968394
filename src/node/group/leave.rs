//! Leaving in good order: what was said is confirmed first, then LEAVE goes behind it.
//!
//! Owns how far this node is on its way out. A node that leaves answers no ELECTION and never announces
//! itself.

use std::time::Duration;

use super::{Group, Parts, Standing};
use crate::node::{Class, Close, Effect, Event, Time, Timer, Weakness};
use crate::timing;
use crate::wire::{Key, Message};

/// A wish to leave, while what was said is not yet confirmed.
#[derive(Debug)]
pub(super) struct Leaving {
    /// When it leaves whatever is not confirmed.
    until: Time,
    /// Since when nothing of its own holds it any more.
    ready: Option<Time>,
}

impl Group {
    pub(in crate::node) fn start_leaving(&mut self, parts: &mut Parts<'_>, patience: Duration) {
        let until = parts.cx.now.time + patience;
        self.leaving = Some(Leaving { until, ready: None });
        parts.cx.set_timer(Timer::Leave, until);
    }

    /// True while this node leaves without a coordinator. It elects none, and whoever else is there may be leaving,
    /// too: no view may ever come that is without those who are gone.
    pub(in crate::node) fn awaits_no_view(&self) -> bool {
        self.leaving.is_some() && self.coordinator.is_none()
    }

    pub(super) fn on_leave_timer(&mut self, parts: &mut Parts<'_>) {
        // An earlier time is only a look at whether all is quiet, at the end of the turn.
        if self
            .leaving
            .as_ref()
            .is_some_and(|l| parts.cx.now.time >= l.until)
        {
            self.leave_now(parts);
        }
    }

    /// At the end of a turn: leaves once everything is confirmed, or cannot be any more.
    pub(in crate::node) fn step_leaving(&mut self, parts: &mut Parts<'_>) {
        let Some(Leaving { until, ready }) = self.leaving else {
            return;
        };
        let waits_for_room = !parts.talk.has_joined() && parts.talk.unsent_lines() > 0;
        let waits_for_words = parts.talk.undelivered() > 0 && !self.is_hopeless(parts);
        // Who was lost a moment ago may be back in another.
        if waits_for_room || waits_for_words || parts.talk.awaits_lost(parts.cx, parts.mesh) {
            if ready.is_some() {
                self.leaving = Some(Leaving { until, ready: None });
                parts.cx.set_timer(Timer::Leave, until);
            }
            return;
        }
        let ready = Some(ready.unwrap_or(parts.cx.now.time));
        self.leaving = Some(Leaving { until, ready });
        let quiet = parts.talk.heard_chat() + timing::LEAVE_QUIET;
        let patience = ready.map_or(until, |at| until.min(at + timing::LEAVE_QUIET_MAX));
        if parts.cx.now.time >= quiet.min(patience) {
            return self.leave_now(parts);
        }
        parts.cx.set_timer(Timer::Leave, quiet.min(patience));
    }

    /// True if nobody who could confirm what is undelivered is in the room any more.
    fn is_hopeless(&self, parts: &mut Parts<'_>) -> bool {
        let (talk, lent) = self.talk(parts);
        talk.is_hopeless(&lent)
    }

    fn leave_now(&mut self, parts: &mut Parts<'_>) {
        let class = if parts.cx.is_weakened(Weakness::LeaveBeforeChat) {
            Class::Control
        } else {
            Class::Chat
        };
        let links = parts.mesh.all_open();
        parts.cx.send_many(links.clone(), class, Message::Leave);
        for link in links {
            let how = Close::Graceful;
            parts.cx.out.push(Effect::Close { link, how });
        }
        let missing = parts.talk.unconfirmed_by(&self.roster, parts.mesh);
        let (unconfirmed, missed) = (parts.talk.undelivered(), parts.talk.missed_by());
        let lost = parts.talk.unheard_of(&self.roster, parts.mesh);
        parts.cx.show(Event::Left {
            confirmed: unconfirmed == 0 && !parts.talk.has_been_missed(),
            unconfirmed,
            missing,
            missed,
            lost,
        });
        self.enter(parts.cx, Standing::Gone, "it has left");
    }

    pub(in crate::node) fn on_leave(&mut self, parts: &mut Parts<'_>, key: Key) {
        parts.mesh.note_left(parts.cx, key);
        parts.cx.note_lost(key, "it said that it leaves");
        let (talk, mut lent) = self.talk(parts);
        talk.note_silent(&mut lent, key);
        parts.talk.recheck_delivery();
        self.part_with(parts, key, "the coordinator left");
    }

    /// A peer's process has ended: its port refuses.
    pub(in crate::node) fn on_died(&mut self, parts: &mut Parts<'_>, key: Key) {
        parts.mesh.note_dead(parts.cx, key);
        parts
            .cx
            .note_lost(key, "its process ended: its port refuses");
        let (talk, mut lent) = self.talk(parts);
        talk.note_silent(&mut lent, key);
        parts.talk.recheck_delivery();
        self.part_with(parts, key, "the coordinator's process ended");
        parts.mesh.forget_if_stranger(key, self);
    }

    /// A peer has left, or its process has ended: what that means depends on who it was.
    pub(super) fn part_with(&mut self, parts: &mut Parts<'_>, key: Key, reason: &str) {
        if self.asks(key) {
            self.stop_asking(parts);
        }
        match &self.standing {
            Standing::Coordinator(_) => self.lose_member(parts, key),
            Standing::Member if self.coordinator.as_ref().is_some_and(|c| c.key == key) => {
                self.lose_coordinator(parts, reason);
            }
            Standing::Seeking(_) => self.forget_group(parts, key),
            Standing::Electing(_) => self.recheck_election(parts),
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "leave_test.rs"]
mod tests;
