//! Waiting for causes: a message is taken in after its author's previous one and its dependencies.
//!
//! Owns the messages that wait. What is still missing when the SYNC with the peer that sent a
//! message has ended lay under a floor or died with its author, and counts as satisfied: a node
//! passes on only what it took in.
//!
//! Mostly a cause is on its way, on its own author's link, and all that it takes is to wait a moment:
//! the SYNC is for what waits longer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::chat::causes;
use super::{Key, LinkId, Node, Time, Timer, Weakness};
use crate::limits;
use crate::wire::{ChatMessage, MessageId, Position};

/// How long a message waits for its causes to come by themselves.
const GAP_PATIENCE: Duration = Duration::from_millis(50);

#[derive(Debug)]
struct Waiter {
    message: ChatMessage,
    /// The link that it came on.
    link: LinkId,
    /// One of its causes that is missing.
    missing: MessageId,
    /// The last SYNC that had begun when it came: a later one, with its sender, decides.
    came_in: u64,
    /// When it came.
    since: Time,
}

/// The messages that wait for a cause.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    waiters: BTreeMap<MessageId, Waiter>,
    /// Who waits for what.
    on: BTreeMap<MessageId, Vec<MessageId>>,
    /// Where they belong in the total order, by the link and the SYNC before which they came.
    positions: BTreeMap<(LinkId, u64), BTreeSet<Position>>,
    bytes: usize,
    /// How often something came to wait for something else than before, or lost what it waited for.
    shifts: u64,
    /// How far the last look for what waits no longer came, and `shifts` then.
    swept: Option<Sweep>,
    /// `Timer::Gap` is set.
    is_watched: bool,
}

/// Up to this position, nothing that came on this link before this SYNC can be taken in.
#[derive(Clone, Copy, Debug)]
struct Sweep {
    link: LinkId,
    sync: u64,
    position: Position,
    shifts: u64,
}

impl Waiting {
    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    fn has_room_for(&self, message: &ChatMessage) -> bool {
        self.waiters.len() < limits::WAITING_MAX
            && self.bytes + message.size_bound() <= limits::WAITING_BYTES_MAX
    }

    fn insert(&mut self, waiter: Waiter) {
        let id = waiter.message.id();
        self.bytes += waiter.message.size_bound();
        let group = (waiter.link, waiter.came_in);
        let position = waiter.message.position();
        self.positions.entry(group).or_default().insert(position);
        self.on.entry(waiter.missing).or_default().push(id);
        self.waiters.insert(id, waiter);
    }

    fn remove(&mut self, id: MessageId) -> Option<Waiter> {
        let waiter = self.waiters.remove(&id)?;
        self.bytes -= waiter.message.size_bound();
        let group = (waiter.link, waiter.came_in);
        if let Some(positions) = self.positions.get_mut(&group) {
            positions.remove(&waiter.message.position());
            if positions.is_empty() {
                self.positions.remove(&group);
            }
        }
        if let Some(ids) = self.on.get_mut(&waiter.missing) {
            ids.retain(|i| *i != id);
            if ids.is_empty() {
                self.on.remove(&waiter.missing);
            }
        }
        Some(waiter)
    }

    /// What waits for a cause that a SYNC with its sender decides about: not what waits for
    /// something that came on another link and waits itself.
    fn gaps(&self) -> impl Iterator<Item = &Waiter> {
        self.waiters.values().filter(|w| !self.waits_elsewhere(w))
    }

    /// Waits for something that came on another link and waits itself.
    fn waits_elsewhere(&self, waiter: &Waiter) -> bool {
        let cause = self.waiters.get(&waiter.missing);
        cause.is_some_and(|cause| cause.link != waiter.link)
    }

    /// Waits for something that waits itself: on another link, or longer on the same one. (What
    /// claims to be later than its effect is a liar's, and may wait for that.)
    fn follows_waiter(&self, waiter: &Waiter) -> bool {
        let cause = self.waiters.get(&waiter.missing);
        cause.is_some_and(|cause| {
            let earlier = cause.message.position() < waiter.message.position();
            cause.link != waiter.link || (cause.since <= waiter.since && earlier)
        })
    }

    /// From where on a look is needed for what waits no longer: what was looked at before waits for
    /// something that waits, and goes with that. Thousands may wait, and a chunk has hundreds.
    fn sweep_from(&mut self, position: Position, link: LinkId, sync: u64) -> Position {
        let shifts = self.shifts;
        let before = self.swept.replace(Sweep {
            link,
            sync,
            position,
            shifts,
        });
        let same = |s: &Sweep| {
            (s.link, s.sync, s.shifts) == (link, sync, shifts) && s.position <= position
        };
        let is_end = position == super::sync::END;
        let before = before.filter(same).filter(|_| !is_end);
        before.map_or(Position::default(), |s| s.position)
    }

