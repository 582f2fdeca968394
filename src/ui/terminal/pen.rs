//! The bytes that put the prompt's cells on the screen, and move the cursor among them.
//!
//! This module owns where in the prompt the cursor is, for the length of one drawing. It never
//! decides what the prompt shows, and never moves the cursor out of the prompt.

use super::layout::{Cell, Frame, Row};
use super::style::{Look, RESET};

/// Erases from the beginning of the row, where the cursor is, to the end of the screen. Some terminals keep
/// what is erased from the screen's first cell on among the rows scrolled away (tmux does), and a prompt has
/// no business there: so the first cell is overwritten, and the rest erased.
pub(super) const ERASE_ROWS: &[u8] = b" \x1b[J\r";
/// Erases from the cursor to the end of the row.
const ERASE_RIGHT: &[u8] = b"\x1b[K";

/// Moves the cursor up.
pub(super) fn up(out: &mut Vec<u8>, rows: usize) {
    relative(out, rows, b'A');
}

fn relative(out: &mut Vec<u8>, n: usize, direction: u8) {
    if n > 0 {
        out.extend_from_slice(format!("\x1b[{n}{}", char::from(direction)).as_bytes());
    }
}

/// Writes the prompt, and knows where in it the cursor is.
pub(super) struct Pen<'a> {
    out: &'a mut Vec<u8>,
    color: bool,
    cols: usize,
    row: usize,
    /// The cursor stands before this cell of the row; None: somewhere.
    cell: Option<usize>,
}

impl<'a> Pen<'a> {
    /// A pen that stands at the beginning of the first row.
    pub(super) fn new(out: &'a mut Vec<u8>, color: bool, cols: usize) -> Pen<'a> {
        Pen {
            out,
            color,
            cols,
            row: 0,
            cell: Some(0),
        }
    }

    /// Writes all of it where nothing stands.
    pub(super) fn whole(&mut self, frame: &Frame) {
        for (i, row) in frame.rows.iter().enumerate() {
            if i > 0 {
                self.next_row();
            }
            self.cells(row, 0);
        }
        self.go(frame, frame.row, frame.cell);
    }

    /// Writes what differs from what stands there.
    pub(super) fn change(&mut self, old: &Frame, new: &Frame) {
        (self.row, self.cell) = (old.row, Some(old.cell));
        for (i, row) in new.rows.iter().enumerate() {
            match old.rows.get(i) {
                Some(before) if before == row => {}
                Some(before) => self.row_change(new, i, before),
                None => {
                    self.go(new, i - 1, 0);
                    self.next_row();
                    self.cells(row, 0);
                }
            }
        }
        if old.rows.len() > new.rows.len() {
            self.down_to(new.rows.len());
            self.out.push(b'\r');
            self.out.extend_from_slice(ERASE_ROWS);
            self.cell = None;
        }
        self.go(new, new.row, new.cell);
    }

    fn row_change(&mut self, new: &Frame, i: usize, before: &Row) {
        let row = &new.rows[i];
        let same = row
            .cells
            .iter()
            .zip(&before.cells)
            .take_while(|(a, b)| a == b)
            .count();
        self.go(new, i, same);
        self.cells(row, same);
        if before.cells.len() > same && row.width() < self.cols {
            self.out.extend_from_slice(ERASE_RIGHT);
        }
    }

    fn next_row(&mut self) {
        self.out.extend_from_slice(b"\r\n");
        self.row += 1;
        self.cell = Some(0);
    }

    fn down_to(&mut self, row: usize) {
        relative(self.out, row.saturating_sub(self.row), b'B');
        up(self.out, self.row.saturating_sub(row));
        if row != self.row {
            self.cell = None;
        }
        self.row = row;
    }

    /// Puts the cursor before a cell. Where terminals may disagree on widths, the text before it is
    /// written again: then the cursor is where the terminal thinks that the text ends.
    fn go(&mut self, frame: &Frame, row: usize, cell: usize) {
        self.down_to(row);
        if self.cell == Some(cell) {
            return;
        }
        self.out.push(b'\r');
        let row = &frame.rows[row];
        let before = &row.cells[..cell.min(row.cells.len())];
        if before.iter().all(|c| c.text.is_ascii()) {
            relative(self.out, before.iter().map(|c| c.width).sum(), b'C');
        } else {
            self.write(before);
        }
        self.cell = Some(cell);
    }

    /// Writes a row's cells from one on.
    fn cells(&mut self, row: &Row, from: usize) {
        self.write(&row.cells[from..]);
        // Behind a full row the cursor may be in the last column or beyond.
        self.cell = (row.width() < self.cols).then_some(row.cells.len());
    }

    fn write(&mut self, cells: &[Cell]) {
        let mut look = Look::Plain;
        for cell in cells {
            if cell.look != look && self.color {
                if look != Look::Plain {
                    self.out.extend_from_slice(RESET.as_bytes());
                }
                self.out.extend_from_slice(cell.look.sgr().as_bytes());
                look = cell.look;
            }
            self.out.extend_from_slice(cell.text.as_bytes());
        }
        if look != Look::Plain {
            self.out.extend_from_slice(RESET.as_bytes());
        }
    }
}
