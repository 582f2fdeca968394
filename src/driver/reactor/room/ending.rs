//! The end of one room whose node has left, or could not go on: its store is closed, what is queued for its peers is
//! written, and their ends are waited for; while the other rooms go on, or at the end of papo.
//!
//! Owns how far that is. It tells the node nothing.

use crate::node::{Now, Time};
use crate::timing;

use super::super::super::carrier::{OwnPoll, bury};
use super::super::super::keeper::Closing;
use super::super::super::status::STATUS_UNPRINTED;
use super::super::farewell::Peers;
use super::super::process::Process;
use super::Room;

/// How far a room has ended.
#[derive(Debug, Default)]
pub(super) struct End {
    /// The store, while it is being closed.
    closing: Option<Closing>,
    /// Until when the store is waited for, as it said last.
    closes_at: Option<Time>,
    /// Until when peers are waited for while other rooms go on; none before that.
    peers_until: Option<Time>,
    /// What waits can be written, or is, at once.
    has_work: bool,
    is_over: bool,
}

impl Room {
    /// True if the user leaves this room, or has left it: nothing more is said there.
    pub(in super::super) fn is_going(&self) -> bool {
        self.is_parted || self.left
    }

    /// The user leaves this room, and not the others.
    pub(in super::super) fn part(&mut self, now: Now) {
        self.is_parted = true;
        self.ui.on_stop(now, false);
    }

    /// The room cannot go on: its node says nothing more.
    pub(in super::super) fn fail(&mut self) {
        self.left = true;
    }

    /// Tells the user something that was asked for here.
    pub(in super::super) fn tell(&mut self, text: &str) {
        self.ui.tell(self.now, text);
    }

    /// Tells the user what was wrong with what was asked for here.
    pub(in super::super) fn refuse(&mut self, why: &str) {
        self.ui.refuse(self.now, why);
    }

    /// True once it ends while the others go on.
    pub(in super::super) fn is_ending(&self) -> bool {
        self.end.peers_until.is_some()
    }

    /// It ends from now on, while the others go on.
    pub(in super::super) fn begin_ending(&mut self, now: Time) {
        self.close();
        self.end.peers_until = Some(now + timing::FAREWELL_PEERS);
        self.end.has_work = true;
    }

    /// True if nothing more is waited for.
    pub(in super::super) fn is_over(&self) -> bool {
        self.end.is_over
    }

    /// Nothing more is done for this room; what it ends with.
    pub(in super::super) fn end(&mut self, process: &Process) -> u8 {
        if let (Some(own), Ok(registry)) = (&self.own_poll, process.registry()) {
            OwnPoll::close(own, &registry);
        }
        let unprinted = match self.ui.unprinted() {
            0 if !self.ui.has_skipped() => 0,
            // Nobody has looked there.
            _ if process.console().has_terminal() => 0,
            _ => STATUS_UNPRINTED,
        };
        self.ui.exit_status().unwrap_or(0).max(unprinted)
    }

    /// A turn after the node has left, while other rooms go on.
    pub(super) fn turn_after_leaving(&mut self, process: &mut Process) {
        self.hear_nobody();
        self.end.closes_at = self.go_on_closing(process.now());
        let peers = self.say_farewell(process);
        let is_late = self.end.peers_until.is_some_and(|at| at <= self.now.time);
        self.end.has_work = peers == Peers::Ready;
        let has_peers = peers != Peers::Gone && !is_late;
        let has_output = self.ui.has_output() && !process.console().has_terminal();
        self.end.is_over = !has_peers && !has_output && self.end.closes_at.is_none();
    }

    /// When the next turn begins at the latest after the node has left.
    pub(super) fn next_deadline_at_end(&self) -> Option<Time> {
        if self.end.has_work {
            return Some(self.now.time);
        }
        let peers = self.end.peers_until.filter(|at| *at > self.now.time);
        [peers, self.end.closes_at].into_iter().flatten().min()
    }

    /// The node has left: what is left to store is stored, and each stream ends once what waits for it is written.
    pub(in super::super) fn close(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            let (ui, now) = (&mut self.ui, self.now);
            let closing = keeper.close(now, &mut self.node, |words| ui.warn(now, words));
            self.end.closing = Some(closing);
        }
        self.streams.close_all();
    }

    /// Writes what waits for peers and for the user; how far the peers are then.
    pub(in super::super) fn say_farewell(&mut self, process: &mut Process) -> Peers {
        self.now = process.now();
        self.streams.flush(self.now.time);
        self.run_commands(process);
        self.flush_outputs(process.console_mut());
        bury(&mut self.streams, &mut self.wheel, self.now.time);
        self.streams.forget_inputs();
        if self.streams.has_ready() {
            Peers::Ready
        } else if self.streams.is_empty() {
            Peers::Gone
        } else {
            Peers::There
        }
    }

    /// True while the file of its store is in use.
    pub(in super::super) fn has_store(&self) -> bool {
        self.keeper.is_some() || self.end.closing.is_some()
    }

    /// Goes on closing the store; until when there is something to wait for.
    pub(in super::super) fn go_on_closing(&mut self, now: Now) -> Option<Time> {
        let (closing, ui) = (self.end.closing.as_mut()?, &mut self.ui);
        let until = closing.step(now, &mut self.node, |words| ui.warn(now, words));
        if until.is_none() {
            self.end.closing = None;
        }
        until
    }

    /// Reads what peers say, so that none of their ends is missed. It means nothing any more.
    pub(in super::super) fn hear_nobody(&mut self) {
        let mut round = self.streams.round();
        while self.streams.next_in(&mut round).is_some() {}
    }
}
