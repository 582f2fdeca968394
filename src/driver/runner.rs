//! The commands that are run for messages (`papo listen --exec`).
//!
//! Owns the processes: so many at a time, in the order of the messages. The text is on stdin, what else is known
//! of the message in variables; stdout and stderr are papo's own. Nothing waits for a process: the loop wakes
//! when one ends (SIGCHLD). It must never decide for which messages something is run.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::limits::{RUNS_AT_A_TIME_MAX, TEXT_BYTES_MAX};
use crate::platform::reason;
use crate::ui::visible::{Tab, visible};
use crate::ui::{Run, Ui};

// A text goes into a new pipe at once: the least that a pipe takes is 64 KiB on Linux, and 16 KiB elsewhere.
const _: () = assert!(TEXT_BYTES_MAX < 64 * 1024);

/// Runs one command for each message.
#[derive(Debug)]
pub(super) struct Runner {
    /// The program and its arguments; none if nothing is to be run.
    command: Vec<OsString>,
    running: Vec<Child>,
    /// How many have failed.
    failed: u64,
}

impl Runner {
    /// Nothing is run yet.
    pub(super) fn new(command: Vec<OsString>) -> Runner {
        Runner {
            command,
            running: Vec::new(),
            failed: 0,
        }
    }

    /// True while a process runs.
    pub(super) fn is_busy(&self) -> bool {
        !self.running.is_empty()
    }

    /// How many processes run.
    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    /// Buries who has ended, and starts the next ones. What is to be said of failures is returned.
    pub(super) fn turn(&mut self, ui: &mut Ui) -> Vec<String> {
        if self.command.is_empty() {
            return Vec::new();
        }
        let mut words = self.bury();
        while self.running.len() < RUNS_AT_A_TIME_MAX
            && let Some(run) = ui.next_run()
        {
            match self.start(&run) {
                Ok(child) => self.running.push(child),
                Err(e) => words.push(self.fail(&reason(&e))),
            }
        }
        words
    }

    fn bury(&mut self) -> Vec<String> {
        let mut ended: Vec<ExitStatus> = Vec::new();
        self.running.retain_mut(|child| match child.try_wait() {
            Ok(None) => true,
            Ok(Some(status)) => {
                ended.push(status);
                false
            }
            // It is not this process's child any more.
            Err(_) => false,
        });
        let bad = ended.into_iter().filter(|status| !status.success());
        bad.map(|status| self.fail(&status.to_string())).collect()
    }

    fn fail(&mut self, why: &str) -> String {
        self.failed += 1;
        let program = self.command.first().map(|p| p.to_string_lossy());
        let program = visible(&program.unwrap_or_default(), Tab::Escape);
        format!("--exec {program}: {why} ({} failed so far)", self.failed)
    }

    fn start(&self, run: &Run) -> io::Result<Child> {
        let (program, arguments) = self.command.split_first().ok_or(io::ErrorKind::NotFound)?;
        let mut child = Command::new(program)
            .args(arguments)
            .envs(run.variables.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // Who does not read it does not want it.
            let _ = stdin.write_all(run.text.as_bytes());
        }
        Ok(child)
    }
}
