//! Messages to bytes and back.
//!
//! What lives here: the envelope `[type, {fields}]`, the datagram's header, and
//! the codec of record: serde, which writes through ciborium and reads through `reader.rs`. The hot path
//! is in `fast.rs`; what an item may look like at all is in `scan.rs`, what a message may say in `check.rs`.
//! No I/O, and no state.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::chat::ChatMessage;
use super::kinds::{DatagramKind, MessageKind};
use super::message::{Datagram, Message, VERSION};
use super::reader::{self, Broken};
use super::scan::{ARRAY, Cursor, UINT, scan};
use super::types::{Coordinator, Id, Key, View};
use super::{check, fast};
use crate::limits::{DATAGRAM_BYTES_MAX, FRAME_BYTES_MAX};

/// The first bytes of every datagram; the version follows.
pub const MAGIC: [u8; 4] = *b"papo";

/// Why a message cannot be sent. Nothing was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EncodeError {
    /// Its encoding has this many bytes, which is more than fits.
    TooLong(usize),
    /// It breaks this rule of the protocol: the sender's own mistake.
    Invalid(&'static str),
}

/// Why bytes are not a message. Nothing of them was used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// A datagram of some other program: it does not start with [`MAGIC`].
    Foreign,
    /// Another major version of the protocol.
    Version(u8),
    /// Not a valid message: the rule that the sender broke, in one short line without control
    /// characters.
    Malformed(Cow<'static, str>),
}

/// The bytes of a message on a TCP stream: a 4-byte big-endian length and one CBOR item.
///
/// # Errors
///
/// If the message is invalid, or longer than `FRAME_BYTES_MAX`.
pub fn encode_frame(message: &Message) -> Result<Rc<[u8]>, EncodeError> {
    check::message(message).map_err(EncodeError::Invalid)?;
    let mut out = Vec::with_capacity(4 + fast::size_hint(message));
    out.extend_from_slice(&[0; 4]);
    match message {
        Message::Chat(messages) => fast::encode_chat(messages, &mut out),
        Message::Chunk(chunk) => fast::encode_chunk(chunk, &mut out),
        Message::Ack(ack) if fast::is_usual(ack) => fast::encode_ack(ack, &mut out),
        Message::Stable(stable) => fast::encode_stable(stable, &mut out),
        _ => serialize_message(message, &mut out),
    }
    let length = out.len() - 4;
    match u32::try_from(length) {
        Ok(n) if length <= FRAME_BYTES_MAX => out[..4].copy_from_slice(&n.to_be_bytes()),
        _ => return Err(EncodeError::TooLong(length)),
    }
    Ok(out.into())
}

/// The message in a frame; `item` is what follows the frame's length.
///
/// # Errors
///
/// If the item is anything but one valid message. Memory is bounded by the item's size.
pub fn decode_message(item: &[u8]) -> Result<Message, DecodeError> {
    if item.len() > FRAME_BYTES_MAX {
        return Err(malformed("frame too long"));
    }
    fast::decode(item).map_or_else(|| deserialize_message(item), Ok)
}

/// The bytes of a datagram: [`MAGIC`], [`VERSION`] and one CBOR item.
///
/// # Errors
///
/// If the datagram is invalid, or longer than `DATAGRAM_BYTES_MAX`.
pub fn encode_datagram(datagram: &Datagram) -> Result<Vec<u8>, EncodeError> {
    check::datagram(datagram).map_err(EncodeError::Invalid)?;
    let mut out = MAGIC.to_vec();
    out.push(VERSION);
    let number = datagram.number();
    match datagram {
        Datagram::JoinRequest(m) => put(&mut out, number, m),
        Datagram::Heartbeat {
            room,
            coordinator,
            members,
            nick,
        } => {
            let fields = Heartbeat {
                room,
                coord: coordinator,
                members: *members,
                nick: nick.as_ref(),
            };
            put(&mut out, number, fields);
        }
        Datagram::Referral { room, coordinator } => {
            let fields = Referral {
                room,
                coord: coordinator,
            };
            put(&mut out, number, fields);
        }
        Datagram::BeatRequest { room, key } => {
            let fields = BeatRequest { room, key: *key };
            put(&mut out, number, fields);
        }
        Datagram::Unknown(_) => put(&mut out, number, Empty {}),
    }
    if out.len() > DATAGRAM_BYTES_MAX {
        return Err(EncodeError::TooLong(out.len()));
    }
    Ok(out)
}

