//! How long a room is without a coordinator: after its process dies, and after it stops answering.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::bench::Bench;
use super::chart::{self, Series};
use super::floor;
use super::report::{Bar, Row};
use super::room::Room;

/// papo's default failure timeout, in milliseconds.
const FAILURE_TIMEOUT_MS: f64 = 1_000.0;

/// From SIGKILL of the coordinator until every other node has said who the new one is.
pub fn kill(bench: &mut Bench) -> Result<(), String> {
    let nodes = bench.options.nodes();
    let mut floor = Vec::new();
    let papo = rounds(bench, 100, Signal::KILL, |deadline| {
        floor.push(millis(floor::death(nodes, deadline)?));
        Ok(())
    })?;
    let figure = format!("median, {nodes} nodes");
    let row = Row::new("failover-kill", &figure, "ms", papo.clone()).floor(floor.clone());
    bench.report.add(row.bar(Bar::Value(5.0, 2.0)));
    let row = Row::new("failover-kill", "worst", "ms", papo.clone()).floor(floor.clone());
    bench.report.add(row.worst().bar(Bar::Value(50.0, 10.0)));
    draw(
        bench,
        "failover-kill",
        "From the coordinator's death until all know the new one",
        papo,
        floor,
    );
    Ok(())
}

/// From SIGSTOP of the coordinator until every other node has said who the new one is.
pub fn freeze(bench: &mut Bench) -> Result<(), String> {
    let papo = rounds(bench, 5, Signal::STOP, |_| Ok(()))?;
    let row = Row::new("failover-freeze", "worst", "ms", papo.clone()).worst();
    let (bar, aim) = (FAILURE_TIMEOUT_MS + 300.0, FAILURE_TIMEOUT_MS + 100.0);
    bench.report.add(row.bar(Bar::Value(bar, aim)));
    draw(
        bench,
        "failover-freeze",
        "From the coordinator's stop until all know another one",
        papo,
        Vec::new(),
    );
    Ok(())
}

fn draw(bench: &Bench, name: &str, title: &str, papo: Vec<f64>, floor: Vec<f64>) {
    let series = [("papo", papo), ("floor", floor)].map(|(name, values)| Series { name, values });
    let svg = chart::distribution(title, "ms", &series);
    bench.write(&format!("{name}.svg"), &svg);
}

/// Takes the coordinator away again and again; a new node replaces it each time. Milliseconds.
fn rounds(
    bench: &mut Bench,
    default: u64,
    signal: Signal,
    mut before: impl FnMut(Instant) -> Result<(), String>,
) -> Result<Vec<f64>, String> {
    let nodes = bench.options.nodes();
    let mut room = Room::new(bench, &[]);
    room.start_all(nodes, bench.deadline)?;
    let mut times = Vec::new();
    bench.repeat(default, |bench| {
        before(bench.deadline)?;
        times.push(millis(take_coordinator(&mut room, signal, bench.deadline)?));
        room.start_watched(&[])?;
        room.wait_until_together(bench.deadline).map(|_| ())
    })?;
    Ok(times)
}

/// Sends the coordinator a signal that makes it fall silent, and waits until all others follow
/// another one. The process is gone afterwards.
pub fn take_coordinator(
    room: &mut Room,
    signal: Signal,
    deadline: Instant,
) -> Result<Duration, String> {
    let signals = |room: &Room, victim: usize| {
        room.nodes[victim].process.signal(signal);
        Ok(())
    };
    replace_coordinator(room, signals, deadline).map(|(took, _)| took)
}

/// The same, of a coordinator that falls silent in another way; also says which node it was.
pub fn replace_coordinator(
    room: &mut Room,
    silence: impl FnOnce(&Room, usize) -> Result<(), String>,
    deadline: Instant,
) -> Result<(Duration, usize), String> {
    let alive = || {
        room.nodes
            .iter()
            .enumerate()
            .filter(|(_, n)| !n.known.ended)
    };
    let old = alive().find_map(|(_, n)| n.known.coordinator);
    let (old, _) = old.ok_or("nobody knows a coordinator")?;
    let victim = alive().find(|(_, n)| n.known.id == Some(old));
    let (victim, _) = victim.ok_or("the coordinator is none of the nodes")?;
    let start = Instant::now();
    silence(room, victim)?;
    room.wait(deadline, "another coordinator", |room| {
        let others = room.nodes.iter().enumerate();
        let others = others.filter(|(i, n)| *i != victim && !n.known.ended);
        let mut known = others.map(|(_, n)| n.known.coordinator.map(|(id, _)| id));
        let first = known.next().flatten();
        first.is_some_and(|id| id != old) && known.all(|id| id == first)
    })?;
    let others = room.nodes.iter().enumerate();
    let others = others.filter(|(i, n)| *i != victim && !n.known.ended);
    let last = others
        .filter_map(|(_, n)| Some(n.known.coordinator?.1))
        .max();
    let took = last
        .ok_or("nobody is left")?
        .saturating_duration_since(start);
    room.nodes[victim].process.signal(Signal::KILL);
    room.wait(deadline, "the end of the old one", |room| {
        room.nodes[victim].known.ended
    })?;
    Ok((took, victim))
}

/// In milliseconds.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
