//! A host to and from which small packets pass and large ones vanish: it is in the room soon, all the same.
//!
//! Owns this kind of scenario, and what it demands. It looks at nothing but the seed.

use super::scenario::{Demand, MS, Oddity, Run, SECOND, Scenario, What, Who};

/// The name of this kind.
pub const LARGE_LOST: &str = "large lost";

/// How soon it is in the room, with the history.
const IN_WITHIN: u64 = 10 * SECOND;

/// The scenario of this kind and seed.
pub fn scenario_of(kind: &'static str, seed: u64) -> Option<Scenario> {
    if kind != LARGE_LOST {
        return None;
    }
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x3a11);
    let hosts = rng.usize(2..=5);
    let mut scenario = Scenario::quiet(kind, seed, hosts);
    scenario.network.latency = *rng.choice(&[(30, 200), (500, 8_000)]).unwrap_or(&(30, 200));
    let is_first = rng.u8(0..4) == 0;
    let odd = if is_first { 0 } else { hosts - 1 };
    let is_late = rng.bool();
    scenario.add(0, What::Odd(odd, Oddity::EatsLarge));
    let comes = |host: usize| {
        SECOND
            * if host == odd || is_first {
                host as u64
            } else {
                0
            }
    };
    for host in 0..hosts {
        let at = if is_late && !is_first && host == odd {
            6 * SECOND
        } else {
            comes(host)
        };
        scenario.add(at, What::Start(host, Run::Node));
    }
    // Small lines that are large together, or large ones.
    let (count, size) = if rng.bool() { (100, 60) } else { (2, 8_000) };
    let speaker = Who::Host(if is_first { odd } else { 0 });
    scenario.add(3 * SECOND, What::Say(speaker, count, size));
    let last = if is_late { 6 * SECOND } else { 5 * SECOND };
    scenario.add(last + IN_WITHIN, What::Demand(Demand::OneRoom));
    scenario.add(last + IN_WITHIN, What::Demand(Demand::SameHistory));
    scenario.add(last + IN_WITHIN + MS, What::Say(Who::Host(odd), 2, 5_000));
    scenario.heal_at = last + IN_WITHIN + 2 * SECOND;
    if hosts > 2 {
        scenario.failover = Some(What::Crash(Who::Coordinator));
    }
    scenario.events.sort_by_key(|e| e.at);
    Some(scenario)
}
