//! The history of a node with a store: the newest messages are in memory and in the store, older
//! ones in the store only.
//!
//! Owns the border between the two and what the store does not have yet. It does no I/O and knows
//! no file: the driver takes what is unstored, commits it and says so. The floor of the history
//! stays where it is when messages leave memory: they are still held.
//!
//! ```text
//!    floor         until                           newest
//!      |  in the store  |  in memory and in the store  |
//! ```
//!
//! What is not stored yet never leaves memory, unless the store takes nothing for so long that a
//! whole history, and many bytes, are unstored. Then the oldest of it is given up, and the floor rises above it, as
//! that of a node without a store would. What was given up is noted until somebody asks for it: it will never be
//! stored, so that its authors and the user have to be told that it is missed.
//!
//! What comes late, and is older than all in memory, waits here for the store and is in neither of the two until
//! then: who asks for it is given it from here. What comes below the floor and is owed is no part of the history, but
//! it goes to the store all the same, since nothing else may be confirmed.
//!
//! A store that must not grow deletes the oldest that it has. What is in memory, too, is held all the same, and
//! is gone when it leaves memory; what was in the store only is gone at once, and the floor rises above it, as
//! that of a node without a store does when its history is full. That it was stored stays true.

use std::collections::{BTreeMap, VecDeque};

use super::origin::Origin;
use super::{Asks, History, Ranges};
use crate::limits::BATCH_BYTES_MAX;
use crate::wire::{Buckets, ChatMessage, Fetch, Key, MessageId, Part, Position, SeqRange};

/// Messages beyond the history's size that stay in memory until they leave it together: nodes whose
/// memories are as large then still compare digests above the same floors.
const SLACK: usize = 1_024;

/// What the store holds when a node starts, or a part of that.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// All ids.
    pub ranges: Vec<SeqRange>,
    /// The newest messages in the total order, as many as belong in memory.
    pub newest: Vec<ChatMessage>,
    /// The position of the newest message that is not among them; zero if all are.
    pub until: Position,
    /// The hashes of those that are not among them, as [`Buckets`] sums them up.
    pub buckets: Vec<Part>,
    /// Up to here the store has deleted everything; zero if it has not.
    pub dropped_to: Position,
}

/// What a store adds to a history.
#[derive(Debug, Default)]
pub(super) struct StoredPart {
    /// At or below this position, and above the floor, messages are in the store only.
    pub(super) until: Position,
    /// How many these are.
    pub(super) count: usize,
    /// Their hashes.
    pub(super) buckets: Buckets,
    /// Taken in and not yet stored, in the order of being taken in.
    unstored: VecDeque<ChatMessage>,
    unstored_bytes: usize,
    /// Given up before it could be stored, by its authors; nobody was told of it yet.
    given_up: BTreeMap<Key, Ranges>,
    /// How many messages were ever given up so.
    given_up_count: u64,
    /// The store has deleted everything up to here.
    dropped_to: Position,
    /// How many messages in memory are the occasion to look whether some may go.
    next_at: usize,
}

impl History {
    /// There is a store, and it holds this, among other things if that was said before.
    pub(in crate::node) fn restore(&mut self, restored: Restored) {
        let mut part = self.stored_part.take().unwrap_or_else(|| StoredPart {
            next_at: SLACK,
            ..StoredPart::default()
        });
        part.until = part.until.max(restored.until);
        part.buckets.extend(restored.buckets);
        part.dropped_to = part.dropped_to.max(restored.dropped_to);
        self.floor = self.floor.max(restored.dropped_to);
        for SeqRange {
            author: key,
            first,
            last,
        } in restored.ranges
        {
            // Mostly nothing else is known of an author but one stretch of messages.
            let is_known = self.origins.contains_key(&key);
            let is_shelved = !is_known && self.shelf.add(SeqRange::new(key, first, last));
            if !is_shelved {
                self.origin_mut(key).restore(first, last);
            }
            part.count += usize::try_from(last - first + 1).unwrap_or(usize::MAX);
        }
        for message in restored.newest {
            let origin = self.origin_mut(message.origin());
            origin.only_stored.remove(message.seq());
            part.count = part.count.saturating_sub(1);
            self.order.insert(message);
        }
        self.stored_part = Some(part);
    }

