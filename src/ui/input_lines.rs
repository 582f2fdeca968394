//! Cuts the bytes of stdin into messages: lines, valid UTF-8, none longer than a message may be.
//!
//! This module owns the line whose end was not read yet, which is less than one message. The messages
//! depend on the bytes alone, never on how reads happened to split them. It never asks what a line is
//! for.

use crate::limits::TEXT_BYTES_MAX;

/// Which part of a line a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinePart {
    /// All of it.
    Whole,
    /// The beginning of a line that was too long for one message.
    First,
    /// A further piece of that line.
    Next,
}

/// One message of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line<'a> {
    /// The message's text, without the end of the line.
    pub text: &'a str,
    /// Which part of the line the message is.
    pub part: LinePart,
}

/// What had to be changed so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InputChanges {
    /// Lines that were cut into several messages.
    pub cut: u64,
    /// Invalid byte sequences that were replaced by U+FFFD.
    pub replaced: u64,
}

/// Takes bytes in and gives messages.
#[derive(Debug, Default)]
pub struct Splitter {
    /// The current line so far, without the messages already cut from it.
    text: String,
    /// The beginning of a UTF-8 sequence whose rest has not come yet.
    partial: Vec<u8>,
    /// A carriage return that is part of the line only if no newline follows.
    carriage_return: bool,
    /// Anything of the current line has come.
    begun: bool,
    /// A message was already cut from the current line.
    cut: bool,
    changes: InputChanges,
}

impl Splitter {
    /// Takes `bytes` in and gives the messages that they complete to `give`.
    pub fn push(&mut self, bytes: &[u8], give: &mut impl FnMut(Line<'_>)) {
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            let rest = &bytes[from..end];
            from = end + 1;
            match self.whole_line(rest) {
                Some(line) => give(line),
                None => {
                    self.append(rest, give);
                    self.carriage_return = false;
                    self.end_line(give);
                }
            }
        }
        self.append(&bytes[from..], give);
    }

