//! The history: a set of messages in the total order (timestamp, origin, seq), above a floor.
//!
//! Above its floor a history holds all that was ever inserted; at or below it, nothing. It never
//! decides whether a message may be taken in: that is the talk's. It knows no links and no time.
//!
//! Without a store all of it is in memory, and dropping the oldest raises the floor. With one
//! (`stored_part`), the oldest only leave memory: see there.
//!
//! | file | subject |
//! | --- | --- |
//! | `order` | the messages in memory, sorted |
//! | `origin`, `ranges` | what is known of one author's messages; sets of numbers |
//! | `stored_part` | which messages are in the store, and which in memory |
//! | `beyond` | what is dated so far ahead that nothing is dropped for it |

mod asks;
mod beyond;
mod compared;
mod order;
mod origin;
mod ranges;
mod shelf;
mod stored_part;
mod sums;

use std::collections::{BTreeMap, BTreeSet};

use super::{Config, Weakness};
use crate::limits;
use crate::wire::{ChatMessage, Chunk, Fetch, Key, MessageId, Position, SeqRange};
pub use asks::Asks;
pub(super) use compared::Found;
use order::Order;
pub(super) use origin::Origin;
use origin::Safe;
pub(super) use ranges::Ranges;
use shelf::Shelf;
pub use stored_part::Restored;
use stored_part::StoredPart;

/// The messages held, in their total order.
#[derive(Debug)]
pub struct History {
    order: Order,
    origins: BTreeMap<Key, Origin>,
    /// Authors of whom only the store has something.
    shelf: Shelf,
    floor: Position,
    /// What lies beyond it is dated so far ahead that nobody writes after it yet.
    reach: Position,
    max: usize,
    /// What a store adds, if there is one.
    stored_part: Option<StoredPart>,
    /// Only what is printed is safe.
    only_printed: bool,
    /// What somebody lacks is kept beyond `max`, up to so many bytes.
    keeps_unstable: bool,
    kept_bytes_max: usize,
    /// Beyond `max` messages, so many bytes wait to be stored.
    unstored_bytes_max: usize,
}

impl History {
    pub(super) fn new(config: &Config) -> History {
        History {
            order: Order::default(),
            origins: BTreeMap::new(),
            shelf: Shelf::default(),
            floor: Position::default(),
            reach: Position::END,
            max: config.history_max.max(1),
            stored_part: None,
            only_printed: config.confirms_printed,
            keeps_unstable: !config.is_weakened(Weakness::NoRetention),
            kept_bytes_max: config.unstable_bytes_max,
            unstored_bytes_max: config.unstored_bytes_max,
        }
    }

    /// True if there is a store.
    pub(super) fn has_store(&self) -> bool {
        self.stored_part.is_some()
    }

    /// # Panics
    ///
    /// If what is known of the authors contradicts what is held.
    #[cfg(debug_assertions)]
    pub(super) fn check_invariants(&self) {
        let held: u64 = self.origins.values().map(|o| o.held.len()).sum();
        let held = held + self.shelf.messages();
        assert_eq!(
            held,
            self.len() as u64,
            "what is held is known by its author"
        );
        let first = self.order.iter().next().map(ChatMessage::position);
        assert!(
            first.is_none_or(|p| p > self.floor),
            "nothing lies under the floor"
        );
    }

