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
            bytes[..5].copy_from_slice(b"papo\x01");
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
