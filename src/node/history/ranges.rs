//! Sets of sequence numbers as sorted, disjoint, non-adjacent inclusive ranges.
//!
//! Owns the numbers of one set. It knows nothing of what they number.

use std::collections::BTreeMap;

use crate::wire::{Key, SeqRange};

/// A set of numbers, cheap where they are contiguous.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::node) struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Ranges in any order, sorted out by their authors.
    pub(in crate::node) fn by_key(ranges: &[SeqRange]) -> BTreeMap<Key, Ranges> {
        let mut sorted: BTreeMap<Key, Ranges> = BTreeMap::new();
        for SeqRange {
            author: key,
            first,
            last,
        } in ranges
        {
            sorted.entry(*key).or_default().insert_range(*first, *last);
        }
        sorted
    }

    /// How many numbers are in this set.
    pub(in crate::node) fn len(&self) -> u64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// True if all numbers of `other` are in this set.
    pub(in crate::node) fn covers(&self, other: &Ranges) -> bool {
        other
            .iter()
            .all(|(first, last)| self.contains_all(first, last))
    }

    pub(in crate::node) fn contains(&self, n: u64) -> bool {
        let at = self.0.partition_point(|&(_, last)| last < n);
        self.0.get(at).is_some_and(|&(first, _)| first <= n)
    }

    /// True if the whole range is in.
    pub(in crate::node) fn contains_all(&self, first: u64, last: u64) -> bool {
        let at = self.0.partition_point(|&(_, l)| l < last);
        self.0.get(at).is_some_and(|&(f, _)| f <= first)
    }

    /// False if it was in already.
    pub(in crate::node) fn insert(&mut self, n: u64) -> bool {
        let at = self.0.partition_point(|&(_, last)| last < n);
        if self.0.get(at).is_some_and(|&(first, _)| first <= n) {
            return false;
        }
        let joins_left = at > 0 && self.0[at - 1].1 + 1 == n;
        let joins_right = self.0.get(at).is_some_and(|&(first, _)| first == n + 1);
        match (joins_left, joins_right) {
            (true, true) => {
                self.0[at - 1].1 = self.0[at].1;
                self.0.remove(at);
            }
            (true, false) => self.0[at - 1].1 = n,
            (false, true) => self.0[at].0 = n,
            (false, false) => self.0.insert(at, (n, n)),
        }
        true
    }

    pub(in crate::node) fn remove(&mut self, n: u64) {
        let at = self.0.partition_point(|&(_, last)| last < n);
        let Some(&(first, last)) = self.0.get(at) else {
            return;
        };
        if n < first {
            return;
        }
        match (first == n, last == n) {
            (true, true) => {
                self.0.remove(at);
            }
            (true, false) => self.0[at].0 = n + 1,
            (false, true) => self.0[at].1 = n - 1,
            (false, false) => {
                self.0[at].1 = n - 1;
                self.0.insert(at + 1, (n + 1, last));
            }
        }
    }

    pub(in crate::node) fn highest(&self) -> u64 {
        self.0.last().map_or(0, |&(_, last)| last)
    }

    pub(in crate::node) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(in crate::node) fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().copied()
    }

    /// The highest number below this one; 0 if there is none.
    pub(in crate::node) fn last_below(&self, n: u64) -> u64 {
        let at = self.0.partition_point(|&(first, _)| first < n);
        let range = at.checked_sub(1).and_then(|at| self.0.get(at));
        range.map_or(0, |&(_, last)| last.min(n - 1))
    }

    /// The ranges below this number, the last first.
    pub(in crate::node) fn before(&self, n: u64) -> impl Iterator<Item = (u64, u64)> {
        let at = self.0.partition_point(|&(first, _)| first < n);
        let ranges = self.0[..at].iter().rev();
        ranges.map(move |&(first, last)| (first, last.min(n - 1)))
    }

    /// The end of the range that this number is in.
    pub(in crate::node) fn end_from(&self, n: u64) -> Option<u64> {
        let at = self.0.partition_point(|&(_, last)| last < n);
        let range = self.0.get(at).filter(|&&(first, _)| first <= n);
        range.map(|&(_, last)| last)
    }

    /// The begin of the range that this number is in.
    pub(in crate::node) fn begin_to(&self, n: u64) -> Option<u64> {
        let at = self.0.partition_point(|&(_, last)| last < n);
        let range = self.0.get(at).filter(|&&(first, _)| first <= n);
        range.map(|&(first, _)| first)
    }

    /// What of this set lies from `first` to `last`.
    pub(in crate::node) fn within(&self, first: u64, last: u64) -> Ranges {
        let at = self.0.partition_point(|&(_, l)| l < first);
        let ranges = self.0[at..].iter().take_while(|&&(f, _)| f <= last);
        Ranges(ranges.map(|&(f, l)| (f.max(first), l.min(last))).collect())
    }

    /// Takes all numbers of `other` out.
    pub(in crate::node) fn subtract(&mut self, other: &Ranges) {
        let (Some(&(first, _)), Some(&(_, last))) = (self.0.first(), self.0.last()) else {
            return;
        };
        let from = other.0.partition_point(|&(_, l)| l < first);
        let upto = other.0.partition_point(|&(f, _)| f <= last);
        match other.0.get(from..upto).unwrap_or_default() {
            [] => {}
            [(first, last)] => self.remove_range(*first, *last),
            out => self.0 = without(&self.0, out),
        }
    }

    /// Takes these numbers out.
    pub(in crate::node) fn remove_range(&mut self, first: u64, last: u64) {
        let from = self.0.partition_point(|&(_, l)| l < first);
        let to = self.0.partition_point(|&(f, _)| f <= last);
        if from >= to {
            return;
        }
        let (begin, end) = (self.0[from].0, self.0[to - 1].1);
        let before = (begin < first).then(|| (begin, first - 1));
        let after = (end > last).then(|| (last + 1, end));
        self.0.splice(from..to, before.into_iter().chain(after));
    }

    /// The lowest and the highest number; none if there is none.
    pub(in crate::node) fn bounds(&self) -> Option<(u64, u64)> {
        Some((self.0.first()?.0, self.0.last()?.1))
    }

    /// Adds a range; ranges come in any order and may overlap.
    pub(in crate::node) fn insert_range(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        // Mostly what comes next.
        if let Some((_, end)) = self.0.last_mut()
            && end.checked_add(1) == Some(first)
        {
            *end = last;
            return;
        }
        let from = self
            .0
            .partition_point(|&(_, l)| l.saturating_add(1) < first);
        let to = self
            .0
            .partition_point(|&(f, _)| f <= last.saturating_add(1));
        let (mut first, mut last) = (first, last);
        if from < to {
            first = first.min(self.0[from].0);
            last = last.max(self.0[to - 1].1);
        }
        self.0.splice(from..to, [(first, last)]);
    }
}

