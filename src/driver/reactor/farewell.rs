//! The end of the nodes of a process, once all have left.
//!
//! What is queued for peers is written, and their ends are waited for: a socket that is closed
//! while something unread is in it is reset, and a reset destroys what is still in flight. Then
//! the outputs are written out. Both are bounded: nobody who is stuck keeps papo from ending.
//!
//! Owns until when each of the two is waited for, and the commands that run still. How a room ends for itself is
//! the room's.

use crate::node::Time;
use crate::timing;
use crate::ui::Ui;

use super::super::console::Console;
use super::super::runner::Runner;
use super::super::status::STATUS_UNPRINTED;

/// Until when peers and readers are waited for.
#[derive(Debug)]
pub(super) struct Farewell {
    peers_until: Time,
    runs_until: Time,
    output_until: Time,
    /// Until when a reader that takes something now and then is waited for, if not for as long as it does.
    output_ends: Option<Time>,
    /// A reader took something meanwhile.
    was_read: bool,
    /// What the outputs had not taken after the last round.
    pending: usize,
}

impl Farewell {
    /// The wait begins now; `ends_at` is when a pipe's end is to be over, if this is one.
    pub(super) fn new(now: Time, ends_at: Option<Time>) -> Farewell {
        let output_until = now + timing::FAREWELL_OUTPUT;
        Farewell {
            peers_until: now + timing::FAREWELL_PEERS,
            runs_until: now + timing::FAREWELL_RUNS,
            output_until,
            output_ends: ends_at.map(|at| at.max(output_until)),
            was_read: false,
            pending: 0,
        }
    }

    /// After a round of writing: a reader that takes something now and then is waited for.
    pub(super) fn on_round(&mut self, now: Time, console: &Console) {
        let has_moved = console.has_moved(self.pending);
        self.was_read |= has_moved;
        if has_moved || console.has_work() {
            let until = now + timing::FAREWELL_OUTPUT;
            self.output_until = self.output_ends.map_or(until, |ends| ends.min(until));
        }
        self.pending = console.pending();
    }

    /// Until when there is something to wait for.
    pub(super) fn waits_until(
        &self,
        now: Time,
        console: &Console,
        peers: Peers,
        runner: &Runner,
    ) -> Option<Time> {
        let is_over = self.output_ends.is_some_and(|ends| ends <= now);
        if (console.has_work() && !is_over) || peers == Peers::Ready {
            return Some(now);
        }
        let peers = (peers != Peers::Gone).then_some(self.peers_until);
        let output = (console.pending() > 0).then_some(self.output_until);
        let runs = runner.is_busy().then_some(self.runs_until);
        let waits = [peers, output, runs].into_iter().flatten();
        waits.filter(|until| *until > now).min()
    }
}

/// How far the peers of a room are that has left.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Peers {
    /// There are none any more.
    Gone,
    /// Some have not ended yet.
    There,
    /// Something is to be read or written at once.
    Ready,
}

impl Farewell {
    /// What nobody read is counted on stderr, unless that was said when it was skipped; the result is what that makes
    /// of the exit status. Of a stdout that failed nothing is said here, and of a reader that went away nothing at all:
    /// it knows that.
    pub(super) fn say_unprinted(&self, ui: &mut Ui, console: &mut Console) -> u8 {
        let unprinted = ui.unprinted();
        if console.failure().is_some() {
            return 0;
        }
        if unprinted == 0 {
            return if ui.has_skipped() {
                STATUS_UNPRINTED
            } else {
                0
            };
        }
        match self.was_read && self.output_ends.is_some() {
            true => ui.say_read_late(unprinted),
            false => ui.say_unprinted(unprinted),
        }
        console.flush_stderr(ui);
        STATUS_UNPRINTED
    }
}
