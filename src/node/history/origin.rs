//! What is known of one author's messages: which were taken in, which were given up, from which on
//! they are owed, and how far everybody has them.
//!
//! Owns these facts, each of them about single messages ("this one is here") and never about a highest
//! number. It knows no links, no time, and not the messages themselves.

use super::ranges::Ranges;

/// The messages of one author, by their sequence numbers.
#[derive(Debug, Default)]
pub(in crate::node) struct Origin {
    /// In the history now.
    pub(super) held: Ranges,
    /// Taken in at some time, whether it is still held or not.
    taken: Ranges,
    /// Given up: nobody in reach had it, or it could not be stored, or printed, where that is what counts. What is
    /// found later, or was here before, is in `taken` too.
    missed: Ranges,
    /// Of `missed`, what nobody was known to count on: it did not come, or came under the floor and was
    /// not shown.
    passed_by: Ranges,
    /// Of `passed_by`, what did not come though everybody in reach was asked.
    unfound: Ranges,
    /// What nothing waited for any more, and turned out to be owed.
    owed_after_all: Ranges,
    /// What the user was told is missed, and the author had not said then: it is late if it comes, and no gap.
    called_early: Ranges,
    /// What is lower is not owed: it was said before this node was in the author's view.
    owed_from: Option<u64>,
    /// Nothing waits for what is not here up to here: this node wants no history.
    unwanted_to: u64,
    /// Up to here every present member has confirmed it, the author says; none if nobody waits for
    /// this author, and all of it may be dropped.
    stable_to: Option<u64>,
    /// It was lost, and may come back and say again what it has said.
    may_return: bool,
    /// The highest number that the author itself has said, live or in so many words, on its own link.
    said: Option<u64>,
    /// Of `held`, what is in the store only.
    pub(super) only_stored: Ranges,
    /// What the store has.
    pub(super) stored: Ranges,
    /// What was printed, where only that counts.
    printed: Ranges,
}

/// What makes a message one that may be confirmed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::node) enum Safe {
    /// It is taken in.
    Taken,
    /// It is in the store.
    Stored,
    /// It is printed.
    Printed,
}

impl Origin {
    /// Notes that a message was taken in; false if it had been before.
    pub(in crate::node) fn take(&mut self, seq: u64) -> bool {
        self.taken.insert(seq)
    }

    /// Notes that these were taken in.
    pub(in crate::node) fn take_range(&mut self, first: u64, last: u64) {
        self.taken.insert_range(first, last);
    }

    /// What was taken in at some time.
    pub(in crate::node) fn taken(&self) -> &Ranges {
        &self.taken
    }

    /// What of these was taken in at some time.
    pub(in crate::node) fn taken_of(&self, seqs: &Ranges) -> Ranges {
        let (mut taken, mut rest) = (seqs.clone(), seqs.clone());
        rest.subtract(&self.taken);
        taken.subtract(&rest);
        taken
    }

    /// True if this message was ever taken in.
    pub(in crate::node) fn has_taken(&self, seq: u64) -> bool {
        self.taken.contains(seq)
    }

    /// True if this message was given up, and is called missed for ever.
    pub(in crate::node) fn has_missed(&self, seq: u64) -> bool {
        !self.missed.is_empty() && self.missed.contains(seq)
    }

    /// True if the user was told that this message is missed before its author had said it, or it was given up.
    pub(in crate::node) fn was_given_up(&self, seq: u64) -> bool {
        self.has_missed(seq) || !self.called_early.is_empty() && self.called_early.contains(seq)
    }

    /// Up to which of these the user was told of all that they are missed before their author had said them, or of
    /// none.
    pub(in crate::node) fn told_alike_to(&self, first: u64, last: u64) -> u64 {
        if self.called_early.is_empty() {
            return last;
        }
        match self.called_early.within(first, last).iter().next() {
            None => last,
            Some((from, to)) if from <= first => to,
            Some((from, _)) => from - 1,
        }
    }

    /// True if the user was told that this message is missed, and not only nothing waits for it.
    pub(in crate::node) fn is_called_missed(&self, seq: u64) -> bool {
        self.has_missed(seq) && !self.passed_by.contains(seq)
    }

    /// True if nothing of these was taken in or given up, nor anything later.
    pub(in crate::node) fn is_beyond(&self, seq: u64) -> bool {
        seq > self.taken.highest() && seq > self.missed.highest()
    }

    /// The highest number that was taken in; 0 if none.
    pub(in crate::node) fn highest(&self) -> u64 {
        self.taken.highest()
    }

    /// True if nothing needs to wait for this message: it is here, given up, or not wanted.
    pub(in crate::node) fn is_settled(&self, seq: u64) -> bool {
        seq <= self.unwanted_to || self.taken.contains(seq) || self.has_missed(seq)
    }

