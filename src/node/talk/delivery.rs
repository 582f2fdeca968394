//! Confirmations, on the author's side: who of the view at the time of writing has taken in, or
//! missed, what this node wrote.
//!
//! Owns what each peer has said of each own message. A message is delivered when every node that was
//! in the view when it was written, and still is, has confirmed or missed it and, if there was any, one
//! has said so. Who missed it never counts as one who confirmed it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::{Lent, Talk};
use crate::limits;
use crate::node::context::Context;
use crate::node::history::Ranges;
use crate::node::mesh::Mesh;
use crate::node::roster::Roster;
use crate::node::{Event, Time};
use crate::timing;
use crate::wire::{Ack, Key, Member};

/// The share of what may be kept for those who lack it that own messages take before stdin waits: what
/// others say is kept for them too.
const LAGGING_SHARE: u64 = 4;

/// Messages written in one view: consecutive sequence numbers.
#[derive(Debug)]
struct Run {
    first: u64,
    last: u64,
    view: (Key, u64),
    to: Vec<Key>,
}

/// What one peer has said of this node's messages.
#[derive(Debug, Default)]
struct PeerWord {
    confirmed: Ranges,
    missed: Ranges,
    /// When it last said something new.
    moved: Time,
    /// How long it may say nothing new and still be waited for.
    patience: Duration,
    /// What people called it when it missed something: it may be gone when that is counted.
    misser: Option<Member>,
}

impl PeerWord {
    /// Up to where it has said something of every message from this one on.
    fn end(&self, from: u64) -> u64 {
        let mut next = from;
        loop {
            let end = (self.confirmed.end_from(next)).max(self.missed.end_from(next));
            match end.map(|end| end.checked_add(1)) {
                Some(Some(after)) => next = after,
                Some(None) => return u64::MAX,
                None => return next - 1,
            }
        }
    }

    /// Whether it has confirmed this one, and up to where the same holds; none if it said nothing.
    fn says(&self, seq: u64) -> Option<(bool, u64)> {
        // What was missed stays missed, whatever turned up later.
        if let Some(end) = self.missed.end_from(seq) {
            return Some((false, end));
        }
        let end = self.confirmed.end_from(seq)?;
        let missed = self.missed.within(seq, end);
        let end = missed.bounds().map_or(end, |(first, _)| first - 1);
        Some((true, end))
    }

    /// The first message of these of which it has said something.
    fn first_word(&self, first: u64, last: u64) -> Option<u64> {
        let said = [&self.confirmed, &self.missed];
        let firsts = said.iter().filter_map(|r| r.within(first, last).bounds());
        firsts.map(|(first, _)| first).min()
    }
}

/// What this node wrote and who confirmed it.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    runs: VecDeque<Run>,
    heard: BTreeMap<Key, PeerWord>,
    changed: bool,
    /// Messages of runs that were given up: nobody who could confirm them is left.
    given_up: u64,
    /// How many messages each peer has missed.
    missed: BTreeMap<Key, (Option<Member>, u64)>,
    /// How many bytes were written up to which message, for those that are not stable.
    written: VecDeque<(u64, u64)>,
    stable_bytes: u64,
}

impl Delivery {
    #[cfg(test)]
    pub(super) fn confirmers(&self) -> usize {
        self.heard.len()
    }

    /// # Panics
    ///
    /// If the runs that are not delivered are out of order, or of what was never written.
    #[cfg(debug_assertions)]
    pub(super) fn check_invariants(&self, written: u64) {
        let mut last = 0;
        for run in &self.runs {
            assert!(
                last < run.first && run.first <= run.last,
                "runs are in order"
            );
            last = run.last;
        }
        assert!(last <= written, "what is confirmed was written");
    }

    pub(super) fn undelivered(&self) -> u64 {
        let waiting: u64 = self.runs.iter().map(|r| r.last - r.first + 1).sum();
        waiting + self.given_up
    }

    /// True if somebody's confirmation is waited for.
    pub(super) fn waits(&self) -> bool {
        !self.runs.is_empty()
    }

