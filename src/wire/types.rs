//! The values that messages are made of. What lives here: plain data, its order and its encoding.
//! Nothing here knows about sockets, time or the state of a node.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::timing::{TIMESTAMP_AHEAD_MAX, WRITTEN_AHEAD_MAX};

/// Bits of a timestamp below its milliseconds: room for 65,535 events within one.
pub const COUNTER_BITS: u32 = 16;

/// A node's number, new at each run: a hash of the public key that it proves on each link. Zero is never
/// used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub u64);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A fixed number of bytes: a public key, a nonce, a signature. On the wire: a byte string.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes<const N: usize>(pub [u8; N]);

impl<const N: usize> fmt::Debug for Bytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The small number that a coordinator assigns: a label for people, a rank for elections.
pub type Id = u64;

/// A coordinator's (id, key); the higher claim wins when two groups meet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Claim {
    /// Compared first.
    pub id: Id,
    /// Decides between equal ids.
    pub key: Key,
}

/// A TCP address. On the wire: a byte string, 4 or 16 bytes of address and 2 of port, big-endian.
/// An IPv6 scope is local to a host and does not travel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub SocketAddr);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A coordinator as somebody first-hand knows it: its claim, where it is, how far its view is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Coordinator {
    /// Its id in the view that it leads.
    pub id: Id,
    /// Its key.
    pub key: Key,
    /// Its TCP candidate addresses, best first.
    #[serde(rename = "at")]
    pub addresses: Vec<Address>,
    /// The version of its view.
    pub version: u64,
}

impl Member {
    /// An upper bound of its encoded size in bytes.
    #[must_use]
    pub fn size_bound(&self) -> usize {
        40 + self.nick.len() + 20 * self.addresses.len()
    }
}

impl Coordinator {
    /// Its claim to the office.
    #[must_use]
    pub fn claim(&self) -> Claim {
        Claim {
            id: self.id,
            key: self.key,
        }
    }
}

/// One member of a view.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Unique within the view.
    pub id: Id,
    /// Who it is.
    pub key: Key,
    /// What people call it; not unique.
    pub nick: String,
    /// Its TCP candidate addresses, best first.
    #[serde(rename = "at")]
    pub addresses: Vec<Address>,
}

/// A list that is absent where it is empty: whoever writes it empty does not keep to the page.
pub(super) fn not_empty<'de, D, T>(d: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = Vec::deserialize(d)?;
    if list.is_empty() {
        return Err(serde::de::Error::custom(
            "an optional list is there and empty",
        ));
    }
    Ok(list)
}

/// A number that is absent where it is 0.
pub(super) fn not_zero<'de, D: serde::Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    not_value(d, 0)
}

/// A number that is absent where it is this.
pub(super) fn not_value<'de, D: serde::Deserializer<'de>>(
    d: D,
    usual: u64,
) -> Result<u64, D::Error> {
    let number = u64::deserialize(d)?;
    if number == usual {
        return Err(serde::de::Error::custom(
            "an optional number is there with its usual value",
        ));
    }
    Ok(number)
}

// serde hands the field over by reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(super) fn is_zero(clock: &u64) -> bool {
    *clock == 0
}

/// A member list, named by (coordinator, version).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct View {
    /// The key of the coordinator that this view is from.
    pub coordinator: Key,
    /// Grows by one with each change.
    pub version: u64,
    /// The id that the next newcomer gets: higher than any ever seen, and never falling.
    #[serde(rename = "next")]
    pub next_id: Id,
    /// The members, the coordinator among them, in any order.
    pub members: Vec<Member>,
    /// In an announcement: members of the view before that are not in this one because they said
    /// LEAVE. Others that are missing were lost.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "not_empty"
    )]
    pub left: Vec<Key>,
    /// The coordinator's hybrid logical clock; 0, and absent on the wire, where it is said otherwise.
    #[serde(
        default,
        skip_serializing_if = "is_zero",
        deserialize_with = "not_zero"
    )]
    pub clock: u64,
}

/// A message's name: who wrote it, and its number from 1 in that author's order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct MessageId {
    /// The author's key.
    #[serde(rename = "o")]
    pub origin: Key,
    /// From 1, without gaps, in the order written.
    #[serde(rename = "s")]
    pub seq: u64,
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.origin, self.seq)
    }
}

