//! What is missing: how it is noticed, and when it is given up.
//!
//! Owns nothing: what is known to be missing is `noticed`'s, and whom to ask for it says [`super::whom`]. A message
//! is given up only when everybody in reach was asked after it was noticed, and answered to the end; the user is told
//! then, and the author with the next ACK. Nothing is taken in here.

use std::collections::BTreeMap;
use std::time::Duration;

use super::noticed::{self, NoticedGap};
use super::sync::Why;
use super::turns::{Due, Turns};
use super::{Lent, Talk, holes};
use crate::limits;
use crate::node::context::Context;
use crate::node::history::{Origin, Ranges};
use crate::node::{Event, Lack, Time, Timer, Weakness};
use crate::timing;
use crate::wire::{Key, MessageId, SeqRange};

impl Talk {
    /// Everything of this author up to here that is owed is missing, as far as it is not here.
    pub(super) fn notice_gap(&mut self, lent: &mut Lent<'_>, author: Key, upto: u64) {
        if upto == 0 || !self.notices(lent, author, upto) {
            return;
        }
        let id = MessageId {
            origin: author,
            seq: upto,
        };
        if self.waiting.find(id).is_some() {
            // What it waits for itself is noticed already.
            return;
        }
        let origin = self.history.origin(author);
        let first = self.gap_begin(lent, author, upto);
        let owed_from = origin.and_then(Origin::owed_from);
        // What is known to be missing keeps the moment when that was noticed.
        let mut lacks = self.lacking(author, first, upto);
        self.gaps.remove_known(author, &mut lacks);
        let Some(span) = lacks.bounds() else {
            return;
        };
        self.gaps.notice(author, span, lent.cx.now.time);
        self.watch_gaps(lent);
        if owed_from.is_some_and(|from| upto < from) {
            lent.cx.set_timer(Timer::Gap, lent.cx.now.time);
        }
    }

    /// What was thrown away is missing from now on: what was asked before does not count for it.
    pub(super) fn notice_again(&mut self, lent: &mut Lent<'_>, author: Key, span: (u64, u64)) {
        if !self.notices(lent, author, span.1) {
            return;
        }
        let now = lent.cx.now.time;
        let began = self.repair.began().unwrap_or(now);
        if self.gaps.throw(author, span, (began, now)) {
            self.watch_gaps(lent);
        }
    }

    /// This waits now: what lies before it and was only taken for thrown away is missing like anything else.
    pub(super) fn tell_gaps_apart(&mut self, lent: &mut Lent<'_>, id: MessageId) {
        if let Some(first) = self.gaps.tell_apart(id) {
            self.notice_lacks(lent, id.origin, first, id.seq - 1);
        }
    }

    /// What of these is owed and not here is missing, from now on if that was not known.
    pub(super) fn notice_lacks(&mut self, lent: &mut Lent<'_>, author: Key, from: u64, to: u64) {
        if from > to || !self.notices(lent, author, to) {
            return;
        }
        let mut lacks = self.lacking(author, from, to);
        // What is known to be missing keeps the moment when that was noticed, whatever its author says later.
        // Else a younger gap of the same lines is always there, and is looked for before the older is given up.
        if !lent.cx.is_weakened(Weakness::KnownIsNoticedAgain) {
            self.gaps.remove_known(author, &mut lacks);
        }
        if let Some(span) = lacks.bounds() {
            self.gaps.notice(author, span, lent.cx.now.time);
            self.watch_gaps(lent);
        }
    }

    /// True if what is missing of this author up to here is noticed now. While this node joins that is put off.
    fn notices(&mut self, lent: &Lent<'_>, author: Key, upto: u64) -> bool {
        let is_own = author == lent.cx.config.key;
        let has_joined = self.has_joined();
        if !is_own && !has_joined && !lent.cx.is_weakened(Weakness::JoiningNoticesNothing) {
            self.gaps.put_off(author, upto);
        }
        !is_own && has_joined
    }

