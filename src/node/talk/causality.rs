//! Waiting for causes: a message is taken in after its author's previous one and its dependencies,
//! whatever way it came.
//!
//! Owns the decision; what waits is kept in [`super::waiting`], and what is missing is looked for, and
//! given up, in [`super::gaps`]. What is old and comes while this node joins, or is not kept, waits only
//! for what is looked for anyway.

use std::collections::BTreeSet;

use super::heads::causes;
use super::waiting::{Coming, Waiter};
use super::{Lent, Talk};
use crate::node::history::Origin;
use crate::node::{LinkId, Weakness};
use crate::wire::{ChatMessage, Key, MessageId, Position};

impl Talk {
    /// Live chat, which is its author's own: each message is taken in, or waits for a cause.
    pub(in crate::node) fn on_chat(
        &mut self,
        lent: &mut Lent<'_>,
        link: LinkId,
        key: Key,
        mut messages: Vec<ChatMessage>,
    ) {
        self.drop_far_ahead(lent, Some(key), &mut messages);
        let mut rest = &messages[..];
        let mut is_news = false;
        while let Some(first) = rest.first() {
            self.hear_author(lent, first.origin());
            let length = self.run_length(lent, rest).max(1);
            let (run, later) = rest.split_at(length);
            let last = first.seq().saturating_add(length as u64 - 1);
            // What was given up before it was said is no gap.
            self.hear_word(key, first.seq().saturating_sub(1));
            self.history.origin_mut(key).say(last);
            lent.mesh.note_word(link);
            if length > 1 || !self.has_come_before(lent, first) {
                is_news = true;
                self.take_or_wait(lent, (key, true), run);
            }
            rest = later;
        }
        // What is repeated says nothing of what is still to come.
        if is_news {
            self.heard_chat = lent.cx.now.time;
            lent.mesh.note_chat(link, lent.cx.now.time);
        }
    }

    /// True if a live message is nothing new.
    fn has_come_before(&mut self, lent: &mut Lent<'_>, message: &ChatMessage) -> bool {
        // Nobody else writes in this node's name.
        if message.origin() == lent.cx.config.key {
            return true;
        }
        let has_taken = self.history.has_taken(message.id());
        if has_taken {
            self.compare_with_taken(lent, message, message.origin());
            self.acks.owe_again(message.origin());
        }
        has_taken
    }

