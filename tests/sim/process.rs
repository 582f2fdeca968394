//! A process: one node, and what its driver keeps for it.
//!
//! Owns the timers, the sockets with their outbound queues (control before chat, bounded), and what
//! came in while the process did not run. How a turn goes is `turn`'s; bytes under way are
//! `streams`'s.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;

use papo::node::{Class, Closed, LinkId, Node, Time, Timer};
use papo::wire::{FrameReader, Key, MessageId};

use super::agenda::{RunId, StreamId};
use super::liar::Liar;
use super::scenario::Host;

/// Datagrams that a kernel keeps for a process that does not read.
pub const DATAGRAMS_KEPT: usize = 64;
/// Streams that a kernel accepts for a process that does not.
pub const BACKLOG_MAX: usize = 128;

/// Whether a process runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Running,
    /// Stopped or asleep since then.
    Stopped(u64),
    /// It has left, and writes what is queued.
    Leaving,
    Ended,
}

/// A socket of a process, from the dial or the accept on.
#[derive(Debug)]
pub struct Socket {
    /// None while the dial is under way.
    pub stream: Option<(StreamId, usize)>,
    /// The end of the dial, not yet told to the node.
    pub dialled: Option<Result<StreamId, Closed>>,
    pub to: SocketAddr,
    /// It is dialled in small segments.
    pub small: bool,
    pub reader: FrameReader,
    control: VecDeque<Rc<[u8]>>,
    chat: VecDeque<Rc<[u8]>>,
    /// The frame that is written in part, and how far.
    current: Option<(Rc<[u8]>, usize)>,
    pub queued: usize,
    pub congested: bool,
    /// The stream ends once the queue is empty.
    pub closing: bool,
    pub finished: bool,
    /// When the kernel last took a byte, or the queue was empty.
    pub moved_at: u64,
}

impl Socket {
    pub fn new(to: SocketAddr, stream: Option<(StreamId, usize)>, now: u64) -> Socket {
        Socket {
            stream,
            dialled: None,
            to,
            small: false,
            reader: FrameReader::new(),
            control: VecDeque::new(),
            chat: VecDeque::new(),
            current: None,
            queued: 0,
            congested: false,
            closing: false,
            finished: false,
            moved_at: now,
        }
    }

    pub fn queue(&mut self, class: Class, frame: Rc<[u8]>, now: u64) {
        if self.queued == 0 {
            self.moved_at = now;
        }
        self.queued += frame.len();
        match class {
            Class::Control => self.control.push_back(frame),
            Class::Chat => self.chat.push_back(frame),
        }
    }

    /// The next bytes to write, at most `room`.
    pub fn take(&mut self, room: usize, now: u64) -> Option<Vec<u8>> {
        if room == 0 {
            return None;
        }
        let (frame, from) = match self.current.take() {
            Some(current) => current,
            None => (
                self.control.pop_front().or_else(|| self.chat.pop_front())?,
                0,
            ),
        };
        let to = frame.len().min(from + room);
        let bytes = frame[from..to].to_vec();
        if to < frame.len() {
            self.current = Some((frame, to));
        }
        self.queued -= bytes.len();
        self.moved_at = now;
        Some(bytes)
    }
}

/// A line that a user wants to say.
#[derive(Clone, Debug)]
pub struct Line {
    pub text: String,
    /// A user that is not in the room yet says it all the same.
    pub early: bool,
}

/// A process.
#[derive(Debug)]
pub struct Process {
    pub host: Host,
    pub address: SocketAddr,
    pub key: Key,
    pub wants_history: bool,
    /// It keeps its history in the store of its host.
    pub stores: bool,
    /// What it took in is being stored still.
    pub is_storing: bool,
    /// It confirms what is printed; what was shown and is not printed yet, in that order.
    pub prints: bool,
    pub unprinted: VecDeque<MessageId>,
    pub printed: BTreeSet<MessageId>,
    pub started: u64,
    pub state: State,
    pub node: Node,
    /// Who speaks instead of the node, on a host that lies.
    pub liar: Option<Box<Liar>>,
    pub timers: BTreeMap<Timer, Time>,
    pub sockets: BTreeMap<LinkId, Socket>,
    /// Links whose dial has ended, which have something to read, or something to write: a turn
    /// looks at no others.
    pub dialled: BTreeSet<LinkId>,
    pub readable: BTreeSet<LinkId>,
    pub writable: BTreeSet<LinkId>,
    pub backlog: VecDeque<StreamId>,
    pub datagrams: VecDeque<(SocketAddr, Rc<[u8]>)>,
    pub lines: VecDeque<Line>,
    pub said: u64,
    /// Leaves by itself once everything is said.
    pub one_shot: bool,
    pub leave_asked: bool,
    /// When it leaves whatever is not confirmed, if it was asked to.
    pub leaves_at_latest: u64,
    /// It was away, and does not know yet.
    pub away: bool,
    /// The event that stopped it.
    pub stopped_by: usize,
    /// Queues that became full (true) or empty again, not yet told to the node.
    pub congested: Vec<(LinkId, bool)>,
    /// When a queue last was full.
    pub congested_at: Option<u64>,
    /// Since when frames of another run have come without too long a silence, and when the last one
    /// came.
    pub heard: BTreeMap<RunId, (u64, u64)>,
    /// The turn that is on the agenda.
    pub wake: Option<u64>,
    /// The last time when it was stopped, or went on.
    pub disturbed: u64,
    /// Inputs within this virtual millisecond, and turns within this microsecond.
    pub busy: (u64, u32),
    pub turns: (u64, u32),
    /// All turns so far in which there was something to do.
    pub turns_taken: u64,
    pub wakes: u64,
}

impl Process {
    pub fn is_alive(&self) -> bool {
        matches!(self.state, State::Running | State::Stopped(_))
    }

    pub fn is_running(&self) -> bool {
        self.state == State::Running
    }

    /// A process exists, and its kernel listens for it.
    pub fn listens(&self) -> bool {
        self.is_alive()
    }

    /// It is printed, or need not be before it is confirmed.
    pub fn is_printed(&self, id: MessageId) -> bool {
        !self.prints || self.printed.contains(&id)
    }

    /// Frames of that run have come for `long`, the last one within `long`.
    pub fn hears(&self, from: RunId, now: u64, long: u64) -> bool {
        let heard = self.heard.get(&from);
        heard.is_some_and(|(since, last)| since + long <= now && last + long >= now)
    }

    /// A frame of that run has come within `long`.
    pub fn has_heard_within(&self, from: RunId, now: u64, long: u64) -> bool {
        let heard = self.heard.get(&from);
        heard.is_some_and(|(_, last)| last + long > now)
    }

    pub fn next_deadline(&self) -> Option<u64> {
        self.timers.values().map(|t| t.0).min()
    }

    /// The timers that are due, the earliest first.
    pub fn due(&self, now: u64) -> Vec<(Time, Timer)> {
        let mut due: Vec<(Time, Timer)> = self
            .timers
            .iter()
            .filter(|(_, at)| at.0 <= now)
            .map(|(timer, at)| (*at, *timer))
            .collect();
        due.sort();
        due
    }

    /// Lines are read while no queue is over half full, not counting a peer that takes nothing.
    pub fn takes_lines(&self, now: u64, queue_max: usize) -> bool {
        self.sockets
            .values()
            .all(|s| s.queued <= queue_max / 2 || now.saturating_sub(s.moved_at) >= 100_000)
    }
}
