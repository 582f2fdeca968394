//! The ring: on which links a silence means something.
//!
//! Owns nothing but which links are watched: those with the neighbours in the circle of the members' ids,
//! and those with peers that are no members. A link with anybody else may be silent for ever, at no
//! cost: its silence counts from when something that wants an answer was said on it, or somebody
//! asked about its peer. It decides nothing of what a silence means.

use std::collections::BTreeSet;

use super::{Class, Coordinator, Interest, Key, Mesh, Time};
use crate::node::context::Context;
use crate::wire::{Member, Message};

/// How many neighbours a member watches on each side. One is enough: of members that vanish together, those
/// whose neighbour is left are noticed, and then everybody is asked.
const RING_NEIGHBOURS: usize = 1;

impl Mesh {
    /// Each heartbeat: the view may have changed, and with it who watches whom.
    pub(in crate::node) fn choose_watched(&mut self, cx: &Context, group: &impl Interest) {
        let neighbours = neighbours(group.members(), cx.config.key);
        let now = cx.now.time;
        for link in self.links.open_mut() {
            let is_watched = link.key.is_none_or(|key| {
                neighbours.as_ref().is_none_or(|near| near.contains(&key)) || !group.is_member(key)
            });
            link.watch(is_watched, now);
        }
    }

    /// Something that wants an answer was said on these links.
    pub(in crate::node) fn expect_answers(&mut self, cx: &mut Context) {
        let now = cx.now.time;
        for id in cx.asked.drain(..) {
            if let Some(link) = self.links.get_mut(id) {
                link.expect_from(now);
            }
        }
    }

    /// This member should have been heard since then.
    pub(in crate::node) fn expect_from(&mut self, key: Key, since: Time) {
        if let Some(link) = self.links.to_mut(key) {
            link.expect_from(since);
        }
    }

    /// Somebody doubts that this node and this peer hear each other, and has waited for a failure timeout.
    pub(in crate::node) fn expect_overdue(&mut self, cx: &Context, key: Key) {
        self.expect_from(key, cx.now.time.before(cx.config.failure_timeout));
    }

    /// Somebody is silent, and others may have vanished with it: everybody who was not heard lately is
    /// asked for a sign of life, and has no more time for it than those that were watched.
    pub(in crate::node) fn ask_all(
        &mut self,
        cx: &mut Context,
        group: &impl Interest,
        told: Option<Coordinator>,
    ) {
        let since = cx.now.time.before(cx.config.failure_timeout);
        let mut due = Vec::new();
        for (key, id, link) in self.links.open_links() {
            if group.is_member(key) && link.pinged.is_none() && link.heard < since {
                due.push(id);
            }
        }
        for id in &due {
            if let Some(link) = self.links.get_mut(*id) {
                link.expect_from(since);
            }
        }
        self.ping(cx, due, told);
    }

    /// Tells the coordinator of neighbours that this node does not hear, or has no link with, and that are
    /// not the coordinator's neighbours, too: it looks into the matter.
    pub(in crate::node) fn report_silent(
        &mut self,
        cx: &mut Context,
        group: &impl Interest,
        leader: Option<Key>,
    ) {
        let Some(leader) = leader.filter(|key| *key != cx.config.key) else {
            return;
        };
        let Some(to) = self.links.open_to(leader) else {
            return;
        };
        let members = group.members();
        let (Some(own), Some(watched)) = (
            neighbours(members, cx.config.key),
            neighbours(members, leader),
        ) else {
            return;
        };
        let mut silent = own;
        silent.retain(|key| *key != leader && !watched.contains(key) && self.is_missing(cx, *key));
        for key in silent {
            cx.send(to, Class::Control, Message::Probe(key));
        }
    }

    /// This neighbour has been silent, or without a link, for the failure timeout, and nobody has vouched
    /// for it for as long.
    fn is_missing(&self, cx: &Context, key: Key) -> bool {
        let lately = |at: &Time| cx.since(*at) < cx.config.failure_timeout;
        let is_apart = self.silent_since.get(&key).is_none_or(|at| !lately(at));
        let is_gone = match self.links.to(key) {
            Some(link) => link.is_silent(cx),
            None => is_apart || self.dead.contains(key),
        };
        is_gone && !self.vouched_since.get(&key).is_some_and(lately)
    }
}

/// The neighbours of a member in the circle of the members' ids; none if it is no member, or everybody is
/// its neighbour.
fn neighbours(members: &[Member], of: Key) -> Option<BTreeSet<Key>> {
    let count = members.len();
    let at = members.iter().position(|m| m.key == of)?;
    if count <= 2 * RING_NEIGHBOURS + 1 {
        return None;
    }
    let near = (1..=RING_NEIGHBOURS).flat_map(|d| [(at + d) % count, (at + count - d) % count]);
    Some(near.map(|i| members[i].key).collect())
}

#[cfg(test)]
#[path = "ring_test.rs"]
mod tests;
