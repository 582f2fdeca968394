//! Scenarios of volume: more is said than anybody keeps, queues or carries, while members stop,
//! come and die.
//!
//! Owns these kinds. It looks at nothing but the seed.

use super::limits::{keep_unequally, print_some, rng_of, store_some};
use super::scenario::{Demand, MS, Run, SECOND, Scenario, What, Who, any_pair};

pub const KINDS: [&str; 10] = [
    "bursts over slow links",
    "full queues",
    "stopped in bursts",
    "coordinators without a history",
    "deaths while joining",
    "by way of others",
    "stores",
    "short beside long",
    "volume of all kinds",
    // Not among the kinds that every seed is one of.
    STOPPED_AGAIN,
];

/// Who was stopped is stopped again before it has what was said meanwhile.
pub const STOPPED_AGAIN: &str = "stopped again while catching up";

/// When everybody is in and calm.
const SETTLED: u64 = 4 * SECOND;
/// How long the faults go on after that.
const TROUBLE: u64 = 8 * SECOND;
/// When the faults end, in most of these.
const UNTIL: u64 = SETTLED + TROUBLE;

/// A scenario that is being made.
struct Maker {
    scenario: Scenario,
    rng: fastrand::Rng,
}

/// The scenario of one of these kinds.
pub fn scenario_of(kind: &'static str, seed: u64) -> Option<Scenario> {
    if !KINDS.contains(&kind) {
        return None;
    }
    let mut rng = rng_of(seed, 0x0707);
    let hosts = rng.usize(3..=6);
    let mut scenario = Scenario::quiet(kind, seed, hosts);
    if rng.bool() {
        (scenario.heartbeat_ms, scenario.failure_timeout_ms) = (100, 400);
    }
    scenario.network.latency = *rng.choice(&[(30, 200), (500, 8_000)]).unwrap_or(&(30, 200));
    scenario.fixed_ports = rng.bool();
    scenario.history_max = rng.usize(3..=50);
    scenario.heal_at = UNTIL;
    scenario.failover = Some(What::Crash(Who::Coordinator));
    let mut maker = Maker { scenario, rng };
    match kind {
        "bursts over slow links" => maker.bursts_over_slow_links(),
        "full queues" => maker.full_queues(),
        "stopped in bursts" => maker.stopped_in_bursts(),
        "coordinators without a history" => maker.coordinators_without_history(),
        "deaths while joining" => maker.deaths_while_joining(),
        "by way of others" => maker.by_way_of_others(),
        "stores" => maker.stores(),
        "short beside long" => maker.short_beside_long(),
        STOPPED_AGAIN => maker.stopped_again(),
        _ => maker.all_kinds(),
    }
    let mut scenario = maker.scenario;
    let until = scenario.heal_at;
    scenario.events.retain(|e| e.at < until);
    scenario.events.sort_by_key(|e| e.at);
    Some(scenario)
}

impl Maker {
    fn add(&mut self, at: u64, what: What) {
        self.scenario.add(at, what);
    }

    fn host(&mut self) -> usize {
        self.rng.usize(0..self.scenario.hosts)
    }

    fn pair(&mut self) -> (usize, usize) {
        any_pair(&mut self.rng, self.scenario.hosts)
    }

    fn who(&mut self) -> Who {
        Who::any(&mut self.rng, self.scenario.hosts)
    }

    /// From a moment to several time-outs.
    fn long(&mut self) -> u64 {
        match self.rng.u8(0..3) {
            0 => self.rng.u64(10 * MS..400 * MS),
            1 => self.rng.u64(400 * MS..1_500 * MS),
            _ => self.rng.u64(1_500 * MS..6 * SECOND),
        }
    }

    fn time(&mut self) -> u64 {
        self.rng.u64(SETTLED..UNTIL)
    }

    fn start_all(&mut self) {
        for host in 0..self.scenario.hosts {
            self.add(0, What::Start(host, Run::Node));
        }
    }

    /// Several times as much as a short history takes.
    fn burst(&mut self, at: u64, who: Who, size: usize) {
        let lines = self.rng.u64(40..=160);
        self.add(at, What::Say(who, lines, size));
    }

    /// A few lines by everybody, now and then.
    fn small_talk(&mut self, lines: usize) {
        for _ in 0..lines {
            let (who, at) = (self.who(), self.rng.u64(0..self.scenario.heal_at));
            self.add(at, What::Say(who, 1, 12));
        }
    }

