//! The process that does for the store what may wait for the disk.
//!
//! Owns the running process and its two pipes; there is at most one that tends a store, and one that searches it. It never waits for
//! it: replies come when the poll says so, and its end is looked for until it is there. What is asked
//! and what the replies mean is not decided here.
//!
//! The process is this program, with [`store::HELPER`] as its first argument. It ends when its stdin does;
//! on Linux the system also kills it when the node has ended, however that came.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::time::Duration;

use mio::unix::pipe::Receiver;
use mio::{Registry, Token};

use crate::node::Time;
use crate::store::{self, Reply, Request};

use super::super::own_process;

/// Bytes of replies read in one turn of the loop.
const READ_MAX: usize = 64 * 1024;
/// The longest line of a reply; what is longer is no reply.
const LINE_MAX: usize = 64 * 1024;
/// After the end of its replies a process takes a moment to end.
const REAP_AGAIN: Duration = Duration::from_millis(5);

/// Who helps, if somebody does.
#[derive(Debug)]
pub(super) struct Helper {
    registry: Registry,
    /// Under which its replies are watched.
    token: Token,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// None once nothing more is wanted of it.
    stdin: Option<ChildStdin>,
    replies: Receiver,
    /// The beginning of a line.
    rest: Vec<u8>,
    /// There may be something to read.
    is_ready: bool,
    /// It has said everything.
    is_silent: bool,
}

impl Helper {
    /// Nothing runs yet.
    pub(super) fn new(registry: Registry, token: Token) -> Helper {
        Helper {
            registry,
            token,
            running: None,
        }
    }

    /// True while one runs.
    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Starts one. None may be running.
    ///
    /// # Errors
    ///
    /// If the system starts no process.
    pub(super) fn start(&mut self, request: &Request) -> io::Result<()> {
        let watch = (&self.registry, self.token);
        let (child, replies) = own_process::start([store::HELPER], Stdio::piped(), watch)?;
        let mut running = Running {
            child,
            stdin: None,
            replies,
            rest: Vec::new(),
            is_ready: true,
            is_silent: false,
        };
        let stdin = running.child.stdin.take();
        let mut stdin = stdin.ok_or(ErrorKind::BrokenPipe)?;
        // A pipe that is new takes it all at once.
        stdin.write_all(&request.to_bytes())?;
        running.stdin = Some(stdin);
        self.running = Some(running);
        Ok(())
    }

    /// The poll says that there is something to read.
    pub(super) fn on_event(&mut self) {
        if let Some(running) = &mut self.running {
            running.is_ready = true;
        }
    }

    /// True if there is something to do at once.
    pub(super) fn has_work(&self) -> bool {
        (self.running.as_ref()).is_some_and(|running| running.is_ready && !running.is_silent)
    }

    /// Tells it to do the next thing.
    pub(super) fn go_on(&mut self) {
        if let Some(stdin) = self.running.as_mut().and_then(|r| r.stdin.as_mut()) {
            // One that has ended is noticed by its silence.
            let _ = stdin.write_all(b"\n");
        }
    }

    /// Nothing more is wanted of it: it ends by itself, in the middle of the index of words if it must.
    pub(super) fn release(&mut self) {
        if let Some(running) = &mut self.running {
            running.stdin = None;
        }
    }

    /// What it said since the last call.
    pub(super) fn replies(&mut self) -> Vec<Reply> {
        let Some(running) = self.running.as_mut().filter(|r| r.is_ready) else {
            return Vec::new();
        };
        running.read();
        let mut replies = Vec::new();
        let whole = running
            .rest
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |n| n + 1);
        for line in running.rest[..whole].split(|b| *b == b'\n') {
            replies.extend(std::str::from_utf8(line).ok().and_then(Reply::parse));
        }
        running.rest.drain(..whole);
        running.is_silent |= running.rest.len() > LINE_MAX;
        replies
    }

    /// True, once, when it has ended, and everything that it said was read.
    pub(super) fn has_ended(&mut self) -> bool {
        let Some(running) = self.running.as_mut().filter(|r| r.is_silent) else {
            return false;
        };
        running.stdin = None;
        // What cannot be waited for has ended, too.
        let is_there = matches!(running.child.try_wait(), Ok(None));
        if is_there {
            return false;
        }
        if let Some(mut running) = self.running.take() {
            // It is closed in any case.
            let _ = self.registry.deregister(&mut running.replies);
        }
        true
    }

    /// When to look for its end again.
    pub(super) fn next_wake(&self, now: Time) -> Option<Time> {
        let is_ending = self.running.as_ref().is_some_and(|r| r.is_silent);
        is_ending.then(|| now + REAP_AGAIN)
    }
}

impl Running {
    /// Reads what is there, up to a limit.
    fn read(&mut self) {
        let mut buffer = [0; 8 * 1024];
        let mut left = READ_MAX;
        while left > 0 {
            match self.replies.read(&mut buffer) {
                Ok(0) => {
                    self.is_silent = true;
                    return;
                }
                Ok(n) => {
                    self.rest.extend_from_slice(&buffer[..n]);
                    left = left.saturating_sub(n);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => {
                    self.is_ready = false;
                    self.is_silent = e.kind() != ErrorKind::WouldBlock;
                    return;
                }
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that waits for the disk ends when the disk has answered; nobody waits for it.
        let _ = self.child.kill();
        let _ = self.child.try_wait();
    }
}
