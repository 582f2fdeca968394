//! A room of papo processes: a multicast address of its own, the nodes, and waiting for what their
//! events say.

use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use serde_json::Value;

use super::bench::Bench;
use super::hosts::Hosts;
use super::node::{Input, Launcher, Node, Output, Seen, read_events};

/// Rooms opened so far: each gets another multicast address.
static ROOMS: AtomicU32 = AtomicU32::new(0);

/// The nodes of one room. Dropping it kills them.
#[derive(Debug)]
pub struct Room {
    /// All nodes ever started here, except those taken out.
    pub nodes: Vec<Node>,
    /// Events that are not about membership, until taken.
    pub other: Vec<(usize, Instant, Value)>,
    /// Whether `other` is kept.
    pub keeps_other: bool,
    launcher: Launcher,
    sender: Sender<Seen>,
    seen: Receiver<Seen>,
}

impl Room {
    /// A room without nodes; `arguments` go to every node.
    pub fn new(bench: &Bench, arguments: &[&str]) -> Room {
        let mut launcher = Launcher {
            hosts: None,
            papo: bench.options.papo.clone(),
            group: new_group(),
            arguments: bench.options.papo_arg.clone(),
            logs: bench.logs.clone(),
        };
        launcher
            .arguments
            .extend(arguments.iter().map(ToString::to_string));
        Room::of(launcher)
    }

    /// A room without nodes, each of which is started on a host of its own, in their order.
    pub fn across(bench: &Bench, hosts: &Rc<Hosts>) -> Room {
        let mut room = Room::new(bench, &[]);
        room.launcher.hosts = Some(Rc::clone(hosts));
        room
    }

    fn of(launcher: Launcher) -> Room {
        let (sender, seen) = channel();
        Room {
            nodes: Vec::new(),
            other: Vec::new(),
            keeps_other: false,
            launcher,
            sender,
            seen,
        }
    }

    /// Starts a node; returns its index.
    pub fn start(
        &mut self,
        arguments: &[&str],
        input: Input,
        output: Output,
    ) -> Result<usize, String> {
        let index = self.nodes.len();
        let nick = format!("n{index}");
        let node = (self.launcher).start((index, &nick), arguments, input, output)?;
        self.nodes.push(node);
        Ok(index)
    }

    /// Starts a node that is driven by commands and watched by its events.
    pub fn start_watched(&mut self, arguments: &[&str]) -> Result<usize, String> {
        let output = Output::Events(self.nodes.len(), self.sender.clone());
        let arguments: Vec<&str> = arguments
            .iter()
            .copied()
            .chain(["--commands", "--stay"])
            .collect();
        self.start(&arguments, Input::Pipe, output)
    }

    /// Starts a node that says that it is ready once it sees `others` others, and prints what
    /// others said of that, whether it had joined by then or not.
    pub fn start_ready(
        &mut self,
        arguments: &[&str],
        others: usize,
        output: Output,
    ) -> Result<usize, String> {
        let others = others.to_string();
        let arguments: Vec<&str> = arguments
            .iter()
            .copied()
            .chain(["--replay", "all", "--wait-members", &others])
            .chain(["--timeout", "600"])
            .collect();
        let index = self.start(&arguments, Input::Pipe, output)?;
        self.nodes[index].say("ready")?;
        Ok(index)
    }

    /// Reads the events of a node whose stdout nobody has read so far.
    pub fn watch(&mut self, index: usize) {
        if let Some(stdout) = self.nodes[index].stdout.take() {
            read_events(stdout, index, self.sender.clone());
        }
    }

    /// Starts `count` watched nodes, the second one when the first one has the room, and waits
    /// until all know all.
    pub fn start_all(&mut self, count: usize, deadline: Instant) -> Result<(), String> {
        let first = self.start_watched(&[])?;
        self.wait(deadline, "the first node to join", |room| {
            room.nodes[first].known.joined.is_some()
        })?;
        for _ in 1..count {
            self.start_watched(&[])?;
        }
        self.wait_until_together(deadline).map(|_| ())
    }

    /// Waits until every node that still runs has the same view, of just these nodes.
    pub fn wait_until_together(&mut self, deadline: Instant) -> Result<Instant, String> {
        self.wait(deadline, "all nodes to have one view", Room::is_together)
    }

    /// True if every node that still runs has the same view, of just these nodes.
    pub fn is_together(&self) -> bool {
        let alive = || self.nodes.iter().filter(|n| !n.known.ended);
        let count = alive().count();
        let mut views = alive().map(|n| {
            let coordinator = n.known.coordinator.map(|(id, _)| id);
            (&n.known.members, coordinator, n.known.joined.is_some())
        });
        let Some(first) = views.next() else {
            return true;
        };
        let keys_are_known = alive().all(|n| n.known.key.is_some());
        let all_here = alive().all(|n| n.known.key.as_ref().is_some_and(|k| first.0.contains(k)));
        first.0.len() == count
            && first.2
            && first.1.is_some()
            && keys_are_known
            && all_here
            && views.all(|v| v == first)
    }

    /// Takes events in until `done`; says when the last one was read.
    pub fn wait(
        &mut self,
        deadline: Instant,
        what: &str,
        mut done: impl FnMut(&Room) -> bool,
    ) -> Result<Instant, String> {
        let mut at = Instant::now();
        while !done(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(seen) = self.seen.recv_timeout(left) else {
                return Err(format!("waited in vain for {what}{}", self.complaints()));
            };
            at = seen.at;
            self.note(seen);
        }
        Ok(at)
    }

    /// What the nodes last wrote on stderr, for a failure's message.
    pub fn complaints(&self) -> String {
        self.nodes.iter().map(Node::complaint).collect()
    }

    fn note(&mut self, seen: Seen) {
        let Some(node) = self.nodes.get_mut(seen.index) else {
            return;
        };
        match seen.event {
            None => node.known.ended = true,
            Some(event) => {
                node.known.note(&event, seen.at);
                if self.keeps_other {
                    self.other.push((seen.index, seen.at, event));
                }
            }
        }
    }

    /// Asks a node for its status until it holds `count` messages; returns that status.
    pub fn wait_for_history(
        &mut self,
        index: usize,
        count: u64,
        deadline: Instant,
    ) -> Result<Value, String> {
        loop {
            let status = self.status(index, deadline)?;
            if status["history"].as_u64() == Some(count) {
                return Ok(status);
            }
            // What is still on its way comes within a few turns; nothing announces it.
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// A node's answer to `/status`.
    pub fn status(&mut self, index: usize, deadline: Instant) -> Result<Value, String> {
        self.nodes[index].known.status = None;
        self.nodes[index].say("/status")?;
        self.wait(deadline, "the answer to /status", |room| {
            let known = &room.nodes[index].known;
            known.status.is_some() || known.ended
        })?;
        let status = self.nodes[index].known.status.clone();
        status.ok_or_else(|| format!("a node ended{}", self.nodes[index].complaint()))
    }
}

/// A multicast address that no other room of this or of another bench uses now.
pub fn new_group() -> String {
    let number = ROOMS.fetch_add(1, Ordering::Relaxed);
    let seed = std::process::id().wrapping_mul(0x9E37_79B1) ^ number.wrapping_mul(0x85EB_CA6B);
    let [_, b, c, _] = seed.to_be_bytes();
    let port = 20_000 + (seed ^ number) % 12_000;
    format!("239.255.{b}.{c}:{port}")
}
