//! The user's side of the loop: stdin, commands, stdout and stderr.
//!
//! Owns the process's three descriptors. What they say and mean is the business of
//! [`Ui`](crate::ui::Ui); here is only how much of it moves in one turn.

use std::io::{self, ErrorKind};

use mio::Registry;
use mio::event::Event;

use crate::limits::{
    COMMANDS_PER_TURN_MAX, OUTPUT_BYTES_MAX, OUTPUT_BYTES_PER_TURN_MAX,
    OUTPUT_FILE_BYTES_PER_TURN_MAX, SAID_BYTES_PER_TURN_MAX, STDIN_BYTES_PER_TURN_MAX,
};
use crate::node::{Command, Input as NodeInput, Time};
use crate::ui::{DriverStatus, Fate, Listening, Screen, UiConfig, terminal};

use super::loglines;
use super::reactor::{Reactor, STDERR, STDIN, STDOUT};
use super::signals::TtyNews;
use super::start::StartError;
use super::stdio::{Flushed, Input, Output, Read};
use super::tty::{self, Tty};

/// The process's own descriptors.
#[derive(Debug)]
pub(super) struct Console {
    /// None when stdin is not read, or at its end.
    stdin: Option<Input>,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
    /// More waits to be done than one turn allows.
    pub(super) has_work: bool,
    /// The user or the system asked papo to leave.
    pub(super) is_stopping: bool,
    /// The reader of stdout went away.
    stdout_gone: bool,
    /// The reader of stdout has taken something since this was last set to false.
    pub(super) stdout_moved: bool,
    /// The terminal of the interactive mode.
    pub(super) tty: Option<Tty>,
    /// Stdout failed in another way than by its reader going away.
    pub(super) has_failed: bool,
}

impl Console {
    pub(super) fn new(registry: &Registry, config: &UiConfig) -> Result<Console, StartError> {
        let failed = |which| move |e| StartError::Stdio(which, e);
        let reads = config.reads_stdin && config.lines.is_none();
        Ok(Console {
            stdin: (reads.then(|| Input::stdin(registry, STDIN)).transpose())
                .map_err(failed("stdin"))?,
            stdout: Output::stdout(registry, STDOUT).map_err(failed("stdout"))?,
            stderr: Output::stderr(registry, STDERR).map_err(failed("stderr"))?,
            has_work: false,
            is_stopping: false,
            has_failed: false,
            stdout_gone: false,
            stdout_moved: false,
            tty: None,
        })
    }

    pub(super) fn on_event(&mut self, event: &Event) {
        match event.token() {
            STDIN => self.stdin.iter_mut().for_each(Input::on_event),
            STDOUT => {
                self.stdout_gone |= event.is_error() || event.is_write_closed();
                self.stdout.on_event();
            }
            _ => self.stderr.on_event(),
        }
    }

    /// Bytes rendered that stdout and stderr have not taken.
    pub(super) fn pending(&self) -> usize {
        self.stdout.pending() + self.stderr.pending()
    }
}

impl Reactor {
    /// Whether stdin may have something, and is wanted, by the user's side and by every peer.
    pub(super) fn may_read_stdin(&self) -> bool {
        let ready = self.console.stdin.as_ref().is_some_and(Input::is_ready);
        // Keys are read at any time: only the lines that they make wait.
        let waits = || self.stdin_waits_until().is_some();
        ready && self.ui.wants_input(&self.node) && (self.ui.has_prompt() || !waits())
    }

    /// Until when stdin waits for peers: for what is in their queues, or for those that catch up.
    pub(super) fn stdin_waits_until(&self) -> Option<Time> {
        let queues = self.streams.stdin_waits_until(self.now.time);
        queues.max(self.node.chased_until(self.now.time))
    }

    /// Reads stdin once.
    pub(super) fn read_stdin(&mut self) {
        if !self.may_read_stdin() {
            return;
        }
        let Some(stdin) = &mut self.console.stdin else {
            return;
        };
        let mut buffer = [0; STDIN_BYTES_PER_TURN_MAX];
        match stdin.read(&mut buffer) {
            Ok(Read::Bytes(n)) => self.ui.on_input(self.now, &buffer[..n]),
            Ok(Read::Later) => {}
            Ok(Read::End) => self.end_stdin(),
            Err(e) => {
                self.ui.warn(self.now, &format!("stdin ends here: {e}"));
                self.end_stdin();
            }
        }
    }

    fn end_stdin(&mut self) {
        self.console.stdin = None;
        self.ui.on_input_end(self.now);
    }

    /// Passes on what the user wants, as much as one turn allows. While peers have much in their
    /// queues, what was read from stdin waits too, unless papo is to leave.
    pub(super) fn take_commands(&mut self) {
        self.console.has_work = false;
        if !self.console.is_stopping && self.stdin_waits_until().is_some() {
            return;
        }
        let (mut taken, mut said_bytes) = (0, 0);
        while taken < COMMANDS_PER_TURN_MAX && said_bytes <= SAID_BYTES_PER_TURN_MAX {
            let status = DriverStatus {
                queued_bytes: self.streams.queued_bytes(),
                uptime: self.now.time.since(Time(0)),
            };
            let Some(command) = self.ui.poll_command(self.now, &self.node, status) else {
                return;
            };
            taken += 1;
            match &command {
                Command::Say(lines) => {
                    taken += lines.len();
                    said_bytes += lines.bytes();
                }
                Command::Private { text, .. } => said_bytes += text.len(),
                _ => {}
            }
            self.feed(NodeInput::Command(command));
        }
        self.console.has_work = true;
    }

