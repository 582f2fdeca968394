//! Signals as a source of events, and as flags for who has no loop.
//!
//! Owns the handlers of SIGINT, SIGTERM, SIGHUP and SIGUSR2, and in a terminal those of SIGQUIT, of job control
//! and of its size. It decides nothing: it says what came.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mio::{Interest, Registry, Token};
use signal_hook::consts::{
    SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR2, SIGWINCH,
};
use signal_hook::{flag, low_level};
use signal_hook_mio::v1_0::Signals as Source;

use crate::platform::is_ignored;
use crate::store::limit_met;

/// What a user or the system asks for by signals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignalRequest {
    /// Leave in good order.
    Leave,
    /// End at once: a second SIGINT.
    End,
}

/// What signals say of the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TtyNews {
    /// It has another size.
    pub resized: bool,
    /// The process is to stop.
    pub suspend: bool,
    /// The process was stopped and goes on.
    pub resumed: bool,
    /// The process is to end as it is.
    pub quit: bool,
}

/// A limit on the size of files (`ulimit -f`) is then met as a full disk is, by an error of the write:
/// the system's signal (SIGXFSZ) would end papo instead. The store learns by it what its error was. Processes
/// that papo starts are not affected.
pub fn outlive_file_limits() {
    let signal = rustix::process::Signal::XFSZ.as_raw();
    // Without the handler, papo is what it was.
    let _ = flag::register(signal, limit_met());
}

/// Ends this process as SIGQUIT does where nobody handles it: its parent sees that, and there may be a core dump.
pub(super) fn quit_process() {
    // The system knows this signal everywhere.
    let _ = low_level::emulate_default_handler(SIGQUIT);
}

/// The first signal of this kind only sets a flag: whoever looks at it gives the terminal back. Should nobody look, a
/// second one ends the process.
fn end_at_the_second(signal: i32) -> io::Result<Arc<AtomicBool>> {
    let came = Arc::new(AtomicBool::new(false));
    flag::register_conditional_default(signal, Arc::clone(&came))?;
    flag::register(signal, Arc::clone(&came))?;
    Ok(came)
}

/// For who looks now and then, instead of waiting for events: whether a signal asks it to leave.
pub struct LeaveFlags(Vec<Arc<AtomicBool>>);

impl LeaveFlags {
    /// Installs the handlers. SIGHUP keeps being ignored if it was (`nohup`).
    ///
    /// # Errors
    ///
    /// If a handler cannot be installed.
    pub fn new() -> io::Result<LeaveFlags> {
        let signals = [SIGINT, SIGTERM, SIGHUP].into_iter();
        let heeded = signals.filter(|signal| *signal != SIGHUP || !is_ignored(SIGHUP));
        let flags = heeded.map(end_at_the_second).collect::<io::Result<_>>();
        flags.map(LeaveFlags)
    }

    /// True once a signal came.
    pub fn is_asked(&self) -> bool {
        self.0.iter().any(|came| came.load(Ordering::Relaxed))
    }
}

/// Counts the signals that came.
pub struct Signals {
    source: Source,
    interrupted: bool,
    tty: TtyNews,
    /// A trace is to begin, or to end.
    trace: bool,
}

impl Signals {
    /// Installs the handlers. SIGHUP keeps being ignored if it was (`nohup`), and so does SIGQUIT.
    ///
    /// # Errors
    ///
    /// If a handler cannot be installed or watched.
    pub fn new(
        registry: &Registry,
        token: Token,
        in_terminal: bool,
        has_children: bool,
    ) -> io::Result<Signals> {
        let mut source = Source::new([SIGINT, SIGTERM, SIGUSR2])?;
        if has_children {
            source.add_signal(SIGCHLD)?;
        }
        if in_terminal {
            for signal in [SIGWINCH, SIGTSTP, SIGCONT] {
                source.add_signal(signal)?;
            }
            if !is_ignored(SIGQUIT) {
                end_at_the_second(SIGQUIT)?;
                source.add_signal(SIGQUIT)?;
            }
        }
        if !is_ignored(SIGHUP) {
            source.add_signal(SIGHUP)?;
        }
        registry.register(&mut source, token, Interest::READABLE)?;
        Ok(Signals {
            source,
            interrupted: false,
            tty: TtyNews::default(),
            trace: false,
        })
    }

    /// What was said of the terminal since the last call.
    pub fn take_tty(&mut self) -> TtyNews {
        std::mem::take(&mut self.tty)
    }

    /// True if a trace is to begin, or to end, since the last call.
    pub fn take_trace(&mut self) -> bool {
        std::mem::take(&mut self.trace)
    }

    /// The user asked to leave with a key: the next SIGINT is the second one.
    pub fn note_interrupt(&mut self) {
        self.interrupted = true;
    }

    /// What the signals that came since the last call ask for.
    pub fn take(&mut self) -> Option<SignalRequest> {
        let mut request = None;
        for signal in self.source.pending() {
            match signal {
                SIGWINCH => self.tty.resized = true,
                SIGTSTP => self.tty.suspend = true,
                SIGCONT => self.tty.resumed = true,
                SIGQUIT => self.tty.quit = true,
                SIGUSR2 => self.trace = !self.trace,
                // Of a child that ended, being awake is enough.
                SIGCHLD => {}
                SIGINT if self.interrupted => return Some(SignalRequest::End),
                _ => {
                    self.interrupted |= signal == SIGINT;
                    request = Some(SignalRequest::Leave);
                }
            }
        }
        request
    }
}
