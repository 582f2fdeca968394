//! The messages that wait for a cause, in runs: only the first of a run waits for something that is
//! not the message before it.
//!
//! Owns what waits, and what each waits for. It never decides whether something waits or is taken
//! in: that is [`super::causality`]'s.

use std::collections::{BTreeMap, BTreeSet};

use crate::limits;
use crate::node::Time;
use crate::node::history::Ranges;
use crate::wire::{ChatMessage, Key, MessageId, Position};

/// How a run came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coming {
    /// Who sent it.
    pub(super) sender: Key,
    /// It lay under the floor, and nobody counts on it. The floor rises while it waits, and that changes nothing.
    pub(super) is_below: bool,
    /// Its author said it on its own link, and had not said that it counts on this node: it waits for no word.
    pub(super) is_wordless: bool,
    /// When.
    pub(super) at: Time,
}

/// A run that waits.
#[derive(Debug)]
pub(super) struct Waiter {
    /// At least one message; each follows the one before it.
    pub(super) run: Vec<ChatMessage>,
    /// One of the causes of its first message that is missing.
    pub(super) missing: MessageId,
    pub(super) coming: Coming,
}

impl Waiter {
    pub(super) fn first(&self) -> &ChatMessage {
        // A run has a first message: nothing else is inserted.
        &self.run[0]
    }

    pub(super) fn last(&self) -> &ChatMessage {
        &self.run[self.run.len() - 1]
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
    /// The first messages of all of them, by where their last ones lie in the history's order.
    in_order: BTreeMap<Position, MessageId>,
    /// Who waits for what.
    on: BTreeMap<MessageId, Vec<MessageId>>,
    /// Messages.
    len: usize,
    bytes: usize,
}

impl Waiting {
    /// How many messages wait.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// # Panics
    ///
    /// If the counts contradict what waits, or more waits than may.
    #[cfg(debug_assertions)]
    pub(super) fn check_invariants(&self, max: usize) {
        let waiters = self.waiters.values();
        let (len, bytes) = waiters.fold((0, 0), |(len, bytes), w| {
            (len + w.run.len(), bytes + w.bytes())
        });
        assert_eq!(
            (self.len, self.bytes),
            (len, bytes),
            "what waits is counted"
        );
        assert!(len <= max, "more waits than may");
        let waited: usize = self.on.values().map(Vec::len).sum();
        assert_eq!(waited, self.waiters.len(), "each run waits for one cause");
        let is_placed = |w: &Waiter| self.in_order.get(&w.last().position()) == Some(&w.span().0);
        assert!(
            self.waiters.values().all(is_placed),
            "each run has its place in the order"
        );
        assert_eq!(
            self.in_order.len(),
            self.waiters.len(),
            "each run has one place"
        );
    }

