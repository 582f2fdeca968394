//! The messages that wait for a cause, in runs: only the first of a run waits for something that is
//! not the message before it.
//!
//! Owns what waits, and what each waits for. It never decides whether something waits or is taken
//! in: that is [`super::causality`]'s.

use std::collections::{BTreeMap, BTreeSet};

use super::{LinkId, Time};
use crate::limits;
use crate::wire::{ChatMessage, MessageId, Position};

/// A run that waits.
#[derive(Debug)]
pub(super) struct Waiter {
    /// At least one message; each follows the one before it.
    pub(super) run: Vec<ChatMessage>,
    /// The link that it came on.
    pub(super) link: LinkId,
    /// One of the causes of its first message that is missing.
    pub(super) missing: MessageId,
    /// The last SYNC that had begun when it came: a later one, with its sender, decides.
    pub(super) came_in: u64,
    /// When it came.
    pub(super) since: Time,
}

impl Waiter {
    pub(super) fn first(&self) -> &ChatMessage {
        // A run has a first message: nothing else is inserted.
        &self.run[0]
    }

    /// The names of its first and its last message.
    pub(super) fn span(&self) -> (MessageId, MessageId) {
        let first = self.first().id();
        let more = self.run.len() as u64 - 1;
        let seq = first.seq + more;
        (first, MessageId { seq, ..first })
    }

    fn bytes(&self) -> usize {
        bytes(&self.run)
    }
}

fn bytes(run: &[ChatMessage]) -> usize {
    run.iter().map(ChatMessage::size_bound).sum()
}

