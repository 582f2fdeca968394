//! What `papo history` reads: the messages that fit, in their order.
//!
//! Words are looked up in the file's index, which may be some seconds behind: the newest messages
//! get an index of their own for the occasion, in memory, and those of each block that waits to become
//! rows one of theirs.
//!
//! Results are read in pieces, each in a transaction of its own: a reader that stops half-way (a
//! pager) must not keep the node's log from being emptied.

use rusqlite::types::Value;
use rusqlite::{params, params_from_iter};

use super::schema::{self, bits, bytes_of};
use super::{Found, Store, StoreError};
use crate::wire::{ChatMessage, Position};

/// Messages read at a time.
const PIECE: usize = 500;

/// The indexes for the occasion.
const RECENT: &str = "
    DROP TABLE IF EXISTS temp.recent;
    DROP TABLE IF EXISTS temp.arrived_words;
    CREATE VIRTUAL TABLE temp.recent USING fts5 (
        text, content = '', tokenize = 'unicode61 remove_diacritics 2'
    );
    CREATE VIRTUAL TABLE temp.arrived_words USING fts5 (
        text, content = '', tokenize = 'unicode61 remove_diacritics 2'
    );
";

/// Which messages are wanted; those that fit all of these.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Search {
    /// Sent at this moment or later, in milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// Sent before this moment, in milliseconds since 1970.
    pub until_ms: Option<u64>,
    /// Written under this nick, however it is capitalised.
    pub from: Option<String>,
    /// All of these words are in the text, however they are capitalised and accented; a word that
    /// ends in `*` stands for all that begin like it.
    pub words: Option<String>,
}

impl Search {
    /// The conditions that SQLite can look at: times. The values are for their `?`.
    fn conditions(&self) -> (String, Vec<Value>) {
        let (mut sql, mut values) = (String::new(), Vec::new());
        if let Some(since) = self.since_ms {
            sql += " AND sent_at >= ?";
            values.push(Value::Integer(bits(since)));
        }
        if let Some(until) = self.until_ms {
            sql += " AND sent_at < ?";
            values.push(Value::Integer(bits(until)));
        }
        (sql, values)
    }

    /// Whether a message that is no row yet fits, but for its words.
    fn takes(&self, message: &ChatMessage) -> bool {
        // Compared as the column is.
        let sent_at = bits(message.sent_at());
        self.since_ms.is_none_or(|since| sent_at >= bits(since))
            && self.until_ms.is_none_or(|until| sent_at < bits(until))
            && self.takes_nick(message)
    }

