//! What the user sees and says, without I/O and without a clock of its own.
//!
//! The driver feeds it the bytes of stdin, the node's events and deadlines, and takes from it
//! commands for the node and bytes for stdout and stderr. Filters, `--json` and the interactive
//! terminal are three faces of this one interface.
//!
//! | file | owns, or subject |
//! | --- | --- |
//! | `config` | what the driver tells: the command line, the sockets, the terminal |
//! | `sending` | the lines that were read, when they go, and when to leave |
//! | `input_lines`, `queued_lines` | stdin as messages, and those that wait for the node |
//! | `commands`, `orders` | what a typed line means, and what a command does |
//! | `whom` | which member a command means |
//! | `attention` | what the user is called for, and what is unread |
//! | `ignored`, `likeness` | whom the user does not want to read, and whose nicks look alike |
//! | `showing` | which event is shown, and how much of the history |
//! | `news` | who comes and goes, in as few lines as people need |
//! | `repeats` | how many lines of one kind, where others can bring about any number |
//! | `display` | the face, the two outputs, and what goes to which of them |
//! | `face`, `prompt`, `terminal` | text, JSON or a prompt; the prompt here, and how one works |
//! | `output`, `stderr` | what waits for stdout and for stderr |
//! | `backlog`, `gap`, `waiting_in_store` | its order and bounds, what is skipped, what is stored |
//! | `printed` | what of it is written |
//! | `line_format`, `text`, `json`, `json_message`, `json_people`, `numbers`, `visible` | how it reads |
//! | `event_data` | the data of events while they wait |
//! | `history_output` | how a message reads that `papo history` found |
//! | `rooms_found` | how the rooms read that `papo scan` heard |
//! | `rooms` | what the user wants of the rooms of a process |
//! | `asked` | what it is asked about the store, about the other rooms, and at the end |
//! | `searching` | what `/search` finds, in memory and in the store |
//! | `runs` | messages for each of which a command is to be run |
//! | `wanted` | which messages a listener wants, and how many |
//! | `people` | who people are, as far as their links have proven it |
//! | `room_state` | what is read of the node |
//!
//! [`Ui`] owns three closed parts, `Sending`, `Showing` and `Display`, and carries what the driver
//! says to them; nobody else names their fields. What a part needs beside its own state it is lent
//! for one call: `Sending` and `Showing` are lent the `Display` and the view of the node, and know
//! nothing of each other. Each file imports only from files that do not import it, however
//! indirectly; none but this one, and its part `asked`, knows [`Ui`].

pub mod act;
mod asked;
mod attention;
mod backlog;
mod commands;
mod config;
mod display;
mod event_data;
mod face;
mod gap;
pub mod history_output;
mod ignored;
pub mod input_lines;
mod json;
mod json_message;
mod json_people;
mod likeness;
mod line_format;
mod news;
mod numbers;
mod orders;
mod output;
mod people;
mod printed;
mod prompt;
mod queued_lines;
pub(crate) mod repeats;
mod room_state;
mod rooms;
pub mod rooms_found;
mod runs;
mod searching;
mod sending;
mod showing;
mod stderr;
pub mod terminal;
mod text;
pub mod visible;
mod waiting_in_store;
mod wanted;
mod whom;

pub use asked::{Handover, ReadLines};
pub use attention::Notify;
pub use commands::HELP as COMMANDS_HELP;
pub use config::{DriverStatus, Listening, Mode, Notices, Replay, ScreenFacts, UiConfig};
pub(crate) use json::event as json_event;
pub use printed::Fate;
pub use room_state::RoomState;
pub use rooms::{RoomCall, RoomWish};
pub use runs::Run;
pub use searching::FoundInStore;
pub use wanted::Wanted;

use crate::identity::Peer;
use crate::node::{Command, Event, Now, Time};

use display::Display;
use orders::CommandParts;
use prompt::Prompt;
use searching::Searching;
use sending::Sending;
use showing::{LeavingNews, Showing, show_left};
use terminal::Action;

