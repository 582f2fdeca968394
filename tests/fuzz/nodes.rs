//! A whole `Node`, and whatever sequence of inputs: it must not panic, must answer in proportion, and
//! what it says of itself must hold together.
//!
//! A case is a program of bytes: one byte of what to do, and what that takes.

use std::time::Duration;

use fastrand::Rng;
use papo::node::{Closed, Command, Input, LinkId, Peer, Timer};
use papo::wire::{
    Address, ChatMessage, Datagram, FrameReader, Key, Message, decode_datagram, decode_message,
    encode_datagram, encode_frame,
};

use crate::bench::{Bench, address_of, hello_of};
use crate::mutate;
use crate::random;
use crate::runner::fuzz;

const ME: u64 = 5;
/// Keys of messages are mostly among these: 1 to 8, the node's own included.
const KEYS: u64 = 8;
/// Effects of one input: each member and each waiting message may cause some.
const EFFECTS_MAX: usize = 5_000;

/// What is left of a program.
struct Program<'a>(&'a [u8]);

impl<'a> Program<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn short(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }

    fn piece(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.short()?);
        let (piece, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(piece)
    }
}

/// Runs a program.
pub fn node(bytes: &[u8]) {
    let mut program = Program(bytes);
    let Some(kind) = program.byte() else { return };
    let mut bench = Bench::with_history(ME, 1, if kind & 1 == 0 { 20 } else { 1_000 });
    if kind & 2 != 0 {
        bench.pass(Duration::from_secs(1));
    }
    while step(&mut bench, &mut program).is_some() {
        check(&bench);
        bench.sent.clear();
    }
    // Whatever came, the node ends its elections, and leaves when it is told.
    bench.pass(Duration::from_secs(8));
    check(&bench);
    let patience = Duration::from_millis(100);
    bench.feed(Input::Command(Command::Leave { patience }));
    bench.pass(Duration::from_secs(1));
    let left = |e: &papo::node::Event| matches!(e, papo::node::Event::Left { .. });
    assert!(bench.events.iter().any(left));
}

fn step(bench: &mut Bench, program: &mut Program<'_>) -> Option<()> {
    match program.byte()? % 12 {
        0 => {
            let key = u64::from(program.byte()?) % (KEYS + 2);
            let round = u64::from(program.byte()?);
            let round = if round > 250 {
                1 << (round - 200)
            } else {
                round % 4
            };
            if key > 0 {
                let link = bench.node.new_link();
                bench.links.insert(link);
                let from = address_of(key).0;
                bench.feed(Input::Accepted { link, from });
                bench.tell(link, hello_of(key, round));
            }
        }
        1..=4 => {
            let link = link_of(bench, program.byte()?);
            if let Ok(message) = decode_message(program.piece()?) {
                bench.tell(link, message);
            }
        }
        5 => {
            let from = address_of(u64::from(program.byte()?)).0;
            if let Ok(datagram) = decode_datagram(program.piece()?) {
                bench.feed(Input::Datagram { from, datagram });
            }
        }
        6 => bench.pass(Duration::from_millis(u64::from(program.short()?) % 2_000)),
        7 => {
            let link = link_of(bench, program.byte()?);
            let whys = [Closed::Refused, Closed::Failed, Closed::Ended];
            let why = whys[usize::from(program.byte()?) % 3];
            bench.feed(Input::Closed { link, why });
        }
        8 => {
            let link = link_of(bench, program.byte()?);
            bench.feed(match program.byte()? % 3 {
                0 => Input::Congested { link },
                1 => Input::Drained { link },
                _ => Input::Connected { link },
            });
        }
        9 => command(bench, program)?,
        10 => bench.feed(match program.byte()? % 5 {
            0 => Input::Away,
            4 => Input::PeerFound(Peer {
                name: "peer".into(),
                addresses: vec![([127, 0, 0, 1], 7).into(); 20],
            }),
            1 => Input::Addresses(vec![Address(([127, 0, 0, 1], 7).into()); 20]),
            n => Input::Timer(timer(bench, n)),
        }),
        _ => bench.end_turn(),
    }
    Some(())
}

