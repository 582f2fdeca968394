//! What was said in one channel, or privately with one client, as far as it is kept for those who ask.
//!
//! Owns these lines, in the order of their times, with their bounds. It never decides who is shown what.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::limits::{IRC_PAST_BYTES_MAX, IRC_PAST_LINES_MAX};

/// One message that was said.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) id: Rc<str>,
    /// Milliseconds since 1970.
    pub(super) at_ms: u64,
    /// `nick!user@host`.
    pub(super) source: Rc<str>,
    pub(super) command: &'static str,
    pub(super) target: Rc<str>,
    /// With whom it was said, folded, if it is private.
    pub(super) with: Rc<str>,
    /// Its lines; true for those that go on with the line before.
    pub(super) lines: Rc<[(String, bool)]>,
    pub(super) client_tags: Rc<str>,
}

impl Kept {
    fn bytes(&self) -> usize {
        let text: usize = self.lines.iter().map(|(line, _)| line.len() + 32).sum();
        text + self.client_tags.len() + self.source.len() + 128
    }
}

/// A place in the past that a client names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Mark {
    Time(u64),
    Id(String),
}

/// The lines of a channel.
#[derive(Debug, Default)]
pub(super) struct Past {
    kept: VecDeque<Kept>,
    bytes: usize,
}

impl Past {
    /// Keeps a line that was just said.
    pub(super) fn push(&mut self, kept: Kept) {
        self.bytes += kept.bytes();
        let at = match self.kept.back() {
            Some(last) if last.at_ms > kept.at_ms => {
                self.kept.partition_point(|k| k.at_ms <= kept.at_ms)
            }
            _ => self.kept.len(),
        };
        self.kept.insert(at, kept);
        while self.kept.len() > IRC_PAST_LINES_MAX || self.bytes > IRC_PAST_BYTES_MAX {
            match self.kept.pop_front() {
                Some(oldest) => self.bytes -= oldest.bytes(),
                None => return,
            }
        }
    }

    /// True if this line is among them. Those around its time are looked at.
    pub(super) fn has(&self, id: &str, at_ms: u64) -> bool {
        let from = self.kept.partition_point(|k| k.at_ms < at_ms);
        let same = self.kept.iter().skip(from);
        let mut same = same.take_while(|k| k.at_ms == at_ms);
        same.any(|k| *k.id == *id)
    }

    /// What was said with one of those with whom private messages were exchanged.
    pub(super) fn only(&self, with: &str) -> Past {
        let mut past = Past::default();
        let found = self.kept.iter().filter(|k| *k.with == *with);
        found.for_each(|kept| past.push(kept.clone()));
        past
    }

    /// With whom private messages were exchanged, by the times of the newest.
    pub(super) fn newest_with(&self) -> Vec<(u64, String)> {
        let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
        for kept in &self.kept {
            newest.insert(&kept.with, kept.at_ms);
        }
        newest
            .into_iter()
            .map(|(with, at)| (at, with.to_owned()))
            .collect()
    }

    pub(super) fn newest(&self) -> Option<&Kept> {
        self.kept.back()
    }

    /// The index of what comes first after the mark, or of what is the mark.
    fn after(&self, mark: &Mark) -> Option<usize> {
        match mark {
            Mark::Time(ms) => Some(self.kept.partition_point(|k| k.at_ms <= *ms)),
            Mark::Id(id) => Some(self.place(id)? + 1),
        }
    }

    fn before(&self, mark: &Mark) -> Option<usize> {
        match mark {
            Mark::Time(ms) => Some(self.kept.partition_point(|k| k.at_ms < *ms)),
            Mark::Id(id) => self.place(id),
        }
    }

    fn place(&self, id: &str) -> Option<usize> {
        self.kept.iter().position(|k| *k.id == *id)
    }

    fn slice(&self, from: usize, to: usize) -> Vec<Kept> {
        let to = to.min(self.kept.len());
        self.kept.range(from.min(to)..to).cloned().collect()
    }

    /// The newest `count` lines after the mark, or of all.
    pub(super) fn latest(&self, after: Option<&Mark>, count: usize) -> Vec<Kept> {
        let from = after
            .map_or(Some(0), |mark| self.after(mark))
            .unwrap_or(self.kept.len());
        self.slice(
            from.max(self.kept.len().saturating_sub(count)),
            self.kept.len(),
        )
    }

    /// The `count` lines before the mark.
    pub(super) fn preceding(&self, mark: &Mark, count: usize) -> Vec<Kept> {
        let to = self.before(mark).unwrap_or(0);
        self.slice(to.saturating_sub(count), to)
    }

    /// The `count` lines after the mark.
    pub(super) fn following(&self, mark: &Mark, count: usize) -> Vec<Kept> {
        let from = self.after(mark).unwrap_or(self.kept.len());
        self.slice(from, from.saturating_add(count))
    }

    /// `count` lines around the mark, and itself.
    pub(super) fn around(&self, mark: &Mark, count: usize) -> Vec<Kept> {
        let Some(at) = self.before(mark) else {
            return Vec::new();
        };
        let from = at.saturating_sub(count / 2);
        self.slice(from, from + count)
    }

    /// At most `count` lines between two marks: the oldest of them if the first mark is the older one, else
    /// the newest.
    pub(super) fn between(&self, one: &Mark, other: &Mark, count: usize) -> Vec<Kept> {
        let (Some(from), Some(to)) = (self.after(one), self.before(other)) else {
            return Vec::new();
        };
        if from <= to {
            return self.slice(from, to.min(from + count));
        }
        let (Some(from), Some(to)) = (self.after(other), self.before(one)) else {
            return Vec::new();
        };
        self.slice(from.max(to.saturating_sub(count)), to)
    }
}
