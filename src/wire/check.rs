//! What makes a message valid beyond its types: the limits and ranges of `PROTOCOL.md`.
//!
//! The same rules hold on the way out and on the way in, so whatever is emitted can be parsed.
//! An error is a short name of the rule that was broken.

use super::message::{Ack, Datagram, Hello, JoinRequest, Message, Stable, UpdateKind};
use super::pack::Parts;
use super::types::{Address, Coordinator, Key, Member, View};
use crate::limits::{
    ADDRESSES_MAX, BATCH_BYTES_MAX, DATAGRAM_BYTES_MAX, DEPENDENCIES_MAX, FRAME_BYTES_MAX,
    MEMBERS_MAX, MISSED_RANGES_MAX, NICK_CHARS_MAX, ROOM_BYTES_MAX, SKIP_RANGES_MAX,
    TEXT_BYTES_MAX, WANT_RANGES_MAX,
};

/// The highest type number of a message that this version knows; they are numbered from 1.
pub(super) const MESSAGE_TYPE_MAX: u64 = 25;
/// The same for datagrams.
pub(super) const DATAGRAM_TYPE_MAX: u64 = 3;

// Valid messages fit, whatever is in them (a whole view excepted: with everything at its longest,
// only some 200 members fit a frame, so a coordinator must be ready for `EncodeError::TooLong`).
pub(super) const NICK_BYTES_MAX: usize = 4 * NICK_CHARS_MAX;
const CHAT_MESSAGE_BYTES_MAX: usize = 80 + NICK_BYTES_MAX + TEXT_BYTES_MAX + 24 * DEPENDENCIES_MAX;
const _: () = assert!(BATCH_BYTES_MAX + CHAT_MESSAGE_BYTES_MAX + 64 <= FRAME_BYTES_MAX);
const _: () = assert!((SKIP_RANGES_MAX + WANT_RANGES_MAX) * 28 + 128 <= FRAME_BYTES_MAX);
const _: () = assert!(
    ROOM_BYTES_MAX + NICK_BYTES_MAX + 19 * ADDRESSES_MAX + 200 <= DATAGRAM_BYTES_MAX,
    "the longest JOIN_REQUEST and HEARTBEAT"
);

type Check = Result<(), &'static str>;

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

pub(super) fn message(message: &Message) -> Check {
    match message {
        Message::Hello(m) => hello(m),
        Message::JoinRequest(m) => join_request(m),
        Message::JoinResponse(m) => view(&m.view),
        Message::PeerUpdate(m) => {
            rule(
                m.kind == UpdateKind::Whole || m.members.len() == 1,
                "a step names one member",
            )?;
            key(m.coordinator)?;
            members(&m.members)
        }
        Message::Private(m) => {
            nick(&m.nick)?;
            text(&m.text)
        }
        Message::ElectionOk { coordinator: c }
        | Message::Ping { coordinator: c }
        | Message::Pong { coordinator: c } => c.as_ref().map_or(Ok(()), coordinator),
        Message::CoordinatorAnnouncement(v) => view(v),
        Message::Probe(k) | Message::ProbeAnswer(k) => key(*k),
        Message::Fetch(m) => {
            rule(m.skip.len() <= SKIP_RANGES_MAX, "too many ranges to skip")?;
            rule(m.want.len() <= WANT_RANGES_MAX, "too many ranges wanted")?;
            m.skip.iter().chain(&m.want).try_for_each(|r| {
                key(r.0)?;
                rule(r.1 <= r.2, "a range ends before it starts")
            })
        }
        Message::Ack(m) => ack(m),
        Message::Relay(m) => {
            key(m.from)?;
            key(m.to)?;
            m.ack.as_ref().map_or(Ok(()), ack)?;
            m.stable.as_ref().map_or(Ok(()), stable)
        }
        Message::Stable(m) => stable(m),
        Message::Rename(n) => nick(n),
        Message::Referral(c) => coordinator(c),
        Message::Unknown(n) => unknown(*n, MESSAGE_TYPE_MAX),
        // A chat message that exists is valid.
        Message::Chat(_)
        | Message::Chunk(_)
        | Message::ViewRequest
        | Message::Election { .. }
        | Message::Sync(_)
        | Message::SyncAnswer(_)
        | Message::Behind
        | Message::Leave => Ok(()),
    }
}

pub(super) fn datagram(datagram: &Datagram) -> Check {
    match datagram {
        Datagram::JoinRequest(m) => join_request(m),
        Datagram::Heartbeat {
            room: r,
            coordinator: c,
            ..
        }
        | Datagram::Referral {
            room: r,
            coordinator: c,
        } => {
            room(r)?;
            coordinator(c)
        }
        Datagram::Unknown(n) => unknown(*n, DATAGRAM_TYPE_MAX),
    }
}

/// All but the nick, which is mostly the same as in the message before.
#[inline]
pub(super) fn parts(m: &Parts<'_>) -> Check {
    key(m.origin)?;
    seq(m.seq)?;
    text_utf8(m.text)?;
    rule(
        m.dependencies.len() <= DEPENDENCIES_MAX,
        "too many dependencies",
    )?;
    m.dependencies.iter().try_for_each(|d| {
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

fn hello(m: &Hello) -> Check {
    room(&m.room)?;
    key(m.key)?;
    nick(&m.nick)?;
    addresses(&m.addresses)?;
    m.coordinator.as_ref().map_or(Ok(()), coordinator)
}

fn join_request(m: &JoinRequest) -> Check {
    room(&m.room)?;
    key(m.key)?;
    nick(&m.nick)?;
    addresses(&m.addresses)
}

fn ack(m: &Ack) -> Check {
    seq(m.from)?;
    rule(m.from <= m.seq, "a range ends before it starts")?;
    let missed = &m.missed;
    rule(missed.len() <= MISSED_RANGES_MAX, "too many ranges missed")?;
    let within = |r: &(u64, u64)| m.from <= r.0 && r.0 <= r.1 && r.1 <= m.seq;
    rule(missed.iter().all(within), "missed outside of the range")
}

fn stable(m: &Stable) -> Check {
    m.from.map_or(Ok(()), seq)?;
    rule(m.stable <= m.said, "more is stable than was said")
}

fn view(v: &View) -> Check {
    key(v.coordinator)?;
    rule(v.left.len() <= MEMBERS_MAX, "too many that left")?;
    members(&v.members)
}

fn members(members: &[Member]) -> Check {
    rule(members.len() <= MEMBERS_MAX, "too many members")?;
    members.iter().try_for_each(|m| {
        key(m.key)?;
        nick(&m.nick)?;
        addresses(&m.addresses)
    })
}

fn coordinator(c: &Coordinator) -> Check {
    key(c.key)?;
    addresses(&c.addresses)
}

fn key(key: Key) -> Check {
    rule(key.0 != 0, "key 0")
}

fn nick(nick: &str) -> Check {
    rule(nick_is_valid(nick), "invalid nick")
}

fn room(room: &str) -> Check {
    rule(room_is_valid(room), "room name empty or too long")
}

fn text(text: &str) -> Check {
    rule(text.len() <= TEXT_BYTES_MAX, "text too long")
}

fn addresses(addresses: &[Address]) -> Check {
    rule(addresses.len() <= ADDRESSES_MAX, "too many addresses")
}

fn unknown(n: u64, max: u64) -> Check {
    rule(!(1..=max).contains(&n), "a known type called unknown")
}

#[inline]
fn rule(holds: bool, name: &'static str) -> Check {
    if holds { Ok(()) } else { Err(name) }
}
