//! Whom to ask for what is missing.
//!
//! Owns nothing: who was asked, and when it answered, is `noticed`'s. Nobody is asked here, and nothing is given up.

use std::time::Duration;

use super::noticed::NoticedGap;
use super::{Lent, Talk};
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

    /// Who is to be asked for this: its author first, then whoever sent something that waits for it.
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
        let asks_again = !stays_good && lent.cx.since(stage.since()) < lent.cx.gap_patience() * 2;
        // An author that says itself that it has not said this.
        let said = self.known_to_be_said(lent, author);
        let denies = said.is_some_and(|said| said < stage.span().0);
        let round = self.time_to_ask(reach);
        let has_answered = |peer: &Key| {
            let asked = self.gaps.last_answer(*peer);
            let is_fresh = |answer: (Time, Time)| {
                !asks_again || lent.cx.since(answer.1) < answer_is_good_for(lent, round, answer)
            };
            let has = asked.is_some_and(|answer| answer.0 >= stage.since() && is_fresh(answer));
            let since = (stage.since(), denies && *peer == author);
            has || self.gaps.has_had_its_chances(lent, *peer, since)
        };
        if one_is_enough && reach.iter().any(has_answered) {
            return None;
        }
        let unasked = || reach.iter().copied().filter(|peer| !has_answered(peer));
        let id = MessageId {
            origin: author,
            seq: stage.span().1,
        };
        let sender = |peer: &Key| self.waiting.senders_for(id).any(|sender| sender == *peer);
        let speaks = |peer: &Key| lent.mesh.is_alive(lent.cx, *peer);
        (unasked().find(|peer| *peer == author && speaks(peer)))
            .or_else(|| unasked().find(|peer| sender(peer) && speaks(peer)))
            .or_else(|| unasked().find(speaks))
            .or_else(|| unasked().next())
    }

    /// A peer says this, which may be an answer: a chunk, or that to a SYNC which comes too late. One to a SYNC that
    /// comes in time is followed by a chunk, or by silence.
    pub(in crate::node) fn note_answer(
        &mut self,
        lent: &Lent<'_>,
        (link, peer): (LinkId, Key),
        message: &Message,
    ) {
        let is_answer = match message {
            Message::Chunk(_) => true,
            Message::SyncAnswer(answer) => self.repair.find(link, answer.no).is_none(),
            _ => false,
        };
        if is_answer {
            self.gaps.has_spoken(peer, lent.cx.now.time);
        }
    }

    /// How long it took to ask all of these, one after the other.
    fn time_to_ask(&self, reach: &[Key]) -> Duration {
        let answers = reach.iter().filter_map(|peer| self.gaps.last_answer(*peer));
        answers.map(|(began, ended)| ended.since(began)).sum()
    }
}

/// How long it counts that a peer did not have something: a failure timeout, or for as long as it takes to ask the others
/// twice, where `round` is how long it takes to ask everybody. Else some answer would always be too old where there are
/// many, or they are slow.
fn answer_is_good_for(lent: &Lent<'_>, round: Duration, (began, ended): (Time, Time)) -> Duration {
    let timeout = lent.cx.config.failure_timeout;
    if lent.cx.is_weakened(Weakness::RoundsMayOutlastAnswers) {
        timeout
    } else {
        timeout.max(round.saturating_sub(ended.since(began)) * 2)
    }
}

#[cfg(test)]
#[path = "whom_test.rs"]
mod tests;
