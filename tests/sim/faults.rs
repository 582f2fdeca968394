//! Faults: how the scenario's events change the world, and how they end.
//!
//! Owns no state of its own. An event that makes no sense where it falls (a crash of a host without
//! a process) does nothing, so that any event can be taken out of a schedule.

use std::collections::BTreeMap;

use papo::node::Command;

use super::agenda::{Entry, RunId};
use super::checks::convergence;
use super::fate::About;
use super::liar::Plan;
use super::process::State;
use super::run::{alive, groups};
use super::scenario::{Demand, Host, What, Who};
use super::world::World;

impl World {
    /// The host that an event is about.
    fn resolve(&self, who: Who) -> Option<Host> {
        match who {
            Who::Host(host) => Some(host),
            Who::Coordinator => {
                let mut votes: BTreeMap<_, usize> = BTreeMap::new();
                let processes = self.processes.iter();
                for process in processes.filter(|p| p.is_running() && p.liar.is_none()) {
                    if let Some(claim) = process.node.coordinator() {
                        *votes.entry(claim).or_default() += 1;
                    }
                }
                let (claim, _) = votes
                    .into_iter()
                    .max_by_key(|(claim, votes)| (*votes, *claim))?;
                self.run_of(claim.key).map(|run| self.processes[run].host)
            }
            Who::Honest => {
                let leader = self.resolve(Who::Coordinator)?;
                let is_liar = |plan: &Plan| plan.host == leader;
                (!self.scenario.liar.as_ref().is_some_and(is_liar)).then_some(leader)
            }
            Who::Member(host) => {
                let leader = self.resolve(Who::Coordinator);
                Some(leader.map_or(host, |leader| self.member(host, leader)))
            }
        }
    }

    /// The host, or the next one if the coordinator is on it.
    fn member(&self, host: Host, leader: Host) -> Host {
        let next = (host + 1) % self.scenario.hosts;
        if leader == host { next } else { host }
    }

    pub(super) fn process_of(&self, who: Who) -> Option<RunId> {
        self.resolve(who).and_then(|host| self.on_host[host])
    }

    pub(super) fn begin_fault(&mut self, number: usize) {
        let what = self.scenario.events[number].what.clone();
        self.trace
            .add(self.agenda.now(), || format!("EVENT {what:?}"));
        self.cause(number, &what);
    }

    /// Makes something happen. `number` is the event's, whose end comes back under it.
    pub(super) fn cause(&mut self, number: usize, what: &What) {
        let now = self.now();
        match *what {
            What::Start(host, kind) => self.start(host, kind),
            What::Crash(who) => {
                if let Some(run) = self.process_of(who) {
                    self.paths
                        .touch(now, self.processes[run].host, self.processes[run].host);
                    self.end_process(run);
                }
            }
            What::PowerCut(who) => {
                if let Some(host) = self.resolve(who)
                    && let Some(run) = self.on_host[host]
                {
                    self.paths.set_up(now, host, false);
                    self.vanish(run);
                    // The machine is switched on again later, without a process.
                    self.end_later(number, 3_000_000);
                }
            }
            What::Freeze(who, long) => {
                if let Some(run) = self.process_of(who) {
                    self.stop(run, number, long);
                }
            }
            What::Suspend(who, long) => {
                if let Some(run) = self
                    .process_of(who)
                    .filter(|r| self.processes[*r].is_running())
                {
                    self.paths.set_up(now, self.processes[run].host, false);
                    self.stop(run, number, long);
                }
            }
            What::Leave(who) => {
                if let Some(run) = self
                    .process_of(who)
                    .filter(|r| self.processes[*r].is_running())
                {
                    self.processes[run].lines.clear();
                    self.ask_to_leave(run);
                    self.end_turn(run);
                }
            }
            What::Say(who, count, size) => {
                if let Some(run) = self
                    .process_of(who)
                    .filter(|r| !self.processes[*r].leave_asked)
                {
                    self.want_lines(run, count, size);
                }
            }
            What::Private(who) => self.say_privately(number, who),
            What::Rename(who) => {
                if let Some(run) = self.process_of(who) {
                    self.command(run, Command::Rename(format!("nick{number}")));
                }
            }
            What::Elect(who) => {
                if let Some(run) = self.process_of(who) {
                    self.command(run, Command::Elect);
                }
            }
            What::CutOneWay(a, b, long) => self.cut(&[(a, b)], number, long),
            What::CutPair(a, b, long) => self.cut(&[(a, b), (b, a)], number, long),
            What::Partition(side, long) => self.cut(&self.across(side), number, long),
            What::Break(who, other) => {
                if let Some(host) = self.resolve(who) {
                    self.paths.touch(now, host, other);
                    for stream in self.streams.between(host, other) {
                        self.streams.cut_off(stream, &self.paths, &mut self.agenda);
                    }
                }
            }
            What::NoDial(a, b, long) => {
                self.paths.block_dials(now, (a, b), false, true);
                self.end_later(number, long);
            }
            What::Refuse(a, b, long) => {
                self.paths.block_dials(now, (a, b), true, true);
                self.end_later(number, long);
            }
            What::Slow(a, b, rate, long) => {
                self.paths.set_slow(now, a, b, Some(rate));
                self.end_later(number, long);
            }
            What::DatagramLoss(permille, long) => {
                self.paths.datagram_loss = permille;
                self.end_later(number, long);
            }
            What::SegmentLoss(permille, long) => {
                self.paths.lose_segments(now, permille);
                self.end_later(number, long);
            }
            What::CutFrom(who, b, long) => {
                if let Some(a) = self.resolve_at(number, who).filter(|a| *a != b) {
                    self.cut(&[(a, b), (b, a)], number, long);
                }
            }
            What::Apart(host, long) => {
                if let Some(leader) = self.resolve_at(number, Who::Coordinator) {
                    let member = self.member(host, leader);
                    self.cut(&[(member, leader), (leader, member)], number, long);
                }
            }
            What::StallFrom(who, b, long) => {
                if let Some(a) = self.resolve_at(number, who).filter(|a| *a != b) {
                    self.paths.stall(now, (a, b), true);
                    self.end_later(number, long);
                }
            }
            What::SlowFrom(who, b, rate, long) => {
                if let Some(a) = self.resolve_at(number, who).filter(|a| *a != b) {
                    self.paths.set_slow(now, a, b, Some(rate));
                    self.end_later(number, long);
                }
            }
            What::ClockJump(host, by) => self.skew_ms[host] += by,
            What::Odd(host, oddity) => self.paths.make_odd(now, host, oddity),
            What::StoreFails(host, long) => self.fail_store(host, long),
            What::Demand(demand) => self.demand(demand),
        }
    }

