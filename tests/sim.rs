//! The simulator's tests: the same core as in the program, under every fault that a LAN knows.
//!
//! `PAPO_SIM_SEED=N cargo test --test sim replay` replays one seed and prints the end of its trace
//! (`PAPO_SIM_TRACE=N` lines; `PAPO_SIM_TRACE=FILE` writes what all nodes do, for `papo trace`), `PAPO_SIM_KIND` as another kind of scenario (`PAPO_SIM_AS_IT_WAS=1`
//! with its limits not scaled down), `PAPO_SIM_WITHOUT` without one protection;
//! `PAPO_SIM_SEEDS=N cargo test --test sim -- --ignored` runs many, `PAPO_SIM_KIND` all of one kind.

#![allow(clippy::disallowed_methods)] // A test may say how long it took.

#[path = "sim/mod.rs"]
mod sim;

use std::path::Path;
use std::rc::Rc;

use papo::node::Weakness;
use sim::back_briefly::BACK_BRIEFLY;
use sim::failover::{bully_best, bully_worst, count, one_after_another};
use sim::generate::{scenario, scenario_in, scenario_of};
use sim::heard_only::HEARD_ONLY;
use sim::host_gone::{self, HOST_GONE};
use sim::hostile::{FALSE_QUESTIONS, HOSTILE, UNASKED_VIEWS};
use sim::idle::{vanished, wake_ups};
use sim::kept::KEPT;
use sim::kept_scaled_down::{KEPT_AS_A_KIND, KEPT_SCALED_DOWN};
use sim::large_lost::LARGE_LOST;
use sim::protections::{ALL, RARE, first_noticed};
use sim::report::{Tally, explain, explain_run, run_caught, run_seeds, run_seeds_of};
use sim::run::run;
use sim::targeted::{lone_highest_returns, storm};
use sim::trace::Trace;

/// How many seeds a plain `cargo test` runs.
const SEEDS: u64 = 2_000;
/// How many seeds of a member that lies.
const HOSTILE_SEEDS: u64 = 324;
/// Seeds with a liar that asks out of nothing.
const QUESTION_SEEDS: u64 = 96;
/// Within how many seeds the loss of a protection must be noticed.
const PROTECTION_SEEDS: u64 = 500;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The kind that is asked for, if one is; one that there is not is a mistake.
fn kind_from_environment() -> Option<&'static str> {
    let name = std::env::var("PAPO_SIM_KIND").ok()?;
    let further = sim::volume::KINDS.into_iter().chain([
        HEARD_ONLY,
        LARGE_LOST,
        HOST_GONE,
        BACK_BRIEFLY,
        HOSTILE,
        UNASKED_VIEWS,
        FALSE_QUESTIONS,
    ]);
    let kind = (sim::generate::KINDS.into_iter().chain(further)).find(|k| *k == name);
    assert!(kind.is_some(), "no scenario is of the kind {name:?}");
    kind
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

fn weakness_from_environment() -> Option<Weakness> {
    let without = std::env::var("PAPO_SIM_WITHOUT").unwrap_or_default();
    let mut weaknesses = ALL.iter().map(|(weakness, _)| *weakness);
    weaknesses.find(|weakness| format!("{weakness:?}") == without)
}

#[test]
fn all_invariants_hold_under_mixed_faults() {
    demand_all(&run_seeds(0..SEEDS, 1));
}

#[test]
fn what_once_failed_holds() {
    for &(seed, kind, what) in KEPT {
        let failure = run_caught(&Rc::new(scenario_of(kind, seed)), None, 0).failure;
        assert!(failure.is_none(), "seed {seed}, {what}: {failure:?}");
    }
    for &(seed, what) in KEPT_SCALED_DOWN {
        let failure = run_caught(&Rc::new(scenario(seed)), None, 0).failure;
        assert!(failure.is_none(), "seed {seed}, {what}: {failure:?}");
    }
    for &(seed, kind, what) in KEPT_AS_A_KIND {
        let failure = run_caught(&Rc::new(scenario_in(kind, seed)), None, 0).failure;
        assert!(failure.is_none(), "seed {seed}, {what}: {failure:?}");
    }
}

#[test]
fn nothing_is_missed_by_whoever_is_stopped_again_while_it_catches_up() {
    for seed in 0..60 {
        let scenario = scenario_of(sim::volume::STOPPED_AGAIN, seed);
        let failure = run_caught(&Rc::new(scenario), None, 0).failure;
        assert!(failure.is_none(), "seed {seed}: {failure:?}");
    }
}

#[test]
fn who_is_heard_and_not_reached_keeps_nobody_out_of_the_room() {
    demand_all(&run_seeds_of(Some(HEARD_ONLY), None, 0..300, 1));
}

#[test]
fn who_comes_while_the_coordinator_is_back_for_a_moment_founds_no_room_of_its_own() {
    demand_all(&run_seeds_of(Some(BACK_BRIEFLY), None, 0..200, 1));
}

