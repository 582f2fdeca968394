//! What is to be printed and was not yet taken: bounded queues for stdout and stderr.
//!
//! Messages wait as they are in the history and are rendered only when somebody takes them, so
//! output that nobody reads costs no work and no second copy. When there are too many the oldest
//! are dropped, and one warning at the place of the gap counts them. Nothing here decides what is
//! shown, or writes anywhere but into memory.

use std::collections::{BTreeSet, VecDeque};

use crate::wire::{ChatMessage, Key, Member, MessageId};

use super::visible::Tab;
use super::{Mode, json, text};

/// Messages that wait although the history is meant to be smaller: one busy turn of the loop must
/// not drop lines that the reader would have taken.
const MESSAGES_MIN: usize = 1_000;
/// Notices and answers that wait for stdout.
const LINES_MAX: usize = 10_000;
/// Bytes of answers that wait for stdout before no further command is carried out.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Lines that wait for stderr.
const STDERR_LINES_MAX: usize = 1_000;

/// What may come in a flood.
#[derive(Debug)]
pub(super) enum Bulk {
    Messages {
        messages: std::vec::IntoIter<ChatMessage>,
        own: bool,
        replay: bool,
    },
    Delivered {
        first: u64,
        last: u64,
        members: usize,
        confirmed: usize,
    },
}

impl Bulk {
    /// Messages as the node gave them.
    pub(super) fn messages(messages: Vec<ChatMessage>, own: bool, replay: bool) -> Bulk {
        let messages = messages.into_iter();
        Bulk::Messages {
            messages,
            own,
            replay,
        }
    }

    /// How much it counts: confirmations take no memory each.
    fn len(&self) -> usize {
        match self {
            Bulk::Messages { messages, .. } => messages.len(),
            Bulk::Delivered { .. } => 1,
        }
    }

    /// True if there is nothing to print of it any more.
    fn is_empty(&self) -> bool {
        match self {
            Bulk::Messages { messages, .. } => messages.len() == 0,
            Bulk::Delivered { first, last, .. } => first > last,
        }
    }
}

/// What a line that is none of the others is for a terminal with a prompt; elsewhere it is text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Whole lines, an answer.
    Text,
    /// Something quiet.
    Notice,
    /// Something that should not be overlooked.
    Warning,
    /// A line that the terminal has rendered.
    Styled,
}

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
    mode: Mode,
    own: Key,
    messages_max: usize,
    /// What may come in a flood, with its place in the output and its time.
    bulk: VecDeque<(u64, u64, Bulk)>,
    /// How much that is: see [`Bulk::len`].
    bulk_len: usize,
    /// All else, rendered, with its place in the output, its time and its kind.
    lines: VecDeque<(u64, u64, Kind, Vec<u8>)>,
    line_bytes: usize,
    next_place: u64,
    /// Dropped before the first of `bulk`, the last time at this moment.
    skipped: u64,
    skipped_at: u64,
    /// Nicks that several members have.
    ambiguous: BTreeSet<String>,
    closed: bool,
}

impl Output {
    pub(super) fn new(mode: Mode, history_max: usize) -> Output {
        Output {
            mode,
            own: Key(0),
            messages_max: history_max.max(MESSAGES_MIN),
            bulk: VecDeque::new(),
            bulk_len: 0,
            lines: VecDeque::new(),
            line_bytes: 0,
            next_place: 0,
            skipped: 0,
            skipped_at: 0,
            ambiguous: BTreeSet::new(),
            closed: false,
        }
    }

    pub(super) fn set_own(&mut self, own: Key) {
        self.own = own;
    }

    /// Learns which nicks do not say who somebody is.
    pub(super) fn set_members(&mut self, members: &[Member]) {
        self.ambiguous.clear();
        let mut seen = BTreeSet::new();
        for member in members {
            if !seen.insert(&member.nick) {
                self.ambiguous.insert(member.nick.clone());
            }
        }
    }

