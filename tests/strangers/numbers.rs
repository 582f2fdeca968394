//! Every number that comes from others, at each of its ends: in each message, one place after the other and
//! several at once, from a stranger, a member and a coordinator.
//!
//! A node breaks over none of them (it is built so that a count that overflows is a panic), goes on talking with
//! those who are honest, and lets newcomers in with ids of their own once the liar is gone.

use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;
use papo::node::{Closed, Command, Event, Input, LinkId};
use papo::wire::{
    Ack, CarriedRequest, ChatMessage, Chunk, Compare, Comparison, Contents, Coordinator, Datagram,
    Digest, Draft, Fetch, Hello, Item, JoinRequest, JoinResponse, Key, Message, MessageId, Part,
    PeerUpdate, Position, Private, Relay, SeqRange, Span, Stable, Sum, Sync, SyncAnswer,
    UpdateKind, decode_datagram, decode_message, encode_datagram, encode_frame,
};

use super::bench::{self, Bench, ROOM, address_of};
use super::raw::Raw;
use super::words::{said, stable};
use super::{ME, MEMBER, STRANGER, claim, coordinator, member, request, unequal, view, welcome};

/// A member that says only what is true.
const HONEST: u64 = 61;
const NEWCOMER: u64 = 80;
/// Above it no joiner raises an id.
const BROUGHT_MAX: u64 = 1 << 32;
const ID_MAX: u64 = 1 << 53;
/// More ids than that are not given here.
const FEW: u64 = 20;
/// How long the room may take to be itself again once the liar is gone.
const AGAIN: Duration = Duration::from_secs(60);

const ENDS: [u64; 11] = [
    0,
    1,
    2,
    BROUGHT_MAX,
    ID_MAX - 1,
    ID_MAX,
    ID_MAX + 1,
    1 << 63,
    (1 << 63) - 1,
    u64::MAX - 1,
    u64::MAX,
];

/// Who lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Liar {
    Stranger,
    Member,
    Coordinator,
}

/// A node, an honest member, and somebody who lies.
struct Scene {
    bench: Bench,
    who: Liar,
    liar: LinkId,
    honest: LinkId,
    /// How many lines the honest member has said.
    said: u64,
}

/// What is asked before the lie answers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum After {
    Nothing,
    Sync,
    Fetch,
    Compare,
}

impl Scene {
    fn new(who: Liar) -> Scene {
        let (mut bench, liar, honest);
        if who == Liar::Coordinator {
            bench = Bench::new(ME, 1);
            liar = bench.accept(MEMBER, 0);
            let all = [(1, MEMBER), (2, HONEST), (3, ME)];
            bench.tell(liar, welcome(MEMBER, 3, view(MEMBER, 5, &all)));
            bench.pass(Duration::from_millis(10));
            honest = bench.accept(HONEST, 0);
        } else {
            let (made, true_link) = coordinator();
            bench = made;
            honest = bench.accept(HONEST, 0);
            bench.tell(honest, Message::JoinRequest(request(HONEST)));
            liar = match who {
                Liar::Stranger => bench.accept(STRANGER, 0),
                _ => true_link,
            };
        }
        assert!(bench.node.members().iter().any(|m| m.key == Key(HONEST)));
        bench.tell(honest, stable(Some(1), 0));
        let mut scene = Scene {
            bench,
            who,
            liar,
            honest,
            said: 0,
        };
        scene.hears("at first");
        scene.bench.feed(say("of its own"));
        scene.bench.pass(Duration::from_millis(100));
        scene
    }

    fn liars_key(&self) -> u64 {
        match self.who {
            Liar::Stranger => STRANGER,
            _ => MEMBER,
        }
    }

    fn leader(&self) -> u64 {
        match self.who {
            Liar::Coordinator => MEMBER,
            _ => ME,
        }
    }

    /// Time goes by; those who live say so.
    fn pass(&mut self, time: Duration) {
        self.bench.pass(time);
        for link in [self.honest, self.liar] {
            if self.bench.links.contains(&link) {
                self.bench.tell(link, Message::Ping { coordinator: None });
            }
        }
    }

    /// Until this is so; false if it never is.
    fn comes(&mut self, so: impl Fn(&mut Scene) -> bool) -> bool {
        let until = self.bench.now.time + AGAIN;
        while !so(self) {
            if self.bench.now.time >= until {
                return false;
            }
            self.pass(Duration::from_millis(400));
        }
        true
    }

