//! Whether stdout was closed when papo was started (`papo listen >&-`).
//!
//! Owns that one fact. It can only be seen before `main`: the standard library opens /dev/null in the
//! place of each of the first three descriptors that is closed, so that no socket and no file is ever
//! taken for stdout; afterwards it looks like any /dev/null.

use std::sync::atomic::{AtomicBool, Ordering};

static STDOUT: AtomicBool = AtomicBool::new(false);

ctor::declarative::ctor! {
    // It uses nothing of the standard library that `main` would have to prepare.
    #[ctor(unsafe)]
    fn look() {
        let flags = rustix::io::fcntl_getfd(rustix::stdio::stdout());
        STDOUT.store(flags == Err(rustix::io::Errno::BADF), Ordering::Relaxed);
    }
}

/// True if stdout was closed.
pub fn was_stdout() -> bool {
    STDOUT.load(Ordering::Relaxed)
}
