//! Scenarios aimed at one protection each: where it is missing, users see something that they
//! must not, and that the mixed faults hide because the groups mend it a little later.
//!
//! Owns these kinds, and what each demands beyond the invariants. It looks at nothing but the seed.

use super::scenario::{Demand, MS, Run, SECOND, Scenario, What, Who};

pub const KINDS: [&str; 8] = [
    "start at once",
    "cut from the coordinator",
    "away in office",
    "dies while speaking",
    "leaves while speaking",
    "no multicast",
    "peers only",
    "small history",
];

/// When everybody is in and calm.
const SETTLED: u64 = 4 * SECOND;

/// The scenario of one of these kinds.
pub fn scenario_of(kind: &'static str, seed: u64) -> Option<Scenario> {
    if !KINDS.contains(&kind) {
        return None;
    }
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x7a49);
    let hosts = rng.usize(3..=10);
    let mut scenario = Scenario::quiet(kind, seed, hosts);
    if rng.bool() {
        (scenario.heartbeat_ms, scenario.failure_timeout_ms) = (100, 400);
    }
    scenario.network.latency = *rng.choice(&[(30, 200), (500, 8_000)]).unwrap_or(&(30, 200));
    for host in 0..hosts {
        scenario.add(0, What::Start(host, Run::Node));
    }
    match kind {
        "start at once" => start_at_once(&mut scenario),
        "cut from the coordinator" => cut_from_coordinator(&mut scenario, &mut rng),
        "away in office" => away_in_office(&mut scenario, &mut rng),
        "dies while speaking" => dies_while_speaking(&mut scenario, &mut rng),
        "leaves while speaking" => leaves_while_speaking(&mut scenario, &mut rng),
        "no multicast" => no_multicast(&mut scenario, &mut rng),
        "peers only" => peers_only(&mut scenario, &mut rng),
        _ => small_history(&mut scenario, &mut rng),
    }
    scenario.events.sort_by_key(|e| e.at);
    Some(scenario)
}

/// So many start in the same instant; all must be one group from the start, and stay so.
pub fn storm(hosts: usize, seed: u64) -> Scenario {
    let mut scenario = Scenario::quiet("join storm", seed, hosts);
    for host in 0..hosts {
        scenario.add(0, What::Start(host, Run::Node));
        scenario.add(2 * SECOND, What::Say(Who::Host(host), 1, 12));
    }
    start_at_once(&mut scenario);
    scenario.failover = Some(What::Crash(Who::Coordinator));
    scenario
}

/// The one with the highest id was cut off for a while and coordinates itself alone: when it comes back,
/// everybody is let in by it, and nobody is told that one of the others had gone.
pub fn lone_highest_returns(seed: u64) -> Scenario {
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x10e);
    let hosts = rng.usize(3..=8);
    let mut scenario = Scenario::quiet("a lone highest one returns", seed, hosts);
    scenario.network.latency = *rng.choice(&[(30, 200), (500, 8_000)]).unwrap_or(&(30, 200));
    let highest = hosts - 1;
    for host in 0..hosts {
        let at = if host == highest { SECOND } else { 0 };
        scenario.add(at, What::Start(host, Run::Node));
    }
    let only = What::Demand(Demand::OnlyComesAndGoes(highest));
    scenario.add(SETTLED, only);
    let long = 3 * SECOND + rng.u64(0..3 * SECOND);
    let from = SETTLED + rng.u64(MS..SECOND);
    scenario.add(from, What::Partition(1 << highest, long));
    for host in 0..hosts {
        let at = from + rng.u64(0..long + SECOND);
        scenario.add(at, What::Say(Who::Host(host), 1, 12));
    }
    scenario.events.sort_by_key(|e| e.at);
    scenario.heal_at = from + long + 8 * SECOND;
    scenario
}

