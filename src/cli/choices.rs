//! Options that are one of a few words.

use std::ffi::OsStr;

use crate::ui::Notify;

/// When to use colours.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Color {
    /// Unless NO_COLOR is set, or the terminal is a dumb one
    Auto,
    /// In any terminal
    Always,
    /// Never
    Never,
}

impl Color {
    /// What the choice means in this environment (<https://no-color.org>).
    #[must_use]
    pub fn is_wanted(self) -> bool {
        let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        let dumb = !obeys_sequences(std::env::var_os("TERM").as_deref());
        match self {
            Color::Auto => !set("NO_COLOR") && !dumb,
            Color::Always => true,
            Color::Never => false,
        }
    }
}

/// When a terminal rings, and notifies where it can.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotifyWhen {
    /// Never
    Never,
    /// When somebody says your name, or writes to you alone
    Mention,
    /// With each message
    All,
}

impl From<NotifyWhen> for Notify {
    fn from(when: NotifyWhen) -> Notify {
        match when {
            NotifyWhen::Never => Notify::Never,
            NotifyWhen::Mention => Notify::Mention,
            NotifyWhen::All => Notify::All,
        }
    }
}

/// What a confirmation of a listener means.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Confirm {
    /// The line is in the history here
    TakenIn,
    /// The line is written to stdout
    Printed,
}

/// Whether a terminal of this type (`TERM`) obeys control sequences. One that is dumb, or of which nothing is
/// known, is written to line by line, as a pipe is.
#[must_use]
pub fn obeys_sequences(term: Option<&OsStr>) -> bool {
    let unable = ["", "dumb", "unknown"];
    term.is_some_and(|term| unable.iter().all(|name| term != *name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_of_which_nothing_is_known_gets_no_sequence() {
        for term in ["", "dumb", "unknown"] {
            assert!(!obeys_sequences(Some(OsStr::new(term))), "{term}");
        }
        assert!(!obeys_sequences(None));
        assert!(obeys_sequences(Some(OsStr::new("xterm-256color"))));
    }
}
