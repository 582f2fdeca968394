//! Where each character of the prompt goes: rows of cells with their widths, and the cursor's
//! place among them.
//!
//! This module owns no state. It is told the terminal's size, and never writes anything.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::style::Look;
use crate::limits::PROMPT_ROWS_MAX;
use crate::ui::visible::{Tab, visible};

/// One character as people see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cell {
    /// What is written.
    pub text: String,
    /// How many columns it takes at most.
    pub width: usize,
    /// How it looks.
    pub look: Look,
}

/// One row of the screen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Row {
    /// From the left.
    pub cells: Vec<Cell>,
}

impl Row {
    /// The columns that its cells take.
    #[must_use]
    pub fn width(&self) -> usize {
        self.cells.iter().map(|c| c.width).sum()
    }
}

/// The prompt as it is drawn, and the cursor.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frame {
    /// From the top; at least one.
    pub rows: Vec<Row>,
    /// The cursor's row.
    pub row: usize,
    /// The cursor stands before this cell of its row.
    pub cell: usize,
}

/// What the prompt consists of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PromptParts<'a> {
    /// Lines above it, one row each; what does not fit is left out, the first lines first.
    pub above: Vec<(Look, String)>,
    /// One more row above it, right over it; none if it is empty.
    pub bar: Vec<(Look, String)>,
    /// What stands before the line.
    pub label: Vec<(Look, String)>,
    /// The line.
    pub text: &'a str,
    /// The cursor's byte in it.
    pub cursor: usize,
}

/// The columns of a room's name with which it still says something.
const ROOM_WIDTH_MIN: usize = 4;

/// The columns that a text takes: as a terminal counts that joins clusters, or as one that does
/// not, whichever is more, so that no row is ever longer than thought.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
        .max(text.chars().map(|c| c.width().unwrap_or(1)).sum())
}

/// Lays the prompt out on a terminal of this size.
#[must_use]
pub fn layout(block: &PromptParts<'_>, cols: usize, rows: usize) -> Frame {
    let (cols, rows) = (cols.max(1), rows.saturating_sub(1).max(1));
    let mut frame = wrap(block, cols);
    let most = rows.min(PROMPT_ROWS_MAX);
    let top = (frame.row + 1).saturating_sub(most);
    frame.rows.drain(..top);
    frame.rows.truncate(most);
    frame.row -= top;
    let mut room = rows - frame.rows.len();
    let bar = (room > 0 && !block.bar.is_empty()).then(|| one_row(&block.bar, cols));
    room -= usize::from(bar.is_some());
    let above = &block.above[block.above.len().saturating_sub(room)..];
    let above = above
        .iter()
        .map(|row| one_row(std::slice::from_ref(row), cols));
    let above: Vec<Row> = above.chain(bar).collect();
    frame.row += above.len();
    frame.rows = above.into_iter().chain(frame.rows.drain(..)).collect();
    frame
}

/// The label and the line over as many rows as they need.
fn wrap(block: &PromptParts<'_>, cols: usize) -> Frame {
    let mut frame = Frame {
        rows: vec![Row::default()],
        ..Frame::default()
    };
    let mut used = 0;
    for cell in label(&block.label, cols) {
        used = push(&mut frame.rows, used, cell, cols);
    }
    let mut placed = false;
    for (at, cluster) in block.text.grapheme_indices(true) {
        used = push(&mut frame.rows, used, cell(cluster, cols), cols);
        if at >= block.cursor && !placed {
            placed = true;
            frame.row = frame.rows.len() - 1;
            frame.cell = last(&frame.rows).saturating_sub(1);
        }
    }
    if !placed {
        if used >= cols {
            frame.rows.push(Row::default());
        }
        frame.row = frame.rows.len() - 1;
        frame.cell = last(&frame.rows);
    }
    frame
}

/// How many cells the last row has.
fn last(rows: &[Row]) -> usize {
    rows.last().map_or(0, |row| row.cells.len())
}

