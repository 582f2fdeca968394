//! What the command line decides about one node.
//!
//! Owns nothing that changes: it is read once, at the start.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::identity::Person;
use crate::lock::Secret;
use crate::ui::UiConfig;

use super::names::NamedPeer;
use super::network::Selection;

/// Everything that the command line decides about one node.
#[derive(Clone, Debug)]
pub struct DriverConfig {
    /// The multicast group and port.
    pub group: SocketAddr,
    /// Whether to multicast at all.
    pub multicast: bool,
    /// Where to multicast and listen.
    pub interfaces: Selection,
    /// What the TCP listener is bound to; port 0 means any free one.
    pub listen: SocketAddr,
    /// Members to ask where multicast does not reach.
    pub peers: Vec<NamedPeer>,
    /// The room to join, valid by the protocol's rules.
    pub room: String,
    /// What people call this node, valid by the protocol's rules.
    pub nick: String,
    /// How often the coordinator says that it is alive.
    pub heartbeat: Duration,
    /// How long a silence means failure; at least twice the heartbeat.
    pub failure_timeout: Duration,
    /// How many messages the history keeps.
    pub history_max: usize,
    /// Whether to fetch the room's history on joining.
    pub wants_history: bool,
    /// Who the user is across runs, if anybody in particular.
    pub person: Option<Person>,
    /// What the user is to be told of the options when papo starts, one line each.
    pub warnings: Vec<String>,
    /// The room's secret, if it is locked.
    pub secret: Option<Secret>,
    /// The file that keeps the history, if there is one.
    pub store: Option<StoreConfig>,
    /// What is written down of what the node does.
    pub trace: TraceConfig,
    /// The file that says from whom a lesson cuts this process off, if it is one of a lesson.
    pub cuts: Option<PathBuf>,
    /// Colours may be used in the terminal.
    pub color: bool,
    /// Something is to be printed, and stdout was closed when papo was started.
    pub stdout_closed: bool,
    /// What is run for each message, and its arguments; nothing if that is empty.
    pub exec: Vec<OsString>,
    /// The user's side.
    pub ui: UiConfig,
}

/// Says with what a room is joined that the user names while papo runs; or why it cannot be, in one line.
pub struct Joins(Box<JoinFn>);

type JoinFn = dyn Fn(&str, Option<&str>) -> Result<DriverConfig, String>;

impl Joins {
    /// What `config` says of each name, and of the file that has the room's secret.
    pub fn new(
        config: impl Fn(&str, Option<&str>) -> Result<DriverConfig, String> + 'static,
    ) -> Joins {
        Joins(Box::new(config))
    }

    /// What the command line decides about the node in this room.
    ///
    /// # Errors
    ///
    /// Why the room cannot be joined, for the user.
    pub fn config(&self, room: &str, secret: Option<&str>) -> Result<DriverConfig, String> {
        (self.0)(room, secret)
    }
}

impl std::fmt::Debug for Joins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Joins")
    }
}

/// Where a trace goes, if there is one from the start, and how any trace is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceConfig {
    /// The file.
    pub path: Option<PathBuf>,
    /// How many bytes of it are kept.
    pub max: u64,
    /// What is said is written down, too.
    pub texts: bool,
}

/// Which file, and what to do if it is damaged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreConfig {
    /// The file.
    pub path: PathBuf,
    /// A damaged file ends papo, instead of being set aside.
    pub strict: bool,
    /// How many bytes the file and its log may take of the disk.
    pub max: u64,
}
