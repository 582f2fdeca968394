//! Coming in: the discovery window, asking the group that was heard of, and being let in.
//!
//! Owns when a node that looks for its room asks whom: for how long it looks is `seek`'s. It never answers
//! anybody: that is `admission`'s business. What an answer changes is `view`'s, and how a node comes in again
//! that belonged before `adrift`'s.

use std::time::Duration;

use super::seek::Seek;
use super::{Group, Parts, Route, Standing, explain};
use crate::node::roster::Roster;
use crate::node::{Class, Effect, Event, Peer, Timer, Weakness};
use crate::timing;
use crate::wire::{
    Address, Claim, Coordinator, Datagram, JoinRequest, JoinResponse, Key, Message, Position,
    VERSION,
};

impl Group {
    pub(in crate::node) fn start_seeking(&mut self, parts: &mut Parts<'_>) {
        let seek = Seek::new(parts.cx.now.time);
        self.question += 1;
        self.enter(parts.cx, Standing::Seeking(seek), "it starts");
        self.multicast_request(parts, 0);
        parts.mesh.ask_peers(parts.cx, self);
        self.arm_join(parts, timing::JOIN_RETRY);
    }

    pub(super) fn arm_join(&mut self, parts: &mut Parts<'_>, after: Duration) {
        let at = parts.cx.now.time + after + parts.cx.jitter(timing::JOIN_RETRY / 8);
        parts.cx.set_timer(Timer::Join, at);
    }

    pub(super) fn request(&self, parts: &Parts<'_>, attempt: u64) -> JoinRequest {
        JoinRequest {
            version: VERSION,
            room: parts.cx.config.room.clone(),
            key: parts.cx.config.key,
            nick: parts.cx.config.nick.clone(),
            attempt,
            port: parts.cx.config.port,
            addresses: parts.cx.config.addresses.clone(),
            id: self.id,
            next_id: if self.id.is_some() {
                self.roster.next_id()
            } else {
                0
            },
            view_version: self.version_seen,
            office: matches!(self.standing, Standing::Coordinator(_)),
            no: self.question,
        }
    }

    pub(super) fn multicast_request(&mut self, parts: &mut Parts<'_>, attempt: u64) {
        let datagram = Datagram::JoinRequest(self.request(parts, attempt));
        parts.cx.out.push(Effect::Multicast(datagram));
    }

    pub(super) fn on_join_timer(&mut self, parts: &mut Parts<'_>) {
        if matches!(self.standing, Standing::Seeking(_)) {
            self.step_seeking(parts);
        } else if self.asking.is_some() {
            self.step_asking(parts);
        } else {
            self.step_adrift(parts);
        }
    }

    pub(super) fn step_seeking(&mut self, parts: &mut Parts<'_>) {
        let (now, patience) = (parts.cx.now.time, Self::hearsay_patience(parts.cx));
        self.pay_for_search(parts);
        let Standing::Seeking(seek) = &mut self.standing else {
            return;
        };
        seek.forget_unheard(now, patience);
        let heard = seek.heard().map(|c| c.key);
        let is_overdue = seek.age(now) >= patience * timing::SEEKING_PATIENCES;
        let is_overdue = is_overdue && heard.is_some() && !seek.is_last();
        let is_overdue = is_overdue && self.is_in_vain(parts, heard);
        let Standing::Seeking(seek) = &mut self.standing else {
            return;
        };
        if is_overdue {
            seek.look_for_the_last_time(now + timing::DISCOVERY_WINDOW);
        }
        let heard = heard.filter(|_| !is_overdue);
        let awaits_peers = parts.mesh.awaits_peers() && seek.age(now) < timing::NAME_PATIENCE;
        let left = seek.left(now);
        if heard.is_none() && left == Duration::ZERO && !awaits_peers {
            return self.found_group(parts);
        }
        let attempt = seek.next_attempt();
        let searching = seek.heard().is_none() && left > Duration::ZERO;
        self.multicast_request(parts, attempt);
        parts.mesh.ask_peers(parts.cx, self);
        self.ask_heard_group(parts);
        if searching && left < timing::JOIN_RETRY * 5 / 4 {
            parts.cx.set_timer(Timer::Join, now + left);
        } else {
            self.arm_join(parts, timing::JOIN_RETRY);
        }
    }

