//! The election: Bully (Garcia-Molina 1982) with a head start.
//!
//! Only a node without a live coordinator elects. It leaves 30 ms to each higher member whose link
//! is alive; with nobody higher alive it announces itself at once, so that the common failover
//! among n nodes costs n-2 messages. Late answers to an election that is over change nothing.
//!
//! Owns the election that goes on. What the winner does in office is `office`'s.

use std::time::Duration;

use super::credit::Stay;
use super::{Group, Parts, Standing};
use crate::node::{Class, Event, LinkId, Phase, Time, Timer, Weakness};
use crate::timing;
use crate::wire::{Claim, Coordinator, Id, Key, Message, View};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ElectionStep {
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
    step: ElectionStep,
    /// A live coordinator is to be ignored.
    forced: bool,
    /// The coordinator whose loss started it.
    pub(super) lost: Option<Key>,
    /// Who has said that it takes over.
    promised: Vec<Key>,
    /// Since when that is waited for, if it is.
    yielded: Time,
}

impl Group {
    /// How long an ELECTION waits for ELECTION_OK.
    fn ok_wait(&self, parts: &Parts<'_>) -> Duration {
        parts.cx.config.heartbeat
    }

    /// The coordinator is gone: follows whoever a neighbour vouches for, or elects.
    pub(super) fn lose_coordinator(&mut self, parts: &mut Parts<'_>, reason: &str) {
        let Some(lost) = self.coordinator.take() else {
            return;
        };
        self.charge_for_staying(parts, lost.key);
        parts.cx.note_lost(lost.key, reason);
        parts.mesh.clear_suspicion(lost.key);
        self.resigned = None;
        parts.cx.cancel_timer(Timer::Watch);
        if self.asks(lost.key) {
            self.asking = None;
        }
        if let Some((at, view)) = self.announced.take()
            && parts.cx.since(at) < parts.cx.config.failure_timeout
            && view.version > self.roster.version()
            && parts.mesh.is_alive(parts.cx, view.coordinator)
            && self.follow_view(parts, view)
        {
            return;
        }
        if parts.cx.now.time < self.away_until {
            return self.drift(parts, self.away_until, false);
        }
        if let Some((target, voucher)) = self.best_told(parts, lost.key) {
            return self.stand_down(parts, target, Some(voucher));
        }
        self.start_election(parts, reason, false, Some(lost.key));
    }

    pub(in crate::node) fn elect_now(&mut self, parts: &mut Parts<'_>) {
        match self.standing {
            Standing::Member | Standing::Coordinator(_) | Standing::Electing(_) => {
                self.start_election(parts, "asked for", true, None);
            }
            _ => parts
                .cx
                .show(Event::Warning("no election without a room".to_string())),
        }
    }

    /// The members with a higher id whose link is alive, except this one, and their links.
    pub(super) fn higher(&self, parts: &Parts<'_>, except: Option<Key>) -> Vec<LinkId> {
        self.roster
            .members()
            .iter()
            .filter(|m| Some(m.key) != except)
            .filter(|m| Some(m.id) > self.id && parts.mesh.is_alive(parts.cx, m.key))
            .filter(|m| !parts.mesh.has_left(m.key) && !parts.mesh.is_dead(m.key))
            .filter(|m| !self.is_empty_promise(parts.cx, m.key))
            .filter_map(|m| parts.mesh.open_to(m.key))
            .collect()
    }

    pub(super) fn start_election(
        &mut self,
        parts: &mut Parts<'_>,
        reason: &str,
        forced: bool,
        lost: Option<Key>,
    ) {
        if self.id.is_none() || self.leaving.is_some() {
            // A leaver never announces; it waits for whoever does.
            self.end_election(parts, "this node leaves");
            self.coordinator = None;
            let until = parts.cx.now.time + timing::DISCOVERY_WINDOW;
            let held_office = false;
            let why = "a leaver elects nobody";
            self.enter(parts.cx, Standing::Adrift { until, held_office }, why);
            return;
        }
        if !matches!(self.standing, Standing::Electing(_)) {
            parts.cx.counters.elections += 1;
            parts.cx.show(Event::Election {
                phase: Phase::Started,
                reason: reason.to_string(),
            });
        }
        self.coordinator = None;
        let higher = self.higher(parts, None);
        let step = if forced {
            ElectionStep::Asked
        } else {
            ElectionStep::HeadStart
        };
        let promised = Vec::new();
        let election = Election {
            step,
            forced,
            lost,
            promised,
            yielded: parts.cx.now.time,
        };
        self.enter(parts.cx, Standing::Electing(election), reason);
        if higher.is_empty() {
            return self.take_office(parts, reason);
        }
        if forced {
            return self.ask_higher(parts, higher);
        }
        let share = timing::ELECTION_HEAD_START * u32::try_from(higher.len()).unwrap_or(u32::MAX);
        let wait = share.min(parts.cx.config.failure_timeout / 2);
        parts
            .cx
            .set_timer(Timer::Election, parts.cx.now.time + wait);
    }

