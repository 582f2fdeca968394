//! Claims: who coordinates, as heard by whatever route, and what follows when two claims meet.
//!
//! The higher claim wins: a node that hears it asks that coordinator to be let in, and changes over only
//! once it is; a node that hears a lower one answers with its own coordinator's.
//!
//! Owns the rules by which a claim counts. How the other coordinator is asked is `join`'s; nobody is let
//! in here.

use std::net::SocketAddr;

use super::{Group, Parts, Standing};
use crate::node::context::Context;
use crate::node::mesh::{Link, Mesh};
use crate::node::{Class, Effect, LinkId, Weakness};
use crate::timing;
use crate::wire::{Coordinator, Datagram, Key, Message};

/// How a claim came here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Route {
    /// On a link, first-hand: its peer is the coordinator, or has a live link with it.
    Link(LinkId),
    /// In the coordinator's own datagram.
    Beat(SocketAddr),
    /// In an answer to a question of ours.
    Pointed,
}

impl Group {
    /// The coordinator that this node may vouch for: itself, or one whose link is alive.
    pub(in crate::node) fn vouched_coordinator(
        &self,
        cx: &Context,
        mesh: &Mesh,
    ) -> Option<Coordinator> {
        let c = self.coordinator.as_ref()?;
        match self.standing {
            Standing::Coordinator(_) => Some(self.own_office(cx)),
            Standing::Member
                if mesh.is_alive(cx, c.key)
                    && self.resigned.is_none()
                    && self.roster.contains(cx.config.key) =>
            {
                let version = self.roster.version();
                let c = c.clone();
                Some(Coordinator { version, ..c })
            }
            _ => None,
        }
    }

    /// The coordinator of which a newcomer is told, so that it founds no room of its own: also one that is silent just
    /// now, or said that it holds its office no more, as this node waits to hear who holds it.
    pub(super) fn followed_coordinator(&self, cx: &Context) -> Option<Coordinator> {
        let is_member = matches!(self.standing, Standing::Member)
            && !cx.is_weakened(Weakness::OnlyTheLiveAreNamed);
        let followed = self.coordinator.clone().filter(|_| is_member);
        followed.map(|c| Coordinator {
            version: self.roster.version(),
            ..c
        })
    }

    /// This node's office as it tells others of it.
    pub(super) fn own_office(&self, cx: &Context) -> Coordinator {
        Coordinator {
            id: self.id.unwrap_or(0),
            key: cx.config.key,
            addresses: cx.config.addresses.clone(),
            version: self.roster.version(),
        }
    }

    /// This coordinator's HEARTBEAT.
    pub(super) fn heartbeat(&self, cx: &Context) -> Datagram {
        Datagram::Heartbeat {
            room: cx.config.room.clone(),
            coordinator: self.own_office(cx),
            members: self.roster.members().len() as u64,
            nick: Some(cx.config.nick.clone()),
        }
    }

    pub(super) fn on_heartbeat(
        &mut self,
        parts: &mut Parts<'_>,
        from: SocketAddr,
        told: &Coordinator,
        nick: Option<String>,
    ) {
        if told.key == parts.cx.config.key {
            return;
        }
        self.note_nick(parts, told.key, nick);
        if self.coordinator.as_ref().is_some_and(|c| c.key == told.key) {
            self.last_beat = parts.cx.now.time;
            self.alarms.note_beat(parts.cx, told.key, from);
        }
        self.hear_claim(parts, told, Route::Beat(from));
        self.has_beat |= self.leader() == Some(told.key);
    }

