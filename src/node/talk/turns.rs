//! In which order what is missing is given up.
//!
//! Owns what of the missing is still asked for, while all that is missing is looked at once. It asks nobody and
//! gives nothing up.

use std::collections::BTreeMap;

use super::noticed::NoticedGap;
use crate::node::Time;
use crate::wire::Key;

/// What is missing of one author and everybody was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    pub(super) author: Key,
    /// Its first and its last message.
    pub(super) span: (u64, u64),
    /// It came, and was thrown away for want of room.
    is_thrown: bool,
    /// Its author never said it.
    is_denied: bool,
    /// It is waited for for long.
    is_ripe: bool,
    /// Since when everybody was asked.
    asked_all: Time,
}

/// What is missing: what is still asked for, and what everybody was asked for.
#[derive(Debug, Default)]
pub(super) struct Turns {
    due: Vec<Due>,
    /// Since when the first of what is still asked for is missing.
    pending: Option<Time>,
    /// The first message of each author that is still asked for, apart from what was thrown away.
    first_of: BTreeMap<Key, u64>,
}

impl Turns {
    /// This is missing of this author. `is_ripe`: it is waited for for long.
    pub(super) fn add(&mut self, author: Key, gap: &NoticedGap, is_ripe: bool) {
        let is_thrown = gap.thrown().is_some();
        let (span, since) = (gap.span(), gap.since());
        if let Some(asked_all) = gap.asked_all() {
            return self.due.push(Due {
                author,
                span,
                is_thrown,
                is_denied: gap.is_denied(),
                is_ripe,
                asked_all,
            });
        }
        self.pending = Some(self.pending.map_or(since, |first| first.min(since)));
        if !is_thrown {
            let first = self.first_of.entry(author).or_insert(span.0);
            *first = span.0.min(*first);
        }
    }

    /// What may be given up now. What follows from something that is missing may follow from something else that
    /// is, by way of that: so what was noticed before is looked for to the end first, and what one author said is
    /// given up in its order, whenever it was noticed: else what follows from a later message could be shown before an
    /// earlier one was called missed. Both only as long as it is not waited for for long: somebody who lies names ever
    /// more. What its author denies was never said, so that nothing follows from it, or goes before it. What was thrown
    /// away may be so again and again, and its author's later ones wait for it otherwise.
    /// `in_order`: false only in tests, which show what comes of it.
    pub(super) fn into_due(self, in_order: bool) -> Vec<Due> {
        let Turns {
            mut due,
            pending,
            mut first_of,
        } = self;
        due.sort_unstable_by_key(|due| (due.author, due.span));
        due.retain(|due| {
            if due.is_denied {
                return true;
            }
            let first = first_of.get(&due.author);
            let is_in_order = !in_order || first.is_none_or(|first| *first > due.span.1);
            let has_turn = pending.is_none_or(|pending| pending > due.asked_all);
            let may_go = due.is_ripe || is_in_order && has_turn;
            if !may_go && !due.is_thrown {
                first_of.entry(due.author).or_insert(due.span.0);
            }
            may_go
        });
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: Key = Key(9);
    const BIA: Key = Key(10);

    fn second(second: u64) -> Time {
        Time(second * 1_000_000)
    }

    /// This message, which everybody was asked for by then.
    fn asked_by(seq: u64, by: u64) -> NoticedGap {
        let mut gap = NoticedGap::new((seq, seq), second(1));
        gap.note_all_asked(second(by));
        gap
    }

    /// True if a message of Ana's, the fifth, which everybody was asked for by second 4, may be given up while this
    /// one of this author, missing since then, is still asked for.
    fn may_go(in_order: bool, (author, seq, since): (Key, u64, u64)) -> bool {
        let mut turns = Turns::default();
        turns.add(ANA, &asked_by(5, 4), false);
        turns.add(author, &NoticedGap::new((seq, seq), second(since)), false);
        !turns.into_due(in_order).is_empty()
    }

    #[test]
    fn what_is_missing_goes_by_time_and_what_one_said_in_its_order_too() {
        assert!(!may_go(true, (BIA, 1, 3)));
        assert!(may_go(true, (BIA, 1, 5)));
        assert!(may_go(true, (ANA, 6, 5)));
        assert!(!may_go(true, (ANA, 4, 5)));
        assert!(may_go(false, (ANA, 4, 5)));
    }

    #[test]
    fn what_is_waited_for_for_long_goes_out_of_turn_and_order() {
        let due = |is_ripe, (author, seq, since)| {
            let mut turns = Turns::default();
            turns.add(ANA, &asked_by(5, 4), is_ripe);
            turns.add(author, &NoticedGap::new((seq, seq), second(since)), false);
            turns.into_due(true).len()
        };
        for other in [(BIA, 1, 3), (ANA, 4, 5)] {
            assert_eq!((due(false, other), due(true, other)), (0, 1), "{other:?}");
        }
    }

    #[test]
    fn what_may_not_go_yet_holds_up_what_its_author_said_later() {
        let due = |in_order| {
            let mut turns = Turns::default();
            turns.add(ANA, &asked_by(8, 4), false);
            turns.add(ANA, &asked_by(5, 6), false);
            turns.add(BIA, &NoticedGap::new((1, 1), second(5)), false);
            turns.into_due(in_order).len()
        };
        assert_eq!(due(true), 0);
        assert_eq!(due(false), 1);
    }
}
