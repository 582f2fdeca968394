//! Scenarios from seeds: which faults fall when.
//!
//! Owns the kinds of scenarios and their shares. It looks at nothing but the seed.

use super::scenario::{Event, Host, MS, Network, Run, SECOND, Scenario, What, Who, any_pair};
use super::{back_briefly, heard_only, host_gone, hostile, large_lost, limits, targeted, volume};

/// What a scenario is mostly about.
pub const KINDS: [&str; 31] = [
    "calm",
    "mixed",
    "mixed",
    "partitions",
    "pair cuts",
    "one-way cuts",
    "stopped",
    "slow",
    "coming and going",
    "elections",
    "breaks",
    "no dials",
    "datagrams",
    "cuts that stay",
    // Aimed at one protection each.
    targeted::KINDS[0],
    targeted::KINDS[1],
    targeted::KINDS[2],
    targeted::KINDS[3],
    targeted::KINDS[4],
    targeted::KINDS[5],
    targeted::KINDS[6],
    targeted::KINDS[7],
    // More is said than anybody keeps or carries.
    volume::KINDS[0],
    volume::KINDS[1],
    volume::KINDS[2],
    volume::KINDS[3],
    volume::KINDS[4],
    volume::KINDS[5],
    volume::KINDS[6],
    volume::KINDS[7],
    volume::KINDS[8],
];

/// How many of the kinds are about any faults at all.
const UNTARGETED: usize = 14;

struct Maker {
    rng: fastrand::Rng,
    hosts: usize,
    until: u64,
    events: Vec<Event>,
}

/// The scenario of a seed.
pub fn scenario(seed: u64) -> Scenario {
    let kind = KINDS[(seed % KINDS.len() as u64) as usize];
    scenario_in(kind, seed)
}

/// The seed's scenario of a given kind.
pub fn scenario_in(kind: &'static str, seed: u64) -> Scenario {
    let mut scenario = scenario_of(kind, seed);
    if KINDS[..UNTARGETED].contains(&kind) {
        limits::scale_down(&mut scenario);
    }
    limits::wait_for_few(&mut scenario);
    scenario
}

/// The same, before the limits were scaled down: the events and the network are no others.
pub fn scenario_of(kind: &'static str, seed: u64) -> Scenario {
    let aimed = targeted::scenario_of(kind, seed).or_else(|| volume::scenario_of(kind, seed));
    let aimed = aimed.or_else(|| heard_only::scenario_of(kind, seed));
    let aimed = aimed.or_else(|| large_lost::scenario_of(kind, seed));
    let aimed = aimed.or_else(|| host_gone::scenario_of(kind, seed));
    let aimed = aimed.or_else(|| back_briefly::scenario_of(kind, seed));
    let aimed = aimed.or_else(|| hostile::scenario_of(kind, seed));
    if let Some(scenario) = aimed {
        return scenario;
    }
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed);
    let hosts = match rng.u8(0..4) {
        0 => rng.usize(3..=4),
        3 => rng.usize(8..=12),
        _ => rng.usize(4..=8),
    };
    let until = rng.u64(6..=16) * SECOND;
    let mut maker = Maker {
        rng,
        hosts,
        until,
        events: Vec::new(),
    };
    maker.start_all();
    let stay = maker.faults(kind);
    maker.chat();
    maker.finish(kind, seed, stay)
}

impl Maker {
    fn host(&mut self) -> Host {
        self.rng.usize(0..self.hosts)
    }

    fn pair(&mut self) -> (Host, Host) {
        any_pair(&mut self.rng, self.hosts)
    }

    fn who(&mut self) -> Who {
        Who::any(&mut self.rng, self.hosts)
    }

    fn time(&mut self) -> u64 {
        self.rng.u64(SECOND..self.until)
    }

    /// Short, around the time-outs, or long.
    fn long(&mut self) -> u64 {
        match self.rng.u8(0..4) {
            0 => self.rng.u64(10 * MS..300 * MS),
            1 => self.rng.u64(300 * MS..1_300 * MS),
            2 => self.rng.u64(SECOND..4 * SECOND),
            _ => self.rng.u64(3 * SECOND..9 * SECOND),
        }
    }

    fn add(&mut self, at: u64, what: What) {
        self.events.push(Event { at, what });
    }

    /// All in the same instant, or a few of them and the others later.
    fn start_all(&mut self) {
        let style = self.rng.u8(0..4);
        for host in 0..self.hosts {
            let at = match style {
                0 => 0,
                1 => self.rng.u64(0..5 * MS),
                2 => self.rng.u64(0..2 * SECOND),
                _ if host < 2 => 0,
                _ => self.rng.u64(0..self.until / 2),
            };
            let run = if self.rng.u8(0..12) == 0 {
                Run::Forgetful
            } else {
                Run::Node
            };
            self.add(at, What::Start(host, run));
        }
    }

