//! A sorted sequence of messages in blocks: cheap to append to, to drop from the front, to insert
//! into near the end, and to sum up above a position.
//!
//! Owns the messages that are in memory, and their order. It knows nothing of authors or floors.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::sums::Sums;
use crate::wire::{ChatMessage, Item, MessageId, Part, Position, SeqRange, Span, Sum, hash_of};

/// Messages per block: small enough to shift, large enough that a million messages are few blocks.
const BLOCK_MAX: usize = 512;
/// Authors of one block of which is remembered what they wrote in it.
const SPANS_MAX: usize = 32;

#[derive(Debug, Default)]
struct Block {
    messages: Vec<ChatMessage>,
    /// What was hashed so far of it.
    sums: RefCell<Sums>,
    /// The position of the last message.
    last: Position,
    /// What the messages take, by their `size_bound`.
    bytes: usize,
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
            sums: RefCell::default(),
            messages: Vec::new(),
            last: last.unwrap_or_default(),
            bytes: bytes_of(&messages),
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

    /// The sum of the hashes of the messages from this index on and up to that one.
    fn sum(&self, from: usize, to: usize) -> Sum {
        let mut sums = self.sums.borrow_mut();
        let mut sum = sums.before(&self.messages, to);
        sum.subtract(sums.before(&self.messages, from));
        sum
    }

    /// Appends messages of one author, which take so much.
    fn append_run(&mut self, run: &[ChatMessage], bytes: usize) {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            self.sums.get_mut().forget_whole();
            self.span(first.id());
            self.span(last.id());
            self.last = last.position();
            self.bytes += bytes;
            self.messages.extend_from_slice(run);
        }
    }

    /// Adds messages of one author, which take so much, each later than the one before it and earlier than the last
    /// one here.
    fn merge_run(&mut self, run: &[ChatMessage], bytes: usize) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return;
        };
        let index = self.near_end(first.position());
        self.sums.get_mut().forget_from(index);
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
        self.bytes += bytes;
        self.span(first.id());
        self.span(last.id());
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

