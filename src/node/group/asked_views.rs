//! Questions for the whole view: to whom they were put, and whether the view that is held is its
//! coordinator's own word.
//!
//! Owns these two. A view that nobody asked for is not believed unless it is the coordinator's own, on its own
//! link; and what somebody else brought in answer to a question is believed until the coordinator is heard. On a link
//! that a cut held up the answers to earlier questions come first: they do not take a node back.

use std::time::Duration;

use crate::limits;
use crate::node::{LinkId, Time};

/// What was asked, and is held on whose word.
#[derive(Debug, Default)]
pub(super) struct AskedViews {
    /// When the view was last asked for, as far as that puts off the next question.
    last: Option<Time>,
    /// The links on which a question is open, and since when.
    open: Vec<(LinkId, Time)>,
    is_second_hand: bool,
    /// The links on which questions had no answer yet: how many, and how many of them were put before the view that is
    /// held came.
    unanswered: Vec<(LinkId, usize, usize)>,
    /// The coordinator's own view has come, and is an earlier one than the one that is held on somebody else's word.
    is_in_doubt: bool,
}

impl AskedViews {
    /// When the view was last asked for.
    pub(super) fn last(&self) -> Option<Time> {
        self.last
    }

    /// The next question need not wait.
    pub(super) fn hurry(&mut self) {
        self.last = None;
    }

    /// The view is asked for now, on this link.
    pub(super) fn put(&mut self, link: LinkId, now: Time) {
        self.last = Some(now);
        self.open.retain(|(other, _)| *other != link);
        if self.open.len() >= limits::VIEW_QUESTIONS_MAX {
            self.open.remove(0);
        }
        self.open.push((link, now));
        match self.unanswered.iter_mut().find(|(on, ..)| *on == link) {
            Some((_, all, _)) => *all = (*all + 1).min(limits::VIEW_QUESTIONS_MAX),
            None => {
                if self.unanswered.len() >= limits::VIEW_QUESTIONS_MAX {
                    self.unanswered.remove(0);
                }
                self.unanswered.push((link, 1, 0));
            }
        }
    }

    /// A whole view comes on this link: true if it answers a question that was put since the view that is held came.
    pub(super) fn answers_later_question(&mut self, link: LinkId) -> bool {
        let Some(at) = self.unanswered.iter().position(|(on, ..)| *on == link) else {
            return false;
        };
        let (_, all, before) = &mut self.unanswered[at];
        let is_later = *before == 0;
        (*all, *before) = (*all - 1, before.saturating_sub(1));
        if *all == 0 {
            self.unanswered.remove(at);
        }
        is_later
    }

    /// A whole view comes on this link: true if it is the answer to a question that was put within this time.
    /// Each question has one answer.
    pub(super) fn take_answer(&mut self, link: LinkId, now: Time, patience: Duration) -> bool {
        self.open.retain(|(_, at)| now.since(*at) < patience);
        let open = self.open.len();
        self.open.retain(|(other, _)| *other != link);
        self.open.len() < open
    }

    /// The view that is held from now on is its coordinator's own word, or was brought by somebody else.
    pub(super) fn hold(&mut self, is_second_hand: bool) {
        self.is_second_hand = is_second_hand;
        self.is_in_doubt = false;
        self.begin_anew();
    }

    /// Whatever was asked until now was asked before.
    fn begin_anew(&mut self) {
        for (_, all, before) in &mut self.unanswered {
            *before = *all;
        }
    }

    /// True if the coordinator is to be asked once more.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.is_in_doubt
    }

    /// The coordinator's own view comes, and is an earlier one than the one that is held: true if it has come before. It
    /// may have sent it unasked, and a cut held it up, so that it is asked once more.
    pub(super) fn is_said_again(&mut self) -> bool {
        self.begin_anew();
        std::mem::replace(&mut self.is_in_doubt, true)
    }

    /// True if somebody else than its coordinator brought the view that is held.
    pub(super) fn is_second_hand(&self) -> bool {
        self.is_second_hand
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_question_has_one_answer_and_in_time() {
        let (now, patience) = (Time(0), Duration::from_secs(1));
        let mut asked = AskedViews::default();
        assert!(!asked.take_answer(LinkId(1), now, patience));
        asked.put(LinkId(1), now);
        assert!(!asked.take_answer(LinkId(2), now, patience));
        assert!(asked.take_answer(LinkId(1), now, patience));
        assert!(!asked.take_answer(LinkId(1), now, patience));
        asked.put(LinkId(1), now);
        assert!(!asked.take_answer(LinkId(1), now + patience, patience));
    }

    #[test]
    fn answers_to_what_was_asked_before_the_view_that_is_held_are_told_from_later_ones() {
        let now = Time(0);
        let mut asked = AskedViews::default();
        asked.put(LinkId(1), now);
        asked.put(LinkId(1), now);
        asked.put(LinkId(2), now);
        asked.hold(true);
        asked.put(LinkId(1), now);
        let answers = [1, 1, 1, 1, 2, 2].map(|link| asked.answers_later_question(LinkId(link)));
        assert_eq!(answers, [false, false, true, false, false, false]);
    }

    #[test]
    fn an_earlier_view_counts_once_it_was_asked_for_twice() {
        let now = Time(0);
        let mut asked = AskedViews::default();
        asked.hold(true);
        asked.put(LinkId(1), now);
        asked.put(LinkId(1), now);
        assert!(asked.answers_later_question(LinkId(1)) && !asked.is_said_again());
        assert!(!asked.answers_later_question(LinkId(1)));
        asked.put(LinkId(1), now);
        assert!(asked.answers_later_question(LinkId(1)) && asked.is_said_again());
        asked.hold(true);
        assert!(!asked.is_said_again());
    }

    #[test]
    fn open_questions_are_few() {
        let mut asked = AskedViews::default();
        for link in 0..1_000 {
            asked.put(LinkId(link), Time(link));
        }
        for _ in 0..1_000 {
            asked.put(LinkId(999), Time(999));
        }
        assert_eq!(asked.open.len(), limits::VIEW_QUESTIONS_MAX);
        assert_eq!(asked.unanswered.len(), limits::VIEW_QUESTIONS_MAX);
        let last = asked.unanswered.iter().find(|(on, ..)| *on == LinkId(999));
        assert_eq!(last.map(|l| l.1), Some(limits::VIEW_QUESTIONS_MAX));
        assert!(asked.take_answer(LinkId(999), Time(999), Duration::from_secs(1)));
    }
}
