//! Writing and taking in: what this node says, and what becomes of a message whose causes are here.
//!
//! Owns this author's sequence, the direct dependencies of its next message, and the lines said
//! before joining. Whether a message may be taken in is `causality`'s decision.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Class, Effect, Event, Key, Node, Texts};
use crate::limits;
use crate::wire::{ChatMessage, Member, Message, MessageId, Packer, Parts, Position, Private};

/// The chat of one node.
#[derive(Debug, Default)]
pub(super) struct Chat {
    /// The sequence number of the last message written.
    seq: u64,
    /// Lines said before joining.
    unsent: Texts,
    packer: Packer,
    /// Written in this turn, not yet sent.
    fresh: Vec<ChatMessage>,
    /// Messages taken in that none taken in depends on, and their timestamps.
    heads: Heads,
    /// Authors that an ACK is due to.
    owed: BTreeSet<Key>,
    /// What each linked author was last told.
    acked: BTreeMap<Key, u64>,
    /// Joining: what lies at or below is history.
    history_until: Option<Position>,
    /// What lies at or below was said before this node was in the room.
    old_until: Position,
    /// Joining: live messages, shown once the history is complete.
    held_back: VecDeque<ChatMessage>,
}

impl Chat {
    pub(super) fn unsent_lines(&self) -> u64 {
        self.unsent.len() as u64
    }

    /// This author learns at the end of the turn how far this node has taken its messages in, even
    /// if it was told before.
    pub(super) fn owe_ack(&mut self, author: Key) {
        self.acked.remove(&author);
        self.owed.insert(author);
    }

    /// Nothing is kept of an author that is neither linked nor a member.
    pub(super) fn forget(&mut self, author: Key) {
        self.acked.remove(&author);
    }

    /// What lies at or below is history; what a store brought is, whatever the room has.
    pub(super) fn history_until(&mut self, newest: Position) {
        self.history_until = self.history_until.max(Some(newest));
    }

    /// A run was taken in: only its last message is a head.
    pub(super) fn cover_run(&mut self, run: &[ChatMessage]) {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            self.heads.cover(first);
            self.heads.follow(first.id(), (last.id(), last.timestamp()));
        }
    }

    /// This author learns at the end of the turn how far this node has taken its messages in, if
    /// that is farther than before.
    pub(super) fn owe(&mut self, author: Key) {
        self.owed.insert(author);
    }

    /// True once what is taken in is shown, and not held back or a part of the history.
    pub(super) fn shows_at_once(&self) -> bool {
        self.history_until.is_none()
    }

    /// A message was taken in: its causes are heads no more.
    pub(super) fn cover(&mut self, message: &ChatMessage) {
        self.heads.cover(message);
    }
}

/// Messages that none taken in depends on, sorted by their ids, with their timestamps: as many as
/// people who talk at the same time, so a list is faster than a tree.
#[derive(Debug, Default)]
struct Heads(Vec<(MessageId, u64)>);

impl Heads {
    fn find(&self, id: MessageId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&id, |(id, _)| *id)
    }

    fn cover(&mut self, message: &ChatMessage) {
        for cause in message.dependencies() {
            self.remove(cause);
        }
        let head = (message.id(), message.timestamp());
        let previous = MessageId {
            seq: head.0.seq - 1,
            ..head.0
        };
        self.follow(previous, head);
    }

    /// This head takes the place of an earlier one of its author, which it depends on.
    fn follow(&mut self, earlier: MessageId, head: (MessageId, u64)) {
        match self.find(earlier) {
            // No head lies between the two: the list stays sorted.
            Ok(at) => self.0[at] = head,
            Err(_) => self.insert(head),
        }
    }

    fn remove(&mut self, id: MessageId) {
        if let Ok(at) = self.find(id) {
            self.0.remove(at);
        }
    }

    /// Of too many, the oldest goes.
    fn insert(&mut self, head: (MessageId, u64)) {
        if let Err(at) = self.find(head.0) {
            self.0.insert(at, head);
        }
        if self.0.len() > limits::DEPENDENCIES_MAX {
            let oldest = self.0.iter().enumerate().min_by_key(|(_, (_, t))| *t);
            if let Some((at, _)) = oldest {
                self.0.remove(at);
            }
        }
    }

    /// All that there were; from now on there is only this one.
    fn replace(&mut self, head: (MessageId, u64)) {
        self.0.clear();
        self.0.push(head);
    }
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

