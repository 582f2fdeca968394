//! What is emitted can be parsed, what a later version adds is skipped, and every other deviation
//! is refused.

use ciborium::{Value, cbor};
use fastrand::Rng;
use papo::wire::{
    DecodeError, Message, VERSION, decode_datagram, decode_message, encode_datagram, encode_frame,
};

use super::examples::{self, Wire};
use super::random;

/// The CBOR item of a message or datagram.
pub fn item_of(wire: &Wire) -> Vec<u8> {
    match wire {
        Wire::Frame(m) => encode_frame(m).expect("a valid message")[4..].to_vec(),
        Wire::Datagram(d) => encode_datagram(d).expect("a valid datagram")[5..].to_vec(),
    }
}

/// Decodes an item as what `like` is.
pub fn decode_like(like: &Wire, item: &[u8]) -> Result<Wire, DecodeError> {
    match like {
        Wire::Frame(_) => decode_message(item).map(Wire::Frame),
        Wire::Datagram(_) => {
            let header = [b'p', b'a', b'p', b'o', VERSION];
            decode_datagram(&[&header, item].concat()).map(Wire::Datagram)
        }
    }
}

fn parse(item: &[u8]) -> Value {
    ciborium::from_reader(item).expect("one CBOR item")
}

fn write(value: &Value) -> Vec<u8> {
    let mut item = Vec::new();
    ciborium::into_writer(value, &mut item).expect("memory takes every write");
    item
}

fn random_wires(rng: &mut Rng, of_each: usize) -> Vec<Wire> {
    let mut wires = Vec::new();
    for _ in 0..of_each {
        let messages = (1..=random::MESSAGES + 1).map(|n| random::message(rng, n));
        wires.extend(messages.map(Wire::Frame));
        let datagrams = (1..=random::DATAGRAMS + 1).map(|n| random::datagram(rng, n));
        wires.extend(datagrams.map(Wire::Datagram));
    }
    wires
}

/// Calls `f` with each map in the value; what `f` changes is undone before the next call.
fn for_each_map(value: &Value, f: &mut impl FnMut(&dyn Fn(Value) -> Value, &[(Value, Value)])) {
    fn walk(
        value: &Value,
        put_back: &dyn Fn(Value) -> Value,
        f: &mut impl FnMut(&dyn Fn(Value) -> Value, &[(Value, Value)]),
    ) {
        match value {
            Value::Map(entries) => {
                f(put_back, entries);
                for (at, (key, inner)) in entries.iter().enumerate() {
                    let put_back = |new| {
                        let mut entries = entries.clone();
                        entries[at] = (key.clone(), new);
                        put_back(Value::Map(entries))
                    };
                    walk(inner, &put_back, f);
                }
            }
            Value::Array(values) => {
                for (at, inner) in values.iter().enumerate() {
                    let put_back = |new| {
                        let mut values = values.clone();
                        values[at] = new;
                        put_back(Value::Array(values))
                    };
                    walk(inner, &put_back, f);
                }
            }
            _ => {}
        }
    }
    walk(value, &|new| new, f);
}

#[test]
fn every_message_survives_a_round_trip_in_its_one_encoding() {
    let mut rng = Rng::with_seed(1);
    for wire in random_wires(&mut rng, 300) {
        let item = item_of(&wire);
        assert_eq!(decode_like(&wire, &item).as_ref(), Ok(&wire));
        // ciborium writes a value in the shortest form and keeps the order of maps.
        assert_eq!(write(&parse(&item)), item, "{wire:?}");
    }
}

#[test]
fn a_strict_prefix_of_a_message_is_refused() {
    let mut rng = Rng::with_seed(2);
    let mut wires = random_wires(&mut rng, 3);
    wires.extend(examples::all().into_iter().map(|(_, wire)| wire));
    for wire in wires {
        let item = item_of(&wire);
        let step = 1 + item.len() / 500;
        for end in (0..item.len()).step_by(step).chain([item.len() - 1]) {
            let cut = decode_like(&wire, &item[..end]);
            assert!(
                matches!(cut, Err(DecodeError::Malformed(_))),
                "{end} of {wire:?}"
            );
        }
    }
}

#[test]
fn a_strict_prefix_of_a_datagram_is_foreign_or_refused() {
    let bytes = b"papo\x02\x82\x17\xa0";
    assert!(decode_datagram(bytes).is_ok());
    for end in 0..bytes.len() {
        match decode_datagram(&bytes[..end]) {
            Err(DecodeError::Foreign) => assert!(end < 4),
            Err(DecodeError::Malformed(_)) => assert!(end >= 4),
            other => panic!("{end}: {other:?}"),
        }
    }
}

#[test]
fn unknown_types_are_skipped_whatever_they_carry() {
    for body in [
        "a0",
        "00",
        "f6",
        "a16178fb4009000000000000",
        "c26101",
        "8401020304",
        "e0",
        "f8ff",
        "a201010102",
    ] {
        let body: Vec<u8> = (0..body.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&body[at..at + 2], 16).expect("hexadecimal"))
            .collect();
        let item = [&[0x82, 0x18, 0x63], &body[..]].concat();
        assert_eq!(decode_message(&item), Ok(Message::Unknown(99)));
        let datagram = Wire::Datagram(papo::wire::Datagram::Unknown(99));
        assert_eq!(decode_like(&datagram, &item), Ok(datagram.clone()));
    }
}