/// What a datagram says.
///
/// # Errors
///
/// If the bytes are anything but one valid datagram of this version.
pub fn decode_datagram(bytes: &[u8]) -> Result<Datagram, DecodeError> {
    let rest = bytes.strip_prefix(&MAGIC).ok_or(DecodeError::Foreign)?;
    let (&version, item) = rest
        .split_first()
        .ok_or_else(|| malformed("no version in the datagram"))?;
    if version != VERSION {
        return Err(DecodeError::Version(version));
    }
    if bytes.len() > DATAGRAM_BYTES_MAX {
        return Err(malformed("datagram too long"));
    }
    let (number, body) = open(item)?;
    let datagram = match DatagramKind::of_number(number) {
        Some(DatagramKind::JoinRequest) => Datagram::JoinRequest(get(body)?),
        Some(DatagramKind::Heartbeat) => {
            let m: Heartbeat<String, Coordinator> = get(body)?;
            Datagram::Heartbeat {
                room: m.room,
                coordinator: m.coord,
                members: m.members,
                nick: m.nick,
            }
        }
        Some(DatagramKind::Referral) => {
            let m: Referral<String, Coordinator> = get(body)?;
            Datagram::Referral {
                room: m.room,
                coordinator: m.coord,
            }
        }
        Some(DatagramKind::BeatRequest) => {
            let m: BeatRequest<String> = get(body)?;
            Datagram::BeatRequest {
                room: m.room,
                key: m.key,
            }
        }
        None => Datagram::Unknown(number),
    };
    check::datagram(&datagram).map_err(malformed)?;
    Ok(datagram)
}

/// The codec of record: what `fast.rs` must agree with.
pub(super) fn serialize_message(message: &Message, out: &mut Vec<u8>) {
    let number = message.number();
    match message {
        Message::Hello(m) => put(out, number, m),
        Message::JoinRequest(m) => put(out, number, m),
        Message::JoinResponse(m) => put(out, number, m),
        Message::PeerUpdate(m) => put(out, number, m),
        Message::ViewRequest => put(out, number, Empty {}),
        Message::Chat(messages) => put(out, number, Messages { messages }),
        Message::Private(m) => put(out, number, m),
        Message::Election { id, forced } => {
            let (id, forced) = (*id, *forced);
            put(out, number, ElectionBody { id, forced });
        }
        Message::ElectionOk { coordinator } => put(out, number, told(coordinator.as_ref())),
        Message::CoordinatorAnnouncement(view) => put(out, number, Announcement { view }),
        Message::Ping { coordinator } => put(out, number, told(coordinator.as_ref())),
        Message::Pong { coordinator } => put(out, number, told(coordinator.as_ref())),
        Message::Probe(key) => put(out, number, Named { key: *key }),
        Message::ProbeAnswer(key) => put(out, number, Named { key: *key }),
        Message::Sync(m) => put(out, number, m),
        Message::SyncAnswer(m) => put(out, number, m),
        Message::Fetch(m) => put(out, number, m),
        Message::Chunk(m) => put(out, number, m),
        Message::Behind => put(out, number, Empty {}),
        Message::Ack(m) => put(out, number, m),
        Message::Rename(nick) => put(out, number, Rename { nick }),
        Message::Leave => put(out, number, Empty {}),
        Message::Referral(coordinator) => put(out, number, told(Some(coordinator))),
        Message::Stable(m) => put(out, number, m),
        Message::Relay(m) => put(out, number, m),
        Message::Introduction(m) => put(out, number, m),
        Message::Proof(m) => put(out, number, m),
        Message::Compare(m) => put(out, number, m),
        Message::Comparison(m) => put(out, number, m),
        Message::Unknown(_) => put(out, number, Empty {}),
    }
}

pub(super) fn deserialize_message(item: &[u8]) -> Result<Message, DecodeError> {
    let (number, body) = open(item)?;
    let message = deserialize_body(number, body)
        .and_then(|m| check::message(&m).map(|()| m).map_err(malformed));
    message.map_err(|error| other_version(number, body).map_or(error, DecodeError::Version))
}

