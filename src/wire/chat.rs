//! One line that somebody said, as it is kept: in one piece of memory, shared by all that hold it.
//!
//! A history holds hundreds of thousands of these, so a message is one allocation: five numbers of
//! fixed size, its dependencies, its nick and its text, behind a counted pointer. What exists is
//! valid: a [`Draft`] that breaks a rule of the protocol becomes no message. Nothing in a message
//! changes after it was written.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::check;
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

/// The numbers, then the length of the nick in one byte and the count of dependencies in two, then
/// the dependencies, the nick and the text.
const NUMBERS_BYTES: usize = 5 * 8;
const NICK_LENGTH_AT: usize = NUMBERS_BYTES;
const DEPENDENCIES_AT: usize = NICK_LENGTH_AT + 3;
/// An author and a number.
const DEPENDENCY_BYTES: usize = 16;

const _: () = assert!(check::NICK_BYTES_MAX <= u8::MAX as usize);
const _: () = assert!(crate::limits::DEPENDENCIES_MAX <= u16::MAX as usize);

/// One line that somebody said. Cloning shares it.
#[derive(Clone, PartialEq, Eq)]
pub struct ChatMessage(Rc<[u8]>);

impl ChatMessage {
    /// A message of these parts.
    ///
    /// # Errors
    ///
    /// The rule of the protocol that the draft breaks.
    pub fn new(draft: &Draft<'_>) -> Result<ChatMessage, &'static str> {
        ChatMessage::pack(draft, &mut Vec::new())
    }

    /// The same with a buffer that is kept between calls.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    #[allow(clippy::cast_possible_truncation)] // a valid nick and list are short: see above
    pub fn pack(draft: &Draft<'_>, buffer: &mut Vec<u8>) -> Result<ChatMessage, &'static str> {
        check::draft(draft)?;
        let Draft {
            origin,
            seq,
            timestamp,
            sent_at,
            from,
            nick,
            dependencies,
            text,
        } = draft;
        let words = nick.len() + text.len();
        buffer.clear();
        buffer.reserve(DEPENDENCIES_AT + DEPENDENCY_BYTES * dependencies.len() + words);
        let mut start = [0; DEPENDENCIES_AT];
        let numbers = [origin.0, *seq, *timestamp, *sent_at, *from];
        for (place, number) in start.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_ne_bytes());
        }
        let [low, high] = (dependencies.len() as u16).to_ne_bytes();
        start[NICK_LENGTH_AT..].copy_from_slice(&[nick.len() as u8, low, high]);
        buffer.extend_from_slice(&start);
        for id in dependencies.iter() {
            buffer.extend_from_slice(&id.origin.0.to_ne_bytes());
            buffer.extend_from_slice(&id.seq.to_ne_bytes());
        }
        buffer.extend_from_slice(nick.as_bytes());
        buffer.extend_from_slice(text.as_bytes());
        Ok(ChatMessage(Rc::from(&buffer[..])))
    }

    #[inline]
    fn number(&self, at: usize) -> u64 {
        let bytes = self.0[at..].first_chunk().copied();
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
        &self.0[at..at + self.nick_length()]
    }

    /// The text's UTF-8.
    #[inline]
    #[must_use]
    pub fn text_bytes(&self) -> &[u8] {
        &self.0[self.words_at() + self.nick_length()..]
    }

    #[inline]
    fn nick_length(&self) -> usize {
        self.0[NICK_LENGTH_AT].into()
    }

    /// How many direct dependencies there are besides the author's own previous message.
    #[inline]
    #[must_use]
    pub fn dependency_count(&self) -> usize {
        u16::from_ne_bytes([self.0[NICK_LENGTH_AT + 1], self.0[NICK_LENGTH_AT + 2]]).into()
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
        self.0.len() + 37 + 8 * self.dependency_count()
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
