//! The watches: on the coordinator by its members, on members by the coordinator, and being away oneself.
//!
//! Owns what a silence means for the group. Whether a link is silent, and asking others about it, is the
//! mesh's business.

use super::{Group, Parts, Standing};
use crate::node::{Time, Timer, Weakness};
use crate::timing;
use crate::wire::Key;

impl Group {
    pub(super) fn watch_coordinator(&self, parts: &mut Parts<'_>, key: Key) {
        let at = self.silent_from(parts, key) + parts.cx.config.failure_timeout;
        parts.cx.set_timer(Timer::Watch, at.max(parts.cx.now.time));
    }

    /// From when on a silence of the coordinator counts: from the last frame on its link, or from a HEARTBEAT that
    /// came since, but no more than one failure timeout later, since anybody can forge one. As long as they
    /// come, nothing else need be said on the link, and a pause must not count as longer than it is.
    fn silent_from(&self, parts: &Parts<'_>, key: Key) -> Time {
        let heard = parts.mesh.heard_from(parts.cx, key);
        let most = heard + parts.cx.config.failure_timeout * timing::BEATS_COUNT_TIMEOUTS;
        heard.max(self.last_beat.min(most))
    }

    /// Each heartbeat: as long as the coordinator is heard, the watch on it need not wake this node up.
    pub(in crate::node) fn put_off_watch(&self, parts: &mut Parts<'_>) {
        if let (Standing::Member, Some(leader)) = (&self.standing, &self.coordinator)
            && parts.mesh.suspicion(leader.key).is_none()
            && parts.cx.since(parts.mesh.heard_from(parts.cx, leader.key))
                < parts.cx.config.heartbeat * 2
        {
            self.watch_coordinator(parts, leader.key);
        }
    }

    /// The watch on the coordinator expired.
    pub(super) fn on_watch(&mut self, parts: &mut Parts<'_>) {
        let (Standing::Member, Some(leader)) = (&self.standing, &self.coordinator) else {
            return;
        };
        let key = leader.key;
        let (timeout, heartbeat) = (parts.cx.config.failure_timeout, parts.cx.config.heartbeat);
        if parts.cx.since(self.silent_from(parts, key)) < timeout {
            if !self.is_alarmed() {
                parts.mesh.clear_suspicion(key);
            }
            return self.watch_coordinator(parts, key);
        }
        self.end_alarm(parts, true);
        match parts.mesh.suspicion(key) {
            None => {
                self.suspect(parts, key);
                parts
                    .cx
                    .set_timer(Timer::Watch, parts.cx.now.time + heartbeat);
            }
            Some(s) if parts.cx.since(s.since) < heartbeat => {
                parts.cx.set_timer(Timer::Watch, s.since + heartbeat);
            }
            Some(s) if s.vouched && !self.is_mute(parts, key) => {
                parts.mesh.clear_suspicion(key);
                parts
                    .cx
                    .set_timer(Timer::Watch, parts.cx.now.time + timeout);
            }
            Some(s) if s.vouched => {
                self.lose_coordinator(
                    parts,
                    "the coordinator confirms nothing, whoever vouches for it",
                );
            }
            Some(_) => self.lose_coordinator(parts, "the coordinator fell silent"),
        }
    }

    /// Looks into the silence of this member.
    fn suspect(&self, parts: &mut Parts<'_>, key: Key) {
        let told = self.vouched_coordinator(parts.cx, parts.mesh);
        let _ = parts.mesh.suspect(parts.cx, key, told.clone());
        parts.mesh.ask_all(parts.cx, self, told);
    }

    /// The coordinator watches members as they watch it, with three times the patience.
    pub(in crate::node) fn watch_members(&mut self, parts: &mut Parts<'_>) {
        if !matches!(self.standing, Standing::Coordinator(_)) {
            return;
        }
        let patience = parts.cx.config.failure_timeout * timing::MEMBER_PATIENCE;
        for key in self.roster.keys() {
            if key == parts.cx.config.key
                || parts.cx.since(parts.mesh.heard_from(parts.cx, key)) < patience
            {
                continue;
            }
            match parts.mesh.suspicion(key) {
                None => self.suspect(parts, key),
                Some(s) if parts.cx.since(s.since) < parts.cx.config.heartbeat => {}
                Some(s) if s.vouched => {
                    parts.mesh.give_time(parts.cx, key);
                }
                Some(_) => {
                    parts
                        .cx
                        .note_lost(key, "it fell silent, and nobody hears it");
                    self.lose_member(parts, key);
                }
            }
        }
    }

    /// This node was away for longer than the failure time-out: the others may have gone on without
    /// it. It gives up office, gives everybody one fresh time-out, and asks in.
    pub(in crate::node) fn on_away(&mut self, parts: &mut Parts<'_>) {
        if parts.cx.is_weakened(Weakness::NoAwayRule) {
            return;
        }
        let now = parts.cx.now.time;
        parts.mesh.come_back(parts.cx);
        self.last_beat = now;
        parts.talk.come_back(parts.cx);
        self.ask_after_absence(parts);
    }
}

#[cfg(test)]
#[path = "watch_test.rs"]
mod tests;
