//! How many messages are one blob: the bytes of a block.
//!
//! Owns the format, and nothing else. It must stay readable: blocks outlive the program that wrote them.
//!
//! A block is a byte, [`FORMAT`], and then its messages in the order in which they were taken in. Each begins
//! with a number, its step:
//!
//! - 0: its head follows, which is the author's key and the timestamp (8 bytes each, big-endian), the
//!   numbers `seq`, `sent_at` and `from`, the nick's length and the nick, the count of dependencies and as many
//!   of them, each a key (8 bytes, big-endian) and a number.
//! - Otherwise it is so much later than the message before it, is the next of the same author, has the same
//!   nick, `from` and `sent_at`, and no dependencies.
//!
//! Then come the length of its text and the text. Numbers are in LEB128: seven bits in a byte, the lowest
//! first, and the high bit of all bytes but the last is set.

use super::StoreError;
use crate::wire::{ChatMessage, Key, MessageId, MessageParts, Packer};

/// The first byte of a block.
const FORMAT: u8 = 1;
/// About how many bytes a message takes besides its text, where few heads are needed.
const MESSAGE_BYTES: usize = 8;

/// Makes `out` the block of these messages, whatever was in it.
pub(super) fn pack(messages: &[&ChatMessage], out: &mut Vec<u8>) {
    let texts: usize = messages.iter().map(|m| m.text_bytes().len()).sum();
    out.clear();
    out.reserve(texts + MESSAGE_BYTES * messages.len() + 64);
    out.push(FORMAT);
    let mut before: Option<&ChatMessage> = None;
    for &message in messages {
        match before.filter(|before| follows(message, before)) {
            Some(before) => push(out, message.timestamp() - before.timestamp()),
            None => push_head(out, message),
        }
        let text = message.text_bytes();
        push(out, text.len() as u64);
        out.extend_from_slice(text);
        before = Some(message);
    }
}

/// True if the message needs no head of its own.
fn follows(message: &ChatMessage, before: &ChatMessage) -> bool {
    let is_next = || {
        before.seq().checked_add(1) == Some(message.seq())
            && message.origin() == before.origin()
            && message.timestamp() > before.timestamp()
            && message.sent_at() == before.sent_at()
            && message.from() == before.from()
            && message.nick_bytes() == before.nick_bytes()
            && message.dependency_count() == 0
    };
    message.is_next_in_block(before) || is_next()
}

fn push_head(out: &mut Vec<u8>, message: &ChatMessage) {
    push(out, 0);
    out.extend_from_slice(&message.origin().0.to_be_bytes());
    out.extend_from_slice(&message.timestamp().to_be_bytes());
    push(out, message.seq());
    push(out, message.sent_at());
    push(out, message.from());
    let nick = message.nick_bytes();
    push(out, nick.len() as u64);
    out.extend_from_slice(nick);
    push(out, message.dependency_count() as u64);
    for id in message.dependencies() {
        out.extend_from_slice(&id.origin.0.to_be_bytes());
        push(out, id.seq);
    }
}

#[allow(clippy::cast_possible_truncation)] // seven bits
fn push(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The messages of a block.
///
/// # Errors
///
/// If it is not one, or has a message that breaks a rule.
pub(super) fn unpack(block: &[u8]) -> Result<Vec<ChatMessage>, StoreError> {
    let mut at = match block.split_first() {
        Some((&FORMAT, rest)) => Reader { rest },
        Some((format, _)) => return Err(wrong(&format!("its format is {format}"))),
        None => return Err(wrong("it is empty")),
    };
    let mut packer = Packer::default();
    let mut dependencies = Vec::new();
    let mut head: Option<Head<'_>> = None;
    while !at.rest.is_empty() {
        let step = at.number()?;
        let next = match head {
            _ if step == 0 => at.head(&mut dependencies)?,
            Some(before) => before.after(step)?,
            None => return Err(wrong("its first message has no head")),
        };
        if step != 0 {
            dependencies.clear();
        }
        let length = at.number()?;
        let parts = MessageParts {
            origin: next.origin,
            seq: next.seq,
            timestamp: next.timestamp,
            sent_at: next.sent_at,
            from: next.from,
            nick: next.nick,
            dependencies: &dependencies,
            text: at.take(length)?,
        };
        packer.add(&parts).map_err(wrong)?;
        head = Some(next);
    }
    Ok(packer.take())
}

fn wrong(what: &str) -> StoreError {
    StoreError::Damaged(format!("a block of messages cannot be read: {what}"))
}

/// What a message has in common with those after it, mostly.
#[derive(Clone, Copy)]
struct Head<'a> {
    origin: Key,
    timestamp: u64,
    seq: u64,
    sent_at: u64,
    from: u64,
    nick: &'a [u8],
}