    /// How many of the first messages of a run may wait beside all that waits, where so many may at
    /// most.
    pub(super) fn room_for(&self, run: &[ChatMessage], max: usize) -> usize {
        let max = max.saturating_sub(self.len);
        let mut bytes = self.bytes;
        let fits = |message: &&ChatMessage| {
            bytes += message.size_bound();
            bytes <= limits::WAITING_BYTES_MAX
        };
        run.iter().take(max).take_while(fits).count()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Waiter> {
        self.waiters.values()
    }

    pub(super) fn insert(&mut self, waiter: Waiter) {
        let id = waiter.first().id();
        self.len += waiter.run.len();
        self.bytes += waiter.bytes();
        self.on.entry(waiter.missing).or_default().push(id);
        self.in_order.insert(waiter.last().position(), id);
        self.waiters.insert(id, waiter);
    }

    /// Throws away what waits and was said after the first of these, the latest first, until these have room: what was
    /// said first waits for nothing that comes later, so that it goes on whatever else waits. Gives the first and the
    /// last message of each run that was thrown away.
    pub(super) fn make_room(
        &mut self,
        run: &[ChatMessage],
        max: usize,
    ) -> Vec<(MessageId, MessageId)> {
        let mut thrown = Vec::new();
        let Some(begin) = run.first().map(ChatMessage::position) else {
            return thrown;
        };
        loop {
            let lacks = run.len() - self.room_for(run, max);
            let latest = self.in_order.last_key_value();
            let latest = latest.filter(|(at, _)| lacks > 0 && **at > begin);
            let Some(mut waiter) = latest.map(|(_, id)| *id).and_then(|id| self.remove(id)) else {
                return thrown;
            };
            let later = waiter.run.iter().rev();
            let later = later.take_while(|m| m.position() > begin).take(lacks);
            let gone = waiter.run.split_off(waiter.run.len() - later.count());
            if let (Some(first), Some(last)) = (gone.first(), gone.last()) {
                thrown.push((first.id(), last.id()));
            }
            if !waiter.run.is_empty() {
                self.insert(waiter);
            }
        }
    }

    /// Removes the run that begins with this message.
    pub(super) fn remove(&mut self, first: MessageId) -> Option<Waiter> {
        let waiter = self.take_waiter(first)?;
        if let Some(ids) = self.on.get_mut(&waiter.missing) {
            ids.retain(|i| *i != first);
            if ids.is_empty() {
                self.on.remove(&waiter.missing);
            }
        }
        Some(waiter)
    }

    fn take_waiter(&mut self, first: MessageId) -> Option<Waiter> {
        let waiter = self.waiters.remove(&first)?;
        self.in_order.remove(&waiter.last().position());
        self.len -= waiter.run.len();
        self.bytes -= waiter.bytes();
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
            self.insert(after);
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

    /// The last of what waits that this author wrote before this message.
    pub(super) fn last_before(&self, id: MessageId) -> Option<MessageId> {
        let seq = id.seq.saturating_sub(1);
        let waiter = self.last_until(MessageId { seq, ..id })?;
        Some(MessageId {
            seq: waiter.span().1.seq.min(seq),
            ..id
        })
    }

    /// The last message of the run that ends last before here in the history's order.
    pub(super) fn latest_until(&self, position: Position) -> Option<MessageId> {
        let (_, first) = self.in_order.range(..position).next_back()?;
        self.waiters.get(first).map(|waiter| waiter.span().1)
    }

    /// True if something of this author waits that it wrote after this message.
    pub(super) fn holds_later_than(&self, id: MessageId) -> bool {
        let end = MessageId {
            seq: u64::MAX,
            ..id
        };
        self.last_until(end).is_some_and(|w| w.span().1 > id)
    }

    /// The last message of this author that waits; 0 if none does.
    pub(super) fn last_of(&self, origin: Key) -> u64 {
        let end = MessageId {
            origin,
            seq: u64::MAX,
        };
        self.last_until(end).map_or(0, |w| w.span().1.seq)
    }

    /// What of this author waits, in runs that begin from `first` on and up to `last`, or that hold
    /// `first`.
    pub(super) fn ranges(&self, origin: Key, first: u64, last: u64) -> Ranges {
        let begin = self.last_until(MessageId { origin, seq: first });
        let begin = begin.map_or(first, |w| w.first().seq());
        let from = MessageId { origin, seq: begin };
        let to = MessageId { origin, seq: last };
        let mut waits = Ranges::default();
        for waiter in self.waiters.range(from..=to.max(from)).map(|(_, w)| w) {
            waits.insert_range(waiter.span().0.seq, waiter.span().1.seq);
        }
        waits
    }

    /// What is waited for and does not wait itself, and when the first came of what waits for it, be it by way of
    /// others that wait: of what came by then.
    pub(super) fn awaited_since(&self, then: Time) -> BTreeMap<MessageId, Time> {
        let waiters = self.waiters.values();
        let mut waiters: Vec<&Waiter> = waiters.filter(|w| w.coming.at <= then).collect();
        waiters.sort_unstable_by_key(|waiter| waiter.coming.at);
        let (mut seen, mut awaited) = (BTreeSet::new(), BTreeMap::new());
        for waiter in waiters {
            let since = waiter.coming.at;
            let mut last = waiter;
            // Whoever was here first has gone all the way from there.
            while seen.insert(last.first().id()) {
                match self.holder(last.missing) {
                    Some(next) => last = next,
                    None => {
                        awaited.entry(last.missing).or_insert(since);
                        break;
                    }
                }
            }
        }
        awaited
    }

    /// True if something waits for this message.
    pub(super) fn is_waited_for(&self, id: MessageId) -> bool {
        self.on.contains_key(&id)
    }

    /// True if something waits that this peer sent.
    pub(super) fn has_from(&self, peer: Key) -> bool {
        self.waiters
            .values()
            .any(|waiter| waiter.coming.sender == peer)
    }

    /// Who sent something that waits for this message.
    pub(super) fn senders_for(&self, id: MessageId) -> impl Iterator<Item = Key> {
        let waiting = self.waiting_for((id, id));
        waiting.filter_map(|first| self.waiters.get(&first).map(|w| w.coming.sender))
    }

    /// The authors of what waits for this message and was said before it.
    pub(super) fn earlier_for(&self, message: &ChatMessage) -> impl Iterator<Item = Key> {
        let (id, at) = (message.id(), message.position());
        let waiters = self.waiting_for((id, id));
        let waiters = waiters.filter_map(|first| self.waiters.get(&first));
        let earlier = waiters.filter(move |w| w.first().position() <= at);
        earlier.map(|w| w.first().origin())
    }

    /// Those of a run that something waits for that was said before them. Mostly nothing waits for any, and one look
    /// tells that for all.
    pub(super) fn waited_for_early<'r>(
        &self,
        run: &'r [ChatMessage],
    ) -> impl Iterator<Item = &'r ChatMessage> {
        let ends = run.first().zip(run.last());
        let causes = ends.map(|(first, last)| self.on.range(first.id()..=last.id()));
        let messages = causes.into_iter().flatten().filter_map(|(cause, _)| {
            let index = cause.seq - run.first()?.seq();
            run.get(usize::try_from(index).ok()?)
        });
        messages.filter(|message| self.earlier_for(message).next().is_some())
    }

