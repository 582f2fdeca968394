//! Valid messages with random contents, small and large.

use fastrand::Rng;
use papo::limits;
use papo::wire::{
    Ack, Address, Bytes, CarriedRequest, Certificate, ChatMessage, Chunk, Compare, Comparison,
    Contents, Coordinator, Datagram, Digest, Draft, Fetch, Hello, Introduction, Item, JoinRequest,
    JoinResponse, Key, Member, Message, MessageId, Part, PeerUpdate, Position, Private, Proof,
    Relay, Seal, SeqRange, Span, Stable, Sum, Sync, SyncAnswer, UpdateKind, View, nick_is_valid,
};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// The number of known types.
pub const MESSAGES: u64 = 29;
pub const DATAGRAMS: u64 = 4;

/// Small, large and in between, each width as likely as the others.
pub fn number(rng: &mut Rng) -> u64 {
    let bits = rng.u32(0..=64);
    rng.u64(..).checked_shr(bits).unwrap_or(0)
}

fn bytes<const N: usize>(rng: &mut Rng) -> Bytes<N> {
    Bytes(std::array::from_fn(|_| rng.u8(..)))
}

fn key(rng: &mut Rng) -> Key {
    Key(number(rng).max(1))
}

fn list<T>(rng: &mut Rng, max: usize, mut item: impl FnMut(&mut Rng) -> T) -> Vec<T> {
    let count = if rng.u8(..) == 0 {
        max
    } else {
        rng.usize(0..=max.min(4))
    };
    (0..count).map(|_| item(rng)).collect()
}

pub fn text(rng: &mut Rng, bytes_max: usize) -> String {
    let wanted = if rng.u8(..) == 0 {
        bytes_max
    } else {
        rng.usize(0..=bytes_max.min(300))
    };
    let mut text = String::new();
    loop {
        let next = if rng.bool() {
            rng.char(..)
        } else {
            rng.alphanumeric()
        };
        if text.len() + next.len_utf8() > wanted {
            return text;
        }
        text.push(next);
    }
}

fn nick(rng: &mut Rng) -> String {
    loop {
        let count = rng.usize(1..=limits::NICK_CHARS_MAX);
        let any = rng.bool();
        let char = |_| {
            if any {
                rng.char(..)
            } else {
                rng.alphanumeric()
            }
        };
        let nick = (0..count).map(char).collect::<String>();
        if nick_is_valid(&nick) {
            return nick;
        }
    }
}

fn room(rng: &mut Rng) -> String {
    format!("r{}", text(rng, limits::ROOM_BYTES_MAX - 1))
}

fn addresses(rng: &mut Rng) -> Vec<Address> {
    list(rng, limits::ADDRESSES_MAX, |rng| {
        let ip = if rng.bool() {
            Ipv4Addr::from(rng.u32(..)).into()
        } else {
            Ipv6Addr::from(rng.u128(..)).into()
        };
        Address(SocketAddr::new(ip, rng.u16(..)))
    })
}

fn coordinator(rng: &mut Rng) -> Coordinator {
    Coordinator {
        id: number(rng),
        key: key(rng),
        addresses: addresses(rng),
        version: number(rng),
    }
}

fn member(rng: &mut Rng) -> Member {
    Member {
        id: number(rng),
        key: key(rng),
        nick: nick(rng),
        addresses: addresses(rng),
    }
}

/// Not the largest one: 400 members with everything at its longest exceed a frame.
fn view(rng: &mut Rng) -> View {
    View {
        coordinator: key(rng),
        version: number(rng),
        next_id: number(rng),
        members: list(rng, 100, member),
        left: list(rng, 20, key),
        clock: number(rng),
    }
}

fn position(rng: &mut Rng) -> Position {
    Position::new(number(rng), Key(number(rng)), number(rng))
}

fn chat_message(rng: &mut Rng) -> ChatMessage {
    let dependency = |rng: &mut Rng| MessageId {
        origin: key(rng),
        seq: number(rng).max(1),
    };
    let draft = Draft {
        origin: key(rng),
        seq: number(rng).max(1),
        timestamp: number(rng),
        sent_at: number(rng),
        from: number(rng),
        nick: nick(rng).into(),
        dependencies: list(rng, limits::DEPENDENCIES_MAX, dependency).into(),
        text: text(rng, limits::TEXT_BYTES_MAX).into(),
    };
    ChatMessage::new(&draft).expect("a valid draft")
}

