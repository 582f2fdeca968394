//! Letting nodes in: who asks to be let in, and what becomes of it.
//!
//! Owns which joiners a coordinator has dialled, and who was let in lately. It never decides who coordinates:
//! whoever is not in office points on to whoever is. How the places are shared out is `places`' business, and
//! how the step of the view is told to the others `office`'s.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::{Group, Parts, Route, Standing};
use crate::limits;
use crate::node::mesh::Link;
use crate::node::roster::{ID_MAX, VERSION_HEARD_MAX};
use crate::node::{Class, LinkId, Time, Weakness};
use crate::wire::{
    Address, Claim, Coordinator, JoinRequest, JoinResponse, Key, Member, Message, UpdateKind,
    VERSION,
};

/// Who is on the way in.
#[derive(Debug, Default)]
pub(super) struct Guests {
    /// Joiners that were dialled, and what they asked for.
    dialled: BTreeMap<Key, JoinRequest>,
    /// Who was let in lately, and when.
    welcomed: BTreeMap<Key, Time>,
}

impl Guests {
    /// This one is not on the way in any more.
    pub(super) fn forget(&mut self, key: Key) {
        self.dialled.remove(&key);
    }

    /// When this one was let in, if that was lately.
    pub(super) fn welcomed(&self, key: Key) -> Option<Time> {
        self.welcomed.get(&key).copied()
    }

    /// This one is let in; who was let in so long ago is forgotten.
    fn welcome(&mut self, key: Key, now: Time, lately: Duration) {
        self.welcomed.retain(|_, at| now.since(*at) < lately);
        self.welcomed.insert(key, now);
    }
}

impl Group {
    pub(super) fn on_join_datagram(
        &mut self,
        parts: &mut Parts<'_>,
        from: SocketAddr,
        request: JoinRequest,
    ) {
        if request.room != parts.cx.config.room
            || request.version != VERSION
            || request.key == parts.cx.config.key
        {
            return;
        }
        let rival = request.id.is_none()
            && request.key > parts.cx.config.key
            && !parts.cx.is_weakened(Weakness::NoTieBreak);
        let may_found_first = parts.cx.is_weakened(Weakness::AskersMayFoundFirst);
        match &mut self.standing {
            Standing::Seeking(seek) if rival => seek.extend(),
            Standing::Coordinator(_) => self.consider_request(parts, from, request),
            Standing::Member if request.attempt > 0 => {
                self.refer_asker(parts, from, &request);
                self.offer_link(parts, from, &request);
            }
            Standing::Electing(_) if request.attempt > 0 && !may_found_first => {
                self.refer_asker(parts, from, &request);
            }
            _ => {}
        }
    }

    /// A request on a link: the coordinator lets its sender in, others point to the coordinator. Nobody asks
    /// for somebody else, who would be renamed, or a member, by that.
    pub(super) fn on_join_request(
        &mut self,
        parts: &mut Parts<'_>,
        link: LinkId,
        key: Key,
        request: &JoinRequest,
    ) {
        if request.key != key && !parts.cx.is_weakened(Weakness::AnybodyAsksForOthers) {
            return;
        }
        if matches!(self.standing, Standing::Coordinator(_)) {
            self.consider_asker(parts, link, request.key, request);
        } else if self.claim().is_some() {
            self.refer_on_link(parts, link, key);
        }
    }

    /// Says on this link who coordinates, if this node can vouch for it.
    pub(super) fn refer_on_link(&self, parts: &mut Parts<'_>, link: LinkId, key: Key) {
        let told = self.vouched_coordinator(parts.cx, parts.mesh);
        if let Some(told) = told.filter(|told| told.key != key) {
            parts.cx.send(link, Class::Control, Message::Referral(told));
        }
    }

    /// This node coordinates: whoever asks is let in, but a higher coordinator is asked itself.
    pub(super) fn consider_asker(
        &mut self,
        parts: &mut Parts<'_>,
        link: LinkId,
        key: Key,
        request: &JoinRequest,
    ) {
        let Some(claim) = self.claim().filter(|_| request.version == VERSION) else {
            return;
        };
        match request.id {
            Some(id) if request.office && (Claim { id, key }) > claim => {
                let told = Coordinator {
                    id,
                    key,
                    addresses: request.addresses.clone(),
                    version: request.view_version,
                };
                self.hear_claim(parts, &told, Route::Link(link));
            }
            _ => self.admit(parts, link, key, request),
        }
    }

