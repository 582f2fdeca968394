//! Options that are one of a few words.

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
        let dumb = std::env::var_os("TERM").is_none_or(|v| v.is_empty() || v == "dumb");
        match self {
            Color::Auto => !set("NO_COLOR") && !dumb,
            Color::Always => true,
            Color::Never => false,
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
