//! Claims: who coordinates, as heard by whatever route, and what follows when two claims meet.
//!
//! The higher claim wins: who hears it asks in there and changes over only when let in; who hears a
//! lower one answers with its own coordinator's.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Class, Coordinator, Effect, Key, LinkId, Node, Standing, Timer};
use crate::wire::{Datagram, Message};

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

/// How often one claim is answered on one link or to one address.
const ANSWER_EVERY: Duration = Duration::from_millis(250);

impl Node {
    /// The coordinator that this node may vouch for: itself, or one whose link is alive.
    pub(super) fn vouched_coordinator(&self) -> Option<Coordinator> {
        let c = self.coordinator.as_ref()?;
        match self.standing {
            Standing::Coordinator(_) => Some(self.own_office()),
            Standing::Member
                if self.is_alive(c.key)
                    && self.resigned.is_none()
                    && self.roster.contains(self.config.key) =>
            {
                let (version, next_id) = (self.roster.version, self.roster.next_id);
                let c = c.clone();
                Some(Coordinator {
                    version,
                    next_id,
                    ..c
                })
            }
            _ => None,
        }
    }

    /// This node's office as it tells others of it.
    pub(super) fn own_office(&self) -> Coordinator {
        Coordinator {
            id: self.id.unwrap_or(0),
            key: self.config.key,
            addresses: self.config.addresses.clone(),
            version: self.roster.version,
            next_id: self.roster.next_id,
        }
    }

    pub(super) fn on_heartbeat(&mut self, from: SocketAddr, told: &Coordinator) {
        if told.key == self.config.key {
            return;
        }
        if self.coordinator.as_ref().is_some_and(|c| c.key == told.key) {
            self.last_beat = self.now.time;
        }
        self.hear_claim(told, Route::Beat(from));
        if self.coordinator.as_ref().is_some_and(|c| c.key == told.key) {
            self.tick_with_beat();
        }
    }

    /// A peer says who coordinates for it.
    pub(super) fn on_told(&mut self, id: LinkId, key: Key, told: Option<Coordinator>) {
        // What still comes on a link that was replaced was said before the new one was opened.
        if self.links.open_to(key) != Some(id) {
            return;
        }
        let now = self.now.time;
        let before = self.links.get_mut(id).and_then(|l| l.told.take());
        let Some(told) = told else {
            return self.hear_of_no_office(key);
        };
        if told.key == key {
            self.resigned = None;
        }
        if let Some(link) = self.links.get_mut(id) {
            link.told = Some((told.clone(), now));
        }
        let news = before.is_none_or(|(b, at)| b.key != told.key || self.since(at) >= ANSWER_EVERY);
        if !self.claims_travel() {
            return;
        }
        if self.hear_resignation(key, &told) {
            return;
        }
        self.drop_if_defected(key, told.key);
        self.hear_claim_on_link(&told, id, news);
    }

    /// My coordinator itself says that it holds no office. It may be asking around after an
    /// absence, and take it up again: that is waited for.
    fn hear_of_no_office(&mut self, key: Key) {
        let mine = self.coordinator.as_ref().is_some_and(|c| c.key == key);
        if !mine || !matches!(self.standing, Standing::Member) {
            return;
        }
        let since = *self.resigned.get_or_insert(self.now.time);
        if self.since(since) >= self.config.failure_timeout {
            self.lose_coordinator("the coordinator holds the office no more");
        }
    }

    /// My coordinator itself says that it follows somebody else: it holds the office no more.
    fn hear_resignation(&mut self, key: Key, told: &Coordinator) -> bool {
        let resigned = self.coordinator.as_ref().is_some_and(|c| c.key == key)
            && matches!(self.standing, Standing::Member)
            && told.key != key;
        if resigned && told.key == self.config.key {
            // Each took the other for the coordinator.
            self.lose_coordinator("the coordinator follows this node");
        } else if resigned {
            self.note_version(told);
            self.drift(self.now.time + super::join::WINDOW, false);
            self.ask_in(told.clone());
        }
        resigned
    }

