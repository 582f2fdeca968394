//! Peers that do not keep up: live chat is withheld, they are told once their queue is empty, and
//! live chat resumes at the end of the SYNC that they then ask for.
//!
//! Owns when it is withheld and when it resumes. It must never resume with a gap: what was withheld
//! has come with the chunks.

use std::time::Duration;

use super::links::{Link, Stage};
use super::{Class, LinkId, Message, Node, Time};
use crate::limits::{CHASE_MESSAGES_MAX, STALL_MS};
use crate::wire::Position;

/// For how long a peer that catches up stops stdin without asking for more.
const STALL: Duration = Duration::from_millis(STALL_MS);

impl Node {
    /// A peer's queue is full.
    pub(super) fn on_congested(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id) {
            link.behind = true;
            link.told_behind = None;
        }
    }

    /// It is empty again.
    pub(super) fn on_drained(&mut self, id: LinkId) {
        let now = self.now.time;
        if let Some(link) = self.links.get_mut(id)
            && link.stage == Stage::Open
        {
            link.told_behind = Some(now);
            self.send(id, Class::Chat, Message::Behind);
        }
    }

    /// A peer whose SYNC broke off is told again that it is behind.
    pub(super) fn remind_of_being_behind(&mut self) {
        let pause = self.config.failure_timeout * 2;
        let late = |l: &Link| l.told_behind.is_some_and(|t| self.since(t) >= pause);
        let open = self.links.open_links();
        let ids: Vec<LinkId> = open
            .filter(|(_, _, l)| l.behind && late(l))
            .map(|(_, id, _)| id)
            .collect();
        for id in ids {
            self.on_drained(id);
        }
    }

    /// The peer has everything up to now once it has read what is queued: live chat resumes. Not
    /// while its queue is full still: nobody would say again that it is, and it would grow on.
    pub(super) fn has_caught_up(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id)
            && link.told_behind.is_some()
        {
            link.behind = false;
            // Others that chase say so with their next question.
            self.chased = None;
        }
    }

    /// A peer asked for more, and has everything up to here by now.
    pub(super) fn note_chase(&mut self, id: LinkId, next: Position) {
        if !self.links.get(id).is_some_and(|l| l.behind) {
            return;
        }
        let above = self.history.digest_above(next);
        if above.is_some_and(|(_, lacks)| lacks <= CHASE_MESSAGES_MAX) {
            self.chased = Some(self.now.time);
        }
    }

    /// Until when stdin is to wait for peers that are behind and about to catch up. Who writes as
    /// fast as it can would else be fetched from for ever, chunk by chunk and each peer on its own,
    /// though all could keep up with it.
    #[must_use]
    pub fn chased_until(&self, now: Time) -> Option<Time> {
        let chased = self.chased.map(|at| at + STALL).filter(|at| *at > now);
        chased.max(self.lagging_until(now))
    }
}

#[cfg(test)]
#[path = "behind_test.rs"]
mod tests;
