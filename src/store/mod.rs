//! The durable store: a room's history in one SQLite file.
//!
//! Owns the file: its schema, its lock, reading and writing it. It decides nothing of the protocol
//! (what is stored, what is acknowledged and when is the node's and the driver's business), and it
//! never deletes a message.
//!
//! | file | subject |
//! | --- | --- |
//! | `schema` | the tables, their versions, how a message is a row |
//! | `kind` | what lies at a path: a regular file, one of papo's |
//! | `lock` | that one process writes a file |
//! | `opening` | opening for writing, checking, setting a damaged file aside |
//! | `reading` | opening for reading |
//! | `place` | whether the files are still where they were opened |
//! | `log_file` | the log beside the file: checkpoints, beginning it anew, closing |
//! | `helper` | the process that may wait for the disk, and what it and the node say to each other |
//! | `search` | what `papo history` reads |
//! | `error` | what can go wrong |
//!
//! # One writer, any number of readers
//!
//! The file is in WAL mode, so readers (`papo history`, `sqlite3`) disturb nobody. That only one node
//! writes is kept by two locks of papo's own, since the database's locks would keep readers out: one of the
//! file itself, and one of its name, on an empty file beside it, `FILE.lock`, which stays.
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

mod error;
mod helper;
mod kind;
mod lock;
mod log_file;
mod opening;
mod place;
mod reading;
mod schema;
mod search;
#[cfg(test)]
#[path = "store_test.rs"]
mod tests;

pub use error::StoreError;
pub use helper::{HELPER, Job, Reply, Request, run as run_helper};
pub use lock::Lock;
pub use log_file::LogLength;
pub use opening::set_aside;
pub use place::{Identity, Place};
pub use search::Search;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use crate::limits::{BATCH_BYTES_MAX, STORED_SCAN_MAX};
use crate::wire::{ChatMessage, Key, Position, SeqRange};

use place::Files;
use schema::{bits, bytes_of, position_of, unbits};

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

/// What a file holds, as far as a node needs to know at its start.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Held {
    /// All ids.
    pub ranges: Vec<SeqRange>,
    /// The newest messages in the total order.
    pub newest: Vec<ChatMessage>,
    /// The position of the newest message that is not among them; zero if all are.
    pub until: Position,
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
    files: Files,
    /// What could not be read of it.
    unread: Option<String>,
}

/// What was found between two positions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The messages in the total order.
    pub messages: Vec<ChatMessage>,
    /// Everything up to here was looked at.
    pub upto: Position,
}

impl Store {
    /// A file that is open, and which nobody holds.
    fn unheld(connection: Connection, floor: Position, files: Files) -> Store {
        Store {
            connection,
            pin: None,
            lock: None,
            floor,
            files,
            unread: None,
        }
    }

