//! The plan of an exchange: where the two histories differ, as far as that is known, and what is to be
//! fetched.
//!
//! Owns the spans that are yet to be compared and those to be fetched, both in the history's order, so that
//! what is found goes that way too. It sends nothing, and knows no time.

use std::collections::VecDeque;

use crate::limits::{COMPARED_SPANS_MAX, FETCHED_SPANS_MAX, PLAN_SPANS_MAX};
use crate::node::history::History;
use crate::wire::{Item, Part, Position, Span};

/// If the peer has so many times as much of a span as this node, it is fetched as a whole: that takes less
/// than to find out what of it is here.
const WHOLE_FROM: u64 = 4;

/// What is to be fetched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Wish {
    span: Span,
    /// It could not be compared: much of it may be here.
    is_blind: bool,
}

/// What is next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// To ask what the peer has in these spans.
    Compare(Vec<Span>),
    /// To fetch these. If they could not be compared, much of them may be here.
    Fetch { spans: Vec<Span>, is_blind: bool },
    /// Nothing.
    End,
}

/// The plan of one exchange.
#[derive(Debug, Default)]
pub(super) struct Plan {
    compare: VecDeque<Span>,
    /// What the peer was asked of, and has not answered.
    asked: Vec<Span>,
    fetch: VecDeque<Wish>,
}

impl Plan {
    /// All of this is to be fetched, without comparing it.
    pub(super) fn want(&mut self, span: Span, is_blind: bool) {
        if span.upto <= span.after {
            return;
        }
        let wish = Wish { span, is_blind };
        let at = (self.fetch).partition_point(|w| w.span.after < span.after);
        if let Some(before) = at.checked_sub(1).map(|at| &mut self.fetch[at])
            && before.span.upto == span.after
            && before.is_blind == is_blind
        {
            before.span.upto = span.upto;
            return;
        }
        self.fetch.insert(at, wish);
    }

    /// True if there is more in it than any honest peer's answers lead to.
    pub(super) fn is_too_long(&self) -> bool {
        self.compare.len() + self.fetch.len() > PLAN_SPANS_MAX
    }

    /// True if the peer was asked what it has.
    pub(super) fn waits_for_contents(&self) -> bool {
        !self.asked.is_empty()
    }

    /// The spans that the peer was asked of and answers now, the first so many; the others are asked of again.
    pub(super) fn take_asked(&mut self, answered: usize) -> Vec<Span> {
        let mut asked = std::mem::take(&mut self.asked);
        for span in asked.drain(answered.min(asked.len())..).rev() {
            self.compare.push_front(span);
        }
        asked
    }

    /// What the peer has after this position, in parts, against what is here.
    pub(super) fn compare(&mut self, history: &History, after: Position, parts: &[Part]) {
        let mut deeper = Vec::new();
        let mut begin = after;
        for part in parts {
            let span = Span::new(begin, part.upto);
            if span.upto <= span.after {
                continue;
            }
            begin = part.upto;
            match history.sum(span) {
                None => self.want(span, true),
                Some(own) if own == (part.sum, part.count) || part.count == 0 => {}
                Some((_, own)) if own.saturating_mul(WHOLE_FROM) <= part.count => {
                    self.want(span, false);
                }
                Some(_) => deeper.push(span),
            }
        }
        for span in deeper.into_iter().rev() {
            self.compare.push_front(span);
        }
    }

    /// What the peer has in this span, one by one; `lacks` says of each whether it is to be fetched.
    pub(super) fn list(&mut self, span: Span, items: &[Item], lacks: &[bool]) {
        let mut before = span.after;
        for (item, lacks) in items.iter().zip(lacks) {
            if *lacks {
                self.want(Span::new(before, item.position), false);
            }
            before = item.position;
        }
    }

    /// What is next: what is known to be lacking is fetched once everything before it was compared.
    pub(super) fn next(&mut self) -> Next {
        let known = self.compare.front().map_or(Position::END, |s| s.after);
        let ready = self.fetch.partition_point(|w| w.span.upto <= known);
        let is_all = self.compare.is_empty();
        if ready > 0 && (is_all || ready >= FETCHED_SPANS_MAX) {
            let wishes = self.fetch.drain(..ready.min(FETCHED_SPANS_MAX));
            let (mut spans, mut is_blind) = (Vec::new(), false);
            for wish in wishes {
                spans.push(wish.span);
                is_blind |= wish.is_blind;
            }
            return Next::Fetch { spans, is_blind };
        }
        if is_all {
            return Next::End;
        }
        let count = self.compare.len().min(COMPARED_SPANS_MAX);
        self.asked = self.compare.drain(..count).collect();
        Next::Compare(self.asked.clone())
    }
}

#[cfg(test)]
#[path = "plan_test.rs"]
mod tests;
