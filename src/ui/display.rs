//! Where each thing that is said goes, by the face that is shown: to stdout, to stderr, or above
//! the prompt.
//!
//! This module owns the face, the queues for stdout and stderr, and the exit status, after which
//! stdout is at its end. It never decides which event is shown, and hands nothing to the node.

use crate::identity::Peer;
use crate::node::{Arrival, Now, Time};
use crate::wire::{ChatMessage, Key, Member, MessageId};

use super::backlog::Kind;
use super::config::UiConfig;
use super::event_data::{Delivered, HeardMessage, PrivateEvent};
use super::face::Face;
use super::json::When;
use super::line_format::{JsonLines, TextLines};
use super::output::{Output, kept_bytes};
use super::people::People;
use super::prompt::Prompt;
use super::repeats::{About, Matter, Repeats};
use super::room_state::RoomState;
use super::runs::{Run, Runs};
use super::stderr::Stderr;
use super::visible::{Tab, visible};
use super::{json, json_message, json_people, text};

/// All that the user sees.
#[derive(Debug)]
pub(super) struct Display {
    face: Face,
    people: People,
    /// A command is to be run for each message, instead of printing it.
    runs: Option<Runs>,
    /// So many are not run, since too many waited.
    not_run: u64,
    stdout: Output,
    stderr: Stderr,
    /// How much was said of what others can bring about as often as they like.
    repeats: Repeats,
    /// The room, where each line and event is to name it.
    room: Option<String>,
    /// The exit status, once the node has left.
    status: Option<u8>,
}

impl Display {
    /// A display that has shown nothing, as the command line wants it.
    pub(super) fn new(config: &UiConfig) -> Display {
        let kept = kept_bytes(config.history_max);
        Display {
            face: Face::new(config),
            people: People::default(),
            runs: config.runs.then(Runs::default),
            not_run: 0,
            stdout: Output::new(kept, config.confirms_printed),
            stderr: Stderr::default(),
            repeats: Repeats::default(),
            room: None,
            status: None,
        }
    }

    /// Each line and each event names the room from now on.
    pub(super) fn name_room(&mut self, room: &str) {
        self.stderr.name_room(room);
        self.room = Some(room.to_owned());
    }

    /// Shows a prompt from now on.
    pub(super) fn open(&mut self, prompt: Prompt) {
        self.face = Face::Terminal(Box::new(prompt));
    }

    /// A link has proven who is at its other end.
    pub(super) fn met(&mut self, now: Now, peer: Peer, members: &[Member]) {
        self.people.met(peer, members);
        self.look_at(now, members);
    }

    /// Who people are.
    pub(super) fn people(&self) -> &People {
        &self.people
    }

    /// Says who bears the nick that somebody else was known under.
    fn look_at(&mut self, now: Now, members: &[Member]) {
        for (nick, words) in self.people.look(members) {
            self.warn_of(now, Matter::Another.of(&nick), &words);
        }
    }

    /// The prompt, if that is the face.
    pub(super) fn prompt(&self) -> Option<&Prompt> {
        self.face.prompt()
    }

    /// The prompt, if that is the face, to be changed.
    pub(super) fn prompt_mut(&mut self) -> Option<&mut Prompt> {
        self.face.prompt_mut()
    }

    /// Whether what scripts rely on is shown.
    pub(super) fn is_json(&self) -> bool {
        self.face.is_json()
    }

    /// Whether the user sees on stdout what this node says itself.
    pub(super) fn shows_own(&self) -> bool {
        matches!(self.face, Face::Json | Face::Terminal(_))
    }

    /// What waits for stdout.
    pub(super) fn stdout(&self) -> &Output {
        &self.stdout
    }

    /// What waits for stdout, to be changed.
    pub(super) fn stdout_mut(&mut self) -> &mut Output {
        &mut self.stdout
    }

    /// True while something waits for stdout or stderr.
    pub(super) fn has_output(&self) -> bool {
        !self.stdout.is_empty() || !self.stderr.is_empty()
    }

    /// The exit status, once the node has left.
    pub(super) fn status(&self) -> Option<u8> {
        self.status
    }

