//! Bytes and what they mean; broken ones, endless ones, random ones.

use super::*;

fn keys(bytes: &[u8]) -> Vec<(KeyCode, Modifiers)> {
    let mut decoder = Decoder::default();
    decoder.on_bytes(Time(0), bytes);
    if let Some(at) = decoder.next_deadline() {
        decoder.on_deadline(at);
    }
    std::iter::from_fn(|| decoder.poll())
        .map(|input| match input {
            Keystroke::Key(key) => (key.code, key.modifiers),
            Keystroke::Focus(has_it) => panic!("the focus: {has_it}"),
            Keystroke::Paste { text, .. } => panic!("a paste: {text:?}"),
        })
        .collect()
}

#[test]
fn keys_are_told_apart() {
    use KeyCode::*;
    use Modifiers as M;
    type Case<'a> = (&'a [u8], &'a [(KeyCode, Modifiers)]);
    let cases: &[Case<'_>] = &[
        (b"a", &[(Char('a'), M::NONE)]),
        (
            "é語".as_bytes(),
            &[(Char('é'), M::NONE), (Char('語'), M::NONE)],
        ),
        (b"\x01", &[(Char('a'), M::CONTROL)]),
        (b"\x1bb", &[(Char('b'), M::ALT)]),
        ("\u{1b}é".as_bytes(), &[(Char('é'), M::ALT)]),
        (b"\x1b[D", &[(Left, M::NONE)]),
        (b"\x1bOD", &[(Left, M::NONE)]),
        (b"\x1b[1;5C", &[(Right, M::CONTROL)]),
        (b"\x1b[1;3D", &[(Left, M::ALT)]),
        (b"\x1b\x1b[C", &[(Right, M::ALT)]),
        (b"\x1bOc", &[(Right, M::CONTROL)]),
        (b"\x1b[3~", &[(Delete, M::NONE)]),
        (b"\x1b[H\x1b[4~", &[(Home, M::NONE), (End, M::NONE)]),
        (b"\x1b\x7f", &[(Backspace, M::ALT)]),
        (b"\x1b", &[(Escape, M::NONE)]),
        (b"\x1b\x1b", &[(Escape, M::NONE), (Escape, M::NONE)]),
        (b"\x1b\x1bx", &[(Escape, M::NONE), (Char('x'), M::ALT)]),
        (b"\x1b[", &[(Char('['), M::ALT)]),
        (b"\x1b]", &[(Char(']'), M::ALT)]),
        (b"\x1b[12\x1b[A", &[(Up, M::NONE)]),
        (b"\x1b]11;rgb:0/0/0\x07x", &[(Char('x'), M::NONE)]),
        (b"\x1b[?1;2cx", &[(Char('x'), M::NONE)]),
        (b"\x1b[?ux", &[(Char('x'), M::NONE)]),
        (b"\x1b[[Ax", &[(Function(1), M::NONE), (Char('x'), M::NONE)]),
    ];
    for (bytes, expected) in cases {
        assert_eq!(
            keys(bytes),
            *expected,
            "{:?}",
            bytes.escape_ascii().to_string()
        );
    }
}

#[test]
fn bytes_that_are_no_utf8_are_replaced() {
    let bad = (KeyCode::Char('\u{fffd}'), Modifiers::NONE);
    let a = (KeyCode::Char('a'), Modifiers::NONE);
    assert_eq!(keys(b"\xffa"), [bad, a]);
    assert_eq!(keys(b"\xe8\xaaa"), [bad, a]);
    assert_eq!(keys(b"\xe8\x1b[A"), [bad, (KeyCode::Up, Modifiers::NONE)]);
}

#[test]
fn half_a_character_waits_without_a_deadline() {
    let mut decoder = Decoder::default();
    decoder.on_bytes(Time(0), &"語".as_bytes()[..2]);
    assert_eq!((decoder.poll(), decoder.next_deadline()), (None, None));
    decoder.on_bytes(Time(0), &"語".as_bytes()[2..]);
    assert_eq!(
        decoder.poll(),
        Some(Keystroke::Key(KeyCode::Char('語').into()))
    );
}

