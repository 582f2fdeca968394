//! Stability: authors tell how far everybody has what they wrote, and what each member owes them.
//!
//! Owns, for this node as an author, from which of its messages on each member owes it a confirmation,
//! and what the members were last told; and for others, which authors are waited for before what they
//! wrote may be dropped. (Isis, Spread and JGroups call it stability; `STABLE` is named after theirs.)
//! It never decides what is dropped: that is the history's business.

use std::collections::{BTreeMap, BTreeSet};

use super::former::Former;
use super::returning::Returning;
use super::{Lent, Talk};
use crate::limits;
use crate::node::context::Context;
use crate::node::mesh::Mesh;
use crate::node::{Class, LinkId, Time, Weakness};
use crate::timing;
use crate::wire::{Ack, Key, Message, MessageId, Relay, Stable};

/// How many messages more are stable before the members are told at once, and not with the next look
/// at the links: a fraction of the usual history, and of what may be kept beyond it.
const STEP: u64 = 4_096;
/// How many neighbours carry what two members without a link have to tell each other.
const CARRIERS: usize = 3;

/// What there is to know of stability.
#[derive(Debug, Default)]
pub(super) struct Stability {
    /// The first message that was written with each member in the view.
    owed_from: BTreeMap<Key, u64>,
    /// Members that were lost while the room's whole history was here: what they said before they came is here.
    lost_whole: BTreeSet<Key>,
    /// Everything of this node's own up to here is stable.
    stable: u64,
    /// What everybody was last told.
    told: Option<(u64, u64)>,
    /// Who was lost, and may come back.
    former: Former,
    /// Lost authors, and when they were lost.
    departed: Vec<(Key, Time)>,
    /// Who may lack some of what this node wrote, though all present members have it.
    returning: Returning,
    /// Members without a live link that an ACK, or a word on stability, is due to.
    relayed: BTreeSet<Key>,
}

impl Stability {
    pub(super) fn is_stable_to(&mut self, stable: u64) {
        self.stable = stable.max(self.stable);
    }

    /// This member is or was in the view.
    pub(super) fn has_met(&self, key: Key) -> bool {
        self.owed_from.contains_key(&key)
    }

    /// This member was lost while the room's whole history was here.
    pub(super) fn was_lost_whole(&self, key: Key) -> bool {
        self.lost_whole.contains(&key)
    }

    /// True if somebody who was lost is waited for.
    pub(super) fn has_returning(&self) -> bool {
        !self.returning.is_empty()
    }

    /// Who was lost and is waited for.
    pub(super) fn returning_keys(&self) -> impl Iterator<Item = Key> {
        self.returning.iter().map(|(key, _)| key)
    }

    /// One that was lost takes in what it lacks: it is waited for as long again.
    pub(super) fn goes_on(&mut self, key: Key, now: Time) {
        self.returning.come_back(key, now);
    }

    /// A word is due to this member, by way of others if it has no link.
    pub(super) fn owe_word(&mut self, key: Key) {
        self.relayed.insert(key);
    }
}

impl Talk {
    /// Somebody is new in the view: from the next message on it owes confirmations.
    pub(in crate::node) fn begin_to_count_on(&mut self, lent: &mut Lent<'_>, key: Key) {
        // One that was lost and comes back is told what it owed from the beginning, or from the beginning of a
        // newcomer.
        let next = self.stability.former.find(key);
        let next = next.unwrap_or(self.written() + 1);
        self.stability.owed_from.entry(key).or_insert(next);
        let now = lent.cx.now.time;
        self.past.meet(key, now, now + lent.cx.gap_patience());
        self.stability.departed.retain(|(k, _)| *k != key);
        self.stability.returning.come_back(key, now);
        self.history.origin_mut(key).watch();
        super::follow_clock(lent, key);
        if let Some(link) = lent.mesh.open_to(key) {
            self.tell_stable(lent, link, key);
        }
        self.stability.relayed.insert(key);
        self.acks.owe_again(key);
    }

    /// Somebody is no more in the view.
    pub(in crate::node) fn cease_to_count_on(&mut self, cx: &Context, mesh: &Mesh, key: Key) {
        self.stability.relayed.remove(&key);
        let now = cx.now.time;
        if mesh.has_left(key) {
            self.stability.owed_from.remove(&key);
            self.stability.lost_whole.remove(&key);
            self.stability.returning.remove(key);
            let origin = self.history.origin_mut(key);
            origin.unwatch();
            origin.set_may_return(false);
        } else {
            if self.is_whole() && !cx.is_weakened(Weakness::WholeIsForgotten) {
                self.stability.lost_whole.insert(key);
            }
            // What it has said is known for as long, though nothing of it is held any more.
            self.history.origin_mut(key).set_may_return(true);
            let forgotten = self.stability.former.lose(key);
            self.history.forget_lost(forgotten);
            self.stability.returning.lose(key, (now, self.written()));
            if !self.stability.departed.iter().any(|(k, _)| *k == key) {
                self.stability.departed.push((key, now));
            }
        }
    }

