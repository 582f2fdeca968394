//! Every limit: one below, at it, and one above; and the other rules on what a message may say.

use papo::limits::{
    ADDRESSES_MAX, DATAGRAM_BYTES_MAX, DEPENDENCIES_MAX, FRAME_BYTES_MAX, MEMBERS_MAX,
    NICK_CHARS_MAX, ROOM_BYTES_MAX, SKIP_RANGES_MAX, TEXT_BYTES_MAX,
};
use papo::wire::{
    ChatMessage, Chunk, Compare, Comparison, Contents, DecodeError, Draft, EncodeError, Fetch,
    Hello, JoinRequest, Key, Member, Message, MessageId, Part, PeerUpdate, Position, Private,
    SeqRange, Span, Sum, UpdateKind, decode_datagram, decode_message, encode_frame, nick_is_valid,
    room_is_valid,
};
use serde::Serialize;

use super::examples::{ANA, BOB, address, answer, hello, join_request, written};

/// An item as a sender that knows no limits writes it.
fn unchecked(number: u8, fields: impl Serialize) -> Vec<u8> {
    let mut item = Vec::new();
    ciborium::into_writer(&(number, fields), &mut item).expect("memory takes every write");
    item
}

#[derive(Serialize)]
struct Messages {
    messages: Vec<Draft<'static>>,
}

/// A message, if there can be such a one, and its item, checked by nobody.
type Case = (Option<Message>, Vec<u8>);

fn hello_with(change: impl FnOnce(&mut Hello)) -> Case {
    let mut m = hello();
    change(&mut m);
    let item = unchecked(1, &m);
    (Some(Message::Hello(m)), item)
}

fn request_with(change: impl FnOnce(&mut JoinRequest)) -> Case {
    let mut m = join_request();
    change(&mut m);
    let item = unchecked(2, &m);
    (Some(Message::JoinRequest(m)), item)
}

fn chat_with<F: FnOnce(&mut Draft<'static>)>(change: F) -> Case {
    let mut m = answer();
    change(&mut m);
    let message = ChatMessage::new(&m).ok().map(|m| Message::Chat(vec![m]));
    let messages = vec![m];
    (message, unchecked(6, Messages { messages }))
}

fn chunk_with<F: FnOnce(&mut Draft<'static>)>(change: F) -> Case {
    #[derive(Serialize)]
    struct Unchecked {
        no: u64,
        messages: Vec<Draft<'static>>,
    }
    let mut m = answer();
    change(&mut m);
    let message = ChatMessage::new(&m).ok().map(|m| {
        Message::Chunk(Chunk {
            no: 1,
            next: None,
            messages: vec![m],
        })
    });
    let (no, messages) = (1, vec![m]);
    (message, unchecked(18, Unchecked { no, messages }))
}

fn update_of(kind: UpdateKind, count: usize) -> Case {
    let member = |n| Member {
        id: n,
        key: Key(n),
        nick: "n".into(),
        addresses: Vec::new(),
    };
    let members = (1..=count as u64).map(member).collect();
    let m = PeerUpdate {
        coordinator: ANA,
        version: 1,
        next_id: 1,
        kind,
        members,
        clock: 0,
    };
    let item = unchecked(4, &m);
    (Some(Message::PeerUpdate(m)), item)
}

fn fetch_of(skip: Vec<SeqRange>) -> Case {
    let m = Fetch {
        no: 1,
        after: Position::default(),
        spans: Vec::new(),
        skip,
        floor: None,
        want: Vec::new(),
    };
    let item = unchecked(17, &m);
    (Some(Message::Fetch(m)), item)
}

/// COMPARE of so many spans.
fn compare_of(spans: u64) -> Case {
    let end = |n| Position::new(n, ANA, 1);
    let m = Compare {
        no: 1,
        spans: (0..spans).map(|n| Span::new(end(n), end(n + 1))).collect(),
    };
    let item = unchecked(28, &m);
    (Some(Message::Compare(m)), item)
}

/// COMPARISON of one span in so many parts.
fn comparison_of(parts: u64) -> Case {
    let part = |n| Part {
        upto: Position::new(n, ANA, 1),
        count: 1,
        sum: Sum::from_bytes([7; 32]),
    };
    let contents = Contents {
        parts: Some((1..=parts).map(part).collect()),
        items: None,
    };
    let m = Comparison {
        no: 1,
        spans: vec![contents],
    };
    let item = unchecked(29, &m);
    (Some(Message::Comparison(m)), item)
}

fn private_of(text: String) -> Case {
    let m = Private {
        from: 1,
        nick: "a".into(),
        sent_at: 0,
        text,
    };
    let item = unchecked(7, &m);
    (Some(Message::Private(m)), item)
}

