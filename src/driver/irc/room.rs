//! One node of an IRC client: in one room, with its own key, listener, links, datagrams and timers.
//!
//! Owns all that such a node has, and a poll of its own: the loop of `running` watches that poll among its other
//! sources, and gives each node its turn. It keeps to the order of the reactor's turn. It shows nothing itself: what
//! the node shows is kept until the loop carries it to the server.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use mio::{Events, Poll, Registry};

use crate::identity::Credentials;
use crate::limits::ACCEPTS_PER_TURN_MAX;
use crate::lock::Secret;
use crate::node::{Command, Config, Effect, Event, Input, Node, Now, Outbox, Time};
use crate::platform::Changes;
use crate::timing;
use crate::trace::Tap;
use crate::wire::{Key, Message};

use super::super::carrier::{Door, Reach, Wake, bury, wake_for_names};
use super::super::complaints::{Complaints, LOCKED, OTHER_SECRET};
use super::super::config::DriverConfig;
use super::super::names::{self, Names};
use super::super::network::{DatagramLock, Datagrams, Host, Network};
use super::super::start_error::StartError;
use super::super::streams::{Listener, Streams};
use super::super::tokens::{DATAGRAMS, INTERFACES, LISTENER, LOOKUPS};
use super::super::tracing::wire;
use super::super::wheel::Wheel;

