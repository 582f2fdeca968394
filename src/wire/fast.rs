//! CHAT_MESSAGE and CHUNK, straight to bytes and back: the hot path.
//!
//! What lives here: the same bytes as `codec.rs` makes through serde, made faster, and a decoder of
//! exactly that form. What it does not recognise at once (other order, unknown fields, anything
//! invalid) it leaves to the decoder in `codec.rs`, which accepts more and names what is wrong.

use super::chat::ChatMessage;
use super::message::{Chunk, Message};
use super::pack::{Packer, Parts};
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
/// No message takes fewer bytes than this: bounds what an array's head can make us reserve.
const MESSAGE_BYTES_MIN: usize = 23;

/// About what a message of the hot path takes at most; others grow as they are written.
pub(super) fn size_hint(message: &Message) -> usize {
    let (Message::Chat(messages) | Message::Chunk(Chunk { messages, .. })) = message else {
        return 0;
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
    if let Some(Position(timestamp, origin, seq)) = chunk.next {
        out.extend_from_slice(NEXT);
        head(out, UINT, timestamp);
        head(out, UINT, origin);
        head(out, UINT, seq);
    }
    out.extend_from_slice(MESSAGES);
    encode_messages(&chunk.messages, out);
}

/// The message, if it is a valid CHAT_MESSAGE or CHUNK of the usual form.
pub(super) fn decode(item: &[u8]) -> Option<Message> {
    let mut at = Cursor { rest: item };
    let message = if at.eat(CHAT) {
        Message::Chat(decode_messages(&mut at)?)
    } else {
        let has_next = at.eat(CHUNK_MORE);
        if !has_next && !at.eat(CHUNK_LAST) {
            return None;
        }
        let no = at.argument(UINT)?;
        let next = if has_next {
            at.eat(NEXT).then_some(())?;
            let (timestamp, origin) = (at.argument(UINT)?, at.argument(UINT)?);
            Some(Position(timestamp, origin, at.argument(UINT)?))
        } else {
            None
        };
        at.eat(MESSAGES).then_some(())?;
        let messages = decode_messages(&mut at)?;
        Message::Chunk(Chunk { no, next, messages })
    };
    at.rest.is_empty().then_some(message)
}

fn encode_messages(messages: &[ChatMessage], out: &mut Vec<u8>) {
    head(out, ARRAY, messages.len() as u64);
    for m in messages {
        let has_dependencies = m.dependency_count() > 0;
        head(out, MAP, 7 + u64::from(has_dependencies));
        number(out, b'o', m.origin().0);
        number(out, b's', m.seq());
        number(out, b't', m.timestamp());
        number(out, b'w', m.sent_at());
        number(out, b'i', m.from());
        text(out, b'n', m.nick_bytes());
        if has_dependencies {
            field(out, b'd', ARRAY, m.dependency_count() as u64);
            for d in m.dependencies() {
                head(out, MAP, 2);
                number(out, b'o', d.origin.0);
                number(out, b's', d.seq);
            }
        }
        text(out, b'x', m.text_bytes());
    }
}

fn decode_messages(at: &mut Cursor<'_>) -> Option<Vec<ChatMessage>> {
    let count = usize::try_from(at.argument(ARRAY)?).ok()?;
    if count > at.rest.len() / MESSAGE_BYTES_MIN {
        return None;
    }
    let mut packer = Packer::default();
    packer.reserve(count);
    let mut dependencies = Vec::new();
    for _ in 0..count {
        decode_into(&mut packer, at, &mut dependencies)?;
    }
    Some(packer.take())
}

/// One message; `dependencies` is a place for its dependencies.
#[inline]
fn decode_into(
    packer: &mut Packer,
    at: &mut Cursor<'_>,
    dependencies: &mut Vec<MessageId>,
) -> Option<()> {
    let fields = at.argument(MAP)?;
    let parts = Parts {
        origin: Key(decode_number(at, b'o')?),
        seq: decode_number(at, b's')?,
        timestamp: decode_number(at, b't')?,
        sent_at: decode_number(at, b'w')?,
        from: decode_number(at, b'i')?,
        nick: decode_text(at, b'n')?,
        dependencies: match fields {
            7 => &[],
            8 => decode_dependencies(at, dependencies)?,
            _ => return None,
        },
        text: decode_text(at, b'x')?,
    };
    packer.add(&parts).ok()
}

fn decode_dependencies<'d>(
    at: &mut Cursor<'_>,
    dependencies: &'d mut Vec<MessageId>,
) -> Option<&'d [MessageId]> {
    at.eat(b"\x61d").then_some(())?;
    let count = at.argument(ARRAY)?;
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

