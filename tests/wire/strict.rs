//! What the page allows a sender, and nothing else: each deviation, at each place of each message.
//!
//! Items are built byte by byte, since no library writes what is looked at here. Each case is read by both
//! decoders of chat: the one of the usual form, and, with the fields in another order, the one of record.

use papo::wire::{Message, decode_message};

use super::examples::{self, Wire};
use super::raw::Raw;
use super::tolerance::{decode_like, item_of};

/// A tree of items that can be written in ways that no library writes.
fn tree(wire: &Wire) -> Raw {
    Raw::read(&item_of(wire)).expect("what is sent is well-formed")
}

/// Calls `f` with the whole item, with one place in it changed by `change`; once for each place that it
/// changes.
fn each_place(whole: &Raw, change: &dyn Fn(&Raw) -> Option<Raw>, f: &mut dyn FnMut(&Raw)) {
    for at in 0..whole.places() {
        if let Some(changed) = whole.with_place(at, change) {
            f(&changed);
        }
    }
}

/// Both orders of fields are refused, at each place that `change` changes.
fn refused(what: &str, change: &dyn Fn(&Raw) -> Option<Raw>) {
    let mut cases = 0;
    for (name, wire) in examples::all() {
        let whole = tree(&wire);
        each_place(&whole, change, &mut |changed| {
            for item in [changed.write(), changed.reversed().write()] {
                cases += 1;
                assert!(
                    decode_like(&wire, &item).is_err(),
                    "{what}, {name}: {item:02x?}"
                );
            }
        });
    }
    assert!(cases > 20, "{what}: only {cases} places");
}

/// Both orders of fields mean what they meant, at each place that `change` changes.
fn accepted(what: &str, change: &dyn Fn(&Raw) -> Option<Raw>) {
    let mut cases = 0;
    for (name, wire) in examples::all() {
        each_place(&tree(&wire), change, &mut |changed| {
            for item in [changed.write(), changed.reversed().write()] {
                cases += 1;
                let decoded = decode_like(&wire, &item);
                assert_eq!(decoded.as_ref(), Ok(&wire), "{what}, {name}: {item:02x?}");
            }
        });
    }
    assert!(cases > 50, "{what}: only {cases} places");
}

/// The map with one more field.
fn with_field(raw: &Raw, name: Raw, value: Raw) -> Option<Raw> {
    let Raw::Map(entries) = raw else { return None };
    let mut entries = entries.clone();
    entries.push((name, value));
    Some(Raw::Map(entries))
}

fn bytes(hex: &[u8]) -> Raw {
    Raw::Bytes(hex.to_vec())
}

#[test]
fn a_tag_is_refused_wherever_the_page_has_a_value() {
    for tag in [&b"\xc0"[..], b"\xc1", b"\xd8\x20", b"\xd9\xd9\xf7"] {
        refused("a tag", &|raw| Some(Raw::bytes_before(tag, raw)));
    }
}

#[test]
fn an_integer_is_an_unsigned_integer() {
    refused("a bignum", &|raw| match raw {
        Raw::Uint(n) => Some(bytes(&[&[0xc2, 0x48], &n.to_be_bytes()[..]].concat())),
        _ => None,
    });
    refused("a negative integer", &|raw| match raw {
        Raw::Uint(n) => Some(bytes(&[&[0x3b], &n.to_be_bytes()[..]].concat())),
        _ => None,
    });
    refused("a floating-point number", &|raw| match raw {
        #[allow(clippy::cast_precision_loss)]
        Raw::Uint(n) => Some(bytes(&[&[0xfb], &(*n as f64).to_be_bytes()[..]].concat())),
        _ => None,
    });
    accepted("a wide integer", &|raw| match raw {
        Raw::Uint(n) => Some(bytes(&[&[0x1b], &n.to_be_bytes()[..]].concat())),
        _ => None,
    });
}

#[test]
fn text_is_a_text_string_in_any_width() {
    // Field names among them.
    refused("a byte string for text", &|raw| match raw {
        Raw::Text(text) if text.len() < 24 => Some(bytes(
            &[&[0x40 | text.len() as u8], text.as_bytes()].concat(),
        )),
        _ => None,
    });
    refused("text in pieces", &|raw| match raw {
        Raw::Text(text) if text.len() < 24 => {
            let piece = [&[0x60 | text.len() as u8], text.as_bytes()].concat();
            Some(bytes(&[&[0x7f], &piece[..], &[0xff]].concat()))
        }
        _ => None,
    });
    accepted("a wide length", &|raw| match raw {
        Raw::Text(text) => {
            let length = (text.len() as u64).to_be_bytes();
            Some(bytes(&[&[0x7b], &length[..], text.as_bytes()].concat()))
        }
        _ => None,
    });
}

