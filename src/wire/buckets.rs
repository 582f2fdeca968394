//! The parts into which the hashes of what is in a store are summed up: the messages themselves are not in
//! memory to be hashed again.
//!
//! Owns the sums, and where a part ends: the hash of its last message tells, so that two nodes that hold the
//! same mostly have the same parts. It knows no file.

use super::chat::ChatMessage;
use super::compared::{Part, Span};
use super::digest::{Sum, hash_of};
use super::types::Position;

/// One message in so many is the last one of its part.
const BUCKET_MESSAGES: u64 = 512;
/// A part without such a message ends after so many.
const BUCKET_MESSAGES_MAX: u64 = 8 * BUCKET_MESSAGES;

/// Parts that follow each other, in the history's order.
#[derive(Debug, Default)]
pub struct Buckets {
    all: Vec<Part>,
    /// The last one has its last message.
    is_closed: bool,
}

impl Buckets {
    /// Adds parts that come after all that are here.
    pub fn extend(&mut self, parts: Vec<Part>) {
        self.is_closed |= !parts.is_empty();
        self.all.extend(parts);
    }

    /// Adds a message that comes after all that are here.
    pub fn push(&mut self, message: &ChatMessage) {
        let hash = hash_of(message);
        if self.is_closed || self.all.is_empty() {
            self.all.push(Part {
                upto: Position::default(),
                count: 0,
                sum: Sum::default(),
            });
        }
        if let Some(part) = self.all.last_mut() {
            part.upto = message.position();
            part.count += 1;
            part.sum.add(hash);
            let ends = hash.short().is_multiple_of(BUCKET_MESSAGES);
            self.is_closed = ends || part.count >= BUCKET_MESSAGES_MAX;
        }
    }

    /// Adds a message from before the last one.
    pub fn insert(&mut self, message: &ChatMessage) {
        let position = message.position();
        let at = self.all.partition_point(|b| b.upto < position);
        let Some(part) = self.all.get_mut(at) else {
            return self.push(message);
        };
        part.count += 1;
        part.sum.add(hash_of(message));
    }

    /// Takes away messages that are here: each of them, once.
    pub fn remove(&mut self, messages: &[ChatMessage]) {
        for message in messages {
            let position = message.position();
            let at = self.all.partition_point(|b| b.upto < position);
            if let Some(part) = self.all.get_mut(at) {
                part.count = part.count.saturating_sub(1);
                part.sum.subtract(hash_of(message));
            }
        }
        self.is_closed |= self.all.last().is_some_and(|last| last.count == 0);
        self.all.retain(|part| part.count > 0);
    }

    /// All parts.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.all
    }

    /// The parts of a span that begins and ends between two of them; none if it does not.
    #[must_use]
    pub fn within(&self, span: Span) -> Option<&[Part]> {
        let begin = self.all.partition_point(|b| b.upto <= span.after);
        let end = self.all.partition_point(|b| b.upto <= span.upto);
        let last_of = |end: usize| end.checked_sub(1).map(|last| self.all[last].upto);
        let begins = last_of(begin).unwrap_or_default() == span.after;
        let ends = end == self.all.len() || last_of(end) == Some(span.upto);
        (begins && ends).then(|| &self.all[begin..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::made;

    fn message(seq: u64) -> ChatMessage {
        made::message(1, seq, seq * 10, "")
    }

    #[test]
    fn two_that_begin_elsewhere_soon_have_the_same_parts() {
        let all: Vec<ChatMessage> = (1..=20_000).map(message).collect();
        let (mut one, mut other) = (Buckets::default(), Buckets::default());
        all.iter().for_each(|m| one.push(m));
        all[3_000..].iter().for_each(|m| other.push(m));
        assert!(one.parts().len() > 10, "{}", one.parts().len());
        let same = one.parts().iter().rev().zip(other.parts().iter().rev());
        assert!(same.take_while(|(a, b)| a == b).count() + 2 >= other.parts().len());
        let counted: u64 = one.parts().iter().map(|p| p.count).sum();
        assert_eq!(counted, 20_000);
    }

    #[test]
    fn what_is_taken_away_leaves_the_sums_of_what_stays() {
        let all: Vec<ChatMessage> = (1..=5_000).map(message).collect();
        let mut buckets = Buckets::default();
        all.iter().for_each(|m| buckets.push(m));
        buckets.remove(&all[..1_234]);
        let (mut sum, mut count) = (Sum::default(), 0);
        for part in buckets.parts() {
            assert!(part.count > 0);
            sum.add(part.sum);
            count += part.count;
        }
        assert_eq!((sum, count), (Sum::of(&all[1_234..]), 5_000 - 1_234));
        buckets.remove(&all[1_234..]);
        assert!(buckets.parts().is_empty());
        buckets.push(&all[4_999]);
        assert_eq!(buckets.parts()[0].sum, Sum::of(&all[4_999..]));
    }

    #[test]
    fn a_span_that_ends_within_a_part_has_no_sum() {
        let all: Vec<ChatMessage> = (1..=5_000).map(message).collect();
        let mut buckets = Buckets::default();
        all.iter().for_each(|m| buckets.push(m));
        let first = buckets.parts()[0].upto;
        let begin = Position::default();
        let within = |after, upto| buckets.within(Span::new(after, upto)).map(<[Part]>::len);
        let count = buckets.parts().len();
        assert_eq!(within(begin, Position::END), Some(count));
        assert_eq!(within(begin, first), Some(1));
        assert_eq!(within(first, Position::END), Some(count - 1));
        let inside = message(all[0].seq()).position();
        assert_eq!(within(inside, Position::END), None);
        assert_eq!(within(begin, inside), None);
    }
}
