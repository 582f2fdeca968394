//! What one process has, in however many rooms it is: the sleep and the clock, the console with the signals, and
//! the commands that run for messages.
//!
//! Owns these, and how often the process was away. It is lent to each room for its turn. It knows no room, and
//! decides nothing of what any of them does.

use mio::event::Event;
use mio::{Poll, Registry};

use crate::node::{Now, Time};

use super::super::clock::Clock;
use super::super::config::DriverConfig;
use super::super::console::{Console, Signals};
use super::super::descriptors;
use super::super::runner::Runner;
use super::super::start_error::{StartError, system};
use super::super::tokens::{SIGNALS, STDERR, STDIN, STDOUT};
use super::sleep::Sleeper;
use crate::ui::Mode;

/// What the process has.
pub(super) struct Process {
    sleeper: Sleeper,
    /// The time of this turn.
    now: Now,
    console: Console,
    runner: Runner,
    /// How often this process was away.
    absences: u64,
}

impl Process {
    /// Opens the poll, the signals and the three descriptors.
    pub(super) fn open(config: &DriverConfig) -> Result<Process, StartError> {
        descriptors::allow();
        let poll = Poll::new().map_err(system("create a poll"))?;
        let registry = poll.registry();
        let in_terminal = config.ui.mode == Mode::Interactive;
        let signals = Signals::new(registry, SIGNALS, in_terminal, !config.exec.is_empty())
            .map_err(system("watch signals"))?;
        let console = Console::new(registry, &config.ui, signals)?;
        let clock = Clock::new();
        Ok(Process {
            now: clock.now(),
            sleeper: Sleeper::new(poll, clock, config.failure_timeout),
            console,
            runner: Runner::new(config.exec.clone()),
            absences: 0,
        })
    }

    /// What watches sources for the process's sleep.
    pub(super) fn registry(&self) -> Result<Registry, StartError> {
        self.sleeper.registry().map_err(system("create a poll"))
    }

    /// The time of this turn.
    pub(super) fn now(&self) -> Now {
        self.now
    }

    /// How often this process was away.
    pub(super) fn absences(&self) -> u64 {
        self.absences
    }

    pub(super) fn console(&self) -> &Console {
        &self.console
    }

    pub(super) fn console_mut(&mut self) -> &mut Console {
        &mut self.console
    }

    pub(super) fn runner(&self) -> &Runner {
        &self.runner
    }

    pub(super) fn runner_mut(&mut self) -> &mut Runner {
        &mut self.runner
    }

    /// Sleeps until something happens, or until `planned` at the latest. A process that was away meanwhile counts
    /// that.
    pub(super) fn sleep(&mut self, planned: Option<Time>) -> Result<(), StartError> {
        let slept = self.sleeper.sleep(planned);
        self.now = slept.map_err(system("wait for events"))?;
        self.absences += u64::from(self.sleeper.take_away());
        Ok(())
    }

    /// The same for a process whose nodes have left: whether it is away makes no difference.
    pub(super) fn wait(&mut self, until: Time) -> Result<(), StartError> {
        let waited = self.sleeper.wait(until);
        self.now = waited.map_err(system("wait for events"))?;
        Ok(())
    }

    /// In the middle of a turn: what was to be done is from the past if the process was stopped meanwhile, and the
    /// time is another.
    pub(super) fn note_stop(&mut self) {
        if let Some(now) = self.sleeper.was_stopped() {
            self.now = now;
            self.absences += 1;
        }
    }

    /// Takes in what happened in the last sleep to the process itself; what happened to anything else is passed on.
    /// True if a signal came.
    pub(super) fn sort_events(&mut self, mut pass_on: impl FnMut(&Event)) -> bool {
        let mut is_signalled = false;
        for event in self.sleeper.events() {
            match event.token() {
                SIGNALS => is_signalled = true,
                STDIN | STDOUT | STDERR => self.console.on_event(event),
                _ => pass_on(event),
            }
        }
        is_signalled
    }
}
