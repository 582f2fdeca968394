//! The world: hosts, processes, the network between them, and virtual time.
//!
//! Owns everything that is simulated, and what is recorded of it. It decides nothing about right
//! and wrong: `record` does.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;

use papo::node::{Closed, Config, LinkId, Node, Now, Outbox, Peer, Time, Weakness};
use papo::wire::{Address, Datagram, Key, encode_datagram};

use super::agenda::{Agenda, Entry, RunId};
use super::checks::Violation;
use super::fate::{About, Fate};
use super::paths::Paths;
use super::process::{BACKLOG_MAX, DATAGRAMS_KEPT, Process, State};
use super::record::{Record, network_delay};
use super::scenario::{Host, Run, SECOND, Scenario};
use super::streams::Streams;
use super::trace::{Trace, short};
use super::traffic::{Traffic, datagram_name};

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// The wall clock of a host that is right, at the start.
const WALL_START_MS: u64 = 1_750_000_000_000;
/// The port of every run, where ports are fixed.
const FIXED_PORT: u16 = 28_783;
/// An address that every host has for itself, as with a bridge for containers.
const DEAD_ADDRESS: Ipv4Addr = Ipv4Addr::new(172, 17, 0, 1);

/// All that is simulated.
#[derive(Debug)]
pub struct World {
    pub scenario: Rc<Scenario>,
    pub fate: Fate,
    pub agenda: Agenda,
    pub paths: Paths,
    pub streams: Streams,
    pub processes: Vec<Process>,
    /// The process of each host.
    pub on_host: Vec<Option<RunId>>,
    pub skew_ms: Vec<i64>,
    pub record: Record,
    pub trace: Trace,
    pub traffic: Traffic,
    pub weakened: Option<Weakness>,
    /// The first invariant that did not hold ends the run.
    pub failure: Option<Violation>,
    /// The hosts that events under way are about, where that was open before.
    pub(super) resolved: BTreeMap<usize, Host>,
    pub(super) datagrams: u64,
    pub(super) outbox: Outbox,
    /// Inputs of all nodes, for the benches.
    pub inputs: u64,
}

impl World {
    pub fn new(scenario: Rc<Scenario>, weakened: Option<Weakness>, trace: Trace) -> World {
        let fate = Fate::new(scenario.seed);
        let mut agenda = Agenda::default();
        for (number, event) in scenario.events.iter().enumerate() {
            agenda.add(event.at, Entry::Fault(number));
        }
        agenda.add(scenario.heal_at, Entry::Heal);
        World {
            fate,
            agenda,
            paths: Paths::new(scenario.hosts),
            streams: Streams::new(fate, scenario.network.clone()),
            processes: Vec::new(),
            on_host: vec![None; scenario.hosts],
            skew_ms: scenario.skew_ms.clone(),
            record: Record::new(network_delay(&scenario.network)),
            trace,
            traffic: Traffic::default(),
            weakened,
            failure: None,
            resolved: BTreeMap::new(),
            datagrams: 0,
            outbox: Vec::new(),
            inputs: 0,
            scenario,
        }
    }

    pub fn now(&self) -> u64 {
        self.agenda.now()
    }

    /// Lets time pass until `until`, or until an invariant does not hold.
    pub fn run_until(&mut self, until: u64) {
        while self.failure.is_none() {
            let Some(entry) = self.agenda.next(until) else {
                break;
            };
            self.carry_out(entry);
            self.check_times();
        }
    }

    pub fn fail(&mut self, invariant: &'static str, text: String) {
        self.judge(Err(Violation::new(invariant, text)));
    }

    pub fn judge(&mut self, verdict: super::checks::Verdict) {
        if let Err(violation) = verdict
            && self.failure.is_none()
        {
            self.trace
                .add(self.agenda.now(), || format!("VIOLATION {violation}"));
            self.failure = Some(violation);
        }
    }

