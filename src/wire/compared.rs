//! What two nodes tell each other of their histories to find out where they differ, as plain data.
//! `PROTOCOL.md` says what each means on the wire.

use serde::{Deserialize, Serialize};

use super::digest::Sum;
use super::types::Position;

/// What lies after one position, and up to another one. On the wire: an array of two positions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "(Position, Position)", into = "(Position, Position)")]
pub struct Span {
    /// This one is not part of it,
    pub after: Position,
    /// but this one is.
    pub upto: Position,
}

impl Span {
    /// What lies after this position, and up to this one.
    #[must_use]
    pub const fn new(after: Position, upto: Position) -> Self {
        Span { after, upto }
    }
}

impl From<(Position, Position)> for Span {
    fn from((after, upto): (Position, Position)) -> Self {
        Span::new(after, upto)
    }
}

impl From<Span> for (Position, Position) {
    fn from(span: Span) -> Self {
        (span.after, span.upto)
    }
}

/// What one node holds after the part before, or where the first one begins, and up to a position. On the
/// wire: an array of three.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "(Position, u64, Sum)", into = "(Position, u64, Sum)")]
pub struct Part {
    /// Up to here.
    pub upto: Position,
    /// How many messages these are.
    pub count: u64,
    /// The sum of their hashes.
    pub sum: Sum,
}

impl From<(Position, u64, Sum)> for Part {
    fn from((upto, count, sum): (Position, u64, Sum)) -> Self {
        Part { upto, count, sum }
    }
}

impl From<Part> for (Position, u64, Sum) {
    fn from(part: Part) -> Self {
        (part.upto, part.count, part.sum)
    }
}

/// A message that somebody holds: where, and the first 64 bits of its hash. On the wire: an array of two.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "(Position, u64)", into = "(Position, u64)")]
pub struct Item {
    /// Its place, which names it.
    pub position: Position,
    /// The first 64 bits of its hash.
    pub hash: u64,
}

impl From<(Position, u64)> for Item {
    fn from((position, hash): (Position, u64)) -> Self {
        Item { position, hash }
    }
}

impl From<Item> for (Position, u64) {
    fn from(item: Item) -> Self {
        (item.position, item.hash)
    }
}

/// The asker holds something else in these spans than the answerer, and wants to know more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Compare {
    /// From the SYNC.
    pub no: u64,
    /// Which ones, in their order.
    pub spans: Vec<Span>,
}

/// What the answerer holds in one span. Without parts and items it cannot tell more than it has.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Contents {
    /// In parts, the last of which ends where the span does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Vec<Part>>,
    /// One by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Item>>,
}

/// The answer to COMPARE.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// From the SYNC.
    pub no: u64,
    /// For the first of the spans asked for, at least one, what is there.
    pub spans: Vec<Contents>,
}
