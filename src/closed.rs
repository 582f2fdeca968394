//! Whether stdout was closed when papo was started (`papo listen >&-`), and what it then takes: nothing.
//!
//! Owns that one fact. It can only be seen before `main`: the standard library opens /dev/null in the
//! place of each of the first three descriptors that is closed, so that no socket and no file is ever
//! taken for stdout; afterwards it looks like any /dev/null.

use std::io::{self, StdoutLock, Write};
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

/// Stdout; if it was closed, it takes nothing, and says so.
pub struct Stdout(StdoutLock<'static>);

impl Stdout {
    pub fn lock() -> Stdout {
        Stdout(io::stdout().lock())
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if was_stdout() {
            return Err(io::Error::other("it is closed"));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