/// Adds a cell, on a new row if the last one is full; gives the columns used in the last row.
fn push(rows: &mut Vec<Row>, used: usize, cell: Cell, cols: usize) -> usize {
    let fits = used + cell.width <= cols;
    let used = if fits { used } else { 0 } + cell.width;
    match rows.last_mut() {
        Some(row) if fits => row.cells.push(cell),
        _ => rows.push(Row { cells: vec![cell] }),
    }
    used
}

/// What stands before the line: of a room whose name is long the beginning, so that the nick is there, too.
#[must_use]
pub fn prompt_label(room: &str, nick: &str, cols: usize) -> Vec<(Look, String)> {
    let most = label_width(cols).saturating_sub(width("[] > ") + width(nick));
    let room = match most >= ROOM_WIDTH_MIN {
        true => shortened(room, most),
        // The label is cut as a whole.
        false => room.to_owned(),
    };
    vec![
        (Look::Dim, format!("[{room}] ")),
        (Look::Strong, nick.to_owned()),
        (Look::Dim, "> ".to_owned()),
    ]
}

/// The columns that a label may take; what is longer is cut.
fn label_width(cols: usize) -> usize {
    cols / 2
}

/// As much of a text as fits in so many columns, with a sign if that is not all.
pub(super) fn shortened(text: &str, cols: usize) -> String {
    if width(text) <= cols {
        return text.to_owned();
    }
    let mut short = String::new();
    for cluster in text.graphemes(true) {
        if width(&short) + width(cluster) >= cols {
            break;
        }
        short.push_str(cluster);
    }
    short + "…"
}

/// The label's cells; a label that would leave too little room for the line is cut.
fn label(spans: &[(Look, String)], cols: usize) -> Vec<Cell> {
    let most = label_width(cols);
    if most < 2 {
        return Vec::new();
    }
    let all = spans
        .iter()
        .flat_map(|(look, text)| cells(*look, text, cols));
    cut(all, most, &[(Look::Dim, "…"), (Look::Dim, " ")])
}

/// A line cut to one row.
fn one_row(spans: &[(Look, String)], cols: usize) -> Row {
    let all = (spans.iter()).flat_map(|(look, text)| cells(*look, text, cols));
    let last = spans.last().map_or(Look::Plain, |(look, _)| *look);
    let cells = cut(all, cols, &[(last, "…")]);
    Row { cells }
}

/// As many cells as fit; if that is not all, `ending` (of narrow characters) stands for the rest.
fn cut(all: impl Iterator<Item = Cell>, cols: usize, ending: &[(Look, &str)]) -> Vec<Cell> {
    let (mut cells, mut used) = (Vec::new(), 0);
    for cell in all {
        used += cell.width;
        cells.push(cell);
        if used > cols {
            break;
        }
    }
    if used > cols {
        while used + ending.len() > cols
            && let Some(cell) = cells.pop()
        {
            used -= cell.width;
        }
        cells.extend(ending.iter().map(|(look, text)| plain(*look, text)));
    }
    cells
}

fn cells(look: Look, text: &str, cols: usize) -> impl Iterator<Item = Cell> {
    text.graphemes(true).map(move |cluster| {
        let mut cell = cell(cluster, cols);
        if cell.look == Look::Plain {
            cell.look = look;
        }
        cell
    })
}

fn plain(look: Look, text: &str) -> Cell {
    Cell {
        text: text.to_owned(),
        width: 1,
        look,
    }
}