    fn slow_pair(&mut self, at: u64) {
        let ((a, b), long) = (self.pair(), self.long());
        let rate = *self.rng.choice(&[4_000, 20_000, 100_000]).unwrap_or(&4_000);
        self.add(at, What::Slow(a, b, rate, long));
    }

    fn stop(&mut self, at: u64) {
        let (who, long) = (self.who(), self.long());
        if self.rng.u8(0..3) == 0 {
            self.add(at, What::Suspend(who, long));
        } else {
            self.add(at, What::Freeze(who, long));
        }
    }

    /// A process dies in one way or another, and another one comes later perhaps.
    fn death(&mut self, at: u64) {
        let who = self.who();
        match self.rng.u8(0..4) {
            0 => self.add(at, What::Leave(who)),
            1 => self.add(at, What::PowerCut(who)),
            _ => self.add(at, What::Crash(who)),
        }
        for host in 0..self.scenario.hosts {
            if self.rng.bool() {
                let later = at + self.rng.u64(0..3 * SECOND);
                self.add(later, What::Start(host, Run::Node));
            }
        }
    }

    fn small_buffers(&mut self) {
        self.scenario.network.send_buffer = 16 * 1024;
        self.scenario.network.receive_buffer = 32 * 1024;
    }

    /// A member behind a slow link falls behind what all others drop meanwhile.
    fn bursts_over_slow_links(&mut self) {
        self.start_all();
        self.small_buffers();
        for _ in 0..self.rng.u8(1..=3) {
            let at = self.time();
            self.slow_pair(at);
            let (who, size) = (self.who(), *self.rng.choice(&[20, 200, 400]).unwrap_or(&20));
            let begin = at + self.rng.u64(0..SECOND / 2);
            self.burst(begin, who, size);
        }
        self.small_talk(10);
    }

    /// Queues that are full in no time, of peers that are slow or read nothing.
    fn full_queues(&mut self) {
        self.start_all();
        self.small_buffers();
        self.scenario.network.queue_max = self.rng.usize(8..=64) * 1024;
        if self.rng.bool() {
            keep_unequally(&mut self.scenario, &mut self.rng);
        }
        for _ in 0..self.rng.u8(1..=3) {
            let at = self.time();
            if self.rng.bool() {
                self.slow_pair(at);
            } else {
                self.stop(at);
            }
            let who = self.who();
            let size = *self.rng.choice(&[500, 1_000, 2_000]).unwrap_or(&500);
            let begin = at + self.rng.u64(0..SECOND / 2);
            self.burst(begin, who, size);
        }
        self.small_talk(10);
    }

    /// Stops of every length while others say more than anybody keeps.
    fn stopped_in_bursts(&mut self) {
        self.start_all();
        if self.rng.u8(0..3) == 0 {
            self.scenario.history_max = 100_000;
        }
        for _ in 0..self.rng.u8(1..=4) {
            let at = self.time();
            self.stop(at);
            for _ in 0..self.rng.u8(1..=3) {
                let (who, begin) = (self.who(), at + self.rng.u64(0..SECOND));
                self.burst(begin, who, 12);
            }
        }
        self.small_talk(10);
    }

    /// Who was stopped while much was said is stopped again before it has all of that, for so long that
    /// it has no link any more when it goes on.
    fn stopped_again(&mut self) {
        self.start_all();
        self.small_buffers();
        self.scenario.history_max = 100_000;
        self.scenario.network.queue_max = self.rng.usize(8..=64) * 1024;
        let (stopped, speaker) = self.pair();
        let long = self.rng.u64(SECOND..3 * SECOND);
        self.add(SETTLED, What::Freeze(Who::Host(stopped), long));
        for _ in 0..3 {
            let at = SETTLED + self.rng.u64(0..long);
            self.burst(at, Who::Host(speaker), 1_000);
        }
        let back = SETTLED + long;
        for host in (0..self.scenario.hosts).filter(|host| *host != stopped) {
            self.add(SETTLED, What::Slow(stopped, host, 40_000, 20 * SECOND));
        }
        let (again, long) = (
            self.rng.u64(100 * MS..3 * SECOND),
            self.rng.u64(4 * SECOND..9 * SECOND),
        );
        self.add(back + again, What::Freeze(Who::Host(stopped), long));
        self.add(SETTLED, What::Demand(Demand::NothingMissed));
        self.scenario.heal_at = back + again + long + 4 * SECOND;
    }