/// The tie-break: nodes that start in the same instant are one group from the start.
fn start_at_once(scenario: &mut Scenario) {
    scenario.add(SETTLED, What::Demand(Demand::OneFounder));
    scenario.heal_at = SETTLED + SECOND;
}

/// The indirect probe: who does not hear the coordinator, and is not heard by it, while both hear
/// the others, starts no election and stays a member.
fn cut_from_coordinator(scenario: &mut Scenario, rng: &mut fastrand::Rng) {
    let timeout = scenario.failure_timeout_ms * MS;
    let long = timeout * rng.u64(2..6);
    scenario.add(SETTLED, What::Demand(Demand::Calm(true)));
    let member = rng.usize(0..scenario.hosts);
    let from = SETTLED + rng.u64(MS..SECOND);
    scenario.add(from, What::CutFrom(Who::Coordinator, member, long));
    let after = from + long + timeout * 2;
    scenario.add(from + long / 2, What::Say(Who::Host(member), 2, 12));
    scenario.add(after, What::Demand(Demand::Calm(false)));
    scenario.heal_at = after + SECOND;
}

/// The away rule: a coordinator that was stopped for long finds another one in office, and leaves
/// it there, whoever is higher.
fn away_in_office(scenario: &mut Scenario, rng: &mut fastrand::Rng) {
    // The founder is the lowest; the next coordinator is the highest.
    scenario.add(SETTLED, What::Crash(Who::Coordinator));
    let from = SETTLED + 3 * SECOND + rng.u64(0..SECOND);
    let long = scenario.failure_timeout_ms * MS + 2 * SECOND + rng.u64(0..3 * SECOND);
    let what = if rng.bool() {
        What::Freeze(Who::Coordinator, long)
    } else {
        What::Suspend(Who::Coordinator, long)
    };
    scenario.add(from, what);
    let back = from + long;
    scenario.add(back - 50 * MS, What::Demand(Demand::KeepCoordinator(true)));
    scenario.add(
        back + 3 * SECOND,
        What::Demand(Demand::KeepCoordinator(false)),
    );
    scenario.heal_at = back + 3 * SECOND + MS;
}

/// SYNC on a loss: a broadcast that did not reach everybody, its author dead, is whole again soon
/// after the loss, and not only when the next periodic SYNC happens to mend it.
fn dies_while_speaking(scenario: &mut Scenario, rng: &mut fastrand::Rng) {
    scenario.network.latency = (500, 8_000);
    let other = rng.usize(0..scenario.hosts);
    let at = SETTLED + rng.u64(0..2 * SECOND);
    scenario.add(at, What::CutFrom(Who::Coordinator, other, 20 * SECOND));
    scenario.add(at, What::Say(Who::Coordinator, 1, 12));
    scenario.add(at + 300, What::Crash(Who::Coordinator));
    // The one that misses it may be the next coordinator, and only learns by silence.
    let silence = (scenario.failure_timeout_ms + 2 * scenario.heartbeat_ms) * MS;
    let repaired = at + silence + SECOND / 2;
    scenario.add(repaired, What::Demand(Demand::SameHistory));
    scenario.heal_at = repaired + SECOND;
}

/// LEAVE behind chat: a leaver's last words are on the way to the coordinator for longer than it
/// has patience, and reach it before the farewell.
fn leaves_while_speaking(scenario: &mut Scenario, rng: &mut fastrand::Rng) {
    // A frame of its chat takes longer than the shorter time-out.
    (scenario.heartbeat_ms, scenario.failure_timeout_ms) = (250, 1_000);
    scenario.network.send_buffer = 16 * 1024;
    let (lines, size, rate) = (37 + rng.u64(0..3), 15_000, 100_000);
    for host in 0..scenario.hosts {
        let slow = What::SlowFrom(Who::Coordinator, host, rate, 20 * SECOND);
        scenario.add(SETTLED, slow);
    }
    let leaver = Who::Member(rng.usize(0..scenario.hosts));
    let at = SETTLED + rng.u64(MS..SECOND);
    scenario.add(SETTLED, What::Demand(Demand::LastWords));
    scenario.add(at, What::Say(leaver, lines, size));
    scenario.add(at + 100 * MS, What::Leave(leaver));
    scenario.heal_at = at + 9 * SECOND;
}