impl Node {
    /// Says lines to the room, or keeps them until there is one.
    pub(super) fn say(&mut self, lines: &Texts) {
        if self.joined {
            return self.write(lines);
        }
        for text in lines.iter() {
            if self.chat.unsent.bytes() + text.len() > limits::UNSENT_BYTES_MAX {
                let warning = "too much was said before joining: this line is dropped".to_string();
                self.show(Event::Warning(warning));
                continue;
            }
            self.chat.unsent.push(text);
        }
    }

    pub(super) fn say_unsent(&mut self) {
        let unsent = std::mem::take(&mut self.chat.unsent);
        self.write(&unsent);
    }

    /// Writes a message of each line: the first after all that was taken in, each other one after
    /// the one before it.
    fn write(&mut self, lines: &Texts) {
        let me = self.config.key;
        let heads = self.chat.heads.0.iter().map(|(id, _)| *id);
        let mut dependencies: Vec<MessageId> = heads
            .filter(|h| h.origin != me && self.history.contains(*h))
            .collect();
        let chat = &mut self.chat;
        for text in lines.iter() {
            let packed = chat.packer.add(&Parts {
                origin: me,
                seq: chat.seq + 1,
                timestamp: self.clock.tick(self.now.wall_ms),
                sent_at: self.now.wall_ms,
                from: self.id.unwrap_or(0),
                nick: self.config.nick.as_bytes(),
                dependencies: &dependencies,
                text: text.as_bytes(),
            });
            match packed {
                Ok(()) => {
                    chat.seq += 1;
                    dependencies.clear();
                }
                Err(rule) => {
                    let warning = format!("a line is not said: {rule}");
                    self.out.push(Effect::Show(Event::Warning(warning)));
                }
            }
        }
        let messages = self.chat.packer.take();
        self.wrote(&messages);
    }

    fn wrote(&mut self, messages: &[ChatMessage]) {
        let (Some(first), Some(last)) = (messages.first(), messages.last()) else {
            return;
        };
        self.chat.heads.replace((last.id(), last.timestamp()));
        self.insert_own(messages);
        let (me, roster) = (self.config.key, &self.roster);
        let seqs = (first.seq(), last.seq());
        self.delivery
            .wrote(seqs, (roster.coordinator, roster.version), || {
                roster.keys().into_iter().filter(|k| *k != me).collect()
            });
        self.chat.fresh.extend_from_slice(messages);
        self.show_messages(messages);
    }

    /// Sends what this turn wrote to every open link, in as few frames as it fits.
    pub(super) fn flush_chat(&mut self) {
        if self.chat.fresh.is_empty() {
            return;
        }
        let links: Vec<_> = self
            .links
            .open_links()
            .filter(|(_, _, l)| !l.behind)
            .map(|(_, id, _)| id)
            .collect();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for message in std::mem::take(&mut self.chat.fresh) {
            if bytes > 0 && bytes + message.size_bound() > limits::BATCH_BYTES_MAX {
                self.send_many(links.clone(), Class::Chat, Message::Chat(batch));
                (batch, bytes) = (Vec::new(), 0);
            }
            bytes += message.size_bound();
            batch.push(message);
        }
        self.send_many(links, Class::Chat, Message::Chat(batch));
    }

    /// A message that was never taken in, and whose causes are here or will never be, becomes part
    /// of the history. Below the floor it is shown once and not kept: also if later ones of its
    /// author have fallen below the floor already, while it waited.
    pub(super) fn take_in(&mut self, message: &ChatMessage) {
        let id = message.id();
        self.clock.observe(message.timestamp());
        if self.history.insert(message.clone()) {
            self.chat.cover(message);
        } else {
            self.history.settle(id);
            self.counters.late += 1;
        }
        self.chat.owe(id.origin);
        self.show_taken_in(message);
    }

