//! An election among n nodes: the coordinator's process dies, until every other node follows the
//! new one. Nodes, and messages that arrive in the next round; no bytes, no sockets, and no time
//! but that of the timers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};
use papo::node::{Close, Closed, Effect, Input, LinkId, Node, Now, Outbox, Time, Timer};
use papo::wire::{Address, Datagram, Key};

use super::material::{config, now};

/// Where the ports of the nodes begin.
const PORT: usize = 1_000;

/// Elections among 10 and 100 nodes, and among as many as one room holds.
pub fn election(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("election");
    group.sample_size(10);
    group.measurement_time(Duration::from_secs(2));
    for nodes in [10, 100] {
        let mut net: Option<Net> = None;
        group.bench_function(BenchmarkId::new("nodes", nodes), |b| {
            b.iter_custom(|elections| {
                let mut took = Duration::ZERO;
                for _ in 0..elections {
                    // A few at most are lost before the room is built anew.
                    let alive = net.as_ref().map_or(0, Net::alive);
                    if alive <= nodes - nodes / 10 {
                        net = Some(Net::new(nodes));
                    }
                    if let Some(net) = &mut net {
                        took += net.elect();
                    }
                }
                took
            });
        });
    }
    group.finish();
}

/// One end of a stream: whose, and which link of that node.
type End = (usize, LinkId);

/// Nodes and the streams between them.
struct Net {
    nodes: Vec<Option<Node>>,
    timers: Vec<BTreeMap<Timer, Time>>,
    /// The other end of each end.
    streams: BTreeMap<End, End>,
    /// What arrives, in this order.
    arriving: VecDeque<(usize, Input)>,
    out: Outbox,
    micros: u64,
}

impl Net {
    /// A room of so many nodes, each linked with each.
    fn new(count: usize) -> Net {
        let mut net = Net {
            nodes: Vec::new(),
            timers: Vec::new(),
            streams: BTreeMap::new(),
            arriving: VecDeque::new(),
            out: Outbox::new(),
            micros: 0,
        };
        for i in 0..count {
            let key = Key(1_000 + i as u64);
            let port = u16::try_from(PORT + i).unwrap_or(u16::MAX);
            let rng = fastrand::Rng::with_seed(i as u64);
            net.nodes.push(Some(Node::new(config(key, port, 100), rng)));
            net.timers.push(BTreeMap::new());
            let now = net.now();
            if let Some(node) = &mut net.nodes[i] {
                node.start(now, &mut net.out);
            }
            net.carry_out(i);
            net.run_until(|net| net.nodes[i].as_ref().is_some_and(Node::is_joined));
        }
        net.run_until(|net| {
            let nodes = net.nodes.iter().flatten();
            let mut nodes =
                nodes.map(|n| n.members().len() == count && n.peers().count() == count - 1);
            nodes.all(|complete| complete)
        });
        net
    }

    fn now(&self) -> Now {
        now(self.micros)
    }

    fn alive(&self) -> usize {
        self.nodes.iter().flatten().count()
    }

    /// Ends the coordinator's process; how long this machine works until all follow another one.
    fn elect(&mut self) -> Duration {
        let old = self.nodes.iter().flatten().find_map(Node::coordinator);
        let is_old = |n: &Option<Node>| {
            n.as_ref()
                .is_some_and(|n| Some(n.key()) == old.map(|c| c.key))
        };
        let Some(victim) = self.nodes.iter().position(is_old) else {
            return Duration::ZERO;
        };
        self.nodes[victim] = None;
        self.timers[victim].clear();
        let ends: Vec<End> = self
            .streams
            .keys()
            .filter(|e| e.0 == victim)
            .copied()
            .collect();
        for end in ends {
            self.cut(end);
        }
        let start = Instant::now();
        self.run_until(|net| {
            let mut claims = net.nodes.iter().flatten().map(Node::coordinator);
            let first = claims.next().flatten();
            first.is_some() && first != old && claims.all(|claim| claim == first)
        });
        start.elapsed()
    }

    /// The other end sees the stream's end.
    fn cut(&mut self, end: End) {
        if let Some((peer, link)) = self.streams.remove(&end) {
            self.streams.remove(&(peer, link));
            let why = Closed::Ended;
            self.arriving.push_back((peer, Input::Closed { link, why }));
        }
    }