    fn watch_gaps(&mut self, lent: &mut Lent<'_>) {
        if self.gaps.begin_watch() {
            lent.cx
                .set_timer(Timer::Gap, lent.cx.now.time + timing::GAP_PATIENCE);
        }
    }

    /// Looks at all that is missing: asks the next peer, or gives up.
    pub(in crate::node) fn on_gap_timer(&mut self, lent: &mut Lent<'_>) {
        self.gaps.end_watch();
        self.look_at_gaps(lent);
        self.watch_gaps(lent);
    }

    /// The same at once, when an exchange has ended.
    pub(super) fn look_at_gaps(&mut self, lent: &mut Lent<'_>) {
        if self.gaps.is_empty() {
            return;
        }
        let reach = self.peers_in_reach(lent);
        let mut turns = Turns::default();
        let awaited = self.awaited_for_long(lent);
        for author in self.gaps.authors() {
            let mut stages = self.gaps.take(author);
            self.widen_gaps(lent, author, &mut stages);
            for stage in &mut stages {
                let of_it = |seq| MessageId {
                    origin: author,
                    seq,
                };
                let (first, last) = stage.span();
                let waited_for = awaited.range(of_it(first)..=of_it(last));
                waited_for.for_each(|(_, since)| stage.note_awaited(*since));
            }
            let thrown = noticed::thrown_among(&stages);
            stages.retain_mut(|stage| self.step_gap(lent, (author, &thrown), stage, &reach));
            for stage in &stages {
                turns.add(author, stage, self.is_ripe(lent, stage));
            }
            self.gaps.put_back(author, stages);
        }
        let mut gone: Vec<(Key, Ranges)> = Vec::new();
        let mut never_said = BTreeMap::<Key, Ranges>::new();
        let mut unfound = BTreeMap::<Key, Ranges>::new();
        // All of it is said before anything is shown that followed from it.
        let in_order = !lent.cx.is_weakened(Weakness::GivenUpOutOfOrder);
        for Due { author, span, .. } in turns.into_due(in_order) {
            if let Some(stage) = self.gaps.take_asked(author, span) {
                let thrown = self.gaps.thrown_of(author);
                let lacks = self.lacking_of(author, &stage, &thrown);
                let about = (author, stage.since());
                let missed = self.leave_out_unsaid(lent, about, &lacks);
                let passed_by = self.call_missed(lent, author, &missed);
                let of_author = unfound.entry(author).or_default();
                (passed_by.iter()).for_each(|(first, last)| of_author.insert_range(first, last));
                if missed != lacks {
                    let unsaid = never_said.entry(author).or_default();
                    let beyond = lacks.within(missed.highest().saturating_add(1), u64::MAX);
                    beyond
                        .iter()
                        .for_each(|(first, last)| unsaid.insert_range(first, last));
                }
                gone.push((author, lacks));
            }
        }
        let spans = gone.iter().flat_map(|(author, lacks)| {
            let id = |seq| MessageId {
                origin: *author,
                seq,
            };
            lacks.iter().map(move |(first, last)| (id(first), id(last)))
        });
        let waited = self.waiting.len();
        self.let_go(&never_said);
        self.note_unfound(&unfound);
        self.release_all(lent, spans.collect());
        if self.waiting.len() < waited {
            // Whoever asked this node for it while it waited was told that it is not here.
            self.repair.pass_on();
        }
    }

    /// What lies before something that is missing may turn out to be missing too: of an author of whom
    /// nothing was here yet, only the one message before the first that came is known to be.
    fn widen_gaps(&self, lent: &Lent<'_>, author: Key, stages: &mut [NoticedGap]) {
        for at in 0..stages.len() {
            let (first, _) = stages[at].span();
            let begin = self.gap_begin(lent, author, first);
            // What comes before something that was thrown away was noticed when that came.
            if begin >= first || stages[at].thrown().is_some() {
                continue;
            }
            let mut lacks = self.lacking(author, begin, first - 1);
            for (first, last) in stages.iter().flat_map(NoticedGap::spans) {
                lacks.remove_range(first, last);
            }
            if let Some((first, _)) = lacks.bounds() {
                stages[at].widen(first, lent.cx.now.time);
            }
        }
    }