#[test]
fn to_whom_large_packets_get_lost_is_in_the_room_soon() {
    demand_all(&run_seeds_of(Some(LARGE_LOST), None, 0..200, 1));
}

#[test]
fn who_lies_in_everything_ruins_nothing_for_the_others() {
    demand_of_a_liar(HOSTILE, HOSTILE_SEEDS, &sim::liar::ALL);
}

#[test]
fn who_asks_anything_out_of_nothing_ruins_nothing_for_the_others() {
    demand_of_a_liar(FALSE_QUESTIONS, QUESTION_SEEDS, &sim::liar::QUESTIONS);
}

fn demand_of_a_liar(kind: &'static str, seeds: u64, lies: &[sim::liar::Lie]) {
    let tally = run_seeds_of(Some(kind), None, 0..seeds, usize::MAX);
    for (seed, violation) in &tally.failed {
        println!("seed {seed}: {violation}");
    }
    assert!(
        tally.failed.is_empty(),
        "{} seeds failed",
        tally.failed.len()
    );
    for lie in lies {
        let told = tally.lies.get(lie).copied().unwrap_or(0);
        assert!(told > 0, "nobody told the lie {lie:?}: {:?}", tally.lies);
    }
}

#[test]
#[ignore = "as many seeds as PAPO_SIM_SEEDS says, from PAPO_SIM_FIRST on"]
fn all_invariants_hold_under_many_more_faults() {
    let first = from_environment("PAPO_SIM_FIRST").unwrap_or(SEEDS);
    let seeds = from_environment("PAPO_SIM_SEEDS").unwrap_or(10_000);
    let failures = from_environment("PAPO_SIM_FAILURES").unwrap_or(1);
    let kind = kind_from_environment();
    let seeds = first..first + seeds;
    let weakened = weakness_from_environment();
    demand_all(&run_seeds_of(kind, weakened, seeds, failures as usize));
}