    /// Who an event was about when it began; its end is about the same host.
    fn resolve_at(&mut self, number: usize, who: Who) -> Option<Host> {
        let host = self.resolve(who)?;
        self.resolved.insert(number, host);
        Some(host)
    }

    fn demand(&mut self, demand: Demand) {
        let verdict = match demand {
            Demand::OneFounder => self.record.offices.one_founder(),
            Demand::Calm(calm) => {
                self.record.churn.settle(calm);
                Ok(())
            }
            Demand::KeepCoordinator(kept) => {
                let leader = self.process_of(Who::Coordinator).filter(|_| kept);
                let key = leader.map(|run| self.processes[run].key);
                self.record.offices.keep(key);
                Ok(())
            }
            Demand::SameHistory => {
                let nodes = self.held(&alive(self));
                convergence::same_history(&nodes)
            }
            Demand::AllDelivered => {
                let nodes = self.held(&alive(self));
                nodes.iter().try_for_each(convergence::is_delivered)
            }
            Demand::NothingMissed => {
                self.record.ledger.demand_all();
                Ok(())
            }
            Demand::OneRoom => {
                let is_reached = |run: &RunId| !self.paths.is_only_heard(self.processes[*run].host);
                let mut groups = groups(self).into_iter();
                groups.try_for_each(|mut group| {
                    group.retain(is_reached);
                    convergence::one_room(&self.held(&group))
                })
            }
            Demand::AllConfirmed => {
                self.record.naming.demand_confirmed();
                Ok(())
            }
            Demand::OnlyComesAndGoes(host) => {
                let run = self.process_of(Who::Host(host));
                let who = run.map(|run| (run, self.processes[run].key));
                self.record.churn.only_comes_and_goes(who);
                Ok(())
            }
            Demand::LastWords => {
                self.record.farewell.demand(true);
                Ok(())
            }
        };
        self.judge(verdict);
    }

    fn end_later(&mut self, number: usize, long: u64) {
        let at = self.now() + long;
        if at < self.scenario.heal_at {
            self.agenda.add(at, Entry::FaultEnds(number));
        }
    }

    pub(super) fn end_fault(&mut self, number: usize) {
        let now = self.now();
        if now >= self.scenario.heal_at {
            return;
        }
        let what = self.scenario.events[number].what.clone();
        self.trace.add(now, || format!("END of {what:?}"));
        match what {
            What::PowerCut(_) | What::Freeze(..) | What::Suspend(..) => self.go_on(Some(number)),
            What::CutOneWay(a, b, _) => self.mend(a, b),
            What::CutPair(a, b, _) => {
                self.mend(a, b);
                self.mend(b, a);
            }
            What::CutFrom(_, b, _) => {
                if let Some(a) = self.resolved.remove(&number) {
                    self.mend(a, b);
                    self.mend(b, a);
                }
            }
            What::Apart(host, _) => {
                if let Some(leader) = self.resolved.remove(&number) {
                    let member = self.member(host, leader);
                    self.mend(member, leader);
                    self.mend(leader, member);
                }
            }
            What::StallFrom(_, b, _) => {
                if let Some(a) = self.resolved.remove(&number) {
                    self.paths.stall(now, (a, b), false);
                }
            }
            What::SlowFrom(_, b, ..) => {
                if let Some(a) = self.resolved.remove(&number) {
                    self.regain_speed(a, b);
                }
            }
            What::Partition(side, _) => {
                for (a, b) in self.across(side) {
                    self.mend(a, b);
                }
            }
            What::NoDial(a, b, _) => self.paths.block_dials(now, (a, b), false, false),
            What::Refuse(a, b, _) => self.paths.block_dials(now, (a, b), true, false),
            What::Slow(a, b, ..) => self.regain_speed(a, b),
            What::DatagramLoss(..) => self.paths.datagram_loss = 0,
            What::SegmentLoss(..) => self.paths.lose_segments(now, 0),
            _ => {}
        }
    }

