//! One node of an IRC client: in one room, with its own key, listener, links, datagrams and timers.
//!
//! Owns all that such a node has, and a poll of its own: the loop of `running` watches that poll among its other
//! sources, and gives each node its turn, in the order of [`Turn`]. It shows nothing itself: what the node shows is kept
//! until the loop carries it to the server.

use std::io;
use std::net::SocketAddr;

use mio::Registry;

use crate::identity::Credentials;
use crate::lock::Secret;
use crate::node::{Command, Config, Effect, Event, Input, Node, Now, Outbox, Time};
use crate::platform::Changes;
use crate::timing;
use crate::trace::Tap;
use crate::wire::Key;

use super::super::carrier::{LockedOut, OwnPoll, Parts, Reach, Turn, Wake};
use super::super::complaints::{Complaints, LOCKED, OTHER_SECRET};
use super::super::config::DriverConfig;
use super::super::names::{self, Names};
use super::super::network::{DatagramLock, Datagrams, Host, Network};
use super::super::start_error::StartError;
use super::super::streams::{Listener, Streams};
use super::super::tokens::{DATAGRAMS, INTERFACES, LISTENER, LOOKUPS};
use super::super::tracing::wire;
use super::super::wheel::Wheel;

/// How far a node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// It runs.
    Running,
    /// It has left, and what is queued for peers is written until then.
    Left(Time),
    /// It is locked out: the room is locked, and it has not its secret.
    LockedOut,
}

/// One node.
pub(super) struct Room {
    poll: OwnPoll,
    /// The time of this turn.
    now: Now,
    wheel: Wheel<Wake>,
    node: Node,
    outbox: Outbox,
    streams: Streams,
    network: Network,
    listener: Listener,
    names: Names,
    complaints: Complaints,
    stage: Stage,
    shown: Vec<Event>,
    name: String,
    /// What it does is written down.
    tap: Option<Tap>,
}

fn system(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |e| StartError::System(what, e)
}

impl Room {
    /// Opens everything that the node has, and starts it; `traced`: what it does is written down, with what is said or without.
    pub(super) fn open(
        shared: &DriverConfig,
        (room, nick): (&str, &str),
        secret: Option<Secret>,
        (poll, traced): (OwnPoll, Option<bool>),
        now: Now,
    ) -> Result<Room, StartError> {
        let another = || (poll.registry()).map_err(system("create a poll"));
        let registry = another()?;
        let at = SocketAddr::new(shared.listen.ip(), 0);
        let no_listener = |e| StartError::Listen(at, e);
        let mut listener = Listener::open(at).map_err(no_listener)?;
        (listener.register(&registry, LISTENER)).map_err(system("watch the sockets"))?;
        let at = listener.address().map_err(no_listener)?;
        let lock = DatagramLock::new(room, secret.as_ref());
        let network = open_network(shared, at, lock, &registry, another()?)?;
        let own = Credentials::new(room, shared.person.as_ref());
        let own = own.ok_or_else(no_randomness)?;
        let config = node_config(shared, (room, nick), own.key(), (&network, at));
        let rng = fastrand::Rng::with_seed(own.key().0);
        let mut opened = Room {
            names: Names::new(another()?, LOOKUPS, &shared.peers, None),
            streams: Streams::new(registry, network.sources(), own, secret),
            now,
            wheel: Wheel::new(now.time),
            node: Node::new(config, rng),
            outbox: Outbox::new(),
            network,
            listener,
            complaints: Complaints::default(),
            stage: Stage::Running,
            shown: Vec::new(),
            name: room.to_owned(),
            tap: None,
            poll,
        };
        opened.look_again();
        if let Some(texts) = traced {
            opened.begin_trace(now, texts, false);
        }
        opened.node.start(now, &mut opened.outbox);
        opened.carry_out();
        opened.finish(&mut ());
        Ok(opened)
    }

    /// What it does is written down from now on; `late`: it has run for a while.
    pub(super) fn begin_trace(&mut self, now: Now, texts: bool, late: bool) {
        let mut tap = Tap::new(self.node.key(), &self.name, texts);
        self.node.set_traced(true);
        tap.head(now, &self.node, late);
        self.tap = Some(tap);
    }

