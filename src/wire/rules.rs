//! The rules for the values in messages: their ranges and lengths, as `PROTOCOL.md` has them.
//!
//! What lives here knows no messages. An error is a short name of the rule that was broken.

use super::types::{Address, Key, MessageId};
use crate::limits::{
    ADDRESSES_MAX, BATCH_BYTES_MAX, COMPARED_SPANS_MAX, DATAGRAM_BYTES_MAX, DEPENDENCIES_MAX,
    FETCHED_SPANS_MAX, FRAME_BYTES_MAX, LISTED_MAX, NICK_CHARS_MAX, PARTS_MAX, ROOM_BYTES_MAX,
    SKIP_RANGES_MAX, TEXT_BYTES_MAX, WANT_RANGES_MAX,
};

// Valid messages fit, whatever is in them (a whole view excepted: with everything at its longest,
// only some 200 members fit a frame, so a coordinator must be ready for `EncodeError::TooLong`).
pub(super) const NICK_BYTES_MAX: usize = 4 * NICK_CHARS_MAX;
const CHAT_MESSAGE_BYTES_MAX: usize = 80 + NICK_BYTES_MAX + TEXT_BYTES_MAX + 24 * DEPENDENCIES_MAX;
const _: () = assert!(BATCH_BYTES_MAX + CHAT_MESSAGE_BYTES_MAX + 64 <= FRAME_BYTES_MAX);
const SPAN_BYTES_MAX: usize = 1 + 2 * 28;
const _: () = assert!(
    (SKIP_RANGES_MAX + WANT_RANGES_MAX) * 28 + FETCHED_SPANS_MAX * SPAN_BYTES_MAX + 128
        <= FRAME_BYTES_MAX
);
const PART_BYTES_MAX: usize = 1 + 28 + 9 + 34;
const ITEM_BYTES_MAX: usize = 1 + 28 + 9;
const _: () = assert!(
    COMPARED_SPANS_MAX * (16 + PARTS_MAX * PART_BYTES_MAX) + 64 <= FRAME_BYTES_MAX
        && COMPARED_SPANS_MAX * (16 + LISTED_MAX * ITEM_BYTES_MAX) + 64 <= FRAME_BYTES_MAX
);
const _: () = assert!(
    ROOM_BYTES_MAX + NICK_BYTES_MAX + 19 * ADDRESSES_MAX + 200 <= DATAGRAM_BYTES_MAX,
    "the longest JOIN_REQUEST and HEARTBEAT"
);

pub(super) type Check = Result<(), &'static str>;

/// Whether this can be a nick: 1 to [`NICK_CHARS_MAX`] characters, no control characters, no white
/// space at the ends.
#[must_use]
pub fn nick_is_valid(nick: &str) -> bool {
    let bytes = nick.as_bytes();
    if bytes.len() <= NICK_CHARS_MAX && bytes.iter().all(u8::is_ascii_graphic) {
        return !bytes.is_empty();
    }
    nick.chars().count() <= NICK_CHARS_MAX
        && !nick.contains(char::is_control)
        && !nick.starts_with(char::is_whitespace)
        && !nick.ends_with(char::is_whitespace)
        && !nick.is_empty()
}

/// Whether this can be the name of a room: 1 to [`ROOM_BYTES_MAX`] bytes.
#[must_use]
pub fn room_is_valid(room: &str) -> bool {
    (1..=ROOM_BYTES_MAX).contains(&room.len())
}

/// The direct dependencies of a chat message.
pub(super) fn dependencies(ids: &[MessageId]) -> Check {
    rule(ids.len() <= DEPENDENCIES_MAX, "too many dependencies")?;
    ids.iter().try_for_each(|d| {
        key(d.origin)?;
        seq(d.seq)
    })
}

#[inline]
pub(super) fn seq(seq: u64) -> Check {
    rule(seq > 0, "sequence number 0")
}

#[inline]
pub(super) fn text_utf8(utf8: &[u8]) -> Check {
    rule(utf8.len() <= TEXT_BYTES_MAX, "text too long")?;
    rule(is_utf8(utf8), "text is not UTF-8")
}

#[inline]
fn is_utf8(bytes: &[u8]) -> bool {
    // Without a branch, so that the compiler can take many bytes at a time.
    let is_ascii = bytes.iter().fold(0, |all, byte| all | byte) < 0x80;
    is_ascii || str::from_utf8(bytes).is_ok()
}

pub(super) fn nick_utf8(utf8: &[u8]) -> Check {
    nick(str::from_utf8(utf8).map_err(|_| "invalid nick")?)
}

pub(super) fn key(key: Key) -> Check {
    rule(key.0 != 0, "key 0")
}

pub(super) fn nick(nick: &str) -> Check {
    rule(nick_is_valid(nick), "invalid nick")
}

pub(super) fn room(room: &str) -> Check {
    rule(room_is_valid(room), "room name empty or too long")
}

pub(super) fn text(text: &str) -> Check {
    rule(text.len() <= TEXT_BYTES_MAX, "text too long")
}

pub(super) fn addresses(addresses: &[Address]) -> Check {
    rule(addresses.len() <= ADDRESSES_MAX, "too many addresses")
}

#[inline]
pub(super) fn rule(holds: bool, name: &'static str) -> Check {
    if holds { Ok(()) } else { Err(name) }
}
