//! The files of a trace: the newest so many bytes, and only whole lines.
//!
//! Owns the file that is written, and how much of it there is. When it holds its share it becomes `FILE.1`, the
//! one before that `FILE.2`, and so on; the oldest goes. It never waits for a disk longer than an append to the
//! system's buffer takes, and it never opens anything but a plain file.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::platform::reason;

/// Into how many files a trace is cut: so large a part of it is given up at a time.
pub const PARTS: u64 = 4;
/// The least that a trace may be kept to: the state of a large room at the head of each file takes some of it.
pub const LEAST_BYTES: u64 = 1 << 20;

/// The files of one trace.
#[derive(Debug)]
pub struct Ring {
    path: PathBuf,
    file: File,
    /// How large one file may be.
    share: u64,
    written: u64,
    /// There is nothing in the file yet but how the node stands.
    is_fresh: bool,
}

impl Ring {
    /// Goes on with this file, or makes it; `max` is how many bytes all of its files may have.
    ///
    /// # Errors
    ///
    /// What is in the way, as the rest of a sentence about the file.
    pub fn open(path: &Path, max: u64) -> Result<Ring, String> {
        let (file, written) = open(path)?;
        Ok(Ring {
            path: path.to_owned(),
            file,
            share: (max.max(LEAST_BYTES) / PARTS).max(1),
            written,
            is_fresh: true,
        })
    }

    /// The name that the user gave.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes of these lines go into this file: whole lines, as long as they have room; none if it is time
    /// for a new file. A line that has no room in any file has one to itself.
    #[must_use]
    pub fn fits(&self, lines: &[u8]) -> usize {
        let room = self.share.saturating_sub(self.written);
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(lines.len());
        match memchr::memrchr(b'\n', &lines[..room]) {
            Some(end) => end + 1,
            None if self.is_fresh => {
                memchr::memchr(b'\n', lines).map_or(lines.len(), |end| end + 1)
            }
            None => 0,
        }
    }

    /// The file that is written becomes the newest of those that are kept, and an empty one is begun.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn turn(&mut self) -> io::Result<()> {
        for part in (1..PARTS - 1).rev() {
            let (from, to) = (part_of(&self.path, part), part_of(&self.path, part + 1));
            match std::fs::rename(from, to) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        match std::fs::rename(&self.path, part_of(&self.path, 1)) {
            // Somebody has taken it away meanwhile, and a new one is begun all the same.
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let (file, written) = open(&self.path).map_err(io::Error::other)?;
        (self.file, self.written, self.is_fresh) = (file, written, true);
        Ok(())
    }

    /// Appends how the node stands, at the head of a new file.
    ///
    /// # Errors
    ///
    /// As [`Ring::append`].
    pub fn head(&mut self, lines: &[u8]) -> io::Result<()> {
        self.append(lines)?;
        self.is_fresh = true;
        Ok(())
    }

    /// Appends whole lines.
    ///
    /// # Errors
    ///
    /// What the system says; no part of these lines is in the file then.
    pub fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        match self.file.write_all(lines) {
            Ok(()) => {
                self.written += lines.len() as u64;
                self.is_fresh = false;
                Ok(())
            }
            Err(e) => {
                let _ = self.file.set_len(self.written);
                Err(e)
            }
        }
    }
}

/// The name of an older part of a trace; 1 is the newest of them.
#[must_use]
pub fn part_of(path: &Path, part: u64) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{part}"));
    PathBuf::from(name)
}

/// Opens a trace to go on with it; how long it is.
fn open(path: &Path) -> Result<(File, u64), String> {
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    let opened = options.custom_flags(nonblocking).open(path);
    let mut file =
        opened.map_err(|e| format!("cannot be written: {}; name another file", reason(&e)))?;
    let metadata = file.metadata().map_err(|e| e.to_string())?;
    if !metadata.is_file() {
        return Err("is no plain file".to_owned());
    }
    if file.try_lock().is_err() {
        return Err("is being written by another papo".to_owned());
    }
    let mut head = [0; 8];
    let known = file.read(&mut head).map_err(|e| e.to_string())?;
    if known > 0 && !head.starts_with(b"{\"key\":\"") {
        return Err("is there already, and is no trace; name another file".to_owned());
    }
    let mut length = metadata.len();
    if length > 0 {
        let mut last = [0; 1];
        let read = file
            .seek(SeekFrom::End(-1))
            .and_then(|_| file.read(&mut last));
        if read.map_err(|e| e.to_string())? == 1 && last[0] != b'\n' {
            // The process before this one ended in the middle of a line.
            file.write_all(b"\n").map_err(|e| e.to_string())?;
            length += 1;
        }
    }
    Ok((file, length))
}
