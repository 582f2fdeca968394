//! The cluster bench: real papo processes on loopback, driven through pipes and `--json`, beside a
//! floor that moves the same bytes without a protocol, measured in the same run.
//!
//! `cargo bench --bench cluster -- --help` lists the scenarios and the flags. This file owns the
//! program: what runs, in which order, and what is printed at the end.
// A bench measures time by the clock, and paces what it sends.
#![allow(clippy::disallowed_methods)]

#[path = "cluster/bench.rs"]
mod bench;
#[path = "cluster/chart.rs"]
mod chart;
#[path = "cluster/churn.rs"]
mod churn;
#[path = "cluster/failover.rs"]
mod failover;
#[path = "cluster/feed.rs"]
mod feed;
#[path = "cluster/floor.rs"]
mod floor;
#[path = "cluster/floor_process.rs"]
mod floor_process;
#[path = "cluster/gone.rs"]
mod gone;
#[path = "cluster/hosts.rs"]
mod hosts;
#[path = "cluster/irc.rs"]
mod irc;
#[path = "cluster/joining.rs"]
mod joining;
#[path = "cluster/latency.rs"]
mod latency;
#[path = "cluster/node.rs"]
mod node;
#[path = "cluster/options.rs"]
mod options;
#[path = "cluster/process.rs"]
mod process;
#[path = "cluster/procfs.rs"]
mod procfs;
#[path = "cluster/report.rs"]
mod report;
#[path = "cluster/resources.rs"]
mod resources;
#[path = "cluster/room.rs"]
mod room;
#[path = "cluster/scale.rs"]
mod scale;
#[allow(dead_code, reason = "the tests across hosts call more of it")]
#[path = "../tests/nets/shell.rs"]
mod shell;
#[path = "cluster/stalled.rs"]
mod stalled;
#[path = "cluster/throughput.rs"]
mod throughput;

use std::process::ExitCode;

use bench::Bench;
use options::Options;

/// One scenario: measures, and leaves rows in the report.
type Scenario = fn(&mut Bench) -> Result<(), String>;

/// Every scenario, in the order of running.
const SCENARIOS: &[(&str, Scenario)] = &[
    ("fanout", throughput::fanout),
    ("fanout-locked", throughput::fanout_locked),
    ("fanout-stored", throughput::fanout_stored),
    ("all-to-all", throughput::all_to_all),
    ("latency", latency::fixed_rate),
    ("one-at-a-time", latency::one_at_a_time),
    ("failover-kill", failover::kill),
    ("failover-freeze", failover::freeze),
    ("failover-host-gone", gone::host_gone),
    ("host-there", gone::host_there),
    ("join", joining::join),
    ("first-node", joining::first_node),
    ("history", joining::history),
    ("idle", resources::idle),
    ("memory", resources::memory),
    ("stalled-reader", stalled::stalled_reader),
    ("burst-start", joining::burst_start),
    ("churn", churn::churn),
    ("scale", scale::scale),
    ("irc", irc::irc),
];

/// Says something beside the report.
fn tell(line: &str) {
    eprintln!("{line}");
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(floor_process::FLAG) {
        let arguments: Vec<String> = arguments.collect();
        return floor_process::run(&arguments);
    }
    let options = Options::from_command_line(SCENARIOS);
    process::kill_all_on_signals();
    let mut bench = Bench::new(options);
    for (name, scenario) in SCENARIOS {
        if bench.options.wants(name) {
            bench.run(name, *scenario);
        }
    }
    bench.finish()
}
