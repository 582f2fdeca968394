//! What is known to be missing, since when, and since when everybody was asked for it.
//!
//! Owns the gaps by author, in limits. It asks nobody and gives nothing up: who is asked next and when nobody is left
//! is for `gaps` to decide.

use std::collections::BTreeMap;

use crate::limits;
use crate::node::Time;
use crate::node::history::Ranges;
use crate::wire::{Key, MessageId};

/// Messages of one author whose lack was noticed at the same time.
#[derive(Debug)]
pub(super) struct NoticedGap {
    since: Time,
    first: u64,
    last: u64,
    /// Only these of them, which came and were thrown away for want of room. Of others, what was not thrown away.
    thrown: Option<Ranges>,
    /// More was thrown away than is told apart: what lies between may never have come.
    is_rough: bool,
    /// Since when something waits for it, which may have waited for something else before.
    awaited: Time,
    /// Since when everybody in reach was asked.
    asked_all: Option<Time>,
    /// Its author was asked, and never said it.
    denied: bool,
    /// Somebody gave this of it, or something later, that was not taken in, since its author spoke for itself.
    refused: Option<u64>,
    /// Its author goes on and has not come to it for long: what others give of it is taken in.
    is_left_to_others: bool,
}

/// What these are about that was thrown away.
pub(super) fn thrown_among<'a>(stages: impl IntoIterator<Item = &'a NoticedGap>) -> Ranges {
    let mut all = Ranges::default();
    for thrown in stages.into_iter().filter_map(NoticedGap::thrown) {
        (thrown.iter()).for_each(|(first, last)| all.insert_range(first, last));
    }
    all
}

impl NoticedGap {
    pub(super) fn new((first, last): (u64, u64), since: Time) -> NoticedGap {
        NoticedGap {
            since,
            first,
            last,
            thrown: None,
            is_rough: false,
            awaited: since,
            asked_all: None,
            denied: false,
            refused: None,
            is_left_to_others: false,
        }
    }

    /// The first and the last message that are missing.
    pub(super) fn span(&self) -> (u64, u64) {
        (self.first, self.last)
    }

    /// When the lack was noticed.
    pub(super) fn since(&self) -> Time {
        self.since
    }

    /// Since when everybody in reach was asked, if everybody was.
    pub(super) fn asked_all(&self) -> Option<Time> {
        self.asked_all
    }

    /// Since when it is waited for: the message that waits for it may have waited for something else before.
    pub(super) fn awaited(&self) -> Time {
        self.awaited.min(self.since)
    }

    /// Something waits for it that came at this time.
    pub(super) fn note_awaited(&mut self, since: Time) {
        self.awaited = since.min(self.awaited);
    }

    /// True if its author was asked, and never said it: nobody else needs to be.
    pub(super) fn is_denied(&self) -> bool {
        self.denied
    }

    /// What of it came and was thrown away, if that is what it is about.
    pub(super) fn thrown(&self) -> Option<&Ranges> {
        self.thrown.as_ref()
    }

    /// Only these are missing still; at least one is.
    pub(super) fn narrow(&mut self, lacks: &Ranges) {
        if let Some((first, last)) = lacks.bounds() {
            (self.first, self.last) = (first, last);
        }
        if let Some(thrown) = &mut self.thrown {
            thrown.clone_from(lacks);
        }
    }

    /// True if it is about all of these.
    fn covers(&self, first: u64, last: u64) -> bool {
        let is_about = |thrown: &Ranges| thrown.contains_all(first, last);
        self.first <= first && last <= self.last && self.thrown.as_ref().is_none_or(is_about)
    }

    /// The stretches that it is about.
    pub(super) fn spans(&self) -> Vec<(u64, u64)> {
        match &self.thrown {
            Some(thrown) => thrown.iter().collect(),
            None => vec![(self.first, self.last)],
        }
    }

    /// The stretches that it is about before this message, the last first.
    pub(super) fn before(&self, seq: u64) -> impl Iterator<Item = (u64, u64)> {
        let is_plain = self.thrown.is_none() && self.first < seq;
        let plain = is_plain.then(|| (self.first, self.last.min(seq - 1)));
        let thrown = self.thrown.iter().flat_map(move |t| t.before(seq));
        thrown.chain(plain)
    }

