//! A file that a process of a lesson writes, read as it grows.
//!
//! Owns how far it was read. Only whole lines are given out; what they say is nothing to it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// The file.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    read: u64,
    /// The begin of a line whose end is not written yet.
    rest: Vec<u8>,
}

impl Tail {
    /// Nothing of it was read yet; it need not be there yet.
    pub(super) fn new(path: PathBuf) -> Tail {
        Tail {
            path,
            read: 0,
            rest: Vec::new(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The whole lines that were written since the last call.
    pub(super) fn news(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.rest);
        let mut read = || -> io::Result<()> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.read))?;
            self.read += file.read_to_end(&mut bytes)? as u64;
            Ok(())
        };
        // It may not be there yet.
        let _ = read();
        let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |end| end + 1);
        self.rest = bytes.split_off(whole);
        bytes
    }
}
