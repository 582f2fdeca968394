//! Streams as kernels carry them: two directions each, and ends that learn of a break at different times.
//!
//! Owns which streams there are, who holds their ends, and what has arrived there and was not read. What is
//! under way in one direction is `direction`'s. Nothing here looks into the bytes. What a process queues before
//! its kernel takes it is `process`'s.

#[path = "breaks.rs"]
mod breaks;

use std::collections::VecDeque;
use std::net::SocketAddr;

use papo::node::LinkId;

use super::agenda::{Agenda, Entry, RunId, StreamId};
use super::direction::{Direction, Segment};
use super::fate::{About, Fate};
use super::paths::Paths;
use super::scenario::{Host, MS, Network, SECOND};

/// One end of a stream.
#[derive(Debug)]
pub struct End {
    pub host: Host,
    /// The process that holds it; None once that closed it or died.
    pub owner: Option<RunId>,
    /// The process that held it first.
    pub opener: RunId,
    /// The process's name for it; None while it waits to be accepted.
    pub link: Option<LinkId>,
    received: VecDeque<u8>,
    fin: bool,
    reset: bool,
    /// Writing is answered with a reset: the other end is gone, and nobody said so yet.
    half_open: bool,
}

/// A stream.
#[derive(Debug)]
pub struct Stream {
    pub ends: [End; 2],
    /// Where the dialler dialled from.
    pub from: SocketAddr,
    /// Each from the end of the same number to the other.
    dirs: [Direction; 2],
}

/// What a read gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    Bytes(Vec<u8>),
    Nothing,
    Ended,
}

/// All streams.
#[derive(Debug)]
pub struct Streams {
    all: Vec<Option<Stream>>,
    /// Who has something to read since this was last taken.
    ready: Vec<(RunId, LinkId)>,
    fate: Fate,
    network: Network,
}

impl Streams {
    pub fn new(fate: Fate, network: Network) -> Streams {
        Streams {
            all: Vec::new(),
            ready: Vec::new(),
            fate,
            network,
        }
    }

    pub fn take_ready(&mut self) -> Vec<(RunId, LinkId)> {
        std::mem::take(&mut self.ready)
    }

    pub fn get(&self, id: StreamId) -> Option<&Stream> {
        self.all.get(id)?.as_ref()
    }

    /// A new stream, dialled by end 0. End 1 waits to be accepted by `to`.
    pub fn open(
        &mut self,
        from: (Host, RunId, LinkId, SocketAddr),
        to: (Host, RunId),
        small: bool,
    ) -> StreamId {
        let end = |host, owner, link| End {
            host,
            owner: Some(owner),
            opener: owner,
            link,
            received: VecDeque::new(),
            fin: false,
            reset: false,
            half_open: false,
        };
        self.all.push(Some(Stream {
            ends: [end(from.0, from.1, Some(from.2)), end(to.0, to.1, None)],
            from: from.3,
            dirs: [Direction::new(small), Direction::new(small)],
        }));
        self.all.len() - 1
    }

    pub fn accept(&mut self, id: StreamId, link: LinkId) {
        if let Some(stream) = &mut self.all[id] {
            stream.ends[1].link = Some(link);
        }
    }

    /// How many bytes the kernel takes now.
    pub fn room(&self, id: StreamId, end: usize) -> usize {
        let Some(stream) = self.get(id) else {
            return 0;
        };
        let dir = &stream.dirs[end];
        if dir.is_broken() {
            // A kernel whose stream is broken unnoticed takes what fits, and it is lost.
            return self.network.send_buffer;
        }
        self.network.send_buffer.saturating_sub(dir.used())
    }

    /// Bytes under way in one direction.
    pub fn under_way(&self, id: StreamId, end: usize) -> usize {
        self.get(id).map_or(0, |s| s.dirs[end].used())
    }

    /// The process at `end` writes; at most [`Streams::room`] bytes.
    pub fn write(
        &mut self,
        id: StreamId,
        end: usize,
        bytes: &[u8],
        paths: &Paths,
        agenda: &mut Agenda,
    ) {
        let Some(stream) = &mut self.all[id] else {
            return;
        };
        let dir = &mut stream.dirs[end];
        if dir.is_broken() {
            if stream.ends[end].half_open {
                stream.ends[end].half_open = false;
                let at = agenda.now() + 2 * self.network.latency.1;
                agenda.add(at, Entry::Notice { stream: id, end });
            }
            return;
        }
        dir.write(bytes);
        self.pump(id, end, paths, agenda);
    }

