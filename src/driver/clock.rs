//! The clocks: the only place that reads them, and the judgement of having been away.
//!
//! Owns the time that everything else is told. It never sleeps and never sets a timer.

use std::time::Duration;

use crate::node::{Now, Time};

/// How much later than planned the loop may wake before a long silence counts as having been away
/// rather than asleep on purpose; a fraction of the failure timeout, as a divisor.
const LATENESS_DIVISOR: u32 = 2;

/// Reads the clocks.
#[derive(Debug)]
pub struct Clock {
    start_us: u64,
}

/// Both monotonic clocks at one moment: one goes on while the machine sleeps, the other does not.
#[derive(Clone, Copy, Debug)]
struct MonotonicTimes {
    time: Time,
    awake: Duration,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn new() -> Clock {
        Clock {
            start_us: boot_micros(),
        }
    }

    /// Both times of this moment.
    #[must_use]
    pub fn now(&self) -> Now {
        Now {
            time: self.time(),
            wall_ms: wall_millis(),
        }
    }

    /// The time since the start of this clock; it goes on while the machine sleeps.
    #[must_use]
    pub fn time(&self) -> Time {
        Time(boot_micros().saturating_sub(self.start_us))
    }

    fn reading(&self) -> MonotonicTimes {
        MonotonicTimes {
            time: self.time(),
            awake: awake_time(),
        }
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::new()
    }
}

/// Notices that the process was away: the machine slept, or the loop was not scheduled (stopped,
/// starved) for longer than the failure timeout, so that others may have given this node up.
///
/// It is told when the work of a turn ends, when a sleep begins and when it ends, and judges the
/// stretch since the last of these.
#[derive(Debug)]
pub struct Attendance {
    patience: Duration,
    last: MonotonicTimes,
    planned: Option<Time>,
    away: bool,
}

impl Attendance {
    /// `patience` is the failure timeout.
    #[must_use]
    pub fn new(clock: &Clock, patience: Duration) -> Attendance {
        Attendance {
            patience,
            last: clock.reading(),
            planned: None,
            away: false,
        }
    }

    /// Work is done, or about to be shown to others. It plans no pause: all of it is lateness.
    pub fn on_work(&mut self, clock: &Clock) {
        self.planned = Some(self.last.time);
        self.note(clock.reading());
    }

    /// A sleep begins that is to end at `planned` at the latest (`None`: no end).
    pub fn on_sleep(&mut self, clock: &Clock, planned: Option<Time>) {
        self.on_work(clock);
        self.planned = planned;
    }

    /// The sleep is over.
    pub fn on_wake(&mut self, clock: &Clock) {
        self.note(clock.reading());
    }

    /// Whether this process was away since the last call.
    pub fn take_away(&mut self) -> bool {
        std::mem::take(&mut self.away)
    }

    fn note(&mut self, reading: MonotonicTimes) {
        self.away |= self.was_away(reading, self.planned);
        self.last = reading;
    }

    fn was_away(&self, reading: MonotonicTimes, planned: Option<Time>) -> bool {
        let passed = reading.time.since(self.last.time);
        if passed <= self.patience {
            return false;
        }
        let suspended = passed.saturating_sub(reading.awake.saturating_sub(self.last.awake));
        let late = planned.map_or(Duration::ZERO, |planned| reading.time.since(planned));
        suspended > self.patience || late > self.patience / LATENESS_DIVISOR
    }
}

fn boot_micros() -> u64 {
    micros_of(crate::platform::boot_time())
}

fn awake_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::from_micros(micros_of(now))
}

fn micros_of(t: rustix::time::Timespec) -> u64 {
    let seconds = u64::try_from(t.tv_sec).unwrap_or(0);
    let micros = u64::try_from(t.tv_nsec).unwrap_or(0) / 1_000;
    seconds.saturating_mul(1_000_000).saturating_add(micros)
}

#[allow(
    clippy::disallowed_methods,
    reason = "the clock of the driver: everybody else is told the time"
)]
fn wall_millis() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attendance() -> Attendance {
        Attendance {
            patience: Duration::from_secs(1),
            last: at(0, 0),
            planned: None,
            away: false,
        }
    }

    fn at(time_ms: u64, awake_ms: u64) -> MonotonicTimes {
        MonotonicTimes {
            time: Time(time_ms * 1_000),
            awake: Duration::from_millis(awake_ms),
        }
    }

    #[test]
    fn a_sleep_of_the_machine_longer_than_the_timeout_is_being_away() {
        let a = attendance();
        assert!(a.was_away(at(1_500, 100), None));
        assert!(!a.was_away(at(900, 100), None));
        assert!(!a.was_away(at(5_000, 4_500), None));
    }

    #[test]
    fn a_stop_is_seen_by_waking_late_but_a_planned_long_sleep_is_not() {
        let a = attendance();
        let planned = Some(Time(250_000));
        assert!(a.was_away(at(1_050, 1_050), planned));
        assert!(!a.was_away(at(300, 300), planned));
        assert!(!a.was_away(at(5_001, 5_001), Some(Time(5_000_000))));
    }

    #[test]
    fn time_never_falls() {
        let clock = Clock::new();
        let mut last = clock.now().time;
        for _ in 0..1_000 {
            let now = clock.now().time;
            assert!(now >= last);
            last = now;
        }
    }
}
