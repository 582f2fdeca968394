//! The simulator's tests: the same core as in the program, under every fault that a LAN knows.
//!
//! `PAPO_SIM_SEED=N cargo test --test sim replay` replays one seed and prints the end of its trace
//! (`PAPO_SIM_TRACE=N` lines), `PAPO_SIM_KIND` as another kind of scenario (`PAPO_SIM_AS_IT_WAS=1`
//! with its limits not scaled down), `PAPO_SIM_WITHOUT` without one protection;
//! `PAPO_SIM_SEEDS=N cargo test --test sim -- --ignored` runs many, `PAPO_SIM_KIND` all of one kind.

#![allow(clippy::disallowed_methods)] // A test may say how long it took.

#[path = "sim/mod.rs"]
mod sim;

use std::rc::Rc;

use papo::node::Weakness;
use sim::failover::{bully_best, bully_worst, count, one_after_another};
use sim::generate::{scenario, scenario_in, scenario_of};
use sim::heard_only::HEARD_ONLY;
use sim::host_gone::{self, HOST_GONE};
use sim::idle::{vanished, wake_ups};
use sim::large_lost::LARGE_LOST;
use sim::protections::{ALL, RARE, first_noticed};
use sim::report::{Tally, explain, explain_run, run_caught, run_seeds, run_seeds_of};
use sim::run::run;
use sim::targeted::{lone_highest_returns, storm};
use sim::trace::Trace;

