//! Signs of life on the links: PINGs, and asking neighbours about somebody silent (indirect probes, SWIM,
//! Das et al. 2002).
//!
//! Owns the PINGs and the silences that are being looked into. What follows from a silence is the group's
//! business.

use super::{Class, Coordinator, Interest, Key, LinkId, Mesh, Time, Weakness};
use crate::limits;
use crate::node::context::Context;
use crate::wire::Message;

/// How many neighbours are asked about a silent peer (SWIM's k).
const PROBE_FANOUT: usize = 8;

/// A silence that is being looked into.
#[derive(Clone, Copy, Debug)]
pub(in crate::node) struct Suspect {
    pub(in crate::node) since: Time,
    /// A neighbour has heard it since.
    pub(in crate::node) vouched: bool,
}

impl Mesh {
    /// Each heartbeat: PINGs on links that are silent although something is expected on them, carrying the
    /// coordinator that this node may vouch for. `hurry`: the coordinator, if its datagrams are missing.
    pub(in crate::node) fn ping_silent_links(
        &mut self,
        cx: &mut Context,
        hurry: Option<Key>,
        vouched: Option<Coordinator>,
    ) {
        // Where ticks are rare, half the time-out may pass just after one: the answer to the PING of
        // the next one must still come in time.
        let (timeout, heartbeat) = (cx.config.failure_timeout, cx.config.heartbeat);
        let enough = (timeout / 2).min((timeout * 3 / 4).saturating_sub(heartbeat));
        let mut due = Vec::new();
        for (key, id, link) in self.links.open_links() {
            let silence = link.silence(cx);
            // Of a pair that look at each other at the same time, one is a little earlier.
            let enough = if cx.config.key < key {
                (enough / 2).max(enough.saturating_sub(heartbeat / 2))
            } else {
                enough
            };
            let hurry = Some(key) == hurry && silence >= cx.config.heartbeat;
            if link.pinged.is_none() && (silence >= enough || hurry) {
                due.push(id);
            }
        }
        self.ping(cx, due, vouched);
    }

    /// PINGs these peers, and tells them so who coordinates.
    pub(in crate::node) fn ping(
        &mut self,
        cx: &mut Context,
        links: Vec<LinkId>,
        coordinator: Option<Coordinator>,
    ) {
        for id in &links {
            let now = cx.now.time;
            if let Some(link) = self.links.get_mut(*id) {
                link.pinged.get_or_insert(now);
            }
        }
        cx.counters.pings += links.len() as u64;
        cx.send_many(links, Class::Control, Message::Ping { coordinator });
    }

    /// PINGs this peer, unless a PING is unanswered already.
    pub(in crate::node) fn ping_unless_pinged(
        &mut self,
        cx: &mut Context,
        key: Key,
        coordinator: Option<Coordinator>,
    ) {
        if self.links.to(key).is_some_and(|l| l.pinged.is_none())
            && let Some(id) = self.links.open_to(key)
        {
            self.ping(cx, vec![id], coordinator);
        }
    }

    /// When this peer was last heard, on its link or before it lost it.
    pub(in crate::node) fn last_heard(&self, cx: &Context, key: Key) -> Time {
        let linked = self.links.to(key).map(|l| l.heard);
        linked
            .or_else(|| self.silent_since.get(&key).copied())
            .unwrap_or(cx.now.time)
    }

    /// Since when the silence of this peer counts: when it was last heard, on its link or before it lost it,
    /// when something was expected of it, or when others last vouched for it.
    pub(in crate::node) fn heard_from(&self, cx: &Context, key: Key) -> Time {
        let linked = self.links.to(key).map(|l| l.silent_from(cx.now.time));
        let silent = linked.or_else(|| self.silent_since.get(&key).copied());
        let vouched = self.vouched_since.get(&key).copied();
        silent.max(vouched).unwrap_or(cx.now.time)
    }

    /// Sends one PING, and asks neighbours, whose links are returned; the silence is believed a heartbeat
    /// later.
    pub(in crate::node) fn suspect(
        &mut self,
        cx: &mut Context,
        key: Key,
        told: Option<Coordinator>,
    ) -> Vec<LinkId> {
        let since = cx.now.time;
        let vouched = false;
        self.suspects.insert(key, Suspect { since, vouched });
        if let Some(id) = self.links.open_to(key) {
            self.ping(cx, vec![id], told);
        }
        if cx.is_weakened(Weakness::NoIndirectProbe) {
            return Vec::new();
        }
        let mut neighbours: Vec<LinkId> = self
            .links
            .open_links()
            .filter(|(k, _, l)| *k != key && !l.is_silent(cx))
            .map(|(_, id, _)| id)
            .collect();
        cx.rng.shuffle(&mut neighbours);
        neighbours.truncate(PROBE_FANOUT);
        cx.send_many(neighbours.clone(), Class::Control, Message::Probe(key));
        neighbours
    }

    /// The silence of this peer that is being looked into: since when, and whether somebody has heard it
    /// since.
    pub(in crate::node) fn suspicion(&self, key: Key) -> Option<Suspect> {
        self.suspects.get(&key).copied()
    }

    pub(in crate::node) fn clear_suspicion(&mut self, key: Key) {
        self.suspects.remove(&key);
    }

    pub(in crate::node) fn clear_suspicions(&mut self) {
        self.suspects.clear();
    }

    /// A neighbour has heard this silent member: it gets another time-out.
    pub(in crate::node) fn give_time(&mut self, cx: &Context, key: Key) {
        self.suspects.remove(&key);
        self.vouched_since.insert(key, cx.now.time);
    }

    /// True if this peer has left a PING unanswered for long enough to believe somebody else who
    /// says that it is gone.
    pub(in crate::node) fn seems_silent(&self, cx: &Context, key: Key) -> bool {
        match self.links.to(key) {
            None => true,
            Some(link) => {
                let unanswered = link.pinged.map(|t| cx.since(t));
                unanswered.is_some_and(|d| d >= cx.config.heartbeat / 2)
            }
        }
    }

    /// A peer asks whether somebody lives; `told` is whom this node may vouch for as coordinator.
    pub(in crate::node) fn on_probe(
        &mut self,
        cx: &mut Context,
        group: &impl Interest,
        (link, asker, about): (LinkId, Key, Key),
        told: Option<Coordinator>,
    ) {
        if about == cx.config.key {
            return cx.send(link, Class::Control, Message::ProbeAnswer(about));
        }
        let Some(id) = self.links.open_to(about) else {
            return;
        };
        if !group.is_member(asker) {
            return;
        }
        if let Some(peer) = self.links.get_mut(id)
            && peer.probers.len() < limits::PROBES_MAX
            && !peer.probers.contains(&asker)
        {
            peer.probers.push(asker);
        }
        self.expect_overdue(cx, about);
        self.ping(cx, vec![id], told.clone());
        if group.leads() {
            self.ask_all(cx, group, told);
        }
    }

    pub(super) fn answer_probers(&mut self, cx: &mut Context, about: Key, probers: &[Key]) {
        let links = probers
            .iter()
            .filter_map(|k| self.links.open_to(*k))
            .collect();
        cx.send_many(links, Class::Control, Message::ProbeAnswer(about));
    }

    pub(in crate::node) fn on_probe_answer(
        &mut self,
        cx: &Context,
        group: &impl Interest,
        from: Key,
        about: Key,
    ) {
        if !group.is_member(from) {
            return;
        }
        if let Some(suspect) = self.suspects.get_mut(&about) {
            suspect.vouched = true;
        } else if group.is_member(about) {
            self.vouched_since.insert(about, cx.now.time);
        }
    }
}