    /// The node has left: nothing but messages goes to stdout from now on.
    pub(super) fn end(&mut self, status: u8) {
        self.status = Some(status);
    }

    /// The members as they are now.
    pub(super) fn set_members(&mut self, now: Now, members: &[Member]) {
        self.look_at(now, members);
        if let Some(prompt) = self.prompt_mut() {
            prompt.set_members(members);
        }
    }

    /// Shows messages as the node gave them, all of one author or all of others.
    pub(super) fn messages(
        &mut self,
        now: Now,
        messages: Vec<ChatMessage>,
        own: bool,
        arrival: Arrival,
    ) {
        if self.runs.is_some() {
            if !own {
                self.stdout.push_unshown(messages.len());
            }
            return self.run_for_each(now, &messages, own);
        }
        if !own && arrival != Arrival::Old && self.prompt().is_some() {
            for message in &messages {
                self.call_for(
                    now,
                    &HeardMessage {
                        nick: message.nick(),
                        text: message.text(),
                        sent_at: message.sent_at(),
                        is_private: false,
                    },
                );
            }
        }
        (self.stdout).push_messages(now.wall_ms, messages, own, arrival);
    }

    /// A message of somebody else is about to be shown: at a prompt the user is called.
    fn call_for(&mut self, now: Now, message: &HeardMessage<'_>) {
        if self
            .prompt_mut()
            .is_some_and(|prompt| prompt.on_message(message))
        {
            self.rule(now, "unread");
        }
    }

    /// At a prompt, parts what was shown from what is shown from now on.
    pub(super) fn rule(&mut self, now: Now, text: &str) {
        if self.prompt().is_some() {
            self.push_kind(now, Kind::Rule, text);
        }
    }

    /// Prints messages of the history again; those of `key` are one's own.
    pub(super) fn replay(&mut self, now: Now, old: Vec<ChatMessage>, key: Key) {
        for message in old {
            let (own, message) = (message.origin() == key, vec![message]);
            match self.runs {
                Some(_) => self.run_for_each(now, &message, own),
                None => self.stdout.push_again(now.wall_ms, message, own),
            }
        }
    }

    /// Runs the user's command for each of these messages.
    fn run_for_each(&mut self, now: Now, messages: &[ChatMessage], own: bool) {
        for message in messages {
            let said = PrivateEvent {
                from: message.from(),
                key: message.origin(),
                nick: message.nick(),
                sent_at: message.sent_at(),
                text: message.text(),
                own,
            };
            self.run_for(now, &said, Some(message.id()));
        }
    }

    /// What was said here was delivered, which scripts alone are told.
    pub(super) fn delivered(&mut self, now: Now, delivered: Delivered) {
        if self.is_json() {
            self.stdout.push_delivered(now.wall_ms, delivered);
        }
    }

    /// Shows what was said to or by one member alone.
    pub(super) fn private(&mut self, now: Now, said: &PrivateEvent<'_>) {
        if self.runs.is_some() {
            return self.run_for(now, said, None);
        }
        if !said.own {
            self.call_for(
                now,
                &HeardMessage {
                    nick: said.nick,
                    text: said.text,
                    sent_at: said.sent_at,
                    is_private: true,
                },
            );
        }
        match &mut self.face {
            Face::Json => self.json(now, |out, at, people| {
                json_message::private(out, at, said, people.identity(said.key));
            }),
            Face::Text { .. } if said.own => {}
            Face::Text { timestamps, .. } => self.stdout.push_lines(now.wall_ms, |out| {
                let (nick, text) = (said.nick.as_bytes(), said.text.as_bytes());
                if *timestamps {
                    text::moment(out, said.sent_at);
                }
                text::place(out, self.room.as_deref());
                text::message(out, nick, text, Tab::Keep);
            }),
            Face::Terminal(prompt) => {
                let line = prompt.style_private(said, &self.people);
                let kind = Kind::Styled(line.indent);
                (self.stdout).push_kind(said.sent_at, kind, line.text.into_bytes());
            }
        }
    }

