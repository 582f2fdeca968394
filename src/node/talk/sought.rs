//! What an author's later lines wait for though they do not follow from it: what is looked for and comes first.
//!
//! Owns nothing: what is missing is `noticed`'s, and what is here the history's. Nobody is asked here, and nothing is
//! given up.

use super::Talk;
use super::noticed::NoticedGap;
use crate::node::history::Origin;
use crate::wire::{Key, MessageId};

impl Talk {
    /// The last message of this author before this one that is looked for and may come: it was thrown away for want of
    /// room, or given up when nobody was known to owe it.
    pub(super) fn sought_before(&self, id: MessageId) -> Option<MessageId> {
        // Mostly the last of a gap has not come yet: what lies before it is not looked at.
        let last_of = |gap: &NoticedGap| {
            let (of_whom, mut before) = ((id.origin, gap.thrown().is_some()), gap.before(id.seq));
            before.find_map(|(first, last)| self.last_lacking(of_whom, first, last))
        };
        let lacks = self.gaps.of(id.origin).iter().filter_map(last_of);
        let seq = lacks.max()?;
        Some(MessageId { seq, ..id })
    }

    /// The last of these that is neither here nor given up, and does not wait itself. Of what was not thrown away only
    /// what was given up before it turned out to be owed: what else its author says later does not follow from it.
    fn last_lacking(
        &self,
        (author, is_thrown): (Key, bool),
        first: u64,
        mut last: u64,
    ) -> Option<u64> {
        let unknown = Origin::default();
        let origin = self.history.origin(author).unwrap_or(&unknown);
        loop {
            let seq = if is_thrown {
                origin.last_lack(first, last)?
            } else {
                origin.last_lack_after_all(first, last)?
            };
            let id = MessageId {
                origin: author,
                seq,
            };
            let Some((waiter, _)) = self.waiting.find(id) else {
                return Some(seq);
            };
            last = waiter.first().seq().checked_sub(1)?;
        }
    }
}
