//! The world: hosts, processes, the network between them, and virtual time.
//!
//! Owns everything that is simulated, and what is recorded of it. It decides nothing about right
//! and wrong: `record` does.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;

use papo::node::{Closed, Config, LinkId, Node, Now, Outbox, Peer, Time, Weakness};
use papo::wire::{Address, Datagram, Key, encode_datagram};

use super::agenda::{Agenda, Entry, RunId};
use super::carrying::{DEAD_ADDRESS, ip_of};
use super::checks::Violation;
use super::fate::{About, Fate};
use super::paths::Paths;
use super::process::{BACKLOG_MAX, DATAGRAMS_KEPT, Process, State};
use super::record::Record;
use super::scenario::{Host, MS, Run, SECOND, Scenario};
use super::scene::{Scene, longest_delay, longest_trip};
use super::store::Store;
use super::streams::Streams;
use super::trace::{Trace, short};
use super::traffic::{Traffic, datagram_name};

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// The wall clock of a host that is right, at the start.
const WALL_START_MS: u64 = 1_750_000_000_000;
/// The port of every run, where ports are fixed.
const FIXED_PORT: u16 = 28_783;

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
    /// What the disk of each host holds.
    pub stores: Vec<Store>,
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
            stores: (0..scenario.hosts).map(|_| Store::default()).collect(),
            record: Record::new(longest_delay(&scenario), scenario.failure_timeout_ms * MS)
                .with_multicast(scenario.loses_no_multicast(), longest_trip(&scenario))
                .with_liar(scenario.liar.as_ref()),
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

    /// What the record looks at.
    pub fn scene(&self) -> Scene<'_> {
        Scene {
            processes: &self.processes,
            paths: &self.paths,
            stores: &self.stores,
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
            Entry::Lie(run) => self.lie(run),
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
        let stores = self.scenario.has_store(host) && !matches!(kind, Run::OneShot(_));
        let prints = self.scenario.printers.contains(&host) && !matches!(kind, Run::OneShot(_));
        let wants_history = kind == Run::Node || stores;
        let config = Config {
            room: "room".to_string(),
            nick: format!("n{host}"),
            key,
            port,
            addresses,
            heartbeat: Duration::from_millis(self.scenario.heartbeat_ms),
            failure_timeout: Duration::from_millis(self.scenario.failure_timeout_ms),
            history_max: self.scenario.history_of(host),
            wants_history,
            confirms_printed: prints,
            unstable_bytes_max: papo::limits::UNSTABLE_BYTES_MAX,
            unstored_bytes_max: self.scenario.unstored_bytes_max,
            waiting_max: self.scenario.waiting_max,
            peers: self.scenario.peers.iter().map(peer).collect(),
            weakened: self.weakened,
        };
        let rng = fastrand::Rng::with_seed(self.fate.bits(About::Node, host as u64, n, 0));
        self.processes.push(Process {
            host,
            address,
            key,
            wants_history,
            stores,
            is_storing: false,
            prints,
            unprinted: VecDeque::new(),
            printed: BTreeSet::new(),
            started: self.now(),
            state: State::Running,
            node: Node::new(config, rng),
            liar: None,
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
            leaves_at_latest: 0,
            away: false,
            stopped_by: 0,
            congested: Vec::new(),
            congested_at: None,
            heard: BTreeMap::new(),
            wake: None,
            disturbed: self.now(),
            busy: (0, 0),
            turns: (0, 0),
            turns_taken: 0,
            wakes: 0,
        });
        self.on_host[host] = Some(run);
        self.paths.touch(self.now(), host, host);
        self.record.on_started(run, key);
        self.begin_to_lie(run);
        self.trace.add(self.agenda.now(), || {
            format!("run {run} starts on host {host} as {key}")
        });
        if let Run::OneShot(lines) = kind {
            self.want_lines(run, lines, 20);
        }
        if stores {
            self.restore(run);
        }
        let now = self.clocks(run);
        let mut out = std::mem::take(&mut self.outbox);
        let node = &mut self.processes[run].node;
        self.trace.tap(run, now, node);
        node.start(now, &mut out);
        self.trace.output(run, now, node, &out);
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
        if self.processes[run].state != State::Leaving {
            self.trace.fate(run, self.clocks(run), "killed", None);
        }
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
        self.trace.fate(run, self.clocks(run), "killed", None);
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

    /// What is due by now, and is not there, is a violation.
    fn check_times(&mut self) {
        let now = self.now();
        if now >= self.record.next_look {
            self.record.next_look = now + 50_000;
            let scene = Scene {
                processes: &self.processes,
                paths: &self.paths,
                stores: &self.stores,
            };
            let verdict = self.record.on_time(now, scene);
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
