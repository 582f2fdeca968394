//! Whether the path still leads to the files that are open, and what is done if it does not.
//!
//! A file can be moved or deleted while it is open: SQLite goes on reading and writing it, and
//! nobody finds what it writes. So after each commit the files at the path are compared with those
//! that were opened, by device and inode. That costs 2 µs.
//!
//! # What must not happen
//!
//! The log (`FILE-wal`) and its index (`FILE-shm`) are found by the file's name. Whoever opens another
//! file at the path while those of the first one lie there would take them for its own: it would
//! delete the log, and cut the index that the first connection has mapped. So before another file
//! is opened there, the log is brought into the file that it belongs to, wherever that is now, and
//! then the two are removed, as SQLite does when a file is closed. They are removed only if they are
//! those that were opened.
//!
//! A file can be emptied as well, as `: > FILE` does: it is the same file, and shorter than it was, which it never
//! becomes by itself. What the log has is a part of it at most, so that the log is not brought into it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::{Owner, Store, StoreError, beside};

/// A device and an inode: the same file, whatever it is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FileId(pub(super) u64, pub(super) u64);

impl FileId {
    /// What the path leads to, if to anything.
    pub(super) fn at(path: &Path) -> Option<FileId> {
        fs::metadata(path).ok().map(|found| FileId::of(&found))
    }

    /// Which file this was said of.
    pub(super) fn of(found: &fs::Metadata) -> FileId {
        FileId(found.dev(), found.ino())
    }
}

/// Which file a store is, across openings. Its birthday is part of it because a system gives a
/// deleted file's inode to the next one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    file: FileId,
    created: i64,
}

/// Where the files that are open are now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Where they were opened.
    There,
    /// The file is there, but its log or the log's index is not.
    WithoutLog,
    /// The path leads to nothing, or to another file.
    Gone,
    /// The file is there, and somebody else has cut off what it held.
    Emptied,
}

/// The files that a connection has open.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) path: PathBuf,
    pub(super) file: FileId,
    /// The log and its index.
    beside: Vec<(PathBuf, FileId)>,
    created: i64,
    /// How long the file was at least when it was last looked at, in bytes.
    length: u64,
    /// It may become as short as this by itself, once its log is in it.
    shortest: u64,
}

impl Files {
    /// What is at the path now must be what was there before it was opened (`file`).
    pub(super) fn new(path: &Path, file: FileId, created: i64) -> Result<Files, StoreError> {
        let found = fs::metadata(path).map_err(|_| StoreError::Moved)?;
        if FileId::of(&found) != file {
            return Err(StoreError::Moved);
        }
        // SQLite follows links first.
        let real = fs::canonicalize(path).map_err(StoreError::Path)?;
        let parts = ["-wal", "-shm"].map(|part| beside(&real, part));
        let with_id = |part: PathBuf| FileId::at(&part).map(|id| (part, id));
        Ok(Files {
            path: path.to_owned(),
            file,
            beside: parts.into_iter().filter_map(with_id).collect(),
            created,
            length: found.len(),
            shortest: u64::MAX,
        })
    }

    /// So long the file is once all of its log is in it: that may be less than it is now, if it was written anew
    /// and its log not taken up since.
    pub(super) fn will_be(&mut self, length: u64) {
        self.shortest = length;
        self.length = self.length.min(length);
    }

    /// How long the log is that lies beside the file, in bytes.
    pub(super) fn log_bytes(&self) -> u64 {
        let is_log =
            |part: &&(PathBuf, FileId)| part.0.as_os_str().as_encoded_bytes().ends_with(b"-wal");
        let log = self.beside.iter().find(is_log);
        log.map_or(0, |(part, _)| {
            fs::metadata(part).map_or(0, |found| found.len())
        })
    }

    fn are_all_beside(&self) -> bool {
        let is_there = |(part, id): &(PathBuf, FileId)| FileId::at(part) == Some(*id);
        self.beside.iter().all(is_there)
    }
}

impl Store {
    /// Which file this is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity {
            file: self.files.file,
            created: self.files.created,
        }
    }

    /// Where it is now.
    #[must_use]
    pub fn place(&self) -> Place {
        self.find().0
    }

    /// The same, and how long the file is.
    fn find(&self) -> (Place, u64) {
        let found = fs::metadata(&self.files.path).ok();
        let found = found.filter(|found| FileId::of(found) == self.files.file);
        let Some(length) = found.map(|found| found.len()) else {
            return (Place::Gone, 0);
        };
        let place = if length < self.files.length {
            Place::Emptied
        } else if self.files.are_all_beside() {
            Place::There
        } else {
            Place::WithoutLog
        };
        (place, length)
    }

    /// After a commit: whether others find there what was committed, and nobody else may write. A
    /// lock that was deleted is made anew.
    ///
    /// # Errors
    ///
    /// If not; what was committed does not count.
    pub fn look(&mut self) -> Result<(), StoreError> {
        match self.find() {
            (Place::There, length) => self.files.length = length.min(self.files.shortest),
            (Place::WithoutLog, _) => return Err(StoreError::LogMoved),
            (Place::Gone, _) => return Err(StoreError::Moved),
            (Place::Emptied, _) => return Err(StoreError::Emptied),
        }
        let path = &self.files.path;
        self.lock.as_mut().map_or(Ok(()), |lock| lock.look(path))
    }

    /// The file has gone from its path. It is made whole, wherever it is, and nothing of it is
    /// left at the path. It can still be read.
    ///
    /// # Errors
    ///
    /// If it could not be made whole; nothing has changed then.
    pub fn part(&self) -> Result<(), StoreError> {
        self.settle()?;
        self.remove_log()
    }

    /// The file was emptied. What is left of it is given up with its log, so that whoever opens the path does not
    /// take that for its own.
    ///
    /// # Errors
    ///
    /// If the log cannot be removed.
    pub fn abandon(self) -> Result<(), StoreError> {
        self.remove_log()
    }

    fn remove_log(&self) -> Result<(), StoreError> {
        for (part, id) in &self.files.beside {
            if FileId::at(part) == Some(*id) {
                fs::remove_file(part).map_err(StoreError::Path)?;
            }
        }
        Ok(())
    }

    /// After [`Store::part`]: opens the file that is now at the path, or creates one.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, or is not this owner's; then it is left as it is.
    pub fn open_in_place(&self, owner: &Owner, now_ms: u64) -> Result<Store, StoreError> {
        let path = &self.files.path;
        let lock = match &self.lock {
            Some(lock) => lock.take_after(path)?,
            None => Lock::take(path)?,
        };
        Store::open_locked(path, owner, now_ms, true, lock)
    }
}
