//! The history: a set of messages in the total order (timestamp, origin, seq), above a floor.
//!
//! Above its floor a history holds all that was ever inserted; at or below it, nothing. It never
//! decides whether a message may be taken in: that is [`super::causality`]'s.
//!
//! Without a store all of it is in memory, and dropping the oldest raises the floor. With one
//! (`shelf`), the oldest only leave memory: see there.

use std::collections::BTreeMap;

use super::order::Order;
use super::ranges::Ranges;
use super::shelf::Shelf;
use crate::limits;
use crate::wire::{ChatMessage, Chunk, Key, MessageId, Position, SeqRange, digest_of};

/// The messages held, in their total order.
#[derive(Debug)]
pub struct History {
    pub(super) order: Order,
    pub(super) origins: BTreeMap<Key, Origin>,
    pub(super) floor: Position,
    pub(super) digest: u64,
    pub(super) max: usize,
    /// What a store adds, if there is one.
    pub(super) shelf: Option<Shelf>,
}

/// What is known of one author.
#[derive(Debug, Default)]
pub(super) struct Origin {
    pub(super) held: Ranges,
    /// The highest sequence number that fell below the floor; whatever is lower did too.
    pub(super) dropped_to: u64,
    /// Of `held`, what is in the store only.
    pub(super) shelved: Ranges,
    /// The highest sequence number that the store has.
    pub(super) stored_to: u64,
    /// The lowest sequence number that the store will never get, if there is one.
    pub(super) given_up: Option<u64>,
}

impl History {
    pub(super) fn new(max: usize) -> History {
        History {
            order: Order::default(),
            origins: BTreeMap::new(),
            floor: Position::default(),
            digest: 0,
            max: max.max(1),
            shelf: None,
        }
    }

