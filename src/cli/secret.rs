//! The room's secret: from a file or from the environment, never from the command line, where
//! every user of the machine could read it.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal as _, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

use crate::lock::Secret;

/// The environment variable that holds the secret itself.
const VARIABLE: &str = "PAPO_SECRET";
/// More of a file is not read: the derivation refuses less than this.
const FILE_BYTES_MAX: u64 = 8 * 1024;
/// How long a named pipe that nobody has opened for writing is waited for. Whoever has opened it may
/// take as long as they like: they may be asking for a pass phrase.
const WRITER_WITHIN: Timespec = Timespec {
    tv_sec: 3,
    tv_nsec: 0,
};

/// The keys of the room, if there is a secret: `--secret-file` before `PAPO_SECRET`.
///
/// # Errors
///
/// One line that names the source, never the secret, and what to do.
pub fn resolve(room: &str, file: Option<&Path>) -> Result<Option<Secret>, String> {
    let (source, secret) = if let Some(path) = file {
        let source = format!("--secret-file {}", path.display());
        let bytes = read(path)
            .map_err(|e| format!("{source}: cannot read it: {e}; name a file with the secret"))?;
        (source, bytes)
    } else {
        let value = std::env::var_os(VARIABLE).unwrap_or_default();
        if value.is_empty() {
            return Ok(None);
        }
        (VARIABLE.to_string(), value.into_encoded_bytes())
    };
    let secret = Secret::derive(room, &secret).map_err(|e| format!("{source}: {e}"))?;
    Ok(Some(secret))
}

/// Reads a file, or a pipe such as that of `--secret-file <(pass show papo)`.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    // A named pipe would be waited for in opening it, for ever.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    let mut source = Source {
        waits: !file.metadata()?.is_file(),
        has_writer: file.is_terminal(),
        file,
    };
    let mut bytes = Vec::new();
    (&mut source).take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
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
