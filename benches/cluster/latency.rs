//! How long a line takes: at a fixed rate, and one after the other.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::ChildStdin;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::bench::Bench;
use super::chart::{self, Series};
use super::floor::{FloorProcess, Relay};
use super::node::{Input, Output};
use super::process::{Lines, Process, sleep_precisely, sleep_until};
use super::report::{Bar, Row};
use super::room::Room;
use super::throughput::per_second;

/// What each line begins with, before its number.
const MARK: &str = "line:";

/// From the moment that a line is due to be written until it can be read at one of the readers.
/// What is late counts as late: no coordinated omission.
pub fn fixed_rate(bench: &mut Bench) -> Result<(), String> {
    let (nodes, size, rate) = (
        bench.options.nodes(),
        bench.options.size(),
        bench.options.rate,
    );
    let messages = bench.options.messages(3 * rate);
    let (mut papo, mut floor) = (Distribution::new(), Distribution::new());
    bench.repeat(5, |bench| {
        let deadline = bench.deadline;
        {
            let relay = Relay::start(nodes - 1, false, deadline)?;
            let mut sinks = relay.sinks;
            // One is watched; the others' lines are read and dropped.
            let FloorProcess { process, lines, .. } = sinks.swap_remove(sinks.len() / 2);
            let _watched = process;
            let _others: Vec<_> = sinks.into_iter().map(drain).collect();
            let mut stdin = relay.source.stdin;
            floor.add_run(&pace(
                &mut stdin,
                lines.into(),
                rate,
                messages,
                size,
                deadline,
            )?);
        }
        let mut room = Room::new(bench, &[]);
        room.start(&["listen"], Input::Null, Output::Pipe)?;
        for _ in 2..nodes {
            room.start(&["listen"], Input::Null, Output::Null)?;
        }
        let others = (nodes - 1).to_string();
        let timeout = bench.options.deadline.to_string();
        let arguments = ["--wait-members", &others, "--timeout", &timeout];
        let sender = room.start(&arguments, Input::Pipe, Output::Null)?;
        let stdout = room.nodes[0].stdout.take().ok_or("no stdout")?;
        let stdin = room.nodes[sender].stdin.as_mut().ok_or("no stdin")?;
        let seen = pace(stdin, stdout.into(), rate, messages, size, deadline);
        let seen = seen.map_err(|e| format!("{e}{}", room.nodes[sender].complaint()))?;
        papo.add_run(&seen);
        Ok(())
    })?;
    let rows = [
        ("p50", &papo.p50, &floor.p50, Bar::Ratio(2.0, 1.3)),
        ("p99", &papo.p99, &floor.p99, Bar::Ratio(3.0, 2.0)),
        ("p99.9", &papo.p999, &floor.p999, Bar::None),
        ("maximum", &papo.max, &floor.max, Bar::None),
    ];
    for (figure, papo, floor, bar) in rows {
        let figure = format!("{figure} at {rate}/s");
        let row = Row::new("latency", &figure, "µs", papo.clone());
        bench.report.add(row.floor(floor.clone()).bar(bar));
    }
    let series = [
        Series {
            name: "papo",
            values: papo.values(),
        },
        Series {
            name: "floor",
            values: floor.values(),
        },
    ];
    let title = format!("From a line due to a line readable, {rate} a second, {nodes} nodes");
    bench.write("latency.svg", &chart::distribution(&title, "µs", &series));
    Ok(())
}

/// The runs' percentiles, and all values together.
struct Distribution {
    all: Histogram<u64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    p999: Vec<f64>,
    max: Vec<f64>,
}

impl Distribution {
    fn new() -> Distribution {
        Distribution {
            all: histogram(),
            p50: Vec::new(),
            p99: Vec::new(),
            p999: Vec::new(),
            max: Vec::new(),
        }
    }

    fn add_run(&mut self, run: &Histogram<u64>) {
        let at = |quantile| run.value_at_quantile(quantile) as f64 / 1_000.0;
        self.p50.push(at(0.5));
        self.p99.push(at(0.99));
        self.p999.push(at(0.999));
        self.max.push(run.max() as f64 / 1_000.0);
        // Both have the same bounds.
        let _ = self.all.add(run);
    }

    /// Microseconds, as many of them as there were lines.
    fn values(&self) -> Vec<f64> {
        let recorded = self.all.iter_recorded();
        recorded
            .flat_map(|v| {
                let count = usize::try_from(v.count_at_value()).unwrap_or(0);
                std::iter::repeat_n(v.value_iterated_to() as f64 / 1_000.0, count)
            })
            .collect()
    }
}

/// Nanoseconds up to a minute.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("valid bounds")
}

