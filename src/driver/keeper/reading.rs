//! What reading the file at the user's or a peer's wish gives.
//!
//! Owns nothing.

use crate::wire::{ChatMessage, Position};

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
