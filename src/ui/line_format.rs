//! How what waits for stdout is written where there is no prompt: as text, or as JSON Lines.
//!
//! This module owns no state. It never decides what is written or when, and leaves to `text` and
//! `json` how a message or an event reads.

use crate::node::Arrival;
use crate::wire::{ChatMessage, MessageId};

use super::event_data::Delivered;
use super::gap::Gap;
use super::json::When;
use super::people::People;
use super::stderr::Stderr;
use super::visible::Tab;
use super::{json, json_message, text};

/// A way of writing what waits for stdout.
pub(super) trait LineFormat {
    /// Appends a message of the history.
    fn message(
        &self,
        out: &mut Vec<u8>,
        at: u64,
        message: &ChatMessage,
        own: bool,
        arrival: Arrival,
    );

    /// Appends that one message of the run was delivered.
    fn delivered(&self, out: &mut Vec<u8>, at: u64, id: MessageId, run: &Delivered);

    /// Says that messages are missing in this place: on stdout or on stderr.
    fn gap(&self, out: &mut Vec<u8>, stderr: &mut Stderr, gap: &Gap);
}

/// `<nick> text` lines. Stdout is for messages alone, and warnings go to stderr.
#[derive(Debug)]
pub(super) struct TextLines<'a> {
    /// Each line begins with when it was said, in local time.
    pub(super) timestamps: bool,
    /// Each line says in which room it was said.
    pub(super) room: Option<&'a str>,
}

impl LineFormat for TextLines<'_> {
    fn message(&self, out: &mut Vec<u8>, _: u64, message: &ChatMessage, _: bool, _: Arrival) {
        let (nick, text) = (message.nick_bytes(), message.text_bytes());
        if self.timestamps {
            text::moment(out, message.sent_at());
        }
        text::place(out, self.room);
        text::message(out, nick, text, Tab::Keep);
    }

    /// Text says nothing of what was delivered.
    fn delivered(&self, _: &mut Vec<u8>, _: u64, _: MessageId, _: &Delivered) {}

    fn gap(&self, _: &mut Vec<u8>, stderr: &mut Stderr, gap: &Gap) {
        stderr.push(&gap.warning());
    }
}

/// JSON Lines: everything is an event on stdout; it says who people are.
#[derive(Debug)]
pub(super) struct JsonLines<'a> {
    pub(super) people: &'a People,
    /// Each event says in which room it happened.
    pub(super) room: Option<&'a str>,
}

impl JsonLines<'_> {
    fn when(&self, ms: u64) -> When<'_> {
        When {
            ms,
            room: self.room,
        }
    }
}

impl LineFormat for JsonLines<'_> {
    fn message(
        &self,
        out: &mut Vec<u8>,
        at: u64,
        message: &ChatMessage,
        own: bool,
        arrival: Arrival,
    ) {
        let identity = self.people.identity(message.origin());
        json_message::message(out, self.when(at), message, own, arrival, identity);
    }

    fn delivered(&self, out: &mut Vec<u8>, at: u64, id: MessageId, run: &Delivered) {
        json::delivered(out, self.when(at), id, run);
    }

    fn gap(&self, out: &mut Vec<u8>, _: &mut Stderr, gap: &Gap) {
        let at = self.when(gap.at());
        json::remark(out, at, "warning", &gap.warning());
        for range in gap.ranges() {
            let (seqs, count) = ((range.first, range.last), range.count);
            json::missed(out, at, (range.key, &range.nick), seqs, count, false);
        }
    }
}