    /// A message that is new, with a store.
    pub(super) fn insert_storing(&mut self, message: ChatMessage) {
        let Some(part) = &mut self.stored_part else {
            return;
        };
        part.unstored_bytes += message.size_bound();
        part.unstored.push_back(message.clone());
        if message.position() > part.until {
            self.order.insert(message);
        } else {
            // Older than what is in memory: it goes to the store and nowhere else.
            part.count += 1;
            part.buckets.insert(&message);
            if let Some(origin) = self.origins.get_mut(&message.origin()) {
                origin.only_stored.insert(message.seq());
            }
        }
        self.limit_unstored();
        self.let_go();
    }

    /// A message at or below the floor, with a store: it is to be stored, and is held nowhere.
    pub(super) fn store_unheld(&mut self, message: &ChatMessage) {
        if let Some(part) = &mut self.stored_part {
            part.unstored_bytes += message.size_bound();
            part.unstored.push_back(message.clone());
            self.limit_unstored();
        }
    }

    /// A run that is new, with a store: as if each of it came by itself.
    pub(super) fn insert_run_storing(&mut self, mut run: &[ChatMessage]) {
        while let (Some(first), Some(part)) = (run.first(), &mut self.stored_part) {
            let bytes = || run.iter().map(ChatMessage::size_bound).sum::<usize>();
            let fits = || {
                part.unstored.len() + run.len() <= self.max
                    || part.unstored_bytes + bytes() <= self.unstored_bytes_max
            };
            if first.position() <= part.until || !fits() {
                // The floor may rise in the middle of it, and above the rest of it.
                if !self.insert(first.clone()) {
                    self.store_unheld(first);
                }
                run = &run[1..];
                continue;
            }
            // Up to where memory is looked at.
            let room = part.next_at.saturating_sub(self.order.len()).max(1);
            let (now, later) = run.split_at(room.min(run.len()));
            part.unstored_bytes += now.iter().map(ChatMessage::size_bound).sum::<usize>();
            part.unstored.extend(now.iter().cloned());
            if let (Some(first), Some(last)) = (now.first(), now.last()) {
                let origin = self.origin_mut(first.origin());
                origin.held.insert_range(first.seq(), last.seq());
            }
            self.order.insert_run(now);
            self.let_go();
            run = later;
        }
    }

    /// Lets stored messages leave memory when there are too many.
    fn let_go(&mut self) {
        let (len, enough) = (self.order.len(), self.max.saturating_add(SLACK));
        if self.stored_part.as_ref().is_none_or(|s| len < s.next_at) {
            return;
        }
        let mut excess = self.excess();
        let within = len - self.beyond_reach().0;
        if len < enough && excess == within.saturating_sub(self.max) {
            excess = 0;
        }
        let Some(part) = &mut self.stored_part else {
            return;
        };
        let first_unstored = || part.unstored.iter().map(|m| m.position()).min();
        let mut count = match excess {
            0 => 0,
            _ => first_unstored().map_or(excess, |p| excess.min(self.order.count_before(p))),
        };
        let dropped_to = part.dropped_to;
        if self
            .order
            .iter()
            .next()
            .is_some_and(|m| m.position() <= dropped_to)
        {
            count = self.droppable(count);
        }
        for message in self.order.drop_first(count) {
            self.leave_memory(&message);
        }
        let len = self.order.len();
        let Some(part) = &mut self.stored_part else {
            return;
        };
        part.next_at = match len + SLACK {
            next if len < enough => next.min(enough),
            next => next,
        };
        self.shelve_idle_origins();
    }

