//! What becomes of those whom a lesson cuts off: their datagrams are lost, their streams stand still, and nobody answers
//! who dials them.
//!
//! Owns nothing: who is cut off is for the lesson to say. In a process that is of no lesson nothing here does anything.

use super::super::super::carrier::Wake;
use super::Room;

impl Room {
    /// Does what the lesson wants of the network.
    pub(super) fn follow_cuts(&mut self) {
        let Some(cuts) = &mut self.cuts else {
            return;
        };
        for (peer, is_cut) in cuts.look(self.now.time) {
            let fate = if is_cut { "cut" } else { "healed" };
            self.tracing.fate(self.now, fate, peer);
        }
        self.wheel.set(Wake::Cuts, cuts.look_at());
        let (cuts, node) = (&*cuts, &self.node);
        self.streams.stall(|link, at| {
            let mut open = node.open_links();
            let peer = open.find(|(_, of)| *of == link);
            cuts.has(peer.map(|(key, _)| key), at)
        });
    }
}
