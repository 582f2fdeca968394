//! What was said before this node was in the room: a part of the past, whenever it comes.
//!
//! Owns the border between old and new for each author. A member says itself from which of its messages
//! on this node was in its view; what it wrote before is old, and all that others wrote who were never in
//! a view with this node. It never decides what is taken in.

mod elsewhere;

use std::collections::{BTreeMap, BTreeSet};

use elsewhere::Elsewhere;

use super::{Lent, Talk};
use crate::limits;
use crate::node::context::Context;
use crate::node::{LinkId, Time, Weakness};
use crate::wire::{ChatMessage, Key, Message, MessageId};

/// Where the past ends.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// The highest timestamp that the room had seen when this node was let in. Whoever counts on this
    /// node was told of it first, so that what it writes from then on is later.
    clock: u64,
    /// Who was in a view with this node, or only wrote what came here.
    met: BTreeMap<Key, Met>,
    /// Who was in the view that this node was let into, or wrote what came with the history.
    earlier: BTreeSet<Key>,
    /// What the group had seen that last let this node in with each of these in its view: two groups that
    /// are cut from each other may both let a newcomer in, and each counts on it from its own clock on.
    admissions: BTreeMap<Key, u64>,
    /// The newest timestamp that was restored from a store.
    restored: u64,
    /// Until when a HELLO still tells what its sender had seen when this node was let in.
    greets_until: Option<Time>,
    /// Who has said HELLO, and the highest timestamp that it had seen.
    greeted: BTreeMap<Key, Greeted>,
    /// What those had seen by HELLO whose first word after it was not how much they had said: they had not counted on
    /// this node by then.
    wordless: BTreeMap<Key, u64>,
    /// What those had seen who said HELLO and were in no view with this node yet.
    elsewhere: BTreeMap<Key, Elsewhere>,
    /// When another node last let this one in: whoever is in that view was there before.
    let_in: Option<Time>,
    /// The highest timestamp that those had seen who came into a view with this node: what was said elsewhere up to
    /// then was said to others.
    clock_elsewhere: u64,
    /// The first message that each author counted on this node for, as it said itself.
    told: BTreeMap<Key, u64>,
    /// Who of those met said nothing in time. What they wrote after all that the earlier members had seen
    /// is news, whether they had heard of this node or not.
    silent: BTreeSet<Key>,
    /// Who of those met has neither told nor fallen silent.
    undecided: BTreeSet<Key>,
    /// How many were kept when it was last looked whom nothing is to be kept of: a room may have many authors.
    kept: usize,
    /// Who said HELLO so late that it was waited for once more, or for longer: a liar that comes again and again is not.
    heard_out: BTreeSet<Key>,
    /// What came before this node had joined, and may be new or old: its author is a member now and has not said
    /// yet. The first and the last such message of each author.
    doubted: BTreeMap<Key, (u64, u64)>,
}

/// An author whose word on what is old is waited for.
#[derive(Clone, Copy, Debug)]
struct Met {
    /// When it is waited for no longer.
    until: Time,
    /// When it first came into the view, if it is or was in it.
    since: Option<Time>,
    /// The timestamp up to which what it wrote by then was said to others.
    clock: u64,
    /// It has said HELLO.
    is_heard: bool,
    /// The timestamp up to which what it wrote was said to others, as it stood when its word was last waited for.
    others: u64,
}

/// What a peer had seen when it said HELLO.
#[derive(Clone, Copy, Debug)]
struct Greeted {
    /// The first time, while that tells what it had seen when this node was let in.
    in_time: Option<u64>,
    /// The first time of all.
    first: u64,
}

impl Past {
    /// This author wrote something that was restored from a store, up to this timestamp at most.
    pub(super) fn keep_restored(&mut self, author: Key, clock: u64) {
        self.clock = self.clock.max(clock);
        self.restored = self.restored.max(clock);
        self.earlier.insert(author);
        self.fall_silent(author);
    }

    /// What this author wrote is known to be old or new, if it is known at all, without its word.
    fn fall_silent(&mut self, author: Key) {
        self.silent.insert(author);
        self.undecided.remove(&author);
    }

    /// Of a stranger without a link of whom nothing was read either only that is kept from which message on it counts
    /// on this node: what it said may come by way of others once it is gone.
    pub(super) fn forget(&mut self, cx: &Context, key: Key) {
        if !self.earlier.contains(&key) && !self.met.contains_key(&key) {
            self.greeted.remove(&key);
            self.wordless.remove(&key);
            if cx.is_weakened(Weakness::StrangersWordsEnd) {
                self.told.remove(&key);
            }
        }
        self.elsewhere.remove(&key);
    }

    /// It is or was in a view with this node.
    fn is_member(&self, key: Key) -> bool {
        self.met.get(&key).is_some_and(|met| met.since.is_some())
    }