#[test]
fn unknown_fields_are_skipped_in_every_map_whatever_they_hold() {
    let later = [
        cbor!({"a" => [1, null, true, 1.5, -1]}),
        Ok(Value::Tag(0, Box::new("2030-01-01".into()))),
        Ok(Value::Bytes(vec![0; 5_000])),
        Ok(Value::Text("é".repeat(5_000))),
        Ok(Value::Null),
    ]
    .map(|value| value.expect("a value"));
    for (name, wire) in examples::all() {
        for_each_map(&parse(&item_of(&wire)), &mut |put_back, entries| {
            // A datagram holds only what is small.
            let fits = if matches!(wire, Wire::Frame(_)) { 5 } else { 2 };
            for (i, value) in later[..fits].iter().enumerate() {
                let mut entries = entries.to_vec();
                let at = if i % 2 == 0 { 0 } else { entries.len() };
                entries.insert(at, ("later".into(), value.clone()));
                let item = write(&put_back(Value::Map(entries)));
                assert_eq!(decode_like(&wire, &item).as_ref(), Ok(&wire), "{name}");
            }
        });
    }
}

#[test]
fn fields_may_come_in_any_order() {
    let mut rng = Rng::with_seed(3);
    for (name, wire) in examples::all() {
        for_each_map(&parse(&item_of(&wire)), &mut |put_back, entries| {
            let mut entries = entries.to_vec();
            rng.shuffle(&mut entries);
            let item = write(&put_back(Value::Map(entries)));
            assert_eq!(decode_like(&wire, &item).as_ref(), Ok(&wire), "{name}");
        });
    }
}

#[test]
fn a_field_missing_or_there_twice_is_refused() {
    let (mut missing, mut optional) = (0, Vec::new());
    for (name, wire) in examples::all() {
        for_each_map(&parse(&item_of(&wire)), &mut |put_back, entries| {
            for at in 0..entries.len() {
                let mut twice = entries.to_vec();
                twice.push(entries[at].clone());
                let twice = decode_like(&wire, &write(&put_back(Value::Map(twice))));
                assert!(twice.is_err(), "{name}: {:?} twice", entries[at].0);
                let mut without = entries.to_vec();
                let (field, _) = without.remove(at);
                match decode_like(&wire, &write(&put_back(Value::Map(without)))) {
                    Err(_) => missing += 1,
                    Ok(_) => optional.push(format!("{name}: {}", field.as_text().unwrap_or("?"))),
                }
            }
        });
    }
    assert!(missing > 150, "{missing}");
    let expected = [
        "HELLO of a member: coord",
        "HELLO of a member that holds more than it claims: coord",
        "HELLO of a member that holds more than it claims: floor",
        "HELLO of a member that holds more than it claims: clock",
        "HELLO of a member that holds more than it claims: oldest",
        "JOIN_REQUEST on a link, of a coordinator of another group: id",
        "JOIN_REQUEST on a link, of a coordinator of another group: no",
        "JOIN_RESPONSE: lost",
        "JOIN_RESPONSE: no",
        "CHAT_MESSAGE: d",
        "ELECTION_OK, there is a live coordinator: coord",
        "COORDINATOR_ANNOUNCEMENT: left",
        "PING: coord",
        "SYNC_ANSWER: newest",
        "SYNC_ANSWER: parts",
        "FETCH of what is missing below the floor: skip",
        "FETCH of what is missing below the floor: floor",
        "FETCH of what is missing below the floor: want",
        "CHUNK, more to come: next",
        "CHUNK, more to come: d",
        "CHUNK, the last one: d",
        "ACK with something missed: from",
        "ACK with something missed: missed",
        "STABLE to a new member: from",
        "RELAY: ack",
        "RELAY: seal",
        "RELAY of a request: request",
        "RELAY of a request: seal",
        "RELAY of a request: no",
        "INTRODUCTION of the dialler: cert",
        "COMPARISON: parts",
        "COMPARISON: items",
        "JOIN_REQUEST datagram: no",
    ];
    assert_eq!(optional, expected);
}

#[test]
fn another_version_is_named_whatever_else_it_changed() {
    for number in [1, 2, 26] {
        let later = cbor!([number, {"key" => "new", "version" => 3}]).expect("a value");
        assert_eq!(decode_message(&write(&later)), Err(DecodeError::Version(3)));
        let ours = cbor!([number, {"key" => "new", "version" => VERSION}]).expect("a value");
        assert!(matches!(
            decode_message(&write(&ours)),
            Err(DecodeError::Malformed(_))
        ));
    }
    assert_eq!(
        decode_datagram(b"papo\x03anything"),
        Err(DecodeError::Version(3))
    );
    assert_eq!(
        decode_datagram(b"PAPO\x02\x82\x04\xa0"),
        Err(DecodeError::Foreign)
    );
    // A version that reads like ours is left to the reader to refuse.
    let mut hello = examples::hello();
    hello.version = 9;
    let wire = Wire::Frame(Message::Hello(hello));
    assert_eq!(decode_like(&wire, &item_of(&wire)), Ok(wire.clone()));
}