    /// A peer that was asked in vain points to its coordinator. If it is the one that this node
    /// took for its own, that is a resignation: with questions and such answers the link is never
    /// silent, and no PING would tell.
    pub(super) fn on_referral(&mut self, key: Key, told: &Coordinator) {
        if !self.claims_travel() || !self.hear_resignation(key, told) {
            self.hear_claim(told, Route::Pointed);
        }
    }

    fn hear_claim_on_link(&mut self, told: &Coordinator, id: LinkId, news: bool) {
        if self.is_lower(told) && !news {
            return;
        }
        self.hear_claim(told, Route::Link(id));
    }

    fn is_lower(&self, told: &Coordinator) -> bool {
        self.coordinator
            .as_ref()
            .is_some_and(|c| c.key != told.key && told.claim() < c.claim())
    }

    /// Somebody says that this one coordinates. If its process was seen to have ended, others only
    /// notice that within the failure time-out: who is vouched for after that lives, and it was a
    /// firewall that refused.
    pub(super) fn doubt_death(&mut self, key: Key) {
        let late = self.config.failure_timeout + self.config.heartbeat;
        if self.dead.since(key).is_some_and(|at| self.since(at) > late) {
            self.dead.remove(key);
        }
    }

    /// What a claim means here.
    pub(super) fn hear_claim(&mut self, told: &Coordinator, route: Route) {
        if told.key == self.config.key || told.id == 0 || told.id > super::roster::ID_MAX {
            return;
        }
        self.doubt_death(told.key);
        if self.left.contains(told.key)
            || (self.dead.contains(told.key) && !self.is_alive(told.key))
        {
            return;
        }
        if let Some(asking) = &mut self.asking
            && asking.target.key == told.key
        {
            asking.vouched = self.now.time;
            asking.target.addresses.clone_from(&told.addresses);
        }
        match (&self.standing, &self.coordinator) {
            (Standing::Gone, _) => {}
            (Standing::Seeking(_), _) => self.hear_of_group(told, route),
            (_, Some(mine)) if mine.key == told.key => self.hear_of_own(told, route),
            (_, Some(mine)) if told.claim() > mine.claim() => {
                self.note_version(told);
                if self.config.weakened == Some(super::Weakness::NoWaitForJoinResponse) {
                    self.cancel_timer(Timer::Heartbeat);
                    self.standing = Standing::Member;
                    self.coordinator = Some(told.clone());
                    return self.watch_coordinator(told.key);
                }
                self.ask_in(told.clone());
            }
            (_, Some(_)) => {
                self.answer_claim(route);
                if matches!(route, Route::Beat(_)) {
                    self.offer_link_to_lower(told);
                }
            }
            (Standing::Adrift { .. }, None) => {
                self.note_version(told);
                self.ask_in(told.clone());
            }
            (Standing::Electing(_), None) if self.is_from_member(route) => {
                self.hear_while_electing(told, route);
            }
            (_, None) => {}
        }
    }

    /// What a stranger says does not hold up an election.
    fn is_from_member(&self, route: Route) -> bool {
        let Route::Link(id) = route else {
            return true;
        };
        let key = self.links.get(id).and_then(|l| l.key);
        key.is_some_and(|k| self.roster.contains(k))
    }

    pub(super) fn note_version(&mut self, told: &Coordinator) {
        let version = told.version.min(super::roster::VERSION_HEARD_MAX);
        self.version_seen = self.version_seen.max(version);
    }

    /// My own coordinator, as somebody knows it.
    fn hear_of_own(&mut self, told: &Coordinator, route: Route) {
        self.note_version(told);
        if let Some(mine) = &mut self.coordinator
            && matches!(self.standing, Standing::Member)
        {
            mine.addresses.clone_from(&told.addresses);
        }
        if told.version > self.roster.version && matches!(self.standing, Standing::Member) {
            self.ask_for_view(told.key, route);
        }
    }

