//! What a file holds: the ids, the newest messages, and those between two positions.
//!
//! Owns the reading of rows and blocks together: a message may be in either, or in both, and is one.

use std::collections::BTreeSet;

use crate::limits::{BATCH_BYTES_MAX, STORED_SCAN_MAX};
use crate::wire::{ChatMessage, Key, Position, SeqRange};

use super::arrived::PIECE;
use super::schema::{self, bytes_of, unbits};
use super::{Store, StoreError};

/// What a file holds, as far as a node needs to know at its start.
#[cfg(test)]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Held {
    /// All ids.
    pub(super) ranges: Vec<SeqRange>,
    /// The newest messages in the total order.
    pub(super) newest: Vec<ChatMessage>,
    /// The position of the newest message that is not among them; zero if all are.
    pub(super) until: Position,
}

/// How much is read at a time, at the most: the message that reaches one of the two is the last one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Portion {
    /// So many messages.
    pub messages: usize,
    /// So many bytes, by [`ChatMessage::size_bound`].
    pub bytes: usize,
}

impl Portion {
    /// What one CHUNK carries.
    pub const CHUNK: Portion = Portion {
        messages: PIECE,
        bytes: BATCH_BYTES_MAX,
    };
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
    /// What the file holds, and its newest `max` messages.
    #[cfg(test)]
    pub(super) fn held(&self, max: usize) -> Result<Held, StoreError> {
        let (ranges, until) = (self.ranges()?, self.look_through(max, Position::END)?);
        let (mut newest, mut upto) = (Vec::new(), until);
        while upto < Position::END {
            let found = self.between(upto, Position::END, Portion::CHUNK, |_| true)?;
            newest.extend(found.messages);
            upto = found.upto;
        }
        Ok(Held {
            ranges,
            newest,
            until,
        })
    }

