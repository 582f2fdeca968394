//! What reaches the user beyond the screen: the terminal's title, and desktop notifications.
//!
//! This module owns the title that is shown and what is still to be notified. It never decides what is worth
//! it, and writes only sequences that the terminal is known to obey. What came from others is made visible
//! and has no semicolon, which would end a field.

use super::abilities::{Abilities, NotifyForm};
use crate::limits::NOTIFIED_CHARS_MAX;
use crate::ui::visible::{Tab, visible};

/// Keeps the title as it was, and asks to be told of the focus.
const ENTER: &[u8] = b"\x1b[22;0t\x1b[?1004h";
/// Gives the title back.
const LEAVE: &[u8] = b"\x1b[?1004l\x1b[23;0t";

/// The title, and what is to be notified.
#[derive(Debug)]
pub(super) struct Notifier {
    abilities: Abilities,
    entered: bool,
    title: String,
    /// The title that stands there.
    shown: String,
    note: Option<String>,
}

/// What the terminal shows beyond its screen.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// The title that was there before papo is kept.
    entered: bool,
    title: String,
}

impl Notifier {
    /// For a terminal that does this.
    pub(super) fn new(abilities: Abilities) -> Notifier {
        Notifier {
            abilities,
            entered: false,
            title: String::new(),
            shown: String::new(),
            note: None,
        }
    }

    /// What the title is from now on.
    pub(super) fn set_title(&mut self, title: &str) {
        self.title = plain(title);
    }

    /// Notifies the user of this; of several at a time the last is.
    pub(super) fn notify(&mut self, text: &str) {
        self.note = Some(plain(text));
    }

    /// Appends what is new.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>) {
        if let Some(note) = self.note.take() {
            let sequence = match self.abilities.notifies {
                Some(NotifyForm::Osc9) => format!("\x1b]9;{note}\x1b\\"),
                Some(NotifyForm::Osc777) => format!("\x1b]777;notify;papo;{note}\x1b\\"),
                None => String::new(),
            };
            out.extend_from_slice(sequence.as_bytes());
        }
        if !self.abilities.titles || (self.entered && self.title == self.shown) {
            return;
        }
        if !std::mem::replace(&mut self.entered, true) {
            out.extend_from_slice(ENTER);
        }
        self.shown.clone_from(&self.title);
        out.extend_from_slice(format!("\x1b]2;{}\x1b\\", self.title).as_bytes());
    }

    /// Whoever notifies in this terminal from now on goes on where this one was.
    pub(super) fn hand_over(&mut self, to: &mut Shown) {
        to.entered = std::mem::take(&mut self.entered);
        to.title = std::mem::take(&mut self.shown);
    }

    /// Goes on where another one was in the same terminal.
    pub(super) fn take_over(&mut self, from: Shown) {
        (self.entered, self.shown) = (from.entered, from.title);
    }

    /// Appends what gives the terminal back as it was.
    pub(super) fn leave(&mut self, out: &mut Vec<u8>) {
        self.note = None;
        if std::mem::take(&mut self.entered) {
            out.extend_from_slice(LEAVE);
        }
    }
}

/// A text that ends no sequence and no field, and is not too long.
fn plain(text: &str) -> String {
    let text = visible(text, Tab::Spaces).replace(';', ",");
    match text.char_indices().nth(NOTIFIED_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(notifier: &mut Notifier) -> String {
        let mut out = Vec::new();
        notifier.fill(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_terminal_of_which_nothing_is_known_gets_nothing() {
        let mut notifier = Notifier::new(Abilities::default());
        notifier.set_title("lobby");
        notifier.notify("<bia> hi");
        assert_eq!(written(&mut notifier), "");
        let mut out = Vec::new();
        notifier.leave(&mut out);
        assert!(out.is_empty());
    }

    #[test]
    fn what_others_say_ends_no_sequence() {
        for (form, start) in [
            (NotifyForm::Osc9, "\x1b]9;"),
            (NotifyForm::Osc777, "\x1b]777;notify;papo;"),
        ] {
            let mut notifier = Notifier::new(Abilities {
                notifies: Some(form),
                ..Abilities::default()
            });
            notifier.notify("a\x1b\\b\x07c;d\u{9c}");
            let text = written(&mut notifier);
            assert_eq!(text, format!("{start}a^[\\b^Gc,d\\u{{9c}}\x1b\\"));
            assert_eq!(written(&mut notifier), "");
        }
    }

    #[test]
    fn a_title_is_written_when_it_changes_and_given_back() {
        let mut notifier = Notifier::new(Abilities {
            titles: true,
            ..Abilities::default()
        });
        notifier.set_title("lobby");
        assert!(written(&mut notifier).ends_with("\x1b[?1004h\x1b]2;lobby\x1b\\"));
        assert_eq!(written(&mut notifier), "");
        notifier.set_title("(1) lobby");
        assert_eq!(written(&mut notifier), "\x1b]2;(1) lobby\x1b\\");
        let mut out = Vec::new();
        notifier.leave(&mut out);
        assert_eq!(out, LEAVE);
    }
}