impl Head<'_> {
    /// That of the next message, which is so much later.
    fn after(self, step: u64) -> Result<Self, StoreError> {
        let (seq, timestamp) = (self.seq.checked_add(1), self.timestamp.checked_add(step));
        let (Some(seq), Some(timestamp)) = (seq, timestamp) else {
            return Err(wrong("a number is too large"));
        };
        Ok(Head {
            seq,
            timestamp,
            ..self
        })
    }
}

/// The rest of a block.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: u64) -> Result<&'a [u8], StoreError> {
        let length = usize::try_from(length).ok();
        let parts = length.and_then(|length| self.rest.split_at_checked(length));
        let (taken, rest) = parts.ok_or_else(|| wrong("it is cut short"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u64, StoreError> {
        let mut number = 0;
        for (n, byte) in (0..10).zip(self.rest) {
            number |= u64::from(byte & 0x7f) << (7 * n);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[n + 1..];
                return Ok(number);
            }
        }
        Err(wrong("a number has no end"))
    }

    fn fixed(&mut self) -> Result<u64, StoreError> {
        let bytes = self.take(8)?.first_chunk().copied();
        Ok(bytes.map(u64::from_be_bytes).unwrap_or_default())
    }

    /// A head; its dependencies take the place of those that are there.
    fn head(&mut self, dependencies: &mut Vec<MessageId>) -> Result<Head<'a>, StoreError> {
        let (origin, timestamp) = (Key(self.fixed()?), self.fixed()?);
        let (seq, sent_at, from) = (self.number()?, self.number()?, self.number()?);
        let length = self.number()?;
        let nick = self.take(length)?;
        dependencies.clear();
        for _ in 0..self.number()? {
            let origin = Key(self.fixed()?);
            let seq = self.number()?;
            dependencies.push(MessageId { origin, seq });
        }
        Ok(Head {
            origin,
            timestamp,
            seq,
            sent_at,
            from,
            nick,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Draft;

    fn message(origin: u64, seq: u64, timestamp: u64, nick: &str, text: &str) -> ChatMessage {
        let dependencies: Vec<MessageId> = (0..seq % 3)
            .map(|n| MessageId {
                origin: Key(u64::MAX - n),
                seq: 1 + n,
            })
            .collect();
        ChatMessage::new(&Draft {
            origin: Key(origin),
            seq,
            timestamp,
            sent_at: timestamp / 2,
            from: u64::MAX,
            nick: nick.into(),
            dependencies: dependencies.into(),
            text: text.into(),
        })
        .expect("a valid message")
    }

    fn some() -> Vec<ChatMessage> {
        let long = "x".repeat(16_384);
        vec![
            message(1, 3, 6, "ana", "one"),
            message(1, 6, 6, "ana", ""),
            // Another clock, author, nick, number, dependencies: each needs a head.
            message(1, 7, 7, "ana", "a\0π"),
            message(2, 9, 7, "ana", &long),
            message(2, 9, u64::MAX, "bia", "b"),
            message(2, u64::MAX, u64::MAX, "bia", "c"),
            message(2, 12, 2, "bia", "earlier"),
        ]
    }

    fn packed(all: &[ChatMessage]) -> Vec<u8> {
        let mut out = b"what was there".to_vec();
        pack(&all.iter().collect::<Vec<_>>(), &mut out);
        out
    }

    #[test]
    fn messages_come_out_as_they_went_in() {
        let all = some();
        let block = packed(&all);
        assert_eq!(unpack(&block).unwrap(), all);
        assert_eq!(unpack(&packed(&[])).unwrap(), []);
    }

    #[test]
    fn what_follows_the_message_before_it_takes_hardly_more_than_its_text() {
        let mut packer = Packer::default();
        for seq in 1..=1_000 {
            let parts = MessageParts {
                origin: Key(9),
                seq,
                timestamp: 1 << 50 | seq,
                sent_at: 1 << 34,
                from: 5,
                nick: b"ana",
                dependencies: &[],
                text: &[b'x'; 100],
            };
            packer.add(&parts).unwrap();
        }
        let all = packer.take();
        let block = packed(&all);
        assert!(block.len() < 102 * 1_000 + 100, "{}", block.len());
        assert_eq!(unpack(&block).unwrap(), all);
    }

    #[test]
    fn a_block_that_is_damaged_is_an_error_and_no_panic() {
        let all = some();
        let block = packed(&all);
        // Cut anywhere, it is an error, or the messages before the cut.
        for length in 0..block.len().min(400) {
            if let Ok(messages) = unpack(&block[..length]) {
                assert_eq!(messages, all[..messages.len()]);
            }
        }
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..2_000 {
            let mut bad = block[..300].to_vec();
            for _ in 0..rng.usize(1..4) {
                let at = rng.usize(..bad.len());
                bad[at] = rng.u8(..);
            }
            // It may still be a block.
            drop(unpack(&bad));
        }
    }
}
