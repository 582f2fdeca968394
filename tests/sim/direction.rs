//! One direction of a stream, as the kernel of its sender sees it: what is not sent yet, what is under way,
//! and when what was lost is sent again.
//!
//! Owns the bytes from the writer to the other end's kernel. Which path they take, what gets lost on it and
//! what the other end does with them is `streams`'s.

use std::collections::VecDeque;

use super::scenario::{MS, Network, SECOND};

/// The first retransmission comes after this, each further one after twice the last.
const RETRANSMIT_FIRST: u64 = 200 * MS;
const RETRANSMIT_LONGEST: u64 = 60 * SECOND;
/// Bytes that a kernel sends on without any acknowledgement.
const UNACKNOWLEDGED_MAX: usize = 14_600;
/// Bytes of a segment of a stream that was dialled in small ones.
const SMALL_SEGMENT: usize = 524;
/// Bytes of the largest segment that gets through a path on which large packets vanish.
const LARGEST_THAT_PASSES: usize = 948;

/// Bytes that are under way together.
#[derive(Debug)]
pub struct Segment {
    no: u64,
    pub bytes: Vec<u8>,
    /// From when to when it leaves its sender, and when it arrives.
    begins: u64,
    leaves: u64,
    arrives: u64,
    /// Nothing comes after it.
    pub fin: bool,
}

/// When a segment arrives, and its number.
pub type Arrival = (u64, u64);

/// One direction of a stream.
#[derive(Debug)]
pub struct Direction {
    /// Its segments are small.
    small: bool,
    unsent: VecDeque<u8>,
    fin_wanted: bool,
    fin_sent: bool,
    flying: VecDeque<Segment>,
    flying_bytes: usize,
    /// Bytes that arrived, but whose acknowledgement did not.
    unacknowledged: usize,
    sent: u64,
    free_at: u64,
    last_arrival: u64,
    stalled: bool,
    retransmit_after: u64,
    /// Nothing arrives any more.
    broken: bool,
}

impl Direction {
    pub fn new(small: bool) -> Direction {
        Direction {
            small,
            unsent: VecDeque::new(),
            fin_wanted: false,
            fin_sent: false,
            flying: VecDeque::new(),
            flying_bytes: 0,
            unacknowledged: 0,
            sent: 0,
            free_at: 0,
            last_arrival: 0,
            stalled: false,
            retransmit_after: RETRANSMIT_FIRST,
            broken: false,
        }
    }

    /// Bytes that the kernel of the sender keeps.
    pub fn used(&self) -> usize {
        self.unsent.len() + self.flying_bytes + self.unacknowledged
    }

    /// True if nothing arrives any more.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Nothing arrives any more, and the kernel keeps nothing.
    pub fn break_off(&mut self) {
        self.broken = true;
        self.unsent.clear();
        self.flying.clear();
        self.flying_bytes = 0;
        self.unacknowledged = 0;
    }

    /// Nothing arrives any more, and the kernel does not know.
    pub fn lose_all(&mut self) {
        self.broken = true;
    }

    /// The process writes.
    pub fn write(&mut self, bytes: &[u8]) {
        self.unsent.extend(bytes);
    }

    /// The process writes no more.
    pub fn finish(&mut self) {
        self.fin_wanted = true;
    }

    /// Turns what was written into segments, as far as the receiver, who has not read so many bytes yet,
    /// has room. Each draws one number for its size and one for its latency. Returns their arrivals.
    pub fn send(
        &mut self,
        (now, rate): (u64, u64),
        unread: usize,
        network: &Network,
        draw: impl Fn(u64) -> (u64, u64),
    ) -> Vec<Arrival> {
        let mut arrivals = Vec::new();
        while !self.broken && !self.fin_sent && self.unacknowledged <= UNACKNOWLEDGED_MAX {
            let taken = unread + self.flying_bytes;
            let window = network.receive_buffer.saturating_sub(taken);
            let (fate, latency) = draw(self.sent);
            let largest = self.largest(fate);
            let count = self.unsent.len().min(window).min(largest);
            let fin = self.fin_wanted && count == self.unsent.len();
            if count == 0 && !fin {
                break;
            }
            let bytes: Vec<u8> = self.unsent.drain(..count).collect();
            let begins = self.free_at.max(now);
            self.free_at = begins + (count as u64 * SECOND) / rate.max(1);
            self.last_arrival = (self.last_arrival + 1).max(self.free_at + latency);
            let no = self.sent;
            self.sent += 1;
            self.fin_sent = fin;
            self.flying_bytes += count;
            let (leaves, arrives) = (self.free_at, self.last_arrival);
            self.flying.push_back(Segment {
                no,
                bytes,
                begins,
                leaves,
                arrives,
                fin,
            });
            arrivals.push((self.last_arrival, no));
        }
        arrivals
    }

