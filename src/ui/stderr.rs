//! The lines that wait for stderr: bounded, and when there are too many the oldest are skipped and
//! counted.
//!
//! This module owns these lines only. It never decides what is said there, and writes nowhere but
//! into memory.

use std::collections::VecDeque;

use crate::limits::STDERR_LINES_MAX;

use super::text;

/// The queue for stderr.
#[derive(Debug, Default)]
pub(super) struct Stderr {
    lines: VecDeque<String>,
    skipped: u64,
    /// What each line begins with that says of which room it is.
    place: String,
}

impl Stderr {
    /// Each line says from now on of which room it is.
    pub(super) fn name_room(&mut self, room: &str) {
        let mut place = Vec::new();
        text::place(&mut place, Some(room));
        self.place = String::from_utf8_lossy(&place).into_owned();
    }

    /// True if nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.skipped == 0
    }

    /// Adds a line, and says who says it.
    pub(super) fn push(&mut self, text: &str) {
        if self.lines.len() >= STDERR_LINES_MAX {
            self.lines.pop_front();
            self.skipped += 1;
        }
        self.lines
            .push_back(format!("papo: {}{text}\n", self.place));
    }

    /// Takes the first line, without who says it.
    pub(super) fn pop(&mut self) -> Option<String> {
        let line = self.lines.pop_front()?;
        let words = line.strip_prefix("papo: ").unwrap_or(&line);
        Some(words.trim_end_matches('\n').to_owned())
    }

    /// Appends whole lines until `out` holds `limit` bytes or there is no more.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>, limit: usize) {
        if self.skipped > 0 && out.len() < limit {
            let notices = text::count(std::mem::take(&mut self.skipped), "notice");
            out.extend_from_slice(format!("papo: {notices} skipped\n").as_bytes());
        }
        while out.len() < limit
            && let Some(line) = self.lines.pop_front()
        {
            out.extend_from_slice(line.as_bytes());
        }
    }
}

#[cfg(test)]
#[path = "stderr_test.rs"]
mod tests;