    /// This node is let in to a group with these members, from which these were lost: they had belonged to it when
    /// this node came, and owe what it writes from now on.
    pub(super) fn hear_of_former(&mut self, cx: &Context, members: &[Key], lost: &[Key]) {
        if cx.is_weakened(Weakness::NewcomersAreOld) {
            return;
        }
        let next = self.written() + 1;
        for key in lost {
            let is_there = members.contains(key) || self.stability.has_met(*key);
            if *key != cx.config.key && !is_there {
                let forgotten = self.stability.former.hear_of(*key, next);
                self.history.forget_lost(forgotten);
            }
        }
    }

    /// Who was lost from this node's group, and may come back.
    pub(in crate::node) fn former_members(&self) -> Vec<Key> {
        self.stability.former.keys()
    }

    /// Up to where what this node wrote is here with all who were lost a moment ago, or have come back since, and live
    /// on their links: so far at most of what is stable otherwise.
    pub(super) fn stable_with_returning(&self, lent: &Lent<'_>, stable: u64) -> u64 {
        // While there is much room nothing is dropped here soon, and whoever comes back is given it.
        if self.history.len() < lent.cx.config.history_max / 2 {
            return stable;
        }
        let next = self.stability.stable.saturating_add(1);
        let lacks = |(key, upto): (Key, u64)| {
            let from = self.stability.owed_from.get(&key)?;
            let end = self.delivery.end(key, next.max(*from));
            (lent.mesh.is_alive(lent.cx, key) && end < upto).then_some(end)
        };
        let is_weak = lent.cx.is_weakened(Weakness::ReturningAreGone);
        let returning = self.stability.returning.iter().filter(|_| !is_weak);
        returning.filter_map(lacks).fold(stable, u64::min)
    }

    /// This peer is told how far this node's own messages are, and what it owes.
    pub(super) fn tell_stable(&mut self, lent: &mut Lent<'_>, link: LinkId, key: Key) {
        if let Some(stable) = self.stable_for(lent, key) {
            lent.cx.send(link, Class::Chat, Message::Stable(stable));
        }
    }

    /// One that was lost is told, too, once it is linked again: it may never have heard what it owes, and would
    /// take that for old.
    fn stable_for(&self, lent: &Lent<'_>, key: Key) -> Option<Stable> {
        let from = self.stability.owed_from.get(&key).copied();
        let from = from.or_else(|| self.stability.former.owed_from(key));
        let is_told = !lent.cx.is_weakened(Weakness::NoLateWord) || lent.view.contains(key);
        let from = from.filter(|_| is_told)?;
        Some(Stable {
            from: Some(from),
            said: self.written(),
            stable: self.stability.stable.min(self.written()),
        })
    }

    /// At the end of a turn: much has become stable.
    pub(super) fn flush_stable(&mut self, lent: &mut Lent<'_>) {
        let told = self.stability.told.map_or(0, |(_, stable)| stable);
        if self.stability.stable >= told + STEP {
            self.tell_all_stable(lent);
        }
    }

    fn tell_all_stable(&mut self, lent: &mut Lent<'_>) {
        self.stability.told = Some((self.written(), self.stability.stable));
        let links = lent.mesh.open_links();
        let links = links.filter(|(key, _, l)| lent.view.contains(*key) && !l.is_behind());
        let links = links.map(|(_, id, _)| id).collect();
        let word = self.word();
        lent.cx.send_many(links, Class::Chat, word);
    }

    /// How far this node's own messages are, for members that know from where on they are owed.
    fn word(&self) -> Message {
        Message::Stable(Stable {
            from: None,
            said: self.written(),
            stable: self.stability.stable,
        })
    }

    /// A peer whose queue was full was not told how much this node has said meanwhile, and may hold this node for a
    /// member though this node does not.
    pub(super) fn tell_word(&self, lent: &mut Lent<'_>, link: LinkId) {
        lent.cx.send(link, Class::Chat, self.word());
    }

    /// Each heartbeat: what has changed is told, what is owed for long is repeated, lost authors are
    /// waited for no longer, and what has no link goes by way of others.
    pub(in crate::node) fn look_at_stability(&mut self, lent: &mut Lent<'_>) {
        if self.stability.told != Some((self.written(), self.stability.stable)) && self.has_joined()
        {
            self.tell_all_stable(lent);
        }
        let now = lent.cx.now.time;
        if self.stability.owed_from.len() > limits::MEMBERS_MAX + limits::ORIGINS_IDLE_MAX {
            let roster = &lent.view;
            (self.stability.owed_from).retain(|key, _| roster.contains(*key));
            (self.stability.lost_whole).retain(|key| roster.contains(*key));
        }
        let is_over = |(_, at): &(Key, Time)| now.since(*at) >= timing::LOST_AUTHOR_KEPT;
        let over: Vec<_> = self
            .stability
            .departed
            .extract_if(.., |d| is_over(d))
            .collect();
        for (key, _) in over {
            self.history.origin_mut(key).unwatch();
        }
        self.tidy_past(lent);
        self.look_at_overdue(lent);
        if self.stability.has_returning() {
            self.stability.returning.tidy(now, lent.cx.gap_patience());
            self.delivery.recheck();
        }
        if self.has_joined() && !lent.cx.is_weakened(Weakness::NoRelay) {
            self.relay_all(lent);
        }
    }