/// The user's side of one node.
///
/// `on_*` takes something in, `poll_command` and `fill_*` give something out, the rest looks.
#[derive(Debug)]
pub struct Ui {
    sending: Sending,
    showing: Showing,
    display: Display,
    /// Nodes with another secret were heard in a room of this name.
    hears_other_secret: bool,
    /// Another member was seen at some time.
    met_somebody: bool,
    /// When a prompt calls the user.
    notify: Notify,
    /// The user wants a trace, and the driver does not know it yet.
    trace: Option<String>,
    /// What the user wants of the rooms, and the driver does not know yet.
    wish: Option<RoomWish>,
    searching: Searching,
}

impl Ui {
    /// The user's side as the command line wants it.
    #[must_use]
    pub fn new(mut config: UiConfig) -> Ui {
        let mut ui = Ui {
            sending: Sending::new(&config),
            showing: Showing::new(&config),
            display: Display::new(&config),
            hears_other_secret: false,
            met_somebody: false,
            notify: config.notify,
            trace: None,
            wish: None,
            searching: Searching::default(),
        };
        // The lines of the command line stand for stdin.
        if let Some(lines) = config.lines.take() {
            for words in ui.sending.take_lines(lines) {
                ui.display.say_on_stderr(&words);
            }
        }
        ui
    }

    /// The sockets are open.
    pub fn on_listening(&mut self, now: Now, listening: &Listening) {
        self.display.stdout_mut().set_own(listening.key);
        self.sending.start(now.time);
        (self.showing).on_listening(&mut self.display, now, listening);
    }

    /// Shows a prompt from now on: stdin gives single keys (raw mode), stdout is the same terminal.
    /// To be called after [`on_listening`](Ui::on_listening), in interactive mode only.
    pub fn open_terminal(&mut self, now: Now, screen: ScreenFacts, listening: &Listening) {
        let prompt = Prompt::new(now, screen, listening, self.notify);
        self.display.open(prompt);
    }

    /// The node shows something.
    pub fn on_event(&mut self, now: Now, event: Event, node: &dyn RoomState) {
        self.met_somebody |= node.members().len() > 1;
        self.on_time(now);
        if let Event::Left {
            confirmed,
            unconfirmed,
            missing,
            missed,
            lost,
        } = event
        {
            // A script wants to know whether everybody has it that was there.
            let confirmed = confirmed && (lost.is_empty() || !self.sending.is_filter());
            let leaving = LeavingNews {
                confirmed,
                unconfirmed,
                missing,
                missed,
                lost,
            };
            let unsent = self
                .sending
                .end(!self.met_somebody, self.hears_other_secret);
            return show_left(&mut self.display, now, &leaving, &unsent);
        }
        self.showing.show(&mut self.display, now, event, node);
        if self.showing.is_done() {
            self.stop(now);
        }
    }

    /// A link has proven who is at its other end, or this node knows who it is itself.
    pub fn on_met(&mut self, now: Now, peer: Peer, node: &dyn RoomState) {
        self.display.met(now, peer, node.members());
    }

    /// Bytes came from stdin.
    pub fn on_input(&mut self, now: Now, bytes: &[u8]) {
        if let Some(prompt) = self.display.prompt_mut() {
            prompt.on_bytes(now.time, bytes);
            self.take_actions(now);
        } else if self.sending.reads_input() {
            let words = self.sending.take_bytes(bytes);
            self.warn_all(now, &words);
        }
    }

    /// Stdin is at its end.
    pub fn on_input_end(&mut self, now: Now) {
        let words = self.sending.on_input_end(now.time);
        self.warn_all(now, &words);
    }

    /// The first SIGINT or SIGTERM, or the reader of stdout went away (`quiet`): leave in good
    /// order.
    pub fn on_stop(&mut self, now: Now, quiet: bool) {
        if quiet {
            self.display.stdout_mut().close();
        }
        self.stop(now);
    }

    /// The time that `next_deadline` named has come.
    pub fn on_deadline(&mut self, now: Now) {
        self.sending.expire(now.time);
        self.showing.on_deadline(&mut self.display, now);
        self.display.sum_up(now);
        if let Some(prompt) = self.display.prompt_mut() {
            prompt.on_deadline(now.time);
            self.take_actions(now);
        }
    }

    /// The terminal has another size (SIGWINCH).
    pub fn on_resize(&mut self, cols: u16, rows: u16) {
        if let Some(prompt) = self.display.prompt_mut() {
            prompt.on_resize(cols, rows);
        }
    }