    /// Messages of these sequence numbers, and of so many bytes, were written in this view, and count
    /// on `to`.
    pub(super) fn wrote(
        &mut self,
        (first, last): (u64, u64),
        bytes: usize,
        view: (Key, u64),
        to: impl FnOnce() -> Vec<Key>,
    ) {
        self.changed = true;
        let before = self.written.back().map_or(self.stable_bytes, |w| w.1);
        self.written.push_back((last, before + bytes as u64));
        if self.runs.len() >= limits::UNCONFIRMED_RUNS_MAX
            && let Some(run) = self.runs.pop_front()
        {
            self.given_up += run.last - run.first + 1;
        }
        match self.runs.back_mut() {
            Some(run) if run.view == view && run.last + 1 == first => run.last = last,
            _ => self.runs.push_back(Run {
                first,
                last,
                view,
                to: to(),
            }),
        }
    }

    /// Somebody left the view, died or said goodbye.
    pub(super) fn recheck(&mut self) {
        self.changed = true;
    }

    /// Nothing is kept of a node that is neither linked nor a member, unless it counts.
    pub(super) fn forget(&mut self, key: Key) {
        if !self.runs.iter().any(|run| run.to.contains(&key)) {
            self.heard.remove(&key);
        }
    }

    /// True if something that counts on this peer is not delivered, and it has said nothing of that.
    pub(super) fn waits_for(&self, key: Key) -> bool {
        let lacks = |run: &Run| run.to.contains(&key) && self.end(key, run.first) < run.last;
        self.runs.iter().any(lacks)
    }

    fn says(&self, key: Key, seq: u64) -> Option<(bool, u64)> {
        self.heard.get(&key)?.says(seq)
    }

    /// Up to where this peer has said something of every message from this one on.
    pub(super) fn end(&self, key: Key, from: u64) -> u64 {
        self.heard.get(&key).map_or(from - 1, |h| h.end(from))
    }

    /// Everything up to here needs nobody's word any more.
    fn forget_stable(&mut self, stable: u64) {
        while let Some((_, bytes)) = self.written.pop_front_if(|(last, _)| *last <= stable) {
            self.stable_bytes = bytes;
        }
        for heard in self.heard.values_mut() {
            heard.confirmed.remove_range(0, stable);
            heard.missed.remove_range(0, stable);
        }
    }

    fn unstable_bytes(&self) -> u64 {
        self.bytes_after(0)
    }

    /// How many bytes were written after this message, as far as they are not stable.
    fn bytes_after(&self, seq: u64) -> u64 {
        let upto = self.written.partition_point(|(last, _)| *last <= seq);
        let before = upto.checked_sub(1).and_then(|at| self.written.get(at));
        let all = self.written.back().map_or(self.stable_bytes, |w| w.1);
        all - before.map_or(self.stable_bytes, |w| w.1)
    }
}

impl Talk {
    /// Up to where this peer has said something of what counts on it and is not delivered; none if nothing waits for
    /// its word.
    pub(in crate::node) fn awaits_word_of(&self, key: Key) -> Option<u64> {
        self.delivery.waits_for(key).then_some(())?;
        let run = self.delivery.runs.front()?;
        Some(self.delivery.end(key, run.first))
    }

    pub(in crate::node) fn on_ack(&mut self, lent: &mut Lent<'_>, key: Key, ack: &Ack) {
        // What is delivered needs no further confirmation, and that of a stranger counts for nothing.
        let is_overdue = self.overdue.of(key) > 0;
        let is_waited_for = !self.delivery.runs.is_empty() || self.stability.has_returning();
        let is_waited_for = is_waited_for || is_overdue;
        let is_idle = !is_waited_for || !self.stability.has_met(key);
        // Somebody may have written in this node's name: what follows from that says nothing of what this
        // node wrote.
        let last = ack.seq.min(self.written());
        if ack.from > last || is_idle {
            return;
        }
        let now = lent.cx.now.time;
        let heard = self.delivery.heard.entry(key).or_default();
        let pause = now.since(heard.moved);
        if pause > heard.patience && heard.patience > Duration::ZERO {
            heard.patience = (pause * 2).clamp(timing::STALL, timing::STALL_LONGEST);
        }
        heard.patience = heard.patience.max(timing::STALL);
        heard.moved = now;
        let mut confirmed = Ranges::default();
        confirmed.insert_range(ack.from, last);
        if !ack.missed.is_empty() {
            heard.misser = lent.view.get(key).cloned().or(heard.misser.take());
        }
        for (first, end) in &ack.missed {
            heard.missed.insert_range(*first, last.min(*end));
            confirmed.remove_range(*first, *end);
        }
        for (first, last) in confirmed.iter() {
            heard.confirmed.insert_range(first, last);
        }
        self.delivery.changed = true;
        if is_overdue {
            self.settle_overdue(lent, key, ack);
        }
    }