    /// A message is in memory no more: it is in the store only, or gone if the store has it no more either.
    fn leave_memory(&mut self, message: &ChatMessage) {
        let Some(part) = &mut self.stored_part else {
            return;
        };
        part.until = message.position();
        if part.until <= part.dropped_to {
            self.floor = self.floor.max(part.until);
            return self.forget(message);
        }
        part.count += 1;
        part.buckets.push(message);
        self.floor = self.floor.max(part.dropped_to);
        if let Some(origin) = self.origins.get_mut(&message.origin()) {
            origin.only_stored.insert(message.seq());
        }
    }

    /// The store has deleted these, and with them everything up to this position.
    pub(in crate::node) fn drop_stored(&mut self, gone: &[ChatMessage], upto: Position) {
        let Some(part) = &mut self.stored_part else {
            return;
        };
        part.dropped_to = part.dropped_to.max(upto);
        // What is to be stored and older than that will not be.
        let unstored = part.unstored.iter().filter(|m| m.position() <= upto);
        let gone: Vec<ChatMessage> = gone.iter().chain(unstored).cloned().collect();
        let gone = gone.into_iter().filter(|m| self.forget_stored(m.id()));
        let gone: Vec<ChatMessage> = gone.collect();
        if let Some(part) = &mut self.stored_part {
            part.count = part.count.saturating_sub(gone.len());
            part.buckets.remove(&gone);
            self.floor = self.floor.max(upto.min(part.until));
        }
        self.forget_idle_origins();
    }

    /// A message is in the store no more. False if it was not in the store only.
    fn forget_stored(&mut self, id: MessageId) -> bool {
        if self.shelf.contains(id) {
            self.take_off_shelf(id.origin);
        }
        let Some(origin) = self.origins.get_mut(&id.origin) else {
            return false;
        };
        let was_only_stored = origin.only_stored.contains(id.seq);
        if was_only_stored {
            origin.only_stored.remove(id.seq);
            origin.held.remove(id.seq);
        }
        was_only_stored
    }

    /// If a whole history is unstored, the oldest part of it is given up.
    fn limit_unstored(&mut self) {
        let Some(part) = &mut self.stored_part else {
            return;
        };
        if part.unstored.len() <= self.max || part.unstored_bytes <= self.unstored_bytes_max {
            return;
        }
        let mut last = Position::default();
        let count = part.unstored.len() / 8 + 1;
        let given_up: Vec<ChatMessage> = part.unstored.drain(..count).collect();
        for message in &given_up {
            part.unstored_bytes -= message.size_bound();
            part.given_up_count += 1;
            let of_author = part.given_up.entry(message.origin()).or_default();
            of_author.insert(message.seq());
        }
        for message in given_up {
            // The floor does not rise to what is dated far ahead: all that is said now would fall below it.
            if !self.is_beyond_reach(message.position()) {
                last = last.max(message.position());
            } else if self.order.remove(message.position()) {
                self.forget(&message);
            }
        }
        if last > self.floor {
            self.raise_floor(last);
        }
    }

    /// What was given up before it could be stored, by its authors, since this was last asked.
    pub(in crate::node) fn take_given_up(&mut self) -> BTreeMap<Key, Ranges> {
        let part = self.stored_part.as_mut();
        part.map_or_else(BTreeMap::new, |part| std::mem::take(&mut part.given_up))
    }

    /// How many messages were given up so since this node started.
    pub(in crate::node) fn given_up_count(&self) -> u64 {
        self.stored_part.as_ref().map_or(0, |s| s.given_up_count)
    }

    /// The floor is about to rise to this position. The store's part of the history can only fall
    /// below it as a whole; the floor that results is returned.
    pub(super) fn clear_stored_part(&mut self, position: Position) -> Position {
        let Some(part) = &mut self.stored_part else {
            return position;
        };
        let position = position.max(part.until);
        part.until = position;
        part.count = 0;
        part.buckets = Buckets::default();
        self.shelf.clear();
        for origin in self.origins.values_mut() {
            let only_stored = std::mem::take(&mut origin.only_stored);
            for (first, last) in only_stored.iter() {
                origin.held.remove_range(first, last);
            }
        }
        position
    }