    /// How many messages lie behind this position.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn count_after(&self, latest: Position) -> Result<u64, StoreError> {
        let (mut count, mut upto) = (0, latest);
        while upto < Position::END {
            let found = self.between(upto, Position::END, Portion::CHUNK, |_| true)?;
            count += found.messages.len() as u64;
            upto = found.upto;
        }
        Ok(count)
    }

    /// All ids.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn ranges(&self) -> Result<Vec<SeqRange>, StoreError> {
        self.ranges_until(Position::END)
    }

    /// All ids of messages up to this position.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn ranges_until(&self, latest: Position) -> Result<Vec<SeqRange>, StoreError> {
        let _moment = self.moment()?;
        let has_later = latest < Position::END && self.has_rows_after(latest)?;
        let mut ranges = match has_later {
            true => self.ranges_of_rows_until(latest)?,
            false => self.ranges_of_rows()?,
        };
        let rows = ranges.len();
        self.each_block(
            |_| true,
            |messages| {
                let counted = messages.iter().filter(|m| m.position() <= latest);
                for id in counted.map(ChatMessage::id) {
                    match ranges[rows..].last_mut() {
                        Some(r)
                            if r.author == id.origin && r.last.checked_add(1) == Some(id.seq) =>
                        {
                            r.last = id.seq;
                        }
                        _ => ranges.push(SeqRange::new(id.origin, id.seq, id.seq)),
                    }
                }
                Ok(())
            },
        )?;
        Ok(united(ranges))
    }

    fn has_rows_after(&self, latest: Position) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM messages WHERE position > ?1)";
        let found = self
            .connection
            .query_row(sql, [bytes_of(latest)], |row| row.get(0))?;
        Ok(found)
    }

    fn ranges_of_rows_until(&self, latest: Position) -> Result<Vec<SeqRange>, StoreError> {
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

    fn ranges_of_rows(&self) -> Result<Vec<SeqRange>, StoreError> {
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

    /// Reads the newest messages up to the latest that counts, so that whoever reads them next finds them in
    /// the system's memory; the position of the one before them, zero if there is none.
    pub(super) fn look_through(
        &self,
        newest: usize,
        latest: Position,
    ) -> Result<Position, StoreError> {
        let _moment = self.moment()?;
        // And the one before them.
        let enough = newest.saturating_add(1);
        let mut positions = BTreeSet::new();
        let sql = schema::select("WHERE position <= ?2 ORDER BY position DESC LIMIT ?1");
        let mut statement = self.connection.prepare(&sql)?;
        let limit = i64::try_from(enough).unwrap_or(i64::MAX);
        let mut rows = statement.query(rusqlite::params![limit, bytes_of(latest)])?;
        while let Some(row) = rows.next()? {
            positions.insert(schema::message(row)?.position());
        }
        // What one block has left no room for, another need not be read for.
        let positions = std::cell::RefCell::new(positions);
        let wants = |greatest| {
            let positions = positions.borrow();
            positions.len() < enough || positions.first().is_none_or(|first| *first < greatest)
        };
        self.each_block(wants, |messages| {
            let mut positions = positions.borrow_mut();
            for message in messages.iter().filter(|m| m.position() <= latest) {
                positions.insert(message.position());
                if positions.len() > enough {
                    positions.pop_first();
                }
            }
            Ok(())
        })?;
        let positions = positions.into_inner();
        let before = positions.first().filter(|_| positions.len() == enough);
        Ok(before.copied().unwrap_or_default())
    }

    /// The messages after one position and up to another that are `wanted`, as many as a portion has.
    /// The work is bounded by `STORED_SCAN_MAX` messages, and some blocks besides, which are unpacked as a whole:
    /// so one large portion costs less than some small ones.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn between(
        &self,
        after: Position,
        until: Position,
        portion: Portion,
        wanted: impl Fn(Position) -> bool,
    ) -> Result<Found, StoreError> {
        let _moment = self.moment()?;
        let (arrived, until) = self.arrived(after, until, portion.messages)?;
        let mut arrived = arrived.into_iter().peekable();
        let sql = schema::select("WHERE position > ?1 AND position <= ?2 ORDER BY position");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([bytes_of(after), bytes_of(until)])?;
        let mut row = rows.next()?;
        let (mut messages, mut bytes, mut scanned) = (Vec::new(), 0, 0);
        let mut upto = after;
        loop {
            let at = row.map(schema::position).transpose()?;
            let in_block = arrived.next_if(|m| at.is_none_or(|at| m.position() <= at));
            let Some(next) = in_block.as_ref().map(ChatMessage::position).or(at) else {
                return Ok(Found {
                    messages,
                    upto: until,
                });
            };
            let is_full = bytes >= portion.bytes || messages.len() >= portion.messages;
            if is_full || scanned >= STORED_SCAN_MAX {
                return Ok(Found { messages, upto });
            }
            (scanned, upto) = (scanned + 1, next);
            if wanted(next) {
                let in_row = || row.map(schema::message).transpose();
                if let Some(message) = in_block.map_or_else(in_row, |m| Ok(Some(m)))? {
                    bytes += message.size_bound();
                    messages.push(message);
                }
            }
            if at == Some(next) {
                row = rows.next()?;
            }
        }
    }
}

/// The same ids, each once, in as few ranges as can be.
fn united(mut ranges: Vec<SeqRange>) -> Vec<SeqRange> {
    ranges.sort_unstable_by_key(|r| (r.author, r.first));
    ranges.dedup_by(|next, range| {
        let is_near = next.author == range.author && next.first <= range.last.saturating_add(1);
        if is_near {
            range.last = range.last.max(next.last);
        }
        is_near
    });
    ranges
}

/// So many messages lie too far ahead in a file, in words for the user; none if none do.
#[must_use]
pub fn left_out(count: u64) -> Option<String> {
    let (messages, are) = match count {
        0 => return None,
        1 => ("message", "is"),
        _ => ("messages", "are"),
    };
    Some(format!(
        "{count} {messages} in it {are} dated more than 20 hours ahead of this machine's clock, and {are} left out"
    ))
}
