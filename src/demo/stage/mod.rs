//! A stage: nodes in virtual time, on a network that obeys.
//!
//! Owns the nodes, the streams and datagrams between them, and the time, which moves exactly from one event to the
//! next. The nodes are those of the program. The same seed gives the same play: there is no clock here and no
//! randomness but the seed's. It knows nothing of lessons, and every node is tapped, so that all of it is a trace.

mod network;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::limits::{DEMO_NODES_MAX, UNSTABLE_BYTES_MAX, UNSTORED_BYTES_MAX, WAITING_MAX};
use crate::node::{Command, Config, Effect, Event, Input, LinkId, Node, Now, Outbox, Time, Timer};
use crate::trace::{Tap, is_noise, name_of};
use crate::wire::{Address, Datagram, Key, Message};

/// When the play begins on the clock on the wall, in milliseconds since 1970: any moment will do.
const WALL_START_MS: u64 = 1_750_000_000_000;
/// Where each node listens, on a host of its own.
const PORT: u16 = 28_783;
/// How many of the last messages are remembered.
pub const RECENT_MAX: usize = 40;
/// The room.
const ROOM: &str = "stage";

/// How a process is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It runs.
    Up,
    /// It is frozen since then: its system goes on for it.
    Frozen(u64),
    /// It was killed, or has left.
    Gone,
}

/// One process.
#[derive(Debug)]
pub struct Actor {
    node: Node,
    tap: Tap,
    nick: String,
    address: SocketAddr,
    state: State,
    timers: BTreeMap<Timer, Time>,
    /// What came while it did not run.
    waiting: VecDeque<Coming>,
}

/// A stream, with both of its ends: who, and the link's number once it has one.
#[derive(Debug)]
struct Stream {
    ends: [(usize, Option<LinkId>); 2],
    open: [bool; 2],
    /// When the last thing arrives that was sent from each end: nothing overtakes it.
    last: [u64; 2],
}

/// Something on its way to a process.
#[derive(Clone, Debug)]
enum Coming {
    Dialled {
        stream: usize,
    },
    Accepted {
        stream: usize,
    },
    Refused {
        link: LinkId,
    },
    Message {
        stream: usize,
        end: usize,
        message: Message,
    },
    Closed {
        stream: usize,
        end: usize,
    },
    Datagram {
        from: SocketAddr,
        datagram: Datagram,
    },
}

/// A message that was sent, for people to look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// When.
    pub at: u64,
    /// By whom.
    pub from: usize,
    /// To whom.
    pub to: Vec<usize>,
    /// Its type.
    pub name: String,
}

/// The nodes and the network between them.
#[derive(Debug)]
pub struct Stage {
    actors: Vec<Actor>,
    streams: Vec<Stream>,
    links: BTreeMap<(usize, LinkId), (usize, usize)>,
    agenda: BTreeMap<(u64, u64), (usize, Coming)>,
    /// Pairs that are cut, and what waits on their streams.
    cuts: BTreeSet<(usize, usize)>,
    held: Vec<(usize, usize, Coming)>,
    now: u64,
    serial: u64,
    rng: fastrand::Rng,
    out: Outbox,
    trace: Vec<u8>,
    recent: VecDeque<Sent>,
}

impl Stage {
    /// An empty stage.
    #[must_use]
    pub fn new(seed: u64) -> Stage {
        Stage {
            actors: Vec::new(),
            streams: Vec::new(),
            links: BTreeMap::new(),
            agenda: BTreeMap::new(),
            cuts: BTreeSet::new(),
            held: Vec::new(),
            now: 0,
            serial: 0,
            rng: fastrand::Rng::with_seed(seed),
            out: Outbox::new(),
            trace: Vec::new(),
            recent: VecDeque::new(),
        }
    }

