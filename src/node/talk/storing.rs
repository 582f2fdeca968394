//! What a store changes for a node: what is confirmed is stored first.
//!
//! Owns the order between the two. The driver commits, once per turn and before [`Node::end_turn`](crate::node::Node::end_turn),
//! what [`Node::unstored`](crate::node::Node::unstored) names, and says with [`Node::on_stored`](crate::node::Node::on_stored) how much of it is safe. No ACK
//! is sent, and nothing of one's own shown as delivered, beyond that. If nothing can be stored the
//! chat goes on all the same, unconfirmed. What is given up meanwhile for want of memory will never be stored: it is
//! called missed, by this node to itself, too, where it wrote it.

use super::{Lent, Talk};
use crate::node::context::Context;
use crate::node::{Lack, Restored, Weakness};
use crate::wire::{ChatMessage, Position};

/// Of what was restored, how much is looked through for the causes of the next own message: all
/// that is older is before it by its timestamp anyway.
const HEADS_FROM: usize = 1_000;

impl Talk {
    /// The store holds this, among other things.
    pub(in crate::node) fn restore_part(&mut self, part: Restored) {
        self.history.restore(part);
    }

    /// All that the store holds was said.
    pub(in crate::node) fn end_restoring(&mut self, cx: &mut Context) {
        let mut recent: Vec<_> = self
            .history
            .iter()
            .rev()
            .take(HEADS_FROM)
            .cloned()
            .collect();
        recent.reverse();
        for message in &recent {
            self.chat.heads.cover(message, |_| false);
        }
        let authors: std::collections::BTreeSet<_> =
            self.history.iter().map(ChatMessage::origin).collect();
        if let Some(clock) = recent.last().map(ChatMessage::timestamp) {
            for author in authors {
                self.past.keep_restored(author, clock);
            }
            cx.clock.restore(clock);
        }
    }

    /// What was taken in or written and is not yet stored, in that order. Nothing without a store.
    pub(in crate::node) fn unstored(&self) -> impl Iterator<Item = &ChatMessage> + Clone {
        self.history.unstored()
    }

    /// How many messages that is.
    pub(in crate::node) fn unstored_len(&self) -> usize {
        self.history.unstored_len()
    }

    /// The first `count` of [`Talk::unstored`] are stored: they may be confirmed.
    pub(in crate::node) fn on_stored(&mut self, cx: &Context, count: usize) {
        let mut left = count;
        while left > 0
            && let Some((author, stored)) = self.history.pop_stored(left)
        {
            left = left.saturating_sub(stored);
            if author == cx.config.key {
                self.delivery.recheck();
            } else {
                self.acks.owe(author);
            }
        }
    }

    /// At the end of a turn: what was given up before it could be stored is missed, whether its user saw it or
    /// not, and its author is told. What fell below the floor while this node joined, and its user never saw, is
    /// not here at all, and is asked for like anything else if it is owed.
    pub(super) fn call_unstored_missed(&mut self, lent: &mut Lent<'_>) {
        if !self.has_joined() || lent.cx.is_weakened(Weakness::GivenUpIsForgotten) {
            return;
        }
        for (author, seqs) in self.history.take_given_up() {
            let is_own = author == lent.cx.config.key;
            let origin = self.history.origin_mut(author);
            let taken = origin.taken_of(&seqs);
            for (first, last) in taken.iter() {
                origin.miss(first, last);
            }
            let owed_from = origin.owed_from().or(is_own.then_some(0));
            let owed = owed_from.map(|from| taken.within(from, u64::MAX));
            self.say_missed(lent, author, &owed.unwrap_or_default(), Lack::Unstored);
            if is_own {
                self.delivery.recheck();
            } else {
                self.acks.owe(author);
            }
        }
    }

    /// How many messages were given up before they could be stored.
    pub(in crate::node) fn given_up_count(&self) -> u64 {
        self.history.given_up_count()
    }

    /// Whether this own message was given up before it could be stored, and up to where, or to `last`, the same
    /// holds.
    pub(super) fn own_missed(&self, lent: &Lent<'_>, first: u64, last: u64) -> (bool, u64) {
        let origin = self.history.origin(lent.cx.config.key);
        let missed = origin.map(|origin| origin.missed_within(first, last));
        match missed.and_then(|missed| missed.iter().next()) {
            Some((from, to)) if from == first => (true, to),
            Some((from, _)) => (false, from - 1),
            None => (false, last),
        }
    }

    /// The store has deleted these, the oldest that it had, and with them everything up to this position.
    pub(in crate::node) fn on_dropped(&mut self, gone: &[ChatMessage], upto: Position) {
        self.history.drop_stored(gone, upto);
    }

    /// The highest own sequence number that may be shown as delivered.
    pub(super) fn own_safe_to(&self, lent: &Lent<'_>) -> u64 {
        if self.history.has_store() {
            self.history.stored_end(lent.cx.config.key, 1)
        } else {
            self.written()
        }
    }

    /// True if something of this node's own is not yet stored.
    pub(super) fn has_own_unstored(&self, lent: &Lent<'_>) -> bool {
        self.own_safe_to(lent) < self.written()
    }
}

#[cfg(test)]
#[path = "storing_test.rs"]
mod tests;
