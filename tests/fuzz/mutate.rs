//! Makes cases: valid messages, damaged a little in ways that their formats make interesting.

use fastrand::Rng;
use papo::wire::{encode_datagram, encode_frame};

use crate::random;

/// Bytes at which CBOR and UTF-8 change their minds.
const SHARP: [u8; 24] = [
    0x00, 0x01, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1f, 0x20, 0x40, 0x5f, 0x60, 0x7f, 0x80, 0x9f, 0xa0,
    0xbf, 0xc0, 0xc3, 0xe0, 0xf4, 0xf6, 0xfb, 0xff,
];

/// One frame with a valid message.
pub fn frame(rng: &mut Rng) -> Vec<u8> {
    loop {
        let number = rng.u64(1..=random::MESSAGES);
        if let Ok(frame) = encode_frame(&random::message(rng, number)) {
            return frame.to_vec();
        }
    }
}

/// A valid datagram.
pub fn datagram(rng: &mut Rng) -> Vec<u8> {
    loop {
        let number = rng.u64(1..=random::DATAGRAMS);
        if let Ok(bytes) = encode_datagram(&random::datagram(rng, number)) {
            return bytes;
        }
    }
}

/// Changes some bytes; `other` is what a piece may be taken from.
pub fn damage(rng: &mut Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..rng.usize(0..5) {
        if bytes.is_empty() {
            bytes.push(rng.u8(..));
        }
        let at = rng.usize(0..bytes.len());
        match rng.u8(0..9) {
            0 => bytes[at] = rng.u8(..),
            1 => bytes[at] ^= 1 << rng.u8(0..8),
            2 => bytes[at] = SHARP[rng.usize(0..SHARP.len())],
            3 => bytes.insert(at, SHARP[rng.usize(0..SHARP.len())]),
            4 => drop(bytes.remove(at)),
            5 => bytes.truncate(at),
            6 => {
                // A head with an argument of eight bytes.
                let head = bytes[at] & 0xe0 | 0x1b;
                let argument = random::number(rng).to_be_bytes();
                bytes.splice(at..=at, [head].into_iter().chain(argument));
            }
            7 => {
                let piece = piece(rng, other);
                bytes.splice(at..at, piece);
            }
            _ => {
                let own = bytes.clone();
                let piece = piece(rng, &own);
                bytes.splice(at..at, piece);
            }
        }
    }
}

fn piece(rng: &mut Rng, bytes: &[u8]) -> Vec<u8> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let from = rng.usize(0..bytes.len());
    let to = (from + rng.usize(0..64)).min(bytes.len());
    bytes[from..to].to_vec()
}

/// A case that is one of `seeds`, damaged, or what `make` makes, damaged.
pub fn case(rng: &mut Rng, seeds: &[Vec<u8>], make: impl Fn(&mut Rng) -> Vec<u8>) -> Vec<u8> {
    let mut bytes = if rng.u8(0..8) == 0 && !seeds.is_empty() {
        seeds[rng.usize(0..seeds.len())].clone()
    } else {
        make(rng)
    };
    let other = make(rng);
    damage(rng, &mut bytes, &other);
    bytes
}
