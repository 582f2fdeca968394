//! What the driver tells the user interface: what the command line says, which sockets are open,
//! what the terminal is like, and what `/status` asks of the driver.
//!
//! This module is plain data. It owns no state of the running interface, decides nothing, and
//! imports of the other files here only what is plain data, too.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::attention::Notify;
use super::terminal::Abilities;
use super::wanted::Wanted;
use crate::wire::Key;

/// How stdin is to be read and stdout to be written, as the command line wants it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// `<nick> text` lines on stdout, notices on stderr.
    Text,
    /// JSON Lines on stdout.
    Json,
    /// A terminal with a prompt. Until [`Ui::open_terminal`](super::Ui::open_terminal) is called,
    /// and where there is no terminal after all, it is text whose notices are said on stderr.
    Interactive,
}

/// How much of the history is printed on joining.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replay {
    /// The newest so many messages are printed.
    Last(usize),
    /// All messages are printed.
    All,
}

impl Replay {
    /// How many old messages are printed at most.
    pub(super) fn max(self) -> usize {
        match self {
            Replay::Last(count) => count,
            Replay::All => usize::MAX,
        }
    }
}

/// How much is said of who comes and goes, and of elections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notices {
    /// Nothing, unless the user asks for it.
    Never,
    /// What people need.
    Brief,
    /// Every step, at once.
    All,
}

/// What the command line says about the user's side.
#[derive(Clone, Debug)]
pub struct UiConfig {
    /// How stdin and stdout are used.
    pub mode: Mode,
    /// How much history is printed on joining.
    pub replay: Replay,
    /// Lines of stdin that begin with `/` are commands.
    pub commands: bool,
    /// Lines to say (the TEXT of `papo send`); then stdin is not read.
    pub lines: Option<Vec<String>>,
    /// Whether stdin is read at all (`papo listen` does not).
    pub reads_stdin: bool,
    /// How much is said of who comes and goes: in a pipe on stderr. Warnings are said in any case.
    pub notices: Notices,
    /// When a prompt rings and notifies.
    pub notify: Notify,
    /// Stay in the room after the end of stdin.
    pub stay: bool,
    /// Start sending only once so many other members are in the room.
    pub wait_members: usize,
    /// How long to wait for members and for confirmations.
    pub timeout: Duration,
    /// How many messages the history keeps; output that nobody reads is kept as long.
    pub history_max: usize,
    /// Which messages are shown.
    pub wanted: Wanted,
    /// Messages are not printed: a command is run for each, see [`Ui::next_run`](super::Ui::next_run).
    pub runs: bool,
    /// A line of text begins with when it was said.
    pub timestamps: bool,
    /// What others wrote is confirmed once it is written to stdout; see
    /// [`Ui::next_fate`](super::Ui::next_fate).
    pub confirms_printed: bool,
}

impl UiConfig {
    /// True for what has lines to say and no prompt: `papo send`, and a pipe.
    pub(super) fn is_filter(&self) -> bool {
        (self.reads_stdin || self.lines.is_some()) && self.mode != Mode::Interactive
    }

    /// How long the room is waited for; none where there is no end to it.
    #[must_use]
    pub fn waits_for_room(&self) -> Option<Duration> {
        self.is_filter().then_some(self.timeout)
    }
}

/// The sockets that the driver opened, for the user.
#[derive(Clone, Debug)]
pub struct Listening {
    /// The TCP listener's addresses.
    pub tcp: Vec<String>,
    /// The multicast group, if there is one.
    pub group: String,
    /// The room.
    pub room: String,
    /// This node's nick.
    pub nick: String,
    /// This node's key.
    pub key: Key,
}

/// What the driver knows for `/status`.
#[derive(Clone, Copy, Debug, Default)]
pub struct DriverStatus {
    /// Outbound bytes queued for all peers.
    pub queued_bytes: u64,
    /// The time since the start.
    pub uptime: Duration,
}

/// What the driver knows of the terminal.
#[derive(Clone, Debug)]
pub struct ScreenFacts {
    /// Columns; 0 if unknown.
    pub cols: u16,
    /// Rows; 0 if unknown.
    pub rows: u16,
    /// Colours may be used.
    pub color: bool,
    /// What the terminal is known to do.
    pub abilities: Abilities,
    /// Where "local time" is.
    pub zone: TimeZone,
}
