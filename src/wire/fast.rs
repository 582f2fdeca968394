//! CHAT_MESSAGE, CHUNK, ACK and STABLE, straight to bytes and back: the hot path. Each line that is said by itself
//! makes one CHAT_MESSAGE, one ACK of each reader, and one STABLE.
//!
//! What lives here: the same bytes as `codec.rs` makes through serde, made faster, and a decoder of
//! exactly that form. What it does not recognise at once (other order, unknown fields, anything
//! invalid) it leaves to the decoder in `codec.rs`, which accepts more and names what is wrong.

use super::chat::ChatMessage;
use super::message::{Ack, Chunk, Message, Stable};
use super::pack::{MessageParts, Packer};
use super::scan::{ARRAY, Cursor, MAP, TEXT, UINT};
use super::types::{Key, MessageId, Position};

/// CHAT_MESSAGE up to the array's head: `[6, {"messages": ...}]`.
const CHAT: &[u8] = b"\x82\x06\xa1\x68messages";
/// CHUNK up to the first value: `[18, {"no": ...}]` with two fields.
const CHUNK_LAST: &[u8] = b"\x82\x12\xa2\x62no";
/// The same with three fields, `next` among them.
const CHUNK_MORE: &[u8] = b"\x82\x12\xa3\x62no";
const NEXT: &[u8] = b"\x64next\x83";
const MESSAGES: &[u8] = b"\x68messages";
/// What ACK begins with.
const ACK: &[u8] = b"\x82\x14";
/// ACK with nothing missed, up to the first value: `[20, {"seq": ...}]`.
const ACK_ALL: &[u8] = b"\x82\x14\xa1\x63seq";
/// The same from another message on than the first: `[20, {"from": ..., "seq": ...}]`.
const ACK_FROM: &[u8] = b"\x82\x14\xa2\x64from";
const SEQ: &[u8] = b"\x63seq";
/// What STABLE begins with.
const STABLE: &[u8] = b"\x82\x18\x18";
/// STABLE up to the first value: `[24, {"said": ..., "stable": ...}]`.
const STABLE_KNOWN: &[u8] = b"\x82\x18\x18\xa2\x64said";
/// The same with three fields, `from` among them.
const STABLE_FROM: &[u8] = b"\x82\x18\x18\xa3\x64from";
const SAID: &[u8] = b"\x64said";
const UP_TO: &[u8] = b"\x66stable";
/// ACK and STABLE, and mostly what is not of the hot path, take no more than this.
const SHORT_BYTES: usize = 64;
/// No message takes fewer bytes than this: bounds what an array's head can make us reserve.
const MESSAGE_BYTES_MIN: usize = 23;

/// About what a message of the hot path takes at most; others grow as they are written.
pub(super) fn size_hint(message: &Message) -> usize {
    let (Message::Chat(messages) | Message::Chunk(Chunk { messages, .. })) = message else {
        return SHORT_BYTES;
    };
    messages.iter().map(ChatMessage::size_bound).sum::<usize>() + 64
}

pub(super) fn encode_chat(messages: &[ChatMessage], out: &mut Vec<u8>) {
    out.extend_from_slice(CHAT);
    encode_messages(messages, out);
}

pub(super) fn encode_chunk(chunk: &Chunk, out: &mut Vec<u8>) {
    let start = if chunk.next.is_some() {
        CHUNK_MORE
    } else {
        CHUNK_LAST
    };
    out.extend_from_slice(start);
    head(out, UINT, chunk.no);
    if let Some(next) = chunk.next {
        out.extend_from_slice(NEXT);
        head(out, UINT, next.timestamp);
        head(out, UINT, next.origin.0);
        head(out, UINT, next.seq);
    }
    out.extend_from_slice(MESSAGES);
    encode_messages(&chunk.messages, out);
}

/// True if [`encode_ack`] can write this one.
pub(super) fn is_usual(ack: &Ack) -> bool {
    ack.missed.is_empty()
}

