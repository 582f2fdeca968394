//! What lies at a path, before anything opens it: a regular file, and one of papo's?
//!
//! Owns no file. It never waits (opening a named pipe would), and never changes what it looks at.

use std::fs::{self, File, FileType, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::schema;
use super::{StoreError, beside};

/// What SQLite keeps beside a file. All of it is opened by name.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];
/// What an SQLite file begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// How long the header of an SQLite file is.
const HEADER_BYTES: usize = 100;
/// Where in the header it says whose file it is, in 4 bytes.
const APPLICATION_ID_AT: usize = 68;
/// Where it counts the changes of its tables, in 4 bytes: 0 while there are none.
const TABLES_AT: usize = 40;
/// So many symbolic links are followed one after the other, as the system does.
const LINKS_MAX: usize = 40;

/// What a path is to a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// The database, at the path that the user named. It may be a symbolic link.
    Whole,
    /// What papo or SQLite keeps beside it.
    Beside,
}

/// Whose a file is, as far as its first bytes say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Whose {
    /// It is empty, or not there.
    Nobodys,
    /// It says that it is papo's.
    Papos,
    /// A database without tables: a new one of papo's whose tables are in its log, or anybody's.
    Unsaid,
}

/// What lies at a path is a regular file, or nothing.
pub(super) fn check(path: &Path, part: Part) -> Result<(), StoreError> {
    let found = match part {
        Part::Whole => fs::metadata(path),
        Part::Beside => fs::symlink_metadata(path),
    };
    match found {
        Ok(found) => check_type(found.file_type(), path, part),
        // SQLite would only say that it cannot open it.
        Err(e) if e.kind() == io::ErrorKind::InvalidFilename => Err(StoreError::Path(e)),
        // Whoever opens it meets the reason.
        Err(_) => Ok(()),
    }
}

/// The same of a file that was just opened.
pub(super) fn check_open(file: &File, path: &Path, part: Part) -> Result<(), StoreError> {
    let found = file.metadata().map_err(StoreError::Path)?;
    check_type(found.file_type(), path, part)
}

/// The same of a file, and of all that SQLite would open with it.
pub(super) fn check_all(path: &Path) -> Result<(), StoreError> {
    check(path, Part::Whole)?;
    let real = real(path).map_err(StoreError::Path)?;
    let mut parts = BESIDE.iter().map(|part| beside(&real, part));
    parts.try_for_each(|part| check(&part, Part::Beside))
}

fn check_type(found: FileType, path: &Path, part: Part) -> Result<(), StoreError> {
    let kind = if found.is_file() {
        return Ok(());
    } else if found.is_dir() {
        "a directory"
    } else if found.is_fifo() {
        "a named pipe"
    } else if found.is_symlink() {
        "a symbolic link"
    } else if found.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    let beside = (part == Part::Beside).then(|| path.to_owned());
    let kind = kind.to_owned();
    Err(StoreError::NotAFile { kind, beside })
}

/// The path without symbolic links, also of a file that is not there yet.
pub(super) fn real(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::canonicalize(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            result => return result,
        }
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        match fs::read_link(&path) {
            Ok(to) => path = dir.join(to),
            Err(_) => return Ok(fs::canonicalize(dir)?.join(name)),
        }
    }
    Err(rustix::io::Errno::LOOP.into())
}

/// Whose the file at the path is.
///
/// # Errors
///
/// If it is not papo's, or cannot be opened for reading.
pub(super) fn whose(path: &Path) -> Result<Whose, StoreError> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let open = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = match open {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Whose::Nobodys),
        result => result.map_err(StoreError::Path)?,
    };
    check_open(&file, path, Part::Whole)?;
    let mut header = [0; HEADER_BYTES];
    let mut len = 0;
    while len < HEADER_BYTES {
        match file.read_at(&mut header[len..], len as u64) {
            Ok(0) => break,
            Ok(n) => len += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(StoreError::Unusable(e.to_string())),
        }
    }
    said_by(&header[..len])
}

/// What a header says. One that is damaged in parts only is still papo's.
fn said_by(header: &[u8]) -> Result<Whose, StoreError> {
    let number = |at| {
        let bytes = header
            .get(at..at + 4)
            .and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_be_bytes)
    };
    let id = number(APPLICATION_ID_AT);
    if i64::from(id) == schema::APPLICATION_ID {
        return Ok(Whose::Papos);
    }
    match header {
        [] => Ok(Whose::Nobodys),
        _ if header.starts_with(MAGIC) && id == 0 && number(TABLES_AT) == 0 => Ok(Whose::Unsaid),
        _ => Err(StoreError::Foreign),
    }
}

impl Whose {
    /// What SQLite calls damaged is only that if it is papo's; else it is no business of papo's.
    pub(super) fn judge(self, e: StoreError) -> StoreError {
        match e {
            StoreError::Damaged(_) if self == Whose::Unsaid => StoreError::Foreign,
            e => e,
        }
    }
}
