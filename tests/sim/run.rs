//! One run of one scenario: faults first, with safety checked at every step; then the network heals,
//! and the nodes must agree, stay calm, talk, and survive the loss of their coordinator.
//!
//! Owns the order of these acts and what is demanded after each. It keeps no state between runs.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use papo::node::Weakness;
use papo::wire::Key;

use super::agenda::RunId;
use super::checks::convergence::{self, Held};
use super::checks::{Verdict, Violation, loss};
use super::liar::Lie;
use super::scenario::{MS, SECOND, Scenario};
use super::trace::Trace;
use super::world::World;

/// How often agreement is looked for.
const LOOK_EVERY: u64 = 250 * MS;
/// How long agreement must have lasted before it counts.
const SETTLE: u64 = 4 * SECOND;
/// How long all must stay calm once they agree; longer where cuts stay.
const CALM: u64 = 3 * SECOND;
const CALM_WITH_CUTS: u64 = 12 * SECOND;
/// How long one line may take to everybody, confirmations included.
const TALK: u64 = 2 * SECOND;
const TALK_PAST_CUTS: u64 = 20 * SECOND;
/// How long the nodes may take after one failover in a healthy network.
const FAILOVER: u64 = 8 * SECOND;

/// What became of a run.
#[derive(Debug)]
pub struct Outcome {
    pub failure: Option<Violation>,
    pub trace: Vec<String>,
    /// How long after the healing all agreed.
    pub agreed_after: Option<u64>,
    pub elections: u64,
    pub written: usize,
    pub due_met: u64,
    pub inputs: u64,
    /// How often which lie was told.
    pub lies: BTreeMap<Lie, u64>,
}

/// Runs a scenario.
pub fn run(scenario: &Rc<Scenario>, weakened: Option<Weakness>, trace: Trace) -> Outcome {
    let mut world = World::new(Rc::clone(scenario), weakened, trace);
    let agreed_after = acts(&mut world);
    Outcome {
        failure: world.failure.take(),
        agreed_after,
        elections: world.record.elections.held,
        written: world.record.written(),
        due_met: world.record.liveness.met,
        inputs: world.inputs,
        lies: world.lies_told(),
        trace: world.trace.into_lines(),
    }
}

fn acts(world: &mut World) -> Option<u64> {
    let scenario = Rc::clone(&world.scenario);
    world.run_until(scenario.heal_at);
    if !is_split_cleanly(world) {
        world.run_until(scenario.heal_at + scenario.bound);
    }
    let limit = scenario.heal_at + scenario.bound;
    converge(world, limit);
    // What looks like agreement may be the calm before a time-out.
    world.run_until(limit.min(world.now() + SETTLE));
    converge(world, limit);
    let agreed = world.now().saturating_sub(scenario.heal_at);
    world.record.churn.settle(true);
    let has_odd = (0..scenario.hosts).any(|host| world.paths.is_only_heard(host));
    let calm = if scenario.stay.is_empty() && !has_odd {
        CALM
    } else {
        CALM_WITH_CUTS
    };
    world.run_until(world.now() + calm);
    for run in alive(world) {
        world.want_lines(run, 1, 10);
    }
    // Past a cut, messages go with the periodic SYNC only.
    let talk = if is_split_cleanly(world) {
        TALK
    } else {
        TALK_PAST_CUTS
    };
    world.run_until(world.now() + talk);
    // What was in a link all through a cut may have come only now, to one of them.
    converge(world, world.now() + scenario.bound);
    if let Some(what) = &scenario.failover {
        world.record.churn.settle(false);
        world.cause(scenario.events.len(), what);
        let limit = world.now() + FAILOVER;
        world.run_until(world.now() + LOOK_EVERY);
        converge(world, limit);
    }
    let named = named(world);
    world.judge(named);
    for (run, process) in world.processes.iter().enumerate() {
        let lying = &world.record.lying;
        if lying.is_liar(run) {
            continue;
        }
        let history = process.node.history().iter();
        let history = history.filter(|m| !lying.is_lie(m.origin()));
        if let Err(violation) = world.record.integrity.on_held(run, history) {
            world.failure.get_or_insert(violation);
        }
    }
    world.failure.is_none().then_some(agreed)
}

