//! The record: what users said and were shown, handed to the checkers as it happens.
//!
//! Owns the checkers and what they need to know of one run. It reads a node only through its public
//! getters, and changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use papo::node::{Departure, Effect, Event, Node, Phase};
use papo::wire::{ChatMessage, Id, Key, MessageId, Position};

use super::agenda::RunId;
use super::checks::churn::Churn;
use super::checks::convergence::Held;
use super::checks::delivered::{Delivered, Has};
use super::checks::election::Elections;
use super::checks::farewell::Farewell;
use super::checks::integrity::Integrity;
use super::checks::liveness::{Due, Liveness};
use super::checks::offices::Offices;
use super::checks::once::Once;
use super::checks::order::Order;
use super::checks::views::Views;
use super::checks::{Verdict, Violation};
use super::paths::Paths;
use super::process::Process;
use super::scenario::{MS, SECOND};

/// How long nothing may have happened to a pair before it counts as linked and alive.
const STEADY: u64 = 5 * SECOND;
/// No election takes longer, whatever fails meanwhile.
const ELECTION_LONGEST: u64 = 15 * SECOND;

/// All checkers of one run.
#[derive(Debug, Default)]
pub struct Record {
    runs: BTreeMap<Key, RunId>,
    keys: Vec<Key>,
    positions: BTreeMap<MessageId, Position>,
    shown: BTreeMap<RunId, Vec<Position>>,
    privates: BTreeSet<(Key, Key, String)>,
    views_seen: BTreeMap<RunId, (Key, u64, usize)>,
    joined_at: BTreeMap<RunId, u64>,
    /// When times are looked at again.
    pub next_look: u64,
    /// How long the network takes at most when nothing is wrong.
    delay: u64,
    pub integrity: Integrity,
    pub once: Once,
    pub order: Order,
    pub views: Views,
    pub delivered: Delivered,
    pub elections: Elections,
    pub liveness: Liveness,
    pub churn: Churn,
    pub offices: Offices,
    pub farewell: Farewell,
}

impl Record {
    pub fn new(delay: u64) -> Record {
        Record {
            delay,
            ..Record::default()
        }
    }

    pub fn on_started(&mut self, run: RunId, key: Key) {
        self.runs.insert(key, run);
        self.keys.push(key);
    }

    pub fn run_of(&self, key: Key) -> Option<RunId> {
        self.runs.get(&key).copied()
    }

    pub fn on_said(&mut self, run: RunId, text: &str) {
        self.integrity.on_said(self.keys[run], text);
        self.order.on_said(run, text);
    }

    pub fn on_said_privately(&mut self, from: Key, to: Key, text: &str) {
        self.privates.insert((from, to, text.to_string()));
    }

    /// How many messages were written in all.
    pub fn written(&self) -> usize {
        self.positions.len()
    }

    pub fn shown_to(&self, run: RunId) -> Vec<Position> {
        self.shown.get(&run).cloned().unwrap_or_default()
    }

    /// A node shows something; `later` are the effects that follow in the same batch.
    pub fn on_show(
        &mut self,
        (run, now): (RunId, u64),
        event: &Event,
        later: &[Effect],
        processes: &[Process],
        paths: &Paths,
    ) -> Verdict {
        if let Event::MemberLeft(member, Departure::Left) = event {
            let reporter = processes[run].node.coordinator().map(|c| c.key);
            if reporter == Some(self.keys[run]) {
                self.farewell.on_left(run, member.key);
            }
        }
        match event {
            Event::Joined { again } => {
                self.joined_at.entry(run).or_insert(now);
                if *again {
                    return Ok(());
                }
                self.on_joined((run, now), later, processes, paths)
            }
            Event::Messages { messages, own, .. } => messages.iter().try_for_each(|message| {
                self.once.on_shown(run, message.id())?;
                self.farewell.on_shown(run, message.id())?;
                self.on_message((run, now), message, *own, processes, paths)
            }),
            Event::Private {
                key,
                text,
                own: false,
                ..
            } => {
                let private = (*key, self.keys[run], text.clone());
                if self.privates.remove(&private) {
                    return Ok(());
                }
                let text = format!("run {run} is shown {text:?} from {key}, not sent to it");
                Err(Violation::new("integrity", text))
            }
            Event::Delivered {
                first,
                last,
                members,
                confirmed,
                ..
            } => {
                for seq in *first..=*last {
                    let counts = (*members, *confirmed);
                    self.on_delivered(run, seq, counts, processes, paths)?;
                }
                Ok(())
            }
            Event::Election { phase, .. } => {
                self.churn.on_change(run, "an election")?;
                match phase {
                    Phase::Started => self.elections.on_started(run, now),
                    Phase::Ended => self.elections.on_ended(run),
                    Phase::Won => {
                        let linked = self.linked((run, now), processes, paths);
                        let id = processes[run].node.id().unwrap_or(0);
                        return self.elections.on_won(run, id, &linked);
                    }
                }
                Ok(())
            }
            Event::Coordinator { key, .. } => {
                self.offices.on_coordinator(run, *key)?;
                self.churn.on_change(run, "another coordinator")
            }
            // Last words of a dead process may be long on the way.
            Event::MemberJoined(member) | Event::MemberLeft(member, _)
                if self.is_gone(member.key, processes) =>
            {
                Ok(())
            }
            Event::MemberJoined(_) => self.churn.on_change(run, "a new member"),
            Event::MemberLeft(..) => self.churn.on_change(run, "a member less"),
            _ => Ok(()),
        }
    }

