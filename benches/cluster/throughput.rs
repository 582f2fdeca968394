//! How many messages a second a room carries: one sender, or everybody.

use std::process::ChildStdin;
use std::time::{Duration, Instant};

use super::bench::Bench;
use super::feed::{Feed, await_ready, count_lines};
use super::floor::{self, Took};
use super::node::{Node, Output};
use super::procfs;
use super::report::{Bar, Row};
use super::room::Room;

/// One sender, whose stdin is a pipe; the readers' stdout goes to `/dev/null`. From the first line
/// written until the sender has ended: then every member has confirmed every message.
pub fn fanout(bench: &mut Bench) -> Result<(), String> {
    let runs = fanout_runs(bench, &[], true)?;
    let figure = format!(
        "{} nodes, {} bytes",
        bench.options.nodes(),
        bench.options.size()
    );
    runs.report(bench, "fanout", &figure, Bar::Ratio(0.25, 0.5));
    Ok(())
}

/// The same in a room with a secret, beside an open one.
pub fn fanout_locked(bench: &mut Bench) -> Result<(), String> {
    if !bench.papo_knows("--secret-file") {
        let note = "fanout-locked: this papo has no --secret-file".to_string();
        bench.report.note(note);
        return Ok(());
    }
    bench.write("secret", "the secret of the bench, which guards nothing\n");
    let file = bench.path("secret");
    let locked = fanout_runs(bench, &["--secret-file", &file], false)?;
    beside_plain(bench, locked, "fanout-locked", Bar::None)
}

/// The same with durable stores, beside nodes without.
pub fn fanout_stored(bench: &mut Bench) -> Result<(), String> {
    if !bench.papo_knows("--store") {
        let note = "fanout-stored: this papo has no --store".to_string();
        bench.report.note(note);
        return Ok(());
    }
    let stored = fanout_runs(bench, &["--store"], false)?;
    beside_plain(bench, stored, "fanout-stored", Bar::Ratio(0.4, 0.5))
}

/// Adds a row whose floor is papo itself without the option.
fn beside_plain(bench: &mut Bench, with: Runs, name: &str, bar: Bar) -> Result<(), String> {
    let plain = fanout_runs(bench, &[], false)?;
    let row = |figure, unit, with, plain| Row::new(name, figure, unit, with).floor(plain);
    let rate = row("floor: without", "/s", with.rate, plain.rate);
    bench.report.add(rate.higher().bar(bar));
    let cpu = row("CPU a message; floor: without", "µs", with.cpu, plain.cpu);
    bench.report.add(cpu);
    Ok(())
}

/// What each run showed: messages a second, and the CPU time that one costs all processes together,
/// in microseconds. The latter does not depend on what else the machine does.
#[derive(Default)]
struct Runs {
    rate: Vec<f64>,
    cpu: Vec<f64>,
    floor_rate: Vec<f64>,
    floor_cpu: Vec<f64>,
}

impl Runs {
    fn add(&mut self, messages: u64, time: Duration, cpu: f64) {
        self.rate.push(per_second(messages, time));
        self.cpu.push(cpu * 1e6 / messages as f64);
    }

    fn add_floor(&mut self, messages: u64, took: Took) {
        self.floor_rate.push(per_second(messages, took.time));
        self.floor_cpu.push(took.cpu * 1e6 / messages as f64);
    }

    fn report(self, bench: &mut Bench, name: &str, figure: &str, bar: Bar) {
        let row = Row::new(name, figure, "/s", self.rate).higher();
        bench.report.add(row.floor(self.floor_rate).bar(bar));
        let row = Row::new(name, "CPU a message, all nodes", "µs", self.cpu);
        bench.report.add(row.floor(self.floor_cpu));
    }
}

fn fanout_runs(bench: &mut Bench, extra: &[&str], with_floor: bool) -> Result<Runs, String> {
    let (nodes, size) = (bench.options.nodes(), bench.options.size());
    let messages = bench.options.messages(500_000);
    let mut runs = Runs::default();
    let mut sends = vec![0; nodes];
    sends[0] = messages;
    bench.repeat(5, |bench| {
        let deadline = bench.deadline;
        if with_floor {
            let took = floor::exchange(&sends, size, None, deadline)?;
            runs.add_floor(messages, took);
        }
        let (room, mut sender) = start_fanout(bench, extra, nodes, messages)?;
        let feed = Feed::new(sender.stdin.take().ok_or("no stdin")?, messages, size);
        let mut pids: Vec<u32> = room.nodes.iter().map(|n| n.process.id()).collect();
        pids.push(sender.process.id());
        let before = procfs::cpu_seconds(&pids)?;
        let start = Instant::now();
        drop(feed.write_all(deadline)?);
        // What has ended is still in /proc until it is waited for.
        let end = sender.process.wait_unreaped(deadline)?;
        let cpu = procfs::cpu_seconds(&pids)? - before;
        sender.wait_for_exit(deadline)?;
        runs.add(messages, end - start, cpu);
        Ok(())
    })?;
    Ok(runs)
}

