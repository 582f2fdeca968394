//! A poll of a room's own, which the process's poll watches among its other sources.
//!
//! Owns that poll and its events. The first room of the reactor has none: its sources are in the process's poll, so
//! that one room costs nothing that it did not cost alone. It takes no event apart.

use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};

/// Events taken in one turn; more wait in the kernel.
const EVENTS_MAX: usize = 256;

/// The poll of one room.
pub(in crate::driver) struct OwnPoll {
    poll: Poll,
    events: Events,
    /// The number by which the process's poll names this one.
    token: Token,
    /// Something may have happened that was not looked at.
    is_woken: bool,
}

impl OwnPoll {
    /// A poll that the process's poll watches under this number.
    pub(in crate::driver) fn open(process: &Registry, token: Token) -> io::Result<OwnPoll> {
        let poll = Poll::new()?;
        let fd = poll.as_raw_fd();
        process.register(&mut SourceFd(&fd), token, Interest::READABLE)?;
        Ok(OwnPoll {
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            token,
            is_woken: true,
        })
    }

    /// What watches sources for this room.
    pub(in crate::driver) fn registry(&self) -> io::Result<Registry> {
        self.poll.registry().try_clone()
    }

    /// True if the process's poll names this one so.
    pub(in crate::driver) fn is(&self, token: Token) -> bool {
        self.token == token
    }

    /// The process's poll has said that something happened here.
    pub(in crate::driver) fn wake(&mut self) {
        self.is_woken = true;
    }

    /// True if more may wait than was taken.
    pub(in crate::driver) fn is_woken(&self) -> bool {
        self.is_woken
    }

    /// Takes in what has happened.
    pub(in crate::driver) fn sort_events(&mut self, mut take: impl FnMut(&Event)) {
        if !std::mem::take(&mut self.is_woken) {
            return;
        }
        match self.poll.poll(&mut self.events, Some(Duration::ZERO)) {
            Err(e) if e.kind() == ErrorKind::Interrupted => return self.is_woken = true,
            Err(e) => return log::error!("cannot wait for events: {e}"),
            Ok(()) => {}
        }
        let mut count = 0;
        for event in &self.events {
            count += 1;
            take(event);
        }
        // The process's poll tells of what is new only.
        self.is_woken = count == EVENTS_MAX;
    }

    /// The process's poll watches it no more.
    pub(in crate::driver) fn close(&self, process: &Registry) {
        let fd = self.poll.as_raw_fd();
        // It is closed in any case.
        let _ = process.deregister(&mut SourceFd(&fd));
    }
}
