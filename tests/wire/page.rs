//! What `PROTOCOL.md` says, against what the code does: examples, digests, limits.

use std::fmt::Write as _;

use ciborium::Value;
use papo::limits;
use papo::wire::{decode_datagram, decode_message, encode_datagram, encode_frame};

use super::examples::{self, Wire};

const PAGE: &str = include_str!("../../src/wire/PROTOCOL.md");
/// A line of an example that is bytes, not diagnostic notation.
const BYTES: &str = "= ";

struct Example {
    name: String,
    diagnostic: String,
    bytes: Vec<u8>,
}

/// Every fenced block whose first line is `example: NAME`.
fn page_examples() -> Vec<Example> {
    let blocks = PAGE.split("```").skip(1).step_by(2);
    let examples = blocks.filter_map(|block| block.strip_prefix("text\nexample: "));
    examples
        .map(|block| {
            let (name, rest) = block.split_once('\n').expect("lines after the name");
            let (bytes, diagnostic): (Vec<&str>, Vec<&str>) =
                rest.lines().partition(|line| line.starts_with(BYTES));
            Example {
                name: name.into(),
                diagnostic: diagnostic.iter().map(|line| line.trim()).collect(),
                bytes: unhex(&bytes.join("").replace(['=', ' '], "")),
            }
        })
        .collect()
}

fn unhex(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits");
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("memory takes every write");
        text
    })
}

fn encode(wire: &Wire) -> Vec<u8> {
    match wire {
        Wire::Frame(message) => encode_frame(message).expect("a valid message").to_vec(),
        Wire::Datagram(datagram) => encode_datagram(datagram).expect("a valid datagram"),
    }
}

/// The CBOR item without length or magic and version.
fn item<'a>(wire: &Wire, bytes: &'a [u8]) -> &'a [u8] {
    match wire {
        Wire::Frame(_) => &bytes[4..],
        Wire::Datagram(_) => &bytes[5..],
    }
}

/// RFC 8949, section 8, without white space between tokens but after `,` and `:`.
fn diagnostic(value: &Value) -> String {
    let list = |values: &[Value]| values.iter().map(diagnostic).collect::<Vec<_>>().join(", ");
    match value {
        Value::Integer(n) => i128::from(*n).to_string(),
        Value::Bytes(bytes) => format!("h'{}'", hex(bytes)),
        Value::Text(text) => format!("{text:?}"),
        Value::Bool(value) => value.to_string(),
        Value::Array(values) => format!("[{}]", list(values)),
        Value::Map(entries) => {
            let pair = |(k, v): &(Value, Value)| format!("{}: {}", diagnostic(k), diagnostic(v));
            format!(
                "{{{}}}",
                entries.iter().map(pair).collect::<Vec<_>>().join(", ")
            )
        }
        other => panic!("no message has this: {other:?}"),
    }
}

fn diagnostic_of(item: &[u8]) -> String {
    diagnostic(&ciborium::from_reader(item).expect("one CBOR item"))
}

#[test]
fn the_page_has_every_example_and_its_bytes_are_what_the_code_writes_and_reads() {
    let on_page = page_examples();
    let names = |list: &[&str]| list.join("\n");
    let expected = examples::all();
    assert_eq!(
        names(&on_page.iter().map(|e| e.name.as_str()).collect::<Vec<_>>()),
        names(&expected.iter().map(|e| e.0).collect::<Vec<_>>()),
    );
    for (example, (name, wire)) in on_page.iter().zip(&expected) {
        assert_eq!(hex(&example.bytes), hex(&encode(wire)), "{name}");
        let item = item(wire, &example.bytes);
        let squeeze = |text: &str| text.replace(' ', "");
        assert_eq!(
            squeeze(&example.diagnostic),
            squeeze(&diagnostic_of(item)),
            "{name}"
        );
        let decoded = match wire {
            Wire::Frame(_) => decode_message(item).map(Wire::Frame),
            Wire::Datagram(_) => decode_datagram(&example.bytes).map(Wire::Datagram),
        };
        assert_eq!(decoded.as_ref(), Ok(wire), "{name}");
    }
}

