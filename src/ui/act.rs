//! What a message says beyond a text: what its author does, the topic of the room, and who is away.
//!
//! These are ordinary messages of the room, in the form that chat programs have used since IRC's CTCP; so every
//! member has them, in one order, and newcomers get them with the history. This module owns no state, and
//! nothing is shown here.

use std::borrow::Cow;

use crate::wire::{ChatMessage, Key};

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

/// The room's topic, of these messages in the history's order: the message that sets it, and its text.
#[must_use]
pub fn topic(history: &[ChatMessage]) -> Option<(&ChatMessage, &str)> {
    let set = history.iter().rev().find_map(|m| match Act::of(m.text()) {
        Some(Act::Topic(topic)) => Some((m, topic)),
        _ => None,
    });
    set.filter(|(_, topic)| !topic.is_empty())
}

/// Why the one with this key is away, by these messages in the history's order; none if it is here.
#[must_use]
pub fn away(history: &[ChatMessage], key: Key) -> Option<&str> {
    let mut own = history.iter().rev().filter(|m| m.origin() == key);
    let last = own.find_map(|m| match Act::of(m.text()) {
        Some(Act::Away(why)) => Some(Some(why)),
        Some(Act::Back) => Some(None),
        _ => None,
    });
    last.flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::made::message;

    fn said(origin: u64, seq: u64, text: &str) -> ChatMessage {
        message(origin, seq, seq, text)
    }

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

    #[test]
    fn the_last_one_of_each_counts() {
        let mut history = vec![
            said(1, 1, &Act::Topic("old").line()),
            said(2, 2, &Act::Away("lunch").line()),
            said(2, 3, "not yet"),
            said(1, 4, &Act::Topic("new").line()),
        ];
        assert_eq!(
            topic(&history).map(|(m, text)| (m.seq(), text)),
            Some((4, "new"))
        );
        assert_eq!(away(&history, Key(2)), Some("lunch"));
        assert_eq!(away(&history, Key(1)), None);
        history.push(said(2, 5, &Act::Back.line()));
        history.push(said(1, 6, &Act::Topic("").line()));
        assert_eq!((topic(&history), away(&history, Key(2))), (None, None));
    }
}
