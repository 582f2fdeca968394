//! A sorted sequence of messages in blocks: cheap to append to, to drop from the front, to insert
//! into near the end, and to sum up above a position.
//!
//! Owns the messages that are in memory, and their order. It knows nothing of authors or floors.

use std::collections::VecDeque;

use crate::wire::{ChatMessage, MessageId, Position, SeqRange, digest_of};

/// Messages per block: small enough to shift, large enough that a million messages are few blocks.
const BLOCK_MAX: usize = 512;
/// Authors of one block of which is remembered what they wrote in it.
const SPANS_MAX: usize = 32;

#[derive(Debug, Default)]
struct Block {
    messages: Vec<ChatMessage>,
    /// The wrapping sum of the hashes of the ids in this block.
    digest: u64,
    /// The position of the last message.
    last: Position,
    /// For each author here, a range that its messages in this block are within; none if there are
    /// more than `SPANS_MAX` authors.
    spans: Option<Vec<SeqRange>>,
}

/// Messages that follow each other.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) messages: &'a [ChatMessage],
    pub(super) last: Position,
    /// Where the messages of each author are within, if that is known.
    pub(super) spans: Option<&'a [SeqRange]>,
}

impl Block {
    fn of(messages: Vec<ChatMessage>) -> Block {
        let last = messages.last().map(ChatMessage::position);
        let mut block = Block {
            digest: digest_sum(&messages),
            messages: Vec::new(),
            last: last.unwrap_or_default(),
            spans: Some(Vec::new()),
        };
        messages.iter().for_each(|m| block.span(m.id()));
        block.messages = messages;
        block
    }

    fn span(&mut self, id: MessageId) {
        let Some(spans) = &mut self.spans else {
            return;
        };
        let full = spans.len() == SPANS_MAX;
        match spans.iter_mut().find(|span| span.author == id.origin) {
            Some(SeqRange { first, last, .. }) => {
                *first = id.seq.min(*first);
                *last = id.seq.max(*last);
            }
            None if full => self.spans = None,
            None => spans.push(SeqRange::new(id.origin, id.seq, id.seq)),
        }
    }

    fn count_in(&mut self, id: MessageId) {
        self.digest = self.digest.wrapping_add(digest_of(id));
        self.span(id);
    }

    /// Appends messages of one author; returns the sum of their hashes.
    fn append_run(&mut self, run: &[ChatMessage]) -> u64 {
        let digest = digest_sum(run);
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            self.digest = self.digest.wrapping_add(digest);
            self.span(first.id());
            self.span(last.id());
            self.last = last.position();
            self.messages.extend_from_slice(run);
        }
        digest
    }

    /// Adds messages of one author, each later than the one before it and earlier than the last one
    /// here; returns the sum of their hashes.
    fn merge_run(&mut self, run: &[ChatMessage]) -> u64 {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return 0;
        };
        let index = self.near_end(first.position());
        let mut later = self.messages.split_off(index).into_iter().peekable();
        self.messages.reserve(run.len() + later.len());
        for message in run {
            let position = message.position();
            while let Some(between) = later.next_if(|m| m.position() < position) {
                self.messages.push(between);
            }
            self.messages.push(message.clone());
        }
        self.messages.extend(later);
        self.span(first.id());
        self.span(last.id());
        let digest = digest_sum(run);
        self.digest = self.digest.wrapping_add(digest);
        digest
    }

    /// The index of the first message after `position`.
    fn after(&self, position: Position) -> usize {
        self.messages.partition_point(|m| m.position() <= position)
    }

    /// The same, fast where it is near the end.
    fn near_end(&self, position: Position) -> usize {
        let (mut step, mut end) = (1, self.messages.len());
        while step < end && self.messages[end - step].position() > position {
            end -= step;
            step *= 2;
        }
        let start = end.saturating_sub(step);
        let between = &self.messages[start..end];
        start + between.partition_point(|m| m.position() <= position)
    }
}