/// Claims on links: once in, nodes part and find each other again without a single datagram.
fn no_multicast(scenario: &mut Scenario, rng: &mut fastrand::Rng) {
    scenario.datagrams_end = Some(SETTLED);
    let until = SETTLED + rng.u64(4..12) * SECOND;
    for _ in 0..rng.u8(1..4) {
        let (side, at) = (rng.u64(..), rng.u64(SETTLED..until));
        let long = rng.u64(SECOND..8 * SECOND);
        scenario.add(at, What::Partition(side, long));
    }
    if rng.bool() {
        let who = Who::Host(rng.usize(0..scenario.hosts));
        scenario.add(rng.u64(SETTLED..until), What::Crash(who));
    }
    for _ in 0..10 {
        let who = Who::Host(rng.usize(0..scenario.hosts));
        scenario.add(rng.u64(0..until), What::Say(who, 1, 12));
    }
    scenario.heal_at = until;
    scenario.bound = 40 * SECOND;
    scenario.failover = Some(What::Crash(Who::Coordinator));
}

/// `--peer`: multicast is missing from the start; everybody is told of the same two hosts, one of
/// which is always there.
fn peers_only(scenario: &mut Scenario, rng: &mut fastrand::Rng) {
    scenario.datagrams_end = Some(0);
    scenario.peers = vec![0, 1];
    scenario.bound = 40 * SECOND;
    if rng.bool() {
        for event in &mut scenario.events {
            event.at = rng.u64(0..3 * SECOND);
        }
    }
    let until = SETTLED + rng.u64(2..8) * SECOND;
    for _ in 0..rng.u8(0..3) {
        let (side, at) = (rng.u64(..), rng.u64(SETTLED..until));
        scenario.add(at, What::Partition(side, rng.u64(SECOND..6 * SECOND)));
    }
    let host = rng.usize(1..scenario.hosts);
    let at = rng.u64(SETTLED..until);
    scenario.add(at, What::Crash(Who::Host(host)));
    scenario.add(at + rng.u64(0..2 * SECOND), What::Start(host, Run::Node));
    scenario.events.retain(|e| e.at < until);
    for _ in 0..10 {
        let who = Who::Host(rng.usize(0..scenario.hosts));
        scenario.add(rng.u64(0..until), What::Say(who, 1, 12));
    }
    scenario.heal_at = until;
}

/// Floors: far more is said than anybody keeps, while nodes part, die and come.
fn small_history(scenario: &mut Scenario, rng: &mut fastrand::Rng) {
    scenario.history_max = *rng.choice(&[1, 3, 10, 40]).unwrap_or(&3);
    let until = SETTLED + rng.u64(4..10) * SECOND;
    for _ in 0..rng.u8(20..60) {
        let who = Who::Host(rng.usize(0..scenario.hosts));
        scenario.add(rng.u64(0..until), What::Say(who, rng.u64(1..15), 12));
    }
    for _ in 0..rng.u8(1..5) {
        let (host, at) = (rng.usize(0..scenario.hosts), rng.u64(SETTLED..until));
        match rng.u8(0..3) {
            0 => scenario.add(at, What::Partition(rng.u64(..), rng.u64(MS..4 * SECOND))),
            1 => scenario.add(at, What::Break(Who::Coordinator, host)),
            _ => {
                scenario.add(at, What::Crash(Who::Host(host)));
                let again = at + rng.u64(0..2 * SECOND);
                scenario.add(again, What::Start(host, Run::Node));
            }
        }
    }
    scenario.events.retain(|e| e.at < until);
    scenario.heal_at = until;
    scenario.failover = Some(What::Crash(Who::Coordinator));
}