    /// A peer says HELLO. Later than that the first one of those who were there before counts, and no other.
    pub(super) fn greet(&mut self, peer: Key, clock: u64, now: Time) {
        let is_in_time = self.greets_until.is_none_or(|until| now <= until);
        if !is_in_time && !self.earlier.contains(&peer) {
            return;
        }
        let first = Greeted {
            in_time: None,
            first: clock,
        };
        let greeted = self.greeted.entry(peer).or_insert(first);
        if is_in_time {
            greeted.in_time.get_or_insert(clock);
        }
    }

    /// A peer that said HELLO when it had seen this says something else than how much it has said. That goes first, and in
    /// order, so it did not count on this node by then.
    pub(super) fn note_wordless(&mut self, peer: Key, clock: u64) {
        let known = self.wordless.entry(peer).or_insert(clock);
        *known = clock.max(*known);
    }

    /// A peer whose word has not come says HELLO: it could not say it before, and does so right after that. It is
    /// waited for at least until then.
    pub(super) fn hear_out(&mut self, peer: Key, until: Time) {
        let is_awaited = self.is_undecided(peer);
        let is_over_sooner = is_awaited && self.met.get(&peer).is_some_and(|met| met.until < until);
        if (is_over_sooner || self.silent.contains(&peer)) && self.heard_out.insert(peer) {
            self.wait_for(peer, until);
        }
    }

    /// What the members that were there earlier had seen when this node met them.
    fn clock_of_earlier(&self) -> u64 {
        let greeted = self.greeted.iter();
        let earlier = greeted.filter(|(key, _)| self.earlier.contains(key));
        let clocks = earlier.filter_map(|(_, greeted)| greeted.in_time);
        clocks.max().unwrap_or(0)
    }

    /// The timestamp up to which what this author wrote is old, if it has not said so itself. Who was there before, and
    /// counts on this node, or did before it lost it, says so right after HELLO: so what it had seen by its first one is
    /// old, too. Others may have counted on this node before that, unless they have said something else since.
    fn clock_of_silent(&self, author: Key) -> u64 {
        let own = self
            .greeted
            .get(&author)
            .filter(|_| self.is_earlier(author));
        let own = own.map_or(0, |greeted| greeted.first);
        let wordless = self.wordless.get(&author).copied().unwrap_or(0);
        own.max(wordless)
            .max(self.clock_of_earlier())
            .max(self.clock_of_others(author))
    }

    /// The timestamp up to which what this author wrote is from before this node was let in.
    fn clock_of_admission(&self, author: Key) -> u64 {
        self.admissions.get(&author).copied().unwrap_or(self.clock)
    }

    /// Somebody is new in the view.
    pub(super) fn meet(&mut self, author: Key, now: Time, until: Time) {
        self.wait_for(author, until);
        let said_to_others = self.clock_of_others(author);
        let said = self.elsewhere.remove(&author);
        if let Some(met) = self.met.get_mut(&author) {
            if met.since.is_none() {
                met.since = Some(now);
                met.clock = said_to_others;
            }
            met.is_heard |= said.is_some();
        }
        let is_let_in = self.let_in == Some(now);
        let Some(said) = said.filter(|said| said.is_apart || !is_let_in) else {
            return;
        };
        // Mostly somebody that came with this one had seen as much.
        if self.clock_of_others(author) < said.clock {
            self.count_elsewhere(Some(now), said.clock, said.is_apart);
        }
    }

    /// The word of this author is waited for.
    fn wait_for(&mut self, author: Key, until: Time) {
        let others = self.clock_of_others(author);
        let never = Met {
            until,
            since: None,
            clock: 0,
            is_heard: false,
            others,
        };
        let met = self.met.entry(author).or_insert(never);
        (met.until, met.others) = (until, others);
        // Whoever was only read before may say now what is old.
        self.silent.remove(&author);
        if !self.told.contains_key(&author) {
            self.undecided.insert(author);
        }
    }

    /// True if this author was there before this node.
    pub(super) fn is_earlier(&self, author: Key) -> bool {
        self.earlier.contains(&author)
    }

    /// Its word was waited for, and did not come.
    pub(super) fn is_silent(&self, author: Key) -> bool {
        self.silent.contains(&author)
    }

    /// It has said from which message on it counts on this node.
    pub(super) fn has_told(&self, author: Key) -> bool {
        self.told.contains_key(&author)
    }

    /// Whether this is old its author will say.
    pub(super) fn doubt(&mut self, id: MessageId) {
        let (first, last) = self.doubted.entry(id.origin).or_insert((id.seq, id.seq));
        *first = id.seq.min(*first);
        *last = id.seq.max(*last);
    }