    /// The time, in microseconds since the begin.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now
    }

    /// What all nodes have done so far, as a trace.
    #[must_use]
    pub fn trace(&self) -> &[u8] {
        &self.trace
    }

    /// The last messages that were sent and are no mere signs of life, the newest first.
    pub fn recent(&self) -> impl Iterator<Item = &Sent> {
        self.recent.iter()
    }

    /// A node.
    #[must_use]
    pub fn node(&self, actor: usize) -> &Node {
        &self.actors[actor].node
    }

    /// How a process is.
    #[must_use]
    pub fn state(&self, actor: usize) -> State {
        self.actors[actor].state
    }

    /// What people call a node, with its id.
    #[must_use]
    pub fn name(&self, actor: usize) -> String {
        let it = &self.actors[actor];
        let id = it.node.id().map(|id| format!("#{id}"));
        format!("{}{}", it.nick, id.unwrap_or_default())
    }

    /// All processes that run.
    #[must_use]
    pub fn up(&self) -> Vec<usize> {
        let all = 0..self.actors.len();
        all.filter(|a| self.actors[*a].state == State::Up).collect()
    }

    /// How many processes there were so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.actors.len()
    }

    /// True while there was none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actors.is_empty()
    }

    /// Whom a node follows, itself perhaps.
    #[must_use]
    pub fn leader(&self, actor: usize) -> Option<usize> {
        let claim = self.actors[actor].node.coordinator()?;
        self.actors.iter().position(|a| a.node.key() == claim.key)
    }

    /// True if two processes cannot reach each other.
    #[must_use]
    pub fn is_cut(&self, a: usize, b: usize) -> bool {
        self.cuts.contains(&(a.min(b), a.max(b)))
    }

    /// What a node has in its history, in its order.
    #[must_use]
    pub fn texts(&self, actor: usize) -> Vec<String> {
        let history = self.actors[actor].node.history().iter();
        history.map(|m| m.text().to_owned()).collect()
    }

    /// Another process starts; its number, or nothing if there are too many.
    pub fn add(&mut self, nick: &str) -> Option<usize> {
        let number = self.actors.len();
        if number >= DEMO_NODES_MAX {
            return None;
        }
        let host = u8::try_from(number + 1).ok()?;
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, host)), PORT);
        let key = Key(self.rng.u64(1..));
        let rng = fastrand::Rng::with_seed(self.rng.u64(..));
        let mut node = Node::new(config(nick, key, address), rng);
        node.set_traced(true);
        let mut tap = Tap::new(key, ROOM, true);
        tap.head(self.clocks(), &node, false);
        self.actors.push(Actor {
            node,
            tap,
            nick: nick.to_owned(),
            address,
            state: State::Up,
            timers: BTreeMap::new(),
            waiting: VecDeque::new(),
        });
        let now = self.clocks();
        self.actors[number].node.start(now, &mut self.out);
        self.end_turn(number);
        Some(number)
    }

    /// A user wants something of a node that runs.
    pub fn command(&mut self, actor: usize, command: Command) {
        if self.actors[actor].state == State::Up {
            self.feed(actor, Input::Command(command));
            self.end_turn(actor);
        }
    }

    /// A user says something.
    pub fn say(&mut self, actor: usize, text: &str) {
        self.command(
            actor,
            Command::Say(std::iter::once(text.to_owned()).collect()),
        );
    }

    /// The process is killed: its system closes what it had open.
    pub fn kill(&mut self, actor: usize) {
        if self.actors[actor].state != State::Gone {
            self.fate(actor, "killed", None);
            self.end(actor);
        }
    }

    /// The process does not run any more, and its system goes on.
    pub fn freeze(&mut self, actor: usize) {
        if self.actors[actor].state == State::Up {
            self.fate(actor, "frozen", None);
            self.actors[actor].state = State::Frozen(self.now);
        }
    }

    /// It runs again.
    pub fn thaw(&mut self, actor: usize) {
        let State::Frozen(since) = self.actors[actor].state else {
            return;
        };
        self.fate(actor, "thawed", None);
        self.actors[actor].state = State::Up;
        if self.now - since > 1_000_000 {
            self.feed(actor, Input::Away);
        }
        while let Some(coming) = self.actors[actor].waiting.pop_front() {
            self.arrive(actor, coming);
        }
        self.end_turn(actor);
    }

    /// Two processes cannot reach each other from now on.
    pub fn cut(&mut self, a: usize, b: usize) {
        if a != b && self.cuts.insert((a.min(b), a.max(b))) {
            let keys = [self.actors[a].node.key(), self.actors[b].node.key()];
            self.fate(a, "cut", Some(keys[1]));
            self.fate(b, "cut", Some(keys[0]));
        }
    }

    /// They can again; what their systems had kept goes out.
    pub fn heal(&mut self, a: usize, b: usize) {
        if !self.cuts.remove(&(a.min(b), a.max(b))) {
            return;
        }
        let keys = [self.actors[a].node.key(), self.actors[b].node.key()];
        self.fate(a, "healed", Some(keys[1]));
        self.fate(b, "healed", Some(keys[0]));
        for (from, to, coming) in std::mem::take(&mut self.held) {
            self.send(from, to, coming);
        }
    }

    /// Lets so much time pass.
    pub fn pass(&mut self, time: Duration) {
        let until = self.now + u64::try_from(time.as_micros()).unwrap_or(u64::MAX / 2);
        self.run_until(until, |_| false);
    }

    /// Lets time pass until this is so; false if it is not after `limit`.
    pub fn wait(&mut self, limit: Duration, is_so: impl Fn(&Stage) -> bool) -> bool {
        let until = self.now + u64::try_from(limit.as_micros()).unwrap_or(u64::MAX / 2);
        self.run_until(until, is_so)
    }

    fn run_until(&mut self, until: u64, is_so: impl Fn(&Stage) -> bool) -> bool {
        while !is_so(self) {
            if !self.step(until) {
                self.now = until;
                return is_so(self);
            }
        }
        true
    }

    /// The next thing happens, if one does by then.
    pub fn step(&mut self, until: u64) -> bool {
        let arrival = self.agenda.first_key_value().map(|(at, _)| *at);
        let timers = self
            .actors
            .iter()
            .enumerate()
            .filter(|(_, a)| a.state == State::Up);
        let due = timers.flat_map(|(i, a)| a.timers.iter().map(move |(t, at)| (at.0, i, *t)));
        let due = due.min();
        let next_arrival = arrival.map_or(u64::MAX, |(at, _)| at);
        let next_timer = due.map_or(u64::MAX, |(at, ..)| at);
        let next = next_arrival.min(next_timer).max(self.now);
        if next > until || next == u64::MAX {
            return false;
        }
        self.now = next;
        match due {
            Some((at, actor, timer)) if at < next_arrival => {
                self.actors[actor].timers.remove(&timer);
                self.feed(actor, Input::Timer(timer));
                self.end_turn(actor);
            }
            _ => {
                if let Some((_, (actor, coming))) = self.agenda.pop_first() {
                    self.deliver(actor, coming);
                }
            }
        }
        true
    }

    fn feed(&mut self, actor: usize, input: Input) {
        let now = self.clocks();
        let (links, it) = (&self.links, &mut self.actors[actor]);
        it.tap.input(now, &input, |link| {
            let stream = links.get(&(actor, link));
            stream
                .map(|(stream, _)| format!("stream {stream}"))
                .unwrap_or_default()
        });
        it.node.handle(now, input, &mut self.out);
        self.carry_out(actor);
    }

    fn end_turn(&mut self, actor: usize) {
        self.carry_out(actor);
        let now = self.clocks();
        if self.actors[actor].state == State::Up {
            self.actors[actor].node.end_turn(now, &mut self.out);
            self.carry_out(actor);
        }
        self.trace.append(self.actors[actor].tap.lines());
    }

    fn carry_out(&mut self, actor: usize) {
        let now = self.clocks();
        let mut out = std::mem::take(&mut self.out);
        let it = &mut self.actors[actor];
        it.tap.output(now, &it.node, &out);
        for effect in out.drain(..) {
            self.do_one(actor, effect);
        }
        self.out = out;
    }

    fn do_one(&mut self, actor: usize, effect: Effect) {
        match effect {
            Effect::Send { to, message, .. } => {
                self.note(actor, &to, &message);
                for link in to {
                    self.send_message(actor, link, message.clone());
                }
            }
            Effect::Multicast(datagram) => {
                let others = (0..self.actors.len()).filter(|other| *other != actor);
                for other in others.collect::<Vec<_>>() {
                    self.send_datagram(actor, other, datagram.clone());
                }
            }
            Effect::Unicast { to, datagram } => {
                let other = self.actors.iter().position(|a| a.address.ip() == to.ip());
                if let Some(other) = other.filter(|other| *other != actor) {
                    self.send_datagram(actor, other, datagram);
                }
            }
            Effect::Dial { link, to, .. } => self.dial(actor, link, to),
            Effect::Close { link, how } => self.close(actor, link, how),
            Effect::SetTimer { timer, at } => {
                let soon = Time(self.now + 1);
                self.actors[actor].timers.insert(timer, at.max(soon));
            }
            Effect::CancelTimer(timer) => drop(self.actors[actor].timers.remove(&timer)),
            Effect::Show(Event::Left { .. }) => self.end(actor),
            // Nobody has a store here, and what is shown is in the trace.
            Effect::FetchStored { .. } | Effect::Show(_) | Effect::Note(_) => {}
        }
    }

    fn note(&mut self, from: usize, links: &[LinkId], message: &Message) {
        let name = name_of(message);
        if is_noise(name) {
            return;
        }
        let ends = links
            .iter()
            .filter_map(|link| self.links.get(&(from, *link)));
        let to = ends.map(|(stream, end)| self.streams[*stream].ends[1 - end].0);
        let to = to.collect();
        self.recent.truncate(RECENT_MAX - 1);
        let (at, name) = (self.now, name.to_owned());
        self.recent.push_front(Sent { at, from, to, name });
    }

    fn fate(&mut self, actor: usize, fate: &str, peer: Option<Key>) {
        let now = self.clocks();
        self.actors[actor].tap.fate(now, fate, peer);
        self.trace.append(self.actors[actor].tap.lines());
    }

    fn clocks(&self) -> Now {
        Now {
            time: Time(self.now),
            wall_ms: WALL_START_MS + self.now / 1_000,
        }
    }
}

fn config(nick: &str, key: Key, address: SocketAddr) -> Config {
    Config {
        room: ROOM.to_owned(),
        nick: nick.to_owned(),
        key,
        port: address.port(),
        addresses: vec![Address(address)],
        peers: Vec::new(),
        heartbeat: Duration::from_millis(250),
        failure_timeout: Duration::from_secs(1),
        history_max: 10_000,
        wants_history: true,
        confirms_printed: false,
        unstable_bytes_max: UNSTABLE_BYTES_MAX,
        unstored_bytes_max: UNSTORED_BYTES_MAX,
        waiting_max: WAITING_MAX,
        #[cfg(feature = "weaknesses")]
        weakened: None,
    }
}
