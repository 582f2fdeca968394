//! Log lines on their way to stderr.
//!
//! Owns the buffer that the logger writes into; the loop moves it to stderr when stderr takes it.
//! Nothing here blocks and nothing here writes to a descriptor, except [`flush`], for when the loop
//! is over or has not begun.

use std::cell::RefCell;
use std::io::{self, Write};

use crate::limits::LOG_BUFFER_BYTES_MAX;

#[derive(Debug, Default)]
struct Buffer {
    bytes: Vec<u8>,
    dropped: u64,
}

thread_local! {
    static BUFFER: RefCell<Buffer> = const {
        RefCell::new(Buffer { bytes: Vec::new(), dropped: 0 })
    };
}

/// Where the logger is to write: into a bounded buffer that the loop takes to stderr. The logger's
/// thread must be the loop's.
#[must_use]
pub fn target() -> env_logger::Target {
    env_logger::Target::Pipe(Box::new(LogWriter))
}

/// Writes what is in the buffer to stderr at once, blocking: for the time without a loop.
pub fn flush() {
    let mut bytes = Vec::new();
    take_into(&mut bytes);
    // There is nowhere left to complain to.
    let _ = io::stderr().write_all(&bytes);
}

/// Moves the buffered lines to the end of `out`.
pub(super) fn take_into(out: &mut Vec<u8>) {
    BUFFER.with_borrow_mut(|buffer| {
        out.append(&mut buffer.bytes);
        if buffer.dropped > 0 {
            let n = std::mem::take(&mut buffer.dropped);
            // Writing into a vector cannot fail.
            let _ = writeln!(
                out,
                "papo: {n} log lines dropped, stderr was not read in time"
            );
        }
    });
}

#[derive(Debug)]
struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        BUFFER.with_borrow_mut(|buffer| {
            if buffer.bytes.len() + line.len() > LOG_BUFFER_BYTES_MAX {
                buffer.dropped += 1;
            } else {
                buffer.bytes.extend_from_slice(line);
            }
        });
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_lines_is_dropped_and_counted() {
        let mut writer = LogWriter;
        for _ in 0..LOG_BUFFER_BYTES_MAX {
            writer.write_all(b"a line\n").unwrap();
        }
        let mut out = Vec::new();
        take_into(&mut out);
        assert!(out.len() <= LOG_BUFFER_BYTES_MAX + 100);
        assert!(out.ends_with(b"log lines dropped, stderr was not read in time\n"));
        out.clear();
        take_into(&mut out);
        assert!(out.is_empty());
    }
}
