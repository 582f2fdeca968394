//! What `PROTOCOL.md` says of locked rooms, against what the code does.

use std::fmt::Write as _;

use super::datagram::DatagramSeal;
use super::generated::GeneratedSecret;
use super::link::tests::fixed_conversation;
use super::secret::{Secret, room_salt, room_tag};
use crate::wire::{Coordinator, Datagram, Key, encode_datagram};

const PAGE: &str = include_str!("../wire/PROTOCOL.md");
const ROOM: &str = "lobby";
const SECRET: &str = "correct horse";
/// A secret as `papo keygen` makes them, of the bytes 00 01 ... 1f.
fn generated() -> GeneratedSecret {
    GeneratedSecret(std::array::from_fn(|n| n as u8))
}
/// The time of the page's sealed datagram.
const WALL_MS: u64 = 1_700_000_000_000;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The HEARTBEAT of the page's examples.
fn heartbeat() -> Vec<u8> {
    let coordinator = Coordinator {
        id: 1,
        key: Key(0x0123_4567_89ab_cdef),
        addresses: vec![crate::wire::Address("192.0.2.7:49152".parse().unwrap())],
        version: 2,
    };
    let datagram = Datagram::Heartbeat {
        room: ROOM.to_owned(),
        coordinator,
        members: 2,
        nick: None,
    };
    encode_datagram(&datagram).unwrap()
}

/// The rows of the page's examples: a name and bytes.
fn rows() -> Vec<(&'static str, Vec<u8>)> {
    let secret = Secret::derive(ROOM, SECRET.as_bytes()).unwrap();
    let random = generated().text();
    let keys = Secret::derive(ROOM, random.as_bytes()).unwrap();
    let prefix = std::array::from_fn(|n| n as u8);
    let sealed = DatagramSeal::with_prefix(&secret, prefix).seal(WALL_MS, &heartbeat());
    let [first, second, record] = fixed_conversation(&secret);
    vec![
        ("salt", room_salt(ROOM).to_vec()),
        ("tag", room_tag(ROOM).to_vec()),
        ("psk", secret.psk.to_vec()),
        ("datagram key", secret.datagram_key.to_vec()),
        ("psk of the random secret", keys.psk.to_vec()),
        (
            "datagram key of the random secret",
            keys.datagram_key.to_vec(),
        ),
        ("-> psk, e", first),
        ("<- e, ee", second),
        ("-> record", record),
        ("sealed HEARTBEAT", sealed),
    ]
}

/// As the page shows them.
fn shown() -> String {
    let mut text = String::new();
    for (name, bytes) in rows() {
        writeln!(text, "{name}").unwrap();
        for line in bytes.chunks(40) {
            writeln!(text, "= {}", hex(line)).unwrap();
        }
    }
    text
}

#[test]
fn the_examples_of_the_page_are_what_the_code_makes() {
    let (_, block) = PAGE.split_once("```text\nlocked room:").unwrap();
    let (_, block) = block.split_once('\n').unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let shown = shown();
    assert_eq!(block, shown, "the page should have:\n{shown}");
}

#[test]
fn the_numbers_of_the_page_are_those_of_the_code() {
    let (memory, passes, lanes) = super::secret::ARGON2_COST;
    for text in [
        format!("`{}`", generated().text()),
        format!("memory {memory} KiB, {passes} passes, {lanes} lane"),
        format!("at most {} bytes of plain text", super::RECORD_PLAIN_MAX),
        format!("{} bytes longer", DatagramSeal::OVERHEAD_BYTES),
        format!("`{}`", super::link::PATTERN),
        format!("`{}`", String::from_utf8_lossy(super::link::PROLOGUE)),
    ] {
        assert!(PAGE.contains(&text), "the page has no {text:?}");
    }
}
