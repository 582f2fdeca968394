//! Whose word counts: what is said of others' messages, and what lies too far ahead of the clock.
//!
//! Owns nothing but whether the user was told. An author speaks for itself on its own link; what it said to
//! others comes from members. Nothing is taken in here.

use super::{Lent, Talk};
use crate::node::mesh::Link;
use crate::node::{Event, Weakness};
use crate::wire::{ChatMessage, Key, MessageId};

impl Talk {
    /// True if this peer is asked for the history: it is or was a member of this node's group; or this node
    /// is not let in yet, and asks whom it has found.
    pub(super) fn may_ask(&self, lent: &Lent<'_>, peer: Key) -> bool {
        self.is_new() || lent.view.contains(peer) || self.stability.has_met(peer)
    }

    /// The same, or what this peer said itself waits for something, or was thrown away for want of room: a member
    /// of another group may be the only one that has it, and such an exchange has little time. So may any member of
    /// a group whose coordinator was a member here: what that one said there this node may be owed.
    pub(super) fn may_ask_for_causes(&self, lent: &Lent<'_>, peer: Key) -> bool {
        self.may_ask(lent, peer)
            || self.waiting.has_from(peer)
            || self.gaps.lacks_of(peer)
            || self.is_led_by_known(lent, peer)
    }

    fn is_led_by_known(&self, lent: &Lent<'_>, peer: Key) -> bool {
        let told = lent.mesh.link_to(peer).and_then(Link::told);
        told.is_some_and(|(coordinator, _)| self.stability.has_met(coordinator.key))
            && !lent.cx.is_weakened(Weakness::OtherGroupsAreNotAsked)
    }

    /// True if this author is a present member that speaks for itself, and has not said so much yet: what
    /// somebody else passes on in its name is not its word, unless it is waited for and the author does not come to
    /// it for long.
    pub(super) fn is_beyond_word(&self, lent: &Lent<'_>, sender: Key, id: MessageId) -> bool {
        let author = id.origin;
        let is_beyond = |said| id.seq > said;
        author != sender
            && self.word_of(lent, author).is_some_and(is_beyond)
            && !self.gaps.is_left_to_others(id)
    }

    /// A peer passes these on, as in a CHUNK that was asked for.
    #[cfg(test)]
    pub(in crate::node) fn pass_on(&mut self, lent: &mut Lent<'_>, from: Key, run: &[ChatMessage]) {
        for message in run {
            self.hear_author(lent, message.origin());
            self.take_or_wait(lent, (from, false), std::slice::from_ref(message));
        }
    }

    /// True if this is dated so far ahead of the clock on the wall that it counts as not said, or so far that there is
    /// room for `room` messages only.
    pub(super) fn is_refused_ahead(&self, lent: &Lent<'_>, timestamp: u64, room: usize) -> bool {
        lent.cx.is_far_ahead(timestamp) || room == 0 && timestamp > lent.cx.reach().timestamp
    }

    /// Leaves out what is dated too far ahead, and gives the lowest timestamp of that. `live` is who says it now.
    pub(super) fn drop_far_ahead(
        &mut self,
        lent: &mut Lent<'_>,
        live: Option<Key>,
        messages: &mut Vec<ChatMessage>,
    ) -> Option<u64> {
        let is_ahead = |m: &&ChatMessage| m.timestamp() > lent.cx.reach().timestamp;
        // Mostly there is none.
        messages.iter().find(is_ahead)?;
        let mut room = self.history.room_beyond_reach();
        let (mut dropped, mut lowest) = (0, None);
        messages.retain(|m| {
            let is_refused = self.is_refused_ahead(lent, m.timestamp(), room);
            if is_refused {
                dropped += 1;
                lowest = Some(lowest.unwrap_or(u64::MAX).min(m.timestamp()));
            } else if self.history.is_beyond_reach(m.position()) {
                room -= 1;
            }
            !is_refused
        });
        lent.cx.counters.far_ahead += dropped;
        let told = live.and_then(|key| lent.view.get(key));
        let Some((author, lowest)) = told.zip(lowest) else {
            return lowest;
        };
        if !std::mem::replace(&mut self.is_far_ahead_told, true) {
            let ahead = if lent.cx.is_far_ahead(lowest) {
                "it is dated more than a day"
            } else {
                "too many lines are dated more than 20 hours"
            };
            let text = format!(
                "what {} says is not shown: {ahead} ahead of this machine's clock",
                author.nick
            );
            lent.cx.show(Event::Warning(text));
        }
        Some(lowest)
    }
}
