//! The command line: options and environment variables, checked, and what is wrong with them in
//! one line.
//!
//! Nothing here opens a socket; what the options mean for a running node is put
//! together in `main`.

mod choices;
pub mod completing;
mod config;
pub mod demo;
mod examples;
mod files;
pub mod history;
pub mod identity;
pub mod irc;
pub mod keygen;
pub mod manual;
mod mistakes;
mod moment;
mod origins;
pub mod peers;
mod reading;
pub mod rekey;
pub mod rooms;
pub mod secret;
mod size;
pub mod trace;
mod uses;
mod values;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

pub use crate::platform::reason;
pub use choices::{Color, Confirm, NotifyWhen, obeys_sequences};
pub use moment::Moment;

use crate::ui::Replay;
use origins::Origins;
use values::{
    count, group, heartbeat, interface, listen, millis, nick, nick_of_login, number, pattern,
    replay, room, seconds, some,
};

/// The status of a mistake on the command line.
pub const STATUS_USAGE: u8 = 2;

/// Group chat for a local network, without a server.
///
/// Everybody on the network who runs papo with the same room talks with each other; there is
/// nothing to set up. Whichever machine dies, the others go on, and all hold the same history.
///
/// In a terminal papo has a prompt. In a pipe it is a filter: each line of stdin is a message,
/// stdout has the messages of the others, warnings go to stderr, and at the end of stdin it leaves
/// once everything is confirmed.
#[derive(Parser, Clone, Debug)]
#[command(name = "papo", version, after_help = examples::below_help(), max_term_width = 100)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    /// What is to be done; chatting, if nothing is said.
    #[command(subcommand)]
    pub action: Option<Task>,
    /// The options, before or after the action.
    #[command(flatten)]
    pub options: Options,
}