    /// What was taken in and is not yet stored, in that order.
    pub(in crate::node) fn unstored(&self) -> impl Iterator<Item = &ChatMessage> + Clone {
        self.stored_part.iter().flat_map(|s| s.unstored.iter())
    }

    /// How many these are.
    pub(in crate::node) fn unstored_len(&self) -> usize {
        self.stored_part.as_ref().map_or(0, |s| s.unstored.len())
    }

    /// The first `most` of `unstored` are stored: takes those that are one author's, with consecutive
    /// sequence numbers, and says whose they are and how many.
    pub(in crate::node) fn pop_stored(&mut self, most: usize) -> Option<(Key, usize)> {
        let part = self.stored_part.as_mut()?;
        let (author, first) = part.unstored.front().map(|m| (m.origin(), m.seq()))?;
        let mut next = Some(first);
        let is_next = |message: &mut ChatMessage| {
            let is_next = next == Some(message.seq()) && message.origin() == author;
            next = next.filter(|_| is_next).and_then(|n| n.checked_add(1));
            is_next
        };
        let (mut is_next, mut count, mut last) = (is_next, 0, first);
        while count < most.max(1)
            && let Some(message) = part.unstored.pop_front_if(&mut is_next)
        {
            part.unstored_bytes -= message.size_bound();
            (count, last) = (count + 1, message.seq());
        }
        if let Some(origin) = self.origins.get_mut(&author) {
            origin.stored.insert_range(first, last);
        }
        Some((author, count))
    }

    /// Until where messages that this FETCH asks for may have to be read from the store, and from
    /// where; none if there are none.
    pub(in crate::node) fn stored_until(&self, fetch: &Fetch) -> Option<(Position, Position)> {
        let part = self
            .stored_part
            .as_ref()
            .filter(|s| fetch.after < s.until)?;
        let asks = Asks::of(fetch);
        let wants = asks.wants_of(|key| self.origin(key).map(|o| &o.only_stored));
        let wants = wants || asks.wants_shelved(|key| self.shelf.stretch(key));
        let walk = asks.walk(fetch.after, wants);
        let span = walk.into_iter().next().filter(|s| s.after < part.until)?;
        let lacks = |(key, origin): (&Key, &Origin)| asks.any_of(*key, &origin.only_stored);
        let is_put_away = |r: SeqRange| !asks.skips_all(r);
        let is_asked = asks.skips_nothing()
            || self.origins.iter().any(lacks)
            || self.shelf.ranges().any(is_put_away);
        is_asked.then_some((span.after, span.upto.min(part.until)))
    }

    /// What is asked for of the part that is not in memory, and is not in the store yet either, in order; and up to
    /// where that is all: `until`, or less if it is too much for one chunk.
    pub(in crate::node) fn unstored_of(
        &self,
        fetch: &Fetch,
        until: Position,
    ) -> (Vec<ChatMessage>, Position) {
        let asks = Asks::of(fetch);
        let unstored = self.stored_part.iter().flat_map(|part| &part.unstored);
        let within = unstored.filter(|m| m.position() > fetch.after && m.position() <= until);
        let asked = within.filter(|m| asks.for_message(m.position(), m.id()));
        let mut asked: Vec<ChatMessage> = asked.cloned().collect();
        asked.sort_by_key(ChatMessage::position);
        let mut bytes = 0;
        let fitting = asked.iter().take_while(|message| {
            let fits = bytes < BATCH_BYTES_MAX;
            bytes += message.size_bound();
            fits
        });
        let count = fitting.count();
        let is_all = count == asked.len();
        asked.truncate(count);
        let last = asked.last().map(ChatMessage::position);
        (asked, last.filter(|_| !is_all).unwrap_or(until))
    }
}

#[cfg(test)]
#[path = "stored_part_test.rs"]
mod tests;
