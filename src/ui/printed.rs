//! What became of each message: how far the bytes rendered for stdout are written, and with them
//! which messages are printed, and which never will be.
//!
//! This module owns positions and counts, and never bytes or messages. Messages that others wait for
//! (they are *owed* a word) are settled in the order in which they came here.

use std::collections::VecDeque;

/// What became of the next messages that somebody is owed a word of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// The system has taken all bytes of so many messages, or they need not be printed.
    Printed(u64),
    /// So many messages were skipped, and never will be printed.
    Skipped(u64),
}

/// What is settled once stdout is written up to a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Mark {
    /// The position, in bytes since the start.
    until: u64,
    /// Messages rendered that end here.
    lines: u64,
    /// Messages that a word is owed of.
    owed: u64,
    /// The word that is owed is that the messages were skipped.
    skipped: bool,
}

/// The account of stdout.
#[derive(Debug, Default)]
pub(super) struct Printed {
    /// Bytes rendered since the start.
    rendered: u64,
    /// Bytes of them that are written.
    written: u64,
    marks: VecDeque<Mark>,
    /// Messages in the marks.
    lines: u64,
    /// Messages that a terminal has taken and not rendered yet: how many, and how many are owed.
    held: (u64, u64),
    fates: VecDeque<Fate>,
}

impl Printed {
    /// Bytes were rendered that belong to no message.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.rendered += bytes as u64;
    }

    /// A message was rendered.
    pub(super) fn message(&mut self, bytes: usize, owed: bool) {
        self.advance(bytes);
        self.mark(1, u64::from(owed), false);
    }

    /// A terminal has taken a message, and will render it later.
    pub(super) fn hold(&mut self, owed: bool) {
        self.held.0 += 1;
        self.held.1 += u64::from(owed);
    }

    /// The terminal has rendered all that it had.
    pub(super) fn release(&mut self) {
        let (lines, owed) = std::mem::take(&mut self.held);
        if lines > 0 {
            self.mark(lines, owed, false);
        }
    }

    /// Messages that a word is owed of need not be printed.
    pub(super) fn unshown(&mut self, owed: u64) {
        self.mark(0, owed, false);
    }

    /// Messages that a word is owed of were skipped.
    pub(super) fn skipped(&mut self, owed: u64) {
        self.mark(0, owed, true);
    }

    /// Notes that so many more bytes are written.
    pub(super) fn on_written(&mut self, bytes: u64) {
        self.written += bytes;
        while let Some(mark) = self.marks.pop_front_if(|mark| mark.until <= self.written) {
            self.lines -= mark.lines;
            self.settle(mark);
        }
    }

    /// Nothing more will be written: what is not printed never will be.
    pub(super) fn close(&mut self) {
        self.release();
        self.written = self.rendered;
        for mark in std::mem::take(&mut self.marks) {
            let skipped = mark.skipped || mark.lines > 0;
            self.settle(Mark { skipped, ..mark });
        }
        self.lines = 0;
    }

    /// Messages rendered that are not written to their ends.
    pub(super) fn unwritten(&self) -> u64 {
        self.lines + self.held.0
    }

    /// What became of the next messages, if that is known.
    pub(super) fn next_fate(&mut self) -> Option<Fate> {
        self.fates.pop_front()
    }

    fn mark(&mut self, lines: u64, owed: u64, skipped: bool) {
        let until = self.rendered;
        let mark = Mark {
            until,
            lines,
            owed,
            skipped,
        };
        if self.marks.is_empty() && until <= self.written {
            return self.settle(mark);
        }
        self.lines += lines;
        match self.marks.back_mut() {
            Some(last) if last.until == until && last.skipped == skipped => {
                last.lines += lines;
                last.owed += owed;
            }
            _ => self.marks.push_back(mark),
        }
    }

    fn settle(&mut self, mark: Mark) {
        if mark.owed == 0 {
            return;
        }
        match (self.fates.back_mut(), mark.skipped) {
            (Some(Fate::Printed(n)), false) | (Some(Fate::Skipped(n)), true) => *n += mark.owed,
            (_, false) => self.fates.push_back(Fate::Printed(mark.owed)),
            (_, true) => self.fates.push_back(Fate::Skipped(mark.owed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_printed_once_its_last_byte_is_written() {
        let mut printed = Printed::default();
        printed.advance(5);
        printed.message(10, true);
        printed.message(10, false);
        printed.message(10, true);
        printed.on_written(14);
        assert_eq!((printed.next_fate(), printed.unwritten()), (None, 3));
        printed.on_written(1);
        assert_eq!(printed.next_fate(), Some(Fate::Printed(1)));
        assert_eq!(printed.unwritten(), 2);
        printed.on_written(20);
        assert_eq!(printed.next_fate(), Some(Fate::Printed(1)));
        assert_eq!((printed.next_fate(), printed.unwritten()), (None, 0));
    }

    #[test]
    fn what_was_skipped_waits_for_what_came_before_it() {
        let mut printed = Printed::default();
        printed.message(10, true);
        printed.skipped(3);
        printed.unshown(2);
        assert_eq!(printed.next_fate(), None);
        printed.on_written(10);
        assert_eq!(printed.next_fate(), Some(Fate::Printed(1)));
        assert_eq!(printed.next_fate(), Some(Fate::Skipped(3)));
        assert_eq!(printed.next_fate(), Some(Fate::Printed(2)));
        printed.skipped(1);
        assert_eq!(printed.next_fate(), Some(Fate::Skipped(1)));
    }

    #[test]
    fn what_a_closed_output_had_taken_in_is_skipped() {
        let mut printed = Printed::default();
        printed.message(10, true);
        printed.hold(true);
        printed.close();
        assert_eq!(printed.next_fate(), Some(Fate::Skipped(2)));
        assert_eq!(printed.unwritten(), 0);
    }
}
