//! One's own earlier lines: walking through them (Up, Down) and searching them (Ctrl-R).
//!
//! This module owns these lines, so many at most. It keeps them in memory only and never writes them
//! to disk, since a chat's lines are nobody's business there.

use std::collections::VecDeque;

use crate::limits::{RECALL_BYTES_MAX, RECALL_LINES_MAX};

/// Own lines, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct Recall {
    lines: VecDeque<String>,
    bytes: usize,
    /// Which line is shown while walking, and what was typed before.
    at: Option<(usize, String)>,
}

impl Recall {
    /// Remembers a line, unless it is the newest already.
    pub fn add(&mut self, line: &str) {
        self.at = None;
        if line.len() > RECALL_BYTES_MAX || self.lines.back().is_some_and(|l| l == line) {
            return;
        }
        self.bytes += line.len();
        self.lines.push_back(line.to_owned());
        while self.lines.len() > RECALL_LINES_MAX || self.bytes > RECALL_BYTES_MAX {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= oldest.len();
        }
    }

    /// The line before; `typed` is kept for the way back.
    pub fn older(&mut self, typed: &str) -> Option<String> {
        let (index, draft) = match self.at.take() {
            Some((0, draft)) => {
                self.at = Some((0, draft));
                return None;
            }
            Some((index, draft)) => (index - 1, draft),
            None => (self.lines.len().checked_sub(1)?, typed.to_owned()),
        };
        self.at = Some((index, draft));
        self.lines.get(index).cloned()
    }

    /// The line after; at the end, what was typed.
    pub fn newer(&mut self) -> Option<String> {
        let (index, draft) = self.at.take()?;
        match self.lines.get(index + 1) {
            Some(line) => {
                self.at = Some((index + 1, draft));
                Some(line.clone())
            }
            None => Some(draft),
        }
    }

    /// The walk is over: the line shown is now what is typed.
    pub fn stop(&mut self) {
        self.at = None;
    }
}

/// A search through own lines that grows letter by letter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RecallSearch {
    /// What is looked for.
    pub query: String,
    /// Where it was found: the line's index, and the byte in it.
    pub found: Option<(usize, usize)>,
    /// Nothing matches the whole query.
    pub failing: bool,
}

impl RecallSearch {
    /// Looks again after the query has changed, from the line found before on.
    pub fn refresh(&mut self, recall: &Recall) {
        let newest = recall.lines.len();
        let from = self.found.map_or(newest, |(i, _)| (i + 1).min(newest));
        self.step(recall, (0..from).rev());
    }

    /// The next older line that matches.
    pub fn older(&mut self, recall: &Recall) {
        let from = self.found.map_or(recall.lines.len(), |(i, _)| i);
        self.step(recall, (0..from).rev());
    }

    /// The next newer line that matches.
    pub fn newer(&mut self, recall: &Recall) {
        let from = self.found.map_or(recall.lines.len(), |(i, _)| i + 1);
        self.step(recall, from..recall.lines.len());
    }

    /// The line found.
    #[must_use]
    pub fn line<'a>(&self, recall: &'a Recall) -> Option<&'a str> {
        let (index, _) = self.found?;
        recall.lines.get(index).map(String::as_str)
    }

    fn step(&mut self, recall: &Recall, mut order: impl Iterator<Item = usize>) {
        if self.query.is_empty() {
            (self.found, self.failing) = (None, false);
            return;
        }
        let current = self.line(recall);
        let hit = order.find_map(|i| {
            let line = recall.lines.get(i)?;
            // A repeated line tells nothing new.
            let repeated = self.found.is_some_and(|(at, _)| at != i) && current == Some(line);
            let at = line.rfind(&self.query).filter(|_| !repeated)?;
            Some((i, at))
        });
        self.failing = hit.is_none();
        if hit.is_some() {
            self.found = hit;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recall(lines: &[&str]) -> Recall {
        let mut recall = Recall::default();
        for line in lines {
            recall.add(line);
        }
        recall
    }

    #[test]
    fn walking_ends_where_it_began() {
        let mut r = recall(&["one", "two", "two"]);
        assert_eq!(r.newer(), None);
        assert_eq!(r.older("typed").as_deref(), Some("two"));
        assert_eq!(r.older("two").as_deref(), Some("one"));
        assert_eq!(r.older("one"), None);
        assert_eq!(r.newer().as_deref(), Some("two"));
        assert_eq!(r.newer().as_deref(), Some("typed"));
        assert_eq!(r.newer(), None);
        assert_eq!(recall(&[]).older("typed"), None);
    }

    #[test]
    fn it_is_bounded() {
        let mut r = Recall::default();
        for i in 0..3 * RECALL_LINES_MAX {
            r.add(&format!("{i} {}", "x".repeat(2_000)));
        }
        assert!(r.lines.len() <= RECALL_LINES_MAX && r.bytes <= RECALL_BYTES_MAX);
        assert_eq!(r.bytes, r.lines.iter().map(String::len).sum::<usize>());
    }

    #[test]
    fn a_search_goes_back_and_forth() {
        let r = recall(&["say foo", "say bar", "foobar", "say bar", "baz"]);
        let mut s = RecallSearch::default();
        s.query.push_str("ba");
        s.refresh(&r);
        assert_eq!(s.line(&r), Some("baz"));
        s.query.push('r');
        s.refresh(&r);
        assert_eq!((s.line(&r), s.found), (Some("say bar"), Some((3, 4))));
        s.older(&r);
        assert_eq!(s.line(&r), Some("foobar"));
        s.older(&r);
        assert_eq!((s.line(&r), s.failing), (Some("say bar"), false));
        s.older(&r);
        assert!(s.failing);
        s.newer(&r);
        assert_eq!((s.line(&r), s.failing), (Some("foobar"), false));
        s.query.push('!');
        s.refresh(&r);
        assert!(s.failing);
        assert_eq!(s.line(&r), Some("foobar"));
    }
}
