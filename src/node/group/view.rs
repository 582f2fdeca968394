//! The view: how this node comes to hold another one, and what its user sees of the difference.
//!
//! A step applies only from one's own coordinator and at version + 1; any other mismatch asks for
//! the whole view.
//!
//! Owns how one view replaces another. It never closes a link, and never decides who coordinates.

use super::{Group, Parts, Route, Standing};
use crate::node::roster::Roster;
use crate::node::{Class, Departure, Event, LinkId, Weakness};
use crate::timing;
use crate::wire::{Coordinator, Key, Member, Message, PeerUpdate, UpdateKind, View};

impl Group {
    /// Follows this view's coordinator, if the view is sound and has this node in it.
    pub(super) fn follow_view(&mut self, parts: &mut Parts<'_>, view: View) -> bool {
        let Some(roster) = Roster::from_view(view) else {
            return false;
        };
        if !roster.contains(parts.cx.config.key) || roster.coordinator() == parts.cx.config.key {
            return false;
        }
        self.follow(parts, roster);
        true
    }

    /// True if this node holds a later view of the same coordinator. Versions of one coordinator never fall, so what
    /// comes now has been long on the way, as on a link that a cut held up; or the view that is held was made up, where
    /// somebody else brought it.
    pub(super) fn is_earlier_view(
        &self,
        parts: &Parts<'_>,
        coordinator: Key,
        version: u64,
    ) -> bool {
        coordinator == self.roster.coordinator()
            && version < self.roster.version()
            && !parts.cx.is_weakened(Weakness::EarlierViewsCount)
    }

    /// Follows this view's coordinator: links, nick, history and unsent lines stay.
    pub(super) fn follow(&mut self, parts: &mut Parts<'_>, roster: Roster) {
        let leader = roster.coordinator();
        let Some(entry) = roster.get(leader).cloned() else {
            return;
        };
        let held_office = matches!(self.standing, Standing::Coordinator(_));
        self.end_election(parts, "another one is the coordinator");
        self.asking = None;
        self.announced = None;
        self.resigned = None;
        self.stay = None;
        parts.mesh.clear_suspicion(leader);
        self.enter(parts.cx, Standing::Member, "its coordinator's view has it");
        self.coordinator = Some(Coordinator {
            id: entry.id,
            key: leader,
            addresses: entry.addresses,
            version: roster.version(),
        });
        self.version_seen = self.version_seen.max(roster.version());
        self.asked_views.hold(false);
        self.adopt_roster(parts, roster);
        self.last_beat = parts.cx.now.time;
        self.show_coordinator(parts);
        self.watch_coordinator(parts, leader);
        if held_office {
            self.tell_of_resignation(parts, leader);
        }
        parts.mesh.tend_mesh(parts.cx, self);
    }

    /// Who followed this node need not wait for a HEARTBEAT of the one that it follows now.
    fn tell_of_resignation(&mut self, parts: &mut Parts<'_>, leader: Key) {
        let links = parts.mesh.open_links();
        let links = links.filter(|(key, _, _)| *key != leader);
        let links = links.map(|(_, id, _)| id).collect();
        self.tell_claim(parts, links);
    }

    pub(super) fn adopt(&mut self, parts: &mut Parts<'_>, view: View) {
        if let Some(roster) = Roster::from_view(view) {
            self.adopt_roster(parts, roster);
        }
    }

    /// Holds another view from now on, and shows the difference.
    fn adopt_roster(&mut self, parts: &mut Parts<'_>, mut roster: Roster) {
        let same_group = roster.next_id().max(self.roster.next_id());
        roster.never_below(same_group);
        roster.succeed(&self.roster);
        let old = std::mem::replace(&mut self.roster, roster);
        if let Some(me) = self.roster.get(parts.cx.config.key) {
            self.id = Some(me.id);
        }
        let mut lost = Vec::new();
        for member in old.members() {
            if !self.roster.contains(member.key) {
                let said_so = parts.mesh.has_left(member.key) || self.roster.has_left(member.key);
                let departure = if said_so {
                    Departure::Left
                } else {
                    Departure::Lost
                };
                self.forgo(parts, member, departure);
                lost.extend((departure == Departure::Lost).then_some(member.key));
            }
        }
        if parts.cx.is_weakened(Weakness::HalfAViewCounts) {
            self.repair_after(parts, &std::mem::take(&mut lost));
        }
        let now: Vec<Member> = self.roster.members().to_vec();
        for member in now {
            match old.get(member.key) {
                None => self.greet(parts, &member),
                Some(before) => self.show_change(parts, before, &member),
            }
        }
        self.repair_after(parts, &lost);
        self.roster.forget_left();
        parts.talk.recheck_delivery();
    }