    /// How many messages are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len() + self.stored_part.as_ref().map_or(0, |s| s.count)
    }

    /// True if none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All messages in memory in the total order: the newest, if there is a store.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &ChatMessage> {
        self.order.iter()
    }

    /// The position above which all that was taken in is held.
    #[must_use]
    pub fn floor(&self) -> Position {
        self.floor
    }

    /// The position of the newest message held, or the floor.
    #[must_use]
    pub fn newest(&self) -> Position {
        self.order.last().max(self.floor)
    }

    /// The position of the oldest message held, if that is not above `until`; all zero if only the store
    /// could tell which one it is.
    pub(super) fn oldest_until(&self, until: Position) -> Option<Position> {
        match &self.stored_part {
            Some(part) if part.count > 0 => (self.floor < until).then(Position::default),
            _ => {
                let oldest = self.order.iter().next().map(ChatMessage::position);
                oldest.filter(|p| *p <= until)
            }
        }
    }

    /// True if this message is held.
    #[must_use]
    pub fn contains(&self, id: MessageId) -> bool {
        let origin = self.origins.get(&id.origin);
        origin.is_some_and(|o| o.held.contains(id.seq)) || self.shelf.contains(id)
    }

    /// True if nothing needs to wait for this message: it was taken in, given up, or is not owed.
    pub(super) fn is_settled(&self, id: MessageId) -> bool {
        let origin = self.origin(id.origin);
        origin.is_some_and(|o| o.is_settled(id.seq)) || self.shelf.contains(id)
    }

    /// True if this message was ever taken in.
    pub(super) fn has_taken(&self, id: MessageId) -> bool {
        let origin = self.origin(id.origin);
        origin.is_some_and(|o| o.has_taken(id.seq)) || self.shelf.contains(id)
    }

    /// What is known of this author; nothing of one on the shelf.
    pub(super) fn origin(&self, key: Key) -> Option<&Origin> {
        self.origins.get(&key)
    }

    /// What is known of this author, to note more.
    pub(super) fn origin_mut(&mut self, key: Key) -> &mut Origin {
        self.take_off_shelf(key);
        self.origins.entry(key).or_default()
    }

    /// The highest sequence number of this author that was taken in; 0 if none.
    #[must_use]
    pub fn highest(&self, origin: Key) -> u64 {
        let known = self.origin(origin).map(Origin::highest);
        known.unwrap_or_else(|| self.shelf.highest(origin))
    }

    /// Adds a message. False if it is held already or lies at or below the floor.
    pub(super) fn insert(&mut self, message: ChatMessage) -> bool {
        let position = message.position();
        if position <= self.floor {
            return false;
        }
        let id = message.id();
        let origin = self.origin_mut(id.origin);
        // One (origin, seq) can come with two timestamps only from a liar: the first one stays.
        if !origin.held.insert(id.seq) {
            return false;
        }
        origin.take(id.seq);
        if self.stored_part.is_some() {
            self.insert_storing(message);
            return true;
        }
        self.order.insert(message);
        self.drop_excess();
        true
    }

    /// True if all messages of a run that begins with this one can be added with
    /// [`History::insert_run`].
    pub(super) fn takes_run(&self, first: &ChatMessage) -> bool {
        first.position() > self.floor
            && (self.origin(first.origin())).is_none_or(|o| o.is_beyond(first.seq()))
    }

    /// Adds a run: messages of one author with consecutive sequence numbers, each later than the one
    /// before it.
    pub(super) fn insert_run(&mut self, run: &[ChatMessage]) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return;
        };
        self.origin_mut(first.origin())
            .take_range(first.seq(), last.seq());
        if self.stored_part.is_some() {
            return self.insert_run_storing(run);
        }
        self.origin_mut(first.origin())
            .held
            .insert_range(first.seq(), last.seq());
        self.order.insert_run(run);
        self.drop_excess();
    }

    /// Drops the oldest of what is too much, as far as every present member has it; what somebody
    /// lacks goes only when too many bytes are kept for that.
    pub(super) fn drop_excess(&mut self) {
        let excess = self.excess();
        if excess == 0 || self.stored_part.is_some() {
            return;
        }
        let count = self.droppable(excess);
        if count > 0 {
            self.drop_oldest(count);
        }
    }

    /// How many of so many that are too much may be dropped: those that every present member has, and what
    /// takes too many bytes in any case.
    fn droppable(&self, excess: usize) -> usize {
        let stable = if self.keeps_unstable {
            self.count_stable(excess)
        } else {
            excess
        };
        let kept_max = self.bytes_max().saturating_add(self.kept_bytes_max);
        let (_, beyond) = self.beyond_reach();
        let over = self.order.bytes().saturating_sub(kept_max + beyond);
        let forced = if over > 0 {
            self.order.first_taking(over)
        } else {
            0
        };
        stable.max(forced.min(excess))
    }

    /// How many of the first `most` messages may be dropped, up to the first that may not.
    fn count_stable(&self, most: usize) -> usize {
        let mut last: Option<(Key, &Origin)> = None;
        let is_stable = |m: &&ChatMessage| {
            let key = m.origin();
            let known = last.filter(|(k, _)| *k == key);
            last = known.or_else(|| self.origin(key).map(|o| (key, o)));
            last.is_none_or(|(_, origin)| origin.is_stable(m.seq()))
        };
        self.order.iter().take(most).take_while(is_stable).count()
    }

    /// How many bytes the history may take in memory, by their `size_bound`.
    fn bytes_max(&self) -> usize {
        let by_number = self
            .max
            .saturating_mul(limits::HISTORY_BYTES_PER_MESSAGE_MAX);
        limits::HISTORY_BYTES_MIN.max(by_number)
    }

    /// How many of the oldest messages in memory are too many, by their number or their bytes.
    pub(super) fn excess(&self) -> usize {
        let (count, bytes) = self.beyond_reach();
        let over = self.order.bytes().saturating_sub(self.bytes_max() + bytes);
        let by_number = self.order.len().saturating_sub(self.max + count);
        match over {
            0 => by_number,
            over => by_number.max(self.order.first_taking(over)),
        }
    }

    /// A message at or below the floor was shown, and is not kept; a store gets it.
    pub(super) fn settle(&mut self, message: &ChatMessage) {
        self.origin_mut(message.origin()).take(message.seq());
        self.store_unheld(message);
        self.forget_idle_origins();
    }

    fn drop_oldest(&mut self, count: usize) {
        for message in self.order.drop_first(count) {
            self.floor = message.position();
            self.forget(&message);
        }
        self.forget_idle_origins();
    }

    fn forget(&mut self, message: &ChatMessage) {
        let id = message.id();
        if let Some(origin) = self.origins.get_mut(&id.origin) {
            origin.held.remove(id.seq);
        }
    }

    #[cfg(test)]
    pub(super) fn authors(&self) -> usize {
        self.origins.len()
    }

    #[cfg(test)]
    pub(super) fn shelved_authors(&self) -> usize {
        self.shelf.ranges().count()
    }

    /// Forgets authors of whom nothing is here and who are not members, once they are many.
    pub(super) fn forget_idle_origins(&mut self) {
        if self.origins.len() > self.order.len() + limits::ORIGINS_IDLE_MAX {
            self.origins.retain(|_, origin| !origin.is_idle());
        }
    }

    /// This one was lost, and is not thought to come back any more.
    pub(super) fn forget_lost(&mut self, key: Option<Key>) {
        if let Some(origin) = key.and_then(|key| self.origins.get_mut(&key)) {
            origin.set_may_return(false);
        }
    }

    /// The user has seen nothing of others yet but these: what was taken in of them besides, and fell below the floor,
    /// counts as not taken in.
    pub(super) fn forget_unseen(&mut self, own: Key, shown: &BTreeSet<MessageId>) {
        for (key, origin) in self.origins.iter_mut().filter(|(key, _)| **key != own) {
            let of = |seq| MessageId { origin: *key, seq };
            let mut next = 0;
            for id in shown.range(of(0)..=of(u64::MAX)) {
                origin.forget_unseen(next, id.seq.saturating_sub(1));
                next = id.seq.saturating_add(1);
            }
            origin.forget_unseen(next, u64::MAX);
        }
    }

    /// Lifts the floor to `position` and drops what lies at or below it.
    pub(super) fn raise_floor(&mut self, position: Position) {
        let position = self.clear_stored_part(position);
        let below = self.order.len() - self.order.count_after(position);
        for message in self.order.drop_first(below) {
            self.forget(&message);
        }
        self.floor = self.floor.max(position);
    }

    /// What was taken in, for the `skip` of a FETCH: at most `SKIP_RANGES_MAX` ranges, the longest.
    pub(super) fn taken_ranges(&self) -> Vec<SeqRange> {
        let mut ranges: Vec<SeqRange> = self
            .origins
            .iter()
            .flat_map(|(key, o)| o.taken().iter().map(|(a, b)| SeqRange::new(*key, a, b)))
            .chain(self.shelf.ranges())
            .collect();
        ranges.sort_unstable_by_key(|r| (r.author, r.first));
        if ranges.len() > limits::SKIP_RANGES_MAX {
            let length = |r: &SeqRange| std::cmp::Reverse(r.last - r.first);
            ranges.select_nth_unstable_by_key(limits::SKIP_RANGES_MAX, length);
            ranges.truncate(limits::SKIP_RANGES_MAX);
            ranges.sort_unstable_by_key(|r| (r.author, r.first));
        }
        ranges
    }

    /// The messages that a FETCH asks for, as many as one chunk carries: those after `after` and above
    /// `floor` that are in `spans` and not in `skip`, and those after `after` that are in `want`. The work
    /// is bounded by `FETCH_SCAN_MAX` entries; a chunk may be empty and still have a `next`.
    pub(super) fn chunk(&self, fetch: &Fetch) -> Chunk {
        let asks = Asks::of(fetch);
        let wants = asks.wants_of(|key| self.origin(key).map(|o| &o.held));
        let walk = asks.walk(fetch.after, wants);
        let (mut messages, mut bytes, mut scanned) = (Vec::new(), 0, 0);
        let mut last = fetch.after;
        let no = fetch.no;
        for span in walk {
            for piece in self.order.pieces_after(span.after) {
                // Mostly the asker has whole stretches, and nothing in them needs to be looked at.
                let is_out = asks.is_out(&piece);
                if (piece.spans).is_some_and(|s| s.iter().all(|s| asks.has_span(s, is_out))) {
                    last = piece.last.min(span.upto);
                    scanned += 1;
                    continue;
                }
                for message in piece.messages {
                    if message.position() > span.upto {
                        break;
                    }
                    if bytes >= limits::BATCH_BYTES_MAX || scanned >= limits::FETCH_SCAN_MAX {
                        let next = Some(last);
                        return Chunk { no, next, messages };
                    }
                    last = message.position();
                    scanned += 1;
                    if asks.for_message(last, message.id()) {
                        bytes += message.size_bound();
                        messages.push(message.clone());
                    }
                }
                if piece.last >= span.upto {
                    break;
                }
            }
        }
        let next = None;
        Chunk { no, next, messages }
    }

    /// Up to where everything of this author is in the store, from `from` on.
    pub(super) fn stored_end(&self, origin: Key, from: u64) -> u64 {
        let origin = self.origin(origin);
        origin.map_or(from - 1, |o| o.safe_end(from, Safe::Stored))
    }

    /// Up to where everything of this author that is owed is safe or given up, from `from` on.
    pub(super) fn safe_end(&self, origin: Key, from: u64) -> u64 {
        let stored = self.stored_part.as_ref().map(|_| Safe::Stored);
        let printed = self.only_printed.then_some(Safe::Printed);
        let kinds = [Some(Safe::Taken), stored, printed];
        let Some(origin) = self.origin(origin) else {
            return from - 1;
        };
        let ends = kinds
            .into_iter()
            .flatten()
            .map(|safe| origin.safe_end(from, safe));
        ends.min().unwrap_or(from - 1)
    }
}
