//! Packing messages into blocks of memory.
//!
//! Owns the block that is being filled, and the check of what goes in: nothing invalid becomes a
//! message. A block is small, because one message that is kept keeps all of it: whoever sees to it
//! that only one of each block is kept makes a history no larger than its limit in bytes
//! (`HISTORY_BYTES_PER_MESSAGE_MAX`) allows anyhow.

use std::rc::Rc;

use super::chat::{ChatMessage, DEPENDENCIES_AT, NICK_LENGTH_AT, Place};
use super::check;
use super::types::{Id, Key, MessageId};
use crate::limits::HISTORY_BYTES_PER_MESSAGE_MAX;

/// Bytes of a block of several messages.
const BLOCK_BYTES_MAX: usize = HISTORY_BYTES_PER_MESSAGE_MAX;
/// Messages of a block: as many as fit, mostly.
const BLOCK_MAX: usize = 32;

/// What a message is made of, as [`super::chat::Draft`] says it; texts that may not be UTF-8.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) origin: Key,
    pub(crate) seq: u64,
    pub(crate) timestamp: u64,
    pub(crate) sent_at: u64,
    pub(crate) from: Id,
    pub(crate) nick: &'a [u8],
    pub(crate) dependencies: &'a [MessageId],
    pub(crate) text: &'a [u8],
}

/// Packs messages, one after another, into blocks.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    /// The block that is being filled; none if it is empty.
    block: Vec<u8>,
    places: [Place; BLOCK_MAX],
    count: usize,
    /// What all messages of the block have in common, and the first one's numbers.
    head: Head,
    /// The last message's sequence number and timestamp.
    last: (u64, u64),
    messages: Vec<ChatMessage>,
}

#[derive(Debug, Default)]
struct Head {
    /// The author's key, the wall clock, and the author's id.
    common: [u64; 3],
    /// It is valid, or empty.
    nick: Vec<u8>,
    /// The first message's.
    timestamp: u64,
}

impl Packer {
    /// Makes room for so many more messages, if that is known.
    pub(crate) fn reserve(&mut self, messages: usize) {
        self.messages.reserve(messages);
    }

    /// Packs one more message.
    ///
    /// # Errors
    ///
    /// The rule of the protocol that it breaks; then it is not packed.
    pub(crate) fn add(&mut self, parts: &Parts<'_>) -> Result<(), &'static str> {
        let common = [parts.origin.0, parts.sent_at, parts.from];
        let is_same = common == self.head.common && parts.nick == self.head.nick;
        if is_same && parts.dependencies.is_empty() && self.count > 0 {
            return self.add_same(parts.seq, parts.timestamp, parts.text);
        }
        check::parts(parts)?;
        if parts.nick.is_empty() || parts.nick != self.head.nick {
            check::nick_utf8(parts.nick)?;
        }
        self.end_block();
        self.head.common = common;
        self.head.nick.clear();
        self.head.nick.extend_from_slice(parts.nick);
        self.begin_block(parts.seq, parts.timestamp, parts.dependencies);
        self.push(parts.timestamp, parts.text);
        Ok(())
    }

    /// Packs a message of the same author, nick, id and wall clock as the last one packed, which has
    /// no dependencies. There must be one since the last `take`.
    ///
    /// # Errors
    ///
    /// As those of [`Packer::add`].
    #[inline]
    pub(super) fn add_same(
        &mut self,
        seq: u64,
        timestamp: u64,
        text: &[u8],
    ) -> Result<(), &'static str> {
        check::seq(seq)?;
        check::text_utf8(text)?;
        let (last_seq, last_timestamp) = self.last;
        let follows = last_seq.checked_add(1) == Some(seq)
            && timestamp > last_timestamp
            && timestamp - self.head.timestamp <= u16::MAX.into();
        let fits = self.count < BLOCK_MAX && self.block.len() + text.len() <= BLOCK_BYTES_MAX;
        if !follows || !fits {
            self.end_block();
            self.begin_block(seq, timestamp, &[]);
        }
        self.push(timestamp, text);
        self.last.0 = seq;
        Ok(())
    }

