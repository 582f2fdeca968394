//! Frames, datagrams and lines: whatever comes in is refused, or understood in one way.

use papo::limits::PASTE_BYTES_MAX;
use papo::limits::{FRAME_BYTES_MAX, TEXT_BYTES_MAX};
use papo::node::Time;
use papo::ui::input_lines::{Line, LinePart, Splitter};
use papo::ui::terminal::input::{Decoder, Keystroke};
use papo::ui::visible::{Tab, visible};
use papo::wire::{
    FrameReader, Message, decode_datagram, decode_message, encode_datagram, encode_frame,
};

use crate::mutate;
use crate::raw::Raw;
use crate::runner::fuzz;

/// The frames of a stream that comes in pieces: the first byte says how large they are.
pub fn frames(bytes: &[u8]) {
    let (size, stream) = match bytes.split_first() {
        Some((first, rest)) => (usize::from(*first).max(1) * 7, rest),
        None => return,
    };
    let whole = read_all(stream, stream.len().max(1));
    assert_eq!(whole, read_all(stream, size), "in pieces of {size}");
    for message in whole.into_iter().flatten() {
        // Nobody but the receiver of an unknown type has any use for it.
        let frame = encode_frame(&message).expect("what is accepted can be sent");
        assert_eq!(decode_message(&frame[4..]).as_ref(), Ok(&message));
    }
}

/// Each message, or that the frame was refused; a length that is wrong ends the stream.
fn read_all(stream: &[u8], size: usize) -> Vec<Option<Message>> {
    let mut reader = FrameReader::new();
    let mut all = Vec::new();
    for piece in stream.chunks(size) {
        let mut piece = piece;
        while !piece.is_empty() {
            let space = reader.space();
            let n = space.len().min(piece.len());
            space[..n].copy_from_slice(&piece[..n]);
            reader.filled(n);
            piece = &piece[n..];
            while let Some(frame) = reader.next_frame() {
                let Ok(frame) = frame else {
                    all.push(None);
                    return all;
                };
                assert!((1..=FRAME_BYTES_MAX).contains(&frame.len()));
                all.push(decode_message(frame).ok());
            }
        }
    }
    all
}

/// One item: the decoder of the usual form of chat, and that of record, which reads the fields in any
/// order, take the same, and understand it in the same way. What the page does not allow neither takes.
pub fn orders(bytes: &[u8]) {
    let decoded = decode_message(bytes);
    let Some(raw) = Raw::read(bytes) else {
        return assert!(
            decoded.is_err(),
            "not well-formed, or without definite lengths"
        );
    };
    // Widths are the shortest here: a sender is free in them.
    let other = decode_message(&raw.reversed().write());
    assert_eq!(
        decoded.as_ref().ok(),
        other.as_ref().ok(),
        "{decoded:?} or {other:?}"
    );
    assert_eq!(
        decoded.as_ref().ok(),
        decode_message(&raw.write()).as_ref().ok()
    );
}

/// Deviations that one byte makes: heads of each major type, simple values, tags.
fn deviate(rng: &mut fastrand::Rng, raw: &Raw) -> Raw {
    let before: [&[u8]; 6] = [
        b"\xc1",
        b"\xd8\x20",
        b"\xc2\x41",
        b"\x41",
        b"\x81",
        b"\x1b\0\0\0\0\0\0\0",
    ];
    let instead: [&[u8]; 9] = [
        b"\xf6",
        b"\xf7",
        b"\xe0",
        b"\xf8\xff",
        b"\xf8\x01",
        b"\x80",
        b"\xa0",
        b"\x40",
        b"\x20",
    ];
    match (raw, rng.u8(0..4)) {
        (Raw::Map(entries), 0..=2) => {
            let mut entries = entries.clone();
            let any = entries.get(rng.usize(0..=entries.len())).cloned();
            let names = [
                "zz", "d", "coord", "left", "want", "missed", "clock", "from", "wall", "cert",
                "seal", "skip", "parts", "items", "newest",
            ];
            let name = Raw::text(names[rng.usize(0..names.len())]);
            let value = Raw::Bytes(instead[rng.usize(0..instead.len())].to_vec());
            for _ in 0..rng.usize(1..3) {
                let field = any.clone().filter(|_| rng.u8(0..4) == 0);
                entries.push(field.unwrap_or_else(|| (name.clone(), value.clone())));
            }
            Raw::Map(entries)
        }
        (Raw::Array(_), 0) => Raw::Array(Vec::new()),
        (_, 1) => Raw::Bytes(instead[rng.usize(0..instead.len())].to_vec()),
        _ => Raw::bytes_before(before[rng.usize(0..before.len())], raw),
    }
}

#[test]
fn both_orders_of_fields() {
    let case = |rng: &mut fastrand::Rng, _: &[Vec<u8>]| {
        // Chat mostly: it has two decoders. What histories are compared by has many fields that may be absent.
        let any = rng.u64(1..=crate::random::MESSAGES);
        let number = [6, 6, 6, 18, 18, 18, 16, 28, 29, any][rng.usize(0..10)];
        let Ok(frame) = encode_frame(&crate::random::message(rng, number)) else {
            return Vec::new();
        };
        let Some(mut raw) = Raw::read(&frame[4..]) else {
            return Vec::new();
        };
        if frame.len() < 2_000 {
            for _ in 0..rng.usize(0..3) {
                let (at, seed) = (rng.usize(0..raw.places()), rng.u64(..));
                let change = |raw: &Raw| Some(deviate(&mut fastrand::Rng::with_seed(seed), raw));
                raw = raw.with_place(at, &change).unwrap_or(raw);
            }
        }
        let mut item = raw.write();
        if rng.u8(0..4) == 0 {
            mutate::damage(rng, &mut item, &frame);
        }
        item.truncate(FRAME_BYTES_MAX);
        item
    };
    fuzz("orders", 30_000, case, orders);
}

