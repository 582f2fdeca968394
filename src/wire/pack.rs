//! Packing messages into blocks of memory.
//!
//! Owns the block that is being filled, and the check of what goes in: nothing invalid becomes a
//! message. A block is small, because one message that is kept keeps all of it: whoever sees to it
//! that only one of each block is kept makes a history no larger than its limit in bytes
//! (`HISTORY_BYTES_PER_MESSAGE_MAX`) allows anyhow.

use std::ops::Range;
use std::rc::Rc;

use super::chat::{
    ChatMessage, DEPENDENCIES_AT, DEPENDENCY_BYTES, Draft, NICK_LENGTH_AT, PlaceInBlock,
};
use super::rules;
use super::types::{Id, Key, MessageId};
use crate::limits::HISTORY_BYTES_PER_MESSAGE_MAX;

/// Bytes of a block of several messages.
const BLOCK_BYTES_MAX: usize = HISTORY_BYTES_PER_MESSAGE_MAX;
/// Messages of a block: as many as fit, mostly.
const BLOCK_MAX: usize = 32;

/// What a message is made of, as [`super::chat::Draft`] says it; texts that may not be UTF-8.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageParts<'a> {
    pub(crate) origin: Key,
    pub(crate) seq: u64,
    pub(crate) timestamp: u64,
    pub(crate) sent_at: u64,
    pub(crate) from: Id,
    pub(crate) nick: &'a [u8],
    pub(crate) dependencies: &'a [MessageId],
    pub(crate) text: &'a [u8],
}

impl Draft<'_> {
    pub(crate) fn parts(&self) -> MessageParts<'_> {
        MessageParts {
            origin: self.origin,
            seq: self.seq,
            timestamp: self.timestamp,
            sent_at: self.sent_at,
            from: self.from,
            nick: self.nick.as_bytes(),
            dependencies: &self.dependencies,
            text: self.text.as_bytes(),
        }
    }
}

impl ChatMessage {
    /// A message of these parts.
    ///
    /// # Errors
    ///
    /// The rule of the protocol that the draft breaks.
    pub fn new(draft: &Draft<'_>) -> Result<ChatMessage, &'static str> {
        let mut packer = Packer::default();
        packer.add(&draft.parts())?;
        packer.take().pop().ok_or("no message")
    }
}

/// Packs messages, one after another, into blocks.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    /// The block that is being filled, or was filled last.
    block: Vec<u8>,
    /// Where in it the nick is, which is valid, or empty.
    nick: Range<usize>,
    places: [PlaceInBlock; BLOCK_MAX],
    /// How many messages are in the block; none if it is to be begun.
    count: usize,
    /// What all its messages have in common: the author's key, the wall clock, and the author's id.
    common: [u64; 3],
    /// The first message's timestamp.
    timestamp: u64,
    /// The last message's sequence number and timestamp.
    last: (u64, u64),
    messages: Vec<ChatMessage>,
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
    pub(crate) fn add(&mut self, parts: &MessageParts<'_>) -> Result<(), &'static str> {
        let common = [parts.origin.0, parts.sent_at, parts.from];
        let has_same_nick = *parts.nick == self.block[self.nick.clone()];
        let is_same = has_same_nick && common == self.common && self.count > 0;
        if is_same && parts.dependencies.is_empty() {
            return self.add_same(parts.seq, parts.timestamp, parts.text);
        }
        rules::key(parts.origin)?;
        rules::seq(parts.seq)?;
        rules::text_utf8(parts.text)?;
        rules::dependencies(parts.dependencies)?;
        if !has_same_nick || parts.nick.is_empty() {
            rules::nick_utf8(parts.nick)?;
        }
        self.end_block();
        self.common = common;
        let dependencies = parts.dependencies;
        let nick_at = DEPENDENCIES_AT + DEPENDENCY_BYTES * dependencies.len();
        self.nick = nick_at..nick_at + parts.nick.len();
        self.block.clear();
        self.block.reserve(self.nick.end + parts.text.len());
        self.block.resize(DEPENDENCIES_AT, 0);
        for id in dependencies {
            self.block.extend_from_slice(&id.origin.0.to_ne_bytes());
            self.block.extend_from_slice(&id.seq.to_ne_bytes());
        }
        self.block.extend_from_slice(parts.nick);
        self.begin_block(parts.seq, parts.timestamp, dependencies.len());
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
        rules::seq(seq)?;
        rules::text_utf8(text)?;
        let (last_seq, last_timestamp) = self.last;
        let follows = last_seq.checked_add(1) == Some(seq)
            && timestamp > last_timestamp
            && timestamp - self.timestamp <= u16::MAX.into();
        let fits = self.count < BLOCK_MAX && self.block.len() + text.len() <= BLOCK_BYTES_MAX;
        if !follows || !fits {
            self.end_block();
            // With the nick of the one before.
            let length = self.nick.len();
            self.block.copy_within(self.nick.clone(), DEPENDENCIES_AT);
            self.nick = DEPENDENCIES_AT..DEPENDENCIES_AT + length;
            self.block.truncate(self.nick.end);
            self.begin_block(seq, timestamp, 0);
        }
        self.push(timestamp, text);
        self.last.0 = seq;
        Ok(())
    }

    /// Begins a block that has its dependencies and its nick already.
    #[allow(clippy::cast_possible_truncation)] // the head of a valid message: see `chat`
    fn begin_block(&mut self, seq: u64, timestamp: u64, dependencies: usize) {
        self.last = (seq, timestamp);
        self.timestamp = timestamp;
        let [origin, sent_at, from] = self.common;
        let numbers = [origin, seq, timestamp, sent_at, from];
        for (place, number) in self.block.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_ne_bytes());
        }
        let [low, high] = (dependencies as u16).to_ne_bytes();
        let lengths = [self.nick.len() as u8, low, high];
        self.block[NICK_LENGTH_AT..DEPENDENCIES_AT].copy_from_slice(&lengths);
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation)] // what follows was looked at: see `add_same`
    fn push(&mut self, timestamp: u64, text: &[u8]) {
        let start = self.block.len() as u16;
        self.block.extend_from_slice(text);
        self.places[self.count] = PlaceInBlock {
            start,
            end: self.block.len() as u16,
            index: self.count as u16,
            later: (timestamp - self.timestamp) as u16,
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

    fn parts(seq: u64, text: &[u8]) -> MessageParts<'_> {
        MessageParts {
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
            assert_eq!(message.position().timestamp, seq + 1);
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
                MessageParts {
                    nick: b"an\xff",
                    ..parts(2, b"b")
                },
                "invalid nick",
            ),
            (
                MessageParts {
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