    fn remove_all(&mut self, ids: Vec<MessageId>) -> Vec<Waiter> {
        ids.into_iter().filter_map(|id| self.remove(id)).collect()
    }
}

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
                self.take_in_run(run);
            } else {
                self.on_live(link, key, first);
            }
            rest = later;
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
            Some(missing) => self.wait_for(missing, link, key, message),
        }
    }

    pub(super) fn missing_cause(&self, message: &ChatMessage) -> Option<MessageId> {
        if self.config.weakened == Some(Weakness::NoDependencyWait) {
            return None;
        }
        causes(message).find(|cause| !self.history.is_settled(*cause))
    }

    pub(super) fn wait_for(
        &mut self,
        missing: MessageId,
        link: LinkId,
        key: Key,
        message: &ChatMessage,
    ) {
        if self.waiting.waiters.contains_key(&message.id()) {
            return;
        }
        self.counters.waited += 1;
        if !self.waiting.has_room_for(message) {
            // It comes with the SYNC.
            return self.want_sync(key, false);
        }
        self.waiting.insert(Waiter {
            message: message.clone(),
            link,
            missing,
            came_in: self.repair.last_begun(),
            since: self.now.time,
        });
        self.watch_gaps();
    }

    /// Something waits: it is looked at again when its patience ends.
    fn watch_gaps(&mut self) {
        if !self.waiting.is_watched {
            self.waiting.is_watched = true;
            self.set_timer(Timer::Gap, self.now.time + GAP_PATIENCE);
        }
    }

    /// A SYNC with each peer that sent something which has waited for so long.
    pub(super) fn on_gap_timer(&mut self) {
        self.waiting.is_watched = false;
        let overdue = self.waiting.waiters.values().filter(|w| self.is_overdue(w));
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
        let later = MessageId {
            seq: id.seq.saturating_add(1),
            ..id
        };
        let last = MessageId {
            seq: u64::MAX,
            ..id
        };
        let mut passed = self.waiting.waiters.range(later..=last);
        flows && self.history.highest(id.origin) < id.seq && passed.next().is_none()
    }

    /// Takes a message in, and then whatever waited for it.
    pub(super) fn take_in_and_release(&mut self, message: &ChatMessage) {
        self.take_in(message);
        if self.waiting.waiters.is_empty() {
            return;
        }
        self.waiting.remove(message.id());
        let mut taken = vec![message.id()];
        while let Some(id) = taken.pop() {
            let ids = self.waiting.on.get(&id).cloned().unwrap_or_default();
            for waiter in self.waiting.remove_all(ids) {
                match self.missing_cause(&waiter.message) {
                    Some(missing) => {
                        self.waiting.shifts += 1;
                        self.waiting.insert(Waiter { missing, ..waiter });
                    }
                    None => {
                        self.take_in(&waiter.message);
                        taken.push(waiter.message.id());
                    }
                }
            }
        }
    }

    /// A SYNC has ended: what came on this link before it began waits no longer.
    pub(super) fn release_after_sync(&mut self, link: LinkId, sync: u64) {
        self.release_before(super::sync::END, link, sync);
    }

    /// A SYNC has come as far as this position: what waits before it waits no longer.
    pub(super) fn release_before(&mut self, position: Position, link: LinkId, sync: u64) {
        if self.waiting.waiters.is_empty() {
            return;
        }
        let from = self.waiting.sweep_from(position, link, sync);
        let groups = self.waiting.positions.range((link, 0)..(link, sync));
        let mut due: Vec<ChatMessage> = groups
            .flat_map(|(_, positions)| positions.range(from..position))
            .filter_map(|p| self.waiting.waiters.get(&p.id()))
            .map(|w| w.message.clone())
            .collect();
        due.sort_by_key(ChatMessage::position);
        for message in due {
            let Some(waiter) = self.waiting.remove(message.id()) else {
                continue;
            };
            // A cause that is here and waits itself is not missing.
            match self.waiting_cause(&message) {
                Some(missing) => self.waiting.insert(Waiter { missing, ..waiter }),
                None => self.take_in_and_release(&message),
            }
        }
    }

    /// A cause that waits as well. One that claims to be later than its effect is no cause.
    fn waiting_cause(&self, message: &ChatMessage) -> Option<MessageId> {
        let waits = |cause: &MessageId| {
            let waiter = self.waiting.waiters.get(cause);
            waiter.is_some_and(|w| w.message.position() < message.position())
        };
        causes(message).find(waits)
    }

    /// What came on a link that is gone and still waits comes with a SYNC, if anybody took it in.
    pub(super) fn drop_waiting_of(&mut self, link: LinkId) {
        let of_link = |w: &Waiter| w.link == link;
        let waiters = &self.waiting.waiters;
        let ids: Vec<_> = waiters
            .iter()
            .filter(|(_, w)| of_link(w))
            .map(|(id, _)| *id)
            .collect();
        let dropped = self.waiting.remove_all(ids);
        self.waiting.shifts += 1;
        // What waits for one of those waits for the next SYNC with its own sender.
        let on = &self.waiting.on;
        let waiting = dropped.iter().filter_map(|w| on.get(&w.message.id()));
        let links: Vec<LinkId> = waiting
            .flatten()
            .filter_map(|id| self.waiting.waiters.get(id).map(|w| w.link))
            .collect();
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
        let mut waiters = self.waiting.waiters.values();
        waiters.any(|w| w.link == link && self.is_overdue(w))
    }
}

#[cfg(test)]
#[path = "causality_test.rs"]
mod tests;