    /// A line of the honest member is shown, and its PING answered.
    fn hears(&mut self, what: &str) {
        self.said += 1;
        let seq = self.said;
        let now = self.bench.now.wall_ms << 16;
        self.bench.sent.clear();
        let line = Message::Chat(vec![said(HONEST, seq, now)]);
        self.bench.tell(self.honest, line);
        let ping = Message::Ping { coordinator: None };
        self.bench.tell(self.honest, ping);
        let sent = self.bench.take_sent(self.honest);
        let pong = |m: &Message| matches!(m, Message::Pong { .. });
        assert!(sent.iter().any(pong), "{what}: {sent:?}");
        let is_shown = |scene: &mut Scene| {
            let mut shown = scene.bench.events.iter().filter_map(|event| match event {
                Event::Messages { messages, .. } => Some(messages),
                _ => None,
            });
            shown.any(|messages| {
                let mut all = messages.iter();
                all.any(|m| (m.origin(), m.seq()) == (Key(HONEST), seq))
            })
        };
        assert!(self.comes(is_shown), "{what}: line {seq} is not shown");
    }

    /// A line of the node's own is confirmed.
    fn is_confirmed(&mut self, what: &str) {
        self.bench.sent.clear();
        self.bench.events.clear();
        self.bench.feed(say("mine"));
        self.bench.end_turn();
        let sent = self.bench.take_sent(self.honest);
        let seq = sent.iter().find_map(|m| match m {
            Message::Chat(messages) => messages.last().map(ChatMessage::seq),
            _ => None,
        });
        let seq = seq.unwrap_or_else(|| panic!("{what}: it is not sent: {sent:?}"));
        let missed = Vec::new();
        let ack = Message::Ack(Ack {
            from: 1,
            seq,
            missed,
        });
        self.bench.tell(self.honest, ack);
        let is_delivered = |scene: &mut Scene| {
            let mut events = scene.bench.events.iter();
            events.any(|e| matches!(e, Event::Delivered { last, confirmed, .. } if *last >= seq && *confirmed > 0))
        };
        assert!(self.comes(is_delivered), "{what}: {seq} is not confirmed");
    }

    /// The liar goes away, and the room is as good as before.
    fn recovers(mut self, what: &str, brought: u64) {
        self.hears(what);
        let (link, why) = (self.liar, Closed::Ended);
        self.bench.feed(Input::Closed { link, why });
        let leads = |scene: &mut Scene| {
            let leader = scene.bench.node.coordinator();
            leader.is_some_and(|c| c.key == Key(ME))
        };
        assert!(self.comes(leads), "{what}: nobody coordinates");
        let members = || self.bench.node.members();
        if !members().iter().any(|m| m.key == Key(HONEST)) {
            // A coordinator that lied has put it out.
            let asks = Message::JoinRequest(request(HONEST));
            self.bench.tell(self.honest, asks);
        }
        self.hears(what);
        self.is_confirmed(what);
        let newcomer = self.bench.accept(NEWCOMER, 0);
        let asks = Message::JoinRequest(request(NEWCOMER));
        self.bench.tell(newcomer, asks);
        let sent = self.bench.take_sent(newcomer);
        let id = sent.iter().find_map(|m| match m {
            Message::JoinResponse(response) => Some(response.id),
            _ => None,
        });
        let id = id.unwrap_or_else(|| panic!("{what}: nobody is let in: {sent:?}"));
        let most = match self.who {
            Liar::Coordinator => ID_MAX,
            _ if brought == BROUGHT_MAX => BROUGHT_MAX + FEW,
            _ => FEW,
        };
        assert!(id <= most, "{what}: the newcomer has id {id}");
        let members = self.bench.node.members();
        let ids: BTreeSet<_> = members.iter().map(|m| m.id).collect();
        assert_eq!(ids.len(), members.len(), "{what}: {members:?}");
    }
}

fn say(text: &str) -> Input {
    Input::Command(Command::Say([text].into_iter().collect()))
}