    /// Somebody is new in the view.
    pub(super) fn greet(&mut self, parts: &mut Parts<'_>, member: &Member) {
        let key = member.key;
        if key == parts.cx.config.key {
            return;
        }
        parts.mesh.note_member(parts.cx, key);
        let (talk, mut lent) = self.talk(parts);
        talk.begin_to_count_on(&mut lent, key);
        if self.is_new_to_user(parts, member) && parts.talk.has_joined() {
            parts.cx.show(Event::MemberJoined(member.clone()));
        }
    }

    /// Somebody is no more in the view.
    pub(super) fn part(&mut self, parts: &mut Parts<'_>, member: &Member, departure: Departure) {
        self.forgo(parts, member, departure);
        if departure == Departure::Lost {
            self.repair_after(parts, &[member.key]);
        }
    }

    /// Others may have what these sent who are lost now. This may end joining, so that this node writes what its user
    /// said meanwhile: it counts on all members of its view by then.
    fn repair_after(&mut self, parts: &mut Parts<'_>, lost: &[Key]) {
        let own = parts.cx.config.key;
        let (talk, mut lent) = self.talk(parts);
        for key in lost.iter().filter(|key| **key != own) {
            talk.sync_after_loss(&mut lent, *key);
        }
    }

    /// Somebody is no more in the view, and nothing is asked of others yet.
    fn forgo(&mut self, parts: &mut Parts<'_>, member: &Member, departure: Departure) {
        let key = member.key;
        if key == parts.cx.config.key {
            return;
        }
        if departure == Departure::Left || !self.await_member(parts, member) {
            self.show_departure(parts, member.clone(), departure);
        }
        parts.mesh.clear_suspicion(key);
        parts.talk.recheck_delivery();
        parts.talk.cease_to_count_on(parts.cx, parts.mesh, key);
        parts.mesh.forget_if_stranger(key, self);
        if departure == Departure::Lost && parts.mesh.note_lost(member.clone()) {
            parts.mesh.redial_soon(parts.cx, self);
        }
        self.recheck_election(parts);
    }

    pub(super) fn show_change(&mut self, parts: &mut Parts<'_>, before: &Member, member: &Member) {
        if before.nick != member.nick && parts.talk.has_joined() {
            parts.cx.show(Event::MemberRenamed {
                member: member.clone(),
                previous: before.nick.clone(),
            });
        }
    }

    pub(super) fn show_coordinator(&mut self, parts: &mut Parts<'_>) {
        let Some(claim) = self.claim() else {
            return;
        };
        let before = self.shown_coordinator;
        if before == Some((claim.id, claim.key)) {
            return;
        }
        self.shown_coordinator = Some((claim.id, claim.key));
        parts.cx.show(Event::Coordinator {
            id: claim.id,
            key: claim.key,
            previous: before.map(|(id, _)| id),
            own: claim.key == parts.cx.config.key,
        });
    }

    pub(super) fn on_view_request(&mut self, parts: &mut Parts<'_>, link: LinkId) {
        if self.vouched_coordinator(parts.cx, parts.mesh).is_none() {
            return;
        }
        let view = self.roster.to_view();
        let update = PeerUpdate {
            coordinator: view.coordinator,
            version: view.version,
            next_id: view.next_id,
            kind: UpdateKind::Whole,
            members: view.members,
            clock: self.own_clock(parts),
        };
        parts
            .cx
            .send(link, Class::Control, Message::PeerUpdate(update));
    }

