//! The end of one room whose node has left: its store is closed, what is queued for its peers is written, and their
//! ends are waited for.
//!
//! Owns nothing: until when all that is waited for is `farewell`'s to say. It tells the node nothing.

use crate::node::Time;

use super::super::farewell::Peers;
use super::super::process::Process;
use super::Room;

impl Room {
    /// The node has left: nothing more is stored, and each stream ends once what waits for it is written.
    pub(in super::super) fn close(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            let (ui, now) = (&mut self.ui, self.now);
            let closing = keeper.close(now, &mut self.node, |words| ui.warn(now, words));
            self.closing = Some(closing);
        }
        self.streams.close_all();
    }

    /// Writes what waits for peers and for the user; how far the peers are then.
    pub(in super::super) fn say_farewell(&mut self, process: &mut Process) -> Peers {
        self.now = process.now();
        self.streams.flush(self.now.time);
        self.run_commands(process);
        self.flush_outputs(process.console_mut());
        self.bury_streams();
        self.streams.forget_inputs();
        if self.streams.has_ready() {
            Peers::Ready
        } else if self.streams.is_empty() {
            Peers::Gone
        } else {
            Peers::There
        }
    }

    /// Goes on closing the store; until when there is something to wait for.
    pub(in super::super) fn go_on_closing(&mut self) -> Option<Time> {
        self.closing.as_mut().and_then(|c| c.step(self.now.time))
    }

    /// Reads what peers say, so that none of their ends is missed. It means nothing any more.
    pub(in super::super) fn hear_nobody(&mut self) {
        let mut round = self.streams.round();
        while self.streams.next_in(&mut round).is_some() {}
    }
}