    /// From where on everything of this author is missing up to this message, as far as nothing noticed it
    /// yet that waits: what comes before something that waits was noticed when that came.
    fn gap_begin(&self, lent: &Lent<'_>, author: Key, upto: u64) -> u64 {
        let id = MessageId {
            origin: author,
            seq: upto,
        };
        let waits_to = self.waiting.last_before(id).map_or(0, |id| id.seq);
        let unsaid = self.owed_without_a_word(author);
        let is_owed = unsaid.is_some_and(|from| from <= upto)
            && !lent.cx.is_weakened(Weakness::NamedOneIsAll);
        let begin = match self.history.origin(author) {
            Some(origin) => origin.gap_start(upto, is_owed),
            None => Origin::default().gap_start(upto, is_owed),
        };
        begin.max(waits_to.saturating_add(1))
    }

    /// Looks at what is missing of one author: asks the next peer. False if nothing is any more.
    fn step_gap(
        &mut self,
        lent: &mut Lent<'_>,
        (author, thrown): (Key, &Ranges),
        stage: &mut NoticedGap,
        reach: &[Key],
    ) -> bool {
        let lacks = self.lacking_of(author, stage, thrown);
        let Some((first, last)) = lacks.bounds() else {
            return false;
        };
        stage.narrow(&lacks);
        let id = |seq| MessageId {
            origin: author,
            seq,
        };
        let may_come = |seq| !self.is_beyond_word(lent, lent.cx.config.key, id(seq));
        let refused = stage.refused();
        let is_any = lent.cx.is_weakened(Weakness::RefusedIsAskedAgain);
        let refused = if is_any {
            refused.and(Some(first))
        } else {
            refused
        };
        if refused.is_some_and(may_come) {
            // It may be taken in now: whoever gave it is to be asked again.
            stage.widen(first, lent.cx.now.time);
        }
        if self.is_denied(lent, author, stage) {
            stage.note_denied(lent.cx.now.time);
            return true;
        }
        if !self.is_overdue(lent, author, stage) {
            stage.ask_again();
            return true;
        }
        let since = stage.since().max(self.gaps.back());
        let since = since.max(self.last_let_in(lent.cx));
        let is_young = lent.cx.since(since) < lent.cx.gap_patience() && !self.is_ripe(lent, stage);
        let may_come = is_young
            && (reach.is_empty()
                || self.expects_links(lent)
                || self.expects_sender(lent, id(last))
                || self.is_by_others(lent, author));
        match self.next_to_ask(lent, author, stage, reach) {
            Some(peer) => {
                stage.ask_again();
                if !self.repair.asks_for_all_since(peer, stage.since()) {
                    self.want_sync(lent, peer, Why::Lacks);
                }
            }
            None if may_come => stage.ask_again(),
            None if self.is_held_up(lent, stage) => stage.leave_to_others(lent.cx.now.time),
            None => stage.note_all_asked(lent.cx.now.time),
        }
        true
    }

    /// True if what this member says comes by way of others only, who may not have it yet themselves.
    fn is_by_others(&self, lent: &Lent<'_>, author: Key) -> bool {
        lent.view.contains(author)
            && !lent.mesh.is_alive(lent.cx, author)
            && !lent.mesh.is_dead(author)
    }

    /// True if somebody who sent what waits for this message is being dialled: its link broke, and it has that.
    fn expects_sender(&self, lent: &Lent<'_>, id: MessageId) -> bool {
        let mut senders = self.waiting.senders_for(id);
        senders.any(|sender| lent.mesh.is_dialling(sender))
    }

