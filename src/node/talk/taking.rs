//! Taking in: what becomes of a message whose causes are here, and what the user sees of it.
//!
//! Owns what is held back while this node joins. Whether a message may be taken in is
//! [`super::causality`]'s decision, whether it is old is [`super::past`]'s.

use std::collections::BTreeSet;

use super::{Lent, Talk};
use crate::node::{Arrival, Weakness};
use crate::wire::{ChatMessage, Key, MessageId};

/// What came while this node joins and may be new, in the order of coming.
#[derive(Debug, Default)]
pub(super) struct HeldBack(Vec<ChatMessage>);

impl HeldBack {
    #[cfg(debug_assertions)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Talk {
    /// A message that was never taken in, and whose causes are here or will never be, becomes part
    /// of the history. At or below the floor it is not kept; if it came there and nobody counts on it
    /// (`is_below`), it is not shown either.
    pub(super) fn take_in(&mut self, lent: &mut Lent<'_>, message: &ChatMessage, is_below: bool) {
        let id = message.id();
        lent.cx.observe(message.timestamp());
        if is_below {
            return self.history.origin_mut(id.origin).pass_by(id.seq, id.seq);
        }
        let arrival = self.begin_author(lent, message);
        let history = &self.history;
        let lacks = |cause| !history.has_taken(cause);
        // What is written here does not follow from what is dated too far ahead, and still follows from its causes.
        if !self.history.is_beyond_reach(message.position()) {
            self.chat.heads.cover(message, lacks);
        }
        if !self.history.insert(message.clone()) {
            self.history.settle(message);
            lent.cx.counters.late += 1;
        }
        self.acks.owe(id.origin);
        if let Some(arrival) = arrival {
            self.show_taken_in(lent, std::slice::from_ref(message), arrival);
        }
    }

    /// How a message arrives that is about to be taken in; none if it is not shown. If it is the first
    /// one of its author, what is owed of that author begins with it.
    pub(super) fn begin_author(
        &mut self,
        lent: &mut Lent<'_>,
        message: &ChatMessage,
    ) -> Option<Arrival> {
        let (author, seq) = (message.origin(), message.seq());
        let has_later = self.history.highest(author) > seq;
        if self.is_old(lent.cx, message) {
            // Its user was told that it is missed, before its author had said that it is old.
            let origin = self.history.origin(author);
            if origin.is_some_and(|origin| origin.is_called_missed(seq)) {
                return Some(Arrival::Late);
            }
            // What the history that came on joining lacked, as the user was told then: it is kept, and
            // would stand out of its author's order.
            let is_in_order = !self.has_joined() || !has_later;
            if !is_in_order && !self.past.has_told(author) {
                self.unshown.note(message.id());
            }
            return is_in_order.then_some(Arrival::Old);
        }
        let joined = self.has_joined();
        let origin = self.history.origin_mut(author);
        let is_owed = origin.owed_from().is_some_and(|from| from <= seq);
        let was_given_up = origin.was_given_up(seq);
        if was_given_up {
            // Nobody in reach had it, so that others may have given it up too.
            self.repair.pass_on();
        }
        if has_later || was_given_up {
            // Of what is not owed, as far as is known, nobody was told that it was missing.
            let is_late = is_owed || has_later;
            return Some(if is_late { Arrival::Late } else { Arrival::Old });
        }
        if joined && origin.owed_from().is_none() {
            let passed_by_to = origin.passed_by_to();
            origin.owe_from(seq);
            self.notice_lacks(lent, author, seq.saturating_add(1), passed_by_to);
        }
        Some(Arrival::Live)
    }

    /// These of one author were taken in: the user sees them, now or once this node has joined.
    pub(super) fn show_taken_in(
        &mut self,
        lent: &mut Lent<'_>,
        run: &[ChatMessage],
        arrival: Arrival,
    ) {
        if self.has_joined() {
            self.await_printing(lent, run, arrival);
            return lent.cx.show_messages(run, arrival);
        }
        for message in run {
            if arrival != Arrival::Old {
                self.held_back.0.push(message.clone());
            }
        }
    }

    /// Joined for the first time: shows what was said meanwhile, in the history's order. What was taken
    /// for old because its author's word did not come in time is new if that word has come since.
    pub(super) fn show_held_back(&mut self, lent: &mut Lent<'_>) {
        let mut held_back = std::mem::take(&mut self.held_back).0;
        let known: BTreeSet<MessageId> = held_back.iter().map(ChatMessage::id).collect();
        let history = self.history.iter();
        let turned = history.filter(|m| self.is_told_new(m.id()) && !known.contains(&m.id()));
        held_back.extend(turned.cloned());
        held_back.sort_by_key(ChatMessage::position);
        let mut shown = BTreeSet::new();
        for message in held_back {
            // Its author is a member now, and may say that it is old.
            if self.past.is_undecided(message.origin()) {
                self.past.doubt(message.id());
            } else if !self.is_old(lent.cx, &message) {
                self.show_taken_in(lent, std::slice::from_ref(&message), Arrival::Live);
                shown.insert(message.id());
            }
        }
        if !lent.cx.is_weakened(Weakness::UnseenCounts) {
            self.history.forget_unseen(lent.cx.config.key, &shown);
        }
        self.note_doubted(lent, &known);
    }

    /// What was taken for old before this node was let in, since its author had said nothing for a while: the
    /// author is a member, and its word may still be on its way to this node, which shows it then.
    fn note_doubted(&mut self, lent: &Lent<'_>, known: &BTreeSet<MessageId>) {
        if !self.past.has_undecided() {
            return;
        }
        let is_doubted = |m: &&ChatMessage| {
            self.past.is_undecided(m.origin())
                && !known.contains(&m.id())
                && !self.is_old(lent.cx, m)
        };
        let doubted = self.history.iter().filter(is_doubted).map(ChatMessage::id);
        for id in doubted.collect::<Vec<_>>() {
            self.past.doubt(id);
        }
    }

    /// This author has said which of its messages are new, or will not say any more: those that were doubted and
    /// are new are shown, before what waits for the same word.
    pub(super) fn show_doubted(&mut self, lent: &mut Lent<'_>, author: Key) {
        if !self.has_joined() {
            return;
        }
        let Some((first, last)) = self.past.take_doubted(author) else {
            return;
        };
        let is_new = |m: &&ChatMessage| {
            m.origin() == author && (first..=last).contains(&m.seq()) && !self.is_old(lent.cx, m)
        };
        let new: Vec<ChatMessage> = self.history.iter().filter(is_new).cloned().collect();
        let has_later = self.history.highest(author) > last;
        let arrival = if has_later {
            Arrival::Late
        } else {
            Arrival::Live
        };
        for message in new {
            self.show_taken_in(lent, std::slice::from_ref(&message), arrival);
        }
        // What fell below the floor meanwhile was not shown, and is asked for again if it is owed.
        if !lent.cx.is_weakened(Weakness::UnseenCounts) {
            self.history.origin_mut(author).forget_unseen(first, last);
        }
    }
}
