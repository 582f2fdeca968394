//! What the loop is woken up for by a timer, and when for the user's side, which has none.
//!
//! Owns nothing: when each of these is due is the wheel's, or the user's side's. It never sleeps.

use std::time::Duration;

use crate::node::{LinkId, Now, Time, Timer};
use crate::ui::Ui;

/// What a deadline of the user's side that does not move forward is put off by.
const DEADLINE_STEP: Duration = Duration::from_millis(1);

/// What the wheel wakes the loop for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Wake {
    /// A timer of the node.
    Node(Timer),
    /// Accepting is tried again.
    Accept,
    /// The store is to be looked after.
    Store,
    /// A name is to be looked up, or has been for long enough.
    Names,
    /// The interfaces are looked at.
    Look,
    /// A link that is being closed has had its time.
    Expire(LinkId),
}

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
