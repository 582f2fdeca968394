//! The values of the examples in `PROTOCOL.md`, by their names there.

use std::rc::Rc;

use papo::identity::{Credentials, LinkProof, Person, Role};
use papo::wire::{
    Ack, Address, CarriedRequest, ChatMessage, Chunk, Compare, Comparison, Contents, Coordinator,
    Datagram, Draft, Fetch, Hello, Item, JoinRequest, JoinResponse, Key, Member, Message,
    MessageId, Part, PeerUpdate, Position, Private, Relay, SeqRange, Span, Stable, Sum, Sync,
    SyncAnswer, UpdateKind, VERSION, View,
};

/// Something that has bytes on the wire.
#[derive(Clone, PartialEq, Debug)]
pub enum Wire {
    Frame(Message),
    Datagram(Datagram),
}

pub const ANA: Key = Key(0x0123_4567_89ab_cdef);
pub const BOB: Key = Key(0xfedc_ba98_7654_3210);
pub const EVA: Key = Key(24);
/// 2023-11-14 22:13:20 UTC.
const NOW_MS: u64 = 1_700_000_000_000;
const NOW: u64 = NOW_MS << 16;

pub fn address(text: &str) -> Address {
    Address(text.parse().expect("an address"))
}

fn ana() -> Member {
    Member {
        id: 1,
        key: ANA,
        nick: "ana".into(),
        addresses: vec![address("192.0.2.7:49152")],
    }
}

fn bob() -> Member {
    Member {
        id: 2,
        key: BOB,
        nick: "bob".into(),
        addresses: vec![address("192.0.2.8:49153"), address("[2001:db8::8]:49153")],
    }
}

fn view() -> View {
    View {
        coordinator: ANA,
        version: 2,
        next_id: 3,
        members: vec![ana(), bob()],
        left: vec![],
        clock: 0,
    }
}

pub fn coordinator() -> Coordinator {
    Coordinator {
        id: 1,
        key: ANA,
        addresses: ana().addresses,
        version: 2,
    }
}

fn update(kind: UpdateKind, member: Member) -> PeerUpdate {
    PeerUpdate {
        coordinator: ANA,
        version: 2,
        next_id: 3,
        kind,
        members: vec![member],
        clock: 0,
    }
}

pub fn hello() -> Hello {
    Hello {
        version: VERSION,
        room: "lobby".into(),
        key: BOB,
        nick: "bob".into(),
        round: 0,
        addresses: bob().addresses,
        coordinator: None,
        floor: None,
        clock: 0,
        oldest: None,
        wall: 0,
    }
}

pub fn join_request() -> JoinRequest {
    JoinRequest {
        version: VERSION,
        room: "lobby".into(),
        key: BOB,
        nick: "bob".into(),
        attempt: 0,
        port: 49_153,
        addresses: bob().addresses,
        id: None,
        next_id: 0,
        view_version: 0,
        office: false,
        no: 1,
    }
}

fn ack() -> Ack {
    Ack {
        from: 1,
        seq: 300,
        missed: Vec::new(),
    }
}

pub fn first_line() -> Draft<'static> {
    Draft {
        origin: ANA,
        seq: 1,
        timestamp: NOW,
        sent_at: NOW_MS,
        from: 1,
        nick: "ana".into(),
        dependencies: Vec::new().into(),
        text: "oi".into(),
    }
}

pub fn second_line() -> Draft<'static> {
    Draft {
        seq: 2,
        timestamp: NOW + 1,
        dependencies: vec![MessageId {
            origin: BOB,
            seq: 7,
        }]
        .into(),
        text: "tudo bem?".into(),
        ..first_line()
    }
}

pub fn answer() -> Draft<'static> {
    Draft {
        origin: BOB,
        seq: 1,
        timestamp: NOW + 1,
        sent_at: NOW_MS - 3,
        from: 2,
        nick: "bob".into(),
        dependencies: vec![written(&first_line()).id()].into(),
        text: "olá".into(),
    }
}

pub fn written(draft: &Draft<'_>) -> ChatMessage {
    ChatMessage::new(draft).expect("a valid draft")
}

/// Every example, in the order of the page.
pub fn all() -> Vec<(&'static str, Wire)> {
    let coord = || Some(coordinator());
    let mut all: Vec<(&str, Wire)> = frames(coord)
        .into_iter()
        .map(|(name, message)| (name, Wire::Frame(message)))
        .collect();
    let room = || "lobby".to_string();
    let datagrams = [
        (
            "JOIN_REQUEST datagram",
            Datagram::JoinRequest(join_request()),
        ),
        (
            "HEARTBEAT datagram",
            Datagram::Heartbeat {
                room: room(),
                coordinator: coordinator(),
                members: 2,
                nick: None,
            },
        ),
        (
            "REFERRAL datagram",
            Datagram::Referral {
                room: room(),
                coordinator: coordinator(),
            },
        ),
        (
            "BEAT_REQUEST datagram",
            Datagram::BeatRequest {
                room: room(),
                key: BOB,
            },
        ),
    ];
    all.extend(datagrams.map(|(name, d)| (name, Wire::Datagram(d))));
    all
}

