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
    /// somebody else passes on in its name is not its word.
    pub(super) fn is_beyond_word(&self, lent: &Lent<'_>, sender: Key, id: MessageId) -> bool {
        let author = id.origin;
        let is_beyond = |said| id.seq > said;
        author != sender && self.word_of(lent, author).is_some_and(is_beyond)
    }

    /// A peer passes these on, as in a CHUNK that was asked for.
    #[cfg(test)]
    pub(in crate::node) fn pass_on(&mut self, lent: &mut Lent<'_>, from: Key, run: &[ChatMessage]) {
        for message in run {
            self.hear_author(lent, message.origin());
            self.take_or_wait(lent, (from, false), std::slice::from_ref(message));
        }
    }

    /// Leaves out what lies so far ahead of the clock on the wall that it counts as not said. `live` is who
    /// says it now.
    pub(super) fn drop_far_ahead(
        &mut self,
        lent: &mut Lent<'_>,
        live: Option<Key>,
        messages: &mut Vec<ChatMessage>,
    ) {
        let before = messages.len();
        messages.retain(|m| !lent.cx.is_far_ahead(m.timestamp()));
        let dropped = (before - messages.len()) as u64;
        if dropped == 0 {
            return;
        }
        lent.cx.counters.far_ahead += dropped;
        let Some(author) = live.and_then(|key| lent.view.get(key)) else {
            return;
        };
        if !std::mem::replace(&mut self.is_far_ahead_told, true) {
            lent.cx.show(Event::Warning(format!(
                "what {} says is not shown: it is dated more than a day ahead of this machine's clock",
                author.nick
            )));
        }
    }
}
