//! One line that somebody said, as it is kept: a place in a block of memory that all who hold it
//! share, often with the messages before and after it.
//!
//! A history holds hundreds of thousands of these, so a message is only as much memory as it says:
//! five numbers of fixed size, its dependencies, its nick and its text. What exists is valid: a
//! [`Draft`] that breaks a rule of the protocol becomes no message. Nothing in a message changes
//! after it was written. How blocks come to be is `pack`'s subject.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::check;
use super::pack::{Packer, Parts};
use super::types::{Id, Key, MessageId, Position};

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
    #[serde(rename = "d", default, skip_serializing_if = "<[_]>::is_empty")]
    pub dependencies: Cow<'a, [MessageId]>,
    /// What was said; at most `TEXT_BYTES_MAX` bytes.
    #[serde(rename = "x")]
    pub text: Cow<'a, str>,
}

impl Draft<'_> {
    pub(crate) fn parts(&self) -> Parts<'_> {
        Parts {
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

/// The numbers, then the length of the nick in one byte and the count of dependencies in two, then
/// the dependencies, the nick and the text.
const NUMBERS_BYTES: usize = 5 * 8;
pub(super) const NICK_LENGTH_AT: usize = NUMBERS_BYTES;
pub(super) const DEPENDENCIES_AT: usize = NICK_LENGTH_AT + 3;
/// An author and a number.
pub(super) const DEPENDENCY_BYTES: usize = 16;

const _: () = assert!(check::NICK_BYTES_MAX <= u8::MAX as usize);
const _: () = assert!(crate::limits::DEPENDENCIES_MAX <= u16::MAX as usize);

/// One line that somebody said. Cloning shares it.
#[derive(Clone)]
pub struct ChatMessage {
    block: Rc<[u8]>,
    start: u32,
    end: u32,
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

    /// The message that a packed block has here.
    pub(super) fn within(block: &Rc<[u8]>, start: u32, end: u32) -> ChatMessage {
        let block = Rc::clone(block);
        ChatMessage { block, start, end }
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        &self.block[self.start as usize..self.end as usize]
    }

    #[inline]
    fn number(&self, at: usize) -> u64 {
        let bytes = self.bytes()[at..].first_chunk().copied();
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
        self.number(8)
    }

    /// The hybrid-logical-clock timestamp.
    #[inline]
    #[must_use]
    pub fn timestamp(&self) -> u64 {
        self.number(16)
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
        let at = self.words_at();
        &self.bytes()[at..at + self.nick_length()]
    }

    /// The text's UTF-8.
    #[inline]
    #[must_use]
    pub fn text_bytes(&self) -> &[u8] {
        &self.bytes()[self.words_at() + self.nick_length()..]
    }

    #[inline]
    fn nick_length(&self) -> usize {
        self.bytes()[NICK_LENGTH_AT].into()
    }

    /// How many direct dependencies there are besides the author's own previous message.
    #[inline]
    #[must_use]
    pub fn dependency_count(&self) -> usize {
        let bytes = self.bytes();
        u16::from_ne_bytes([bytes[NICK_LENGTH_AT + 1], bytes[NICK_LENGTH_AT + 2]]).into()
    }

    #[inline]
    fn words_at(&self) -> usize {
        DEPENDENCIES_AT + DEPENDENCY_BYTES * self.dependency_count()
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
        Position(self.timestamp(), self.origin().0, self.seq())
    }

    /// An upper bound of its encoded size in bytes.
    #[inline]
    #[must_use]
    pub fn size_bound(&self) -> usize {
        // The numbers take nine bytes each at most, here eight, and a dependency 24 at most.
        (self.end - self.start) as usize + 37 + 8 * self.dependency_count()
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
        self.bytes() == other.bytes()
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
