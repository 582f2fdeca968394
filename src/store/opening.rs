//! Opening a file for writing: whether it is what it should be, and setting a damaged one aside.
//!
//! What takes long for a large file is done by a helper process, which opens it first; the node opens it
//! while the helper has it open, and then neither reads the log nor checks the content.
//!
//! Nothing here deletes a file or changes one that is not papo's.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::kind::{self, Whose};
use super::lock::Lock;
use super::place::{FileId, Files};
use super::schema::{self, bytes_of};
use super::size::dropped_to;
use super::{BUSY, Owner, Store, StoreError, beside, position_of};
use crate::wire::Position;
use unicode_normalization::UnicodeNormalization as _;

/// A file up to this size is checked as a whole each time it is opened, some 50 ms. A larger one only
/// if whoever wrote it last did not close it; what SQLite notices by itself, such as a missing
/// end, it notices without that.
const CHECK_BYTES: u64 = 32 * 1024 * 1024;
/// What SQLite may keep of the file in memory, in KiB.
const CACHE_KIB: i64 = 4_096;
/// How long a helper process waits for somebody else's lock while it opens a file: nobody waits for it.
pub(super) const BUSY_OPENING: Duration = Duration::from_secs(1);

impl Store {
    /// Opens a file for writing, and creates it if it is not there or empty. `now_ms` is its birthday
    /// then. `check` says whether its content is looked at; that takes seconds for a large file.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, or is not this owner's.
    pub fn open(path: &Path, owner: &Owner, now_ms: u64, check: bool) -> Result<Store, StoreError> {
        let path = absolute(path)?;
        let lock = Lock::take(&path)?;
        Store::open_locked(&path, owner, now_ms, check, lock)
    }

    /// Takes the right to write the file of this name, whether it is there or not.
    ///
    /// # Errors
    ///
    /// If somebody else has it, or the path cannot be used.
    pub fn lock(path: &Path) -> Result<Lock, StoreError> {
        Lock::take(&absolute(path)?)
    }

    /// Opens a file whose lock is held, and which was prepared: nothing here waits for the disk.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, or is not this owner's.
    pub fn open_locked(
        path: &Path,
        owner: &Owner,
        now_ms: u64,
        check: bool,
        lock: Lock,
    ) -> Result<Store, StoreError> {
        let path = absolute(path)?;
        let file = lock.file().ok_or(StoreError::Moved)?;
        let judge = lock.judge();
        let opened = Store::open_waiting(&path, owner, now_ms, check, (file, BUSY));
        let mut store = opened.map_err(judge)?;
        store.lock = Some(lock);
        Ok(store)
    }

    /// Opens a file for somebody who holds its lock: checks it and brings its schema up to date, if need be.
    /// Only a helper process does this to a file that may be large.
    pub(super) fn open_unlocked(
        path: &Path,
        owner: &Owner,
        now_ms: u64,
        check: bool,
    ) -> Result<Store, StoreError> {
        kind::check_all(path)?;
        let whose = kind::whose(path)?;
        let file = FileId::at(path).ok_or(StoreError::Moved)?;
        Store::open_waiting(path, owner, now_ms, check, (file, BUSY_OPENING))
            .map_err(|e| whose.judge(e))
    }

    /// `busy` is how long it waits for somebody else's lock.
    fn open_waiting(
        path: &Path,
        owner: &Owner,
        now_ms: u64,
        check: bool,
        (file, busy): (FileId, Duration),
    ) -> Result<Store, StoreError> {
        let log = beside(&kind::real(path).map_err(StoreError::Path)?, "-wal");
        let unclean = size(&log) > 0;
        let (mut connection, pin) = connect_known(path, file, busy)?;
        if connection.is_readonly("main")? {
            return Err(StoreError::Unusable("it is read-only".into()));
        }
        let version = version(&connection)?;
        if version > 0 && check && (unclean || size(path) <= CHECK_BYTES) {
            check_content(&connection, version)?;
        }
        configure(&connection)?;
        migrate(&mut connection, version, owner, now_ms)?;
        let Born { floor, created } = verify(&connection, Some(owner))?;
        let mut store = Store {
            pin: Some(pin),
            dropped_to: dropped_to(&connection, schema::VERSION)?,
            ..Store::unheld(connection, floor, Files::new(path, file, created)?)
        };
        store.look_at_waiting()?;
        let length = store.disk_use()?.file;
        if size(path) > length {
            store.files.will_be(length);
        }
        Ok(store)
    }

    /// The part of a file's tending that waits for the disk: nothing is committed with this.
    pub(super) fn open_for_tending(path: &Path, file: FileId) -> Result<Store, StoreError> {
        if FileId::at(path) != Some(file) {
            return Err(StoreError::Moved);
        }
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, BUSY_OPENING)?;
        configure(&connection)?;
        let Born { floor, created } = verify(&connection, None)?;
        Ok(Store::unheld(
            connection,
            floor,
            Files::new(path, file, created)?,
        ))
    }

    /// From now on the file is its room's with another secret, or with one. Nobody may have it open. The
    /// result is what told the secret before, if there was one. It waits for the disk: what is said to be done
    /// survives a power cut.
    ///
    /// # Errors
    ///
    /// If there is none, or it cannot be written to, or somebody reads it for long; it is as it was then.
    pub fn rekey(path: &Path, lock: &str, now_ms: u64) -> Result<Option<String>, StoreError> {
        let owner = Store::open_for_reading(path, None)?.owner()?;
        let store = Store::open(path, &owner, now_ms, true)?;
        let put =
            |lock: Option<&str>| (store.connection).execute("UPDATE room SET lock = ?1", [lock]);
        put(Some(lock))?;
        if let Err(e) = store.checkpoint_all() {
            put(owner.lock.as_deref())?;
            return Err(e);
        }
        store.close();
        Ok(owner.lock)
    }

    /// Whose the file is.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn owner(&self) -> Result<Owner, StoreError> {
        Ok(whose(&self.connection)?.0)
    }
}