    /// These are thrown away again: another one is about them. False if nothing is left.
    fn leave_out(&mut self, first: u64, last: u64) -> bool {
        if let Some(thrown) = &mut self.thrown {
            thrown.remove_range(first, last);
            let Some(bounds) = thrown.bounds() else {
                return false;
            };
            (self.first, self.last) = bounds;
        }
        true
    }

    /// These are thrown away, too.
    fn throw(&mut self, first: u64, last: u64, now: Time) {
        let thrown = self.thrown.get_or_insert_default();
        thrown.insert_range(first, last);
        (self.first, self.last) = (self.first.min(first), self.last.max(last));
        if thrown.iter().count() > limits::GAP_RANGES_MAX {
            thrown.insert_range(self.first, self.last);
            self.is_rough = true;
        }
        self.since = now;
        self.asked_all = None;
    }

    /// What lies before it is missing too, which was noticed now.
    pub(super) fn widen(&mut self, first: u64, now: Time) {
        self.first = first;
        self.since = now;
        self.asked_all = None;
        self.refused = None;
    }

    /// The first of it that somebody gave and was not taken in, since its author spoke for itself.
    pub(super) fn refused(&self) -> Option<u64> {
        self.refused
    }

    /// True if its author has not come to it for so long that others' word is taken for it.
    pub(super) fn is_left_to_others(&self) -> bool {
        self.is_left_to_others
    }

    /// What others give of it from now on is taken in, and they are asked again.
    pub(super) fn leave_to_others(&mut self, now: Time) {
        self.is_left_to_others = true;
        self.widen(self.first, now);
    }

    /// Somebody is still to be asked, or to be waited for.
    pub(super) fn ask_again(&mut self) {
        (self.asked_all, self.denied) = (None, false);
    }

    /// Its author has answered by now, and never said it.
    pub(super) fn note_denied(&mut self, now: Time) {
        self.note_all_asked(now);
        self.denied = true;
    }

    /// Everybody in reach was asked by now.
    pub(super) fn note_all_asked(&mut self, now: Time) {
        self.asked_all.get_or_insert(now);
    }
}

/// All that is missing.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// By author, in the order of noticing. What came since is taken out when they are looked at.
    stages: BTreeMap<Key, Vec<NoticedGap>>,
    /// When this node last came back from being away.
    back: Time,
    /// `Timer::Gap` is set.
    is_watched: bool,
    /// While this node joins: up to where something of each author is missing, which is looked for once it has joined.
    put_off: BTreeMap<Key, u64>,
}

impl Gaps {
    /// True if nothing is known to be missing.
    pub(super) fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// True if something of half as many authors as are kept is missing.
    pub(super) fn is_half_full(&self) -> bool {
        self.stages.len() >= limits::GAPS_MAX / 2
    }

    /// Something of this author up to here is missing while this node joins, when nothing is looked for yet. Of more
    /// authors than are kept it is noticed with their next word.
    pub(super) fn put_off(&mut self, author: Key, upto: u64) {
        if self.put_off.len() < limits::ORIGINS_IDLE_MAX || self.put_off.contains_key(&author) {
            let known = self.put_off.entry(author).or_insert(upto);
            *known = upto.max(*known);
        }
    }

    /// Joining is over: what was put off.
    pub(super) fn take_put_off(&mut self) -> BTreeMap<Key, u64> {
        std::mem::take(&mut self.put_off)
    }

    /// This node was away: who was in reach may have given its links up, and will be linked again.
    pub(super) fn come_back(&mut self, now: Time) {
        self.back = now;
    }

    #[cfg(debug_assertions)]
    pub(super) fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// When this node last came back from being away.
    pub(super) fn back(&self) -> Time {
        self.back
    }

    /// From now on what is missing is looked at by a timer. False if it is already, or nothing is missing.
    pub(super) fn begin_watch(&mut self) -> bool {
        let begins = !self.stages.is_empty() && !self.is_watched;
        self.is_watched |= begins;
        begins
    }

    /// The timer has fired.
    pub(super) fn end_watch(&mut self) {
        self.is_watched = false;
    }

