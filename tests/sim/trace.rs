//! The trace: one line for each thing that happens, kept only where somebody wants to read it.
//!
//! Owns the text. It must never change what happens: a run with a trace and one without are the
//! same run.

use std::collections::VecDeque;

use super::scenario::seconds;

#[derive(Debug, Default)]
pub struct Trace {
    /// How many of the last lines are kept; none by default.
    kept: usize,
    lines: VecDeque<String>,
}

impl Trace {
    pub fn keeping(kept: usize) -> Trace {
        Trace {
            kept,
            lines: VecDeque::new(),
        }
    }

    pub fn add(&mut self, now: u64, line: impl FnOnce() -> String) {
        if self.kept == 0 {
            return;
        }
        if self.lines.len() >= self.kept {
            self.lines.pop_front();
        }
        self.lines
            .push_back(format!("{:>11} {}", seconds(now), line()));
    }

    pub fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}

/// The names of all things are short, so that a line stays one.
pub fn short(what: &impl std::fmt::Debug) -> String {
    let mut text = format!("{what:?}");
    if text.len() > 400 {
        let mut end = 400;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}