    /// Nothing waits for what was written before this message.
    pub(in crate::node) fn want_from(&mut self, seq: u64) {
        self.unwanted_to = self.unwanted_to.max(seq - 1);
    }

    /// The author itself has said so much.
    pub(in crate::node) fn say(&mut self, upto: u64) {
        self.said = self.said.max(Some(upto));
    }

    /// What was given up beyond the author's own word was never said, and is no gap; true if that is news. What
    /// somebody named that the author says later is confirmed then.
    pub(in crate::node) fn forget_missed_beyond_word(&mut self) -> bool {
        let Some(next) = self.said.and_then(|said| said.checked_add(1)) else {
            return false;
        };
        let is_news = self.missed.highest() >= next;
        if is_news {
            for (first, last) in self.missed.within(next, u64::MAX).iter() {
                self.called_early.insert_range(first, last);
            }
            for (first, last) in self.passed_by.within(next, u64::MAX).iter() {
                self.called_early.remove_range(first, last);
            }
            self.missed.remove_range(next, u64::MAX);
            self.passed_by.remove_range(next, u64::MAX);
        }
        is_news
    }

    /// Those of these of which the user was not told before that they are missed.
    pub(in crate::node) fn not_called_early(&self, seqs: &Ranges) -> Ranges {
        let mut rest = seqs.clone();
        rest.subtract(&self.called_early);
        rest
    }

    /// How much the author itself has said, if it has told.
    pub(in crate::node) fn said(&self) -> Option<u64> {
        self.said
    }

    /// The lowest number that is owed, once that is known.
    pub(in crate::node) fn owed_from(&self) -> Option<u64> {
        self.owed_from
    }

    /// What is owed begins here, if nothing lower was known to be; true if that is news. What was passed
    /// by from there on is to be asked for like anything else that is missing.
    pub(in crate::node) fn owe_from(&mut self, seq: u64) -> bool {
        if self.owed_from.is_some_and(|from| from <= seq) {
            return false;
        }
        self.owed_from = Some(seq);
        for (first, last) in self.passed_by.within(seq, u64::MAX).iter() {
            self.passed_by.remove_range(first, last);
            self.missed.remove_range(first, last);
            self.owed_after_all.insert_range(first, last);
        }
        true
    }

    /// Gives these up: nobody in reach has them, or they cannot be kept where that is what counts.
    pub(in crate::node) fn miss(&mut self, first: u64, last: u64) {
        self.missed.insert_range(first, last);
    }

    /// Nothing waits for these any more, since nobody counts on them as far as is known.
    pub(in crate::node) fn pass_by(&mut self, first: u64, last: u64) {
        self.missed.insert_range(first, last);
        self.passed_by.insert_range(first, last);
    }

    /// The same of what nobody in reach has.
    pub(in crate::node) fn pass_by_unfound(&mut self, first: u64, last: u64) {
        self.pass_by(first, last);
        self.unfound.insert_range(first, last);
    }

    /// True if this did not come when everybody in reach was asked for it, and nobody is known to count on it.
    pub(in crate::node) fn is_unfound(&self, seq: u64) -> bool {
        let is_passed_by = !self.passed_by.is_empty() && self.passed_by.contains(seq);
        is_passed_by && self.unfound.contains(seq) && !self.taken.contains(seq)
    }

    /// This is missing again, and may come now.
    pub(in crate::node) fn look_for_again(&mut self, seq: u64) {
        for ranges in [&mut self.unfound, &mut self.passed_by, &mut self.missed] {
            ranges.remove_range(seq, seq);
        }
    }

    /// Of these, what was taken in and is not held any more was never shown: it is not here after all. What is owed is
    /// missing; the rest is passed by, so that it is missing as soon as it is known to be owed.
    pub(in crate::node) fn forget_unseen(&mut self, first: u64, last: u64) {
        let mut dropped = self.taken.within(first, last);
        dropped.subtract(&self.held);
        for (first, last) in dropped.iter() {
            self.taken.remove_range(first, last);
            match self.owed_from {
                Some(owed) if owed <= last => {
                    if first < owed {
                        self.pass_by(first, owed - 1);
                    }
                }
                _ => self.pass_by(first, last),
            }
        }
    }

    /// The highest number that nothing waits for though it may turn out to be owed; 0 if there is none.
    pub(in crate::node) fn passed_by_to(&self) -> u64 {
        self.passed_by.highest()
    }

    /// What of these is neither here nor given up, and wanted.
    pub(in crate::node) fn lacks(&self, first: u64, last: u64) -> Ranges {
        let mut lacks = Ranges::default();
        lacks.insert_range(first.max(self.unwanted_to + 1), last);
        lacks.subtract(&self.taken);
        lacks.subtract(&self.missed);
        lacks
    }