fn digest_sum(messages: &[ChatMessage]) -> u64 {
    let sum = |sum: u64, m: &ChatMessage| sum.wrapping_add(digest_of(m.id()));
    messages.iter().fold(0, sum)
}

/// Messages in their total order.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// None of them is empty.
    blocks: VecDeque<Block>,
    len: usize,
    /// What the messages take, by their `size_bound`.
    bytes: usize,
    last: Position,
}

impl Order {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// What all messages take, by their `size_bound`.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many of the first messages take `bytes` or more together.
    pub(super) fn first_taking(&self, bytes: usize) -> usize {
        let mut left = bytes;
        let fits = |m: &&ChatMessage| {
            let more = left > 0;
            left = left.saturating_sub(m.size_bound());
            more
        };
        self.iter().take_while(fits).count()
    }

    /// The position of the last message; all zero if there is none.
    pub(super) fn last(&self) -> Position {
        self.last
    }

    /// The block of the first message after `position`, and its index there.
    fn seek(&self, position: Position) -> (usize, usize) {
        let at = self.blocks.partition_point(|b| b.last <= position);
        let index = self.blocks.get(at).map_or(0, |b| b.after(position));
        (at, index)
    }

    /// Adds a message whose position is not taken.
    pub(super) fn insert(&mut self, message: ChatMessage) {
        let position = message.position();
        self.len += 1;
        self.bytes += message.size_bound();
        if position > self.last {
            self.last = position;
            return self.append(message);
        }
        let Some(at) = self.near_end(position) else {
            return self.append(message);
        };
        let block = &mut self.blocks[at];
        block.count_in(message.id());
        let index = block.near_end(position);
        block.messages.insert(index, message);
        self.split(at);
    }

    /// The block of the first message after `position`, if there is one, fast where that is near the
    /// end: what comes late mostly comes a little late.
    fn near_end(&self, position: Position) -> Option<usize> {
        let later = self.blocks.iter().rev().take_while(|b| b.last > position);
        let later = later.count();
        (later > 0).then(|| self.blocks.len() - later)
    }

    /// Splits a block that has become too large.
    fn split(&mut self, at: usize) {
        let messages = &mut self.blocks[at].messages;
        if messages.len() <= BLOCK_MAX {
            return;
        }
        let parts = messages.len() / (BLOCK_MAX / 2);
        let size = messages.len().div_ceil(parts);
        let mut messages = std::mem::take(messages).into_iter();
        for part in at.. {
            let messages: Vec<ChatMessage> = messages.by_ref().take(size).collect();
            if messages.is_empty() {
                return;
            }
            let block = Block::of(messages);
            if part == at {
                self.blocks[at] = block;
            } else {
                self.blocks.insert(part, block);
            }
        }
    }

    /// Adds messages of one author with consecutive sequence numbers, each of them later than the one
    /// before it; returns the sum of their hashes.
    pub(super) fn insert_run(&mut self, mut run: &[ChatMessage]) -> u64 {
        let mut digest = 0u64;
        while let Some(first) = run.first() {
            let Some(at) = self.near_end(first.position()) else {
                return digest.wrapping_add(self.append_run(run));
            };
            let block = &mut self.blocks[at];
            let end = block.last;
            let (now, later) = run.split_at(run.partition_point(|m| m.position() < end));
            digest = digest.wrapping_add(block.merge_run(now));
            self.count_run(now);
            self.split(at);
            run = later;
        }
        digest
    }

    fn append(&mut self, message: ChatMessage) {
        match self.blocks.back_mut() {
            Some(block) if block.messages.len() < BLOCK_MAX => {
                block.count_in(message.id());
                block.last = message.position();
                block.messages.push(message);
            }
            _ => self.blocks.push_back(Block::of(vec![message])),
        }
    }

