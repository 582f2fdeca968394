//! Packing messages into blocks of memory.
//!
//! Owns the block that is being filled, and the check of what goes in: nothing invalid becomes a
//! message. A block is small, because one message that is kept keeps all of it: whoever sees to it
//! that only one of each block is kept makes a history no larger than its limit in bytes
//! (`HISTORY_BYTES_PER_MESSAGE_MAX`) allows anyhow.

use std::rc::Rc;

use super::chat::{ChatMessage, DEPENDENCIES_AT, DEPENDENCY_BYTES, NICK_LENGTH_AT};
use super::check;
use super::types::{Id, Key, MessageId};
use crate::limits::HISTORY_BYTES_PER_MESSAGE_MAX;

/// Bytes of a block of several messages.
const BLOCK_BYTES_MAX: usize = HISTORY_BYTES_PER_MESSAGE_MAX;
/// Messages of a block: as many as fit, mostly.
const BLOCK_MAX: usize = 16;

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
    block: Vec<u8>,
    /// How many messages are in the block, and where each of them ends.
    count: usize,
    ends: [u32; BLOCK_MAX],
    messages: Vec<ChatMessage>,
    /// Where in the block the last nick is, which is valid.
    nick: (usize, usize),
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
    #[allow(clippy::cast_possible_truncation)] // a valid message is short: see `chat`
    pub(crate) fn add(&mut self, parts: &Parts<'_>) -> Result<(), &'static str> {
        check::parts(parts)?;
        if parts.nick != &self.block[self.nick.0..self.nick.1] || parts.nick.is_empty() {
            check::nick_utf8(parts.nick)?;
        }
        let (nick, text, dependencies) = (parts.nick, parts.text, parts.dependencies);
        let dependency_bytes = DEPENDENCY_BYTES * dependencies.len();
        let size = DEPENDENCIES_AT + dependency_bytes + nick.len() + text.len();
        let full = self.count == BLOCK_MAX || self.block.len() + size > BLOCK_BYTES_MAX;
        if full && self.count > 0 {
            self.end_block();
        }
        let mut start = [0; DEPENDENCIES_AT];
        let numbers = [
            parts.origin.0,
            parts.seq,
            parts.timestamp,
            parts.sent_at,
            parts.from,
        ];
        for (place, number) in start.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_ne_bytes());
        }
        let [low, high] = (dependencies.len() as u16).to_ne_bytes();
        start[NICK_LENGTH_AT..].copy_from_slice(&[nick.len() as u8, low, high]);
        let block = &mut self.block;
        block.reserve(size);
        block.extend_from_slice(&start);
        for id in dependencies {
            block.extend_from_slice(&id.origin.0.to_ne_bytes());
            block.extend_from_slice(&id.seq.to_ne_bytes());
        }
        self.nick = (block.len(), block.len() + nick.len());
        block.extend_from_slice(nick);
        block.extend_from_slice(text);
        self.ends[self.count] = block.len() as u32;
        self.count += 1;
        Ok(())
    }

    fn end_block(&mut self) {
        let block: Rc<[u8]> = Rc::from(&self.block[..]);
        let mut start = 0;
        for end in &self.ends[..self.count] {
            let message = ChatMessage::within(&block, start, *end);
            self.messages.push(message);
            start = *end;
        }
        self.block.clear();
        self.count = 0;
        self.nick = (0, 0);
    }

    /// The messages packed since the last time, in their order.
    pub(crate) fn take(&mut self) -> Vec<ChatMessage> {
        if self.count > 0 {
            self.end_block();
        }
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
