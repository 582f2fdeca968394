//! The early alarm: a coordinator whose host is gone, as after a power cut, is found out before the failure
//! timeout; one that is only slow, or whose packets get lost, is not.
//!
//! Owns what is known of the HEARTBEATs of this node's coordinator, and the silence that is being looked into.
//! A datagram only ever ends an alarm: it keeps no coordinator in office beyond the rule in `watch`, since
//! anybody can forge one. How others are asked and how one knocks is the mesh's business.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Group, Parts, Standing};
use crate::limits;
use crate::node::context::Context;
use crate::node::{Effect, Time, Timer, Weakness};
use crate::timing;
use crate::wire::{Datagram, Key};

/// A silence of the coordinator that is being looked into.
#[derive(Clone, Copy, Debug)]
struct Alarm {
    leader: Key,
    /// When the coordinator was last heard, on its link or by datagram.
    last_sign: Time,
    raised: Time,
    /// How often its HEARTBEAT was asked for.
    asked: u32,
    /// Since when it is known that this node is not cut off: somebody else was heard after the alarm.
    company: Option<Time>,
}

/// What is known of the coordinator's HEARTBEATs, and the alarm if there is one.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    /// Whose HEARTBEAT last came without being asked for, when, and from where.
    heard: Option<(Key, Time, SocketAddr)>,
    /// When a HEARTBEAT was last asked for.
    asked: Option<Time>,
    current: Option<Alarm>,
    /// The last sign of life before the silence that was looked into, and is for the rule in `watch` now.
    judged: Option<Time>,
    /// The answers to BEAT_REQUEST within one heartbeat: since when, and how many.
    answers: (Time, u32),
}

/// How long the coordinator may show no sign of life, if nothing speaks for it.
fn patience(cx: &Context) -> Duration {
    let beats = cx.config.heartbeat * timing::ALARM_HEARTBEAT_PERCENT / 100;
    beats.max(cx.config.failure_timeout * timing::ALARM_TIMEOUT_PERCENT / 100)
}

/// The pause between two questions.
fn step(cx: &Context) -> Duration {
    (patience(cx) / timing::ALARM_STEPS).max(timing::ALARM_STEP_MIN)
}

impl Alarms {
    /// The coordinator's HEARTBEAT came.
    pub(super) fn note_beat(&mut self, cx: &Context, leader: Key, from: SocketAddr) {
        // What comes because it was asked for says nothing about the way of those that were not.
        let is_answer = self.asked.is_some_and(|at| cx.since(at) < step(cx) * 2);
        if !is_answer || self.heard.is_none_or(|(key, ..)| key != leader) {
            self.heard = Some((leader, cx.now.time, from));
        }
    }

    /// True if this coordinator's HEARTBEATs come by themselves, as a rule.
    fn is_regular(&self, cx: &Context, leader: Key) -> bool {
        let lately = cx.config.heartbeat * timing::ALARM_BEATS_MISSED_MAX;
        (self.heard).is_some_and(|(key, at, _)| key == leader && cx.since(at) < lately)
    }

    /// There is no alarm any more; its timer is the caller's.
    pub(super) fn clear(&mut self) {
        self.current = None;
    }

    pub(super) fn is_raised(&self) -> bool {
        self.current.is_some()
    }
}

impl Group {
    fn last_sign(&self, parts: &Parts<'_>, leader: Key) -> Time {
        self.last_beat.max(parts.mesh.last_heard(parts.cx, leader))
    }

    /// True while a silence of the coordinator is being looked into.
    pub(in crate::node) fn is_alarmed(&self) -> bool {
        self.alarms.is_raised()
    }