    /// A command is to be run for this. Only what was said to everybody has an id.
    fn run_for(&mut self, now: Now, said: &PrivateEvent<'_>, id: Option<MessageId>) {
        let identity = self.people.identity(said.key);
        let Some(runs) = &mut self.runs else {
            return;
        };
        // Texts and nicks may have any character, and a variable may not have this one.
        let nick = said.nick.replace('\0', "");
        let mut variables = vec![
            ("PAPO_FROM", nick),
            ("PAPO_FROM_ID", said.from.to_string()),
            ("PAPO_FROM_KEY", said.key.to_string()),
            ("PAPO_SENT_AT", said.sent_at.to_string()),
            ("PAPO_PRIVATE", id.is_none().to_string()),
        ];
        variables.extend(id.map(|id| ("PAPO_MESSAGE_ID", format!("{}-{}", id.origin, id.seq))));
        // Whatever the command runs of papo is in the same room then.
        variables.extend((self.room.clone()).map(|room| ("PAPO_ROOM", room)));
        variables.extend(identity.map(|who| ("PAPO_FROM_IDENTITY", who.to_string())));
        let text = format!("{}\n", said.text);
        if !runs.push(Run { text, variables }) {
            self.not_run += 1;
            if self.not_run == 1 {
                self.warn(
                    now,
                    "--exec: too many messages wait: no command is run for some",
                );
            }
        }
    }

    /// For how many messages a command is still to be run.
    pub(super) fn waiting_runs(&self) -> u64 {
        self.runs.as_ref().map_or(0, Runs::len)
    }

    /// The next message for which a command is to be run.
    pub(super) fn next_run(&mut self) -> Option<Run> {
        self.runs.as_mut()?.pop()
    }

    /// Shows that this node is in the room.
    pub(super) fn joined(&mut self, now: Now, again: bool, room: &str, node: &dyn RoomState) {
        match &self.face {
            Face::Json => self.json(now, |out, at, people| {
                json_people::joined(out, at, node, people, again);
            }),
            Face::Text { .. } => self.notice(now, &text::joined(room, node, again)),
            Face::Terminal(prompt) => {
                let welcome = prompt.welcome(node, again);
                self.notice(now, &welcome);
            }
        }
    }

    /// Shows a `warning` or an `error`: for people on stderr, for scripts also as an event.
    pub(super) fn remark(&mut self, now: Now, kind: &'static str, text: &str) {
        let shown = visible(text, Tab::Escape);
        match self.face {
            Face::Json => {
                self.json(now, |out, at, _| json::remark(out, at, kind, text));
                self.stderr.push(&shown);
            }
            Face::Text { .. } => self.stderr.push(&shown),
            Face::Terminal(_) => self.push_kind(now, Kind::Warning, &shown),
        }
    }

    /// Shows a warning.
    pub(super) fn warn(&mut self, now: Now, text: &str) {
        self.remark(now, "warning", text);
    }

    /// Shows a warning of which there may be many: scripts get each, and people not too many at once.
    pub(super) fn warn_of(&mut self, now: Now, about: About<'_>, text: &str) {
        match self.repeats.admit(now.time, about) {
            true => self.warn(now, text),
            false => self.warn_scripts(now, text),
        }
    }

    /// Says to people what is good to know, and of which there may be many.
    pub(super) fn notice_of(&mut self, now: Now, about: About<'_>, text: &str) {
        if self.shows_notices() && self.repeats.admit(now.time, about) {
            self.notice(now, text);
        }
    }

