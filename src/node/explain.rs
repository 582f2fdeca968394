//! What the user is told when the room is not found: at which step it failed, and what to try; and when
//! its history does not come whole.

use std::collections::BTreeMap;

use super::origin::Origin;
use super::{Closed, Event, Key, Node};
use crate::wire::{Address, Coordinator, SeqRange};

/// Of how many authors it is said what their history lacks.
const AUTHORS_SAID_MAX: usize = 3;

impl Node {
    /// A coordinator is there, but neither side's connections get through.
    pub(super) fn explain_unreached(&mut self, group: &Coordinator) {
        let at: Vec<String> = group.addresses.iter().map(Address::to_string).collect();
        let text = format!(
            "heard of the room's coordinator {}, but it cannot be reached at {}, and does not \
             reach this host: allow papo's TCP port in the firewalls of both (--listen sets it); \
             still trying",
            group.id,
            at.join(", "),
        );
        self.show(Event::Warning(text));
    }

    /// The history that came with joining lacks something between what is here: its members had dropped
    /// that, or never had it.
    pub(super) fn explain_holes(&mut self) {
        let mut holes: BTreeMap<Key, (u64, u64, u64)> = BTreeMap::new();
        for pair in self.history.taken_ranges().windows(2) {
            let &[SeqRange(author, _, before), SeqRange(next, after, _)] = pair else {
                continue;
            };
            let owed_from = self.history.origin(author).and_then(Origin::owed_from);
            // What is owed is looked for.
            let last = (after - 1).min(owed_from.unwrap_or(u64::MAX).saturating_sub(1));
            if author == next && author != self.config.key && before < last {
                let hole = holes.entry(author).or_insert((0, before + 1, last));
                *hole = (hole.0 + (last - before), hole.1, last);
            }
        }
        let said = holes.iter().take(AUTHORS_SAID_MAX);
        let said = said.map(|(author, (count, first, last))| {
            let nick = self.nick_of(*author);
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
            self.show(Event::Warning(text));
        }
    }

    /// Nobody has these any more of an author, which were said before this node was in its view, while the
    /// user has seen earlier ones.
    pub(super) fn explain_hole(&mut self, author: Key, (first, last): (u64, u64)) {
        let (count, nick) = (last - first + 1, self.nick_of(author));
        let lines = if count == 1 { "line" } else { "lines" };
        let text = format!("the room's history lacks {count} {lines} of {nick}, {first} to {last}");
        self.show(Event::Warning(text));
    }

    /// No room was found: says what came of the peers, and what to try.
    pub(super) fn explain_peers(&mut self) {
        let mut warnings = Vec::new();
        for named in &self.peers.all {
            let name = &named.peer.name;
            let why = match named.failed {
                Some(Closed::Refused) => {
                    "connection refused: nobody listens there; start papo there, or correct the \
                     port (--listen on that host sets it)"
                }
                Some(Closed::Failed) => {
                    "it cannot be reached: check the address, the network and the firewalls in \
                     between"
                }
                Some(Closed::Ended) => {
                    "it closed the connection: it may be in another room, or no papo"
                }
                None if named.link.is_some() => "it has not answered yet; still trying",
                None => continue,
            };
            warnings.push(format!("--peer {name}: {why}"));
        }
        for warning in warnings {
            self.show(Event::Warning(warning));
        }
    }
}