fn frames(coord: impl Fn() -> Option<Coordinator>) -> Vec<(&'static str, Message)> {
    let [introduction, answering, proof, answering_proof] = proofs();
    let id = |origin, seq| MessageId { origin, seq };
    let first = Position::new(NOW, ANA, 1);
    let newest = Position::new(NOW + 1, BOB, 1);
    let later = Draft {
        dependencies: vec![id(ANA, 7), id(EVA, 300)].into(),
        seq: 301,
        text: "".into(),
        ..answer()
    };
    vec![
        ("HELLO", Message::Hello(hello())),
        (
            "HELLO of a member",
            Message::Hello(Hello {
                key: ANA,
                nick: "ana".into(),
                round: 2,
                addresses: ana().addresses,
                coordinator: coord(),
                ..hello()
            }),
        ),
        (
            "HELLO of a member that holds more than it claims",
            Message::Hello(Hello {
                key: ANA,
                nick: "ana".into(),
                round: 3,
                addresses: ana().addresses,
                coordinator: coord(),
                floor: Some(newest),
                clock: NOW + 1,
                oldest: Some(Position::new(NOW, ANA, 1)),
                ..hello()
            }),
        ),
        (
            "JOIN_REQUEST on a link, of a coordinator of another group",
            Message::JoinRequest(JoinRequest {
                attempt: 1,
                id: Some(4),
                next_id: 9,
                view_version: 17,
                office: true,
                no: 3,
                ..join_request()
            }),
        ),
        (
            "JOIN_RESPONSE",
            Message::JoinResponse(JoinResponse {
                id: 2,
                view: view(),
                clock: NOW + 1,
                newest,
                floor: None,
                lost: vec![Key(0x1d)],
                no: 3,
            }),
        ),
        (
            "PEER_UPDATE, a whole view",
            Message::PeerUpdate(PeerUpdate {
                members: view().members,
                ..update(UpdateKind::Whole, bob())
            }),
        ),
        (
            "PEER_UPDATE, joined",
            Message::PeerUpdate(update(UpdateKind::Joined, bob())),
        ),
        (
            "PEER_UPDATE, left",
            Message::PeerUpdate(update(UpdateKind::Left, bob())),
        ),
        (
            "PEER_UPDATE, lost",
            Message::PeerUpdate(update(UpdateKind::Lost, bob())),
        ),
        (
            "PEER_UPDATE, changed",
            Message::PeerUpdate(update(UpdateKind::Renamed, bob())),
        ),
        ("VIEW_REQUEST", Message::ViewRequest),
        (
            "CHAT_MESSAGE",
            Message::Chat(vec![written(&first_line()), written(&second_line())]),
        ),
        (
            "PRIVATE",
            Message::Private(Private {
                from: 2,
                nick: "bob".into(),
                sent_at: NOW_MS,
                text: "só para ti".into(),
            }),
        ),
        (
            "ELECTION",
            Message::Election {
                id: 2,
                forced: false,
            },
        ),
        (
            "ELECTION_OK, the answerer takes over",
            Message::ElectionOk { coordinator: None },
        ),
        (
            "ELECTION_OK, there is a live coordinator",
            Message::ElectionOk {
                coordinator: coord(),
            },
        ),
        (
            "COORDINATOR_ANNOUNCEMENT",
            Message::CoordinatorAnnouncement(View {
                left: vec![Key(0x1d)],
                ..view()
            }),
        ),
        (
            "PING",
            Message::Ping {
                coordinator: coord(),
            },
        ),
        ("PONG", Message::Pong { coordinator: None }),
        ("PROBE", Message::Probe(ANA)),
        ("PROBE_ANSWER", Message::ProbeAnswer(ANA)),
        (
            "SYNC",
            Message::Sync(Sync {
                no: 5,
                floor: Position::default(),
                digest: sum(&[first_line()]).digest(1),
                count: 1,
                back: false,
            }),
        ),
        (
            "SYNC_ANSWER",
            Message::SyncAnswer(SyncAnswer {
                no: 5,
                equal: false,
                floor: Position::default(),
                newest: Some(newest),
                parts: vec![part(newest, 2, sum(&[first_line(), answer()]))],
            }),
        ),
        (
            "FETCH",
            Message::Fetch(Fetch {
                no: 5,
                after: Position::default(),
                spans: vec![Span::new(Position::default(), Position::END)],
                skip: Vec::new(),
                floor: None,
                want: Vec::new(),
            }),
        ),
        (
            "FETCH of what is missing below the floor",
            Message::Fetch(Fetch {
                no: 6,
                after: Position::default(),
                spans: vec![Span::new(newest, Position::END)],
                skip: vec![SeqRange::new(ANA, 1, 1), SeqRange::new(ANA, 9, 12)],
                floor: Some(newest),
                want: vec![SeqRange::new(ANA, 2, 8)],
            }),
        ),
        (
            "CHUNK, more to come",
            Message::Chunk(Chunk {
                no: 5,
                next: Some(newest),
                messages: vec![written(&answer())],
            }),
        ),
        (
            "CHUNK, the last one",
            Message::Chunk(Chunk {
                no: 5,
                next: None,
                messages: vec![written(&later)],
            }),
        ),
        ("BEHIND", Message::Behind),
        ("ACK", Message::Ack(ack())),
        (
            "ACK with something missed",
            Message::Ack(Ack {
                from: 301,
                seq: 400,
                missed: vec![(301, 350), (360, 360)],
            }),
        ),
        ("RENAME", Message::Rename("robert".into())),
        ("LEAVE", Message::Leave),
        ("REFERRAL", Message::Referral(coordinator())),
        (
            "STABLE to a new member",
            Message::Stable(Stable {
                from: Some(251),
                said: 300,
                stable: 280,
            }),
        ),
        (
            "STABLE",
            Message::Stable(Stable {
                from: None,
                said: 400,
                stable: 400,
            }),
        ),
        ("RELAY", Message::Relay(relay())),
        ("RELAY of a request", Message::Relay(carried_request())),
        ("INTRODUCTION of the dialler", introduction),
        ("INTRODUCTION of the acceptor", answering),
        ("PROOF of the dialler", proof),
        ("PROOF of the acceptor", answering_proof),
        (
            "COMPARE",
            Message::Compare(Compare {
                no: 5,
                spans: vec![
                    Span::new(Position::default(), first),
                    Span::new(first, newest),
                ],
            }),
        ),
        ("COMPARISON", Message::Comparison(comparison(first, newest))),
    ]
}