    fn chat(&mut self) {
        let lines = self.rng.usize(5..40);
        for _ in 0..lines {
            let (who, at) = (self.who(), self.rng.u64(0..self.until));
            let count = if self.rng.u8(0..6) == 0 {
                self.rng.u64(2..12)
            } else {
                1
            };
            let what = match self.rng.u8(0..20) {
                0 => What::Private(who),
                1 => What::Rename(who),
                _ => What::Say(who, count, 12),
            };
            self.add(at, what);
        }
    }

    /// The faults of this kind; returns the cuts that stay.
    fn faults(&mut self, kind: &str) -> Vec<(Host, Host)> {
        let count = self.rng.usize(1..10);
        for _ in 0..count {
            let at = self.time();
            match kind {
                "calm" => self.add_calm(at),
                "partitions" => self.add_partition(at),
                "pair cuts" => {
                    let ((a, b), long) = (self.pair(), self.long());
                    self.add(at, What::CutPair(a, b, long));
                    self.sometimes_calm(at);
                }
                "one-way cuts" => {
                    let ((a, b), long) = (self.pair(), self.long());
                    self.add(at, What::CutOneWay(a, b, long));
                    self.sometimes_calm(at);
                }
                "stopped" => self.add_stop(at),
                "slow" => self.add_slow(at),
                "coming and going" => self.add_coming(at),
                "elections" => {
                    let who = self.who();
                    self.add(at, What::Elect(who));
                    self.sometimes_calm(at);
                }
                "breaks" => {
                    let (who, other) = (self.who(), self.host());
                    self.add(at, What::Break(who, other));
                    self.sometimes_calm(at);
                }
                "no dials" => self.add_no_dials(at),
                "datagrams" => {
                    let (loss, long) = (self.rng.u64(200..=1_000), self.long());
                    self.add(at, What::DatagramLoss(loss, long));
                    self.sometimes_calm(at);
                }
                _ => self.add_any(at),
            }
        }
        if kind == "cuts that stay" {
            self.staying()
        } else {
            Vec::new()
        }
    }

    fn add_calm(&mut self, at: u64) {
        let who = self.who();
        match self.rng.u8(0..4) {
            0 => self.add(at, What::Leave(who)),
            1 => self.add(at, What::PowerCut(who)),
            _ => self.add(at, What::Crash(who)),
        }
        self.start_again(at);
    }

    fn sometimes_calm(&mut self, at: u64) {
        if self.rng.u8(0..4) == 0 {
            self.add_calm(at);
        }
    }

    fn start_again(&mut self, at: u64) {
        if self.rng.bool() {
            for host in 0..self.hosts {
                if self.rng.u8(0..3) == 0 {
                    let later = at + self.rng.u64(0..3 * SECOND);
                    self.add(later, What::Start(host, Run::Node));
                }
            }
        }
    }

    fn add_partition(&mut self, at: u64) {
        let (side, long) = (self.rng.u64(..), self.long());
        self.add(at, What::Partition(side, long));
        self.sometimes_calm(at);
    }

    fn add_stop(&mut self, at: u64) {
        let (who, long) = (self.who(), self.long());
        if self.rng.u8(0..3) == 0 {
            self.add(at, What::Suspend(who, long));
        } else {
            self.add(at, What::Freeze(who, long));
        }
        self.sometimes_calm(at);
    }

    fn add_slow(&mut self, at: u64) {
        let ((a, b), long) = (self.pair(), self.long());
        let rate = *self.rng.choice(&[2_000, 20_000, 200_000]).unwrap_or(&2_000);
        match self.rng.u8(0..4) {
            0 => {
                let loss = self.rng.u64(10..200);
                self.add(at, What::SegmentLoss(loss, long));
            }
            1 => self.add(at, What::Freeze(Who::Host(a), long)),
            _ => self.add(at, What::Slow(a, b, rate, long)),
        }
        let (who, count) = (self.who(), self.rng.u64(1..60));
        let size = *self.rng.choice(&[20, 500, 15_000]).unwrap_or(&20);
        self.add(
            at + self.rng.clone().u64(0..SECOND),
            What::Say(who, count, size),
        );
    }

    fn add_coming(&mut self, at: u64) {
        let host = self.host();
        match self.rng.u8(0..6) {
            0 => self.add(at, What::Crash(Who::Host(host))),
            1 => self.add(at, What::Leave(Who::Host(host))),
            2 => self.add(at, What::Leave(Who::Coordinator)),
            _ => {
                let how = if self.rng.bool() {
                    What::Leave(Who::Host(host))
                } else {
                    What::Crash(Who::Host(host))
                };
                self.add(at, how);
                let later = at + self.rng.u64(SECOND..2 * SECOND);
                let lines = self.rng.u64(1..5);
                self.add(later, What::Start(host, Run::OneShot(lines)));
            }
        }
        let again = self.host();
        let later = at + self.rng.u64(0..3 * SECOND);
        self.add(later, What::Start(again, Run::Node));
    }