/// A place in the history's total order. On the wire: an array of three unsigned integers.
/// The order of positions is that of their fields: the time first, then the author, then the number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "(u64, u64, u64)", into = "(u64, u64, u64)")]
pub struct Position {
    /// The hybrid-logical-clock timestamp.
    pub timestamp: u64,
    /// The author's key; 0 in a position that is no message's.
    pub origin: Key,
    /// The author's sequence number.
    pub seq: u64,
}

/// Before every message's.
impl Default for Position {
    fn default() -> Self {
        Position::new(0, Key(0), 0)
    }
}

impl From<(u64, u64, u64)> for Position {
    fn from((timestamp, origin, seq): (u64, u64, u64)) -> Self {
        Position::new(timestamp, Key(origin), seq)
    }
}

impl From<Position> for (u64, u64, u64) {
    fn from(p: Position) -> Self {
        (p.timestamp, p.origin.0, p.seq)
    }
}

impl Position {
    /// Beyond every message's.
    pub const END: Position = Position::new(u64::MAX, Key(u64::MAX), u64::MAX);

    /// The position of the message that this author wrote with this number at this time.
    #[must_use]
    pub const fn new(timestamp: u64, origin: Key, seq: u64) -> Self {
        Position {
            timestamp,
            origin,
            seq,
        }
    }

    /// Beyond every message's that counts while the clock on the wall shows so many milliseconds since 1970:
    /// what is dated later lies too far ahead, and counts as not said.
    #[must_use]
    pub fn latest(wall_ms: u64) -> Self {
        Position::ahead(wall_ms, TIMESTAMP_AHEAD_MAX)
    }

    /// Beyond every message's that somebody writes a later one after while the clock on the wall shows so many
    /// milliseconds since 1970: what is dated later counts, and has no place among the newest yet.
    #[must_use]
    pub fn reach(wall_ms: u64) -> Self {
        Position::ahead(wall_ms, WRITTEN_AHEAD_MAX)
    }

    fn ahead(wall_ms: u64, ahead: Duration) -> Self {
        let ahead = u64::try_from(ahead.as_millis()).unwrap_or(u64::MAX);
        let last_ms = wall_ms.saturating_add(ahead).min(u64::MAX >> COUNTER_BITS);
        let timestamp = last_ms << COUNTER_BITS | u64::MAX >> (u64::BITS - COUNTER_BITS);
        Position::new(timestamp, Key(u64::MAX), u64::MAX)
    }

    /// The name of the message there.
    #[must_use]
    pub fn id(&self) -> MessageId {
        MessageId {
            origin: self.origin,
            seq: self.seq,
        }
    }
}

impl Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(18);
        match self.0 {
            SocketAddr::V4(a) => bytes.extend_from_slice(&a.ip().octets()),
            SocketAddr::V6(a) => bytes.extend_from_slice(&a.ip().octets()),
        }
        bytes.extend_from_slice(&self.0.port().to_be_bytes());
        s.serialize_bytes(&bytes)
    }
}

struct AddressVisitor;

impl serde::de::Visitor<'_> for AddressVisitor {
    type Value = Address;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address of 6 or 18 bytes")
    }

    fn visit_bytes<E: serde::de::Error>(self, v: &[u8]) -> Result<Address, E> {
        use std::net::{Ipv4Addr, Ipv6Addr};
        let wrong = || E::invalid_length(v.len(), &self);
        let (ip, port) = v.split_last_chunk::<2>().ok_or_else(wrong)?;
        let ip = match *ip {
            [a, b, c, d] => Ipv4Addr::new(a, b, c, d).into(),
            _ => Ipv6Addr::from(<[u8; 16]>::try_from(ip).map_err(|_| wrong())?).into(),
        };
        Ok(Address(SocketAddr::new(ip, u16::from_be_bytes(*port))))
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Address, D::Error> {
        d.deserialize_bytes(AddressVisitor)
    }
}

impl<const N: usize> Serialize for Bytes<N> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(&self.0)
    }
}

struct BytesVisitor<const N: usize>;

impl<const N: usize> serde::de::Visitor<'_> for BytesVisitor<N> {
    type Value = Bytes<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a byte string of {N} bytes")
    }

    fn visit_bytes<E: serde::de::Error>(self, v: &[u8]) -> Result<Bytes<N>, E> {
        let bytes = v.try_into();
        bytes
            .map(Bytes)
            .map_err(|_| E::invalid_length(v.len(), &self))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Bytes<N> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Bytes<N>, D::Error> {
        d.deserialize_bytes(BytesVisitor)
    }
}
