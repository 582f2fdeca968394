//! What was not done when papo ends, as it is said then: a part of [`Ui`].
//!
//! Owns nothing of its own. How long anything is waited for is the driver's to say.

use super::{Ui, text};

impl Ui {
    /// How many messages are not written to stdout, and nothing was said of them: none if the reader
    /// went away, since nobody misses them.
    #[must_use]
    pub fn unprinted(&self) -> u64 {
        self.display.stdout().unprinted()
    }

    /// Papo ends, and nobody has read so many messages.
    pub fn say_unprinted(&mut self, count: u64) {
        self.say_not_printed(count, "nobody read the output");
    }

    /// Papo ends since its time is over, and so many messages were not read yet.
    pub fn say_read_late(&mut self, count: u64) {
        self.say_not_printed(count, "the output was not read in time (--timeout)");
    }

    fn say_not_printed(&mut self, count: u64, why: &str) {
        let lines = text::count(count, "line");
        let words = format!("{lines} not printed: {why}");
        self.display.say_on_stderr(&words);
    }

    /// Papo ends, and for so many messages a command has not ended, or was not run.
    pub fn say_unrun(&mut self, count: u64) {
        let commands = text::count(count, "command");
        let words = format!("--exec: {commands} not waited for: they took too long");
        self.display.say_on_stderr(&words);
    }
}
