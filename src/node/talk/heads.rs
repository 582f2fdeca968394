//! Heads: the messages taken in that none taken in depends on, which the next own message names.
//!
//! Owns them, and which messages are followed already by one that came before them. It knows messages
//! by their ids only, and decides nothing about them.

use std::collections::VecDeque;

use crate::limits;
use crate::wire::{ChatMessage, MessageId};

/// As many heads as people who talk at the same time, so a list is faster than a tree.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// Sorted by their ids, with their timestamps.
    all: Vec<(MessageId, u64)>,
    /// Causes that were not here when what follows from them was taken in.
    followed: VecDeque<MessageId>,
}

/// The direct causes of a message: its author's previous one, and its dependencies.
pub(super) fn causes(message: &ChatMessage) -> impl Iterator<Item = MessageId> + '_ {
    let previous = (message.seq() > 1).then(|| MessageId {
        origin: message.origin(),
        seq: message.seq() - 1,
    });
    let others = message.dependencies();
    previous.into_iter().chain(others)
}

impl Heads {
    /// Those up to this timestamp.
    pub(super) fn until(&self, timestamp: u64) -> impl Iterator<Item = MessageId> + '_ {
        let heads = self.all.iter();
        heads
            .filter(move |(_, t)| *t <= timestamp)
            .map(|(id, _)| *id)
    }

    /// A message was taken in: its causes are heads no more. `lacks` is which of them are not here.
    pub(super) fn cover(&mut self, message: &ChatMessage, lacks: impl Fn(MessageId) -> bool) {
        for cause in message.dependencies() {
            self.remove(cause);
        }
        for cause in causes(message).filter(|cause| lacks(*cause)) {
            if self.followed.len() >= limits::CAUSES_FOLLOWED_MAX {
                self.followed.pop_front();
            }
            self.followed.push_back(cause);
        }
        let head = (message.id(), message.timestamp());
        let previous = MessageId {
            seq: head.0.seq - 1,
            ..head.0
        };
        self.follow(previous, head);
        self.drop_followed(head.0);
    }

    /// A run was taken in: only its last message is a head.
    pub(super) fn cover_run(&mut self, run: &[ChatMessage], lacks: impl Fn(MessageId) -> bool) {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            self.cover(first, lacks);
            self.follow(first.id(), (last.id(), last.timestamp()));
            self.drop_followed(last.id());
        }
    }

    /// All that there were; from now on there is only this one.
    pub(super) fn replace(&mut self, message: &ChatMessage) {
        self.all.clear();
        self.all.push((message.id(), message.timestamp()));
    }

    fn find(&self, id: MessageId) -> Result<usize, usize> {
        self.all.binary_search_by_key(&id, |(id, _)| *id)
    }

    /// This head takes the place of an earlier one of its author, which it depends on.
    fn follow(&mut self, earlier: MessageId, head: (MessageId, u64)) {
        match self.find(earlier) {
            // No head lies between the two: the list stays sorted.
            Ok(at) => self.all[at] = head,
            Err(_) => self.insert(head),
        }
    }

    /// What came after something that follows from it is no head.
    fn drop_followed(&mut self, id: MessageId) {
        let before = self.followed.len();
        self.followed.retain(|followed| *followed != id);
        if self.followed.len() < before {
            self.remove(id);
        }
    }

    fn remove(&mut self, id: MessageId) {
        if let Ok(at) = self.find(id) {
            self.all.remove(at);
        }
    }

    /// Of too many, the oldest goes.
    fn insert(&mut self, head: (MessageId, u64)) {
        if let Err(at) = self.find(head.0) {
            self.all.insert(at, head);
        }
        if self.all.len() > limits::DEPENDENCIES_MAX {
            let oldest = self.all.iter().enumerate().min_by_key(|(_, (_, t))| *t);
            if let Some((at, _)) = oldest {
                self.all.remove(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Draft, Key};

    fn id(origin: u64, seq: u64) -> MessageId {
        MessageId {
            origin: Key(origin),
            seq,
        }
    }

    fn message((origin, seq): (u64, u64), dependencies: Vec<MessageId>) -> ChatMessage {
        let draft = Draft {
            origin: Key(origin),
            seq,
            timestamp: origin * 10 + seq,
            sent_at: 0,
            from: origin,
            nick: "ana".into(),
            dependencies: dependencies.into(),
            text: "x".into(),
        };
        ChatMessage::new(&draft).expect("it keeps the rules")
    }

    fn ids(heads: &Heads) -> Vec<MessageId> {
        heads.until(u64::MAX).collect()
    }

    #[test]
    fn what_follows_takes_the_place_of_its_causes() {
        let mut heads = Heads::default();
        heads.cover(&message((1, 1), vec![]), |_| false);
        heads.cover(&message((2, 1), vec![]), |_| false);
        heads.cover(&message((1, 2), vec![]), |_| false);
        assert_eq!(ids(&heads), [id(1, 2), id(2, 1)]);
        heads.cover(&message((3, 1), vec![id(1, 2), id(2, 1)]), |_| false);
        assert_eq!(ids(&heads), [id(3, 1)]);
        heads.replace(&message((4, 1), vec![]));
        assert_eq!(ids(&heads), [id(4, 1)]);
    }

    #[test]
    fn a_cause_that_comes_after_its_effect_is_no_head() {
        let mut heads = Heads::default();
        heads.cover(&message((1, 3), vec![id(2, 5)]), |_| true);
        heads.cover(&message((2, 5), vec![]), |_| false);
        heads.cover(&message((1, 2), vec![]), |_| false);
        assert_eq!(ids(&heads), [id(1, 3)]);
    }
}