    /// The bytes are at their end: a last line without a newline counts too.
    pub fn finish(&mut self, give: &mut impl FnMut(Line<'_>)) {
        if self.begun {
            if std::mem::take(&mut self.carriage_return) {
                self.decode(b"\r", give);
            }
            self.end_line(give);
        }
    }

    /// True if a line has begun whose end has not come.
    #[must_use]
    pub fn has_unfinished(&self) -> bool {
        self.begun
    }

    /// What had to be changed so far.
    #[must_use]
    pub fn changes(&self) -> InputChanges {
        self.changes
    }

    /// The fast path: a line that is complete, short and valid as it stands.
    fn whole_line<'a>(&self, line: &'a [u8]) -> Option<Line<'a>> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.begun || line.len() > TEXT_BYTES_MAX {
            return None;
        }
        let text = std::str::from_utf8(line).ok()?;
        let part = LinePart::Whole;
        Some(Line { text, part })
    }

    /// Adds bytes without a newline to the current line.
    fn append(&mut self, bytes: &[u8], give: &mut impl FnMut(Line<'_>)) {
        if bytes.is_empty() {
            return;
        }
        self.begun = true;
        if std::mem::take(&mut self.carriage_return) {
            self.decode(b"\r", give);
        }
        let body = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        self.carriage_return = body.len() < bytes.len();
        self.decode(body, give);
    }

    fn decode(&mut self, mut bytes: &[u8], give: &mut impl FnMut(Line<'_>)) {
        while let (false, [first, rest @ ..]) = (self.partial.is_empty(), bytes) {
            self.partial.push(*first);
            match std::str::from_utf8(&self.partial) {
                Ok(_) => {
                    bytes = rest;
                    let whole = std::mem::take(&mut self.partial);
                    self.add(&String::from_utf8_lossy(&whole), give);
                }
                Err(e) if e.error_len().is_none() => bytes = rest,
                // What was kept was a valid beginning, so it is this byte that does not fit: the
                // beginning is replaced, and the byte is looked at afresh.
                Err(_) => self.replace_partial(give),
            }
        }
        let mut left = bytes.len();
        for chunk in bytes.utf8_chunks() {
            self.add(chunk.valid(), give);
            let invalid = chunk.invalid();
            left -= chunk.valid().len() + invalid.len();
            let incomplete = std::str::from_utf8(invalid).is_err_and(|e| e.error_len().is_none());
            // Only at the very end of the bytes can the rest of the sequence still come.
            if incomplete && left == 0 {
                self.partial.extend_from_slice(invalid);
            } else if !invalid.is_empty() {
                self.replace(give);
            }
        }
    }

    fn replace_partial(&mut self, give: &mut impl FnMut(Line<'_>)) {
        self.partial.clear();
        self.replace(give);
    }

    fn replace(&mut self, give: &mut impl FnMut(Line<'_>)) {
        self.changes.replaced += 1;
        self.add("\u{fffd}", give);
    }

    /// Adds text to the current line; each time it is full, what it holds is a message.
    fn add(&mut self, mut text: &str, give: &mut impl FnMut(Line<'_>)) {
        while self.text.len() + text.len() > TEXT_BYTES_MAX {
            let cut = text.floor_char_boundary(TEXT_BYTES_MAX - self.text.len());
            self.text.push_str(&text[..cut]);
            text = &text[cut..];
            self.changes.cut += u64::from(!self.cut);
            let part = if self.cut {
                LinePart::Next
            } else {
                LinePart::First
            };
            self.cut = true;
            self.give(part, give);
        }
        self.text.push_str(text);
    }

    fn end_line(&mut self, give: &mut impl FnMut(Line<'_>)) {
        if !self.partial.is_empty() {
            self.replace_partial(give);
        }
        let part = if self.cut {
            LinePart::Next
        } else {
            LinePart::Whole
        };
        self.give(part, give);
        self.begun = false;
        self.cut = false;
    }

    fn give(&mut self, part: LinePart, give: &mut impl FnMut(Line<'_>)) {
        let text = &self.text[..];
        give(Line { text, part });
        self.text.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_at(bytes: &[u8], cuts: &[usize]) -> (Vec<(String, LinePart)>, InputChanges) {
        let mut lines = Vec::new();
        let mut keep = |line: Line<'_>| lines.push((line.text.to_owned(), line.part));
        let mut splitter = Splitter::default();
        let mut from = 0;
        for &cut in cuts {
            splitter.push(&bytes[from..cut], &mut keep);
            from = cut;
        }
        splitter.push(&bytes[from..], &mut keep);
        splitter.finish(&mut keep);
        (lines, splitter.changes())
    }

    fn texts(bytes: &[u8]) -> Vec<String> {
        split_at(bytes, &[]).0.into_iter().map(|l| l.0).collect()
    }

    #[test]
    fn a_newline_ends_a_line_with_or_without_carriage_return() {
        assert_eq!(texts(b"a\nb\r\nc\n"), ["a", "b", "c"]);
        assert_eq!(texts(b"a\rb\r\r\nc\r"), ["a\rb\r", "c\r"]);
    }

    #[test]
    fn empty_lines_and_the_last_line_count() {
        assert_eq!(texts(b"\n\r\nlast"), ["", "", "last"]);
        assert_eq!(texts(b""), [""; 0]);
        assert_eq!(texts(b"a\0b"), ["a\0b"]);
    }

    #[test]
    fn a_long_line_becomes_several_messages_cut_between_characters() {
        let line = "é".repeat(TEXT_BYTES_MAX) + "\n";
        let (lines, changes) = split_at(line.as_bytes(), &[]);
        let parts: Vec<LinePart> = lines.iter().map(|l| l.1).collect();
        assert_eq!(parts, [LinePart::First, LinePart::Next]);
        assert!(lines.iter().all(|l| l.0.len() == TEXT_BYTES_MAX));
        assert_eq!(changes.cut, 1);
    }

    #[test]
    fn a_line_of_just_the_limit_is_one_message() {
        for end in ["", "\n", "\r\n"] {
            let line = "x".repeat(TEXT_BYTES_MAX) + end;
            for cuts in [&[][..], &[7], &[TEXT_BYTES_MAX]] {
                let (lines, changes) = split_at(line.as_bytes(), cuts);
                assert_eq!(lines.len(), 1, "{end:?}");
                assert_eq!(lines[0].1, LinePart::Whole);
                assert_eq!(changes, InputChanges::default());
            }
        }
    }

    #[test]
    fn invalid_bytes_are_replaced_and_counted() {
        let (lines, changes) = split_at(b"a\xffb\xe2\x82\nc\xf0\x9f", &[]);
        assert_eq!(lines[0].0, "a\u{fffd}b\u{fffd}");
        assert_eq!(lines[1].0, "c\u{fffd}");
        assert_eq!(changes.replaced, 3);
    }

    #[test]
    fn replaced_text_agrees_with_the_standard_library() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..2_000 {
            let bytes = noise(&mut rng, 24);
            let expected = String::from_utf8_lossy(&bytes).into_owned();
            let got = texts(&bytes).concat();
            assert_eq!(got, expected.replace("\r\n", "").replace('\n', ""));
        }
    }

    #[test]
    fn any_split_of_any_bytes_gives_the_same_messages() {
        let mut rng = fastrand::Rng::with_seed(2);
        for round in 0..3_000 {
            let mut bytes = noise(&mut rng, 40);
            if round % 10 == 0 {
                let at = rng.usize(0..=bytes.len());
                let fill = ["x", "é", "\u{1f389}"][rng.usize(0..3)];
                let long = fill.repeat(TEXT_BYTES_MAX / fill.len() + rng.usize(0..3));
                bytes.splice(at..at, long.bytes());
            }
            let mut cuts: Vec<usize> = (0..rng.usize(0..12))
                .map(|_| rng.usize(0..=bytes.len()))
                .collect();
            cuts.sort_unstable();
            assert_eq!(split_at(&bytes, &cuts), split_at(&bytes, &[]), "{cuts:?}");
        }
    }

    #[test]
    fn what_is_kept_between_reads_stays_small() {
        let mut splitter = Splitter::default();
        for _ in 0..100 {
            splitter.push(&[b'x'; 4_099], &mut |_| {});
            assert!(splitter.text.len() <= TEXT_BYTES_MAX);
            assert!(splitter.partial.len() < 4);
        }
    }

    /// Bytes in which newlines, carriage returns and broken UTF-8 are common.
    fn noise(rng: &mut fastrand::Rng, max: usize) -> Vec<u8> {
        const PIECES: [&[u8]; 12] = [
            b"\n",
            b"\r",
            b"\r\n",
            b"a",
            b"\0",
            "é".as_bytes(),
            "€".as_bytes(),
            "🎉".as_bytes(),
            b"\xff",
            b"\xe2\x82",
            b"\xf0\x9f",
            b"\x80",
        ];
        (0..rng.usize(0..max))
            .flat_map(|_| PIECES[rng.usize(0..PIECES.len())].to_vec())
            .collect()
    }
}
