//! What the user sees and says, without I/O and without a clock of its own.
//!
//! The driver feeds it the bytes of stdin, the node's events and deadlines, and takes from it
//! commands for the node and bytes for stdout and stderr. Filters, `--json` and the interactive
//! terminal are three faces of this one interface.

pub mod lines;
pub mod terminal;
pub mod visible;

use std::time::Duration;

use crate::node::{Command, Event, Node, Now, Time};

/// How stdin is read and stdout is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// `<nick> text` lines on stdout, notices on stderr.
    Text,
    /// JSON Lines on stdout.
    Json,
    /// A terminal with a prompt.
    Interactive,
}

/// How much of the history is printed on joining.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replay {
    /// The newest so many.
    Last(usize),
    /// All.
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
    /// Stay in the room after the end of stdin.
    pub stay: bool,
    /// Start sending only once so many other members are in the room.
    pub wait_members: usize,
    /// How long to wait for members and for confirmations.
    pub timeout: Duration,
    /// How many messages the history keeps; output that nobody reads is kept as long.
    pub history_max: usize,
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
    pub key: crate::wire::Key,
}

/// What the driver knows for `/status`.
#[derive(Clone, Copy, Debug, Default)]
pub struct DriverStatus {
    /// Outbound bytes queued for all peers.
    pub queued_bytes: u64,
    /// Since the start.
    pub uptime: Duration,
}

/// The user's side of one node.
#[derive(Debug)]
pub struct Ui {
    config: UiConfig,
}

#[allow(missing_docs, clippy::unused_self)]
impl Ui {
    pub fn new(config: UiConfig) -> Ui {
        Ui { config }
    }
    /// The sockets are open.
    pub fn on_listening(&mut self, _now: Now, _listening: &Listening) {}
    /// The node shows something.
    pub fn on_event(&mut self, _now: Now, _event: Event, _node: &Node) {}
    /// Bytes came from stdin.
    pub fn on_input(&mut self, _now: Now, _bytes: &[u8]) {}
    /// Stdin is at its end.
    pub fn on_input_end(&mut self, _now: Now) {}
    /// The first SIGINT or SIGTERM, or the reader of stdout went away (`quiet`): leave in good
    /// order.
    pub fn on_stop(&mut self, _now: Now, _quiet: bool) {}
    /// The time that `next_deadline` named has come.
    pub fn on_deadline(&mut self, _now: Now) {}
    /// The driver has something to say (an interface failed, ...).
    pub fn warn(&mut self, _now: Now, _text: &str) {}

    /// When `on_deadline` wants to be called, if at all.
    pub fn next_deadline(&self) -> Option<Time> {
        None
    }
    /// False while more bytes of stdin could not be kept.
    pub fn wants_input(&self, _node: &Node) -> bool {
        self.config.reads_stdin
    }
    /// The next thing that the user wants of the node. `/members`, `/status` and the like are
    /// answered inside. None when there is nothing, or nothing yet.
    pub fn poll_command(
        &mut self,
        _now: Now,
        _node: &Node,
        _status: DriverStatus,
    ) -> Option<Command> {
        None
    }
    /// Appends whole lines for stdout until `out` holds at least `limit` bytes or there is no more.
    pub fn fill_stdout(&mut self, _out: &mut Vec<u8>, _limit: usize) {}
    /// The same for stderr.
    pub fn fill_stderr(&mut self, _out: &mut Vec<u8>, _limit: usize) {}
    /// The exit status, once the node has left and everything is in the outputs.
    pub fn exit_status(&self) -> Option<u8> {
        None
    }
}
