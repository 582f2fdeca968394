//! A sorted sequence of messages in blocks: cheap to append to, to drop from the front, to insert
//! into near the end, and to sum up above a position. It knows nothing of authors or floors.

use std::collections::VecDeque;

use crate::wire::{ChatMessage, Position, digest_of};

/// Messages per block: small enough to shift, large enough that a million messages are few blocks.
const BLOCK_MAX: usize = 512;

#[derive(Debug, Default)]
struct Block {
    messages: Vec<ChatMessage>,
    /// The wrapping sum of the hashes of the ids in this block.
    digest: u64,
}

impl Block {
    fn of(messages: Vec<ChatMessage>) -> Block {
        let digest = digest_sum(&messages);
        Block { messages, digest }
    }

    fn last(&self) -> Position {
        self.messages
            .last()
            .map(|m| m.position())
            .unwrap_or_default()
    }

    /// The index of the first message after `position`.
    fn after(&self, position: Position) -> usize {
        self.messages.partition_point(|m| m.position() <= position)
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
    last: Position,
}

impl Order {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The position of the last message; all zero if there is none.
    pub(super) fn last(&self) -> Position {
        self.last
    }

    /// The block of the first message after `position`, and its index there.
    fn seek(&self, position: Position) -> (usize, usize) {
        let at = self.blocks.partition_point(|b| b.last() <= position);
        let index = self.blocks.get(at).map_or(0, |b| b.after(position));
        (at, index)
    }

    /// Adds a message whose position is not taken.
    pub(super) fn insert(&mut self, message: ChatMessage) {
        let position = message.position();
        self.len += 1;
        if position > self.last {
            self.last = position;
            return self.append(message);
        }
        let (at, index) = self.seek(position);
        let Some(block) = self.blocks.get_mut(at) else {
            return self.append(message);
        };
        block.digest = block.digest.wrapping_add(digest_of(message.id()));
        block.messages.insert(index, message);
        if block.messages.len() > BLOCK_MAX {
            let upper = Block::of(block.messages.split_off(BLOCK_MAX / 2));
            block.digest = block.digest.wrapping_sub(upper.digest);
            self.blocks.insert(at + 1, upper);
        }
    }

    fn append(&mut self, message: ChatMessage) {
        let digest = digest_of(message.id());
        match self.blocks.back_mut() {
            Some(block) if block.messages.len() < BLOCK_MAX => {
                block.digest = block.digest.wrapping_add(digest);
                block.messages.push(message);
            }
            _ => self.blocks.push_back(Block::of(vec![message])),
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
        if self.len == 0 {
            self.last = Position::default();
        }
        dropped
    }

    /// All messages in their order.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &ChatMessage> {
        self.blocks.iter().flat_map(|b| b.messages.iter())
    }

    /// The messages after `position`.
    pub(super) fn after(&self, position: Position) -> impl Iterator<Item = &ChatMessage> {
        let (at, index) = self.seek(position);
        let blocks = self.blocks.range(at.min(self.blocks.len())..);
        blocks.flat_map(|b| b.messages.iter()).skip(index)
    }

    /// How many messages there are before `position`.
    pub(super) fn count_before(&self, position: Position) -> usize {
        let at = self.blocks.partition_point(|b| b.last() < position);
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
        assert!(order.iter().eq(model.values()));
        assert!(order.iter().rev().eq(model.values().rev()));
        let newest = model.last_key_value().map(|(p, _)| *p);
        assert_eq!(order.last(), newest.unwrap_or_default());
        let above = (std::ops::Bound::Excluded(at), std::ops::Bound::Unbounded);
        let above: Vec<_> = model.range(above).map(|(_, m)| m.clone()).collect();
        assert!(order.after(at).eq(above.iter()));
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
                    agrees(&order, &model, Position(rng.u64(0..20_000), 1, 0));
                }
            }
            agrees(&order, &model, Position::default());
        }
    }
}
