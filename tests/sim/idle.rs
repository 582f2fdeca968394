//! What an idle room costs, and how soon its members notice whoever vanishes: in rooms of several sizes.
//!
//! Owns the rooms in which nothing is said. A wake-up is a turn of the reactor's loop.

use super::agenda::RunId;
use super::room::{by_rank, cut_power, settled, until_agreed};
use super::run::alive;
use super::scenario::SECOND;
use super::world::World;

/// How often the nodes of a room of `n` wake up, a node and second: the average, and the most.
pub fn wake_ups(n: usize) -> Result<(f64, f64), String> {
    const SECONDS: u64 = 20;
    let mut world = settled(n, n as u64)?;
    world.run_until(world.now() + 5 * SECOND);
    let runs = alive(&world);
    let turns = |world: &World, run: &RunId| world.processes[*run].turns_taken;
    let before: Vec<u64> = runs.iter().map(|run| turns(&world, run)).collect();
    world.run_until(world.now() + SECONDS * SECOND);
    let rate = |(run, before): (&RunId, u64)| {
        let process = &world.processes[*run];
        let leads = process
            .node
            .coordinator()
            .is_some_and(|c| c.key == process.key);
        // What a coordinator multicasts comes back to it: with a real kernel before it waits again.
        let own = if leads {
            1_000.0 / world.scenario.heartbeat_ms as f64
        } else {
            0.0
        };
        (turns(&world, run) - before) as f64 / SECONDS as f64 - own
    };
    let rates: Vec<f64> = runs.iter().zip(before).map(rate).collect();
    let most = rates.iter().copied().fold(0.0, f64::max);
    Ok((rates.iter().sum::<f64>() / rates.len() as f64, most))
}

/// How long, in milliseconds, the others take to agree after these lost their power, of whom only silence
/// tells. They are named by their rank, the highest id first.
pub fn vanished(n: usize, ranks: &[usize]) -> Result<u64, String> {
    let mut world = settled(n, n as u64)?;
    world.run_until(world.now() + 5 * SECOND);
    let ranked = by_rank(&world);
    for rank in ranks {
        cut_power(&mut world, ranked[*rank]);
    }
    Ok(until_agreed(&mut world)? / 1_000)
}
