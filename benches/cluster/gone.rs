//! How long a room is without a coordinator whose host is gone, and how often one is given up that is not.
//!
//! Owns the scenarios that need hosts. Where this machine gives no namespaces they are skipped.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::bench::Bench;
use super::failover::{millis, replace_coordinator};
use super::hosts::Hosts;
use super::process::sleep_until;
use super::report::{Bar, Row};
use super::room::Room;

/// How many datagrams of a hundred are lost, and how long streams stall.
const LOST_PERCENT: u32 = 30;
const STALL_MS: u32 = 300;
/// So many rooms at once are watched for so long each.
const ROOMS: usize = 10;
const WATCHED_SECONDS: u64 = 60;
/// The pause between two stalls is between these, in milliseconds.
const PAUSES_MS: std::ops::Range<u64> = 700..2_700;

fn hosts(bench: &mut Bench, scenario: &str, count: usize) -> Option<Rc<Hosts>> {
    let hosts = Hosts::new(&bench.options.papo, count);
    if hosts.is_none() {
        let why = "skipped: this machine gives no network namespaces (see above)";
        bench.report.note(format!("{scenario}: {why}"));
    }
    hosts.map(Rc::new)
}

/// From the coordinator's host being cut off until every other node has said who the new one is.
pub fn host_gone(bench: &mut Bench) -> Result<(), String> {
    let nodes = bench.options.nodes();
    // A new node for each that was taken away, on its host.
    let Some(hosts) = hosts(bench, "failover-host-gone", nodes) else {
        return Ok(());
    };
    let mut times = Vec::new();
    let mut rng = fastrand::Rng::with_seed(7);
    bench.repeat(11, |bench| {
        let mut room = Room::across(bench, &hosts);
        room.start_all(nodes, bench.deadline)?;
        // Wherever it falls between two HEARTBEATs.
        sleep_until(Instant::now() + Duration::from_millis(1_000 + rng.u64(0..250)));
        let cut = |_: &Room, host: usize| hosts.cut_off(host, true);
        let (took, host) = replace_coordinator(&mut room, cut, bench.deadline)?;
        times.push(millis(took));
        hosts.cut_off(host, false)
    })?;
    let figure = format!("median, {nodes} nodes");
    let row = Row::new("failover-host-gone", &figure, "ms", times.clone());
    bench.report.add(row.bar(Bar::Value(600.0, 550.0)));
    let row = Row::new("failover-host-gone", "worst", "ms", times).worst();
    bench.report.add(row);
    Ok(())
}

/// Elections in ten rooms, watched for a minute, in which datagrams get lost and streams with the coordinators
/// stall.
pub fn host_there(bench: &mut Bench) -> Result<(), String> {
    let Some(hosts) = hosts(bench, "host-there", 3) else {
        return Ok(());
    };
    let mut rooms = Vec::new();
    for _ in 0..ROOMS {
        let mut room = Room::across(bench, &hosts);
        room.start_all(3, bench.deadline)?;
        room.keeps_other = true;
        rooms.push(room);
    }
    hosts.lose_datagrams(LOST_PERCENT)?;
    let mut rng = fastrand::Rng::with_seed(7);
    let end = Instant::now() + Duration::from_secs(WATCHED_SECONDS);
    while Instant::now() < end {
        hosts.stall_streams(0, STALL_MS)?;
        sleep_until(Instant::now() + Duration::from_millis(rng.u64(PAUSES_MS)));
    }
    let mut elections = 0;
    for room in &mut rooms {
        // What each has said by then comes before its answer.
        for index in 0..room.nodes.len() {
            room.status(index, bench.deadline)?;
        }
        let started = |e: &serde_json::Value| e["event"] == "election" && e["phase"] == "started";
        elections += room.other.iter().filter(|(.., e)| started(e)).count();
    }
    let figure = format!(
        "{LOST_PERCENT} % lost, stalls of {STALL_MS} ms, {ROOMS} rooms for {WATCHED_SECONDS} s"
    );
    let row = Row::new("host-there", &figure, "elections", vec![elections as f64]);
    bench.report.add(row.bar(Bar::Value(0.0, 0.0)));
    Ok(())
}
