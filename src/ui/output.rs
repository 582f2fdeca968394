//! What is to be printed on stdout and was not yet taken.
//!
//! This module owns what waits for stdout and the account of what of it is written. Messages wait as
//! they are in the history and are rendered only when somebody takes them, so output that nobody
//! reads costs no work and no second copy. When there are too many the oldest are dropped, and one
//! warning at the place of the gap counts them. It never decides what is shown or how that reads,
//! and writes nowhere but into memory.

use crate::limits::{HISTORY_BYTES_PER_MESSAGE_MAX, OUTPUT_KEPT_BYTES_MAX};
use crate::node::Arrival;
use crate::wire::{ChatMessage, Key, MessageId, Position};

use super::backlog::{Backlog, Dropped, Item, Kind, Placed};
use super::event_data::{Delivered, Said};
use super::line_format::LineFormat;
use super::printed::{Fate, Printed};
use super::stderr::Stderr;

/// Bytes of answers that wait for stdout before no further command is carried out.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// What comes next, for a terminal with a prompt.
#[derive(Debug)]
pub(super) enum Next {
    /// A message.
    Message { message: ChatMessage, own: bool },
    /// All else.
    Lines { at: u64, kind: Kind, text: String },
}

/// The queue for stdout.
#[derive(Debug)]
pub(super) struct Output {
    own: Key,
    /// The node is told what becomes of live messages of others.
    reports: bool,
    backlog: Backlog,
    printed: Printed,
    closed: bool,
    /// Messages that were not printed since it was closed.
    dropped: u64,
    /// Messages were skipped, and it was said.
    has_skipped: bool,
}

/// Bytes that may wait: what the history may have in memory, and so many at least.
pub(super) fn kept_bytes(history_max: usize) -> usize {
    let history = history_max.saturating_mul(HISTORY_BYTES_PER_MESSAGE_MAX);
    history.max(OUTPUT_KEPT_BYTES_MAX)
}

impl Output {
    /// Messages of more than `kept_bytes` do not wait. `reports` is whether
    /// [`next_fate`](Output::next_fate) will be asked.
    pub(super) fn new(kept_bytes: usize, reports: bool) -> Output {
        Output {
            own: Key(0),
            reports,
            backlog: Backlog::new(kept_bytes),
            printed: Printed::default(),
            closed: false,
            dropped: 0,
            has_skipped: false,
        }
    }

    /// Learns which key is one's own.
    pub(super) fn set_own(&mut self, own: Key) {
        self.own = own;
    }

    /// Never skips anything from now on: stdout takes everything at once.
    pub(super) fn keep_all(&mut self) {
        self.backlog.keep_all();
    }

    /// What is shown from now on can be fetched from a store.
    pub(super) fn has_store(&mut self) {
        self.backlog.has_store();
    }

    /// What is to be fetched from the store before anything else can be printed: after the one position,
    /// and up to the other.
    pub(super) fn wanted(&mut self) -> Option<(Position, Position)> {
        self.backlog.wanted()
    }

    /// True if the message at this position is among what is to be fetched from the store.
    pub(super) fn is_wanted(&self, position: Position) -> bool {
        self.backlog.is_wanted(position)
    }

    /// Takes in what was fetched from the store: all that was found up to this position.
    pub(super) fn give(&mut self, found: Vec<ChatMessage>, upto: Position) {
        self.backlog.give(found, upto, self.own);
    }

    /// Adds messages as the node gave them, all of one author or all of others.
    pub(super) fn push_messages(
        &mut self,
        at: u64,
        messages: Vec<ChatMessage>,
        own: bool,
        arrival: Arrival,
    ) {
        let owed = self.reports && !own;
        if self.closed {
            self.dropped += owed_of(messages.len(), !own && arrival != Arrival::Old);
            return self.printed.skipped(owed_of(messages.len(), owed));
        }
        let said = Said::new(messages, own, arrival, owed);
        self.backlog.push_said(at, said);
        self.skip_what_is_too_much(at);
    }

    /// Adds messages of the history, all of one author or all of others, which the node gave before or keeps from
    /// before it joined: nobody is owed a word of them.
    pub(super) fn push_again(&mut self, at: u64, messages: Vec<ChatMessage>, own: bool) {
        if !self.closed {
            let said = Said::new(messages, own, Arrival::Old, false);
            self.backlog.push_said(at, said);
            self.skip_what_is_too_much(at);
        }
    }

    /// Notes that so many messages of others, which the node gave, need not be printed.
    pub(super) fn push_unshown(&mut self, count: usize) {
        match (self.reports, self.closed) {
            (true, false) => self.backlog.push_unshown(count as u64),
            (true, true) => self.printed.skipped(count as u64),
            (false, _) => {}
        }
    }

    /// Adds that messages of one's own were delivered.
    pub(super) fn push_delivered(&mut self, at: u64, delivered: Delivered) {
        if !self.closed {
            self.backlog.push_delivered(at, delivered);
            self.skip_what_is_too_much(at);
        }
    }

    fn skip_what_is_too_much(&mut self, at: u64) {
        while let Some(dropped) = self.backlog.skip_one(at) {
            match dropped {
                Dropped::Messages { owed } => self.printed.skipped(owed),
                Dropped::Unshown(n) => self.printed.unshown(n),
            }
        }
    }

    /// Adds whole lines that `render` appends.
    pub(super) fn push_lines(&mut self, at: u64, render: impl FnOnce(&mut Vec<u8>)) {
        let mut line = Vec::new();
        render(&mut line);
        self.push_kind(at, Kind::Text, line);
    }

    /// Adds a line of a kind that only a terminal with a prompt tells apart.
    pub(super) fn push_kind(&mut self, at: u64, kind: Kind, line: Vec<u8>) {
        if !self.closed {
            self.backlog.push_lines(at, kind, line);
        }
    }