    /// It is not, any more.
    pub(super) fn end_trace(&mut self) {
        self.node.set_traced(false);
        self.tap = None;
    }

    /// What was written down, for whoever takes it.
    pub(super) fn traced(&mut self) -> Option<&mut Vec<u8>> {
        self.tap.as_mut().map(Tap::lines)
    }

    /// How it stands, for the head of a file.
    pub(super) fn trace_head(&mut self, now: Now) -> Vec<u8> {
        let Some(tap) = &mut self.tap else {
            return Vec::new();
        };
        tap.head(now, &self.node, false);
        std::mem::take(tap.lines())
    }

    /// The node, to look at.
    pub(super) fn node(&self) -> &Node {
        &self.node
    }

    /// The process's poll watches it no more.
    pub(super) fn close(&self, process: &Registry) {
        self.poll.close(process);
    }

    /// The process's poll has said that something happened here.
    pub(super) fn wake(&mut self) {
        self.poll.wake();
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    /// What the node has shown since the last call.
    pub(super) fn take_shown(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.shown)
    }

    /// True while the node's peers cannot follow: what else is to be said waits.
    pub(super) fn is_busy(&self, now: Time) -> bool {
        let queues = self.streams.stdin_waits_until(now);
        queues
            .max(self.node.chased_until(now))
            .is_some_and(|at| at > now)
    }

    /// True if it is to have a turn at once.
    pub(super) fn has_work(&self) -> bool {
        self.poll.is_woken()
            || self.streams.has_ready()
            || self.streams.inputs_len() > 0
            || self.listener.is_ready()
            || self.network.has_ready()
    }

    /// When it is to have a turn at the latest.
    pub(super) fn next_deadline(&mut self) -> Option<Time> {
        match self.stage {
            Stage::Left(until) => Some(until),
            _ => self.wheel.next_deadline(),
        }
    }

    /// The client wants something.
    pub(super) fn command(&mut self, now: Now, command: Command) {
        self.now = now;
        self.feed(Input::Command(command));
    }

    /// The first half of a turn; `away`: this process was away before it.
    pub(super) fn turn(&mut self, now: Now, away: bool) {
        self.now = now;
        if away {
            self.feed(Input::Away);
        }
        self.sort_events();
        if self.stage != Stage::Running {
            return self.turn_after_leaving();
        }
        if let Err(LockedOut) = self.hear(&mut ()) {
            self.stage = Stage::LockedOut;
        }
    }

    /// The second half, after the client's commands.
    pub(super) fn end_turn(&mut self, now: Now) {
        self.now = now;
        match self.stage {
            Stage::Running => self.speak(&mut ()),
            _ => self.finish(&mut ()),
        }
    }

    /// True if everybody has what was said to them, or had the time.
    pub(super) fn is_over(&self, now: Time) -> bool {
        match self.stage {
            Stage::Running => false,
            Stage::Left(until) => until <= now || self.streams.is_empty(),
            Stage::LockedOut => true,
        }
    }

    fn turn_after_leaving(&mut self) {
        self.streams.forget_inputs();
        self.streams.flush(self.now.time);
        let mut round = self.streams.round();
        while self.streams.next_in(&mut round).is_some() {}
    }

    fn sort_events(&mut self) {
        let (network, names, streams) = (&mut self.network, &mut self.names, &mut self.streams);
        let listener = &mut self.listener;
        let mut network_changed = false;
        self.poll.sort_events(|event| match event.token() {
            LISTENER => listener.on_event(),
            INTERFACES => network_changed = true,
            token if network.on_event(token) => {}
            token if names.on_event(token) => {}
            _ => streams.on_event(event),
        });
        let look = network_changed.then(|| self.network.on_change(self.now.time));
        if let Some(at) = look.flatten() {
            self.wheel.set(Wake::Look, at);
        }
    }
}

impl Turn for Room {
    type Lent = ();

    fn now(&self) -> Now {
        self.now
    }