    fn is_gone(&self, key: Key, processes: &[Process]) -> bool {
        let run = self.runs.get(&key);
        run.is_none_or(|run| !processes[*run].is_alive() || processes[*run].leave_asked)
    }

    fn on_delivered(
        &mut self,
        run: RunId,
        seq: u64,
        counts: (usize, usize),
        processes: &[Process],
        paths: &Paths,
    ) -> Verdict {
        let origin = self.keys[run];
        let id = MessageId { origin, seq };
        let members = processes[run].node.members().iter();
        let view: Vec<Key> = members.map(|m| m.key).collect();
        let position = self.positions.get(&id).copied().unwrap_or_default();
        let has = |key: Key| match self.runs.get(&key).map(|r| (*r, &processes[*r])) {
            Some((other, p)) if p.is_alive() && !p.leave_asked => {
                let history = p.node.history();
                let has = self.order.was_shown(other, id)
                    || history.contains(id)
                    || position <= history.floor()
                    || is_out_of_reach(other, id, position, processes, paths);
                if has { Has::Yes } else { Has::No }
            }
            _ => Has::Gone,
        };
        self.delivered.on_delivered((run, id), counts, &view, has)
    }

    /// The history that a joiner was sent counts as shown, in its order.
    fn on_joined(
        &mut self,
        (run, now): (RunId, u64),
        later: &[Effect],
        processes: &[Process],
        paths: &Paths,
    ) -> Verdict {
        let shown_later: BTreeSet<MessageId> = later
            .iter()
            .flat_map(|e| match e {
                Effect::Show(Event::Messages { messages, .. }) => &messages[..],
                _ => &[],
            })
            .map(|message| message.id())
            .collect();
        let old = processes[run].node.old(usize::MAX).into_iter();
        let old: Vec<ChatMessage> = old.filter(|m| !shown_later.contains(&m.id())).collect();
        for message in old {
            self.integrity.on_shown(run, &message, false)?;
            self.note_shown((run, now), &message, processes, paths)?;
        }
        Ok(())
    }

    fn on_message(
        &mut self,
        (run, now): (RunId, u64),
        message: &ChatMessage,
        own: bool,
        processes: &[Process],
        paths: &Paths,
    ) -> Verdict {
        let id = message.id();
        self.integrity.on_shown(run, message, own)?;
        if own {
            self.order.on_written(id, message.text());
            self.positions.insert(id, message.position());
            let members = processes[run].node.members().iter().map(|m| m.key);
            let others = members.filter(|k| *k != self.keys[run]).collect();
            self.delivered.on_sent(id, others);
            self.expect(run, now, id, processes, paths);
        }
        self.note_shown((run, now), message, processes, paths)
    }

    fn note_shown(
        &mut self,
        (run, now): (RunId, u64),
        message: &ChatMessage,
        processes: &[Process],
        paths: &Paths,
    ) -> Verdict {
        self.shown.entry(run).or_default().push(message.position());
        let positions = &self.positions;
        let floor = processes[run].node.history().floor();
        // A peer passes on all that it took in, and has nothing else to give.
        let missed = (self.order).missed_by(|other| is_linked(run, other, processes));
        let excused = |cause: MessageId| {
            let position = positions.get(&cause).copied().unwrap_or_default();
            position <= floor
                || missed.contains(&cause)
                || is_out_of_reach(run, cause, position, processes, paths)
        };
        self.order.on_shown((run, now), message.id(), excused)
    }

    /// The message is due at every node that has a steady link with its author.
    fn expect(
        &mut self,
        from: RunId,
        said: u64,
        id: MessageId,
        processes: &[Process],
        paths: &Paths,
    ) {
        for to in 0..processes.len() {
            if is_steady(from, to, said, processes, paths) {
                let due = Due { id, from, to, said };
                self.liveness.expect(said + self.delay, due);
            }
        }
    }

    /// The ids of the members that a node has had steady, live links with, and that hold it for a
    /// member too.
    fn linked(&self, (run, now): (RunId, u64), processes: &[Process], paths: &Paths) -> Vec<Id> {
        let has = |node: &Node, key: Key| node.members().iter().any(|m| m.key == key);
        let me = &processes[run];
        (0..processes.len())
            .filter(|other| {
                let p = &processes[*other];
                let joined = self
                    .joined_at
                    .get(other)
                    .is_some_and(|at| at + STEADY < now);
                joined
                    && !p.leave_asked
                    && is_steady(run, *other, now, processes, paths)
                    && has(&me.node, p.key)
                    && has(&p.node, me.key)
            })
            .filter_map(|other| processes[other].node.id())
            .collect()
    }