    /// A peer says who coordinates for it.
    pub(in crate::node) fn on_told(
        &mut self,
        parts: &mut Parts<'_>,
        id: LinkId,
        key: Key,
        told: Option<Coordinator>,
    ) {
        // What still comes on a link that was replaced was said before the new one was opened.
        if parts.mesh.open_to(key) != Some(id) {
            return;
        }
        let now = parts.cx.now.time;
        let before = parts.mesh.replace_told(id, None);
        let Some(told) = told else {
            return self.hear_of_no_office(parts, key);
        };
        let is_mine = self.leader() == Some(key);
        if told.key == key && (is_mine || parts.cx.is_weakened(Weakness::AnyOfficeCounts)) {
            self.resigned = None;
        }
        parts.mesh.replace_told(id, Some((told.clone(), now)));
        let news = before.is_none_or(|(b, at)| {
            b.key != told.key || parts.cx.since(at) >= timing::CLAIM_ANSWER_EVERY
        });
        if !self.claims_travel(parts) {
            return;
        }
        if self.hear_resignation(parts, key, &told) {
            return;
        }
        self.drop_if_defected(parts, key, told.key);
        self.hear_claim_on_link(parts, &told, id, news);
    }

    /// My coordinator itself says that it holds no office. It may be asking around after an
    /// absence, and take it up again: that is waited for.
    fn hear_of_no_office(&mut self, parts: &mut Parts<'_>, key: Key) {
        let mine = self.coordinator.as_ref().is_some_and(|c| c.key == key);
        if !mine || !matches!(self.standing, Standing::Member) {
            return;
        }
        let since = *self.resigned.get_or_insert(parts.cx.now.time);
        if parts.cx.since(since) >= parts.cx.config.failure_timeout {
            self.lose_coordinator(parts, "the coordinator holds the office no more");
        }
    }

    /// My coordinator itself says that it follows somebody else: it holds the office no more.
    fn hear_resignation(&mut self, parts: &mut Parts<'_>, key: Key, told: &Coordinator) -> bool {
        let resigned = self.coordinator.as_ref().is_some_and(|c| c.key == key)
            && matches!(self.standing, Standing::Member)
            && told.key != key;
        if resigned && told.key == parts.cx.config.key && self.may_be_dated(parts) {
            self.hear_of_no_office(parts, key);
        } else if resigned && told.key == parts.cx.config.key {
            // Each took the other for the coordinator.
            self.lose_coordinator(parts, "the coordinator follows this node");
        } else if resigned {
            self.note_version(told);
            self.drift(parts, parts.cx.now.time + timing::DISCOVERY_WINDOW, false);
            self.ask_in(parts, told.clone());
        }
        resigned
    }

    /// True if what the coordinator says on its link may be older than the view here, which came by way of others: a
    /// word that was held up names who held the office before.
    fn may_be_dated(&self, parts: &Parts<'_>) -> bool {
        self.asked_views.is_second_hand() && !parts.cx.is_weakened(Weakness::DatedWordsCount)
    }

    /// A peer that was asked in vain points to its coordinator. If it is the one that this node
    /// took for its own, that is a resignation: with questions and such answers the link is never
    /// silent, and no PING would tell.
    pub(super) fn on_referral(&mut self, parts: &mut Parts<'_>, key: Key, told: &Coordinator) {
        if !self.claims_travel(parts) || !self.hear_resignation(parts, key, told) {
            self.hear_claim(parts, told, Route::Pointed);
        }
    }

    fn hear_claim_on_link(
        &mut self,
        parts: &mut Parts<'_>,
        told: &Coordinator,
        id: LinkId,
        news: bool,
    ) {
        if self.is_lower(told) && !news {
            return;
        }
        self.hear_claim(parts, told, Route::Link(id));
    }

    fn is_lower(&self, told: &Coordinator) -> bool {
        self.coordinator
            .as_ref()
            .is_some_and(|c| c.key != told.key && told.claim() < c.claim())
    }

    /// Somebody says that this one coordinates. If its process was seen to have ended, others only
    /// notice that within the failure time-out: who is vouched for after that lives, and it was a
    /// firewall that refused.
    pub(super) fn doubt_death(&mut self, parts: &mut Parts<'_>, key: Key) {
        let late = parts.cx.config.failure_timeout + parts.cx.config.heartbeat;
        if (parts.mesh.dead_since(key)).is_some_and(|at| parts.cx.since(at) > late) {
            parts.mesh.revive(key);
        }
    }