    /// Adds messages of one author with consecutive sequence numbers, each of them later than the one
    /// before it and the first later than all; returns the sum of their hashes.
    fn append_run(&mut self, mut run: &[ChatMessage]) -> u64 {
        let mut digest = 0u64;
        while let Some(first) = run.first() {
            if self
                .blocks
                .back()
                .is_none_or(|b| b.messages.len() >= BLOCK_MAX)
            {
                self.append(first.clone());
                digest = digest.wrapping_add(digest_of(first.id()));
                self.count_run(std::slice::from_ref(first));
                run = &run[1..];
            } else if let Some(block) = self.blocks.back_mut() {
                let fitting = run.len().min(BLOCK_MAX - block.messages.len());
                let (now, later) = run.split_at(fitting);
                digest = digest.wrapping_add(block.append_run(now));
                self.count_run(now);
                run = later;
            }
        }
        digest
    }

    fn count_run(&mut self, run: &[ChatMessage]) {
        self.len += run.len();
        self.bytes += run.iter().map(ChatMessage::size_bound).sum::<usize>();
        if let Some(last) = run.last() {
            self.last = self.last.max(last.position());
        }
    }

    /// Removes the first `n` messages and returns them.
    pub(super) fn drop_first(&mut self, n: usize) -> Vec<ChatMessage> {
        let mut dropped = Vec::with_capacity(n.min(self.len));
        while dropped.len() < n
            && let Some(block) = self.blocks.front_mut()
        {
            let take = (n - dropped.len()).min(block.messages.len());
            block.digest = block
                .digest
                .wrapping_sub(digest_sum(&block.messages[..take]));
            dropped.extend(block.messages.drain(..take));
            if block.messages.is_empty() {
                self.blocks.pop_front();
            }
        }
        self.len -= dropped.len();
        self.bytes -= dropped.iter().map(ChatMessage::size_bound).sum::<usize>();
        if self.len == 0 {
            self.last = Position::default();
        }
        dropped
    }