    /// Who names the group that this node has heard of pays for the time of the search; if its word counts no
    /// more by that, the node looks without that group.
    fn pay_for_search(&mut self, parts: &mut Parts<'_>) {
        let Standing::Seeking(seek) = &mut self.standing else {
            return;
        };
        let long = seek.take_uncharged(parts.cx.now.time);
        let Some(key) = seek.heard().map(|c| c.key) else {
            return;
        };
        if parts.mesh.is_proven(parts.cx, key) {
            return;
        }
        let was_confirmed = self.is_confirmed(parts, key);
        self.charge_for_seeking(parts, key, long);
        if was_confirmed && !self.is_confirmed(parts, key) {
            self.look_without(parts, key, true);
        }
    }

    /// Whoever is heard and not reached has its time, and all of them together have twice as long: nobody keeps
    /// a room from being founded by naming one coordinator after the other.
    fn is_in_vain(&self, parts: &Parts<'_>, heard: Option<Key>) -> bool {
        let is_reached = heard.is_some_and(|key| self.is_confirmed(parts, key));
        !is_reached && !parts.cx.is_weakened(Weakness::HearsayCounts)
    }

    /// It was looked up where a peer is: whoever seeks dials it, and gives it as long as one that was
    /// known from the start.
    pub(in crate::node) fn on_peer_found(&mut self, parts: &mut Parts<'_>, peer: &Peer) {
        parts.mesh.on_peer_found(peer);
        if let Standing::Seeking(seek) = &mut self.standing
            && !peer.addresses.is_empty()
        {
            let until = parts.cx.now.time + timing::DISCOVERY_WINDOW;
            seek.look_at_least_until(until);
            parts.mesh.ask_peers(parts.cx, self);
        }
    }

    /// Seeking, and somebody says that there is a group.
    pub(super) fn hear_of_group(
        &mut self,
        parts: &mut Parts<'_>,
        told: &Coordinator,
        route: Route,
    ) {
        let now = parts.cx.now.time;
        self.note_version(told);
        let Standing::Seeking(seek) = &mut self.standing else {
            return;
        };
        let Some(is_new) = seek.hear(told, now) else {
            return;
        };
        let just_asked = seek.age(now) < timing::COORDINATOR_DIALS_FIRST;
        // A coordinator that dialled this node, or is about to, answers the first request.
        let answers = match route {
            Route::Beat(_) => just_asked,
            Route::Link(id) => {
                let link = parts.mesh.link(id);
                link.is_some_and(|l| !l.is_ours() && l.key() == Some(told.key))
            }
            Route::Pointed => false,
        };
        if is_new && !answers {
            self.ask_heard_group(parts);
        }
    }

    fn ask_heard_group(&mut self, parts: &mut Parts<'_>) {
        let Standing::Seeking(seek) = &self.standing else {
            return;
        };
        let Some(group) = seek.heard() else {
            return;
        };
        let (attempt, key, addresses) = (seek.attempt(), group.key, group.addresses.clone());
        self.ask_at(parts, key, &addresses, attempt);
        self.ask_through_neighbour(parts, key, attempt);
    }

    /// Asks on the link with a coordinator, or dials it; the question follows HELLO.
    pub(super) fn ask_at(
        &mut self,
        parts: &mut Parts<'_>,
        key: Key,
        addresses: &[Address],
        attempt: u64,
    ) {
        match parts
            .mesh
            .open_to(key)
            .filter(|_| parts.mesh.is_alive(parts.cx, key))
        {
            Some(link) => {
                let request = self.request(parts, attempt);
                parts
                    .cx
                    .send(link, Class::Control, Message::JoinRequest(request));
            }
            None => parts.mesh.dial(parts.cx, key, addresses, false),
        }
    }

