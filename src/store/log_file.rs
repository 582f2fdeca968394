//! The log beside the file (`FILE-wal`): how long it is, bringing it into the file, beginning it anew.
//!
//! # Who does what, so that the loop waits for no disk
//!
//! The node's own connection never asks the system to sync (`synchronous=OFF`): it adds to the log, and
//! the kernel has what is written. A helper process checkpoints, with `synchronous=NORMAL`: it syncs
//! the log, copies its pages into the file, and syncs the file.
//!
//! A log that is all in the file is used again from its beginning by whoever writes next. Done without a
//! sync, a power cut could leave a mixture of the old log and the new one, which SQLite would read as
//! the old one. So this must not happen by itself: while a helper checkpoints, a second connection
//! reads a state that is in the log ([`Store::hold_log`]), for SQLite keeps what somebody reads. When
//! the helper has ended and everything is in the file, the log is cut to nothing
//! ([`Store::empty_log`]). File systems with a journal never mix what was there before a cut with
//! what came after it.

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::{BUSY, Store, StoreError};

/// How long a log is, in pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LogLength {
    /// All pages in it.
    pub pages: u64,
    /// Those that are not in the file yet.
    pub waiting: u64,
}

impl Store {
    /// How long the log is.
    ///
    /// # Errors
    ///
    /// If the file cannot be asked.
    pub fn log_length(&self) -> Result<LogLength, StoreError> {
        checkpoint(&self.connection, "NOOP").map(|(_, length)| length)
    }

    /// From now on no log is begun anew, and a checkpoint gets as far as what is committed now.
    ///
    /// # Errors
    ///
    /// If the file cannot be read; nothing is held then.
    pub fn hold_log(&self) -> Result<(), StoreError> {
        self.release_log();
        let Some(pin) = &self.pin else {
            return Ok(());
        };
        pin.execute_batch("BEGIN")?;
        let read = pin.query_row("SELECT count(*) FROM room", [], |_| Ok(()));
        read.inspect_err(|_| self.release_log())?;
        Ok(())
    }

    /// The end of [`Store::hold_log`].
    pub fn release_log(&self) {
        if let Some(pin) = self.pin.as_ref().filter(|pin| !pin.is_autocommit()) {
            // What only reads can fail to end only where the file cannot be used at all any more.
            let _ = pin.execute_batch("ROLLBACK");
        }
    }

    /// If all of the log is in the file and synced, the log is cut to nothing; true if it is empty.
    /// No helper may be at work. It waits for nobody: a reader of the log keeps it from being cut.
    ///
    /// # Errors
    ///
    /// If it cannot be cut.
    pub fn empty_log(&self) -> Result<bool, StoreError> {
        let length = self.log_length()?;
        if length.pages == 0 || length.waiting > 0 {
            return Ok(length.pages == 0);
        }
        self.release_log();
        self.connection.busy_timeout(std::time::Duration::ZERO)?;
        let cut = checkpoint(&self.connection, "TRUNCATE");
        self.connection.busy_timeout(BUSY)?;
        Ok(!cut?.0)
    }

    /// For a helper process: moves what is committed from the log into the file, and waits until the disk
    /// has it: it then survives a power cut. What a reader still looks at stays in the log.
    ///
    /// # Errors
    ///
    /// If that failed; nothing is lost.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.connection
            .pragma_update(None, "synchronous", "NORMAL")?;
        let result = checkpoint(&self.connection, "PASSIVE");
        self.connection.pragma_update(None, "synchronous", "OFF")?;
        result.map(drop)
    }

    /// As [`Store::checkpoint`], and nothing may be left in the log.
    ///
    /// # Errors
    ///
    /// If that failed, or somebody still reads an earlier state; nothing is lost.
    pub(super) fn checkpoint_all(&self) -> Result<(), StoreError> {
        self.checkpoint()?;
        match self.log_length()?.waiting {
            0 => Ok(()),
            _ => Err(StoreError::Later(
                "somebody reads the file; end that, and try again".into(),
            )),
        }
    }

    /// Brings all of the log into the file, so that the file alone holds everything. The disk is not
    /// waited for.
    ///
    /// # Errors
    ///
    /// If that failed, or somebody still reads an earlier state; nothing is lost.
    pub fn settle(&self) -> Result<(), StoreError> {
        if !self.is_writable() {
            return Ok(());
        }
        self.release_log();
        let (_, length) = checkpoint(&self.connection, "PASSIVE")?;
        match length.waiting {
            0 => Ok(()),
            _ => Err(StoreError::Later(
                "somebody still reads the file that was moved or deleted".into(),
            )),
        }
    }

    /// Closes it. A log that is all in the file is removed; any other stays, and is taken up when the
    /// file is opened next. The disk is not waited for.
    pub fn close(mut self) {
        self.pin = None;
        if self.is_writable() && self.log_length().is_ok_and(|log| log.waiting == 0) {
            let option = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            // Else the log stays.
            let _ = self.connection.set_db_config(option, false);
        }
    }
}

/// A checkpoint of this kind: whether somebody was in its way, and the length of the log after it.
fn checkpoint(connection: &Connection, kind: &str) -> Result<(bool, LogLength), StoreError> {
    let mut statement = connection.prepare_cached(&format!("PRAGMA wal_checkpoint({kind})"))?;
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (busy, log, done): (i64, i64, i64) = statement.query_row([], row)?;
    let pages = u64::try_from(log).unwrap_or(0);
    let length = LogLength {
        pages,
        waiting: u64::try_from(log - done).unwrap_or(0),
    };
    Ok((busy != 0, length))
}
