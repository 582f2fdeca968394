//! Stdin, stdout and stderr, whatever they are: terminals, pipes, sockets, files, `/dev/null`.
//!
//! Owns the three descriptors and the bytes rendered for the outputs. It never sets `O_NONBLOCK`
//! on a description that others share (the shell that started papo would find its terminal
//! changed), and never calls a read or write that can wait:
//!
//! - a pipe (on Linux) or a terminal is opened once more, which gives a description of our own;
//! - where that fails, each read or write is preceded by a `poll` without time-out, and a write is
//!   small enough for what that promised;
//! - regular files, and what epoll refuses otherwise (`/dev/null`), are always ready.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::Errno;

use crate::limits::OUTPUT_BYTES_MAX;
use crate::platform::path_of;

/// What a terminal takes without waiting when it says that it is writable: Linux says so from 256
/// bytes of room on.
const TERMINAL_WRITE_BYTES: usize = 256;

/// How a descriptor is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Access {
    /// Always ready.
    Direct,
    /// A non-blocking description of our own.
    Own,
    /// A description shared with others: asked before each use, written so many bytes at a time.
    Asked {
        /// What a write may have.
        write_bytes: usize,
    },
}

/// A descriptor and how it is used.
#[derive(Debug)]
struct Channel {
    fd: Fd,
    access: Access,
}

#[derive(Debug)]
enum Fd {
    Shared(BorrowedFd<'static>),
    Owned(OwnedFd),
}

impl AsFd for Fd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Fd::Shared(fd) => *fd,
            Fd::Owned(fd) => fd.as_fd(),
        }
    }
}

impl Channel {
    fn open(fd: Fd, flags: OFlags, registry: &Registry, token: Token) -> io::Result<Channel> {
        let kind = FileType::from_raw_mode(fstat(fd.as_fd())?.st_mode);
        let is_terminal = rustix::termios::isatty(fd.as_fd());
        if !is_terminal && matches!(kind, FileType::RegularFile | FileType::BlockDevice) {
            let access = Access::Direct;
            return Ok(Channel { fd, access });
        }
        let mut channel = match reopen(fd.as_fd(), flags, kind, is_terminal) {
            Some(own) => Channel {
                fd: Fd::Owned(own),
                access: Access::Own,
            },
            None => Channel {
                fd,
                access: Access::Asked {
                    write_bytes: if is_terminal {
                        TERMINAL_WRITE_BYTES
                    } else {
                        rustix::pipe::PIPE_BUF
                    },
                },
            },
        };
        let interest = if flags.contains(OFlags::WRONLY) {
            Interest::WRITABLE
        } else {
            Interest::READABLE
        };
        let raw = channel.fd.as_fd().as_raw_fd();
        match registry.register(&mut SourceFd(&raw), token, interest) {
            Ok(()) => {}
            Err(_) if kind == FileType::CharacterDevice && !is_terminal => {
                channel.access = Access::Direct;
            }
            Err(e) => return Err(e),
        }
        Ok(channel)
    }

    /// Whether a shared description is ready; the others find out by trying.
    fn is_ready(&self, flags: PollFlags) -> bool {
        if !matches!(self.access, Access::Asked { .. }) {
            return true;
        }
        let mut fds = [PollFd::new(&self.fd, flags)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(&mut fds, Some(&now)).is_ok_and(|n| n > 0)
    }
}

/// Opens the same pipe or terminal once more, non-blocking; `None` where that cannot be done.
fn reopen(fd: BorrowedFd<'_>, flags: OFlags, kind: FileType, is_terminal: bool) -> Option<OwnedFd> {
    let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let is_pipe = kind == FileType::Fifo;
    if !is_pipe && !is_terminal {
        return None;
    }
    let own = open(path_of(fd, is_pipe)?, flags, Mode::empty()).ok()?;
    let (there, here) = (fstat(fd).ok()?, fstat(&own).ok()?);
    let same = there.st_ino == here.st_ino && there.st_dev == here.st_dev;
    same.then_some(own)
}

/// What one read of stdin gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadOutcome<'b> {
    /// These bytes, at least one.
    Bytes(&'b [u8]),
    /// Nothing now: an event will tell.
    Later,
    /// The end, for ever.
    End,
}

/// Stdin.
#[derive(Debug)]
pub struct InputFd {
    channel: Channel,
    ready: bool,
}

impl InputFd {
    /// Watches this process's stdin.
    ///
    /// # Errors
    ///
    /// If the descriptor cannot be examined or watched.
    pub fn stdin(registry: &Registry, token: Token) -> io::Result<InputFd> {
        InputFd::open(Fd::Shared(rustix::stdio::stdin()), registry, token)
    }

