//! Every message that papo sends, as plain data. `PROTOCOL.md` says what each means on the wire;
//! `codec.rs` turns them into bytes and back. Numbers and field names are only ever appended.

use serde::{Deserialize, Serialize};

use crate::limits::BATCH_BYTES_MAX;

use super::chat::ChatMessage;
use super::compared::{Compare, Comparison, Part, Span};
use super::digest::Digest;
use super::proofs::{Introduction, Proof, Seal};
use super::types::{
    Address, Coordinator, Id, Key, Member, Position, View, is_zero, not_empty, not_value, not_zero,
};

/// The protocol's major version: another one is refused.
pub const VERSION: u8 = 2;

/// The third message on a link, from the dialler first, then from the acceptor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`] of the sender.
    pub version: u8,
    /// The sender's room.
    pub room: String,
    /// The sender's key.
    pub key: Key,
    /// The sender's nick.
    pub nick: String,
    /// How many links with the receiver the sender has seen established: two dials of one round
    /// crossed each other.
    pub round: u64,
    /// Where the sender's listener can be reached, best first.
    #[serde(rename = "at")]
    pub addresses: Vec<Address>,
    /// The sender's live coordinator.
    #[serde(rename = "coord", default, skip_serializing_if = "Option::is_none")]
    pub coordinator: Option<Coordinator>,
    /// The sender's floor; absent while its history is not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Position>,
    /// The sender's hybrid logical clock; absent if it is 0.
    #[serde(
        default,
        skip_serializing_if = "is_zero",
        deserialize_with = "not_zero"
    )]
    pub clock: u64,
    /// The oldest message that the sender holds, if it is not above `floor`, or there is no `floor`; all
    /// zero if the sender does not know which one is the oldest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Position>,
    /// The sender's wall clock in milliseconds since 1970; 0, and absent, if it does not say.
    #[serde(
        default,
        skip_serializing_if = "is_zero",
        deserialize_with = "not_zero"
    )]
    pub wall: u64,
}

/// A node asks to become a member: by multicast, or on a link.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JoinRequest {
    /// [`VERSION`] of the sender.
    pub version: u8,
    /// The room that it wants to join.
    pub room: String,
    /// Its key.
    pub key: Key,
    /// Its nick.
    pub nick: String,
    /// 0 for the first request, then one more for each repetition.
    pub attempt: u64,
    /// Its TCP listener's port.
    pub port: u16,
    /// Where its listener can be reached, best first.
    #[serde(rename = "at")]
    pub addresses: Vec<Address>,
    /// The id that it has, if it ever had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// The next id of the group that it comes from; 0 at first.
    #[serde(rename = "next")]
    pub next_id: Id,
    /// The highest view version that it has heard of; 0 at first.
    #[serde(rename = "view")]
    pub view_version: u64,
    /// True when it is a coordinator itself, with the claim (id, key).
    pub office: bool,
    /// The asker's number for this question, repeated in the answer; 0, and absent, if it counts none.
    #[serde(
        default,
        skip_serializing_if = "is_zero",
        deserialize_with = "not_zero"
    )]
    pub no: u64,
}

/// The coordinator lets a node in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JoinResponse {
    /// The id of the node asked for.
    pub id: Id,
    /// The whole view, the newcomer in it.
    pub view: View,
    /// The coordinator's hybrid logical clock.
    pub clock: u64,
    /// The position of the newest message in the coordinator's history, or its floor if there is none.
    pub newest: Position,
    /// The coordinator's floor; absent while its history is not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Position>,
    /// Members who were lost, and may come back, the one that was lost first comes first;
    /// `FORMER_MEMBERS_MAX` at most.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "not_empty"
    )]
    pub lost: Vec<Key>,
    /// From the JOIN_REQUEST; 0, and absent, if that has none.
    #[serde(
        default,
        skip_serializing_if = "is_zero",
        deserialize_with = "not_zero"
    )]
    pub no: u64,
}

/// What a PEER_UPDATE says. On the wire: an unsigned integer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UpdateKind {
    /// 0: the members listed are the whole view.
    Whole,
    /// 1: the member listed joined.
    Joined,
    /// 2: the member listed left of its own will.
    Left,
    /// 3: the member listed was lost.
    Lost,
    /// 4: the member listed has a new nick or new addresses.
    Renamed,
}

/// A step of the view from `version - 1` to `version`, or the whole view.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PeerUpdate {
    /// Whose view.
    pub coordinator: Key,
    /// The view's version after this update.
    pub version: u64,
    /// The id that the next newcomer gets.
    #[serde(rename = "next")]
    pub next_id: Id,
    /// What happened.
    pub kind: UpdateKind,
    /// One member, or all of them.
    pub members: Vec<Member>,
    /// The coordinator's hybrid logical clock; 0, and absent on the wire, from anybody else.
    #[serde(
        default,
        skip_serializing_if = "is_zero",
        deserialize_with = "not_zero"
    )]
    pub clock: u64,
}

