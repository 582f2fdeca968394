//! Writing lines into a node's stdin, and counting the lines that come out of another's stdout.

use std::io::{Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::time::Instant;

use rustix::event::PollFlags;

use super::process::wait_for;

/// About how many bytes are written at a time.
const BLOCK_BYTES: usize = 64 * 1024;

/// Lines for one node's stdin, all alike.
#[derive(Debug)]
pub struct Feed {
    stdin: ChildStdin,
    block: Vec<u8>,
    line: usize,
    left: u64,
}

impl Feed {
    /// `messages` lines of `size` bytes each.
    pub fn new(stdin: ChildStdin, messages: u64, size: usize) -> Feed {
        let mut line = vec![b'x'; size];
        line.push(b'\n');
        let block = line.repeat((BLOCK_BYTES / line.len()).max(1));
        Feed {
            stdin,
            block,
            line: line.len(),
            left: messages * line.len() as u64,
        }
    }

    /// Writes what the pipe holds before anybody reads it, then waits until somebody does: that is
    /// the start of the measurement.
    pub fn wait_for_reader(&mut self, deadline: Instant) -> Result<Instant, String> {
        rustix::io::ioctl_fionbio(&self.stdin, true).map_err(|e| format!("pipe: {e}"))?;
        while self.write()? {}
        if self.left > 0 && !wait_for(&self.stdin, PollFlags::OUT, deadline) {
            return Err("the sender did not read its stdin in time".to_string());
        }
        Ok(Instant::now())
    }

    /// Writes the rest, and gives the pipe back: dropping it is the end of the input.
    pub fn finish(mut self, deadline: Instant) -> Result<ChildStdin, String> {
        while self.left > 0 {
            if !self.write()? && !wait_for(&self.stdin, PollFlags::OUT, deadline) {
                return Err("the sender stopped reading its stdin".to_string());
            }
        }
        Ok(self.stdin)
    }

    /// Writes a part of the rest. False if nothing is left or the pipe is full.
    fn write(&mut self) -> Result<bool, String> {
        if self.left == 0 {
            return Ok(false);
        }
        // Lines are alike, so any place in a line is a place in the block.
        let total = self.line as u64;
        let from = usize::try_from((total - self.left % total) % total).unwrap_or(0);
        let rest = &self.block[from..];
        let length = rest
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        match self.stdin.write(&rest[..length]) {
            Ok(n) => self.left -= n as u64,
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return Ok(false),
            Err(e) => return Err(format!("writing to its stdin: {e}")),
        }
        Ok(true)
    }
}

/// Reads a pipe until `lines` lines have come; says when the last one did.
pub fn count_lines(
    mut stdout: ChildStdout,
    lines: u64,
    deadline: Instant,
) -> Result<Instant, String> {
    let mut buffer = vec![0; 256 * 1024];
    let mut left = lines;
    while left > 0 {
        let missing = || format!("{left} of {lines} lines are missing at a reader");
        if !wait_for(&stdout, PollFlags::IN, deadline) {
            return Err(missing());
        }
        let n = stdout.read(&mut buffer).map_err(|e| format!("read: {e}"))?;
        if n == 0 {
            return Err(missing());
        }
        let newlines = buffer[..n].iter().filter(|b| **b == b'\n').count();
        left = left.saturating_sub(newlines as u64);
    }
    let at = Instant::now();
    // Goes on reading, so that the node is not told that nobody listens any more.
    std::thread::spawn(move || while stdout.read(&mut buffer).is_ok_and(|n| n > 0) {});
    Ok(at)
}
