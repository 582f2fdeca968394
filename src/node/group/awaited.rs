//! Members that the view has no more, although they are linked with this node and alive.
//!
//! When two groups become one, the view of the other coordinator lets everybody in one after the other; and
//! a coordinator can lose its link with somebody whom the others hear. Somebody who is still linked has not
//! gone anywhere: the user is told nothing of it, unless it does not come back into the view.
//!
//! Owns who is awaited, and since when. What the user is told of it is `view`'s. What a departure means for
//! the view, for confirmations and for repair is decided at once, elsewhere: only the word of it waits here.

use crate::node::Time;
use crate::wire::{Key, Member};

/// Who is awaited.
#[derive(Debug, Default)]
pub(super) struct Awaited {
    /// Each with the time since when it is awaited.
    all: Vec<(Member, Time)>,
}

impl Awaited {
    /// Who is not in the view now, and is expected back.
    pub(super) fn members(&self) -> impl Iterator<Item = &Member> {
        self.all.iter().map(|(member, _)| member)
    }

    /// This member is expected back, from now on if it was not before.
    pub(super) fn insert(&mut self, member: &Member, now: Time) {
        if self.members().all(|m| m.key != member.key) {
            self.all.push((member.clone(), now));
        }
    }

    /// This member need not be waited for any more; returns it as it was, if it was awaited.
    pub(super) fn take(&mut self, key: Key) -> Option<Member> {
        let at = self.members().position(|m| m.key == key)?;
        Some(self.all.remove(at).0)
    }

    /// Takes out those for whom the wait is over, as they say who know since when each is awaited.
    pub(super) fn take_over(&mut self, mut is_over: impl FnMut(Key, Time) -> bool) -> Vec<Member> {
        let over = (self.all).extract_if(.., |(member, since)| is_over(member.key, *since));
        over.map(|(member, _)| member).collect()
    }
}
