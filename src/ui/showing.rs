//! Which event is shown where: messages and JSON on stdout, the rest on stderr in a pipe and
//! between the messages in a terminal.
//!
//! How an event reads is decided in `text` and `json`; when the user speaks, in `sending`.

use crate::node::{Arrival, Departure, Event, Now};
use crate::wire::{ChatMessage, Key, Member};

use super::backlog::{Delivered, Misser};
use super::node_view::NodeView;
use super::output::{Kind, tab};
use super::sending::Stage;
use super::visible::{Tab, visible};
use super::{Listening, Mode, Private, Replay, Ui, json, text};

impl Ui {
    pub(super) fn show_listening(&mut self, now: Now, listening: &Listening) {
        self.reach = text::Reach {
            tcp: listening.tcp.clone(),
            group: listening.group.clone(),
        };
        if self.is_json() {
            self.json(now, |out, at| json::listening(out, at, listening));
        }
    }

    pub(super) fn show(&mut self, now: Now, event: Event, node: &dyn NodeView) {
        match event {
            Event::Joined { again } => self.show_joined(now, again, node),
            Event::Messages {
                messages,
                own,
                arrival,
            } => self.show_messages(now, messages, own, arrival),
            Event::Missed {
                key,
                nick,
                first,
                last,
            } => self.show_missed(now, (key, &nick), (first, last), node),
            Event::Private {
                from,
                key,
                nick,
                sent_at,
                text,
                own,
            } => self.show_private(
                now,
                &Private {
                    from,
                    key,
                    nick: &nick,
                    sent_at,
                    text: &text,
                    own,
                },
            ),
            outcome @ (Event::Delivered { .. } | Event::Left { .. }) => {
                self.show_outcome(now, outcome, node);
            }
            Event::Warning(text) => self.warn(now, &text),
            other => self.show_change(now, &other, node),
        }
    }

    /// What became of what was said here.
    fn show_outcome(&mut self, now: Now, event: Event, node: &dyn NodeView) {
        match event {
            Event::Delivered {
                first,
                last,
                members,
                confirmed,
                missed,
            } if self.is_json() => {
                let delivered = Delivered {
                    first,
                    last,
                    members,
                    confirmed,
                    missed: missers(&missed, node.members()),
                };
                self.stdout.push_delivered(now.wall_ms, delivered);
            }
            Event::Left {
                confirmed,
                unconfirmed,
                missing,
                missed,
            } => {
                let confirmed = confirmed && missed.is_empty();
                self.say_who_missed(&missed);
                self.show_left(now, confirmed, unconfirmed, &missing);
            }
            // The others have ways of their own.
            _ => {}
        }
    }

    fn show_messages(
        &mut self,
        now: Now,
        mut messages: Vec<ChatMessage>,
        own: bool,
        arrival: Arrival,
    ) {
        if arrival == Arrival::Old {
            let left = self.replay_max().saturating_sub(self.replayed);
            // What comes before the first `Joined` is shown with it.
            messages.truncate(if self.joined { left } else { 0 });
            self.replayed += messages.len();
            return (self.stdout).push_messages(now.wall_ms, messages, own, arrival);
        }
        let shows_own = self.is_json() || self.terminal.is_some();
        if self.joined && (shows_own || !own) {
            (self.stdout).push_messages(now.wall_ms, messages, own, arrival);
        } else if !own {
            self.stdout.push_unshown(messages.len());
        }
    }

    /// How many old messages are to be printed.
    fn replay_max(&self) -> usize {
        match self.config.replay {
            Replay::Last(count) => count,
            Replay::All => usize::MAX,
        }
    }

    /// Messages of this author, from one number to another, are given up.
    fn show_missed(
        &mut self,
        now: Now,
        (key, nick): (Key, &str),
        (first, last): (u64, u64),
        node: &dyn NodeView,
    ) {
        let me = node.members().iter().find(|m| m.key == node.key());
        let me = me.map_or(&self.nick, |m| &m.nick);
        let words = text::missed(me, nick, first, last);
        self.warn(now, &words);
        if !self.is_json() {
            return;
        }
        let count = last.saturating_sub(first).saturating_add(1);
        self.json(now, |out, at| {
            json::missed(out, at, key, nick, (first, last), count);
        });
    }

    fn say_who_missed(&mut self, missed: &[(Member, u64)]) {
        if !missed.is_empty() {
            self.stderr.push(&text::missers(missed));
        }
    }

    /// What happens to the group rather than in the talk.
    fn show_change(&mut self, now: Now, event: &Event, node: &dyn NodeView) {
        let members = node.members();
        self.set_members(members);
        if self.is_json() {
            return self.json(now, |out, at| change_as_json(out, at, event));
        }
        let notice = match event {
            Event::MemberJoined(member) => format!("{} joined", text::name(member)),
            Event::MemberLeft(member, Departure::Left) => format!("{} left", text::name(member)),
            Event::MemberLeft(member, Departure::Lost) => {
                format!("{} was lost", text::name(member))
            }
            Event::MemberRenamed { member, previous } => {
                let previous = visible(previous, Tab::Escape);
                format!("{previous} is called {} now", text::name(member))
            }
            Event::Election { phase, reason } => text::election(*phase, reason),
            Event::Coordinator { id, key, own, .. } => text::coordinator(*id, *key, *own, members),
            _ => return,
        };
        self.notice(now, &notice);
    }

