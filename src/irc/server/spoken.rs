//! What the nodes hear: messages, new and of the past, private ones, what is confirmed, the topic and who is away.
//!
//! Each message is shown once, whichever node brings it first. What is of the past is never shown as new.

use std::rc::Rc;

use crate::limits::IRC_TOPIC_BYTES_MAX;
use crate::node::Arrival;
use crate::ui::RoomState;
use crate::ui::act::{Act, topic_of};
use crate::wire::{ChatMessage, Key};

use super::super::caps::Cap;
use super::super::channel::Topic;
use super::super::line::{body, cut};
use super::super::past::Kept;
use super::super::{Conn, SeatId, names};
use super::Server;
use super::talking::{Speech, message_id, room_for_text};

impl Server {
    pub(super) fn on_messages(
        &mut self,
        id: SeatId,
        folded: &str,
        messages: &[ChatMessage],
        arrival: Arrival,
        room: &dyn RoomState,
    ) {
        let others: Vec<ChatMessage> = messages
            .iter()
            .filter(|m| !self.own_keys.contains_key(&m.origin()))
            .cloned()
            .collect();
        if others.is_empty() {
            return;
        }
        for message in &others {
            self.show_pending_of(folded, message.origin());
        }
        if arrival == Arrival::Old {
            if self.lead(folded) == Some(id) {
                self.take_old(folded, &others, None);
                self.follow_topic(folded, room);
            }
            return;
        }
        for message in &others {
            let Some(channel) = self.channels.get_mut(folded) else {
                return;
            };
            let is_new = channel.show(message.origin(), message.seq());
            let kept_id = message_id(message.origin(), message.seq());
            let is_late =
                arrival == Arrival::Late && !channel.past.has(&kept_id, message.sent_at());
            if is_new || is_late {
                self.on_message_elsewhere(folded, message);
            }
        }
    }

    pub(super) fn on_message_elsewhere(&mut self, folded: &str, message: &ChatMessage) {
        let source = self.source(folded, message.origin(), message.from(), message.nick());
        match Act::of(message.text()) {
            Some(Act::Topic(text)) => {
                let topic = Topic {
                    text: cut(text, IRC_TOPIC_BYTES_MAX).to_owned(),
                    by: source.split('!').next().unwrap_or("*").to_owned(),
                    at_ms: message.sent_at(),
                };
                self.set_topic(folded, &source, topic);
            }
            Some(Act::Away(text)) => self.set_away(folded, message.origin(), Some(text)),
            Some(Act::Back) => self.set_away(folded, message.origin(), None),
            Some(Act::Does(_)) | None => {
                let Some(speech) = self.speech(folded, source, message) else {
                    return;
                };
                if let Some(channel) = self.channels.get_mut(folded) {
                    channel.past.push(speech.kept());
                }
                self.hear(folded, &speech, None);
            }
        }
    }

    pub(super) fn speech(
        &self,
        folded: &str,
        source: Rc<str>,
        message: &ChatMessage,
    ) -> Option<Speech> {
        let target = self.channels.get(folded)?.shared_name();
        let lines = lines_of(message.text(), room_for_text(&source, &target));
        Some(Speech {
            source,
            command: "PRIVMSG",
            target,
            lines: lines.into(),
            client_tags: "".into(),
            id: message_id(message.origin(), message.seq()),
            at_ms: message.sent_at(),
            batch: None,
        })
    }

    /// Whoever has written something, as IRC says it.
    pub(super) fn source(&self, folded: &str, key: Key, id: u64, nick: &str) -> Rc<str> {
        if let Some(person) = self.people.get(folded, key) {
            return person.mask().into();
        }
        let plain = names::nick(nick);
        let is_taken =
            self.nicks.contains_key(&names::folded(&plain)) || self.people.named(&plain).is_some();
        let nick = if is_taken {
            format!("{plain}|{id}")
        } else {
            plain
        };
        format!("{nick}!papo@papo").into()
    }

    /// Messages of the past: kept, and shown to those who can see that they are of the past. To one of them only, if
    /// it has just come.
    pub(super) fn take_old(&mut self, folded: &str, messages: &[ChatMessage], only: Option<Conn>) {
        let mut found: Vec<Kept> = Vec::new();
        for message in messages {
            let source = self.source(folded, message.origin(), message.from(), message.nick());
            let is_line = !matches!(
                Act::of(message.text()),
                Some(Act::Topic(_) | Act::Away(_) | Act::Back)
            );
            let speech = self.speech(folded, source, message).filter(|_| is_line);
            let Some(channel) = self.channels.get_mut(folded) else {
                return;
            };
            let is_new = channel.show(message.origin(), message.seq());
            if let Some(speech) = speech.filter(|_| is_new) {
                channel.past.push(speech.kept());
                found.push(speech.kept());
            }
        }
        let Some(channel) = self.channels.get(folded) else {
            return;
        };
        let (name, all) = (channel.shared_name(), channel.conns().collect::<Vec<_>>());
        let from = found
            .len()
            .saturating_sub(crate::limits::IRC_HISTORY_LINES_MAX);
        for conn in all
            .into_iter()
            .filter(|conn| only.is_none_or(|only| only == *conn))
        {
            self.show_before(conn, Rc::clone(&name), &found[from..]);
        }
    }