    /// The process is about to be stopped (SIGTSTP): what
    /// [`fill_stdout`](Ui::fill_stdout) gives next restores the terminal.
    pub fn on_suspend(&mut self) {
        if let Some(prompt) = self.display.prompt_mut() {
            prompt.suspend();
        }
    }

    /// The process goes on after it was stopped (SIGCONT).
    pub fn on_resume(&mut self, cols: u16, rows: u16) {
        if let Some(prompt) = self.display.prompt_mut() {
            prompt.resume(cols, rows);
        }
    }

    /// The machine slept, or this process was stopped.
    pub fn on_absence(&mut self) {
        if let Some(prompt) = self.display.prompt_mut() {
            prompt.note_absence();
        }
    }

    fn on_time(&mut self, now: Now) {
        if let Some(prompt) = self.display.prompt_mut() {
            prompt.on_time(now.wall_ms);
        }
    }

    /// Nodes with another secret use this room's name: whoever says something to nobody may have the wrong
    /// secret, which is no success.
    pub fn note_other_secret(&mut self) {
        self.hears_other_secret = true;
    }

    /// The driver has something to say (an interface failed, ...).
    pub fn warn(&mut self, now: Now, text: &str) {
        self.display.warn(now, text);
    }

    /// A line for stderr while stderr is the terminal with the prompt: printed above it. False if
    /// there is no prompt, and stderr is free.
    pub fn log(&mut self, now: Now, line: &str) -> bool {
        let shown = self.has_prompt();
        if shown {
            // The notice has its own time, and who says it is known.
            let line = line.strip_prefix("papo: ").unwrap_or(line);
            self.display.notice(now, line);
        }
        shown
    }