    /// What the process at `end` reads, at most `limit` bytes.
    pub fn read(
        &mut self,
        id: StreamId,
        end: usize,
        limit: usize,
        paths: &Paths,
        agenda: &mut Agenda,
    ) -> Read {
        let Some(stream) = &mut self.all[id] else {
            return Read::Ended;
        };
        let at = &mut stream.ends[end];
        if at.received.is_empty() {
            return if at.fin || at.reset {
                Read::Ended
            } else {
                Read::Nothing
            };
        }
        let count = limit.min(at.received.len());
        let bytes: Vec<u8> = at.received.drain(..count).collect();
        self.pump(id, 1 - end, paths, agenda);
        Read::Bytes(bytes)
    }

    pub fn is_readable(&self, id: StreamId, end: usize) -> bool {
        self.get(id).is_some_and(|s| {
            let end = &s.ends[end];
            !end.received.is_empty() || end.fin || end.reset
        })
    }

    /// The process at `end` says that it writes no more.
    pub fn finish(&mut self, id: StreamId, end: usize, paths: &Paths, agenda: &mut Agenda) {
        if let Some(stream) = &mut self.all[id] {
            stream.dirs[end].finish();
            self.pump(id, end, paths, agenda);
        }
    }

    /// The process at `end` closes the stream, or is gone and its kernel does.
    pub fn close(&mut self, id: StreamId, end: usize, paths: &Paths, agenda: &mut Agenda) {
        let Some(stream) = &mut self.all[id] else {
            return;
        };
        let at = &mut stream.ends[end];
        at.owner = None;
        let unread = !std::mem::take(&mut at.received).is_empty();
        if unread {
            // A reset: what was not delivered yet is lost in part.
            self.break_at(id, end, paths, agenda);
        } else {
            stream.dirs[end].finish();
            self.pump(id, end, paths, agenda);
        }
        self.forget_if_over(id);
    }

    /// Turns what the kernel took into segments, as far as the receiver's buffer allows.
    fn pump(&mut self, id: StreamId, end: usize, paths: &Paths, agenda: &mut Agenda) {
        let Some(stream) = &mut self.all[id] else {
            return;
        };
        let (from, to) = (stream.ends[end].host, stream.ends[1 - end].host);
        let waiting = stream.ends[1 - end].received.len();
        let rate = rate(&self.network, paths, (from, to));
        let (low, high) = self.network.latency;
        let draw = |no| {
            let (stream, end) = (id as u64, end as u64);
            let size = self.fate.bits(About::SegmentSize, stream, end, no);
            let latency = self
                .fate
                .between(About::Latency, (stream, end, no), low, high);
            (size, latency)
        };
        let now = agenda.now();
        let dir = &mut stream.dirs[end];
        for (at, no) in dir.send((now, rate), waiting, &self.network, draw) {
            let (stream, dir) = (id, end);
            agenda.add(at, Entry::Arrive { stream, dir, no });
        }
    }

    /// Paths may be faster than before: what waits to leave for them does so at the new speed.
    pub fn hasten(&mut self, paths: &Paths, agenda: &mut Agenda) {
        for (id, stream) in self.all.iter_mut().enumerate() {
            let Some(stream) = stream else {
                continue;
            };
            for end in 0..2 {
                let pair = (stream.ends[end].host, stream.ends[1 - end].host);
                let rate = rate(&self.network, paths, pair);
                for (at, no) in stream.dirs[end].hasten(agenda.now(), rate) {
                    let (stream, dir) = (id, end);
                    agenda.add(at, Entry::Arrive { stream, dir, no });
                }
            }
        }
    }

    /// A segment arrives, or is lost. Returns whose turn it is.
    pub fn arrive(
        &mut self,
        (id, end, no): (StreamId, usize, u64),
        paths: &Paths,
        agenda: &mut Agenda,
    ) -> Vec<RunId> {
        let Some(stream) = &mut self.all[id] else {
            return Vec::new();
        };
        let (from, to) = (stream.ends[end].host, stream.ends[1 - end].host);
        let dir = &mut stream.dirs[end];
        if !dir.awaits(no) {
            return Vec::new();
        }
        let lost = paths.segment_loss;
        let lost = self
            .fate
            .chance(About::SegmentLost, id as u64, end as u64, no, lost);
        let lost = lost || is_eaten(dir, paths, (from, to));
        if lost || !paths.carries(from, to) {
            dir.stall();
            self.retransmit_later(id, end, agenda);
            return Vec::new();
        }
        self.deliver(id, end, 1, paths, agenda)
    }

    fn retransmit_later(&mut self, id: StreamId, end: usize, agenda: &mut Agenda) {
        if let Some(stream) = &mut self.all[id] {
            let at = agenda.now() + stream.dirs[end].next_pause();
            let (stream, dir) = (id, end);
            agenda.add(at, Entry::Retransmit { stream, dir });
        }
    }

