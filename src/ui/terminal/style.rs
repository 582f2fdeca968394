//! How lines look: colours, times, dates, names.
//!
//! This module owns whether colours are used, and where "local time" is. It turns plain data into one
//! line of text with colours, in which nothing that came from others is ever left unescaped. It knows
//! neither the prompt nor the screen.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::rows::shown_width;
use crate::ui::act::Act;
use crate::ui::visible::{Tab, visible};

/// The column where the text of a notice or a warning begins: behind the time and a sign.
const REMARK_INDENT: usize = 8;

/// How a character of the prompt looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Look {
    /// As the terminal likes.
    #[default]
    Plain,
    /// What only accompanies.
    Dim,
    /// What stands out.
    Strong,
    /// What stands for a character that cannot be seen.
    Hidden,
}

impl Look {
    /// What switches it on; `RESET` switches it off.
    #[must_use]
    pub fn sgr(self) -> &'static str {
        match self {
            Look::Plain => "",
            Look::Dim => DIM,
            Look::Strong => BOLD,
            Look::Hidden => REVERSE,
        }
    }
}

/// Everything as the terminal likes again.
pub const RESET: &str = "\x1b[0m";
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const REVERSE: &str = "\x1b[7m";
const BOLD_REVERSE: &str = "\x1b[1;7m";
const BOLD_MAGENTA: &str = "\x1b[1;35m";
const BOLD_RED: &str = "\x1b[1;31m";

/// Colours of the 256 that can be read both on black and on white (a test computes the contrast).
const PALETTE: [u8; 14] = [
    27, 28, 30, 31, 63, 64, 97, 100, 129, 130, 131, 160, 162, 166,
];

/// A message as it is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShownLine<'a> {
    /// What the author's colour follows from.
    pub hue: u64,
    /// The author's name as it is shown.
    pub name: &'a str,
    /// What was said.
    pub text: &'a str,
    /// The author's wall clock in milliseconds since 1970.
    pub sent_ms: u64,
    /// By this node.
    pub own: bool,
    /// Said to one member alone: to whom.
    pub private_to: Option<&'a str>,
}

/// A line as it is printed: text with colours, and where in it the text begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StyledLine {
    /// The line; its only sequences are colours.
    pub text: String,
    /// The column where the text begins: rows that follow the first one begin there, too.
    pub indent: usize,
    /// It is folded if it takes more than a screenful.
    pub folds: bool,
}

impl StyledLine {
    /// A line whose further rows begin in this column, and that is never folded.
    #[must_use]
    pub fn hanging(text: String, indent: usize) -> StyledLine {
        StyledLine {
            text,
            indent,
            folds: false,
        }
    }
}

/// Colours or none, and what time it is here.
#[derive(Clone, Debug)]
pub struct Style {
    color: bool,
    zone: TimeZone,
}

impl Style {
    /// `color` is false under NO_COLOR or `--color never`: then there is no escape sequence in any
    /// line.
    #[must_use]
    pub fn new(color: bool, zone: TimeZone) -> Style {
        Style { color, zone }
    }

    /// Whether there are colours.
    #[must_use]
    pub fn color(&self) -> bool {
        self.color
    }

    /// One line for a message; `nick` is one's own, highlighted in what others say.
    #[must_use]
    pub fn message(&self, said: &ShownLine<'_>, nick: &str) -> StyledLine {
        let mut out = self.clock(said.sent_ms);
        let name = visible(said.name, Tab::Escape);
        let act = Act::of(said.text).map(Act::words);
        let (open, close) = match (&act, said.own) {
            (Some(_), _) => ("* ", ""),
            (None, true) => ("«", "»"),
            (None, false) => ("<", ">"),
        };
        let sgr = match said.own {
            true => BOLD.to_owned(),
            false => format!("\x1b[38;5;{}m", person(said.hue)),
        };
        self.paint(&mut out, &sgr, &format!("{open}{name}"));
        if let Some(to) = said.private_to {
            let to = format!(" → {}", visible(to, Tab::Escape));
            self.paint(&mut out, BOLD_MAGENTA, &to);
        }
        self.paint(&mut out, &sgr, close);
        out.push(' ');
        let indent = match &act {
            Some(_) => REMARK_INDENT,
            None => shown_width(&out),
        };
        let text = visible(act.as_deref().unwrap_or(said.text), Tab::Spaces);
        match said.own {
            true => out.push_str(&text),
            false => self.highlight(&mut out, &text, &visible(nick, Tab::Escape)),
        }
        StyledLine {
            text: out,
            indent,
            folds: true,
        }
    }

    /// A quiet line about what happens.
    #[must_use]
    pub fn notice(&self, wall_ms: u64, text: &str) -> StyledLine {
        let mut out = self.clock(wall_ms);
        self.paint(&mut out, DIM, &format!("· {}", visible(text, Tab::Spaces)));
        StyledLine::hanging(out, REMARK_INDENT)
    }

    /// A line that should not be overlooked.
    #[must_use]
    pub fn warning(&self, wall_ms: u64, text: &str) -> StyledLine {
        let mut out = self.clock(wall_ms);
        self.paint(&mut out, BOLD_RED, "!");
        out.push(' ');
        out.push_str(&visible(text, Tab::Spaces));
        StyledLine::hanging(out, REMARK_INDENT)
    }

