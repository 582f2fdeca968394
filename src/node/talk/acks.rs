//! Confirmations, on the reader's side: what this node tells authors of their messages.
//!
//! Owns which authors a word is due to, and up to where each was told. An ACK is a fact: from its first
//! message to its last everything is taken in (and stored, or printed, where that is what counts), but
//! for what it calls missed. Nothing is said while this node joins: its user sees nothing yet.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Lent, Talk};
use crate::limits::MISSED_RANGES_MAX;
use crate::node::history::{Origin, Ranges};
use crate::node::{Arrival, Class, Weakness};
use crate::wire::{Ack, ChatMessage, Key, Message};

/// What is due to authors.
#[derive(Debug, Default)]
pub(super) struct Acks {
    owed: BTreeSet<Key>,
    /// Up to where each author was told on its link.
    told: BTreeMap<Key, u64>,
    /// Up to where others were given it to carry.
    carried: BTreeMap<Key, u64>,
    /// Where only what is printed counts: what was shown and is not printed yet.
    unprinted: VecDeque<(Key, u64, u64)>,
}

impl Acks {
    /// This author learns at the end of the turn how far this node has its messages, if that is
    /// farther than before.
    pub(super) fn owe(&mut self, author: Key) {
        self.owed.insert(author);
    }

    /// The same, from the beginning, even if it was told before.
    pub(super) fn owe_again(&mut self, author: Key) {
        self.forget(author);
        self.owed.insert(author);
    }

    /// Authors may have lost this node, and count on it anew: what was carried to them before is carried
    /// again.
    pub(super) fn carry_again(&mut self) {
        self.carried.clear();
    }

    /// Nothing is kept of an author that is neither linked nor a member.
    pub(super) fn forget(&mut self, author: Key) {
        self.told.remove(&author);
        self.carried.remove(&author);
    }
}

impl Talk {
    /// At the end of a turn: at most one ACK for each author, on its link.
    pub(super) fn flush_acks(&mut self, lent: &mut Lent<'_>) {
        if self.acks.owed.is_empty() || !self.has_joined() {
            return;
        }
        for author in std::mem::take(&mut self.acks.owed) {
            let Some(link) = lent.mesh.open_to(author) else {
                self.acks.told.remove(&author);
                if lent.view.contains(author) {
                    self.stability.owe_word(author);
                }
                continue;
            };
            let told = self.acks.told.get(&author).copied();
            if let Some(ack) = self.ack_for(lent, author, told) {
                self.acks.told.insert(author, ack.seq);
                // What did not fit goes with the next one.
                if ack.missed.len() == MISSED_RANGES_MAX {
                    self.acks.owed.insert(author);
                }
                lent.cx.send(link, Class::Chat, Message::Ack(ack));
            }
        }
    }

    /// What there is to say of this author's messages after `told`.
    fn ack_for(&self, lent: &Lent<'_>, author: Key, told: Option<u64>) -> Option<Ack> {
        let origin = self.history.origin(author)?;
        let from = told.map_or(origin.owed_from(), |told| told.checked_add(1))?;
        let mut seq = self.history.safe_end(author, from);
        let mut missed = Ranges::default();
        if lent.cx.is_weakened(Weakness::AckOverGaps) {
            seq = origin.highest();
        } else if seq >= from {
            missed = origin.missed_within(from, seq);
        }
        if let Some((next, _)) = missed.iter().nth(MISSED_RANGES_MAX) {
            seq = next - 1;
        }
        let missed = missed.iter().take(MISSED_RANGES_MAX).collect();
        (seq >= from).then_some(Ack { from, seq, missed })
    }

    /// What others are to carry to an author without a live link, until it knows. It may call stable what
    /// it wrote while this node was lost, and wait for its word all the same.
    pub(super) fn ack_by_others(&mut self, lent: &mut Lent<'_>, author: Key) -> Option<Ack> {
        let ack = self.ack_for(lent, author, None)?;
        let origin = self.history.origin(author);
        let is_stable = origin.and_then(Origin::told_stable) >= Some(ack.seq);
        let carried = self.acks.carried.insert(author, ack.seq);
        (!is_stable || carried < Some(ack.seq)).then_some(ack)
    }

    /// Others' messages are shown, and wait to be printed. What is old counts as well: its author may learn later
    /// that this node owes it a word.
    pub(super) fn await_printing(
        &mut self,
        lent: &Lent<'_>,
        run: &[ChatMessage],
        arrival: Arrival,
    ) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return;
        };
        let (author, first, last) = (first.origin(), first.seq(), last.seq());
        if !lent.cx.config.confirms_printed || author == lent.cx.config.key {
            return;
        }
        if arrival == Arrival::Old && lent.cx.is_weakened(Weakness::OldCountsAtOnce) {
            self.history.origin_mut(author).print(first, last);
        }
        self.acks.unprinted.push_back((author, first, last));
    }

    /// The first `count` messages of others that were shown, and not counted here before, are printed.
    pub(in crate::node) fn on_printed(&mut self, count: u64) {
        for (author, first, last) in self.take_unprinted(count) {
            self.history.origin_mut(author).print(first, last);
            self.acks.owe(author);
        }
    }

    /// The first `count` messages of others that were shown, and not counted here before, will never be
    /// printed: their authors are told that they were missed.
    pub(in crate::node) fn on_unprinted(&mut self, count: u64) {
        for (author, first, last) in self.take_unprinted(count) {
            self.history.origin_mut(author).miss(first, last);
            self.acks.owe(author);
        }
    }

    fn take_unprinted(&mut self, mut count: u64) -> Vec<(Key, u64, u64)> {
        let mut taken = Vec::new();
        while count > 0
            && let Some((author, first, last)) = self.acks.unprinted.pop_front()
        {
            let end = last.min(first.saturating_add(count - 1));
            count -= end - first + 1;
            taken.push((author, first, end));
            if end < last {
                self.acks.unprinted.push_front((author, end + 1, last));
            }
        }
        taken
    }
}

#[cfg(test)]
#[path = "acks_test.rs"]
mod tests;
