//! The user's side of the loop: stdin, commands, stdout and stderr.
//!
//! Owns the process's three descriptors. What they say and mean is the business of
//! [`Ui`](crate::ui::Ui); here is only how much of it moves in one turn.

use std::io::{self, ErrorKind};

use mio::{Registry, Token};

use crate::limits::{
    COMMANDS_PER_TURN_MAX, OUTPUT_BYTES_MAX, OUTPUT_BYTES_PER_TURN_MAX, SAID_BYTES_PER_TURN_MAX,
    STDIN_BYTES_PER_TURN_MAX,
};
use crate::node::{Command, Input as NodeInput, Time};
use crate::ui::{DriverStatus, UiConfig};

use super::loglines;
use super::reactor::{Reactor, STDERR, STDIN, STDOUT};
use super::start::StartError;
use super::stdio::{Flushed, Input, Output, Read};

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
        })
    }

    pub(super) fn on_event(&mut self, token: Token) {
        match token {
            STDIN => self.stdin.iter_mut().for_each(Input::on_event),
            STDOUT => self.stdout.on_event(),
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
        ready
            && self.ui.wants_input(&self.node)
            && self.streams.stdin_waits_until(self.now.time).is_none()
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
        if !self.console.is_stopping && self.streams.stdin_waits_until(self.now.time).is_some() {
            return;
        }
        let mut said_bytes = 0;
        for _ in 0..COMMANDS_PER_TURN_MAX {
            let status = DriverStatus {
                queued_bytes: self.streams.queued_bytes(),
                uptime: self.now.time.since(Time(0)),
            };
            let Some(command) = self.ui.poll_command(self.now, &self.node, status) else {
                return;
            };
            if let Command::Say(text) | Command::Private { text, .. } = &command {
                said_bytes += text.len();
            }
            self.feed(NodeInput::Command(command));
            if said_bytes > SAID_BYTES_PER_TURN_MAX {
                break;
            }
        }
        self.console.has_work = true;
    }

    /// Renders and writes what stdout and stderr take.
    pub(super) fn flush_outputs(&mut self) {
        self.flush_stdout();
        self.flush_stderr();
    }

    fn flush_stdout(&mut self) {
        let mut budget = OUTPUT_BYTES_PER_TURN_MAX;
        loop {
            if let Some(space) = self.console.stdout.space() {
                let before = space.len();
                self.ui.fill_stdout(space, OUTPUT_BYTES_MAX);
                budget = budget.saturating_sub(space.len() - before);
            }
            if self.console.stdout.pending() == 0 {
                return;
            }
            match self.console.stdout.flush() {
                Flushed::All if budget > 0 => {}
                Flushed::All => return self.console.has_work = true,
                Flushed::Blocked => return,
                Flushed::Gone(e) => return self.on_stdout_gone(&e),
            }
        }
    }

    fn on_stdout_gone(&mut self, error: &io::Error) {
        let quiet = error.kind() == ErrorKind::BrokenPipe;
        if !quiet {
            self.console.has_failed = true;
            let text = format!("cannot write to stdout: {error}; leaving");
            self.ui.warn(self.now, &text);
        }
        self.ui.on_stop(self.now, quiet);
        self.console.is_stopping = true;
        self.console.has_work = true;
    }

    fn flush_stderr(&mut self) {
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
