//! Waiting for causes: a message is taken in after its author's previous one and its dependencies.
//!
//! Owns the decision; what waits is kept in [`super::waiting`]. What is still missing when the SYNC
//! with the peer that sent a message has ended lay under a floor or died with its author, and counts
//! as satisfied: a node passes on only what it took in.
//!
//! Mostly a cause is on its way, on its own author's link, and all that it takes is to wait a moment:
//! the SYNC is for what waits longer.

use std::collections::BTreeSet;
use std::time::Duration;

use super::chat::causes;
use super::waiting::Waiter;
use super::{Key, LinkId, Node, Timer, Weakness};
use crate::wire::{ChatMessage, MessageId, Position};

/// How long a message waits for its causes to come by themselves.
const GAP_PATIENCE: Duration = Duration::from_millis(50);

impl Node {
    /// Live chat: each message is taken in, or waits for a cause.
    pub(super) fn on_chat(&mut self, link: LinkId, key: Key, messages: Vec<ChatMessage>) {
        self.heard_chat = self.now.time;
        if let Some(link) = self.links.get_mut(link) {
            link.chatted = self.now.time;
        }
        let mut rest = &messages[..];
        while let Some(first) = rest.first() {
            let length = self.run_length(rest);
            let (run, later) = rest.split_at(length.max(1));
            if length > 1 {
                self.on_live_run(link, key, run);
            } else {
                self.on_live(link, key, first);
            }
            rest = later;
        }
    }

