//! What one turn of the loop may take of the user's commands.
//!
//! Owns the counts of what was taken. It neither reads nor carries out any command.

use crate::limits::{COMMANDS_PER_TURN_MAX, SAID_BYTES_PER_TURN_MAX};
use crate::node::Command;

/// What one turn has taken so far.
#[derive(Debug)]
pub(in crate::driver) struct Allowance {
    commands: usize,
    said_bytes: usize,
}

impl Allowance {
    pub(super) fn new() -> Allowance {
        Allowance {
            commands: 0,
            said_bytes: 0,
        }
    }

    /// Whether one more command may be taken.
    pub(in crate::driver) fn is_left(&self) -> bool {
        self.commands < COMMANDS_PER_TURN_MAX && self.said_bytes <= SAID_BYTES_PER_TURN_MAX
    }

    /// Counts a command; each line of what is said counts as one more.
    pub(in crate::driver) fn take(&mut self, command: &Command) {
        self.commands += 1;
        match command {
            Command::Say(lines) => {
                self.commands += lines.len();
                self.said_bytes += lines.bytes();
            }
            Command::Private { text, .. } => self.said_bytes += text.len(),
            _ => {}
        }
    }
}
