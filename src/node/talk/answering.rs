//! What this node answers to peers that repair their histories from it.
//!
//! Owns nothing: each question is answered from the history as it is then. What a peer has that this node
//! lacks is asked for in an exchange of this node's own ([`super::sync`]).

use super::sync::Why;
use super::{Lent, Talk};
use crate::limits::{COMPARED_PARTS_MAX, LISTED_MAX};
use crate::node::{Class, Effect, LinkId, Weakness};
use crate::wire::{Compare, Comparison, Fetch, Key, Message, Position, Sync, SyncAnswer};

impl Talk {
    pub(in crate::node) fn on_sync(
        &mut self,
        lent: &mut Lent<'_>,
        link: LinkId,
        key: Key,
        sync: &Sync,
    ) {
        let floor = self.history.floor();
        let base = sync.floor.max(floor);
        // Where the numbers differ already, nothing is hashed.
        let same_number = self.history.count_above(base) == Some(sync.count);
        let asked = Some((sync.digest, sync.count));
        let is_same = || self.history.digest_above(base) == asked;
        let equal = sync.floor >= floor && same_number && is_same();
        if equal {
            self.has_caught_up(lent, link);
        }
        // What was withheld from the asker comes with the chunks, to the last one.
        let is_behind = lent.mesh.link(link).is_some_and(|l| l.is_behind());
        // Who has nothing fetches all there is.
        let compares = !equal && sync.count > 0;
        let answer = SyncAnswer {
            no: sync.no,
            equal,
            floor,
            newest: (!is_behind).then(|| self.history.newest()),
            parts: if compares {
                self.history.parts_above(base)
            } else {
                Vec::new()
            },
        };
        lent.cx.send(link, Class::Chat, Message::SyncAnswer(answer));
        // What the asker lacks it fetches; what it has and this node lacks is this node's to fetch.
        if compares && !sync.back {
            self.want_sync(lent, key, Why::Asked);
        }
    }

    /// A peer whose history differs in these spans wants to know more.
    pub(in crate::node) fn on_compare(
        &mut self,
        lent: &mut Lent<'_>,
        link: LinkId,
        compare: &Compare,
    ) {
        let (mut spans, mut cost) = (Vec::new(), 0);
        for span in &compare.spans {
            if cost >= COMPARED_PARTS_MAX {
                break;
            }
            let contents = self.history.contents(*span);
            let items = contents
                .items
                .as_ref()
                .map_or(0, |i| i.len() * 16 / LISTED_MAX);
            cost += 1 + items + contents.parts.as_ref().map_or(0, Vec::len);
            spans.push(contents);
        }
        let no = compare.no;
        let answer = Message::Comparison(Comparison { no, spans });
        lent.cx.send(link, Class::Chat, answer);
    }

    pub(in crate::node) fn on_fetch(&mut self, lent: &mut Lent<'_>, link: LinkId, fetch: &Fetch) {
        if let Some((after, until)) = self.history.stored_until(fetch) {
            let fetch = Fetch {
                after,
                ..fetch.clone()
            };
            let (unstored, until) = match lent.cx.is_weakened(Weakness::UnstoredIsNotGiven) {
                true => (Vec::new(), until),
                false => self.history.unstored_of(&fetch, until),
            };
            return lent.cx.out.push(Effect::FetchStored {
                link,
                fetch,
                until,
                unstored,
            });
        }
        let chunk = self.history.chunk(fetch);
        // What was withheld comes at the end.
        let to_the_end = fetch.spans.last().is_some_and(|s| s.upto == Position::END);
        let next = chunk.next;
        lent.cx.send(link, Class::Chat, Message::Chunk(chunk));
        match next {
            Some(next) => self.note_chase(lent, link, next),
            None if to_the_end => self.has_caught_up(lent, link),
            None => {}
        }
    }
}
