//! The agenda: virtual time, and what comes next.
//!
//! Time moves exactly to the next entry, never by ticks. Entries of the same time come in the order
//! in which they were made.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::rc::Rc;

use papo::node::{Closed, LinkId};

/// A run: one process from its start to its end. Numbers are never used twice.
pub type RunId = usize;
/// A stream between two processes' kernels.
pub type StreamId = usize;

/// What an entry does.
#[derive(Clone, Debug)]
pub enum Entry {
    /// The scenario's event of this number happens, or ends.
    Fault(usize),
    FaultEnds(usize),
    /// A process has its turn: something came, or its next deadline is here.
    Wake(RunId),
    /// A segment reaches the kernel at the other end.
    Arrive {
        stream: StreamId,
        dir: usize,
        no: u64,
    },
    /// A kernel sends again what was not acknowledged.
    Retransmit {
        stream: StreamId,
        dir: usize,
    },
    /// An end learns that its stream is broken.
    Notice {
        stream: StreamId,
        end: usize,
    },
    /// A connection request reaches the other host.
    Dial {
        run: RunId,
        link: LinkId,
        attempt: u32,
    },
    /// A dial ends.
    Dialled {
        run: RunId,
        link: LinkId,
        failed: Option<Closed>,
    },
    Datagram {
        to: RunId,
        from: SocketAddr,
        from_host: usize,
        bytes: Rc<[u8]>,
    },
    /// A process that has left ends, written or not.
    Exit(RunId),
    /// A liar says something of its own.
    Lie(RunId),
    /// The faults end.
    Heal,
}

#[derive(Debug)]
struct Dated {
    at: u64,
    no: u64,
    entry: Entry,
}

impl PartialEq for Dated {
    fn eq(&self, other: &Dated) -> bool {
        (self.at, self.no) == (other.at, other.no)
    }
}

impl Eq for Dated {}

impl PartialOrd for Dated {
    fn partial_cmp(&self, other: &Dated) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Dated {
    fn cmp(&self, other: &Dated) -> Ordering {
        (self.at, self.no).cmp(&(other.at, other.no))
    }
}

/// What is to come.
#[derive(Debug, Default)]
pub struct Agenda {
    now: u64,
    count: u64,
    heap: BinaryHeap<Reverse<Dated>>,
}

impl Agenda {
    pub fn now(&self) -> u64 {
        self.now
    }

    /// Adds an entry; what lies in the past happens now.
    pub fn add(&mut self, at: u64, entry: Entry) {
        self.count += 1;
        let (at, no) = (at.max(self.now), self.count);
        self.heap.push(Reverse(Dated { at, no, entry }));
    }

    /// Moves to the next entry, unless it is later than `until`: then time moves to `until`.
    pub fn next(&mut self, until: u64) -> Option<Entry> {
        if self.heap.peek().is_none_or(|Reverse(d)| d.at > until) {
            self.now = self.now.max(until);
            return None;
        }
        let Reverse(dated) = self.heap.pop()?;
        self.now = dated.at;
        Some(dated.entry)
    }
}
