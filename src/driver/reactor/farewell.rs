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

use super::super::console::{Console, SignalRequest};
use super::super::runner::Runner;
use super::super::start_error::StartError;
use super::super::status::{STATUS_FAILED, STATUS_INTERRUPTED, STATUS_UNPRINTED};
use super::Reactor;
use super::room::Room;

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

impl Reactor {
    /// Ends in good order; the result is the exit status. What is queued for peers is written, and their
    /// ends are waited for; then the outputs are written out.
    pub(super) fn farewell(mut self) -> Result<u8, StartError> {
        self.rooms.iter_mut().for_each(Room::close);
        let ends_at = self.rooms.iter().map(|room| room.ui().ends_at());
        // As long as the longest takes.
        let ends_at = ends_at.max_by_key(|at| (at.is_none(), *at)).flatten();
        let mut farewell = Farewell::new(self.process.now().time, ends_at);
        loop {
            self.process.console_mut().begin_round();
            let (mut peers, mut closed) = (Peers::Gone, None);
            for room in self.rooms.iter_mut() {
                peers = peers.max(room.say_farewell(&mut self.process));
            }
            let (now, console) = (self.process.now().time, self.process.console());
            farewell.on_round(now, console);
            let until = farewell.waits_until(now, console, peers, self.process.runner());
            for room in self.rooms.iter_mut() {
                closed = [closed, room.go_on_closing()].into_iter().flatten().min();
            }
            let Some(until) = [until, closed].into_iter().flatten().min() else {
                break;
            };
            self.process.wait(until)?;
            if self.sort_events() == Some(SignalRequest::End) {
                return Ok(STATUS_INTERRUPTED);
            }
            self.rooms.iter_mut().for_each(Room::hear_nobody);
        }
        Ok(self.exit_status(&farewell))
    }

    /// What papo ends with: the worst of what its rooms end with.
    fn exit_status(&mut self, farewell: &Farewell) -> u8 {
        let (mut status, mut unrun) = (self.worst, self.process.runner().running() as u64);
        let console = self.process.console_mut();
        for room in self.rooms.iter_mut() {
            let ui = room.ui_mut();
            unrun += ui.waiting_runs();
            status = status.max(ui.exit_status().unwrap_or(0));
        }
        let mut said = u8::from(unrun > 0);
        let has_terminal = console.has_terminal();
        let front = self.rooms.front();
        for (n, room) in self.rooms.iter_mut().enumerate() {
            let ui = room.ui_mut();
            if n == 0 && unrun > 0 {
                ui.say_unrun(unrun);
                console.flush_stderr(ui);
            }
            // What a terminal has not shown since another room was seen is missed by nobody.
            if n == front || !has_terminal {
                said = said.max(farewell.say_unprinted(ui, console));
            }
        }
        if console.has_failed() {
            STATUS_FAILED
        } else if console.is_stdin_left() {
            status.max(STATUS_UNPRINTED)
        } else {
            status.max(said)
        }
    }
}

impl Farewell {
    /// What nobody read is counted on stderr; the result is what that makes of the exit status.
    fn say_unprinted(&self, ui: &mut Ui, console: &mut Console) -> u8 {
        let unprinted = ui.unprinted();
        if unprinted == 0 {
            return 0;
        }
        match self.was_read && self.output_ends.is_some() {
            true => ui.say_read_late(unprinted),
            false => ui.say_unprinted(unprinted),
        }
        console.flush_stderr(ui);
        STATUS_UNPRINTED
    }
}
