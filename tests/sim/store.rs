//! A simulated store: what a host's disk holds of the room, across the processes on that host.
//!
//! Owns what was committed, and when nothing can be. It answers as `papo::store` does, and decides
//! nothing of the protocol. What a process did not commit is lost with it.

use std::collections::{BTreeMap, BTreeSet};

use papo::limits::{BATCH_BYTES_MAX, STORED_SCAN_MAX};
use papo::node::{Asks, Restored};
use papo::wire::{Buckets, ChatMessage, Fetch, Key, MessageId, Position, SeqRange};

/// The store of one host; most hosts have none.
#[derive(Debug, Default)]
pub struct Store {
    messages: BTreeMap<Position, ChatMessage>,
    ids: BTreeMap<Key, BTreeSet<u64>>,
    /// Until then nothing can be committed; faults of the scenario and of chance.
    pub fails_until: u64,
    pub retry_at: u64,
    /// Attempts to commit, for their fates.
    pub attempts: u64,
}

impl Store {
    pub fn contains(&self, id: MessageId) -> bool {
        let seqs = self.ids.get(&id.origin);
        seqs.is_some_and(|seqs| seqs.contains(&id.seq))
    }

    pub fn iter(&self) -> impl Iterator<Item = &ChatMessage> {
        self.messages.values()
    }

    /// All or none; what is there already is left as it is.
    pub fn commit(&mut self, messages: impl Iterator<Item = ChatMessage>) {
        for message in messages {
            let id = message.id();
            if self.ids.entry(id.origin).or_default().insert(id.seq) {
                self.messages.insert(message.position(), message);
            }
        }
    }

    /// What a new process is told: all ids, and the newest `max` messages.
    pub fn restored(&self, max: usize) -> Restored {
        let mut newest: Vec<ChatMessage> =
            self.messages.values().rev().take(max).cloned().collect();
        newest.reverse();
        let first = newest.first().map(|m| m.position());
        let before = first.and_then(|first| self.messages.range(..first).next_back());
        let until = before.map(|(position, _)| *position).unwrap_or_default();
        let mut buckets = Buckets::default();
        let older = self.messages.range(..=until);
        older.for_each(|(_, message)| buckets.push(message));
        Restored {
            ranges: self.ranges(),
            newest,
            until,
            buckets: buckets.parts().to_vec(),
            dropped_to: Position::default(),
        }
    }

    fn ranges(&self) -> Vec<SeqRange> {
        let mut ranges: Vec<SeqRange> = Vec::new();
        for (key, seqs) in &self.ids {
            for seq in seqs {
                match ranges.last_mut() {
                    Some(last) if last.author == *key && last.last + 1 == *seq => last.last = *seq,
                    _ => ranges.push(SeqRange::new(*key, *seq, *seq)),
                }
            }
        }
        ranges
    }

    /// The messages after one position and up to another that are not in `skip`, as many as one
    /// chunk carries; and up to where was looked.
    pub fn between(&self, fetch: &Fetch, until: Position) -> (Vec<ChatMessage>, Position) {
        let after = fetch.after;
        let (mut found, mut bytes, mut upto) = (Vec::new(), 0, after);
        if until <= after {
            return (found, until);
        }
        let asks = Asks::of(fetch);
        let above = (
            std::ops::Bound::Excluded(after),
            std::ops::Bound::Included(until),
        );
        for (scanned, (position, message)) in self.messages.range(above).enumerate() {
            if bytes >= BATCH_BYTES_MAX || scanned >= STORED_SCAN_MAX {
                return (found, upto);
            }
            upto = *position;
            if asks.for_message(*position, message.id()) {
                bytes += message.size_bound();
                found.push(message.clone());
            }
        }
        (found, until)
    }
}

#[cfg(test)]
mod tests {
    use super::super::checks::made::message;
    use super::*;
    use papo::wire::Span;

    fn store() -> Store {
        let mut store = Store::default();
        let made = [(1, 1, 10), (1, 2, 20), (2, 1, 25), (1, 4, 30), (1, 2, 20)];
        store.commit(
            made.into_iter()
                .map(|(key, seq, at)| message(key, seq, at, "a")),
        );
        store
    }

    fn fetch(after: Position, skip: &[SeqRange]) -> Fetch {
        Fetch {
            no: 1,
            after,
            spans: vec![Span::new(Position::default(), Position::END)],
            skip: skip.to_vec(),
            floor: None,
            want: Vec::new(),
        }
    }

    #[test]
    fn a_process_is_told_all_ids_and_the_newest_messages() {
        let restored = store().restored(2);
        let (one, two) = (Key(1), Key(2));
        let ranges = [
            SeqRange::new(one, 1, 2),
            SeqRange::new(one, 4, 4),
            SeqRange::new(two, 1, 1),
        ];
        assert_eq!(restored.ranges, ranges);
        assert_eq!(restored.newest.len(), 2);
        assert_eq!(restored.until, Position::new(20, Key(1), 2));
        assert_eq!(store().restored(9).until, Position::default());
        assert!(Store::default().restored(9).newest.is_empty());
    }

    #[test]
    fn a_chunk_is_what_lies_between_and_is_not_skipped() {
        let (first, last) = (Position::new(10, Key(1), 1), Position::new(30, Key(1), 4));
        let (found, upto) = store().between(&fetch(first, &[SeqRange::new(Key(1), 2, 3)]), last);
        let seqs: Vec<(u64, u64)> = found.iter().map(|m| (m.origin().0, m.seq())).collect();
        assert_eq!((seqs, upto), (vec![(2, 1), (1, 4)], last));
        let (found, upto) = store().between(&fetch(last, &[]), first);
        assert!(found.is_empty() && upto == first);
    }
}
