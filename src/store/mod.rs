//! The durable store: a room's history in one SQLite file.
//!
//! Owns the file: its schema, its lock, reading and writing it. It decides nothing of the protocol
//! (what is stored, what is acknowledged and when is the node's and the driver's business), and it
//! deletes messages only when it is told to make room (`size`).
//!
//! | file | subject |
//! | --- | --- |
//! | `schema` | the tables, their versions, how a message is a row |
//! | `waiting` | messages that were committed many at a time, and are no rows yet |
//! | `arrived` | reading those messages |
//! | `packed` | how many messages are one blob |
//! | `held` | what the file holds: ids, the newest, those between two positions |
//! | `kind` | what lies at a path: a regular file, one of papo's |
//! | `lock` | that one process writes a file |
//! | `opening` | opening for writing, checking, setting a damaged file aside |
//! | `reading` | opening for reading |
//! | `place` | whether the files are still where they were opened |
//! | `log_file` | the log beside the file: checkpoints, beginning it anew, closing |
//! | `helper` | the process that may wait for the disk |
//! | `helper_words` | what that process and the node say to each other |
//! | `size` | how much of the disk it takes; deleting the oldest messages |
//! | `shrinking` | making a file fit that is too large when it is opened |
//! | `search` | what `papo history` reads |
//! | `error` | what can go wrong |
//!
//! # One writer, any number of readers
//!
//! The file is in WAL mode, so readers (`papo history`, `sqlite3`) disturb nobody. That only one node
//! writes is kept by two locks of papo's own, since the database's locks would keep readers out: one of the
//! file itself, and one of its name, on an empty file beside it, `FILE.lock`, which stays.
//!
//! # Rows and blocks
//!
//! A row of `messages` is in three trees, which makes a flood of them ten times as slow as the rest of the
//! program. So many messages that are committed together become blocks, rows of `arrived`, which are stored as
//! anything is that is committed, and become rows of `messages` later. Everything here that reads reads both.
//!
//! # What a commit costs, and what a crash does
//!
//! A commit writes to the log (`FILE-wal`) and never waits for the disk (`synchronous=OFF`): the kernel has
//! it then. What waits for the disk, or may, is done by a helper process that has the same file open, which
//! SQLite's WAL mode allows: creating, checking and migrating the file at the start, the index of words, and
//! checkpoints. When that is done is decided in `driver::keeper`.
//!
//! - *The program is killed*, at whatever moment: everything committed is there.
//! - *The system crashes or the power fails*: what was committed after the last checkpoint began may be
//!   lost. A checkpoint begins five seconds after the first commit that needs one, and on a slow disk takes
//!   its time. The file as a whole stays sound on a file system with a journal (ext4, XFS, Btrfs, APFS and
//!   the like); how the log is begun anew, on which this depends, is in `log_file`. On one without (FAT,
//!   ext2) a power cut in the moments after that can damage the file. That is noticed at the next start, and
//!   the file is set aside. So can one before the first checkpoint of a file that is new.
//! - *The program ends while the disk is slow*: the log stays beside the file, and is taken up at the
//!   next start.
//!
#![doc = include_str!("STORE.md")]

mod arrived;
mod error;
mod held;
mod helper;
mod helper_words;
mod kind;
mod lock;
mod log_file;
mod opening;
mod packed;
mod place;
mod reading;
mod schema;
mod search;
mod shrinking;
mod size;
#[cfg(test)]
#[path = "store_test.rs"]
mod tests;
mod waiting;

pub use error::{StoreError, limit_met};
pub use held::{Found, Portion, left_out};
pub use helper::{HELPER, run as run_helper};
pub use helper_words::{Job, Reply, Request};
pub use lock::Lock;
pub use log_file::LogLength;
pub use opening::set_aside;
pub use place::{Identity, Place};
pub use search::Search;
pub use shrinking::SizeLimits;
pub use size::{DiskUse, Dropped};
pub use waiting::BLOCK_MIN;

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use crate::wire::{ChatMessage, Position};

use place::Files;
use schema::{bits, bytes_of, position_of};
use waiting::Waiting;

/// How long a statement waits for somebody else's lock (a person who writes with `sqlite3`): the
/// loop waits with it, so hardly at all.
const BUSY: Duration = Duration::from_millis(20);

/// Whose history a file is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owner {
    /// The room's name.
    pub room: String,
    /// What tells a locked room's secret from others; none for an open room.
    pub lock: Option<String>,
}