pub(super) fn encode_ack(ack: &Ack, out: &mut Vec<u8>) {
    debug_assert!(is_usual(ack), "what is missed would be left out");
    if ack.from == 1 {
        out.extend_from_slice(ACK_ALL);
    } else {
        out.extend_from_slice(ACK_FROM);
        head(out, UINT, ack.from);
        out.extend_from_slice(SEQ);
    }
    head(out, UINT, ack.seq);
}

pub(super) fn encode_stable(stable: &Stable, out: &mut Vec<u8>) {
    match stable.from {
        None => out.extend_from_slice(STABLE_KNOWN),
        Some(from) => {
            out.extend_from_slice(STABLE_FROM);
            head(out, UINT, from);
            out.extend_from_slice(SAID);
        }
    }
    head(out, UINT, stable.said);
    out.extend_from_slice(UP_TO);
    head(out, UINT, stable.stable);
}

/// The message, if it is a valid CHAT_MESSAGE, CHUNK, ACK or STABLE of the usual form.
pub(super) fn decode(item: &[u8]) -> Option<Message> {
    let mut at = Cursor { rest: item };
    let message = if at.eat(CHAT) {
        Message::Chat(decode_messages(&mut at)?)
    } else if item.starts_with(ACK) {
        Message::Ack(decode_ack(&mut at)?)
    } else if item.starts_with(STABLE) {
        Message::Stable(decode_stable(&mut at)?)
    } else {
        let has_next = at.eat(CHUNK_MORE);
        if !has_next && !at.eat(CHUNK_LAST) {
            return None;
        }
        let no = at.argument(UINT)?;
        let next = if has_next {
            at.eat(NEXT).then_some(())?;
            let (timestamp, origin) = (at.argument(UINT)?, Key(at.argument(UINT)?));
            Some(Position::new(timestamp, origin, at.argument(UINT)?))
        } else {
            None
        };
        at.eat(MESSAGES).then_some(())?;
        let messages = decode_messages(&mut at)?;
        Message::Chunk(Chunk { no, next, messages })
    };
    at.rest.is_empty().then_some(message)
}

fn decode_ack(at: &mut Cursor<'_>) -> Option<Ack> {
    let from = if at.eat(ACK_ALL) {
        1
    } else {
        at.eat(ACK_FROM).then_some(())?;
        // 1 is not written.
        let from = at.argument(UINT).filter(|from| *from > 1)?;
        at.eat(SEQ).then_some(())?;
        from
    };
    let seq = at.argument(UINT).filter(|seq| from <= *seq)?;
    let missed = Vec::new();
    Some(Ack { from, seq, missed })
}

fn decode_stable(at: &mut Cursor<'_>) -> Option<Stable> {
    let from = if at.eat(STABLE_KNOWN) {
        None
    } else {
        at.eat(STABLE_FROM).then_some(())?;
        let from = at.argument(UINT).filter(|from| *from > 0)?;
        at.eat(SAID).then_some(())?;
        Some(from)
    };
    let said = at.argument(UINT)?;
    at.eat(UP_TO).then_some(())?;
    let stable = at.argument(UINT).filter(|stable| *stable <= said)?;
    Some(Stable { from, said, stable })
}

/// One message as it stands in CHAT_MESSAGE and CHUNK, and as it is hashed.
pub(super) fn encode_message(m: &ChatMessage, out: &mut Vec<u8>) {
    encode_around(m, out);
    let text = m.text_bytes();
    head(out, TEXT, text.len() as u64);
    out.extend_from_slice(text);
}

fn encode_messages(messages: &[ChatMessage], out: &mut Vec<u8>) {
    head(out, ARRAY, messages.len() as u64);
    // Mostly a message differs from the one before it in its numbers and its text only.
    let mut before: Option<(&ChatMessage, Around)> = None;
    for m in messages {
        let around = match before {
            Some((before, around)) if m.is_next_in_block(before) => {
                let begin = out.len();
                out.extend_from_within(around.begin..around.seq);
                let seq = out.len();
                head(out, UINT, m.seq());
                number(out, b't', m.timestamp());
                let wall = out.len();
                out.extend_from_within(around.wall..around.text);
                let text = out.len();
                Some(Around {
                    begin,
                    seq,
                    wall,
                    text,
                })
            }
            _ => encode_around(m, out),
        };
        let text = m.text_bytes();
        head(out, TEXT, text.len() as u64);
        out.extend_from_slice(text);
        before = around.map(|around| (m, around));
    }
}

