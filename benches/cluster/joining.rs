//! How long it takes to be a member: of a running room, of a new one, with a long history, and
//! when many come at once.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::bench::Bench;
use super::chart::{self, Series};
use super::failover::millis;
use super::feed::Feed;
use super::floor::Servers;
use super::report::{Bar, Row};
use super::room::Room;
use super::throughput::start_fanout;

/// From the start of a process until it says that it has joined a running room.
pub fn join(bench: &mut Bench) -> Result<(), String> {
    let others = bench.options.nodes() - 1;
    let mut room = Room::new(bench, &[]);
    room.start_all(others, bench.deadline)?;
    let servers = Servers::start(others, 0, 16, bench.deadline)?;
    let (mut papo, mut floor) = (Vec::new(), Vec::new());
    bench.repeat(30, |bench| {
        floor.push(millis(servers.fetch(bench.deadline)?));
        papo.push(millis(newcomer(&mut room, &[], None, bench.deadline)?));
        Ok(())
    })?;
    let figure = format!("into {others} nodes");
    let row = Row::new("join", &figure, "ms", papo.clone()).floor(floor.clone());
    bench.report.add(row.bar(Bar::Value(10.0, 5.0)));
    let series = [("papo", papo), ("floor", floor)].map(|(name, values)| Series { name, values });
    let title = "From the start of a process until it has joined";
    bench.write("join.svg", &chart::distribution(title, "ms", &series));
    Ok(())
}

/// Starts a node, waits until it has joined (with so many messages of history), ends it, and waits
/// until the others have noticed.
fn newcomer(
    room: &mut Room,
    arguments: &[&str],
    history: Option<u64>,
    deadline: Instant,
) -> Result<Duration, String> {
    let index = room.start_watched(arguments)?;
    room.wait(deadline, "a newcomer to join", |room| {
        let known = &room.nodes[index].known;
        known.joined.is_some() || known.ended
    })?;
    let node = &room.nodes[index];
    let joined = node.known.joined;
    let joined = joined.ok_or_else(|| format!("a newcomer ended{}", node.complaint()))?;
    let took = joined - node.started;
    if history.is_some_and(|n| n != node.known.joined_history) {
        let got = node.known.joined_history;
        return Err(format!(
            "a newcomer joined with {got} of {history:?} messages"
        ));
    }
    room.wait_until_together(deadline)?;
    room.nodes[index].process.signal(Signal::TERM);
    room.wait(deadline, "it to leave", |room| {
        room.nodes[index].known.ended
    })?;
    room.wait_until_together(deadline)?;
    Ok(took)
}

/// From the start of the first node of a room until it says that it has joined.
pub fn first_node(bench: &mut Bench) -> Result<(), String> {
    let mut papo = Vec::new();
    bench.repeat(5, |bench| {
        let mut room = Room::new(bench, &[]);
        papo.push(millis(newcomer(&mut room, &[], None, bench.deadline)?));
        Ok(())
    })?;
    let row = Row::new("first-node", "until joined", "ms", papo);
    bench.report.add(row.bar(Bar::Value(700.0, 500.0)));
    Ok(())
}

/// From the start of a process until it has joined with the whole history.
pub fn history(bench: &mut Bench) -> Result<(), String> {
    let mut sizes = vec![1_000, 100_000];
    if bench.options.large {
        sizes.push(1_000_000);
    }
    for messages in sizes {
        history_of(bench, bench.options.messages(messages))?;
    }
    Ok(())
}

fn history_of(bench: &mut Bench, messages: u64) -> Result<(), String> {
    let (size, deadline) = (bench.options.size(), bench.deadline);
    bench.progress(&format!("{messages} messages: filling"));
    let (mut room, mut sender) = start_fanout(bench, &[], 3, messages)?;
    let feed = Feed::new(sender.stdin.take().ok_or("no stdin")?, messages, size);
    drop(feed.write_all(deadline)?);
    sender.wait_for_exit(deadline)?;
    // Each reader and the sender has said that it is ready.
    let held = messages + room.nodes.len() as u64 + 1;
    let servers = Servers::start(1, messages, size, deadline)?;
    let (mut papo, mut floor) = (Vec::new(), Vec::new());
    bench.repeat(5, |bench| {
        floor.push(millis(servers.fetch(bench.deadline)?));
        let index = room.start_watched(&["--replay", "none"])?;
        room.wait(bench.deadline, "a newcomer to join", |room| {
            let known = &room.nodes[index].known;
            known.joined.is_some() || known.ended
        })?;
        let node = &room.nodes[index];
        let joined = node.known.joined.ok_or("a newcomer ended")?;
        if node.known.joined_history != held {
            let got = node.known.joined_history;
            return Err(format!(
                "a newcomer joined with {got} of {messages} messages"
            ));
        }
        papo.push(millis(joined - node.started));
        room.nodes[index].process.signal(Signal::TERM);
        room.wait(bench.deadline, "it to leave", |room| {
            room.nodes[index].known.ended
        })?;
        Ok(())
    })?;
    let figure = format!("{messages} messages to a newcomer");
    let row = Row::new("history", &figure, "ms", papo).floor(floor);
    let bar = if messages == 100_000 {
        Bar::Ratio(20.0, 10.0)
    } else {
        Bar::None
    };
    bench.report.add(row.bar(bar));
    Ok(())
}

/// Many processes at once, no room before: until each has the same view of all.
pub fn burst_start(bench: &mut Bench) -> Result<(), String> {
    let nodes = bench.options.nodes().max(20);
    let mut papo = Vec::new();
    bench.repeat(5, |bench| {
        papo.push(millis(burst(bench, nodes)?.1));
        Ok(())
    })?;
    let row = Row::new("burst-start", &format!("{nodes} at once"), "ms", papo);
    bench.report.add(row.bar(Bar::Value(10_000.0, 10_000.0)));
    Ok(())
}

/// Starts so many nodes at once; returns their room, and how long it took.
pub fn burst(bench: &Bench, nodes: usize) -> Result<(Room, Duration), String> {
    let mut room = Room::new(bench, &[]);
    let start = Instant::now();
    for _ in 0..nodes {
        room.start_watched(&[])?;
    }
    let together = room.wait_until_together(bench.deadline)?;
    Ok((room, together.saturating_duration_since(start)))
}
