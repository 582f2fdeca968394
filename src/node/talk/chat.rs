//! Writing: what this node says.
//!
//! Owns this author's sequence, the direct dependencies of its next message, and the lines said
//! before joining. Whether a message may be taken in is `causality`'s decision.

use super::heads::Heads;
use super::{Lent, Talk};
use crate::limits;
use crate::node::{Arrival, Class, Effect, Event, Texts};
use crate::wire::{ChatMessage, Key, Message, MessageId, MessageParts, Packer, Private};

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

impl Talk {
    /// Says lines to the room, or keeps them until there is one.
    pub(in crate::node) fn say(&mut self, lent: &mut Lent<'_>, lines: &Texts) {
        if self.has_joined() {
            return self.write(lent, lines);
        }
        for text in lines.iter() {
            if self.chat.unsent.bytes() + text.len() > limits::UNSENT_BYTES_MAX {
                let warning = "too much was said before joining: this line is dropped".to_string();
                lent.cx.show(Event::Warning(warning));
                continue;
            }
            self.chat.unsent.push(text);
        }
    }

    pub(super) fn say_unsent(&mut self, lent: &mut Lent<'_>) {
        let unsent = std::mem::take(&mut self.chat.unsent);
        self.write(lent, &unsent);
    }

    /// Writes a message of each line: the first after all that was taken in, each other one after
    /// the one before it. What is dated so far ahead that this node's clock does not pass it is none of its causes,
    /// until the clock on the wall has come near enough.
    fn write(&mut self, lent: &mut Lent<'_>, lines: &Texts) {
        let me = lent.cx.config.key;
        lent.cx
            .observe(self.history.newest_within_reach().timestamp);
        let begin = lent.cx.clock.next(lent.cx.now.wall_ms);
        let heads = self.chat.heads.until(begin);
        let mut dependencies: Vec<MessageId> = heads.filter(|h| h.origin != me).collect();
        let chat = &mut self.chat;
        for text in lines.iter() {
            let packed = chat.packer.add(&MessageParts {
                origin: me,
                seq: chat.seq + 1,
                timestamp: lent.cx.clock.tick(lent.cx.now.wall_ms),
                sent_at: lent.cx.now.wall_ms,
                from: lent.id.unwrap_or(0),
                nick: lent.cx.config.nick.as_bytes(),
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
                    lent.cx.out.push(Effect::Show(Event::Warning(warning)));
                }
            }
        }
        let messages = self.chat.packer.take();
        self.wrote(lent, &messages);
    }

    fn wrote(&mut self, lent: &mut Lent<'_>, messages: &[ChatMessage]) {
        let (Some(first), Some(last)) = (messages.first(), messages.last()) else {
            return;
        };
        self.chat.heads.replace(last);
        self.insert_own(messages);
        let (me, roster) = (lent.cx.config.key, &lent.view);
        let seqs = (first.seq(), last.seq());
        let bytes = messages.iter().map(ChatMessage::size_bound).sum();
        let view = (roster.coordinator(), roster.held());
        self.delivery.wrote(seqs, bytes, view, || {
            roster.keys().into_iter().filter(|k| *k != me).collect()
        });
        self.chat.fresh.extend_from_slice(messages);
        lent.cx.show_messages(messages, Arrival::Live);
    }

    /// Sends what this turn wrote to every open link, in as few frames as it fits.
    pub(super) fn flush_chat(&mut self, lent: &mut Lent<'_>) {
        if self.chat.fresh.is_empty() {
            return;
        }
        let links: Vec<_> = lent
            .mesh
            .open_links()
            .filter(|(_, _, l)| !l.is_behind())
            .map(|(_, id, _)| id)
            .collect();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for message in std::mem::take(&mut self.chat.fresh) {
            if bytes > 0 && bytes + message.size_bound() > limits::BATCH_BYTES_MAX {
                lent.cx
                    .send_many(links.clone(), Class::Chat, Message::Chat(batch));
                (batch, bytes) = (Vec::new(), 0);
            }
            bytes += message.size_bound();
            batch.push(message);
        }
        lent.cx.send_many(links, Class::Chat, Message::Chat(batch));
    }

    pub(in crate::node) fn say_privately(&mut self, lent: &mut Lent<'_>, to: Key, text: String) {
        let Some(link) = lent.mesh.open_to(to) else {
            let warning = "no link with that member now: nothing was sent".to_string();
            return lent.cx.show(Event::Warning(warning));
        };
        let private = Private {
            from: lent.id.unwrap_or(0),
            nick: lent.cx.config.nick.clone(),
            sent_at: lent.cx.now.wall_ms,
            text,
        };
        self.show_private(lent, lent.cx.config.key, private.clone(), true);
        lent.cx.send(link, Class::Chat, Message::Private(private));
    }

    /// Who is in the view speaks under the nick and the id that it has there. Somebody else, of another group
    /// or a stranger, is not heard under the nick or the id of somebody who is present.
    pub(in crate::node) fn on_private(
        &mut self,
        lent: &mut Lent<'_>,
        key: Key,
        mut private: Private,
    ) {
        if let Some(member) = lent.view.get(key) {
            private.from = member.id;
            private.nick.clone_from(&member.nick);
        } else {
            let mut members = lent.view.members().iter();
            if members.any(|m| m.nick == private.nick || m.id == private.from) {
                return;
            }
        }
        self.show_private(lent, key, private, false);
    }

    fn show_private(&mut self, lent: &mut Lent<'_>, key: Key, private: Private, own: bool) {
        lent.cx.show(Event::Private {
            from: private.from,
            key,
            nick: private.nick,
            sent_at: private.sent_at,
            text: private.text,
            own,
        });
    }

    /// How many messages this node has written.
    pub(in crate::node) fn written(&self) -> u64 {
        self.chat.seq
    }
}

#[cfg(test)]
#[path = "chat_test.rs"]
mod tests;
