//! Causes that somebody named and their author never said: nothing waits for them any more. And those that nobody
//! in reach had: they may have been said since, if somebody else names them.
//!
//! Owns their names, in limits. An author that is here speaks for itself: what it has not said once it was
//! asked is no gap, and what it says later is new, whoever named it before.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::heads::causes;
use super::{Lent, Talk};
use crate::limits;
use crate::node::history::{Origin, Ranges};
use crate::node::mesh::Link;
use crate::node::{Time, Weakness};
use crate::wire::{ChatMessage, Key, MessageId};

/// The names of causes that nobody said.
#[derive(Debug, Default)]
pub(super) struct Unsaid {
    /// Each with who named it: what others name may be on its way.
    all: BTreeSet<(Key, MessageId)>,
    /// The same, the oldest first.
    order: VecDeque<(Key, MessageId)>,
}

impl Unsaid {
    /// True if what this author says need not wait for this one.
    pub(super) fn contains(&self, namer: Key, cause: MessageId) -> bool {
        self.all.contains(&(namer, cause))
    }

    /// What this author says need not wait for this one from now on.
    pub(super) fn insert(&mut self, named: (Key, MessageId)) {
        if !self.all.insert(named) {
            return;
        }
        self.order.push_back(named);
        if self.order.len() > limits::UNSAID_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.all.remove(&oldest);
        }
    }
}

impl Talk {
    /// Nobody in reach has these of these authors, and nobody is known to count on them: who has named one of them by
    /// now is not believed again.
    pub(super) fn note_unfound(&mut self, unfound: &BTreeMap<Key, Ranges>) {
        for named in self.namers_of(unfound) {
            self.unfound.insert(named);
        }
    }

    /// A message has come that follows from some that nobody in reach had when others named them: they are looked for
    /// once more. They may have been named by a liar, and said since.
    pub(super) fn look_for_unfound(&mut self, lent: &Lent<'_>, message: &ChatMessage) {
        if !self.has_joined() || lent.cx.is_weakened(Weakness::UnfoundStaySo) {
            return;
        }
        for cause in message.dependencies() {
            let origin = self.history.origin(cause.origin);
            let named = (message.origin(), cause);
            if origin.is_some_and(|origin| origin.is_unfound(cause.seq))
                && !self.unfound.contains(named.0, cause)
            {
                self.unfound.insert(named);
                self.history
                    .origin_mut(cause.origin)
                    .look_for_again(cause.seq);
            }
        }
    }

    /// How much this author has said, if it is a present member that speaks for itself and has told so. One that
    /// was cut off, and is linked again, may have said more to others meanwhile, and counts on this node no more:
    /// otherwise it tells so at once.
    pub(super) fn word_of(&self, lent: &Lent<'_>, author: Key) -> Option<u64> {
        let link = lent.mesh.link_to(author);
        let has_told = link.is_some_and(Link::has_given_word);
        let speaks = has_told && lent.view.contains(author) && lent.mesh.is_alive(lent.cx, author);
        let origin = self.history.origin(author).filter(|_| speaks);
        origin.and_then(Origin::said)
    }

    /// This author says itself that it has said so much: what was given up beyond that is no gap of its own.
    pub(super) fn hear_word(&mut self, author: Key, said: u64) {
        let origin = self.history.origin_mut(author);
        origin.say(said);
        if origin.forget_missed_beyond_word() {
            self.acks.owe_again(author);
        }
    }

    /// The last message of which anything but the word of others says that this author has said it; none if the
    /// author does not speak for itself here, and may have said more.
    pub(super) fn known_to_be_said(&self, lent: &Lent<'_>, author: Key) -> Option<u64> {
        let said = self.word_of(lent, author)?;
        let taken = self.history.highest(author);
        let waiting = self.waiting.last_of(author);
        Some(said.max(taken).max(waiting))
    }

    /// Everybody was asked for these, since they were noticed (`since`), the author as well: what only others say that it
    /// has said is left out of what is given up, and nothing waits for it any more. An author that has dropped
    /// something may have said it: that is missed.
    pub(super) fn leave_out_unsaid(
        &self,
        lent: &Lent<'_>,
        (author, since): (Key, Time),
        lacks: &Ranges,
    ) -> Ranges {
        let known = self.known_to_be_said(lent, author);
        let known = known.or_else(|| self.known_by_answer(lent, author, since));
        let known = known.filter(|_| !self.answers.has_dropped(author));
        let Some(known) = known.filter(|_| !lent.cx.is_weakened(Weakness::NamedCausesExist)) else {
            return lacks.clone();
        };
        lacks.within(0, known)
    }

    /// The last message that this author may have said which does not count on this node, and has told nothing, but was
    /// asked since then, and has given all that it holds of its own.
    fn known_by_answer(&self, lent: &Lent<'_>, author: Key, since: Time) -> Option<u64> {
        let asked = self.answers.last_answer(author);
        let has_answered = asked.is_some_and(|(began, _)| began >= since)
            && !lent.cx.is_weakened(Weakness::AuthorsAnswersSayNothing);
        let highest = self.history.highest(author);
        has_answered.then(|| highest.max(self.waiting.last_of(author)))
    }

    /// What waits and names one of these of these authors need not wait for it, whatever else it waits for now.
    pub(super) fn let_go(&mut self, never_said: &BTreeMap<Key, Ranges>) {
        for named in self.namers_of(never_said) {
            self.unsaid.insert(named);
        }
    }

    /// The authors of what waits for these of these authors, each with what it names.
    fn namers_of(&self, named: &BTreeMap<Key, Ranges>) -> Vec<(Key, MessageId)> {
        if named.values().all(Ranges::is_empty) {
            return Vec::new();
        }
        let is_named = |id: &MessageId| {
            let of_author = named.get(&id.origin);
            of_author.is_some_and(|seqs| seqs.contains(id.seq))
        };
        let waiting = self.waiting.iter().flat_map(|waiter| &waiter.run);
        let names = waiting.flat_map(|m| causes(m).filter(is_named).map(|id| (m.origin(), id)));
        names.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_names_are_kept() {
        let mut unsaid = Unsaid::default();
        let id = |seq| MessageId {
            origin: Key(1),
            seq,
        };
        for seq in 1..=limits::UNSAID_MAX as u64 + 1 {
            unsaid.insert((Key(2), id(seq)));
            unsaid.insert((Key(2), id(seq)));
        }
        assert_eq!(unsaid.all.len(), limits::UNSAID_MAX);
        assert_eq!(unsaid.order.len(), limits::UNSAID_MAX);
        assert!(!unsaid.contains(Key(3), id(2)));
        assert!(!unsaid.contains(Key(2), id(1)) && unsaid.contains(Key(2), id(2)));
    }
}