    fn open(fd: Fd, registry: &Registry, token: Token) -> io::Result<InputFd> {
        let channel = Channel::open(fd, OFlags::RDONLY, registry, token)?;
        Ok(InputFd {
            channel,
            ready: true,
        })
    }

    /// An event said that there is something to read.
    pub fn on_event(&mut self) {
        self.ready = true;
    }

    /// Whether a read may find something.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// Reads once, without waiting. Whatever the buffer held before is of no matter: to clear a large one for each
    /// line would cost more than all else that papo does with the line.
    ///
    /// # Errors
    ///
    /// What the read said; there is nothing more to read then.
    pub fn read<'b>(&mut self, buffer: &'b mut [MaybeUninit<u8>]) -> io::Result<ReadOutcome<'b>> {
        if !self.channel.is_ready(PollFlags::IN) {
            self.ready = false;
            return Ok(ReadOutcome::Later);
        }
        match rustix::io::read(&self.channel.fd, buffer) {
            Ok(([], _)) => Ok(ReadOutcome::End),
            Ok((bytes, _)) => Ok(ReadOutcome::Bytes(bytes)),
            Err(Errno::INTR) => Ok(ReadOutcome::Later),
            Err(Errno::AGAIN) => {
                self.ready = false;
                Ok(ReadOutcome::Later)
            }
            // A terminal that hung up.
            Err(Errno::IO) => Ok(ReadOutcome::End),
            Err(e) => Err(e.into()),
        }
    }
}

/// What came of writing to an output.
#[derive(Debug)]
pub enum Flushed {
    /// Everything is written.
    All,
    /// The reader is slow: an event will tell.
    Blocked,
    /// Nothing can be written any more. Said once; from then on everything is swallowed.
    Gone(io::Error),
}

/// Stdout or stderr, and what is rendered for it.
#[derive(Debug)]
pub struct OutputFd {
    channel: Option<Channel>,
    bytes: Vec<u8>,
    written: usize,
    /// Bytes written since this was last asked.
    newly_written: u64,
    ready: bool,
}

impl OutputFd {
    /// Watches this process's stdout.
    ///
    /// # Errors
    ///
    /// If the descriptor cannot be examined or watched.
    pub fn stdout(registry: &Registry, token: Token) -> io::Result<OutputFd> {
        OutputFd::open(Fd::Shared(rustix::stdio::stdout()), registry, token)
    }

    /// Watches this process's stderr.
    ///
    /// # Errors
    ///
    /// If the descriptor cannot be examined or watched.
    pub fn stderr(registry: &Registry, token: Token) -> io::Result<OutputFd> {
        OutputFd::open(Fd::Shared(rustix::stdio::stderr()), registry, token)
    }

    fn open(fd: Fd, registry: &Registry, token: Token) -> io::Result<OutputFd> {
        Ok(OutputFd {
            channel: Some(Channel::open(fd, OFlags::WRONLY, registry, token)?),
            bytes: Vec::new(),
            written: 0,
            newly_written: 0,
            ready: true,
        })
    }

    /// An event said that something can be written.
    pub fn on_event(&mut self) {
        self.ready = true;
    }

