//! What a failover costs in messages, counted in rooms of several sizes.
//!
//! Owns the failovers that are counted: the coordinator dies (the common case); the upper half of
//! the room dies at once, the coordinator among them; the upper half loses its power, of which only
//! silence tells. Beside them stands classic Bully (Garcia-Molina 1982) among n nodes whose highest
//! died.

use super::agenda::RunId;
use super::room::{by_rank, crash, cut_power, settled, until_agreed, until_agreed_looking};
use super::run::alive;
use super::scenario::{MS, SECOND};
use super::world::World;

/// The messages of one failover.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    pub announcements: u64,
    pub elections: u64,
    pub answers: u64,
    /// Steps of the view, where the announced one still had somebody who is gone.
    pub updates: u64,
    /// How many are left.
    pub left: u64,
    /// From the crash until all agree, in milliseconds.
    pub took_ms: u64,
}

impl Cost {
    /// All messages of the election, and of the views after it.
    pub fn total(self) -> u64 {
        self.announcements + self.elections + self.answers + self.updates
    }
}

/// The failovers of one room.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    pub n: u64,
    pub common: Cost,
    /// The upper half of the `n - 1` that are left dies.
    pub half: Cost,
    /// The upper half of those that are left loses its power.
    pub silent: Cost,
}

/// Classic Bully: the second highest notices, and announces itself to the others.
pub fn bully_best(n: u64) -> u64 {
    n - 2
}

/// Classic Bully: the lowest notices. Each node sends ELECTION to every higher one, every living
/// one of these answers, and the winner announces itself.
pub fn bully_worst(n: u64) -> u64 {
    n * (n - 1) / 2 + (n - 1) * (n - 2) / 2 + (n - 2)
}

/// Who coordinates.
fn leader(world: &World) -> Result<RunId, String> {
    let found = alive(world).into_iter().find(|run| {
        let process = &world.processes[*run];
        let claim = process.node.coordinator();
        claim.is_some_and(|c| c.key == process.key)
    });
    found.ok_or_else(|| "nobody coordinates".to_string())
}

/// In a room of `n`, one coordinator after another dies the moment that all agree on it, until two
/// are left; how long each failover took, in microseconds.
pub fn one_after_another(n: usize, seed: u64) -> Result<Vec<u64>, String> {
    let mut world = settled(n, seed)?;
    world.run_until(world.now() + SECOND);
    let mut took = Vec::new();
    while alive(&world).len() > 2 {
        let dying = leader(&world)?;
        crash(&mut world, dying);
        took.push(until_agreed_looking(&mut world, MS / 5)?);
    }
    Ok(took)
}

/// Counts both failovers in a room of `n`.
pub fn count(n: usize) -> Result<Costs, String> {
    let mut world = settled(n, n as u64)?;
    let leader = leader(&world)?;
    let common = failover(&mut world, &[leader], crash)?;
    // From now on the highest coordinates.
    let ranked = by_rank(&world);
    let half = failover(&mut world, &ranked[..ranked.len() / 2], crash)?;
    let ranked = by_rank(&world);
    let silent = failover(&mut world, &ranked[..ranked.len() / 2], cut_power)?;
    Ok(Costs {
        n: n as u64,
        common,
        half,
        silent,
    })
}

/// These die in the same instant.
fn failover(
    world: &mut World,
    dying: &[RunId],
    how: impl Fn(&mut World, RunId),
) -> Result<Cost, String> {
    world.run_until(world.now() + SECOND);
    world.traffic.clear();
    for run in dying {
        how(world, *run);
    }
    let took = until_agreed(world)?;
    world.run_until(world.now() + SECOND);
    let traffic = &world.traffic;
    Ok(Cost {
        announcements: traffic.of("COORDINATOR_ANNOUNCEMENT"),
        elections: traffic.of("ELECTION"),
        answers: traffic.of("ELECTION_OK"),
        updates: traffic.of("PEER_UPDATE"),
        left: alive(world).len() as u64,
        took_ms: took / 1_000,
    })
}
