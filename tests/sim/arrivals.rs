//! Arrivals: when each process had joined, and from where on its history was complete at which time.
//!
//! Owns these two, and hands what a newcomer is to have to the checker. It changes nothing.

use std::collections::BTreeMap;

use papo::node::Node;
use papo::timing::IN_VAIN_TIMEOUTS;
use papo::wire::{Id, Key, Member, MessageId, Position};

use super::agenda::RunId;
use super::checks::Verdict;
use super::checks::arrival::{self, Witness};
use super::checks::ledger::Ledger;
use super::scenario::MS;
use super::scene::{STEADY, Scene};

/// For how long a newcomer looks for a room of which it hears nothing; twice as long if somebody else does.
const WINDOW: u64 = 600 * MS;

/// What is known of those who came.
#[derive(Debug, Default)]
pub struct Arrivals {
    joined_at: BTreeMap<RunId, u64>,
    /// When each run last joined again: until then it did not know whether it lacked something of the
    /// group's history, and could not offer its own.
    returned_at: BTreeMap<RunId, u64>,
    /// Since when each run has had a coordinator.
    led_since: BTreeMap<RunId, u64>,
    /// Each run's floor, and since when it is that.
    floors: BTreeMap<RunId, Vec<(u64, Position)>>,
}

impl Arrivals {
    /// A run has joined, or joined again.
    pub fn on_joined(&mut self, run: RunId, now: u64, again: bool) {
        self.joined_at.entry(run).or_insert(now);
        if again {
            self.returned_at.insert(run, now);
        }
    }

    /// It joined before, and at least so long ago.
    pub fn has_joined_before(&self, run: RunId, then: u64) -> bool {
        self.joined_at.get(&run).is_some_and(|at| *at < then)
    }

    /// The ids of the members that a node has had steady, live links with, and that hold it for a
    /// member too. One that has long vouched in vain for a coordinator which the node cannot reach counts no more.
    pub fn linked(&self, (run, now): (RunId, u64), timeout: u64, scene: Scene<'_>) -> Vec<Id> {
        let asked_in_vain = now.saturating_sub(timeout * u64::from(IN_VAIN_TIMEOUTS));
        let has = |node: &Node, key: Key| node.members().iter().any(|m| m.key == key);
        let processes = scene.processes;
        let me = &processes[run];
        (0..processes.len())
            .filter(|other| {
                let p = &processes[*other];
                let joined = self.has_joined_before(*other, now.saturating_sub(STEADY));
                joined
                    && !p.leave_asked
                    && scene.is_steady(run, *other, now)
                    && has(&me.node, p.key)
                    && has(&p.node, me.key)
                    && !vouches_in_vain(*other, (run, asked_in_vain), scene)
            })
            .filter_map(|other| processes[other].node.id())
            .collect()
    }

    /// A turn has ended.
    pub fn on_turn(&mut self, run: RunId, now: u64, node: &Node) {
        match node.coordinator() {
            Some(_) => {
                self.led_since.entry(run).or_insert(now);
            }
            None => {
                self.led_since.remove(&run);
            }
        }
        let floor = node.history().floor();
        let floors = self.floors.entry(run).or_default();
        if floors.last().map_or(Position::default(), |(_, last)| *last) != floor {
            floors.push((now, floor));
        }
    }

    /// It dropped what lies here, after that time.
    fn has_dropped_since(&self, run: RunId, position: Position, since: u64) -> bool {
        let floors = self.floors.get(&run).map_or(&[][..], |floors| floors);
        let first = floors.iter().find(|(_, floor)| position <= *floor);
        first.is_some_and(|(at, _)| *at >= since)
    }