    /// True for a file and the like: a write never waits for a reader.
    #[must_use]
    pub fn never_waits(&self) -> bool {
        (self.channel.as_ref()).is_some_and(|channel| channel.access == Access::Direct)
    }

    /// Bytes written since the last call; what nobody took is not among them.
    pub fn take_written(&mut self) -> u64 {
        std::mem::take(&mut self.newly_written)
    }

    /// Bytes rendered and not written.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.bytes.len() - self.written
    }

    /// Where more output goes, if little enough is pending: at most `OUTPUT_BYTES_MAX` and what is
    /// rendered at a time.
    pub fn space(&mut self) -> Option<&mut Vec<u8>> {
        if self.pending() >= OUTPUT_BYTES_MAX {
            return None;
        }
        self.bytes.drain(..self.written);
        self.written = 0;
        Some(&mut self.bytes)
    }

    /// Where a little more output goes, however much is pending.
    pub fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Writes what is pending as far as that goes without waiting.
    pub fn flush(&mut self) -> Flushed {
        while self.pending() > 0 {
            let Some(channel) = &self.channel else {
                self.discard();
                break;
            };
            if !self.ready {
                return Flushed::Blocked;
            }
            match write_once(channel, &self.bytes[self.written..]) {
                Ok(n) => {
                    self.written += n;
                    self.newly_written += n as u64;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.ready = false,
                Err(e) => {
                    self.channel = None;
                    self.discard();
                    return Flushed::Gone(e.into());
                }
            }
        }
        self.discard();
        Flushed::All
    }

    fn discard(&mut self) {
        self.bytes.clear();
        self.written = 0;
    }
}

