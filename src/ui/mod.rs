//! What the user sees and says, without I/O and without a clock of its own.
//!
//! The driver feeds it the bytes of stdin, the node's events and deadlines, and takes from it
//! commands for the node and bytes for stdout and stderr. Filters, `--json` and the interactive
//! terminal are three faces of this one interface.
//!
//! | file | subject |
//! | --- | --- |
//! | `input_lines`, `queued_lines` | stdin as messages, and those that wait for the node |
//! | `sending` | when a line goes, what a command does, when to leave |
//! | `commands` | what a typed line means |
//! | `terminal`, `interactive` | a prompt, and how it is used here |
//! | `showing` | which event is shown where |
//! | `output`, `backlog` | what waits for stdout and stderr |
//! | `waiting_in_store` | what waits for stdout and is left in the store |
//! | `printed` | what of it is written |
//! | `text`, `json`, `numbers`, `visible` | how it reads |
//! | `history_output` | how a message reads that `papo history` found |
//! | `rooms_found` | how the rooms read that `papo scan` heard |
//! | `node_view` | what is read of the node |

mod backlog;
mod commands;
pub mod history_output;
pub mod input_lines;
mod interactive;
mod json;
mod node_view;
mod numbers;
mod output;
mod printed;
mod queued_lines;
pub mod rooms_found;
mod sending;
mod showing;
pub mod terminal;
mod text;
pub mod visible;
mod waiting_in_store;

pub use interactive::Screen;
pub use node_view::NodeView;
pub use printed::Fate;

use std::time::Duration;

use crate::node::{Command, Event, Now, Time};
use crate::wire::{ChatMessage, Id, Key, Position};

use output::{Output, Stderr};
use queued_lines::QueuedLines;
use sending::{Sending, Stage};
use terminal::Terminal;

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
    /// In a pipe, say on stderr who comes and goes; warnings are said in any case.
    pub notices: bool,
    /// Stay in the room after the end of stdin.
    pub stay: bool,
    /// Start sending only once so many other members are in the room.
    pub wait_members: usize,
    /// How long to wait for members and for confirmations.
    pub timeout: Duration,
    /// How many messages the history keeps; output that nobody reads is kept as long.
    pub history_max: usize,
    /// What others wrote is confirmed once it is written to stdout; see [`Ui::next_fate`].
    pub confirms_printed: bool,
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
    /// Since the start.
    pub uptime: Duration,
}

/// A message to or from one member alone.
#[derive(Clone, Copy, Debug)]
struct Private<'a> {
    from: Id,
    key: Key,
    nick: &'a str,
    sent_at: u64,
    text: &'a str,
    own: bool,
}

/// The user's side of one node.
///
/// `on_*` takes something in, `poll_command` and `fill_*` give something out, the rest looks.
#[derive(Debug)]
pub struct Ui {
    config: UiConfig,
    /// The room's name.
    room: String,
    /// This node's nick at the start.
    nick: String,
    /// Where this node can be reached, and where it asks.
    reach: text::Reach,
    pending: QueuedLines,
    sending: Sending,
    /// The first `Joined` was seen: what comes before it is history.
    joined: bool,
    /// Old messages printed so far, which `--replay` bounds.
    replayed: usize,
    stdout: Output,
    stderr: Stderr,
    status: Option<u8>,
    /// The prompt, once it is opened.
    terminal: Option<Terminal>,
    /// Ctrl-Z was pressed.
    wants_stop: bool,
    /// To whom the last `/msg` went.
    addressee: Option<String>,
}

impl Ui {
    /// The user's side as the command line wants it.
    #[must_use]
    pub fn new(config: UiConfig) -> Ui {
        let mut ui = Ui {
            room: String::new(),
            nick: String::new(),
            reach: text::Reach::default(),
            pending: QueuedLines::default(),
            sending: Sending::new(&config),
            joined: false,
            replayed: 0,
            stdout: Output::new(
                config.mode,
                output::kept_bytes(config.history_max),
                config.confirms_printed,
            ),
            stderr: Stderr::default(),
            status: None,
            terminal: None,
            wants_stop: false,
            addressee: None,
            config,
        };
        ui.take_lines();
        ui
    }

    /// The lines of the command line stand for stdin.
    fn take_lines(&mut self) {
        let Some(lines) = self.config.lines.take() else {
            return;
        };
        self.config.reads_stdin = false;
        self.config.commands = false;
        for line in lines {
            for words in self.pending.push((line + "\n").as_bytes()) {
                self.stderr.push(&words);
            }
        }
        for words in self.pending.finish() {
            self.stderr.push(&words);
        }
        self.sending.input_ended = true;
    }

    /// The sockets are open.
    pub fn on_listening(&mut self, now: Now, listening: &Listening) {
        self.room.clone_from(&listening.room);
        self.nick.clone_from(&listening.nick);
        self.stdout.set_own(listening.key);
        self.sending.start(now.time, &self.config);
        self.show_listening(now, listening);
    }

    /// The node shows something.
    pub fn on_event(&mut self, now: Now, event: Event, node: &dyn NodeView) {
        self.show(now, event, node);
    }

