//! The scene: who runs, who hears whom and what the disks hold, as the record looks at it.
//!
//! Owns nothing and changes nothing; it reads nodes through their public getters only.

use papo::wire::{Key, MessageId, Position};

use super::agenda::RunId;
use super::paths::Paths;
use super::process::Process;
use super::scenario::{MS, SECOND, Scenario};
use super::store::Store;

/// How long nothing may have happened to a pair before it counts as linked and alive.
pub const STEADY: u64 = 5 * SECOND;

/// The time now, and how long a peer may say nothing before it counts as out of reach.
pub type Then = (u64, u64);

/// All that is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    pub processes: &'a [Process],
    pub paths: &'a Paths,
    /// By host.
    pub stores: &'a [Store],
}

impl Scene<'_> {
    /// It runs, or is stopped, and stays.
    pub fn stays(&self, run: RunId) -> bool {
        let process = &self.processes[run];
        process.is_alive() && !process.leave_asked
    }

    /// The store of this run's host has it, or the run has no store.
    pub fn is_stored(&self, run: RunId, id: MessageId) -> bool {
        let process = &self.processes[run];
        !process.stores || self.stores[process.host].contains(id)
    }

    /// Both have an open link with the other, and run.
    pub fn is_linked(&self, a: RunId, b: RunId) -> bool {
        let (one, other) = (&self.processes[a], &self.processes[b]);
        a != b
            && one.is_running()
            && other.is_running()
            && one.node.peers().any(|k| k == other.key)
            && other.node.peers().any(|k| k == one.key)
    }

    /// They are linked, and their link is not cut.
    pub fn talks_with(&self, a: RunId, b: RunId) -> bool {
        let (one, other) = (&self.processes[a], &self.processes[b]);
        self.is_linked(a, b) && self.paths.both_ways(one.host, other.host)
    }

    /// They are linked, and each has heard the other for `long`, and within `long`, while most segments came through; or
    /// nothing has happened to the path between them for long: not every link has to be heard.
    pub fn is_in_reach(&self, a: RunId, b: RunId, now: u64, long: u64) -> bool {
        let (one, other) = (&self.processes[a], &self.processes[b]);
        let calm = |p: &Process| p.disturbed + long <= now;
        self.is_linked(a, b)
            && self.paths.both_ways(one.host, other.host)
            && calm(one)
            && calm(other)
            && !self.paths.has_lost_many_since(now.saturating_sub(long))
            && (one.hears(b, now, long) && other.hears(a, now, long)
                || now >= STEADY && self.paths.is_quiet(one.host, other.host, now - STEADY))
    }

    /// Both are joined and linked, and nothing happened to either or between them for some time
    /// before `since`, nor until now.
    pub fn is_steady(&self, a: RunId, b: RunId, since: u64) -> bool {
        let (one, other) = (&self.processes[a], &self.processes[b]);
        let before = since.saturating_sub(STEADY);
        let calm = |p: &Process| {
            p.disturbed <= before
                && p.node.is_joined()
                && p.congested_at.is_none_or(|at| at <= before)
                && p.sockets.values().all(|s| s.queued < 64 * 1024)
        };
        self.is_linked(a, b)
            && since >= STEADY
            && calm(one)
            && calm(other)
            && self.paths.is_quiet(one.host, other.host, before)
    }

    /// Somebody whom this node is linked with has the message.
    pub fn is_held_in_reach(&self, run: RunId, id: MessageId, then: Then) -> bool {
        let processes = self.processes;
        (0..processes.len()).any(|other| {
            self.talks_with(run, other)
                && !self.has_just_come_back(run, other, then)
                && processes[other].node.history().contains(id)
        })
    }

    /// The path to the other was disturbed a moment ago, and nothing has come from there for so long that it counts as
    /// out of reach: what a cut held up is sent anew only some time after its end.
    fn has_just_come_back(&self, run: RunId, other: RunId, (now, long): Then) -> bool {
        let (one, by) = (&self.processes[run], &self.processes[other]);
        !one.has_heard_within(other, now, long)
            && !self
                .paths
                .is_quiet(one.host, by.host, now.saturating_sub(long))
    }

    /// Nobody whom this node is linked with has the message, or it lies under the floor of somebody
    /// who kept all: who sends its effects may then not have it, having got them from there.
    pub fn is_out_of_reach(
        &self,
        run: RunId,
        (id, position): (MessageId, Position),
        then: Then,
    ) -> bool {
        let processes = self.processes;
        let lies_under = |other: RunId| position <= processes[other].node.history().floor();
        // What it sent may still come in when it has just died.
        let sends = |other: RunId| {
            let mut peers = processes[run].node.peers();
            peers.any(|k| k == processes[other].key)
        };
        let mut others = 0..processes.len();
        others.any(|o| lies_under(o) && (processes[o].wants_history || sends(o)))
            || !self.is_held_in_reach(run, id, then)
    }

    /// The members in a node's view.
    pub fn view(&self, run: RunId) -> Vec<Key> {
        let members = self.processes[run].node.members().iter();
        members.map(|m| m.key).collect()
    }
}

/// How long one datagram takes at most, until a turn reads it.
pub fn longest_trip(scenario: &Scenario) -> u64 {
    scenario.network.latency.1 + scenario.network.wake
}

/// How long a message may take where nothing is wrong. Where little may wait, what finds no room is
/// asked for again once the rest has gone on.
pub fn longest_delay(scenario: &Scenario) -> u64 {
    let network = &scenario.network;
    let asking = if scenario.waiting_max < papo::limits::WAITING_MAX {
        10 * scenario.failure_timeout_ms * MS
    } else {
        0
    };
    100 * MS + 6 * network.latency.1 + 6 * network.wake + asking
}

#[cfg(test)]
mod tests {
    use super::super::room;
    use super::super::world::World;
    use super::*;

    const TIMEOUT: u64 = SECOND;

    fn in_reach(world: &World) -> Vec<(RunId, RunId)> {
        let scene = world.scene();
        let pairs = (0..4).flat_map(|a| (0..4).map(move |b| (a, b)));
        let is_in_reach = |(a, b): &(RunId, RunId)| scene.is_in_reach(*a, *b, world.now(), TIMEOUT);
        pairs.filter(|(a, b)| a < b).filter(is_in_reach).collect()
    }

    #[test]
    fn who_has_been_heard_for_a_time_out_and_within_one_is_in_reach() {
        let mut world = room::settled(4, 1).expect("a room");
        world.run_until(world.now() + 2 * STEADY);
        let all = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];
        assert_eq!(in_reach(&world), all);
        room::part_halves(&mut world);
        assert_eq!(in_reach(&world), [(0, 2), (1, 3)]);
        world.run_until(world.now() + 6 * TIMEOUT);
        room::mend_halves(&mut world);
        world.run_until(world.now() + TIMEOUT / 4);
        assert_eq!(in_reach(&world), [(0, 2), (1, 3)]);
        world.run_until(world.now() + 30 * TIMEOUT);
        assert_eq!(in_reach(&world), all);
        room::crash(&mut world, 3);
        assert_eq!(
            in_reach(&world),
            all[..2]
                .iter()
                .chain(&all[3..4])
                .copied()
                .collect::<Vec<_>>()
        );
    }
}
