//! What goes into the core and what comes out of it, as plain data: it owns no state, and reads no clock.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Event, Texts, Weakness};
use crate::wire::{Address, ChatMessage, Datagram, Fetch, Key, Message, Position};

/// A point in time: microseconds since some start that the driver chose. It never falls, and it
/// goes on while the machine sleeps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(pub u64);

impl Time {
    /// The time that has passed since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The time so long before this one, or that of the start.
    #[must_use]
    pub fn before(self, d: Duration) -> Time {
        Time(self.0.saturating_sub(micros(d)))
    }
}

impl std::ops::Add<Duration> for Time {
    type Output = Time;

    fn add(self, d: Duration) -> Time {
        Time(self.0.saturating_add(micros(d)))
    }
}

/// A duration in whole microseconds.
pub(crate) fn micros(d: Duration) -> u64 {
    u64::try_from(d.as_micros()).unwrap_or(u64::MAX)
}

/// Both clocks at the moment of an input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// For timers and time-outs.
    pub time: Time,
    /// The wall clock in milliseconds since 1970: for people, and for the hybrid logical clock.
    pub wall_ms: u64,
}

/// What a node is told at its start.
#[derive(Clone, Debug)]
pub struct Config {
    /// The room to join.
    pub room: String,
    /// What people call this node.
    pub nick: String,
    /// This run's identity, random.
    pub key: Key,
    /// The port of the TCP listener.
    pub port: u16,
    /// Where the listener can be reached, best first.
    pub addresses: Vec<Address>,
    /// Members to ask where multicast does not reach.
    pub peers: Vec<Peer>,
    /// How often the coordinator says that it is alive.
    pub heartbeat: Duration,
    /// How long a silence means failure; at least twice the heartbeat.
    pub failure_timeout: Duration,
    /// How many messages the history keeps.
    pub history_max: usize,
    /// Whether to fetch the room's history on joining.
    pub wants_history: bool,
    /// What others wrote is confirmed once [`Node::on_printed`](super::Node::on_printed) says that
    /// it is printed, not when it is taken in.
    pub confirms_printed: bool,
    /// How many bytes of messages are kept in memory beyond the history because somebody lacks them.
    pub unstable_bytes_max: usize,
    /// How many bytes of messages, beyond as many messages as the history keeps, wait to be stored before the oldest
    /// of them are given up.
    pub unstored_bytes_max: usize,
    /// How many messages may wait for a predecessor or a dependency.
    pub waiting_max: usize,
    /// For the tests only: one protection switched off, to see that its loss is noticed.
    #[cfg(feature = "weaknesses")]
    #[doc(hidden)]
    pub weakened: Option<Weakness>,
}

impl Config {
    /// True if a test has switched this protection off. Without the feature `weaknesses`, which only the
    /// tests have, nothing can be.
    pub(super) fn is_weakened(&self, weakness: Weakness) -> bool {
        #[cfg(feature = "weaknesses")]
        return self.weakened == Some(weakness);
        #[cfg(not(feature = "weaknesses"))]
        {
            let _ = weakness;
            false
        }
    }
}

/// Who the person behind a node is, as far as two nodes of one person have the same: the fingerprint of an
/// identity, or the like. The node only compares them.
pub type Person = [u8; 20];

/// A member that the user named; any one will do, it points on to the coordinator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peer {
    /// As it was named, for messages.
    pub name: String,
    /// Where it may be reached; empty as long as that is not known.
    pub addresses: Vec<SocketAddr>,
}

/// A TCP stream with one peer, from the dial or the accept on. Numbers are handed out by the node
/// and never used twice, so that a late event of a link that is gone is recognised.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkId(pub u64);

/// Why a link is no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closed {
    /// The dial was refused: nobody listens at that address.
    Refused,
    /// The dial failed otherwise: no route, time-out.
    Failed,
    /// The peer ended or broke the stream.
    Ended,
}

/// The node's timers. At most one of each is set at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Timer {
    /// The next JOIN_REQUEST, or the end of the discovery window.
    Join,
    /// The next HEARTBEAT of the coordinator.
    Heartbeat,
    /// The look at every link, each heartbeat: PINGs, watches, mesh.
    Tick,
    /// The watch on the coordinator's link.
    Watch,
    /// The next question about a coordinator that misses a HEARTBEAT.
    Alarm,
    /// The next step of the election.
    Election,
    /// The current SYNC's answer is overdue.
    Sync,
    /// The next periodic SYNC.
    SyncRound,
    /// Something has waited for its causes long enough.
    Gap,
    /// The next dial of a lost member.
    Redial,
    /// The losses that a coordinator gathered are announced.
    Losses,
    /// The answer to a joiner, spread at random.
    Referral,
    /// Leaving takes too long.
    Leave,
    /// The handshake or the dial of this link is overdue.
    Handshake(LinkId),
}

