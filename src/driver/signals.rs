//! The signals that end papo, as a source of events.
//!
//! Owns the handlers of SIGINT, SIGTERM and SIGHUP. It decides nothing: it says what came.

use std::io;

use mio::{Interest, Registry, Token};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook_mio::v1_0::Signals as Source;

/// What a user or the system asks for by signals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Request {
    /// Leave in good order.
    Leave,
    /// End at once: a second SIGINT.
    End,
}

/// Counts the signals that came.
pub struct Signals {
    source: Source,
    interrupted: bool,
}

impl Signals {
    /// Installs the handlers. SIGHUP keeps being ignored if it was (`nohup`).
    ///
    /// # Errors
    ///
    /// If a handler cannot be installed or watched.
    pub fn new(registry: &Registry, token: Token) -> io::Result<Signals> {
        let mut source = Source::new([SIGINT, SIGTERM])?;
        if !is_ignored(SIGHUP) {
            source.add_signal(SIGHUP)?;
        }
        registry.register(&mut source, token, Interest::READABLE)?;
        Ok(Signals {
            source,
            interrupted: false,
        })
    }

    /// What the signals that came since the last call ask for.
    pub fn take(&mut self) -> Option<Request> {
        let mut request = None;
        for signal in self.source.pending() {
            if signal == SIGINT && self.interrupted {
                return Some(Request::End);
            }
            self.interrupted |= signal == SIGINT;
            request = Some(Request::Leave);
        }
        request
    }
}

/// Whether the process that started this one left the signal ignored. Known on Linux only.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = (status.lines())
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