    /// The last of these that is neither here nor given up, and wanted.
    pub(in crate::node) fn last_lack(&self, first: u64, last: u64) -> Option<u64> {
        let first = first.max(self.unwanted_to.saturating_add(1));
        let mut seq = last;
        while seq >= first {
            let begin = self.taken.begin_to(seq);
            match begin.or_else(|| self.missed.begin_to(seq)) {
                None => return Some(seq),
                Some(begin) => seq = begin.checked_sub(1)?,
            }
        }
        None
    }

    /// The same of those that nothing waited for any more before they turned out to be owed.
    pub(in crate::node) fn last_lack_after_all(&self, first: u64, last: u64) -> Option<u64> {
        let mut owed = self.owed_after_all.before(last.saturating_add(1));
        owed.find_map(|(from, to)| self.last_lack(from.max(first), to))
    }

    /// The first number of the stretch without anything taken in or given up that ends here; what is
    /// not wanted is not in it. Of an author of whom nothing was heard, and nothing is owed, it is just this one.
    pub(in crate::node) fn gap_start(&self, seq: u64, is_owed: bool) -> u64 {
        let below = self.taken.last_below(seq).max(self.missed.last_below(seq));
        if below == 0 && self.owed_from.is_none() && !is_owed {
            return seq;
        }
        below.max(self.unwanted_to).saturating_add(1).min(seq)
    }

    /// Up to where everything that is owed is safe or given up, from `from` on; `from - 1` if not even
    /// that one is.
    pub(in crate::node) fn safe_end(&self, from: u64, safe: Safe) -> u64 {
        let safe = match safe {
            Safe::Taken => &self.taken,
            Safe::Stored => &self.stored,
            Safe::Printed => &self.printed,
        };
        let mut next = from;
        loop {
            let end = safe.end_from(next).max(self.missed.end_from(next));
            match end.map(|end| end.checked_add(1)) {
                Some(Some(after)) => next = after,
                Some(None) => return u64::MAX,
                None => return next - 1,
            }
        }
    }

    /// Which of these were given up.
    pub(in crate::node) fn missed_within(&self, first: u64, last: u64) -> Ranges {
        self.missed.within(first, last)
    }

    /// Nothing of this author may be dropped before it says that everybody has it.
    pub(in crate::node) fn watch(&mut self) {
        self.stable_to.get_or_insert(0);
    }

    /// Nobody waits for this author any more.
    pub(in crate::node) fn unwatch(&mut self) {
        self.stable_to = None;
    }

    /// Everybody has everything up to here.
    pub(in crate::node) fn stable_to(&mut self, seq: u64) {
        if let Some(stable) = &mut self.stable_to {
            *stable = seq.max(*stable);
        }
    }

    /// Up to where everybody has everything, as the author says.
    pub(in crate::node) fn told_stable(&self) -> Option<u64> {
        self.stable_to
    }

    /// True if this message may be dropped.
    pub(in crate::node) fn is_stable(&self, seq: u64) -> bool {
        self.stable_to.is_none_or(|stable| seq <= stable)
    }

    /// The one stretch of messages that is known of this author, if all of them are in the store only and
    /// nothing else is known that matters.
    pub(super) fn only_stored_stretch(&self) -> Option<(u64, u64)> {
        let bounds = self.held.bounds()?;
        let all = [&self.held, &self.taken, &self.only_stored, &self.stored];
        let is_one = all.iter().all(|r| {
            let mut ranges = r.iter();
            ranges.next() == Some(bounds) && ranges.next().is_none()
        });
        let is_idle = self.stable_to.is_none() && self.missed.is_empty();
        (is_one && is_idle && self.unwanted_to < bounds.0).then_some(bounds)
    }

    /// True if nothing would be forgotten with it that matters.
    pub(in crate::node) fn is_idle(&self) -> bool {
        self.held.is_empty() && self.stable_to.is_none() && !self.may_return
    }

    /// It was lost, and may come back; or it is forgotten that it was.
    pub(in crate::node) fn set_may_return(&mut self, may_return: bool) {
        self.may_return = may_return;
    }

