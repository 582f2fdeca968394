//! Peers that do not keep up: live chat is withheld, they are told once their queue is empty, and
//! live chat resumes at the end of the SYNC that they then ask for.
//!
//! Owns when it is withheld and when it resumes. It must never resume with a gap: what was withheld
//! has come with the chunks.

use super::delivery::counts;
use super::source::may_link_soon;
use super::{Lent, Talk};
use crate::limits::CHASE_MESSAGES_MAX;
use crate::node::context::Context;
use crate::node::mesh::{Link, Mesh};
use crate::node::roster::Roster;
use crate::node::{Class, LinkId, Time};
use crate::timing;
use crate::wire::{Message, Position};

impl Talk {
    /// A peer's queue, which was full, is empty again.
    pub(in crate::node) fn on_drained(&mut self, lent: &mut Lent<'_>, id: LinkId) {
        if lent.mesh.tell_behind(id, lent.cx.now.time) {
            lent.cx.send(id, Class::Chat, Message::Behind);
            self.tell_word(lent, id);
        }
    }

    /// A peer whose SYNC broke off is told again that it is behind.
    pub(in crate::node) fn remind_of_being_behind(&mut self, lent: &mut Lent<'_>) {
        let pause = lent.cx.config.failure_timeout * 2;
        let late = |l: &Link| l.told_behind().is_some_and(|t| lent.cx.since(t) >= pause);
        let open = lent.mesh.open_links();
        let ids: Vec<LinkId> = open
            .filter(|(_, _, l)| l.is_behind() && late(l))
            .map(|(_, id, _)| id)
            .collect();
        for id in ids {
            self.on_drained(lent, id);
        }
    }

    /// The peer has everything up to now once it has read what is queued: live chat resumes. Not
    /// while its queue is full still: nobody would say again that it is, and it would grow on.
    pub(super) fn has_caught_up(&mut self, lent: &mut Lent<'_>, id: LinkId) {
        if lent.mesh.catch_up(id) {
            // Others that chase say so with their next question.
            self.chased = None;
            // What was withheld it has from others, perhaps, who are believed as far as this node's word goes.
            self.tell_word(lent, id);
        }
    }

    /// A peer asked for more, and has everything up to here by now.
    pub(super) fn note_chase(&mut self, lent: &mut Lent<'_>, id: LinkId, next: Position) {
        if !lent.mesh.is_behind(id) {
            return;
        }
        let above = self.history.count_above(next);
        if above.is_some_and(|lacks| lacks <= CHASE_MESSAGES_MAX) {
            self.chased = Some(lent.cx.now.time);
        }
    }

    /// Until when stdin is to wait for peers that are behind and about to catch up, or not linked yet. Who writes
    /// as fast as it can would else be fetched from for ever, chunk by chunk and each peer on its own,
    /// though all could keep up with it.
    pub(in crate::node) fn chased_until(
        &self,
        cx: &Context,
        (view, mesh): (&Roster, &Mesh),
        now: Time,
    ) -> Option<Time> {
        let chased = self.chased.map(|at| at + timing::STALL);
        let joined = self.joined_at.map(|at| at + timing::LINKS_AWAITED);
        let is_to_come = |until: &Time| *until > now;
        let linked = joined.filter(is_to_come);
        let linked = linked.filter(|_| may_link_soon(cx, view, mesh));
        let counts = |key| counts(view, mesh, key);
        let lagging = self.lagging_until(cx, counts, now);
        chased.filter(is_to_come).max(linked).max(lagging)
    }
}

#[cfg(test)]
#[path = "lagging_test.rs"]
mod tests;
