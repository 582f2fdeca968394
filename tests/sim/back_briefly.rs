//! A coordinator that is back for a moment only: it stood still until it was all but lost, goes on, and stands still
//! again; and somebody comes just then.
//!
//! Owns this kind of scenario. It looks at nothing but the seed.

use super::scenario::{MS, Run, SECOND, Scenario, What, Who};

/// The name of this kind.
pub const BACK_BRIEFLY: &str = "back briefly";

/// When everybody is in, and has been for long.
const SETTLED: u64 = 8 * SECOND;
/// How long the coordinator stands still at first: about the failure timeout.
const FIRST: std::ops::Range<u64> = 1_000 * MS..1_200 * MS;
/// For how long it goes on.
const MOMENT: std::ops::Range<u64> = 20 * MS..250 * MS;

/// The scenario of this kind and seed.
pub fn scenario_of(kind: &'static str, seed: u64) -> Option<Scenario> {
    if kind != BACK_BRIEFLY {
        return None;
    }
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xbac4);
    let hosts = rng.usize(3..=5);
    let mut scenario = Scenario::quiet(kind, seed, hosts);
    scenario.network.latency = *rng.choice(&[(30, 200), (500, 8_000)]).unwrap_or(&(30, 200));
    scenario.fixed_ports = rng.bool();
    let (coordinator, newcomer) = (0, hosts - 1);
    for host in 0..newcomer {
        scenario.add(host as u64 * SECOND, What::Start(host, Run::Node));
    }
    let first = rng.u64(FIRST);
    scenario.add(SETTLED, What::Freeze(Who::Host(coordinator), first));
    let again = SETTLED + first + rng.u64(MOMENT);
    let long = rng.u64(SECOND..4 * SECOND);
    scenario.add(again, What::Freeze(Who::Host(coordinator), long));
    let run = *rng
        .choice(&[Run::Node, Run::Forgetful])
        .unwrap_or(&Run::Node);
    let comes = again - 10 * MS + rng.u64(0..80 * MS);
    scenario.add(comes, What::Start(newcomer, run));
    scenario.add(comes + 10 * MS, What::Say(Who::Host(newcomer), 2, 12));
    for _ in 0..rng.u8(0..4) {
        let (host, at) = (
            rng.usize(1..newcomer.max(2)),
            rng.u64(SECOND..again + SECOND),
        );
        scenario.add(at, What::Say(Who::Host(host), 1, 12));
    }
    scenario.heal_at = again + long + 4 * SECOND;
    scenario.failover = Some(What::Crash(Who::Coordinator));
    scenario.events.sort_by_key(|e| e.at);
    Some(scenario)
}