    /// A JOIN_REQUEST by datagram: its sender is dialled, at the datagram's own source address only.
    pub(super) fn consider_request(
        &mut self,
        parts: &mut Parts<'_>,
        from: SocketAddr,
        request: JoinRequest,
    ) {
        let key = request.key;
        let link = parts.mesh.open_to(key);
        let link = link.filter(|_| parts.mesh.is_alive(parts.cx, key));
        if let Some(link) = link.filter(|_| parts.mesh.is_proven(parts.cx, key)) {
            return self.on_join_request(parts, link, key, &request);
        }
        let Standing::Coordinator(office) = &mut self.standing else {
            return;
        };
        if office.guests().dialled.len() >= limits::MEMBERS_MAX || request.port == 0 {
            return;
        }
        // With the scope that a link-local source has.
        let mut at = from;
        at.set_port(request.port);
        let at = Address(at);
        office.guests().dialled.insert(key, request);
        // It has dialled this node, and may not hear it.
        if link.is_some() {
            return;
        }
        parts.mesh.dial(parts.cx, key, &[at], false);
        if !parts.mesh.is_dialling(key) {
            self.on_unreachable(key);
        }
    }

    /// A link opened, or its peer hears this node: if it is a joiner's, the joiner is let in on it. Who does
    /// not hear this node would be a member for as long as it is not missed, and again and again.
    pub(in crate::node) fn admit_if_dialled_for(
        &mut self,
        parts: &mut Parts<'_>,
        link: LinkId,
        key: Key,
    ) {
        let is_proven = parts.mesh.link(link).is_some_and(Link::is_proven);
        if let Standing::Coordinator(office) = &mut self.standing
            && is_proven
            && let Some(request) = office.guests().dialled.remove(&key)
        {
            self.on_join_request(parts, link, key, &request);
        }
    }

    /// A dial came to nothing at all of its addresses.
    pub(in crate::node) fn on_unreachable(&mut self, key: Key) {
        if let Standing::Coordinator(office) = &mut self.standing {
            office.guests().forget(key);
        }
    }

    /// Lets a node in: same key, same id; the id that it brings unless a present member has it.
    pub(super) fn admit(
        &mut self,
        parts: &mut Parts<'_>,
        link: LinkId,
        key: Key,
        request: &JoinRequest,
    ) {
        if parts.mesh.has_left(key) {
            return;
        }
        if let Standing::Coordinator(office) = &mut self.standing {
            office.keep(key);
        }
        let version = request.view_version.min(VERSION_HEARD_MAX);
        self.version_seen = self.version_seen.max(version);
        match self.roster.get(key).cloned() {
            Some(known) => self.refresh(parts, known, request),
            None => {
                if let Some(greedy) = self.greedy(parts, link) {
                    return Self::explain_greedy(parts, link, &request.nick, greedy);
                }
                if !self.add_member(parts, key, request) {
                    return Self::explain_full(parts, link, &request.nick);
                }
            }
        }
        let Some(id) = self.roster.get(key).map(|m| m.id) else {
            return;
        };
        let response = JoinResponse {
            id,
            view: self.roster.to_view(),
            clock: self.admission_clock(key),
            newest: parts.talk.history().newest(),
            floor: {
                let (talk, lent) = self.talk(parts);
                talk.complete_above(&lent)
            },
            lost: parts.talk.former_members(),
            no: request.no,
        };
        parts
            .cx
            .send(link, Class::Control, Message::JoinResponse(response));
        let (now, timeout) = (parts.cx.now.time, parts.cx.config.failure_timeout);
        if let Standing::Coordinator(office) = &mut self.standing {
            office.guests().welcome(key, now, timeout);
        }
    }

    /// The clock that a member was let in with; 0 if this node has not heard of it.
    fn admission_clock(&self, key: Key) -> u64 {
        self.admissions.get(&key).copied().unwrap_or(0)
    }

    /// A member was let in with this clock, by this node or by its coordinator, which may die before the
    /// newcomer has its answer.
    pub(super) fn note_admission(&mut self, key: Key, clock: u64) {
        let roster = &self.roster;
        self.admissions.retain(|key, _| roster.contains(*key));
        self.admissions.insert(key, clock);
    }

    fn add_member(&mut self, parts: &mut Parts<'_>, key: Key, request: &JoinRequest) -> bool {
        let brings = request
            .id
            .filter(|id| (1..=ID_MAX).contains(id) && self.roster.believes(*id));
        if self.roster.believes(request.next_id) {
            self.roster.never_below(request.next_id);
        }
        let id = brings
            .filter(|id| !self.roster.has_id(*id))
            .unwrap_or_else(|| self.roster.fresh_id());
        let member = Member {
            id,
            key,
            nick: request.nick.clone(),
            addresses: self.member_addresses(key, &request.addresses),
        };
        if !self.roster.insert(member.clone()) {
            return false;
        }
        let clock = self.own_clock(parts);
        self.note_admission(key, clock);
        self.step(parts, UpdateKind::Joined, member, Some(key));
        true
    }

    /// A member asks in again, perhaps with another nick or other addresses.
    fn refresh(&mut self, parts: &mut Parts<'_>, known: Member, request: &JoinRequest) {
        let addresses = self.member_addresses(known.key, &request.addresses);
        let nick = request.nick.clone();
        self.change_member(parts, known, nick, addresses);
    }
}

#[cfg(test)]
#[path = "admission_test.rs"]
mod tests;
