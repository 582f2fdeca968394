//! Nodes come, go, die and freeze at random while somebody talks: what the room looks like once it
//! is left alone.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::bench::Bench;
use super::failover::millis;
use super::report::{Bar, Row};
use super::room::Room;

/// How long nodes come and go.
const SPAN: Duration = Duration::from_secs(5);
/// How often the first node says something.
const LINE_EVERY: Duration = Duration::from_millis(5);

/// The first node stays and says lines; the others come and go. Then: how long until all nodes have
/// one view, and until all of them hold every line.
pub fn churn(bench: &mut Bench) -> Result<(), String> {
    let nodes = bench.options.nodes().max(5);
    let (mut together, mut complete) = (Vec::new(), Vec::new());
    let (mut events, mut seed) = (0, bench.options.seed);
    bench.repeat(5, |bench| {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut room = Room::new(bench, &[]);
        room.start_all(nodes, bench.deadline)?;
        let (said, happened) = disturb(&mut room, &mut rng, nodes)?;
        events += happened;
        let calm = Instant::now();
        let at = room
            .wait_until_together(bench.deadline)
            .map_err(|e| format!("seed {seed}: {e}"))?;
        together.push(millis(at.saturating_duration_since(calm)));
        let alive: Vec<usize> = (0..room.nodes.len())
            .filter(|i| !room.nodes[*i].known.ended)
            .collect();
        let mut digests = Vec::new();
        for index in alive {
            let status = room.wait_for_history(index, said, bench.deadline);
            let status = status.map_err(|e| format!("seed {seed}, {said} lines: {e}"))?;
            digests.push(status["digest"].clone());
        }
        if digests.iter().any(|d| *d != digests[0]) {
            return Err(format!("seed {seed}: two nodes hold different histories"));
        }
        complete.push(millis(calm.elapsed()));
        seed += 1;
        Ok(())
    })?;
    let figure = |what: &str| format!("{what}, {nodes} nodes, {events} events");
    let row = Row::new("churn", &figure("one view after"), "ms", together).worst();
    bench.report.add(row.bar(Bar::Value(5_000.0, 2_000.0)));
    bench
        .report
        .add(Row::new("churn", &figure("all hold all after"), "ms", complete).worst());
    Ok(())
}

/// Says lines, and disturbs the others. Returns how many lines and how many disturbances.
fn disturb(room: &mut Room, rng: &mut fastrand::Rng, nodes: usize) -> Result<(u64, u64), String> {
    let start = Instant::now();
    let (mut said, mut happened) = (0, 0);
    let mut next_event = start;
    let mut frozen: Vec<usize> = Vec::new();
    while start.elapsed() < SPAN {
        said += 1;
        room.nodes[0].say(&format!("line {said}"))?;
        if Instant::now() >= next_event {
            next_event = Instant::now() + Duration::from_millis(rng.u64(50..400));
            happened += 1;
            let alive = || (1..room.nodes.len()).filter(|i| !room.nodes[*i].known.ended);
            let count = alive().count();
            let chosen = alive().nth(rng.usize(0..count.max(1)));
            match (chosen, rng.u8(0..4)) {
                (Some(i), 0) if count > 2 => room.nodes[i].process.signal(Signal::KILL),
                (Some(i), 1) if count > 2 => room.nodes[i].process.signal(Signal::TERM),
                (Some(i), 2) if frozen.is_empty() => {
                    room.nodes[i].process.signal(Signal::STOP);
                    frozen.push(i);
                }
                _ if count < nodes => {
                    room.start_watched(&[])?;
                }
                _ => {}
            }
            if rng.bool() {
                for i in frozen.drain(..) {
                    room.nodes[i].process.signal(Signal::CONT);
                }
            }
        }
        // Events are taken in until the next line is due; none need come.
        let _ = room.wait(Instant::now() + LINE_EVERY, "the next line", |_| false);
    }
    for node in &room.nodes {
        node.process.signal(Signal::CONT);
    }
    Ok((said, happened))
}
