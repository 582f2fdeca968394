//! What was said as JSON Lines: the `message` event, of which a flood has a million a second.
//!
//! This module owns no state, and writes into memory only. Names and punctuation are the same in each such line, and
//! the library looks in each of them for what to escape; here they are written out. What people wrote goes through the
//! library, unless it is ASCII that needs no escaping.

use crate::identity::Fingerprint;
use crate::node::Arrival;
use crate::wire::{ChatMessage, Id, Key, MessageId};

use super::event_data::PrivateEvent;
use super::json::{When, append};
use super::numbers::{push_decimal, push_hex, push_id, push_stamp};
use super::visible::is_plain;

/// `message`, of the history.
pub fn message(
    out: &mut Vec<u8>,
    at: When<'_>,
    message: &ChatMessage,
    own: bool,
    arrival: Arrival,
    identity: Option<Fingerprint>,
) {
    let said = Said {
        at,
        id: Some(message.id()),
        from: message.from(),
        nick: message.nick(),
        key: message.origin(),
        text: message.text(),
        sent_at: message.sent_at(),
        own,
        arrival,
        identity,
    };
    said.push(out);
}

/// `message`, of `/msg`: it has neither an id nor a sequence number.
pub(super) fn private(
    out: &mut Vec<u8>,
    at: When<'_>,
    said: &PrivateEvent<'_>,
    identity: Option<Fingerprint>,
) {
    let said = Said {
        at,
        id: None,
        from: said.from,
        nick: said.nick,
        key: said.key,
        text: said.text,
        sent_at: said.sent_at,
        own: said.own,
        arrival: Arrival::Live,
        identity,
    };
    said.push(out);
}

/// All that the event tells. Without an id it is private.
struct Said<'a> {
    at: When<'a>,
    id: Option<MessageId>,
    from: Id,
    nick: &'a str,
    key: Key,
    text: &'a str,
    sent_at: u64,
    own: bool,
    arrival: Arrival,
    identity: Option<Fingerprint>,
}

impl Said<'_> {
    fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"event":"message","at":""#);
        push_stamp(out, self.at.ms);
        out.push(b'"');
        if let Some(room) = self.at.room {
            out.extend_from_slice(br#","room":"#);
            push_string(out, room);
        }
        match self.id {
            Some(id) => {
                out.extend_from_slice(br#","id":""#);
                push_id(out, id);
                out.extend_from_slice(br#"","from":"#);
            }
            None => out.extend_from_slice(br#","id":null,"from":"#),
        }
        push_decimal(out, self.from);
        out.extend_from_slice(br#","nick":"#);
        push_string(out, self.nick);
        out.extend_from_slice(br#","key":""#);
        push_hex(out, self.key.0);
        out.extend_from_slice(br#"","seq":"#);
        match self.id {
            Some(id) => push_decimal(out, id.seq),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(br#","text":"#);
        push_string(out, self.text);
        out.extend_from_slice(br#","sent_at":""#);
        push_stamp(out, self.sent_at);
        out.extend_from_slice(br#"","own":"#);
        push_bool(out, self.own);
        out.extend_from_slice(br#","replay":"#);
        push_bool(out, self.arrival == Arrival::Old);
        out.extend_from_slice(br#","private":"#);
        push_bool(out, self.id.is_none());
        if let Some(identity) = &self.identity {
            out.extend_from_slice(br#","identity":"#);
            push_string(out, identity.as_str());
        }
        if self.arrival == Arrival::Late {
            out.extend_from_slice(br#","late":true"#);
        }
        out.extend_from_slice(b"}\n");
    }
}

fn push_bool(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// A text of any kind, in quotation marks.
fn push_string(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    if is_plain(bytes) && !bytes.iter().any(|b| matches!(b, b'"' | b'\\')) {
        out.push(b'"');
        out.extend_from_slice(bytes);
        out.push(b'"');
    } else {
        append(out, text);
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::super::numbers::{Hex, IdText, Stamp};
    use super::*;

    /// The same event as the library writes it.
    #[derive(Serialize)]
    struct Reference<'a> {
        event: &'static str,
        at: Stamp,
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<&'a str>,
        id: Option<IdText>,
        from: Id,
        nick: &'a str,
        key: Hex,
        seq: Option<u64>,
        text: &'a str,
        sent_at: Stamp,
        own: bool,
        replay: bool,
        private: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        identity: Option<Fingerprint>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        late: bool,
    }

    fn reference(said: &Said<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        let same = Reference {
            event: "message",
            at: Stamp(said.at.ms),
            room: said.at.room,
            id: said.id.map(IdText),
            from: said.from,
            nick: said.nick,
            key: Hex(said.key.0),
            seq: said.id.map(|id| id.seq),
            text: said.text,
            sent_at: Stamp(said.sent_at),
            own: said.own,
            replay: said.arrival == Arrival::Old,
            private: said.id.is_none(),
            identity: said.identity,
            late: said.arrival == Arrival::Late,
        };
        assert!(append(&mut out, &same));
        out.push(b'\n');
        out
    }

    #[test]
    fn every_line_is_as_the_library_writes_it() {
        let texts = [
            "",
            "plain",
            "a \"quote\"",
            "back\\slash",
            "tab\t",
            "ü€😀",
            "\u{1b}[2J\u{202e}",
            "\u{7f}",
        ];
        let mut rng = fastrand::Rng::with_seed(5);
        for round in 0..2_000 {
            let mut text = || texts[rng.usize(..texts.len())];
            let (room, nick, text) = (text(), text(), text());
            let number = rng.u64(..) >> rng.u32(0..64);
            let key = Key(rng.u64(..));
            let said = Said {
                at: When {
                    ms: rng.u64(..4_000_000_000_000),
                    room: rng.bool().then_some(room),
                },
                id: rng.bool().then_some(MessageId {
                    origin: key,
                    seq: number,
                }),
                from: number / 3,
                nick,
                key,
                text,
                sent_at: rng.u64(..) >> rng.u32(0..64),
                own: rng.bool(),
                arrival: [Arrival::Live, Arrival::Old, Arrival::Late][round % 3],
                identity: rng.bool().then(|| Fingerprint::of(&[round as u8; 32])),
            };
            let mut out = Vec::new();
            said.push(&mut out);
            let (ours, theirs) = (
                String::from_utf8(out).unwrap(),
                String::from_utf8(reference(&said)).unwrap(),
            );
            assert_eq!(ours, theirs);
        }
    }
}