/// Who is heard, and reached by nobody, was named once to everybody.
fn named(world: &World) -> Verdict {
    let is_odd = |run: &RunId| world.paths.is_only_heard(world.processes[*run].host);
    let (odd, sound): (Vec<RunId>, Vec<RunId>) = alive(world).into_iter().partition(is_odd);
    for odd in odd {
        let ip = world.processes[odd].address.ip();
        let mut sound = sound.iter();
        sound.try_for_each(|run| world.record.naming.is_named_once(*run, ip))?;
    }
    Ok(())
}

impl World {
    /// What these processes hold now.
    pub fn held(&self, runs: &[RunId]) -> Vec<Held> {
        (self.record).all_held_and_stored(runs, &self.processes, &self.stores)
    }
}

/// The processes that stay.
pub fn alive(world: &World) -> Vec<RunId> {
    let stays = |run: &RunId| {
        let process = &world.processes[*run];
        process.is_alive() && !process.leave_asked
    };
    (0..world.processes.len()).filter(stays).collect()
}

/// Lets time pass until all agree, or until it is too late for that.
pub fn converge(world: &mut World, limit: u64) {
    loop {
        let verdict = agreement(world);
        if verdict.is_ok() || world.failure.is_some() {
            return;
        }
        if world.now() >= limit {
            return world.judge(verdict);
        }
        world.run_until(limit.min(world.now() + LOOK_EVERY));
    }
}

/// All who reach each other agree, and nothing is lost.
fn agreement(world: &World) -> Verdict {
    if is_split_cleanly(world) {
        for group in groups(world) {
            agreement_within(world, &group, true)?;
        }
        return Ok(());
    }
    // Who reaches whom is not the same for all: neighbours hold the same history, and what one says
    // is confirmed by way of others.
    for group in groups(world) {
        for rooms in rooms_that_meet(world, &group) {
            agreement_within(world, &rooms, false)?;
        }
        for run in &group {
            delivered_past_cuts(world, *run)?;
        }
    }
    Ok(())
}

/// Those of a group that follow the same coordinator, or ones that hear of each other: two rooms meet where somebody of
/// one reaches the other's coordinator, which alone is heard by those that do not know it, or a member that it knows.
fn rooms_that_meet(world: &World, group: &[RunId]) -> Vec<Vec<RunId>> {
    let host = |run: RunId| world.processes[run].host;
    let leader_of = |run: RunId| {
        let leader = world.processes[run].node.coordinator();
        leader.and_then(|c| world.run_of(c.key)).unwrap_or(run)
    };
    let meet = |a: RunId, b: RunId| {
        let (one, other) = (leader_of(a), leader_of(b));
        let reaches = |from, to| world.paths.both_ways(host(from), host(to));
        let knew =
            |a: RunId, b: RunId| world.record.had_link_with(a, world.processes[b].node.key());
        let may_dial = reaches(a, b) && (knew(a, b) || knew(b, a));
        one == other || reaches(a, other) || reaches(b, one) || may_dial
    };
    let mut left: BTreeSet<RunId> = group.iter().copied().collect();
    let mut all = Vec::new();
    while let Some(first) = left.pop_first() {
        let mut rooms = vec![first];
        let mut at = 0;
        while at < rooms.len() {
            let met = left.extract_if(.., |run| meet(rooms[at], *run));
            let met: Vec<RunId> = met.collect();
            rooms.extend(met);
            at += 1;
        }
        rooms.sort_unstable();
        all.push(rooms);
    }
    all
}