fn write_once(channel: &Channel, bytes: &[u8]) -> Result<usize, Errno> {
    if !channel.is_ready(PollFlags::OUT) {
        return Err(Errno::AGAIN);
    }
    let bytes = match channel.access {
        Access::Asked { write_bytes } => &bytes[..bytes.len().min(write_bytes)],
        Access::Own | Access::Direct => bytes,
    };
    rustix::io::write(&channel.fd, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Events, Poll};
    use rustix::pipe::pipe;
    use std::time::Duration;

    const TOKEN: Token = Token(1);

    fn wait(poll: &mut Poll) -> bool {
        let mut events = Events::with_capacity(8);
        poll.poll(&mut events, Some(Duration::from_secs(5)))
            .unwrap();
        events.iter().any(|e| e.token() == TOKEN)
    }

    fn is_nonblocking(fd: BorrowedFd<'_>) -> bool {
        let flags = rustix::fs::fcntl_getfl(fd).unwrap();
        flags.contains(OFlags::NONBLOCK)
    }

    fn shared(channel: &mut Channel, fd: &OwnedFd, poll: &Poll, interest: Interest) {
        let old = channel.fd.as_fd().as_raw_fd();
        poll.registry().deregister(&mut SourceFd(&old)).unwrap();
        channel.fd = Fd::Owned(fd.try_clone().unwrap());
        channel.access = Access::Asked { write_bytes: 4_096 };
        let raw = channel.fd.as_fd().as_raw_fd();
        let mut source = SourceFd(&raw);
        poll.registry()
            .register(&mut source, TOKEN, interest)
            .unwrap();
    }

    fn read_a_pipe(own: bool) {
        let mut poll = Poll::new().unwrap();
        let (reader, writer) = pipe().unwrap();
        let observer = reader.try_clone().unwrap();
        let mut input = InputFd::open(Fd::Owned(reader), poll.registry(), TOKEN).unwrap();
        if !own {
            shared(&mut input.channel, &observer, &poll, Interest::READABLE);
        }
        let mut buffer = [MaybeUninit::uninit(); 64];
        assert_eq!(input.read(&mut buffer).unwrap(), ReadOutcome::Later);
        assert!(!input.is_ready());
        rustix::io::write(&writer, b"hello").unwrap();
        assert!(wait(&mut poll));
        input.on_event();
        assert_eq!(
            input.read(&mut buffer).unwrap(),
            ReadOutcome::Bytes(b"hello")
        );
        assert_eq!(input.read(&mut buffer).unwrap(), ReadOutcome::Later);
        drop(writer);
        assert!(wait(&mut poll));
        input.on_event();
        assert_eq!(input.read(&mut buffer).unwrap(), ReadOutcome::End);
        assert!(!is_nonblocking(observer.as_fd()), "others see no change");
    }

    #[test]
    fn a_pipe_is_read_to_its_end_without_waiting_and_without_a_change_that_others_see() {
        read_a_pipe(true);
        read_a_pipe(false);
    }

    fn fill_a_pipe(own: bool) {
        let mut poll = Poll::new().unwrap();
        let (reader, writer) = pipe().unwrap();
        let observer = writer.try_clone().unwrap();
        let mut output = OutputFd::open(Fd::Owned(writer), poll.registry(), TOKEN).unwrap();
        if !own {
            let channel = output.channel.as_mut().unwrap();
            shared(channel, &observer, &poll, Interest::WRITABLE);
        }
        let mut sent = 0;
        for _ in 0..100 {
            if let Some(space) = output.space() {
                sent += 10_000;
                space.extend_from_slice(&[b'x'; 10_000]);
            }
            let _ = output.flush();
        }
        assert!(matches!(output.flush(), Flushed::Blocked));
        assert!(output.pending() < OUTPUT_BYTES_MAX + 10_000);
        let mut buffer = vec![0; 1 << 20];
        let mut received = 0;
        while received < sent {
            received += rustix::io::read(&reader, &mut buffer).unwrap();
            if received < sent {
                assert!(wait(&mut poll));
                output.on_event();
                let _ = output.flush();
            }
        }
        assert_eq!(received, sent);
        assert!(!is_nonblocking(observer.as_fd()), "others see no change");
    }

    #[test]
    fn a_reader_that_stops_costs_bounded_memory_and_no_waiting() {
        fill_a_pipe(true);
        fill_a_pipe(false);
    }

    #[test]
    fn a_reader_that_went_away_is_said_once() {
        let poll = Poll::new().unwrap();
        let (reader, writer) = pipe().unwrap();
        let mut output = OutputFd::open(Fd::Owned(writer), poll.registry(), TOKEN).unwrap();
        drop(reader);
        output.space().unwrap().extend_from_slice(b"x");
        let Flushed::Gone(error) = output.flush() else {
            panic!("written to nobody");
        };
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        output.space().unwrap().extend_from_slice(b"x");
        assert!(matches!(output.flush(), Flushed::All));
    }

    #[test]
    fn dev_null_and_files_are_always_ready() {
        let poll = Poll::new().unwrap();
        let null = open("/dev/null", OFlags::RDWR, Mode::empty()).unwrap();
        let again = null.try_clone().unwrap();
        let mut input = InputFd::open(Fd::Owned(null), poll.registry(), TOKEN).unwrap();
        assert_eq!(
            input.read(&mut [MaybeUninit::uninit(); 8]).unwrap(),
            ReadOutcome::End
        );
        let mut output = OutputFd::open(Fd::Owned(again), poll.registry(), Token(2)).unwrap();
        output.space().unwrap().extend_from_slice(b"x");
        assert!(matches!(output.flush(), Flushed::All));

        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let file = open(path, OFlags::RDONLY, Mode::empty()).unwrap();
        let mut input = InputFd::open(Fd::Owned(file), poll.registry(), Token(3)).unwrap();
        let mut buffer = [MaybeUninit::uninit(); 8];
        assert_eq!(
            input.read(&mut buffer).unwrap(),
            ReadOutcome::Bytes(b"[package")
        );
        assert!(input.is_ready());
    }
}
