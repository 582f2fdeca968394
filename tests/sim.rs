//! The simulator's tests: the same core as in the program, under every fault that a LAN knows.
//!
//! `PAPO_SIM_SEED=N cargo test --test sim replay` replays one seed and prints the end of its trace
//! (`PAPO_SIM_TRACE=N` lines); `PAPO_SIM_SEEDS=N cargo test --test sim -- --ignored` runs many.

#[path = "sim/mod.rs"]
mod sim;

use std::rc::Rc;

use sim::generate::scenario;
use sim::report::{Tally, explain, run_seeds};
use sim::run::run;
use sim::trace::Trace;

/// How many seeds a plain `cargo test` runs.
const SEEDS: u64 = 2_000;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn demand_all(tally: &Tally) {
    println!(
        "{} seeds, {} inputs, {} messages, {} elections, {} deliveries held to the network's \
         delay, slowest agreement {} ms (seed {})",
        tally.seeds,
        tally.inputs,
        tally.written,
        tally.elections,
        tally.due_met,
        tally.slowest.0 / 1_000,
        tally.slowest.1,
    );
    for (seed, violation) in &tally.failed {
        println!("seed {seed}: {violation}");
    }
    if let Some((seed, _)) = tally.failed.first() {
        panic!("{}", explain(*seed, 0, true));
    }
}

#[test]
fn all_invariants_hold_under_mixed_faults() {
    demand_all(&run_seeds(0..SEEDS, 1));
}

#[test]
#[ignore = "as many seeds as PAPO_SIM_SEEDS says, from PAPO_SIM_FIRST on"]
fn all_invariants_hold_under_many_more_faults() {
    let first = from_environment("PAPO_SIM_FIRST").unwrap_or(SEEDS);
    let seeds = from_environment("PAPO_SIM_SEEDS").unwrap_or(10_000);
    let failures = from_environment("PAPO_SIM_FAILURES").unwrap_or(1);
    demand_all(&run_seeds(first..first + seeds, failures as usize));
}

#[test]
fn replay() {
    if let Some(seed) = from_environment("PAPO_SIM_SEED") {
        let kept = from_environment("PAPO_SIM_TRACE").unwrap_or(0);
        let shrinks = from_environment("PAPO_SIM_WHOLE").is_none();
        println!("{}", explain(seed, kept as usize, shrinks));
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..sim::generate::KINDS.len() as u64 {
        let trace = || run(&Rc::new(scenario(seed)), None, Trace::keeping(usize::MAX)).trace;
        let (first, second) = (trace(), trace());
        assert!(first.len() > 100, "seed {seed} has a trace");
        assert!(first == second, "seed {seed} differs from itself");
    }
}