    /// Takes a run of new messages in, or lets it wait for a cause of its first one. `is_live`: the sender says it now.
    pub(super) fn take_or_wait(
        &mut self,
        lent: &mut Lent<'_>,
        (sender, is_live): (Key, bool),
        run: &[ChatMessage],
    ) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return;
        };
        let is_below = self.is_below_keeping(first);
        let coming = Coming {
            sender,
            is_below,
            is_wordless: is_live && !is_below && self.speaks_without_word(lent, sender),
            at: lent.cx.now.time,
        };
        if !is_below {
            self.look_for_unfound(lent, first);
        }
        if let Some(missing) = self.missing_cause(lent, first, coming) {
            return self.wait_for(lent, missing, coming, run);
        }
        match run {
            [message] => {
                self.take_in(lent, message, is_below);
                self.waiting.take_out(message.id());
            }
            _ => self.take_in_run(lent, run),
        }
        self.release(lent, (first.id(), last.id()));
    }

    /// True if what this author says on its own link waits for no word of it. It is in no view with this node, and an
    /// author that counts on somebody says so on the link before anything else: it does not yet, and its word may not
    /// come before two groups are one.
    fn speaks_without_word(&self, lent: &Lent<'_>, author: Key) -> bool {
        self.has_joined()
            && !lent.view.contains(author)
            && !lent.cx.is_weakened(Weakness::StrangersWait)
    }

    /// What this message has to wait for.
    fn missing_cause(
        &self,
        lent: &Lent<'_>,
        message: &ChatMessage,
        coming: Coming,
    ) -> Option<MessageId> {
        let is_below = coming.is_below;
        if lent.cx.is_weakened(Weakness::NoDependencyWait) {
            return None;
        }
        let mut unsettled = self.unsettled_causes(lent, message);
        let word = self.awaited_word(message.origin());
        let word = word.filter(|_| !coming.is_wordless);
        if self.leads_to_nothing(lent, message, is_below) {
            // What is looked for anyway may have led to it.
            if !is_below && self.waiting.len() == 0 && self.gaps.is_empty() {
                return None;
            }
            let waits = |cause: &MessageId| self.waiting.find(*cause).is_some();
            let is_due = |cause: &MessageId| is_below && self.is_owed(*cause);
            let sought = unsettled.find(|c| is_due(c) || waits(c) || self.is_wanted(*c));
            let unknown = || self.may_follow_from(lent, message).filter(|_| is_below);
            return sought.or_else(unknown);
        }
        let cause = || unsettled.next();
        // What was given up between two messages does not put the later one first.
        let earlier = || {
            let before = self.waiting.last_before(message.id());
            let before = before.filter(|id| !self.is_later(lent, *id, message));
            let goes_first = lent.cx.is_weakened(Weakness::LaterGoFirst);
            let sought = || self.sought_before(message.id()).filter(|_| !goes_first);
            before.max(sought().filter(|id| !self.unsaid.contains(message.origin(), *id)))
        };
        let of_cause = || self.word_of_given_up(lent, message);
        word.or_else(cause).or_else(of_cause).or_else(earlier)
    }

    /// What waits, and may be a cause of a message under the floor: one of its causes is not here, and nobody here
    /// knows what that one follows from, so that it may be anything that was said earlier.
    fn may_follow_from(&self, lent: &Lent<'_>, message: &ChatMessage) -> Option<MessageId> {
        if self.waiting.len() == 0 || lent.cx.is_weakened(Weakness::UnknownIsNothing) {
            return None;
        }
        let is_unknown = causes(message).any(|cause| !self.history.has_taken(cause));
        is_unknown.then(|| self.waiting.latest_until(message.position()))?
    }

    /// The word that a cause of this message waits for which was given up and has come since: once that word is
    /// there, the cause goes first, if it waits for nothing else.
    fn word_of_given_up(&self, lent: &Lent<'_>, message: &ChatMessage) -> Option<MessageId> {
        if self.waiting.len() == 0 || lent.cx.is_weakened(Weakness::GivenUpStaysSo) {
            return None;
        }
        let is_back = |cause: &MessageId| {
            let waits = || self.waiting.find(*cause).is_some() || self.gaps.was_thrown(*cause);
            let is_there = self.history.is_settled(*cause) && waits();
            is_there && !self.is_later(lent, *cause, message)
        };
        let mut words = causes(message).filter(is_back);
        words.find_map(|cause| self.awaited_word(cause.origin))
    }

    /// The causes of a message that are neither here nor given up, and may come.
    fn unsettled_causes<'a>(
        &'a self,
        lent: &'a Lent<'_>,
        message: &'a ChatMessage,
    ) -> impl Iterator<Item = MessageId> + 'a {
        // Nobody else writes in this node's name: what it never wrote will never come.
        let me = lent.cx.config.key;
        let is_open = move |cause: &MessageId| {
            cause.origin != me
                && !self.history.is_settled(*cause)
                && !self.unsaid.contains(message.origin(), *cause)
                && !self.is_later(lent, *cause, message)
        };
        causes(message).filter(is_open)
    }

    /// True if nothing is looked for because of a message: it is old and comes while this node joins, or lies under
    /// the floor (`is_below`) and its author's word is known.
    fn leads_to_nothing(&self, lent: &Lent<'_>, message: &ChatMessage, is_below: bool) -> bool {
        let has_word = self.awaited_word(message.origin()).is_none();
        is_below && has_word || !self.has_joined() && self.is_old(lent.cx, message)
    }

    /// All causes of what waits are looked for at once, and not one after the other: somebody who invents them would
    /// keep whatever follows away for as many rounds.
    pub(super) fn notice_causes(
        &mut self,
        lent: &mut Lent<'_>,
        message: &ChatMessage,
        is_below: bool,
    ) {
        if self.leads_to_nothing(lent, message, is_below)
            || lent.cx.is_weakened(Weakness::OneCauseIsNoticed)
        {
            return;
        }
        let is_away = |cause: &MessageId| self.waiting.find(*cause).is_none();
        let unsettled = self.unsettled_causes(lent, message);
        for cause in unsettled.filter(is_away).collect::<Vec<_>>() {
            // There is always room for the causes that something has come to wait for.
            if self.gaps.is_half_full() {
                return;
            }
            self.notice_gap(lent, cause.origin, cause.seq);
        }
    }

    /// True if this cause waits here, and was said after its effect, as only a liar says: two that wait for each
    /// other would wait for ever, and all that follows from them.
    fn is_later(&self, lent: &Lent<'_>, cause: MessageId, message: &ChatMessage) -> bool {
        let waits = self.waiting.find(cause).map(|(_, waits)| waits.position());
        waits.is_some_and(|waits| waits >= message.position())
            && !lent.cx.is_weakened(Weakness::CyclesWait)
    }

    /// Those of these, which wait now, that something waits for that was said before them, and need not.
    fn cycles_of(&self, lent: &Lent<'_>, run: &[ChatMessage]) -> Vec<(MessageId, MessageId)> {
        if lent.cx.is_weakened(Weakness::CyclesWait) {
            return Vec::new();
        }
        let are_waited_for = self.waiting.waited_for_early(run);
        are_waited_for.map(|m| (m.id(), m.id())).collect()
    }

    /// True if a message lies under the floor, and nobody counts on this node for it. Its causes lie there
    /// too, and theirs, back to the room's first line.
    fn is_below_keeping(&self, message: &ChatMessage) -> bool {
        !self.is_owed(message.id()) && message.position() <= self.history.floor()
    }

    /// How a message of this run came: one that came under the floor, and has been found to be owed, did not.
    fn coming_now(&self, waiter: &Waiter, message: &ChatMessage) -> Coming {
        let coming = waiter.coming;
        Coming {
            is_below: coming.is_below && self.is_below_keeping(message),
            ..coming
        }
    }

    /// Its author counts on this node for it, as far as is known.
    fn is_owed(&self, id: MessageId) -> bool {
        let origin = self.history.origin(id.origin);
        let owed_from = origin.and_then(Origin::owed_from);
        owed_from.is_some_and(|from| from <= id.seq)
    }

    /// A run of new messages waits for a cause of its first one.
    fn wait_for(
        &mut self,
        lent: &mut Lent<'_>,
        missing: MessageId,
        coming: Coming,
        run: &[ChatMessage],
    ) {
        let waits = |first: &ChatMessage| self.waiting.gap_at(first.id()) < run.len() as u64;
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return;
        };
        if waits(first) {
            return;
        }
        self.notice_gap(lent, missing.origin, missing.seq);
        self.notice_causes(lent, first, coming.is_below);
        let max = lent.cx.config.waiting_max;
        let mut thrown = Vec::new();
        if !lent.cx.is_weakened(Weakness::LatestStay) {
            thrown = self.waiting.make_room(run, max);
        }
        let fits = self.waiting.room_for(run, max);
        let (run, rest) = run.split_at(fits);
        thrown.extend(rest.first().map(|first| (first.id(), last.id())));
        if !lent.cx.is_weakened(Weakness::ThrownAwayCounts) {
            // It is looked for like anything else that is missing, once what waits has gone on.
            for (first, last) in thrown {
                self.notice_again(lent, first.origin, (first.seq, last.seq));
            }
        }
        let mut due = self.cycles_of(lent, rest);
        for message in rest.iter().filter(|m| due.contains(&(m.id(), m.id()))) {
            // It has no room beside what was said before it: nothing of that is to wait for it.
            let namers: Vec<Key> = self.waiting.earlier_for(message).collect();
            (namers.into_iter()).for_each(|namer| self.unsaid.insert((namer, message.id())));
        }
        if let Some(last) = run.last() {
            lent.cx.counters.waited += run.len() as u64;
            self.waiting.insert(Waiter {
                run: run.to_vec(),
                missing,
                coming,
            });
            self.tell_gaps_apart(lent, last.id());
            due.extend(self.cycles_of(lent, run));
        }
        if !due.is_empty() {
            self.release_all(lent, due);
        }
    }

    /// These of one author were taken in, or given up: so is whatever waited for them.
    pub(super) fn release(&mut self, lent: &mut Lent<'_>, span: (MessageId, MessageId)) {
        // Mostly nothing waits.
        if self.waiting.len() > 0 {
            self.release_all(lent, vec![span]);
        }
    }

    /// The same of several authors. The rest goes in the history's order: what was given up may have come
    /// after something that waits itself, and before something else. What is due still counts as waiting until its
    /// turn comes: what is looked at earlier would take it for missing and wait for it, without end where lines name
    /// each other in a circle.
    pub(super) fn release_all(
        &mut self,
        lent: &mut Lent<'_>,
        mut settled: Vec<(MessageId, MessageId)>,
    ) {
        let mut due: BTreeSet<(Position, MessageId)> = BTreeSet::new();
        loop {
            for span in settled.drain(..) {
                due.extend(self.waiting.make_due(span));
            }
            let Some((_, first)) = due.pop_first() else {
                return;
            };
            if let Some(missing) = self.cause_of_due(lent, first) {
                self.notice_gap(lent, missing.origin, missing.seq);
                self.waiting.wait_for_another(first, missing);
            } else if let Some(waiter) = self.waiting.remove(first) {
                settled = self.take_in_waiter(lent, waiter);
            }
        }
    }

    /// What the run that begins with this message waits for now.
    fn cause_of_due(&self, lent: &Lent<'_>, first: MessageId) -> Option<MessageId> {
        let waiter = self.waiting.begins_with(first)?;
        let coming = self.coming_now(waiter, waiter.first());
        self.missing_cause(lent, waiter.first(), coming)
    }

    /// Takes in what has waited, and gives the first and the last of it.
    /// Where only the first of a run are old, the rest may have its author's word to wait for.
    fn take_in_waiter(
        &mut self,
        lent: &mut Lent<'_>,
        mut waiter: Waiter,
    ) -> Vec<(MessageId, MessageId)> {
        let (first, last) = waiter.span();
        if waiter.run.len() > 1 && self.takes_as_run(lent, &waiter.run) {
            self.take_in_run(lent, &waiter.run);
            return vec![(first, last)];
        }
        for at in 0..waiter.run.len() {
            let message = &waiter.run[at];
            let coming = self.coming_now(&waiter, message);
            if self.history.has_taken(message.id()) {
                continue;
            }
            if at > 0
                && let Some(missing) = self.missing_cause(lent, message, coming)
            {
                let last = waiter.run[at - 1].id();
                let run = waiter.run.split_off(at);
                self.notice_gap(lent, missing.origin, missing.seq);
                self.waiting.insert(Waiter {
                    run,
                    missing,
                    ..waiter
                });
                return vec![(first, last)];
            }
            self.take_in(lent, message, coming.is_below);
        }
        vec![(first, last)]
    }
}

#[cfg(test)]
#[path = "causality_test.rs"]
mod tests;
