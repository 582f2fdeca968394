//! The process's own side: stdin, stdout, stderr, the terminal and signals.
//!
//! Owns the three descriptors, the terminal's mode and the signals' handlers. What is typed and shown is
//! the business of [`Ui`], which is lent for each call; here is only how much of it moves in one turn.
//! Nothing here waits, and nothing here knows peers or the store.
//!
//! | file | owns |
//! | --- | --- |
//! | `stdio` | stdin, stdout and stderr, whatever they are |
//! | `tty` | the terminal's mode |
//! | `signals` | the handlers of signals |
//! | `shares` | whose bytes wait in stdout |
//! | `allowance` | what one turn may take of the user's commands |

mod allowance;
mod shares;
mod signals;
mod stdio;
mod tty;

use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;

use mio::Registry;
use mio::event::Event;

use crate::limits::{
    OUTPUT_BYTES_MAX, OUTPUT_BYTES_PER_TURN_MAX, OUTPUT_FILE_BYTES_PER_TURN_MAX,
    STDIN_BYTES_PER_TURN_MAX,
};
use crate::node::{Node, Now};
use crate::platform::reason;
use crate::ui::terminal::Abilities;
use crate::ui::{Fate, Listening, ScreenFacts, Ui, UiConfig};

use super::loglines;
use super::start_error::StartError;
use super::tokens::{RoomNo, STDERR, STDIN, STDOUT};
pub(super) use allowance::Allowance;
use shares::Shares;
use signals::TtyNews;
pub use signals::outlive_file_limits;
pub(super) use signals::{LeaveFlags, SignalRequest, Signals};
use stdio::{Flushed, InputFd, OutputFd, ReadOutcome};
use tty::Tty;

/// The process's own descriptors and signals.
pub(super) struct Console {
    /// None when stdin is not read, or at its end.
    stdin: Option<InputFd>,
    stdout: OutputFd,
    stderr: OutputFd,
    signals: Signals,
    /// The terminal of the interactive mode.
    tty: Option<Tty>,
    /// More waits to be done than one turn allows.
    has_work: bool,
    /// The user or the system asked papo to leave.
    is_stopping: bool,
    /// The reader of stdout went away, and nobody was told yet.
    stdout_gone: bool,
    /// Nothing that goes to stdout is read any more.
    is_unread: bool,
    /// Which room's bytes wait in stdout.
    shares: Shares,
    /// Stdin was to be read, and was not, since stdout was closed.
    is_stdin_left: bool,
    /// The reader of stdout has taken something since [`Console::begin_round`].
    stdout_moved: bool,
    /// Why stdout failed, if it did so in another way than by its reader going away.
    failure: Option<String>,
}

impl Console {
    /// Watches the descriptors.
    pub(super) fn new(
        registry: &Registry,
        config: &UiConfig,
        signals: Signals,
    ) -> Result<Console, StartError> {
        let failed = |which| move |e| StartError::Stdio(which, e);
        let reads = config.reads_stdin && config.lines.is_none();
        Ok(Console {
            stdin: (reads.then(|| InputFd::stdin(registry, STDIN)).transpose())
                .map_err(failed("stdin"))?,
            stdout: OutputFd::stdout(registry, STDOUT).map_err(failed("stdout"))?,
            stderr: OutputFd::stderr(registry, STDERR).map_err(failed("stderr"))?,
            signals,
            tty: None,
            has_work: false,
            is_stopping: false,
            stdout_gone: false,
            is_unread: false,
            shares: Shares::default(),
            is_stdin_left: false,
            stdout_moved: false,
            failure: None,
        })
    }

    /// Takes an event of one of the three descriptors in.
    pub(super) fn on_event(&mut self, event: &Event) {
        match event.token() {
            STDIN => self.stdin.iter_mut().for_each(InputFd::on_event),
            STDOUT => {
                self.stdout_gone |= event.is_error() || event.is_write_closed();
                self.stdout.on_event();
            }
            _ => self.stderr.on_event(),
        }
    }