/// A message to one member, not part of the history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Private {
    /// The author's id.
    pub from: Id,
    /// The author's nick.
    pub nick: String,
    /// The author's wall clock in milliseconds since 1970.
    pub sent_at: u64,
    /// What was said; at most `TEXT_BYTES_MAX` bytes.
    pub text: String,
}

/// The asker's side of a repair: what it holds, in two numbers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sync {
    /// The asker's number for this exchange, repeated in the answers.
    pub no: u64,
    /// The asker's floor.
    pub floor: Position,
    /// The digest of the messages held above the floor.
    pub digest: Digest,
    /// How many messages are held above the floor.
    pub count: u64,
    /// True when this SYNC was itself caused by a SYNC that showed a difference: it causes no other.
    pub back: bool,
}

/// The answer to SYNC.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SyncAnswer {
    /// From the SYNC.
    pub no: u64,
    /// True when both hold the same above the higher of both floors.
    pub equal: bool,
    /// The answerer's floor.
    pub floor: Position,
    /// The position of the newest message that the answerer holds now: what comes later comes on
    /// the links of its authors. Absent if live chat was withheld from the asker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Position>,
    /// Where they differ: what the answerer holds above the higher of both floors, in parts that follow
    /// each other.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "not_empty"
    )]
    pub parts: Vec<Part>,
}

/// An inclusive range of one author's sequence numbers. On the wire: an array of three integers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "(Key, u64, u64)", into = "(Key, u64, u64)")]
pub struct SeqRange {
    /// The author.
    pub author: Key,
    /// First sequence number.
    pub first: u64,
    /// Last sequence number.
    pub last: u64,
}

impl SeqRange {
    /// This author's messages from the first to the last number, both included.
    #[must_use]
    pub const fn new(author: Key, first: u64, last: u64) -> Self {
        SeqRange {
            author,
            first,
            last,
        }
    }
}

impl From<(Key, u64, u64)> for SeqRange {
    fn from((author, first, last): (Key, u64, u64)) -> Self {
        SeqRange::new(author, first, last)
    }
}

impl From<SeqRange> for (Key, u64, u64) {
    fn from(range: SeqRange) -> Self {
        (range.author, range.first, range.last)
    }
}

/// The asker pulls the next chunk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fetch {
    /// From the SYNC.
    pub no: u64,
    /// Only messages after this position.
    pub after: Position,
    /// Only messages in these spans, which follow each other.
    pub spans: Vec<Span>,
    /// What the asker has, and need not be sent again.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "not_empty"
    )]
    pub skip: Vec<SeqRange>,
    /// At or below this position, the asker's floor, only what it wants is to be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Position>,
    /// What the asker lacks, wherever it lies.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "not_empty"
    )]
    pub want: Vec<SeqRange>,
}

/// What one node has of an author's messages: a fact about each of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ack {
    /// From this sequence number on (on the wire absent if it is 1),
    #[serde(
        default = "first_seq",
        skip_serializing_if = "is_first_seq",
        deserialize_with = "not_first_seq"
    )]
    pub from: u64,
    /// up to this one, every message is taken in (and stored, by a node with a store),
    pub seq: u64,
    /// except these, as first and last, which the node has given up.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "not_empty"
    )]
    pub missed: Vec<(u64, u64)>,
}

fn first_seq() -> u64 {
    1
}

// serde hands the field over by reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_first_seq(seq: &u64) -> bool {
    *seq == 1
}

fn not_first_seq<'de, D: serde::Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    not_value(d, first_seq())
}

/// How far an author is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stable {
    /// The first message that it wrote with the receiver in its view; absent where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// How many messages it has written.
    pub said: u64,
    /// Every member in its view has confirmed, or missed, everything up to this one.
    pub stable: u64,
}

/// A JOIN_REQUEST for a coordinator out of reach.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CarriedRequest {
    /// One more for each that its writer has carried, from 1 on; one that is not higher is an old one.
    pub turn: u64,
    /// What the writer asks itself: its `key` is that of the writer.
    pub fields: JoinRequest,
}

/// What two nodes have to tell each other that have no link, by way of a third.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Relay {
    /// Who says it.
    pub from: Key,
    /// To whom.
    pub to: Key,
    /// What the one has of the other's messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack: Option<Ack>,
    /// How far the one is with its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<Stable>,
    /// The one asks to be let in by the other, a coordinator that it cannot reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Box<CarriedRequest>>,
    /// The word of the one who says it that it does; the driver sets it and looks at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Seal>,
}

/// Old messages in the total order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Chunk {
    /// From the SYNC.
    pub no: u64,
    /// Where the next FETCH goes on; absent when this was the last chunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Position>,
    /// The messages, in the total order.
    pub messages: Vec<ChatMessage>,
}