    /// How many messages are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len() + self.shelf.as_ref().map_or(0, |s| s.count)
    }

    /// True if none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The wrapping sum of the hashes of all ids held: the same on every node that holds the same.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.digest
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

    /// True if this message is held.
    #[must_use]
    pub fn contains(&self, id: MessageId) -> bool {
        self.origins
            .get(&id.origin)
            .is_some_and(|o| o.held.contains(id.seq))
    }

    /// True if this message is held, or was until it fell below the floor.
    pub(super) fn is_settled(&self, id: MessageId) -> bool {
        self.origins
            .get(&id.origin)
            .is_some_and(|o| id.seq <= o.dropped_to || o.held.contains(id.seq))
    }

    /// The highest sequence number of this author that was taken in; 0 if none.
    #[must_use]
    pub fn highest(&self, origin: Key) -> u64 {
        self.origins
            .get(&origin)
            .map_or(0, |o| o.held.highest().max(o.dropped_to))
    }

    /// Adds a message. False if it is held already or lies at or below the floor.
    pub(super) fn insert(&mut self, message: ChatMessage) -> bool {
        let position = message.position();
        if position <= self.floor {
            return false;
        }
        let id = message.id();
        let origin = self.origins.entry(id.origin).or_default();
        // One (origin, seq) can come with two timestamps only from a liar: the first one stays.
        if !origin.held.insert(id.seq) {
            return false;
        }
        self.digest = self.digest.wrapping_add(digest_of(id));
        if self.shelf.is_some() {
            self.insert_storing(message);
            return true;
        }
        self.order.insert(message);
        let excess = self.excess();
        if excess > 0 {
            self.drop_oldest(excess);
        }
        true
    }

    /// True if all messages of a run that begins with this one can be added with
    /// [`History::insert_run`].
    pub(super) fn takes_run(&self, first: &ChatMessage) -> bool {
        self.shelf.is_none()
            && first.position() > self.floor
            && first.seq() > self.highest(first.origin())
    }

    /// Adds a run: messages of one author with consecutive sequence numbers, each later than the one
    /// before it.
    pub(super) fn insert_run(&mut self, run: &[ChatMessage]) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return;
        };
        let origin = self.origins.entry(first.origin()).or_default();
        origin.held.insert_range(first.seq(), last.seq());
        self.digest = self.digest.wrapping_add(self.order.insert_run(run));
        let excess = self.excess();
        if excess > 0 {
            self.drop_oldest(excess);
        }
    }

    /// How many of the oldest messages in memory are too many, by their number or their bytes.
    pub(super) fn excess(&self) -> usize {
        let bytes_max = limits::HISTORY_BYTES_MIN.max(
            self.max
                .saturating_mul(limits::HISTORY_BYTES_PER_MESSAGE_MAX),
        );
        let over = self.order.bytes().saturating_sub(bytes_max);
        let by_number = self.order.len().saturating_sub(self.max);
        match over {
            0 => by_number,
            over => by_number.max(self.order.first_taking(over)),
        }
    }

    /// A message at or below the floor was shown, and is not kept.
    pub(super) fn settle(&mut self, id: MessageId) {
        let origin = self.origins.entry(id.origin).or_default();
        origin.dropped_to = origin.dropped_to.max(id.seq);
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
        self.digest = self.digest.wrapping_sub(digest_of(id));
        if let Some(origin) = self.origins.get_mut(&id.origin) {
            origin.held.remove(id.seq);
            origin.dropped_to = origin.dropped_to.max(id.seq);
        }
    }

    fn forget_idle_origins(&mut self) {
        if self.origins.len() > self.order.len() + limits::ORIGINS_IDLE_MAX {
            self.origins.retain(|_, origin| !origin.held.is_empty());
        }
    }

    /// Lifts the floor to `position` and drops what lies at or below it.
    pub(super) fn raise_floor(&mut self, position: Position) {
        let position = self.clear_shelf(position);
        let (_, above) = self.order.digest_after(position);
        let below = self.order.len() - usize::try_from(above).unwrap_or(0);
        for message in self.order.drop_first(below) {
            self.forget(&message);
        }
        self.floor = self.floor.max(position);
    }

    /// The digest and the number of the messages above `floor`; none where only the store could
    /// tell.
    pub(super) fn digest_above(&self, floor: Position) -> Option<(u64, u64)> {
        match &self.shelf {
            Some(_) if floor <= self.floor => Some((self.digest, self.len() as u64)),
            Some(shelf) if floor < shelf.until => None,
            _ => Some(self.order.digest_after(floor)),
        }
    }

    /// What is held, for the `skip` of a FETCH: at most `SKIP_RANGES_MAX` ranges, the longest.
    pub(super) fn held_ranges(&self) -> Vec<SeqRange> {
        let mut ranges: Vec<SeqRange> = self
            .origins
            .iter()
            .flat_map(|(key, o)| o.held.iter().map(|(a, b)| SeqRange(*key, a, b)))
            .collect();
        if ranges.len() > limits::SKIP_RANGES_MAX {
            let length = |r: &SeqRange| std::cmp::Reverse(r.2 - r.1);
            ranges.select_nth_unstable_by_key(limits::SKIP_RANGES_MAX, length);
            ranges.truncate(limits::SKIP_RANGES_MAX);
            ranges.sort_unstable_by_key(|r| (r.0, r.1));
        }
        ranges
    }

    /// The messages after a position that are not in `skip`, as many as one chunk carries. The
    /// work is bounded by `FETCH_SCAN_MAX` entries; a chunk may be empty and still have a `next`.
    pub(super) fn chunk(&self, no: u64, after: Position, skip: &[SeqRange]) -> Chunk {
        let has = Ranges::by_key(skip);
        let has_span = |s: &SeqRange| has.get(&s.0).is_some_and(|r| r.contains_all(s.1, s.2));
        let has_message = |id: MessageId| has.get(&id.origin).is_some_and(|r| r.contains(id.seq));
        let (mut messages, mut bytes, mut scanned) = (Vec::new(), 0, 0);
        let mut last = after;
        for piece in self.order.pieces_after(after) {
            // Mostly the asker has whole stretches, and nothing in them needs to be looked at.
            if piece.spans.is_some_and(|spans| spans.iter().all(has_span)) {
                last = piece.last;
                scanned += 1;
                continue;
            }
            for message in piece.messages {
                if bytes >= limits::BATCH_BYTES_MAX || scanned >= limits::FETCH_SCAN_MAX {
                    let next = Some(last);
                    return Chunk { no, next, messages };
                }
                last = message.position();
                scanned += 1;
                if !has_message(message.id()) {
                    bytes += message.size_bound();
                    messages.push(message.clone());
                }
            }
        }
        let next = None;
        Chunk { no, next, messages }
    }
}
