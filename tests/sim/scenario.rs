//! A scenario: everything that happens from outside in one run, as plain data.
//!
//! Owns the vocabulary of faults and of what users do. It is made from a seed before the run
//! (`generate`), printed when the run fails, and shrunk. It must never look at the running world.

use std::fmt;

use super::liar::Plan;

pub const MS: u64 = 1_000;
pub const SECOND: u64 = 1_000_000;

/// A machine, by its number.
pub type Host = usize;

/// Whom an event is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    Host(Host),
    /// Whoever most nodes hold for the coordinator at that time.
    Coordinator,
    /// The host, or the next one if the coordinator is on it at that time.
    Member(Host),
    /// The same as the coordinator, unless that one lies; then nobody.
    Honest,
}

impl Who {
    /// The coordinator, or anybody.
    pub fn any(rng: &mut fastrand::Rng, hosts: usize) -> Who {
        if rng.u8(0..3) == 0 {
            Who::Coordinator
        } else {
            Who::Host(rng.usize(0..hosts))
        }
    }
}

/// Two different hosts.
pub fn any_pair(rng: &mut fastrand::Rng, hosts: usize) -> (Host, Host) {
    let a = rng.usize(0..hosts);
    let b = (a + rng.usize(1..hosts)) % hosts;
    (a, b)
}

/// How a new run starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Run {
    /// A node that stays.
    Node,
    /// Joins without the history, says this many lines and leaves.
    OneShot(u64),
    /// Stays, but without the history from before.
    Forgetful,
}

/// How the streams of a host fare whose datagrams go to and fro.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Oddity {
    /// Connection requests are lost, in both directions.
    Silent,
    /// Connection requests are refused, in both directions.
    Refuses,
    /// Connections come about, and nothing that is sent on them arrives.
    Mute,
    /// Connections come about, and nothing that is sent on them gets to it.
    HearsNothing,
    /// Connections come about, and nothing that it sends on them arrives.
    SaysNothing,
    /// Nobody can dial it, but it dials others.
    OnlyDials,
    /// Large packets to and from it vanish.
    EatsLarge,
}

impl Oddity {
    /// Streams carry what it sends.
    pub fn is_said(self) -> bool {
        matches!(
            self,
            Oddity::OnlyDials | Oddity::HearsNothing | Oddity::EatsLarge
        )
    }

    /// Streams carry what is sent to it.
    pub fn hears(self) -> bool {
        matches!(
            self,
            Oddity::OnlyDials | Oddity::SaysNothing | Oddity::EatsLarge
        )
    }
}

/// What happens from outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// The process starts (again, as a new run).
    Start(Host, Run),
    /// The process dies; its kernel closes the streams, its port refuses.
    Crash(Who),
    /// The machine is gone without a word.
    PowerCut(Who),
    /// The process is stopped; its kernel goes on.
    Freeze(Who, u64),
    /// The machine sleeps, kernel and all, and goes on later.
    Suspend(Who, u64),
    /// The process leaves in good order.
    Leave(Who),
    /// The user says lines of this size.
    Say(Who, u64, usize),
    /// The user writes to one member.
    Private(Who),
    Rename(Who),
    Elect(Who),
    /// Packets from the first to the second are lost for so long.
    CutOneWay(Host, Host, u64),
    /// Packets between the two are lost.
    CutPair(Host, Host, u64),
    /// The same; it is resolved who the first is when it begins.
    CutFrom(Who, Host, u64),
    /// Packets between this host and the coordinator are lost; those of the next host, if the coordinator is on
    /// this one.
    Apart(Host, u64),
    /// What is said on streams between the two is lost, and sent again by their kernels; datagrams pass.
    StallFrom(Who, Host, u64),
    /// Hosts whose bit is set are apart from the others.
    Partition(u64, u64),
    /// All streams between the two break, a tail of what was under way is lost, and the ends learn
    /// of it at different times.
    Break(Who, Host),
    /// No new stream between the two comes about.
    NoDial(Host, Host, u64),
    /// New streams between the two are refused, although somebody listens.
    Refuse(Host, Host, u64),
    /// Traffic between the two is this slow, in bytes a second.
    Slow(Host, Host, u64, u64),
    /// The same; it is resolved who the first is when it begins.
    SlowFrom(Who, Host, u64, u64),
    /// This share of all datagrams is lost, in permille.
    DatagramLoss(u64, u64),
    /// This share of all stream segments is lost and sent again, in permille.
    SegmentLoss(u64, u64),
    /// The wall clock jumps by so many milliseconds.
    ClockJump(Host, i64),
    /// From now on and for ever, also once the faults have ended, the streams of this host fare so.
    Odd(Host, Oddity),
    /// Nothing can be stored on this host.
    StoreFails(Host, u64),
    /// Something must hold that need not hold in every scenario.
    Demand(Demand),
}

/// What one scenario demands beyond the invariants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Demand {
    /// There has been one coordinator only.
    OneFounder,
    /// From now on nobody is shown a change of the group; or anybody may be.
    Calm(bool),
    /// From now on nobody else coordinates; or anybody may.
    KeepCoordinator(bool),
    /// All who are alive hold the same history now.
    SameHistory,
    /// All that was said by those who are alive is delivered, to whoever of the view is there.
    AllDelivered,
    /// From now on nobody is to miss anything: all of it is kept, and whoever has it stays.
    NothingMissed,
    /// All whose streams reach each other are in one room now.
    OneRoom,
    /// From now on whoever leaves has had everything confirmed.
    AllConfirmed,
    /// From now on nobody but this host's process is shown to come or go, except to itself.
    OnlyComesAndGoes(Host),
    /// From now on a coordinator is shown no words of those whom it reported as having left.
    LastWords,
}

