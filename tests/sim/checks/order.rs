//! Order: per author in the order written, and never an effect before its cause.
//!
//! Causes are what the author's user had been shown when it said the line, and what it had written
//! before, by this checker's own account; what the message names as its dependencies is not looked
//! at.

use std::collections::{BTreeMap, BTreeSet};

use papo::wire::{Key, MessageId};

use super::{Run, Verdict, Violation};

/// A set of small numbers.
#[derive(Clone, Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn insert(&mut self, n: usize) {
        if self.0.len() <= n / 64 {
            self.0.resize(n / 64 + 1, 0);
        }
        self.0[n / 64] |= 1 << (n % 64);
    }

    fn insert_all(&mut self, other: &Bits) {
        self.0.resize(self.0.len().max(other.0.len()), 0);
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    fn contains(&self, n: usize) -> bool {
        self.0.get(n / 64).is_some_and(|w| w & (1 << (n % 64)) != 0)
    }

    fn latest_first(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().rev().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.checked_ilog2()? as usize;
                left &= !(1 << bit);
                Some(at * 64 + bit)
            })
        })
    }

    /// What is in this set and not in the other.
    fn without<'a>(&'a self, other: &'a Bits) -> impl Iterator<Item = usize> + 'a {
        self.0.iter().enumerate().flat_map(move |(at, word)| {
            let left = word & !other.0.get(at).copied().unwrap_or(0);
            (0..64)
                .filter(move |bit| left & (1 << bit) != 0)
                .map(move |bit| at * 64 + bit)
        })
    }
}

/// Who was shown what, and what each saying follows from.
#[derive(Debug, Default)]
pub struct Order {
    numbers: BTreeMap<MessageId, usize>,
    ids: Vec<MessageId>,
    causes: Vec<Bits>,
    /// What each names as its dependencies: its author's node had them, whether its user had seen them or not.
    named: BTreeMap<usize, Vec<usize>>,
    /// What was shown to a run while nobody in reach had something that it names: that, and what that follows from.
    ahead: BTreeMap<(Run, usize), Bits>,
    shown: BTreeMap<Run, Bits>,
    /// What each user was told is missed, or was shown as a part of the past.
    unordered: BTreeMap<Run, Bits>,
    last_seq: BTreeMap<(Run, Key), u64>,
    /// The last message of each author.
    last_written: BTreeMap<Key, usize>,
    /// Causes that were out of reach when an effect was shown, and when that was.
    missed: BTreeMap<(Run, MessageId), u64>,
    /// The causes of lines that were said and are not written yet.
    said: BTreeMap<String, Bits>,
}

impl Order {
    /// A user says this, after everything that it was shown so far.
    pub fn on_said(&mut self, run: Run, text: &str) {
        let causes = self.shown.get(&run).cloned().unwrap_or_default();
        self.said.insert(text.to_string(), causes);
    }

    /// The author's own node shows the message.
    pub fn on_written(&mut self, id: MessageId, text: &str) {
        let mut causes = self.said.remove(text).unwrap_or_default();
        let number = self.ids.len();
        if let Some(previous) = self.last_written.insert(id.origin, number) {
            causes.insert(previous);
            causes.insert_all(&self.causes[previous]);
        }
        self.numbers.insert(id, number);
        self.ids.push(id);
        self.causes.push(causes);
    }

    /// What a message names is known to follow to whoever has it, and nothing beyond that.
    pub fn on_names(&mut self, id: MessageId, named: impl Iterator<Item = MessageId>) {
        if let Some(&number) = self.numbers.get(&id) {
            let named = named.filter_map(|cause| self.numbers.get(&cause).copied());
            self.named.insert(number, named.collect());
        }
    }

    /// Where somebody lies, only what a message names follows, and what that names: what its user was shown it may
    /// know by way of a line of the liar's only, who names to each what it likes.
    pub fn on_named(&mut self, id: MessageId, named: impl Iterator<Item = MessageId>) {
        let Some(&number) = self.numbers.get(&id) else {
            return;
        };
        let previous = (id.seq > 1).then(|| MessageId {
            seq: id.seq - 1,
            ..id
        });
        let mut causes = Bits::default();
        let numbers = named.chain(previous);
        for cause in numbers.filter_map(|cause| self.numbers.get(&cause).copied()) {
            causes.insert(cause);
            causes.insert_all(&self.causes[cause]);
        }
        self.causes[number] = causes;
    }

