//! How a message from a store reads: as text with its time, or as the event that a replay would be.
//!
//! This module owns no state, and writes into memory only. It never reads the store, and does not
//! know where the messages come from.

use std::io::Write as _;

use jiff::tz::TimeZone;

use crate::node::Arrival;
use crate::wire::ChatMessage;

use super::visible::Tab;
use super::{json, text};

/// `2026-01-31 18:00:00 <nick> text`, in local time.
pub fn push_text(out: &mut Vec<u8>, message: &ChatMessage) {
    // An author's clock may say anything: what no calendar has is the last moment of it.
    let stamp = i64::try_from(message.sent_at())
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .unwrap_or(jiff::Timestamp::MAX);
    let local = TimeZone::system().to_datetime(stamp);
    // Writing to memory cannot fail.
    let _ = write!(out, "{} ", local.strftime("%Y-%m-%d %H:%M:%S"));
    let (nick, text) = (message.nick_bytes(), message.text_bytes());
    text::message(out, nick, text, Tab::Keep);
}

/// The `message` event of a replay; `at` is now.
pub fn push_json(out: &mut Vec<u8>, at: u64, message: &ChatMessage) {
    json::message(out, at, message, false, Arrival::Old, None);
}
