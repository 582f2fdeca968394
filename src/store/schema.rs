//! The tables, their versions, and how a message is a row.
//!
//! The columns are for people as much as for papo: `position` is what papo orders by, the others
//! can be read. SQLite's integers are signed; an unsigned number of 2⁶³ or more, which only a liar
//! sends, reads as a negative one there.

use rusqlite::types::Type;
use rusqlite::{Row, Statement, params};

use crate::wire::{ChatMessage, Draft, Key, MessageId, Position};

use super::StoreError;

/// "papo": what makes a database one of papo's.
pub(super) const APPLICATION_ID: i64 = 0x7061_706f;

/// One step for each version of the schema. A step that was released is never changed.
pub(super) const STEPS: [&str; 3] = [
    "
    -- Whose history this is: one row.
    CREATE TABLE room (
        name    TEXT NOT NULL,
        lock    TEXT,             -- for a locked room: what tells its secret from others
        created INTEGER NOT NULL, -- milliseconds since 1970
        floor   BLOB NOT NULL,    -- the last run may have missed what is at or below this position
        indexed INTEGER NOT NULL  -- messages up to this id are in words
    ) STRICT;
    CREATE TABLE messages (
        id           INTEGER PRIMARY KEY AUTOINCREMENT,
        position     BLOB NOT NULL UNIQUE,  -- timestamp, author's key, seq: 3 times 8 bytes,
                                            -- big-endian; sorts as the history does
        author       TEXT NOT NULL,         -- the author's key, 16 hexadecimal digits
        seq          INTEGER NOT NULL,      -- the author's number for it, from 1
        nick         TEXT NOT NULL,         -- the author's nick and id when it was written
        from_id      INTEGER NOT NULL,
        sent_at      INTEGER NOT NULL,      -- the author's clock, milliseconds since 1970
        text         TEXT NOT NULL,
        dependencies BLOB NOT NULL,         -- key and seq: 2 times 8 bytes, big-endian, each
        UNIQUE (author, seq)
    ) STRICT;
    -- The words of the messages: SELECT rowid FROM words WHERE words MATCH 'lunch'. It follows
    -- messages within seconds.
    CREATE VIRTUAL TABLE words USING fts5 (
        text, nick, content = 'messages', content_rowid = 'id',
        tokenize = 'unicode61 remove_diacritics 2'
    );
    -- For people who change messages; papo never does.
    CREATE TRIGGER messages_delete AFTER DELETE ON messages
    WHEN old.id <= (SELECT indexed FROM room) BEGIN
        INSERT INTO words (words, rowid, text, nick)
            VALUES ('delete', old.id, old.text, old.nick);
    END;
    CREATE TRIGGER messages_update AFTER UPDATE ON messages
    WHEN old.id <= (SELECT indexed FROM room) BEGIN
        INSERT INTO words (words, rowid, text, nick)
            VALUES ('delete', old.id, old.text, old.nick);
        INSERT INTO words (rowid, text, nick) VALUES (new.id, new.text, new.nick);
    END;
",
    "
    -- Messages that came many at a time. They become rows of messages when less is to be done.
    CREATE TABLE arrived (
        id       INTEGER PRIMARY KEY,
        least    BLOB NOT NULL,    -- the positions of the first and the last of them in the history
        greatest BLOB NOT NULL,
        count    INTEGER NOT NULL, -- how many they are
        bytes    INTEGER NOT NULL, -- the length of what follows
        messages BLOB NOT NULL     -- see `packed`
    ) STRICT;
    -- All that is to be known of them before they are read, without the pages that they fill.
    CREATE INDEX arrived_spans ON arrived (id, least, greatest, bytes);
",
    "
    -- Messages up to this position were deleted, to keep the file small; none is stored again.
    ALTER TABLE room ADD COLUMN dropped BLOB NOT NULL
        DEFAULT x'000000000000000000000000000000000000000000000000';
",
];

/// Since this version there is the table `arrived`.
pub(super) const BLOCKS_SINCE: i64 = 2;

/// Since this version a file says up to where its oldest messages were deleted.
pub(super) const DROPPED_SINCE: i64 = 3;

/// The version that this program writes.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// A message that is there already stays as it is.
pub(super) const INSERT: &str = "INSERT OR IGNORE INTO messages
    (position, author, seq, nick, from_id, sent_at, text, dependencies)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// A block of messages waits to become rows.