    pub(super) fn on_private(
        &mut self,
        conn: Conn,
        folded: &str,
        (key, id, nick): (Key, u64, String),
        (sent_at, text): (u64, &str),
    ) {
        self.show_pending_of(folded, key);
        let Some(client) = self.clients.get(&conn) else {
            return;
        };
        let target: Rc<str> = client.name().into();
        let source = self.source(folded, key, id, &nick);
        let lines = lines_of(text, room_for_text(&source, &target));
        let speech = Speech {
            source,
            command: "PRIVMSG",
            target,
            lines: lines.into(),
            client_tags: "".into(),
            id: self.own_id(),
            at_ms: sent_at,
            batch: None,
        };
        self.deliver(conn, &speech, false);
        let author = speech.source.split('!').next().unwrap_or("").to_owned();
        self.keep_private(conn, &speech, &author);
    }

    pub(super) fn on_delivered(&mut self, id: SeatId, last: u64, confirmed: usize) {
        let Some(seat) = self.seats.get_mut(&id) else {
            return;
        };
        let Some(client) = self.clients.get_mut(&seat.conn) else {
            return;
        };
        while let Some((_, lines)) = seat.echoes.pop_front_if(|(seq, _)| *seq <= last) {
            for mut said in lines {
                said.mark = Some(format!("papo/confirmed={confirmed}").into());
                client.say(&said);
            }
        }
    }

    // What is so.

    pub(super) fn set_topic(&mut self, folded: &str, source: &str, topic: Topic) {
        let Some(channel) = self.channels.get_mut(folded) else {
            return;
        };
        let line = body(source, "TOPIC", &[&channel.name], Some(&topic.text));
        channel.topic = (!topic.text.is_empty()).then_some(topic);
        let said = self.said(line);
        self.say_in(folded, &said, None);
    }

    /// The topic that the history has, if it is another one than was known.
    pub(super) fn follow_topic(&mut self, folded: &str, room: &dyn RoomState) {
        let sets = |m: &ChatMessage| matches!(Act::of(m.text()), Some(Act::Topic(_)));
        let Some(set) = room.newest_that(&sets) else {
            return;
        };
        let known = self.channels.get(folded).and_then(|c| c.topic.clone());
        let text = cut(topic_of(&set), IRC_TOPIC_BYTES_MAX);
        let is_older = known.as_ref().is_some_and(|t| t.at_ms > set.sent_at());
        let is_same = known.as_ref().map_or("", |t| &t.text) == text;
        if is_same || is_older {
            return;
        }
        let source = self.source(folded, set.origin(), set.from(), set.nick());
        let topic = Topic {
            text: text.to_owned(),
            by: source.split('!').next().unwrap_or("*").to_owned(),
            at_ms: set.sent_at(),
        };
        let Some(channel) = self.channels.get_mut(folded) else {
            return;
        };
        channel.topic = (!topic.text.is_empty()).then_some(topic);
        for conn in channel.conns().collect::<Vec<_>>() {
            self.show_topic(conn, folded, true);
        }
    }

    pub(super) fn set_away(&mut self, folded: &str, key: Key, text: Option<&str>) {
        let text = text.map(|t| cut(t, IRC_TOPIC_BYTES_MAX));
        let Some(person) = self.people.get_mut(folded, key) else {
            return;
        };
        let away = text.map(str::to_owned);
        if person.away == away {
            return;
        }
        person.away = away;
        let mask = person.mask();
        let said = self.said(body(&mask, "AWAY", &[], text));
        self.say_to_those(folded, Cap::AwayNotify, &said, None);
    }
}

/// A text as the lines that it takes, each of at most so many bytes; true for those that go on with the line before.
fn lines_of(text: &str, bytes: usize) -> Vec<(String, bool)> {
    let action = match Act::of(text) {
        Some(Act::Does(what)) => Some(what),
        _ => None,
    };
    let mut lines = Vec::new();
    for line in action.unwrap_or(text).split('\n') {
        let mut rest = line.trim_end_matches('\r');
        let mut goes_on = false;
        loop {
            let part = cut(rest, bytes - 10);
            let said = match action {
                Some(_) => Act::Does(part).line(),
                None => part.to_owned(),
            };
            lines.push((said, goes_on && action.is_none()));
            rest = &rest[part.len()..];
            goes_on = true;
            if rest.is_empty() {
                break;
            }
        }
    }
    lines
}