    /// True if nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.backlog.is_empty()
    }

    /// True while answers wait: more of them must not be asked for.
    pub(super) fn is_backed_up(&self) -> bool {
        self.backlog.line_bytes() > ANSWER_BYTES_MAX
    }

    /// False while so many confirmations wait that nothing more should be said.
    pub(super) fn has_room(&self) -> bool {
        !self.backlog.has_many_confirmations()
    }

    /// True while more waits than a reader that is slow would be granted.
    pub(super) fn is_too_long(&self) -> bool {
        self.backlog.is_too_long()
    }

    /// Nobody reads any more: what waits and what comes is dropped.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.dropped += self.unprinted();
        self.printed.close();
        loop {
            if let Some(owed) = self.backlog.skip_stored(0) {
                self.printed.skipped(owed);
            }
            let Some(item) = self.backlog.next() else {
                return;
            };
            match item {
                Item::Said(said) => {
                    let count = said.what.messages.len();
                    self.printed.skipped(owed_of(count, said.what.owed));
                }
                Item::Unshown(n) => self.printed.unshown(n),
                Item::Lost(n) => self.printed.skipped(n),
                Item::Delivered(_) | Item::Lines { .. } | Item::Gap(_) => {}
            }
        }
    }

    /// The system has taken so many more bytes of what was rendered.
    pub(super) fn on_written(&mut self, bytes: u64) {
        self.printed.on_written(bytes);
    }

    /// What became of the next messages that the node is owed a word of.
    pub(super) fn next_fate(&mut self) -> Option<Fate> {
        self.printed.next_fate()
    }

    /// Messages that are not written, and of which nothing was said.
    pub(super) fn unprinted(&self) -> u64 {
        self.printed.unwritten() + self.backlog.unprinted()
    }

    /// True if messages were skipped, and it was said, while somebody was there to read.
    pub(super) fn has_skipped(&self) -> bool {
        self.has_skipped && !self.closed
    }

    /// Messages that were dropped since nobody takes any more.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Appends lines in their order until `out` holds `limit` bytes. Where lines are missing, the
    /// format says so, perhaps on stderr.
    pub(super) fn fill(
        &mut self,
        out: &mut Vec<u8>,
        limit: usize,
        format: &impl LineFormat,
        stderr: &mut Stderr,
    ) {
        while out.len() < limit
            && let Some(item) = self.backlog.next()
        {
            let before = out.len();
            match item {
                Item::Said(said) => {
                    self.render_said(out, limit, format, said);
                    continue;
                }
                Item::Unshown(n) => self.printed.unshown(n),
                Item::Lost(n) => self.printed.skipped(n),
                Item::Delivered(run) => self.render_delivered(out, limit, format, run),
                Item::Lines { bytes, .. } => out.extend_from_slice(&bytes),
                Item::Gap(gap) => {
                    self.has_skipped |= !gap.ranges().is_empty();
                    format.gap(out, stderr, &gap);
                }
            }
            self.printed.advance(out.len() - before);
        }
    }

    /// The next thing to print for a terminal with a prompt.
    pub(super) fn next(&mut self) -> Option<Next> {
        loop {
            match self.backlog.next()? {
                Item::Said(mut said) => {
                    let message = said.what.messages.next()?;
                    let (own, owed) = (said.what.own, said.what.owed);
                    self.backlog.put_back_said(said);
                    self.printed.hold(owed);
                    return Some(Next::Message { message, own });
                }
                Item::Lines { at, kind, bytes } => {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    return Some(Next::Lines { at, kind, text });
                }
                Item::Gap(gap) => {
                    return Some(Next::Lines {
                        at: gap.at(),
                        kind: Kind::Warning,
                        text: gap.warning(),
                    });
                }
                Item::Unshown(n) => self.printed.unshown(n),
                Item::Lost(n) => self.printed.skipped(n),
                Item::Delivered(_) => {}
            }
        }
    }

    /// A terminal with a prompt has rendered so many bytes, and perhaps all that it was given.
    pub(super) fn on_terminal_filled(&mut self, bytes: usize, is_all: bool) {
        self.printed.advance(bytes);
        if is_all {
            self.printed.release();
        }
    }

    /// Messages that came together until `out` holds `limit` bytes.
    fn render_said(
        &mut self,
        out: &mut Vec<u8>,
        limit: usize,
        format: &impl LineFormat,
        mut said: Placed<Said>,
    ) {
        let at = said.at;
        while out.len() < limit
            && let Some(message) = said.what.messages.next()
        {
            let before = out.len();
            format.message(out, at, &message, said.what.own, said.what.arrival);
            self.printed.message(out.len() - before, said.what.owed);
        }
        self.backlog.put_back_said(said);
    }

    /// Confirmations until `out` holds `limit` bytes.
    fn render_delivered(
        &mut self,
        out: &mut Vec<u8>,
        limit: usize,
        format: &impl LineFormat,
        mut run: Placed<Delivered>,
    ) {
        let delivered = &mut run.what;
        while out.len() < limit && delivered.first <= delivered.last {
            let (origin, seq) = (self.own, delivered.first);
            format.delivered(out, run.at, MessageId { origin, seq }, delivered);
            delivered.first += 1;
        }
        if delivered.first <= delivered.last {
            self.backlog.put_back(run);
        }
    }
}

fn owed_of(messages: usize, owed: bool) -> u64 {
    if owed { messages as u64 } else { 0 }
}

#[cfg(test)]
#[path = "output_test.rs"]
mod tests;

#[cfg(test)]
#[path = "waiting_in_store_test.rs"]
mod waiting_in_store_tests;