    /// A message from before this run's time is here: it has no place in the order of the others.
    pub fn on_old(&mut self, run: Run, id: MessageId) {
        if let Some(&number) = self.numbers.get(&id) {
            self.shown.entry(run).or_default().insert(number);
            self.unordered.entry(run).or_default().insert(number);
        }
    }

    /// A message was called missed: what it followed from nobody here can know.
    pub fn on_missed(&mut self, run: Run, id: MessageId) {
        if let Some(&number) = self.numbers.get(&id) {
            self.unordered.entry(run).or_default().insert(number);
        }
    }

    /// It was written, and called missed to this user after that, or it is old.
    pub fn is_called_missed(&self, run: Run, id: MessageId) -> bool {
        let number = self.numbers.get(&id);
        number.is_some_and(|n| self.unordered.get(&run).is_some_and(|u| u.contains(*n)))
    }

    /// A message is shown; one that had been called missed may be late. `excused` says of a cause that
    /// was never shown here whether nobody in reach has it. One that is found later may be shown late, but not at once (then it was there),
    /// unless it lies below what the node keeps.
    pub fn on_shown(
        &mut self,
        (run, at): (Run, u64),
        (id, is_late): (MessageId, bool),
        excused: impl Fn(MessageId) -> bool,
    ) -> Verdict {
        let last = self.last_seq.entry((run, id.origin)).or_default();
        let missed = self.missed.get(&(run, id));
        let found_late = is_late || missed.is_some_and(|t| *t < at || excused(id));
        if *last >= id.seq && !found_late {
            let text = format!("run {run} shows {id} after number {last} of the same author");
            return Err(Violation::new("order", text));
        }
        *last = id.seq.max(*last);
        let Some(&number) = self.numbers.get(&id) else {
            return Ok(()); // Not written by anybody: integrity's business.
        };
        let shown = self.shown.entry(run).or_default();
        shown.insert(number);
        let unordered = self.unordered.entry(run).or_default();
        let names = |m: usize, cause: usize| self.causes[m].contains(cause);
        // The latest are tried first: they follow from nearly all.
        let latest_first = || self.causes[number].latest_first();
        let is_needed = |cause: &usize| {
            // It is a cause only by way of one that was called missed, or is old.
            let leads_to = |m: usize| {
                let mut between = self.causes[m].latest_first();
                names(m, *cause) || between.any(|x| names(x, *cause))
            };
            let is_between = |m: usize| unordered.contains(m) && leads_to(m);
            // It was out of reach when another effect of it was shown, from which this one follows:
            // this one names that other, which is there, and not what came before it.
            let follows = |effect: usize| shown.contains(effect) && names(effect, *cause);
            let missed = self.missed.contains_key(&(run, self.ids[*cause]));
            // The same of an effect whose author's node had the cause and named it, but not yet its user.
            let went_ahead = |effect: usize| {
                let lacked = self.ahead.get(&(run, effect));
                lacked.is_some_and(|lacked| lacked.contains(*cause))
            };
            let is_excused = latest_first().any(is_between)
                || missed && latest_first().any(follows)
                || latest_first().any(went_ahead);
            !is_excused
        };
        let (out_of_reach, needed): (Vec<usize>, Vec<usize>) = self.causes[number]
            .without(shown)
            .filter(is_needed)
            .partition(|cause| excused(self.ids[*cause]));
        // What only one that cannot be had names as its cause is known to nobody here.
        let is_known = |cause: &&usize| !out_of_reach.iter().any(|m| names(*m, **cause));
        if let Some(&cause) = needed.iter().find(is_known) {
            let cause = self.ids[cause];
            let text = format!("run {run} shows {id} without its cause {cause}");
            return Err(Violation::new("order", text));
        }
        for cause in needed.into_iter().chain(out_of_reach) {
            self.missed.entry((run, self.ids[cause])).or_insert(at);
        }
        let named = self.named.get(&number).into_iter().flatten();
        let lacked = named.filter(|cause| !shown.contains(**cause) && excused(self.ids[**cause]));
        for &cause in lacked {
            let ahead = self.ahead.entry((run, number)).or_default();
            ahead.insert(cause);
            ahead.insert_all(&self.causes[cause]);
        }
        Ok(())
    }

