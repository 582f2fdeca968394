//! Writing: what this node says.
//!
//! Owns this author's sequence, the direct dependencies of its next message, and the lines said
//! before joining. Whether a message may be taken in is `causality`'s decision.

use super::heads::Heads;
use super::{Arrival, Class, Effect, Event, Key, Node, Texts};
use crate::limits;
use crate::wire::{ChatMessage, Member, Message, MessageId, Packer, Parts, Private};

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
    /// What the next message depends on.
    pub(super) heads: Heads,
}

impl Chat {
    pub(super) fn unsent_lines(&self) -> u64 {
        self.unsent.len() as u64
    }
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
        let heads = self.chat.heads.ids();
        let mut dependencies: Vec<MessageId> = heads.filter(|h| h.origin != me).collect();
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
        self.chat.heads.replace(last);
        self.insert_own(messages);
        let (me, roster) = (self.config.key, &self.roster);
        let seqs = (first.seq(), last.seq());
        let bytes = messages.iter().map(ChatMessage::size_bound).sum();
        let view = (roster.coordinator, roster.version);
        self.delivery.wrote(seqs, bytes, view, || {
            roster.keys().into_iter().filter(|k| *k != me).collect()
        });
        self.chat.fresh.extend_from_slice(messages);
        self.show_messages(messages, Arrival::Live);
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