#[test]
fn replay() {
    if let Some(seed) = from_environment("PAPO_SIM_SEED") {
        let kept = from_environment("PAPO_SIM_TRACE").unwrap_or(0) as usize;
        // A number of lines, or a file.
        let file = std::env::var_os("PAPO_SIM_TRACE").filter(|_| kept == 0);
        let shrinks = from_environment("PAPO_SIM_WHOLE").is_none();
        let weakened = weakness_from_environment();
        let kind = kind_from_environment();
        let as_it_was = from_environment("PAPO_SIM_AS_IT_WAS").is_some();
        let scenario = match kind {
            Some(kind) if as_it_was => scenario_of(kind, seed),
            Some(kind) => scenario_in(kind, seed),
            None => scenario(seed),
        };
        println!(
            "{}",
            explain_run(
                scenario,
                weakened,
                (kept, file.as_deref().map(Path::new)),
                shrinks
            )
        );
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

/// What a seed's nodes do is a picture, too, and it is drawn from the same run.
#[test]
fn a_seed_is_a_trace_that_keeps_to_the_rules() {
    let path = sim::trace::usual_file(u64::MAX);
    for seed in 0..from_environment("PAPO_SIM_SEEDS").unwrap_or(12) {
        let traced = Trace::keeping(usize::MAX).with_file(&path);
        let traced = run(&Rc::new(scenario(seed)), None, traced).trace;
        let plain = run(&Rc::new(scenario(seed)), None, Trace::keeping(usize::MAX)).trace;
        assert!(
            traced == plain,
            "seed {seed} is another run when it is traced"
        );
        let picture = papo::trace::Picture::new(papo::trace::read(&[&path]).expect("a trace"));
        assert_eq!(picture.notes, Vec::<String>::new(), "seed {seed}");
        assert!(picture.arrows.iter().any(|a| a.ends.got.is_some()));
        for verdict in papo::trace::check(&picture) {
            assert_eq!(verdict.broken, [], "seed {seed}: {}", verdict.rule);
        }
    }
}

#[test]
fn every_protection_is_missed() {
    let weaknesses: Vec<_> = ALL.iter().map(|(w, _)| Some(*w)).collect();
    let found = first_noticed(&weaknesses, 0..PROTECTION_SEEDS);
    println!("protection switched off | first seed | kind | what failed");
    for ((_, name), noticed) in ALL.iter().zip(&found) {
        match noticed {
            Some(n) => println!("{name} | {} | {} | {}", n.seed, n.kind, n.violation),
            None => println!("{name} | never within {PROTECTION_SEEDS} seeds | |"),
        }
    }
    let seeds = found.iter().flatten().map(|n| n.seed);
    let last = seeds.filter(|s| *s < PROTECTION_SEEDS).max().unwrap_or(0);
    let whole = first_noticed(&[None], 0..last + 1);
    assert!(whole[0].is_none(), "with all protections: {whole:?}");
    for &(_, kind, seed) in RARE {
        let whole = run_caught(&Rc::new(scenario_of(kind, seed)), None, 0).failure;
        assert!(whole.is_none(), "with all protections: {seed}, {whole:?}");
    }
    let unnoticed = ALL.iter().zip(&found).filter(|(_, n)| n.is_none());
    let unnoticed: Vec<_> = unnoticed.map(|((_, name), _)| name).collect();
    assert!(
        unnoticed.is_empty(),
        "nothing notices the loss of {unnoticed:?}"
    );
}

/// No failover waits for a time-out because of the one just before it, of which some hear late. The
/// simulated kernels tell of a process that died with unread data within 0.3 s.
#[test]
fn coordinators_that_die_one_after_another_are_replaced_at_once() {
    for seed in 0..100 {
        let took = one_after_another(12, seed).expect("a room");
        let slowest = took.iter().max().expect("a failover");
        assert!(
            *slowest < 350_000,
            "seed {seed}: the failovers took {took:?} microseconds"
        );
    }
}

#[test]
fn a_failover_costs_what_classic_bully_costs_at_best() {
    let titles = [
        "n", "messages", "best", "worst", "left", "messages", "left", "messages",
    ];
    println!("   coordinator dies |      Bully 1982 |   upper half dies | upper half falls silent");
    println!("{}", titles.map(|title| format!("{title:>9}")).concat());
    for n in [3, 5, 10, 50, 100, 200] {
        let costs = count(n).unwrap_or_else(|error| panic!("{n} nodes: {error}"));
        let (n, common, half, silent) = (costs.n, costs.common, costs.half, costs.silent);
        let row = [
            n,
            common.total(),
            bully_best(n),
            bully_worst(n),
            half.left,
            half.total(),
            silent.left,
            silent.total(),
        ];
        println!("{}", row.map(|value| format!("{value:>9}")).concat());
        assert_eq!(common.announcements, n - 2, "{costs:?}");
        assert_eq!(common.total(), bully_best(n), "{costs:?}");
        // Views included: at most one announcement and one further view to each that is left, or
        // that seems to be; silence is noticed within a few heartbeats.
        assert!(half.total() <= 2 * half.left, "{costs:?}");
        assert!(silent.total() <= 5 * half.left, "{costs:?}");
    }
}

#[test]
fn fifty_that_start_at_once_are_one_group_from_the_start() {
    for seed in 0..2 {
        let storm = Rc::new(storm(50, seed));
        let failure = run_caught(&storm, None, 0).failure;
        assert!(failure.is_none(), "seed {seed}: {failure:?}");
    }
}

#[test]
fn a_merge_tells_only_of_who_was_really_gone() {
    for seed in 0..60 {
        let scenario = Rc::new(lone_highest_returns(seed));
        let failure = run_caught(&scenario, None, 0).failure;
        assert!(failure.is_none(), "seed {seed}: {failure:?}");
    }
}

/// A wake-up costs a battery, and a room of hundreds is to cost no more of them than a small one.
#[test]
fn an_idle_node_wakes_up_no_more_often_in_a_large_room() {
    for n in [5, 20, 50, 200] {
        let (average, most) = wake_ups(n).expect("a room");
        println!("{n} nodes: {average:.1} wake-ups a second and node, at most {most:.1}");
        assert!(
            most <= 10.0,
            "{n} nodes: {average} on average, {most} at most"
        );
    }
}

/// Most links of a large room are not watched; whoever vanishes is noticed as soon as in a small one.
#[test]
fn whoever_vanishes_is_noticed_as_soon_in_a_large_room() {
    for n in [5, 20, 50] {
        for ranks in [vec![n - 1], vec![n / 2], (n / 2..n).collect()] {
            let took = vanished(n, &ranks).expect("a room");
            println!("{n} nodes, {} vanished: {took} ms", ranks.len());
            assert!(took <= 4_000, "{n} nodes, {ranks:?}: {took} ms");
        }
    }
}

/// Its host says nothing more; the others need not wait for the failure timeout to know it.
#[test]
fn a_coordinator_whose_host_is_gone_is_replaced_soon() {
    for n in [2, 3, 5, 20] {
        let took = (0..if n == 20 { 20 } else { 60 }).map(|seed| {
            let took = host_gone::replaced_after(n, seed);
            took.unwrap_or_else(|error| panic!("{n} nodes, seed {seed}: {error}"))
        });
        let mut took: Vec<u64> = took.collect();
        took.sort_unstable();
        let (median, slowest) = (took[took.len() / 2], took[took.len() - 1]);
        println!("{n} nodes: replaced after {median} us at the median, {slowest} us at most");
        assert!(median < 600_000, "{n} nodes: {took:?}");
    }
}

/// And what only looks like a host that is gone keeps nobody from its office.
#[test]
fn nobody_elects_in_ten_minutes_of_losses_stalls_and_pauses() {
    for seed in 0..40 {
        let scenario = Rc::new(host_gone::calm_for(600, seed));
        let failure = run_caught(&scenario, None, 0).failure;
        let (hosts, what) = (scenario.hosts, &scenario.events[scenario.events.len() / 2]);
        assert!(
            failure.is_none(),
            "seed {seed}, {hosts} hosts, {what}: {failure:?}"
        );
    }
}