    /// What of this author was doubted, once that is decided: the first and the last.
    pub(super) fn take_doubted(&mut self, author: Key) -> Option<(u64, u64)> {
        if self.is_undecided(author) {
            return None;
        }
        self.doubted.remove(&author)
    }

    /// Of how many authors something is kept.
    pub(super) fn words(&self) -> usize {
        self.met.len().max(self.told.len())
    }

    /// True if it is not known yet of some author what of its messages is old.
    pub(super) fn has_undecided(&self) -> bool {
        !self.undecided.is_empty()
    }

    /// It is not known yet what of this author is old: it will say so.
    pub(super) fn is_undecided(&self, author: Key) -> bool {
        self.undecided.contains(&author)
    }
}

/// What a message waits for whose author has not said whether it is old: no message has this name.
fn word_of(author: Key) -> MessageId {
    MessageId {
        origin: author,
        seq: 0,
    }
}

impl Talk {
    /// True if this was said before this node was in its author's view, as far as is known.
    pub(super) fn is_old(&self, cx: &Context, message: &ChatMessage) -> bool {
        let author = message.origin();
        if author == cx.config.key || cx.is_weakened(Weakness::OldIsNew) {
            return false;
        }
        let is_before = message.timestamp() <= self.past.clock_of_admission(author);
        match self.past.told.get(&author) {
            // Nobody but the author knows: a clock that somebody else tells may be any.
            Some(from) => message.seq() < *from,
            None if is_before => true,
            None if self.past.is_undecided(author) => false,
            // Of what is dated so far ahead only its author could say that it is new.
            None if message.position() > cx.reach() => true,
            None if self.past.silent.contains(&author) => {
                message.timestamp() <= self.past.clock_of_silent(author)
            }
            None => false,
        }
    }

    /// True if the author has said that this node was in its view when it wrote this.
    pub(super) fn is_told_new(&self, id: MessageId) -> bool {
        let from = self.past.told.get(&id.origin);
        from.is_some_and(|from| *from <= id.seq)
    }

    /// Something of this author comes, who may never have been in a view with this node.
    pub(super) fn hear_author(&mut self, lent: &mut Lent<'_>, author: Key) {
        self.history.take_off_shelf(author);
        let is_known = self.past.told.contains_key(&author)
            || self.past.met.contains_key(&author)
            || self.past.silent.contains(&author);
        let was_silent = !lent.cx.is_weakened(Weakness::SilentStaySo)
            && self.past.was_silent_before_others_came(author);
        if is_known && !was_silent || author == lent.cx.config.key {
            return;
        }
        if !self.has_joined() {
            self.past.earlier.insert(author);
        }
        // Whoever is about to come into the view is linked within a moment.
        self.past.wait_for(author, a_moment_later(lent.cx));
        if lent.mesh.is_dead(author) || lent.mesh.has_left(author) {
            self.note_silent(lent, author);
        }
    }

    /// A peer says HELLO, and what it had seen by then. What it counts on this node for it says next.
    pub(super) fn greet_past(
        &mut self,
        lent: &Lent<'_>,
        (peer, clock): (Key, u64),
        leader: Option<Key>,
    ) {
        self.past.greet(peer, clock, lent.cx.now.time);
        let is_one_of_us = |key: Key| key == lent.cx.config.key || self.past.is_member(key);
        let is_apart = !is_one_of_us(peer) && !leader.is_some_and(is_one_of_us);
        if !lent.cx.is_weakened(Weakness::ElsewhereIsNew) {
            let is_exempt = !lent.cx.is_weakened(Weakness::HeardAreElsewhere);
            let first = Elsewhere {
                clock,
                is_apart,
                others: is_exempt.then_some(self.past.clock_elsewhere),
            };
            self.past.greet_from_elsewhere(peer, first);
        }
        if !lent.cx.is_weakened(Weakness::NoLateWord) {
            self.past.hear_out(peer, a_moment_later(lent.cx));
        }
    }

    /// A peer says something on this link that goes behind its word, if it has one.
    pub(in crate::node) fn note_word_or_none(
        &mut self,
        lent: &Lent<'_>,
        (link, peer): (LinkId, Key),
        message: &Message,
    ) {
        // Any of these will do, and none comes as often as chat.
        if !matches!(message, Message::Sync(_) | Message::SyncAnswer(_)) {
            return;
        }
        let wordless = lent.mesh.link(link).filter(|l| !l.has_given_word());
        if let Some(link) = wordless
            && !lent.cx.is_weakened(Weakness::WordlessMayCount)
        {
            self.past.note_wordless(peer, link.clock());
        }
    }