    /// What is due by now.
    pub fn on_time(&mut self, now: u64, paths: &Paths, processes: &[Process]) -> Verdict {
        for (run, process) in processes.iter().enumerate() {
            if process.is_alive() && !process.is_running() {
                self.elections.on_disturbed(run, now, false);
            }
        }
        self.elections.on_time(now, ELECTION_LONGEST)?;
        let order = &self.order;
        self.liveness.on_time(
            now,
            |due| order.was_shown(due.to, due.id),
            |due| {
                !is_steady(due.from, due.to, due.said, processes, paths)
                    || !order.has_causes(due.to, due.id)
            },
        )
    }

    /// What a process holds in the end.
    fn held(&self, run: RunId, process: &Process) -> Held {
        let node = &process.node;
        Held {
            run,
            key: process.key,
            id: node.id(),
            nick: node.nick().to_string(),
            joined: node.is_joined(),
            coordinator: node.coordinator(),
            members: node.members().to_vec(),
            peers: node.peers().collect(),
            floor: node.history().floor(),
            history: node.history().iter().cloned().collect(),
            outstanding: None,
        }
    }

    /// What these processes, who agree on nothing yet, hold in the end.
    pub fn all_held(&self, runs: &[RunId], processes: &[Process]) -> Vec<Held> {
        let held = |run: &RunId| self.held(*run, &processes[*run]);
        let mut nodes: Vec<Held> = runs.iter().map(held).collect();
        let floor = nodes.iter().map(|n| n.floor).max().unwrap_or_default();
        let is_there = |id: MessageId| self.positions.get(&id).is_some_and(|p| *p > floor);
        for node in &mut nodes {
            let view: Vec<Key> = node.members.iter().map(|m| m.key).collect();
            node.outstanding = self.delivered.outstanding(node.key, &view, is_there);
        }
        nodes
    }

    /// A turn has ended: views are looked at where they changed.
    pub fn on_turn(&mut self, run: RunId, node: &Node) -> Verdict {
        let members = node.members();
        let coordinator = node.coordinator().map_or(Key(0), |c| c.key);
        let name = (coordinator, node.view_version());
        let seen = (name.0, name.1, members.len());
        if self.views_seen.get(&run) == Some(&seen) {
            return Ok(());
        }
        self.views_seen.insert(run, seen);
        let members: Vec<(Id, Key)> = members.iter().map(|m| (m.id, m.key)).collect();
        self.views.on_view(run, &members)?;
        if coordinator != Key(0) && members.iter().any(|m| m.1 == coordinator) {
            self.views.on_named_view(run, name, &members)?;
        }
        Ok(())
    }
}

/// Nobody whom this node is linked with has the message, or it lies under the floor of somebody who
/// kept all: who sends its effects may then not have it, having got them from there.
fn is_out_of_reach(
    run: RunId,
    id: MessageId,
    position: Position,
    processes: &[Process],
    paths: &Paths,
) -> bool {
    let linked = |other: &RunId| {
        is_linked(run, *other, processes)
            && paths.both_ways(processes[run].host, processes[*other].host)
    };
    let lies_under = |other: RunId| position <= processes[other].node.history().floor();
    // What it sent may still come in when it has just died.
    let sends = |other: RunId| {
        let mut peers = processes[run].node.peers();
        peers.any(|k| k == processes[other].key)
    };
    let mut others = 0..processes.len();
    others
        .clone()
        .any(|o| lies_under(o) && (processes[o].wants_history || sends(o)))
        || !others.any(|o| linked(&o) && processes[o].node.history().contains(id))
}

/// Both have an open link with the other, and run.
fn is_linked(a: RunId, b: RunId, processes: &[Process]) -> bool {
    let (one, other) = (&processes[a], &processes[b]);
    a != b
        && one.is_running()
        && other.is_running()
        && one.node.peers().any(|k| k == other.key)
        && other.node.peers().any(|k| k == one.key)
}

/// Both are joined and linked, and nothing happened to either or between them for some time before
/// `since`, nor until now.
fn is_steady(a: RunId, b: RunId, since: u64, processes: &[Process], paths: &Paths) -> bool {
    let (one, other) = (&processes[a], &processes[b]);
    let before = since.saturating_sub(STEADY);
    let calm = |p: &Process| {
        p.disturbed <= before
            && p.node.is_joined()
            && p.congested_at.is_none_or(|at| at <= before)
            && p.sockets.values().all(|s| s.queued < 64 * 1024)
    };
    is_linked(a, b, processes)
        && since >= STEADY
        && calm(one)
        && calm(other)
        && paths.is_quiet(one.host, other.host, before)
}

/// How long a message may take where nothing is wrong.
pub fn network_delay(network: &super::scenario::Network) -> u64 {
    100 * MS + 6 * network.latency.1 + 6 * network.wake
}