fn nick_of(chars: usize) -> String {
    "é".repeat(chars)
}

fn assert_accepted(what: &str, (message, item): &Case) {
    let message = message.as_ref().unwrap_or_else(|| panic!("{what}"));
    let frame = encode_frame(message).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(&frame[4..], &item[..], "{what}");
    assert_eq!(decode_message(item).as_ref(), Ok(message), "{what}");
}

fn assert_refused(what: &str, (message, item): &Case) {
    if let Some(message) = message {
        let encoded = encode_frame(message);
        assert!(matches!(encoded, Err(EncodeError::Invalid(_))), "{what}");
    }
    assert!(
        matches!(decode_message(item), Err(DecodeError::Malformed(_))),
        "{what}"
    );
}

#[test]
fn every_limit_holds_one_below_at_it_and_one_above() {
    type Make = fn(usize) -> Case;
    let limits: [(&str, usize, Make); 14] = [
        ("room", ROOM_BYTES_MAX, |n| {
            hello_with(|m| m.room = "r".repeat(n))
        }),
        ("room asked for", ROOM_BYTES_MAX, |n| {
            request_with(|m| m.room = "r".repeat(n))
        }),
        ("nick", NICK_CHARS_MAX, |n| {
            hello_with(|m| m.nick = nick_of(n))
        }),
        ("nick of a joiner", NICK_CHARS_MAX, |n| {
            request_with(|m| m.nick = nick_of(n))
        }),
        ("nick of an author", NICK_CHARS_MAX, |n| {
            chat_with(|m| m.nick = nick_of(n).into())
        }),
        ("addresses", ADDRESSES_MAX, |n| {
            hello_with(|m| m.addresses = vec![address("[::1]:1"); n])
        }),
        ("addresses of a joiner", ADDRESSES_MAX, |n| {
            request_with(|m| m.addresses = vec![address("1.2.3.4:1"); n])
        }),
        ("text", TEXT_BYTES_MAX, |n| {
            chat_with(|m| m.text = "x".repeat(n).into())
        }),
        ("old text", TEXT_BYTES_MAX, |n| {
            chunk_with(|m| m.text = "x".repeat(n).into())
        }),
        ("private text", TEXT_BYTES_MAX, |n| {
            private_of("x".repeat(n))
        }),
        ("dependencies", DEPENDENCIES_MAX, |n| {
            chat_with(|m| {
                m.dependencies = vec![
                    MessageId {
                        origin: ANA,
                        seq: 9
                    };
                    n
                ]
                .into()
            })
        }),
        ("old dependencies", DEPENDENCIES_MAX, |n| {
            chunk_with(|m| {
                m.dependencies = vec![
                    MessageId {
                        origin: ANA,
                        seq: 9
                    };
                    n
                ]
                .into()
            })
        }),
        ("members", MEMBERS_MAX, |n| update_of(UpdateKind::Whole, n)),
        ("ranges", SKIP_RANGES_MAX, |n| {
            fetch_of(vec![SeqRange::new(BOB, 1, u64::MAX); n])
        }),
    ];
    for (what, max, make) in limits {
        assert_accepted(what, &make(max - 1));
        assert_accepted(what, &make(max));
        assert_refused(what, &make(max + 1));
    }
}