#[inline]
fn text(out: &mut Vec<u8>, letter: u8, utf8: &[u8]) {
    field(out, letter, TEXT, utf8.len() as u64);
    out.extend_from_slice(utf8);
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
mod tests {
    use super::super::chat::Draft;
    use super::super::codec::{deserialize_message, serialize_message};
    use super::*;
    use crate::limits::{DEPENDENCIES_MAX, TEXT_BYTES_MAX};

    /// Both codecs' bytes, which must be the same.
    fn encoded(message: &Message) -> Vec<u8> {
        let (mut fast, mut slow) = (Vec::new(), Vec::new());
        match message {
            Message::Chat(messages) => encode_chat(messages, &mut fast),
            Message::Chunk(chunk) => encode_chunk(chunk, &mut fast),
            _ => unreachable!("not of the hot path"),
        }
        serialize_message(message, &mut slow);
        assert_eq!(fast, slow, "{message:?}");
        fast
    }

    /// What the fast decoder accepts, the other accepts too, and understands it in the same way.
    fn assert_agree(item: &[u8]) -> bool {
        let fast = decode(item);
        if let Some(message) = &fast {
            assert_eq!(deserialize_message(item).as_ref(), Ok(message));
        }
        fast.is_some()
    }

    fn number(rng: &mut fastrand::Rng) -> u64 {
        let bits = rng.u32(0..=64);
        rng.u64(..).checked_shr(bits).unwrap_or(0)
    }

    fn text(rng: &mut fastrand::Rng, chars: usize) -> String {
        let count = rng.usize(0..=chars);
        let any = rng.bool();
        (0..count)
            .map(|_| if any { rng.char(..) } else { rng.alphabetic() })
            .collect()
    }

    /// Any values at all, valid or not.
    fn draft(rng: &mut fastrand::Rng) -> Draft<'static> {
        let dependencies = match rng.u8(0..40) {
            0 => rng.usize(0..=DEPENDENCIES_MAX + 1),
            1..20 => rng.usize(0..4),
            _ => 0,
        };
        let dependency = |_| MessageId {
            origin: Key(number(rng)),
            seq: number(rng),
        };
        let dependencies: Vec<MessageId> = (0..dependencies).map(dependency).collect();
        let length = match rng.u8(0..40) {
            0 => TEXT_BYTES_MAX + 1,
            _ => 300,
        };
        Draft {
            origin: Key(number(rng)),
            seq: number(rng),
            timestamp: number(rng),
            sent_at: number(rng),
            from: number(rng),
            nick: text(rng, 33).into(),
            dependencies: dependencies.into(),
            text: text(rng, length).into(),
        }
    }

    fn message(rng: &mut fastrand::Rng) -> Message {
        let count = rng.usize(0..4);
        let valid =
            |_| std::iter::repeat_with(|| draft(rng)).find_map(|d| ChatMessage::new(&d).ok());
        let messages = (0..count).filter_map(valid).collect();
        if rng.bool() {
            return Message::Chat(messages);
        }
        let next = rng.bool().then(|| Position(number(rng), number(rng), 7));
        let no = number(rng);
        Message::Chunk(Chunk { no, next, messages })
    }

    #[test]
    fn both_codecs_write_the_same_bytes_and_read_the_same_messages() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..3_000 {
            let message = message(&mut rng);
            assert!(assert_agree(&encoded(&message)), "{message:?}");
        }
    }

    #[test]
    fn both_codecs_refuse_what_breaks_a_rule() {
        let mut rng = fastrand::Rng::with_seed(3);
        let mut refused = 0;
        for _ in 0..3_000 {
            let draft = draft(&mut rng);
            let mut item = Vec::new();
            let fields = std::collections::BTreeMap::from([("messages", vec![&draft])]);
            ciborium::into_writer(&(6, fields), &mut item).unwrap();
            let valid = ChatMessage::new(&draft).is_ok();
            assert_eq!(assert_agree(&item), valid, "{draft:?}");
            assert_eq!(deserialize_message(&item).is_ok(), valid, "{draft:?}");
            refused += u32::from(!valid);
        }
        assert!(refused > 500, "only {refused} were refused");
    }

    #[test]
    fn both_codecs_agree_on_damaged_bytes() {
        let mut rng = fastrand::Rng::with_seed(2);
        let mut accepted = 0;
        for _ in 0..20_000 {
            let message = message(&mut rng);
            let mut item = encoded(&message);
            if item.len() > 2_000 {
                continue;
            }
            for _ in 0..rng.usize(1..3) {
                let at = rng.usize(0..item.len());
                match rng.u8(0..4) {
                    0 => item[at] = rng.u8(..),
                    1 => item[at] ^= 1 << rng.u8(0..8),
                    2 => item.insert(at, rng.u8(..)),
                    _ => drop(item.remove(at)),
                }
            }
            accepted += u32::from(assert_agree(&item));
        }
        assert!(accepted > 500, "only {accepted} were accepted");
    }
}