fn command(bench: &mut Bench, program: &mut Program<'_>) -> Option<()> {
    let key = Key(u64::from(program.byte()?) % KEYS + 1);
    let command = match program.byte()? % 8 {
        0..=4 => Command::Say(["a line"].into_iter().collect()),
        5 => Command::Private {
            to: key,
            text: "psst".to_owned(),
        },
        6 => Command::Rename(format!("n{key}")),
        _ => Command::Elect,
    };
    bench.feed(Input::Command(command));
    Some(())
}

/// One of the links there are, or one that is not.
fn link_of(bench: &Bench, n: u8) -> LinkId {
    let n = usize::from(n);
    let known = bench.links.iter().nth(n % (bench.links.len() + 1));
    known.copied().unwrap_or(LinkId(n as u64))
}

fn timer(bench: &Bench, n: u8) -> Timer {
    let known = bench
        .timers
        .keys()
        .nth(usize::from(n) % (bench.timers.len() + 1));
    known.copied().unwrap_or(Timer::Election)
}

/// What must hold after every input.
fn check(bench: &Bench) {
    let node = &bench.node;
    assert!(bench.effects <= EFFECTS_MAX, "{} effects", bench.effects);
    let members = node.members();
    assert!(members.windows(2).all(|w| w[0].id < w[1].id), "{members:?}");
    let mut keys: Vec<Key> = members.iter().map(|m| m.key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), members.len(), "{members:?}");
    if let Some(claim) = node.coordinator()
        && claim.key == node.key()
    {
        let me = members.iter().find(|m| m.key == node.key());
        assert_eq!(me.map(|m| m.id), Some(claim.id), "{members:?}");
        assert_eq!(node.id(), Some(claim.id));
    }
    let history = node.history();
    let positions: Vec<_> = history.iter().map(|m| m.position()).collect();
    assert!(positions.windows(2).all(|w| w[0] < w[1]), "{positions:?}");
    assert_eq!(positions.len(), history.len());
    assert!(positions.first().is_none_or(|p| *p > history.floor()));
    let all: Vec<_> = history.iter().cloned().collect();
    let digest = papo::wire::Sum::of(&all).digest(all.len() as u64);
    assert_eq!(digest, history.digest());
    assert!(history.iter().all(|m| history.contains(m.id())));
    assert!(bench.links.len() <= papo::limits::LINKS_MAX);
    assert!(node.peers().all(|key| key != node.key()));
}

/// The bytes of a decrypted link, to a node that coordinates: frames, messages, effects.
pub fn link(bytes: &[u8]) {
    let mut bench = Bench::new(ME, 2);
    bench.pass(Duration::from_secs(1));
    let link = bench.accept(3, 0);
    let mut reader = FrameReader::new();
    reader.push(bytes);
    while let Some(Ok(frame)) = reader.next_frame() {
        let Ok(message) = decode_message(frame) else {
            break;
        };
        bench.tell(link, message);
        bench.end_turn();
        check(&bench);
        if !bench.links.contains(&link) {
            break;
        }
    }
    bench.pass(Duration::from_millis(600));
    check(&bench);
}

/// A message's keys made to be among those that are linked, by rewriting its bytes: a key is an
/// integer of nine bytes mostly, so it is done on the message itself.
fn local(rng: &mut Rng, mut message: Message) -> Message {
    let mut key = |k: &mut Key| {
        if rng.u8(0..16) > 0 {
            *k = Key(k.0 % KEYS + 1);
        }
    };
    match &mut message {
        Message::JoinRequest(m) => key(&mut m.key),
        Message::Relay(m) => {
            key(&mut m.from);
            key(&mut m.to);
            if let Some(request) = &mut m.request {
                request.fields.key = m.from;
            }
        }
        Message::JoinResponse(m) => view(&mut m.view, &mut key),
        Message::CoordinatorAnnouncement(v) => view(v, &mut key),
        Message::PeerUpdate(m) => {
            key(&mut m.coordinator);
            m.members.iter_mut().for_each(|m| key(&mut m.key));
        }
        Message::Chat(messages) => chats(messages, &mut key),
        Message::Chunk(chunk) => chats(&mut chunk.messages, &mut key),
        Message::ElectionOk { coordinator: c }
        | Message::Ping { coordinator: c }
        | Message::Pong { coordinator: c } => {
            if let Some(c) = c {
                key(&mut c.key);
                c.id %= 1 << 54;
            }
        }
        Message::Referral(c) => key(&mut c.key),
        Message::Probe(k) | Message::ProbeAnswer(k) => key(k),
        _ => {}
    }
    message
}

