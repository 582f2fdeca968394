//! Two texts of one name: an author, or somebody in its name, gave two messages the same number.
//!
//! Owns which of them were seen, so that each is said once. The one that came first stays; nothing is
//! repaired, and nothing is confirmed of the other.

use std::collections::BTreeSet;

use super::{Lent, Talk};
use crate::limits::DOUBLES_MAX;
use crate::node::{Event, Weakness};
use crate::wire::MessageId;

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Doubles(BTreeSet<MessageId>);

impl Talk {
    /// Somebody has another message under this name.
    pub(super) fn note_double(&mut self, lent: &mut Lent<'_>, id: MessageId) {
        let seen = &mut self.doubles.0;
        if lent.cx.is_weakened(Weakness::NoWordOfDoubles) || seen.len() >= DOUBLES_MAX {
            return;
        }
        if !seen.insert(id) {
            return;
        }
        let more = if seen.len() == DOUBLES_MAX {
            "; further ones are not said"
        } else {
            ""
        };
        let nick = self.nick_of(lent, id.origin);
        let key = id.origin;
        let warning = format!(
            "two different texts are going round as message {} of {nick} ({key}), and not everybody \
             has the one that is kept here{more}",
            id.seq
        );
        lent.cx.show(Event::Warning(warning));
    }
}