/// Where in the bytes a message without dependencies begins, and the values of its sequence number
/// and its text, and the name of its wall clock.
#[derive(Clone, Copy)]
struct Around {
    begin: usize,
    seq: usize,
    wall: usize,
    text: usize,
}

/// A message up to its text's head.
fn encode_around(m: &ChatMessage, out: &mut Vec<u8>) -> Option<Around> {
    let begin = out.len();
    let has_dependencies = m.dependency_count() > 0;
    head(out, MAP, 7 + u64::from(has_dependencies));
    number(out, b'o', m.origin().0);
    out.extend_from_slice(b"\x61s");
    let seq = out.len();
    head(out, UINT, m.seq());
    number(out, b't', m.timestamp());
    let wall = out.len();
    number(out, b'w', m.sent_at());
    number(out, b'i', m.from());
    field(out, b'n', TEXT, m.nick_bytes().len() as u64);
    out.extend_from_slice(m.nick_bytes());
    if has_dependencies {
        field(out, b'd', ARRAY, m.dependency_count() as u64);
        for d in m.dependencies() {
            head(out, MAP, 2);
            number(out, b'o', d.origin.0);
            number(out, b's', d.seq);
        }
    }
    out.extend_from_slice(b"\x61x");
    let text = out.len();
    (!has_dependencies).then_some(Around {
        begin,
        seq,
        wall,
        text,
    })
}

fn decode_messages(at: &mut Cursor<'_>) -> Option<Vec<ChatMessage>> {
    let count = usize::try_from(at.argument(ARRAY)?).ok()?;
    if count > at.rest.len() / MESSAGE_BYTES_MIN {
        return None;
    }
    let mut packer = Packer::default();
    packer.reserve(count);
    let mut dependencies = Vec::new();
    let mut before = None;
    for _ in 0..count {
        match before.and_then(|before| read_same(*at, before)) {
            Some((seq, timestamp, text, after)) => {
                *at = after;
                packer.add_same(seq, timestamp, text).ok()?;
            }
            None => before = decode_into(&mut packer, at, &mut dependencies)?,
        }
    }
    Some(packer.take())
}

/// What the next message of the same author mostly has in common with one without dependencies.
#[derive(Clone, Copy)]
struct Common<'a> {
    /// From its first byte to the value of its sequence number.
    start: &'a [u8],
    /// From its wall clock's name to the value of its text.
    middle: &'a [u8],
}

/// The sequence number, the timestamp and the text of a message that is otherwise the same as the
/// one before it, and where it ends.
#[inline]
fn read_same<'a>(
    mut at: Cursor<'a>,
    before: Common<'_>,
) -> Option<(u64, u64, &'a [u8], Cursor<'a>)> {
    at.eat(before.start).then_some(())?;
    let seq = at.argument(UINT)?;
    let timestamp = decode_number(&mut at, b't')?;
    at.eat(before.middle).then_some(())?;
    let length = at.argument(TEXT)?;
    let text = at.take(length)?;
    Some((seq, timestamp, text, at))
}

/// One message; `dependencies` is a place for its dependencies. If it has none, what the next one may
/// have in common with it.
#[inline]
fn decode_into<'a>(
    packer: &mut Packer,
    at: &mut Cursor<'a>,
    dependencies: &mut Vec<MessageId>,
) -> Option<Option<Common<'a>>> {
    let begin = at.rest;
    let fields = at.argument(MAP)?;
    let origin = Key(decode_number(at, b'o')?);
    at.eat(b"\x61s").then_some(())?;
    let start = before(begin, at);
    let seq = at.argument(UINT)?;
    let timestamp = decode_number(at, b't')?;
    let wall = at.rest;
    let sent_at = decode_number(at, b'w')?;
    let from = decode_number(at, b'i')?;
    let nick = decode_text(at, b'n')?;
    let dependencies: &[MessageId] = match fields {
        7 => &[],
        8 => decode_dependencies(at, dependencies)?,
        _ => return None,
    };
    at.eat(b"\x61x").then_some(())?;
    let middle = before(wall, at);
    let length = at.argument(TEXT)?;
    let text = at.take(length)?;
    let parts = MessageParts {
        origin,
        seq,
        timestamp,
        sent_at,
        from,
        nick,
        dependencies,
        text,
    };
    packer.add(&parts).ok()?;
    Some((fields == 7).then_some(Common { start, middle }))
}

