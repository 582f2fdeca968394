//! Coordinators whose host is gone, and those that only seem to be: what was lost or stalled on the way, or
//! a process that was paused, starts no election.
//!
//! Owns this kind of scenario, what it demands, and how long a room is without a coordinator whose host has
//! lost its power. It looks at nothing but the seed.

use super::room::{cut_power, settled, until_agreed_looking};
use super::run::alive;
use super::scenario::{Demand, MS, Run, SECOND, Scenario, What, Who};

/// The name of this kind.
pub const HOST_GONE: &str = "host gone";

/// When everybody is in and calm.
const SETTLED: u64 = 4 * SECOND;
/// How long a stall of streams, or a cut, takes.
const STALL: u64 = 300 * MS;
/// How long a process stands still, or one member and the coordinator do not hear each other: almost for the
/// failure timeout, after which another heartbeat passes before it is believed to be gone.
const PAUSE: u64 = 900 * MS;
/// How long one member is cut off from everybody: its kernel sends again 600 ms after the first time, and
/// after that too late.
const DEAF: u64 = 600 * MS;
/// How often looking for the new coordinator is worth it.
const LOOK_EVERY: u64 = 2 * MS;

/// What happens to the room again and again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trouble {
    /// Streams with the coordinator stall.
    Stalls,
    /// The same, twice with a short pause between.
    StallsTwice,
    /// Nothing gets to the coordinator or away from it.
    Cuts,
    /// The process of the coordinator is paused.
    Pauses,
    /// A member that is not the coordinator is cut off from everybody.
    Deaf,
    /// One member and the coordinator do not hear each other.
    Apart,
}

/// In so many rooms trouble is of each of these kinds, and in so many different sizes.
const TROUBLES: [(Trouble, &[usize]); 10] = [
    (Trouble::Stalls, &[2, 3, 5]),
    (Trouble::Cuts, &[2, 3, 5]),
    (Trouble::Pauses, &[2, 3, 5]),
    (Trouble::Deaf, &[3, 5]),
    (Trouble::StallsTwice, &[2, 3, 5]),
    (Trouble::Apart, &[3, 5]),
    (Trouble::Stalls, &[2, 3, 5]),
    (Trouble::Cuts, &[2, 3, 5]),
    (Trouble::Pauses, &[2, 3, 5]),
    (Trouble::Deaf, &[3, 5]),
];

/// The scenario of this kind and seed.
pub fn scenario_of(kind: &'static str, seed: u64) -> Option<Scenario> {
    (kind == HOST_GONE).then(|| calm_for(60, seed))
}

/// So many seconds of trouble, with three of ten datagrams lost, and nobody may elect.
pub fn calm_for(seconds: u64, seed: u64) -> Scenario {
    let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x605e);
    let (trouble, sizes) = TROUBLES[(seed % TROUBLES.len() as u64) as usize];
    let hosts = *rng.choice(sizes).unwrap_or(&3);
    let mut scenario = Scenario::quiet(HOST_GONE, seed, hosts);
    for host in 0..hosts {
        scenario.add(0, What::Start(host, Run::Node));
    }
    let until = SETTLED + seconds * SECOND;
    scenario.add(SETTLED - MS, What::DatagramLoss(300, until));
    for calm in [(SETTLED, true), (until + 3 * SECOND, false)] {
        scenario.add(calm.0, What::Demand(Demand::Calm(calm.1)));
        scenario.add(calm.0, What::Demand(Demand::KeepCoordinator(calm.1)));
    }
    let mut at = SETTLED + rng.u64(MS..SECOND);
    while at < until {
        make(&mut scenario, &mut rng, (trouble, at));
        // After two at once the kernels send again 1.4 s after the first time only.
        let calm = if trouble == Trouble::StallsTwice {
            2 * SECOND
        } else {
            0
        };
        at += calm + rng.u64(SECOND..3 * SECOND);
    }
    scenario.events.sort_by_key(|e| e.at);
    scenario.heal_at = until + 4 * SECOND;
    scenario
}

fn make(scenario: &mut Scenario, rng: &mut fastrand::Rng, (trouble, at): (Trouble, u64)) {
    let others = 0..scenario.hosts;
    let lone = Who::Member(rng.usize(0..scenario.hosts));
    match trouble {
        Trouble::Stalls => others.for_each(|host| {
            scenario.add(at, What::StallFrom(Who::Coordinator, host, STALL));
        }),
        Trouble::StallsTwice => {
            let again = at + STALL + rng.u64(MS..50 * MS);
            for host in others {
                scenario.add(at, What::StallFrom(Who::Coordinator, host, STALL));
                scenario.add(again, What::StallFrom(Who::Coordinator, host, STALL));
            }
        }
        Trouble::Cuts => others.for_each(|host| {
            scenario.add(at, What::CutFrom(Who::Coordinator, host, STALL));
        }),
        Trouble::Pauses => scenario.add(at, What::Freeze(Who::Coordinator, PAUSE)),
        Trouble::Deaf => others.for_each(|host| {
            scenario.add(at, What::CutFrom(lone, host, DEAF));
        }),
        Trouble::Apart => {
            // Always the same one: who has just been apart itself cannot speak for the coordinator.
            let host = scenario.seed as usize % scenario.hosts;
            scenario.add(at, What::Apart(host, PAUSE));
        }
    }
}

/// In a room of `n` the coordinator's host loses its power; after how many microseconds all others follow
/// another one.
pub fn replaced_after(n: usize, seed: u64) -> Result<u64, String> {
    let mut world = settled(n, seed)?;
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x605e);
    world.run_until(world.now() + 3 * SECOND + rng.u64(0..SECOND));
    let leads = |run: &usize| {
        let process = &world.processes[*run];
        let claim = process.node.coordinator();
        claim.is_some_and(|c| c.key == process.key)
    };
    let leader = alive(&world).into_iter().find(leads);
    cut_power(&mut world, leader.ok_or("nobody coordinates")?);
    until_agreed_looking(&mut world, LOOK_EVERY)
}