    pub(super) fn on_peer_update(
        &mut self,
        parts: &mut Parts<'_>,
        link: LinkId,
        key: Key,
        mut update: PeerUpdate,
    ) {
        update.clock = parts.cx.believed(update.clock);
        let is_whole = update.kind == UpdateKind::Whole;
        let is_later = is_whole && self.asked_views.answers_later_question(link)
            || parts.cx.is_weakened(Weakness::EarlierViewsCount);
        let mine = self.coordinator.as_ref().map(|c| c.key);
        let named = !parts.cx.is_weakened(Weakness::NoNamedViews);
        if !matches!(self.standing, Standing::Member) {
            return;
        }
        if named && mine != Some(update.coordinator) {
            return;
        }
        parts.cx.observe(update.clock);
        if is_whole {
            // The coordinator's own, or a member's answer to a question; never a stranger's.
            let is_own_word = key == update.coordinator;
            if is_own_word || self.is_answer(parts, link, key) {
                self.on_whole_view(parts, update, is_own_word, is_later);
            }
            return;
        }
        if named && key != update.coordinator {
            return;
        }
        if named && self.asked_views.is_second_hand() {
            // What somebody else brought may be false: the coordinator is heard, and says it whole.
            return self.ask_for_view(parts, update.coordinator, Route::Link(link));
        }
        if named && update.version <= self.roster.version() {
            return;
        }
        if named && self.roster.version().checked_add(1) != Some(update.version) {
            self.note_heard_version(update.version);
            return self.ask_for_view(parts, update.coordinator, Route::Link(link));
        }
        if !self.apply_step(parts, update) {
            self.asked_views.hurry();
            self.ask_for_view(parts, key, Route::Link(link));
        }
    }

    /// A member brings the view that it was asked for.
    fn is_answer(&mut self, parts: &Parts<'_>, link: LinkId, key: Key) -> bool {
        let (now, patience) = (parts.cx.now.time, parts.cx.config.failure_timeout);
        let is_asked = self.asked_views.take_answer(link, now, patience)
            || parts.cx.is_weakened(Weakness::UnaskedViewsCount);
        is_asked && self.roster.contains(key)
    }

    /// A whole view comes that counts, as the answer to a question that was put since the view that is held came, or not.
    fn on_whole_view(
        &mut self,
        parts: &mut Parts<'_>,
        update: PeerUpdate,
        is_own_word: bool,
        is_later: bool,
    ) {
        let is_better = is_own_word
            && is_later
            && self.asked_views.is_second_hand()
            && (!self.is_earlier_view(parts, update.coordinator, update.version)
                || self.asked_views.is_said_again());
        if update.version <= self.roster.version()
            && self.roster.coordinator() == update.coordinator
            && !is_better
        {
            return;
        }
        self.note_heard_version(update.version);
        let view = View {
            coordinator: update.coordinator,
            version: update.version,
            next_id: update.next_id,
            members: update.members,
            left: Vec::new(),
            clock: 0,
        };
        if let Some(roster) = Roster::from_view(view) {
            self.asked_views.hold(!is_own_word);
            self.adopt_roster(parts, roster);
            self.version_seen = self.version_seen.max(self.roster.version());
            self.take_leader_from_view(parts);
            self.check_membership(parts);
        }
    }

    /// The coordinator has said an earlier view than the one that somebody else brought: it is asked again.
    pub(in crate::node) fn look_at_doubt(&mut self, parts: &mut Parts<'_>) {
        if let (Standing::Member, Some(leader)) = (&self.standing, self.leader())
            && self.asked_views.is_in_doubt()
        {
            self.ask_for_view(parts, leader, Route::Pointed);
        }
    }

    /// The coordinator may have left office, and taken another one under another id, while this
    /// node heard nothing: its id is the one in its view.
    fn take_leader_from_view(&mut self, parts: &mut Parts<'_>) {
        if let Some(mine) = &mut self.coordinator
            && let Some(entry) = self.roster.get(mine.key)
        {
            mine.id = entry.id;
            mine.addresses.clone_from(&entry.addresses);
            self.show_coordinator(parts);
        }
    }