/// How many seeds a plain `cargo test` runs.
const SEEDS: u64 = 2_000;
/// Seeds beyond those that once failed, the kinds that they were of, and what showed there.
const KEPT: [(u64, &str, &str); 17] = [
    (
        88575,
        "partitions",
        "who got an effect from a peer without its cause had no excuse",
    ),
    (
        68199,
        "small history",
        "what waited while later messages fell below the floor was not shown",
    ),
    (
        15255,
        "elections",
        "an excuse ended with the peer that gave it",
    ),
    (
        27271,
        "cuts that stay",
        "a stranger was asked for the view again and again",
    ),
    (
        34366,
        "mixed",
        "a coordinator's new id was not learnt from its view",
    ),
    (
        43529,
        "cuts that stay",
        "a coordinator behind a firewall that refuses was held for dead for ever",
    ),
    (
        45483,
        "elections",
        "who asked a dead coordinator in heard of no other, and elected",
    ),
    (
        51061,
        "small history",
        "the same, with a coordinator that had lost a partition",
    ),
    (
        67387,
        "mixed",
        "the same, with one that had given up its office",
    ),
    (
        64489,
        "slow",
        "what was said before joining was held back, and forgotten for late messages",
    ),
    (
        78018,
        "stopped",
        "a machine that slept forgot that it had to send again",
    ),
    (
        80768,
        "stopped",
        "an effect of an effect was expected to wait for what was missed before",
    ),
    (
        84193,
        "small history",
        "what lay under the floor of the first one asked was found with the next",
    ),
    (
        93843,
        "cuts that stay",
        "rounds of SYNC were wasted on silent links",
    ),
    (
        96873,
        "slow",
        "live chat resumed on a queue that was still full",
    ),
    (7010533, "cuts that stay", "elections without end"),
    (
        9006857,
        "cuts that stay",
        "one of two nodes lacked a message for ever",
    ),
];
/// Seeds that once failed, with their limits scaled down.
const KEPT_SCALED_DOWN: [(u64, &str); 43] = [
    (
        4_614,
        "an author of another group, met a moment before, was not asked for its own first message",
    ),
    (
        17_109_336,
        "only its neighbours knew that a process had ended, and none of them was the coordinator",
    ),
    (
        16_040_767,
        "all had joined a coordinator that had dropped the oldest, and nobody claimed what one still held",
    ),
    (
        16_049_847,
        "an author died before it had a link with the newcomer: nobody can tell what it had heard",
    ),
    (
        13_022_717,
        "the word of an author in another group came by way of others before anybody had let the newcomer in",
    ),
    (
        14_016_144,
        "the first of a run that waited were old, and the rest was taken in without its author's word",
    ),
    (
        507_273,
        "the word of an author in another group had come by way of others before, and did not count",
    ),
    (
        502_430,
        "a confirmation counted as carried that nobody was there to carry",
    ),
    (
        11_005_248,
        "a coordinator died before the one that it let in had its answer, and the next one did not know the clock",
    ),
    (
        7_865_011,
        "who had come into another group claimed a whole history, and had fetched a part of it",
    ),
    (
        7_819_504,
        "a newcomer came while its coordinator was still joining again, and could offer no history",
    ),
    (
        7_513_970,
        "the clock of the group that let a newcomer in first overruled an author of the second",
    ),
    (
        7_144_171,
        "let in by two groups at once, a newcomer went by the clock of one for an author of the other",
    ),
    (
        7_156_694,
        "what had been called missed turned out to be old, and was not shown when it came",
    ),
    (
        7_171_406,
        "what only one other kept came to it when this node had given it up, and was not passed on",
    ),
    (
        7_172_288,
        "a newcomer took lines for old before their author's word came, and never showed them",
    ),
    (
        7_104_525,
        "a cause that only an old message named, which a newcomer dropped before it was shown",
    ),
    (
        6_541_757,
        "the first line of an author came after a later one, and what lay between was not noticed",
    ),
    (
        6_388_338,
        "what only a lost answer named as its cause was asked of who never heard of either",
    ),
    (
        4_103_100,
        "a cause that nobody has any more is sought for as long as it takes",
    ),
    (
        4_108_845,
        "let in by another group, a newcomer went by the first one's clock",
    ),
    (
        4_049_706,
        "what was given up at once was released in the order of its authors",
    ),
    (
        4_059_170,
        "one before those that were shown as new was called old",
    ),
    (
        3_212_280,
        "joining ended with the first source linked, not with the best",
    ),
    (3_302_774, "the source was joining again itself"),
    (4_013_055, "the source waited for the word of an author"),
    (
        4_018_727,
        "the best source had no coordinator when it was linked",
    ),
    (
        4_006_284,
        "what had been asked for was noticed anew as one with what had not",
    ),
    (
        4_032_293,
        "of many peers one was never asked in a long time",
    ),
    (
        2_006_723,
        "a late message was taken for a head, and sought by everybody",
    ),
    (
        2_025_918,
        "what a member wrote was not later than what its reader had seen",
    ),
    (2_036_761, "what was owed came before it was known to be"),
    (
        3_014_288,
        "what waited for its author's word was passed by too early",
    ),
    (
        3_031_120,
        "a lost author's word was forgotten, and waited for again",
    ),
    (
        3_074_300,
        "what was given up before it was known to be owed was not sought again",
    ),
    (
        3_080_003,
        "joining ended when the link with the source was replaced",
    ),
    (
        3_082_798,
        "a confirmation was forgotten while the disk was full",
    ),
    (3_091_941, "the source was cut off, and lacked the newest"),
    (3_131_546, "a peer was asked before it had what was missing"),
    (3_162_690, "what was thrown away counted as asked for"),
    (
        3_169_503,
        "a run that was too long to wait was never taken in",
    ),
    (4_091, "the floor rose above what waited"),
    (
        11_225,
        "what came before a room was founded was taken for new",
    ),
];
/// Within how many seeds the loss of a protection must be noticed.
const PROTECTION_SEEDS: u64 = 500;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The kind that is asked for, if one is; one that there is not is a mistake.
fn kind_from_environment() -> Option<&'static str> {
    let name = std::env::var("PAPO_SIM_KIND").ok()?;
    let further = sim::volume::KINDS
        .into_iter()
        .chain([HEARD_ONLY, LARGE_LOST, HOST_GONE]);
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
    for (seed, kind, what) in KEPT {
        let failure = run_caught(&Rc::new(scenario_of(kind, seed)), None, 0).failure;
        assert!(failure.is_none(), "seed {seed}, {what}: {failure:?}");
    }
    for (seed, what) in KEPT_SCALED_DOWN {
        let failure = run_caught(&Rc::new(scenario(seed)), None, 0).failure;
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
fn to_whom_large_packets_get_lost_is_in_the_room_soon() {
    demand_all(&run_seeds_of(Some(LARGE_LOST), None, 0..200, 1));
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
        let kept = from_environment("PAPO_SIM_TRACE").unwrap_or(0);
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
            explain_run(scenario, weakened, kept as usize, shrinks)
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
    for (_, kind, seed) in RARE {
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
