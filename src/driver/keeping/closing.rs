//! The end of a store: what is not stored yet is, and the file is left whole.

use super::super::reactor::Reactor;
use super::{Keeper, shown};
use crate::store::Place;

/// How many batches a leaver stores: as many as the wait for its end is worth, some 10 s.
const LAST_STEPS_MAX: usize = 1_000;

impl Reactor {
    /// The node has left: what is not stored yet is tried a last time, and said if that fails.
    pub(in crate::driver) fn close_store(&mut self) {
        for _ in 0..LAST_STEPS_MAX {
            let Some(keeper) = &mut self.keeper else {
                return;
            };
            let left = self.node.unstored_len();
            if left == 0 && !keeper.is_moving() {
                break;
            }
            match keeper.step(self.now, &self.node) {
                Ok(step) => self.note_step(step),
                Err(e) if e.is_moved() && keeper.trouble.is_none() => self.note_trouble(&e),
                Err(e) => {
                    self.note_unstored(&e.to_string());
                    break;
                }
            }
        }
        self.part_from_store();
    }

    fn note_unstored(&mut self, why: &str) {
        let left = match self.node.unstored_len() {
            0 => return,
            1 => "1 message is".to_owned(),
            n => format!("{n} messages are"),
        };
        if let Some(keeper) = &self.keeper {
            let words = format!("{}: {left} not stored: {why}", shown(&keeper.path));
            self.ui.warn(self.now, &words);
        }
    }

    /// Closes it, which checkpoints. A file that was moved while nothing was said is made whole, for
    /// it does not do that by itself.
    fn part_from_store(&mut self) {
        if let Some(keeper) = self.keeper.take()
            && let Some(words) = keeper.part()
        {
            self.ui.warn(self.now, &words);
        }
    }
}

impl Keeper {
    /// Closes it. The words say so if nobody finds what it holds.
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
