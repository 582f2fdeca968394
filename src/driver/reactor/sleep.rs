//! The sleep between two turns of the loop, and whether this process was away meanwhile.
//!
//! Owns the poll, the clocks, and the events of the last sleep. It takes no event apart, and tells the node
//! nothing.

use std::io::{self, ErrorKind};
use std::time::Duration;

use mio::{Events, Poll, Registry};

use crate::node::{Now, Time};

use super::super::clock::{Attendance, Clock};

/// Events taken per sleep; more wait in the kernel.
const EVENTS_MAX: usize = 1_024;

/// Sleeps for the loop.
pub(super) struct Sleeper {
    poll: Poll,
    events: Events,
    clock: Clock,
    attendance: Attendance,
}

impl Sleeper {
    /// Whoever does not wake for longer than `patience` was away.
    pub(super) fn new(poll: Poll, clock: Clock, patience: Duration) -> Sleeper {
        Sleeper {
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            attendance: Attendance::new(&clock, patience),
            clock,
        }
    }

    /// What watches sources for this sleep.
    pub(super) fn registry(&self) -> io::Result<Registry> {
        self.poll.registry().try_clone()
    }

    /// Sleeps until something happens, or until `planned` at the latest; the time after that.
    pub(super) fn sleep(&mut self, planned: Option<Time>) -> io::Result<Now> {
        self.attendance.on_sleep(&self.clock, planned);
        self.poll(planned)?;
        self.attendance.on_wake(&self.clock);
        Ok(self.clock.now())
    }

    /// The same for a node that has left: whether it is away makes no difference.
    pub(super) fn wait(&mut self, until: Time) -> io::Result<Now> {
        self.poll(Some(until))?;
        Ok(self.clock.now())
    }

    /// What happened in the last sleep.
    pub(super) fn events(&self) -> &Events {
        &self.events
    }

    /// Whether this process was away since this was last asked.
    pub(super) fn take_away(&mut self) -> bool {
        self.attendance.take_away()
    }

    /// In the middle of a turn: what time it is, if this process was stopped during the turn.
    pub(super) fn was_stopped(&mut self) -> Option<Now> {
        self.attendance.on_work(&self.clock);
        (self.attendance.take_away()).then(|| self.clock.now())
    }

    /// Waits for events, until `planned` at the latest and never less: a timer is not due before
    /// its time, and a sleep that is too short would be followed by another.
    fn poll(&mut self, planned: Option<Time>) -> io::Result<()> {
        // The poll itself rounds up to what the system can tell apart.
        let timeout = planned.map(|at| at.since(self.clock.time()));
        match self.poll.poll(&mut self.events, timeout) {
            Err(e) if e.kind() == ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            result => result,
        }
    }
}