fn view(view: &mut papo::wire::View, key: &mut impl FnMut(&mut Key)) {
    key(&mut view.coordinator);
    let mut last = 0;
    for (n, member) in view.members.iter_mut().enumerate() {
        key(&mut member.key);
        if member.key.0 % 3 > 0 {
            // Sound views are rare by chance.
            last += member.id % 5 + 1;
            member.id = last;
            member.key = Key(n as u64 % KEYS + 1);
        }
    }
    if let Some(first) = view.members.first() {
        view.coordinator = first.key;
    }
}

fn chats(messages: &mut [ChatMessage], key: &mut impl FnMut(&mut Key)) {
    for message in messages {
        let mut draft = message.draft();
        key(&mut draft.origin);
        if draft.seq % 8 > 0 {
            draft.seq = draft.seq % 8 + 1;
        }
        for dependency in draft.dependencies.to_mut() {
            key(&mut dependency.origin);
            dependency.seq = dependency.seq % 8 + 1;
        }
        let Ok(changed) = ChatMessage::new(&draft) else {
            continue;
        };
        *message = changed;
    }
}

fn item(rng: &mut Rng) -> Vec<u8> {
    loop {
        let number = rng.u64(2..=random::MESSAGES);
        let message = random::message(rng, number);
        if let Ok(frame) = encode_frame(&local(rng, message)) {
            return frame[4..].to_vec();
        }
    }
}

fn room_datagram(rng: &mut Rng) -> Vec<u8> {
    loop {
        let number = rng.u64(1..=random::DATAGRAMS);
        let mut datagram = random::datagram(rng, number);
        let here = crate::bench::ROOM.to_owned();
        match &mut datagram {
            Datagram::JoinRequest(m) => {
                m.room = here;
                m.key = Key(m.key.0 % (2 * KEYS) + 1);
                m.version = papo::wire::VERSION;
            }
            Datagram::Heartbeat {
                room, coordinator, ..
            }
            | Datagram::Referral { room, coordinator } => {
                *room = here;
                coordinator.key = Key(coordinator.key.0 % KEYS + 1);
                coordinator.id %= 1 << 54;
            }
            Datagram::BeatRequest { room, key } => {
                *room = here;
                *key = Key(key.0 % KEYS + 1);
            }
            Datagram::Unknown(_) => {}
        }
        if let Ok(bytes) = encode_datagram(&datagram) {
            return bytes;
        }
    }
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(0);
    [&length.to_be_bytes()[..], &bytes[..usize::from(length)]].concat()
}

/// A program of some steps.
fn program(rng: &mut Rng) -> Vec<u8> {
    let mut bytes = vec![rng.u8(..)];
    for _ in 0..rng.usize(1..30) {
        let what = if rng.u8(0..3) > 0 {
            rng.u8(0..6)
        } else {
            rng.u8(0..12)
        };
        bytes.push(what);
        match what {
            1..=4 => {
                bytes.push(rng.u8(..));
                bytes.extend(with_length(&item(rng)));
            }
            5 => {
                bytes.push(rng.u8(..));
                bytes.extend(with_length(&room_datagram(rng)));
            }
            0 | 6..=9 => bytes.extend([rng.u8(..), rng.u8(..)]),
            10 => bytes.push(rng.u8(..)),
            _ => {}
        }
    }
    bytes
}

#[test]
fn a_node_and_whatever_happens_to_it() {
    let case = |rng: &mut Rng, seeds: &[Vec<u8>]| {
        if rng.u8(0..4) > 0 {
            program(rng)
        } else {
            mutate::case(rng, seeds, program)
        }
    };
    fuzz("node", 3_000, case, node);
}

#[test]
fn the_decrypted_link() {
    let make = |rng: &mut Rng| {
        let mut bytes = Vec::new();
        for _ in 0..rng.usize(1..8) {
            let item = item(rng);
            bytes.extend(u32::try_from(item.len()).unwrap_or(0).to_be_bytes());
            bytes.extend(item);
        }
        bytes
    };
    let case = |rng: &mut Rng, seeds: &[Vec<u8>]| mutate::case(rng, seeds, make);
    fuzz("link", 3_000, case, link);
}
