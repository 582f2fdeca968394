//! Reading the file at the user's or a peer's wish.
//!
//! Owns whether that fails. What cannot be read is not there: whoever asks goes on with what is in memory.

use crate::store::{Portion, StoreError};
use crate::wire::{ChatMessage, Position};

use super::files::Files;

/// What was read of the file.
#[derive(Debug)]
pub(in crate::driver) struct Read {
    /// What was found, in the history's order.
    pub(in crate::driver) messages: Vec<ChatMessage>,
    /// How far the file was read.
    pub(in crate::driver) upto: Position,
    /// It could not be read, and the user is to be told so.
    pub(in crate::driver) trouble: Option<String>,
}

impl Read {
    /// Nothing is there up to this position.
    pub(in crate::driver) fn nothing(upto: Position) -> Read {
        Read {
            messages: Vec::new(),
            upto,
            trouble: None,
        }
    }
}

/// How reading goes.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// It failed, and that was said.
    fails: bool,
}

impl Reading {
    /// Reads what is `wanted` after one position, and up to another, as much as one chunk carries.
    pub(super) fn read(
        &mut self,
        files: &Files,
        after: Position,
        until: Position,
        wanted: impl Fn(Position) -> bool,
    ) -> Read {
        let found = match files.reader() {
            Some(store) => store.between(after, until, Portion::CHUNK, wanted),
            None => Err(StoreError::Unusable("it is not open".into())),
        };
        match found {
            Ok(found) => Read {
                messages: found.messages,
                upto: found.upto,
                trouble: None,
            },
            Err(e) => Read {
                trouble: self.note_unread(files, &e),
                ..Read::nothing(until)
            },
        }
    }

    /// Something could not be read; the words say so, the first time.
    fn note_unread(&mut self, files: &Files, e: &StoreError) -> Option<String> {
        let is_new = !std::mem::replace(&mut self.fails, true);
        is_new.then(|| {
            e.log_details(files.path());
            let path = files.shown();
            format!("{path}: cannot be read: {e}; others get what is in memory only")
        })
    }
}
