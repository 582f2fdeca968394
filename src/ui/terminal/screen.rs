//! The drawing: lines above, the prompt below them, the cursor in the prompt.
//!
//! This module owns what stands on the screen, as a [`Frame`], and the lines above it that wait or
//! were printed; each call writes only what differs. Nothing is ever assumed of the terminal but relative moves and erasing: no scroll region, no
//! alternate screen, no position that was not written by this module. Three things differ between
//! terminals, and no byte here depends on them:
//!
//! - how wide some characters are: the cursor is put behind such text by writing the text again;
//! - when a full row wraps: prompt rows end with CR LF, with automatic wrapping off, and the cursor
//!   never stays in the last column of a full row;
//! - what a change of the width does to rows that no longer fit: where the terminal is not known to
//!   wrap them anew, the whole screen is painted again, from the lines remembered.

use std::collections::VecDeque;

use jiff::tz::TimeZone;

use super::layout::{Cell, Frame};
use super::pen::{ERASE_ROWS, Pen, up};
use super::rows::{head, rows, rows_of};
use super::style::{RESET, Style, StyledLine};
use crate::limits::{BEHIND_BYTES_MAX, PRINT_BYTES_MAX, SCREEN_BYTES_MAX, SCREEN_LINES_MAX};

/// Bracketed paste on.
const ENTER: &[u8] = b"\x1b[?2004h";
/// Everything that may have been switched, as it was: colours, synchronized update, wrapping, bracketed
/// paste, word of the focus. It begins with ESC, which also ends a sequence that was half written.
const LEAVE: &[u8] = b"\x1b[0m\x1b[?2026l\x1b[?7h\x1b[?2004l\x1b[?1004l";
const SYNC_START: &[u8] = b"\x1b[?2026h";
const SYNC_END: &[u8] = b"\x1b[?2026l";
const WRAP_OFF: &[u8] = b"\x1b[?7l";
const WRAP_ON: &[u8] = b"\x1b[?7h";
const HOME: &[u8] = b"\x1b[H";

/// Rows of the screen that a folded line leaves free: for what stands above it, and for the prompt.
const FOLD_SPARES: usize = 4;
/// Rows of a folded line that are shown on the smallest screen.
const FOLD_ROWS_MIN: usize = 3;

/// A terminal's size when nobody knows it.
const COLUMNS_ROWS: (usize, usize) = (80, 24);

/// What stands on the screen, and what is to be written.
#[derive(Debug)]
pub struct Screen {
    cols: usize,
    rows: usize,
    color: bool,
    /// Rows that no longer fit are known to be wrapped anew.
    reflows: bool,
    /// None: the cursor is at the beginning of an empty row, and nothing stands below.
    drawn: Option<Frame>,
    /// The enter sequence is written, the leave sequence is not.
    entered: bool,
    /// Rows do not stand where they were drawn.
    repaint: bool,
    /// The prompt is to be drawn from its first row on.
    redraw: bool,
    clear: bool,
    bell: bool,
    waiting: Lines,
    /// Bytes of them at the most.
    waiting_max: usize,
    skipped: u64,
    printed: Lines,
    /// The line that was folded last.
    folded: Option<StyledLine>,
}

/// Lines, the oldest first, and their bytes.
#[derive(Debug, Default)]
struct Lines {
    lines: VecDeque<StyledLine>,
    bytes: usize,
}

impl Lines {
    fn push(&mut self, line: StyledLine) {
        self.bytes += line.text.len();
        self.lines.push_back(line);
    }

    fn pop(&mut self) -> Option<StyledLine> {
        let line = self.lines.pop_front()?;
        self.bytes -= line.text.len();
        Some(line)
    }
}

impl Screen {
    /// A terminal of this size; `reflows` if it is known to wrap rows anew that no longer fit.
    #[must_use]
    pub fn new(cols: u16, rows: u16, color: bool, reflows: bool) -> Screen {
        let mut screen = Screen {
            cols: 0,
            rows: 0,
            color,
            reflows,
            drawn: None,
            entered: false,
            repaint: false,
            redraw: false,
            clear: false,
            bell: false,
            waiting: Lines::default(),
            waiting_max: PRINT_BYTES_MAX,
            skipped: 0,
            printed: Lines::default(),
            folded: None,
        };
        screen.set_size(cols, rows);
        screen
    }

