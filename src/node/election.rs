//! The election: Bully (Garcia-Molina 1982) with a head start.
//!
//! Only a node without a live coordinator elects. It leaves 30 ms to each higher member whose link
//! is alive; with nobody higher alive it announces itself at once, so that the common failover
//! among n nodes costs n-2 messages. Late answers to an election that is over change nothing.

use std::time::Duration;

use super::{Class, Coordinator, Event, Key, LinkId, Node, Phase, Standing, Timer};
use crate::wire::{Claim, Id, Message, View};

/// What each higher member gets as a head start.
const HEAD_START: Duration = Duration::from_millis(30);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    /// The higher members have their head start.
    HeadStart,
    /// ELECTION is sent.
    Asked,
    /// A higher member took over, and has not announced itself yet.
    Yielded,
}

/// An election that this node takes part in.
#[derive(Debug)]
pub(super) struct Election {
    step: Step,
    /// A live coordinator is to be ignored.
    forced: bool,
    /// The coordinator whose loss started it.
    pub(super) lost: Option<Key>,
}

impl Node {
    /// How long an ELECTION waits for ELECTION_OK.
    fn ok_wait(&self) -> Duration {
        self.config.heartbeat
    }

    /// The coordinator is gone: follows whoever a neighbour vouches for, or elects.
    pub(super) fn lose_coordinator(&mut self, reason: &str) {
        let Some(lost) = self.coordinator.take() else {
            return;
        };
        self.suspects.remove(&lost.key);
        self.resigned = None;
        self.cancel_timer(Timer::Watch);
        if self
            .asking
            .as_ref()
            .is_some_and(|a| a.target.key == lost.key)
        {
            self.asking = None;
        }
        if let Some((at, view)) = self.announced.take()
            && self.since(at) < self.config.failure_timeout
            && view.version > self.roster.version
            && self.is_alive(view.coordinator)
            && self.follow_view(view)
        {
            return;
        }
        if self.now.time < self.away_until {
            return self.drift(self.away_until, false);
        }
        if let Some(target) = self.best_told(lost.key) {
            return self.stand_down(target);
        }
        self.start_election(reason, false, Some(lost.key));
    }

    pub(super) fn elect_now(&mut self) {
        match self.standing {
            Standing::Member | Standing::Coordinator(_) | Standing::Electing(_) => {
                self.start_election("asked for", true, None);
            }
            _ => self.show(Event::Warning("no election without a room".to_string())),
        }
    }

    /// The members with a higher id whose link is alive, and their links.
    fn higher(&self) -> Vec<LinkId> {
        self.roster
            .members()
            .iter()
            .filter(|m| Some(m.id) > self.id && self.is_alive(m.key))
            .filter(|m| !self.left.contains(m.key) && !self.dead.contains(m.key))
            .filter_map(|m| self.links.open_to(m.key))
            .collect()
    }

    pub(super) fn start_election(&mut self, reason: &str, forced: bool, lost: Option<Key>) {
        if self.id.is_none() || self.leaving.is_some() {
            // A leaver never announces; it waits for whoever does.
            self.standing = Standing::Adrift {
                until: self.now.time + super::join::WINDOW,
                held_office: false,
            };
            return;
        }
        if !matches!(self.standing, Standing::Electing(_)) {
            self.counters.elections += 1;
            self.show(Event::Election {
                phase: Phase::Started,
                reason: reason.to_string(),
            });
        }
        self.cancel_timer(Timer::Heartbeat);
        self.coordinator = None;
        let higher = self.higher();
        let step = if forced { Step::Asked } else { Step::HeadStart };
        self.standing = Standing::Electing(Election { step, forced, lost });
        if higher.is_empty() {
            return self.take_office(reason);
        }
        if forced {
            return self.ask_higher(higher);
        }
        let share = HEAD_START * u32::try_from(higher.len()).unwrap_or(u32::MAX);
        let wait = share.min(self.config.failure_timeout / 2);
        self.set_timer(Timer::Election, self.now.time + wait);
    }

    fn ask_higher(&mut self, higher: Vec<LinkId>) {
        let (id, forced) = (self.id.unwrap_or(0), self.is_forced());
        self.send_many(higher, Class::Control, Message::Election { id, forced });
        self.set_step(Step::Asked, self.ok_wait());
    }

    fn set_step(&mut self, step: Step, wait: Duration) {
        if let Standing::Electing(election) = &mut self.standing {
            election.step = step;
            self.set_timer(Timer::Election, self.now.time + wait);
        }
    }

    pub(super) fn is_forced(&self) -> bool {
        matches!(&self.standing, Standing::Electing(e) if e.forced)
    }

    pub(super) fn on_election_timer(&mut self) {
        let Standing::Electing(Election { step, lost, .. }) = self.standing else {
            return;
        };
        let higher = self.higher();
        match step {
            _ if higher.is_empty() => self.take_office("no higher member is alive"),
            Step::HeadStart => self.ask_higher(higher),
            Step::Asked => self.take_office("no higher member answered"),
            Step::Yielded => self.start_election("the winner did not announce", false, lost),
        }
    }

