//! Events as JSON Lines: what scripts rely on. A field that stands here keeps its name and meaning.
//!
//! This module owns no state. It writes into memory only, and never alters a text: JSON's own
//! escaping is all that happens to it. That is applied to whatever a terminal would obey or hide,
//! since people look at this output as well.

use std::io;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::node::Phase;
use crate::wire::{ChatMessage, Id, Key, MessageId};

use super::act::topic_of;
use super::config::{DriverStatus, Listening};
use super::event_data::Delivered;
use super::numbers::{Hex, IdText, Stamp};
use super::room_state::RoomState;
use super::visible::{is_hidden, is_plain};

/// The version of these events.
const SCHEMA: u32 = 1;

/// When something happened and, where a process is in several rooms, in which of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct When<'a> {
    /// Milliseconds since 1970.
    pub ms: u64,
    /// The room, if it is to be named.
    pub room: Option<&'a str>,
}

impl From<u64> for When<'_> {
    fn from(ms: u64) -> Self {
        When { ms, room: None }
    }
}

/// Appends one event. The fields of `body` follow those that every event has.
pub(crate) fn event<'a>(
    out: &mut Vec<u8>,
    name: &'static str,
    at: impl Into<When<'a>>,
    body: impl Serialize,
) {
    #[derive(Serialize)]
    struct Envelope<'a, B> {
        event: &'static str,
        at: Stamp,
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<&'a str>,
        #[serde(flatten)]
        body: B,
    }
    let When { ms, room } = at.into();
    line(
        out,
        &Envelope {
            event: name,
            at: Stamp(ms),
            room,
            body,
        },
    );
}

/// Appends one event that has all its fields.
fn line(out: &mut Vec<u8>, value: &impl Serialize) {
    if append(out, value) {
        out.push(b'\n');
    }
}

/// Appends one value. Memory takes every write and all keys are strings, so this does not fail; if it did, half a
/// value would break the reader, and nothing is appended.
pub(super) fn append(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> bool {
    let start = out.len();
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, VisibleJson);
    let is_written = value.serialize(&mut serializer).is_ok();
    if !is_written {
        out.truncate(start);
    }
    is_written
}

/// Compact JSON that also writes as `\u` escapes what [`visible`](super::visible) would show.
struct VisibleJson;

impl serde_json::ser::Formatter for VisibleJson {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut written = 0;
        if !is_plain(fragment.as_bytes()) {
            for (at, c) in fragment.char_indices().filter(|(_, c)| is_hidden(*c)) {
                writer.write_all(&fragment.as_bytes()[written..at])?;
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
                written = at + c.len_utf8();
            }
        }
        writer.write_all(&fragment.as_bytes()[written..])
    }
}

/// `listening`
pub fn listening(out: &mut Vec<u8>, at: When<'_>, listening: &Listening) {
    #[derive(Serialize)]
    struct Body<'a> {
        version: &'static str,
        schema: u32,
        tcp: &'a [String],
        group: &'a str,
        room: &'a str,
        nick: &'a str,
        key: Hex,
    }
    let body = Body {
        version: env!("CARGO_PKG_VERSION"),
        schema: SCHEMA,
        tcp: &listening.tcp,
        group: &listening.group,
        room: &listening.room,
        nick: &listening.nick,
        key: Hex(listening.key.0),
    };
    // Its own fields name the room.
    event(out, "listening", at.ms, body);
}

/// `delivered`, of one message of the run.
pub(super) fn delivered(out: &mut Vec<u8>, at: When<'_>, id: MessageId, run: &Delivered) {
    #[derive(Serialize)]
    struct Missed<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Id>,
        #[serde(skip_serializing_if = "Option::is_none")]
        nick: Option<&'a str>,
        key: Hex,
    }
    #[derive(Serialize)]
    struct Body<'a> {
        event: &'static str,
        at: Stamp,
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<&'a str>,
        id: IdText,
        members: usize,
        confirmed: usize,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        missed: Vec<Missed<'a>>,
    }
    let missed = run.missed.iter().map(|misser| Missed {
        id: misser.member.as_ref().map(|(id, _)| *id),
        nick: misser.member.as_ref().map(|(_, nick)| nick.as_str()),
        key: Hex(misser.key.0),
    });
    let body = Body {
        event: "delivered",
        at: Stamp(at.ms),
        room: at.room,
        id: IdText(id),
        members: run.members,
        confirmed: run.confirmed,
        missed: missed.collect(),
    };
    line(out, &body);
}

/// `missed`: so many messages of an author, from the first to the last sequence number. Those that were shown,
/// and could not be stored, are told apart.
pub fn missed(
    out: &mut Vec<u8>,
    at: When<'_>,
    (key, nick): (Key, &str),
    (first, last): (u64, u64),
    count: u64,
    is_unstored: bool,
) {
    #[derive(Serialize)]
    struct Body<'a> {
        key: Hex,
        nick: &'a str,
        first: u64,
        last: u64,
        count: u64,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        unstored: bool,
    }
    let body = Body {
        key: Hex(key.0),
        nick,
        first,
        last,
        count,
        unstored: is_unstored,
    };
    event(out, "missed", at, body);
}

