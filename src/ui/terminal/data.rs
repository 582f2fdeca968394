//! What the terminal is told and what it gives, as plain data.
//!
//! This module owns no state, and never knows how any of it is shown or used.

use jiff::tz::TimeZone;

use super::abilities::Abilities;
use crate::identity::Fingerprint;
use crate::wire::{Id, Key};

/// What the terminal is told at its start.
#[derive(Clone, Debug)]
pub struct TerminalOptions {
    /// Columns; 0 if unknown.
    pub cols: u16,
    /// Rows; 0 if unknown.
    pub rows: u16,
    /// Colours may be used (`--color`, NO_COLOR).
    pub color: bool,
    /// What the terminal is known to do.
    pub abilities: Abilities,
    /// Where "local time" is.
    pub zone: TimeZone,
    /// The room, for the prompt.
    pub room: String,
    /// One's own nick.
    pub nick: String,
    /// One's own key.
    pub key: Key,
    /// The commands that Tab completes, with their slash.
    pub commands: Vec<String>,
    /// The wall clock in milliseconds since 1970: the day before the first line.
    pub wall_ms: u64,
}

/// What the user wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// A line was entered; it may be a command.
    Line(String),
    /// Pasted lines, to be said as they are: never commands.
    Lines(Vec<String>),
    /// Ctrl-Z: write what [`Terminal::fill`](super::Terminal::fill) gives, restore the terminal's mode, stop; then
    /// [`Terminal::resume`](super::Terminal::resume).
    Suspend,
    /// Ctrl-C or Ctrl-D with nothing typed; each time it is pressed.
    Leave,
}

/// Which of the rooms the user wants to see, by a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Go {
    /// Ctrl-N: the next one.
    Next,
    /// Ctrl-P: the one before.
    Previous,
    /// Alt-1 to Alt-9: the one of this number.
    Number(usize),
}

/// A room of the process as a terminal shows it, beside the prompt.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RoomTab {
    /// Its name.
    pub name: String,
    /// How many messages came that were not seen.
    pub unread: u64,
    /// In how many of them the user is named, or written to alone.
    pub mentions: u64,
    /// It is the one that is seen, and where what is typed is said.
    pub is_front: bool,
}

/// A sign of the user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sign {
    /// A key was pressed, or something was pasted.
    Key,
    /// The terminal has the focus, or has lost it.
    Focus(bool),
}

/// A message to print.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShownMessage<'a> {
    /// The author's id at the time of writing.
    pub id: Id,
    /// The author's key.
    pub key: Key,
    /// The author's nick at the time of writing.
    pub nick: &'a str,
    /// What was said.
    pub text: &'a str,
    /// The author's wall clock in milliseconds since 1970.
    pub sent_ms: u64,
    /// By this node.
    pub own: bool,
    /// Said to one member alone: its name as it is to be shown.
    pub private_to: Option<&'a str>,
    /// Whose node the author is, if it has proven that: the colour, which is the nick's otherwise.
    pub identity: Option<Fingerprint>,
    /// Somebody else was known under this nick before.
    pub is_another: bool,
}
