//! What was said elsewhere: in another group, or before somebody came with a store.
//!
//! Owns how far what somebody had seen by its first HELLO dates what others wrote who say nothing themselves. What is
//! old is [`super`]'s decision.

use super::Past;
use crate::node::Time;
use crate::wire::Key;

/// What somebody had seen by its first HELLO.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elsewhere {
    pub(super) clock: u64,
    /// Its coordinator, if any, was in no view with this node either.
    pub(super) is_apart: bool,
    /// The timestamp up to which what it wrote itself was said to others, as it stood by then. Others who come from
    /// elsewhere raise it only if they had said HELLO before that: else it may count on this node as they do.
    pub(super) others: Option<u64>,
}

impl Past {
    /// A peer says HELLO. What it had seen by the first one it had seen elsewhere, if it was in no view with this
    /// node, nor was its coordinator (`is_apart`); or if it has come into a view that this node was in already.
    pub(super) fn greet_from_elsewhere(&mut self, peer: Key, first: Elsewhere) {
        let member = self.met.get_mut(&peer).filter(|met| met.since.is_some());
        let Some(member) = member else {
            self.elsewhere.entry(peer).or_insert(first);
            return;
        };
        let is_first = !std::mem::replace(&mut member.is_heard, true);
        if is_first && member.since != self.let_in {
            // It may count on this node already for what it has written itself, and says so next.
            member.clock = 0;
            let since = member.since;
            self.count_elsewhere(since, first.clock, false);
        }
    }

    /// Somebody who came into the view at this time had seen that elsewhere, and so all who came with it were there;
    /// but those who said HELLO since (`is_apart`: this one said it before) may count on this node for it.
    pub(super) fn count_elsewhere(&mut self, since: Option<Time>, clock: u64, is_apart: bool) {
        self.clock_elsewhere = self.clock_elsewhere.max(clock);
        for met in self.met.values_mut() {
            if met.since == since && (is_apart || !met.is_heard) {
                met.clock = met.clock.max(clock);
            }
        }
        for said in self.elsewhere.values_mut().filter(|_| is_apart) {
            said.others = said.others.max(said.others.map(|_| clock));
        }
    }

    /// The timestamp up to which what this author wrote was said to others, before it was in a view with this node.
    pub(super) fn clock_of_others(&self, author: Key) -> u64 {
        if let Some(met) = self.met.get(&author).filter(|met| met.since.is_some()) {
            return met.clock;
        }
        let said = self.elsewhere.get(&author);
        said.and_then(|said| said.others)
            .unwrap_or(self.clock_elsewhere)
    }

    /// Its word was waited for in vain when it could not say it, maybe: since then others came from elsewhere, and what
    /// they had seen dates what it wrote, unless it says now that it counted on this node.
    pub(super) fn was_silent_before_others_came(&self, author: Key) -> bool {
        let waited = self.met.get(&author).map(|met| met.others);
        self.is_silent(author) && waited.is_some_and(|then| then < self.clock_of_others(author))
    }
}