    /// Columns and rows.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.cols, self.rows)
    }

    /// The terminal has another size; zero means unknown.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        self.set_size(cols, rows);
        // Rows below the cursor may have gone.
        self.redraw = true;
        if let Some(frame) = &self.drawn {
            let fits = frame.rows.iter().all(|row| row.width() <= self.cols);
            self.repaint |= !fits && !self.reflows;
        }
    }

    fn set_size(&mut self, cols: u16, rows: u16) {
        let or = |n: u16, unknown| if n == 0 { unknown } else { usize::from(n) };
        self.cols = or(cols, COLUMNS_ROWS.0);
        self.rows = or(rows, COLUMNS_ROWS.1);
    }

    /// Takes a line to print above the prompt. Of lines that nobody reads the oldest are skipped.
    pub fn print(&mut self, line: StyledLine) {
        self.waiting.push(line);
        while self.waiting.bytes > self.waiting_max && self.waiting.lines.len() > 1 {
            self.waiting.pop();
            self.skipped += 1;
        }
    }

    /// Bytes of the lines that are not written yet.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.waiting.bytes
    }

    /// How many lines were skipped since the last call.
    pub fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }

    /// Takes a line to print before those that wait.
    pub fn print_first(&mut self, line: StyledLine) {
        self.waiting.bytes += line.text.len();
        self.waiting.lines.push_front(line);
    }

    /// Prints the whole line again that was folded last. False if there is none.
    pub fn unfold(&mut self) -> bool {
        let line = self.folded.take();
        let is_there = line.is_some();
        line.into_iter().for_each(|line| self.print(line));
        is_there
    }

    /// Empties the screen before the next drawing.
    pub fn clear(&mut self) {
        self.clear = true;
    }

    /// Rings the bell with the next drawing.
    pub fn bell(&mut self) {
        self.bell = true;
    }

    /// Writes what is needed for the prompt to look like `frame` below all lines; of the lines, about
    /// `limit` bytes at most.
    pub fn draw(&mut self, out: &mut Vec<u8>, frame: Frame, limit: usize) {
        if !self.entered {
            self.entered = true;
            out.extend_from_slice(ENTER);
            out.push(b'\r');
            out.extend_from_slice(ERASE_ROWS);
        }
        if std::mem::take(&mut self.bell) {
            out.push(0x07);
        }
        let whole = self.clear || self.repaint || self.redraw;
        if !whole && self.waiting.lines.is_empty() && self.drawn.as_ref() == Some(&frame) {
            return;
        }
        let sync = whole || !self.waiting.lines.is_empty();
        if sync {
            out.extend_from_slice(SYNC_START);
        }
        self.start_over(out, frame.rows.len());
        if std::mem::take(&mut self.redraw) {
            self.erase(out);
        }
        self.write_lines(out, limit);
        out.extend_from_slice(WRAP_OFF);
        let color = self.color;
        let mut pen = Pen::new(out, color, self.cols);
        match self.drawn.take() {
            None => pen.whole(&frame),
            Some(old) => pen.change(&old, &frame),
        }
        out.extend_from_slice(WRAP_ON);
        if sync {
            out.extend_from_slice(SYNC_END);
        }
        self.drawn = Some(frame);
    }

    /// Writes the remaining lines, takes the prompt away and restores the terminal. The next `draw`
    /// enters again.
    pub fn leave(&mut self, out: &mut Vec<u8>) {
        self.erase(out);
        self.write_lines(out, usize::MAX);
        if std::mem::take(&mut self.entered) {
            out.extend_from_slice(LEAVE);
        }
        (self.repaint, self.redraw, self.clear, self.bell) = (false, false, false, false);
    }

    /// Somebody else has written to the terminal: the next `draw` starts at the cursor, wherever
    /// that is.
    pub fn forget(&mut self) {
        self.drawn = None;
        self.entered = false;
    }

    /// Takes the prompt away: another screen is drawn in this terminal from now on, and fewer lines wait here.
    pub fn step_back(&mut self, out: &mut Vec<u8>) {
        self.erase(out);
        self.entered = false;
        self.waiting_max = BEHIND_BYTES_MAX;
    }

    /// Another screen was drawn in this terminal: the next `draw` paints all of it anew.
    pub fn step_forward(&mut self) {
        self.repaint = true;
        self.waiting_max = PRINT_BYTES_MAX;
    }

    /// What restores the terminal, wherever its cursor is: for the end in a panic.
    #[must_use]
    pub fn leave_bytes() -> Vec<u8> {
        [LEAVE, b"\r\n", ERASE_ROWS].concat()
    }

    /// Clears or repaints the whole screen if that was asked for.
    fn start_over(&mut self, out: &mut Vec<u8>, prompt_rows: usize) {
        let repaint = std::mem::take(&mut self.repaint);
        let clear = std::mem::take(&mut self.clear);
        if !repaint && !clear {
            return;
        }
        if clear {
            // What the terminal keeps of the screen is without the prompt.
            self.erase(out);
        }
        self.drawn = None;
        out.extend_from_slice(HOME);
        out.extend_from_slice(ERASE_ROWS);
        if clear {
            self.printed = Lines::default();
            return;
        }
        let room = self.rows.saturating_sub(prompt_rows);
        let (mut count, mut used) = (0, 0);
        for line in self.printed.lines.iter().rev() {
            let rows = self.rows_of_line(line).0;
            used += rows.iter().map(|r| rows_of(r, self.cols)).sum::<usize>();
            // The newest line is shown however long it is.
            if used > room && count > 0 {
                break;
            }
            count += 1;
        }
        let first = self.printed.lines.len() - count;
        for line in self.printed.lines.range(first..) {
            write_rows(out, &self.rows_of_line(line).0);
        }
    }

    /// The rows in which a line is shown, and whether that is not all of it.
    fn rows_of_line(&self, line: &StyledLine) -> (Vec<String>, bool) {
        let mut rows = rows(line, self.cols);
        let all: usize = rows.iter().map(|row| rows_of(row, self.cols)).sum();
        let most = self.rows.saturating_sub(FOLD_SPARES).max(FOLD_ROWS_MIN);
        if !line.folds || all <= most + 1 {
            return (rows, false);
        }
        let (mut shown, mut kept) = (0, 0);
        while shown + rows_of(&rows[kept], self.cols) <= most {
            shown += rows_of(&rows[kept], self.cols);
            kept += 1;
        }
        // A row of several of the terminal's is cut where the screenful ends.
        let cut = head(&rows[kept], self.cols, most - shown).to_owned();
        rows.truncate(kept);
        rows.extend(Some(cut).filter(|cut| !cut.is_empty()));
        let style = if self.color { RESET } else { "" };
        let last = rows.last_mut();
        last.into_iter().for_each(|row| row.push_str(style));
        rows.push(self.fold_note(all - most));
        (rows, true)
    }

    /// What stands for the rest of a folded line.
    fn fold_note(&self, rest: usize) -> String {
        let rows = if rest == 1 { "row" } else { "rows" };
        let note = format!("… {rest} more {rows}; /more shows them");
        Style::new(self.color, TimeZone::UTC).dim(&note)
    }

    fn write_lines(&mut self, out: &mut Vec<u8>, limit: usize) {
        if self.waiting.lines.is_empty() {
            return;
        }
        self.erase(out);
        let start = out.len();
        while out.len() - start < limit
            && let Some(line) = self.waiting.pop()
        {
            let (rows, is_folded) = self.rows_of_line(&line);
            write_rows(out, &rows);
            if is_folded {
                let folds = false;
                self.folded = Some(StyledLine {
                    folds,
                    ..line.clone()
                });
            }
            self.printed.push(line);
            if self.printed.lines.len() > SCREEN_LINES_MAX || self.printed.bytes > SCREEN_BYTES_MAX
            {
                self.printed.pop();
            }
        }
    }

    /// Takes the prompt off the screen.
    fn erase(&mut self, out: &mut Vec<u8>) {
        if let Some(frame) = self.drawn.take() {
            up(out, self.row_now(&frame));
            out.push(b'\r');
            out.extend_from_slice(ERASE_ROWS);
        }
    }

    /// How many rows the cursor is below the prompt's first one, at the present width.
    fn row_now(&self, frame: &Frame) -> usize {
        if !self.reflows {
            return frame.row;
        }
        let above = &frame.rows[..frame.row];
        let above: usize = above.iter().map(|r| wrapped(&r.cells, self.cols)).sum();
        // The cursor's cell counts, too: it stands in the row where that one is.
        let cells = &frame.rows[frame.row].cells;
        let upto = &cells[..cells.len().min(frame.cell + 1)];
        above + wrapped(upto, self.cols) - 1
    }
}

fn write_rows(out: &mut Vec<u8>, rows: &[String]) {
    for row in rows {
        out.extend_from_slice(row.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

/// How many rows cells take on a terminal that wraps them.
fn wrapped(cells: &[Cell], cols: usize) -> usize {
    let (mut rows, mut used) = (1, 0);
    for cell in cells {
        if used + cell.width > cols {
            rows += 1;
            used = 0;
        }
        used += cell.width;
    }
    rows
}