    fn carry_out(&mut self, entry: Entry) {
        let now = self.now();
        match entry {
            Entry::Fault(number) => self.begin_fault(number),
            Entry::FaultEnds(number) => self.end_fault(number),
            Entry::Heal => self.heal(),
            Entry::Wake(run) => {
                if self.processes[run].wake == Some(now) {
                    self.processes[run].wake = None;
                    self.turn(run);
                }
            }
            Entry::Arrive { stream, dir, no } => {
                let at = (stream, dir, no);
                let turns = self.streams.arrive(at, &self.paths, &mut self.agenda);
                turns.into_iter().for_each(|run| self.poke(run));
            }
            Entry::Retransmit { stream, dir } => {
                let turns = self
                    .streams
                    .retransmit(stream, dir, &self.paths, &mut self.agenda);
                turns.into_iter().for_each(|run| self.poke(run));
            }
            Entry::Notice { stream, end } => {
                let turn = self
                    .streams
                    .notice(stream, end, &self.paths, &mut self.agenda);
                turn.into_iter().for_each(|run| self.poke(run));
            }
            Entry::Dial { run, link, attempt } => self.dial_arrives(run, link, attempt),
            Entry::Dialled { run, link, failed } => {
                if let Some(why) = failed
                    && let Some(socket) = self.processes[run].sockets.get_mut(&link)
                    && socket.dialled.is_none()
                {
                    socket.dialled = Some(Err(why));
                    self.processes[run].dialled.insert(link);
                }
                self.poke(run);
            }
            Entry::Datagram {
                to,
                from,
                from_host,
                bytes,
            } => {
                let process = &mut self.processes[to];
                if process.is_alive()
                    && self.paths.one_way(from_host, process.host)
                    && process.datagrams.len() < DATAGRAMS_KEPT
                {
                    process.datagrams.push_back((from, bytes));
                    self.poke(to);
                }
            }
            Entry::Exit(run) => self.end_process(run),
        }
    }

    /// Something came for a process: it has its turn once it gets the processor.
    pub(super) fn poke(&mut self, run: RunId) {
        if !matches!(self.processes[run].state, State::Running | State::Leaving) {
            return;
        }
        let n = self.processes[run].wakes;
        self.processes[run].wakes += 1;
        let late = self.fate.between(
            About::Wake,
            (run as u64, n, 0),
            1,
            self.scenario.network.wake.max(1),
        );
        self.wake_at(run, self.now() + late);
    }

    pub(super) fn wake_at(&mut self, run: RunId, at: u64) {
        let process = &mut self.processes[run];
        if process.wake.is_none_or(|w| w > at) {
            process.wake = Some(at.max(self.agenda.now()));
            self.agenda.add(at, Entry::Wake(run));
        }
    }

    pub fn clocks(&self, run: RunId) -> Now {
        let time = self.now();
        let skew = self.skew_ms[self.processes[run].host];
        let wall_ms = (WALL_START_MS + time / 1_000).saturating_add_signed(skew);
        Now {
            time: Time(time),
            wall_ms,
        }
    }

    /// The process of this key, alive or not.
    pub fn run_of(&self, key: Key) -> Option<RunId> {
        self.record.run_of(key)
    }