    fn on_live_run(&mut self, link: LinkId, key: Key, run: &[ChatMessage]) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return;
        };
        match self.missing_cause(first) {
            Some(missing) => self.wait_for(missing, link, key, run),
            None => {
                self.take_in_run(run);
                self.release((first.id(), last.id()));
            }
        }
    }

    fn on_live(&mut self, link: LinkId, key: Key, message: &ChatMessage) {
        // Nobody else writes in this node's name.
        if message.origin() == self.config.key {
            return;
        }
        if self.history.is_settled(message.id()) {
            return self.chat.owe_ack(message.origin());
        }
        match self.missing_cause(message) {
            None => self.take_in_and_release(message),
            Some(missing) => self.wait_for(missing, link, key, std::slice::from_ref(message)),
        }
    }

    pub(super) fn missing_cause(&self, message: &ChatMessage) -> Option<MessageId> {
        if self.config.weakened == Some(Weakness::NoDependencyWait) {
            return None;
        }
        causes(message).find(|cause| !self.history.is_settled(*cause))
    }

    /// A run of new messages waits for a cause of its first one.
    pub(super) fn wait_for(
        &mut self,
        missing: MessageId,
        link: LinkId,
        key: Key,
        run: &[ChatMessage],
    ) {
        let waits = |first: &ChatMessage| self.waiting.gap_at(first.id()) < run.len() as u64;
        if run.first().is_none_or(waits) {
            return;
        }
        self.counters.waited += run.len() as u64;
        if !self.waiting.has_room_for(run) {
            // It comes with the SYNC.
            return self.want_sync(key, false);
        }
        self.waiting.insert(Waiter {
            run: run.to_vec(),
            link,
            missing,
            came_in: self.repair.last_begun(),
            since: self.now.time,
        });
        self.watch_gaps();
    }

    /// Something waits: it is looked at again when its patience ends.
    fn watch_gaps(&mut self) {
        if !self.gaps_are_watched {
            self.gaps_are_watched = true;
            self.set_timer(Timer::Gap, self.now.time + GAP_PATIENCE);
        }
    }

    /// A SYNC with each peer that sent something which has waited for so long.
    pub(super) fn on_gap_timer(&mut self) {
        self.gaps_are_watched = false;
        let overdue = self.waiting.iter().filter(|w| self.is_overdue(w));
        let links: BTreeSet<LinkId> = overdue.map(|w| w.link).collect();
        for link in links {
            if let Some(key) = self.links.get(link).and_then(|l| l.key) {
                self.want_sync(key, false);
            }
        }
        if self.waiting.len() > 0 {
            self.watch_gaps();
        }
    }

    /// True if this needs a SYNC with its sender.
    fn is_overdue(&self, waiter: &Waiter) -> bool {
        let waited = self.since(waiter.since);
        // What waits for something that waits itself shares its fate.
        if waited < GAP_PATIENCE || self.waiting.follows_waiter(waiter) {
            return false;
        }
        waited >= self.config.failure_timeout || !self.is_on_its_way(waiter.missing)
    }

    /// True if this message is still to come on its author's own link, which brings others before
    /// it. Where everybody talks at once, links are not equally fast; a SYNC would bring everything
    /// twice, and make the slow ones slower.
    fn is_on_its_way(&self, id: MessageId) -> bool {
        let link = self.links.to(id.origin);
        let flows = link.is_some_and(|l| self.since(l.chatted) < GAP_PATIENCE);
        let is_passed = self.waiting.holds_later_than(id);
        flows && self.history.highest(id.origin) < id.seq && !is_passed
    }

    /// Takes a message in, and then whatever waited for it.
    pub(super) fn take_in_and_release(&mut self, message: &ChatMessage) {
        self.take_in(message);
        self.waiting.take_out(message.id());
        self.release((message.id(), message.id()));
    }

    /// These of one author were taken in: so is whatever waited for them.
    fn release(&mut self, span: (MessageId, MessageId)) {
        let mut taken = vec![span];
        while let Some(span) = taken.pop().filter(|_| self.waiting.len() > 0) {
            for waiter in self.waiting.release(span) {
                match self.missing_cause(waiter.first()) {
                    Some(missing) => self.waiting.insert_again(waiter, missing),
                    None => {
                        self.take_in_waiter(&waiter);
                        taken.push(waiter.span());
                    }
                }
            }
        }
    }

    fn take_in_waiter(&mut self, waiter: &Waiter) {
        if waiter.run.len() > 1 && self.history.takes_run(waiter.first()) {
            return self.take_in_run(&waiter.run);
        }
        for message in &waiter.run {
            self.take_in(message);
        }
    }

    /// A SYNC has ended: what came on this link before it began waits no longer.
    pub(super) fn release_after_sync(&mut self, link: LinkId, sync: u64) {
        self.release_before(Position::END, link, sync);
    }

    /// A SYNC has come as far as this position: what waits before it waits no longer.
    pub(super) fn release_before(&mut self, position: Position, link: LinkId, sync: u64) {
        if self.waiting.len() == 0 {
            return;
        }
        for begin in self.waiting.due_at(position, link, sync) {
            let Some(waiter) = self.waiting.remove(begin.id()) else {
                continue;
            };
            // A cause that is here and waits itself is not missing.
            match self.waiting_cause(waiter.first()) {
                Some(missing) => self.waiting.insert(Waiter { missing, ..waiter }),
                None => {
                    self.take_in_waiter(&waiter);
                    self.release(waiter.span());
                }
            }
        }
    }

    /// A cause that waits as well. One that claims to be later than its effect is no cause.
    fn waiting_cause(&self, message: &ChatMessage) -> Option<MessageId> {
        let waits = |cause: &MessageId| {
            let cause = self.waiting.find(*cause);
            cause.is_some_and(|(_, cause)| cause.position() < message.position())
        };
        causes(message).find(waits)
    }

    /// What came on a link that is gone and still waits comes with a SYNC, if anybody took it in.
    pub(super) fn drop_waiting_of(&mut self, link: LinkId) {
        // What waits for one of those waits for the next SYNC with its own sender.
        let links = self.waiting.drop_of(link);
        for link in links {
            if let Some(key) = self.links.get(link).and_then(|l| l.key) {
                self.want_sync(key, false);
            }
        }
    }

    /// True if something that came on this link waits for what a SYNC on this link decides.
    pub(super) fn waits_on(&self, link: LinkId) -> bool {
        self.waiting.gaps().any(|w| w.link == link)
    }

    /// The same of what has waited so long that it needs the SYNC.
    pub(super) fn is_overdue_on(&self, link: LinkId) -> bool {
        let mut waiters = self.waiting.iter();
        waiters.any(|w| w.link == link && self.is_overdue(w))
    }
}

#[cfg(test)]
#[path = "causality_test.rs"]
mod tests;