/// Renames a file that is damaged, and what belongs to it, so that a new one can take its place. The
/// new name is returned. `suffix` makes it one that says what happened and when.
///
/// # Errors
///
/// If it cannot be renamed, or does not say that it is papo's.
pub fn set_aside(path: &Path, suffix: &str) -> io::Result<PathBuf> {
    if !matches!(kind::whose(path), Ok(Whose::Papos)) {
        return Err(io::Error::other(StoreError::Foreign));
    }
    let name = |n: u32| match n {
        0 => beside(path, suffix),
        n => beside(path, &format!("{suffix}-{n}")),
    };
    let free = (0..1_000).map(name).find(|p| !p.exists());
    let aside = free.ok_or_else(|| io::Error::from(io::ErrorKind::AlreadyExists))?;
    fs::rename(path, &aside)?;
    for part in ["-wal", "-shm"] {
        match fs::rename(beside(path, part), beside(&aside, part)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(aside)
}

/// SQLite would take a relative name that begins with `file:`, or is `:memory:`, for something else than a file.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, StoreError> {
    std::path::absolute(path).map_err(StoreError::Path)
}

pub(super) fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

pub(super) fn connect(
    path: &Path,
    flags: OpenFlags,
    busy: Duration,
) -> Result<Connection, StoreError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    prepare(Connection::open_with_flags(path, flags)?, busy)
}

/// What every connection has.
pub(super) fn prepare(connection: Connection, busy: Duration) -> Result<Connection, StoreError> {
    connection.busy_timeout(busy)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(connection)
}

/// Two connections to a file that is locked, for writing and only to read, if that is what the path leads to
/// before and after.
fn connect_known(
    path: &Path,
    file: FileId,
    busy: Duration,
) -> Result<(Connection, Connection), StoreError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, busy)?;
    let pin = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, busy)?;
    if FileId::at(path) != Some(file) {
        return Err(StoreError::Moved);
    }
    Ok((connection, pin))
}

/// The version of the schema; 0 for an empty database.
pub(super) fn version(connection: &Connection) -> Result<i64, StoreError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let sql = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    match (application, version) {
        (0, 0) if tables == 0 => Ok(0),
        (schema::APPLICATION_ID, newer) if newer > schema::VERSION => Err(StoreError::Newer(newer)),
        (schema::APPLICATION_ID, version) if version > 0 => Ok(version),
        _ => Err(StoreError::Foreign),
    }
}

fn check_content(connection: &Connection, version: i64) -> Result<(), StoreError> {
    let blocks = (version >= schema::BLOCKS_SINCE).then_some("arrived");
    // Not the index of words: that takes ten times as long, and searching goes without it.
    for table in ["room", "messages"].into_iter().chain(blocks) {
        let check = format!("PRAGMA quick_check({table})");
        let first: String = connection.query_row(&check, [], |row| row.get(0))?;
        if first != "ok" {
            return Err(StoreError::Damaged(first.replace('\n', " ")));
        }
    }
    Ok(())
}

fn configure(connection: &Connection) -> Result<(), StoreError> {
    // First of all: what follows would wait for the disk. Only a checkpoint does (`log`).
    connection.pragma_update(None, "synchronous", "OFF")?;
    let wal = "PRAGMA journal_mode = WAL";
    let mode: String = connection.query_row(wal, [], |row| row.get(0))?;
    if mode != "wal" {
        let why = "this file system cannot keep the log that papo writes (WAL)";
        return Err(StoreError::Unusable(why.into()));
    }
    // The driver says when.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(())
}

/// Brings the schema to this program's version, in one transaction.
fn migrate(
    connection: &mut Connection,
    version: i64,
    owner: &Owner,
    now_ms: u64,
) -> Result<(), StoreError> {
    if version == schema::VERSION {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    let done = usize::try_from(version).unwrap_or(0);
    for step in &schema::STEPS[done..] {
        transaction.execute_batch(step)?;
    }
    if version == 0 {
        transaction.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
        transaction.execute(
            "INSERT INTO room (name, lock, created, floor, indexed) VALUES (?1, ?2, ?3, ?4, 0)",
            rusqlite::params![
                owner.room,
                owner.lock,
                super::bits(now_ms),
                bytes_of(Position::default()),
            ],
        )?;
    }
    transaction.pragma_update(None, "user_version", schema::VERSION)?;
    transaction.commit()?;
    Ok(())
}

/// What a file says of itself.
pub(super) struct Born {
    pub(super) floor: Position,
    /// When, in milliseconds since 1970.
    pub(super) created: i64,
}

/// Whose the file is.
fn whose(connection: &Connection) -> Result<(Owner, Born), StoreError> {
    let sql = "SELECT name, lock, floor, created FROM room";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let (room, lock, floor, created): (String, _, Vec<u8>, _) =
        connection.query_row(sql, [], row)?;
    // An earlier papo took names in any form.
    let room = room.nfc().collect();
    let floor = position_of(&floor)?;
    Ok((Owner { room, lock }, Born { floor, created }))
}

/// What a file that must be `owner`'s says of itself, if that matters.
pub(super) fn verify(connection: &Connection, owner: Option<&Owner>) -> Result<Born, StoreError> {
    let (found, born) = whose(connection)?;
    match owner {
        Some(owner) if owner.room != found.room => Err(StoreError::OtherRoom(found.room)),
        Some(owner) if owner.lock != found.lock => Err(StoreError::OtherSecret {
            locked: found.lock.is_some(),
        }),
        _ => Ok(born),
    }
}