/// A RELAY between the nodes of the examples of INTRODUCTION.
fn relay() -> Relay {
    let [from, to] = [2, 1].map(|n| Credentials::of_seed("lobby", None, &[n; 32]));
    from.seal(&Relay {
        from: from.key(),
        to: to.key(),
        ack: Some(ack()),
        stable: None,
        request: None,
        seal: None,
    })
}

/// A request of the second of these nodes that somebody else carries to the first.
fn carried_request() -> Relay {
    let [from, to] = [2, 1].map(|n| Credentials::of_seed("lobby", None, &[n; 32]));
    let fields = JoinRequest {
        key: from.key(),
        attempt: 3,
        ..join_request()
    };
    from.seal(&Relay {
        from: from.key(),
        to: to.key(),
        ack: None,
        stable: None,
        request: Some(Box::new(CarriedRequest { turn: 1, fields })),
        seal: None,
    })
}

/// INTRODUCTIONs and PROOFs of a link between fixed keys.
fn proofs() -> [Message; 4] {
    let person = Person::of_seed(&[5; 32]);
    let ana = Credentials::of_seed("lobby", Some(&person), &[1; 32]);
    let bob = Credentials::of_seed("lobby", None, &[2; 32]);
    let mut dialler = LinkProof::with_nonce(&Rc::new(ana), Role::Dialler, [3; 32]);
    let mut acceptor = LinkProof::with_nonce(&Rc::new(bob), Role::Acceptor, [4; 32]);
    let (first, second) = (dialler.introduction(), acceptor.introduction());
    let (Message::Introduction(a), Message::Introduction(b)) = (&first, &second) else {
        panic!("these are INTRODUCTIONs");
    };
    let of_dialler = dialler.on_introduction(b.clone(), None).expect("its place");
    let of_acceptor = acceptor
        .on_introduction(a.clone(), None)
        .expect("its place");
    [first, second, of_dialler, of_acceptor]
}

fn comparison(first: Position, newest: Position) -> Comparison {
    let inside = Position::new(NOW - 1, ANA, 7);
    let parts = vec![
        part(inside, 70, sum(&[first_line()])),
        part(first, 71, sum(&[answer()])),
    ];
    let item = Item {
        position: newest,
        hash: sum(&[answer()]).short(),
    };
    let contents = |parts, items| Contents { parts, items };
    Comparison {
        no: 5,
        spans: vec![
            contents(Some(parts), None),
            contents(None, Some(vec![item])),
        ],
    }
}

fn part(upto: Position, count: u64, sum: Sum) -> Part {
    Part { upto, count, sum }
}

/// The sum of these messages.
pub fn sum(drafts: &[Draft<'_>]) -> Sum {
    Sum::of(&drafts.iter().map(written).collect::<Vec<_>>())
}
