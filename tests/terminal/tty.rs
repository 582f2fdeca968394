//! A terminal together with an emulator that shows what it writes.

use std::num::NonZeroU16;

use jiff::tz::TimeZone;
use papo::node::Time;
use papo::ui::terminal::{Abilities, Action, ShownMessage, Terminal, TerminalOptions};
use papo::wire::{Key, Member};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

pub const ME: Key = Key(1);
/// 2026-09-21 14:13:20 UTC.
pub const WALL_MS: u64 = 1_790_000_000_000;
pub const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
pub const PROMPT: &str = "[lobby] me> ";

#[derive(Default)]
pub struct Bells(usize);

impl vt100::Callbacks for Bells {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.0 += 1;
    }
}

/// A terminal and the emulator that shows it.
pub struct Tty {
    pub terminal: Terminal,
    pub emulator: vt100::Parser<Bells>,
    /// Every byte written so far.
    pub written: Vec<u8>,
    pub now: Time,
}

pub fn size(n: usize) -> NonZeroU16 {
    NonZeroU16::new(u16::try_from(n).unwrap()).unwrap()
}

fn emulator(cols: usize, rows: usize) -> vt100::Parser<Bells> {
    vt100::Parser::new_with_callbacks(size(rows), size(cols), 1_000, Bells::default())
}

/// An emulator that nothing is known of but its screen.
pub fn plain_emulator(cols: usize, rows: usize) -> vt100::Parser {
    vt100::Parser::new(size(rows), size(cols), 1_000)
}

/// The rows of a screen down to the last that is not empty.
pub fn show(screen: &vt100::Screen) -> Vec<String> {
    let mut rows: Vec<String> = screen
        .rows(0, screen.size().1.get())
        .map(|r| r.trim_end().to_owned())
        .collect();
    while rows.last().is_some_and(String::is_empty) {
        rows.pop();
    }
    rows
}

impl Tty {
    pub fn new(cols: usize, rows: usize) -> Tty {
        Tty::with(cols, rows, true, false)
    }

    /// `reflows`: the terminal is told that [`reflow`](Tty::reflow) is how it is resized.
    pub fn with(cols: usize, rows: usize, color: bool, reflows: bool) -> Tty {
        let options = TerminalOptions {
            cols: size(cols).get(),
            rows: size(rows).get(),
            color,
            abilities: Abilities {
                reflows,
                ..Abilities::default()
            },
            zone: TimeZone::UTC,
            room: "lobby".into(),
            nick: "me".into(),
            key: ME,
            commands: ["/help", "/history", "/msg"].map(String::from).to_vec(),
            wall_ms: WALL_MS,
        };
        let mut tty = Tty {
            terminal: Terminal::new(options),
            emulator: emulator(cols, rows),
            written: Vec::new(),
            now: Time(0),
        };
        tty.flush();
        tty
    }

    /// Gives the emulator what is to be written.
    pub fn flush(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.terminal.fill(&mut out, usize::MAX);
        self.emulator.process(&out);
        self.written.extend_from_slice(&out);
        out
    }

    pub fn keys(&mut self, keys: &str) -> Vec<u8> {
        self.now.0 += 1_000;
        self.terminal.on_bytes(self.now, keys.as_bytes());
        self.flush()
    }

    /// Time passes.
    pub fn wait(&mut self) {
        if let Some(at) = self.terminal.next_deadline() {
            self.now = at;
            self.terminal.on_deadline(at);
        }
        self.flush();
    }

    pub fn paste(&mut self, text: &str) {
        self.keys(&format!("\x1b[200~{text}\x1b[201~"));
    }

    pub fn say(&mut self, nick: &str, text: &str) {
        self.terminal.print_message(&message(nick, 2, text));
        self.flush();
    }

    /// As the emulator does it, and xterm: rows are cut.
    pub fn resize(&mut self, cols: usize, rows: usize) {
        self.emulator.set_size(size(rows), size(cols));
        self.resized(cols, rows);
    }

    fn resized(&mut self, cols: usize, rows: usize) {
        self.terminal.on_resize(size(cols).get(), size(rows).get());
        self.flush();
    }