    /// True if it can be written to, as far as known.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.lock.is_some()
    }

    /// Adds messages in one transaction: all or, with an error, none. What is there already is left
    /// as it is. The file does not wait for the disk.
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
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut insert = transaction.prepare_cached(schema::INSERT)?;
            for message in messages {
                schema::insert(&mut insert, message)?;
            }
        }
        if floor != self.floor {
            transaction.execute("UPDATE room SET floor = ?1", [bytes_of(floor)])?;
        }
        transaction.commit()?;
        self.floor = floor;
        Ok(())
    }

    /// Puts the oldest messages whose words are not in the index there, at most so many; true if
    /// there are more. It is no part of a commit because it costs ten times as much.
    ///
    /// # Errors
    ///
    /// If that failed; nothing has changed then.
    pub fn index(&mut self, max: u32) -> Result<bool, StoreError> {
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
        let until = last.min(indexed + i64::from(max));
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

    /// What the file holds, and its newest `max` messages.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn held(&self, max: usize) -> Result<Held, StoreError> {
        let ranges = self.ranges()?;
        let limit = i64::try_from(max).unwrap_or(i64::MAX);
        let mut newest = Vec::new();
        let sql = schema::select("ORDER BY position DESC LIMIT ?1");
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([limit])?;
        while let Some(row) = rows.next()? {
            newest.push(schema::message(row)?);
        }
        newest.reverse();
        let first = newest.first().map(|m| m.position());
        let until = match first {
            Some(first) => self.before(first)?,
            None => Position::default(),
        };
        Ok(Held {
            ranges,
            newest,
            until,
        })
    }

    /// The position before this one; zero if there is none.
    fn before(&self, position: Position) -> Result<Position, StoreError> {
        let sql = "SELECT max(position) FROM messages WHERE position < ?1";
        let found: Option<Option<Vec<u8>>> = self
            .connection
            .query_row(sql, [bytes_of(position)], |row| row.get(0))
            .optional()?;
        found
            .flatten()
            .map_or(Ok(Position::default()), |bytes| position_of(&bytes))
    }

    /// How many messages lie behind this position.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn count_after(&self, latest: Position) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM messages WHERE position > ?1";
        let count = |row: &rusqlite::Row<'_>| row.get(0);
        let count: i64 = (self.connection).query_row(sql, [bytes_of(latest)], count)?;
        Ok(unbits(count))
    }

    /// All ids of messages up to this position.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn ranges_until(&self, latest: Position) -> Result<Vec<SeqRange>, StoreError> {
        if self.count_after(latest)? == 0 {
            return self.ranges();
        }
        let sql = "SELECT author, seq FROM messages WHERE position <= ?1 ORDER BY author, seq";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([bytes_of(latest)])?;
        let mut ranges: Vec<SeqRange> = Vec::new();
        while let Some(row) = rows.next()? {
            let author: String = row.get(0)?;
            let (key, seq) = (schema::key_of(&author)?, unbits(row.get(1)?));
            match ranges.last_mut() {
                Some(r) if r.author == key && r.last.checked_add(1) == Some(seq) => r.last = seq,
                _ => ranges.push(SeqRange::new(key, seq, seq)),
            }
        }
        Ok(ranges)
    }

    /// All ids.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn ranges(&self) -> Result<Vec<SeqRange>, StoreError> {
        let sql = "SELECT author, min(seq), max(seq), count(*) FROM messages GROUP BY author";
        let mut ranges = Vec::new();
        let mut authors = self.connection.prepare(sql)?;
        let mut rows = authors.query([])?;
        while let Some(row) = rows.next()? {
            let author: String = row.get(0)?;
            let (first, last, count): (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let key = schema::key_of(&author)?;
            if first > 0 && last - first == count - 1 {
                ranges.push(SeqRange::new(key, unbits(first), unbits(last)));
            } else {
                self.ranges_of(&author, key, &mut ranges)?;
            }
        }
        Ok(ranges)
    }

    /// The ranges of an author some of whose messages are missing.
    fn ranges_of(
        &self,
        author: &str,
        key: Key,
        ranges: &mut Vec<SeqRange>,
    ) -> Result<(), StoreError> {
        let sql = "SELECT seq FROM messages WHERE author = ?1 ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([author])?;
        let mut current: Option<SeqRange> = None;
        while let Some(row) = rows.next()? {
            let seq = unbits(row.get(0)?);
            match &mut current {
                Some(range) if range.last.checked_add(1) == Some(seq) => range.last = seq,
                _ => ranges.extend(current.replace(SeqRange::new(key, seq, seq))),
            }
        }
        ranges.extend(current);
        Ok(())
    }

    /// The messages after one position and up to another that are `wanted`, as many as one chunk
    /// carries. The work is bounded by `STORED_SCAN_MAX` rows.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn between(
        &self,
        after: Position,
        until: Position,
        wanted: impl Fn(Position) -> bool,
    ) -> Result<Found, StoreError> {
        let sql = schema::select("WHERE position > ?1 AND position <= ?2 ORDER BY position");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([bytes_of(after), bytes_of(until)])?;
        let (mut messages, mut bytes, mut scanned) = (Vec::new(), 0, 0);
        let mut upto = after;
        while let Some(row) = rows.next()? {
            if bytes >= BATCH_BYTES_MAX || scanned >= STORED_SCAN_MAX {
                return Ok(Found { messages, upto });
            }
            scanned += 1;
            upto = schema::position(row)?;
            if wanted(upto) {
                let message = schema::message(row)?;
                bytes += message.size_bound();
                messages.push(message);
            }
        }
        Ok(Found {
            messages,
            upto: until,
        })
    }
}

/// A path with something after its last character.
fn beside(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