    /// Nothing waits any more for one of these, which are of one author. Gives what did, by where it begins: it stays
    /// until it is removed, or waits for something else.
    pub(super) fn make_due(
        &mut self,
        (first, last): (MessageId, MessageId),
    ) -> Vec<(Position, MessageId)> {
        let due: Vec<MessageId> = self.waiting_for((first, last)).collect();
        let causes: Vec<MessageId> = self.on.range(first..=last).map(|(id, _)| *id).collect();
        for cause in causes {
            self.on.remove(&cause);
        }
        let waiters = due.into_iter().filter_map(|id| self.waiters.get(&id));
        let places = waiters.map(|waiter| (waiter.first().position(), waiter.first().id()));
        places.collect()
    }

    /// The run that begins with this message.
    pub(super) fn begins_with(&self, first: MessageId) -> Option<&Waiter> {
        self.waiters.get(&first)
    }

    /// The run that begins with this message waits for this one now.
    pub(super) fn wait_for_another(&mut self, first: MessageId, missing: MessageId) {
        if let Some(waiter) = self.remove(first) {
            self.insert(Waiter { missing, ..waiter });
        }
    }

    /// The first messages of the runs that wait for one of these, which are of one author.
    fn waiting_for(
        &self,
        (first, last): (MessageId, MessageId),
    ) -> impl Iterator<Item = MessageId> {
        let on = self.on.range(first..=last);
        on.flat_map(|(_, ids)| ids).copied()
    }
}

#[cfg(test)]
#[path = "waiting_test.rs"]
mod tests;
