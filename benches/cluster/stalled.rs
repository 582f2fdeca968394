//! One reader that does not read: what it costs the others, and whether it loses anything.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::bench::Bench;
use super::feed::{Feed, await_ready, count_lines};
use super::floor;
use super::node::Output;
use super::procfs;
use super::report::{Bar, Row};
use super::room::Room;
use super::throughput::per_second;

/// How the last reader behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Last {
    /// Like the others.
    Reads,
    /// Nobody reads its stdout.
    Unread,
    /// Its process is stopped.
    Stopped,
}

/// What a run showed.
struct Run {
    rate: f64,
    sender_peak_kib: f64,
    recovery_ms: Option<f64>,
}

/// The rate at which the other readers get their lines, with one that stalls, against the rate
/// without; how much the sender grows by it; and how long the stalled one takes to have it all.
pub fn stalled_reader(bench: &mut Bench) -> Result<(), String> {
    let (nodes, size) = (bench.options.nodes().max(3), bench.options.size());
    let messages = bench.options.messages(1_000_000);
    let mut sends = vec![0; nodes];
    sends[0] = messages;
    let mut kept: [Vec<f64>; 2] = Default::default();
    let mut growth: [Vec<f64>; 2] = Default::default();
    let mut recovery: [Vec<f64>; 2] = Default::default();
    let mut floor_kept = Vec::new();
    bench.repeat(5, |bench| {
        let deadline = bench.deadline;
        let plain = floor::exchange(&sends, size, None, deadline)?;
        let stopped = floor::exchange(&sends, size, Some(nodes - 1), deadline)?;
        floor_kept.push(100.0 * plain.time.as_secs_f64() / stopped.time.as_secs_f64().max(1e-9));
        let baseline = run(bench, Last::Reads, nodes, messages)?;
        for (i, last) in [Last::Unread, Last::Stopped].into_iter().enumerate() {
            let run = run(bench, last, nodes, messages)?;
            kept[i].push(100.0 * run.rate / baseline.rate.max(1e-9));
            let grown = run.sender_peak_kib - baseline.sender_peak_kib;
            growth[i].push((grown / 1_024.0).max(0.0));
            recovery[i].extend(run.recovery_ms);
        }
        Ok(())
    })?;
    let names = ["stdout unread", "process stopped"];
    let columns = kept.into_iter().zip(growth).zip(recovery);
    for (name, ((kept, growth), recovery)) in names.into_iter().zip(columns) {
        let row = |figure: &str, unit, values| {
            Row::new("stalled-reader", &format!("{name}: {figure}"), unit, values)
        };
        let rate = row("the others' rate, of that without", "%", kept);
        let rate = rate.higher().floor(floor_kept.clone());
        bench.report.add(rate.bar(Bar::Value(90.0, 97.0)));
        let growth = row("the sender grows by", "MiB", growth);
        bench.report.add(growth.bar(Bar::Value(16.0, 8.0)));
        bench
            .report
            .add(row("has everything after", "ms", recovery));
    }
    Ok(())
}

fn run(bench: &mut Bench, last: Last, nodes: usize, messages: u64) -> Result<Run, String> {
    let (size, deadline) = (bench.options.size(), bench.deadline);
    let kept = (messages + nodes as u64).max(100_000).to_string();
    let mut room = Room::new(bench, &["--history", &kept]);
    let sender = room.start_ready(&[], nodes - 1, Output::Pipe)?;
    for _ in 2..nodes {
        room.start_ready(&[], nodes - 1, Output::Pipe)?;
    }
    let (arguments, output): (&[&str], _) = match last {
        Last::Reads => (&[], Output::Null),
        Last::Unread | Last::Stopped => (&["--json", "--commands", "--stay"], Output::Pipe),
    };
    let stalled = room.start_ready(arguments, nodes - 1, output)?;
    let stdout = room.nodes[sender].stdout.as_mut().ok_or("no stdout")?;
    await_ready(stdout, nodes - 1, deadline).map_err(|e| format!("{e}{}", room.complaints()))?;
    let stdin = room.nodes[sender].stdin.take().ok_or("no stdin")?;
    let feed = Feed::new(stdin, messages, size);
    if last == Last::Stopped {
        room.nodes[stalled].process.signal(Signal::STOP);
    }
    let start = Instant::now();
    let outputs: Vec<_> = room.nodes[sender + 1..stalled]
        .iter_mut()
        .filter_map(|n| n.stdout.take())
        .collect();
    let (stdin, ends) = std::thread::scope(|scope| {
        let count = |stdout| scope.spawn(move || count_lines(stdout, messages, deadline));
        let counting: Vec<_> = outputs.into_iter().map(count).collect();
        let stdin = feed.write_all(deadline)?;
        let ends = counting.into_iter().map(|thread| {
            let end = thread.join().map_err(|_| "a thread panicked".to_string())?;
            end.map_err(|e: String| format!("{last:?}: {e}"))
        });
        Ok::<_, String>((stdin, ends.collect::<Result<Vec<Instant>, String>>()?))
    })?;
    let end = ends.into_iter().max().ok_or("no reader was measured")?;
    let sender_peak_kib = procfs::peak_kib(room.nodes[sender].process.id())? as f64;
    let recovery = match last {
        Last::Reads => None,
        Last::Unread | Last::Stopped => {
            let again = Instant::now();
            room.nodes[stalled].process.signal(Signal::CONT);
            room.watch(stalled);
            let held = messages + nodes as u64;
            room.wait_for_history(stalled, held, deadline)?;
            Some(again.elapsed())
        }
    };
    drop(stdin);
    let millis = |d: Duration| d.as_secs_f64() * 1_000.0;
    Ok(Run {
        rate: per_second(messages, end - start),
        sender_peak_kib,
        recovery_ms: recovery.map(millis),
    })
}
