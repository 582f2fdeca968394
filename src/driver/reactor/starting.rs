//! The time before the node's start, while a store is being read.
//!
//! Owns what the user wanted of the node meanwhile, which it gets once it runs. Commands that ask how
//! things are get their answer at once. Nobody in the room hears of this node yet.

use std::io;

use crate::limits::HELD_COMMANDS_MAX;
use crate::node::{Command, Time};
use crate::ui::DriverStatus;

use super::super::console::Request;
use super::super::start_error::StartError;
use super::{Flow, Reactor};

/// What waits for the start.
#[derive(Debug, Default)]
pub(super) struct Starting {
    commands: Vec<Command>,
    /// The user wants to leave, and waits until then at the most.
    leaves_at: Option<Time>,
}

impl Starting {
    fn hold(&mut self, now: Time, command: Command) {
        if let Command::Leave { patience } = command {
            // With nothing to say there is nothing to wait for.
            let says = (self.commands.iter()).any(|c| matches!(c, Command::Say(_)));
            let at = if says { now + patience } else { now };
            self.leaves_at.get_or_insert(at);
        }
        self.commands.push(command);
    }

    fn has_room(&self) -> bool {
        self.commands.len() < HELD_COMMANDS_MAX
    }
}

impl Reactor {
    /// A turn of the loop before the node's start.
    pub(super) fn turn_before_start(&mut self) -> Result<Flow, StartError> {
        let planned = self.next_deadline_before_start();
        self.attendance.on_sleep(&self.clock, planned);
        self.sleep(planned).map_err(waiting_failed)?;
        self.attendance.on_wake(&self.clock);
        // Nobody has counted on this node yet.
        self.attendance.take_away();
        self.now = self.clock.now();
        if self.sort_events() == Some(Request::End) {
            return Ok(Flow::End);
        }
        self.read_stdin();
        self.ui_deadline();
        self.hold_commands();
        let is_loaded = self.load_store()?;
        self.flush_outputs();
        self.console.stop_if_wanted(&mut self.ui);
        let gives_up = (self.starting.as_ref())
            .and_then(|s| s.leaves_at)
            .is_some_and(|at| at <= self.now.time);
        if let Some(keeper) = self.keeper.as_mut().filter(|_| gives_up && !is_loaded) {
            keeper.give_up(self.now, &mut self.node);
        }
        if is_loaded || gives_up {
            self.start_node();
        }
        Ok(Flow::On)
    }

    fn next_deadline_before_start(&mut self) -> Option<Time> {
        let now = self.now.time;
        let holds = self.starting.as_ref();
        let may_take = holds.is_none_or(Starting::has_room);
        if may_take && (self.console.has_work() || self.may_read_stdin()) {
            return Some(now);
        }
        let leaves_at = holds.and_then(|s| s.leaves_at);
        let store = self.keeper.as_ref().and_then(|k| k.loads_at(now));
        let user = self.user_deadline();
        [user, store, leaves_at].into_iter().flatten().min()
    }

    /// Takes what the user wants; what the node is to do is kept for it.
    fn hold_commands(&mut self) {
        let Some(mut allowance) = self.console.begin_commands(false) else {
            return;
        };
        let status = DriverStatus {
            queued_bytes: 0,
            uptime: self.now.time.since(Time(0)),
        };
        let Some(starting) = &mut self.starting else {
            return;
        };
        while allowance.is_left() && starting.has_room() {
            let Some(command) = self.ui.poll_command(self.now, &self.node, status) else {
                return;
            };
            allowance.take(&command);
            starting.hold(self.now.time, command);
        }
        self.console.note_work();
    }

    /// Reads the store a piece further; true once everything is read.
    fn load_store(&mut self) -> Result<bool, StartError> {
        let (node, now) = (&mut self.node, self.now);
        let Some(keeper) = &mut self.keeper else {
            return Ok(true);
        };
        let load = keeper.load(now, node)?;
        for words in &load.words {
            self.ui.warn(now, words);
        }
        Ok(load.is_done)
    }

    /// The node starts to look for its room.
    pub(super) fn start_node(&mut self) {
        self.look_again();
        self.follow_names();
        self.node.start(self.now, &mut self.outbox);
        self.carry_out();
        let held = self.starting.take().unwrap_or_default();
        for command in held.commands {
            self.feed(crate::node::Input::Command(command));
        }
        self.finish_turn();
    }
}

/// The loop cannot wait for events.
pub(super) fn waiting_failed(e: io::Error) -> StartError {
    StartError::System("wait for events", e)
}
