//! How a message from a store reads: as text with its time, or as the event that a replay would be.
//!
//! This module owns no state, and writes into memory only. It never reads the store, and does not
//! know where the messages come from.

use crate::node::Arrival;
use crate::wire::ChatMessage;

use super::visible::Tab;
use super::{json_message, text};

/// `2026-01-31 18:00:00 <nick> text`, in local time.
pub fn push_text(out: &mut Vec<u8>, message: &ChatMessage) {
    text::moment(out, message.sent_at());
    let (nick, text) = (message.nick_bytes(), message.text_bytes());
    text::message(out, nick, text, Tab::Keep);
}

/// The `message` event of a replay; `at` is now.
pub fn push_json(out: &mut Vec<u8>, at: u64, message: &ChatMessage) {
    json_message::message(out, at.into(), message, false, Arrival::Old, None);
}