    /// Renders and writes what stdout and stderr take.
    pub(super) fn flush_outputs(&mut self) {
        if std::mem::take(&mut self.console.stdout_gone) {
            self.on_stdout_gone(&ErrorKind::BrokenPipe.into());
        }
        self.flush_stdout();
        self.report_printed();
        self.log_above_prompt();
        self.flush_stderr();
        self.set_tty_mode();
    }

    /// Shows the prompt, if this is the interactive mode and there is a terminal.
    pub(super) fn open_terminal(&mut self, color: bool, listening: &Listening) {
        let Some(tty) = Tty::open() else {
            return;
        };
        self.console.tty = Some(tty);
        let (cols, rows) = Tty::size();
        let screen = Screen {
            cols,
            rows,
            color,
            reflows: terminal::reflows(|name| std::env::var(name).ok()),
            zone: jiff::tz::TimeZone::system(),
        };
        self.ui.open_terminal(self.now, screen, listening);
        self.set_tty_mode();
    }

    /// The terminal is raw exactly while the prompt owns it, and what was to be shown last is.
    fn set_tty_mode(&mut self) {
        let Some(tty) = &mut self.console.tty else {
            return;
        };
        let has_prompt = self.ui.has_prompt();
        if has_prompt {
            tty.set_raw(true);
        } else if tty.is_raw() && self.console.stdout.pending() == 0 {
            tty.set_raw(false);
            if !self.ui.wants_stop() {
                self.signals.note_interrupt();
            }
        }
    }

    /// What signals said of the terminal.
    pub(super) fn on_tty_news(&mut self, news: TtyNews) {
        if self.console.tty.is_none() {
            return;
        }
        let (cols, rows) = Tty::size();
        if news.resized {
            self.ui.on_resize(cols, rows);
        }
        if news.suspend {
            self.ui.on_suspend();
        } else if news.resumed {
            self.resume();
        }
    }

    /// Stops the process, if Ctrl-Z asked for it and the terminal is restored.
    pub(super) fn stop_if_wanted(&mut self) {
        let is_raw = self.console.tty.as_ref().is_some_and(Tty::is_raw);
        if self.ui.wants_stop() && !is_raw && self.console.stdout.pending() == 0 {
            tty::stop_process();
            self.resume();
        }
    }

    /// Another program may have left the terminal in any mode.
    fn resume(&mut self) {
        if let Some(tty) = &mut self.console.tty {
            tty.set_raw(false);
            tty.set_raw(true);
        }
        let (cols, rows) = Tty::size();
        self.ui.on_resume(cols, rows);
        self.console.has_work = true;
    }

    /// Log lines do not disturb a prompt on the same terminal.
    fn log_above_prompt(&mut self) {
        if self.console.tty.is_none() || !self.ui.has_prompt() {
            return;
        }
        let mut lines = Vec::new();
        loglines::take_into(&mut lines);
        for line in String::from_utf8_lossy(&lines).lines() {
            self.ui.log(self.now, line);
            self.console.has_work = true;
        }
    }

    fn flush_stdout(&mut self) {
        let mut budget = if self.console.stdout.never_waits() {
            OUTPUT_FILE_BYTES_PER_TURN_MAX
        } else {
            OUTPUT_BYTES_PER_TURN_MAX
        };
        loop {
            if self.console.stdout.pending() < OUTPUT_BYTES_MAX {
                self.fetch_for_stdout();
            }
            if let Some(space) = self.console.stdout.space() {
                let before = space.len();
                self.ui.fill_stdout(space, OUTPUT_BYTES_MAX);
                budget = budget.saturating_sub(space.len() - before);
            }
            if self.console.stdout.pending() == 0 {
                return;
            }
            let flushed = self.console.stdout.flush();
            let written = self.console.stdout.take_written();
            self.console.stdout_moved |= written > 0;
            self.ui.on_written(written);
            match flushed {
                Flushed::All if budget > 0 || self.ui.has_much_output() => {}
                Flushed::All => return self.console.has_work = true,
                Flushed::Blocked => return,
                Flushed::Gone(e) => return self.on_stdout_gone(&e),
            }
        }
    }

    /// Tells the node what became of the messages that it showed, if their authors wait for that.
    fn report_printed(&mut self) {
        while let Some(fate) = self.ui.next_fate() {
            match fate {
                Fate::Printed(count) => self.node.on_printed(count),
                Fate::Skipped(count) => self.node.on_unprinted(count),
            }
            // The node speaks of it at the end of its next turn.
            self.console.has_work = true;
        }
    }

    fn on_stdout_gone(&mut self, error: &io::Error) {
        let quiet = error.kind() == ErrorKind::BrokenPipe;
        if !quiet {
            self.console.has_failed = true;
            let text = format!("cannot write to stdout: {error}; leaving");
            self.ui.warn(self.now, &text);
        }
        self.ui.on_stop(self.now, true);
        self.console.is_stopping = true;
        self.console.has_work = true;
    }

    pub(super) fn flush_stderr(&mut self) {
        let mut budget = OUTPUT_BYTES_PER_TURN_MAX;
        loop {
            if let Some(space) = self.console.stderr.space() {
                let before = space.len();
                loglines::take_into(space);
                self.ui.fill_stderr(space, OUTPUT_BYTES_MAX);
                budget = budget.saturating_sub(space.len() - before);
            }
            if self.console.stderr.pending() == 0 {
                return;
            }
            match self.console.stderr.flush() {
                Flushed::All if budget > 0 => {}
                Flushed::All => return self.console.has_work = true,
                // Nobody is left to be told that nobody listens.
                Flushed::Blocked | Flushed::Gone(_) => return,
            }
        }
    }
}