/// Something that happens at a time. Durations in `what` are in microseconds too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    pub at: u64,
    pub what: What,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>11} {:?}", seconds(self.at), self.what)
    }
}

/// Microseconds as seconds.
pub fn seconds(at: u64) -> String {
    format!("{}.{:06}", at / SECOND, at % SECOND)
}

/// What the network is like when nothing is wrong.
#[derive(Clone, Debug)]
pub struct Network {
    /// One way, from and to, in microseconds.
    pub latency: (u64, u64),
    /// How long a process may wait for the processor.
    pub wake: u64,
    /// Permille of datagrams lost, and delivered twice, all the time.
    pub datagram_loss: u64,
    pub datagram_twice: u64,
    /// Bytes a second in one direction.
    pub rate: u64,
    /// What a kernel takes for one stream before it is acknowledged, and before it is read.
    pub send_buffer: usize,
    pub receive_buffer: usize,
    /// The driver's outbound queue for one peer, before it counts as full.
    pub queue_max: usize,
}

/// One whole run.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub seed: u64,
    pub kind: &'static str,
    pub hosts: usize,
    pub network: Network,
    /// Milliseconds by which each host's wall clock is wrong.
    pub skew_ms: Vec<i64>,
    pub history_max: usize,
    /// How much each host keeps instead; empty if all keep the same.
    pub history_of: Vec<usize>,
    /// How many messages may wait for others at one node.
    pub waiting_max: usize,
    /// How many bytes of messages may wait for a disk that fails, beyond as many messages as a host keeps.
    pub unstored_bytes_max: usize,
    /// Hosts that keep the history in a store.
    pub stores: Vec<Host>,
    /// Hosts that confirm what they have printed, to readers that are not always quick.
    pub printers: Vec<Host>,
    pub heartbeat_ms: u64,
    pub failure_timeout_ms: u64,
    /// Every run of a host listens at the same port.
    pub fixed_ports: bool,
    /// Hosts that every node is told of as peers; their ports are fixed then.
    pub peers: Vec<Host>,
    /// Each node also names an address that leads others nowhere.
    pub dead_address: bool,
    /// From then on no datagram arrives, for ever.
    pub datagrams_end: Option<u64>,
    /// The faults end, except cuts that stay.
    pub heal_at: u64,
    /// Cuts between pairs that stay for ever.
    pub stay: Vec<(Host, Host)>,
    /// How long after `heal_at` the nodes may take to agree.
    pub bound: u64,
    /// Once all agree, the coordinator dies (or leaves), and all must agree again.
    pub failover: Option<What>,
    /// Who lies, if somebody does.
    pub liar: Option<Plan>,
    pub events: Vec<Event>,
}

impl Scenario {
    /// No datagram is lost, but where hosts are cut from each other.
    pub fn loses_no_multicast(&self) -> bool {
        let loses = |what: &What| matches!(what, What::DatagramLoss(..));
        self.network.datagram_loss == 0
            && self.datagrams_end.is_none()
            && !self.events.iter().any(|event| loses(&event.what))
    }

    /// A scenario in which nothing is wrong and nothing happens yet.
    pub fn quiet(kind: &'static str, seed: u64, hosts: usize) -> Scenario {
        Scenario {
            seed,
            kind,
            hosts,
            network: Network {
                latency: (30, 200),
                wake: 20,
                datagram_loss: 0,
                datagram_twice: 0,
                rate: 12_000_000,
                send_buffer: 128 * 1024,
                receive_buffer: 256 * 1024,
                queue_max: 4 * 1024 * 1024,
            },
            skew_ms: vec![0; hosts],
            history_max: 100_000,
            history_of: Vec::new(),
            waiting_max: papo::limits::WAITING_MAX,
            unstored_bytes_max: papo::limits::UNSTORED_BYTES_MAX,
            stores: Vec::new(),
            printers: Vec::new(),
            heartbeat_ms: 250,
            failure_timeout_ms: 1_000,
            fixed_ports: true,
            peers: Vec::new(),
            dead_address: false,
            datagrams_end: None,
            heal_at: 0,
            stay: Vec::new(),
            bound: 20 * SECOND,
            failover: None,
            liar: None,
            events: Vec::new(),
        }
    }

    /// How many messages this host keeps in memory.
    pub fn history_of(&self, host: Host) -> usize {
        let own = self.history_of.get(host);
        own.copied().unwrap_or(self.history_max)
    }

    /// The least that any host keeps.
    pub fn history_least(&self) -> usize {
        let all = (0..self.hosts).map(|host| self.history_of(host));
        all.min().unwrap_or(self.history_max)
    }

    pub fn has_store(&self, host: Host) -> bool {
        self.stores.contains(&host)
    }

    pub fn add(&mut self, at: u64, what: What) {
        self.events.push(Event { at, what });
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {} kind {} hosts {} history {} {:?} waiting {} unstored {} stores {:?} printers {:?} heartbeat {} ms failure {} ms ports {} peers {:?} dead \
             address {} datagrams end {:?} heal at {} stay {:?} then {:?} liar {:?}",
            self.seed,
            self.kind,
            self.hosts,
            self.history_max,
            self.history_of,
            self.waiting_max,
            self.unstored_bytes_max,
            self.stores,
            self.printers,
            self.heartbeat_ms,
            self.failure_timeout_ms,
            if self.fixed_ports { "fixed" } else { "new" },
            self.peers,
            self.dead_address,
            self.datagrams_end,
            seconds(self.heal_at),
            self.stay,
            self.failover,
            self.liar,
        )?;
        writeln!(f, "skew {:?} ms; {:?}", self.skew_ms, self.network)?;
        for event in &self.events {
            writeln!(f, "{event}")?;
        }
        Ok(())
    }
}