#[test]
fn every_type_has_an_example() {
    let all = examples::all();
    let types = |datagrams: bool| {
        let of_kind = all
            .iter()
            .filter(|(_, w)| matches!(w, Wire::Datagram(_)) == datagrams);
        let mut types: Vec<u8> = of_kind
            .map(|(_, w)| match item(w, &encode(w))[1..3] {
                // From 24 on a type takes a byte of its own.
                [0x18, n] => n,
                ref small => small[0],
            })
            .collect();
        types.sort_unstable();
        types.dedup();
        types
    };
    assert_eq!(types(false), (1..=29).collect::<Vec<u8>>());
    assert_eq!(types(true), [1, 2, 3, 4]);
}

#[test]
fn the_hashes_and_digests_of_the_page_are_those_of_the_code() {
    let one = [examples::first_line()];
    let both = [examples::first_line(), examples::answer()];
    let sum = |drafts: &[_]| examples::sum(drafts);
    let values = [
        ("hash of the first message", hex(&sum(&one).to_bytes())),
        ("hash of the second", hex(&sum(&both[1..]).to_bytes())),
        ("sum of both", hex(&sum(&both).to_bytes())),
        ("digest of the first", hex(&sum(&one).digest(1).0)),
        ("digest of both", hex(&sum(&both).digest(2).0)),
        ("digest of nothing", hex(&sum(&[]).digest(0).0)),
    ];
    for (name, value) in values {
        let line = format!("\n{name}\n  {value}\n");
        assert!(PAGE.contains(&line), "the page lacks {line}");
    }
}

#[test]
fn the_limits_of_the_page_are_those_of_the_code() {
    let limits = [
        ("frame", limits::FRAME_BYTES_MAX),
        ("datagram", limits::DATAGRAM_BYTES_MAX),
        ("nesting", limits::CBOR_DEPTH_MAX),
        ("text", limits::TEXT_BYTES_MAX),
        ("nick", limits::NICK_CHARS_MAX),
        ("room name", limits::ROOM_BYTES_MAX),
        ("addresses", limits::ADDRESSES_MAX),
        ("members", limits::MEMBERS_MAX),
        ("dependencies", limits::DEPENDENCIES_MAX),
        ("parts", limits::PARTS_MAX),
        ("spans to compare", limits::COMPARED_SPANS_MAX),
        ("messages listed", limits::LISTED_MAX),
        ("spans to fetch", limits::FETCHED_SPANS_MAX),
        ("ranges to skip", limits::SKIP_RANGES_MAX),
        ("ranges wanted", limits::WANT_RANGES_MAX),
        ("ranges missed", limits::MISSED_RANGES_MAX),
    ];
    for (name, limit) in limits {
        let row = format!("| {name} | {limit} ");
        assert!(PAGE.contains(&row), "the page has no {row:?}");
    }
}

/// Prints the blocks of the page anew: `cargo test --test wire -- --ignored --nocapture print`.
#[test]
#[ignore = "a tool, not a test"]
fn print_examples() {
    for (name, wire) in examples::all() {
        let bytes = encode(&wire);
        println!("```text\nexample: {name}");
        let mut line = String::new();
        for word in diagnostic_of(item(&wire, &bytes)).split_inclusive(' ') {
            if line.len() + word.len() > 96 {
                println!("{}", line.trim_end());
                line = "  ".into();
            }
            line += word;
        }
        println!("{line}");
        let head = bytes.len() - item(&wire, &bytes).len();
        println!("{BYTES}{}", hex(&bytes[..head]));
        for line in bytes[head..].chunks(40) {
            println!("{BYTES}{}", hex(line));
        }
        println!("```\n");
    }
}
