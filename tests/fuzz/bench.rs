//! One `Node` alone: its links, its timers and its clock are the test's.
//!
//! It carries out timers and closings, and keeps what the node sent; nothing else happens to the
//! node but what a test does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use papo::node::{
    Close, Closed, Config, Effect, Event, Input, LinkId, Node, Now, Outbox, Peer, Time, Timer,
};
use papo::wire::{Address, Hello, Key, Message, VERSION};

pub const ROOM: &str = "lobby";

/// One node and everything that it is told.
pub struct Bench {
    pub node: Node,
    pub now: Now,
    pub timers: BTreeMap<Timer, Time>,
    /// Links that were dialled or accepted and not closed.
    pub links: BTreeSet<LinkId>,
    /// What was sent, in order.
    pub sent: Vec<(LinkId, Message)>,
    /// Dials, in order.
    pub dials: Vec<(LinkId, std::net::SocketAddr)>,
    pub events: Vec<Event>,
    /// Effects of the last input.
    pub effects: usize,
}

/// Where `key` listens, by its last byte.
pub fn address_of(key: u64) -> Address {
    Address(([127, 0, 0, 1], 20_000 + (key % 1_000) as u16).into())
}

pub fn hello_of(key: u64, round: u64) -> Message {
    Message::Hello(Hello {
        version: VERSION,
        room: ROOM.to_owned(),
        key: Key(key),
        nick: format!("n{}", key % 100),
        round,
        addresses: vec![address_of(key)],
        coordinator: None,
        floor: None,
        clock: 0,
        oldest: None,
        wall: 0,
    })
}

impl Bench {
    pub fn new(key: u64, seed: u64) -> Bench {
        Bench::with_history(key, seed, 1_000)
    }

    pub fn with_history(key: u64, seed: u64, history_max: usize) -> Bench {
        let config = Config {
            peers: vec![Peer {
                name: "peer".into(),
                addresses: Vec::new(),
            }],
            room: ROOM.to_owned(),
            nick: "me".to_owned(),
            key: Key(key),
            port: 20_000,
            addresses: vec![address_of(key)],
            heartbeat: Duration::from_millis(250),
            failure_timeout: Duration::from_secs(1),
            history_max,
            wants_history: true,
            confirms_printed: false,
            unstable_bytes_max: papo::limits::UNSTABLE_BYTES_MAX,
            unstored_bytes_max: papo::limits::UNSTORED_BYTES_MAX,
            waiting_max: papo::limits::WAITING_MAX,
            weakened: None,
        };
        let now = Now {
            time: Time(1_000_000),
            wall_ms: 1_700_000_000_000,
        };
        let mut bench = Bench {
            node: Node::new(config, fastrand::Rng::with_seed(seed)),
            now,
            timers: BTreeMap::new(),
            links: BTreeSet::new(),
            sent: Vec::new(),
            dials: Vec::new(),
            events: Vec::new(),
            effects: 0,
        };
        let mut out = Outbox::new();
        bench.node.start(now, &mut out);
        bench.carry_out(out);
        bench
    }

    pub fn feed(&mut self, input: Input) {
        if let Input::Closed { link, .. } = &input {
            self.links.remove(link);
        }
        let mut out = Outbox::new();
        self.node.handle(self.now, input, &mut out);
        self.carry_out(out);
    }

    pub fn end_turn(&mut self) {
        let mut out = Outbox::new();
        self.node.end_turn(self.now, &mut out);
        self.carry_out(out);
    }

    fn carry_out(&mut self, out: Outbox) {
        self.effects = out.len();
        let mut ended = Vec::new();
        for effect in out {
            match effect {
                Effect::Send { to, message, .. } => {
                    self.sent
                        .extend(to.into_iter().map(|link| (link, message.clone())));
                }
                Effect::Dial { link, to, .. } => {
                    self.links.insert(link);
                    self.dials.push((link, to));
                }
                Effect::Close { link, how } => {
                    let was = self.links.remove(&link);
                    if was && how == Close::Graceful {
                        ended.push(link);
                    }
                }
                Effect::SetTimer { timer, at } => drop(self.timers.insert(timer, at)),
                Effect::CancelTimer(timer) => drop(self.timers.remove(&timer)),
                Effect::Show(event) => self.events.push(event),
                Effect::Multicast(_)
                | Effect::Unicast { .. }
                | Effect::FetchStored { .. }
                | Effect::Note(_) => {}
            }
        }
        for link in ended {
            let why = Closed::Ended;
            self.feed(Input::Closed { link, why });
        }
    }

    /// Lets time pass; timers fire at their times.
    pub fn pass(&mut self, time: Duration) {
        let until = self.now.time + time;
        for _ in 0..10_000 {
            let next = self.timers.iter().min_by_key(|(_, at)| **at);
            let Some((&timer, &at)) = next.filter(|(_, at)| **at <= until) else {
                break;
            };
            self.set_time(at.max(self.now.time));
            self.timers.remove(&timer);
            self.feed(Input::Timer(timer));
            self.end_turn();
        }
        self.set_time(until);
        self.end_turn();
    }

    fn set_time(&mut self, at: Time) {
        let passed = at.since(self.now.time).as_millis();
        self.now.wall_ms += u64::try_from(passed).expect("a short time");
        self.now.time = at;
    }

    /// A peer dials and says HELLO.
    pub fn accept(&mut self, key: u64, round: u64) -> LinkId {
        self.accept_from(address_of(key + 500).0, key, round)
    }

    /// The same of somebody at this address.
    pub fn accept_from(&mut self, from: std::net::SocketAddr, key: u64, round: u64) -> LinkId {
        let link = self.node.new_link();
        self.links.insert(link);
        self.feed(Input::Accepted { link, from });
        self.tell(link, hello_of(key, round));
        link
    }

    pub fn tell(&mut self, link: LinkId, message: Message) {
        self.feed(Input::Message { link, message });
    }

    /// What was sent on this link since the last question.
    pub fn take_sent(&mut self, on: LinkId) -> Vec<Message> {
        let (taken, rest) = std::mem::take(&mut self.sent)
            .into_iter()
            .partition(|(link, _)| *link == on);
        self.sent = rest;
        taken.into_iter().map(|(_, message)| message).collect()
    }
}
