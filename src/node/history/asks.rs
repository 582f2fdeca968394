//! What a FETCH asks for.
//!
//! Owns nothing but that. It knows neither where messages are kept nor who asks.

use std::collections::BTreeMap;

use super::Ranges;
use super::order::Piece;
use crate::wire::{ChatMessage, Fetch, Key, MessageId, Position, SeqRange, Span};

/// What a FETCH asks for: what lies in its spans and above the asker's floor and is not skipped, and what it
/// wants wherever that lies.
#[derive(Debug)]
pub struct Asks {
    floor: Position,
    spans: Vec<Span>,
    skip: BTreeMap<Key, Ranges>,
    want: BTreeMap<Key, Ranges>,
}

impl Asks {
    /// What this FETCH asks for.
    #[must_use]
    pub fn of(fetch: &Fetch) -> Asks {
        Asks {
            floor: fetch.floor.unwrap_or_default(),
            spans: fetch.spans.clone(),
            skip: Ranges::by_key(&fetch.skip),
            want: Ranges::by_key(&fetch.want),
        }
    }

    /// The first span that ends after this position.
    fn span_after(&self, position: Position) -> Option<&Span> {
        let at = self.spans.partition_point(|s| s.upto <= position);
        self.spans.get(at)
    }

    /// True if this position is in a span.
    fn is_in_span(&self, position: Position) -> bool {
        let at = self.spans.partition_point(|s| s.upto < position);
        self.spans.get(at).is_some_and(|s| s.after < position)
    }

    /// True if nothing of this piece is asked for because of its position.
    pub(super) fn is_out(&self, piece: &Piece<'_>) -> bool {
        let first = piece.messages.first().map(ChatMessage::position);
        let is_below = piece.last <= self.floor;
        let misses = |first| {
            let at = self.spans.partition_point(|s| s.upto < first);
            self.spans.get(at).is_none_or(|s| s.after >= piece.last)
        };
        is_below || first.is_none_or(misses)
    }

    /// True if none of these messages is asked for, wherever they are or, if all are out of the spans or
    /// below the floor, there.
    pub(super) fn has_span(&self, span: &SeqRange, is_out: bool) -> bool {
        let SeqRange {
            author: key,
            first,
            last,
        } = *span;
        let wanted = self.want.get(&key);
        let is_wanted = wanted.is_some_and(|r| !r.within(first, last).is_empty());
        let skip = self.skip.get(&key);
        let is_skipped = || skip.is_some_and(|r| r.contains_all(first, last));
        !is_wanted && (is_out || is_skipped())
    }

    /// True if this message is asked for.
    #[must_use]
    pub fn for_message(&self, position: Position, id: MessageId) -> bool {
        let is_in = |set: &BTreeMap<Key, Ranges>| {
            let ranges = set.get(&id.origin);
            ranges.is_some_and(|r| r.contains(id.seq))
        };
        let is_placed = position > self.floor && self.is_in_span(position);
        is_placed && !is_in(&self.skip) || is_in(&self.want)
    }

    /// True if nothing is to be skipped.
    pub(super) fn skips_nothing(&self) -> bool {
        self.skip.is_empty()
    }

    /// True if something that is wanted wherever it is is among these of its author.
    pub(super) fn wants_of<'a>(&self, held: impl Fn(Key) -> Option<&'a Ranges>) -> bool {
        let mut keys = self.want.keys();
        keys.any(|key| held(*key).is_some_and(|held| self.wants_any_of(*key, held)))
    }

    /// The same of authors of whom only one stretch of messages is known.
    pub(super) fn wants_shelved(&self, held: impl Fn(Key) -> Option<Ranges>) -> bool {
        let mut keys = self.want.keys();
        keys.any(|key| held(*key).is_some_and(|held| self.wants_any_of(*key, &held)))
    }

    /// True if all of these are to be skipped.
    pub(super) fn skips_all(&self, range: SeqRange) -> bool {
        let skip = self.skip.get(&range.author);
        skip.is_some_and(|r| r.contains_all(range.first, range.last))
    }

    /// True if some of these messages of one author are wanted wherever they are.
    fn wants_any_of(&self, key: Key, held: &Ranges) -> bool {
        let wanted = self.want.get(&key);
        wanted.is_some_and(|wanted| wanted.iter().any(|(a, b)| !held.within(a, b).is_empty()))
    }

    /// What of these messages of one author is asked for, whatever their positions are.
    pub(super) fn any_of(&self, key: Key, held: &Ranges) -> bool {
        let is_had = || held.is_empty() || self.skip.get(&key).is_some_and(|r| r.covers(held));
        self.wants_any_of(key, held) || !is_had()
    }

    /// Where what is asked for lies after this position; all that comes after it, if something wanted is
    /// here, of which nobody knows where it lies.
    pub(super) fn walk(&self, after: Position, is_wanted_here: bool) -> Vec<Span> {
        if is_wanted_here {
            return vec![Span::new(after, Position::END)];
        }
        let after = after.max(self.floor);
        let Some(first) = self.span_after(after) else {
            return Vec::new();
        };
        let mut walk = vec![Span::new(first.after.max(after), first.upto)];
        let later = self.spans.iter().filter(|s| s.after >= first.upto);
        walk.extend(later);
        walk
    }
}
