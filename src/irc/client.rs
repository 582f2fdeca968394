//! One connection: who is at its other end, what waits to be understood, and what waits to be read.
//!
//! Owns the bytes in both directions, with their bounds, and the answer to a labelled command while it is made. It
//! knows the form that a line takes for this client, and never what a line is about.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::rc::Rc;

use crate::limits::{
    IRC_LINE_BYTES_MAX, IRC_LINES_BURST, IRC_LINES_PER_SECOND, IRC_TAG_BYTES_MAX,
    IRC_UNREAD_BYTES_MAX, IRC_UNSENT_BYTES_MAX,
};
use crate::node::{Time, micros};

use super::caps::{Cap, Caps};
use super::line::push_tag;
use super::past::Past;

/// Who says so much without an end of the line says no lines. A line that is too long, but shorter than this, is
/// answered, in however many pieces it comes.
const ENDLESS_BYTES: usize = 2 * (IRC_TAG_BYTES_MAX + IRC_LINE_BYTES_MAX);

/// A line for any number of clients: each gets what its capabilities allow.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// From the source on, with its end.
    pub(super) body: Rc<str>,
    /// When it was said, as `server-time` has it.
    pub(super) time: Option<Rc<str>>,
    pub(super) msgid: Option<Rc<str>>,
    /// The tags of other clients, as they are written: `+a=b;+c`.
    pub(super) client_tags: Rc<str>,
    /// The batch that it belongs to.
    pub(super) batch: Option<Rc<str>>,
    /// One more tag, as it is written, for those who know batches.
    pub(super) mark: Option<Rc<str>>,
}

/// The answer to a command with a label, while it is made.
#[derive(Debug)]
struct Answer {
    label: String,
    lines: Vec<(String, Rc<str>)>,
}

/// How far a client is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// It has not yet said who it is.
    New,
    /// It is one of the people here.
    Known,
    /// It is to be let go when it has read what is written.
    Ending,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) nick: Option<String>,
    pub(super) user: Option<String>,
    pub(super) real: String,
    pub(super) host: String,
    pub(super) caps: Caps,
    /// It said CAP LS with 302 or more.
    pub(super) knows_302: bool,
    /// It negotiates: registration waits for CAP END.
    pub(super) negotiates: bool,
    pub(super) password: Option<String>,
    pub(super) away: Option<String>,
    pub(super) invisible: bool,
    /// Folded names of the channels that it is in.
    pub(super) channels: BTreeSet<String>,
    pub(super) stage: Stage,
    /// What was said privately with it since it came: nobody else may read that, whoever has its nick later.
    pub(super) private: Past,
    /// Of channels that it has left, the lines that it was shown last, by their names: they are not shown again.
    pub(super) shown: BTreeMap<String, BTreeSet<Rc<str>>>,
    /// When it came.
    pub(super) since: Time,
    pub(super) spoke: Time,
    pub(super) spoke_ms: u64,
    pub(super) since_ms: u64,
    pub(super) heard: Time,
    /// When it was asked whether it is there, if it has said nothing since.
    pub(super) pinged: Option<Time>,
    unread: Vec<u8>,
    unsent: Vec<u8>,
    sent: usize,
    overflowed: bool,
    answer: Option<Answer>,
    /// How much it may still say at once; below nothing, if what it said last was dear.
    credit: i64,
    earned: Time,
    batches: u64,
}

/// What a line costs.
const LINE: i64 = 1_000_000;
const CREDIT_MAX: i64 = IRC_LINES_BURST as i64 * LINE;
/// How a client begins that wants to talk TLS.
const TLS_HELLO: [u8; 2] = [0x16, 0x03];

impl Client {
    pub(super) fn new(host: String, now: Time, wall_ms: u64) -> Client {
        Client {
            nick: None,
            user: None,
            real: String::new(),
            host,
            caps: Caps::default(),
            knows_302: false,
            negotiates: false,
            password: None,
            away: None,
            invisible: false,
            channels: BTreeSet::new(),
            stage: Stage::New,
            private: Past::default(),
            shown: BTreeMap::new(),
            since: now,
            spoke: now,
            spoke_ms: wall_ms,
            since_ms: wall_ms,
            heard: now,
            pinged: None,
            unread: Vec::new(),
            unsent: Vec::new(),
            sent: 0,
            overflowed: false,
            answer: None,
            credit: CREDIT_MAX,
            earned: now,
            batches: 0,
        }
    }

    /// What it is called, as far as that is known.
    pub(super) fn name(&self) -> &str {
        self.nick.as_deref().unwrap_or("*")
    }