/// True if this node reaches the one that stays and has this key, or a neighbour of it does: nothing that one has to
/// tell another goes farther.
fn is_near(world: &World, run: RunId, key: Key) -> bool {
    let reaches = |a: RunId, b: RunId| {
        let host = |run: RunId| world.processes[run].host;
        world.paths.both_ways(host(a), host(b))
    };
    let staying = alive(world);
    let other = world.run_of(key).filter(|other| staying.contains(other));
    let by_one_of = |other: RunId| {
        let mut between = staying.iter();
        between.any(|n| reaches(run, *n) && reaches(*n, other))
    };
    other.is_some_and(|other| reaches(run, other) || by_one_of(other))
}

/// What this node said is delivered to those in its view whom it reaches, or a neighbour of it does.
fn delivered_past_cuts(world: &World, run: RunId) -> Verdict {
    let is_too_far = |key: Key| !is_near(world, run, key);
    let node = &world.processes[run].node;
    let view: Vec<Key> = node.members().iter().map(|m| m.key).collect();
    let open = world
        .record
        .delivered
        .outstanding(node.key(), &view, is_too_far);
    match open {
        None => Ok(()),
        Some(id) => {
            let text = format!("run {run} does not learn by way of others that {id} is delivered");
            Err(Violation::new("by way of others", text))
        }
    }
}

fn agreement_within(world: &World, group: &[RunId], whole: bool) -> Verdict {
    let mut nodes = world.held(group);
    // A link with somebody out of reach may stay open for long, and carries nothing.
    for node in &mut nodes {
        let from = world.processes[node.run].host;
        (node.history).retain(|m| !world.record.lying.is_lie(m.origin()));
        node.peers.retain(|key| {
            let peer = world.run_of(*key);
            peer.is_some_and(|peer| world.paths.both_ways(from, world.processes[peer].host))
        });
    }
    if whole {
        convergence::agree(&nodes)?;
    } else {
        convergence::same_history(&nodes)?;
    }
    let holds = |run: RunId, id| world.processes[run].node.history().contains(id);
    for run in nodes.iter().filter(|n| n.joined).map(|n| n.run) {
        // How much somebody has said comes by way of one other at most.
        let authors = nodes.iter().map(|n| n.key);
        let authors = authors.filter(|key| is_near(world, run, *key)).collect();
        world.record.ledger.settled(&[run], &authors, holds)?;
    }
    let shown: Vec<_> = group
        .iter()
        .map(|run| world.record.shown_to(*run))
        .collect();
    loss::no_loss(&nodes, &shown)?;
    loss::no_floor(&nodes, |node| {
        let wanted = world.processes[node.run].wants_history;
        !wanted || world.record.written() > world.scenario.history_least()
    })?;
    for run in group {
        let process = &world.processes[*run];
        let said = process.said - process.lines.len() as u64;
        if process.node.written() != said {
            let text = format!("run {run} wrote {} of {said} lines", process.node.written());
            return Err(Violation::new("nothing is dropped in silence", text));
        }
    }
    Ok(())
}

/// The groups of processes that reach each other, over however many hops.
pub fn groups(world: &World) -> Vec<Vec<RunId>> {
    let mut left: BTreeSet<RunId> = alive(world).into_iter().collect();
    let mut groups = Vec::new();
    while let Some(first) = left.pop_first() {
        let mut group = vec![first];
        let mut at = 0;
        while at < group.len() {
            let from = world.processes[group[at]].host;
            let reached: Vec<RunId> = left
                .iter()
                .copied()
                .filter(|r| world.paths.both_ways(from, world.processes[*r].host))
                .collect();
            for run in reached {
                left.remove(&run);
                group.push(run);
            }
            at += 1;
        }
        group.sort_unstable();
        groups.push(group);
    }
    groups
}

/// Within each group everybody reaches everybody.
fn is_split_cleanly(world: &World) -> bool {
    let host = |run: &RunId| world.processes[*run].host;
    groups(world).iter().all(|group| {
        let mut pairs = group.iter().flat_map(|a| group.iter().map(move |b| (a, b)));
        pairs.all(|(a, b)| world.paths.both_ways(host(a), host(b)))
    })
}
