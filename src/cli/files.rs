//! Files that a person keeps: how one is read that may be a pipe, and how one is made that is its owner's
//! alone.
//!
//! Owns how they are opened, and nothing of what is in them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal as _, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

/// How long a named pipe that nobody has opened for writing is waited for. Whoever has opened it may
/// take as long as they like: they may be asking for a pass phrase.
const WRITER_WITHIN: Timespec = Timespec {
    tv_sec: 3,
    tv_nsec: 0,
};

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

/// Reads a file, or a pipe such as that of `--secret-file <(pass show papo)`. One that has more than `most` bytes
/// is refused: what is cut off would be missed nowhere.
///
/// # Errors
///
/// What the system said; that there is too much.
pub(super) fn read_whole(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open_without_waiting(path)?;
    let facts = file.metadata()?;
    let too_much = || {
        let size = match facts.is_file() {
            true => format!("it has {} bytes", facts.len()),
            false => "it has more than that".to_owned(),
        };
        io::Error::new(
            ErrorKind::FileTooLarge,
            format!("{size}, and {most} are read at most"),
        )
    };
    if facts.is_file() && facts.len() > most {
        return Err(too_much());
    }
    let mut source = Source {
        waits: !facts.is_file(),
        has_writer: file.is_terminal(),
        file,
    };
    let mut bytes = Vec::new();
    (&mut source).take(most + 1).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        true => Err(too_much()),
        false => Ok(bytes),
    }
}

/// A file that was opened without waiting, and is read with.
struct Source {
    file: File,
    /// It may have nothing for now.
    waits: bool,
    /// Somebody writes to it, or has.
    has_writer: bool,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read(buffer) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.has_writer = true,
                Ok(0) if self.waits && !self.has_writer => {}
                result => {
                    self.has_writer = true;
                    return result;
                }
            }
            let within = (!self.has_writer).then_some(&WRITER_WITHIN);
            let mut fds = [PollFd::new(&self.file, PollFlags::IN)];
            match poll(&mut fds, within) {
                Ok(0) => {
                    let why = "nobody writes to this pipe";
                    return Err(io::Error::new(ErrorKind::TimedOut, why));
                }
                // Also if whoever wrote has gone already.
                Ok(_) => self.has_writer = true,
                Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
}