    /// Starts a process on a host that has none.
    pub(super) fn start(&mut self, host: Host, kind: Run) {
        if self.on_host[host].is_some() || !self.paths.is_up(host) {
            return;
        }
        let run = self.processes.len();
        let n = run as u64;
        let key = Key(self.fate.bits(About::Key, host as u64, n, 0).max(1));
        let port = if self.scenario.fixed_ports {
            FIXED_PORT
        } else {
            40_000 + run as u16
        };
        let address = SocketAddr::new(ip_of(host), port);
        let mut addresses = vec![Address(address)];
        if self.scenario.dead_address {
            addresses.insert(0, Address(SocketAddr::new(IpAddr::V4(DEAD_ADDRESS), port)));
        }
        let wants_history = kind == Run::Node;
        let config = Config {
            room: "room".to_string(),
            nick: format!("n{host}"),
            key,
            port,
            addresses,
            heartbeat: Duration::from_millis(self.scenario.heartbeat_ms),
            failure_timeout: Duration::from_millis(self.scenario.failure_timeout_ms),
            history_max: self.scenario.history_max,
            wants_history,
            confirms_printed: false,
            peers: self.scenario.peers.iter().map(peer).collect(),
            weakened: self.weakened,
        };
        let rng = fastrand::Rng::with_seed(self.fate.bits(About::Node, host as u64, n, 0));
        self.processes.push(Process {
            host,
            address,
            key,
            wants_history,
            started: self.now(),
            state: State::Running,
            node: Node::new(config, rng),
            timers: BTreeMap::new(),
            sockets: BTreeMap::new(),
            dialled: BTreeSet::new(),
            readable: BTreeSet::new(),
            writable: BTreeSet::new(),
            backlog: VecDeque::new(),
            datagrams: VecDeque::new(),
            lines: VecDeque::new(),
            said: 0,
            one_shot: matches!(kind, Run::OneShot(_)),
            leave_asked: false,
            away: false,
            stopped_by: 0,
            congested: Vec::new(),
            congested_at: None,
            wake: None,
            disturbed: self.now(),
            busy: (0, 0),
            turns: (0, 0),
            wakes: 0,
        });
        self.on_host[host] = Some(run);
        self.paths.touch(self.now(), host, host);
        self.record.on_started(run, key);
        self.trace.add(self.agenda.now(), || {
            format!("run {run} starts on host {host} as {key}")
        });
        if let Run::OneShot(lines) = kind {
            self.want_lines(run, lines, 20);
        }
        let now = self.clocks(run);
        let mut out = std::mem::take(&mut self.outbox);
        self.processes[run].node.start(now, &mut out);
        self.carry_out_effects(run, &mut out);
        self.outbox = out;
        self.end_turn(run);
    }

    /// The process ends, as processes do: its kernel closes what it had open.
    pub(super) fn end_process(&mut self, run: RunId) {
        if self.processes[run].state == State::Ended {
            return;
        }
        self.trace
            .add(self.agenda.now(), || format!("run {run} ends"));
        self.processes[run].state = State::Ended;
        let host = self.processes[run].host;
        self.on_host[host] = None;
        self.record
            .elections
            .on_disturbed(run, self.agenda.now(), true);
        for (stream, end) in self.streams.of(run) {
            self.streams
                .close(stream, end, &self.paths, &mut self.agenda);
        }
        self.clear(run);
    }

    /// The machine loses its power.
    pub(super) fn vanish(&mut self, run: RunId) {
        self.processes[run].state = State::Ended;
        self.on_host[self.processes[run].host] = None;
        self.record
            .elections
            .on_disturbed(run, self.agenda.now(), true);
        for (stream, end) in self.streams.of(run) {
            self.streams.vanish(stream, end);
        }
        self.clear(run);
    }

    fn clear(&mut self, run: RunId) {
        let process = &mut self.processes[run];
        process.sockets.clear();
        process.dialled.clear();
        process.readable.clear();
        process.writable.clear();
        process.backlog.clear();
        process.datagrams.clear();
        process.timers.clear();
        process.lines.clear();
    }

    /// A connection request reaches the host of its address, or nothing.
    fn dial_arrives(&mut self, run: RunId, link: LinkId, attempt: u32) {
        let (from, now) = (self.processes[run].host, self.now());
        let Some(socket) = self.processes[run].sockets.get(&link) else {
            return;
        };
        let target = socket.to;
        let high = self.scenario.network.latency.1;
        let host = if target.ip() == IpAddr::V4(DEAD_ADDRESS) {
            Some(from)
        } else {
            host_of(target.ip())
        };
        let answer = |world: &mut World, failed| {
            world
                .agenda
                .add(now + high, Entry::Dialled { run, link, failed });
        };
        let host = host.filter(|h| *h < self.scenario.hosts);
        let Some(host) = host.filter(|h| self.paths.may_dial(from, *h)) else {
            // Nobody answers: the kernel asks again after 1, 3, 7 s, and gives up at some time.
            let about = (run as u64, link.0, 0);
            let patience = self
                .fate
                .between(About::DialTime, about, SECOND, 20 * SECOND);
            let next = SECOND << attempt;
            if next >= patience {
                return answer(self, Some(Closed::Failed));
            }
            let attempt = attempt + 1;
            return self
                .agenda
                .add(now + next, Entry::Dial { run, link, attempt });
        };
        let listener = self.on_host[host].filter(|l| {
            let process = &self.processes[*l];
            process.listens() && process.address.port() == target.port()
        });
        let Some(listener) = listener.filter(|_| !self.paths.refuses(from, host)) else {
            return answer(self, Some(Closed::Refused));
        };
        if self.processes[listener].backlog.len() >= BACKLOG_MAX {
            let attempt = attempt + 1;
            return self
                .agenda
                .add(now + SECOND, Entry::Dial { run, link, attempt });
        }
        let from_address = SocketAddr::new(ip_of(from), 50_000 + (link.0 % 10_000) as u16);
        let stream = self
            .streams
            .open((from, run, link, from_address), (host, listener));
        if let Some(socket) = self.processes[run].sockets.get_mut(&link) {
            socket.dialled = Some(Ok(stream));
            self.processes[run].dialled.insert(link);
        }
        self.processes[listener].backlog.push_back(stream);
        self.poke(listener);
        answer(self, None);
    }

