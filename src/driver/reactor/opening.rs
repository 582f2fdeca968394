//! The start: everything is opened, in an order in which the first failure is the one that is told, and
//! the node is started.
//!
//! Owns nothing afterwards. It does not wait for anybody, and prints nothing itself.

use std::io;
use std::net::SocketAddr;

use mio::{Events, Poll};

use crate::node::{Config, Node, Outbox};
use crate::platform::Changes;
use crate::ui::{Listening, Mode, Ui};
use crate::wire::{Address, Key};

use super::super::clock::{Attendance, Clock};
use super::super::config::DriverConfig;
use super::super::console::{Console, Signals};
use super::super::descriptors;
use super::super::keeper::Keeper;
use super::super::names::{self, Names};
use super::super::network::{DatagramLock, Datagrams, Host, Network, Selection};
use super::super::start_error::StartError;
use super::super::streams::{Listener, Streams};
use super::super::tokens::{DATAGRAMS, INTERFACES, LISTENER, LOOKUPS, SIGNALS};
use super::super::wheel::Wheel;
use super::Reactor;
use super::starting::Starting;

/// Events taken per sleep; more wait in the kernel.
const EVENTS_MAX: usize = 1_024;
/// What has descriptors, but for the streams and the store.
struct Opened {
    poll: Poll,
    listener: Listener,
    /// Where it listens.
    at: SocketAddr,
    console: Console,
    network: Network,
    /// What the user is to be told.
    reports: Vec<String>,
}

impl Opened {
    fn open(config: &DriverConfig) -> Result<Opened, StartError> {
        descriptors::allow();
        let poll = Poll::new().map_err(system("create a poll"))?;
        let registry = poll.registry();
        let in_terminal = config.ui.mode == Mode::Interactive;
        let signals =
            Signals::new(registry, SIGNALS, in_terminal).map_err(system("watch signals"))?;
        let no_listener = |e| StartError::Listen(config.listen, e);
        let mut listener = Listener::open(config.listen).map_err(no_listener)?;
        (listener.register(registry, LISTENER)).map_err(system("watch the sockets"))?;
        // Before the first look, so that no change falls between the two.
        let changes = Changes::open(registry, INTERFACES)
            .inspect_err(|e| log::info!("the system does not tell of new interfaces: {e}"));
        let host = Host::now().or_else(|e| without_list(config, e))?;
        config.interfaces.check(&host).map_err(StartError::Option)?;
        let group = config.multicast.then_some(config.group);
        let no_group = |e| StartError::Group(config.group, e);
        let own = (registry.try_clone()).map_err(system("create a poll"))?;
        let mut datagrams = Datagrams::new(own, DATAGRAMS, group).map_err(no_group)?;
        let console = Console::new(registry, &config.ui, signals)?;
        let at = listener.address().map_err(no_listener)?;
        let interfaces = config.interfaces.of(&host);
        let mut reports = Vec::new();
        let followed = datagrams.follow(&interfaces, |report| reports.push(report));
        if let (Selection::Named(_), Err(e)) = (&config.interfaces, followed) {
            return Err(StartError::Interfaces(interfaces, e));
        }
        let no_randomness = || io::Error::other("no randomness");
        let lock = DatagramLock::new(&config.room, config.secret.as_ref())
            .ok_or_else(|| StartError::System("lock the room", no_randomness()))?;
        let selection = config.interfaces.clone();
        let network = Network::new(selection, at, host, changes.ok(), datagrams, lock);
        Ok(Opened {
            poll,
            listener,
            at,
            console,
            network,
            reports,
        })
    }
}