/// Starts `nodes - 1` readers whose stdout goes to `/dev/null`, and a sender, and waits until all
/// see all. The room may hold `messages` in every history, and holds one from each node.
pub fn start_fanout(
    bench: &Bench,
    extra: &[&str],
    nodes: usize,
    messages: u64,
) -> Result<(Room, Node), String> {
    let kept = (messages + nodes as u64).max(100_000).to_string();
    let mut room = Room::new(bench, &["--history", &kept]);
    for i in 0..nodes {
        let mut arguments: Vec<String> = extra.iter().map(ToString::to_string).collect();
        if extra == ["--store"] {
            arguments.push(room_file(bench, i));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = if i == 0 { Output::Pipe } else { Output::Null };
        room.start_ready(&arguments, nodes - 1, output)?;
    }
    let stdout = room.nodes[0].stdout.as_mut().ok_or("no stdout")?;
    await_ready(stdout, nodes - 1, bench.deadline)
        .map_err(|e| format!("{e}{}", room.complaints()))?;
    let sender = room.nodes.remove(0);
    Ok((room, sender))
}

/// A store for one node of one run: a fresh file.
fn room_file(bench: &Bench, node: usize) -> String {
    let path = bench.path(&format!("store-{node}"));
    for end in ["", "-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(format!("{path}{end}"));
    }
    path
}

/// Every node says lines to all others. From the first line written until every node has printed
/// every other node's lines: a node prints what is in its history.
pub fn all_to_all(bench: &mut Bench) -> Result<(), String> {
    let (nodes, size) = (bench.options.nodes(), bench.options.size());
    let messages = bench.options.messages(20_000);
    let others = nodes as u64 - 1;
    let total = messages * (others + 1);
    let mut runs = Runs::default();
    bench.repeat(5, |bench| {
        let deadline = bench.deadline;
        let took = floor::exchange(&vec![messages; nodes], size, None, deadline)?;
        runs.add_floor(total, took);
        let kept = total.max(100_000).to_string();
        let mut room = Room::new(bench, &["--history", &kept]);
        for _ in 0..nodes {
            room.start_ready(&[], nodes - 1, Output::Pipe)?;
        }
        for i in 0..nodes {
            let stdout = room.nodes[i].stdout.as_mut().ok_or("no stdout")?;
            await_ready(stdout, nodes - 1, deadline)
                .map_err(|e| format!("{e}{}", room.complaints()))?;
        }
        let speak = |node: &mut Node| -> Result<ChildStdin, String> {
            let stdin = node.stdin.take().ok_or("no stdin")?;
            Feed::new(stdin, messages, size).write_all(deadline)
        };
        let hear = |stdout| count_lines(stdout, messages * others, deadline);
        let pids: Vec<u32> = room.nodes.iter().map(|n| n.process.id()).collect();
        let before = procfs::cpu_seconds(&pids)?;
        let start = Instant::now();
        let ends = std::thread::scope(|scope| {
            let (speak, hear) = (&speak, &hear);
            let threads: Vec<_> = room
                .nodes
                .iter_mut()
                .filter_map(|node| {
                    let stdout = node.stdout.take()?;
                    let hears = scope.spawn(move || hear(stdout));
                    Some((scope.spawn(move || speak(node)), hears))
                })
                .collect();
            let ends = threads.into_iter().map(|(speaks, hears)| {
                let panicked = |_| "a thread panicked".to_string();
                // Nobody leaves before all have everything: the pipes are kept open.
                let stdin = speaks.join().map_err(panicked)??;
                Ok((hears.join().map_err(panicked)??, stdin))
            });
            ends.collect::<Result<Vec<_>, String>>()
        });
        let ends = ends.map_err(|e| format!("{e}{}", room.complaints()))?;
        if let Some(end) = ends.iter().map(|e| e.0).max() {
            let cpu = procfs::cpu_seconds(&pids)? - before;
            runs.add(total, end - start, cpu);
        }
        Ok(())
    })?;
    let figure = format!("{nodes} nodes, {messages} lines each");
    runs.report(bench, "all-to-all", &figure, Bar::Ratio(0.15, 0.3));
    Ok(())
}

/// A rate from a count and a time.
pub fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64().max(1e-9)
}