/// What is to be done.
#[derive(Subcommand, Clone, PartialEq, Eq, Debug)]
pub enum Task {
    /// Join the room and chat (the same as papo without a command)
    Chat,
    /// Say TEXT, or each line of stdin, wait until every member has confirmed it, and leave
    Send {
        /// What to say; several words are joined by spaces. Without it, each line of stdin
        #[arg(allow_negative_numbers = true)]
        text: Vec<String>,
    },
    /// Print what is said; stdin is not read
    Listen {
        /// Only messages in which something fits this regular expression
        #[arg(long = "match", value_name = "REGEX", value_parser = pattern)]
        pattern: Option<String>,
        /// Only what was said since then; what was said before joining is printed, too
        #[arg(long, value_name = "TIME", value_parser = moment::moment, allow_hyphen_values = true)]
        since: Option<Moment>,
        /// Leave after so many messages
        #[arg(long, value_name = "N", value_parser = count)]
        #[arg(allow_negative_numbers = true)]
        count: Option<u64>,
        /// Begin each line with when it was said
        #[arg(long, conflicts_with_all = ["exec", "json"])]
        timestamps: bool,
        /// Run COMMAND for each message instead of printing it: the text is on its stdin, the rest in PAPO_FROM
        /// and other variables. All words that follow are its arguments
        #[arg(long, value_name = "COMMAND", num_args = 1.., allow_hyphen_values = true)]
        #[arg(conflicts_with = "confirm")]
        exec: Vec<OsString>,
        /// What is confirmed to the others: what is taken in, or only what is written to stdout
        #[arg(long, value_name = "WHEN", value_enum, default_value_t = Confirm::TakenIn)]
        confirm: Confirm,
    },
    /// Print the history that the file of --store keeps, without joining
    History {
        /// Only what was said since then: a date, a time, yesterday, monday, or how long ago, such as 2h
        #[arg(long, value_name = "TIME", value_parser = moment::moment, allow_hyphen_values = true)]
        since: Option<Moment>,
        /// Only what was said before then; a time of day is the next one after --since
        #[arg(long, value_name = "TIME", value_parser = moment::moment, allow_hyphen_values = true)]
        until: Option<Moment>,
        /// Only the newest N of what fits
        #[arg(short = 'n', long, value_name = "N", value_parser = number)]
        #[arg(allow_negative_numbers = true)]
        last: Option<usize>,
        /// Only what was said under this nick, however it is capitalised
        #[arg(long, value_name = "NICK", value_parser = some)]
        from: Option<String>,
        /// Only what has all these words in it; WORD* is any word that begins like this
        #[arg(long, value_name = "TEXT", value_parser = some)]
        grep: Option<String>,
    },
    /// List the rooms heard on the network within two heartbeats, and exit
    Scan,
    /// See what works on this network and what does not, and what to type; 1 if one could not chat
    Doctor,
    /// Be an IRC server on this machine: each IRC client is somebody in papo's rooms
    Irc(irc::IrcOptions),
    /// Make a new random secret for a locked room, in FILE or on stdout
    Keygen {
        /// Where to: a file that is not there yet, which only you may read (mode 0600)
        file: Option<PathBuf>,
    },
    /// Say and draw what nodes did, from the files that they wrote with --trace; 1 if a rule was broken
    Trace(trace::Asked),
    /// Show a room of processes on the screen and take keys, or play a lesson on elections and groups; and draw it
    Demo(demo::Asked),
    /// Print which options are in force, and where each value comes from, as a configuration file
    Config,
    /// Move the file of --store to a new secret: that of --secret-file, or of PAPO_SECRET
    Rekey,
    /// Print the completions for a shell
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// All options of all actions.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The room to join; rooms do not hear each other. May be given several times: papo is in all of them then,
    /// and {room} in the names of --store, --secret-file and --trace stands for the name of each
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "PAPO_ROOM",
        hide_env_values = true,
        default_value = "lobby"
    )]
    #[arg(value_parser = room, help_heading = "Chat")]
    pub room: Vec<String>,
    /// The room was named, and is not merely the default.
    #[arg(skip)]
    pub room_given: bool,
    /// The room was named on the command line.
    #[arg(skip)]
    pub room_typed: bool,
    /// Which values come from elsewhere.
    #[arg(skip)]
    pub(crate) origins: Origins,

    /// Encrypt, and let in only those who hold the same secret: the file's content, or PAPO_SECRET
    #[arg(long, global = true, value_name = "FILE", help_heading = "Chat")]
    pub secret_file: Option<PathBuf>,

    /// What others see you as [default: the login name]
    #[arg(long, global = true, value_name = "NAME", env = "PAPO_NICK", hide_env_values = true, value_parser = nick)]
    #[arg(help_heading = "Chat")]
    pub nick: Option<String>,

    /// Who you are across runs: a file that is made on first use [default: papo/identity in the state
    /// directory, such as ~/.local/state]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "PAPO_IDENTITY",
        hide_env_values = true
    )]
    #[arg(help_heading = "Chat")]
    pub identity: Option<PathBuf>,

    /// Be nobody in particular: others cannot tell that two runs are the same person's
    #[arg(long, global = true, help_heading = "Chat")]
    pub anonymous: bool,

    /// When to use colours in a terminal; NO_COLOR turns them off too
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    #[arg(help_heading = "Chat")]
    pub color: Color,

    /// When to ring the bell, and to notify where the terminal can
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = NotifyWhen::Mention)]
    #[arg(help_heading = "Chat")]
    pub notify: NotifyWhen,

    /// How much of the history to print on joining: N, all or none [default: 20 in a terminal,
    /// none in a pipe]
    #[arg(long, global = true, value_name = "N|all|none", value_parser = replay)]
    #[arg(help_heading = "Chat")]
    #[arg(allow_negative_numbers = true)]
    pub replay: Option<Replay>,

    /// How many messages to keep in memory
    #[arg(long, global = true, value_name = "N", default_value_t = 100_000, value_parser = number)]
    #[arg(help_heading = "Chat")]
    #[arg(allow_negative_numbers = true)]
    pub history: usize,

    /// Keep the history in this file across runs, in plain text
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "PAPO_STORE",
        hide_env_values = true
    )]
    #[arg(help_heading = "Chat")]
    pub store: Option<PathBuf>,

    /// How large the file of --store may become, with K, M or G for units of 1024: beyond, the oldest messages
    /// are deleted
    #[arg(
        long,
        global = true,
        value_name = "SIZE",
        env = "PAPO_STORE_MAX",
        hide_env_values = true
    )]
    #[arg(default_value = "4G", value_parser = size::store_size, help_heading = "Chat")]
    #[arg(allow_negative_numbers = true)]
    pub store_max: u64,

    /// End with status 3 if the file of --store is damaged, instead of setting it aside
    #[arg(long, global = true, help_heading = "Chat")]
    pub store_strict: bool,

    /// Start sending only once N other members are in the room (send, and a pipe)
    #[arg(long, global = true, value_name = "N", default_value_t = 0, value_parser = number)]
    #[arg(help_heading = "Pipes and scripts", hide_default_value = true)]
    #[arg(allow_negative_numbers = true)]
    pub wait_members: usize,

    /// How long to wait for the room, for members, and for confirmations before leaving: papo send and the
    /// end of a pipe take no longer
    #[arg(long, global = true, value_name = "SECONDS", default_value = "10")]
    #[arg(value_parser = seconds, help_heading = "Pipes and scripts")]
    #[arg(allow_negative_numbers = true)]
    pub timeout: Duration,

    /// Stay in the room after the end of stdin
    #[arg(long, global = true, help_heading = "Pipes and scripts")]
    pub stay: bool,

    /// Print events as JSON Lines on stdout, and nothing else there
    #[arg(long, global = true, help_heading = "Pipes and scripts")]
    pub json: bool,

    /// Take lines of stdin that begin with / as commands, as in a terminal; // says a line that
    /// begins with /
    #[arg(long, global = true, help_heading = "Pipes and scripts")]
    pub commands: bool,

    /// The multicast address where members find each other
    #[arg(
        long,
        global = true,
        value_name = "ADDR:PORT",
        env = "PAPO_GROUP",
        hide_env_values = true
    )]
    #[arg(default_value = "239.255.112.97:28783", value_parser = group, help_heading = "Network")]
    pub group: SocketAddr,

    /// Where to multicast and listen, by name or address; may be given several times [default:
    /// every interface that is up]
    #[arg(
        long,
        global = true,
        value_name = "NAME|IP",
        env = "PAPO_INTERFACE",
        hide_env_values = true
    )]
    #[arg(value_parser = interface, value_delimiter = ',', help_heading = "Network")]
    pub interface: Vec<String>,

    /// Where to listen for the other members [default: any address, any free port]
    #[arg(
        long,
        global = true,
        value_name = "ADDR:PORT",
        env = "PAPO_LISTEN",
        hide_env_values = true
    )]
    #[arg(value_parser = listen, help_heading = "Network")]
    pub listen: Option<SocketAddr>,

    /// A member to ask where multicast does not reach: any one, it points on; may be given several
    /// times, and as ROOM=HOST:PORT for one of several rooms
    #[arg(
        long,
        global = true,
        value_name = "HOST:PORT",
        env = "PAPO_PEERS",
        hide_env_values = true
    )]
    #[arg(value_parser = peers::checked, value_delimiter = ',', help_heading = "Network")]
    pub peer: Vec<String>,

    /// Find others through --peer only
    #[arg(long, global = true, help_heading = "Network")]
    pub no_multicast: bool,

    /// How often, in milliseconds, the coordinator says that it is alive
    #[arg(long, global = true, value_name = "MS", default_value = "250")]
    #[arg(value_parser = heartbeat, help_heading = "Network")]
    #[arg(allow_negative_numbers = true)]
    pub heartbeat: Duration,

    /// How long a silence, in milliseconds, means failure; at least twice the heartbeat
    #[arg(long, global = true, value_name = "MS", default_value = "1000")]
    #[arg(value_parser = millis, help_heading = "Network")]
    #[arg(allow_negative_numbers = true)]
    pub failure_timeout: Duration,

    /// Write down what this node does, as JSON Lines, for papo trace
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "PAPO_TRACE",
        hide_env_values = true
    )]
    #[arg(help_heading = "Log")]
    pub trace: Option<PathBuf>,

    /// How much of it to keep, the newest, with K, M or G for units of 1024
    #[arg(long, global = true, value_name = "SIZE", default_value = "64M")]
    #[arg(value_parser = size::trace_size, help_heading = "Log")]
    #[arg(allow_negative_numbers = true)]
    pub trace_max: u64,

    /// Write down what is said, too, and not only that something is
    #[arg(long, global = true, help_heading = "Log")]
    pub trace_text: bool,

    /// Take options from this file, by their names, below the environment; /dev/null has none [default:
    /// papo/config.toml in the configuration directory, such as ~/.config]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "PAPO_CONFIG",
        hide_env_values = true
    )]
    #[arg(help_heading = "Configuration")]
    pub config: Option<PathBuf>,

    /// Log errors only, and do not say who comes and goes
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Log"
    )]
    pub quiet: bool,

    /// Log what happens and who comes and goes (-v), or all details (-vv); without it, RUST_LOG is
    /// heeded
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Log")]
    pub verbose: u8,
}

/// What came of reading the command line, if not a command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// `--help` or `--version`: this is for stdout.
    Shown(String),
    /// A mistake: one line, without its end.
    Wrong(String),
    /// Something that cannot be read: one line, without its end.
    Failed(String),
}

impl Options {
    /// The nick to use: the one given, or the login name as far as it can be one.
    #[must_use]
    pub fn nick(&self) -> String {
        self.nick.clone().unwrap_or_else(nick_of_login)
    }
}

#[cfg(test)]
#[path = "cli/cli_test.rs"]
mod tests;