    /// As most terminals do it today: what wrapped is wrapped anew.
    pub fn reflow(&mut self, cols: usize, rows: usize) {
        let mut fresh = emulator(cols, rows);
        fresh.process(b"\x1b[?2004h");
        let lines = self.logical_lines();
        let (mut below, mut column) = (0, None);
        for (i, (line, cursor)) in lines.iter().enumerate() {
            if i > 0 {
                fresh.process(b"\r\n");
            }
            // The cursor may stand behind the text.
            let padding = cursor.map_or(0, |at| at.saturating_sub(line.width()));
            let line = format!("{line}{}", " ".repeat(padding));
            fresh.process(line.as_bytes());
            let count = wrap(&line, cols).len();
            if column.is_some() {
                below += count;
            }
            if let Some(at) = *cursor {
                let (row, col) = place(&line, at, cols);
                (below, column) = (count - 1 - row.min(count - 1), Some(col.min(cols - 1)));
            }
        }
        if below > 0 {
            fresh.process(format!("\x1b[{below}A").as_bytes());
        }
        let column = column.unwrap_or(0) + 1;
        fresh.process(format!("\x1b[{column}G").as_bytes());
        self.emulator = fresh;
        self.resized(cols, rows);
    }

    /// The screen's rows, those that wrapped joined; and the cursor's column in its line.
    fn logical_lines(&self) -> Vec<(String, Option<usize>)> {
        let screen = self.emulator.screen();
        let (cursor_row, cursor_col) = self.cursor();
        let mut lines = vec![(String::new(), None)];
        let cols = screen.size().1.get();
        for (i, row) in screen.rows(0, cols).enumerate() {
            let (line, cursor) = lines.last_mut().unwrap();
            if i == cursor_row {
                *cursor = Some(line.width() + cursor_col);
            }
            line.push_str(&row);
            if !screen.row_wrapped(u16::try_from(i).unwrap()) {
                lines.push((String::new(), None));
            }
        }
        while lines.last() == Some(&(String::new(), None)) {
            lines.pop();
        }
        lines
    }

    pub fn rows(&self) -> Vec<String> {
        show(self.emulator.screen())
    }

    pub fn cursor(&self) -> (usize, usize) {
        let (row, col) = self.emulator.screen().cursor_position();
        (row.into(), col.into())
    }

    /// The row with the cursor, with `|` where the cursor is.
    pub fn at_cursor(&self) -> String {
        let (row, col) = self.cursor();
        let screen = self.emulator.screen();
        let row = u16::try_from(row).unwrap();
        let (mut before, mut after) = (String::new(), String::new());
        for i in 0..screen.size().1.get() {
            let cell = screen.cell(row, i).unwrap();
            let side = if usize::from(i) < col {
                &mut before
            } else {
                &mut after
            };
            match cell.contents() {
                "" if !cell.is_wide_continuation() => side.push(' '),
                text => side.push_str(text),
            }
        }
        format!("{before}|{}", after.trim_end())
    }

    pub fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.terminal.poll_action()).collect()
    }

    pub fn bells(&self) -> usize {
        self.emulator.callbacks().0
    }
}

pub fn message<'a>(nick: &'a str, id: u64, text: &'a str) -> ShownMessage<'a> {
    ShownMessage {
        id,
        key: Key(id),
        nick,
        text,
        sent_ms: WALL_MS,
        own: id == ME.0,
        private_to: None,
        identity: None,
        is_another: false,
    }
}

pub fn member(id: u64, nick: &str) -> Member {
    Member {
        id,
        key: Key(id),
        nick: nick.into(),
        addresses: Vec::new(),
    }
}

/// Where the character that stands in this column goes when the line is wrapped.
fn place(line: &str, at: usize, cols: usize) -> (usize, usize) {
    let (mut seen, mut row, mut col) = (0, 0, 0);
    for cluster in line.graphemes(true) {
        if col + cluster.width() > cols {
            (row, col) = (row + 1, 0);
        }
        if seen >= at {
            break;
        }
        seen += cluster.width();
        col += cluster.width();
    }
    (row, col)
}

/// What a terminal makes of a long line.
pub fn wrap(line: &str, cols: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    for cluster in line.graphemes(true) {
        if rows.last().unwrap().width() + cluster.width() > cols {
            rows.push(String::new());
        }
        rows.last_mut().unwrap().push_str(cluster);
    }
    rows
}
