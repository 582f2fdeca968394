//! Questions for the whole view: to whom they were put, and whether the view that is held is its
//! coordinator's own word.
//!
//! Owns these two. A view that nobody asked for is not believed unless it is the coordinator's own, on its own
//! link; and what somebody else brought in answer to a question is believed until the coordinator is heard.

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
    fn open_questions_are_few() {
        let mut asked = AskedViews::default();
        for link in 0..1_000 {
            asked.put(LinkId(link), Time(link));
        }
        assert_eq!(asked.open.len(), limits::VIEW_QUESTIONS_MAX);
        assert!(asked.take_answer(LinkId(999), Time(999), Duration::from_secs(1)));
    }
}