    pub(super) fn show_taken_in(&mut self, message: &ChatMessage) {
        match self.chat.history_until {
            Some(until) if message.position() <= until => {}
            _ if !self.joined || self.chat.history_until.is_some() => {
                self.chat.held_back.push_back(message.clone());
                // Not at each message: the one to drop may be anywhere.
                if self.chat.held_back.len() > self.config.history_max.saturating_mul(2) {
                    self.trim_held_back();
                }
            }
            _ => {
                self.show_messages(std::slice::from_ref(message));
            }
        }
    }

    /// What the history has dropped again is not shown either: not the first that came, because
    /// what came late may lie below what came before.
    fn trim_held_back(&mut self) {
        let (max, history) = (self.config.history_max, &self.history);
        let held_back = &mut self.chat.held_back;
        held_back.retain(|m| history.contains(m.id()));
        held_back.drain(..held_back.len().saturating_sub(max));
    }

    /// Joined: shows what was said meanwhile.
    pub(super) fn show_held_back(&mut self) {
        if self.chat.held_back.len() > self.config.history_max {
            self.trim_held_back();
        }
        let old = self.chat.history_until.take();
        let held_back = std::mem::take(&mut self.chat.held_back);
        for message in held_back
            .into_iter()
            .filter(|m| old.is_none_or(|old| m.position() > old))
        {
            self.show_messages(std::slice::from_ref(&message));
        }
    }

    pub(super) fn note_what_is_old(&mut self) {
        if let Some(until) = self.chat.history_until {
            self.chat.old_until = until;
        }
    }

    /// The newest `count` messages of the past that the history has in memory, in its order: what was
    /// said before this node was in the room.
    #[must_use]
    pub fn old(&self, count: usize) -> Vec<ChatMessage> {
        let until = self.chat.old_until;
        let backwards = self.history.iter().rev();
        let old = backwards.filter(|m| m.position() <= until).take(count);
        let mut old: Vec<_> = old.cloned().collect();
        old.reverse();
        old
    }

    /// The first `count` messages of others that were shown, and not counted here before, are printed.
    pub fn on_printed(&mut self, _count: u64) {}

    /// The next `count` messages in the order of [`on_printed`](Node::on_printed) were skipped, and
    /// never will be printed.
    pub fn on_unprinted(&mut self, _count: u64) {}

    /// At the end of a turn: at most one ACK per author, on its link.
    pub(super) fn flush_acks(&mut self) {
        if self.chat.owed.is_empty() {
            return;
        }
        for author in std::mem::take(&mut self.chat.owed) {
            let seq = self.history.safe_to(author);
            let Some(link) = self.links.open_to(author) else {
                self.chat.acked.remove(&author);
                continue;
            };
            if seq > self.chat.acked.get(&author).copied().unwrap_or(0) {
                self.chat.acked.insert(author, seq);
                self.send(link, Class::Chat, Message::Ack(seq));
            }
        }
    }

    pub(super) fn say_privately(&mut self, to: Key, text: String) {
        let Some(link) = self.links.open_to(to) else {
            let warning = "no link with that member now: nothing was sent".to_string();
            return self.show(Event::Warning(warning));
        };
        let private = Private {
            from: self.id.unwrap_or(0),
            nick: self.config.nick.clone(),
            sent_at: self.now.wall_ms,
            text,
        };
        self.show_private(self.config.key, private.clone(), true);
        self.send(link, Class::Chat, Message::Private(private));
    }

    pub(super) fn on_private(&mut self, key: Key, mut private: Private) {
        if let Some(member) = self.roster.get(key) {
            private.from = member.id;
            private.nick.clone_from(&member.nick);
        }
        self.show_private(key, private, false);
    }

    fn show_private(&mut self, key: Key, private: Private, own: bool) {
        self.show(Event::Private {
            from: private.from,
            key,
            nick: private.nick,
            sent_at: private.sent_at,
            text: private.text,
            own,
        });
    }

    pub(super) fn rename(&mut self, nick: String) {
        self.config.nick.clone_from(&nick);
        if let Some(me) = self.roster.get(self.config.key).cloned() {
            self.update_own_entry(Member { nick, ..me });
        }
    }

    /// How many messages this node has written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.chat.seq
    }
}