/// The bytes from a place to a later one.
fn before<'a>(from: &'a [u8], to: &Cursor<'_>) -> &'a [u8] {
    &from[..from.len() - to.rest.len()]
}

fn decode_dependencies<'d>(
    at: &mut Cursor<'_>,
    dependencies: &'d mut Vec<MessageId>,
) -> Option<&'d [MessageId]> {
    at.eat(b"\x61d").then_some(())?;
    // None at all is not written.
    let count = at.argument(ARRAY).filter(|count| *count > 0)?;
    dependencies.clear();
    for _ in 0..count {
        at.eat(b"\xa2").then_some(())?;
        let origin = Key(decode_number(at, b'o')?);
        let seq = decode_number(at, b's')?;
        dependencies.push(MessageId { origin, seq });
    }
    Some(dependencies)
}

#[inline]
fn decode_number(at: &mut Cursor<'_>, name: u8) -> Option<u64> {
    match *at.rest {
        // The usual widths first.
        [0x61, n, 27, a, b, c, d, e, f, g, h, ref rest @ ..] if n == name => {
            at.rest = rest;
            return Some(u64::from_be_bytes([a, b, c, d, e, f, g, h]));
        }
        [0x61, n, small @ 0..=23, ref rest @ ..] if n == name => {
            at.rest = rest;
            return Some(small.into());
        }
        [0x61, n, ref rest @ ..] if n == name => at.rest = rest,
        _ => return None,
    }
    at.argument(UINT)
}

/// The bytes of a text, which may not be UTF-8.
#[inline]
fn decode_text<'a>(at: &mut Cursor<'a>, name: u8) -> Option<&'a [u8]> {
    match *at.rest {
        [0x61, n, ref rest @ ..] if n == name => at.rest = rest,
        _ => return None,
    }
    let length = at.argument(TEXT)?;
    at.take(length)
}

/// A field, whose name is one letter, with a number.
#[inline]
fn number(out: &mut Vec<u8>, letter: u8, value: u64) {
    field(out, letter, UINT, value);
}

/// A field's name and the head of its value, in one go.
#[inline]
#[allow(clippy::cast_possible_truncation)] // each width was just checked
fn field(out: &mut Vec<u8>, letter: u8, major: u8, argument: u64) {
    match argument {
        0..=23 => out.extend_from_slice(&[0x61, letter, major << 5 | argument as u8]),
        0x1_0000_0000.. => {
            let [a, b, c, d, e, f, g, h] = argument.to_be_bytes();
            let long = major << 5 | 27;
            out.extend_from_slice(&[0x61, letter, long, a, b, c, d, e, f, g, h]);
        }
        _ => {
            out.extend_from_slice(&[0x61, letter]);
            head(out, major, argument);
        }
    }
}

/// A head in its shortest form.
#[inline]
#[allow(clippy::cast_possible_truncation)] // each width was just checked
fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    match argument {
        0..=23 => out.push(major | argument as u8),
        24..=0xff => out.extend_from_slice(&[major | 24, argument as u8]),
        0x100..=0xffff => {
            let [a, b] = (argument as u16).to_be_bytes();
            out.extend_from_slice(&[major | 25, a, b]);
        }
        0x1_0000..=0xffff_ffff => {
            let [a, b, c, d] = (argument as u32).to_be_bytes();
            out.extend_from_slice(&[major | 26, a, b, c, d]);
        }
        _ => {
            let [a, b, c, d, e, f, g, h] = argument.to_be_bytes();
            out.extend_from_slice(&[major | 27, a, b, c, d, e, f, g, h]);
        }
    }
}

#[cfg(test)]
#[path = "fast_test.rs"]
mod tests;