    /// Asks the coordinator for its view, or the member that mentioned it, where the coordinator is
    /// out of reach. A stranger's answer is not believed, and a silent link brings none: either
    /// question would keep this node from asking a member in time. Who is a stranger only because this
    /// view is old passes a question on, and the coordinator's own answer back.
    pub(super) fn ask_for_view(&mut self, leader: Key, route: Route) {
        let to = match (self.links.open_to(leader), route) {
            (Some(id), _) if self.is_alive(leader) => id,
            (_, Route::Link(id)) if self.is_from_member(route) => id,
            (_, Route::Link(_)) => return self.ask_own_again(),
            _ => return,
        };
        if self
            .view_asked
            .is_none_or(|t| self.since(t) >= ANSWER_EVERY)
        {
            self.view_asked = Some(self.now.time);
            self.send(to, Class::Control, Message::ViewRequest);
        }
    }

    /// Asks one's own coordinator in again, by way of others if need be.
    fn ask_own_again(&mut self) {
        if self.config.weakened != Some(super::Weakness::NoAskingPastStrangers)
            && let Some(own) = self.coordinator.clone()
        {
            self.ask_in(own);
        }
    }

    /// Electing, and a neighbour names a live coordinator: not the one just lost, whose death
    /// others only notice later, unless it speaks itself.
    fn hear_while_electing(&mut self, told: &Coordinator, route: Route) {
        let lost = match &self.standing {
            Standing::Electing(election) => election.lost,
            _ => None,
        };
        let first_hand =
            matches!(route, Route::Link(id) if self.links.open_to(told.key) == Some(id));
        if (lost != Some(told.key) || first_hand || self.is_alive(told.key)) && !self.is_forced() {
            self.note_version(told);
            self.stand_down(told.clone());
        }
    }

    /// Tells whoever made a lower claim of my own coordinator.
    fn answer_claim(&mut self, route: Route) {
        let Some(coordinator) = self.vouched_coordinator() else {
            return;
        };
        match route {
            Route::Link(id) => self.tell_claim(vec![id]),
            Route::Beat(to) if matches!(self.standing, Standing::Coordinator(_)) => {
                let room = self.config.room.clone();
                let datagram = Datagram::Referral { room, coordinator };
                self.out.push(Effect::Unicast { to, datagram });
            }
            Route::Beat(to) => self.refer_later(to),
            Route::Pointed => {}
        }
    }

    /// Answers a datagram with my coordinator's claim, after a random part of the retry interval.
    pub(super) fn refer_later(&mut self, to: SocketAddr) {
        if self.referrals.len() >= super::join::REFERRALS_MAX
            || self.referrals.iter().any(|(_, a)| *a == to)
        {
            return;
        }
        let at = self.now.time + self.jitter(super::join::RETRY);
        self.referrals.push((at, to));
        self.arm_referrals();
    }

    fn arm_referrals(&mut self) {
        if let Some(at) = self.referrals.iter().map(|(at, _)| *at).min() {
            self.set_timer(Timer::Referral, at);
        }
    }

    pub(super) fn on_referral_timer(&mut self) {
        let now = self.now.time;
        let (due, rest): (Vec<_>, Vec<_>) = self.referrals.drain(..).partition(|(t, _)| *t <= now);
        self.referrals = rest;
        if let Some(coordinator) = self.vouched_coordinator() {
            for (_, to) in due {
                let (room, coordinator) = (self.config.room.clone(), coordinator.clone());
                let datagram = Datagram::Referral { room, coordinator };
                self.out.push(Effect::Unicast { to, datagram });
            }
        }
        self.arm_referrals();
    }

    /// The highest claim that a live member told within the failure time-out, of somebody else
    /// than `lost`.
    pub(super) fn best_told(&self, lost: Key) -> Option<Coordinator> {
        self.links
            .open_links()
            .filter(|(k, _, _)| self.roster.contains(*k))
            .filter(|(_, _, l)| self.since(l.heard) < self.config.failure_timeout)
            .filter_map(|(_, _, l)| l.told.as_ref())
            .filter(|(c, at)| {
                c.key != lost
                    && c.key != self.config.key
                    && !self.dead.contains(c.key)
                    && !self.left.contains(c.key)
                    && self.since(*at) < self.config.failure_timeout
            })
            .map(|(c, _)| c.clone())
            .max_by_key(Coordinator::claim)
    }
}
