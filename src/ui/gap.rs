//! What was skipped in one place of the output: how many lines, and which messages of whom.
//!
//! This module owns counts and numbers only. It never decides what is skipped, and it does not say
//! it either.

use std::collections::BTreeMap;

use crate::limits::OUTPUT_SKIPPED_RANGES_MAX;
use crate::wire::{ChatMessage, Key};

use super::text;

/// Messages of one author that were skipped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct SkippedRange {
    pub(super) key: Key,
    pub(super) nick: String,
    pub(super) first: u64,
    pub(super) last: u64,
    /// How many of the messages from the first to the last were skipped: all of them, unless there
    /// were too many ranges.
    pub(super) count: u64,
}

/// What was skipped in one place.
#[derive(Debug, Default)]
pub(super) struct Gap {
    /// The place of the last that was skipped, among all that was to be printed.
    place: u64,
    /// The time of the last that was skipped.
    at: u64,
    /// How many messages and other lines were skipped.
    lines: u64,
    ranges: Vec<SkippedRange>,
    /// Each author's last range.
    last_of: BTreeMap<Key, usize>,
}

impl Gap {
    /// The place in the output at which this gap is told of.
    pub(super) fn place(&self) -> u64 {
        self.place
    }

    /// The time of the last that was skipped.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// How many messages and other lines were skipped.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// Which messages were skipped.
    pub(super) fn ranges(&self) -> &[SkippedRange] {
        &self.ranges
    }

    /// The warning in words.
    pub(super) fn warning(&self) -> String {
        let lines = text::count(self.lines, "line");
        format!("{lines} skipped: nobody read the output")
    }

    /// One line more was skipped, whatever it was.
    pub(super) fn count(&mut self, at: u64, place: u64) {
        self.lines += 1;
        self.at = at;
        self.place = self.place.max(place);
    }

    /// Messages of one author were left in the store, and are skipped after all.
    pub(super) fn count_range(&mut self, at: u64, place: u64, range: SkippedRange) {
        self.lines += range.count;
        self.at = at;
        self.place = self.place.max(place);
        if self.ranges.len() < OUTPUT_SKIPPED_RANGES_MAX {
            self.last_of.insert(range.key, self.ranges.len());
            self.ranges.push(range);
        }
    }

    /// The line that was counted last was this message.
    pub(super) fn add(&mut self, message: &ChatMessage) {
        let (key, seq) = (message.origin(), message.seq());
        let last = self.last_of.get(&key).copied();
        let is_full = self.ranges.len() >= OUTPUT_SKIPPED_RANGES_MAX;
        if let Some(range) = last.and_then(|at| self.ranges.get_mut(at))
            && (is_full || range.last + 1 == seq)
        {
            range.first = range.first.min(seq);
            range.last = range.last.max(seq);
            range.count += 1;
        } else if !is_full {
            self.last_of.insert(key, self.ranges.len());
            self.ranges.push(SkippedRange {
                key,
                nick: message.nick().to_owned(),
                first: seq,
                last: seq,
                count: 1,
            });
        }
    }
}