    /// Who comes last, and without the history, coordinates next: newcomers are not to take that
    /// for the room's history.
    fn coordinators_without_history(&mut self) {
        self.scenario.history_max = *self.rng.choice(&[30, 100_000]).unwrap_or(&30);
        let last = self.scenario.hosts - 1;
        for host in 0..last {
            self.add(0, What::Start(host, Run::Node));
        }
        for _ in 0..self.rng.u8(5..20) {
            let (who, at) = (Who::Host(self.rng.usize(0..last)), self.rng.u64(0..SETTLED));
            let lines = self.rng.u64(1..6);
            self.add(at, What::Say(who, lines, 12));
        }
        self.add(SETTLED, What::Start(last, Run::Forgetful));
        let dies = SETTLED + self.rng.u64(SECOND..2 * SECOND);
        let how = match self.rng.u8(0..3) {
            0 => What::Leave(Who::Coordinator),
            _ => What::Crash(Who::Coordinator),
        };
        self.add(dies, how);
        // Whoever coordinated is on one of the first hosts, which is free now.
        for host in 0..last {
            let comes = dies + self.rng.u64(SECOND..4 * SECOND);
            self.add(comes, What::Start(host, Run::Node));
        }
        if self.rng.u8(0..3) == 0 {
            let at = self.time();
            self.add(at, What::Crash(Who::Member(0)));
            self.add(at + SECOND, What::Start(0, Run::Node));
        }
        self.small_talk(20);
    }

    /// The history takes several chunks over slow links, and its source dies or stops half-way.
    fn deaths_while_joining(&mut self) {
        self.scenario.history_max = *self.rng.choice(&[15, 100_000]).unwrap_or(&15);
        let newcomer = self.scenario.hosts - 1;
        for host in 0..newcomer {
            self.add(0, What::Start(host, Run::Node));
            let lines = self.rng.u64(3..=10);
            let at = self.rng.u64(SECOND..3 * SECOND);
            self.add(at, What::Say(Who::Host(host), lines, 14_000));
        }
        let rate = *self.rng.choice(&[100_000, 400_000]).unwrap_or(&100_000);
        for host in 0..newcomer {
            let slow = What::Slow(host, newcomer, rate, 4 * SECOND);
            self.add(SETTLED, slow);
        }
        let comes = SETTLED + self.rng.u64(MS..SECOND);
        self.add(comes, What::Start(newcomer, Run::Node));
        let dies = comes + self.rng.u64(200 * MS..3 * SECOND);
        let source = if self.rng.u8(0..3) == 0 {
            Who::Member(self.rng.usize(0..newcomer))
        } else {
            Who::Coordinator
        };
        let (long, other) = (self.long(), self.rng.usize(0..newcomer));
        let what = match self.rng.u8(0..5) {
            0 => What::Freeze(source, long),
            1 => What::PowerCut(source),
            2 => What::Break(source, newcomer),
            _ => What::Crash(source),
        };
        self.add(dies, what);
        let comes = dies + self.rng.u64(0..SECOND);
        self.add(comes, What::Start(other, Run::Node));
        self.small_talk(30);
    }

    /// Two members that do not reach each other, and both reach the others: what they say is
    /// delivered all the same, while the cut lasts.
    fn by_way_of_others(&mut self) {
        self.start_all();
        self.scenario.history_max = *self.rng.choice(&[30, 100_000]).unwrap_or(&30);
        let ((a, b), at) = (self.pair(), SETTLED + self.rng.u64(0..SECOND));
        let long = 14 * SECOND;
        self.scenario.heal_at = at + long + SECOND;
        self.add(at, What::CutPair(a, b, long));
        for _ in 0..self.rng.u8(1..=4) {
            let who = Who::Host(*self.rng.choice(&[a, b]).unwrap_or(&a));
            let begin = at + self.rng.u64(0..4 * SECOND);
            let lines = self.rng.u64(1..20);
            self.add(begin, What::Say(who, lines, 12));
        }
        self.add(at + long - MS, What::Demand(Demand::AllDelivered));
    }