    /// Shows what has become delivered.
    pub(super) fn step_delivery(&mut self, lent: &mut Lent<'_>) {
        // Who counts may have changed with the loss of the coordinator.
        if !std::mem::take(&mut self.delivery.changed) && !lent.awaits_no_view {
            return;
        }
        let stored = self.own_safe_to(lent);
        // A run that nobody can confirm any more holds up nothing behind it.
        let mut at = 0;
        while let Some(run) = self.delivery.runs.get(at) {
            let (first, last) = (run.first, run.last);
            let end = |k: &Key| self.delivery.end(*k, first);
            let slowest = run.to.iter().filter(|k| lent.counts(**k)).map(end).min();
            let fastest = run.to.iter().map(end).max().unwrap_or(last);
            let upto = slowest.unwrap_or(last).min(fastest).min(last);
            let upto = upto.min(stored);
            let to = run.to.clone();
            self.show_delivered(lent, first, upto, &to);
            if upto >= last {
                self.delivery.runs.remove(at);
                continue;
            }
            if upto >= first
                && let Some(run) = self.delivery.runs.get_mut(at)
            {
                run.first = upto + 1;
            }
            if slowest.is_some() {
                break;
            }
            at += 1;
        }
        self.note_own_stable(lent);
    }

    /// Own messages that are stored, if this node stores, and that every present member has confirmed
    /// or missed: they may be dropped.
    fn note_own_stable(&mut self, lent: &mut Lent<'_>) {
        let mut runs = self.delivery.runs.iter();
        let waiting = runs.find(|r| r.to.iter().any(|k| lent.counts(*k)));
        let stable = waiting.map_or(self.written(), |run| run.first - 1);
        let stable = stable.min(self.own_safe_to(lent));
        let stable = self.stable_with_returning(lent, stable);
        let me = lent.cx.config.key;
        self.history.origin_mut(me).stable_to(stable);
        self.history.drop_excess();
        self.delivery.forget_stable(stable);
        self.stability.is_stable_to(stable);
    }

    /// One event for each stretch of which the same peers say the same.
    fn show_delivered(&mut self, lent: &mut Lent<'_>, mut first: u64, upto: u64, to: &[Key]) {
        while first <= upto {
            let (mut last, mut confirmed, mut missed) = (upto, 0, Vec::new());
            let mut silent = Vec::new();
            for key in to {
                match self.delivery.says(*key, first) {
                    Some((true, end)) => {
                        confirmed += 1;
                        last = last.min(end);
                    }
                    Some((false, end)) => {
                        missed.push(*key);
                        last = last.min(end);
                    }
                    None => {
                        // It is gone, and may have said something of later ones.
                        silent.push(*key);
                        let heard = self.delivery.heard.get(key);
                        let next = heard.and_then(|h| h.first_word(first, last));
                        last = next.map_or(last, |next| last.min(next - 1));
                    }
                }
            }
            let (is_unstored, end) = self.own_missed(lent, first, last);
            last = end;
            for key in silent.iter().filter(|key| !lent.mesh.has_left(**key)) {
                let now = lent.cx.now.time;
                self.overdue.await_word(*key, (first, last), now);
            }
            let is_news = confirmed > 0 || to.is_empty() || !missed.is_empty();
            if is_unstored {
                missed.push(lent.cx.config.key);
            }
            self.count_missed(lent, &missed, last - first + 1);
            if confirmed == 0 && !to.is_empty() {
                self.delivery.given_up += last - first + 1;
            }
            if is_news {
                lent.cx.show(Event::Delivered {
                    first,
                    last,
                    members: to.len(),
                    confirmed,
                    missed,
                });
            }
            first = last + 1;
        }
    }

