//! What the user is told when the room's history does not come whole.

use std::collections::BTreeMap;

use super::{Lent, Talk};
use crate::node::Event;
use crate::node::history::Origin;
use crate::wire::Key;

/// Of how many authors it is said what their history lacks.
const AUTHORS_SAID_MAX: usize = 3;

impl Talk {
    /// The history that came with joining lacks something between what is here: its members had dropped
    /// that, or never had it.
    pub(super) fn explain_holes(&mut self, lent: &mut Lent<'_>) {
        let mut holes: BTreeMap<Key, (u64, u64, u64)> = BTreeMap::new();
        for pair in self.history.taken_ranges().windows(2) {
            let [range, next] = pair else {
                continue;
            };
            let (author, before, after) = (range.author, range.last, next.first);
            let owed_from = self.history.origin(author).and_then(Origin::owed_from);
            // What is owed is looked for.
            let last = (after - 1).min(owed_from.unwrap_or(u64::MAX).saturating_sub(1));
            if author == next.author && author != lent.cx.config.key && before < last {
                let hole = holes.entry(author).or_insert((0, before + 1, last));
                *hole = (hole.0 + (last - before), hole.1, last);
            }
        }
        let said = holes.iter().take(AUTHORS_SAID_MAX);
        let said = said.map(|(author, (count, first, last))| {
            let nick = self.nick_of(lent, *author);
            format!("{count} lines of {nick} between {first} and {last}")
        });
        let mut said: Vec<String> = said.collect();
        if holes.len() > AUTHORS_SAID_MAX {
            said.push(format!(
                "lines of {} others",
                holes.len() - AUTHORS_SAID_MAX
            ));
        }
        if !said.is_empty() {
            let text = format!("the room's history lacks {}", said.join(", "));
            lent.cx.show(Event::Warning(text));
        }
    }

    /// Nobody has these any more of an author, which were said before this node was in its view, while the
    /// user has seen earlier ones.
    pub(super) fn explain_hole(
        &mut self,
        lent: &mut Lent<'_>,
        author: Key,
        (first, last): (u64, u64),
    ) {
        let count = (last - first).saturating_add(1);
        let nick = self.nick_of(lent, author);
        let lines = if count == 1 { "line" } else { "lines" };
        let text = format!("the room's history lacks {count} {lines} of {nick}, {first} to {last}");
        lent.cx.show(Event::Warning(text));
    }
}