    /// `nick!user@host`.
    pub(super) fn mask(&self) -> String {
        let user = self.user.as_deref().unwrap_or("unknown");
        format!("{}!{user}@{}", self.name(), self.host)
    }

    pub(super) fn has(&self, cap: Cap) -> bool {
        self.caps.has(cap)
    }

    // What comes in.

    /// True if more bytes may be read from it.
    pub(super) fn wants_bytes(&self) -> bool {
        self.unread.len() < IRC_UNREAD_BYTES_MAX && self.stage != Stage::Ending
    }

    pub(super) fn take_bytes(&mut self, now: Time, bytes: &[u8]) {
        self.heard = now;
        self.pinged = None;
        self.unread.extend_from_slice(bytes);
    }

    /// True if a line waits that the client may have understood by now.
    pub(super) fn has_line(&self, now: Time) -> bool {
        self.stage != Stage::Ending && self.has_whole() && self.earned_by(now) >= LINE
    }

    /// When the next line may be understood, if one waits.
    pub(super) fn next_line_at(&self) -> Option<Time> {
        if self.stage == Stage::Ending || !self.has_whole() {
            return None;
        }
        let missing = (LINE - self.credit).max(0).unsigned_abs();
        let wait = missing.div_ceil(IRC_LINES_PER_SECOND);
        Some(self.earned + std::time::Duration::from_micros(wait))
    }

    fn has_whole(&self) -> bool {
        self.is_encrypted()
            || self.unread.len() > ENDLESS_BYTES
            || memchr::memchr(b'\n', &self.unread).is_some()
    }

    /// True if it wants to talk TLS, of which nobody would say more without an answer.
    fn is_encrypted(&self) -> bool {
        self.stage == Stage::New && self.unread.starts_with(&TLS_HELLO)
    }

    fn earned_by(&self, now: Time) -> i64 {
        let passed = micros(now.since(self.earned));
        let earned = passed.saturating_mul(IRC_LINES_PER_SECOND);
        let earned = i64::try_from(earned).unwrap_or(i64::MAX);
        self.credit.saturating_add(earned).min(CREDIT_MAX)
    }

    /// What it said last costs as much as so many lines more.
    pub(super) fn charge(&mut self, lines: usize) {
        let lines = i64::try_from(lines).unwrap_or(i64::MAX);
        self.credit = self.credit.saturating_sub(lines.saturating_mul(LINE));
    }

