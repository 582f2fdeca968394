//! The end of a store: what is not stored yet is, and the file is left whole.
//!
//! Owns how long that is tried. It never waits: a file that cannot be written is given up at once.

use crate::node::{Node, Now};
use crate::store::Place;

use super::{Keeper, shown};

/// How many batches a leaver stores: as many as the wait for its end is worth, some 10 s.
const LAST_STEPS_MAX: usize = 1_000;

impl Keeper {
    /// The node has left: what is not stored yet is tried a last time, and said if that fails. A file
    /// that was moved while nothing was said is made whole, for it does not do that by itself.
    pub(in crate::driver) fn close(mut self, now: Now, node: &mut Node, mut say: impl FnMut(&str)) {
        for _ in 0..LAST_STEPS_MAX {
            if node.unstored_len() == 0 && !self.is_moving() {
                break;
            }
            let words = match self.step(now, node) {
                Ok(step) => self.note_step(node, step),
                Err(e) if e.is_moved() && self.trouble.is_none() => self.note_trouble(now.time, &e),
                Err(e) => {
                    if let Some(words) = self.unstored_words(node, &e.to_string()) {
                        say(&words);
                    }
                    break;
                }
            };
            if let Some(words) = words {
                say(&words);
            }
        }
        if let Some(words) = self.part() {
            say(&words);
        }
    }

    /// What was not stored, if there is anything.
    fn unstored_words(&self, node: &Node, why: &str) -> Option<String> {
        let left = match node.unstored_len() {
            0 => return None,
            1 => "1 message is".to_owned(),
            n => format!("{n} messages are"),
        };
        Some(format!("{}: {left} not stored: {why}", shown(&self.path)))
    }

    /// Closes it, which checkpoints. The words say so if nobody finds what it holds.
    fn part(self) -> Option<String> {
        let path = shown(&self.path);
        if self.is_moving() {
            return Some(format!(
                "{path}: what was stored is only in the file that was moved or deleted"
            ));
        }
        let store = self.store.as_ref()?;
        let result = match store.place() {
            Place::There => return None,
            Place::WithoutLog => store.settle(),
            Place::Gone => store.part(),
        };
        Some(match result {
            Ok(()) => format!("{path}: the file was moved or deleted, with all that was stored"),
            Err(e) => format!("{path}: the file was moved or deleted, and is not whole: {e}"),
        })
    }
}