    /// A line that says which day the following ones are from.
    #[must_use]
    pub fn date_line(&self, date: Date) -> StyledLine {
        self.rule(&date.strftime("%A, %-d %B %Y").to_string())
    }

    /// A line that parts what stands above it from what follows.
    #[must_use]
    pub fn rule(&self, text: &str) -> StyledLine {
        StyledLine::hanging(self.dim(&format!("── {text} ──")), 0)
    }

    /// A text that only accompanies.
    #[must_use]
    pub fn dim(&self, text: &str) -> String {
        let mut out = String::new();
        self.paint(&mut out, DIM, text);
        out
    }

    /// The day here; None if there is no such time.
    #[must_use]
    pub fn date(&self, wall_ms: u64) -> Option<Date> {
        self.local(wall_ms).map(DateTime::date)
    }

    fn local(&self, wall_ms: u64) -> Option<DateTime> {
        let timestamp = Timestamp::from_millisecond(i64::try_from(wall_ms).ok()?).ok()?;
        Some(self.zone.to_datetime(timestamp))
    }

    fn clock(&self, wall_ms: u64) -> String {
        let time = match self.local(wall_ms) {
            Some(local) => format!("{:02}:{:02}", local.hour(), local.minute()),
            None => "--:--".to_owned(),
        };
        let mut out = String::new();
        self.paint(&mut out, DIM, &time);
        out.push(' ');
        out
    }

    fn paint(&self, out: &mut String, sgr: &str, text: &str) {
        if self.color {
            out.push_str(sgr);
            out.push_str(text);
            out.push_str(RESET);
        } else {
            out.push_str(text);
        }
    }

    fn highlight(&self, out: &mut String, text: &str, nick: &str) {
        let mut rest = text;
        let mut before = None;
        while let Some((start, end)) = mention(rest, nick, before) {
            out.push_str(&rest[..start]);
            self.paint(out, BOLD_REVERSE, &rest[start..end]);
            before = rest[..end].chars().next_back();
            rest = &rest[end..];
        }
        out.push_str(rest);
    }
}

/// A person's colour.
fn person(hue: u64) -> u8 {
    // Multiplying spreads numbers that differ little (Fibonacci hashing).
    let hash = hue.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    PALETTE[usize::try_from(hash).unwrap_or(0) % PALETTE.len()]
}

/// What the colour of a person follows from who has this name: the same on every machine (FNV-1a).
#[must_use]
pub fn hue(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Whether a nick stands in a text as a word of its own, in whatever case.
#[must_use]
pub fn names(text: &str, nick: &str) -> bool {
    mention(text, nick, None).is_some()
}

/// Where a nick stands as a word of its own, in whatever case; `before` is the character that
/// stands before the text.
fn mention(text: &str, nick: &str, mut before: Option<char>) -> Option<(usize, usize)> {
    if nick.is_empty() {
        return None;
    }
    for (start, c) in text.char_indices() {
        if !before.is_some_and(char::is_alphanumeric)
            && let Some(length) = starts_with(&text[start..], nick)
            && !text[start + length..].starts_with(char::is_alphanumeric)
        {
            return Some((start, start + length));
        }
        before = Some(c);
    }
    None
}

fn starts_with(text: &str, nick: &str) -> Option<usize> {
    let mut chars = text.chars();
    for n in nick.chars() {
        let c = chars.next()?;
        if c != n && !c.to_lowercase().eq(n.to_lowercase()) {
            return None;
        }
    }
    Some(text.len() - chars.as_str().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2's relative luminance of one of the 256 colours' cube.
    fn luminance(color: u8) -> f64 {
        let steps = [0u8, 95, 135, 175, 215, 255];
        let n = usize::from(color - 16);
        let channel = |i: usize| {
            let v = f64::from(steps[i]) / 255.0;
            if v <= 0.04045 {
                v / 12.92
            } else {
                ((v + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(n / 36) + 0.7152 * channel(n / 6 % 6) + 0.0722 * channel(n % 6)
    }

    #[test]
    fn every_colour_is_readable_on_black_and_on_white() {
        for color in PALETTE {
            let l = luminance(color);
            let (black, white) = ((l + 0.05) / 0.05, 1.05 / (l + 0.05));
            assert!(
                black > 3.6 && white > 3.6,
                "{color}: {black:.2} on black, {white:.2} on white"
            );
        }
    }

    #[test]
    fn a_mention_is_a_word() {
        assert_eq!(mention("hi Ana!", "ana", None), Some((3, 6)));
        assert_eq!(mention("banana ana", "ana", None), Some((7, 10)));
        assert_eq!(mention("banana", "ana", None), None);
        assert_eq!(mention("ana", "ana", Some('b')), None);
        assert_eq!(mention("olá ÉVA?", "éva", None), Some((5, 9)));
        assert_eq!(mention("anything", "", None), None);
    }

    #[test]
    fn times_are_local_and_impossible_ones_do_no_harm() {
        let zone = TimeZone::fixed(jiff::tz::offset(-3));
        let style = Style::new(false, zone);
        let ms = 1_790_000_000_000;
        assert_eq!(style.notice(ms, "x").text, "11:13 · x");
        assert_eq!(style.notice(u64::MAX, "x").text, "--:-- · x");
        assert_eq!(
            style.date_line(style.date(ms).unwrap()).text,
            "── Monday, 21 September 2026 ──"
        );
        assert_eq!(style.date(1 << 60), None);
    }
}