    /// What a claim means here.
    pub(super) fn hear_claim(&mut self, parts: &mut Parts<'_>, told: &Coordinator, route: Route) {
        if told.key == parts.cx.config.key || told.id == 0 || told.id > crate::node::roster::ID_MAX
        {
            return;
        }
        self.doubt_death(parts, told.key);
        if parts.mesh.has_left(told.key)
            || (parts.mesh.is_dead(told.key) && !parts.mesh.is_alive(parts.cx, told.key))
        {
            return self.hear_of_gone(parts);
        }
        let counts = self.counts(parts, told, route);
        if let Some(asking) = &mut self.asking
            && asking.is_to(told.key)
            && counts
        {
            asking.vouch(&told.addresses, parts.cx.now.time);
        }
        match (&self.standing, &self.coordinator) {
            (Standing::Gone, _) => {}
            (Standing::Seeking(_), _) if counts => self.hear_of_group(parts, told, route),
            (_, Some(mine)) if mine.key == told.key => self.hear_of_own(parts, told, route),
            // A lower one is answered all the same.
            (_, mine)
                if !counts && mine.as_ref().is_none_or(|mine| told.claim() > mine.claim()) =>
            {
                self.dial_unreached(parts, told);
            }
            (_, Some(mine)) if told.claim() > mine.claim() => {
                self.note_version(told);
                if parts.cx.is_weakened(Weakness::NoWaitForJoinResponse) {
                    self.enter(parts.cx, Standing::Member, "a higher claim");
                    self.coordinator = Some(told.clone());
                    return self.watch_coordinator(parts, told.key);
                }
                self.ask_in(parts, told.clone());
            }
            (_, Some(_)) => {
                self.answer_claim(parts, route);
                if matches!(route, Route::Beat(_)) {
                    self.offer_link_to_lower(parts, told);
                }
            }
            (Standing::Adrift { .. }, None) => {
                self.note_version(told);
                self.ask_in(parts, told.clone());
            }
            (Standing::Electing(_), None) if self.is_from_member(parts, route) => {
                self.hear_while_electing(parts, told, route);
            }
            (_, None) => {}
        }
    }

    /// What a stranger says does not hold up an election.
    fn is_from_member(&self, parts: &Parts<'_>, route: Route) -> bool {
        let Route::Link(id) = route else {
            return true;
        };
        let key = parts.mesh.link(id).and_then(Link::key);
        key.is_some_and(|k| self.roster.contains(k))
    }

    pub(super) fn note_version(&mut self, told: &Coordinator) {
        self.note_heard_version(told.version);
    }

    /// A view of this version is heard of; what no group comes to is not believed.
    pub(super) fn note_heard_version(&mut self, version: u64) {
        let version = version.min(crate::node::roster::VERSION_HEARD_MAX);
        self.version_seen = self.version_seen.max(version);
    }

    /// My own coordinator, as somebody knows it.
    fn hear_of_own(&mut self, parts: &mut Parts<'_>, told: &Coordinator, route: Route) {
        self.note_version(told);
        if let Some(mine) = &mut self.coordinator
            && matches!(self.standing, Standing::Member)
        {
            mine.addresses.clone_from(&told.addresses);
        }
        let is_own_word =
            matches!(route, Route::Link(id) if parts.mesh.open_to(told.key) == Some(id));
        let is_in_doubt = is_own_word && self.asked_views.is_second_hand();
        let is_newer = told.version > self.roster.version();
        if (is_newer || is_in_doubt) && matches!(self.standing, Standing::Member) {
            self.ask_for_view(parts, told.key, route);
        }
    }