#[test]
fn nothing_is_no_value() {
    for null in [0xf6, 0xf7, 0xf5, 0xe0] {
        refused("a simple value", &|raw| match raw {
            Raw::Other(_) => None,
            _ => Some(bytes(&[null])),
        });
    }
    // One of each, where it is known.
    let known: [&[u8]; 9] = [
        b"\x82\x0b\xa1\x65coord\xf6",
        b"\x82\x09\xa1\x65coord\xf7",
        b"\x82\x18\x18\xa3\x64from\xf6\x64said\x01\x66stable\x01",
        b"\x82\x14\xa2\x63seq\x05\x66missed\x80",
        b"\x82\x14\xa2\x64from\x01\x63seq\x05",
        b"\x82\x12\xa3\x62no\x01\x64next\xf6\x68messages\x80",
        b"\x82\x11\xa4\x62no\x01\x65after\x83\x00\x00\x00\x64skip\x80\x64want\x80",
        b"\x82\x06\xa1\x68messages\x81\xa8\x61o\x05\x61s\x01\x61t\x01\x61w\x01\x61i\x01\x61n\x61a\x61d\x80\x61x\x60",
        b"\x82\x06\xa1\x68messages\x81\xa8\x61o\x05\x61s\x01\x61t\x01\x61w\x01\x61i\x01\x61n\x61a\x61d\xf6\x61x\x60",
    ];
    for item in known {
        assert!(decode_message(item).is_err(), "{item:02x?}");
    }
}

#[test]
fn an_unknown_field_is_skipped_whatever_it_is_and_refused_twice() {
    let values: [&[u8]; 12] = [
        b"\xe0",
        b"\xf3",
        b"\xf8\x20",
        b"\xf8\xff",
        b"\xf6",
        b"\xf7",
        b"\xf9\x3c\x00",
        b"\xc1\xf6",
        b"\xc2\x41\x09",
        b"\x20",
        b"\xa2\x01\x01\x01\x02",
        b"\x5a\x00\x00\x00\x01\x00",
    ];
    for value in values {
        accepted("an unknown field", &|raw| {
            with_field(raw, Raw::text("zz"), bytes(value))
        });
    }
    accepted("a long name", &|raw| {
        with_field(raw, Raw::text(&"z".repeat(300)), bytes(b"\x00"))
    });
    refused("an unknown field twice", &|raw| {
        let once = with_field(raw, Raw::text("zz"), bytes(b"\x00"))?;
        with_field(&once, Raw::text("zz"), bytes(b"\x00"))
    });
    for name in [&b"\x07"[..], b"\x42zz", b"\xf6", b"\xc1\x62zz", b"\x80"] {
        refused("a name that is no text", &|raw| {
            with_field(raw, bytes(name), bytes(b"\x00"))
        });
    }
    for value in [
        &b"\xf8\x00"[..],
        b"\xf8\x1f",
        b"\xfc",
        b"\xff",
        b"\x9f\xff",
        b"\x61\xff",
    ] {
        refused("a value that is not well-formed", &|raw| {
            with_field(raw, Raw::text("zz"), bytes(value))
        });
    }
}

#[test]
fn arrays_and_maps_are_what_they_are() {
    refused("an array for a map", &|raw| match raw {
        Raw::Map(entries) => Some(Raw::Array(entries.iter().map(|(_, v)| v.clone()).collect())),
        _ => None,
    });
    refused("an array too long by one", &|raw| match raw {
        Raw::Array(inner) if inner.iter().all(|i| matches!(i, Raw::Uint(_))) && inner.len() > 1 => {
            let mut inner = inner.clone();
            inner.push(Raw::Uint(1));
            Some(Raw::Array(inner))
        }
        _ => None,
    });
    refused("a map without end", &|raw| match raw {
        Raw::Map(_) => {
            let mut item = raw.write();
            item[0] = 0xbf;
            item.push(0xff);
            Some(bytes(&item))
        }
        _ => None,
    });
    let leave = decode_message(b"\x82\x16\xa0");
    assert_eq!(leave, Ok(Message::Leave));
}
