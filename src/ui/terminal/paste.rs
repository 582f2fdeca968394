//! A paste of several lines, held until the user has seen it and says what becomes of it.
//!
//! This module owns the pasted lines. It never sends or drops them by itself.

use super::style::Look;
use crate::limits::{PASTE_BYTES_MAX, PREVIEW_ROWS_MAX};

/// Lines that wait for Enter or Esc.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Paste {
    /// The lines to say: blank ones say nothing.
    lines: Vec<String>,
    /// Blank lines stood between them.
    has_blank: bool,
    bytes: usize,
    cut: bool,
}

/// The lines of a pasted text; blank ones at its ends do not count.
#[must_use]
pub fn lines(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = text.split('\n').collect();
    let said = |line: &&str| !line.trim().is_empty();
    let Some(first) = lines.iter().position(said) else {
        return Vec::new();
    };
    let last = lines.iter().rposition(said).unwrap_or(first);
    lines[first..=last]
        .iter()
        .map(|l| (*l).to_owned())
        .collect()
}

impl Paste {
    /// Adds lines; beyond the limit they are cut. `cut` says that they were cut already.
    pub fn add(&mut self, lines: Vec<String>, cut: bool) {
        self.cut |= cut;
        for line in lines {
            if line.trim().is_empty() {
                self.has_blank = true;
                continue;
            }
            // A short line takes memory, too.
            self.bytes += line.len() + 1;
            if self.bytes > PASTE_BYTES_MAX {
                self.cut = true;
                break;
            }
            self.lines.push(line);
        }
    }

    /// The lines to say.
    #[must_use]
    pub fn into_lines(self) -> Vec<String> {
        self.lines
    }

    /// What is shown of it above the prompt.
    #[must_use]
    pub fn preview(&self) -> Vec<(Look, String)> {
        let shown = match self.lines.len() {
            n if n <= PREVIEW_ROWS_MAX => n,
            _ => PREVIEW_ROWS_MAX - 1,
        };
        let rows = self.lines.iter().take(shown);
        let mut rows: Vec<_> = rows.map(|l| (Look::Plain, format!("│ {l}"))).collect();
        if shown < self.lines.len() {
            let more = format!("│ … and {} more lines", self.lines.len() - shown);
            rows.push((Look::Dim, more));
        }
        let question = match (self.lines.len(), self.has_blank) {
            (1, _) => "Enter sends this line, Esc drops it".to_owned(),
            (said, false) => format!("Enter sends these {said} lines, Esc drops them"),
            (said, true) => {
                format!("Enter sends these {said} lines, no blank ones; Esc drops them")
            }
        };
        let cut = match self.cut {
            true => " (the paste was too long and is cut)",
            false => "",
        };
        let question = format!("{question}{cut}");
        rows.push((Look::Strong, question));
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_any_way() {
        assert_eq!(lines("a\r\nb\rc\n\nd\n\n"), ["a", "b", "c", "", "d"]);
        assert_eq!(lines("\n a"), [" a"]);
        assert!(lines("\n \n").is_empty());
    }

    #[test]
    fn a_long_paste_is_cut_and_says_so() {
        let mut paste = Paste::default();
        paste.add(vec!["x".into(); PASTE_BYTES_MAX], false);
        paste.add(vec!["x".into(); 3], false);
        assert!(paste.lines.len() <= PASTE_BYTES_MAX);
        let preview = paste.preview();
        assert_eq!(preview.len(), PREVIEW_ROWS_MAX + 1);
        assert!(preview[PREVIEW_ROWS_MAX].1.contains("cut"));
    }

    #[test]
    fn blank_lines_are_left_out_and_that_is_said() {
        let mut paste = Paste::default();
        paste.add(lines("a\n\nb\n\n\nc"), false);
        let shown: Vec<String> = paste.preview().into_iter().map(|(_, row)| row).collect();
        let question = "Enter sends these 3 lines, no blank ones; Esc drops them";
        assert_eq!(shown, ["│ a", "│ b", "│ c", question]);
        assert_eq!(paste.into_lines(), ["a", "b", "c"]);
    }
}
