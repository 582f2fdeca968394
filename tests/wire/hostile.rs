//! Bytes that nobody honest sends: refused cleanly, with memory bounded by their number.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use fastrand::Rng;
use papo::limits::FRAME_BYTES_MAX;
use papo::wire::{DecodeError, VERSION, decode_message};

use super::examples::{self, Wire};
use super::tolerance::{decode_like, item_of};

thread_local! {
    static NOW: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// Counts what each thread holds.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator unchanged; the counters do not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        NOW.set(NOW.get().wrapping_add(layout.size()));
        PEAK.set(PEAK.get().max(NOW.get()));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.set(NOW.get().saturating_sub(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The most that `f` held at a time.
fn peak_bytes(f: impl FnOnce()) -> usize {
    NOW.set(0);
    PEAK.set(0);
    f();
    PEAK.get()
}

/// Refused as `like`, with one short line.
fn assert_refused(like: &Wire, item: &[u8]) {
    let error = decode_like(like, item).expect_err("hostile bytes");
    let line = error.to_string();
    assert!(
        !line.is_empty() && line.len() < 500 && !line.contains(char::is_control),
        "{line:?}"
    );
}

fn like_frame() -> Wire {
    Wire::Frame(papo::wire::Message::Leave)
}

#[test]
fn deep_nesting_is_refused() {
    for byte in [0x81, 0xa1, 0xc1, 0x9f, 0xbf] {
        for depth in [20, 1_000, 60_000] {
            let mut item = vec![0x82, 0x18, 0x63];
            item.resize(depth, byte);
            item.push(0);
            assert_refused(&like_frame(), &item);
        }
        // More than a frame holds.
        assert_refused(&like_frame(), &vec![byte; 100_000]);
    }
    let nested = |depth| [&[0x82, 0x18, 0x63], &vec![0x81; depth][..], &[0]].concat();
    assert!(decode_message(&nested(15)).is_ok());
    assert!(decode_message(&nested(16)).is_err());
    // Empty ones are levels, too.
    for empty in [0x80, 0xa0] {
        let nested = |depth| [&[0x82, 0x18, 0x63], &vec![0x81; depth][..], &[empty]].concat();
        assert!(decode_message(&nested(14)).is_ok());
        assert!(decode_message(&nested(15)).is_err());
    }
}

#[test]
fn lengths_that_are_not_there_are_refused_before_memory_is_taken() {
    let huge: [&[u8]; 5] = [
        &[0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0],
        &[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x1b, 0, 0, 0, 1, 0, 0, 0, 0],
        &[0x1a, 0xff, 0xff, 0xff, 0xff],
        &[0x19, 0xff, 0xff],
    ];
    // Where a value stands in the messages: as the body, as an unknown field, as a known one.
    let places: [&[u8]; 5] = [
        b"",
        b"\x82\x06",
        b"\x82\x06\xa1\x61z",
        b"\x82\x06\xa1\x68messages",
        b"\x82\x07\xa4\x64from\x01\x64nick",
    ];
    for place in places {
        for major in [0x40, 0x60, 0x80, 0xa0] {
            for length in huge {
                let head = [&[major | length[0]], &length[1..]].concat();
                for filler in [0, 60_000] {
                    let item = [place, &head, &vec![0x60; filler]].concat();
                    let peak = peak_bytes(|| assert_refused(&like_frame(), &item));
                    assert!(
                        peak < 3 * FRAME_BYTES_MAX,
                        "{peak} bytes for {}",
                        item.len()
                    );
                }
            }
        }
    }
}

#[test]
fn memory_is_bounded_by_the_size_of_the_item() {
    // The most items that fit: lists of the smallest elements, where a list is due.
    let many = |start: &[u8], element: &[u8]| {
        let count = (FRAME_BYTES_MAX - start.len() - 5) / element.len();
        let head = u32::try_from(count).expect("a small number").to_be_bytes();
        [start, &[0x9a], &head, &element.repeat(count)].concat()
    };
    let chat =
        b"\xa7ao\x01as\x01at\x00aw\x00ai\x00anaaax\x60".map(|b| if b == b'a' { 0x61 } else { b });
    let items = [
        many(b"\x82\x06\xa1\x68messages", b"\xa0"),
        many(b"\x82\x06\xa1\x68messages", &chat),
        many(
            b"\x82\x11\xa3\x62no\x01\x65after\x83\x00\x00\x00\x64skip",
            b"\x83\x01\x01\x01",
        ),
        many(b"\x82\x0a\xa1\x64view\xa4\x67members", b"\xa0"),
        many(b"\x82\x18\x63", b"\x80"),
    ];
    for item in items {
        assert!(item.len() <= FRAME_BYTES_MAX);
        let peak = peak_bytes(|| drop(decode_message(&item)));
        assert!(peak < 2 * 1024 * 1024, "{peak} bytes for {}", item.len());
    }
}

#[test]
fn what_no_sender_writes_is_refused() {
    let items: [&[u8]; 18] = [
        b"",
        b"\x82\x16\xa0\x00", // bytes after the item
        b"\x9f\x16\xa0\xff", // indefinite lengths
        b"\x82\x16\xbf\xff",
        b"\x82\x15\xa1\x64nick\x7f\x61a\x61b\xff",
        b"\x82\x18\x63\x5f\x41\x00\xff",
        b"\xff",             // a break without a beginning
        b"\x82\x18\x63\x1c", // reserved heads
        b"\x82\x18\x63\x1d",
        b"\x82\x18\x63\xf8\x01", // simple values that are not well-formed
        b"\x82\x18\x63\xf8\x1f",
        b"\x82\x15\xa1\x64nick\x62\xc3\x28", // invalid UTF-8
        b"\x82\x18\x63\x61\xff",
        b"\x16", // no envelope
        b"\xa1\x16\xa0",
        b"\x83\x16\xa0\xa0",
        b"\x82\x36\xa0", // a negative type
        b"\x82\x16\x80", // a body that is no map
    ];
    for item in items {
        assert_refused(&like_frame(), item);
    }
}

#[test]
fn a_list_with_an_element_too_many_is_refused() {
    // FETCH whose position has four elements; the fourth must not be read as a field's name.
    let start = b"\x82\x11\xa3\x62no\x01\x65spans\x80\x65after";
    assert!(decode_message(&[start, &b"\x83\x01\x02\x03"[..]].concat()).is_ok());
    for position in [
        &b"\x82\x01\x02"[..],
        b"\x84\x01\x02\x03\x04",
        b"\x85\x01\x02\x03\x62zz\x00",
    ] {
        assert_refused(&like_frame(), &[start, position].concat());
    }
}

#[test]
fn whatever_is_accepted_can_be_sent() {
    let mut rng = Rng::with_seed(4);
    let wires: Vec<Wire> = examples::all().into_iter().map(|(_, wire)| wire).collect();
    let mut accepted = 0;
    for _ in 0..60_000 {
        let wire = &wires[rng.usize(0..wires.len())];
        let mut item = item_of(wire);
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(0..item.len());
            match rng.u8(0..5) {
                0 => item[at] = rng.u8(..),
                1 => item[at] ^= 1 << rng.u8(0..8),
                2 => item.insert(at, rng.u8(..)),
                3 if item.len() > 1 => drop(item.remove(at)),
                _ => {
                    item[at] = [0, 0x18, 0x40, 0x60, 0x80, 0xa0, 0xc0, 0xf6, 0xff][rng.usize(0..9)]
                }
            }
        }
        match decode_like(wire, &item) {
            Ok(message) => {
                accepted += 1;
                assert_eq!(
                    decode_like(&message, &item_of(&message)).as_ref(),
                    Ok(&message)
                );
            }
            Err(DecodeError::Version(n)) => assert_ne!(n, VERSION),
            Err(_) => assert_refused(wire, &item),
        }
    }
    assert!(accepted > 3_000, "only {accepted} were accepted");
}

#[test]
fn noise_is_refused_or_understood_but_never_fatal() {
    let mut rng = Rng::with_seed(5);
    for _ in 0..60_000 {
        let noise: Vec<u8> = (0..rng.usize(0..60)).map(|_| rng.u8(..)).collect();
        let wire = like_frame();
        if let Ok(message) = decode_like(&wire, &noise) {
            item_of(&message);
        }
        let body = [&[0x82, rng.u8(1..24), 0xa1, 0x61], &noise[..]].concat();
        if let Ok(message) = decode_like(&wire, &body) {
            item_of(&message);
        }
    }
}
