//! Opening a file for reading only, also where nothing can be written beside it.
//!
//! Owns the ways to do that. It changes no file, and takes none of papo's locks.
//!
//! SQLite reads a file in WAL mode together with its log (`FILE-wal`), with the help of an index of the
//! log (`FILE-shm`) that it makes if it is not there. On a file system that is read-only it cannot. Nobody
//! else writes there either, so then the log is read with an index in memory; and where there is no log,
//! the file is read as it lies there.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::kind::{self, Whose};
use super::opening::{BUSY_OPENING, Born, absolute, connect, prepare, size, verify, version};
use super::place::{FileId, Files};
use super::size::dropped_to;
use super::{Owner, Store, StoreError, beside, schema};

/// How a file is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// With the index of the log in a file, as others who read or write it do.
    Shared,
    /// With the index of the log in memory, and without locks.
    Alone,
    /// Without its log.
    WithoutLog,
}

impl Store {
    /// Opens a file for reading, while others may write to it. `owner` is whose it must be, if that
    /// matters. What of it cannot be read, if that is known, [`Store::unread`] says.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not this owner's.
    pub fn open_for_reading(path: &Path, owner: Option<&Owner>) -> Result<Store, StoreError> {
        let path = absolute(path)?;
        kind::check_all(&path)?;
        let whose = kind::whose(&path)?;
        let file = FileId::at(&path).ok_or_else(|| StoreError::Path(not_found()))?;
        if whose == Whose::Nobodys {
            return Err(StoreError::Unusable("there is nothing in it yet".into()));
        }
        let read = |way| read(&path, way, file, owner).map_err(|e| whose.judge(e));
        if let Some(names) = names_without_log(&path) {
            // A log made here would not be the one that others write.
            return read(Way::WithoutLog).map_err(|_| StoreError::Linked(names));
        }
        match read(Way::Shared) {
            Err(StoreError::Unusable(why) | StoreError::Later(why)) => read(Way::Alone)
                .or_else(|_| read(Way::WithoutLog))
                .map_err(|_| StoreError::Unusable(why)),
            result => result,
        }
    }

    /// What of the file could not be read when it was opened for reading, in words for the user.
    #[must_use]
    pub fn unread(&self) -> Option<&str> {
        self.unread.as_deref()
    }
}

fn not_found() -> std::io::Error {
    std::io::ErrorKind::NotFound.into()
}

fn read(path: &Path, way: Way, file: FileId, owner: Option<&Owner>) -> Result<Store, StoreError> {
    let connection = connect_to_read(path, way)?;
    let version = version(&connection)?;
    if version == 0 {
        return Err(StoreError::Unusable("there is nothing in it yet".into()));
    }
    let Born { floor, created } = verify(&connection, owner)?;
    Ok(Store {
        unread: unread(path, way),
        has_blocks: version >= schema::BLOCKS_SINCE,
        dropped_to: dropped_to(&connection, version)?,
        ..Store::unheld(connection, floor, Files::new(path, file, created)?)
    })
}

fn connect_to_read(path: &Path, way: Way) -> Result<Connection, StoreError> {
    let only_read = OpenFlags::SQLITE_OPEN_READ_ONLY;
    match way {
        Way::Shared => connect(path, only_read, BUSY_OPENING),
        Way::Alone => {
            let flags = only_read | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags_and_vfs(path, flags, c"unix-none")?;
            // The index of the log is then in memory.
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
            let option = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            connection.set_db_config(option, true)?;
            prepare(connection, BUSY_OPENING)
        }
        Way::WithoutLog => connect(
            &uri(path),
            only_read | OpenFlags::SQLITE_OPEN_URI,
            BUSY_OPENING,
        ),
    }
}

/// How many names (hard links) the file has, if there are several, and no log beside this one.
fn names_without_log(path: &Path) -> Option<u64> {
    let log = beside(&kind::real(path).ok()?, "-wal");
    let names = fs::metadata(path).ok()?.nlink();
    (names > 1 && size(&log) == 0).then_some(names)
}

/// What is missing when the file is read in this way.
fn unread(path: &Path, way: Way) -> Option<String> {
    if let Some(names) = names_without_log(path) {
        return Some(format!(
            "the file has {names} names (hard links): messages that are in the log of another name \
             are missing"
        ));
    }
    let log = beside(&kind::real(path).ok()?, "-wal");
    match way {
        Way::WithoutLog if size(&log) > 0 => Some(format!(
            "its log, {}, cannot be read: the newest messages are missing",
            log.display()
        )),
        _ => None,
    }
}

/// A name by which SQLite reads a file without writing beside it.
fn uri(path: &Path) -> PathBuf {
    use std::fmt::Write as _;
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                uri.push(char::from(byte));
            }
            // Writing to memory cannot fail.
            _ => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    uri.into()
}