    /// Whether this was written under the nick that is looked for. SQLite knows the two cases of ASCII only.
    fn takes_nick(&self, message: &ChatMessage) -> bool {
        let is_same = |from: &str| from.to_lowercase() == message.nick().to_lowercase();
        self.from.as_deref().is_none_or(is_same)
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
            for positions in self.matching(search, &fts(words))?.chunks(PIECE) {
                let found = self.by_positions(positions)?;
                let mut fitting = found.iter().filter(|m| search.takes_nick(m));
                if !fitting.all(&mut take) {
                    break;
                }
            }
            return Ok(());
        }
        let mut after = Position::default();
        while after < Position::END {
            let Found { messages, upto } = self.piece_after(search, after)?;
            after = upto;
            if !messages.iter().all(&mut take) {
                break;
            }
        }
        Ok(())
    }

    /// The next messages that fit, which may be none; and up to where these are all.
    fn piece_after(&self, search: &Search, after: Position) -> Result<Found, StoreError> {
        let _moment = self.moment()?;
        let (mut messages, mut upto) = self.arrived(after, Position::END, PIECE)?;
        messages.retain(|message| search.takes(message));
        let (conditions, mut values) = search.conditions();
        let sql = schema::select(&format!(
            "WHERE position > ? AND position <= ? {conditions} ORDER BY position LIMIT {PIECE}"
        ));
        let ends = [after, upto].map(|end| Value::Blob(bytes_of(end).to_vec()));
        values.splice(0..0, ends);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let arrived = messages.len();
        while let Some(row) = rows.next()? {
            messages.push(schema::message(row)?);
        }
        if messages.len() - arrived == PIECE {
            upto = messages.last().map_or(upto, ChatMessage::position);
        }
        messages.retain(|m| m.position() <= upto && search.takes_nick(m));
        messages.sort_by_key(ChatMessage::position);
        messages.dedup_by_key(|message| message.position());
        Ok(Found { messages, upto })
    }

    /// The positions of the messages older than one position that have all these words, or words that begin
    /// so, in the total order.
    pub(super) fn positions_with(
        &self,
        words: &str,
        before: Position,
    ) -> Result<Vec<Position>, StoreError> {
        let begun = words
            .split_whitespace()
            .map(|word| match word.ends_with('*') {
                true => word.to_owned(),
                false => format!("{word}*"),
            });
        let query = fts(&begun.collect::<Vec<_>>().join(" "));
        let mut found = self.matching(&Search::default(), &query)?;
        found.retain(|position| *position < before);
        Ok(found)
    }

    /// The messages at these positions, which are in the total order.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn at(&self, positions: &[Position]) -> Result<Vec<ChatMessage>, StoreError> {
        self.by_positions(positions)
    }

    /// The positions of the messages that fit, in the total order.
    fn matching(&self, search: &Search, query: &str) -> Result<Vec<Position>, StoreError> {
        // It cannot be changed once a moment has begun.
        self.connection
            .execute_batch("PRAGMA temp_store = MEMORY")?;
        // The index and the messages beyond it must be of one moment.
        let moment = self.moment()?;
        let sql = "SELECT indexed FROM room";
        let indexed = moment.query_row(sql, [], |row| row.get(0))?;
        let mut positions = match self.matching_beyond(search, query, indexed) {
            // The index is of no use: as if there were none.
            Err(StoreError::Damaged(_)) => self.matching_beyond(search, query, 0)?,
            result => result?,
        };
        self.each_block(
            |_| true,
            |messages| {
                let fitting = messages.into_iter().filter(|m| search.takes(m)).collect();
                positions.extend(self.matching_of(fitting, query)?);
                Ok(())
            },
        )?;
        positions.sort_unstable();
        positions.dedup();
        Ok(positions)
    }

    /// The positions of the messages in rows that fit, with an index for what is beyond this row.
    fn matching_beyond(
        &self,
        search: &Search,
        query: &str,
        indexed: i64,
    ) -> Result<Vec<Position>, StoreError> {
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
            "SELECT position FROM messages WHERE id IN (
                 SELECT rowid FROM temp.recent WHERE recent MATCH ?
                 UNION ALL SELECT rowid FROM words WHERE words MATCH ? AND rowid <= ?
             ) {conditions}"
        );
        let query = Value::Text(query.to_owned());
        let beyond = values.remove(0);
        values.splice(0..0, [query.clone(), query, beyond]);
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut positions = Vec::new();
        while let Some(row) = rows.next()? {
            positions.push(schema::position(row)?);
        }
        Ok(positions)
    }

    /// The positions of those of these messages that have the words.
    fn matching_of(
        &self,
        messages: Vec<ChatMessage>,
        query: &str,
    ) -> Result<Vec<Position>, StoreError> {
        let sql = "INSERT INTO temp.arrived_words (rowid, text) VALUES (?1, ?2)";
        let mut insert = self.connection.prepare_cached(sql)?;
        for (n, message) in (0_i64..).zip(&messages) {
            insert.execute(params![n, message.text()])?;
        }
        let sql = "SELECT rowid FROM temp.arrived_words WHERE arrived_words MATCH ?1";
        let mut ask = self.connection.prepare_cached(sql)?;
        let found = ask.query_map([query], |row| row.get::<_, i64>(0))?;
        let found: Vec<i64> = found.collect::<Result<_, _>>()?;
        let clear = "INSERT INTO temp.arrived_words (arrived_words) VALUES ('delete-all')";
        self.connection.prepare_cached(clear)?.execute([])?;
        let places = found.into_iter().filter_map(|n| usize::try_from(n).ok());
        let messages = places.filter_map(|n| messages.get(n));
        Ok(messages.map(ChatMessage::position).collect())
    }

    /// The messages at these positions, which are in the total order.
    fn by_positions(&self, positions: &[Position]) -> Result<Vec<ChatMessage>, StoreError> {
        let _moment = self.moment()?;
        let sql = schema::select("WHERE position = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut found = Vec::with_capacity(positions.len());
        let mut missing = Vec::new();
        for position in positions {
            let mut rows = statement.query([bytes_of(*position)])?;
            match rows.next()? {
                Some(row) => found.push(schema::message(row)?),
                None => missing.push(*position),
            }
        }
        if !missing.is_empty() {
            found.extend(self.arrived_at(&missing)?);
            found.sort_unstable_by_key(ChatMessage::position);
        }
        Ok(found)
    }
}