    /// When `on_deadline` wants to be called, if at all.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        let keys = self.display.prompt().and_then(Prompt::next_deadline);
        let rest = [
            self.sending.deadline(),
            self.showing.next_deadline(),
            self.display.next_deadline(),
        ];
        keys.into_iter().chain(rest.into_iter().flatten()).min()
    }

    /// False while more bytes of stdin could not be kept.
    #[must_use]
    pub fn wants_input(&self, _node: &dyn RoomState) -> bool {
        // Keys are read even while lines wait: Ctrl-C is one.
        let has_room = self.sending.has_room() && self.display.stdout().has_room();
        self.sending.reads_input() && (self.display.prompt().is_some() || has_room)
    }

    /// True while the prompt owns the terminal: raw mode is to be set exactly as long.
    #[must_use]
    pub fn has_prompt(&self) -> bool {
        let prompt = self.display.prompt();
        prompt.is_some_and(|prompt| !prompt.wants_stop()) && self.sending.reads_input()
    }

    /// Whether the process is to stop, by Ctrl-Z or [`on_suspend`](Ui::on_suspend), once everything
    /// for stdout is written and the terminal's mode is restored.
    #[must_use]
    pub fn wants_stop(&self) -> bool {
        self.display.prompt().is_some_and(Prompt::wants_stop)
    }

    /// True if the time is over that the command line gives (`--timeout`), and the node is still to be told
    /// to leave: [`poll_command`](Ui::poll_command) is to be asked whatever else waits.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.sending.is_late()
    }

    /// When the end of a pipe is to be over (`--timeout`), once the node was told to leave.
    #[must_use]
    pub fn ends_at(&self) -> Option<Time> {
        self.sending.ends_at()
    }

    /// The next thing that the user wants of the node. `/members`, `/status` and the like are
    /// answered inside. None when there is nothing, or nothing yet.
    pub fn poll_command(
        &mut self,
        now: Now,
        node: &dyn RoomState,
        status: DriverStatus,
    ) -> Option<Command> {
        self.sending.expire(now.time);
        self.on_time(now);
        self.take_actions(now);
        if let Some(prompt) = self.display.prompt_mut() {
            prompt.show_progress(now.time, node, self.showing.has_joined());
        }
        let mut lent = CommandParts {
            now,
            node,
            status,
            showing: &mut self.showing,
            display: &mut self.display,
            searching: &mut self.searching,
            trace: &mut self.trace,
            wish: &mut self.wish,
        };
        if lent.waits_for_store() && !self.sending.is_late() {
            return None;
        }
        lent.showing.look_alikes(lent.display, now, node);
        let command = self.sending.next_command(&mut lent);
        if self.sending.take_wait_due() {
            self.say_wait(now, node);
        }
        command
    }

    /// The file that the user wants a trace in: none that has a name, if only asked; `off` ends it.
    pub fn take_trace(&mut self) -> Option<String> {
        self.trace.take()
    }

    /// Something that the user asked to be told.
    pub fn tell(&mut self, now: Now, text: &str) {
        self.display.notice(now, text);
    }

    /// What the user asked for cannot be done.
    pub fn refuse(&mut self, now: Now, why: &str) {
        self.display.remark(now, "error", why);
    }

    /// Says what leaving waits for.
    fn say_wait(&mut self, now: Now, node: &dyn RoomState) {
        let (lines, missing) = node.unconfirmed();
        if lines > 0 {
            let is_prompt = self.display.prompt().is_some();
            let words = text::waiting(lines, &missing, is_prompt);
            match self.display.prompt() {
                Some(prompt) if prompt.is_behind() => self.display.say_on_stderr(&words),
                _ => self.display.notice(now, &words),
            }
        }
    }

    /// Appends whole lines for stdout until `out` holds at least `limit` bytes or there is no more.
    pub fn fill_stdout(&mut self, out: &mut Vec<u8>, limit: usize) {
        let leaves = !self.sending.reads_input();
        self.display.fill_stdout(out, limit, leaves);
    }

    /// The next message for which a command is to be run, with [`UiConfig::runs`] only.
    pub fn next_run(&mut self) -> Option<Run> {
        self.display.next_run()
    }

    /// For how many messages a command is still to be run.
    #[must_use]
    pub fn waiting_runs(&self) -> u64 {
        self.display.waiting_runs()
    }

    /// Stdout never waits, as a file: nothing for it is ever skipped.
    pub fn keep_all_output(&mut self) {
        self.display.stdout_mut().keep_all();
    }

    /// True while more waits for stdout than is kept for a slow reader.
    #[must_use]
    pub fn has_much_output(&self) -> bool {
        self.display.stdout().is_too_long()
    }

    /// The system has taken so many more bytes of what [`fill_stdout`](Ui::fill_stdout) gave.
    pub fn on_written(&mut self, bytes: u64) {
        self.display.stdout_mut().on_written(bytes);
    }

    /// What became of the next live or late messages of others, in the order in which the node
    /// showed them: with [`UiConfig::confirms_printed`] only, and `None` while it is not known.
    pub fn next_fate(&mut self) -> Option<Fate> {
        self.display.stdout_mut().next_fate()
    }

    /// Appends whole lines for stderr until `out` holds at least `limit` bytes or there is no more.
    pub fn fill_stderr(&mut self, out: &mut Vec<u8>, limit: usize) {
        self.display.fill_stderr(out, limit);
    }

    /// The exit status, once the node has left and everything is in the outputs.
    #[must_use]
    pub fn exit_status(&self) -> Option<u8> {
        self.display.status()
    }

    fn warn_all(&mut self, now: Now, words: &[String]) {
        for words in words {
            self.display.warn(now, words);
        }
    }

    fn stop(&mut self, now: Now) {
        if let Some(words) = self.sending.stop(now.time) {
            self.display.warn(now, words);
        }
    }

    /// Takes what the keys asked for, as far as there is room for lines.
    fn take_actions(&mut self, now: Now) {
        while self.sending.reads_input()
            && self.sending.has_room()
            && let Some(action) = self.display.prompt_mut().and_then(Prompt::poll_action)
        {
            match action {
                Action::Line(line) => {
                    let words = self.sending.take_bytes((line + "\n").as_bytes());
                    self.warn_all(now, &words);
                }
                Action::Lines(lines) => {
                    for line in lines {
                        let words = self.sending.take_pasted(&line);
                        self.warn_all(now, &words);
                    }
                }
                // The prompt has noted it.
                Action::Suspend => {}
                Action::Leave => {
                    self.wish = Some(RoomWish::Leave);
                    self.stop(now);
                }
            }
        }
    }
}
