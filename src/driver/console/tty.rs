//! The terminal that papo is used in: raw mode and size.
//!
//! Owns the terminal's mode and restores it: on leaving, when papo is suspended, and when it ends
//! in any other way. What is drawn and what keys mean is the business of
//! [`Ui`](crate::ui::Ui).

use std::io::{self, Write};

use rustix::process::{Signal, getpid, kill_process};
use rustix::stdio::stdin;
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};

use crate::ui::terminal::Terminal;

/// The terminal on stdin and stdout.
#[derive(Debug)]
pub(super) struct Tty {
    /// Its mode before papo.
    before: Termios,
    is_raw: bool,
}

impl Tty {
    /// The terminal on stdin; None if there is none.
    pub(super) fn open() -> Option<Tty> {
        if !isatty(stdin()) {
            return None;
        }
        let before = tcgetattr(stdin()).ok()?;
        restore_on_panic(before.clone());
        Some(Tty {
            before,
            is_raw: false,
        })
    }

    /// Columns and rows; zero if unknown.
    pub(super) fn size() -> (u16, u16) {
        tcgetwinsize(stdin()).map_or((0, 0), |size| (size.ws_col, size.ws_row))
    }

    pub(super) fn is_raw(&self) -> bool {
        self.is_raw
    }

    /// Keys come one by one and are not shown, or as before papo.
    pub(super) fn set_raw(&mut self, raw: bool) {
        if raw == self.is_raw {
            return;
        }
        let mut mode = self.before.clone();
        if raw {
            mode.make_raw();
        }
        // Drained: what was written for the old mode is shown by it.
        match tcsetattr(stdin(), OptionalActions::Drain, &mode) {
            Ok(()) => self.is_raw = raw,
            Err(e) => log::warn!("cannot set the terminal's mode: {e}"),
        }
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        if self.is_raw {
            restore(&self.before);
        }
    }
}

/// Stops this process, as Ctrl-Z does; returns when it goes on.
pub(super) fn stop_process() {
    if let Err(e) = kill_process(getpid(), Signal::STOP) {
        log::warn!("cannot stop: {e}");
    }
}

fn restore(before: &Termios) {
    // Nothing more can be done if this fails: papo ends.
    let _ = io::stdout().write_all(&Terminal::leave_bytes());
    let _ = io::stdout().flush();
    let _ = tcsetattr(stdin(), OptionalActions::Now, before);
}

/// The message of a panic is readable only once the terminal is as before.
fn restore_on_panic(before: Termios) {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore(&before);
        previous(panic);
    }));
}