/// One open file.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    /// Keeps the log from being written anew while a helper checkpoints; none where nothing is written.
    pin: Option<Connection>,
    /// Kept for as long as the store is open; none if it was opened for reading. It goes after the
    /// connections, as fields do that are named later.
    lock: Option<Lock>,
    /// The floor as the file says.
    floor: Position,
    /// Nothing up to here is stored any more.
    dropped_to: Position,
    files: Files,
    /// The messages that are no rows yet.
    waiting: RefCell<Waiting>,
    /// The file has a place for such messages: it is of a version since which there is one.
    has_blocks: bool,
    /// What could not be read of it.
    unread: Option<String>,
}

impl Store {
    /// A file that is open, and which nobody holds.
    fn unheld(connection: Connection, floor: Position, files: Files) -> Store {
        Store {
            connection,
            pin: None,
            lock: None,
            floor,
            dropped_to: Position::default(),
            files,
            waiting: RefCell::default(),
            has_blocks: true,
            unread: None,
        }
    }

    /// True if it can be written to, as far as known.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.lock.is_some()
    }

    /// Adds messages in one transaction: all or, with an error, none. What is there already is left
    /// as it is, and so is what is older than what was deleted to make room: it would be deleted next. Many at a time wait in blocks, to become rows later ([`Store::make_rows`]): they are
    /// stored as well. The file does not wait for the disk.
    ///
    /// # Errors
    ///
    /// If the transaction failed; nothing has changed then, and it can be tried again.
    pub fn commit<'a>(
        &mut self,
        messages: impl Iterator<Item = &'a ChatMessage>,
        floor: Position,
    ) -> Result<(), StoreError> {
        if !self.is_writable() {
            return Err(StoreError::Unusable("it was opened for reading".into()));
        }
        let waiting = self.waiting.get_mut();
        let dropped_to = self.dropped_to;
        let mut kept: Vec<&ChatMessage> = messages.collect();
        if dropped_to > Position::default() {
            kept.retain(|m| m.position() > dropped_to);
        }
        let (blocks, rows) = waiting.divide(kept);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let spans = waiting.insert(&transaction, blocks)?;
        {
            let mut insert = transaction.prepare_cached(schema::INSERT)?;
            for message in rows {
                schema::insert(&mut insert, message)?;
            }
        }
        if floor != self.floor {
            let sql = "UPDATE room SET floor = ?1, dropped = ?2";
            transaction.execute(sql, [bytes_of(floor), bytes_of(dropped_to)])?;
        }
        transaction.commit()?;
        waiting.add(spans);
        self.floor = floor;
        Ok(())
    }

    /// Puts the oldest messages whose words are not in the index there, at most so many, and no more after so many
    /// bytes of text; true if there are more. It is no part of a commit because it costs ten times as much.
    ///
    /// # Errors
    ///
    /// If that failed; nothing has changed then.
    pub fn index(&mut self, max: u32, bytes_max: u64) -> Result<bool, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = "SELECT indexed, (SELECT max(id) FROM messages) FROM room";
        let (indexed, last) = {
            let mut ask = transaction.prepare_cached(sql)?;
            ask.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?
        };
        let (indexed, last): (i64, Option<i64>) = (indexed, last);
        let last = last.unwrap_or(0);
        let until = indexed_until(&transaction, indexed, max, bytes_max)?;
        if until <= indexed {
            return Ok(false);
        }
        let mut index = transaction.prepare_cached(schema::INDEX)?;
        index.execute([indexed, until])?;
        drop(index);
        transaction.execute("UPDATE room SET indexed = ?1", [until])?;
        transaction.commit()?;
        Ok(until < last)
    }
}

/// The last of the messages after this one whose words go into the index together.
fn indexed_until(
    connection: &Connection,
    after: i64,
    max: u32,
    bytes_max: u64,
) -> Result<i64, StoreError> {
    let sql = "SELECT id, octet_length(text) FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2";
    let mut ask = connection.prepare_cached(sql)?;
    let mut rows = ask.query([after, i64::from(max)])?;
    let (mut until, mut bytes) = (after, 0);
    while bytes < bytes_max
        && let Some(row) = rows.next()?
    {
        until = row.get(0)?;
        bytes += u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
    }
    Ok(until)
}

/// A path with something after its last character.
fn beside(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