fn deserialize_body(number: u64, body: &[u8]) -> Result<Message, DecodeError> {
    let coordinator = || get::<Told<Coordinator>>(body).map(|m| m.coord);
    let Some(kind) = MessageKind::of_number(number) else {
        return Ok(Message::Unknown(number));
    };
    Ok(match kind {
        MessageKind::Hello => Message::Hello(get(body)?),
        MessageKind::JoinRequest => Message::JoinRequest(get(body)?),
        MessageKind::JoinResponse => Message::JoinResponse(get(body)?),
        MessageKind::PeerUpdate => Message::PeerUpdate(get(body)?),
        MessageKind::ViewRequest => get::<Empty>(body).map(|_| Message::ViewRequest)?,
        MessageKind::Chat => Message::Chat(get::<Messages<Vec<ChatMessage>>>(body)?.messages),
        MessageKind::Private => Message::Private(get(body)?),
        MessageKind::Election => {
            let ElectionBody { id, forced } = get(body)?;
            Message::Election { id, forced }
        }
        MessageKind::ElectionOk => Message::ElectionOk {
            coordinator: coordinator()?,
        },
        MessageKind::CoordinatorAnnouncement => {
            Message::CoordinatorAnnouncement(get::<Announcement<View>>(body)?.view)
        }
        MessageKind::Ping => Message::Ping {
            coordinator: coordinator()?,
        },
        MessageKind::Pong => Message::Pong {
            coordinator: coordinator()?,
        },
        MessageKind::Probe => Message::Probe(get::<Named>(body)?.key),
        MessageKind::ProbeAnswer => Message::ProbeAnswer(get::<Named>(body)?.key),
        MessageKind::Sync => Message::Sync(get(body)?),
        MessageKind::SyncAnswer => Message::SyncAnswer(get(body)?),
        MessageKind::Fetch => Message::Fetch(get(body)?),
        MessageKind::Chunk => Message::Chunk(get(body)?),
        MessageKind::Behind => get::<Empty>(body).map(|_| Message::Behind)?,
        MessageKind::Ack => Message::Ack(get(body)?),
        MessageKind::Rename => Message::Rename(get::<Rename<String>>(body)?.nick),
        MessageKind::Leave => get::<Empty>(body).map(|_| Message::Leave)?,
        MessageKind::Referral => {
            Message::Referral(coordinator()?.ok_or_else(|| malformed("missing field `coord`"))?)
        }
        MessageKind::Stable => Message::Stable(get(body)?),
        MessageKind::Relay => Message::Relay(get(body)?),
        MessageKind::Introduction => Message::Introduction(get(body)?),
        MessageKind::Proof => Message::Proof(get(body)?),
        MessageKind::Compare => Message::Compare(get(body)?),
        MessageKind::Comparison => Message::Comparison(get(body)?),
    })
}

/// The version in an INTRODUCTION, HELLO or JOIN_REQUEST that is not ours, whatever else that version changed.
fn other_version(number: u64, body: &[u8]) -> Option<u8> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u8,
    }
    let version = matches!(
        MessageKind::of_number(number),
        Some(MessageKind::Hello | MessageKind::JoinRequest | MessageKind::Introduction)
    )
    .then(|| get::<Versioned>(body));
    version?.ok().map(|v| v.version).filter(|v| *v != VERSION)
}

/// Appends `[number, fields]`.
fn put(out: &mut Vec<u8>, number: u64, fields: impl Serialize) {
    // A write to a vector cannot fail, and no field's serializer does.
    ciborium::into_writer(&(number, fields), out).expect("memory takes every write");
}

/// The type number and the bytes of the fields, of an item that is well-formed.
fn open(item: &[u8]) -> Result<(u64, &[u8]), DecodeError> {
    scan(item).map_err(malformed)?;
    let mut at = Cursor { rest: item };
    if at.argument(ARRAY) != Some(2) {
        return Err(malformed("not an array of two"));
    }
    let number = at.argument(UINT);
    let number = number.ok_or_else(|| malformed("the type is not an unsigned integer"))?;
    Ok((number, at.rest))
}

/// The fields; `body` comes from [`open`].
fn get<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    reader::read(body).map_err(|Broken(rule)| DecodeError::Malformed(rule))
}

fn malformed(rule: impl Into<Cow<'static, str>>) -> DecodeError {
    DecodeError::Malformed(rule.into())
}

// The fields of messages that are not structs of their own in `message.rs`.

#[derive(Serialize, Deserialize)]
struct Empty {}

#[derive(Serialize, Deserialize)]
struct Messages<T> {
    messages: T,
}

#[derive(Serialize, Deserialize)]
struct ElectionBody {
    id: Id,
    forced: bool,
}

#[derive(Serialize, Deserialize)]
struct Told<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    coord: Option<T>,
}

fn told(coord: Option<&Coordinator>) -> Told<&Coordinator> {
    Told { coord }
}

#[derive(Serialize, Deserialize)]
struct Announcement<T> {
    view: T,
}

#[derive(Serialize, Deserialize)]
struct Named {
    key: Key,
}

#[derive(Serialize, Deserialize)]
struct Rename<T> {
    nick: T,
}

#[derive(Serialize, Deserialize)]
struct Heartbeat<R, C> {
    room: R,
    coord: C,
    members: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nick: Option<R>,
}

#[derive(Serialize, Deserialize)]
struct Referral<R, C> {
    room: R,
    coord: C,
}

#[derive(Serialize, Deserialize)]
struct BeatRequest<R> {
    room: R,
    key: Key,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EncodeError::TooLong(n) => write!(f, "the message would take {n} bytes"),
            EncodeError::Invalid(rule) => f.write_str(rule),
        }
    }
}

impl std::error::Error for EncodeError {}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Foreign => f.write_str("not from papo"),
            DecodeError::Version(n) => write!(f, "protocol version {n}, not {VERSION}"),
            DecodeError::Malformed(rule) => f.write_str(rule),
        }
    }
}

impl std::error::Error for DecodeError {}