pub(super) const INSERT_BLOCK: &str =
    "INSERT INTO arrived (least, greatest, count, bytes, messages) VALUES (?1, ?2, ?3, ?4, ?5)";

/// The blocks that wait, in the order in which they came: an index has all of this.
pub(super) const SPANS: &str =
    "SELECT id, least, greatest, bytes FROM arrived INDEXED BY arrived_spans ORDER BY id";

/// The next messages go into the index of words.
pub(super) const INDEX: &str = "INSERT INTO words (rowid, text, nick)
    SELECT id, text, nick FROM messages WHERE id > ?1 AND id <= ?2";

/// A query for whole messages, for [`message`].
pub(super) fn select(which: &str) -> String {
    format!("SELECT position, nick, from_id, sent_at, text, dependencies FROM messages {which}")
}

/// Carries out [`INSERT`].
pub(super) fn insert(statement: &mut Statement<'_>, message: &ChatMessage) -> rusqlite::Result<()> {
    let mut dependencies = Vec::with_capacity(16 * message.dependency_count());
    for id in message.dependencies() {
        dependencies.extend_from_slice(&id.origin.0.to_be_bytes());
        dependencies.extend_from_slice(&id.seq.to_be_bytes());
    }
    statement.execute(params![
        bytes_of(message.position()),
        message.origin().to_string(),
        bits(message.seq()),
        message.nick(),
        bits(message.from()),
        bits(message.sent_at()),
        message.text(),
        dependencies,
    ])?;
    Ok(())
}

/// The message in a row of [`select`].
pub(super) fn message(row: &Row<'_>) -> Result<ChatMessage, StoreError> {
    let Position {
        timestamp,
        origin,
        seq,
    } = position(row)?;
    let packed: &[u8] = row
        .get_ref(5)?
        .as_blob()
        .map_err(|_| wrong(5, Type::Blob))?;
    let (ids, rest) = packed.as_chunks::<16>();
    if !rest.is_empty() {
        return Err(wrong(5, Type::Blob).into());
    }
    let dependencies = ids.iter().map(|id| {
        let (pair, _) = id.as_chunks::<8>();
        MessageId {
            origin: Key(u64::from_be_bytes(pair[0])),
            seq: u64::from_be_bytes(pair[1]),
        }
    });
    let text = |column| {
        let text = row.get_ref(column)?.as_str();
        text.map_err(|_| wrong(column, Type::Text))
    };
    let draft = Draft {
        origin,
        seq,
        timestamp,
        sent_at: unbits(row.get(3)?),
        from: unbits(row.get(2)?),
        nick: text(1)?.into(),
        dependencies: dependencies.collect(),
        text: text(4)?.into(),
    };
    ChatMessage::new(&draft)
        .map_err(|rule| StoreError::Damaged(format!("a message that breaks a rule: {rule}")))
}

/// The position in a row of [`select`].
pub(super) fn position(row: &Row<'_>) -> Result<Position, StoreError> {
    let bytes = row.get_ref(0)?.as_blob();
    position_of(bytes.map_err(|_| wrong(0, Type::Blob))?)
}

fn wrong(column: usize, kind: Type) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(column, "messages".into(), kind)
}

/// A position as 24 bytes that compare as it does.
pub(super) fn bytes_of(position: Position) -> [u8; 24] {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&position.timestamp.to_be_bytes());
    bytes[8..16].copy_from_slice(&position.origin.0.to_be_bytes());
    bytes[16..].copy_from_slice(&position.seq.to_be_bytes());
    bytes
}

pub(super) fn position_of(bytes: &[u8]) -> Result<Position, StoreError> {
    match bytes.as_chunks::<8>() {
        (&[timestamp, origin, seq], []) => Ok(Position::new(
            u64::from_be_bytes(timestamp),
            Key(u64::from_be_bytes(origin)),
            u64::from_be_bytes(seq),
        )),
        _ => Err(StoreError::Damaged("a position of another length".into())),
    }
}

pub(super) fn key_of(author: &str) -> Result<Key, StoreError> {
    u64::from_str_radix(author, 16)
        .map(Key)
        .map_err(|_| StoreError::Damaged("an author that is no key".into()))
}

/// SQLite's integers are signed: the same bits.
pub(super) fn bits(n: u64) -> i64 {
    n.cast_signed()
}

/// And back.
pub(super) fn unbits(n: i64) -> u64 {
    n.cast_unsigned()
}