    fn ask_higher(&mut self, parts: &mut Parts<'_>, higher: Vec<LinkId>) {
        let (id, forced) = (self.id.unwrap_or(0), self.is_forced());
        parts
            .cx
            .send_many(higher, Class::Control, Message::Election { id, forced });
        self.set_step(parts, ElectionStep::Asked, self.ok_wait(parts));
    }

    fn set_step(&mut self, parts: &mut Parts<'_>, step: ElectionStep, wait: Duration) {
        if let Standing::Electing(election) = &mut self.standing {
            election.step = step;
            election.yielded = parts.cx.now.time;
            parts
                .cx
                .set_timer(Timer::Election, parts.cx.now.time + wait);
        }
    }

    pub(super) fn is_forced(&self) -> bool {
        matches!(&self.standing, Standing::Electing(e) if e.forced)
    }

    pub(super) fn on_election_timer(&mut self, parts: &mut Parts<'_>) {
        let Standing::Electing(Election {
            step,
            lost,
            promised,
            yielded,
            ..
        }) = &mut self.standing
        else {
            return;
        };
        let (step, lost, promised) = (*step, *lost, std::mem::take(promised));
        let waited = parts.cx.since(*yielded);
        if self.leaving.is_some() {
            return self.start_election(parts, "this node leaves", false, lost);
        }
        if step == ElectionStep::Yielded {
            self.charge_promise(parts, &promised, waited);
        }
        let higher = self.higher(parts, None);
        match step {
            _ if higher.is_empty() => self.take_office(parts, "no higher member is alive"),
            ElectionStep::HeadStart => self.ask_higher(parts, higher),
            ElectionStep::Asked => self.take_office(parts, "no higher member answered"),
            ElectionStep::Yielded => {
                self.start_election(parts, "the winner did not announce", false, lost)
            }
        }
    }

    /// Somebody died or left: with nobody higher alive the wait is over.
    pub(super) fn recheck_election(&mut self, parts: &mut Parts<'_>) {
        let is_electing = self.is_electing() && self.leaving.is_none();
        if is_electing && self.higher(parts, None).is_empty() {
            self.take_office(parts, "no higher member is alive");
        }
    }

    pub(super) fn on_election(
        &mut self,
        parts: &mut Parts<'_>,
        link: LinkId,
        key: Key,
        id: Id,
        forced: bool,
    ) {
        if self.leaving.is_some() || self.id.is_none() {
            return;
        }
        let own = self.coordinator.as_ref().is_some_and(|c| c.key == key);
        if let Some(live) = self.coordinator.clone()
            && !forced
            && !own
            && self.is_more_than_hearsay(parts, key)
        {
            // One that this node only knows by others is a reason for its fellow members only:
            // somebody else may be too far away to ever be let in.
            let told = Some(live).filter(|_| self.roster.contains(key));
            let coordinator = self.vouched_coordinator(parts.cx, parts.mesh).or(told);
            if coordinator.is_some() {
                parts
                    .cx
                    .send(link, Class::Control, Message::ElectionOk { coordinator });
            }
            return;
        }
        // Two that a liar told different views may have one id, and each find the other higher: one of them answers.
        let own_key = parts.cx.config.key;
        let is_higher = Some((id, key)) > self.id.map(|own| (own, own_key));
        let is_equal = Some(id) == self.id && parts.cx.is_weakened(Weakness::EqualsAnswer);
        if !self.roster.contains(key) || is_higher && !is_equal {
            return;
        }
        let coordinator = None;
        parts
            .cx
            .send(link, Class::Control, Message::ElectionOk { coordinator });
        match self.standing {
            // Timers that run are not restarted by further ELECTIONs.
            Standing::Electing(_) => {}
            Standing::Adrift { .. } if !forced => {}
            _ => {
                // What a coordinator said last that this node does not hear any more, others may have.
                let is_lost = |key: &Key| !forced && !parts.mesh.is_alive(parts.cx, *key);
                let lost = self.leader().filter(is_lost);
                self.start_election(parts, "a lower member asked", forced, lost);
            }
        }
    }