impl Reactor {
    /// Opens everything, and starts the node.
    pub(in crate::driver) fn new(config: DriverConfig) -> Result<Reactor, StartError> {
        let opened = Opened::open(&config)?;
        let (network, reports) = (opened.network, opened.reports);
        let clock = Clock::new();
        let mut rng = fastrand::Rng::with_seed(entropy());
        let key = Key(rng.u64(1..));
        let now = clock.now();
        let node = Node::new(node_config(&config, key, &network, opened.at), rng);
        let registry = (opened.poll.registry().try_clone()).map_err(system("create a poll"))?;
        let own = (opened.poll.registry().try_clone()).map_err(system("create a poll"))?;
        let keeper = Keeper::open(&config, &registry, now)?;
        let mut reactor = Reactor {
            names: Names::new(own, LOOKUPS, &config.peers),
            events: Events::with_capacity(EVENTS_MAX),
            attendance: Attendance::new(&clock, config.failure_timeout),
            wheel: Wheel::new(now.time),
            node,
            keeper,
            outbox: Outbox::new(),
            ui: Ui::new(config.ui.clone()),
            console: opened.console,
            streams: Streams::new(registry, network.sources(), config.secret.clone()),
            network,
            listener: opened.listener,
            room: config.room.clone(),
            starting: None,
            left: false,
            poll: opened.poll,
            clock,
            now,
        };
        reactor.start(&config, key, &reports);
        Ok(reactor)
    }

    fn start(&mut self, config: &DriverConfig, key: Key, reports: &[String]) {
        let tcp = self.network.candidates();
        let group = config.multicast.then(|| config.group.to_string());
        let listening = Listening {
            tcp: tcp.iter().map(Address::to_string).collect(),
            group: group.unwrap_or_else(|| "none".to_owned()),
            room: config.room.clone(),
            nick: config.nick.clone(),
            key,
        };
        self.ui.on_listening(self.now, &listening);
        if self.console.never_waits() {
            self.ui.keep_all_output();
        }
        if self.keeper.is_some() {
            self.ui.has_store();
        }
        if config.ui.mode == Mode::Interactive {
            (self.console).open_terminal(self.now, &mut self.ui, config.color, &listening);
        }
        if config.stdout_closed {
            self.console.note_stdout_closed(self.now, &mut self.ui);
        }
        for report in reports {
            self.ui.warn(self.now, report);
        }
        if self.network.is_only_loopback() {
            let text = "no network interface is up but loopback: only nodes on this host are \
                        reached until one is";
            self.ui.warn(self.now, text);
        }
        if self.keeper.is_some() {
            self.starting = Some(Starting::default());
            self.flush_outputs();
        } else {
            self.start_node();
        }
    }
}

/// What is known of this host where its interfaces cannot be listed, if that is enough: nothing is sent to
/// a group, and where to listen is given by addresses.
fn without_list(config: &DriverConfig, e: io::Error) -> Result<Host, StartError> {
    let listens_at_one = !config.listen.ip().is_unspecified();
    let host = (config.interfaces).without_list(listens_at_one);
    let host = host.filter(|_| !config.multicast);
    if host.is_some() {
        log::info!("cannot list the interfaces of this host, which are not needed: {e}");
    }
    host.ok_or(StartError::NoList(e, true))
}

fn system(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |e| StartError::System(what, e)
}

/// Unpredictable bits: the standard library keys its hash maps from the system's entropy.
fn entropy() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

fn node_config(config: &DriverConfig, key: Key, network: &Network, at: SocketAddr) -> Config {
    Config {
        room: config.room.clone(),
        nick: config.nick.clone(),
        key,
        port: at.port(),
        addresses: network.candidates(),
        peers: names::peers(&config.peers),
        heartbeat: config.heartbeat,
        failure_timeout: config.failure_timeout,
        history_max: config.history_max,
        // What is stored is the whole history: with a hole in it nobody could compare it.
        wants_history: config.wants_history || config.store.is_some(),
        confirms_printed: config.ui.confirms_printed,
        unstable_bytes_max: crate::limits::UNSTABLE_BYTES_MAX,
        waiting_max: crate::limits::WAITING_MAX,
        #[cfg(feature = "weaknesses")]
        weakened: None,
    }
}
