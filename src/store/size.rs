//! How much of the disk a file takes, and the deleting of the oldest that it holds.
//!
//! Owns the counting and the deleting. When something is to be deleted is decided by whoever asks.
//!
//! What is deleted are the oldest messages, in the total order, as many as one step of a few milliseconds
//! takes. The pages that they had are used again by what is stored next, so that the file does not grow; it
//! does not become smaller either (but see `shrinking`). Up to which position everything was deleted is in the file: nothing at or
//! below that is stored again.

use rusqlite::{Connection, TransactionBehavior};

use super::schema::{self, bytes_of};
use super::{Store, StoreError, position_of, waiting};
use crate::wire::{ChatMessage, Position};

/// Rows deleted in one step, some 2 ms of work, and about the bytes of their texts: the log gets the words that are
/// deleted with them.
const ROWS_MAX: usize = 200;
const TEXT_BYTES: usize = 32 * 1024;

/// What a file takes of the disk, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DiskUse {
    /// The file, once all of the log is in it.
    pub file: u64,
    /// Of these, what is in use; the rest is used again before the file grows.
    pub used: u64,
    /// The log beside it.
    pub log: u64,
}

/// What was deleted in one step.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dropped {
    /// The messages.
    pub messages: Vec<ChatMessage>,
    /// Nothing is left up to here.
    pub upto: Position,
}

impl Store {
    /// What it takes of the disk.
    ///
    /// # Errors
    ///
    /// If it cannot be asked.
    pub fn disk_use(&self) -> Result<DiskUse, StoreError> {
        let ask = |pragma: &str| -> Result<u64, StoreError> {
            let mut ask = self.connection.prepare_cached(pragma)?;
            let number: i64 = ask.query_row([], |row| row.get(0))?;
            Ok(u64::try_from(number).unwrap_or(0))
        };
        let size = ask("PRAGMA page_size")?;
        let (pages, free) = (ask("PRAGMA page_count")?, ask("PRAGMA freelist_count")?);
        Ok(DiskUse {
            file: pages * size,
            used: pages.saturating_sub(free) * size,
            log: self.files.log_bytes(),
        })
    }

    /// Up to here everything was deleted; zero if nothing ever was.
    #[must_use]
    pub fn dropped_to(&self) -> Position {
        self.dropped_to
    }

    /// From now on nothing up to here is stored: another file of this history has dropped it.
    pub fn raise_dropped(&mut self, position: Position) {
        self.dropped_to = self.dropped_to.max(position);
    }

    /// Deletes the oldest messages, a step's worth; nothing if there are none.
    ///
    /// # Errors
    ///
    /// If that failed; nothing has changed then.
    pub fn drop_oldest(&mut self) -> Result<Dropped, StoreError> {
        let waiting = self.waiting.get_mut();
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (row, block) = (oldest_rows(&transaction)?, waiting.oldest());
        let Some(upto) = row.into_iter().chain(block).min() else {
            return Ok(Dropped::default());
        };
        let mut messages = Vec::new();
        {
            let mut ask = transaction.prepare_cached(&schema::select("WHERE position <= ?1"))?;
            let mut rows = ask.query([bytes_of(upto)])?;
            while let Some(row) = rows.next()? {
                messages.push(schema::message(row)?);
            }
            let sql = "DELETE FROM messages WHERE position <= ?1";
            transaction.prepare_cached(sql)?.execute([bytes_of(upto)])?;
        }
        let cuts = waiting::cut(&transaction, waiting, upto, &mut messages)?;
        transaction.execute("UPDATE room SET dropped = ?1", [bytes_of(upto)])?;
        transaction.commit()?;
        waiting.note_cuts(&cuts);
        self.dropped_to = self.dropped_to.max(upto);
        Ok(Dropped { messages, upto })
    }
}

/// The position of the last of the oldest rows that are deleted in one step.
fn oldest_rows(connection: &Connection) -> Result<Option<Position>, StoreError> {
    let sql = "SELECT position, text FROM messages ORDER BY position LIMIT ?1";
    let mut ask = connection.prepare_cached(sql)?;
    let mut rows = ask.query([i64::try_from(ROWS_MAX).unwrap_or(i64::MAX)])?;
    let (mut last, mut bytes) = (None, 0);
    while bytes < TEXT_BYTES
        && let Some(row) = rows.next()?
    {
        last = Some(schema::position(row)?);
        bytes += row.get_ref(1)?.as_bytes().map_or(0, <[u8]>::len);
    }
    Ok(last)
}

/// Up to where everything was deleted, as a file of this version says.
pub(super) fn dropped_to(connection: &Connection, version: i64) -> Result<Position, StoreError> {
    if version < schema::DROPPED_SINCE {
        return Ok(Position::default());
    }
    let dropped: Vec<u8> =
        connection.query_row("SELECT dropped FROM room", [], |row| row.get(0))?;
    position_of(&dropped)
}