    fn regain_speed(&mut self, a: Host, b: Host) {
        self.paths.set_slow(self.now(), a, b, None);
        self.streams.hasten(&self.paths, &mut self.agenda);
    }

    fn cut(&mut self, pairs: &[(Host, Host)], number: usize, long: u64) {
        let now = self.now();
        for (a, b) in pairs {
            self.paths.cut(now, *a, *b);
            self.note_path((*a, *b), "cut");
        }
        self.end_later(number, long);
    }

    fn mend(&mut self, a: Host, b: Host) {
        self.paths.mend(self.now(), a, b);
        self.note_path((a, b), "healed");
    }

    /// For the trace: what has become of the way between two hosts.
    fn note_path(&mut self, (a, b): (Host, Host), fate: &str) {
        if let (Some(run), Some(peer)) = (self.on_host[a], self.on_host[b]) {
            let peer = Some(self.processes[peer].key);
            self.trace.fate(run, self.clocks(run), fate, peer);
        }
    }

    /// The pairs of hosts on different sides.
    fn across(&self, side: u64) -> Vec<(Host, Host)> {
        let bit = |h: Host| side >> (h % 64) & 1;
        let hosts = self.scenario.hosts;
        let pairs = (0..hosts).flat_map(|a| (0..hosts).map(move |b| (a, b)));
        pairs.filter(|(a, b)| bit(*a) != bit(*b)).collect()
    }

    fn stop(&mut self, run: RunId, number: usize, long: u64) {
        let now = self.now();
        let process = &mut self.processes[run];
        if process.is_running() {
            process.state = State::Stopped(now);
            let clocks = self.clocks(run);
            self.trace.fate(run, clocks, "frozen", None);
            let process = &mut self.processes[run];
            process.stopped_by = number;
            process.disturbed = now;
            process.wake = None;
            self.paths
                .touch(now, self.processes[run].host, self.processes[run].host);
            self.end_later(number, long);
        }
    }

    /// What this event stopped (or all that is stopped) goes on; machines are on again.
    fn go_on(&mut self, number: Option<usize>) {
        let now = self.now();
        for run in 0..self.processes.len() {
            let timeout = self.scenario.failure_timeout_ms * 1_000;
            let process = &mut self.processes[run];
            if let State::Stopped(since) = process.state
                && number.is_none_or(|n| n == process.stopped_by)
            {
                process.state = State::Running;
                process.away |= now - since > timeout;
                process.disturbed = now;
                let host = process.host;
                self.trace.fate(run, self.clocks(run), "thawed", None);
                self.paths.set_up(now, host, true);
                self.wake_at(run, now);
            }
        }
        // A machine without a process is one whose power came back.
        for host in 0..self.scenario.hosts {
            if !self.paths.is_up(host) && self.on_host[host].is_none() {
                self.paths.set_up(now, host, true);
            }
        }
    }

    /// The faults end.
    pub(super) fn heal(&mut self) {
        self.trace.add(self.agenda.now(), || "HEALED".to_string());
        self.go_on(None);
        self.stores.iter_mut().for_each(|s| s.fails_until = 0);
        let stay = self.scenario.stay.clone();
        self.paths.heal(self.agenda.now(), &stay);
        self.streams.hasten(&self.paths, &mut self.agenda);
        for a in 0..self.scenario.hosts {
            let healed = (0..self.scenario.hosts).filter(|b| !stay.contains(&(a, *b)));
            healed.for_each(|b| self.note_path((a, b), "healed"));
        }
    }

    fn say_privately(&mut self, number: usize, who: Who) {
        let Some(run) = self
            .process_of(who)
            .filter(|r| self.processes[*r].is_running())
        else {
            return;
        };
        let process = &self.processes[run];
        let mut others: Vec<_> = process.node.members().iter().map(|m| m.key).collect();
        others.retain(|k| *k != process.key);
        if others.is_empty() {
            return;
        }
        let choice = self.fate.bits(About::Choice, run as u64, number as u64, 2) as usize;
        let (from, to) = (process.key, others[choice % others.len()]);
        let text = format!("private {number}");
        (self.record.integrity).on_said_privately(from, to, &text);
        self.command(run, Command::Private { to, text });
    }
}