    /// The path may be faster than before: what has not left yet leaves at this rate, the rest of what is just
    /// leaving included. Returns the arrivals that are sooner now; those that were told before find nothing.
    pub fn hasten(&mut self, now: u64, rate: u64) -> Vec<Arrival> {
        let mut arrivals = Vec::new();
        let (mut free_at, mut last_arrival) = (now, now);
        for segment in self.flying.iter_mut().filter(|_| !self.broken) {
            let (begins, leaves, arrives) = (segment.begins, segment.leaves, segment.arrives);
            if leaves > now {
                let left = (leaves - begins.max(now)) as u128 * segment.bytes.len() as u128;
                let left = (left / u128::from((leaves - begins).max(1))) as u64;
                segment.begins = free_at;
                segment.leaves = leaves.min(free_at + left * SECOND / rate.max(1));
                let sooner = segment.leaves + (arrives - leaves);
                segment.arrives = arrives.min(sooner.max(last_arrival + 1));
                if segment.arrives < arrives {
                    arrivals.push((segment.arrives, segment.no));
                }
            }
            (free_at, last_arrival) = (now.max(segment.leaves), segment.arrives);
        }
        if let Some(last) = self.flying.back() {
            (self.free_at, self.last_arrival) = (last.leaves, last.arrives);
        }
        arrivals
    }

    /// How large the next segment may be.
    fn largest(&self, fate: u64) -> usize {
        let largest = match fate % 8 {
            0 => 1 + (fate >> 8) as usize % 20,
            1 => 1_448,
            _ => 16 * 1_448,
        };
        if self.small {
            largest.min(SMALL_SEGMENT)
        } else {
            largest
        }
    }

    /// True if it is this segment's turn to arrive.
    pub fn awaits(&self, no: u64) -> bool {
        let is_next = self.flying.front().is_some_and(|s| s.no == no);
        is_next && !self.broken && !self.stalled
    }

    /// True if the segment whose turn it is does not get through a path on which large packets vanish.
    pub fn is_large(&self) -> bool {
        let front = self.flying.front();
        front.is_some_and(|s| s.bytes.len() > LARGEST_THAT_PASSES)
    }

    /// The segment whose turn it is got lost: nothing arrives before it is sent again.
    pub fn stall(&mut self) {
        self.stalled = true;
    }

    pub fn is_stalled(&self) -> bool {
        self.stalled
    }

    /// The segment whose turn it is arrives.
    pub fn take(&mut self) -> Option<Segment> {
        let segment = self.flying.pop_front()?;
        self.flying_bytes -= segment.bytes.len();
        Some(segment)
    }

    /// So many bytes arrived, and their acknowledgement did not.
    pub fn miss_acknowledgement(&mut self, bytes: usize) {
        self.unacknowledged += bytes;
    }

    /// True if the kernel waits for the acknowledgement of something that arrived.
    pub fn is_unacknowledged(&self) -> bool {
        self.unacknowledged > 0
    }

    /// True if something is under way.
    pub fn is_flying(&self) -> bool {
        !self.flying.is_empty()
    }

    /// How many segments are under way.
    pub fn flying(&self) -> usize {
        self.flying.len()
    }

    /// True if a retransmission is of use.
    pub fn is_stuck(&self) -> bool {
        !self.broken && (self.stalled || self.unacknowledged > 0)
    }

    /// The path is free again, for all that is under way.
    pub fn resume(&mut self) {
        self.stalled = false;
        self.unacknowledged = 0;
        self.retransmit_after = RETRANSMIT_FIRST;
    }

    /// The pauses between retransmissions begin anew.
    pub fn shorten_pause(&mut self) {
        self.retransmit_after = RETRANSMIT_FIRST;
    }

    /// How long the kernel waits before it sends again; longer each time.
    pub fn next_pause(&mut self) -> u64 {
        let pause = self.retransmit_after;
        self.retransmit_after = (pause * 2).min(RETRANSMIT_LONGEST);
        pause
    }
}