/// What waits for a cause.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// By their first messages. No two of them have a message in common.
    waiters: BTreeMap<MessageId, Waiter>,
    /// Who waits for what.
    on: BTreeMap<MessageId, Vec<MessageId>>,
    /// Where they begin in the total order, by the link and the SYNC before which they came.
    positions: BTreeMap<(LinkId, u64), BTreeSet<Position>>,
    /// Messages.
    len: usize,
    bytes: usize,
    /// How often something came to wait for something else than before, or lost what it waited for.
    shifts: u64,
    /// How far the last look for what waits no longer came, and `shifts` then.
    swept: Option<Sweep>,
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
    /// How many messages wait.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn has_room_for(&self, run: &[ChatMessage]) -> bool {
        self.len + run.len() <= limits::WAITING_MAX
            && self.bytes + bytes(run) <= limits::WAITING_BYTES_MAX
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Waiter> {
        self.waiters.values()
    }

    pub(super) fn insert(&mut self, waiter: Waiter) {
        let id = waiter.first().id();
        self.len += waiter.run.len();
        self.bytes += waiter.bytes();
        let group = (waiter.link, waiter.came_in);
        let position = waiter.first().position();
        self.positions.entry(group).or_default().insert(position);
        self.on.entry(waiter.missing).or_default().push(id);
        self.waiters.insert(id, waiter);
    }

    /// What waited for one cause waits for another one.
    pub(super) fn insert_again(&mut self, waiter: Waiter, missing: MessageId) {
        self.shifts += 1;
        self.insert(Waiter { missing, ..waiter });
    }

    /// Removes the run that begins with this message.
    pub(super) fn remove(&mut self, first: MessageId) -> Option<Waiter> {
        let waiter = self.waiters.remove(&first)?;
        self.len -= waiter.run.len();
        self.bytes -= waiter.bytes();
        let group = (waiter.link, waiter.came_in);
        if let Some(positions) = self.positions.get_mut(&group) {
            positions.remove(&waiter.first().position());
            if positions.is_empty() {
                self.positions.remove(&group);
            }
        }
        if let Some(ids) = self.on.get_mut(&waiter.missing) {
            ids.retain(|i| *i != first);
            if ids.is_empty() {
                self.on.remove(&waiter.missing);
            }
        }
        Some(waiter)
    }

    /// This message came otherwise. What comes after it in its run waits for it, until it is
    /// released.
    pub(super) fn take_out(&mut self, id: MessageId) {
        let Some(first) = self.holder(id).map(|w| w.first().id()) else {
            return;
        };
        let Some(mut waiter) = self.remove(first) else {
            return;
        };
        let before = usize::try_from(id.seq - first.seq).unwrap_or(usize::MAX);
        let after = waiter.run.split_off(before + 1);
        waiter.run.pop();
        if !after.is_empty() {
            let after = Waiter {
                run: after,
                missing: id,
                ..waiter
            };
            self.insert_again(after, id);
        }
        if !waiter.run.is_empty() {
            self.insert(waiter);
        }
    }

    /// The last run of this author that begins with this message or before it.
    fn last_until(&self, id: MessageId) -> Option<&Waiter> {
        let begin = MessageId { seq: 0, ..id };
        let mut runs = self.waiters.range(begin..=id);
        runs.next_back().map(|(_, waiter)| waiter)
    }

    /// The run that this message waits in.
    fn holder(&self, id: MessageId) -> Option<&Waiter> {
        self.last_until(id).filter(|w| id <= w.span().1)
    }

    /// This message, if it waits, and the run that it waits in.
    pub(super) fn find(&self, id: MessageId) -> Option<(&Waiter, &ChatMessage)> {
        let waiter = self.holder(id)?;
        let index = usize::try_from(id.seq - waiter.first().seq()).ok()?;
        Some((waiter, waiter.run.get(index)?))
    }

    /// How many of this author's messages, from this one on, do not wait up to one that does.
    pub(super) fn gap_at(&self, id: MessageId) -> u64 {
        if self.waiters.is_empty() {
            return u64::MAX;
        }
        if self.holder(id).is_some() {
            return 0;
        }
        let end = MessageId {
            seq: u64::MAX,
            ..id
        };
        let next = self.waiters.range(id..=end).next();
        next.map_or(u64::MAX, |(next, _)| next.seq - id.seq)
    }

    /// True if something of this author waits that it wrote after this message.
    pub(super) fn holds_later_than(&self, id: MessageId) -> bool {
        let end = MessageId {
            seq: u64::MAX,
            ..id
        };
        self.last_until(end).is_some_and(|w| w.span().1 > id)
    }

    /// What waits for a cause that a SYNC with its sender decides about: not what waits for
    /// something that came on another link and waits itself.
    pub(super) fn gaps(&self) -> impl Iterator<Item = &Waiter> {
        self.iter().filter(|w| !self.waits_elsewhere(w))
    }

    /// Waits for something that came on another link and waits itself.
    fn waits_elsewhere(&self, waiter: &Waiter) -> bool {
        let cause = self.holder(waiter.missing);
        cause.is_some_and(|cause| cause.link != waiter.link)
    }

    /// Waits for something that waits itself: on another link, or longer on the same one. (What
    /// claims to be later than its effect is a liar's, and may wait for that.)
    pub(super) fn follows_waiter(&self, waiter: &Waiter) -> bool {
        let cause = self.find(waiter.missing);
        cause.is_some_and(|(cause, message)| {
            let earlier = message.position() < waiter.first().position();
            cause.link != waiter.link || (cause.since <= waiter.since && earlier)
        })
    }

    /// Removes the runs that wait for one of these, which are of one author.
    pub(super) fn release(&mut self, (first, last): (MessageId, MessageId)) -> Vec<Waiter> {
        let due: Vec<MessageId> = self.waiting_for((first, last)).collect();
        due.into_iter().filter_map(|id| self.remove(id)).collect()
    }

    /// The first messages of the runs that wait for one of these, which are of one author.
    fn waiting_for(
        &self,
        (first, last): (MessageId, MessageId),
    ) -> impl Iterator<Item = MessageId> {
        let on = self.on.range(first..=last);
        on.flat_map(|(_, ids)| ids).copied()
    }

    /// Where the runs begin that came on this link before this SYNC, in their order, and that a look
    /// is needed at once the SYNC has come to this position.
    pub(super) fn due_at(&mut self, position: Position, link: LinkId, sync: u64) -> Vec<Position> {
        let from = self.sweep_from(position, link, sync);
        let groups = self.positions.range((link, 0)..(link, sync));
        let due = groups.flat_map(|(_, positions)| positions.range(from..position));
        let mut due: Vec<Position> = due.copied().collect();
        due.sort_unstable();
        due
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
        let is_end = position == Position::END;
        let before = before.filter(same).filter(|_| !is_end);
        before.map_or(Position::default(), |s| s.position)
    }

    /// Removes what came on this link; returns the links of what waits for that.
    pub(super) fn drop_of(&mut self, link: LinkId) -> Vec<LinkId> {
        let of_link = self.iter().filter(|w| w.link == link);
        let ids: Vec<MessageId> = of_link.map(|w| w.first().id()).collect();
        let dropped: Vec<Waiter> = ids.into_iter().filter_map(|id| self.remove(id)).collect();
        self.shifts += 1;
        let orphans = dropped.iter().flat_map(|w| self.waiting_for(w.span()));
        orphans
            .filter_map(|id| self.waiters.get(&id).map(|w| w.link))
            .collect()
    }
}

#[cfg(test)]
#[path = "waiting_test.rs"]
mod tests;
