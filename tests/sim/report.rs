//! Many seeds, and what is told of those that fail.
//!
//! Owns the threads that share the seeds out, and the words of a failure. It changes no run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::rc::Rc;
use std::sync::Mutex;

use papo::node::Weakness;

use super::generate::{scenario, scenario_in};
use super::liar::Lie;
use super::run::{Outcome, run};
use super::scenario::Scenario;
use super::shrink::shrink;
use super::trace::{Trace, usual_file};

/// Lines of the trace that are told.
const TRACE_LINES: usize = 60;
/// Runs that shrinking may take.
const SHRINK_TRIES: usize = 150;

/// What came of many seeds.
#[derive(Debug, Default)]
pub struct Tally {
    pub seeds: u64,
    pub elections: u64,
    pub written: u64,
    pub due_met: u64,
    pub inputs: u64,
    /// The slowest agreement, and its seed.
    pub slowest: (u64, u64),
    /// Seeds that failed, in order, with what failed.
    pub failed: Vec<(u64, String)>,
    /// How often which lie was told.
    pub lies: BTreeMap<Lie, u64>,
}

impl Tally {
    fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.seeds += 1;
        self.elections += outcome.elections;
        self.written += outcome.written as u64;
        self.due_met += outcome.due_met;
        self.inputs += outcome.inputs;
        for (lie, count) in &outcome.lies {
            *self.lies.entry(*lie).or_default() += count;
        }
        if let Some(after) = outcome.agreed_after {
            self.slowest = self.slowest.max((after, seed));
        }
        if let Some(violation) = &outcome.failure {
            self.failed.push((seed, violation.to_string()));
        }
    }
}

/// Runs these seeds on all processors, and stops after `failures_max` of them failed.
pub fn run_seeds(seeds: impl Iterator<Item = u64> + Send, failures_max: usize) -> Tally {
    run_seeds_of(None, None, seeds, failures_max)
}

/// The same, as scenarios of one kind.
pub fn run_seeds_of(
    kind: Option<&'static str>,
    weakened: Option<Weakness>,
    seeds: impl Iterator<Item = u64> + Send,
    failures_max: usize,
) -> Tally {
    let seeds = Mutex::new(seeds);
    let next = || seeds.lock().ok()?.next();
    let tally = Mutex::new(Tally::default());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    let made = kind.map_or_else(|| scenario(seed), |kind| scenario_in(kind, seed));
                    let outcome = run_caught(&Rc::new(made), weakened, 0);
                    let mut tally = tally
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    tally.add(seed, &outcome);
                    if tally.failed.len() >= failures_max {
                        return;
                    }
                }
            });
        }
    });
    let mut tally = tally
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    tally.failed.sort();
    tally
}

/// One run; a node that panics is a failure like any other.
pub fn run_caught(scenario: &Rc<Scenario>, weakened: Option<Weakness>, kept: usize) -> Outcome {
    run_traced(scenario, weakened, Trace::keeping(kept))
}

/// The same with this trace.
fn run_traced(scenario: &Rc<Scenario>, weakened: Option<Weakness>, trace: Trace) -> Outcome {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run(scenario, weakened, trace)
    }));
    result.unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
            .unwrap_or_default();
        Outcome {
            failure: Some(super::checks::Violation::new("no panic", text)),
            trace: Vec::new(),
            agreed_after: None,
            elections: 0,
            written: 0,
            due_met: 0,
            inputs: 0,
            lies: BTreeMap::new(),
        }
    })
}

/// Everything about one failing seed: what failed, a smaller schedule, the end of the trace.
pub fn explain(seed: u64, kept: usize, shrinks: bool) -> String {
    explain_run(scenario(seed), None, (kept, None), shrinks)
}

/// The same of any scenario, with a protection switched off perhaps: so many lines are kept of the trace, and
/// what all nodes do goes into a file.
pub fn explain_run(
    whole: Scenario,
    weakened: Option<Weakness>,
    (kept, file): (usize, Option<&Path>),
    shrinks: bool,
) -> String {
    let (seed, whole) = (whole.seed, Rc::new(whole));
    let path = file.map_or_else(|| usual_file(seed), Path::to_owned);
    let hint = format!("what the nodes did: papo trace {}", path.display());
    let outcome = run_caught(&whole, weakened, 0);
    let Some(violation) = outcome.failure else {
        let kept = Trace::keeping(kept);
        let trace = match file {
            Some(path) => kept.with_file(path),
            None => kept,
        };
        let trace = run_traced(&whole, weakened, trace).trace.join("\n");
        let hint = file.map(|_| hint + "\n").unwrap_or_default();
        return format!("{whole}{trace}\n{hint}seed {seed} holds");
    };
    let fails = |s: &Rc<Scenario>| {
        let failure = run_caught(s, weakened, 0).failure;
        failure.is_some_and(|v| v.invariant == violation.invariant)
    };
    let smaller = if shrinks {
        shrink(&whole, SHRINK_TRIES, fails)
    } else {
        (*whole).clone()
    };
    let smaller = Rc::new(smaller);
    let trace = Trace::keeping(kept.max(TRACE_LINES)).with_file(&path);
    let again = run_traced(&smaller, weakened, trace);
    let mut text = String::new();
    let (before, after) = (whole.events.len(), smaller.events.len());
    let _ = writeln!(text, "seed {seed}: {violation}");
    let _ = writeln!(text, "replay with PAPO_SIM_SEED={seed}");
    let _ = writeln!(text, "the schedule, {after} of {before} events:\n{smaller}");
    if let Some(violation) = again.failure {
        let _ = writeln!(text, "it ends with {violation}");
    }
    let _ = writeln!(text, "{hint}\nthe end of its trace:");
    for line in again.trace {
        let _ = writeln!(text, "{line}");
    }
    text
}
