//! After any sequence of keys, messages and resizes the screen shows what it should.

use papo::limits::PROMPT_ROWS_MAX;
use papo::ui::terminal::rows::rows;
use papo::ui::terminal::style::StyledLine;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::tty::{PROMPT, Tty, WALL_MS, message, wrap};

#[rustfmt::skip]
const KEYS: [&str; 38] = [
    "a", "b", " ", "x", "語", "🎉", "e\u{301}", "é", "日本", "word ", "\x1b[D", "\x1b[C", "\x1b[D",
    "\x1b[H", "\x1b[F", "\x01", "\x05", "\x02", "\x06", "\x7f", "\x1b[3~", "\x0b", "\x15", "\x17",
    "\x19", "\x14", "\x1bb", "\x1bf", "\x1bd", "\x1by", "\x1b[A", "\x1b[B", "\r", "\t", "\x03",
    "\x1b[1;5D", "long text that goes on and on ", "日本語日本語日本語日本語",
];

/// What the prompt must look like, worked out the simple way.
fn expected(text: &str, cursor: usize, cols: usize, rows: usize) -> (Vec<String>, (usize, usize)) {
    let label = match (PROMPT.len() > cols / 2, (cols / 2).checked_sub(2)) {
        // The room's name is cut where the nick fits then, and the whole label elsewhere.
        (true, _) if cols / 2 == PROMPT.len() - 1 => PROMPT.replace("lobby", "lob…"),
        (false, _) => PROMPT.to_owned(),
        (true, Some(cut)) => format!("{}… ", &PROMPT[..cut]),
        (true, None) => String::new(),
    };
    let all = format!("{label}{text}");
    let cursor = label.len() + cursor;
    let mut lines = wrap(&all, cols);
    // The cursor is before the cluster that follows it, or behind everything.
    let next = all[cursor..].graphemes(true).next().unwrap_or("");
    let upto = wrap(&all[..cursor + next.len()], cols);
    let column = upto.last().unwrap().width() - next.width();
    let (mut row, mut col) = (upto.len() - 1, column);
    if col == cols {
        lines.push(String::new());
        (row, col) = (row + 1, 0);
    }
    let most = rows.saturating_sub(1).clamp(1, PROMPT_ROWS_MAX);
    let top = (row + 1).saturating_sub(most);
    let shown = lines.into_iter().skip(top).take(most);
    (
        shown.map(|l| l.trim_end().to_owned()).collect(),
        (row - top, col),
    )
}

/// One random run, and the lines printed since the screen was last known to be as they left it.
struct Run {
    rng: fastrand::Rng,
    tty: Tty,
    cols: usize,
    rows: usize,
    /// The terminal always has room for the whole prompt.
    tall: bool,
    above: Vec<String>,
}

impl Run {
    fn new(seed: u64, known: bool) -> Run {
        let mut rng = fastrand::Rng::with_seed(seed);
        let tall = rng.bool();
        let (cols, rows) = some_size(&mut rng, tall);
        Run {
            rng,
            tty: Tty::with(cols, rows, true, known),
            cols,
            rows,
            tall,
            above: Vec::new(),
        }
    }

    fn step(&mut self, reflows: bool) {
        match self.rng.u32(..20) {
            0 => {
                (self.cols, self.rows) = some_size(&mut self.rng, self.tall);
                match reflows {
                    true => self.tty.reflow(self.cols, self.rows),
                    false => self.tty.resize(self.cols, self.rows),
                }
                self.above.clear();
            }
            1 | 2 => {
                for _ in 0..self.rng.usize(1..4) {
                    let texts = ["hi", "語", "x", "longer text "];
                    let text = self.rng.choice(texts).unwrap().repeat(self.rng.usize(1..9));
                    self.print(&text);
                }
                self.tty.flush();
            }
            // Several keys may come at once.
            _ => {
                let count = self.rng.usize(1..4);
                let keys: String = (0..count).filter_map(|_| self.rng.choice(KEYS)).collect();
                self.tty.keys(&keys);
            }
        }
        self.tty.actions();
    }

    /// Prints a message that is not folded, however small the screen is.
    fn print(&mut self, text: &str) {
        let (terminal, folds) = (&mut self.tty.terminal, false);
        let line = terminal.style_message(&message("bob", 2, text));
        let indent = line.indent;
        terminal.print_styled(WALL_MS, StyledLine { folds, ..line });
        let line = StyledLine::hanging(format!("14:13 <bob> {text}"), indent);
        for row in rows(&line, self.cols) {
            self.above.extend(wrap(&row, self.cols));
        }
    }

    fn check(&self, context: &str) {
        let (text, cursor) = self.tty.terminal.line();
        let (prompt, (row, col)) = expected(text, cursor, self.cols, self.rows);
        let mut shown = self.tty.rows();
        let (cols, rows) = (self.cols, self.rows);
        let context = format!("{context}, {cols}x{rows}, {text:?} at {cursor}: {shown:#?}");
        let (at, column) = self.tty.cursor();
        assert_eq!(column, col, "{context}");
        let top = at.checked_sub(row).expect(&context);
        shown.resize(shown.len().max(top + prompt.len()), String::new());
        assert_eq!(shown[top..], prompt, "{context}");
        let lines = self.above.iter().rev().map(|l| l.trim_end());
        for (shown, line) in shown[..top].iter().rev().zip(lines) {
            assert_eq!(shown, line, "{context}");
        }
        if self.tall {
            // Nothing is left of an earlier prompt.
            assert!(
                !shown[..top].iter().any(|r| r.contains("[lob")),
                "{context}"
            );
        }
    }
}

fn some_size(rng: &mut fastrand::Rng, tall: bool) -> (usize, usize) {
    let rows = if tall { PROMPT_ROWS_MAX + 2..20 } else { 2..14 };
    (rng.usize(4..50), rng.usize(rows))
}

#[test]
fn the_screen_is_right_after_any_sequence_of_keys_messages_and_resizes() {
    for seed in 0..60 {
        for (reflows, known) in [(false, false), (true, false), (true, true)] {
            let mut run = Run::new(seed, known);
            for step in 0..120 {
                run.step(reflows);
                run.check(&format!("seed {seed}, {reflows}, {known}, step {step}"));
            }
        }
    }
}

#[test]
fn no_bytes_from_the_keyboard_do_harm() {
    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..200 {
        let mut tty = Tty::new(rng.usize(1..40), rng.usize(1..10));
        for _ in 0..20 {
            let bytes: Vec<u8> = (0..rng.usize(..30)).map(|_| rng.u8(..)).collect();
            tty.terminal.on_bytes(tty.now, &bytes);
            tty.flush();
            if rng.u8(..4) == 0 {
                tty.wait();
            }
            if rng.u8(..8) == 0 {
                tty.terminal.resume(0, 0);
            }
            tty.actions();
        }
    }
}
