//! Whom to ask for what is missing.
//!
//! Owns nothing: who was asked, and when it answered, is `noticed`'s. Nobody is asked here, and nothing is given up.

use std::collections::BTreeMap;
use std::time::Duration;

use super::noticed::NoticedGap;
use super::{Lent, Talk};
use crate::node::mesh::Link;
use crate::node::{LinkId, Time, Weakness};
use crate::wire::{Key, Message, MessageId};

impl Talk {
    /// The peers that may have what this node lacks, those included that may only be slow.
    pub(super) fn peers_in_reach(&self, lent: &Lent<'_>) -> Vec<Key> {
        let open = lent.mesh.open_links();
        let in_reach = open.filter(|(key, _, link)| {
            link.silence(lent.cx) < lent.cx.gap_patience() && self.may_ask_for_causes(lent, *key)
        });
        in_reach.map(|(key, _, _)| key).collect()
    }

    /// Who is to be asked for this: its author first, then whoever sent something that waits for it; and those last who
    /// have not answered for a while. If the author is no member, the members who named it are asked before it: a
    /// stranger may have said something to one of them alone, to hold up what that one says.
    pub(super) fn next_to_ask(
        &self,
        lent: &Lent<'_>,
        author: Key,
        stage: &NoticedGap,
        reach: &[Key],
    ) -> Option<Key> {
        let one_is_enough = lent.cx.is_weakened(Weakness::OneAnswerIsEnough);
        // An answer is good for a while only: what one lacked then may have come to it by others.
        let stays_good = lent.cx.is_weakened(Weakness::AnswersStayGood);
        let is_ripe = self.is_ripe(lent, stage);
        let asks_again = !stays_good && !is_ripe;
        // An author that says itself that it has not said this.
        let said = self.known_to_be_said(lent, author);
        let denies = said.is_some_and(|said| said < stage.span().0);
        let is_unknown = self.is_unknown(lent, author, is_ripe);
        let talks_on = self.talks_on(lent, author, stage);
        let times = self.times_to_answer(reach);
        // What could not come while this node was away is not held against anybody.
        let back = self.gaps.back();
        let (since, awaited) = (stage.since().max(back), stage.awaited().max(back));
        let has_answered = |peer: &Key| {
            let asked = self.answers.last_answer(*peer);
            let is_fresh = |answer: (Time, Time)| {
                !asks_again || lent.cx.since(answer.1) < answer_is_good_for(lent, &times, answer)
            };
            let has = asked.is_some_and(|answer| answer.0 >= stage.since() && is_fresh(answer));
            let is_doubtful = is_unknown || (denies || talks_on) && *peer == author;
            let had_chances = || {
                let answers = &self.answers;
                answers.has_had_its_chances(lent, *peer, (since, awaited), is_doubtful)
            };
            has || had_chances()
        };
        if one_is_enough && reach.iter().any(has_answered) {
            return None;
        }
        let unasked = || reach.iter().copied().filter(|peer| !has_answered(peer));
        let (first, last) = stage.span();
        let of_it = |seq| MessageId {
            origin: author,
            seq,
        };
        let sends = |seq, peer: &Key| {
            let mut senders = self.waiting.senders_for(of_it(seq));
            senders.any(|sender| sender == *peer)
        };
        let sender = |peer: &Key| sends(last, peer);
        let speaks = |peer: &Key| lent.mesh.is_alive(lent.cx, *peer);
        let answers = |peer: &Key| speaks(peer) && !self.answers.is_failing(*peer);
        let is_known = lent.view.contains(author) || lent.cx.is_weakened(Weakness::StrangersHoldUp);
        let named_it = |peer: &Key| {
            !is_known && lent.view.contains(*peer) && (sends(first, peer) || sender(peer))
        };
        (unasked().find(|peer| named_it(peer) && answers(peer)))
            .or_else(|| unasked().find(|peer| *peer == author && answers(peer)))
            .or_else(|| unasked().find(|peer| sender(peer) && answers(peer)))
            .or_else(|| unasked().find(answers))
            .or_else(|| unasked().find(speaks))
            .or_else(|| unasked().next())
    }

    /// What something has waited for so long that it makes a difference, and since when.
    pub(super) fn awaited_for_long(&self, lent: &Lent<'_>) -> BTreeMap<MessageId, Time> {
        let long = lent.cx.gap_patience() * 2;
        if lent.cx.is_weakened(Weakness::EachCauseIsAwaitedAnew) {
            return BTreeMap::new();
        }
        self.waiting.awaited_since(lent.cx.now.time.before(long))
    }

