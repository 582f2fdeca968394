//! Who may write: one process for each file, whatever names the file has.
//!
//! Owns two locks, both of which the system drops when their process ends:
//!
//! - The lock of the *name* is a `flock` on `FILE.lock`, beside the file that the path leads to. It
//!   keeps the name while the file behind it is made or replaced.
//! - The lock of the *file* is on one byte of the database itself that SQLite does not lock. It
//!   belongs to the file, so it also keeps out who comes through a symbolic or hard link, or after
//!   the file was renamed. It is a lock of an open file description (OFD), which only some systems have in
//!   a form that goes with SQLite's own locks; elsewhere a file with several names is merely refused.
//!
//! Nothing here may close a descriptor of a database that a connection of this process has open: the
//! system would drop SQLite's own locks. So the lock of the file is dropped after the connection.
//! Nothing here opens what is not a regular file: a named pipe would be waited for.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags};

use crate::platform::reason;

use super::kind::{self, Part, Whose};
use super::place::FileId;
use super::{StoreError, beside};

/// The file is its owner's alone: it is the talk in plain text.
const MODE: u32 = 0o600;
/// The byte before those that SQLite locks (from 2³⁰ on). It need not be there to be locked.
const LOCKED_BYTE: i64 = (1 << 30) - 1;

/// The right to write a file, for as long as it is kept. It must be dropped after every connection to
/// the file.
#[derive(Debug)]
pub struct Lock {
    name: NameLock,
    file: FileLock,
    whose: Whose,
}

impl Lock {
    /// Takes the right to write the file that this path leads to, and creates it if need be, for its
    /// owner alone.
    ///
    /// # Errors
    ///
    /// If somebody else has it, or it is not papo's; then nothing is made beside it.
    pub(super) fn take(path: &Path) -> Result<Lock, StoreError> {
        Lock::take_with(path, None)
    }

    /// The same, when another file was at the path before, whose lock this is.
    pub(super) fn take_after(&self, path: &Path) -> Result<Lock, StoreError> {
        Lock::take_with(path, Some(&self.name))
    }

    fn take_with(path: &Path, held: Option<&NameLock>) -> Result<Lock, StoreError> {
        kind::check_all(path)?;
        let whose = kind::whose(path)?;
        let name = match held.and_then(|name| name.again(path)) {
            Some(name) => name,
            None => NameLock::take(path)?,
        };
        let file = FileLock::take(path)?;
        file.check_names()?;
        Ok(Lock { name, file, whose })
    }

    /// Which file it is.
    pub(super) fn file(&self) -> Option<FileId> {
        let found = self.file.0.metadata().ok()?;
        Some(FileId::of(&found))
    }

    /// What an error says of a file of which it was known, before it was opened, whose it is.
    pub(super) fn judge(&self) -> impl Fn(StoreError) -> StoreError + use<> {
        let whose = self.whose;
        move |e| whose.judge(e)
    }

    /// The file has no second name, and nobody else can take the first: should its lock have been
    /// deleted, it is made anew.
    pub(super) fn look(&mut self, path: &Path) -> Result<(), StoreError> {
        self.file.check_names()?;
        if !self.name.is_there() {
            self.name = NameLock::take(path)?;
            log::info!("{}: its lock was deleted", path.display());
        }
        Ok(())
    }
}

/// The right to write what has this name.
#[derive(Debug)]
struct NameLock {
    file: File,
    path: PathBuf,
}

impl NameLock {
    fn take(path: &Path) -> Result<NameLock, StoreError> {
        let lock = lock_path(path)?;
        kind::check(&lock, Part::Beside)?;
        let file = open_or_create(&lock).map_err(|e| unusable_or_wrong(path, e))?;
        kind::check_open(&file, &lock, Part::Beside)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(NameLock { file, path: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::InUse),
            Err(e) => Err(StoreError::Unusable(format!(
                "cannot lock it: {}",
                reason(&e.into())
            ))),
        }
    }

    /// Nobody else can take it: its path still leads to it.
    fn is_there(&self) -> bool {
        let held = self.file.metadata().ok().map(|found| FileId::of(&found));
        held.is_some() && held == FileId::at(&self.path)
    }

    /// The same lock, once more, if it is there and is that of this path.
    fn again(&self, path: &Path) -> Option<NameLock> {
        let is_its = lock_path(path).is_ok_and(|lock| lock == self.path);
        (is_its && self.is_there()).then_some(())?;
        Some(NameLock {
            file: self.file.try_clone().ok()?,
            path: self.path.clone(),
        })
    }
}

fn lock_path(path: &Path) -> Result<PathBuf, StoreError> {
    let real = kind::real(path).map_err(StoreError::Path)?;
    Ok(beside(&real, ".lock"))
}

/// The right to write this file, whatever it is called.
#[derive(Debug)]
struct FileLock(File);

impl FileLock {
    fn take(path: &Path) -> Result<FileLock, StoreError> {
        let file = open_or_create(path).map_err(|e| unusable_or_wrong(path, e))?;
        kind::check_open(&file, path, Part::Whole)?;
        lock_byte(&file)?;
        Ok(FileLock(file))
    }

    /// The file has one name, or none any more.
    fn check_names(&self) -> Result<(), StoreError> {
        match self.0.metadata().map_or(0, |found| found.nlink()) {
            0 | 1 => Ok(()),
            names => Err(StoreError::Linked(names)),
        }
    }
}

/// Locks the byte, where the system has such locks: elsewhere the lock of the name holds.
fn lock_byte(file: &File) -> Result<(), StoreError> {
    match crate::platform::lock_byte(file, LOCKED_BYTE) {
        Ok(true) => Ok(()),
        Ok(false) => Err(StoreError::InUse),
        // An emulated kernel, or a file system without locks.
        Err(e) => {
            log::info!("no lock on the file itself: {e}");
            Ok(())
        }
    }
}

/// Opens a regular file, or creates it. Should a pipe have taken its place, that is not waited for.
fn open_or_create(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(MODE)
        .custom_flags(flags)
        .open(path)
}

/// A file that is there and cannot be written to may be read; one that is not there, and cannot be
/// created, is a mistake, unless the disk is full.
fn unusable_or_wrong(path: &Path, e: io::Error) -> StoreError {
    let full = matches!(
        e.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    );
    if full {
        StoreError::Later(e.to_string())
    } else if fs::metadata(path).is_ok() {
        StoreError::Unusable(e.to_string())
    } else {
        StoreError::Path(e)
    }
}