    /// These were printed.
    pub(in crate::node) fn print(&mut self, first: u64, last: u64) {
        self.printed.insert_range(first, last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(ranges: &[(u64, u64)]) -> Origin {
        let mut origin = Origin::default();
        for (first, last) in ranges {
            origin.take_range(*first, *last);
        }
        origin
    }

    #[test]
    fn nothing_is_safe_beyond_a_hole() {
        let mut origin = taken(&[(3, 5), (7, 9)]);
        assert_eq!(origin.safe_end(3, Safe::Taken), 5);
        assert_eq!(origin.safe_end(1, Safe::Taken), 0);
        origin.miss(6, 6);
        assert_eq!(origin.safe_end(3, Safe::Taken), 9);
        assert_eq!(origin.safe_end(3, Safe::Stored), 2);
        let missed: Vec<_> = origin.missed_within(4, 9).iter().collect();
        assert_eq!(missed, [(6, 6)]);
    }

    #[test]
    fn what_was_called_missed_before_it_was_said_is_told_apart() {
        let mut origin = taken(&[(1, 1)]);
        origin.say(1);
        assert_eq!(origin.told_alike_to(2, 9), 9);
        origin.miss(3, 4);
        assert!(origin.forget_missed_beyond_word());
        let ends = [2, 3, 4, 5].map(|first| origin.told_alike_to(first, 9));
        assert_eq!(ends, [2, 4, 4, 9]);
    }

    #[test]
    fn what_is_not_wanted_is_settled() {
        let mut origin = taken(&[(5, 6)]);
        assert!(!origin.is_settled(4) && !origin.is_settled(7));
        assert!(origin.owe_from(5) && !origin.owe_from(6));
        origin.want_from(3);
        assert!(origin.is_settled(2) && !origin.is_settled(3) && !origin.is_settled(7));
        let lacks: Vec<_> = origin.lacks(1, 8).iter().collect();
        assert_eq!(lacks, [(3, 4), (7, 8)]);
        assert_eq!(
            (origin.gap_start(9, false), origin.gap_start(4, false)),
            (7, 3)
        );
        let last_lacks = [(1, 8), (1, 6), (4, 6), (1, 2)].map(|(a, b)| origin.last_lack(a, b));
        assert_eq!(last_lacks, [Some(8), Some(4), Some(4), None]);
        assert_eq!(Origin::default().gap_start(9, false), 9);
        assert_eq!(Origin::default().gap_start(9, true), 1);
        assert!(origin.owe_from(3), "what is owed begins earlier");
    }

    #[test]
    fn what_was_passed_by_is_missing_once_it_is_owed() {
        let mut origin = taken(&[(5, 6)]);
        origin.miss(1, 1);
        origin.pass_by(2, 2);
        assert!(origin.is_called_missed(1) && !origin.is_called_missed(2));
        origin.pass_by(4, 4);
        assert!(origin.is_settled(2) && origin.is_settled(4));
        assert!(origin.owe_from(3));
        let last_lacks = [(1, 9), (1, 4), (1, 3)].map(|(a, b)| origin.last_lack_after_all(a, b));
        assert_eq!(
            last_lacks,
            [Some(4), Some(4), None],
            "the rest was never given up"
        );
        assert!(origin.is_settled(2) && !origin.is_settled(4));
        assert!(origin.owe_from(1));
        assert!(origin.is_settled(1) && !origin.is_settled(2));
    }

    #[test]
    fn what_fell_below_the_floor_unseen_is_missing_where_it_is_owed_and_passed_by_elsewhere() {
        let of = |origin: &Origin, seqs: [u64; 4]| seqs.map(|seq| origin.is_settled(seq));
        let mut origin = taken(&[(1, 6)]);
        origin.held.insert_range(5, 6);
        origin.forget_unseen(0, u64::MAX);
        assert_eq!(
            of(&origin, [1, 4, 5, 6]),
            [true; 4],
            "nobody counts on it yet"
        );
        assert!(!origin.has_taken(4) && origin.has_taken(5));
        assert!(origin.owe_from(3));
        assert_eq!(of(&origin, [2, 3, 4, 5]), [true, false, false, true]);
        let mut known = taken(&[(1, 6)]);
        known.owe_from(3);
        known.forget_unseen(2, 4);
        assert_eq!(of(&known, [1, 2, 3, 5]), [true, true, false, true]);
        assert!(!known.is_called_missed(2));
    }

    #[test]
    fn what_was_called_missed_before_its_author_said_it_is_not_called_so_again() {
        let mut origin = Origin::default();
        origin.miss(1, 9);
        origin.say(3);
        assert!(origin.forget_missed_beyond_word());
        let again = origin.not_called_early(&origin.lacks(1, 12));
        assert_eq!(again.iter().collect::<Vec<_>>(), [(10, 12)]);
    }

    #[test]
    fn what_is_watched_is_dropped_once_it_is_stable() {
        let mut origin = taken(&[(1, 9)]);
        origin.stable_to(9);
        assert!(origin.is_stable(1), "nobody waits for it");
        origin.watch();
        assert!(!origin.is_stable(1));
        origin.stable_to(4);
        origin.stable_to(2);
        assert!(origin.is_stable(4) && !origin.is_stable(5));
        origin.unwatch();
        assert!(origin.is_stable(5));
    }
}
