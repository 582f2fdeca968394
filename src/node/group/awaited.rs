//! Members that the view has no more, although they are linked with this node and alive.
//!
//! When two groups become one, the view of the other coordinator lets everybody in one after the other; and
//! a coordinator can lose its link with somebody whom the others hear. Somebody who is still linked has not gone anywhere:
//! the user is told nothing of it, unless it does not come back into the view.
//!
//! Owns who is awaited, and what the user is told of it. What a departure means for the view, for
//! confirmations and for repair is decided at once, elsewhere: only the word of it waits here.

use super::{Group, Parts};
use crate::node::{Departure, Event, Time};
use crate::timing;
use crate::wire::{Key, Member};

/// Who is awaited, and since when.
pub(super) type Awaited = Vec<(Member, Time)>;

impl Group {
    /// Who is not in the view now, and is expected back.
    pub(in crate::node) fn awaited(&self) -> impl Iterator<Item = &Member> {
        self.awaited.iter().map(|(member, _)| member)
    }

    /// The view has this member no more. False if it is gone, as far as this node knows.
    pub(super) fn await_member(&mut self, parts: &Parts<'_>, member: &Member) -> bool {
        let is_here = is_here(parts, member.key);
        if is_here && self.awaited().all(|m| m.key != member.key) {
            self.awaited.push((member.clone(), parts.cx.now.time));
        }
        is_here
    }

    /// This member is in the view. False if its user was never told that it was not.
    pub(super) fn is_new_to_user(&mut self, parts: &mut Parts<'_>, member: &Member) -> bool {
        let Some(at) = self.awaited().position(|m| m.key == member.key) else {
            return true;
        };
        let (before, _) = self.awaited.remove(at);
        // Its id may be another one's by now: the user learns the new one.
        let has_other_id = before.id != member.id;
        if !has_other_id {
            self.show_change(parts, &before, member);
        }
        has_other_id
    }

    /// Tells of those who are awaited in vain.
    pub(in crate::node) fn look_at_awaited(&mut self, parts: &mut Parts<'_>) {
        let patience = parts.cx.config.failure_timeout * timing::GAP_TIMEOUTS;
        let is_over = |(member, since): &mut (Member, Time)| {
            parts.cx.since(*since) >= patience || !is_here(parts, member.key)
        };
        let gone: Vec<(Member, Time)> = self.awaited.extract_if(.., is_over).collect();
        for (member, _) in gone {
            let departure = if parts.mesh.has_left(member.key) {
                Departure::Left
            } else {
                Departure::Lost
            };
            self.show_departure(parts, member, departure);
        }
    }

    pub(super) fn show_departure(
        &self,
        parts: &mut Parts<'_>,
        member: Member,
        departure: Departure,
    ) {
        if parts.talk.has_joined() {
            parts.cx.show(Event::MemberLeft(member, departure));
        }
    }
}

/// Linked with this node and alive, as far as it knows.
fn is_here(parts: &Parts<'_>, key: Key) -> bool {
    parts.mesh.is_alive(parts.cx, key) && !parts.mesh.is_dead(key) && !parts.mesh.has_left(key)
}