    /// The id to show beside a nick, where that is needed and there is room for it.
    pub(super) fn id_beside(&self, nick: &str, id: u64) -> Option<u64> {
        (self.mode == Mode::Interactive && self.ambiguous.contains(nick)).then_some(id)
    }

    pub(super) fn push_bulk(&mut self, at: u64, bulk: Bulk) {
        if self.closed || bulk.is_empty() {
            return;
        }
        self.bulk_len += bulk.len();
        let place = self.place();
        self.bulk.push_back((place, at, bulk));
        while self.bulk_len > self.messages_max {
            self.drop_oldest(at);
        }
    }

    fn drop_oldest(&mut self, at: u64) {
        if let Some((_, _, Bulk::Messages { messages, .. })) = self.bulk.front_mut() {
            messages.next();
        }
        self.bulk_len -= 1;
        self.drop_front_if_empty();
        self.skip(at);
    }

    /// Confirmations are dropped as a whole.
    fn drop_front_if_empty(&mut self) {
        let keeps = |bulk: &Bulk| matches!(bulk, Bulk::Messages { .. }) && !bulk.is_empty();
        if self.bulk.front().is_some_and(|(_, _, bulk)| !keeps(bulk)) {
            self.bulk.pop_front();
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
        if self.closed {
            return;
        }
        if self.lines.len() >= LINES_MAX
            && let Some((_, _, _, oldest)) = self.lines.pop_front()
        {
            self.line_bytes -= oldest.len();
            self.skip(at);
        }
        self.line_bytes += line.len();
        let place = self.place();
        self.lines.push_back((place, at, kind, line));
    }

    /// True while answers wait: more of them must not be asked for.
    pub(super) fn is_backed_up(&self) -> bool {
        self.line_bytes > ANSWER_BYTES_MAX
    }

    /// Nobody reads any more: what waits and what comes is dropped.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.bulk = VecDeque::new();
        self.bulk_len = 0;
        self.lines = VecDeque::new();
        self.line_bytes = 0;
        self.skipped = 0;
    }

