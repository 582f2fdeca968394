//! Reading the messages that wait in blocks, as if they were rows.
//!
//! Owns how they are looked for: by their place in the total order, or a block at a time. It changes nothing in
//! the file, and nothing of what `waiting` knows of the blocks.

use rusqlite::Transaction;

use super::waiting::{Span, unpack_at};
use super::{Store, StoreError};
use crate::wire::{ChatMessage, Position};

/// Messages read of the blocks at a time, if there are more.
pub(super) const PIECE: usize = 512;

impl Store {
    /// A moment of the file, for reading it more than once.
    pub(super) fn moment(&self) -> Result<Transaction<'_>, StoreError> {
        Ok(self.connection.unchecked_transaction()?)
    }

    /// The messages in blocks after one position and up to another, in the total order, and up to where
    /// these are all: there are at least `enough` unless that is the end.
    pub(super) fn arrived(
        &self,
        after: Position,
        until: Position,
        enough: usize,
    ) -> Result<(Vec<ChatMessage>, Position), StoreError> {
        let mut spans: Vec<Span> = {
            let waiting = self.waiting()?;
            waiting
                .spans()
                .filter(|span| span.greatest() > after && span.least() <= until)
                .collect()
        };
        spans.sort_unstable_by_key(Span::least);
        let (mut found, mut upto): (Vec<ChatMessage>, _) = (Vec::new(), until);
        for span in spans {
            // What comes before all that is not read yet.
            let known = || {
                found
                    .iter()
                    .map(ChatMessage::position)
                    .filter(|p| *p < span.least())
            };
            if found.len() >= enough && known().count() >= enough {
                upto = known().max().unwrap_or(after);
                break;
            }
            let messages = unpack_at(&self.connection, span.id())?.into_iter();
            found.extend(messages.filter(|m| after < m.position() && m.position() <= until));
        }
        found.retain(|m| m.position() <= upto);
        found.sort_unstable_by_key(ChatMessage::position);
        found.dedup_by_key(|m| m.position());
        Ok((found, upto))
    }

    /// The messages in blocks at these positions, which are in the total order.
    pub(super) fn arrived_at(
        &self,
        positions: &[Position],
    ) -> Result<Vec<ChatMessage>, StoreError> {
        let spans: Vec<Span> = self.waiting()?.spans().collect();
        let mut found = Vec::new();
        for span in spans {
            let from = positions.partition_point(|p| *p < span.least());
            let to = positions.partition_point(|p| *p <= span.greatest());
            let here = positions.get(from..to).unwrap_or_default();
            if here.is_empty() {
                continue;
            }
            let messages = unpack_at(&self.connection, span.id())?.into_iter();
            found.extend(messages.filter(|m| here.binary_search(&m.position()).is_ok()));
        }
        found.sort_unstable_by_key(ChatMessage::position);
        found.dedup_by_key(|m| m.position());
        Ok(found)
    }

    /// Hands over the messages of each block, a block at a time, in no order; `wants` is asked by the
    /// greatest position in it.
    pub(super) fn each_block(
        &self,
        wants: impl Fn(Position) -> bool,
        mut take: impl FnMut(Vec<ChatMessage>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let spans: Vec<Span> = self.waiting()?.spans().collect();
        for span in spans.iter().rev() {
            if wants(span.greatest()) {
                take(unpack_at(&self.connection, span.id())?)?;
            }
        }
        Ok(())
    }
}