/// Events taken in one turn; more wait in the kernel.
const EVENTS_MAX: usize = 256;

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
    poll: Poll,
    events: Events,
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
        traced: Option<bool>,
        now: Now,
    ) -> Result<Room, StartError> {
        let poll = Poll::new().map_err(system("create a poll"))?;
        let another = || (poll.registry().try_clone()).map_err(system("create a poll"));
        let at = SocketAddr::new(shared.listen.ip(), 0);
        let no_listener = |e| StartError::Listen(at, e);
        let mut listener = Listener::open(at).map_err(no_listener)?;
        (listener.register(poll.registry(), LISTENER)).map_err(system("watch the sockets"))?;
        let at = listener.address().map_err(no_listener)?;
        let lock = DatagramLock::new(room, secret.as_ref());
        let network = open_network(shared, at, lock, poll.registry(), another()?)?;
        let own = Credentials::new(room, shared.person.as_ref());
        let own = own.ok_or_else(no_randomness)?;
        let config = node_config(shared, (room, nick), own.key(), (&network, at));
        let rng = fastrand::Rng::with_seed(own.key().0);
        let mut opened = Room {
            names: Names::new(another()?, LOOKUPS, &shared.peers, None),
            streams: Streams::new(another()?, network.sources(), own, secret),
            events: Events::with_capacity(EVENTS_MAX),
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
        opened.look_again(now);
        if let Some(texts) = traced {
            opened.begin_trace(now, texts, false);
        }
        opened.node.start(now, &mut opened.outbox);
        opened.carry_out(now);
        opened.finish_turn(now);
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

    /// The poll, to be watched.
    pub(super) fn poll(&self) -> &Poll {
        &self.poll
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
        self.streams.has_ready()
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
        self.feed(now, Input::Command(command));
    }

    /// One turn; `away`: this process was away before it.
    pub(super) fn turn(&mut self, now: Now, away: bool) {
        if away {
            self.feed(now, Input::Away);
        }
        self.sort_events(now);
        if self.stage != Stage::Running {
            return self.turn_after_leaving(now);
        }
        self.feed_stream_inputs(now);
        let mut round = self.network.round();
        while let Some((from, datagram)) = self.network.next_in(now, &mut round) {
            self.feed(now, Input::Datagram { from, datagram });
        }
        let hears_group = self.node.hears_group();
        if self.network.is_locked_out(now.time, hears_group) {
            self.stage = Stage::LockedOut;
            return;
        }
        self.accept(now);
        self.read_streams(now);
        self.fire_timers(now);
        self.follow_names(now);
    }

    /// At the end of a turn of the loop, after the client's commands.
    pub(super) fn end_turn(&mut self, now: Now) {
        if self.stage == Stage::Running {
            self.node.end_turn(now, &mut self.outbox);
            self.carry_out(now);
        }
        self.finish_turn(now);
    }

    /// True if everybody has what was said to them, or had the time.
    pub(super) fn is_over(&self, now: Time) -> bool {
        match self.stage {
            Stage::Running => false,
            Stage::Left(until) => until <= now || self.streams.is_empty(),
            Stage::LockedOut => true,
        }
    }

    fn turn_after_leaving(&mut self, now: Now) {
        self.streams.forget_inputs();
        self.streams.flush(now.time);
        let mut round = self.streams.round();
        while self.streams.next_in(&mut round).is_some() {}
    }

    fn sort_events(&mut self, now: Now) {
        let mut network_changed = false;
        match self.poll.poll(&mut self.events, Some(Duration::ZERO)) {
            Err(e) if e.kind() == ErrorKind::Interrupted => return,
            Err(e) => return log::error!("cannot wait for events: {e}"),
            Ok(()) => {}
        }
        for event in &self.events {
            match event.token() {
                LISTENER => self.listener.on_event(),
                INTERFACES => network_changed = true,
                token if self.network.on_event(token) => {}
                token if self.names.on_event(token) => {}
                _ => self.streams.on_event(event),
            }
        }
        let look = network_changed.then(|| self.network.on_change(now.time));
        if let Some(at) = look.flatten() {
            self.wheel.set(Wake::Look, at);
        }
    }

    fn feed(&mut self, now: Now, input: Input) {
        if let Some(tap) = &mut self.tap {
            let streams = &self.streams;
            let is_dialled = matches!(input, Input::Connected { .. });
            tap.input(now, &input, |link| {
                let ends = streams.ends(link);
                ends.map(|ends| wire(ends, is_dialled)).unwrap_or_default()
            });
        }
        self.node.handle(now, input, &mut self.outbox);
        self.carry_out(now);
    }

    fn feed_stream_inputs(&mut self, now: Now) {
        for _ in 0..self.streams.inputs_len() {
            if let Some(input) = self.streams.next_input() {
                self.feed(now, input);
            }
        }
    }

    fn read_streams(&mut self, now: Now) {
        let mut round = self.streams.round();
        while let Some((link, message)) = self.streams.next_in(&mut round) {
            if matches!(message, Message::Hello(_))
                && let Some(peer) = self.streams.peer_of(link)
            {
                self.node.on_person(link, peer.owner.map(|o| o.to_bytes()));
            }
            self.feed(now, Input::Message { link, message });
        }
        self.feed_stream_inputs(now);
    }

    fn accept(&mut self, now: Now) {
        for _ in 0..ACCEPTS_PER_TURN_MAX {
            if !self.listener.is_ready() {
                return;
            }
            let mut door = Door {
                now: now.time,
                node: &mut self.node,
                listener: &mut self.listener,
                streams: &mut self.streams,
                network: &mut self.network,
            };
            match door.next() {
                Ok(Some(input)) => self.feed(now, input),
                Ok(None) => {}
                Err(_) => {
                    let at = now.time + timing::ACCEPT_RETRY;
                    self.wheel.set(Wake::Accept, at);
                }
            }
        }
    }

    fn fire_timers(&mut self, now: Now) {
        while let Some(wake) = self.wheel.pop_due(now.time) {
            match wake {
                Wake::Node(timer) => self.feed(now, Input::Timer(timer)),
                Wake::Accept => self.listener.on_event(),
                // Being awake is enough, and there is no store.
                Wake::Names | Wake::Store | Wake::Cuts => {}
                Wake::Look => self.follow_network(now),
                Wake::Expire(link) => self.streams.expire(link),
            }
        }
    }

    fn follow_names(&mut self, now: Now) {
        while let Some(news) = self.names.step(now.time) {
            self.shown.extend(news.words.map(Event::Warning));
            if let Some(peer) = news.found {
                self.feed(now, Input::PeerFound(peer));
            }
        }
    }

    fn look_again(&mut self, now: Now) {
        let at = self.network.next_look(now.time);
        self.wheel.set(Wake::Look, at);
    }

    fn follow_network(&mut self, now: Now) {
        let before = self.network.candidates();
        let shown = &mut self.shown;
        let warn = |words: &str| shown.push(Event::Warning(words.to_owned()));
        if self.network.look(warn) {
            self.streams.set_sources(self.network.sources());
            let network = &self.network;
            self.streams.drop_without_address(|ip| network.is_ours(ip));
        }
        self.look_again(now);
        self.feed_stream_inputs(now);
        let candidates = self.network.candidates();
        if candidates != before {
            self.feed(now, Input::Addresses(candidates));
        }
    }

    fn finish_turn(&mut self, now: Now) {
        let node = &self.node;
        (self.streams).sort(now.time, |link| node.is_member_link(link));
        self.streams.flush(now.time);
        let said = self.network.take_complaints().into_iter();
        for complaint in said.chain(self.streams.take_complaints()) {
            // Whoever is alone because of its secret looks into the client, not into the log.
            let is_of_secret = [OTHER_SECRET, LOCKED].contains(&complaint.topic);
            if let Some(words) = self.complaints.admit(now.time, complaint) {
                log::warn!("{words}");
                if is_of_secret {
                    self.shown.push(Event::Warning(words));
                }
            }
        }
        bury(&mut self.streams, &mut self.wheel, now.time);
        wake_for_names(&self.names, &mut self.wheel, now.time);
    }

    // What the node wants done.

    fn carry_out(&mut self, now: Now) {
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
        waiting_max: crate::limits::WAITING_MAX,
        #[cfg(feature = "weaknesses")]
        weakened: None,
    }
}