#[test]
fn what_is_empty_or_zero_is_refused_where_it_names_something() {
    assert_refused("room", &hello_with(|m| m.room.clear()));
    assert_refused("nick", &hello_with(|m| m.nick.clear()));
    assert_refused("key", &hello_with(|m| m.key = Key(0)));
    assert_refused("joiner's key", &request_with(|m| m.key = Key(0)));
    for make in [
        chat_with::<fn(&mut Draft<'static>)>,
        chunk_with::<fn(&mut Draft<'static>)>,
    ] {
        assert_accepted("empty text", &make(|m| m.text = "".into()));
        assert_accepted("id 0", &make(|m| m.from = 0));
        assert_refused("nick", &make(|m| m.nick = " a".into()));
        assert_refused("author's key", &make(|m| m.origin = Key(0)));
        assert_refused("seq", &make(|m| m.seq = 0));
        assert_refused(
            "dependency's key",
            &make(|m| m.dependencies.to_mut()[0].origin = Key(0)),
        );
        assert_refused(
            "dependency's seq",
            &make(|m| m.dependencies.to_mut()[0].seq = 0),
        );
    }
    assert_refused("nothing to compare", &compare_of(0));
    assert_accepted("one span", &compare_of(1));
    assert_refused("no parts", &comparison_of(0));
    assert_refused("one part", &comparison_of(1));
    assert_accepted("two parts", &comparison_of(2));
    for message in [Message::Probe(Key(0)), Message::ProbeAnswer(Key(0))] {
        assert_eq!(encode_frame(&message), Err(EncodeError::Invalid("key 0")));
    }
    assert!(decode_message(b"\x82\x0d\xa1\x63key\x00").is_err());
}

#[test]
fn a_range_ends_where_it_starts_or_later() {
    assert_accepted("one", &fetch_of(vec![SeqRange::new(ANA, 7, 7)]));
    assert_refused("backwards", &fetch_of(vec![SeqRange::new(ANA, 8, 7)]));
    assert_refused("nobody's", &fetch_of(vec![SeqRange::new(Key(0), 1, 7)]));
}

#[test]
fn a_step_of_the_view_names_one_member() {
    for kind in [
        UpdateKind::Joined,
        UpdateKind::Left,
        UpdateKind::Lost,
        UpdateKind::Renamed,
    ] {
        assert_refused("none", &update_of(kind, 0));
        assert_accepted("one", &update_of(kind, 1));
        assert_refused("two", &update_of(kind, 2));
    }
    assert_accepted("none", &update_of(UpdateKind::Whole, 0));
    let (message, mut item) = update_of(UpdateKind::Renamed, 1);
    let at = item
        .windows(5)
        .position(|w| w == b"kind\x04")
        .expect("the kind")
        + 4;
    assert_eq!(decode_message(&item), Ok(message.expect("a valid step")));
    item[at] = 5;
    assert!(decode_message(&item).is_err());
}

#[test]
fn a_known_type_is_never_called_unknown() {
    assert!(encode_frame(&Message::Unknown(0)).is_ok());
    assert!(encode_frame(&Message::Unknown(99)).is_ok());
    for n in 1..=29 {
        assert!(matches!(
            encode_frame(&Message::Unknown(n)),
            Err(EncodeError::Invalid(_))
        ));
    }
}

#[test]
fn a_frame_that_is_too_long_is_neither_sent_nor_read() {
    // Texts of one author, so that the last one decides about single bytes.
    let of_size = |size: usize| {
        let draft = |bytes: usize| Draft {
            dependencies: Vec::new().into(),
            text: "x".repeat(bytes).into(),
            ..answer()
        };
        let mut messages = vec![draft(TEXT_BYTES_MAX); 3];
        messages.push(draft(1_000));
        let unchecked = |messages: &[Draft<'static>]| {
            let messages = messages.to_vec();
            unchecked(6, Messages { messages })
        };
        let item = unchecked(&messages);
        messages[3] = draft(1_000 + size - item.len());
        let item = unchecked(&messages);
        assert_eq!(item.len(), size);
        let messages = messages.iter().map(written).collect();
        (Some(Message::Chat(messages)), item)
    };
    assert_accepted("below", &of_size(FRAME_BYTES_MAX - 1));
    assert_accepted("at", &of_size(FRAME_BYTES_MAX));
    let (message, item) = of_size(FRAME_BYTES_MAX + 1);
    let message = message.expect("each message is valid");
    assert_eq!(
        encode_frame(&message),
        Err(EncodeError::TooLong(FRAME_BYTES_MAX + 1))
    );
    assert!(matches!(
        decode_message(&item),
        Err(DecodeError::Malformed(_))
    ));
}

#[test]
fn a_datagram_that_is_too_long_is_not_read() {
    let of_size = |size: usize| {
        let start = b"papo\x02\x82\x18\x63\x59";
        let length = u16::try_from(size - start.len() - 2).expect("a small size");
        [start, &length.to_be_bytes()[..], &vec![0; length.into()]].concat()
    };
    assert!(decode_datagram(&of_size(DATAGRAM_BYTES_MAX - 1)).is_ok());
    assert!(decode_datagram(&of_size(DATAGRAM_BYTES_MAX)).is_ok());
    assert!(decode_datagram(&of_size(DATAGRAM_BYTES_MAX + 1)).is_err());
}

#[test]
fn nicks_and_rooms_are_judged_as_the_page_says() {
    for nick in [
        "a",
        "ana",
        "é",
        "a b",
        "日本",
        "a\u{200d}b",
        &nick_of(NICK_CHARS_MAX),
    ] {
        assert!(nick_is_valid(nick), "{nick:?}");
    }
    let too_long = nick_of(NICK_CHARS_MAX + 1);
    for nick in [
        "",
        " ",
        " a",
        "a ",
        "a\u{3000}",
        "a\nb",
        "a\tb",
        "\u{1b}[m",
        "\u{9b}m",
        &too_long,
    ] {
        assert!(!nick_is_valid(nick), "{nick:?}");
    }
    assert!(room_is_valid("lobby") && room_is_valid(&"r".repeat(ROOM_BYTES_MAX)));
    assert!(!room_is_valid("") && !room_is_valid(&"r".repeat(ROOM_BYTES_MAX + 1)));
}