/// What the liar says of the group, of which each number is made to lie.
fn of_the_group(scene: &Scene) -> Vec<Message> {
    let (liar, leader) = (scene.liars_key(), scene.leader());
    let version = scene.bench.node.view_version();
    let clock = scene.bench.now.wall_ms << 16;
    let claimed = Some(claim(1, leader, version));
    let mut whole = view(leader, version + 1, &[(1, leader), (2, liar), (3, ME)]);
    if leader != ME {
        whole = view(leader, version + 1, &[(1, leader), (2, HONEST), (3, ME)]);
    }
    (whole.clock, whole.left) = (clock, vec![Key(7)]);
    let step = |kind, members| {
        Message::PeerUpdate(PeerUpdate {
            coordinator: Key(leader),
            version: version + 1,
            next_id: 9,
            kind,
            members,
            clock,
        })
    };
    let asks = JoinRequest {
        id: Some(2),
        next_id: 9,
        view_version: version,
        ..request(liar)
    };
    let lets_in = JoinResponse {
        id: 3,
        view: whole.clone(),
        clock,
        newest: Position::new(clock, Key(liar), 1),
        floor: Some(Position::new(clock, Key(liar), 1)),
        lost: Vec::new(),
        no: 0,
    };
    let coordinator = claimed.clone();
    vec![
        Message::JoinRequest(asks.clone()),
        Message::Relay(Relay {
            from: Key(liar),
            to: Key(ME),
            ack: None,
            stable: None,
            request: Some(Box::new(CarriedRequest {
                turn: 1,
                fields: asks,
            })),
            seal: None,
        }),
        Message::JoinResponse(lets_in),
        step(UpdateKind::Whole, whole.members.clone()),
        step(UpdateKind::Joined, vec![member(9, 90)]),
        step(UpdateKind::Left, vec![member(9, 90)]),
        step(UpdateKind::Lost, vec![member(2, liar)]),
        step(UpdateKind::Renamed, vec![member(1, leader)]),
        Message::Election {
            id: 2,
            forced: false,
        },
        Message::Election {
            id: 2,
            forced: true,
        },
        Message::ElectionOk {
            coordinator: claimed.clone(),
        },
        Message::CoordinatorAnnouncement(whole),
        Message::Ping {
            coordinator: claimed.clone(),
        },
        Message::Pong {
            coordinator: claimed,
        },
        Message::Referral(coordinator.expect("it is named")),
        Message::Probe(Key(HONEST)),
        Message::ProbeAnswer(Key(HONEST)),
    ]
}

/// What it says of lines and histories; `no` is that of the exchange that goes on.
fn of_the_talk(scene: &Scene, no: u64) -> Vec<(After, Message)> {
    let liar = scene.liars_key();
    let now = scene.bench.now.wall_ms << 16;
    let at = Position::new(now, Key(liar), 1);
    let newest = scene.bench.node.history().newest();
    let line = |seq| {
        let cause = MessageId {
            origin: Key(HONEST),
            seq: 1,
        };
        let own = said(liar, seq, now);
        let draft = Draft {
            dependencies: vec![cause].into(),
            ..own.draft()
        };
        ChatMessage::new(&draft).expect("it keeps the rules")
    };
    let sum = Sum::default();
    let parts = vec![Part {
        upto: at.max(newest),
        count: 1,
        sum,
    }];
    let range = || vec![SeqRange::new(Key(HONEST), 1, 3)];
    let ack = |from, missed| Ack {
        from,
        seq: 5,
        missed,
    };
    let stable = |from| Stable {
        from,
        said: 3,
        stable: 2,
    };
    let items = vec![Item {
        position: at,
        hash: 5,
    }];
    vec![
        (After::Nothing, Message::Chat(vec![line(1), line(2)])),
        (After::Fetch, {
            let next = Some(at);
            let messages = vec![line(1)];
            Message::Chunk(Chunk { no, next, messages })
        }),
        (After::Nothing, {
            let (nick, text) = ("n".to_owned(), "t".to_owned());
            let (from, sent_at) = (2, 5);
            Message::Private(Private {
                from,
                nick,
                sent_at,
                text,
            })
        }),
        (After::Nothing, Message::Ack(ack(1, Vec::new()))),
        (After::Nothing, Message::Ack(ack(2, vec![(2, 3), (5, 5)]))),
        (After::Nothing, Message::Stable(stable(Some(1)))),
        (After::Nothing, Message::Stable(stable(None))),
        (After::Nothing, {
            let (from, to, seal) = (Key(liar), Key(ME), None);
            let (ack, stable) = (Some(ack(2, vec![(2, 3)])), Some(stable(Some(1))));
            Message::Relay(Relay {
                from,
                to,
                ack,
                stable,
                request: None,
                seal,
            })
        }),
        (After::Nothing, {
            Message::Sync(Sync {
                no: 1,
                floor: at,
                digest: Digest([1; 16]),
                count: 2,
                back: false,
            })
        }),
        (After::Sync, {
            Message::SyncAnswer(SyncAnswer {
                no,
                equal: false,
                floor: Position::default(),
                newest: Some(at),
                parts: parts.clone(),
            })
        }),
        (After::Nothing, {
            Message::Fetch(Fetch {
                no: 1,
                after: at,
                spans: vec![Span::new(Position::default(), at)],
                skip: range(),
                floor: Some(at),
                want: range(),
            })
        }),
        (After::Nothing, {
            let spans = vec![Span::new(Position::default(), at)];
            Message::Compare(Compare { no: 1, spans })
        }),
        (After::Compare, {
            let contents = |parts, items| Contents { parts, items };
            let earlier = Part {
                upto: Position::new(1, Key(HONEST), 1),
                ..parts[0]
            };
            let two = vec![earlier, parts[0]];
            let spans = vec![contents(Some(two), None), contents(None, Some(items))];
            Message::Comparison(Comparison { no, spans })
        }),
    ]
}

