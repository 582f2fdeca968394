//! Referrals: whoever asks by a datagram for a coordinator is told of this node's, after a random time, so that a
//! room does not answer all at once.
//!
//! Owns the answers that are due. Which coordinator is named, and whether one is, say [`super::claims`]; nobody is let
//! in here.

use std::net::SocketAddr;

use super::{Group, Parts};
use crate::limits;
use crate::node::{Effect, Time, Timer, Weakness};
use crate::timing;
use crate::wire::{Datagram, JoinRequest};

/// A datagram that is to be answered with the coordinator's claim.
#[derive(Debug)]
struct DueReferral {
    at: Time,
    to: SocketAddr,
    /// Whoever asked never belonged to a group, and founds a room of its own at this time.
    founds: Option<Time>,
}

/// The answers that are due, in limits.
#[derive(Debug, Default)]
pub(super) struct Referrals(Vec<DueReferral>);

impl Referrals {
    #[cfg(debug_assertions)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// One answer more, unless somebody there is answered anyway, or too many are due.
    fn add(&mut self, due: DueReferral) {
        if self.0.len() < limits::REFERRALS_MAX && self.0.iter().all(|other| other.to != due.to) {
            self.0.push(due);
        }
    }

    /// When the next one is due.
    fn next(&self) -> Option<Time> {
        self.0.iter().map(|due| due.at).min()
    }

    /// Takes out what is due now.
    fn take_due(&mut self, now: Time) -> Vec<DueReferral> {
        let (due, rest) = self.0.drain(..).partition(|due| due.at <= now);
        self.0 = rest;
        due
    }
}

impl Group {
    /// Answers the HEARTBEAT of somebody with a lower claim.
    pub(super) fn refer_claimant(&mut self, parts: &mut Parts<'_>, to: SocketAddr) {
        let at = parts.cx.now.time + parts.cx.jitter(timing::JOIN_RETRY);
        self.refer_at(parts, (at, to), None);
    }

    /// Answers the JOIN_REQUEST of somebody who asked before: in a part of the time after which it asks again, and
    /// sooner if it asks no more.
    pub(super) fn refer_asker(
        &mut self,
        parts: &mut Parts<'_>,
        to: SocketAddr,
        request: &JoinRequest,
    ) {
        let (now, retry) = (parts.cx.now.time, timing::JOIN_RETRY);
        let is_new = request.id.is_none();
        let asks_no_more =
            is_new && request.attempt.saturating_add(1) >= timing::JOIN_REQUESTS.into();
        let is_soon = asks_no_more && !parts.cx.is_weakened(Weakness::AskersMayFoundFirst);
        let within = if is_soon { retry / 4 } else { retry };
        let at = now + parts.cx.jitter(within);
        let founds = is_new.then(|| now + timing::DISCOVERY_WINDOW);
        self.refer_at(parts, (at, to), founds);
    }

    fn refer_at(
        &mut self,
        parts: &mut Parts<'_>,
        (at, to): (Time, SocketAddr),
        founds: Option<Time>,
    ) {
        self.referrals.add(DueReferral { at, to, founds });
        self.arm_referrals(parts);
    }

    fn arm_referrals(&mut self, parts: &mut Parts<'_>) {
        if let Some(at) = self.referrals.next() {
            parts.cx.set_timer(Timer::Referral, at);
        }
    }

    pub(super) fn on_referral_timer(&mut self, parts: &mut Parts<'_>) {
        let now = parts.cx.now.time;
        let vouched = self.vouched_coordinator(parts.cx, parts.mesh);
        let followed = self.followed_coordinator(parts.cx);
        for due in self.referrals.take_due(now) {
            let followed = followed.clone().filter(|_| due.founds.is_some());
            if let Some(coordinator) = vouched.clone().or(followed) {
                let room = parts.cx.config.room.clone();
                let (to, datagram) = (due.to, Datagram::Referral { room, coordinator });
                parts.cx.out.push(Effect::Unicast { to, datagram });
            } else if self.is_electing() && due.founds.is_some_and(|at| now < at) {
                // It is told whoever is elected, before it founds a room of its own.
                let at = now + timing::REFERRAL_RETRY;
                self.referrals.add(DueReferral { at, ..due });
            }
        }
        self.arm_referrals(parts);
    }
}

#[cfg(test)]
#[path = "referrals_test.rs"]
mod tests;