#[test]
fn a_lone_escape_is_a_key_after_the_deadline_and_no_earlier() {
    let mut decoder = Decoder::default();
    decoder.on_bytes(Time(7), b"\x1b");
    let at = decoder.next_deadline().unwrap();
    assert_eq!(at, Time(50_007));
    decoder.on_deadline(Time(50_006));
    assert_eq!(decoder.poll(), None);
    decoder.on_deadline(at);
    assert_eq!(decoder.poll(), Some(Keystroke::Key(KeyCode::Escape.into())));
    assert_eq!(decoder.next_deadline(), None);
}

#[test]
fn a_paste_comes_whole_however_it_is_cut() {
    let bytes = "\x1b[200~a\r\n\x1b[20b\x1b\x1b[201~x".as_bytes();
    for cut in 0..bytes.len() {
        let mut decoder = Decoder::default();
        decoder.on_bytes(Time(0), &bytes[..cut]);
        decoder.on_bytes(Time(0), &bytes[cut..]);
        let text = "a\r\n\x1b[20b\x1b".to_owned();
        assert_eq!(decoder.poll(), Some(Keystroke::Paste { text, cut: false }));
        assert_eq!(
            decoder.poll(),
            Some(Keystroke::Key(KeyCode::Char('x').into()))
        );
        assert_eq!(decoder.poll(), None);
    }
}

#[test]
fn a_paste_that_never_ends_is_ended() {
    let mut decoder = Decoder::default();
    decoder.on_bytes(Time(0), b"\x1b[200~abc\x1b[2");
    decoder.on_deadline(decoder.next_deadline().unwrap());
    let text = "abc\x1b[2".to_owned();
    assert_eq!(decoder.poll(), Some(Keystroke::Paste { text, cut: false }));
}

#[test]
fn endless_sequences_take_no_memory() {
    for start in [&b"\x1b[200~"[..], b"\x1b]", b"\x1bP", b"\x1b[1", b"\x1bO1"] {
        let mut decoder = Decoder::default();
        decoder.on_bytes(Time(0), start);
        for _ in 0..1_000 {
            decoder.on_bytes(Time(0), &[b'1'; 1_000]);
            while decoder.poll().is_some() {}
            assert!(decoder.held_bytes() <= PASTE_BYTES_MAX + SEQUENCE_BYTES_MAX);
        }
    }
    let mut decoder = Decoder::default();
    decoder.on_bytes(Time(0), b"\x1b[200~");
    decoder.on_bytes(Time(0), "é".repeat(PASTE_BYTES_MAX).as_bytes());
    decoder.on_bytes(Time(0), PASTE_END);
    let Some(Keystroke::Paste { text, cut: true }) = decoder.poll() else {
        panic!("no paste that was cut");
    };
    assert_eq!(text.len(), PASTE_BYTES_MAX);
}

#[test]
fn no_bytes_make_it_panic_or_hang() {
    let mut rng = fastrand::Rng::with_seed(1);
    let likely = b"\x1b\x1b[O]P?;0129~uMRmcABCD<> \\\x07\r\n";
    for _ in 0..3_000 {
        let mut decoder = Decoder::default();
        let bytes: Vec<u8> = (0..rng.usize(..100))
            .map(|_| match rng.bool() {
                true => likely[rng.usize(..likely.len())],
                false => rng.u8(..),
            })
            .collect();
        decoder.on_bytes(Time(0), &bytes);
        if let Some(at) = decoder.next_deadline() {
            decoder.on_deadline(at);
        }
        assert_eq!(decoder.next_deadline(), None);
        while decoder.poll().is_some() {}
        decoder.on_bytes(Time(0), b"a");
        let last = std::iter::from_fn(|| decoder.poll()).last();
        assert_eq!(last, Some(Keystroke::Key(KeyCode::Char('a').into())));
    }
}
