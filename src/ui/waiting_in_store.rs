//! Messages that wait for stdout and are left in the store: which they are, and how far they were
//! fetched.
//!
//! This module owns numbers and positions, never a text. What waits here is printed in the history's
//! order, which puts every cause before its effects. It never reads a store itself.

use std::collections::BTreeMap;

use crate::node::Arrival;
use crate::wire::{ChatMessage, Key, MessageId, Position};

use super::gap::SkippedRange;

/// Consecutive messages of one author that came alike.
#[derive(Debug)]
struct Stretch {
    last: u64,
    arrival: Arrival,
    /// How many messages of the stretch were fetched.
    found: u64,
}

/// The last that came of one author.
#[derive(Debug)]
struct Latest {
    first: u64,
    nick: String,
}

/// What is left in the store between two moments. Once it is being fetched nothing is added.
#[derive(Debug)]
pub(super) struct WaitingInStore {
    /// The stretches by their first messages.
    stretches: BTreeMap<MessageId, Stretch>,
    latest: BTreeMap<Key, Latest>,
    /// How many messages are not fetched yet.
    messages: u64,
    /// Of how many messages the node is owed a word.
    owed: u64,
    /// What was fetched last, or is before the first of them.
    after: Position,
    until: Position,
    is_begun: bool,
}

impl WaitingInStore {
    pub(super) fn new() -> WaitingInStore {
        WaitingInStore {
            stretches: BTreeMap::new(),
            latest: BTreeMap::new(),
            messages: 0,
            owed: 0,
            after: Position::END,
            until: Position::default(),
            is_begun: false,
        }
    }

    /// True until the first of the messages is fetched.
    pub(super) fn takes_more(&self) -> bool {
        !self.is_begun
    }

    /// How many stretches are told apart.
    pub(super) fn len(&self) -> usize {
        self.stretches.len()
    }

    pub(super) fn messages(&self) -> u64 {
        self.messages
    }

    pub(super) fn owed(&self) -> u64 {
        self.owed
    }

    /// A message is left in the store.
    pub(super) fn add(&mut self, message: &ChatMessage, arrival: Arrival, owed: bool) {
        let (id, position) = (message.id(), message.position());
        let before = Position {
            seq: position.seq.saturating_sub(1),
            ..position
        };
        self.after = self.after.min(before);
        self.until = self.until.max(message.position());
        self.messages += 1;
        self.owed += u64::from(owed);
        let latest = self.latest.get(&id.origin).map(|latest| MessageId {
            seq: latest.first,
            ..id
        });
        if let Some(stretch) = latest.and_then(|first| self.stretches.get_mut(&first))
            && stretch.last + 1 == id.seq
            && stretch.arrival == arrival
        {
            stretch.last = id.seq;
            return;
        }
        let stretch = Stretch {
            last: id.seq,
            arrival,
            found: 0,
        };
        self.stretches.insert(id, stretch);
        let (first, nick) = (id.seq, message.nick().to_owned());
        self.latest.insert(id.origin, Latest { first, nick });
    }

    /// Begins to fetch: between which positions the next messages lie.
    pub(super) fn begin(&mut self) -> (Position, Position) {
        self.is_begun = true;
        (self.after, self.until)
    }

    /// True if the message at this position is one that waits here.
    pub(super) fn is_wanted(&self, position: Position) -> bool {
        let id = position.id();
        self.holder(id).is_some()
    }

    fn holder(&self, id: MessageId) -> Option<MessageId> {
        let (first, stretch) = self.stretches.range(..=id).next_back()?;
        (first.origin == id.origin && id.seq <= stretch.last).then_some(*first)
    }

    /// Notes that a message was fetched, if it is one that waits here: how it had come.
    pub(super) fn find(&mut self, id: MessageId) -> Option<Arrival> {
        let first = self.holder(id)?;
        let stretch = self.stretches.get_mut(&first)?;
        stretch.found += 1;
        self.messages = self.messages.saturating_sub(1);
        Some(stretch.arrival)
    }

    /// Notes that all up to this position were fetched; true if that is all.
    pub(super) fn pass(&mut self, upto: Position) -> bool {
        self.after = self.after.max(upto);
        self.after >= self.until
    }

    /// The messages that were not found in the store.
    pub(super) fn lost(&self) -> impl Iterator<Item = SkippedRange> {
        self.stretches.iter().filter_map(|(first, stretch)| {
            let count = (stretch.last - first.seq + 1).saturating_sub(stretch.found);
            let nick = self.latest.get(&first.origin).map(|l| l.nick.clone());
            (count > 0).then(|| SkippedRange {
                key: first.origin,
                nick: nick.unwrap_or_default(),
                first: first.seq,
                last: stretch.last,
                count,
            })
        })
    }
}
