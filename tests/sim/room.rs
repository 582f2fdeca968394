//! Rooms of any size in a quiet network: everybody comes in, and what happens then is up to the
//! caller.
//!
//! Owns the coming in, and the waiting for agreement. It demands nothing else.

use std::rc::Rc;

use super::agenda::RunId;
use super::checks::{Verdict, convergence};
use super::run::alive;
use super::scenario::{MS, Run, SECOND, Scenario, What, Who};
use super::trace::Trace;
use super::world::World;

/// When the second node starts; the first has founded the room by then.
const SECOND_COMES: u64 = SECOND;
/// The pause between two that come.
const PAUSE: u64 = 2 * MS;
/// How often agreement is looked for.
const LOOK_EVERY: u64 = 100 * MS;
/// How long agreement may take.
const PATIENCE: u64 = 60 * SECOND;

/// A world that nobody is in yet: one founds the room, the others come soon after.
pub fn empty(hosts: usize, seed: u64) -> World {
    let mut scenario = Scenario::quiet("room", seed, hosts);
    for host in 0..hosts {
        let at = if host == 0 {
            0
        } else {
            SECOND_COMES + PAUSE * host as u64
        };
        scenario.add(at, What::Start(host, Run::Node));
    }
    scenario.heal_at = u64::MAX;
    World::new(Rc::new(scenario), None, Trace::default())
}

/// Everybody comes in.
pub fn join(world: &mut World) -> Result<(), String> {
    world.run_until(SECOND_COMES + PAUSE * world.scenario.hosts as u64);
    until_agreed(world).map(|_| ())
}

/// A room that everybody is in.
pub fn settled(hosts: usize, seed: u64) -> Result<World, String> {
    let mut world = empty(hosts, seed);
    join(&mut world)?;
    Ok(world)
}

/// Lets time pass until all who are alive agree; how long that took, in microseconds.
pub fn until_agreed(world: &mut World) -> Result<u64, String> {
    until_agreed_looking(world, LOOK_EVERY)
}

/// The same, looking for it this often.
pub fn until_agreed_looking(world: &mut World, every: u64) -> Result<u64, String> {
    let from = world.now();
    loop {
        if let Some(violation) = &world.failure {
            return Err(violation.to_string());
        }
        match agreed(world) {
            Ok(()) => return Ok(world.now() - from),
            Err(violation) if world.now() > from + PATIENCE => return Err(violation.to_string()),
            Err(_) => world.run_until(world.now() + every),
        }
    }
}

fn agreed(world: &World) -> Verdict {
    let runs = alive(world);
    // The views first: histories cost more to compare.
    let view = |run: &RunId| {
        let node = &world.processes[*run].node;
        (
            node.coordinator(),
            node.view_version(),
            node.members().len(),
        )
    };
    if runs.windows(2).any(|pair| view(&pair[0]) != view(&pair[1])) {
        let text = "not everybody holds the same view".to_string();
        return Err(super::checks::Violation::new("convergence", text));
    }
    convergence::agree(&world.record.all_held(&runs, &world.processes))
}

/// The processes that are alive, the one with the highest id first.
pub fn by_rank(world: &World) -> Vec<RunId> {
    let mut runs = alive(world);
    runs.sort_by_key(|run| std::cmp::Reverse(world.processes[*run].node.id()));
    runs
}

pub fn crash(world: &mut World, run: RunId) {
    let host = world.processes[run].host;
    world.cause(0, &What::Crash(Who::Host(host)));
}

/// Nobody is told: not even a kernel answers any more.
pub fn cut_power(world: &mut World, run: RunId) {
    let (now, host) = (world.now(), world.processes[run].host);
    world.paths.set_up(now, host, false);
    world.vanish(run);
}

/// Hosts of even and of odd numbers no longer reach each other.
pub fn part_halves(world: &mut World) {
    let now = world.now();
    for (a, b) in across(world.scenario.hosts) {
        world.paths.cut(now, a, b);
    }
}

pub fn mend_halves(world: &mut World) {
    let now = world.now();
    for (a, b) in across(world.scenario.hosts) {
        world.paths.mend(now, a, b);
    }
}

fn across(hosts: usize) -> impl Iterator<Item = (usize, usize)> {
    let pairs = (0..hosts).flat_map(move |a| (0..hosts).map(move |b| (a, b)));
    pairs.filter(|(a, b)| a % 2 != b % 2)
}