/// The node asks the liar, up to this; the result is the number of the exchange.
fn ask(scene: &mut Scene, after: After) -> Option<u64> {
    if after == After::Nothing {
        return None;
    }
    let (bench, link) = (&mut scene.bench, scene.liar);
    bench.take_sent(link);
    bench.tell(link, Message::Behind);
    let mut asked = bench.take_sent(link).into_iter();
    let no = asked.find_map(|m| match m {
        Message::Sync(sync) => Some(sync.no),
        _ => None,
    })?;
    let answer = match after {
        After::Fetch => unequal(no),
        After::Compare => Message::SyncAnswer(SyncAnswer {
            no,
            equal: false,
            floor: Position::default(),
            newest: Some(bench.node.history().newest()),
            parts: vec![Part {
                upto: bench.node.history().newest(),
                count: 2,
                sum: Sum::default(),
            }],
        }),
        After::Sync | After::Nothing => return Some(no),
    };
    bench.tell(link, answer);
    Some(no)
}

/// The item with each of its numbers at each end, one at a time; then with several at once. The type stays.
fn lies(whole: &Raw, several: usize, f: &mut dyn FnMut(&[u8], u64)) {
    let is_number = |at: &usize| {
        let uint = |raw: &Raw| matches!(raw, Raw::Uint(_)).then(|| raw.clone());
        whole.with_place(*at, &uint).is_some()
    };
    // Behind the array stands the type.
    let places: Vec<usize> = (2..whole.places()).filter(is_number).collect();
    for at in &places {
        for end in ENDS {
            let lie = whole.with_place(*at, &|_| Some(Raw::Uint(end)));
            f(&lie.expect("a place").write(), end);
        }
    }
    let mut rng = Rng::with_seed(17);
    for _ in 0..several.min(places.len() * 4) {
        let mut lie = whole.clone();
        let mut brought = 0;
        for at in &places {
            let end = ENDS[rng.usize(0..ENDS.len())];
            if rng.bool() {
                brought = if brought == BROUGHT_MAX { brought } else { end };
                let changed = lie.with_place(*at, &|_| Some(Raw::Uint(end)));
                lie = changed.expect("a place");
            }
        }
        f(&lie.write(), brought);
    }
}

fn item_of(message: &Message) -> Raw {
    let frame = encode_frame(message).expect("it keeps the rules");
    Raw::read(&frame[4..]).expect("it is well-formed")
}