    /// False if the step contradicts the view that is held.
    fn apply_step(&mut self, parts: &mut Parts<'_>, update: PeerUpdate) -> bool {
        let Some(member) = update.members.into_iter().next() else {
            return false;
        };
        let key = member.key;
        match update.kind {
            UpdateKind::Whole => return false,
            UpdateKind::Joined => {
                if !self.roster.insert(member.clone()) {
                    return false;
                }
                self.note_admission(key, update.clock);
                self.greet(parts, &member);
            }
            UpdateKind::Left | UpdateKind::Lost => {
                if key == update.coordinator {
                    return false;
                }
                let Some(member) = self.roster.remove(key) else {
                    return false;
                };
                // A coordinator that could not reach a leaver holds it for lost; whoever heard it leave does not.
                let said_so = update.kind == UpdateKind::Left || parts.mesh.has_left(key);
                let departure = if said_so {
                    Departure::Left
                } else {
                    Departure::Lost
                };
                self.part(parts, &member, departure);
            }
            UpdateKind::Renamed => {
                let Some(entry) = self.roster.get_mut(key) else {
                    return false;
                };
                let before = std::mem::replace(entry, member.clone());
                if before.id != member.id {
                    entry.id = before.id;
                    return false;
                }
                self.show_change(parts, &before, &member);
            }
        }
        self.roster.set_version(update.version);
        self.roster.never_below(update.next_id);
        self.version_seen = self.version_seen.max(update.version);
        self.check_membership(parts);
        true
    }

    /// A node that its coordinator's view lacks, or has with a nick or addresses that it has no
    /// more, asks in again over the link.
    pub(in crate::node) fn check_membership(&mut self, parts: &mut Parts<'_>) {
        let (nick, addresses) = (&parts.cx.config.nick, &parts.cx.config.addresses);
        let is_as_known = self
            .roster
            .get(parts.cx.config.key)
            .is_some_and(|m| m.nick == *nick && m.addresses == *addresses);
        if matches!(self.standing, Standing::Member) && !is_as_known {
            self.ask_coordinator(parts);
        }
    }

    /// A JOIN_REQUEST to one's own coordinator.
    pub(super) fn ask_coordinator(&mut self, parts: &mut Parts<'_>) {
        if self.leaving.is_some() {
            return;
        }
        if let (Standing::Member, Some(leader)) = (&self.standing, &self.coordinator) {
            let (key, addresses) = (leader.key, leader.addresses.clone());
            self.ask_at(parts, key, &addresses, 1);
            self.ask_through_neighbour(parts, key, super::relay::IN_VAIN);
        }
    }

    /// Who is not in the view now, and is expected back.
    pub(in crate::node) fn awaited(&self) -> impl Iterator<Item = &Member> {
        self.awaited.members()
    }

    /// The view has this member no more. False if it is gone, as far as this node knows.
    fn await_member(&mut self, parts: &Parts<'_>, member: &Member) -> bool {
        let is_here = is_here(parts, member.key);
        if is_here {
            self.awaited.insert(member, parts.cx.now.time);
        }
        is_here
    }

    /// This member is in the view. False if its user was never told that it was not.
    fn is_new_to_user(&mut self, parts: &mut Parts<'_>, member: &Member) -> bool {
        let Some(before) = self.awaited.take(member.key) else {
            return true;
        };
        // Its id may be another one's by now: the user learns the new one.
        let has_other_id = before.id != member.id;
        if !has_other_id {
            self.show_change(parts, &before, member);
        }
        has_other_id
    }

    /// Tells of those who are awaited in vain.
    pub(in crate::node) fn look_at_awaited(&mut self, parts: &mut Parts<'_>) {
        let patience = parts.cx.config.failure_timeout * timing::GAP_TIMEOUTS;
        let is_over = |key: Key, since| parts.cx.since(since) >= patience || !is_here(parts, key);
        for member in self.awaited.take_over(is_over) {
            let departure = if parts.mesh.has_left(member.key) {
                Departure::Left
            } else {
                Departure::Lost
            };
            self.show_departure(parts, member, departure);
        }
    }

    fn show_departure(&self, parts: &mut Parts<'_>, member: Member, departure: Departure) {
        if parts.talk.has_joined() {
            parts.cx.show(Event::MemberLeft(member, departure));
        }
    }
}

/// Linked with this node and alive, as far as it knows.
fn is_here(parts: &Parts<'_>, key: Key) -> bool {
    parts.mesh.is_alive(parts.cx, key) && !parts.mesh.is_dead(key) && !parts.mesh.has_left(key)
}

#[cfg(test)]
#[path = "view_test.rs"]
mod tests;