    /// A kernel tries again. Returns whose turn it is.
    pub fn retransmit(
        &mut self,
        id: StreamId,
        end: usize,
        paths: &Paths,
        agenda: &mut Agenda,
    ) -> Vec<RunId> {
        let Some(stream) = &mut self.all[id] else {
            return Vec::new();
        };
        let (from, to) = (stream.ends[end].host, stream.ends[1 - end].host);
        let dir = &mut stream.dirs[end];
        if !dir.is_stuck() {
            return Vec::new();
        }
        if !paths.both_ways(from, to) || is_eaten(dir, paths, (from, to)) {
            if !paths.is_up(from) {
                // The timers of a machine that sleeps stand still; what lost its power is broken.
                dir.shorten_pause();
            }
            if stream.ends[end].owner.is_some() || dir.is_flying() {
                self.retransmit_later(id, end, agenda);
            }
            return Vec::new();
        }
        dir.resume();
        let count = dir.flying();
        let mut turns = self.deliver(id, end, count, paths, agenda);
        turns.extend(self.get(id).and_then(|s| s.ends[end].owner));
        self.pump(id, end, paths, agenda);
        turns
    }

    fn deliver(
        &mut self,
        id: StreamId,
        end: usize,
        count: usize,
        paths: &Paths,
        agenda: &mut Agenda,
    ) -> Vec<RunId> {
        let Some(stream) = &mut self.all[id] else {
            return Vec::new();
        };
        let (from, to) = (stream.ends[end].host, stream.ends[1 - end].host);
        let acknowledged = paths.carries(to, from);
        let dir = &mut stream.dirs[end];
        let receiver = &mut stream.ends[1 - end];
        let mut answered = false;
        for _ in 0..count {
            if is_eaten(dir, paths, (from, to)) {
                dir.stall();
                break;
            }
            let Some(segment) = dir.take() else {
                break;
            };
            if receiver.owner.is_none() {
                // Nobody holds the other end: a reset comes back.
                answered = true;
                continue;
            }
            if !acknowledged {
                dir.miss_acknowledgement(segment.bytes.len());
            }
            receiver.received.extend(segment.bytes);
            receiver.fin |= segment.fin;
        }
        if answered {
            dir.break_off();
            if stream.ends[end].owner.is_some() {
                let at = agenda.now() + self.network.latency.1;
                agenda.add(at, Entry::Notice { stream: id, end });
            }
            self.forget_if_over(id);
            return Vec::new();
        }
        let mut turns = Vec::new();
        turns.extend(receiver.owner);
        self.ready.extend(receiver.owner.zip(receiver.link));
        let is_stalled = dir.is_stalled();
        if acknowledged {
            turns.extend(stream.ends[end].owner);
        } else if dir.is_unacknowledged() {
            self.retransmit_later(id, end, agenda);
        }
        if is_stalled && acknowledged {
            self.retransmit_later(id, end, agenda);
        }
        self.pump(id, end, paths, agenda);
        self.forget_if_over(id);
        turns
    }

    fn forget_if_over(&mut self, id: StreamId) {
        let over = self.get(id).is_some_and(|s| {
            let dead = |end: usize| {
                s.ends[end].owner.is_none() && (s.dirs[end].is_broken() || s.dirs[end].used() == 0)
            };
            dead(0) && dead(1)
        });
        if over {
            self.all[id] = None;
        }
    }

    /// The streams with an end at this process.
    pub fn of(&self, run: RunId) -> Vec<(StreamId, usize)> {
        let mut found = Vec::new();
        for (id, stream) in self.all.iter().enumerate() {
            for end in 0..2 {
                if stream
                    .as_ref()
                    .is_some_and(|s| s.ends[end].owner == Some(run))
                {
                    found.push((id, end));
                }
            }
        }
        found
    }

    /// The streams between two hosts.
    pub fn between(&self, a: Host, b: Host) -> Vec<StreamId> {
        let hosts = |s: &Stream| (s.ends[0].host, s.ends[1].host);
        (0..self.all.len())
            .filter(|id| {
                self.get(*id)
                    .is_some_and(|s| hosts(s) == (a, b) || hosts(s) == (b, a))
            })
            .collect()
    }
}

/// Bytes a second from one host to another.
fn rate(network: &Network, paths: &Paths, (from, to): (Host, Host)) -> u64 {
    paths.slow(from, to).unwrap_or(network.rate)
}

/// The segment whose turn it is gets lost, whenever it is sent.
fn is_eaten(dir: &Direction, paths: &Paths, (from, to): (Host, Host)) -> bool {
    paths.eats_large(from, to) && dir.is_large()
}

#[cfg(test)]
#[path = "streams_test.rs"]
mod tests;
