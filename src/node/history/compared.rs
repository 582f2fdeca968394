//! What two nodes tell each other of their histories to find out where they differ.
//!
//! Owns nothing: it sums up what is in memory and what is in the store only. What is done with a difference is
//! the talk's.

use super::History;
use crate::limits::{LISTED_MAX, PARTS_MAX};
use crate::wire::{ChatMessage, Contents, Digest, Item, Part, Position, Span, Sum, hash_of};

/// What is here where somebody else holds a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::node) enum Found {
    /// Nothing.
    Nothing,
    /// The same, as far as can be told.
    Same,
    /// Something else of the same name.
    Other,
}

impl History {
    /// What this history is told by from others: the same on every node that holds the same.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let (digest, _) = self.digest_above(self.floor).unwrap_or_default();
        digest
    }

    /// The digest and the number of the messages above `floor`; none where only the store could
    /// tell.
    pub(in crate::node) fn digest_above(&self, floor: Position) -> Option<(Digest, u64)> {
        let (sum, count) = self.sum(Span::new(floor, Position::END))?;
        Some((sum.digest(count), count))
    }

    /// How many messages there are above this position; none where only the store could tell.
    pub(in crate::node) fn count_above(&self, position: Position) -> Option<u64> {
        let is_stored = |until: Position| position > self.floor && position < until;
        match &self.stored_part {
            Some(part) if is_stored(part.until) => None,
            Some(_) if position <= self.floor => Some(self.len() as u64),
            _ => Some(self.order.count_after(position) as u64),
        }
    }

    /// The sum of the hashes, and the number, of the messages of a span; none where only the store could
    /// tell.
    pub(in crate::node) fn sum(&self, span: Span) -> Option<(Sum, u64)> {
        let stored = self.stored_within(span)?;
        let (mut sum, mut count) = self.order.sum(span);
        for bucket in stored {
            sum.add(bucket.sum);
            count += bucket.count;
        }
        Some((sum, count))
    }

    /// What of a span is in the store only; none if that cannot be told.
    fn stored_within(&self, span: Span) -> Option<&[Part]> {
        match &self.stored_part {
            Some(part) if span.after < part.until => {
                let after = if span.after <= self.floor {
                    Position::default()
                } else {
                    span.after
                };
                part.buckets.within(Span::new(after, span.upto))
            }
            _ => Some(&[]),
        }
    }

    /// What is held above a position, in parts.
    pub(in crate::node) fn parts_above(&self, floor: Position) -> Vec<Part> {
        let span = Span::new(floor, Position::END);
        match self.stored_within(span) {
            Some(stored) => self.parts(span, stored),
            None => Vec::new(),
        }
    }

    fn parts(&self, span: Span, stored: &[Part]) -> Vec<Part> {
        let in_memory = self.order.count(span) as u64;
        let in_store: u64 = stored.iter().map(|b| b.count).sum();
        let all = in_memory + in_store;
        if all <= LISTED_MAX as u64 && in_store == 0 {
            return self.order.parts(span, LISTED_MAX);
        }
        // The parts on both sides of the border between store and memory may be smaller than others.
        let most = PARTS_MAX as u64 - 2;
        let count = all.div_ceil(most);
        let mut parts = joined(stored, count);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        parts.extend(self.order.parts(span, count));
        parts
    }

    /// What is held in a span.
    pub(in crate::node) fn contents(&self, span: Span) -> Contents {
        let Some(stored) = self.stored_within(span) else {
            return Contents::default();
        };
        if stored.is_empty() && self.order.count(span) <= LISTED_MAX {
            return Contents {
                items: Some(self.order.items(span)),
                parts: None,
            };
        }
        let mut parts = self.parts(span, stored);
        if parts.len() < 2 {
            return Contents::default();
        }
        if let Some(last) = parts.last_mut() {
            last.upto = span.upto;
        }
        Contents {
            parts: Some(parts),
            items: None,
        }
    }

    /// What is here of a message that somebody else holds.
    pub(in crate::node) fn find(&self, item: Item) -> Found {
        let is_same = |m: &ChatMessage| hash_of(m).short() == item.hash;
        self.find_if(item.position, is_same)
    }

    /// What is here under the name of this message.
    pub(in crate::node) fn find_message(&self, message: &ChatMessage) -> Found {
        self.find_if(message.position(), |m| m == message)
    }

    fn find_if(&self, position: Position, is_same: impl Fn(&ChatMessage) -> bool) -> Found {
        if let Some(message) = self.order.get(position) {
            let same = is_same(message);
            return if same { Found::Same } else { Found::Other };
        }
        let id = position.id();
        if self.shelf.contains(id) {
            return Found::Same;
        }
        let Some(origin) = self.origin(id.origin).filter(|o| o.has_taken(id.seq)) else {
            return Found::Nothing;
        };
        // What is in the store only, or was dropped, cannot be compared.
        let is_in_memory = origin.held.contains(id.seq) && !origin.only_stored.contains(id.seq);
        if is_in_memory {
            Found::Other
        } else {
            Found::Same
        }
    }
}

/// These as larger parts, with so many messages each or a few more.
fn joined(parts: &[Part], count: u64) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::new();
    for part in parts {
        match joined.last_mut().filter(|last| last.count < count) {
            Some(last) => {
                last.upto = part.upto;
                last.count += part.count;
                last.sum.add(part.sum);
            }
            None => joined.push(*part),
        }
    }
    joined
}

#[cfg(test)]
#[path = "compared_test.rs"]
mod tests;
