//! How a printed line is spread over rows: between words, with the rows that follow under its text.
//!
//! This module owns no state. It never changes a character: it takes spaces away where a row ends, and
//! adds those of the indent. Words that fit no row are left to the terminal, which wraps them so that
//! whoever copies them has them whole.

use std::ops::Range;

use unicode_linebreak::linebreaks;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

use super::layout::width;
use super::style::{RESET, StyledLine};

/// The indent where the line's own would leave too little room.
const NARROW_INDENT: usize = 2;

/// A sequence that switches a look on or off, and the byte of the plain text before which it stands.
type Mark<'a> = (usize, &'a str);

/// The rows of a line on a terminal of so many columns. One that holds a word that fits no row takes several
/// of the terminal's rows; see [`rows_of`].
#[must_use]
pub fn rows(line: &StyledLine, cols: usize) -> Vec<String> {
    if rows_of(&line.text, cols) == 1 {
        return vec![line.text.clone()];
    }
    let (plain, marks) = parts(&line.text);
    let mut writer = Writer::new(line.indent, cols, marks);
    let mut from = 0;
    for upto in breaks(&plain) {
        writer.piece(&plain, from..upto);
        from = upto;
    }
    writer.finish()
}

/// The beginning of a row that takes more of the terminal's rows than these.
#[must_use]
pub fn head(row: &str, cols: usize, rows: usize) -> &str {
    let (mut full, mut used) = (0, 0);
    for (at, cluster) in visible_clusters(row) {
        let w = width(cluster);
        if used + w > cols {
            full += 1;
            used = 0;
        }
        if full >= rows {
            return &row[..at];
        }
        used += w;
    }
    row
}

/// How many of the terminal's rows a text takes, at most.
#[must_use]
pub fn rows_of(text: &str, cols: usize) -> usize {
    let clusters = visible_clusters(text).map(|(_, cluster)| cluster);
    advance((1, 0), clusters, cols).0
}

/// How many columns a text takes on a terminal that is wide enough.
#[must_use]
pub fn shown_width(text: &str) -> usize {
    visible_clusters(text)
        .map(|(_, cluster)| width(cluster))
        .sum()
}

/// From so many rows and columns on, where the cursor is after these clusters.
fn advance<'a>(
    (mut rows, mut used): (usize, usize),
    clusters: impl Iterator<Item = &'a str>,
    cols: usize,
) -> (usize, usize) {
    for cluster in clusters {
        let w = width(cluster);
        if used + w > cols {
            rows += 1;
            used = 0;
        }
        used += w;
    }
    (rows, used)
}

/// The clusters of a text without its sequences, which are colours and end with `m`.
fn visible_clusters(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_sequence = false;
    text.grapheme_indices(true).filter(move |(_, cluster)| {
        in_sequence |= *cluster == "\x1b";
        let is_shown = !in_sequence;
        in_sequence &= *cluster != "m";
        is_shown
    })
}

/// The text without its sequences, and these.
fn parts(text: &str) -> (String, Vec<Mark<'_>>) {
    let (mut plain, mut marks) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(start) = rest.find('\x1b') {
        plain.push_str(&rest[..start]);
        let end = rest[start..]
            .find('m')
            .map_or(rest.len(), |n| start + n + 1);
        marks.push((plain.len(), &rest[start..end]));
        rest = &rest[end..];
    }
    plain.push_str(rest);
    (plain, marks)
}

/// Where a row may end: behind spaces, and beside wide characters as Unicode allows it (UAX 14), but not
/// within an address, nor within a path or a hyphenated word, which people copy.
fn breaks(plain: &str) -> impl Iterator<Item = usize> {
    let urls = urls(plain);
    linebreaks(plain).map(|(at, _)| at).filter(move |at| {
        let is_wide = |c: Option<char>| c.is_some_and(|c| c.width() == Some(2));
        let before = plain[..*at].chars().next_back();
        let is_free = !urls.iter().any(|url| url.start < *at && *at < url.end);
        let is_between =
            before == Some(' ') || is_wide(before) || is_wide(plain[*at..].chars().next());
        *at == plain.len() || (is_free && is_between)
    })
}

/// Where addresses such as `https://example.org/` stand.
fn urls(plain: &str) -> Vec<Range<usize>> {
    let found = plain.match_indices("://").map(|(at, _)| {
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let scheme = plain[..at].trim_end_matches(is_scheme);
        let end = plain[at..].find(' ').map_or(plain.len(), |n| at + n);
        scheme.len()..end
    });
    found.collect()
}

/// Rows as they are written.
struct Writer<'a> {
    indent: usize,
    cols: usize,
    marks: std::iter::Peekable<std::vec::IntoIter<Mark<'a>>>,
    /// The look that is switched on.
    look: Option<&'a str>,
    rows: Vec<String>,
    row: String,
    /// The columns used of the last of the terminal's rows.
    used: usize,
    /// Nothing but the indent stands in the row.
    is_fresh: bool,
    /// Spaces that are written only if something follows them in the row.
    spaces: usize,
}

