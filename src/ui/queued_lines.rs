//! Lines of the user that were not handed to the node yet: bounded, in their order.
//!
//! This module owns these lines, and what the user was told about those that had to be changed. It
//! never decides when a line may go.

use std::collections::VecDeque;

use crate::limits::TEXT_BYTES_MAX;

use super::input_lines::{InputChanges, Line, LinePart, Splitter};
use super::text::count;

/// Lines kept before stdin is left alone; what one read brings comes on top.
const LINES_MAX: usize = 10_000;
/// Bytes kept before stdin is left alone; what one read brings comes on top.
const BYTES_MAX: usize = 1024 * 1024;
/// Bytes of memory kept for the next lines when there is none.
const KEPT_BYTES_MAX: usize = 128 * 1024;

/// The lines of the user that wait for the node.
#[derive(Debug, Default)]
pub(super) struct QueuedLines {
    splitter: Splitter,
    /// The texts of the lines, one after another; before them, what was taken.
    texts: String,
    /// How many bytes of the texts were taken.
    taken: usize,
    /// How long each line's text is, and which part of a line it is.
    lines: VecDeque<(usize, LinePart)>,
    /// What the user was already told about changed lines.
    said: InputChanges,
}

impl QueuedLines {
    /// Takes bytes in; what had to be changed in them for the first time is returned in words.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let (lines, texts) = (&mut self.lines, &mut self.texts);
        self.splitter.push(bytes, &mut |line| {
            texts.push_str(line.text);
            lines.push_back((line.text.len(), line.part));
        });
        self.first_changes()
    }

    /// The input is at its end; the sum of what had to be changed is returned in words.
    pub(super) fn finish(&mut self) -> Vec<String> {
        let (lines, texts) = (&mut self.lines, &mut self.texts);
        self.splitter.finish(&mut |line| {
            texts.push_str(line.text);
            lines.push_back((line.text.len(), line.part));
        });
        let mut words = self.first_changes();
        words.extend(self.all_changes());
        words
    }

    /// Adds lines that were read elsewhere, where what follows them will be read no more. No line has begun here.
    pub(super) fn append(&mut self, later: QueuedLines) {
        self.texts.push_str(&later.texts[later.taken..]);
        self.lines.extend(later.lines);
        (self.splitter, self.said) = (later.splitter, later.said);
    }

    /// True if a line has begun whose end was not read.
    pub(super) fn has_unfinished(&self) -> bool {
        self.splitter.has_unfinished()
    }

    /// True while more can be kept.
    pub(super) fn has_room(&self) -> bool {
        self.lines.len() < LINES_MAX && self.texts.len() - self.taken < BYTES_MAX
    }

    /// True if no line waits.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many lines wait.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The first line.
    pub(super) fn front(&self) -> Option<Line<'_>> {
        let (length, part) = *self.lines.front()?;
        let text = &self.texts[self.taken..self.taken + length];
        Some(Line { text, part })
    }

    /// Takes the first line away.
    pub(super) fn pop(&mut self) {
        let Some((length, _)) = self.lines.pop_front() else {
            return;
        };
        self.taken += length;
        if self.lines.is_empty() {
            self.clear();
        } else if self.taken > BYTES_MAX {
            self.texts.drain(..self.taken);
            self.taken = 0;
        }
    }

    /// Takes all lines away.
    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.texts.clear();
        self.texts.shrink_to(KEPT_BYTES_MAX);
        self.taken = 0;
    }

    fn first_changes(&mut self) -> Vec<String> {
        let (now, said) = (self.splitter.changes(), &mut self.said);
        let mut words = Vec::new();
        if said.cut == 0 && now.cut > 0 {
            said.cut = 1;
            words.push(format!(
                "a line longer than {TEXT_BYTES_MAX} bytes is sent as several messages"
            ));
        }
        if said.replaced == 0 && now.replaced > 0 {
            said.replaced = 1;
            words.push("invalid UTF-8 in the input is replaced by U+FFFD".to_owned());
        }
        words
    }

    fn all_changes(&mut self) -> Vec<String> {
        let (now, said) = (self.splitter.changes(), &mut self.said);
        let mut words = Vec::new();
        if now.cut > said.cut {
            let lines = count(now.cut, "line");
            words.push(format!(
                "in all, {lines} longer than {TEXT_BYTES_MAX} bytes were sent as several messages"
            ));
        }
        if now.replaced > said.replaced {
            let sequences = count(now.replaced, "invalid byte sequence");
            words.push(format!("in all, {sequences} were replaced by U+FFFD"));
        }
        *said = now;
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_said_at_once_and_summed_at_the_end() {
        let mut pending = QueuedLines::default();
        assert_eq!(pending.push(b"fine\n"), [""; 0]);
        assert_eq!(pending.push(b"\xff\xff\n").len(), 1);
        assert_eq!(pending.push(b"\xff\n"), [""; 0]);
        let long = vec![b'x'; TEXT_BYTES_MAX + 1];
        assert_eq!(pending.push(&long).len(), 1);
        let words = pending.finish();
        assert_eq!(
            words,
            ["in all, 3 invalid byte sequences were replaced by U+FFFD"]
        );
    }

    #[test]
    fn a_change_in_the_very_last_line_is_said() {
        let mut pending = QueuedLines::default();
        assert_eq!(pending.push(b"abc\xe2"), [""; 0]);
        assert_eq!(pending.finish().len(), 1);
    }

    #[test]
    fn lines_go_to_another_room_with_the_one_that_has_begun() {
        let (mut here, mut there) = (QueuedLines::default(), QueuedLines::default());
        there.push(b"zero\n");
        here.push(b"one\ntwo\nthr");
        here.pop();
        there.append(std::mem::take(&mut here));
        there.push(b"ee\n");
        for expected in ["zero", "two", "three"] {
            assert_eq!(there.front().unwrap().text, expected);
            there.pop();
        }
        assert!(there.is_empty() && here.is_empty() && !here.has_unfinished());
    }

    #[test]
    fn there_is_room_for_so_many_lines_and_bytes() {
        let mut pending = QueuedLines::default();
        pending.push(&b"\n".repeat(LINES_MAX - 1));
        assert!(pending.has_room());
        pending.push(b"\n");
        assert!(!pending.has_room());
        pending.pop();
        assert!(pending.has_room());
        pending.push(&[&[b'x'; 1023][..], b"\n"].concat().repeat(1_025));
        assert!(!pending.has_room());
        pending.clear();
        assert!(pending.has_room() && pending.is_empty());
    }

    #[test]
    fn lines_come_out_as_they_went_in_and_take_no_more_memory_than_there_may_be() {
        let (mut pending, mut rng) = (QueuedLines::default(), fastrand::Rng::with_seed(1));
        let mut model = VecDeque::new();
        for n in 0..2_000 {
            if pending.has_room() && rng.u8(0..3) > 0 {
                for m in 0..rng.usize(0..20) {
                    let line = format!("{n} {m} {}", "x".repeat(rng.usize(0..2_000)));
                    pending.push(format!("{line}\n").as_bytes());
                    model.push_back(line);
                }
            }
            for _ in 0..rng.usize(0..20).min(model.len()) {
                let front = pending.front().map(|line| line.text.to_owned());
                assert_eq!(front, model.pop_front());
                pending.pop();
            }
            let bytes: usize = model.iter().map(String::len).sum();
            assert_eq!(
                (pending.len(), pending.texts.len() - pending.taken),
                (model.len(), bytes)
            );
            assert!(pending.texts.len() <= 2 * BYTES_MAX + 64 * 1024);
        }
        while !pending.is_empty() {
            pending.pop();
        }
        assert!(pending.texts.capacity() <= KEPT_BYTES_MAX);
    }
}
