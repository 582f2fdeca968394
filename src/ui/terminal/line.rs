//! The line being edited: a text and a cursor between two of its characters as people see them
//! (grapheme clusters).
//!
//! This module owns that text and that cursor. It never knows of keys, history or the screen.

use std::ops::Range;

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use crate::limits::EDIT_BYTES_MAX;

/// A text with a cursor.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EditLine {
    text: String,
    cursor: usize,
}

impl EditLine {
    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The cursor's place in bytes, always between two grapheme clusters.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Nothing is typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Takes the text out.
    pub fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Another text, with the cursor at its end.
    pub fn set(&mut self, text: String) {
        self.cursor = text.len();
        self.text = text;
    }

    /// Puts the cursor at a byte, or at the next place where it may stand.
    pub fn place(&mut self, cursor: usize) {
        let mut cursor = cursor.min(self.text.len());
        while !self.text.is_char_boundary(cursor) {
            cursor += 1;
        }
        let stands = GraphemeCursor::new(cursor, self.text.len(), true).is_boundary(&self.text, 0);
        self.cursor = match stands {
            Ok(false) => self.after(cursor),
            _ => cursor,
        };
    }

    /// Inserts at the cursor; false if the line would become too long.
    pub fn insert(&mut self, text: &str) -> bool {
        if self.text.len() + text.len() > EDIT_BYTES_MAX {
            return false;
        }
        self.text.insert_str(self.cursor, text);
        self.place(self.cursor + text.len());
        true
    }

    /// Cuts a range out and puts the cursor there.
    pub fn cut(&mut self, range: Range<usize>) -> String {
        let start = range.start;
        let cut = self.text.drain(range).collect();
        self.place(start);
        cut
    }

    /// The cluster's end after a byte.
    #[must_use]
    pub fn after(&self, at: usize) -> usize {
        GraphemeCursor::new(at, self.text.len(), true)
            .next_boundary(&self.text, 0)
            .ok()
            .flatten()
            .unwrap_or(self.text.len())
    }

    /// The cluster's beginning before a byte.
    #[must_use]
    pub fn before(&self, at: usize) -> usize {
        GraphemeCursor::new(at, self.text.len(), true)
            .prev_boundary(&self.text, 0)
            .ok()
            .flatten()
            .unwrap_or(0)
    }

    /// The end of the word after the cursor.
    #[must_use]
    pub fn word_after(&self) -> usize {
        let mut seen = false;
        for (i, cluster) in self.text[self.cursor..].grapheme_indices(true) {
            let word = is_word(cluster);
            if seen && !word {
                return self.cursor + i;
            }
            seen |= word;
        }
        self.text.len()
    }

    /// The beginning of the word before the cursor.
    #[must_use]
    pub fn word_before(&self) -> usize {
        self.beginning(is_word)
    }

    /// The beginning of what stands before the cursor without white space.
    #[must_use]
    pub fn blank_before(&self) -> usize {
        self.beginning(|cluster| !cluster.chars().all(char::is_whitespace))
    }

    fn beginning(&self, of: impl Fn(&str) -> bool) -> usize {
        let mut start = None;
        for (i, cluster) in self.text[..self.cursor].grapheme_indices(true).rev() {
            match (of(cluster), start) {
                (true, _) => start = Some(i),
                (false, Some(_)) => break,
                (false, None) => {}
            }
        }
        start.unwrap_or(0)
    }

    /// Swaps the characters around the cursor and moves on, as a shell does; false at the
    /// beginning.
    pub fn transpose(&mut self) -> bool {
        let middle = match self.cursor == self.text.len() {
            true => self.before(self.cursor),
            false => self.cursor,
        };
        if middle == 0 {
            return false;
        }
        let (start, end) = (self.before(middle), self.after(middle));
        let swapped = [&self.text[middle..end], &self.text[start..middle]].concat();
        self.text.replace_range(start..end, &swapped);
        self.place(end);
        true
    }
}

fn is_word(cluster: &str) -> bool {
    cluster.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> EditLine {
        let (before, after) = text.split_once('|').unwrap();
        let mut line = EditLine::default();
        line.set([before, after].concat());
        line.place(before.len());
        line
    }

    fn shown(line: &EditLine) -> String {
        let (before, after) = line.text().split_at(line.cursor());
        format!("{before}|{after}")
    }

    #[test]
    fn the_cursor_stands_between_clusters() {
        let family = "👨\u{200d}👩\u{200d}👧";
        let text = format!("e\u{301}{family}語");
        let mut line = line(&format!("{text}|"));
        let mut places = vec![line.cursor()];
        while line.cursor() > 0 {
            line.place(line.before(line.cursor()));
            places.push(line.cursor());
        }
        assert_eq!(places, [24, 21, 3, 0]);
        assert_eq!(line.after(3), 21);
    }

    #[test]
    fn what_is_inserted_may_join_its_neighbours() {
        let mut line = line("e|x");
        line.insert("\u{301}");
        assert_eq!(shown(&line), "e\u{301}|x");
        let mut line = super::tests::line("👨|👩");
        line.insert("\u{200d}");
        assert_eq!(shown(&line), "👨\u{200d}👩|");
    }

    #[test]
    fn words_are_letters_and_digits_or_what_stands_without_blanks() {
        let l = line("foo, bar-baz  |qux");
        assert_eq!(&l.text()[l.word_before()..], "baz  qux");
        assert_eq!(&l.text()[l.blank_before()..], "bar-baz  qux");
        let l = line("foo|, bar-baz");
        assert_eq!(&l.text()[l.word_after()..], "-baz");
    }

    #[test]
    fn transposing_moves_on() {
        for (before, after) in [
            ("ab|c", "acb|"),
            ("abc|", "acb|"),
            ("a|", "a|"),
            ("|ab", "|ab"),
        ] {
            let mut l = line(before);
            l.transpose();
            assert_eq!(shown(&l), after);
        }
    }

    #[test]
    fn a_line_has_a_longest_length() {
        let mut l = EditLine::default();
        assert!(l.insert(&"x".repeat(EDIT_BYTES_MAX)));
        assert!(!l.insert("x"));
    }
}
