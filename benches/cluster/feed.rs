//! Writing lines into a node's stdin, and counting the lines that come out of another's stdout.

use std::io::{Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::time::Instant;

use rustix::event::PollFlags;

use super::process::wait_for;

/// What a node says once it sees all others.
pub const READY: &[u8] = b" ready\n";
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

    /// Writes everything, and gives the pipe back: dropping it is the end of the input.
    pub fn write_all(mut self, deadline: Instant) -> Result<ChildStdin, String> {
        rustix::io::ioctl_fionbio(&self.stdin, true).map_err(|e| format!("pipe: {e}"))?;
        while self.left > 0 {
            if !self.write()? && !wait_for(&self.stdin, PollFlags::OUT, deadline) {
                return Err("the sender stopped reading its stdin".to_string());
            }
        }
        Ok(self.stdin)
    }

    /// Writes a part of the rest. False if the pipe is full.
    fn write(&mut self) -> Result<bool, String> {
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

/// Reads a pipe until so many lines of feeds have come; says when the last one did.
pub fn count_lines(
    mut stdout: ChildStdout,
    lines: u64,
    deadline: Instant,
) -> Result<Instant, String> {
    let end = memchr::memmem::Finder::new(b"x\n");
    let mut buffer = vec![0; 256 * 1024];
    let mut left = lines;
    let mut before = 0;
    while left > 0 {
        let missing = || format!("{left} of {lines} lines are missing at a reader");
        if !wait_for(&stdout, PollFlags::IN, deadline) {
            return Err(missing());
        }
        let n = stdout.read(&mut buffer).map_err(|e| format!("read: {e}"))?;
        if n == 0 {
            return Err(missing());
        }
        // Only a feed's lines end like this.
        let within = end.find_iter(&buffer[..n]).count() as u64;
        let across = u64::from(before == b'x' && buffer[0] == b'\n');
        before = buffer[n - 1];
        left = left.saturating_sub(within + across);
    }
    let at = Instant::now();
    // Goes on reading, so that the node is not told that nobody listens any more.
    std::thread::spawn(move || while stdout.read(&mut buffer).is_ok_and(|n| n > 0) {});
    Ok(at)
}

/// Reads a node's stdout until so many others have said that they are ready.
pub fn await_ready(
    stdout: &mut ChildStdout,
    others: usize,
    deadline: Instant,
) -> Result<(), String> {
    let mut byte_by_byte = [0];
    let (mut line, mut left) = (Vec::new(), others);
    while left > 0 {
        if !wait_for(&*stdout, PollFlags::IN, deadline) {
            return Err(format!(
                "{left} of {others} nodes did not get ready in time"
            ));
        }
        if stdout
            .read(&mut byte_by_byte)
            .map_err(|e| format!("read: {e}"))?
            == 0
        {
            return Err("a node ended before all were ready".to_string());
        }
        line.push(byte_by_byte[0]);
        if line.ends_with(READY) {
            left -= 1;
        }
    }
    Ok(())
}