/// One cluster, made visible if it is not.
fn cell(cluster: &str, cols: usize) -> Cell {
    // Joiners and selectors within a cluster only choose its picture; what hides or turns text
    // is always a cluster of its own, or its beginning.
    let first = cluster.chars().next().map_or(0, char::len_utf8);
    let safe = visible(&cluster[..first], Tab::Spaces);
    let (text, look) = if safe == cluster[..first] {
        (cluster.to_owned(), Look::Plain)
    } else {
        (visible(cluster, Tab::Spaces), Look::Hidden)
    };
    // A mark without a letter would join whatever stands before it on the screen.
    let text = match width(&text) {
        0 => format!("\u{25cc}{text}"),
        _ => text,
    };
    let cell = Cell {
        width: width(&text),
        text,
        look,
    };
    match cell.width <= cols {
        true => cell,
        false => plain(Look::Hidden, "?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(label: &str, line: &str, cols: usize, rows: usize) -> (Vec<String>, usize, usize) {
        let (before, after) = line.split_once('|').unwrap();
        let frame = layout(
            &PromptParts {
                label: vec![(Look::Plain, label.to_owned())],
                text: &[before, after].concat(),
                cursor: before.len(),
                ..PromptParts::default()
            },
            cols,
            rows,
        );
        let text = |row: &Row| {
            row.cells
                .iter()
                .map(|c| c.text.as_str())
                .collect::<String>()
        };
        (frame.rows.iter().map(text).collect(), frame.row, frame.cell)
    }

    fn rows(rows: &[&str]) -> Vec<String> {
        rows.iter().map(|r| (*r).to_owned()).collect()
    }

    #[test]
    fn a_full_row_ends_before_the_cursor() {
        assert_eq!(shown("> ", "ab|", 5, 9), (rows(&["> ab"]), 0, 4));
        assert_eq!(shown("> ", "abc|", 5, 9), (rows(&["> abc", ""]), 1, 0));
        assert_eq!(shown("> ", "ab|c", 5, 9), (rows(&["> abc"]), 0, 4));
        assert_eq!(shown("> ", "abc|d", 5, 9), (rows(&["> abc", "d"]), 1, 0));
    }

    #[test]
    fn a_wide_character_does_not_straddle_rows() {
        assert_eq!(shown("> ", "ab|語", 5, 9), (rows(&["> ab", "語"]), 1, 0));
        assert_eq!(shown("> ", "語|a", 5, 9), (rows(&["> 語a"]), 0, 3));
        assert_eq!(shown("", "語|", 1, 9), (rows(&["?", ""]), 1, 0));
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(shown("", "a\x1b\t|", 9, 9), (rows(&["a^[    "]), 0, 3));
        assert_eq!(
            shown("", "\u{301}|", 9, 9),
            (rows(&["\u{25cc}\u{301}"]), 0, 1)
        );
        assert_eq!(shown("", "\u{202e}|", 9, 9), (rows(&["\\u{202e}"]), 0, 1));
        assert_eq!(shown("", "❤\u{fe0f}|", 9, 9).0, rows(&["❤\u{fe0f}"]));
    }

    #[test]
    fn the_rows_follow_the_cursor_within_their_limit() {
        let text = "x".repeat(100);
        let (shown, row, cell) = shown("", &format!("{text}|"), 10, 5);
        assert_eq!((shown.len(), row, cell), (4, 3, 0));
        assert_eq!(super::tests::shown("", &format!("|{text}"), 10, 5).1, 0);
        assert_eq!(
            super::tests::shown("", &format!("{text}|"), 10, 1).0.len(),
            1
        );
        assert_eq!(
            super::tests::shown("", &format!("{text}|"), 10, 99).0.len(),
            PROMPT_ROWS_MAX
        );
    }

    #[test]
    fn a_text_is_shortened_to_columns() {
        assert_eq!(shortened("lobby", 5), "lobby");
        assert_eq!(shortened("lobby", 4), "lob…");
        assert_eq!(shortened("日本語", 5), "日本…");
        assert_eq!(shortened("日本語", 4), "日…");
    }

    #[test]
    fn a_long_label_leaves_room() {
        assert_eq!(shown("longroom> ", "a|", 10, 9).0, rows(&["lon… a"]));
        assert_eq!(shown("longroom> ", "a|", 3, 9).0, rows(&["a"]));
    }
}
