//! What a message says beyond a text: what its author does, the topic of the room, and who is away.
//!
//! These are ordinary messages of the room, in the form that chat programs have used since IRC's CTCP; so every
//! member has them, in one order, and newcomers get them with the history. This module owns no state, and
//! nothing is shown here.

use std::borrow::Cow;

use crate::wire::{ChatMessage, Key};

use super::room_state::RoomState;
use super::visible::{Tab, visible};

const EDGE: char = '\u{1}';
const ACTION: &str = "ACTION";
const TOPIC: &str = "TOPIC";
const AWAY: &str = "AWAY";

/// What the author of a message does with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act<'a> {
    /// It does this: `waves`.
    Does(&'a str),
    /// This is the room's topic from now on; if it is empty, there is none.
    Topic(&'a str),
    /// It is away, and says why perhaps.
    Away(&'a str),
    /// It is back.
    Back,
}

impl<'a> Act<'a> {
    /// What the author of this text does, if it is not just said.
    #[must_use]
    pub fn of(text: &'a str) -> Option<Act<'a>> {
        let inner = text.strip_prefix(EDGE)?;
        let inner = inner.strip_suffix(EDGE).unwrap_or(inner);
        let (name, rest) = inner.split_once(' ').unwrap_or((inner, ""));
        let is_back = !inner.contains(' ');
        match name {
            ACTION if !is_back => Some(Act::Does(rest)),
            TOPIC => Some(Act::Topic(rest)),
            AWAY if is_back => Some(Act::Back),
            AWAY => Some(Act::Away(rest)),
            _ => None,
        }
    }

    /// The text of the message that says so.
    #[must_use]
    pub fn line(self) -> String {
        let (name, rest) = match self {
            Act::Does(what) => (ACTION, Some(what)),
            Act::Topic(topic) => (TOPIC, Some(topic)),
            Act::Away(why) => (AWAY, Some(why)),
            Act::Back => (AWAY, None),
        };
        match rest {
            Some(rest) => format!("{EDGE}{name} {rest}{EDGE}"),
            None => format!("{EDGE}{name}{EDGE}"),
        }
    }

    /// How it reads after the author's name.
    #[must_use]
    pub fn words(self) -> Cow<'a, str> {
        match self {
            Act::Does(what) => what.into(),
            Act::Topic("") => "takes the topic away".into(),
            Act::Topic(topic) => format!("sets the topic: {topic}").into(),
            Act::Away("") => "is away".into(),
            Act::Away(why) => format!("is away: {why}").into(),
            Act::Back => "is back".into(),
        }
    }
}

/// The topic that this message sets; all of it, if it sets none.
#[must_use]
pub fn topic_of(set: &ChatMessage) -> &str {
    match Act::of(set.text()) {
        Some(Act::Topic(topic)) => topic,
        _ => set.text(),
    }
}

/// The message that sets the room's topic, if there is one.
pub(super) fn topic(room: &dyn RoomState) -> Option<ChatMessage> {
    let sets = |m: &ChatMessage| matches!(Act::of(m.text()), Some(Act::Topic(_)));
    let set = room.newest_that(&sets);
    set.filter(|m| Act::of(m.text()) != Some(Act::Topic("")))
}

/// How it reads that the one with this key is away; none if it is here.
pub(super) fn away(room: &dyn RoomState, key: Key) -> Option<String> {
    let says = |m: &ChatMessage| {
        m.origin() == key && matches!(Act::of(m.text()), Some(Act::Away(_) | Act::Back))
    };
    let said = room.newest_that(&says)?;
    let act = Act::of(said.text()).filter(|act| *act != Act::Back);
    act.map(|act| visible(&act.words(), Tab::Escape))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn what_is_written_is_read_again() {
        let all = [
            Act::Does("waves  twice"),
            Act::Topic("lunch at noon"),
            Act::Topic(""),
            Act::Away("at lunch"),
            Act::Away(""),
            Act::Back,
        ];
        for act in all {
            assert_eq!(Act::of(&act.line()), Some(act));
        }
        assert_eq!(Act::Does("waves").line(), "\u{1}ACTION waves\u{1}");
        assert_eq!(Act::of("\u{1}ACTION waves"), Some(Act::Does("waves")));
        for other in [
            "ACTION waves",
            "\u{1}VERSION\u{1}",
            "\u{1}ACTION\u{1}",
            "\u{1}",
            "",
        ] {
            assert_eq!(Act::of(other), None, "{other:?}");
        }
    }
}