/// What messages take, by their `size_bound`.
fn bytes_of(messages: &[ChatMessage]) -> usize {
    messages.iter().map(ChatMessage::size_bound).sum()
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
        block.span(message.id());
        let index = block.near_end(position);
        block.sums.get_mut().forget_from(index);
        block.bytes += message.size_bound();
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
    /// before it.
    pub(super) fn insert_run(&mut self, mut run: &[ChatMessage]) {
        while let Some(first) = run.first() {
            let Some(at) = self.near_end(first.position()) else {
                return self.append_run(run);
            };
            let block = &mut self.blocks[at];
            let end = block.last;
            let (now, later) = run.split_at(run.partition_point(|m| m.position() < end));
            let bytes = bytes_of(now);
            block.merge_run(now, bytes);
            self.count_run(now, bytes);
            self.split(at);
            run = later;
        }
    }

    fn append(&mut self, message: ChatMessage) {
        match self.blocks.back_mut() {
            Some(block) if block.messages.len() < BLOCK_MAX => {
                block.sums.get_mut().forget_whole();
                block.span(message.id());
                block.last = message.position();
                block.bytes += message.size_bound();
                block.messages.push(message);
            }
            _ => self.blocks.push_back(Block::of(vec![message])),
        }
    }

    /// Adds messages of one author with consecutive sequence numbers, each of them later than the one
    /// before it and the first later than all.
    fn append_run(&mut self, mut run: &[ChatMessage]) {
        while let Some(first) = run.first() {
            if self
                .blocks
                .back()
                .is_none_or(|b| b.messages.len() >= BLOCK_MAX)
            {
                self.append(first.clone());
                self.count_run(std::slice::from_ref(first), first.size_bound());
                run = &run[1..];
            } else if let Some(block) = self.blocks.back_mut() {
                let fitting = run.len().min(BLOCK_MAX - block.messages.len());
                let (now, later) = run.split_at(fitting);
                let bytes = bytes_of(now);
                block.append_run(now, bytes);
                self.count_run(now, bytes);
                run = later;
            }
        }
    }

    fn count_run(&mut self, run: &[ChatMessage], bytes: usize) {
        self.len += run.len();
        self.bytes += bytes;
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
            block.sums.get_mut().forget_from(0);
            block.bytes -= bytes_of(&block.messages[..take]);
            dropped.extend(block.messages.drain(..take));
            if block.messages.is_empty() {
                self.blocks.pop_front();
            }
        }
        self.len -= dropped.len();
        self.bytes -= bytes_of(&dropped);
        if self.len == 0 {
            self.last = Position::default();
        }
        dropped
    }

    /// Removes the message at this position. False if there is none.
    pub(super) fn remove(&mut self, position: Position) -> bool {
        let at = self.blocks.partition_point(|b| b.last < position);
        let Some(block) = self.blocks.get_mut(at) else {
            return false;
        };
        let found = block
            .messages
            .binary_search_by_key(&position, ChatMessage::position);
        let Ok(index) = found else {
            return false;
        };
        block.sums.get_mut().forget_from(index);
        let size = block.messages.remove(index).size_bound();
        block.bytes -= size;
        match block.messages.last() {
            Some(last) => block.last = last.position(),
            None => drop(self.blocks.remove(at)),
        }
        self.len -= 1;
        self.bytes -= size;
        self.last = self
            .blocks
            .back()
            .map_or_else(Position::default, |b| b.last);
        true
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

    /// How many messages there are after `position`.
    pub(super) fn count_after(&self, position: Position) -> usize {
        let (at, index) = self.seek(position);
        let blocks = self.blocks.range(at.min(self.blocks.len())..);
        blocks.map(|b| b.messages.len()).sum::<usize>() - index
    }

    /// How many messages there are after `position`, and what they take.
    pub(super) fn size_after(&self, position: Position) -> (usize, usize) {
        if self.last <= position {
            return (0, 0);
        }
        let (at, index) = self.seek(position);
        let mut size = (0, 0);
        let mut index = Some(index);
        for block in self.blocks.range(at..) {
            let before = index.take().unwrap_or(0);
            size.0 += block.messages.len() - before;
            size.1 += block.bytes - bytes_of(&block.messages[..before]);
        }
        size
    }

    /// The position of the last message that is not after `position`; all zero if there is none.
    pub(super) fn last_until(&self, position: Position) -> Position {
        if self.last <= position {
            return self.last;
        }
        let (at, index) = self.seek(position);
        let before = at.checked_sub(1).and_then(|at| self.blocks.get(at));
        let here = self.blocks.get(at).map(|block| &block.messages[..index]);
        let here = here.and_then(<[_]>::last).map(ChatMessage::position);
        here.or(before.map(|block| block.last)).unwrap_or_default()
    }

    /// How many messages there are in a span.
    pub(super) fn count(&self, span: Span) -> usize {
        self.count_after(span.after)
            .saturating_sub(self.count_after(span.upto))
    }

    /// The message at this position, if one is held there.
    pub(super) fn get(&self, position: Position) -> Option<&ChatMessage> {
        let at = self.blocks.partition_point(|b| b.last < position);
        let messages = &self.blocks.get(at)?.messages;
        let index = messages.binary_search_by_key(&position, ChatMessage::position);
        index.ok().map(|index| &messages[index])
    }

    /// The messages of a span, in at most so many as each part may have.
    pub(super) fn parts(&self, span: Span, count: usize) -> Vec<Part> {
        let (mut at, mut index) = self.seek(span.after);
        let end = self.seek(span.upto);
        let mut parts: Vec<Part> = Vec::new();
        let mut left = 0;
        while (at, index) < end {
            let block = &self.blocks[at];
            let stop = if at == end.0 {
                end.1
            } else {
                block.messages.len()
            };
            if left == 0 {
                left = count.max(1);
                parts.push(Part {
                    upto: span.upto,
                    count: 0,
                    sum: Sum::default(),
                });
            }
            let next = stop.min(index.saturating_add(left));
            left -= next - index;
            if let (Some(part), Some(last)) = (parts.last_mut(), block.messages[..next].last()) {
                part.upto = last.position();
                part.count += (next - index) as u64;
                part.sum.add(block.sum(index, next));
            }
            (at, index) = if next == block.messages.len() {
                (at + 1, 0)
            } else {
                (at, next)
            };
        }
        parts
    }

    /// The sum of the hashes, and the number, of the messages of a span.
    pub(super) fn sum(&self, span: Span) -> (Sum, u64) {
        let parts = self.parts(span, usize::MAX);
        parts.first().map(|p| (p.sum, p.count)).unwrap_or_default()
    }

    /// The messages of a span, one by one.
    pub(super) fn items(&self, span: Span) -> Vec<Item> {
        let pieces = self.pieces_after(span.after);
        let messages = pieces.flat_map(|piece| piece.messages);
        let within = messages.take_while(|m| m.position() <= span.upto);
        let item = |m: &ChatMessage| Item {
            position: m.position(),
            hash: hash_of(m).short(),
        };
        within.map(item).collect()
    }
}

#[cfg(test)]
#[path = "order_test.rs"]
mod tests;