    /// Bytes came from stdin.
    pub fn on_input(&mut self, now: Now, bytes: &[u8]) {
        if self.terminal.is_some() {
            self.on_keys(now, bytes);
        } else if self.reads_input() {
            self.take_bytes(now, bytes);
        }
    }

    /// Bytes of lines, whoever made them.
    fn take_bytes(&mut self, now: Now, bytes: &[u8]) {
        for words in self.pending.push(bytes) {
            self.warn(now, &words);
        }
    }

    /// Stdin is at its end.
    pub fn on_input_end(&mut self, now: Now) {
        if self.reads_input() {
            for words in self.pending.finish() {
                self.warn(now, &words);
            }
            self.sending.input_ended = true;
        }
    }

    /// The first SIGINT or SIGTERM, or the reader of stdout went away (`quiet`): leave in good
    /// order.
    pub fn on_stop(&mut self, now: Now, quiet: bool) {
        if quiet {
            self.stdout.close();
        }
        self.stop(now);
    }

    /// The time that `next_deadline` named has come.
    pub fn on_deadline(&mut self, now: Now) {
        self.sending.expire(now.time);
        if let Some(terminal) = &mut self.terminal {
            terminal.on_deadline(now.time);
            self.take_actions(now);
        }
    }

    /// The driver has something to say (an interface failed, ...).
    pub fn warn(&mut self, now: Now, text: &str) {
        self.show_remark(now, "warning", text);
    }

    /// When `on_deadline` wants to be called, if at all.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        let keys = self.terminal.as_ref().and_then(Terminal::next_deadline);
        keys.into_iter().chain(self.sending.deadline).min()
    }

    /// False while more bytes of stdin could not be kept.
    #[must_use]
    pub fn wants_input(&self, _node: &dyn NodeView) -> bool {
        // Keys are read even while lines wait: Ctrl-C is one.
        let has_room = self.pending.has_room() && self.stdout.has_room();
        self.reads_input() && (self.terminal.is_some() || has_room)
    }

    /// The next thing that the user wants of the node. `/members`, `/status` and the like are
    /// answered inside. None when there is nothing, or nothing yet.
    pub fn poll_command(
        &mut self,
        now: Now,
        node: &dyn NodeView,
        status: DriverStatus,
    ) -> Option<Command> {
        self.next_command(now, node, status)
    }

    /// Appends whole lines for stdout until `out` holds at least `limit` bytes or there is no more.
    pub fn fill_stdout(&mut self, out: &mut Vec<u8>, limit: usize) {
        match self.terminal.is_some() {
            true => self.fill_terminal(out, limit),
            false => self.stdout.fill(out, limit, &mut self.stderr),
        }
    }

    /// What the node shows from now on is in a store: what has no room in memory may be left there.
    pub fn has_store(&mut self) {
        self.stdout.has_store();
    }

    /// What is to be fetched from the store before more can be printed: after the one position, and up to
    /// the other.
    pub fn wants_stored(&mut self) -> Option<(Position, Position)> {
        self.stdout.wanted()
    }

    /// True if a message at this position is among what [`wants_stored`](Ui::wants_stored) named.
    #[must_use]
    pub fn is_wanted_of_store(&self, position: Position) -> bool {
        self.stdout.is_wanted(position)
    }

    /// These are all that was found of it up to this position, in the history's order.
    pub fn give_stored(&mut self, found: Vec<ChatMessage>, upto: Position) {
        self.stdout.give(found, upto);
    }

    /// Stdout never waits, as a file: nothing for it is ever skipped.
    pub fn keep_all_output(&mut self) {
        self.stdout.keep_all();
    }

    /// True while more waits for stdout than is kept for a slow reader.
    #[must_use]
    pub fn has_much_output(&self) -> bool {
        self.stdout.is_too_long()
    }

    /// The system has taken so many more bytes of what [`fill_stdout`](Ui::fill_stdout) gave.
    pub fn on_written(&mut self, bytes: u64) {
        self.stdout.on_written(bytes);
    }

    /// What became of the next live or late messages of others, in the order in which the node
    /// showed them: with [`UiConfig::confirms_printed`] only, and `None` while it is not known.
    pub fn next_fate(&mut self) -> Option<Fate> {
        self.stdout.next_fate()
    }

    /// Messages that are not written to stdout, and of which nothing was said. None if the reader
    /// went away: nobody misses them.
    #[must_use]
    pub fn unprinted(&self) -> u64 {
        self.stdout.unprinted()
    }

    /// Papo ends, and nobody has read so many messages.
    pub fn say_unprinted(&mut self, count: u64) {
        let lines = text::count(count, "line");
        let words = format!("{lines} not printed: nobody read the output");
        self.stderr.push(&words);
    }

    /// What [`fill_stdout`](Ui::fill_stdout) does, for stderr.
    pub fn fill_stderr(&mut self, out: &mut Vec<u8>, limit: usize) {
        self.stderr.fill(out, limit);
    }

    /// The exit status, once the node has left and everything is in the outputs.
    #[must_use]
    pub fn exit_status(&self) -> Option<u8> {
        self.status
    }

    fn reads_input(&self) -> bool {
        self.config.reads_stdin && !self.sending.input_ended && self.sending.stage == Stage::Here
    }
}
