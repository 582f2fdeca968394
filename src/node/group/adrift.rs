//! Coming in again: asking a coordinator in that was heard of, or one's own after an absence, and what follows
//! when nobody answers.
//!
//! Owns the steps of a node that once belonged to the room; the question itself is `asking`'s, and a node that
//! never belonged is `join`'s. It never follows anybody: what an answer does is `join`'s and `view`'s business.

use super::asking::Asking;
use super::{Group, Parts, Standing};
use crate::node::{Class, Time, Timer};
use crate::timing;
use crate::wire::{Coordinator, Key, Message};

impl Group {
    /// A higher coordinator, or one that was pointed to: asks in there, again and again as long as
    /// somebody vouches for it.
    pub(super) fn ask_in(&mut self, parts: &mut Parts<'_>, target: Coordinator) {
        if self.leaving.is_some() {
            return;
        }
        let now = parts.cx.now.time;
        if let Some(asking) = &mut self.asking
            && asking.outranks(&target, now)
        {
            return;
        }
        self.charge_for_asking(parts);
        self.question += 1;
        self.asking = Some(Asking::new(target, now));
        self.step_asking(parts);
    }

    pub(super) fn step_asking(&mut self, parts: &mut Parts<'_>) {
        let patience = parts.cx.config.failure_timeout + timing::DISCOVERY_WINDOW;
        self.charge_for_asking(parts);
        let Some(asking) = &mut self.asking else {
            return;
        };
        let (key, addresses) = (asking.target.key, asking.target.addresses.clone());
        let vouchers = Self::vouchers_of(parts, key).into_iter();
        let is_linked = parts.mesh.is_proven(parts.cx, key);
        asking.note_vouchers(vouchers.chain(is_linked.then_some(key)));
        let vouchers = asking.vouchers().to_vec();
        let is_own = self.leader() == Some(key);
        let has_credit = |voucher: &Key| !self.is_doubted_on(parts.cx, *voucher, key);
        let is_unknown = vouchers.is_empty() && !self.is_long_leaderless(parts.cx);
        let is_believed = is_own || is_unknown || vouchers.iter().any(has_credit);
        let Some(asking) = &mut self.asking else {
            return;
        };
        if asking.unvouched(parts.cx.now.time) >= patience
            || !is_believed
            || parts.mesh.has_left(key)
            || parts.mesh.is_dead(key)
        {
            return self.stop_asking(parts);
        }
        let attempt = asking.next_attempt();
        self.ask_at(parts, key, &addresses, u64::from(attempt));
        self.ask_through_neighbour(parts, key, u64::from(attempt));
        self.arm_join(parts, timing::JOIN_RETRY * attempt);
    }

    /// Gives up on the coordinator that was asked. Without one of its own this node turns to the
    /// other that it heard of meanwhile: as long as somebody coordinates, nobody elects.
    pub(super) fn stop_asking(&mut self, parts: &mut Parts<'_>) {
        let asking = self.asking.take();
        if !matches!(self.standing, Standing::Adrift { .. }) {
            return;
        }
        let (now, timeout) = (parts.cx.now.time, parts.cx.config.failure_timeout);
        match asking.and_then(|a| a.instead(now, timeout)) {
            Some(other) => self.ask_in(parts, other),
            None => self.step_adrift(parts),
        }
    }

    /// Without a coordinator, and nobody answers: takes the office up again, or elects.
    pub(super) fn step_adrift(&mut self, parts: &mut Parts<'_>) {
        let Standing::Adrift { until, held_office } = self.standing else {
            return;
        };
        if parts.cx.now.time < until {
            self.ask_everybody(parts);
            let left = until.since(parts.cx.now.time);
            return parts.cx.set_timer(
                Timer::Join,
                parts.cx.now.time + left.min(timing::JOIN_RETRY),
            );
        }
        if self.leaving.is_some() {
            return;
        }
        if held_office {
            self.take_office(parts, "nobody took over while this node was away");
        } else {
            self.start_election(parts, "nobody vouches for a coordinator", false, None);
        }
    }

    fn ask_everybody(&mut self, parts: &mut Parts<'_>) {
        self.multicast_request(parts, 1);
        let links = parts.mesh.all_open();
        let request = self.request(parts, 1);
        parts
            .cx
            .send_many(links, Class::Control, Message::JoinRequest(request));
    }

    /// This node was away: it gives up office and asks in.
    pub(super) fn ask_after_absence(&mut self, parts: &mut Parts<'_>) {
        let until = parts.cx.now.time + timing::DISCOVERY_WINDOW;
        self.away_until = until;
        match &mut self.standing {
            Standing::Gone => {}
            Standing::Seeking(seek) => {
                seek.begin_again(parts.cx.now.time, until);
                self.step_seeking(parts);
            }
            Standing::Member => {
                if let Some(target) = self.coordinator.clone() {
                    self.watch_coordinator(parts, target.key);
                    self.asking = None;
                    self.ask_in(parts, target);
                }
                // It is the same question, and has the same number.
                self.multicast_request(parts, 1);
            }
            Standing::Coordinator(_) => self.drift(parts, until, true),
            Standing::Electing(_) => self.drift(parts, until, false),
            Standing::Adrift { held_office, .. } => {
                let held_office = *held_office;
                self.drift(parts, until, held_office);
            }
        }
    }

    /// Gives up what it holds and asks around until then.
    pub(super) fn drift(&mut self, parts: &mut Parts<'_>, until: Time, held_office: bool) {
        self.end_election(parts, "others may have gone on without this node");
        self.coordinator = None;
        self.leaderless = None;
        self.asking = None;
        self.question += 1;
        let why = "others may have gone on without it";
        self.enter(parts.cx, Standing::Adrift { until, held_office }, why);
        self.step_adrift(parts);
    }
}