    /// Begins a block with the head that is set.
    #[allow(clippy::cast_possible_truncation)] // the head of a valid message: see `chat`
    fn begin_block(&mut self, seq: u64, timestamp: u64, dependencies: &[MessageId]) {
        self.last = (seq, timestamp);
        let head = &mut self.head;
        head.timestamp = timestamp;
        let [origin, sent_at, from] = head.common;
        let numbers = [origin, seq, timestamp, sent_at, from];
        let mut start = [0; DEPENDENCIES_AT];
        for (place, number) in start.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_ne_bytes());
        }
        let [low, high] = (dependencies.len() as u16).to_ne_bytes();
        start[NICK_LENGTH_AT..].copy_from_slice(&[head.nick.len() as u8, low, high]);
        self.block.extend_from_slice(&start);
        for id in dependencies {
            self.block.extend_from_slice(&id.origin.0.to_ne_bytes());
            self.block.extend_from_slice(&id.seq.to_ne_bytes());
        }
        self.block.extend_from_slice(&head.nick);
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation)] // what follows was looked at: see `add_same`
    fn push(&mut self, timestamp: u64, text: &[u8]) {
        let start = self.block.len() as u16;
        self.block.extend_from_slice(text);
        self.places[self.count] = Place {
            start,
            end: self.block.len() as u16,
            index: self.count as u16,
            later: (timestamp - self.head.timestamp) as u16,
        };
        self.count += 1;
        self.last.1 = timestamp;
    }

    fn end_block(&mut self) {
        if self.count == 0 {
            return;
        }
        let block: Rc<[u8]> = Rc::from(&self.block[..]);
        let places = &self.places[..self.count];
        let messages = places.iter().map(|p| ChatMessage::within(&block, *p));
        self.messages.extend(messages);
        self.block.clear();
        self.count = 0;
    }

    /// The messages packed since the last time, in their order.
    pub(crate) fn take(&mut self) -> Vec<ChatMessage> {
        self.end_block();
        std::mem::take(&mut self.messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::TEXT_BYTES_MAX;

    fn parts(seq: u64, text: &[u8]) -> Parts<'_> {
        Parts {
            origin: Key(7),
            seq,
            timestamp: seq + 1,
            sent_at: 3,
            from: 4,
            nick: b"ana",
            dependencies: &[],
            text,
        }
    }

    #[test]
    fn messages_come_out_as_they_went_in() {
        let texts: Vec<Vec<u8>> = [0, 1, 100, 400, 1_000, TEXT_BYTES_MAX, 3, 300, 600, 40]
            .map(|length| vec![b'x'; length])
            .into();
        let mut packer = Packer::default();
        for (seq, text) in (1..).zip(&texts) {
            packer.add(&parts(seq, text)).unwrap();
        }
        let messages = packer.take();
        assert_eq!(messages.len(), texts.len());
        for ((seq, text), message) in (1..).zip(&texts).zip(&messages) {
            assert_eq!(message.seq(), seq);
            assert_eq!(message.position().0, seq + 1);
            assert_eq!(message.nick(), "ana");
            assert_eq!(message.text_bytes(), text);
        }
        assert!(packer.take().is_empty());
    }

    #[test]
    fn what_is_invalid_is_left_out() {
        let mut packer = Packer::default();
        packer.add(&parts(1, b"a")).unwrap();
        for (bad, rule) in [
            (parts(0, b"b"), "sequence number 0"),
            (parts(2, b"\xff"), "text is not UTF-8"),
            (
                Parts {
                    nick: b"an\xff",
                    ..parts(2, b"b")
                },
                "invalid nick",
            ),
            (
                Parts {
                    nick: b"",
                    ..parts(2, b"b")
                },
                "invalid nick",
            ),
        ] {
            assert_eq!(packer.add(&bad), Err(rule));
        }
        packer.add(&parts(2, "\u{e9}".as_bytes())).unwrap();
        let texts: Vec<String> = packer.take().iter().map(|m| m.text().into()).collect();
        assert_eq!(texts, ["a", "\u{e9}"]);
    }

    #[test]
    fn a_message_that_is_kept_keeps_a_small_block() {
        let mut packer = Packer::default();
        for seq in 1..1_000 {
            packer.add(&parts(seq, &[b'x'; 100])).unwrap();
            assert!(packer.block.len() <= BLOCK_BYTES_MAX);
        }
    }
}