pub fn datagrams(bytes: &[u8]) {
    if let Ok(datagram) = decode_datagram(bytes) {
        let again = encode_datagram(&datagram).expect("what is accepted can be sent");
        assert_eq!(decode_datagram(&again).as_ref(), Ok(&datagram));
    }
}

/// The lines of stdin: the first byte says how large the pieces are.
pub fn lines(bytes: &[u8]) {
    let (size, bytes) = match bytes.split_first() {
        Some((first, rest)) => (usize::from(*first).max(1), rest),
        None => return,
    };
    let whole = split(bytes, bytes.len().max(1));
    assert_eq!(whole, split(bytes, size), "in pieces of {size}");
    for (text, _) in whole {
        assert!(text.len() <= TEXT_BYTES_MAX && !text.contains('\n'));
        let shown = visible(&text, Tab::Escape);
        assert!(!shown.contains(harms), "{shown:?}");
    }
}

/// Controls a terminal, or reorders a line.
fn harms(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn split(bytes: &[u8], size: usize) -> Vec<(String, LinePart)> {
    let (mut lines, mut splitter) = (Vec::new(), Splitter::default());
    let mut keep = |line: Line<'_>| lines.push((line.text.to_owned(), line.part));
    for piece in bytes.chunks(size) {
        splitter.push(piece, &mut keep);
    }
    splitter.finish(&mut keep);
    lines
}

#[test]
fn the_frame_decoder() {
    let make = |rng: &mut fastrand::Rng| {
        let mut bytes = vec![rng.u8(..)];
        for _ in 0..rng.usize(1..3) {
            bytes.extend(mutate::frame(rng));
        }
        bytes
    };
    let case = |rng: &mut fastrand::Rng, seeds: &[Vec<u8>]| {
        let mut bytes = mutate::case(rng, seeds, make);
        // Mostly the damage is inside a frame whose length is right.
        if rng.u8(0..4) > 0 && bytes.len() > 5 {
            let length = u32::try_from(bytes.len() - 5).unwrap_or(0);
            bytes[1..5].copy_from_slice(&length.to_be_bytes());
        }
        bytes
    };
    fuzz("frames", 20_000, case, frames);
}

#[test]
fn the_datagram_decoder() {
    let case = |rng: &mut fastrand::Rng, seeds: &[Vec<u8>]| {
        let mut bytes = mutate::case(rng, seeds, mutate::datagram);
        if rng.u8(0..4) > 0 && bytes.len() >= 5 {
            bytes[..5].copy_from_slice(b"papo\x02");
        }
        bytes
    };
    fuzz("datagrams", 30_000, case, datagrams);
}

#[test]
fn the_lines_of_stdin() {
    let make = |rng: &mut fastrand::Rng| {
        let mut bytes = vec![rng.u8(..)];
        for _ in 0..rng.usize(0..6) {
            let longest = if rng.u16(0..2_000) == 0 { 40_000 } else { 60 };
            bytes.extend(crate::random::text(rng, longest).bytes());
            let ends: [&[u8]; 6] = [b"\n", b"\r\n", b"\r", b"", b"\xc3", b"\xf0\x9f"];
            bytes.extend(ends[rng.usize(0..ends.len())]);
        }
        bytes
    };
    let case = |rng: &mut fastrand::Rng, seeds: &[Vec<u8>]| mutate::case(rng, seeds, make);
    fuzz("lines", 20_000, case, lines);
}

/// Keys: bytes in pieces, and the time passes between them.
pub fn keys(bytes: &[u8]) {
    let mut decoder = Decoder::default();
    let mut now = Time(0);
    for piece in bytes.chunks(7) {
        decoder.on_bytes(now, piece);
        if piece[0] % 4 == 0
            && let Some(at) = decoder.next_deadline()
        {
            now = at;
            decoder.on_deadline(now);
        }
    }
    if let Some(at) = decoder.next_deadline() {
        decoder.on_deadline(at);
    }
    let mut inputs = 0;
    while let Some(input) = decoder.poll() {
        inputs += 1;
        if let Keystroke::Paste { text, .. } = input {
            // Each invalid byte is three when it is replaced.
            assert!(text.len() <= 3 * PASTE_BYTES_MAX);
        }
    }
    assert!(
        inputs <= 2 * bytes.len() + 2,
        "{inputs} of {} bytes",
        bytes.len()
    );
}

#[test]
fn the_keys_of_the_terminal() {
    let make = |rng: &mut fastrand::Rng| {
        let pieces: [&[u8]; 14] = [
            b"\x1b",
            b"[",
            b"\x1b[200~",
            b"\x1b[201~",
            b"1;5C",
            b"\x1b]0;",
            b"\x07",
            b"\x1bP",
            b"~",
            b"\x1b[<0;1;1M",
            b"\xc3\xa9",
            b"abc\r",
            b"\x1b[?62;c",
            b"999999999999",
        ];
        let count = rng.usize(1..12);
        (0..count)
            .flat_map(|_| pieces[rng.usize(0..pieces.len())].to_vec())
            .collect()
    };
    let case = |rng: &mut fastrand::Rng, seeds: &[Vec<u8>]| mutate::case(rng, seeds, make);
    fuzz("keys", 20_000, case, keys);
}
