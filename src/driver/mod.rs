//! The reactor: the only place with file descriptors.
//!
//! One thread, one owned struct, one loop around `mio`. Nothing here decides anything about the
//! protocol or about what the user sees: bytes become [`Input`](crate::node::Input)s for the node,
//! its [`Effect`](crate::node::Effect)s become bytes. Nothing here ever waits, but for the one
//! sleep per turn of the loop.
//!
//! | file | subject |
//! | --- | --- |
//! | `reactor` | the owned struct, the loop and its order |
//! | `config`, `start_error` | what the command line decides; why papo may not start |
//! | `effects` | what the node wants done |
//! | `console` | stdin, stdout, stderr, the terminal, signals |
//! | `tokens` | by which numbers the poll names what it watches |
//! | `farewell` | the end of a node that has left |
//! | `clock`, `wheel` | the time, being away, timers |
//! | `network` | this host's interfaces, the datagrams that go out and come in |
//! | `streams` | all streams with peers, the listener, what each may cost |
//! | `keeper` | the store: when to commit, and what to do if that fails |
//! | `room_scan` | listening without joining |
//! | `rates` | how often each source may do something |
//! | `loglines` | log lines on their way to stderr |

mod clock;
mod config;
mod console;
mod effects;
mod farewell;
mod keeper;
mod loglines;
mod network;
mod rates;
mod reactor;
mod room_scan;
mod start_error;
mod streams;
mod tokens;
mod wheel;

pub use self::loglines::{flush as flush_log, target as log_target};
pub use config::{DriverConfig, StoreConfig};
pub use network::{Host, Interface, Selection};
pub use room_scan::{Scan, ScanConfig, scan};
pub use start_error::StartError;

/// The exit status when papo cannot start or cannot go on.
pub const STATUS_FAILED: u8 = 3;
/// The exit status after a second SIGINT.
pub const STATUS_INTERRUPTED: u8 = 130;

/// Runs one node from its start to its end. The result is the exit status.
///
/// The logger, if there is one, should write to [`log_target`]; what it wrote is on stderr when
/// this returns.
///
/// # Errors
///
/// If papo cannot start, or cannot go on; the exit status is then [`STATUS_FAILED`].
pub fn run(config: DriverConfig) -> Result<u8, StartError> {
    let result = reactor::Reactor::new(config).and_then(reactor::Reactor::run);
    flush_log();
    result
}
