//! What a node costs while nothing happens, and what its history costs.

use std::time::Duration;

use super::bench::Bench;
use super::feed::Feed;
use super::procfs::{self, Spent};
use super::report::{Bar, Row};
use super::room::Room;
use super::throughput::start_fanout;

/// How long idleness is watched.
const IDLE: Duration = Duration::from_secs(5);

/// Memory, CPU time and wake-ups of nodes in a room where nothing is said: alone and together.
pub fn idle(bench: &mut Bench) -> Result<(), String> {
    for nodes in [1, bench.options.nodes()] {
        let mut room = Room::new(bench, &[]);
        room.start_all(nodes, bench.deadline)?;
        bench.progress(&format!("{nodes} nodes"));
        let idleness = watch_idle(&room, IDLE)?;
        let column = |of: fn(&Idle) -> f64| idleness.iter().map(of).collect::<Vec<_>>();
        let bars = [
            (
                "Pss",
                "KiB",
                column(|i| i.pss_kib),
                Bar::Value(4_096.0, 3_072.0),
            ),
            (
                "CPU",
                "%",
                column(|i| i.cpu_percent),
                Bar::Value(0.05, 0.02),
            ),
            (
                "wake-ups",
                "/s",
                column(|i| i.wakeups),
                Bar::Value(10.0, 10.0),
            ),
        ];
        for (figure, unit, values, bar) in bars {
            let figure = match nodes {
                1 => format!("{figure}, alone"),
                n => format!("{figure}, each of {n}"),
            };
            bench
                .report
                .add(Row::new("idle", &figure, unit, values).bar(bar));
        }
    }
    Ok(())
}

/// One node's idleness.
#[derive(Debug)]
pub struct Idle {
    /// Its proportional set size.
    pub pss_kib: f64,
    /// Its share of one CPU.
    pub cpu_percent: f64,
    /// A second.
    pub wakeups: f64,
}

/// Watches every node of a room for so long.
pub fn watch_idle(room: &Room, span: Duration) -> Result<Vec<Idle>, String> {
    let alive = || room.nodes.iter().filter(|n| !n.known.ended);
    let pids: Vec<u32> = alive().map(|n| n.process.id()).collect();
    let spent = |pid: &u32| procfs::spent(*pid);
    // What joining leaves to be done is done within a heartbeat or two.
    std::thread::sleep(Duration::from_millis(500));
    let before = pids.iter().map(spent).collect::<Result<Vec<Spent>, _>>()?;
    std::thread::sleep(span);
    let after = pids.iter().map(spent).collect::<Result<Vec<Spent>, _>>()?;
    let seconds = span.as_secs_f64();
    let idle = |(i, pid): (usize, &u32)| -> Result<Idle, String> {
        let spent = after[i].since(before[i]);
        Ok(Idle {
            pss_kib: procfs::pss_kib(*pid)? as f64,
            cpu_percent: 100.0 * spent.cpu.as_secs_f64() / seconds,
            wakeups: spent.wakeups as f64 / seconds,
        })
    };
    pids.iter().enumerate().map(idle).collect()
}

/// By how much a reader grows with each 100,000 messages.
pub fn memory(bench: &mut Bench) -> Result<(), String> {
    let size = bench.options.size();
    let messages = bench.options.messages(200_000);
    let (mut growth, mut per_message) = (Vec::new(), 0.0);
    bench.repeat(5, |bench| {
        let deadline = bench.deadline;
        let (room, mut sender) = start_fanout(bench, &[], bench.options.nodes(), messages)?;
        let feed = Feed::new(sender.stdin.take().ok_or("no stdin")?, messages, size);
        let pids: Vec<u32> = room.nodes.iter().map(|n| n.process.id()).collect();
        let pss = |pid: &u32| procfs::pss_kib(*pid);
        let before = pids.iter().map(pss).collect::<Result<Vec<_>, _>>()?;
        drop(feed.write_all(deadline)?);
        sender.wait_for_exit(deadline)?;
        for (pid, before) in pids.iter().zip(before) {
            let grown = procfs::pss_kib(*pid)?.saturating_sub(before) as f64;
            growth.push(grown / 1_024.0 * 100_000.0 / messages as f64);
            per_message = grown * 1_024.0 / messages as f64;
        }
        Ok(())
    })?;
    let figure = format!("per 100,000 messages of {size} bytes, each reader");
    let row = Row::new("memory", &figure, "MiB", growth);
    bench.report.add(row.bar(Bar::Value(24.0, 16.0)));
    let note = format!("memory: {per_message:.0} bytes a message of {size} bytes of text");
    bench.report.note(note);
    Ok(())
}