    /// The next line without its end, if it is there and may be had.
    ///
    /// # Errors
    ///
    /// Why no line will ever come.
    pub(super) fn next_line(&mut self, now: Time) -> Result<Option<Vec<u8>>, &'static str> {
        if !self.has_line(now) {
            return Ok(None);
        }
        if self.is_encrypted() {
            return Err("nothing is encrypted here; connect without TLS");
        }
        let end = memchr::memchr(b'\n', &self.unread).filter(|end| *end <= ENDLESS_BYTES);
        let Some(end) = end else {
            return Err("a line has no end");
        };
        self.credit = self.earned_by(now) - LINE;
        self.earned = now;
        let mut line: Vec<u8> = self.unread.drain(..=end).collect();
        // No line has these within it.
        line.retain(|b| !matches!(b, b'\n' | b'\r' | 0));
        Ok(Some(line))
    }

    // What goes out.

    /// How many bytes wait to be read by it.
    pub(super) fn unsent_len(&self) -> usize {
        self.unsent.len() - self.sent
    }

    /// True while something waits to be read by it.
    pub(super) fn has_unsent(&self) -> bool {
        self.sent < self.unsent.len()
    }

    /// What waits to be read by it.
    pub(super) fn unsent(&self) -> &[u8] {
        &self.unsent[self.sent..]
    }

    /// So many bytes of [`unsent`](Client::unsent) are on their way.
    pub(super) fn on_sent(&mut self, bytes: usize) {
        self.sent += bytes;
        if self.sent >= self.unsent.len() {
            self.unsent.clear();
            self.unsent.shrink_to(16 * 1024);
            self.sent = 0;
        }
    }

    /// True if it left more unread than is kept for it.
    pub(super) fn is_overflowed(&self) -> bool {
        self.overflowed
    }

    fn push(&mut self, tags: &str, body: &str) {
        if self.overflowed {
            return;
        }
        if self.unsent.len() - self.sent + tags.len() + body.len() > IRC_UNSENT_BYTES_MAX {
            self.overflowed = true;
            return;
        }
        if self.sent > 64 * 1024 {
            self.unsent.drain(..self.sent);
            self.sent = 0;
        }
        if !tags.is_empty() {
            self.unsent.push(b'@');
            self.unsent.extend_from_slice(tags.as_bytes());
            self.unsent.push(b' ');
        }
        self.unsent.extend_from_slice(body.as_bytes());
    }

    /// A line that everybody gets as it is.
    pub(super) fn put(&mut self, body: String) {
        let body = body.into();
        self.say(&Said {
            body,
            ..Said::default()
        });
    }

    /// A line, with the tags that this client wants.
    pub(super) fn say(&mut self, said: &Said) {
        let tags = self.tags(said);
        match &mut self.answer {
            Some(answer) => answer.lines.push((tags, Rc::clone(&said.body))),
            None => self.push(&tags, &said.body),
        }
    }

    /// A line that is no answer to the command that is being carried out.
    pub(super) fn say_unasked(&mut self, said: &Said) {
        let answer = self.answer.take();
        self.say(said);
        self.answer = answer;
    }

    fn tags(&self, said: &Said) -> String {
        let mut tags = String::new();
        let mut add = |key: &str, value: &str| {
            if !tags.is_empty() {
                tags.push(';');
            }
            push_tag(&mut tags, key, value);
        };
        if let Some(time) = said.time.as_ref().filter(|_| self.has(Cap::Time)) {
            add("time", time);
        }
        if let Some(msgid) = said.msgid.as_ref().filter(|_| self.has(Cap::Tags)) {
            add("msgid", msgid);
        }
        if let Some(batch) = said.batch.as_ref().filter(|_| self.has(Cap::Batch)) {
            add("batch", batch);
        }
        let knows_marks = self.has(Cap::Batch) || self.has(Cap::Confirmed);
        let mark = said.mark.as_deref().filter(|_| knows_marks);
        let others = Some(&*said.client_tags).filter(|t| !t.is_empty() && self.has(Cap::Tags));
        for written in [mark, others].into_iter().flatten() {
            let gap = if tags.is_empty() { "" } else { ";" };
            let _ = write!(tags, "{gap}{written}");
        }
        tags
    }

    /// A name for a batch that no other one of this client has.
    pub(super) fn new_batch(&mut self) -> Rc<str> {
        self.batches += 1;
        format!("b{}", self.batches).into()
    }

    // Labelled answers.

    /// What is said from now on answers a command with this label.
    pub(super) fn begin_answer(&mut self, label: &str) {
        self.answer = Some(Answer {
            label: label.to_owned(),
            lines: Vec::new(),
        });
    }

    /// The command with a label is carried out: its answer goes out in one piece.
    pub(super) fn end_answer(&mut self, server: &str) {
        let Some(Answer { label, mut lines }) = self.answer.take() else {
            return;
        };
        let mut tag = String::new();
        push_tag(&mut tag, "label", &label);
        if lines.is_empty() {
            return self.push(&tag, &format!(":{server} ACK\r\n"));
        }
        if lines.len() == 1 || is_one_batch(&lines) {
            lines[0].0 = joined(&tag, &lines[0].0);
            return lines.iter().for_each(|(tags, body)| self.push(tags, body));
        }
        let batch = self.new_batch();
        self.push(
            &tag,
            &format!(":{server} BATCH +{batch} labeled-response\r\n"),
        );
        for (tags, body) in &lines {
            let is_inner = tags.split(';').any(|t| t.starts_with("batch="));
            let tags = match is_inner {
                true => tags.clone(),
                false => joined(&format!("batch={batch}"), tags),
            };
            self.push(&tags, body);
        }
        self.push("", &format!(":{server} BATCH -{batch}\r\n"));
    }
}

fn joined(tag: &str, tags: &str) -> String {
    match tags {
        "" => tag.to_owned(),
        tags => format!("{tag};{tags}"),
    }
}

/// True if these are the lines of one batch from its beginning to its end.
fn is_one_batch(lines: &[(String, Rc<str>)]) -> bool {
    let words = |at: usize| lines.get(at).map(|(_, body)| body.split_ascii_whitespace());
    let word = |at: usize, n: usize| words(at).and_then(|mut words| words.nth(n));
    let opened = word(0, 1).filter(|c| *c == "BATCH").and(word(0, 2));
    let closed = word(lines.len() - 1, 1).filter(|c| *c == "BATCH");
    let closed = closed.and(word(lines.len() - 1, 2));
    match (opened, closed) {
        (Some(opened), Some(closed)) => opened.strip_prefix('+') == closed.strip_prefix('-'),
        _ => false,
    }
}