    /// Each heartbeat, after the PINGs: if the coordinator missed a HEARTBEAT and says nothing, its link gets a
    /// PING, and without an answer the silence is looked into.
    pub(in crate::node) fn raise_alarm(&mut self, parts: &mut Parts<'_>) {
        let (Some(leader), true) = (self.leader(), self.is_member()) else {
            return;
        };
        let last_sign = self.last_sign(parts, leader);
        let most = parts.cx.config.heartbeat * timing::ALARM_SILENCE_PERCENT / 100;
        let is_silent = parts.cx.since(last_sign) > most;
        if self.is_alarmed()
            || self.alarms.judged == Some(last_sign)
            || patience(parts.cx) >= parts.cx.config.failure_timeout
            || !self.alarms.is_regular(parts.cx, leader)
            || !parts.mesh.can_knock()
            || !parts.mesh.is_alive(parts.cx, leader)
        {
            return;
        }
        if !is_silent {
            return self.look_sooner(parts, last_sign);
        }
        self.alarms.current = Some(Alarm {
            leader,
            last_sign,
            raised: parts.cx.now.time,
            asked: 0,
            company: None,
        });
        let told = self.vouched_coordinator(parts.cx, parts.mesh);
        parts.mesh.ping_unless_pinged(parts.cx, leader, told);
        // Mostly the PING is answered by then.
        let at = parts.cx.now.time + step(parts.cx) * 2;
        parts.cx.set_timer(Timer::Alarm, at);
    }

    /// A HEARTBEAT is missing, and something else was heard just now: the next look would be late.
    fn look_sooner(&self, parts: &mut Parts<'_>, last_sign: Time) {
        let heartbeat = parts.cx.config.heartbeat;
        let at = last_sign + heartbeat + heartbeat / 8;
        if parts.cx.since(self.last_beat) > heartbeat && at < parts.mesh.next_tick() {
            parts.mesh.set_next_tick(parts.cx, at);
        }
    }

    /// The alarm is over. With `judged`, the same silence raises no other.
    pub(super) fn end_alarm(&mut self, parts: &mut Parts<'_>, judged: bool) {
        let Some(alarm) = self.alarms.current.take() else {
            return;
        };
        parts.cx.cancel_timer(Timer::Alarm);
        parts.mesh.end_knock(parts.cx);
        parts.mesh.clear_suspicion(alarm.leader);
        if judged {
            self.alarms.judged = Some(alarm.last_sign);
        }
    }

    /// The next question about the coordinator, or what the answers to the last ones mean.
    pub(super) fn on_alarm_timer(&mut self, parts: &mut Parts<'_>) {
        let Some(mut alarm) = self.alarms.current else {
            return;
        };
        if self.last_sign(parts, alarm.leader) > alarm.last_sign {
            return self.end_alarm(parts, false);
        }
        if alarm.company.is_none() && self.has_company(parts, alarm) {
            alarm.company = Some(parts.cx.now.time);
        }
        // Its kernel answers, so its process is only slow; or others hear it, and only this node does not.
        let counts = !parts.cx.is_weakened(Weakness::NoSayOfNeighbours);
        let suspicion = parts.mesh.suspicion(alarm.leader);
        let is_vouched = counts && suspicion.is_some_and(|s| s.vouched);
        if is_vouched || parts.mesh.is_knock_answered() {
            return self.end_alarm(parts, true);
        }
        let is_asked = parts.cx.since(alarm.raised) >= step(parts.cx) * timing::ALARM_STEPS_MIN;
        let is_late = parts.cx.since(alarm.last_sign) >= patience(parts.cx);
        if !is_late || !is_asked || alarm.asked < timing::ALARM_ASKED_MIN {
            return self.look_into_silence(parts, alarm);
        }
        if counts && !self.is_alone(parts, alarm.leader) {
            let Some(company) = alarm.company else {
                // It is this node that is cut off.
                return self.end_alarm(parts, true);
            };
            // It was until just now, perhaps.
            if parts.cx.since(company) < step(parts.cx) * timing::ALARM_ASKED_MIN {
                return self.look_into_silence(parts, alarm);
            }
        }
        self.end_alarm(parts, true);
        self.give_up_silent(parts, alarm);
        self.lose_coordinator(parts, "the coordinator's host fell silent");
    }