    fn add_no_dials(&mut self, at: u64) {
        let ((a, b), long) = (self.pair(), self.long());
        let what = if self.rng.u8(0..4) == 0 {
            What::Refuse(a, b, long)
        } else {
            What::NoDial(a, b, long)
        };
        self.add(at, what);
        self.add(at + 1, What::Break(Who::Host(a), b));
        self.sometimes_calm(at);
    }

    fn add_any(&mut self, at: u64) {
        match self.rng.u8(0..14) {
            0 | 1 => self.add_calm(at),
            2 => self.add_partition(at),
            3 => self.add_stop(at),
            4 => self.add_stop(at),
            5 => self.add_slow(at),
            6 => self.add_coming(at),
            7 => self.add_no_dials(at),
            8 => {
                let who = self.who();
                self.add(at, What::Elect(who));
            }
            9 => {
                let (who, other) = (self.who(), self.host());
                self.add(at, What::Break(who, other));
            }
            10 => {
                let (loss, long) = (self.rng.u64(200..=1_000), self.long());
                self.add(at, What::DatagramLoss(loss, long));
            }
            11 => {
                let (host, by) = (self.host(), self.rng.i64(-3_600_000..3_600_000));
                self.add(at, What::ClockJump(host, by));
            }
            12 => {
                let ((a, b), long) = (self.pair(), self.long());
                self.add(at, What::CutPair(a, b, long));
            }
            _ => {
                let ((a, b), long) = (self.pair(), self.long());
                self.add(at, What::CutOneWay(a, b, long));
            }
        }
    }

    /// A clean split, or cuts between a few pairs.
    fn staying(&mut self) -> Vec<(Host, Host)> {
        if self.rng.bool() {
            let side = self.rng.u64(..);
            let bit = |h: Host| side >> h & 1;
            let pairs = (0..self.hosts).flat_map(|a| (0..a).map(move |b| (a, b)));
            return pairs.filter(|(a, b)| bit(*a) != bit(*b)).collect();
        }
        let count = self.rng.usize(1..=3);
        (0..count).map(|_| self.pair()).collect()
    }

    fn finish(mut self, kind: &'static str, seed: u64, stay: Vec<(Host, Host)>) -> Scenario {
        self.events.retain(|e| e.at < self.until);
        self.events.sort_by_key(|e| e.at);
        let rng = &mut self.rng;
        let skewed = rng.bool();
        let skew = |rng: &mut fastrand::Rng| {
            if skewed {
                rng.i64(-3_600_000..=3_600_000)
            } else {
                rng.i64(-20..=20)
            }
        };
        let small = kind == "slow" || rng.u8(0..8) == 0;
        let network = Network {
            latency: *rng
                .choice(&[(30, 200), (100, 1_000), (500, 8_000)])
                .unwrap_or(&(30, 200)),
            wake: *rng.choice(&[20, 300, 3_000]).unwrap_or(&20),
            datagram_loss: *rng.choice(&[0, 0, 20, 200]).unwrap_or(&0),
            datagram_twice: *rng.choice(&[0, 20]).unwrap_or(&0),
            rate: 12_000_000,
            send_buffer: if small { 16 * 1024 } else { 128 * 1024 },
            receive_buffer: if small { 32 * 1024 } else { 256 * 1024 },
            queue_max: if small { 96 * 1024 } else { 4 * 1024 * 1024 },
        };
        let timeouts = *rng
            .choice(&[(250, 1_000), (250, 1_000), (100, 400), (500, 1_000)])
            .unwrap_or(&(250, 1_000));
        let failover = match rng.u8(0..4) {
            _ if !stay.is_empty() => None,
            0 => Some(What::Leave(Who::Coordinator)),
            1 => Some(What::PowerCut(Who::Coordinator)),
            _ => Some(What::Crash(Who::Coordinator)),
        };
        Scenario {
            seed,
            kind,
            hosts: self.hosts,
            network,
            skew_ms: (0..self.hosts).map(|_| skew(rng)).collect(),
            history_max: *rng
                .choice(&[8, 100_000, 100_000, 100_000])
                .unwrap_or(&100_000),
            history_of: Vec::new(),
            waiting_max: papo::limits::WAITING_MAX,
            unstored_bytes_max: papo::limits::UNSTORED_BYTES_MAX,
            stores: Vec::new(),
            printers: Vec::new(),
            heartbeat_ms: timeouts.0,
            failure_timeout_ms: timeouts.1,
            fixed_ports: rng.bool(),
            dead_address: rng.u8(0..4) == 0,
            peers: Vec::new(),
            datagrams_end: None,
            heal_at: self.until,
            stay,
            bound: 20 * SECOND,
            failover,
            liar: None,
            events: self.events,
        }
    }
}