/// Reads and drops a floor process's lines as long as what is returned lives.
fn drain(floor: FloorProcess) -> (Process, ChildStdin) {
    let mut pipe = std::fs::File::from(OwnedFd::from(floor.lines));
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while pipe.read(&mut buffer).is_ok_and(|n| n > 0) {}
    });
    (floor.process, floor.stdin)
}

/// Writes a line and sees it come out; then writes `messages` lines at their times, and takes the
/// time of each where it comes out.
fn pace(
    stdin: &mut ChildStdin,
    output: OwnedFd,
    rate: u64,
    messages: u64,
    size: usize,
    deadline: Instant,
) -> Result<Histogram<u64>, String> {
    let line = |number: u64| {
        let mut line = format!("{MARK}{number:010} ");
        line.extend(std::iter::repeat_n('x', size.saturating_sub(line.len())));
        line.push('\n');
        line
    };
    let mut output = Lines::new(output);
    let mut write = |number| {
        let written = stdin.write_all(line(number).as_bytes());
        written.map_err(|e| format!("writing a line: {e}"))
    };
    write(0)?;
    while number_in(output.next(deadline)?).is_none() {}
    let interval = Duration::from_nanos(1_000_000_000 / rate);
    let start = Instant::now() + Duration::from_millis(20);
    let due = |number: u64| start + interval * u32::try_from(number).unwrap_or(u32::MAX);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut seen = histogram();
            while seen.len() < messages {
                let number = number_in(output.next(deadline)?);
                let late = number.map(|n| due(n).elapsed());
                if let Some(late) = late {
                    seen.saturating_record(u64::try_from(late.as_nanos()).unwrap_or(u64::MAX));
                }
            }
            Ok(seen)
        });
        sleep_precisely();
        for number in 1..=messages {
            sleep_until(due(number));
            write(number)?;
        }
        let seen = reader.join().map_err(|_| "a thread panicked".to_string())?;
        seen.map_err(|e: String| format!("a line is missing: {e}"))
    })
}

/// The number of a line, wherever a nick stands before it.
fn number_in(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once(MARK)?;
    rest.get(..10)?.parse().ok()
}

/// Each line is written when the one before it is delivered: acknowledged by every member.
pub fn one_at_a_time(bench: &mut Bench) -> Result<(), String> {
    let (nodes, size) = (bench.options.nodes(), bench.options.size());
    let messages = bench.options.messages(5_000);
    let mut line = "x".repeat(size);
    line.push('\n');
    let (mut papo, mut floor) = (Vec::new(), Vec::new());
    bench.repeat(5, |bench| {
        let deadline = bench.deadline;
        {
            let relay = Relay::start(nodes - 1, true, deadline)?;
            let sinks = relay.sinks.into_iter();
            let _sinks: Vec<_> = sinks.map(drain).collect();
            let mut source = relay.source;
            let took = ping_pong(
                &mut source.stdin,
                &mut source.lines,
                &line,
                messages,
                "ok",
                deadline,
            )?;
            floor.push(per_second(messages, took));
        }
        let mut room = Room::new(bench, &[]);
        for _ in 1..nodes {
            room.start(&["listen"], Input::Null, Output::Null)?;
        }
        let others = (nodes - 1).to_string();
        let timeout = bench.options.deadline.to_string();
        let arguments = ["--json", "--wait-members", &others, "--timeout", &timeout];
        let sender = room.start(&arguments, Input::Pipe, Output::Pipe)?;
        let sender = &mut room.nodes[sender];
        let (stdin, stdout) = (sender.stdin.as_mut(), sender.stdout.take());
        let stdin = stdin.ok_or("no stdin")?;
        let mut lines = Lines::new(stdout.ok_or("no stdout")?);
        let delivered = "\"delivered\"";
        // The first line also waits for the members.
        ping_pong(stdin, &mut lines, &line, 1, delivered, deadline)?;
        let took = ping_pong(stdin, &mut lines, &line, messages, delivered, deadline)?;
        papo.push(per_second(messages, took));
        Ok(())
    })?;
    let figure = format!("{nodes} nodes");
    let row = Row::new("one-at-a-time", &figure, "/s", papo)
        .higher()
        .floor(floor);
    bench.report.add(row.bar(Bar::Value(5_000.0, 10_000.0)));
    Ok(())
}

/// Writes a line, waits for one with `answer` in it, and so on.
fn ping_pong(
    stdin: &mut ChildStdin,
    lines: &mut Lines,
    line: &str,
    messages: u64,
    answer: &str,
    deadline: Instant,
) -> Result<Duration, String> {
    let start = Instant::now();
    for _ in 0..messages {
        let written = stdin.write_all(line.as_bytes());
        written.map_err(|e| format!("writing a line: {e}"))?;
        while !lines.next(deadline)?.contains(answer) {}
    }
    Ok(start.elapsed())
}