    pub(super) fn count_missed(&mut self, lent: &mut Lent<'_>, missed: &[Key], count: u64) {
        for key in missed {
            let lost = || lent.mesh.lost().find(|m| m.key == *key);
            let heard = || self.delivery.heard.get(key)?.misser.as_ref();
            let member = lent.view.get(*key).or_else(lost).or_else(heard).cloned();
            let entry = self.delivery.missed.entry(*key).or_default();
            entry.0 = member.or(entry.0.take());
            entry.1 += count;
        }
    }

    /// What people call one that has missed some of what this node wrote, as far as it is known.
    pub(super) fn misser(&self, key: Key) -> Option<&Member> {
        self.delivery.missed.get(&key)?.0.as_ref()
    }

    /// True if somebody has missed some of what this node wrote, whether it is known what people call it or not.
    pub(in crate::node) fn has_been_missed(&self) -> bool {
        !self.delivery.missed.is_empty()
    }

    /// Who has missed some of what this node wrote, and how many, as far as it is known what people call them.
    pub(in crate::node) fn missed_by(&self) -> Vec<(Member, u64)> {
        let missed = self.delivery.missed.values();
        missed
            .filter_map(|(member, count)| Some((member.clone()?, *count)))
            .collect()
    }

    /// True if nobody who could confirm what is undelivered is in the room any more.
    pub(in crate::node) fn is_hopeless(&self, lent: &Lent<'_>) -> bool {
        if self.has_own_unstored(lent) {
            return false;
        }
        let mut runs = self.delivery.runs.iter();
        runs.all(|r| !r.to.iter().any(|k| lent.counts(*k)))
    }

    /// Who has not confirmed something that this node wrote, and is a member or was lost.
    pub(in crate::node) fn unconfirmed_by(&self, view: &Roster, mesh: &Mesh) -> Vec<Member> {
        let lost = mesh.lost().filter(|m| !mesh.has_left(m.key));
        let missing = view.members().iter().chain(lost);
        let missing = missing.filter(|m| self.delivery.waits_for(m.key));
        missing.cloned().collect()
    }

    /// Until when stdin is to wait because a member lacks much of what was written and goes on taking
    /// it in: what it lacks is kept for it, but not without a limit. One that takes nothing is waited
    /// for a moment only, and then misses the oldest; those who lack little are not waited for, however
    /// much is kept for it.
    pub(super) fn lagging_until(
        &self,
        cx: &Context,
        counts: impl Fn(Key) -> bool,
        now: Time,
    ) -> Option<Time> {
        let much = cx.config.unstable_bytes_max as u64 / LAGGING_SHARE;
        if self.delivery.unstable_bytes() <= much {
            return None;
        }
        let run = self.delivery.runs.front()?;
        let counting = run.to.iter().filter(|k| counts(**k));
        let lacks = |k: &Key| self.delivery.bytes_after(self.delivery.end(*k, run.first));
        let until = counting.filter(|k| lacks(k) > much).filter_map(|key| {
            let heard = self.delivery.heard.get(key)?;
            Some(heard.moved + heard.patience)
        });
        until.filter(|until| *until > now).max()
    }
}

impl Lent<'_> {
    /// True while this node's confirmation is waited for. Whose process has ended is in the view until its coordinator
    /// takes it out: where none will, it is left out here, as it is in the first view of a new coordinator.
    fn counts(&self, key: Key) -> bool {
        let is_left_out = self.awaits_no_view && self.mesh.is_dead(key);
        counts(self.view, self.mesh, key) && !is_left_out
    }
}

/// True while this node's confirmation is waited for, as far as the view goes.
pub(super) fn counts(view: &Roster, mesh: &Mesh, key: Key) -> bool {
    view.contains(key) && !mesh.has_left(key)
}

#[cfg(test)]
#[path = "delivery_test.rs"]
mod tests;
