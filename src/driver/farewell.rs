//! The end of a node that has left.
//!
//! What is queued for peers is written, and their ends are waited for: a socket that is closed
//! while something unread is in it is reset, and a reset destroys what is still in flight. Then
//! the outputs are written out. Both are bounded: nobody who is stuck keeps papo from ending.

use crate::node::Time;
use crate::timing;

use super::console::Request;
use super::reactor::Reactor;
use super::start_error::StartError;
use super::{STATUS_FAILED, STATUS_INTERRUPTED};

/// Something that was to be printed was not.
const STATUS_UNPRINTED: u8 = 1;

impl Reactor {
    /// Ends in good order; the result is the exit status.
    pub(super) fn farewell(mut self) -> Result<u8, StartError> {
        if let Some(keeper) = self.keeper.take() {
            let (ui, now) = (&mut self.ui, self.now);
            keeper.close(now, &mut self.node, |words| ui.warn(now, words));
        }
        self.streams.close_all(self.now.time);
        let peers_until = self.now.time + timing::FAREWELL_PEERS;
        let mut output_until = self.output_deadline();
        let mut pending = usize::MAX;
        loop {
            self.console.begin_round();
            self.streams.flush(self.now.time);
            self.flush_outputs();
            self.bury_streams();
            self.streams.forget_inputs();
            if self.console.has_work() || self.console.has_moved(pending) {
                output_until = self.output_deadline();
            }
            pending = self.console.pending();
            let Some(until) = self.waits_until(peers_until, output_until) else {
                break;
            };
            let slept = self.sleep(Some(until));
            slept.map_err(|e| StartError::System("wait for events", e))?;
            self.now = self.clock.now();
            if self.sort_events() == Some(Request::End) {
                return Ok(STATUS_INTERRUPTED);
            }
            let mut round = self.streams.round();
            while self.streams.next_in(self.now.time, &mut round).is_some() {}
        }
        let said = self.say_unprinted();
        let status = self.ui.exit_status().unwrap_or(0);
        Ok(if self.console.has_failed() {
            STATUS_FAILED
        } else {
            status.max(said)
        })
    }

    /// What nobody read is counted on stderr; the result is what that makes of the exit status.
    fn say_unprinted(&mut self) -> u8 {
        let unprinted = self.ui.unprinted();
        if unprinted == 0 {
            return 0;
        }
        self.ui.say_unprinted(unprinted);
        self.console.flush_stderr(&mut self.ui);
        STATUS_UNPRINTED
    }

    /// A reader that takes something now and then is waited for.
    fn output_deadline(&self) -> Time {
        self.now.time + timing::FAREWELL_OUTPUT
    }

    /// Until when there is something to wait for.
    fn waits_until(&self, peers_until: Time, output_until: Time) -> Option<Time> {
        if self.console.has_work() || self.streams.has_ready() {
            return Some(self.now.time);
        }
        let peers = (!self.streams.is_empty()).then_some(peers_until);
        let output = (self.console.pending() > 0).then_some(output_until);
        let waits = [peers, output].into_iter().flatten();
        waits.filter(|until| *until > self.now.time).min()
    }
}
