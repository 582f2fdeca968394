//! What the user is told when the room's history does not come whole.
//!
//! Owns the words only. Which messages are given up is decided in `gaps`.

use std::collections::BTreeMap;

use crate::node::history::{History, Origin};
use crate::wire::Key;

/// Of how many authors it is said what their history lacks.
const AUTHORS_SAID_MAX: usize = 3;

/// What the history that came with joining lacks between what is here, this node's own messages aside: its
/// members had dropped that, or never had it. Nothing if it lacks nothing.
pub(super) fn of_joining(
    history: &History,
    own: Key,
    nick_of: impl Fn(Key) -> String,
) -> Option<String> {
    let mut holes: BTreeMap<Key, (u64, u64, u64)> = BTreeMap::new();
    for pair in history.taken_ranges().windows(2) {
        let [range, next] = pair else {
            continue;
        };
        let (author, before, after) = (range.author, range.last, next.first);
        let owed_from = history.origin(author).and_then(Origin::owed_from);
        // What is owed is looked for.
        let last = (after - 1).min(owed_from.unwrap_or(u64::MAX).saturating_sub(1));
        if author == next.author && author != own && before < last {
            let hole = holes.entry(author).or_insert((0, before + 1, last));
            *hole = (hole.0 + (last - before), hole.1, last);
        }
    }
    let said = holes.iter().take(AUTHORS_SAID_MAX);
    let said = said.map(|(author, (count, first, last))| {
        let nick = nick_of(*author);
        format!("{count} lines of {nick} between {first} and {last}")
    });
    let mut said: Vec<String> = said.collect();
    if holes.len() > AUTHORS_SAID_MAX {
        let others = holes.len() - AUTHORS_SAID_MAX;
        said.push(format!("lines of {others} others"));
    }
    (!said.is_empty()).then(|| format!("the room's history lacks {}", said.join(", ")))
}

/// Nobody has these any more of an author, which were said before this node was in its view, while the
/// user has seen earlier ones.
pub(super) fn of_author(nick: &str, (first, last): (u64, u64)) -> String {
    let count = (last - first).saturating_add(1);
    let lines = if count == 1 { "line" } else { "lines" };
    format!("the room's history lacks {count} {lines} of {nick}, {first} to {last}")
}