/// What of these sorted ranges is in none of those, in one pass over both: thousands are taken out of thousands.
fn without(ranges: &[(u64, u64)], out: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut left = Vec::with_capacity(ranges.len());
    let mut out = out.iter().peekable();
    for &(mut first, last) in ranges {
        while out.next_if(|&&(_, end)| end < first).is_some() {}
        // The last of those that lie in this range may reach into the next, and is left there.
        let mut is_left = true;
        while let Some(&&(begin, end)) = out.peek().filter(|&&&(begin, _)| begin <= last) {
            if begin > first {
                left.push((first, begin - 1));
            }
            if end >= last {
                is_left = false;
                break;
            }
            first = end + 1;
            out.next();
        }
        if is_left {
            left.push((first, last));
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn behaves_like_a_set_of_numbers() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..200 {
            let (mut ranges, mut model) = (Ranges::default(), BTreeSet::new());
            for _ in 0..100 {
                let n = rng.u64(1..40);
                match rng.u8(0..4) {
                    0 => assert_eq!(ranges.insert(n), model.insert(n)),
                    1 => {
                        ranges.remove(n);
                        model.remove(&n);
                    }
                    2 => {
                        let last = n + rng.u64(0..5);
                        ranges.insert_range(n, last);
                        model.extend(n..=last);
                    }
                    _ => {
                        let last = n + rng.u64(0..5);
                        ranges.remove_range(n, last);
                        model.retain(|m| !(n..=last).contains(m));
                    }
                }
                let flat: Vec<u64> = ranges.iter().flat_map(|(a, b)| a..=b).collect();
                assert_eq!(flat, model.iter().copied().collect::<Vec<_>>());
                assert!(ranges.0.windows(2).all(|w| w[0].1 + 1 < w[1].0));
                assert!((0..50).all(|n| ranges.contains(n) == model.contains(&n)));
                assert_eq!(ranges.highest(), model.last().copied().unwrap_or(0));
                let below = model.range(..n).next_back().copied();
                assert_eq!(ranges.last_below(n), below.unwrap_or(0));
                let backwards = ranges.before(n).flat_map(|(a, b)| (a..=b).rev());
                assert!(backwards.eq(model.range(..n).rev().copied()));
                let end = (n..).take_while(|n| model.contains(n)).last();
                assert_eq!(ranges.end_from(n), end);
                let bounds = model.first().copied().zip(model.last().copied());
                assert_eq!(ranges.bounds(), bounds);
                let within = ranges.within(n, n + 9);
                let within = within.iter().flat_map(|(a, b)| a..=b);
                assert!(within.eq(model.range(n..=n + 9).copied()));
                let mut part = Ranges::default();
                part.insert_range(n, n + 2);
                part.insert_range(n + 4, n + 4 + rng.u64(0..3));
                part.insert_range(n + 9, n + 9);
                let mut rest = ranges.clone();
                rest.subtract(&part);
                let rest = rest.iter().flat_map(|(a, b)| a..=b);
                assert!(rest.eq(model.iter().copied().filter(|m| !part.contains(*m))));
                let mut part = Ranges::default();
                part.insert_range(n, n + 2);
                assert_eq!(
                    ranges.covers(&part),
                    (n..=n + 2).all(|n| model.contains(&n))
                );
            }
        }
    }
}
