//! The scale bench: how messages and bytes per node grow with the size of a room, counted in the
//! simulator, in a quiet network.
//!
//! `cargo bench --bench scale`. A room comes in, is idle, talks, loses its upper tenth at once,
//! parts into halves and comes together again. Nothing here depends on the machine but the last
//! line. This file owns these phases and the table; the simulator is the tests' own.
// A bench measures time by the clock.
#![allow(clippy::disallowed_methods)]

#[path = "../tests/sim/mod.rs"]
mod sim;

use std::time::Instant;

use sim::checks::loss;
use sim::room::{by_rank, crash, empty, join, mend_halves, part_halves, until_agreed};
use sim::run::alive;
use sim::scenario::SECOND;
use sim::world::World;

const SIZES: [usize; 4] = [25, 50, 100, 200];
const PHASES: [&str; 6] = [
    "come in",
    "10 s idle",
    "one line each",
    "lose the upper tenth",
    "part into halves",
    "come together",
];

/// What one phase took.
#[derive(Clone, Copy, Debug)]
struct Phase {
    messages: f64,
    bytes: f64,
    seconds: f64,
}

fn main() {
    let began = Instant::now();
    let mut columns = Vec::new();
    for n in SIZES {
        match measure(n) {
            Ok(phases) => columns.push(phases),
            Err(error) => {
                eprintln!("{n} nodes: {error}");
                std::process::exit(1);
            }
        }
    }
    print_table("messages per node", &columns, |p| p.messages);
    print_table("bytes per node", &columns, |p| p.bytes);
    print_table("virtual seconds", &columns, |p| p.seconds);
    println!("in {:.1} s", began.elapsed().as_secs_f64());
}

fn measure(n: usize) -> Result<Vec<Phase>, String> {
    let mut world = empty(n, n as u64);
    let mut phases = Vec::new();
    phases.push(phase(&mut world, join)?);
    phases.push(phase(&mut world, |w| {
        w.run_until(w.now() + 10 * SECOND);
        Ok(())
    })?);
    phases.push(phase(&mut world, |w| {
        for run in alive(w) {
            w.want_lines(run, 1, 40);
        }
        w.run_until(w.now() + SECOND);
        until_agreed(w).map(|_| ())
    })?);
    phases.push(phase(&mut world, |w| {
        for run in &by_rank(w)[..n / 10] {
            crash(w, *run);
        }
        until_agreed(w).map(|_| ())
    })?);
    phases.push(phase(&mut world, |w| {
        part_halves(w);
        w.run_until(w.now() + 8 * SECOND);
        Ok(())
    })?);
    phases.push(phase(&mut world, |w| {
        mend_halves(w);
        until_agreed(w).map(|_| ())
    })?);
    let runs = alive(&world);
    let nodes = world.record.all_held(&runs, &world.processes);
    let shown: Vec<_> = runs.iter().map(|r| world.record.shown_to(*r)).collect();
    loss::no_loss(&nodes, &shown).map_err(|v| v.to_string())?;
    Ok(phases)
}

fn phase(
    world: &mut World,
    act: impl FnOnce(&mut World) -> Result<(), String>,
) -> Result<Phase, String> {
    world.traffic.clear();
    let from = world.now();
    act(world)?;
    if let Some(violation) = &world.failure {
        return Err(violation.to_string());
    }
    if std::env::var_os("PAPO_SCALE_KINDS").is_some() {
        println!("{:?}", world.traffic);
    }
    let n = alive(world).len() as f64;
    Ok(Phase {
        messages: world.traffic.total() as f64 / n,
        bytes: world.traffic.bytes as f64 / n,
        seconds: (world.now() - from) as f64 / SECOND as f64,
    })
}

/// One line for each phase: the value at each size, and its growth with each doubling.
fn print_table(title: &str, columns: &[Vec<Phase>], value: impl Fn(&Phase) -> f64) {
    print!("{title:<22}");
    for n in SIZES {
        print!("{n:>12}");
    }
    println!("   growth");
    for (at, name) in PHASES.iter().enumerate() {
        print!("{name:<22}");
        let values: Vec<f64> = columns.iter().map(|phases| value(&phases[at])).collect();
        for value in &values {
            print!("{value:>12.1}");
        }
        for pair in values.windows(2) {
            print!("  x{:.1}", pair[1] / pair[0].max(0.001));
        }
        println!();
    }
    println!();
}