    /// A newcomer that wants the history has as much of it as any member in its view that nothing has
    /// happened to since long before it came, as far as all of those who go back so far have it.
    pub fn has_history(&self, run: RunId, ledger: &Ledger, scene: Scene<'_>) -> Verdict {
        let newcomer = &scene.processes[run];
        let before = newcomer.started.saturating_sub(STEADY / 2);
        if !newcomer.wants_history || before == 0 || newcomer.disturbed > newcomer.started {
            return Ok(());
        }
        let since = newcomer.started;
        let members = self.calm_members(run, before, scene);
        // The source may drop something just when it is asked, having had the most until then.
        let is_dropped = |(_, position): &(MessageId, Position)| {
            let mut members = members.iter();
            members.any(|member| self.has_dropped_since(*member, *position, since))
        };
        // Whoever has no link with an author hears from others what it said, and may not have done yet.
        let is_lacked = |(id, position): &(MessageId, Position)| {
            members.iter().any(|member| {
                let process = &scene.processes[*member];
                let is_above = process.node.history().floor() < *position;
                let lacks = !ledger.has_held_since(*member, *id, before);
                process.wants_history && is_above && lacks
            })
        };
        // One that was in the view of another group, which let the newcomer in first, may have counted on it: its word
        // is waited for before this is taken in.
        let is_awaited = |(id, _): &(MessageId, Position)| {
            let is_there = |m: &Member| m.key == id.origin;
            ledger.has_met(run, *id) && !newcomer.node.members().iter().any(is_there)
        };
        let witness = |other: &RunId| {
            let held = scene.processes[*other].node.history().iter();
            let held = held.map(|m| (m.id(), m.position()));
            let held = held.filter(|(id, _)| ledger.has_held_since(*other, *id, before));
            let held = held.filter(|m| !is_dropped(m) && !is_lacked(m) && !is_awaited(m));
            Witness {
                run: *other,
                held: held.collect(),
            }
        };
        let witnesses: Vec<Witness> = members.iter().map(witness).collect();
        let history = newcomer.node.history();
        arrival::has_history(run, history.floor(), |id| history.contains(id), &witnesses)
    }

    /// A run founds a room of its own as if it had heard of none, although a member to which nothing has happened since
    /// long before hears what it multicasts, and has had a coordinator for as long as it takes at most to say so.
    pub fn founds_beside(
        &self,
        (run, now): (RunId, u64),
        trip: u64,
        scene: Scene<'_>,
    ) -> Option<RunId> {
        let newcomer = &scene.processes[run];
        let before = newcomer.started.saturating_sub(STEADY / 2);
        // Whoever has heard of a coordinator that cannot be reached founds its room later than that.
        let is_soon = now - newcomer.started <= 2 * WINDOW;
        let is_calm = newcomer.disturbed <= newcomer.started && before > 0 && is_soon;
        let is_beside = |other: &RunId| {
            let member = &scene.processes[*other];
            let joined = self.joined_at.get(other);
            let led = self.led_since.get(other);
            member.is_running()
                && !member.leave_asked
                && led.is_some_and(|since| now - since > trip)
                && member.disturbed <= before
                && joined.is_some_and(|at| *at <= before)
                && scene
                    .paths
                    .is_quiet(newcomer.host, member.host, newcomer.started)
                && scene.paths.is_quiet(member.host, member.host, before)
                && !scene.paths.is_only_heard(newcomer.host)
        };
        (0..scene.processes.len()).find(|other| is_calm && *other != run && is_beside(other))
    }

    /// Members that nothing has happened to since then, nor to their paths to the newcomer.
    fn calm_members(&self, run: RunId, before: u64, scene: Scene<'_>) -> Vec<RunId> {
        let (newcomer, view) = (&scene.processes[run], scene.view(run));
        let stood = |other: &RunId| {
            let joined = self.joined_at.get(other);
            let returned = self.returned_at.get(other);
            let member = &scene.processes[*other];
            let is_calm = member.is_running() && member.disturbed <= before;
            is_calm
                && joined.is_some_and(|at| *at <= before)
                && returned.is_none_or(|at| *at <= before)
        };
        let runs = 0..scene.processes.len();
        // Groups that meet just then have not told each other everything.
        let leader = newcomer.node.coordinator();
        let leader = leader.and_then(|c| runs.clone().find(|r| scene.processes[*r].key == c.key));
        let leader = leader.filter(stood);
        let is_calm = |other: &RunId| {
            let (host, here) = (scene.processes[*other].host, newcomer.host);
            view.contains(&scene.processes[*other].key)
                && stood(other)
                && scene.paths.is_quiet(here, host, newcomer.started)
                && scene.paths.may_dial(here, host)
                && !scene.paths.refuses(here, host)
                && leader.is_some_and(|l| {
                    scene.paths.is_quiet(scene.processes[l].host, host, before) || l == *other
                })
        };
        runs.filter(is_calm).collect()
    }
}

/// This voucher follows somebody else, and the path between that one and the run has been cut since then.
fn vouches_in_vain(voucher: RunId, (run, since): (RunId, u64), scene: Scene<'_>) -> bool {
    let processes = scene.processes;
    let followed = processes[voucher].node.coordinator().map(|c| c.key);
    let mut runs = 0..processes.len();
    let followed = runs.find(|other| followed == Some(processes[*other].key));
    followed.is_some_and(|followed| {
        let hosts = (processes[run].host, processes[followed].host);
        followed != voucher && scene.paths.is_cut_since(hosts.0, hosts.1, since)
    })
}
