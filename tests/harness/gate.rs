//! How many tests run at once: a few for each core, since most of them mostly wait, or one that
//! measures time and has the machine for itself.

use std::sync::{Condvar, Mutex, PoisonError};

/// So many tests a core run side by side.
const PER_CORE: usize = 3;

/// The right to run processes, until it is dropped.
#[derive(Debug)]
pub struct Permit {
    alone: bool,
}

struct State {
    shared: usize,
    alone: bool,
}

static STATE: Mutex<State> = Mutex::new(State {
    shared: 0,
    alone: false,
});
static CHANGED: Condvar = Condvar::new();

/// Beside other tests: for tests that only wait for things to happen.
pub fn shared() -> Permit {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut state = CHANGED
        .wait_while(state, |s| s.alone || s.shared >= PER_CORE * cores)
        .unwrap_or_else(PoisonError::into_inner);
    state.shared += 1;
    Permit { alone: false }
}

/// With no other test beside: for tests that measure time. They wait until there is no other one, so
/// that the machine does not stand idle before each of them.
pub fn alone() -> Permit {
    let state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut state = CHANGED
        .wait_while(state, |s| s.alone || s.shared > 0)
        .unwrap_or_else(PoisonError::into_inner);
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