    fn show_joined(&mut self, now: Now, again: bool, node: &dyn NodeView) {
        self.set_members(node.members());
        if self.is_json() {
            self.json(now, |out, at| json::joined(out, at, node, again));
        } else if self.terminal.is_some() {
            self.welcome(now, again, node);
        } else {
            let notice = text::joined(&self.room, node, again);
            self.notice(now, &notice);
        }
        if !self.joined && !self.is_json() && node.members().len() == 1 {
            for line in text::alone(&self.room, &self.reach) {
                self.notice(now, &line);
            }
        }
        if !self.joined {
            self.joined = true;
            // What is newer, or comes later, comes as an event of its own.
            let old = node.old(self.replay_max());
            self.replayed = old.len();
            self.replay(now, old, node);
        }
    }

    /// Prints messages of the history.
    pub(super) fn replay(&mut self, now: Now, old: Vec<ChatMessage>, node: &dyn NodeView) {
        for message in old {
            let own = message.origin() == node.key();
            (self.stdout).push_messages(now.wall_ms, vec![message], own, Arrival::Old);
        }
    }

    fn show_private(&mut self, now: Now, said: &Private<'_>) {
        match self.config.mode {
            Mode::Json => self.json(now, |out, at| json::private(out, at, said)),
            Mode::Text if said.own => {}
            Mode::Interactive if self.terminal.is_some() => self.show_private_styled(said),
            mode => {
                let id = self.stdout.id_beside(said.nick, said.from);
                self.stdout.push_lines(now.wall_ms, |out| {
                    if mode == Mode::Interactive {
                        let direction: &[u8] = if said.own {
                            b"-- sent: "
                        } else {
                            b"-- to you: "
                        };
                        out.extend_from_slice(direction);
                    }
                    let (nick, text) = (said.nick.as_bytes(), said.text.as_bytes());
                    text::message(out, nick, id, text, tab(mode));
                });
            }
        }
    }

    fn show_left(&mut self, now: Now, confirmed: bool, unconfirmed: u64, missing: &[Member]) {
        let unsent = self.sending.unsent;
        if unsent > 0 {
            let lines = text::count(unsent, "line");
            self.stderr.push(&format!("{lines} not sent"));
        }
        if unconfirmed > 0 || !missing.is_empty() {
            let messages = text::count(unconfirmed, "message");
            let by = match text::names(missing) {
                names if names.is_empty() => names,
                names => format!(" by {names}"),
            };
            self.stderr.push(&format!("{messages} not confirmed{by}"));
        }
        let good = confirmed && unsent == 0 && !self.sending.failed;
        if self.is_json() {
            self.json(now, |out, at| json::left(out, at, good));
        }
        self.sending.stage = Stage::Gone;
        self.status = Some(u8::from(!good));
    }

    /// A `warning` or an `error`: for people on stderr, for scripts also as an event.
    pub(super) fn show_remark(&mut self, now: Now, kind: &'static str, text: &str) {
        let shown = visible(text, Tab::Escape);
        match self.config.mode {
            Mode::Json => {
                self.json(now, |out, at| json::remark(out, at, kind, text));
                self.stderr.push(&shown);
            }
            Mode::Interactive if self.terminal.is_some() => {
                self.push_kind(now, Kind::Warning, &shown);
            }
            Mode::Text | Mode::Interactive => self.say(now, &shown),
        }
    }

    /// Says what is good to know: on stderr in a pipe, if wanted.
    fn notice(&mut self, now: Now, text: &str) {
        if self.config.notices || self.config.mode == Mode::Interactive {
            self.say(now, text);
        }
    }

    /// Says something that is not a message: on stderr in a pipe, in its place in a terminal.
    fn say(&mut self, now: Now, text: &str) {
        match self.config.mode {
            Mode::Interactive if self.terminal.is_some() => {
                self.push_kind(now, Kind::Notice, text);
            }
            Mode::Interactive => self.answer(now, &format!("-- {text}\n")),
            Mode::Text | Mode::Json => self.stderr.push(text),
        }
    }

    /// Whole lines of text for stdout: a command's answer.
    pub(super) fn answer(&mut self, now: Now, lines: &str) {
        if self.sending.stage != Stage::Gone {
            let lines = lines.as_bytes();
            self.stdout
                .push_lines(now.wall_ms, |out| out.extend_from_slice(lines));
        }
    }

    /// An event for stdout; after `left` there is none.
    pub(super) fn json(&mut self, now: Now, write: impl FnOnce(&mut Vec<u8>, u64)) {
        if self.sending.stage != Stage::Gone {
            let at = now.wall_ms;
            self.stdout.push_lines(at, |out| write(out, at));
        }
    }

    pub(super) fn is_json(&self) -> bool {
        self.config.mode == Mode::Json
    }
}

/// Who these are, as far as they are still in the view.
fn missers(keys: &[Key], members: &[Member]) -> Vec<Misser> {
    let misser = |key: &Key| Misser {
        member: (members.iter().find(|m| m.key == *key)).map(|m| (m.id, m.nick.clone())),
        key: *key,
    };
    keys.iter().map(misser).collect()
}

fn change_as_json(out: &mut Vec<u8>, at: u64, event: &Event) {
    match event {
        Event::MemberJoined(member) => json::member_joined(out, at, member),
        Event::MemberLeft(member, departure) => json::member_left(out, at, member, *departure),
        Event::MemberRenamed { member, previous } => {
            json::member_renamed(out, at, member, previous);
        }
        Event::Election { phase, reason } => json::election(out, at, *phase, reason),
        Event::Coordinator {
            id,
            key,
            previous,
            own,
        } => json::coordinator(out, at, *id, *key, *previous, *own),
        // The others have ways of their own.
        _ => {}
    }
}