    /// All messages in their order.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &ChatMessage> {
        self.blocks.iter().flat_map(|b| b.messages.iter())
    }

    /// The messages after `position`, in pieces as they are kept.
    pub(super) fn pieces_after(&self, position: Position) -> impl Iterator<Item = Piece<'_>> {
        let (at, index) = self.seek(position);
        let mut index = Some(index);
        self.blocks
            .range(at.min(self.blocks.len())..)
            .map(move |block| Piece {
                messages: &block.messages[index.take().unwrap_or(0)..],
                last: block.last,
                spans: block.spans.as_deref(),
            })
    }

    /// How many messages there are before `position`.
    pub(super) fn count_before(&self, position: Position) -> usize {
        let at = self.blocks.partition_point(|b| b.last < position);
        let whole: usize = self.blocks.range(..at).map(|b| b.messages.len()).sum();
        let part = self.blocks.get(at).map_or(0, |b| {
            b.messages.partition_point(|m| m.position() < position)
        });
        whole + part
    }

    /// The sum of the hashes, and the number, of the messages after `position`.
    pub(super) fn digest_after(&self, position: Position) -> (u64, u64) {
        let (at, index) = self.seek(position);
        let (mut digest, mut count) = (0u64, 0);
        for block in self.blocks.range(at.min(self.blocks.len())..) {
            digest = digest.wrapping_add(block.digest);
            count += block.messages.len();
        }
        if let Some(block) = self.blocks.get(at) {
            digest = digest.wrapping_sub(digest_sum(&block.messages[..index]));
            count -= index;
        }
        (digest, count as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Draft, Key};
    use std::collections::BTreeMap;

    fn message(timestamp: u64, seq: u64) -> ChatMessage {
        ChatMessage::new(&Draft {
            origin: Key(1),
            seq,
            timestamp,
            sent_at: 0,
            from: 1,
            nick: "n".into(),
            dependencies: Vec::new().into(),
            text: String::new().into(),
        })
        .expect("a valid message")
    }

    fn agrees(order: &Order, model: &BTreeMap<Position, ChatMessage>, at: Position) {
        assert_eq!(order.len(), model.len());
        let bytes: usize = model.values().map(ChatMessage::size_bound).sum();
        assert_eq!(order.bytes(), bytes);
        let half = order.first_taking(bytes / 2);
        let taken = |n| {
            model
                .values()
                .take(n)
                .map(ChatMessage::size_bound)
                .sum::<usize>()
        };
        assert!(taken(half) >= bytes / 2 && (half == 0 || taken(half - 1) < bytes / 2));
        assert!(order.iter().eq(model.values()));
        assert!(order.iter().rev().eq(model.values().rev()));
        let newest = model.last_key_value().map(|(p, _)| *p);
        assert_eq!(order.last(), newest.unwrap_or_default());
        let above = model.iter().filter(|(p, _)| **p > at);
        let above: Vec<_> = above.map(|(_, m)| m.clone()).collect();
        let pieces = order.pieces_after(at).flat_map(|piece| {
            let last = piece.messages.last().map(ChatMessage::position);
            assert_eq!(last, Some(piece.last));
            let spans = piece.spans.unwrap_or_default();
            let within = |m: &ChatMessage| {
                let mut spans = spans.iter().filter(|s| s.author == m.origin());
                spans.any(|s| (s.first..=s.last).contains(&m.seq()))
            };
            assert!(piece.messages.iter().all(within));
            piece.messages
        });
        assert!(pieces.eq(above.iter()));
        let expected = (digest_sum(&above), above.len() as u64);
        assert_eq!(order.digest_after(at), expected);
        assert_eq!(order.count_before(at), model.range(..at).count());
    }

    #[test]
    fn behaves_like_a_sorted_map() {
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..20 {
            let (mut order, mut model) = (Order::default(), BTreeMap::new());
            for seq in 1..2_000 {
                // Mostly at the end, sometimes anywhere.
                let timestamp = if rng.u8(0..4) > 0 {
                    seq * 10
                } else {
                    rng.u64(1..20_000)
                };
                let m = message(timestamp, seq);
                model.insert(m.position(), m.clone());
                order.insert(m);
                if rng.u16(0..400) == 0 {
                    let n = rng.usize(0..700);
                    let dropped = order.drop_first(n);
                    for m in &dropped {
                        assert_eq!(model.pop_first().map(|(_, m)| m).as_ref(), Some(m));
                    }
                    assert!(dropped.len() == n || model.is_empty());
                }
                if seq % 97 == 0 {
                    agrees(&order, &model, Position::new(rng.u64(0..20_000), Key(1), 0));
                }
            }
            agrees(&order, &model, Position::default());
        }
    }

    #[test]
    fn a_run_goes_in_as_its_messages_one_by_one() {
        let mut rng = fastrand::Rng::with_seed(8);
        let (mut order, mut model) = (Order::default(), BTreeMap::new());
        let (mut seq, mut newest) = (0, 0);
        for _ in 0..120 {
            let length = rng.u64(0..3 * BLOCK_MAX as u64 / 2);
            // After everything, a little before, or anywhere; close together or far apart.
            let mut timestamp = match rng.u8(0..4) {
                0 => newest,
                1 => rng.u64(0..=newest),
                _ => newest.saturating_sub(rng.u64(0..2_000)),
            };
            let step = rng.u64(1..8);
            let run = (seq + 1..=seq + length).map(|n| {
                timestamp += rng.u64(1..=step);
                message(timestamp, n)
            });
            let run: Vec<_> = run.collect();
            seq += length;
            newest = newest.max(timestamp);
            assert_eq!(order.insert_run(&run), digest_sum(&run));
            model.extend(run.into_iter().map(|m| (m.position(), m)));
            agrees(
                &order,
                &model,
                Position::new(rng.u64(0..=newest), Key(1), 0),
            );
        }
        assert!(order.blocks.iter().all(|b| b.messages.len() <= BLOCK_MAX));
    }
}
