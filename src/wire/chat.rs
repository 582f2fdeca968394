//! One line that somebody said, as it is kept: a place in a block of memory that all who hold it
//! share, often with the messages before and after it.
//!
//! A history holds hundreds of thousands of these, so a message is hardly more memory than its text:
//! what is the same for all messages of a block is there once. What exists is valid: a [`Draft`] that
//! breaks a rule of the protocol becomes no message. Nothing in a message changes after it was
//! written. How blocks come to be is `pack`'s subject.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::rules;
use super::types::{Id, Key, MessageId, Position, not_empty};
use crate::limits::{DEPENDENCIES_MAX, TEXT_BYTES_MAX};

/// What a message is made of. The names are those on the wire.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Draft<'a> {
    /// The author's key.
    #[serde(rename = "o")]
    pub origin: Key,
    /// Its number from 1 in that author's order.
    #[serde(rename = "s")]
    pub seq: u64,
    /// Hybrid logical clock (Kulkarni et al. 2014): milliseconds since 1970 times 65,536, plus a
    /// counter; greater than that of everything that the author had taken in.
    #[serde(rename = "t")]
    pub timestamp: u64,
    /// The author's wall clock in milliseconds since 1970, for display only.
    #[serde(rename = "w")]
    pub sent_at: u64,
    /// The author's id at the time of writing.
    #[serde(rename = "i")]
    pub from: Id,
    /// The author's nick at the time of writing.
    #[serde(rename = "n")]
    pub nick: Cow<'a, str>,
    /// Direct dependencies besides the author's own previous message.
    #[serde(
        rename = "d",
        default,
        skip_serializing_if = "<[_]>::is_empty",
        deserialize_with = "some_dependencies"
    )]
    pub dependencies: Cow<'a, [MessageId]>,
    /// What was said; at most `TEXT_BYTES_MAX` bytes.
    #[serde(rename = "x")]
    pub text: Cow<'a, str>,
}

fn some_dependencies<'de, D>(d: D) -> Result<Cow<'static, [MessageId]>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    not_empty(d).map(Cow::Owned)
}

/// A block begins with its head: the five numbers of its first message, the length of the nick in one
/// byte, the count of dependencies in two, the first message's dependencies, and the nick. Then come
/// the texts. The other messages follow the first one: they have the same author, nick, id and wall
/// clock, the next sequence numbers, later timestamps, and no dependencies.
const NUMBERS_BYTES: usize = 5 * 8;
pub(super) const NICK_LENGTH_AT: usize = NUMBERS_BYTES;
pub(super) const DEPENDENCIES_AT: usize = NICK_LENGTH_AT + 3;
/// An author and a number.
pub(super) const DEPENDENCY_BYTES: usize = 16;

const _: () = assert!(rules::NICK_BYTES_MAX <= u8::MAX as usize);
const _: () = assert!(DEPENDENCIES_MAX <= u16::MAX as usize);
const _: () = assert!(
    DEPENDENCIES_AT + DEPENDENCY_BYTES * DEPENDENCIES_MAX + rules::NICK_BYTES_MAX + TEXT_BYTES_MAX
        <= u16::MAX as usize,
    "the longest message's block"
);

/// Where a block has a message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PlaceInBlock {
    /// The place of its text.
    pub(super) start: u16,
    pub(super) end: u16,
    /// How many messages come before it.
    pub(super) index: u16,
    /// How much later it is than the first message.
    pub(super) later: u16,
}

/// One line that somebody said. Cloning shares it.
#[derive(Clone)]
pub struct ChatMessage {
    block: Rc<[u8]>,
    place: PlaceInBlock,
}

impl ChatMessage {
    /// The message that a packed block has here.
    pub(super) fn within(block: &Rc<[u8]>, place: PlaceInBlock) -> ChatMessage {
        let block = Rc::clone(block);
        ChatMessage { block, place }
    }

    /// True if this is the message after that one, in the same block. False says nothing.
    #[inline]
    pub(crate) fn is_next_in_block(&self, earlier: &ChatMessage) -> bool {
        self.place.index == earlier.place.index + 1 && Rc::ptr_eq(&self.block, &earlier.block)
    }

    #[inline]
    fn number(&self, at: usize) -> u64 {
        let bytes = self.block[at..].first_chunk().copied();
        bytes.map(u64::from_ne_bytes).unwrap_or_default()
    }

