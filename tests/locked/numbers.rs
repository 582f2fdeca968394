//! Every number of every message of the page at its ends, from a member to real nodes, in an open room and in a
//! locked one. What each of them does to a node is looked at one by one in `tests/strangers/numbers.rs`.

use std::rc::Rc;
use std::time::Duration;

use papo::identity::Credentials;
use papo::wire::{Address, JoinRequest, Key, Message, VERSION, decode_message, encode_frame};

use crate::examples::{self, ANA, BOB, Wire};
use crate::harness::{Node, PATIENCE, agree, talk_in_turn};
use crate::mallory::now;
use crate::place::{Place, in_both};
use crate::raw::Raw;
use crate::speaker::{Speaker, key_of};

const ENDS: [u64; 8] = [
    0,
    1,
    (1 << 53) - 1,
    1 << 53,
    (1 << 53) + 1,
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];

/// When the examples of the page were said.
const THEN: u64 = 1_700_000_000_000 << 16;

/// An example of the page as if it had just been said here: by this one, of this coordinator. Nothing leads out
/// of the machine.
fn here(raw: &Raw, own: Key, leader: Key) -> Raw {
    let mut raw = raw.clone();
    for at in 0..raw.places() {
        let changed = raw.with_place(at, &|raw| match raw {
            Raw::Uint(n) if *n == ANA.0 => Some(Raw::Uint(leader.0)),
            Raw::Uint(n) if *n == BOB.0 => Some(Raw::Uint(own.0)),
            Raw::Uint(n) if n.abs_diff(THEN) < 1 << 32 => Some(Raw::Uint(now() + n - THEN)),
            // Addresses.
            Raw::Other(bytes) if bytes[0] == 0x46 => {
                Some(Raw::Other(vec![0x46, 127, 0, 0, 1, 0, 9]))
            }
            Raw::Other(bytes) if bytes[0] == 0x52 => {
                let mut address = [0; 19];
                (address[0], address[16], address[18]) = (0x52, 1, 9);
                Some(Raw::Other(address.to_vec()))
            }
            _ => None,
        });
        raw = changed.unwrap_or(raw);
    }
    raw
}

/// What any decoder takes, with one number at an end.
fn lies(own: Key, leader: Key) -> Vec<Message> {
    let mut all = Vec::new();
    for (_, wire) in examples::all() {
        let Wire::Frame(message) = wire else { continue };
        let frame = encode_frame(&message).expect("it keeps the rules");
        let whole = here(&Raw::read(&frame[4..]).expect("well-formed"), own, leader);
        // Behind the array stands the type.
        for at in 2..whole.places() {
            for end in ENDS {
                let number = |raw: &Raw| matches!(raw, Raw::Uint(_)).then_some(Raw::Uint(end));
                let lie = whole.with_place(at, &number);
                all.extend(lie.and_then(|lie| decode_message(&lie.write()).ok()));
            }
        }
    }
    // A line of a member without an id is shown as what it is: its event has `from` 0, which no honest one has.
    all.retain(|m| match m {
        Message::Private(m) => m.from > 0,
        Message::Chat(messages) => messages.iter().all(|m| m.from() > 0),
        Message::Chunk(chunk) => chunk.messages.iter().all(|m| m.from() > 0),
        _ => true,
    });
    // Proofs are over by then.
    all.retain(|m| {
        !matches!(
            m,
            Message::Introduction(_) | Message::Proof(_) | Message::Hello(_)
        )
    });
    all
}

fn join_request(room: &str, key: Key) -> Message {
    Message::JoinRequest(JoinRequest {
        version: VERSION,
        room: room.to_owned(),
        key,
        nick: "mallory".to_owned(),
        attempt: 0,
        port: 9,
        addresses: vec![Address(([127, 0, 0, 1], 9).into())],
        id: None,
        next_id: 0,
        view_version: 0,
        office: false,
        no: 0,
    })
}

/// A link of one who is a member.
fn as_a_member(place: &Place<'_>, to: &Node, own: &Rc<Credentials>) -> Speaker {
    let mut speaker = place.speaker_as(to, own);
    speaker.greet(place.name(), 0);
    speaker.say(&join_request(place.name(), own.key()));
    speaker
}

#[test]
fn a_members_numbers_at_their_ends_stop_nothing() {
    in_both(|place| {
        let [ana, bia] = ["ana", "bia"].map(|nick| {
            let node = place.join(nick);
            node.joined();
            node
        });
        ana.sees_members(2);
        let own = Rc::new(Credentials::new(place.name(), None).expect("randomness"));
        for node in [&ana, &bia] {
            let mut speaker = as_a_member(place, node, &own);
            let (mut said, mut ended) = (0, 0);
            for lie in lies(own.key(), key_of(&ana)) {
                said += 1;
                speaker.say(&lie);
                speaker.say(&Message::Ping { coordinator: None });
                let pong = |m: &Message| matches!(m, Message::Pong { .. });
                if speaker.hear(PATIENCE, pong).is_none() {
                    ended += 1;
                    speaker = as_a_member(place, node, &own);
                }
            }
            eprintln!("{}: {said} lies, {ended} ended the link", node.name);
            assert!(said > 500, "{said}");
        }
        talk_in_turn(&ana, &bia, 6);
        let caio = place.join("caio");
        caio.joined();
        assert!(caio.id() < 100, "{}", caio.id());
        caio.say("in");
        ana.heard("caio", 1);
        let history = agree(&[&ana, &bia, &caio], Duration::from_secs(20));
        let lines = history.iter().filter(|said| said.text.starts_with("line"));
        assert_eq!(lines.count(), 6);
        for node in [&ana, &bia] {
            node.wait("the confirmations", PATIENCE, |record| {
                (record.all("delivered").count() >= 3).then_some(())
            });
            assert!(!node.stderr().contains("panicked"), "{}", node.stderr());
        }
    });
}
