//! Streams that a lesson holds up, as a network does that is cut: nothing is read, nothing is written, and nobody is told.
//!
//! Owns nothing: it moves what the streams have. Whose streams these are is for the lesson to say, and in a process
//! that is of none nobody calls this.

use std::net::SocketAddr;

use crate::node::LinkId;

use super::Streams;

impl Streams {
    /// Holds up those streams of which this is so, by link and peer's address, and lets all others go on.
    pub(in crate::driver) fn stall(&mut self, is_cut: impl Fn(LinkId, SocketAddr) -> bool) {
        let slots: Vec<usize> = self.pool.iter().map(|(slot, _)| slot).collect();
        for slot in slots {
            let stream = &mut self.pool[slot];
            let stalls = is_cut(stream.link(), stream.peer());
            if stream.set_stalled(stalls) && !stalls {
                // Whatever has come meanwhile is read, and what has waited is written.
                self.pool.list(slot);
                self.pool.mark_dirty(slot);
            }
        }
    }
}