/// Each number of each message of this liar; the number of cases that a decoder takes.
fn each_number(who: Liar) -> usize {
    let mut cases = 0;
    let group = of_the_group(&Scene::new(who)).into_iter();
    let group = group.map(|message| (After::Nothing, message));
    let talk = of_the_talk(&Scene::new(who), 1);
    for (n, (after, template)) in group.chain(talk).enumerate() {
        lies(&item_of(&template), 40, &mut |item, end| {
            let mut scene = Scene::new(who);
            let no = ask(&mut scene, after);
            let Ok(mut lie) = decode_message(item) else {
                return;
            };
            match (&mut lie, no) {
                // The number of the exchange is tried where nothing is under way.
                (Message::Chunk(m), Some(no)) => m.no = no,
                (Message::SyncAnswer(m), Some(no)) => m.no = no,
                (Message::Comparison(m), Some(no)) => m.no = no,
                _ => {}
            }
            let what = format!("{who:?} {n} {lie:?}");
            cases += 1;
            scene.bench.tell(scene.liar, lie.clone());
            scene.bench.end_turn();
            scene.pass(Duration::from_millis(300));
            scene.bench.tell(scene.liar, lie);
            scene.recovers(&what, end);
        });
    }
    cases
}

#[test]
fn a_strangers_numbers_at_their_ends_stop_nothing() {
    assert!(each_number(Liar::Stranger) > 1_000);
}

#[test]
fn a_members_numbers_at_their_ends_stop_nothing() {
    assert!(each_number(Liar::Member) > 1_000);
}

#[test]
fn a_coordinators_numbers_at_their_ends_stop_nothing() {
    assert!(each_number(Liar::Coordinator) > 1_000);
}

/// A HELLO is the first that somebody says: each lie has a link of its own.
#[test]
fn the_numbers_of_a_greeting_at_their_ends_stop_nothing() {
    for who in [Liar::Stranger, Liar::Member, Liar::Coordinator] {
        let scene = Scene::new(who);
        let clock = scene.bench.now.wall_ms << 16;
        let at = Position::new(clock, Key(scene.liars_key()), 1);
        let Message::Hello(hello) = bench::hello_of(scene.liars_key(), 1) else {
            unreachable!("it is a HELLO")
        };
        let template = Message::Hello(Hello {
            coordinator: Some(claim(1, scene.leader(), 5)),
            floor: Some(at),
            clock,
            oldest: Some(at),
            wall: scene.bench.now.wall_ms,
            ..hello
        });
        lies(&item_of(&template), 60, &mut |item, end| {
            let Ok(lie) = decode_message(item) else {
                return;
            };
            let mut scene = Scene::new(who);
            let link = scene.bench.node.new_link();
            scene.bench.links.insert(link);
            let from = address_of(scene.liars_key()).0;
            scene.bench.feed(Input::Accepted { link, from });
            let what = format!("{who:?} {lie:?}");
            scene.bench.tell(link, lie);
            scene.pass(Duration::from_millis(300));
            let why = Closed::Ended;
            if scene.bench.links.contains(&link) {
                scene.bench.feed(Input::Closed { link, why });
            }
            scene.recovers(&what, end);
        });
    }
}

#[test]
fn the_numbers_of_datagrams_at_their_ends_stop_nothing() {
    let claimed: Coordinator = claim(9, 90, 5);
    let room = ROOM.to_owned();
    let asks = JoinRequest {
        id: Some(9),
        next_id: 10,
        view_version: 5,
        ..request(90)
    };
    let templates = [
        Datagram::JoinRequest(asks),
        Datagram::Heartbeat {
            room: room.clone(),
            coordinator: claimed.clone(),
            members: 3,
            nick: None,
        },
        Datagram::Referral {
            room: room.clone(),
            coordinator: claimed,
        },
        Datagram::BeatRequest { room, key: Key(ME) },
    ];
    for template in templates {
        let bytes = encode_datagram(&template).expect("it keeps the rules");
        let (head, item) = bytes.split_at(5);
        let whole = Raw::read(item).expect("it is well-formed");
        lies(&whole, 40, &mut |item, end| {
            let Ok(lie) = decode_datagram(&[head, item].concat()) else {
                return;
            };
            for who in [Liar::Stranger, Liar::Coordinator] {
                let mut scene = Scene::new(who);
                let what = format!("{who:?} {lie:?}");
                for _ in 0..2 {
                    let from = address_of(90).0;
                    let datagram = lie.clone();
                    scene.bench.feed(Input::Datagram { from, datagram });
                    scene.pass(Duration::from_millis(300));
                }
                scene.recovers(&what, end);
            }
        });
    }
}