    /// Takes the signals in that came; the result is what they ask for.
    pub(super) fn on_signals(&mut self, now: Now, ui: &mut Ui) -> Option<SignalRequest> {
        let request = self.signals.take();
        let news = self.signals.take_tty();
        if news.quit {
            // It is given back by being dropped.
            self.tty = None;
            signals::quit_process();
        }
        self.on_tty_news(ui, news);
        if request == Some(SignalRequest::Leave) {
            self.is_stopping = true;
            ui.on_stop(now, false);
        }
        request
    }

    /// True if a signal asked for a trace to begin, or to end, since the last call.
    pub(super) fn take_trace(&mut self) -> bool {
        self.signals.take_trace()
    }

    /// Stdout was closed when papo was started: as if its reader had gone.
    pub(super) fn note_stdout_closed(&mut self, now: Now, ui: &mut Ui) {
        self.is_stdin_left = self.stdin.is_some();
        ui.warn(
            now,
            match self.is_stdin_left {
                true => "stdout is closed: nothing can be printed, and stdin is not read; leaving",
                false => "stdout is closed: nothing can be printed; leaving",
            },
        );
        self.stdout_gone = true;
    }

    /// True if the user or the system asked papo to leave.
    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping
    }

    /// True if nothing that goes to stdout is read any more.
    pub(super) fn is_unread(&self) -> bool {
        self.is_unread
    }

    /// True if this is the interactive mode, and there is a terminal.
    pub(super) fn has_terminal(&self) -> bool {
        self.tty.is_some()
    }

    /// True if stdin was to be read, and was not, since stdout was closed.
    pub(super) fn is_stdin_left(&self) -> bool {
        self.is_stdin_left
    }

    /// Bytes rendered that stdout and stderr have not taken.
    pub(super) fn pending(&self) -> usize {
        self.stdout.pending() + self.stderr.pending()
    }

    /// True if stdout never waits for a reader.
    pub(super) fn never_waits(&self) -> bool {
        self.stdout.never_waits()
    }

    /// Why stdout failed, if it did so in another way than by its reader going away.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// True if more waits to be done than the last turn allowed.
    pub(super) fn has_work(&self) -> bool {
        self.has_work
    }

    /// More waits to be done than this turn allows.
    pub(super) fn note_work(&mut self) {
        self.has_work = true;
    }

    /// A turn begins, in which what waited is done as far as that turn allows.
    pub(super) fn begin_turn(&mut self) {
        self.has_work = false;
    }

    /// A round of writing begins, which is to show whether the readers take something.
    pub(super) fn begin_round(&mut self) {
        self.has_work = false;
        self.stdout_moved = false;
    }

    /// Whether something was taken since the round began, when so much was pending.
    pub(super) fn has_moved(&self, before: usize) -> bool {
        self.stdout_moved || self.pending() < before
    }

    /// Whether stdin may have something.
    pub(super) fn is_stdin_ready(&self) -> bool {
        self.stdin.as_ref().is_some_and(InputFd::is_ready)
    }

    /// Reads stdin once.
    pub(super) fn read_stdin(&mut self, now: Now, ui: &mut Ui) {
        let Some(stdin) = &mut self.stdin else {
            return;
        };
        let mut buffer = [MaybeUninit::uninit(); STDIN_BYTES_PER_TURN_MAX];
        match stdin.read(&mut buffer) {
            Ok(ReadOutcome::Bytes(bytes)) => ui.on_input(now, bytes),
            Ok(ReadOutcome::Later) => {}
            Ok(ReadOutcome::End) => self.end_stdin(now, ui),
            // nohup opens it for writing only, so that nothing is read from a terminal that goes away.
            Err(e) if e.raw_os_error() == Some(rustix::io::Errno::BADF.raw_os_error()) => {
                ui.warn(
                    now,
                    "stdin cannot be read (nohup does that), and counts as empty; give --stay to stay in the \
                     room, or < /dev/null",
                );
                self.end_stdin(now, ui);
            }
            Err(e) => {
                ui.warn(now, &format!("stdin ends here: {}", reason(&e)));
                self.end_stdin(now, ui);
            }
        }
    }

    fn end_stdin(&mut self, now: Now, ui: &mut Ui) {
        self.stdin = None;
        ui.on_input_end(now);
    }

    /// What this turn may take of the user's commands; none while they wait for peers, unless papo
    /// is to leave.
    pub(super) fn begin_commands(&self, waits: bool) -> Option<Allowance> {
        (self.is_stopping || !waits).then(Allowance::new)
    }

    /// Renders and writes what stdout and stderr take of what is to be said of this room. `fetch` gives the user's side what it wants to
    /// print of the store, and says whether there was anything.
    pub(super) fn flush(
        &mut self,
        now: Now,
        room: RoomNo,
        (ui, node): (&mut Ui, &mut Node),
        mut fetch: impl FnMut(&mut Ui, &Node) -> bool,
    ) {
        if std::mem::take(&mut self.stdout_gone) {
            self.on_stdout_gone(now, ui, &ErrorKind::BrokenPipe.into());
        }
        self.flush_stdout(now, room, ui, |ui| fetch(ui, node));
        self.report_printed(ui, node);
        self.log_above_prompt(now, ui);
        self.flush_stderr(ui);
        self.set_tty_mode(ui);
    }

    /// Shows the prompt, if this is the interactive mode and there is a terminal.
    pub(super) fn open_terminal(
        &mut self,
        now: Now,
        ui: &mut Ui,
        color: bool,
        listening: &Listening,
    ) {
        // There is one, for whatever room.
        self.tty = self.tty.take().or_else(Tty::open);
        if self.tty.is_none() {
            return;
        }
        let (cols, rows) = Tty::size();
        let screen = ScreenFacts {
            cols,
            rows,
            color,
            abilities: Abilities::of(|name| std::env::var(name).ok()),
            zone: jiff::tz::TimeZone::system(),
        };
        ui.open_terminal(now, screen, listening);
        self.set_tty_mode(ui);
    }

    /// Tells a room how many of its bytes were written while another room's were.
    pub(super) fn settle(&mut self, room: RoomNo, ui: &mut Ui) {
        ui.on_written(self.shares.take(room));
    }

    /// Nothing more is printed of this room.
    pub(super) fn forget(&mut self, room: RoomNo) {
        self.shares.forget(room);
    }

    /// Another room is seen in the terminal from now on.
    pub(super) fn hand_over(&mut self, now: Now, from: &mut Ui, to: &mut Ui) {
        let bytes = self.stdout.bytes_mut();
        let before = bytes.len();
        let handover = from.go_behind(bytes);
        self.shares.add(None, (bytes.len() - before) as u64);
        to.come_to_front(now, handover, Tty::size());
        self.has_work = true;
    }

    /// True while a prompt owns the terminal.
    pub(super) fn is_raw(&self) -> bool {
        self.tty.as_ref().is_some_and(Tty::is_raw)
    }

    /// The terminal is raw exactly while the prompt owns it, and what was to be shown last is.
    fn set_tty_mode(&mut self, ui: &Ui) {
        let Some(tty) = &mut self.tty else {
            return;
        };
        let has_prompt = ui.has_prompt();
        if has_prompt {
            tty.set_raw(true);
        } else if tty.is_raw() && self.stdout.pending() == 0 {
            tty.set_raw(false);
            if !ui.wants_stop() {
                self.signals.note_interrupt();
            }
        }
    }

    /// What signals said of the terminal.
    fn on_tty_news(&mut self, ui: &mut Ui, news: TtyNews) {
        if self.tty.is_none() {
            return;
        }
        let (cols, rows) = Tty::size();
        if news.resized {
            ui.on_resize(cols, rows);
        }
        if news.suspend {
            ui.on_suspend();
        } else if news.resumed {
            self.resume(ui);
        }
    }

    /// Stops the process, if Ctrl-Z asked for it and the terminal is restored.
    pub(super) fn stop_if_wanted(&mut self, ui: &mut Ui) {
        if ui.wants_stop() && !self.is_raw() && self.stdout.pending() == 0 {
            tty::stop_process();
            self.resume(ui);
        }
    }

    /// Another program may have left the terminal in any mode.
    fn resume(&mut self, ui: &mut Ui) {
        if let Some(tty) = &mut self.tty {
            tty.set_raw(false);
            tty.set_raw(true);
        }
        let (cols, rows) = Tty::size();
        ui.on_resume(cols, rows);
        self.has_work = true;
    }

    /// Log lines do not disturb a prompt on the same terminal.
    fn log_above_prompt(&mut self, now: Now, ui: &mut Ui) {
        if self.tty.is_none() || !ui.has_prompt() {
            return;
        }
        let mut lines = Vec::new();
        loglines::take_into(&mut lines);
        for line in String::from_utf8_lossy(&lines).lines() {
            ui.log(now, line);
            self.has_work = true;
        }
    }

    fn flush_stdout(
        &mut self,
        now: Now,
        room: RoomNo,
        ui: &mut Ui,
        mut fetch: impl FnMut(&mut Ui) -> bool,
    ) {
        self.settle(room, ui);
        let mut budget = if self.stdout.never_waits() {
            OUTPUT_FILE_BYTES_PER_TURN_MAX
        } else {
            OUTPUT_BYTES_PER_TURN_MAX
        };
        loop {
            if self.stdout.pending() < OUTPUT_BYTES_MAX {
                // The rest comes in the next turns.
                self.has_work |= fetch(ui);
            }
            if let Some(space) = self.stdout.space() {
                let before = space.len();
                ui.fill_stdout(space, OUTPUT_BYTES_MAX);
                let rendered = space.len() - before;
                budget = budget.saturating_sub(rendered);
                self.shares.add(Some(room), rendered as u64);
            }
            if self.stdout.pending() == 0 {
                return;
            }
            let flushed = self.stdout.flush();
            let written = self.stdout.take_written();
            self.stdout_moved |= written > 0;
            self.shares.on_written(written);
            self.settle(room, ui);
            // Other rooms learn of theirs in their turns.
            self.has_work |= self.shares.is_news();
            match flushed {
                Flushed::All if budget > 0 || ui.has_much_output() => {}
                Flushed::All => return self.has_work = true,
                Flushed::Blocked => return,
                Flushed::Gone(e) => return self.on_stdout_gone(now, ui, &e),
            }
        }
    }

    /// Tells the node what became of the messages that it showed, if their authors wait for that.
    fn report_printed(&mut self, ui: &mut Ui, node: &mut Node) {
        while let Some(fate) = ui.next_fate() {
            match fate {
                Fate::Printed(count) => node.on_printed(count),
                Fate::Skipped(count) => node.on_unprinted(count),
            }
            // The node speaks of it at the end of its next turn.
            self.has_work = true;
        }
    }

    fn on_stdout_gone(&mut self, now: Now, ui: &mut Ui, error: &io::Error) {
        // It is said at the end, together with what it has cost.
        if error.kind() != ErrorKind::BrokenPipe {
            self.failure = Some(reason(error));
        }
        ui.on_stop(now, true);
        self.shares.drop_waiting();
        self.is_unread = true;
        self.is_stopping = true;
        self.has_work = true;
    }

    /// Renders and writes what stderr takes, log lines among it.
    pub(super) fn flush_stderr(&mut self, ui: &mut Ui) {
        let mut budget = OUTPUT_BYTES_PER_TURN_MAX;
        loop {
            if let Some(space) = self.stderr.space() {
                let before = space.len();
                loglines::take_into(space);
                ui.fill_stderr(space, OUTPUT_BYTES_MAX);
                budget = budget.saturating_sub(space.len() - before);
            }
            if self.stderr.pending() == 0 {
                return;
            }
            match self.stderr.flush() {
                Flushed::All if budget > 0 => {}
                Flushed::All => return self.has_work = true,
                // Nobody is left to be told that nobody listens.
                Flushed::Blocked | Flushed::Gone(_) => return,
            }
        }
    }
}