    /// Asks the coordinator for its view, or the member that mentioned it, where the coordinator is
    /// out of reach. A stranger's answer is not believed, and a silent link brings none: either
    /// question would keep this node from asking a member in time. Who is a stranger only because this
    /// view is old passes a question on, and the coordinator's own answer back.
    pub(super) fn ask_for_view(&mut self, parts: &mut Parts<'_>, leader: Key, route: Route) {
        let to = match (parts.mesh.open_to(leader), route) {
            (Some(id), _) if parts.mesh.is_alive(parts.cx, leader) => id,
            (_, Route::Link(id)) if self.is_from_member(parts, route) => id,
            (_, Route::Link(_)) => return self.ask_own_again(parts),
            _ => return,
        };
        if self
            .asked_views
            .last()
            .is_none_or(|t| parts.cx.since(t) >= timing::CLAIM_ANSWER_EVERY)
        {
            self.asked_views.put(to, parts.cx.now.time);
            parts.cx.send(to, Class::Control, Message::ViewRequest);
        }
    }

    /// Asks one's own coordinator in again, by way of others if need be.
    pub(super) fn ask_own_again(&mut self, parts: &mut Parts<'_>) {
        if !parts.cx.is_weakened(Weakness::NoAskingPastStrangers)
            && let Some(own) = self.coordinator.clone()
        {
            self.ask_in(parts, own);
        }
    }

    /// Electing, and a neighbour names a live coordinator: not the one just lost, whose death
    /// others only notice later, unless it speaks itself.
    fn hear_while_electing(&mut self, parts: &mut Parts<'_>, told: &Coordinator, route: Route) {
        let lost = match &self.standing {
            Standing::Electing(election) => election.lost,
            _ => None,
        };
        let first_hand =
            matches!(route, Route::Link(id) if parts.mesh.open_to(told.key) == Some(id));
        let voucher = match route {
            Route::Link(id) => parts.mesh.link(id).and_then(Link::key),
            Route::Beat(_) | Route::Pointed => None,
        };
        let counts = voucher.is_none_or(|peer| self.may_name(parts, peer, told.key));
        if (lost != Some(told.key) || first_hand || parts.mesh.is_alive(parts.cx, told.key))
            && counts
            && !self.is_forced()
        {
            self.note_version(told);
            self.stand_down(parts, told.clone(), voucher);
        }
    }

    /// Tells whoever made a lower claim of my own coordinator.
    fn answer_claim(&mut self, parts: &mut Parts<'_>, route: Route) {
        let Some(coordinator) = self.vouched_coordinator(parts.cx, parts.mesh) else {
            return;
        };
        match route {
            Route::Link(id) => self.tell_claim(parts, vec![id]),
            Route::Beat(to) if matches!(self.standing, Standing::Coordinator(_)) => {
                let room = parts.cx.config.room.clone();
                let datagram = Datagram::Referral { room, coordinator };
                parts.cx.out.push(Effect::Unicast { to, datagram });
            }
            Route::Beat(to) => self.refer_claimant(parts, to),
            Route::Pointed => {}
        }
    }

    /// The highest claim that a live member told within the failure time-out, of somebody else
    /// than `lost`, and who told it.
    pub(super) fn best_told(&self, parts: &Parts<'_>, lost: Key) -> Option<(Coordinator, Key)> {
        parts
            .mesh
            .open_links()
            .filter(|(k, _, _)| self.roster.contains(*k))
            .filter(|(_, _, l)| !l.is_silent(parts.cx))
            .filter_map(|(k, _, l)| Some((k, l.told()?)))
            .filter(|(k, (c, _))| self.may_name(parts, *k, c.key))
            .filter(|(_, (c, at))| {
                c.key != lost
                    && c.key != parts.cx.config.key
                    && !parts.mesh.is_dead(c.key)
                    && !parts.mesh.has_left(c.key)
                    && parts.cx.since(*at) < parts.cx.config.failure_timeout
            })
            .map(|(k, (c, _))| (c.clone(), k))
            .max_by_key(|(c, _)| c.claim())
    }
}

#[cfg(test)]
#[path = "claims_test.rs"]
mod tests;