/// As many as one frame takes in any case.
fn chat_messages(rng: &mut Rng) -> Vec<ChatMessage> {
    list(rng, 2, chat_message)
}

fn relay(rng: &mut Rng) -> Relay {
    let from = key(rng);
    Relay {
        from,
        to: key(rng),
        ack: rng.bool().then(|| ack(rng)),
        stable: rng.bool().then(|| stable(rng)),
        request: rng.bool().then(|| carried(rng, from)),
        seal: rng.bool().then(|| Seal {
            public: bytes(rng),
            signature: bytes(rng),
        }),
    }
}

fn carried(rng: &mut Rng, key: Key) -> Box<CarriedRequest> {
    let fields = JoinRequest {
        key,
        ..join_request(rng)
    };
    Box::new(CarriedRequest {
        turn: number(rng),
        fields,
    })
}

fn join_request(rng: &mut Rng) -> JoinRequest {
    JoinRequest {
        version: rng.u8(..),
        room: room(rng),
        key: key(rng),
        nick: nick(rng),
        attempt: number(rng),
        port: rng.u16(..),
        addresses: addresses(rng),
        id: rng.bool().then(|| number(rng)),
        next_id: number(rng),
        view_version: number(rng),
        office: rng.bool(),
        no: number(rng),
    }
}

fn peer_update(rng: &mut Rng) -> PeerUpdate {
    let kinds = [
        UpdateKind::Whole,
        UpdateKind::Joined,
        UpdateKind::Left,
        UpdateKind::Lost,
        UpdateKind::Renamed,
    ];
    let kind = kinds[rng.usize(0..kinds.len())];
    let members = match kind {
        UpdateKind::Whole => view(rng).members,
        _ => vec![member(rng)],
    };
    PeerUpdate {
        coordinator: key(rng),
        version: number(rng),
        next_id: number(rng),
        kind,
        members,
        clock: number(rng),
    }
}

fn ack(rng: &mut Rng) -> Ack {
    let (a, b) = (number(rng).max(1), number(rng).max(1));
    let (from, seq) = (a.min(b), a.max(b));
    let missed = list(rng, limits::MISSED_RANGES_MAX, |rng| {
        let (a, b) = (rng.u64(from..=seq), rng.u64(from..=seq));
        (a.min(b), a.max(b))
    });
    Ack { from, seq, missed }
}

fn stable(rng: &mut Rng) -> Stable {
    let (a, b) = (number(rng), number(rng));
    Stable {
        from: rng.bool().then(|| number(rng).max(1)),
        said: a.max(b),
        stable: a.min(b),
    }
}

