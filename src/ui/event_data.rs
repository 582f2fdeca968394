//! The data of events as they wait to be printed or are rendered: messages that come together, which
//! of one's own were delivered, who missed one, and what was said to one member alone.
//!
//! This module is plain data. It never decides what is shown, and renders nothing.

use crate::node::Arrival;
use crate::wire::{ChatMessage, Id, Key, Member};

/// Messages that come together.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) messages: std::vec::IntoIter<ChatMessage>,
    pub(super) own: bool,
    pub(super) arrival: Arrival,
    /// The node is owed a word when they are printed.
    pub(super) owed: bool,
    /// The size of the messages when they were last counted, and how many they were then.
    counted: (usize, usize),
}

impl Said {
    /// Messages of one author or of several, counted.
    pub(super) fn new(messages: Vec<ChatMessage>, own: bool, arrival: Arrival, owed: bool) -> Said {
        let bytes = messages.iter().map(ChatMessage::size_bound).sum();
        let counted = (bytes, messages.len());
        let messages = messages.into_iter();
        Said {
            messages,
            own,
            arrival,
            owed,
            counted,
        }
    }

    /// The size of the messages when they were last counted, and how many they were then.
    pub(super) fn counted(&self) -> (usize, usize) {
        self.counted
    }

    /// Counts what is left, as if all were of one size.
    pub(super) fn count_again(&mut self) {
        let (bytes, before) = self.counted;
        let left = self.messages.len();
        self.counted = (bytes / before.max(1) * left, left);
    }
}

/// Somebody who missed a message, as far as it is known who that is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Misser {
    pub(super) member: Option<(Id, String)>,
    pub(super) key: Key,
}

impl Misser {
    /// Who has this key, if that one is still in the view.
    pub(super) fn of(key: Key, members: &[Member]) -> Misser {
        let member = (members.iter().find(|m| m.key == key)).map(|m| (m.id, m.nick.clone()));
        Misser { member, key }
    }
}

/// Consecutive messages of one's own that are delivered alike.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Delivered {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) members: usize,
    pub(super) confirmed: usize,
    pub(super) missed: Vec<Misser>,
}

impl Delivered {
    /// Takes in what is delivered alike and follows at once; true if it was taken in.
    pub(super) fn absorb(&mut self, next: &Delivered) -> bool {
        let alike = self.last + 1 == next.first
            && (self.members, self.confirmed) == (next.members, next.confirmed)
            && self.missed == next.missed;
        if alike {
            self.last = next.last;
        }
        alike
    }
}

/// A message to or from one member alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct PrivateEvent<'a> {
    pub(super) from: Id,
    pub(super) key: Key,
    pub(super) nick: &'a str,
    pub(super) sent_at: u64,
    pub(super) text: &'a str,
    pub(super) own: bool,
}

/// What was read and not sent when the node has left.
#[derive(Debug)]
pub(super) struct Unsent {
    /// How many lines.
    pub(super) lines: u64,
    /// Why, if it was a matter of time.
    pub(super) why: Option<String>,
    /// What was meant to be said could not be sent.
    pub(super) failed: bool,
}

/// A message of somebody else, for which the user may be called.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeardMessage<'a> {
    pub(super) nick: &'a str,
    pub(super) text: &'a str,
    pub(super) sent_at: u64,
    /// It is to nobody else.
    pub(super) is_private: bool,
}