    /// What is confirmed is on disks: processes fall behind, die in bursts and come back, disks fail.
    fn stores(&mut self) {
        self.start_all();
        let share = self.rng.u8(2..=4);
        store_some(&mut self.scenario, &mut self.rng, share);
        if self.rng.u8(0..3) > 0 {
            self.small_buffers();
            self.scenario.network.queue_max = self.rng.usize(8..=32) * 1024;
        }
        match self.rng.u8(0..12) {
            0 => return self.more_than_memory(),
            1 => return self.more_than_may_wait(),
            _ => {}
        }
        for _ in 0..self.rng.u8(1..=3) {
            let (who, at) = (self.who(), self.time());
            let size = *self.rng.choice(&[12, 300, 800]).unwrap_or(&12);
            self.burst(at, who, size);
            if self.rng.u8(0..3) == 0 {
                self.slow_pair(at);
            } else {
                self.stop(at);
            }
            if self.rng.bool() {
                let then = at + self.rng.u64(0..3 * SECOND);
                self.death(then);
            }
        }
        self.small_talk(10);
    }

    /// So much is said that a part of it is on disks only when somebody catches up or comes.
    fn more_than_memory(&mut self) {
        self.scenario.stores = (0..self.scenario.hosts).collect();
        let (who, at) = (self.who(), SETTLED + self.rng.u64(0..SECOND));
        let lines = self.rng.u64(1_100..=1_300);
        self.add(at, What::Say(who, lines, 12));
        self.stop(at);
        let then = at + self.rng.u64(SECOND..4 * SECOND);
        self.death(then);
        self.small_talk(5);
    }

    /// So much is said while a disk fails that the oldest of it is given up.
    fn more_than_may_wait(&mut self) {
        self.scenario.unstored_bytes_max = self.rng.usize(500..5_000);
        self.scenario.history_max = self.rng.usize(3..=20);
        for _ in 0..self.rng.u8(1..=3) {
            let (who, at) = (self.who(), self.time());
            let index = self.rng.usize(..);
            let stores = &self.scenario.stores;
            let Some(host) = stores.get(index % stores.len().max(1)).copied() else {
                return;
            };
            let long = self.rng.u64(500 * MS..5 * SECOND);
            self.add(at, What::StoreFails(host, long));
            let size = *self.rng.choice(&[12, 300]).unwrap_or(&12);
            let begin = at + self.rng.u64(0..SECOND);
            self.burst(begin, who, size);
            let then = at + self.rng.u64(0..2 * SECOND);
            match self.rng.u8(0..4) {
                0 => self.stop(then),
                1 => self.death(then),
                _ => {}
            }
        }
        self.small_talk(10);
    }

    /// Some keep next to nothing (the coordinator or the author, perhaps), others all.
    fn short_beside_long(&mut self) {
        self.start_all();
        keep_unequally(&mut self.scenario, &mut self.rng);
        for _ in 0..self.rng.u8(2..=4) {
            let (who, at) = (self.who(), self.time());
            self.burst(at, who, 12);
            let then = at + self.rng.u64(0..SECOND);
            match self.rng.u8(0..4) {
                0 => self.stop(then),
                1 => self.slow_pair(at),
                _ => self.death(then),
            }
        }
        self.small_talk(20);
    }

    fn all_kinds(&mut self) {
        self.start_all();
        if self.rng.bool() {
            keep_unequally(&mut self.scenario, &mut self.rng);
        }
        if self.rng.u8(0..3) == 0 {
            let share = self.rng.u8(1..=3);
            store_some(&mut self.scenario, &mut self.rng, share);
        }
        if self.rng.u8(0..3) == 0 {
            self.small_buffers();
            self.scenario.network.queue_max = self.rng.usize(16..=96) * 1024;
        }
        if self.rng.u8(0..3) == 0 {
            print_some(&mut self.scenario, &mut self.rng);
        }
        for _ in 0..self.rng.u8(2..=6) {
            let at = self.time();
            match self.rng.u8(0..6) {
                0 => self.stop(at),
                1 => self.slow_pair(at),
                2 => self.death(at),
                3 => {
                    let (side, long) = (self.rng.u64(..), self.long());
                    self.add(at, What::Partition(side, long));
                }
                4 => {
                    let ((a, b), long) = (self.pair(), self.long());
                    self.add(at, What::CutPair(a, b, long));
                }
                _ => {
                    let (host, lines) = (self.host(), self.rng.u64(1..20));
                    self.add(at, What::Crash(Who::Host(host)));
                    self.add(at + SECOND, What::Start(host, Run::OneShot(lines)));
                }
            }
            let (who, size) = (self.who(), *self.rng.choice(&[12, 300]).unwrap_or(&12));
            let begin = at + self.rng.u64(0..SECOND);
            self.burst(begin, who, size);
        }
        self.small_talk(20);
    }
}
