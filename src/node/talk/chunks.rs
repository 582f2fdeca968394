//! What a chunk brings: each message of it that is new is taken in, waits, or has no room.
//!
//! Owns nothing. It asks nobody: what is fetched next is [`super::exchange`]'s.

use super::odds::Refused;
use super::plan::Plan;
use super::{Lent, Talk};
use crate::node::history::Found;
use crate::node::{LinkId, Time, Weakness};
use crate::wire::{ChatMessage, Chunk, Key, MessageId};

/// What came of a chunk.
#[derive(Debug, Default)]
pub(super) struct Brought {
    /// How many bytes of it were new.
    pub(super) bytes: u64,
    /// What may be taken in later.
    pub(super) refused: Refused,
    /// Something of it was new, and there was no room for any of that beside what waits.
    pub(super) is_all_thrown: bool,
}

impl Talk {
    /// A chunk came after its exchange was given up. Over a slow line every chunk does, and would be sent again
    /// and again: so it is taken in.
    pub(super) fn take_late_chunk(&mut self, lent: &mut Lent<'_>, link: LinkId, mut chunk: Chunk) {
        let Some(peer) = self.repair.take_late(link, chunk.no) else {
            return;
        };
        self.take_chunk_of(lent, peer, &mut chunk.messages);
    }

    /// Takes what is new of a chunk in. A member that brings some of what is missing is not asked in vain, however many
    /// exchanges with it have broken off: it is slow.
    pub(super) fn take_chunk_of(
        &mut self,
        lent: &mut Lent<'_>,
        peer: Key,
        messages: &mut Vec<ChatMessage>,
    ) -> Brought {
        let has_come = |talk: &Talk, id: MessageId| {
            talk.history.has_taken(id) || talk.waiting.find(id).is_some()
        };
        let mut missing = Vec::new();
        if lent.view.contains(peer) && self.answers.has_broken_off(peer) {
            let ids = messages.iter().map(ChatMessage::id);
            missing.extend(ids.filter(|id| self.is_wanted(*id) && !has_come(self, *id)));
        }
        let brought = self.take_chunk(lent, peer, messages);
        if missing.iter().any(|id| has_come(self, *id)) {
            self.answers.has_brought(peer);
        }
        brought
    }

    pub(super) fn take_chunk(
        &mut self,
        lent: &mut Lent<'_>,
        peer: Key,
        messages: &mut Vec<ChatMessage>,
    ) -> Brought {
        let refused = self.drop_refused(lent, peer, messages);
        let (mut bytes, mut has_kept) = (0, false);
        let mut rest = &messages[..];
        while let Some(message) = rest.first() {
            self.hear_author(lent, message.origin());
            let length = self.run_length(lent, rest).max(1);
            let (run, later) = rest.split_at(length);
            rest = later;
            if length > 1 || self.is_to_be_taken(lent, message, peer) {
                lent.cx.counters.repaired += length as u64;
                bytes += run.iter().map(|m| m.size_bound() as u64).sum::<u64>();
                self.take_or_wait(lent, (peer, false), run);
                has_kept |= !self.gaps.was_thrown(message.id());
            }
        }
        Brought {
            bytes,
            refused,
            is_all_thrown: bytes > 0 && !has_kept,
        }
    }

    /// There is no room beside what waits for what an exchange brings, nor for what comes after that: that would
    /// only be sent once more, when what waits has gone on. Once the exchange has taken a failure timeout, only what is
    /// missing and would let that go on is still asked for.
    pub(super) fn cut_short(&mut self, lent: &mut Lent<'_>, no: u64) {
        if !self.has_joined() || lent.cx.is_weakened(Weakness::RoomlessAreFetched) {
            return;
        }
        let exchange = self.repair.get(no).filter(|e| e.wants);
        let began = exchange.and_then(|e| e.began);
        let is_long = |began: &Time| lent.cx.since(*began) >= lent.cx.config.failure_timeout;
        let Some(began) = began.filter(is_long) else {
            return;
        };
        if self.wanted_ranges(lent.cx, Some(began)).is_empty() {
            return;
        }
        let Some(exchange) = self.repair.get(no) else {
            return;
        };
        (exchange.is_cut_short, exchange.wanted) = (true, None);
        exchange.spans.clear();
        exchange.plan = Plan::default();
        self.gaps.renew_thrown(lent.cx.now.time);
    }

    /// True if a message in a chunk is new, and lies above the floor or was missing.
    fn is_to_be_taken(&mut self, lent: &mut Lent<'_>, message: &ChatMessage, peer: Key) -> bool {
        let id = message.id();
        // Nobody else writes in this node's name.
        if message.origin() == lent.cx.config.key {
            return false;
        }
        if self.history.has_taken(id) {
            self.compare_with_taken(lent, message, peer);
            return false;
        }
        let is_new = self.waiting.find(id).is_none();
        is_new && (message.position() > self.history.floor() || self.is_wanted(id))
    }

    /// A message came from this peer that was taken in before: it may be another one of the same name. If its author
    /// itself says so, what is here was made up, and what the author said is missed.
    pub(super) fn compare_with_taken(
        &mut self,
        lent: &mut Lent<'_>,
        message: &ChatMessage,
        peer: Key,
    ) {
        let id = message.id();
        let is_here = message.position() > self.history.floor();
        if !is_here || self.history.find_message(message) != Found::Other {
            return;
        }
        self.note_double(lent, id);
        if peer == id.origin && !lent.cx.is_weakened(Weakness::DoublesAreConfirmed) {
            self.history.origin_mut(peer).miss(id.seq, id.seq);
            self.acks.owe_again(peer);
        }
    }
}

#[cfg(test)]
#[path = "chunks_test.rs"]
mod tests;