    /// Appends lines in their order until `out` holds `limit` bytes. Where lines are missing, the
    /// warning goes to stderr in a pipe, whose stdout is for messages alone.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>, limit: usize, stderr: &mut Stderr) {
        while out.len() < limit {
            let bulk = self.bulk.front().map(|(place, ..)| *place);
            let line = self.lines.front().map(|(place, ..)| *place);
            if self.skipped > 0 && bulk.unwrap_or(u64::MAX) <= line.unwrap_or(u64::MAX) {
                self.say_skipped(out, stderr);
            } else if bulk.is_some() && bulk < Some(line.unwrap_or(u64::MAX)) {
                self.render_front(out, limit);
            } else if let Some((_, _, _, line)) = self.lines.pop_front() {
                self.line_bytes -= line.len();
                out.extend_from_slice(&line);
            } else {
                break;
            }
        }
    }

    /// The next thing to print for a terminal with a prompt.
    pub(super) fn next(&mut self) -> Option<Next> {
        loop {
            let bulk = self.bulk.front().map_or(u64::MAX, |(place, ..)| *place);
            let line = self.lines.front().map_or(u64::MAX, |(place, ..)| *place);
            if self.skipped > 0 && bulk <= line {
                let lines = text::count(std::mem::take(&mut self.skipped), "line");
                return Some(Next::Lines {
                    at: self.skipped_at,
                    kind: Kind::Warning,
                    text: format!("{lines} skipped: nobody read the output"),
                });
            }
            if bulk < line {
                let said = match self.bulk.front_mut()? {
                    (_, _, Bulk::Messages { messages, own, .. }) => {
                        messages.next().map(|message| (message, *own))
                    }
                    (_, _, Bulk::Delivered { .. }) => None,
                };
                self.bulk_len -= 1;
                self.drop_front_if_empty();
                match said {
                    Some((message, own)) => return Some(Next::Message { message, own }),
                    None => continue,
                }
            }
            let (_, at, kind, line) = self.lines.pop_front()?;
            self.line_bytes -= line.len();
            let text = String::from_utf8_lossy(&line).into_owned();
            return Some(Next::Lines { at, kind, text });
        }
    }

    fn say_skipped(&mut self, out: &mut Vec<u8>, stderr: &mut Stderr) {
        let lines = text::count(std::mem::take(&mut self.skipped), "line");
        let warning = format!("{lines} skipped: nobody read the output");
        match self.mode {
            Mode::Json => json::remark(out, self.skipped_at, "warning", &warning),
            Mode::Text => stderr.push(&warning),
            Mode::Interactive => out.extend_from_slice(format!("-- {warning}\n").as_bytes()),
        }
    }

    /// Lines of the first that came in a flood, until `out` holds `limit` bytes.
    fn render_front(&mut self, out: &mut Vec<u8>, limit: usize) {
        let Some((place, at, bulk)) = self.bulk.pop_front() else {
            return;
        };
        self.bulk_len -= bulk.len();
        let rest = match bulk {
            Bulk::Messages {
                mut messages,
                own,
                replay,
            } => {
                while out.len() < limit
                    && let Some(message) = messages.next()
                {
                    self.render(out, at, &message, own, replay);
                }
                Bulk::Messages {
                    messages,
                    own,
                    replay,
                }
            }
            Bulk::Delivered {
                mut first,
                last,
                members,
                confirmed,
            } => {
                while out.len() < limit && first <= last {
                    let (origin, seq) = (self.own, first);
                    json::delivered(out, at, MessageId { origin, seq }, members, confirmed);
                    first += 1;
                }
                Bulk::Delivered {
                    first,
                    last,
                    members,
                    confirmed,
                }
            }
        };
        if !rest.is_empty() {
            self.bulk_len += rest.len();
            self.bulk.push_front((place, at, rest));
        }
    }

    fn render(&self, out: &mut Vec<u8>, at: u64, message: &ChatMessage, own: bool, replay: bool) {
        if self.mode == Mode::Json {
            return json::message(out, at, message, own, replay);
        }
        let id = match self.mode {
            Mode::Interactive => self.id_beside(message.nick(), message.from()),
            Mode::Text | Mode::Json => None,
        };
        let (nick, text) = (message.nick_bytes(), message.text_bytes());
        text::message(out, nick, id, text, tab(self.mode));
    }

    fn skip(&mut self, at: u64) {
        self.skipped += 1;
        self.skipped_at = at;
    }

    fn place(&mut self) -> u64 {
        self.next_place += 1;
        self.next_place
    }
}

/// What becomes of tabs in messages.
pub(super) fn tab(mode: Mode) -> Tab {
    match mode {
        Mode::Interactive => Tab::Spaces,
        Mode::Text | Mode::Json => Tab::Keep,
    }
}

/// The queue for stderr.
#[derive(Debug, Default)]
pub(super) struct Stderr {
    lines: VecDeque<String>,
    skipped: u64,
}

impl Stderr {
    pub(super) fn push(&mut self, text: &str) {
        if self.lines.len() >= STDERR_LINES_MAX {
            self.lines.pop_front();
            self.skipped += 1;
        }
        self.lines.push_back(format!("papo: {text}\n"));
    }

    pub(super) fn fill(&mut self, out: &mut Vec<u8>, limit: usize) {
        if self.skipped > 0 && out.len() < limit {
            let notices = text::count(std::mem::take(&mut self.skipped), "notice");
            out.extend_from_slice(format!("papo: {notices} skipped\n").as_bytes());
        }
        while out.len() < limit
            && let Some(line) = self.lines.pop_front()
        {
            out.extend_from_slice(line.as_bytes());
        }
    }
}

#[cfg(test)]
#[path = "output_test.rs"]
mod tests;