    /// The author's key.
    #[inline]
    #[must_use]
    pub fn origin(&self) -> Key {
        Key(self.number(0))
    }

    /// Its number from 1 in that author's order.
    #[inline]
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.number(8) + u64::from(self.place.index)
    }

    /// The hybrid-logical-clock timestamp.
    #[inline]
    #[must_use]
    pub fn timestamp(&self) -> u64 {
        self.number(16) + u64::from(self.place.later)
    }

    /// The author's wall clock in milliseconds since 1970, for display only.
    #[must_use]
    pub fn sent_at(&self) -> u64 {
        self.number(24)
    }

    /// The author's id at the time of writing.
    #[must_use]
    pub fn from(&self) -> Id {
        self.number(32)
    }

    /// The author's nick at the time of writing.
    #[must_use]
    pub fn nick(&self) -> &str {
        // It was text when the message was made.
        str::from_utf8(self.nick_bytes()).unwrap_or_default()
    }

    /// What was said.
    #[must_use]
    pub fn text(&self) -> &str {
        str::from_utf8(self.text_bytes()).unwrap_or_default()
    }

    /// The nick's UTF-8.
    #[inline]
    #[must_use]
    pub fn nick_bytes(&self) -> &[u8] {
        let at = DEPENDENCIES_AT + DEPENDENCY_BYTES * self.first_dependency_count();
        &self.block[at..at + self.nick_length()]
    }

    /// The text's UTF-8.
    #[inline]
    #[must_use]
    pub fn text_bytes(&self) -> &[u8] {
        &self.block[self.place.start.into()..self.place.end.into()]
    }

    #[inline]
    fn nick_length(&self) -> usize {
        self.block[NICK_LENGTH_AT].into()
    }

    /// How many dependencies the block's first message has.
    #[inline]
    fn first_dependency_count(&self) -> usize {
        let count = [
            self.block[NICK_LENGTH_AT + 1],
            self.block[NICK_LENGTH_AT + 2],
        ];
        u16::from_ne_bytes(count).into()
    }

    /// How many direct dependencies there are besides the author's own previous message.
    #[inline]
    #[must_use]
    pub fn dependency_count(&self) -> usize {
        match self.place.index {
            0 => self.first_dependency_count(),
            _ => 0,
        }
    }

    /// Direct dependencies besides the author's own previous message.
    #[inline]
    pub fn dependencies(&self) -> impl ExactSizeIterator<Item = MessageId> + Clone + '_ {
        (0..self.dependency_count()).map(|n| {
            let at = DEPENDENCIES_AT + DEPENDENCY_BYTES * n;
            MessageId {
                origin: Key(self.number(at)),
                seq: self.number(at + 8),
            }
        })
    }

    /// The message's name.
    #[inline]
    #[must_use]
    pub fn id(&self) -> MessageId {
        MessageId {
            origin: self.origin(),
            seq: self.seq(),
        }
    }

    /// Its place in the total order.
    #[inline]
    #[must_use]
    pub fn position(&self) -> Position {
        Position::new(self.timestamp(), self.origin(), self.seq())
    }

    /// An upper bound of its encoded size in bytes.
    #[inline]
    #[must_use]
    pub fn size_bound(&self) -> usize {
        let text = usize::from(self.place.end - self.place.start);
        80 + self.nick_length() + text + 24 * self.dependency_count()
    }

    /// Its parts.
    #[must_use]
    pub fn draft(&self) -> Draft<'_> {
        Draft {
            origin: self.origin(),
            seq: self.seq(),
            timestamp: self.timestamp(),
            sent_at: self.sent_at(),
            from: self.from(),
            nick: self.nick().into(),
            dependencies: self.dependencies().collect(),
            text: self.text().into(),
        }
    }
}

impl PartialEq for ChatMessage {
    fn eq(&self, other: &ChatMessage) -> bool {
        let numbers = |m: &ChatMessage| (m.position(), m.sent_at(), m.from());
        numbers(self) == numbers(other)
            && self.nick_bytes() == other.nick_bytes()
            && self.text_bytes() == other.text_bytes()
            && self.dependencies().eq(other.dependencies())
    }
}

impl Eq for ChatMessage {}

impl fmt::Debug for ChatMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.draft().fmt(f)
    }
}

impl Serialize for ChatMessage {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.draft().serialize(s)
    }
}

impl<'de> Deserialize<'de> for ChatMessage {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<ChatMessage, D::Error> {
        ChatMessage::new(&Draft::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}