    /// An author says how far it is, on its own link.
    pub(in crate::node) fn on_stable(&mut self, lent: &mut Lent<'_>, author: Key, stable: Stable) {
        if author != lent.cx.config.key {
            self.hear_word(author, stable.said);
            self.hear_stable(lent, author, stable);
        }
    }

    fn hear_stable(&mut self, lent: &mut Lent<'_>, author: Key, stable: Stable) {
        // A member may bring the words of as many strangers as it likes.
        self.history.forget_idle_origins();
        if let Some(from) = stable.from {
            self.note_beginning(lent, author, from, stable.stable);
        }
        let origin = self.history.origin_mut(author);
        origin.stable_to(stable.stable);
        if let Some(owed) = origin.owed_from() {
            self.notice_lacks(lent, author, owed, stable.said);
        }
        self.history.drop_excess();
    }

    /// What this author wrote from this message on is owed to it; what it wrote before is old.
    fn note_beginning(&mut self, lent: &mut Lent<'_>, author: Key, from: u64, stable: u64) {
        let before = self.history.origin_mut(author).owed_from();
        if !lent.cx.config.wants_history && before.is_none() && self.past.is_earlier(author) {
            // What everybody had before this node came; what was only just said belongs to the talk.
            let until = stable.min(from - 1);
            self.history.origin_mut(author).want_from(until + 1);
            let id = |seq| MessageId {
                origin: author,
                seq,
            };
            if until > 0 {
                self.release(lent, (id(1), id(until)));
            }
        }
        if self.history.origin_mut(author).owe_from(from) {
            self.acks.owe_again(author);
            if let Some(before) = before {
                // What was taken for the beginning was not.
                self.notice_lacks(lent, author, from, before - 1);
            }
        }
        self.note_told(lent, author, from);
    }

    /// An ACK, or a word on stability, is due to members without a live link: others carry it.
    fn relay_all(&mut self, lent: &mut Lent<'_>) {
        // What nobody carries is still due.
        let carriers = carriers(lent);
        if carriers.is_empty() {
            return;
        }
        let keys: Vec<Key> = lent.view.keys();
        for to in keys {
            if to == lent.cx.config.key || lent.mesh.is_alive(lent.cx, to) {
                self.stability.relayed.remove(&to);
                continue;
            }
            let owes = self.delivery.waits();
            let ack = self.ack_by_others(lent, to);
            let is_due = self.stability.relayed.remove(&to) || owes || ack.is_some();
            if is_due {
                let stable = self.stable_for(lent, to);
                self.send_by_others(lent, carriers.clone(), to, ack, stable);
            }
        }
    }

    fn send_by_others(
        &mut self,
        lent: &mut Lent<'_>,
        mut links: Vec<LinkId>,
        to: Key,
        ack: Option<Ack>,
        stable: Option<Stable>,
    ) {
        lent.cx.rng.shuffle(&mut links);
        links.truncate(CARRIERS);
        let from = lent.cx.config.key;
        let relay = Relay {
            from,
            to,
            ack,
            stable,
            request: None,
            seal: None,
        };
        lent.cx.send_many(links, Class::Chat, Message::Relay(relay));
    }

    /// A member has something for another one, or for this node by way of a third.
    pub(in crate::node) fn on_relay(&mut self, lent: &mut Lent<'_>, sender: Key, relay: Relay) {
        if relay.from == lent.cx.config.key {
            return;
        }
        if relay.to != lent.cx.config.key {
            // Only what its own author gave: nothing travels in circles.
            let link = lent.mesh.open_to(relay.to);
            if let Some(link) = link.filter(|_| relay.from == sender) {
                lent.cx.send(link, Class::Chat, Message::Relay(relay));
            }
            return;
        }
        // It does not hear this node on a link. What was said there may have got lost, though the link is taken
        // for alive: a frame that had been sent before came after that.
        let is_sign = !lent.cx.is_weakened(Weakness::RelaysAreNoSign);
        if is_sign && lent.view.contains(sender) {
            lent.mesh.expect_overdue(lent.cx, relay.from);
        }
        // A carrier may be in the author's view, and not in this node's yet; but it confirms nothing.
        if let Some(ack) = relay.ack.as_ref().filter(|_| lent.view.contains(sender)) {
            self.on_ack(lent, relay.from, ack);
        }
        if let Some(stable) = relay.stable.filter(|_| self.may_ask(lent, sender)) {
            self.hear_stable(lent, relay.from, stable);
        }
    }
}

/// The links of those who may carry something to members without a live link.
fn carriers(lent: &Lent<'_>) -> Vec<LinkId> {
    let open = lent.mesh.open_links();
    let carriers =
        open.filter(|(key, _, _)| lent.view.contains(*key) && lent.mesh.is_alive(lent.cx, *key));
    carriers.map(|(_, id, _)| id).collect()
}

#[cfg(test)]
#[path = "stability_test.rs"]
mod tests;