    /// What one of these runs showed the effects of without it.
    pub fn missed_by(&self, is_one: impl Fn(Run) -> bool) -> BTreeSet<MessageId> {
        let missed = self.missed.keys();
        missed.filter(|m| is_one(m.0)).map(|m| m.1).collect()
    }

    /// All causes of this message were shown to this user.
    pub fn has_causes(&self, run: Run, id: MessageId) -> bool {
        let (Some(&number), Some(shown)) = (self.numbers.get(&id), self.shown.get(&run)) else {
            return false;
        };
        self.causes[number].without(shown).next().is_none()
    }

    pub fn was_shown(&self, run: Run, id: MessageId) -> bool {
        let number = self.numbers.get(&id);
        number.is_some_and(|n| self.shown.get(&run).is_some_and(|s| s.contains(*n)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(origin: u64, seq: u64) -> MessageId {
        MessageId {
            origin: Key(origin),
            seq,
        }
    }

    const NEVER: fn(MessageId) -> bool = |_| false;

    /// Run 0 writes a; run 1 sees it and answers b.
    fn answered() -> Order {
        let mut check = Order::default();
        check.on_said(0, "a");
        check.on_written(id(1, 1), "a");
        check.on_shown((0, 5), (id(1, 1), false), NEVER).unwrap();
        check.on_shown((1, 5), (id(1, 1), false), NEVER).unwrap();
        check.on_said(1, "b");
        check.on_written(id(2, 1), "b");
        check.on_shown((1, 5), (id(2, 1), false), NEVER).unwrap();
        check
    }

    #[test]
    fn a_cause_before_its_effect_is_accepted() {
        let mut check = answered();
        check.on_shown((2, 5), (id(1, 1), false), NEVER).unwrap();
        assert!(check.has_causes(2, id(2, 1)));
        check.on_shown((2, 5), (id(2, 1), false), NEVER).unwrap();
        assert!(check.was_shown(2, id(2, 1)));
    }

    #[test]
    fn an_effect_before_its_cause_is_rejected() {
        let mut check = answered();
        assert!(!check.has_causes(2, id(2, 1)));
        assert!(check.on_shown((2, 5), (id(2, 1), false), NEVER).is_err());
    }

    #[test]
    fn a_cause_out_of_reach_is_excused() {
        let mut check = answered();
        check
            .on_shown((2, 5), (id(2, 1), false), |cause| cause == id(1, 1))
            .unwrap();
        // Who has the effect from there has an excuse, and nobody else.
        assert!(check.missed_by(|run| run == 2).contains(&id(1, 1)));
        assert!(check.missed_by(|run| run != 2).is_empty());
    }

    #[test]
    fn what_follows_from_a_shown_effect_needs_no_more_than_that() {
        let mut check = answered();
        check.on_shown((2, 5), (id(2, 1), false), |_| true).unwrap();
        check.on_said(1, "c");
        check.on_written(id(2, 2), "c");
        check.on_shown((2, 6), (id(2, 2), false), NEVER).unwrap();
        // This one follows from the missing cause alone.
        check.on_said(0, "d");
        check.on_written(id(1, 2), "d");
        assert!(check.on_shown((2, 7), (id(1, 2), false), NEVER).is_err());
    }

    #[test]
    fn what_follows_from_a_shown_effect_that_only_names_its_cause_needs_no_more_than_that() {
        let mut check = Order::default();
        let (a, b, c) = (id(1, 1), id(3, 1), id(2, 1));
        check.on_said(0, "a");
        check.on_written(a, "a");
        // Run 2 says its line before it has joined, and its node names what came with the history.
        check.on_said(2, "b");
        check.on_written(b, "b");
        check.on_names(b, std::iter::once(a));
        // Run 1 was shown both, and answers.
        for shown in [a, b] {
            check.on_shown((1, 5), (shown, false), NEVER).unwrap();
        }
        check.on_said(1, "c");
        check.on_written(c, "c");
        check.on_names(c, std::iter::once(b));
        (check.on_shown((4, 5), (b, false), |cause| cause == a)).unwrap();
        check.on_shown((4, 6), (c, false), NEVER).unwrap();
        // Where the cause was in reach, it is not excused.
        check.on_shown((5, 5), (b, false), NEVER).unwrap();
        assert!(check.on_shown((5, 6), (c, false), NEVER).is_err());
    }

    #[test]
    fn what_only_a_cause_out_of_reach_names_is_excused_with_it() {
        let mut check = answered();
        check.on_said(1, "c");
        check.on_written(id(2, 2), "c");
        let first = id(2, 1);
        // The third has nothing, and of the three it is only the one in the middle that nobody has.
        (check.on_shown((2, 5), (id(2, 2), false), |cause| cause == first)).unwrap();
        // Nor is it a cause of what follows from that.
        check.on_said(1, "e");
        check.on_written(id(2, 3), "e");
        check.on_shown((2, 5), (id(2, 3), false), NEVER).unwrap();
        // A cause of something that is there is not excused by that.
        check.on_said(0, "d");
        check.on_written(id(1, 2), "d");
        let shows = check.on_shown((2, 6), (id(1, 2), false), |cause| cause == first);
        assert!(shows.is_err());
    }

    #[test]
    fn what_follows_by_way_of_a_missed_one_is_excused_though_its_author_lacked_the_beginning() {
        let mut check = Order::default();
        for (seq, text) in [(1, "a"), (2, "b")] {
            check.on_said(0, text);
            check.on_written(id(1, seq), text);
            check.on_shown((2, 5), (id(1, seq), false), NEVER).unwrap();
        }
        // Run 1 was shown the second line only, and answers; run 2 has all, and answers that.
        check.on_shown((1, 5), (id(1, 2), false), |_| true).unwrap();
        check.on_said(1, "c");
        check.on_written(id(2, 1), "c");
        check.on_shown((2, 5), (id(2, 1), false), NEVER).unwrap();
        check.on_said(2, "d");
        check.on_written(id(3, 1), "d");
        assert!(check.on_shown((3, 5), (id(3, 1), false), NEVER).is_err());
        let is_missed = |cause| cause == id(2, 1);
        check.on_missed(4, id(2, 1));
        (check.on_shown((4, 5), (id(3, 1), false), is_missed)).unwrap();
        // One that is missed does not lead to those that follow from it.
        check.on_missed(5, id(1, 1));
        let is_missed = |cause| cause == id(1, 1);
        assert!(
            check
                .on_shown((5, 5), (id(3, 1), false), is_missed)
                .is_err()
        );
    }

    #[test]
    fn what_an_author_wrote_before_is_a_cause_although_it_was_not_shown_it() {
        let mut check = Order::default();
        check.on_said(0, "a");
        check.on_said(0, "b");
        check.on_written(id(1, 1), "a");
        check.on_written(id(1, 2), "b");
        assert!(check.on_shown((1, 5), (id(1, 2), false), NEVER).is_err());
        // Out of reach at first, and found later.
        check.on_shown((2, 5), (id(1, 2), false), |_| true).unwrap();
        check.on_shown((2, 6), (id(1, 1), false), NEVER).unwrap();
    }

    #[test]
    fn what_was_shown_after_the_saying_is_no_cause() {
        let mut check = answered();
        check.on_said(2, "c");
        check.on_shown((2, 5), (id(1, 1), false), NEVER).unwrap();
        check.on_written(id(3, 1), "c");
        check.on_shown((3, 5), (id(3, 1), false), NEVER).unwrap();
    }

    #[test]
    fn an_author_out_of_order_is_rejected() {
        let mut check = answered();
        check.on_said(0, "c");
        check.on_written(id(1, 2), "c");
        assert!(check.on_shown((3, 5), (id(1, 2), false), NEVER).is_err());
        check.on_shown((1, 5), (id(1, 2), false), NEVER).unwrap();
        check.on_shown((4, 5), (id(1, 2), false), |_| true).unwrap();
        assert!(check.on_shown((4, 5), (id(1, 1), false), NEVER).is_err());
        check.on_shown((4, 6), (id(1, 1), false), NEVER).unwrap();
        check.on_shown((5, 5), (id(1, 2), false), |_| true).unwrap();
        check.on_shown((5, 5), (id(1, 1), false), |_| true).unwrap();
    }

    #[test]
    fn what_is_old_or_late_has_no_place_among_the_others() {
        let mut check = answered();
        check.on_old(2, id(1, 1));
        check.on_shown((2, 5), (id(2, 1), false), NEVER).unwrap();
        check.on_said(1, "c");
        check.on_written(id(2, 2), "c");
        check.on_shown((3, 5), (id(2, 2), false), |_| true).unwrap();
        check.on_shown((3, 5), (id(1, 1), true), NEVER).unwrap();
        check.on_shown((3, 5), (id(2, 1), true), NEVER).unwrap();
    }
}