    /// These came and were thrown away for want of room, so that whoever gave them is to be asked again. What was
    /// not thrown away keeps the moment when its lack was noticed. False if they were thrown away since `began`
    /// already, or there is no room to remember it.
    pub(super) fn throw(
        &mut self,
        author: Key,
        (first, last): (u64, u64),
        (began, now): (Time, Time),
    ) -> bool {
        let is_new = !self.stages.contains_key(&author);
        if first > last || is_new && self.stages.len() >= limits::GAPS_MAX {
            return false;
        }
        let stages = self.stages.entry(author).or_default();
        let is_lately = |s: &NoticedGap| s.thrown.is_some() && s.since > began;
        if stages.iter().any(|s| is_lately(s) && s.covers(first, last)) {
            return false;
        }
        stages.retain_mut(|stage| stage.leave_out(first, last));
        let full = stages.iter().filter(|s| s.thrown.is_some()).count() >= limits::GAP_STAGES_MAX;
        let mut thrown = stages.iter_mut().rev().filter(|s| s.thrown.is_some());
        match thrown.next().filter(|s| full || s.since > began) {
            Some(stage) => stage.throw(first, last, now),
            None => {
                let mut stage = NoticedGap::new((first, last), now);
                stage.throw(first, last, now);
                stages.push(stage);
            }
        }
        true
    }

    /// This came again and waits, and all that its author said before it had come sooner: what of that was taken for
    /// thrown away, since more was thrown away than is told apart, and is not here has not come at all. Gives the
    /// first of it.
    pub(super) fn tell_apart(&mut self, id: MessageId) -> Option<u64> {
        let stages = self.stages.get_mut(&id.origin)?;
        let mut first = None;
        stages.retain_mut(|stage| {
            let (begin, _) = stage.span();
            if !stage.is_rough || begin > id.seq {
                return true;
            }
            first = Some(first.map_or(begin, |first: u64| first.min(begin)));
            stage.leave_out(begin, id.seq)
        });
        if stages.is_empty() {
            self.stages.remove(&id.origin);
        }
        first
    }

    /// What was thrown away was not asked for to the end: whoever has it is to be asked from now on.
    pub(super) fn renew_thrown(&mut self, now: Time) {
        let stages = self.stages.values_mut().flatten();
        for stage in stages.filter(|stage| stage.thrown.is_some()) {
            stage.since = now;
            stage.asked_all = None;
        }
    }

    /// Leaves of these what nobody has noticed yet.
    pub(super) fn remove_known(&self, author: Key, lacks: &mut Ranges) {
        for stage in self.stages.get(&author).into_iter().flatten() {
            match &stage.thrown {
                Some(thrown) => lacks.subtract(thrown),
                None => lacks.remove_range(stage.first, stage.last),
            }
        }
    }

    /// These are missing, as was noticed at this time.
    pub(super) fn notice(&mut self, author: Key, (first, last): (u64, u64), since: Time) {
        let is_new = !self.stages.contains_key(&author);
        if is_new && self.stages.len() >= limits::GAPS_MAX {
            return;
        }
        let stages = self.stages.entry(author).or_default();
        if first > last || stages.iter().any(|s| s.covers(first, last)) {
            return;
        }
        let is_plain = |s: &&mut NoticedGap| s.thrown.is_none();
        let full = stages.iter().filter(|s| s.thrown.is_none()).count() >= limits::GAP_STAGES_MAX;
        match stages.iter_mut().rev().find(is_plain) {
            Some(stage) if stage.since == since || full => {
                stage.since = since;
                stage.first = stage.first.min(first);
                stage.last = stage.last.max(last);
            }
            _ => stages.push(NoticedGap::new((first, last), since)),
        }
    }

    /// This was given, and not taken in, since its author speaks for itself.
    pub(super) fn note_refused(&mut self, id: MessageId) {
        let stages = self.stages.get_mut(&id.origin).into_iter().flatten();
        for stage in stages.filter(|stage| stage.covers(id.seq, id.seq)) {
            let first = stage.refused.unwrap_or(id.seq);
            stage.refused = Some(first.min(id.seq));
        }
    }

