//! Causes that somebody named and their author never said: nothing waits for them any more.
//!
//! Owns their names, in a limit. An author that is here speaks for itself: what it has not said once it was
//! asked is no gap, and what it says later is new, whoever named it before.

use std::collections::{BTreeSet, VecDeque};

use super::{Lent, Talk};
use crate::limits;
use crate::node::Weakness;
use crate::node::history::{Origin, Ranges};
use crate::wire::{Key, MessageId};

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

    fn insert(&mut self, named: (Key, MessageId)) {
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
    /// How much this author has said, if it is a present member that speaks for itself and has told so.
    pub(super) fn word_of(&self, lent: &Lent<'_>, author: Key) -> Option<u64> {
        let speaks = lent.view.contains(author) && lent.mesh.is_alive(lent.cx, author);
        let origin = self.history.origin(author).filter(|_| speaks);
        origin.and_then(Origin::said)
    }

    /// Everybody was asked for these, the author as well: what it has not said is left out of what is given up,
    /// and what waited for it waits no more.
    pub(super) fn leave_out_unsaid(
        &mut self,
        lent: &Lent<'_>,
        author: Key,
        lacks: &Ranges,
    ) -> Ranges {
        let said = self.word_of(lent, author);
        let Some(said) = said.filter(|_| !lent.cx.is_weakened(Weakness::NamedCausesExist)) else {
            return lacks.clone();
        };
        if said == u64::MAX {
            return lacks.clone();
        }
        for (first, last) in lacks.within(said.saturating_add(1), u64::MAX).iter() {
            let id = |seq| MessageId {
                origin: author,
                seq,
            };
            for named in self.waiting.causes_within((id(first), id(last))) {
                self.unsaid.insert(named);
            }
        }
        lacks.within(0, said)
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
