//! What `papo history` reads: the messages that fit, in their order.
//!
//! Words are looked up in the file's index, which may be some seconds behind: the newest messages
//! get an index of their own for the occasion, in memory.
//!
//! Results are read in pieces, each in a transaction of its own: a reader that stops half-way (a
//! pager) must not keep the node's log from being emptied.

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::schema::{self, bits, bytes_of};
use super::{Store, StoreError};
use crate::wire::{ChatMessage, Position};

/// Messages read at a time.
const PIECE: usize = 500;

/// The index for the occasion.
const RECENT: &str = "
    PRAGMA temp_store = MEMORY;
    DROP TABLE IF EXISTS temp.recent;
    CREATE VIRTUAL TABLE temp.recent USING fts5 (
        text, content = '', tokenize = 'unicode61 remove_diacritics 2'
    );
";

/// Which messages are wanted; those that fit all of these.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Search {
    /// Sent at this moment or later, in milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// Written under this nick.
    pub from: Option<String>,
    /// All of these words are in the text, however they are capitalised and accented; a word that
    /// ends in `*` stands for all that begin like it.
    pub words: Option<String>,
}

impl Search {
    /// Conditions other than words, and the values for their `?`.
    fn conditions(&self) -> (String, Vec<Value>) {
        let (mut sql, mut values) = (String::new(), Vec::new());
        if let Some(since) = self.since_ms {
            sql += " AND sent_at >= ?";
            values.push(Value::Integer(bits(since)));
        }
        if let Some(from) = &self.from {
            sql += " AND nick = ?";
            values.push(Value::Text(from.clone()));
        }
        (sql, values)
    }
}

/// A query in FTS5's language for all these words, whatever characters are in them.
fn fts(words: &str) -> String {
    let quoted = words.split_whitespace().map(|word| {
        let (word, star) = match word.strip_suffix('*') {
            Some(start) => (start, "*"),
            None => (word, ""),
        };
        // A NUL would end the query.
        format!("\"{}\"{star}", word.replace('"', "\"\"").replace('\0', " "))
    });
    let all: Vec<String> = quoted.collect();
    match all.is_empty() {
        true => "\"\"".to_owned(),
        false => format!("{{text}} : ({})", all.join(" AND ")),
    }
}

impl Store {
    /// Hands over all messages that fit, in the total order, until `take` says false.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn search(
        &self,
        search: &Search,
        mut take: impl FnMut(&ChatMessage) -> bool,
    ) -> Result<(), StoreError> {
        // What words are in must be looked up as a whole; what else there is is cheap to go on with.
        if let Some(words) = &search.words {
            for ids in self.matching(search, &fts(words))?.chunks(PIECE) {
                if !self.by_ids(ids)?.iter().all(&mut take) {
                    break;
                }
            }
            return Ok(());
        }
        let mut after = Position::default();
        loop {
            let piece = self.piece_after(search, after)?;
            let Some(last) = piece.last() else {
                return Ok(());
            };
            after = last.position();
            if !piece.iter().all(&mut take) {
                return Ok(());
            }
        }
    }

    fn piece_after(
        &self,
        search: &Search,
        after: Position,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        let (conditions, mut values) = search.conditions();
        let sql = schema::select(&format!(
            "WHERE position > ? {conditions} ORDER BY position LIMIT {PIECE}"
        ));
        values.insert(0, Value::Blob(bytes_of(after).to_vec()));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut piece = Vec::new();
        while let Some(row) = rows.next()? {
            piece.push(schema::message(row)?);
        }
        Ok(piece)
    }

    /// The rows that fit, in the total order.
    fn matching(&self, search: &Search, query: &str) -> Result<Vec<i64>, StoreError> {
        // The index and the messages beyond it must be of one moment.
        let moment = self.connection.unchecked_transaction()?;
        let sql = "SELECT indexed FROM room";
        let indexed = moment.query_row(sql, [], |row| row.get(0))?;
        match self.matching_beyond(search, query, indexed) {
            // The index is of no use: as if there were none.
            Err(StoreError::Damaged(_)) => self.matching_beyond(search, query, 0),
            result => result,
        }
    }

    /// The same, with an index for what is beyond this row.
    fn matching_beyond(
        &self,
        search: &Search,
        query: &str,
        indexed: i64,
    ) -> Result<Vec<i64>, StoreError> {
        let (conditions, mut values) = search.conditions();
        self.connection.execute_batch(RECENT)?;
        let sql = format!(
            "INSERT INTO temp.recent (rowid, text) SELECT id, text FROM messages
             WHERE id > ? {conditions}"
        );
        values.insert(0, Value::Integer(indexed));
        self.connection
            .execute(&sql, params_from_iter(values.clone()))?;
        let sql = format!(
            "SELECT id FROM messages WHERE id IN (
                 SELECT rowid FROM temp.recent WHERE recent MATCH ?
                 UNION ALL SELECT rowid FROM words WHERE words MATCH ? AND rowid <= ?
             ) {conditions} ORDER BY position"
        );
        let query = Value::Text(query.to_owned());
        let beyond = values.remove(0);
        values.splice(0..0, [query.clone(), query, beyond]);
        let mut statement = self.connection.prepare(&sql)?;
        let ids = statement.query_map(params_from_iter(values), |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    fn by_ids(&self, ids: &[i64]) -> Result<Vec<ChatMessage>, StoreError> {
        let sql = schema::select("WHERE id = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let mut rows = statement.query([id])?;
            if let Some(row) = rows.next()? {
                found.push(schema::message(row)?);
            }
        }
        Ok(found)
    }
}