/// What happens to a node.
#[derive(Clone, Debug)]
pub enum Input {
    /// A datagram came in.
    Datagram {
        /// Its source.
        from: SocketAddr,
        /// What it says.
        datagram: Datagram,
    },
    /// A peer dialled this node; `link` is from [`Node::new_link`](super::Node::new_link).
    Accepted {
        /// The new link.
        link: LinkId,
        /// The peer's address.
        from: SocketAddr,
    },
    /// A dial of this node succeeded.
    Connected {
        /// The link of the [`Effect::Dial`].
        link: LinkId,
    },
    /// A message came in.
    Message {
        /// On this link.
        link: LinkId,
        /// What it says.
        message: Message,
    },
    /// A dial failed, or a link is read to its end. Nothing more comes from this link.
    Closed {
        /// The link.
        link: LinkId,
        /// Why.
        why: Closed,
    },
    /// The outbound queue of a link is full.
    Congested {
        /// The link.
        link: LinkId,
    },
    /// The outbound queue of a congested link is empty again.
    Drained {
        /// The link.
        link: LinkId,
    },
    /// A timer fired.
    Timer(Timer),
    /// The node was away (suspended, stopped) for longer than the failure timeout.
    Away,
    /// Where the listener can be reached has changed.
    Addresses(Vec<Address>),
    /// A peer of [`Config::peers`] was looked up: where it is now, nowhere if that is not known.
    PeerFound(Peer),
    /// The user wants something.
    Command(Command),
}

/// What a user can ask of the node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Say these lines to the room, each a message of its own of at most `TEXT_BYTES_MAX` bytes.
    Say(Texts),
    /// Say this to one member.
    Private {
        /// To whom.
        to: Key,
        /// What.
        text: String,
    },
    /// Take this nick.
    Rename(String),
    /// Start an election now.
    Elect,
    /// Leave once everything said is confirmed, or after this long.
    Leave {
        /// How long to wait for confirmations.
        patience: Duration,
    },
}

/// Which queue of a link a message waits in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// PING, PONG, election and view frames: these overtake the others, in order among themselves.
    Control,
    /// Everything else, in order.
    Chat,
}

/// How a link is to be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Close {
    /// Write what is queued, end the stream, read it to its end.
    Graceful,
    /// At once: the link is of no use any more, for an ordinary reason, named here for the log.
    GiveUp(&'static str),
    /// At once: the peer broke a rule, named here for the log.
    Abort(&'static str),
}

/// What a node wants done, in this order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send one message to each of these links: it is encoded once.
    Send {
        /// To whom.
        to: Vec<LinkId>,
        /// In which queue.
        class: Class,
        /// What.
        message: Message,
    },
    /// Send a datagram to the group.
    Multicast(Datagram),
    /// Send a datagram to one address.
    Unicast {
        /// To whom.
        to: SocketAddr,
        /// What.
        datagram: Datagram,
    },
    /// Open a stream; [`Input::Connected`] or [`Input::Closed`] follows.
    Dial {
        /// The new link.
        link: LinkId,
        /// To this address.
        to: SocketAddr,
        /// In small segments, in both directions: larger packets get lost on the way.
        small: bool,
    },
    /// Close a link, or give up a dial. After `Graceful` an [`Input::Closed`] follows, after
    /// the others nothing.
    Close {
        /// The link.
        link: LinkId,
        /// How.
        how: Close,
    },
    /// Set a timer, instead of the same timer's earlier time.
    SetTimer {
        /// Which.
        timer: Timer,
        /// When it fires; now or in the past means the next turn.
        at: Time,
    },
    /// Cancel a timer; nothing happens if it is not set.
    CancelTimer(Timer),
    /// Answer a FETCH from the store: send a CHUNK of what is there and asked for, up to `until`. Its `next` is always set; it is `until` when nothing is left there.
    /// Only a node with a store asks for it.
    FetchStored {
        /// To whom.
        link: LinkId,
        /// What is asked for.
        fetch: Fetch,
        /// Up to this position.
        until: Position,
        /// What is asked for of that and is not in the store yet: the answer has it, too ([`Chunk::with`](crate::wire::Chunk::with)).
        unstored: Vec<ChatMessage>,
    },
    /// Show something to the user.
    Show(Event),
    /// Only in a node that is traced ([`Node::set_traced`](super::Node::set_traced)): why it does what it does.
    /// There is nothing to do.
    Note(Note),
}

/// What nobody could see from outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// The node stands towards its room in another way.
    Standing {
        /// How, in a word.
        standing: &'static str,
        /// Why.
        why: String,
    },
    /// The node counts on another one no more.
    Lost {
        /// On whom.
        key: Key,
        /// Why.
        why: String,
    },
}

/// Where the node leaves its effects.
pub type Outbox = Vec<Effect>;