    pub(super) fn on_election_ok(
        &mut self,
        parts: &mut Parts<'_>,
        link: LinkId,
        key: Key,
        coordinator: Option<Coordinator>,
    ) {
        if !self.roster.contains(key) || self.is_empty_promise(parts.cx, key) {
            return;
        }
        let believes_all = parts.cx.is_weakened(Weakness::OwnNameCounts);
        let is_doubted = |live: &Coordinator| {
            !(believes_all && live.key == key) && self.is_doubted_on(parts.cx, key, live.key)
        };
        if coordinator.as_ref().is_some_and(is_doubted) {
            return;
        }
        let Standing::Electing(election) = &mut self.standing else {
            if let Some(live) = coordinator {
                self.note_voucher(live.key, key);
            }
            return;
        };
        if coordinator.is_none() && !election.promised.contains(&key) {
            election.promised.push(key);
        }
        match coordinator {
            Some(live) if !election.forced && live.key != parts.cx.config.key => {
                self.doubt_death(parts, live.key);
                let told = Some((live.clone(), parts.cx.now.time));
                parts.mesh.replace_told(link, told);
                self.stand_down(parts, live.clone(), Some(key));
                self.ask_in_if_newer(parts, &live);
            }
            Some(_) => {}
            None if election.step != ElectionStep::Yielded => {
                let higher = u32::try_from(self.higher(parts, None).len()).unwrap_or(u32::MAX);
                let head_start =
                    (timing::ELECTION_HEAD_START * higher).min(parts.cx.config.failure_timeout / 2);
                self.set_step(
                    parts,
                    ElectionStep::Yielded,
                    head_start + self.ok_wait(parts),
                );
            }
            None => {}
        }
    }

    /// A neighbour has a live coordinator: this node stops electing and asks in there. If it is
    /// the one that this node could not hear, it stays its member. The voucher is who says so, if that is known.
    pub(super) fn stand_down(
        &mut self,
        parts: &mut Parts<'_>,
        live: Coordinator,
        voucher: Option<Key>,
    ) {
        self.end_election(parts, "a neighbour has a live coordinator");
        if live.key == self.roster.coordinator() && self.roster.contains(parts.cx.config.key) {
            let why = "a neighbour vouches for its coordinator";
            self.enter(parts.cx, Standing::Member, why);
            self.stay = voucher.map(|voucher| Stay::new(live.key, voucher, parts.cx.now.time));
            self.coordinator = Some(live);
            let at = parts.cx.now.time + parts.cx.config.failure_timeout;
            return parts.cx.set_timer(Timer::Watch, at);
        }
        let adrift = Standing::Adrift {
            until: parts.cx.now.time,
            held_office: false,
        };
        self.enter(parts.cx, adrift, "a neighbour has a live coordinator");
        self.coordinator = None;
        let key = live.key;
        self.ask_in(parts, live);
        if let Some(voucher) = voucher {
            self.note_voucher(key, voucher);
        }
    }

    /// Whoever told this node of its own coordinator has heard of a later view, which may be one without this node:
    /// nobody else may be left to say so, and nobody answers a question of whom it does not know. So this node asks in
    /// again, by way of others: the coordinator itself answers.
    fn ask_in_if_newer(&mut self, parts: &mut Parts<'_>, told: &Coordinator) {
        let is_own = matches!(self.standing, Standing::Member)
            && self.coordinator.as_ref().is_some_and(|c| c.key == told.key);
        if is_own && told.version > self.roster.version() {
            self.ask_own_again(parts);
        }
    }

    pub(super) fn end_election(&mut self, parts: &mut Parts<'_>, reason: &str) {
        if matches!(self.standing, Standing::Electing(_)) {
            parts.cx.show(Event::Election {
                phase: Phase::Ended,
                reason: reason.to_string(),
            });
        }
    }

    pub(super) fn on_announcement(
        &mut self,
        parts: &mut Parts<'_>,
        link: LinkId,
        key: Key,
        view: View,
    ) {
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
        };
        self.note_version(&told);
        parts.cx.observe(view.clock);
        let heard = Some((told.clone(), parts.cx.now.time));
        parts.mesh.replace_told(link, heard);
        // A stranger's view is only a claim.
        let has_me =
            self.roster.contains(key) && view.members.iter().any(|m| m.key == parts.cx.config.key);
        // Whoever took office without having heard of the view that is held here may be long gone: it is asked.
        let is_earlier = view.version < self.roster.version()
            && !parts.cx.is_weakened(Weakness::EarlierViewsCount);
        let is_news = has_me && !is_earlier;
        let outranked = self.outranks_announcement(told.claim());
        match &self.coordinator {
            Some(_) | None if !is_news => {
                self.hear_claim(parts, &told, super::claims::Route::Link(link))
            }
            Some(mine) if mine.key == key || told.claim() > mine.claim() => {
                self.follow_view(parts, view);
            }
            Some(mine) if self.is_member() && parts.mesh.seems_silent(parts.cx, mine.key) => {
                self.follow_view(parts, view);
            }
            Some(_) => {
                self.announced = Some((parts.cx.now.time, view));
                self.hear_claim(parts, &told, super::claims::Route::Link(link));
            }
            // A lower one announced itself: my own election goes on, and its claim beats that.
            None if outranked => {}
            None => {
                self.follow_view(parts, view);
            }
        }
    }

    /// Electing, and higher than the one that announces itself.
    fn outranks_announcement(&self, claim: Claim) -> bool {
        matches!(self.standing, Standing::Electing(_)) && self.id.is_some_and(|id| id > claim.id)
    }
}

#[cfg(test)]
#[path = "election_test.rs"]
mod tests;