impl<'a> Writer<'a> {
    fn new(indent: usize, cols: usize, marks: Vec<Mark<'a>>) -> Writer<'a> {
        Writer {
            indent: if indent <= cols / 2 {
                indent
            } else {
                NARROW_INDENT.min(cols / 4)
            },
            cols,
            marks: marks.into_iter().peekable(),
            look: None,
            rows: Vec::new(),
            row: String::new(),
            used: 0,
            is_fresh: true,
            spaces: 0,
        }
    }

    /// Writes what stays together.
    fn piece(&mut self, plain: &str, range: Range<usize>) {
        let body = plain[range.clone()].trim_end_matches(' ');
        let needed: usize = body.graphemes(true).map(width).sum();
        let used = self.used + self.spaces;
        // What fits no row begins where it stands if this is where the text begins.
        let is_hopeless = needed > self.cols && used <= self.indent.max(NARROW_INDENT);
        if !self.is_fresh && used + needed > self.cols && !is_hopeless {
            self.next_row(needed);
        }
        if !body.is_empty() {
            self.row.push_str(&" ".repeat(self.spaces));
            self.used += std::mem::take(&mut self.spaces);
            for (at, cluster) in body.grapheme_indices(true) {
                self.marks_upto(range.start + at);
                self.row.push_str(cluster);
            }
            (_, self.used) = advance((1, self.used), body.graphemes(true), self.cols);
            self.is_fresh = false;
        }
        self.spaces += range.len() - body.len();
    }

    /// Ends the row; the next one has no indent where that would break a word that fits without.
    fn next_row(&mut self, needed: usize) {
        let indent = if self.indent + needed <= self.cols {
            self.indent
        } else {
            0
        };
        if self.look.is_some() {
            self.row.push_str(RESET);
        }
        self.rows.push(std::mem::take(&mut self.row));
        self.row.push_str(&" ".repeat(indent));
        self.row.push_str(self.look.unwrap_or_default());
        (self.used, self.spaces, self.is_fresh) = (indent, 0, true);
    }

    fn marks_upto(&mut self, at: usize) {
        while let Some((_, mark)) = self.marks.next_if(|(place, _)| *place <= at) {
            self.look = (mark != RESET).then_some(mark);
            self.row.push_str(mark);
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.marks_upto(usize::MAX);
        self.rows.push(self.row);
        self.rows
    }
}

/// Where the rows begin that follow the first one of an answer: under what stands right in a table, and
/// a little to the right elsewhere.
pub(super) fn hanging(line: &str) -> usize {
    const INDENT: usize = 2;
    let text = line.trim_start();
    let start = line.len() - text.len();
    let column = text.find("  ").map(|gap| {
        let behind = text[gap..].trim_start();
        shown_width(&text[..text.len() - behind.len()])
    });
    start + column.unwrap_or(INDENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, indent: usize, cols: usize) -> Vec<String> {
        let text = text.to_owned();
        rows(
            &StyledLine {
                text,
                indent,
                folds: true,
            },
            cols,
        )
    }

    #[test]
    fn words_are_not_cut_and_hang_under_the_text() {
        let text = "14:13 <bob> the areas that are reached";
        let narrow = ["14:13 <bob> the areas that", "            are reached"];
        assert_eq!(shown(text, 12, 28), narrow);
        assert_eq!(shown(text, 12, 38), [text]);
        assert_eq!(
            shown("14:13 <bob> one two", 12, 15),
            ["14:13 <bob> one", "  two"]
        );
    }

    #[test]
    fn an_address_is_whole_wherever_it_fits() {
        let url = "https://example.org/a-path/b?c=d&e=f";
        let text = format!("14:13 <bob> see {url} now");
        let with_indent = [
            "14:13 <bob> see".to_owned(),
            format!("            {url}"),
            "            now".to_owned(),
        ];
        assert_eq!(shown(&text, 12, 48), with_indent);
        let without = ["14:13 <bob> see".to_owned(), format!("{url} now")];
        assert_eq!(shown(&text, 12, 40), without);
        // It fits no row: the terminal wraps it, in a row of its own.
        let whole = ["14:13 <bob> see".to_owned(), format!("{url} now")];
        assert_eq!(shown(&text, 12, 30), whole);
        assert_eq!(rows_of(&whole[1], 30), 2);
        // As the first word it begins where the text does.
        let first = format!("14:13 <bob> {url}");
        assert_eq!(shown(&first, 12, 30), [first]);
    }

    #[test]
    fn wide_characters_are_broken_between_and_not_before_their_full_stop() {
        assert_eq!(shown("ab 日本語です。", 3, 11), ["ab 日本語で", "   す。"]);
    }

    #[test]
    fn a_look_ends_with_the_row_and_goes_on_in_the_next() {
        let rows = shown("\x1b[2mone two\x1b[0m", 2, 5);
        assert_eq!(rows, ["\x1b[2mone\x1b[0m", "  \x1b[2mtwo\x1b[0m"]);
    }

    #[test]
    fn the_head_of_a_row_is_cut_between_characters() {
        assert_eq!(head("\x1b[2mabcdef", 2, 2), "\x1b[2mabcd");
        assert_eq!(head("ab", 2, 2), "ab");
        assert_eq!(head("a日本", 2, 2), "a日");
    }

    #[test]
    fn every_character_is_there_in_every_width() {
        let text = "14:13 <ana> a line, 日本語 and  spaces, http://a.b/c and x".repeat(3);
        let without = |text: &str| text.replace(' ', "");
        for cols in 1..200 {
            let rows = shown(&text, 12, cols);
            assert_eq!(without(&rows.concat()), without(&text), "{cols}");
        }
    }
}