/// `election`
pub fn election(out: &mut Vec<u8>, at: When<'_>, phase: Phase, reason: &str) {
    #[derive(Serialize)]
    struct Body<'a> {
        phase: &'static str,
        reason: &'a str,
    }
    let phase = match phase {
        Phase::Started => "started",
        Phase::Won => "won",
        Phase::Ended => "ended",
    };
    event(out, "election", at, Body { phase, reason });
}

/// `coordinator`
pub fn coordinator(
    out: &mut Vec<u8>,
    at: When<'_>,
    id: Id,
    key: Key,
    previous: Option<Id>,
    own: bool,
) {
    #[derive(Serialize)]
    struct Body {
        id: Id,
        key: Hex,
        previous: Option<Id>,
        own: bool,
    }
    let key = Hex(key.0);
    let body = Body {
        id,
        key,
        previous,
        own,
    };
    event(out, "coordinator", at, body);
}

/// `history`: the answer to `/history`. `count` and `digest` are of the whole history, however few
/// of its messages are asked for.
pub fn history(out: &mut Vec<u8>, at: When<'_>, room: &dyn RoomState, messages: &[ChatMessage]) {
    #[derive(Serialize)]
    struct Body<'a> {
        count: usize,
        digest: Hex,
        messages: Vec<HeldMessage<'a>>,
    }
    let body = Body {
        count: room.history_len(),
        digest: Hex(room.digest()),
        messages: messages.iter().map(HeldMessage::of).collect(),
    };
    event(out, "history", at, body);
}

/// `topic`: the answer to `/topic`. Without a topic all of it is null.
pub(super) fn topic(out: &mut Vec<u8>, at: When<'_>, set: Option<&ChatMessage>) {
    #[derive(Serialize)]
    struct Body<'a> {
        text: Option<&'a str>,
        nick: Option<&'a str>,
        key: Option<Hex>,
        set_at: Option<Stamp>,
    }
    let body = Body {
        text: set.map(topic_of),
        nick: set.map(ChatMessage::nick),
        key: set.map(|m| Hex(m.origin().0)),
        set_at: set.map(|m| Stamp(m.sent_at())),
    };
    event(out, "topic", at, body);
}

/// `search`: the answer to `/search`, with all that was found.
///
/// What only a store has is counted, and the newest of it are there.
pub fn search(out: &mut Vec<u8>, at: When<'_>, words: &str, count: u64, messages: &[ChatMessage]) {
    #[derive(Serialize)]
    struct Body<'a> {
        words: &'a str,
        count: u64,
        messages: Vec<HeldMessage<'a>>,
    }
    let body = Body {
        words,
        count,
        messages: messages.iter().map(HeldMessage::of).collect(),
    };
    event(out, "search", at, body);
}

/// A message of the history in an answer.
#[derive(Serialize)]
struct HeldMessage<'a> {
    id: IdText,
    from: Id,
    nick: &'a str,
    key: Hex,
    seq: u64,
    text: &'a str,
    sent_at: Stamp,
}

impl<'a> HeldMessage<'a> {
    fn of(message: &'a ChatMessage) -> HeldMessage<'a> {
        HeldMessage {
            id: IdText(message.id()),
            from: message.from(),
            nick: message.nick(),
            key: Hex(message.origin().0),
            seq: message.seq(),
            text: message.text(),
            sent_at: Stamp(message.sent_at()),
        }
    }
}

/// `status`: the answer to `/status`.
pub fn status(
    out: &mut Vec<u8>,
    at: When<'_>,
    name: &str,
    room: &dyn RoomState,
    driver: DriverStatus,
) {
    struct CounterMap(Vec<(&'static str, u64)>);
    impl Serialize for CounterMap {
        fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            s.collect_map(self.0.iter().copied())
        }
    }
    #[derive(Serialize)]
    struct Body<'a> {
        id: Option<Id>,
        key: Hex,
        room: &'a str,
        coordinator: Option<Id>,
        members: usize,
        history: usize,
        digest: Hex,
        queued_bytes: u64,
        uptime_ms: u64,
        #[serde(flatten)]
        counters: CounterMap,
    }
    let body = Body {
        id: room.id(),
        key: Hex(room.key().0),
        room: name,
        coordinator: room.coordinator().map(|c| c.id),
        members: room.members().len(),
        history: room.history_len(),
        digest: Hex(room.digest()),
        queued_bytes: driver.queued_bytes,
        uptime_ms: millis(driver.uptime),
        counters: CounterMap(room.counters()),
    };
    event(out, "status", at.ms, body);
}

pub(super) fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}

/// `warning`, `error` and `help`.
pub fn remark(out: &mut Vec<u8>, at: When<'_>, name: &'static str, text: &str) {
    #[derive(Serialize)]
    struct Body<'a> {
        text: &'a str,
    }
    event(out, name, at, Body { text });
}

/// `left`, the last line.
pub fn left(out: &mut Vec<u8>, at: When<'_>, confirmed: bool) {
    #[derive(Serialize)]
    struct Body {
        confirmed: bool,
    }
    event(out, "left", at, Body { confirmed });
}
