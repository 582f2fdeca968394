//! Who may write: one process for each file, whatever names the file has.
//!
//! Owns two locks, both of which the system drops when their process ends:
//!
//! - The lock of the *name* is a `flock` on `FILE.lock`, beside the file that the path leads to. It
//!   keeps the name while the file behind it is made or replaced.
//! - The lock of the *file* is on one byte of the database itself that SQLite does not lock. It
//!   belongs to the file, so it also keeps out who comes through a symbolic or hard link, or after
//!   the file was renamed. It is a lock of an open file description (OFD), which only Linux has in a
//!   form that goes with SQLite's own locks; elsewhere a file with several names is merely refused.
//!
//! Nothing here may close a descriptor of a database that a connection of this process has open: the
//! system would drop SQLite's own locks. So the lock of the file is dropped after the connection.
//! Nothing here opens what is not a regular file: a named pipe would be waited for.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags};

use super::kind::{self, Part};
use super::place::FileId;
use super::{StoreError, beside};

/// The file is its owner's alone: it is the talk in plain text.
const MODE: u32 = 0o600;
/// The byte before those that SQLite locks (from 2³⁰ on). It need not be there to be locked.
#[cfg(target_os = "linux")]
const LOCKED_BYTE: nix::libc::off_t = (1 << 30) - 1;

/// The right to write what has this name, for as long as it is kept.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the right to write what this path leads to.
    pub(super) fn take(path: &Path) -> Result<Lock, StoreError> {
        let lock = lock_path(path)?;
        kind::check(&lock, Part::Beside)?;
        let file = open_or_create(&lock).map_err(|e| unusable_or_wrong(path, e))?;
        kind::check_open(&file, &lock, Part::Beside)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Lock { file, path: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::InUse),
            Err(e) => Err(StoreError::Unusable(format!("cannot lock it: {e}"))),
        }
    }

    /// Nobody else can take it: its path still leads to it.
    pub(super) fn is_there(&self) -> bool {
        let held = self.file.metadata().ok().map(|found| FileId::of(&found));
        held.is_some() && held == FileId::at(&self.path)
    }

    /// The same lock, once more, if it is there and is that of this path.
    pub(super) fn again(&self, path: &Path) -> Option<Lock> {
        let is_its = lock_path(path).is_ok_and(|lock| lock == self.path);
        (is_its && self.is_there()).then_some(())?;
        Some(Lock {
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
pub(super) struct FileLock {
    file: File,
}

impl FileLock {
    /// Takes the right to write the file at this path, and creates it if need be, for its owner
    /// alone.
    pub(super) fn take(path: &Path) -> Result<FileLock, StoreError> {
        kind::check(path, Part::Whole)?;
        let file = open_or_create(path).map_err(|e| unusable_or_wrong(path, e))?;
        kind::check_open(&file, path, Part::Whole)?;
        lock_byte(&file)?;
        Ok(FileLock { file })
    }

    /// Which file it is.
    pub(super) fn id(&self) -> Option<FileId> {
        self.file.metadata().ok().map(|found| FileId::of(&found))
    }

    /// How many names it has; 0 if it was deleted.
    pub(super) fn names(&self) -> u64 {
        use std::os::unix::fs::MetadataExt as _;
        self.file.metadata().map_or(0, |found| found.nlink())
    }
}

#[cfg(target_os = "linux")]
fn lock_byte(file: &File) -> Result<(), StoreError> {
    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc;

    let range = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: LOCKED_BYTE,
        l_len: 1,
        l_pid: 0,
    };
    match fcntl(file, FcntlArg::F_OFD_SETLK(&range)) {
        Ok(_) => Ok(()),
        Err(Errno::EAGAIN | Errno::EACCES) => Err(StoreError::InUse),
        // An emulated kernel, or a file system without locks. The lock of the name holds.
        Err(e) => {
            log::info!("no lock on the file itself: {e}");
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn lock_byte(_: &File) -> Result<(), StoreError> {
    Ok(())
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