    /// A link opened: if its peer is the one to ask, it is asked.
    pub(in crate::node) fn ask_on_link(&mut self, parts: &mut Parts<'_>, key: Key) {
        let sought = match &self.standing {
            Standing::Seeking(seek) => {
                let ours = parts.mesh.link_to(key).is_some_and(|l| l.is_ours());
                ours && seek.has_heard_of(key)
            }
            Standing::Adrift { .. } => self.asking.is_none(),
            _ => false,
        };
        if (sought || self.asks(key))
            && let Some(link) = parts.mesh.open_to(key)
        {
            let request = self.request(parts, 1);
            parts
                .cx
                .send(link, Class::Control, Message::JoinRequest(request));
        }
    }

    /// Seeking, and this is the coordinator heard of.
    pub(super) fn is_sought(&self, key: Key) -> bool {
        matches!(&self.standing, Standing::Seeking(seek) if seek.has_heard_of(key))
    }

    /// Who this node looked for is only heard: it looks for others, as it did when it started.
    pub(super) fn look_without(&mut self, parts: &Parts<'_>, key: Key, looks_again: bool) {
        let Standing::Seeking(seek) = &mut self.standing else {
            return;
        };
        if seek.forget(key) && looks_again {
            seek.look_anew_until(parts.cx.now.time + timing::DISCOVERY_WINDOW);
        }
    }

    /// The group's coordinator is gone before it let this node in: those that it led are there all the same, and are
    /// looked for, unless this node has looked for long.
    pub(super) fn forget_group(&mut self, parts: &Parts<'_>, key: Key) {
        let patience = Self::hearsay_patience(parts.cx) * timing::SEEKING_PATIENCES;
        let looks_again = |seek: &Seek| {
            seek.age(parts.cx.now.time) < patience
                && !parts.cx.is_weakened(Weakness::LeaversEndTheSearch)
        };
        if let Standing::Seeking(seek) = &self.standing {
            let looks_again = looks_again(seek);
            self.look_without(parts, key, looks_again);
        }
    }

    /// Somebody names a coordinator that is gone: there is a group that will notice that, and elect. It is looked for,
    /// unless this node has looked for long.
    pub(super) fn hear_of_gone(&mut self, parts: &Parts<'_>) {
        let patience = Self::hearsay_patience(parts.cx) * timing::SEEKING_PATIENCES;
        let now = parts.cx.now.time;
        if let Standing::Seeking(seek) = &mut self.standing
            && seek.age(now) < patience
            && !parts.cx.is_weakened(Weakness::NamersOfTheDeadAreNobody)
        {
            seek.look_at_least_until(now + timing::DISCOVERY_WINDOW);
        }
    }

    fn found_group(&mut self, parts: &mut Parts<'_>) {
        for text in (parts.mesh.named_peers().iter()).filter_map(explain::what_came_of) {
            parts.cx.show(Event::Warning(text));
        }
        self.id = Some(1);
        self.take_office(parts, "nobody else is in the room");
        let (talk, mut lent) = self.talk(parts);
        talk.found_room(&mut lent);
    }