    /// True if a member has no link yet, or no more, and may have one soon.
    fn expects_links(&self, lent: &Lent<'_>) -> bool {
        let mut members = lent.view.members().iter().map(|m| m.key);
        members.any(|key| {
            let silence = lent.mesh.silent_since(key).map(|at| lent.cx.since(at));
            let is_lately = silence.is_some_and(|silence| silence < lent.cx.gap_patience());
            is_lately && lent.mesh.open_to(key).is_none() && !lent.mesh.is_dead(key)
        })
    }

    /// What of these is owed, neither here nor given up, and does not wait itself.
    fn lacking(&self, author: Key, first: u64, last: u64) -> Ranges {
        let mut lacks = match self.history.origin(author) {
            Some(origin) => origin.lacks(first, last),
            None => Origin::default().lacks(first, last),
        };
        lacks.subtract(&self.waiting.ranges(author, first, last));
        lacks
    }

    /// What one of the stages of this author is about, of whom so much was thrown away.
    fn lacking_of(&self, author: Key, stage: &NoticedGap, thrown: &Ranges) -> Ranges {
        let (first, last) = stage.span();
        let mut lacks = self.lacking(author, first, last);
        match stage.thrown() {
            None => lacks.subtract(thrown),
            Some(own) => {
                let mut others = lacks.clone();
                others.subtract(own);
                lacks.subtract(&others);
            }
        }
        lacks
    }

    /// True if this does not come by itself, as it seems.
    fn is_overdue(&self, lent: &Lent<'_>, author: Key, stage: &NoticedGap) -> bool {
        let waited = lent.cx.since(stage.since());
        let (first, last) = stage.span();
        let owed_from = self.history.origin(author).and_then(Origin::owed_from);
        if owed_from.is_some_and(|from| last < from) {
            // It was sent before this node came, and is not sent again.
            return true;
        }
        if waited < timing::GAP_PATIENCE {
            return false;
        }
        waited >= lent.cx.config.failure_timeout || !self.is_on_its_way(lent, author, first)
    }

    /// True if this message is still to come on its author's own link, which brings others before
    /// it. Where everybody talks at once, links are not equally fast; a SYNC would bring everything
    /// twice, and make the slow ones slower.
    fn is_on_its_way(&self, lent: &Lent<'_>, author: Key, seq: u64) -> bool {
        let link = lent.mesh.link_to(author);
        let link = link.filter(|_| lent.view.contains(author));
        let flows = link.is_some_and(|l| lent.cx.since(l.chatted()) < timing::GAP_PATIENCE);
        let id = MessageId {
            origin: author,
            seq,
        };
        flows && self.history.highest(author) < seq && !self.waiting.holds_later_than(id)
    }

    /// Nobody in reach has these: they are missed, and the user is told of those that were owed. The others are the
    /// result.
    fn call_missed(&mut self, lent: &mut Lent<'_>, author: Key, lacks: &Ranges) -> Ranges {
        // What was said before this node came is not owed, and nothing is said of it, unless earlier lines
        // of its author are here.
        let unsaid = self.owed_without_a_word(author).unwrap_or(u64::MAX);
        let origin = self.history.origin_mut(author);
        let owed_from = origin.owed_from().unwrap_or(unsaid);
        let owed = lacks.within(owed_from, u64::MAX);
        let untold = origin.not_called_early(&owed);
        let passed_by = lacks.within(0, owed_from.saturating_sub(1));
        for (first, last) in owed.iter() {
            origin.miss(first, last);
        }
        let mut gone = Vec::new();
        for (first, last) in passed_by.iter() {
            origin.pass_by_unfound(first, last);
            if origin.taken().last_below(first) > 0 {
                gone.push((first, last));
            }
        }
        for hole in gone {
            let text = holes::of_author(&self.nick_of(lent, author), hole);
            lent.cx.show(Event::Warning(text));
        }
        self.say_missed(lent, author, &untold, Lack::Unfound);
        self.acks.owe(author);
        passed_by
    }

