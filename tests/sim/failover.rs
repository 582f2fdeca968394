//! What a failover costs in messages, counted in rooms of several sizes.
//!
//! Owns the two failovers that are counted: the coordinator dies (the common case), and the upper
//! half of the room dies at once, the coordinator among them. Beside them stands classic Bully
//! (Garcia-Molina 1982) among n nodes whose highest died.

use super::room::{by_rank, crash, settled, until_agreed};
use super::run::alive;
use super::scenario::SECOND;
use super::world::World;

/// The messages of one failover.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    pub announcements: u64,
    pub elections: u64,
    pub answers: u64,
    /// Steps of the view, where the announced one still had somebody who is gone.
    pub updates: u64,
    /// From the crash until all agree, in milliseconds.
    pub took_ms: u64,
}

impl Cost {
    /// All messages of the election.
    pub fn total(self) -> u64 {
        self.announcements + self.elections + self.answers
    }
}

/// The failovers of one room.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    pub n: u64,
    pub common: Cost,
    /// How many are left of the `n - 1` once the upper half died.
    pub left: u64,
    pub half: Cost,
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

/// Counts both failovers in a room of `n`.
pub fn count(n: usize) -> Result<Costs, String> {
    let mut world = settled(n, n as u64)?;
    let leader = world.processes.iter().position(|p| {
        let claim = p.node.coordinator();
        claim.is_some_and(|c| c.key == p.key)
    });
    let leader = leader.ok_or("nobody coordinates")?;
    let common = failover(&mut world, &[leader])?;
    // Now the highest coordinates.
    let ranked = by_rank(&world);
    let half = failover(&mut world, &ranked[..ranked.len() / 2])?;
    let left = alive(&world).len() as u64;
    Ok(Costs {
        n: n as u64,
        common,
        left,
        half,
    })
}

/// These die in the same instant.
fn failover(world: &mut World, dying: &[usize]) -> Result<Cost, String> {
    world.run_until(world.now() + SECOND);
    world.traffic.clear();
    for run in dying {
        crash(world, *run);
    }
    let took = until_agreed(world)?;
    world.run_until(world.now() + SECOND);
    let traffic = &world.traffic;
    Ok(Cost {
        announcements: traffic.of("COORDINATOR_ANNOUNCEMENT"),
        elections: traffic.of("ELECTION"),
        answers: traffic.of("ELECTION_OK"),
        updates: traffic.of("PEER_UPDATE"),
        took_ms: took / 1_000,
    })
}