impl Chunk {
    /// The same with these messages, too, which belong to the part of the history that it covers: up to its `next`,
    /// which it must have. If it gets too large so, it ends earlier.
    #[must_use]
    pub fn with(mut self, more: Vec<ChatMessage>) -> Chunk {
        if more.is_empty() {
            return self;
        }
        let upto = self.next.unwrap_or(Position::END);
        let within = more.into_iter().filter(|m| m.position() <= upto);
        self.messages.extend(within);
        self.messages.sort_by_key(ChatMessage::position);
        self.messages.dedup_by_key(|m| m.position());
        let mut bytes = 0;
        let first_out = self.messages.iter().position(|message| {
            let is_full = bytes >= BATCH_BYTES_MAX;
            bytes += message.size_bound();
            is_full
        });
        if let Some(first_out) = first_out {
            self.messages.truncate(first_out);
            self.next = self.messages.last().map(ChatMessage::position);
        }
        self
    }
}

/// A message on a TCP link. The table in `kinds.rs` has their numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// See [`Hello`].
    Hello(Hello),
    /// See [`JoinRequest`].
    JoinRequest(JoinRequest),
    /// See [`JoinResponse`].
    JoinResponse(JoinResponse),
    /// See [`PeerUpdate`].
    PeerUpdate(PeerUpdate),
    /// Asks for the whole view.
    ViewRequest,
    /// One or more chat messages; map field `messages`.
    Chat(Vec<ChatMessage>),
    /// See [`Private`].
    Private(Private),
    /// Field `id`, the sender's; `forced`: a live coordinator is to be ignored.
    Election {
        /// The sender's id.
        id: Id,
        /// A live coordinator is to be ignored.
        forced: bool,
    },
    /// Optional field `coord`: the answerer's live coordinator; absent: the answerer takes over.
    ElectionOk {
        /// The answerer's live coordinator.
        coordinator: Option<Coordinator>,
    },
    /// Field `view`, whole.
    CoordinatorAnnouncement(View),
    /// Optional field `coord`, first-hand.
    Ping {
        /// The sender's live coordinator.
        coordinator: Option<Coordinator>,
    },
    /// Optional field `coord`, first-hand.
    Pong {
        /// The sender's live coordinator.
        coordinator: Option<Coordinator>,
    },
    /// Field `key`: is that node alive on a link of yours?
    Probe(Key),
    /// Field `key`: that node was just heard.
    ProbeAnswer(Key),
    /// See [`Sync`].
    Sync(Sync),
    /// See [`SyncAnswer`].
    SyncAnswer(SyncAnswer),
    /// See [`Fetch`].
    Fetch(Fetch),
    /// See [`Chunk`].
    Chunk(Chunk),
    /// Live chat was withheld from the receiver: it should SYNC with the sender.
    Behind,
    /// What the sender has of the receiver's messages.
    Ack(Ack),
    /// Field `nick`: the sender's new nick, to its coordinator.
    Rename(String),
    /// The sender leaves the room.
    Leave,
    /// Field `coord`: who coordinates, to a joiner that asked somebody else.
    Referral(Coordinator),
    /// How far the sender is with its own messages.
    Stable(Stable),
    /// To be passed on to a member that the sender has no link with.
    Relay(Relay),
    /// See [`Introduction`].
    Introduction(Introduction),
    /// See [`Proof`].
    Proof(Proof),
    /// See [`Compare`].
    Compare(Compare),
    /// See [`Comparison`].
    Comparison(Comparison),
    /// A type that this version does not know: skipped.
    Unknown(u64),
}

/// A UDP datagram. The table in `kinds.rs` has their numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Datagram {
    /// See [`JoinRequest`].
    JoinRequest(JoinRequest),
    /// Fields `room`, `coord`, `members` (their number), `nick`.
    Heartbeat {
        /// The room.
        room: String,
        /// The sender.
        coordinator: Coordinator,
        /// How many members its view has.
        members: u64,
        /// What people call the sender, if it says so.
        nick: Option<String>,
    },
    /// Fields `room`, `coord`: a member's answer to a repeated JOIN_REQUEST.
    Referral {
        /// The room.
        room: String,
        /// The member's live coordinator.
        coordinator: Coordinator,
    },
    /// Fields `room`, `key`: a member that misses its coordinator's HEARTBEAT asks for it.
    BeatRequest {
        /// The room.
        room: String,
        /// The asker.
        key: Key,
    },
    /// A type that this version does not know: skipped.
    Unknown(u64),
}

impl Serialize for UpdateKind {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u8(match self {
            UpdateKind::Whole => 0,
            UpdateKind::Joined => 1,
            UpdateKind::Left => 2,
            UpdateKind::Lost => 3,
            UpdateKind::Renamed => 4,
        })
    }
}

impl<'de> Deserialize<'de> for UpdateKind {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<UpdateKind, D::Error> {
        Ok(match u64::deserialize(d)? {
            0 => UpdateKind::Whole,
            1 => UpdateKind::Joined,
            2 => UpdateKind::Left,
            3 => UpdateKind::Lost,
            4 => UpdateKind::Renamed,
            n => {
                let n = serde::de::Unexpected::Unsigned(n);
                return Err(serde::de::Error::invalid_value(n, &"a kind from 0 to 4"));
            }
        })
    }
}