    /// Lets everything that is under way arrive, then the next timer fire, and so on.
    fn run_until(&mut self, done: impl Fn(&Net) -> bool) {
        while !done(self) {
            // A round is one turn of every node that something arrives at.
            let mut turned = BTreeSet::new();
            for (i, input) in std::mem::take(&mut self.arriving) {
                self.feed(i, input);
                turned.insert(i);
            }
            for i in &turned {
                let now = self.now();
                if let Some(node) = &mut self.nodes[*i] {
                    node.end_turn(now, &mut self.out);
                }
                self.carry_out(*i);
            }
            if turned.is_empty() {
                self.fire_next();
            }
        }
    }

    fn fire_next(&mut self) {
        let timers = self.timers.iter().enumerate();
        let due = timers.flat_map(|(i, timers)| timers.iter().map(move |(t, at)| (*at, i, *t)));
        let Some((at, i, timer)) = due.min() else {
            panic!("nothing is under way and no timer is set");
        };
        self.timers[i].remove(&timer);
        self.micros = self.micros.max(at.0);
        self.arriving.push_back((i, Input::Timer(timer)));
    }

    fn feed(&mut self, i: usize, input: Input) {
        let now = self.now();
        if let Some(node) = &mut self.nodes[i] {
            node.handle(now, input, &mut self.out);
        }
        self.carry_out(i);
    }

    /// Does what node `i` wants.
    fn carry_out(&mut self, i: usize) {
        for effect in std::mem::take(&mut self.out) {
            match effect {
                Effect::Send { to, message, .. } => {
                    for link in to {
                        if let Some((peer, link)) = self.streams.get(&(i, link)).copied() {
                            let message = message.clone();
                            self.arriving
                                .push_back((peer, Input::Message { link, message }));
                        }
                    }
                }
                Effect::Multicast(datagram) => {
                    for peer in (0..self.nodes.len()).filter(|peer| *peer != i) {
                        self.deliver(i, peer, datagram.clone());
                    }
                }
                Effect::Unicast { to, datagram } => {
                    self.deliver(i, node_at(to), datagram);
                }
                Effect::Dial { link, to, .. } => self.dial(i, link, to),
                Effect::Close { link, how } => match how {
                    // Both sides read to the end of what was sent before.
                    Close::Graceful => {
                        let why = Closed::Ended;
                        self.cut((i, link));
                        self.arriving.push_back((i, Input::Closed { link, why }));
                    }
                    Close::Abort(_) | Close::GiveUp(_) => self.cut((i, link)),
                },
                Effect::SetTimer { timer, at } => {
                    let at = at.max(Time(self.micros + 1));
                    self.timers[i].insert(timer, at);
                }
                Effect::CancelTimer(timer) => {
                    self.timers[i].remove(&timer);
                }
                Effect::Show(_) | Effect::FetchStored { .. } | Effect::Note(_) => {}
            }
        }
    }

    fn deliver(&mut self, from: usize, to: usize, datagram: Datagram) {
        let from = address_of(from);
        self.arriving
            .push_back((to, Input::Datagram { from, datagram }));
    }

    fn dial(&mut self, i: usize, link: LinkId, to: SocketAddr) {
        let peer = node_at(to);
        let Some(Some(node)) = self.nodes.get_mut(peer) else {
            let why = Closed::Refused;
            return self.arriving.push_back((i, Input::Closed { link, why }));
        };
        let other = node.new_link();
        self.streams.insert((i, link), (peer, other));
        self.streams.insert((peer, other), (i, link));
        let from = address_of(i);
        self.arriving
            .push_back((peer, Input::Accepted { link: other, from }));
        self.arriving.push_back((i, Input::Connected { link }));
    }
}

fn address_of(node: usize) -> SocketAddr {
    let port = u16::try_from(PORT + node).unwrap_or(u16::MAX);
    Address(SocketAddr::from(([127, 0, 0, 1], port))).0
}

fn node_at(address: SocketAddr) -> usize {
    usize::from(address.port()).saturating_sub(PORT)
}
