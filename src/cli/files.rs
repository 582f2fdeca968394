//! Files that a person keeps: how one is read that may be a pipe, and how one is made that is its owner's
//! alone.
//!
//! Owns how they are opened, and nothing of what is in them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a file for reading. A named pipe would be waited for in opening it, for ever; here it is not.
///
/// # Errors
///
/// What the system said.
pub(super) fn open_without_waiting(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Writes a file that is not there yet, which only its owner may read; one that could not be written whole is
/// removed.
///
/// # Errors
///
/// What the system said; that there is a file, among others.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // It is this process's own.
        let _ = fs::remove_file(path);
    }
    written
}