    fn parts(&mut self) -> Parts<'_> {
        Parts {
            node: &mut self.node,
            outbox: &mut self.outbox,
            wheel: &mut self.wheel,
            streams: &mut self.streams,
            network: &mut self.network,
            listener: &mut self.listener,
            names: &mut self.names,
        }
    }

    fn feed(&mut self, input: Input) {
        if let Some(tap) = &mut self.tap {
            let streams = &self.streams;
            let is_dialled = matches!(input, Input::Connected { .. });
            tap.input(self.now, &input, |link| {
                let ends = streams.ends(link);
                ends.map(|ends| wire(ends, is_dialled)).unwrap_or_default()
            });
        }
        self.node.handle(self.now, input, &mut self.outbox);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        let now = self.now;
        if let Some(tap) = &mut self.tap {
            tap.output(now, &self.node, &self.outbox);
        }
        let mut reach = Reach {
            now,
            node: &self.node,
            wheel: &mut self.wheel,
            streams: &mut self.streams,
            network: &mut self.network,
            names: &mut self.names,
        };
        let mut has_left = false;
        for effect in self.outbox.drain(..) {
            let shown = &mut self.shown;
            let warn = |words: &str| shown.push(Event::Warning(words.to_owned()));
            // There is no store.
            if let Some(Effect::Show(event)) = reach.carry_out(effect, warn) {
                has_left |= matches!(event, Event::Left { .. });
                self.shown.push(event);
            }
        }
        if has_left {
            self.stage = Stage::Left(now.time + timing::FAREWELL_PEERS);
            self.streams.close_all();
        }
    }

    fn warn(&mut self, words: &str) {
        self.shown.push(Event::Warning(words.to_owned()));
    }

    fn write_for_user(&mut self, (): &mut ()) {
        let said = self.network.take_complaints().into_iter();
        for complaint in said.chain(self.streams.take_complaints()) {
            // Whoever is alone because of its secret looks into the client, not into the log.
            let is_of_secret = [OTHER_SECRET, LOCKED].contains(&complaint.topic);
            if let Some(words) = self.complaints.admit(self.now.time, complaint) {
                log::warn!("{words}");
                if is_of_secret {
                    self.shown.push(Event::Warning(words));
                }
            }
        }
    }
}

fn no_randomness() -> StartError {
    StartError::System("make a key", io::Error::other("no randomness"))
}

fn open_network(
    shared: &DriverConfig,
    at: SocketAddr,
    lock: Option<DatagramLock>,
    registry: &Registry,
    own: Registry,
) -> Result<Network, StartError> {
    // Before the first look, so that no change falls between the two.
    let changes = Changes::open(registry, INTERFACES).ok();
    let host = Host::now().map_err(|e| StartError::NoList(e, false))?;
    shared.interfaces.check(&host).map_err(StartError::Option)?;
    let group = shared.multicast.then_some(shared.group);
    let no_group = |e| StartError::Group(shared.group, e);
    let mut datagrams = Datagrams::new(own, DATAGRAMS, group).map_err(no_group)?;
    let interfaces = shared.interfaces.of(&host);
    let followed = datagrams.follow(&interfaces, |report| log::warn!("{report}"));
    followed.map_err(|e| StartError::Interfaces(interfaces, e))?;
    let lock = lock.ok_or_else(no_randomness)?;
    let selection = shared.interfaces.clone();
    Ok(Network::new(selection, at, host, changes, datagrams, lock))
}

fn node_config(
    shared: &DriverConfig,
    (room, nick): (&str, &str),
    key: Key,
    (network, at): (&Network, SocketAddr),
) -> Config {
    Config {
        room: room.to_owned(),
        nick: nick.to_owned(),
        key,
        port: at.port(),
        addresses: network.candidates(),
        peers: names::peers(&shared.peers),
        heartbeat: shared.heartbeat,
        failure_timeout: shared.failure_timeout,
        history_max: shared.history_max,
        wants_history: true,
        confirms_printed: false,
        unstable_bytes_max: crate::limits::UNSTABLE_BYTES_MAX,
        unstored_bytes_max: crate::limits::UNSTORED_BYTES_MAX,
        waiting_max: crate::limits::WAITING_MAX,
        #[cfg(feature = "weaknesses")]
        weakened: None,
    }
}