    pub(super) fn on_join_response(
        &mut self,
        parts: &mut Parts<'_>,
        key: Key,
        response: JoinResponse,
    ) {
        if self.pass_on_response(parts, key, &response) {
            return;
        }
        let view = response.view;
        let leader = view.coordinator;
        if leader != key && !self.may_bring_answer(parts, key, leader) {
            return;
        }
        let Some(roster) = Roster::from_view(view) else {
            return;
        };
        let mine = roster.get(parts.cx.config.key).map(|m| m.id);
        let Some(claim) = roster.claim().filter(|_| mine == Some(response.id)) else {
            return;
        };
        let own = self.claim();
        if own.is_some_and(|c| c.key == leader) && !self.waits_for(parts, leader) {
            // A second answer to a question that was asked twice; or the first, and the coordinator had announced
            // itself meanwhile.
            if roster.version() > self.roster.version() {
                if self.is_later_answer(parts, response.no) {
                    let clock = parts.cx.believed(response.clock);
                    self.note_let_in(parts, (key, clock), &roster, (response.no, &response.lost));
                }
                self.follow(parts, roster);
                self.asked_views.hold(key != leader);
            }
            return;
        }
        if !self.wants_answer(parts, claim, roster.version(), response.no) {
            return;
        }
        let clock = parts.cx.believed(response.clock);
        self.restore_credit(parts, leader);
        parts.cx.observe(clock);
        let first = parts.talk.is_new();
        self.note_let_in(parts, (key, clock), &roster, (response.no, &response.lost));
        self.follow(parts, roster);
        self.asked_views.hold(key != leader);
        // It is the coordinator's, whoever brings the answer.
        let complete = response.floor.map(|floor| (floor, Some(leader)));
        parts.mesh.note_complete(leader, complete);
        let is_unwanted = first && !parts.cx.config.wants_history;
        if is_unwanted {
            let mut newest = response.newest;
            if newest > parts.cx.reach() {
                newest = Position::new(parts.cx.wall_timestamp(), Key(0), 0);
            }
            parts.talk.skip_history(newest);
        }
        let (talk, mut lent) = self.talk(parts);
        talk.begin_joining(&mut lent, key, is_unwanted);
    }

    /// This answer lets this node in, as one tells it that had seen this clock: whoever is in the view was there before.
    fn note_let_in(
        &mut self,
        parts: &mut Parts<'_>,
        host: (Key, u64),
        roster: &Roster,
        (no, lost): (u64, &[Key]),
    ) {
        self.answered = no.min(self.question);
        let members = roster.members().iter().map(|m| m.key).collect();
        let (talk, mut lent) = self.talk(parts);
        talk.be_let_in(&mut lent, host, members, lost);
    }

    /// True if this is the number of a question that this node has put since the one whose answer let it in last.
    fn is_later_answer(&self, parts: &Parts<'_>, no: u64) -> bool {
        (self.answered + 1..=self.question).contains(&no)
            && !parts.cx.is_weakened(Weakness::AnnouncedAnswersLetNobodyIn)
    }

    /// True if this node follows whoever has this claim, now that it is let in to this version of its view, in
    /// answer to the question with this number.
    fn wants_answer(&self, parts: &Parts<'_>, claim: Claim, version: u64, no: u64) -> bool {
        let (own, leader) = (self.claim(), claim.key);
        match &self.standing {
            Standing::Seeking(_) => true,
            Standing::Gone => false,
            Standing::Member if own.is_some_and(|c| c.key == leader) => {
                version >= self.roster.version()
            }
            _ if self.is_earlier_view(parts, leader, version)
                && !(self.asked_views.is_second_hand() && self.is_answered_by(parts, no)) =>
            {
                false
            }
            // Not asked, not followed: anybody could call itself a higher coordinator.
            Standing::Member | Standing::Coordinator(_) => {
                self.waits_for(parts, leader)
                    && self.is_answered_by(parts, no)
                    && own.is_none_or(|c| claim > c)
            }
            Standing::Electing(_) | Standing::Adrift { .. } => true,
        }
    }

    /// True if an answer with this number is one to the question that this node puts now. After a cut the
    /// answer to an earlier one comes late, together with the claim that makes this node ask again, and
    /// whoever gave it may be gone by now. Who repeats no number cannot be told apart.
    fn is_answered_by(&self, parts: &Parts<'_>, no: u64) -> bool {
        no == 0 || no == self.question || parts.cx.is_weakened(Weakness::OldAnswersCount)
    }

    /// True if this node has asked its own coordinator in again.
    pub(super) fn waits_for(&self, parts: &Parts<'_>, key: Key) -> bool {
        self.asks(key) || !self.roster.contains(parts.cx.config.key)
    }
}

#[cfg(test)]
#[path = "join_test.rs"]
mod tests;
