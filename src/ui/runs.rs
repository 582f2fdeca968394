//! Messages for each of which a command is to be run (`papo listen --exec`), until the driver takes them.
//!
//! Owns what waits, and its bounds. It starts nothing: that is the driver's.

use std::collections::VecDeque;

use crate::limits::{RUNS_WAITING_BYTES_MAX, RUNS_WAITING_MAX};

/// One command that is to be run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// What its stdin is to have: one line.
    pub text: String,
    /// What its environment is to have besides, by name.
    pub variables: Vec<(&'static str, String)>,
}

/// The commands that wait.
#[derive(Debug, Default)]
pub(super) struct Runs {
    waiting: VecDeque<Run>,
    bytes: usize,
}

impl Runs {
    /// Adds one. False if too many wait: then it will not be run.
    pub(super) fn push(&mut self, run: Run) -> bool {
        let bytes = self.bytes + run.text.len();
        if self.waiting.len() >= RUNS_WAITING_MAX || bytes > RUNS_WAITING_BYTES_MAX {
            return false;
        }
        self.bytes = bytes;
        self.waiting.push_back(run);
        true
    }

    /// How many wait.
    pub(super) fn len(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// The next one.
    pub(super) fn pop(&mut self) -> Option<Run> {
        let run = self.waiting.pop_front()?;
        self.bytes -= run.text.len();
        Some(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_wait_and_no_more() {
        let run = |bytes: usize| Run {
            text: "x".repeat(bytes),
            variables: Vec::new(),
        };
        let mut runs = Runs::default();
        let taken = (0..RUNS_WAITING_MAX + 5)
            .filter(|_| runs.push(run(1)))
            .count();
        assert_eq!(taken, RUNS_WAITING_MAX);
        assert!(runs.pop().is_some() && runs.push(run(1)));
        let mut runs = Runs::default();
        while runs.push(run(10_000)) {}
        assert!(runs.bytes <= RUNS_WAITING_BYTES_MAX);
        while runs.pop().is_some() {}
        assert_eq!(runs.bytes, 0);
    }
}
