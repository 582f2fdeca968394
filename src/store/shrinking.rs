//! Making a file smaller that is larger than it may be, before the node opens it.
//!
//! Owns the steps of that, each of which leaves a file that is sound: the oldest messages are deleted until the rest
//! fits, then the file is written anew without the pages that are free (`VACUUM`), which takes as long as what is
//! left is large, and the log is brought into it and cut, which is what ends with the smaller file. Only a helper
//! process does this: it takes seconds for a large file, and nobody may have the file open for writing meanwhile. A
//! node that has it open would take a file that becomes shorter for one that somebody emptied.
//!
//! Whoever reads the file for long keeps its log from being cut; the file is as it was then, or smaller, and the
//! next start goes on.

use super::opening::size;
use super::{DiskUse, Store, StoreError};

/// How much of the disk a file may take when it is opened, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SizeLimits {
    /// A file that is larger is made smaller.
    pub file: u64,
    /// So much of it may be in use then.
    pub used: u64,
    /// A log that is longer is brought into the file first.
    pub log: u64,
}

impl Store {
    /// Makes the file fit. `tell` is called before messages are deleted for it.
    ///
    /// # Errors
    ///
    /// If it cannot be done, for want of room on the disk, say: the file is sound, and as large as before or smaller.
    pub(super) fn shrink(
        &mut self,
        limits: SizeLimits,
        tell: impl FnOnce(),
    ) -> Result<(), StoreError> {
        let taken = self.disk_use()?;
        let is_cut_short = size(&self.files.path) > taken.file;
        if taken.file <= limits.file && taken.log <= limits.log && !is_cut_short {
            return Ok(());
        }
        self.settle_for_good()?;
        if self.disk_use()?.file <= limits.file {
            return Ok(());
        }
        self.drop_down_to(limits, tell)?;
        self.connection.execute_batch("VACUUM")?;
        self.settle_for_good()
    }

    /// Deletes the oldest messages until no more is in use than may be, or there are none.
    fn drop_down_to(&mut self, limits: SizeLimits, tell: impl FnOnce()) -> Result<(), StoreError> {
        let mut tell = Some(tell);
        loop {
            let DiskUse { used, log, .. } = self.disk_use()?;
            if used <= limits.used {
                return Ok(());
            }
            if log > limits.log {
                self.settle_for_good()?;
            }
            if let Some(tell) = tell.take() {
                tell();
                self.forget_words()?;
                continue;
            }
            if self.drop_oldest()?.messages.is_empty() {
                return Ok(());
            }
        }
    }

    /// Empties the index of words, which is built anew while the node runs: what is deleted would leave traces in it
    /// that take as much as what they are of, and so the file would lose more messages than it has to.
    fn forget_words(&mut self) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        transaction.execute_batch(
            "INSERT INTO words (words) VALUES ('delete-all'); UPDATE room SET indexed = 0",
        )?;
        Ok(transaction.commit()?)
    }

    /// Brings the log into the file, on the disk, and cuts it. Somebody who reads it may keep it from that.
    fn settle_for_good(&self) -> Result<(), StoreError> {
        self.checkpoint()?;
        self.empty_log().map(drop)
    }
}