    /// When [`sum_up`](Display::sum_up) wants to be called.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.repeats.next_deadline()
    }

    /// Says to people how much was left out a while ago.
    pub(super) fn sum_up(&mut self, now: Now) {
        for (matter, words) in self.repeats.sum_up(now.time) {
            match self.face {
                Face::Json | Face::Text { .. } => self.stderr.push(&words),
                Face::Terminal(_) if matter.is_warning() => {
                    self.push_kind(now, Kind::Warning, &words);
                }
                Face::Terminal(_) => self.push_kind(now, Kind::Notice, &words),
            }
        }
    }

    /// Says what was left out of late of what people are warned of: it is over.
    pub(super) fn sum_up_all(&mut self) {
        for (matter, words) in self.repeats.sum_up_all() {
            if matter.is_warning() {
                self.stderr.push(&words);
            }
        }
    }

    /// Tells scripts of a warning that people read at the end.
    pub(super) fn warn_scripts(&mut self, now: Now, text: &str) {
        if self.is_json() {
            self.json(now, |out, at, _| json::remark(out, at, "warning", text));
        }
    }

    /// Whether people are told what is good to know.
    fn shows_notices(&self) -> bool {
        match self.face {
            Face::Text { notices, .. } => notices,
            Face::Json => false,
            Face::Terminal(_) => true,
        }
    }

    /// Says to people what is good to know: on stderr in a pipe, if wanted.
    pub(super) fn notice(&mut self, now: Now, text: &str) {
        match self.face {
            Face::Text { notices: true, .. } => self.stderr.push(text),
            Face::Text { notices: false, .. } | Face::Json => {}
            Face::Terminal(_) => self.push_kind(now, Kind::Notice, text),
        }
    }

    /// Says on stderr what people read after the end, whatever the face.
    pub(super) fn say_on_stderr(&mut self, text: &str) {
        self.stderr.push(text);
    }

    /// Shows a command's answer: whole lines of text on stdout.
    pub(super) fn answer(&mut self, now: Now, lines: &str) {
        if self.room.is_none() || self.prompt().is_some() {
            return self.push_kind(now, Kind::Text, lines);
        }
        let mut place = Vec::new();
        text::place(&mut place, self.room.as_deref());
        let place = String::from_utf8_lossy(&place).into_owned();
        let lines: String = (lines.lines())
            .map(|line| format!("{place}{line}\n"))
            .collect();
        self.push_kind(now, Kind::Text, &lines);
    }

    /// Shows an event, which `write` appends, on stdout; after `left` there is none. It is told who
    /// people are.
    pub(super) fn json(&mut self, now: Now, write: impl FnOnce(&mut Vec<u8>, When<'_>, &People)) {
        if self.status.is_none() {
            let (ms, room) = (now.wall_ms, self.room.as_deref());
            let (at, people) = (When { ms, room }, &self.people);
            self.stdout.push_lines(ms, |out| write(out, at, people));
        }
    }

    fn push_kind(&mut self, now: Now, kind: Kind, text: &str) {
        if self.status.is_none() {
            let text = text.as_bytes().to_vec();
            self.stdout.push_kind(now.wall_ms, kind, text);
        }
    }

    /// Appends what waits for stdout until `out` holds about `limit` bytes. `leaves`: there is no
    /// prompt any more.
    pub(super) fn fill_stdout(&mut self, out: &mut Vec<u8>, limit: usize, leaves: bool) {
        let stderr = &mut self.stderr;
        match &mut self.face {
            Face::Text { timestamps, .. } => {
                let format = TextLines {
                    timestamps: *timestamps,
                    room: self.room.as_deref(),
                };
                self.stdout.fill(out, limit, &format, stderr);
            }
            Face::Json => {
                let format = JsonLines {
                    people: &self.people,
                    room: self.room.as_deref(),
                };
                self.stdout.fill(out, limit, &format, stderr);
            }
            Face::Terminal(prompt) => {
                prompt.fill(out, limit, leaves, (&mut self.stdout, &self.people));
            }
        }
    }

    /// At a prompt that is not seen: keeps what is shown once it is.
    pub(super) fn keep_behind(&mut self) {
        if let Face::Terminal(prompt) = &mut self.face {
            prompt.keep((&mut self.stdout, &self.people));
        }
    }

    /// The next line for stderr, without who says it.
    pub(super) fn next_word(&mut self) -> Option<String> {
        self.stderr.pop()
    }

    /// Appends what waits for stderr until `out` holds about `limit` bytes.
    pub(super) fn fill_stderr(&mut self, out: &mut Vec<u8>, limit: usize) {
        self.stderr.fill(out, limit);
    }
}