    /// True if it is waited for this for so long that it is given up as soon as everybody has answered, whatever else is
    /// missing: there would always be something else where somebody invents it.
    pub(super) fn is_ripe(&self, lent: &Lent<'_>, stage: &NoticedGap) -> bool {
        let awaited = stage.awaited().max(self.gaps.back());
        lent.cx.since(awaited) >= lent.cx.gap_patience() * 2
    }

    /// True if this author was asked since this was missed, has answered to the end, and has never said it: nobody
    /// else knows better, and whoever names it lies.
    pub(super) fn is_denied(&self, lent: &Lent<'_>, author: Key, stage: &NoticedGap) -> bool {
        let said = self.known_to_be_said(lent, author);
        let asked = self.answers.last_answer(author);
        said.is_some_and(|said| said < stage.span().0)
            && asked.is_some_and(|(began, _)| began >= stage.since())
            && !self.answers.has_dropped(author)
            && !lent.cx.is_weakened(Weakness::DeniedAreSought)
    }

    /// True if this author has said something new long after it was asked for this: what it was asked for would have
    /// come before that. What it was asked on an earlier link broke off with that.
    fn talks_on(&self, lent: &Lent<'_>, author: Key, stage: &NoticedGap) -> bool {
        let link = lent.mesh.link_to(author);
        let long = lent.cx.config.failure_timeout * 2;
        let since = |link: &Link| {
            if lent.cx.is_weakened(Weakness::ReturningTalkOn) {
                stage.since()
            } else {
                stage.since().max(link.opened())
            }
        };
        link.is_some_and(|link| link.chatted() >= since(link) + long)
            && !lent.cx.is_weakened(Weakness::TalkersAreAwaited)
    }

    /// True if somebody else has given this, which was not taken in, and its author, which speaks for itself, has neither
    /// come to it nor answered: the way from it is slow, and much comes before; or it keeps it back.
    pub(super) fn is_held_up(&self, lent: &Lent<'_>, stage: &NoticedGap) -> bool {
        stage.refused().is_some()
            && !stage.is_left_to_others()
            && !lent.cx.is_weakened(Weakness::SlowAuthorsAreGivenUp)
    }

    /// True if nothing of this author was ever here, and it is and was no member, or has no link and is waited for for
    /// long (`is_ripe`): it is only named, and there may be none of that name.
    fn is_unknown(&self, lent: &Lent<'_>, author: Key, is_ripe: bool) -> bool {
        let is_no_member = || !lent.view.contains(author) && !self.stability.has_met(author);
        let is_ghost = is_ripe
            && lent.mesh.open_to(author).is_none()
            && !lent.cx.is_weakened(Weakness::GhostsAreAwaited);
        (is_ghost || is_no_member())
            && self.history.highest(author) == 0
            && !lent.cx.is_weakened(Weakness::UnknownAreAwaited)
    }

    /// A peer says this, which may be an answer: a chunk, or that to a SYNC which comes too late. One to a SYNC that
    /// comes in time is followed by a chunk, or by silence.
    pub(in crate::node) fn note_answer(
        &mut self,
        lent: &Lent<'_>,
        (link, peer): (LinkId, Key),
        message: &Message,
    ) {
        self.measure(lent.cx.now.time, (link, peer), message);
        let is_answer = match message {
            Message::Chunk(_) => true,
            Message::SyncAnswer(answer) => self.repair.find(link, answer.no).is_none(),
            _ => false,
        };
        if is_answer {
            self.answers.has_spoken(peer, lent.cx.now.time);
        }
    }

    /// How long it took each of these to answer.
    fn times_to_answer(&self, reach: &[Key]) -> Vec<Duration> {
        let answers = reach
            .iter()
            .filter_map(|peer| self.answers.last_answer(*peer));
        answers.map(|(began, ended)| ended.since(began)).collect()
    }
}

/// How long it counts that a peer did not have something: a failure timeout, or for as long as it takes twice to ask the
/// others that answer no slower, where `times` says how long each takes. Else some answer would always be too old where
/// there are many, or they are slow. Who answers quickly is asked once more after one that is slow: it may have got
/// meanwhile what the slow one has dropped since.
fn answer_is_good_for(
    lent: &Lent<'_>,
    times: &[Duration],
    (began, ended): (Time, Time),
) -> Duration {
    let timeout = lent.cx.config.failure_timeout;
    if lent.cx.is_weakened(Weakness::RoundsMayOutlastAnswers) {
        return timeout;
    }
    let own = ended.since(began);
    let counts_all = lent.cx.is_weakened(Weakness::QuickAnswersLast);
    let counted = times.iter().filter(|time| counts_all || **time <= own);
    let round: Duration = counted.sum();
    timeout.max(round.saturating_sub(own) * 2)
}

#[cfg(test)]
#[path = "whom_test.rs"]
mod tests;