    /// Nobody else is a member.
    fn is_alone(&self, parts: &Parts<'_>, leader: Key) -> bool {
        let me = parts.cx.config.key;
        let mut keys = self.roster.keys().into_iter();
        keys.all(|key| key == leader || key == me)
    }

    /// Somebody else was heard since the alarm.
    fn has_company(&self, parts: &Parts<'_>, alarm: Alarm) -> bool {
        let me = parts.cx.config.key;
        let mut others = self.roster.keys().into_iter();
        others.any(|key| {
            let heard = parts.mesh.last_heard(parts.cx, key);
            let is_linked = parts.mesh.link_to(key).is_some();
            key != me && key != alarm.leader && is_linked && heard > alarm.raised
        })
    }

    /// The coordinator counts as alive no more, nor do higher members that left their PING unanswered too: no
    /// election waits for them.
    fn give_up_silent(&self, parts: &mut Parts<'_>, alarm: Alarm) {
        parts.mesh.give_up(alarm.leader);
        for member in self.roster.members() {
            let is_silent = parts.mesh.last_heard(parts.cx, member.key) <= alarm.raised;
            if Some(member.id) > self.id && is_silent {
                parts.mesh.give_up(member.key);
            }
        }
    }

    fn look_into_silence(&mut self, parts: &mut Parts<'_>, mut alarm: Alarm) {
        let now = parts.cx.now.time;
        if alarm.asked == 0 {
            self.look_around(parts, alarm.leader);
        }
        alarm.asked += 1;
        let may_knock = !parts.cx.is_weakened(Weakness::NoKnock);
        if may_knock && alarm.asked % timing::ALARM_KNOCK_STEPS == 1 {
            parts.mesh.knock(parts.cx, alarm.leader);
        }
        let to = self.alarms.heard.map(|(_, _, from)| from);
        if let Some(to) = to.filter(|_| !parts.cx.is_weakened(Weakness::NoBeatRequests)) {
            let room = parts.cx.config.room.clone();
            let key = parts.cx.config.key;
            let datagram = Datagram::BeatRequest { room, key };
            parts.cx.out.push(Effect::Unicast { to, datagram });
            self.alarms.asked = Some(now);
        }
        self.alarms.current = Some(alarm);
        let at = now + step(parts.cx);
        parts.cx.set_timer(Timer::Alarm, at);
    }

    /// Asks neighbours about the coordinator, and PINGs them, and all that would take its office first: if they
    /// are heard, it is not this node that is cut off.
    fn look_around(&mut self, parts: &mut Parts<'_>, leader: Key) {
        let told = self.vouched_coordinator(parts.cx, parts.mesh);
        let mut links = parts.mesh.suspect(parts.cx, leader, told.clone());
        links.extend(self.higher(parts, Some(leader)));
        links.sort_unstable();
        links.dedup();
        parts.mesh.ping(parts.cx, links, told);
    }

    /// A member misses this node's HEARTBEAT: it gets one.
    pub(super) fn on_beat_request(&mut self, parts: &mut Parts<'_>, to: SocketAddr, asker: Key) {
        let in_office = matches!(self.standing, Standing::Coordinator(_));
        if !in_office || asker == parts.cx.config.key || !self.roster.contains(asker) {
            return;
        }
        let (since, count) = self.alarms.answers;
        self.alarms.answers = if parts.cx.since(since) >= parts.cx.config.heartbeat {
            (parts.cx.now.time, 1)
        } else if count < limits::BEAT_ANSWERS_MAX {
            (since, count + 1)
        } else {
            return;
        };
        let datagram = self.heartbeat(parts.cx);
        parts.cx.out.push(Effect::Unicast { to, datagram });
    }
}

#[cfg(test)]
#[path = "alarm_test.rs"]
mod tests;
