//! When the loop is woken up for the user's side, which has no timers.
//!
//! Owns nothing: when something is due is the user's side's to say. It never sleeps.

use std::time::Duration;

use crate::node::{Now, Time};
use crate::ui::Ui;

/// What a deadline of the user's side that does not move forward is put off by.
const DEADLINE_STEP: Duration = Duration::from_millis(1);

/// When the user's side has something to do.
pub(super) fn user_deadline(ui: &Ui, now: Time) -> Option<Time> {
    let later = |at| if at <= now { now + DEADLINE_STEP } else { at };
    ui.next_deadline().map(later)
}

/// What the user's side has to do by now.
pub(super) fn meet_user_deadline(ui: &mut Ui, now: Now) {
    let deadline = ui.next_deadline();
    if deadline.is_some_and(|at| at <= now.time) {
        ui.on_deadline(now);
    }
}