    /// A member that was lost before it could say what this node owes it: the first of its messages that
    /// must be from since then, as this node had the room's whole history, now or when it lost that member.
    fn owed_without_a_word(&self, author: Key) -> Option<u64> {
        if !self.stability.has_met(author) || !self.past.is_silent(author) {
            return None;
        }
        let highest = self.history.highest(author);
        let is_whole = self.is_whole() || self.stability.was_lost_whole(author);
        (highest > 0 || is_whole).then_some(highest.saturating_add(1))
    }

    /// The user is told of these.
    pub(super) fn say_missed(
        &mut self,
        lent: &mut Lent<'_>,
        author: Key,
        owed: &Ranges,
        lack: Lack,
    ) {
        if owed.is_empty() {
            return;
        }
        let nick = self.nick_of(lent, author);
        for (first, last) in owed.iter() {
            let missed = &mut lent.cx.counters.missed;
            *missed = missed.saturating_add((last - first).saturating_add(1));
            if !lent.cx.is_weakened(Weakness::NoWordOfGaps) {
                lent.cx.show(Event::Missed {
                    key: author,
                    nick: nick.clone(),
                    first,
                    last,
                    lack,
                });
            }
        }
    }

    /// What people call this author.
    pub(super) fn nick_of(&self, lent: &Lent<'_>, author: Key) -> String {
        let member = lent.view.get(author).or_else(|| {
            let mut lost = lent.mesh.lost();
            lost.find(|m| m.key == author)
        });
        if let Some(member) = member {
            return member.nick.clone();
        }
        let mut newest = self.history.iter().rev().take(limits::FETCH_SCAN_MAX);
        let said = newest.find(|m| m.origin() == author);
        said.map_or_else(|| author.to_string(), |m| m.nick().to_owned())
    }

    /// What is known to be missing, for a FETCH that is sent now: as much as one names. What was noticed first goes
    /// before the rest, which counts as noticed after this FETCH. `upto`: only what was noticed by then, and has room.
    pub(super) fn wanted_ranges(&mut self, cx: &Context, upto: Option<Time>) -> Vec<SeqRange> {
        let after = cx.now.time + Duration::from_micros(1);
        let (mut wanted, mut count) = (BTreeMap::<Key, Ranges>::new(), 0);
        for (author, at) in self.gaps.oldest_first(upto) {
            let before = wanted.get(&author).cloned().unwrap_or_default();
            let all = self.with_lacks_of(cx, before.clone(), (author, at));
            let more = count - before.iter().count() + all.iter().count();
            if more > limits::WANT_RANGES_MAX {
                self.gaps.ask_later(author, at, after);
            } else {
                count = more;
                wanted.insert(author, all);
            }
        }
        let ranges = wanted.iter().flat_map(|(author, ranges)| {
            (ranges.iter()).map(|(first, last)| SeqRange::new(*author, first, last))
        });
        ranges.collect()
    }

    /// These messages of this author, and what is missing of one of its gaps: the whole of that if it has many holes.
    fn with_lacks_of(
        &self,
        cx: &Context,
        mut ranges: Ranges,
        (author, at): (Key, usize),
    ) -> Ranges {
        let mut lacks = Ranges::default();
        for (first, last) in self.gaps.spans_of(author, at) {
            for (first, last) in self.lacking(author, first, last).iter() {
                lacks.insert_range(first, last);
            }
        }
        let is_whole = !cx.is_weakened(Weakness::TooMuchIsNotAsked);
        if is_whole && lacks.iter().count() > limits::WANT_RANGES_OF_GAP_MAX {
            let bounds = lacks.bounds();
            bounds
                .iter()
                .for_each(|(first, last)| ranges.insert_range(*first, *last));
        } else {
            (lacks.iter()).for_each(|(first, last)| ranges.insert_range(first, last));
        }
        ranges
    }

    /// True if this message is known to be missing, wherever it lies.
    pub(super) fn is_wanted(&self, id: MessageId) -> bool {
        let mut spans = self.gaps.spans(id.origin);
        spans.any(|(first, last)| first <= id.seq && id.seq <= last)
    }
}

#[cfg(test)]
#[path = "gaps_test.rs"]
mod tests;
