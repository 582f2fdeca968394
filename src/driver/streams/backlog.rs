//! What is queued for all peers together.
//!
//! Owns the count of its bytes, and which streams have so much queued that the writer waits for them. The
//! queues themselves are the streams'.

use std::collections::BTreeSet;

use crate::limits::QUEUE_BYTES_MAX;

/// Above this much queued for a peer, stdin waits for it. Far below the limit: what waits in a queue
/// is late, and everything that depends on it has to wait for it at others.
const QUEUE_BYTES_HIGH: usize = QUEUE_BYTES_MAX / 8;

/// What is queued for all peers.
#[derive(Debug, Default)]
pub(super) struct SendQueues {
    bytes: u64,
    /// Streams with so much queued that stdin waits.
    high: BTreeSet<usize>,
}

impl SendQueues {
    /// So many bytes more are queued for this stream, so many in all now.
    pub(super) fn grow(&mut self, slot: usize, by: usize, queued: usize) {
        self.bytes += by as u64;
        if queued > QUEUE_BYTES_HIGH {
            self.high.insert(slot);
        }
    }

    /// So many bytes fewer are queued for this stream, so many in all now.
    pub(super) fn shrink(&mut self, slot: usize, by: usize, queued: usize) {
        self.bytes -= by as u64;
        if queued <= QUEUE_BYTES_HIGH {
            self.high.remove(&slot);
        }
    }

    /// Bytes queued for all peers.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The streams for which stdin waits.
    pub(super) fn high(&self) -> impl Iterator<Item = usize> {
        self.high.iter().copied()
    }
}
