//! Words that are overdue: what was shown as delivered although a member that had been lost said nothing of it.
//!
//! Owns, for each such member, of which own messages its word is still to come, and how many it has called missed
//! since. It may be back in a moment: whoever leaves waits for it so long, and its author learns what it missed. It
//! never decides what is delivered, or for how long anybody is waited for.

use std::collections::BTreeMap;

use super::{Lent, Talk};
use crate::limits::MEMBERS_MAX;
use crate::node::context::Context;
use crate::node::history::Ranges;
use crate::node::mesh::Mesh;
use crate::node::roster::Roster;
use crate::node::{Event, Time, Weakness};
use crate::timing::OVERDUE_KEPT;
use crate::wire::{Ack, Key, Member};

/// The messages of which members that were lost have said nothing, in limits: of a member that has none here,
/// nothing is due.
#[derive(Debug, Default)]
pub(super) struct Overdue {
    due: BTreeMap<Key, Due>,
    /// How many messages each has called missed since, and the user was not told.
    missed: BTreeMap<Key, u64>,
}

/// What one member has said nothing of.
#[derive(Debug, Default)]
struct Due {
    seqs: Ranges,
    /// When the last of it was shown as delivered.
    since: Time,
}

/// What a confirmation says of what was overdue, in messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Settled {
    /// Of how many it says anything.
    pub(super) all: u64,
    /// How many of these were missed.
    pub(super) missed: u64,
}

impl Overdue {
    /// This member's word on these is still to come.
    pub(super) fn await_word(&mut self, key: Key, (first, last): (u64, u64), now: Time) {
        if self.due.len() < MEMBERS_MAX || self.due.contains_key(&key) {
            let due = self.due.entry(key).or_default();
            due.seqs.insert_range(first, last);
            due.since = now;
        }
    }

    /// Nothing more is due from anybody else than these, and who was lost for long.
    pub(super) fn tidy(&mut self, now: Time, is_member: impl Fn(Key) -> bool) {
        let is_young = |due: &Due| now.since(due.since) < OVERDUE_KEPT;
        (self.due).retain(|key, due| is_member(*key) || is_young(due));
    }

    /// A confirmation has come.
    pub(super) fn settle(&mut self, key: Key, ack: &Ack) -> Settled {
        let Some(due) = self.due.get_mut(&key) else {
            return Settled::default();
        };
        let said = due.seqs.within(ack.from, ack.seq);
        // What it has is none of what it calls missed, which may name a message twice.
        let mut has = said.clone();
        for (first, last) in &ack.missed {
            has.remove_range(*first, *last);
        }
        let settled = Settled {
            all: said.len(),
            missed: said.len() - has.len(),
        };
        due.seqs.subtract(&said);
        if due.seqs.is_empty() {
            self.due.remove(&key);
        }
        if settled.missed > 0 {
            *self.missed.entry(key).or_default() += settled.missed;
        }
        settled
    }

    /// On how many messages this member's word is still to come.
    pub(super) fn of(&self, key: Key) -> u64 {
        self.due.get(&key).map_or(0, |due| due.seqs.len())
    }

    /// Who has called how many missed since the last call.
    pub(super) fn take_missed(&mut self) -> BTreeMap<Key, u64> {
        std::mem::take(&mut self.missed)
    }
}

impl Talk {
    /// A member that was lost says something of what was shown as delivered meanwhile.
    pub(super) fn settle_overdue(&mut self, lent: &mut Lent<'_>, key: Key, ack: &Ack) {
        let settled = self.overdue.settle(key, ack);
        if settled.all > 0 {
            // It goes on taking in what it lacks.
            self.stability.goes_on(key, lent.cx.now.time);
        }
        if settled.missed > 0 {
            self.count_missed(lent, &[key], settled.missed);
        }
    }

    /// Each heartbeat: the user learns who was away, and has missed some of what was said meanwhile.
    pub(super) fn look_at_overdue(&mut self, lent: &mut Lent<'_>) {
        let view = &lent.view;
        self.overdue
            .tidy(lent.cx.now.time, |key| view.contains(key));
        for (key, count) in self.overdue.take_missed() {
            let nick = self.misser(key).map(|member| member.nick.clone());
            let nick = nick.unwrap_or_else(|| key.to_string());
            let lines = if count == 1 { "line" } else { "lines" };
            lent.cx.show(Event::Warning(format!(
                "{nick} was away, and has missed {count} {lines} of this node"
            )));
        }
    }

    /// Who was lost a moment ago, may be back in another, and has not said whether it has all that this node wrote.
    fn late_members<'a>(&'a self, cx: &Context, mesh: &'a Mesh) -> impl Iterator<Item = Key> + 'a {
        let is_weak = cx.is_weakened(Weakness::LostAreNotAwaited);
        let is_gone = move |key| is_weak || mesh.has_left(key) || mesh.is_dead(key);
        let is_due = move |key| self.overdue.of(key) > 0 || self.delivery.waits_for(key);
        let returning = self.stability.returning_keys();
        returning.filter(move |key| !is_gone(*key) && is_due(*key))
    }

    /// True if somebody that was lost a moment ago may come back, and has not said whether it has all that this node
    /// wrote.
    pub(in crate::node) fn awaits_lost(&self, cx: &Context, mesh: &Mesh) -> bool {
        self.late_members(cx, mesh).next().is_some()
    }

    /// Who is waited for so, though nothing that is not delivered waits for it, and on how many messages at most one's
    /// word is due.
    pub(in crate::node) fn late(&self, cx: &Context, mesh: &Mesh) -> (u64, Vec<Member>) {
        let late = self.late_members(cx, mesh);
        let late: Vec<Key> = late.filter(|key| !self.delivery.waits_for(*key)).collect();
        let most = late.iter().map(|key| self.overdue.of(*key)).max();
        let members = mesh.lost().filter(|m| late.contains(&m.key));
        (most.unwrap_or(0), members.cloned().collect())
    }

    /// Who was lost, may be back some time, and has not said whether it has so many of what this node wrote.
    pub(in crate::node) fn unheard_of(&self, view: &Roster, mesh: &Mesh) -> Vec<(Member, u64)> {
        let known = view.members().iter().chain(mesh.lost());
        let there = known.filter(|m| !mesh.has_left(m.key) && !mesh.is_dead(m.key));
        let due = there.map(|m| (m.clone(), self.overdue.of(m.key)));
        due.filter(|(_, count)| *count > 0).collect()
    }
}

#[cfg(test)]
#[path = "overdue_test.rs"]
mod tests;