pub fn message(rng: &mut Rng, number_of_type: u64) -> Message {
    let coordinator_if = |rng: &mut Rng| rng.bool().then(|| coordinator(rng));
    let position_if = |rng: &mut Rng| rng.bool().then(|| position(rng));
    match number_of_type {
        1 => Message::Hello(Hello {
            version: rng.u8(..),
            room: room(rng),
            key: key(rng),
            nick: nick(rng),
            round: number(rng),
            addresses: addresses(rng),
            coordinator: coordinator_if(rng),
            floor: position_if(rng),
            clock: number(rng),
            oldest: position_if(rng),
            wall: number(rng),
        }),
        2 => Message::JoinRequest(join_request(rng)),
        3 => Message::JoinResponse(JoinResponse {
            id: number(rng),
            view: view(rng),
            clock: number(rng),
            newest: position(rng),
            floor: position_if(rng),
            lost: (0..rng.usize(0..4)).map(|_| key(rng)).collect(),
            no: number(rng),
        }),
        4 => Message::PeerUpdate(peer_update(rng)),
        5 => Message::ViewRequest,
        6 => Message::Chat(chat_messages(rng)),
        7 => Message::Private(Private {
            from: number(rng),
            nick: nick(rng),
            sent_at: number(rng),
            text: text(rng, limits::TEXT_BYTES_MAX),
        }),
        8 => Message::Election {
            id: number(rng),
            forced: rng.bool(),
        },
        9 => Message::ElectionOk {
            coordinator: coordinator_if(rng),
        },
        10 => Message::CoordinatorAnnouncement(view(rng)),
        11 => Message::Ping {
            coordinator: coordinator_if(rng),
        },
        12 => Message::Pong {
            coordinator: coordinator_if(rng),
        },
        13 => Message::Probe(key(rng)),
        14 => Message::ProbeAnswer(key(rng)),
        15 => Message::Sync(Sync {
            no: number(rng),
            floor: position(rng),
            digest: Digest(rng.u128(..).to_be_bytes()),
            count: number(rng),
            back: rng.bool(),
        }),
        16 => Message::SyncAnswer(SyncAnswer {
            no: number(rng),
            equal: rng.bool(),
            floor: position(rng),
            newest: rng.bool().then(|| position(rng)),
            parts: parts(rng),
        }),
        17 => Message::Fetch(Fetch {
            no: number(rng),
            after: position(rng),
            spans: spans(rng, limits::FETCHED_SPANS_MAX),
            skip: list(rng, limits::SKIP_RANGES_MAX, |rng| {
                let (a, b) = (number(rng), number(rng));
                SeqRange::new(key(rng), a.min(b), a.max(b))
            }),
            floor: position_if(rng),
            want: list(rng, limits::WANT_RANGES_MAX, |rng| {
                let (a, b) = (number(rng), number(rng));
                SeqRange::new(key(rng), a.min(b), a.max(b))
            }),
        }),
        18 => Message::Chunk(Chunk {
            no: number(rng),
            next: rng.bool().then(|| position(rng)),
            messages: chat_messages(rng),
        }),
        19 => Message::Behind,
        20 => Message::Ack(ack(rng)),
        21 => Message::Rename(nick(rng)),
        22 => Message::Leave,
        23 => Message::Referral(coordinator(rng)),
        24 => Message::Stable(stable(rng)),
        25 => Message::Relay(relay(rng)),
        26 => Message::Introduction(Introduction {
            version: rng.u8(..),
            public: bytes(rng),
            nonce: bytes(rng),
            certificate: rng.bool().then(|| Certificate {
                identity: bytes(rng),
                signature: bytes(rng),
            }),
        }),
        27 => Message::Proof(Proof {
            signature: bytes(rng),
        }),
        28 => Message::Compare(Compare {
            no: number(rng),
            spans: some(rng, |rng| spans(rng, limits::COMPARED_SPANS_MAX), 1),
        }),
        29 => Message::Comparison(Comparison {
            no: number(rng),
            spans: list(rng, limits::COMPARED_SPANS_MAX, |rng| Contents {
                parts: rng.bool().then(|| some(rng, parts, 2)),
                items: rng.bool().then(|| items(rng)),
            }),
        }),
        n => Message::Unknown(n),
    }
}

/// A list with at least so many entries.
fn some<T>(rng: &mut Rng, make: impl Fn(&mut Rng) -> Vec<T>, least: usize) -> Vec<T> {
    loop {
        let list = make(rng);
        if list.len() >= least {
            return list;
        }
    }
}

/// Positions in their order, each once.
fn positions(rng: &mut Rng, max: usize) -> Vec<Position> {
    let mut positions = list(rng, max, position);
    positions.sort_unstable();
    positions.dedup();
    positions
}

fn spans(rng: &mut Rng, max: usize) -> Vec<Span> {
    let ends = positions(rng, 2 * max);
    let pairs = ends.chunks_exact(2);
    pairs.map(|pair| Span::new(pair[0], pair[1])).collect()
}

fn parts(rng: &mut Rng) -> Vec<Part> {
    let ends = positions(rng, limits::PARTS_MAX);
    let part = |upto| Part {
        upto,
        count: number(rng),
        sum: Sum::from_bytes(std::array::from_fn(|_| rng.u8(..))),
    };
    ends.into_iter().map(part).collect()
}

fn items(rng: &mut Rng) -> Vec<Item> {
    let positions = positions(rng, limits::LISTED_MAX);
    let real = positions
        .into_iter()
        .filter(|p| p.origin.0 > 0 && p.seq > 0);
    let item = |position| Item {
        position,
        hash: number(rng),
    };
    real.map(item).collect()
}

pub fn datagram(rng: &mut Rng, number_of_type: u64) -> Datagram {
    match number_of_type {
        1 => Datagram::JoinRequest(join_request(rng)),
        2 => Datagram::Heartbeat {
            room: room(rng),
            coordinator: coordinator(rng),
            members: number(rng),
            nick: rng.bool().then(|| nick(rng)),
        },
        3 => Datagram::Referral {
            room: room(rng),
            coordinator: coordinator(rng),
        },
        4 => Datagram::BeatRequest {
            room: room(rng),
            key: key(rng),
        },
        n => Datagram::Unknown(n),
    }
}
