//! What a node costs as the room grows: 5, 10, 20 and 50 nodes on this machine.

use std::time::Duration;

use rustix::process::Signal;

use super::bench::Bench;
use super::failover::{millis, take_coordinator};
use super::feed::Feed;
use super::joining::burst;
use super::procfs;
use super::report::{Bar, Row, median};
use super::resources::watch_idle;
use super::throughput::start_fanout;

/// How many nodes at most, unless `--nodes` asks for more.
const NODES_MAX: usize = 50;
/// How long idleness is watched.
const IDLE: Duration = Duration::from_secs(3);

/// For each size of the room: starting all at once, failing over, idling, and the CPU time that one
/// message costs the sender and each reader.
pub fn scale(bench: &mut Bench) -> Result<(), String> {
    let largest = bench.options.nodes().max(NODES_MAX);
    let mut sizes: Vec<usize> = [5, 10, 20, 50]
        .into_iter()
        .filter(|n| *n < largest)
        .collect();
    sizes.push(largest);
    for nodes in sizes {
        bench.progress(&format!("{nodes} nodes: starting"));
        let (mut room, together) = burst(bench, nodes)?;
        bench.progress(&format!("{nodes} nodes: idle"));
        let idle = watch_idle(&room, IDLE)?;
        let mut failovers = Vec::new();
        for _ in 0..5.min(nodes - 2) {
            let took = take_coordinator(&mut room, Signal::KILL, bench.deadline)?;
            failovers.push(millis(took));
            room.wait_until_together(bench.deadline)?;
        }
        drop(room);
        bench.progress(&format!("{nodes} nodes: fan-out"));
        let (sender, readers) = cpu_per_message(bench, nodes)?;
        let mut add = |figure: &str, unit, values: Vec<f64>, bar| {
            let row = Row::new("scale", &format!("{nodes} nodes: {figure}"), unit, values);
            bench.report.add(row.bar(bar));
        };
        add(
            "all joined",
            "ms",
            vec![millis(together)],
            Bar::Value(10_000.0, 10_000.0),
        );
        add("failover", "ms", failovers, Bar::Value(100.0, 100.0));
        add(
            "idle CPU a node",
            "%",
            idle.iter().map(|i| i.cpu_percent).collect(),
            Bar::None,
        );
        add(
            "idle wake-ups a node",
            "/s",
            idle.iter().map(|i| i.wakeups).collect(),
            Bar::Value(10.0, 10.0),
        );
        add(
            "Pss a node",
            "KiB",
            idle.iter().map(|i| i.pss_kib).collect(),
            Bar::None,
        );
        add("sender's CPU a message", "µs", vec![sender], Bar::None);
        add(
            "reader's CPU a message",
            "µs",
            vec![median(&readers)],
            Bar::None,
        );
    }
    Ok(())
}

/// The CPU time that one message costs, in microseconds: the sender, and each reader.
fn cpu_per_message(bench: &Bench, nodes: usize) -> Result<(f64, Vec<f64>), String> {
    let (size, deadline) = (bench.options.size(), bench.deadline);
    let messages = bench.options.messages(20_000);
    let (room, mut sender) = start_fanout(bench, &[], nodes, messages)?;
    let feed = Feed::new(sender.stdin.take().ok_or("no stdin")?, messages, size);
    let cpu = |pid: u32| procfs::spent(pid).map(|s| s.cpu.as_secs_f64());
    let per_message = |before: f64, after: f64| (after - before) * 1e6 / messages as f64;
    let pids: Vec<u32> = room.nodes.iter().map(|n| n.process.id()).collect();
    let before = pids
        .iter()
        .map(|p| cpu(*p))
        .collect::<Result<Vec<_>, _>>()?;
    let sender_before = cpu(sender.process.id())?;
    let stdin = feed.write_all(deadline)?;
    drop(stdin);
    // A process that has ended can be asked until it is waited for.
    sender.process.wait_unreaped(deadline)?;
    let sender_after = cpu(sender.process.id())?;
    sender.wait_for_exit(deadline)?;
    let after = pids
        .iter()
        .map(|p| cpu(*p))
        .collect::<Result<Vec<_>, _>>()?;
    let readers = before.iter().zip(&after).map(|(b, a)| per_message(*b, *a));
    Ok((per_message(sender_before, sender_after), readers.collect()))
}
