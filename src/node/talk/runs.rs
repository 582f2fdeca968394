//! Runs: many messages of one author at once.
//!
//! A node that says much sends frames in which each message follows the one before it and depends on nothing
//! else. Such a run is taken in as one: what is looked up for a message is looked up once for all of
//! them. What comes of it is what would have come of them one by one, except that what waits for one of
//! them is taken in after all of them.
//!
//! Owns no state. It must do nothing else than that: whatever is not a run goes the way of single messages.

use super::{Lent, Talk};
use crate::node::Weakness;
use crate::wire::ChatMessage;

impl Talk {
    /// How many of the first messages are a run of messages that are new, and do not wait yet; 0 if
    /// the first one is not even that. Only the first one may have a cause that is not here.
    pub(super) fn run_length(&self, lent: &Lent<'_>, messages: &[ChatMessage]) -> usize {
        let Some(first) = messages.first() else {
            return 0;
        };
        if first.origin() == lent.cx.config.key || !self.history.takes_run(first) {
            return 0;
        }
        let gap = self.waiting.gap_at(first.id());
        let gap = usize::try_from(gap).unwrap_or(usize::MAX);
        let gap = gap.min(self.told_alike(lent, first, messages.len()));
        let pairs = messages.windows(2);
        // What is dated too far ahead is no cause of what is written here, and goes by itself.
        let is_beyond = |m: &ChatMessage| self.history.is_beyond_reach(m.position());
        let follow = pairs.take_while(|pair| follows(&pair[0], &pair[1]) && !is_beyond(&pair[1]));
        let length = gap.min(1 + follow.take(gap).count());
        if self.is_of_one_age(lent, &messages[..length]) {
            length
        } else {
            1
        }
    }

    /// True if all of a run is old, or none of it.
    fn is_of_one_age(&self, lent: &Lent<'_>, run: &[ChatMessage]) -> bool {
        let ends = run.first().zip(run.last());
        ends.is_none_or(|(first, last)| self.is_old(lent.cx, first) == self.is_old(lent.cx, last))
    }

    /// How many of a run of so many are like the first one: its user was told that it is missed, before its author
    /// had said it, or was not.
    fn told_alike(&self, lent: &Lent<'_>, first: &ChatMessage, count: usize) -> usize {
        let origin = self.history.origin(first.origin());
        let origin = origin.filter(|_| !lent.cx.is_weakened(Weakness::FirstOfRunCounts));
        let last = first.seq().saturating_add(count as u64 - 1);
        let end = origin.map_or(last, |o| o.told_alike_to(first.seq(), last));
        usize::try_from(end - first.seq() + 1).unwrap_or(count)
    }

    /// True if this run, which has waited, can still be taken in as one.
    pub(super) fn takes_as_run(&self, lent: &Lent<'_>, run: &[ChatMessage]) -> bool {
        let takes = |first: &ChatMessage| {
            self.history.takes_run(first) && self.told_alike(lent, first, run.len()) == run.len()
        };
        run.first().is_some_and(takes) && self.is_of_one_age(lent, run)
    }

    /// Takes a run in, as [`Talk::take_in`] does one message.
    pub(super) fn take_in_run(&mut self, lent: &mut Lent<'_>, run: &[ChatMessage]) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return;
        };
        lent.cx.observe(last.timestamp());
        let arrival = self.begin_author(lent, first);
        let history = &self.history;
        let lacks = |cause| !history.has_taken(cause);
        self.chat.heads.cover_run(run, lacks);
        self.history.insert_run(run);
        self.acks.owe(first.origin());
        if let Some(arrival) = arrival {
            self.show_taken_in(lent, run, arrival);
        }
    }

    /// Own messages, each of which follows the one before it.
    pub(super) fn insert_own(&mut self, messages: &[ChatMessage]) {
        if let [message] = messages {
            self.history.insert(message.clone());
            return;
        }
        let is_run = messages.windows(2).all(|pair| follows(&pair[0], &pair[1]));
        if is_run && messages.first().is_some_and(|m| self.history.takes_run(m)) {
            return self.history.insert_run(messages);
        }
        for message in messages {
            self.history.insert(message.clone());
        }
    }
}

/// True if a message comes right after this one of the same author, and depends on nothing else.
fn follows(earlier: &ChatMessage, later: &ChatMessage) -> bool {
    later.is_next_in_block(earlier)
        || later.origin() == earlier.origin()
            && earlier.seq().checked_add(1) == Some(later.seq())
            && later.timestamp() > earlier.timestamp()
            && later.dependency_count() == 0
}

#[cfg(test)]
#[path = "runs_test.rs"]
mod tests;
