//! How many tests run at once: as many as there are cores, or one that measures time and has the
//! machine for itself.

use std::sync::{Condvar, Mutex, PoisonError};

/// The right to run processes, until it is dropped.
#[derive(Debug)]
pub struct Permit {
    alone: bool,
}

#[derive(Default)]
struct State {
    shared: usize,
    alone: bool,
    waiting_to_be_alone: usize,
}

static STATE: Mutex<State> = Mutex::new(State {
    shared: 0,
    alone: false,
    waiting_to_be_alone: 0,
});
static CHANGED: Condvar = Condvar::new();

/// Beside other tests: for tests that only wait for things to happen.
pub fn shared() -> Permit {
    let at_once = std::thread::available_parallelism().map_or(2, usize::from);
    let state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut state = CHANGED
        .wait_while(state, |s| {
            s.alone || s.waiting_to_be_alone > 0 || s.shared >= at_once
        })
        .unwrap_or_else(PoisonError::into_inner);
    state.shared += 1;
    Permit { alone: false }
}

/// With no other test beside: for tests that measure time.
pub fn alone() -> Permit {
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    state.waiting_to_be_alone += 1;
    let mut state = CHANGED
        .wait_while(state, |s| s.alone || s.shared > 0)
        .unwrap_or_else(PoisonError::into_inner);
    state.waiting_to_be_alone -= 1;
    state.alone = true;
    Permit { alone: true }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
        if self.alone {
            state.alone = false;
        } else {
            state.shared -= 1;
        }
        drop(state);
        CHANGED.notify_all();
    }
}