    /// Somebody died or left: with nobody higher alive the wait is over.
    pub(super) fn recheck_election(&mut self) {
        if matches!(self.standing, Standing::Electing(_)) && self.higher().is_empty() {
            self.take_office("no higher member is alive");
        }
    }

    pub(super) fn on_election(&mut self, link: LinkId, key: Key, id: Id, forced: bool) {
        if self.leaving.is_some() || self.id.is_none() {
            return;
        }
        let own = self.coordinator.as_ref().is_some_and(|c| c.key == key);
        if let Some(live) = self.coordinator.clone()
            && !forced
            && !own
        {
            // One that this node only knows by others is a reason for its fellow members only:
            // somebody else may be too far away to ever be let in.
            let told = Some(live).filter(|_| self.roster.contains(key));
            let coordinator = self.vouched_coordinator().or(told);
            if coordinator.is_some() {
                self.send(link, Class::Control, Message::ElectionOk { coordinator });
            }
            return;
        }
        if !self.roster.contains(key) || Some(id) > self.id {
            return;
        }
        let coordinator = None;
        self.send(link, Class::Control, Message::ElectionOk { coordinator });
        match self.standing {
            // Timers that run are not restarted by further ELECTIONs.
            Standing::Electing(_) => {}
            Standing::Adrift { .. } if !forced => {}
            _ => self.start_election("a lower member asked", forced, None),
        }
    }

    pub(super) fn on_election_ok(
        &mut self,
        link: LinkId,
        key: Key,
        coordinator: Option<Coordinator>,
    ) {
        let Standing::Electing(election) = &self.standing else {
            return;
        };
        if !self.roster.contains(key) {
            return;
        }
        match coordinator {
            Some(live) if !election.forced && live.key != self.config.key => {
                self.doubt_death(live.key);
                if let Some(peer) = self.links.get_mut(link) {
                    peer.told = Some((live.clone(), self.now.time));
                }
                self.stand_down(live);
            }
            Some(_) => {}
            None if election.step != Step::Yielded => {
                let higher = u32::try_from(self.higher().len()).unwrap_or(u32::MAX);
                let head_start = (HEAD_START * higher).min(self.config.failure_timeout / 2);
                self.set_step(Step::Yielded, head_start + self.ok_wait());
            }
            None => {}
        }
    }

    /// A neighbour has a live coordinator: this node stops electing and asks in there. If it is
    /// the one that this node could not hear, it stays its member.
    pub(super) fn stand_down(&mut self, live: Coordinator) {
        self.cancel_timer(Timer::Election);
        self.end_election("a neighbour has a live coordinator");
        if live.key == self.roster.coordinator && self.roster.contains(self.config.key) {
            self.standing = Standing::Member;
            self.coordinator = Some(live);
            let at = self.now.time + self.config.failure_timeout;
            return self.set_timer(Timer::Watch, at);
        }
        self.standing = Standing::Adrift {
            until: self.now.time,
            held_office: false,
        };
        self.coordinator = None;
        self.ask_in(live);
    }

    pub(super) fn end_election(&mut self, reason: &str) {
        if matches!(self.standing, Standing::Electing(_)) {
            self.show(Event::Election {
                phase: Phase::Ended,
                reason: reason.to_string(),
            });
        }
    }

    pub(super) fn on_announcement(&mut self, link: LinkId, key: Key, view: View) {
        let Some(leader) = view.members.iter().find(|m| m.key == key) else {
            return;
        };
        if view.coordinator != key || leader.id == 0 {
            return;
        }
        let told = Coordinator {
            id: leader.id,
            key,
            addresses: leader.addresses.clone(),
            version: view.version,
            next_id: view.next_id,
        };
        self.note_version(&told);
        self.clock.observe(view.clock);
        if let Some(peer) = self.links.get_mut(link) {
            peer.told = Some((told.clone(), self.now.time));
        }
        // A stranger's view is only a claim.
        let has_me =
            self.roster.contains(key) && view.members.iter().any(|m| m.key == self.config.key);
        let outranked = self.outranks_announcement(told.claim());
        match &self.coordinator {
            Some(_) | None if !has_me => self.hear_claim(&told, super::claims::Route::Link(link)),
            Some(mine) if mine.key == key || told.claim() > mine.claim() => {
                self.follow_view(view);
            }
            Some(mine) if self.is_member() && self.seems_silent(mine.key) => {
                self.follow_view(view);
            }
            Some(_) => {
                self.announced = Some((self.now.time, view));
                self.hear_claim(&told, super::claims::Route::Link(link));
            }
            // A lower one announced itself: my own election goes on, and its claim beats that.
            None if outranked => {}
            None => {
                self.follow_view(view);
            }
        }
    }

    fn is_member(&self) -> bool {
        matches!(self.standing, Standing::Member)
    }

    /// Electing, and higher than the one that announces itself.
    fn outranks_announcement(&self, claim: Claim) -> bool {
        matches!(self.standing, Standing::Electing(_)) && self.id.is_some_and(|id| id > claim.id)
    }
}