    /// This node is let into a room with this clock and these members: what came before and is old by
    /// that waits for nobody's word.
    pub(super) fn enter_past(&mut self, lent: &mut Lent<'_>, clock: u64, members: Vec<Key>) {
        self.past.clock = clock.max(self.past.clock);
        self.past.greets_until = Some(lent.cx.now.time + lent.cx.config.failure_timeout);
        let admission = clock.max(self.past.restored);
        let members_of = members.iter().map(|member| (*member, admission));
        self.past.admissions.extend(members_of);
        self.past.earlier.extend(members);
        for author in self.past.met.keys().copied().collect::<Vec<_>>() {
            self.release_past(lent, author);
        }
    }

    /// The word that a message waits for: its author has not said yet whether it is old.
    pub(super) fn awaited_word(&self, author: Key) -> Option<MessageId> {
        self.past.is_undecided(author).then(|| word_of(author))
    }

    /// True if something waits for its author's word.
    pub(super) fn waits_for_a_word(&self) -> bool {
        let mut authors = self.past.undecided.iter();
        self.waiting.len() > 0 && authors.any(|author| self.waiting.is_waited_for(word_of(*author)))
    }

    /// An author says that this node was in its view from this message on.
    pub(super) fn note_told(&mut self, lent: &mut Lent<'_>, author: Key, from: u64) {
        self.past.silent.remove(&author);
        self.past.told.entry(author).or_insert(from);
        self.past.undecided.remove(&author);
        self.show_doubted(lent, author);
        self.show_unshown(lent, author, from);
        self.release_past(lent, author);
        self.forget_strangers_words(lent);
    }

    /// Another node lets this one in: those in its view were there before, and this node may have been, too.
    pub(super) fn note_let_in(&mut self, now: Time) {
        self.past.let_in = Some(now);
    }

    /// When another node last let this one in: the members of its group may have what this node lacks, and are linked
    /// with it a moment later.
    pub(super) fn last_let_in(&self, cx: &Context) -> Time {
        let is_weak = cx.is_weakened(Weakness::NewGroupsBringNothing);
        self.past.let_in.filter(|_| !is_weak).unwrap_or_default()
    }

    /// An author that died or left says nothing more.
    pub(in crate::node) fn note_silent(&mut self, lent: &mut Lent<'_>, author: Key) {
        if self.past.is_undecided(author) {
            self.past.fall_silent(author);
            self.show_doubted(lent, author);
            self.release_past(lent, author);
        }
    }

    /// What was waited for is decided.
    fn release_past(&mut self, lent: &mut Lent<'_>, author: Key) {
        let word = word_of(author);
        self.release(lent, (word, word));
    }

    /// Who says nothing for so long that it would be lost is waited for no longer. Of authors who are
    /// gone nothing is kept.
    pub(super) fn tidy_past(&mut self, lent: &mut Lent<'_>) {
        let (undecided, now) = (self.past.undecided.iter(), lent.cx.now.time);
        let is_over = |key: &&Key| self.past.met.get(key).is_none_or(|met| now >= met.until);
        let over: Vec<Key> = undecided.filter(is_over).copied().collect();
        over.into_iter()
            .for_each(|author| self.note_silent(lent, author));
        self.forget_strangers_words(lent);
    }

    /// Nothing is kept of authors without a message here, once they are many.
    fn forget_strangers_words(&mut self, lent: &mut Lent<'_>) {
        if self.past.words() > self.past.kept + limits::ORIGINS_IDLE_MAX {
            let (roster, history) = (&lent.view, &self.history);
            let waits = |key: Key| self.waiting.is_waited_for(word_of(key));
            // What waits for a word is let go when that is waited for no longer.
            let is_there =
                |key: &Key| roster.contains(*key) || history.origin(*key).is_some() || waits(*key);
            self.past.met.retain(|key, _| is_there(key));
            self.past.told.retain(|key, _| is_there(key));
            self.past.silent.retain(is_there);
            self.past.heard_out.retain(is_there);
            self.past.earlier.retain(is_there);
            self.past.admissions.retain(|key, _| is_there(key));
            self.past.greeted.retain(|key, _| is_there(key));
            self.past.wordless.retain(|key, _| is_there(key));
            self.past.doubted.retain(|key, _| is_there(key));
            self.past.undecided.retain(is_there);
            self.past.kept = self.past.words();
        }
    }

    /// The newest `count` messages of the past that the history has in memory, in its order: what was
    /// said before this node was in the room.
    pub(in crate::node) fn old(&self, cx: &Context, count: usize) -> Vec<ChatMessage> {
        let old = self.history.iter().rev().filter(|m| self.is_old(cx, m));
        let mut old: Vec<_> = old.take(count).cloned().collect();
        old.reverse();
        old
    }
}

/// Until when the word is waited for of somebody who is linked now, or will be at once, if it ever is.
fn a_moment_later(cx: &Context) -> Time {
    cx.now.time + cx.config.failure_timeout / 2
}

#[cfg(test)]
#[path = "past_test.rs"]
mod tests;