    /// True if others' word is taken for this, since its author has not come to it for long.
    pub(super) fn is_left_to_others(&self, id: MessageId) -> bool {
        let mut stages = self.stages.get(&id.origin).into_iter().flatten();
        stages.any(|stage| stage.is_left_to_others && stage.covers(id.seq, id.seq))
    }

    /// The authors of whom something is missing.
    pub(super) fn authors(&self) -> Vec<Key> {
        self.stages.keys().copied().collect()
    }

    /// True if something of this author is missing.
    pub(super) fn lacks_of(&self, author: Key) -> bool {
        self.stages.contains_key(&author)
    }

    /// What is missing of this author, taken out to be looked at.
    pub(super) fn take(&mut self, author: Key) -> Vec<NoticedGap> {
        self.stages.remove(&author).unwrap_or_default()
    }

    /// What is still missing of this author.
    pub(super) fn put_back(&mut self, author: Key, stages: Vec<NoticedGap>) {
        if !stages.is_empty() {
            self.stages.insert(author, stages);
        }
    }

    /// Takes out what is missing of this author between these, and everybody in reach was asked for.
    pub(super) fn take_asked(&mut self, author: Key, span: (u64, u64)) -> Option<NoticedGap> {
        let stages = self.stages.get_mut(&author)?;
        let is_it = |s: &NoticedGap| s.asked_all.is_some() && s.span() == span;
        let index = stages.iter().position(is_it)?;
        let stage = stages.remove(index);
        if stages.is_empty() {
            self.stages.remove(&author);
        }
        Some(stage)
    }

    /// All that is missing, what was noticed first before the rest: of whom, and which of that author's gaps it is.
    /// `upto`: only what was noticed by then, and was not thrown away.
    pub(super) fn oldest_first(&self, upto: Option<Time>) -> Vec<(Key, usize)> {
        let is_meant =
            |s: &NoticedGap| upto.is_none_or(|upto| s.since <= upto && s.thrown.is_none());
        let stages = self.stages.iter().flat_map(|(author, stages)| {
            let numbered = stages.iter().enumerate();
            let numbered = numbered.filter(|(_, stage)| is_meant(stage));
            numbered.map(|(at, stage)| (stage.since, *author, at))
        });
        let mut stages: Vec<_> = stages.collect();
        stages.sort_unstable();
        let of_whom = stages.into_iter().map(|(_, author, at)| (author, at));
        of_whom.collect()
    }

    /// The stretches that this gap of this author is about.
    pub(super) fn spans_of(&self, author: Key, at: usize) -> Vec<(u64, u64)> {
        let stage = self.stages.get(&author).and_then(|stages| stages.get(at));
        stage.map(NoticedGap::spans).unwrap_or_default()
    }

    /// Too much is missing to ask for all of it at once: this is asked for later, as if it were noticed at this time.
    pub(super) fn ask_later(&mut self, author: Key, at: usize, now: Time) {
        let stage = self.stages.get_mut(&author).and_then(|s| s.get_mut(at));
        if let Some(stage) = stage {
            stage.since = now;
            stage.asked_all = None;
        }
    }

    /// The first and the last of each stretch that is missing of this author.
    pub(super) fn spans(&self, author: Key) -> impl Iterator<Item = (u64, u64)> {
        let stages = self.stages.get(&author).into_iter().flatten();
        stages.flat_map(NoticedGap::spans)
    }

    /// All that is missing of this author, in the order of noticing.
    pub(super) fn of(&self, author: Key) -> &[NoticedGap] {
        self.stages.get(&author).map_or(&[], Vec::as_slice)
    }

    /// True if this was thrown away.
    pub(super) fn was_thrown(&self, id: MessageId) -> bool {
        let mut thrown = self.of(id.origin).iter().filter_map(NoticedGap::thrown);
        thrown.any(|thrown| thrown.contains(id.seq))
    }

    /// What is missing of this author because it was thrown away.
    pub(super) fn thrown_of(&self, author: Key) -> Ranges {
        let stages = self.stages.get(&author).into_iter().flatten();
        thrown_among(stages)
    }
}

#[cfg(test)]
#[path = "noticed_test.rs"]
mod tests;