    /// Sends a datagram to all (`to` is None) or to one address.
    pub(super) fn send_datagram(
        &mut self,
        run: RunId,
        to: Option<SocketAddr>,
        datagram: &Datagram,
    ) {
        let bytes: Rc<[u8]> = match encode_datagram(datagram) {
            Ok(bytes) => bytes.into(),
            Err(error) => return self.fail("encoding", format!("{error:?}: {datagram:?}")),
        };
        let (from_host, from) = (self.processes[run].host, self.processes[run].address);
        self.traffic
            .count(datagram_name(datagram), 1, bytes.len() as u64);
        self.trace.add(self.agenda.now(), || {
            format!("run {run} => {to:?} {}", short(datagram))
        });
        let network = &self.scenario.network;
        let (low, high) = network.latency;
        let mut loss = network.datagram_loss.max(self.paths.datagram_loss);
        if self
            .scenario
            .datagrams_end
            .is_some_and(|end| self.now() >= end)
        {
            loss = 1_000;
        }
        let twice = network.datagram_twice;
        for host in 0..self.scenario.hosts {
            let Some(target) = self.on_host[host] else {
                continue;
            };
            if to.is_some_and(|to| to != self.processes[target].address)
                || !self.paths.one_way(from_host, host)
            {
                continue;
            }
            let (a, b, n) = (run as u64, target as u64, self.datagrams);
            let fate = self.fate;
            if fate.chance(About::DatagramLost, a, b, n, loss) {
                continue;
            }
            let copies = 1 + u64::from(fate.chance(About::DatagramTwice, a, b, n, twice));
            for copy in 0..copies {
                let about = (a, b, n * 2 + copy);
                let mut delay = fate.between(About::Latency, about, low, high);
                if fate.chance(About::DatagramDelay, a, b, n * 2 + copy, loss.min(50)) {
                    delay *= 20; // Overtaken by many.
                }
                let bytes = Rc::clone(&bytes);
                let entry = Entry::Datagram {
                    to: target,
                    from,
                    from_host,
                    bytes,
                };
                self.agenda.add(self.agenda.now() + delay, entry);
            }
        }
        self.datagrams += 1;
    }

    /// What is due by now, and is not there, is a violation.
    fn check_times(&mut self) {
        let now = self.now();
        if now >= self.record.next_look {
            self.record.next_look = now + 50_000;
            let verdict = self.record.on_time(now, &self.paths, &self.processes);
            self.judge(verdict);
        }
    }
}

/// A host as users name it to a node.
fn peer(host: &Host) -> Peer {
    Peer {
        name: format!("n{host}"),
        addresses: vec![SocketAddr::new(ip_of(*host), FIXED_PORT)],
    }
}

pub fn ip_of(host: Host) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(
        10,
        0,
        (host / 200) as u8,
        (host % 200) as u8 + 1,
    ))
}

fn host_of(ip: IpAddr) -> Option<Host> {
    match ip {
        IpAddr::V4(ip) if ip.octets()[..2] == [10, 0] => {
            let [_, _, high, low] = ip.octets();
            (high as usize * 200 + low as usize).checked_sub(1)
        }
        _ => None,
    }
}
