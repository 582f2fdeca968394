//! The core bench: what single steps cost, without sockets and processes.
//!
//! `cargo bench --bench core` measures times with criterion. `cargo bench --bench core --
//! --instructions` counts instructions of the hot path under `valgrind --tool=callgrind` instead:
//! these repeat to within a few in a thousand, whatever else the machine does. `-- --hot CASE N`
//! runs one hot case N times, for a profiler.
// A bench measures time by the clock.
#![allow(clippy::disallowed_methods)]

#[path = "core/election.rs"]
mod election;
#[path = "core/hot.rs"]
mod hot;
#[path = "core/material.rs"]
mod material;
#[path = "core/steps.rs"]
mod steps;

// Two parts of the driver have no sockets in them and are private to it: they are compiled in here,
// and find what they use where they expect it.
#[allow(dead_code)]
#[path = "../src/driver/streams/outqueue.rs"]
mod outqueue;
#[allow(dead_code)]
#[path = "../src/driver/wheel.rs"]
mod wheel;
use papo::node;

use std::process::ExitCode;
use std::time::Duration;

use criterion::Criterion;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["--hot", case, count, ..] => return hot::run(case, count.parse().unwrap_or(1)),
        ["--instructions", ..] => return hot::count_instructions(),
        _ => {}
    }
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20)
        .without_plots()
        .configure_from_args();
    steps::codec(&mut criterion);
    steps::framing(&mut criterion);
    steps::history(&mut criterion);
    steps::queues(&mut criterion);
    steps::timers(&mut criterion);
    election::election(&mut criterion);
    criterion.final_summary();
    ExitCode::SUCCESS
}
