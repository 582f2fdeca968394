//! The driver: the loop, and the only place with file descriptors.
//!
//! One thread, one owned struct, one loop around `mio`. Nothing here decides anything about the
//! protocol or about what the user sees: bytes become [`Input`](crate::node::Input)s for the node,
//! its [`Effect`](crate::node::Effect)s become bytes. Nothing here ever waits, but for the one
//! sleep per turn of the loop.
//!
//! | part | owns |
//! | --- | --- |
//! | `reactor` | the loop and its order, the rooms: their nodes and the parts; it lends one part to another for a call |
//! | `carrier` | what carries between one node and the parts that it has, in the reactor and in `irc` |
//! | `streams` | all streams with peers, the listener, what each may cost |
//! | `network` | what this host's interfaces are, the datagrams that go out and come in |
//! | `console` | stdin, stdout, stderr, the terminal, signals |
//! | `keeper` | the store: when to commit, and what to do if that fails; the process that waits for the disk |
//! | `runner` | the commands that are run for messages |
//! | `irc` | the IRC clients of this machine: their sockets, and the bytes between them and the server |
//! | `names` | where the peers are that the user named, and the processes that look that up |
//! | `room_scan` | listening without joining, beside all that |
//! | `doctor` | what works on this network, and what to type; beside all that, too |
//! | `clock`, `wheel` | the time, being away; timers |
//! | `rates`, `bucket` | how often each source may do something; the credit of one |
//! | `complaints` | what is said of strangers, and how often |
//! | `loglines` | log lines on their way to stderr |
//! | `tracing` | the trace of a running node, if there is one |
//! | `trace_file` | the file of a trace, and when it is written to |
//! | `cuts` | the network that a lesson cuts, in a process of that lesson |
//! | `troupe`, `lecture` | real processes for a lesson; a terminal for a lecture: both beside all that |
//! | `tokens` | by which numbers the poll names what it watches |
//! | `own_process` | how this program is started once more, for what the loop must not wait for |
//! | `descriptors` | how many descriptors this process may have |
//! | `config`, `start_error` | what the command line decides; why papo may not start |
//! | `status` | the driver's exit statuses |
//!
//! Each part is closed: nobody else names its fields. Imports run from the reactor to the parts, and from
//! the parts to the rest of the table. Of one another the parts know two things: the streams are told
//! by the network from which address dials leave (`network::Sources`), and both say in one form what is to be
//! complained of (`complaints::Complaint`).

mod bucket;
mod carrier;
mod clock;
mod complaints;
mod config;
mod console;
mod cuts;
mod descriptors;
mod doctor;
mod irc;
mod keeper;
mod lecture;
mod loglines;
mod names;
mod network;
mod own_process;
mod rates;
mod reactor;
mod room_scan;
mod runner;
mod start_error;
mod status;
mod streams;
mod tokens;
mod trace_file;
mod tracing;
mod troupe;
mod wheel;

pub use self::loglines::{flush as flush_log, target as log_target};
pub use config::{DriverConfig, Joins, StoreConfig, TraceConfig};
pub use console::outlive_file_limits;
pub use cuts::cuts_of_lesson;
pub use doctor::{DoctorConfig, Examined, examine};
pub use irc::{IrcAddress, IrcConfig};
pub use lecture::lecture;
pub use names::{NamedPeer, look_up};
pub use network::{Host, Interface, Selection};
pub use room_scan::{Scan, ScanConfig, scan};
pub use start_error::StartError;
pub use status::{STATUS_FAILED, STATUS_INTERRUPTED};
pub use troupe::Troupe;

/// Runs one node in each of these rooms, from its start to its end. The result is the exit status: the worst of them.
/// What concerns the process is taken from the first.
///
/// The logger, if there is one, should write to [`log_target`]; what it wrote is on stderr when
/// this returns.
///
/// # Errors
///
/// If papo cannot start, or cannot go on; the exit status is then [`STATUS_FAILED`].
pub fn run(rooms: &[DriverConfig], joins: Joins) -> Result<u8, StartError> {
    let result = reactor::Reactor::new(rooms, joins).and_then(reactor::Reactor::run);
    flush_log();
    result
}

/// Lets IRC clients in, each with nodes of its own, until papo is told to end. The result is the exit status.
/// What `shared` says of one room and one person is not heeded.
///
/// # Errors
///
/// If papo cannot start, or cannot go on; the exit status is then [`STATUS_FAILED`].
pub fn run_irc(shared: DriverConfig, config: IrcConfig) -> Result<u8, StartError> {
    let result = irc::run(shared, config);
    flush_log();
    result
}
