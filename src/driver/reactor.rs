//! The loop and its order.
//!
//! Owns everything that a running node has, in one struct. One turn: sleep; note the time, and
//! whether this process was away; signals; bounded reads (datagrams, accepts, streams, stdin);
//! timers; the user's commands; the end of the node's turn; then, before the next sleep, write
//! what is queued. Nothing in a turn waits, and each part is bounded, so that no flood from
//! anywhere starves the timers. What is left over is taken up in the next turn, after a sleep of
//! length zero.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use crate::limits::{
    ACCEPT_RETRY_MS, ACCEPTS_PER_TURN_MAX, ADDRESSES_MAX, BYTES_PER_TURN_MAX, DATAGRAM_BYTES_MAX,
    DATAGRAMS_PER_TURN_MAX, FRAMES_PER_TURN_MAX, INTERFACES_MAX,
};
use crate::node::{Config, Input, LinkId, Node, Now, Outbox, Time, Timer};
use crate::ui::{Listening, Ui};
use crate::wire::{Address, DecodeError, Key, decode_datagram};

use super::STATUS_INTERRUPTED;
use super::clock::{Attendance, Clock};
use super::console::Console;
use super::keeping::Keeper;
use super::lock::DatagramLock;
use super::loglines::Throttle;
use super::net::{self, Datagrams, Received};
use super::signals::{Request, Signals};
use super::start::{DriverConfig, StartError};
use super::stream::Share;
use super::streams::{SLOTS_MAX, Streams};
use super::wheel::Wheel;

const LISTENER: Token = Token(SLOTS_MAX);
const SIGNALS: Token = Token(SLOTS_MAX + 1);
pub(super) const STDIN: Token = Token(SLOTS_MAX + 2);
pub(super) const STDOUT: Token = Token(SLOTS_MAX + 3);
pub(super) const STDERR: Token = Token(SLOTS_MAX + 4);
/// The first datagram socket's token; the others follow.
const DATAGRAMS: usize = SLOTS_MAX + 16;
const _: () = assert!(DATAGRAMS + INTERFACES_MAX < 1 << 16);

/// Events taken per sleep; more wait in the kernel.
const EVENTS_MAX: usize = 1_024;
/// What a deadline of the user's side that does not move forward is put off by.
const DEADLINE_STEP: Duration = Duration::from_millis(1);

/// How long a group that this node can open has to answer before a locked one ends the search.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);

/// What the wheel wakes the loop for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Wake {
    /// A timer of the node.
    Node(Timer),
    /// Accepting is tried again.
    Accept,
    /// The store is to be looked after.
    Store,
    /// A link that is being closed has had its time.
    Expire(LinkId),
}

/// Where the loop goes after a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flow {
    /// On.
    On,
    /// The node has left.
    Left,
    /// Out, at once.
    End,
    /// The room is locked, and this node has not its secret.
    LockedOut,
}

/// Everything that a running node has.
pub(super) struct Reactor {
    pub(super) poll: Poll,
    events: Events,
    pub(super) clock: Clock,
    attendance: Attendance,
    /// The time of this turn.
    pub(super) now: Now,
    pub(super) wheel: Wheel<Wake>,
    pub(super) node: Node,
    pub(super) outbox: Outbox,
    pub(super) ui: Ui,
    pub(super) console: Console,
    pub(super) streams: Streams,
    pub(super) datagrams: Datagrams,
    pub(super) lock: DatagramLock,
    /// The store, if the history is kept.
    pub(super) keeper: Option<Keeper>,
    /// Which datagram sockets may have something to read.
    datagrams_ready: Vec<bool>,
    listener: TcpListener,
    listener_ready: bool,
    signals: Signals,
    /// Hosts that speak another version of the protocol: each is logged once.
    foreign: Vec<IpAddr>,
    /// Until when a room that turns out to be locked is no reason to end.
    lock_patience: Option<Time>,
    room: String,
    lock_throttle: Throttle,
    /// The node has left: its last event was shown.
    pub(super) left: bool,
}

impl Reactor {
    /// Opens everything, and starts the node.
    pub(super) fn new(config: DriverConfig) -> Result<Reactor, StartError> {
        let system = |what| move |e| StartError::System(what, e);
        let poll = Poll::new().map_err(system("create a poll"))?;
        let registry = poll.registry();
        let signals = Signals::new(registry, SIGNALS).map_err(system("watch signals"))?;
        let mut listener = net::listen(config.listen)?;
        let mut reports = Vec::new();
        let mut datagrams = Datagrams::open(config.group, &config.interfaces, &mut reports)?;
        registry
            .register(&mut listener, LISTENER, Interest::READABLE)
            .and_then(|()| datagrams.register(registry, |n| Token(DATAGRAMS + n)))
            .map_err(system("watch the sockets"))?;
        let own = registry.try_clone().map_err(system("create a poll"))?;
        let console = Console::new(registry, &config.ui)?;
        let at = (listener.local_addr()).map_err(|e| StartError::Listen(config.listen, e))?;

        let no_randomness = || io::Error::other("no randomness");
        let lock = DatagramLock::new(&config.room, config.secret.as_ref())
            .ok_or_else(|| StartError::System("lock the room", no_randomness()))?;
        let clock = Clock::new();
        let mut rng = fastrand::Rng::with_seed(entropy());
        let key = Key(rng.u64(1..));
        let kept = Keeper::open(&config, clock.now())?;
        // Reading a large store takes a while.
        let now = clock.now();
        let mut node = Node::new(node_config(&config, key, at), rng);
        let keeper = kept.map(|(keeper, restored, words)| {
            node.restore(restored);
            reports.extend(words);
            keeper
        });
        let mut reactor = Reactor {
            events: Events::with_capacity(EVENTS_MAX),
            attendance: Attendance::new(&clock, config.failure_timeout),
            wheel: Wheel::new(now.time),
            node,
            keeper,
            outbox: Outbox::new(),
            ui: Ui::new(config.ui.clone()),
            console,
            streams: Streams::new(own, dial_source(&config), config.secret.clone()),
            lock,
            datagrams_ready: vec![true; datagrams.len()],
            datagrams,
            listener,
            listener_ready: true,
            signals,
            foreign: Vec::new(),
            lock_patience: None,
            lock_throttle: Throttle::new(),
            room: config.room.clone(),
            left: false,
            poll,
            clock,
            now,
        };
        reactor.start(&config, key, at, &reports);
        Ok(reactor)
    }

    fn start(&mut self, config: &DriverConfig, key: Key, at: SocketAddr, reports: &[String]) {
        let tcp = candidates(config, at);
        let listening = Listening {
            tcp: tcp.iter().map(Address::to_string).collect(),
            group: config.group.to_string(),
            room: config.room.clone(),
            nick: config.nick.clone(),
            key,
        };
        self.ui.on_listening(self.now, &listening);
        for report in reports {
            self.ui.warn(self.now, report);
        }
        self.node.start(self.now, &mut self.outbox);
        self.carry_out();
        self.finish_turn();
    }

    /// Runs the loop until the node has left or a second SIGINT came.
    pub(super) fn run(mut self) -> Result<u8, StartError> {
        loop {
            match self.turn() {
                Ok(Flow::On) => {}
                Ok(Flow::Left) => return self.farewell(),
                Ok(Flow::End) => return Ok(STATUS_INTERRUPTED),
                Ok(Flow::LockedOut) => {
                    return Err(StartError::Locked(self.room, self.lock.is_locked()));
                }
                Err(e) => return Err(StartError::System("wait for events", e)),
            }
        }
    }

    fn turn(&mut self) -> io::Result<Flow> {
        let planned = self.next_deadline();
        self.attendance.on_sleep(&self.clock, planned);
        self.sleep(planned)?;
        self.attendance.on_wake(&self.clock);
        self.now = self.clock.now();
        self.note_absence();
        if self.sort_events() == Some(Request::End) {
            return Ok(Flow::End);
        }
        self.feed_stream_inputs();
        self.read_datagrams();
        if self.is_locked_out() {
            return Ok(Flow::LockedOut);
        }
        self.accept();
        if !self.is_storing() {
            self.read_streams();
            self.read_stdin();
        }
        self.fire_timers();
        if !self.is_storing() {
            self.take_commands();
        }
        self.store_turn();
        self.node.end_turn(self.now, &mut self.outbox);
        self.carry_out();
        self.finish_turn();
        self.tidy_store();
        Ok(if self.left { Flow::Left } else { Flow::On })
    }

    /// When the next turn begins at the latest; now or in the past if there is something to do.
    fn next_deadline(&mut self) -> Option<Time> {
        let has_work = self.streams.ready_len() > 0
            || !self.streams.inputs.is_empty()
            || self.listener_ready
            || self.datagrams_ready.contains(&true)
            || self.console.has_work
            || self.may_read_stdin()
            || self.is_storing();
        if has_work {
            return Some(self.now.time);
        }
        let user = (self.ui.next_deadline()).map(|at| {
            let passed = at <= self.now.time;
            if passed {
                self.now.time + DEADLINE_STEP
            } else {
                at
            }
        });
        let stdin = self.streams.stdin_waits_until(self.now.time);
        let timers = self.wheel.next_deadline();
        [user, stdin, timers].into_iter().flatten().min()
    }

    /// Waits for events, until `planned` at the latest and never less: a timer is not due before
    /// its time, and a sleep that is too short would be followed by another.
    pub(super) fn sleep(&mut self, planned: Option<Time>) -> io::Result<()> {
        // The poll itself rounds up to what the system can tell apart.
        let timeout = planned.map(|at| at.since(self.clock.time()));
        match self.poll.poll(&mut self.events, timeout) {
            Err(e) if e.kind() == ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            result => result,
        }
    }

    /// A node that was away is told so before anything else: it must not speak from the past.
    fn note_absence(&mut self) {
        if self.attendance.take_away() {
            log::info!("this node was away");
            self.feed(Input::Away);
        }
    }

    /// Notes which sources are ready. What signals ask for is passed on.
    pub(super) fn sort_events(&mut self) -> Option<Request> {
        let mut signalled = false;
        for event in &self.events {
            match event.token() {
                LISTENER => self.listener_ready = true,
                SIGNALS => signalled = true,
                STDIN | STDOUT | STDERR => self.console.on_event(event.token()),
                Token(t) if (DATAGRAMS..DATAGRAMS + self.datagrams_ready.len()).contains(&t) => {
                    self.datagrams_ready[t - DATAGRAMS] = true;
                }
                _ => self.streams.on_event(event),
            }
        }
        let request = signalled.then(|| self.signals.take()).flatten();
        if request == Some(Request::Leave) {
            self.console.is_stopping = true;
            self.ui.on_stop(self.now, false);
        }
        request
    }

    /// Gives the node one input and does what it wants.
    pub(super) fn feed(&mut self, input: Input) {
        self.node.handle(self.now, input, &mut self.outbox);
        self.carry_out();
    }

    /// What happened to streams since the last turn, or while they were written to. What comes of
    /// it meanwhile waits for the next call.
    fn feed_stream_inputs(&mut self) {
        for _ in 0..self.streams.inputs.len() {
            if let Some(input) = self.streams.inputs.pop_front() {
                self.feed(input);
            }
        }
    }

    fn read_datagrams(&mut self) {
        for n in 0..self.datagrams_ready.len() {
            let mut errors = 0;
            for _ in 0..DATAGRAMS_PER_TURN_MAX {
                if !self.datagrams_ready[n] {
                    break;
                }
                errors += usize::from(!self.read_datagram(n));
            }
            // A socket that gives nothing but errors must not keep the loop awake.
            if errors == DATAGRAMS_PER_TURN_MAX {
                self.datagrams_ready[n] = false;
            }
        }
    }

    /// False if an error came instead of a datagram.
    fn read_datagram(&mut self, n: usize) -> bool {
        let mut buffer = [0; DATAGRAM_BYTES_MAX + 1];
        match self.datagrams.receive(n, &mut buffer) {
            Received::Datagram(len, from) if len > DATAGRAM_BYTES_MAX => {
                log::debug!("{from}: datagram over {DATAGRAM_BYTES_MAX} bytes");
            }
            Received::Datagram(len, from) => self.take_datagram(&buffer[..len], from),
            Received::Nothing => self.datagrams_ready[n] = false,
            Received::Error => return false,
        }
        true
    }

    fn take_datagram(&mut self, bytes: &[u8], from: SocketAddr) {
        let opened = match self.lock.open(bytes) {
            Ok(plain) => decode_datagram(&plain),
            Err(e) => return log::debug!("{from}: {e}"),
        };
        match opened {
            Ok(datagram) => self.feed(Input::Datagram { from, datagram }),
            Err(DecodeError::Version(v)) => self.note_foreign(from.ip(), v),
            Err(e) => log::debug!("{from}: {e}"),
        }
    }

    /// True if this node hears the room and cannot get in. Two groups with two secrets may share a
    /// name, so the one that this node can open has a while to answer.
    fn is_locked_out(&mut self) -> bool {
        if !std::mem::take(&mut self.lock.locked_out) {
            return false;
        }
        let now = self.now.time;
        if self.node.hears_group() {
            if self.lock_throttle.admits(now) {
                log::warn!("somebody here uses this room's name with another secret, or with one");
            }
            return false;
        }
        now >= *self.lock_patience.get_or_insert(now + LOCK_PATIENCE)
    }

    fn note_foreign(&mut self, host: IpAddr, version: u8) {
        const FOREIGN_MAX: usize = 64;
        if self.foreign.len() < FOREIGN_MAX && !self.foreign.contains(&host) {
            self.foreign.push(host);
            log::warn!("{host} speaks version {version} of the protocol and is ignored");
        }
    }

    fn accept(&mut self) {
        for _ in 0..ACCEPTS_PER_TURN_MAX {
            if !self.listener_ready {
                break;
            }
            match self.listener.accept() {
                Ok((socket, peer)) => self.welcome(socket, peer),
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.listener_ready = false,
                Err(e) if is_of_one_connection(&e) => {}
                Err(e) => {
                    self.streams.note_refusal(&e);
                    self.listener_ready = false;
                    let at = self.now.time + Duration::from_millis(ACCEPT_RETRY_MS);
                    self.wheel.set(Wake::Accept, at);
                }
            }
        }
    }

    fn welcome(&mut self, socket: mio::net::TcpStream, peer: SocketAddr) {
        if let Err(rule) = self.streams.may_accept(peer) {
            self.streams.complain(self.now.time, peer, rule);
            return;
        }
        let link = self.node.new_link();
        match self.streams.accept(link, socket, peer) {
            Ok(()) => self.feed(Input::Accepted { link, from: peer }),
            Err(e) => log::debug!("{peer}: {e}"),
        }
    }

    /// Each stream that has something gets its share, those that have waited longest first.
    fn read_streams(&mut self) {
        self.for_each_message(|reactor, link, message| {
            reactor.feed(Input::Message { link, message });
        });
        self.feed_stream_inputs();
    }

    pub(super) fn for_each_message(
        &mut self,
        mut take: impl FnMut(&mut Reactor, LinkId, crate::wire::Message),
    ) {
        let (mut bytes, mut frames) = (BYTES_PER_TURN_MAX, FRAMES_PER_TURN_MAX);
        for _ in 0..self.streams.ready_len() {
            let mut share = Share::of(bytes, frames);
            if share.bytes == 0 || share.frames == 0 {
                break;
            }
            let Some(slot) = self.streams.next_ready() else {
                break;
            };
            let whole = Share::of(bytes, frames);
            while let Some((link, message)) =
                self.streams.next_message(self.now.time, slot, &mut share)
            {
                take(self, link, message);
            }
            bytes -= whole.bytes - share.bytes;
            frames -= whole.frames - share.frames;
        }
    }

    fn fire_timers(&mut self) {
        while let Some(wake) = self.wheel.pop_due(self.now.time) {
            match wake {
                Wake::Node(timer) => self.feed(Input::Timer(timer)),
                Wake::Accept => self.listener_ready = true,
                // Being awake is enough.
                Wake::Store => {}
                Wake::Expire(link) => self.streams.expire(link),
            }
        }
        if self
            .ui
            .next_deadline()
            .is_some_and(|at| at <= self.now.time)
        {
            self.ui.on_deadline(self.now);
        }
    }

    /// Before sleeping: writes what is queued for peers and for the user, and drops what ended.
    fn finish_turn(&mut self) {
        self.attendance.on_work(&self.clock);
        if self.attendance.take_away() {
            // Stopped in the middle of the turn: what it would write now is from the past.
            self.now = self.clock.now();
            self.feed(Input::Away);
        }
        self.streams.flush(self.now.time);
        self.flush_outputs();
        self.bury_streams();
    }

    pub(super) fn bury_streams(&mut self) {
        let until = self.now.time + Duration::from_millis(crate::limits::LINGER_MS);
        for link in self.streams.to_expire.drain(..) {
            self.wheel.set(Wake::Expire(link), until);
        }
        let wheel = &mut self.wheel;
        self.streams.bury(|link| wheel.cancel(Wake::Expire(link)));
    }
}

/// Errors of accept that concern the connection, not the listener.
fn is_of_one_connection(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    )
}

/// Unpredictable bits: the standard library keys its hash maps from the system's entropy.
fn entropy() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

fn node_config(config: &DriverConfig, key: Key, at: SocketAddr) -> Config {
    Config {
        room: config.room.clone(),
        nick: config.nick.clone(),
        key,
        port: at.port(),
        addresses: candidates(config, at),
        heartbeat: config.heartbeat,
        failure_timeout: config.failure_timeout,
        history_max: config.history_max,
        // What is stored is the whole history: with a hole in it nobody could compare it.
        wants_history: config.wants_history || config.store.is_some(),
        weakened: None,
    }
}

/// Where the listener can be reached: its own address, or that of every interface.
fn candidates(config: &DriverConfig, at: SocketAddr) -> Vec<Address> {
    if !at.ip().is_unspecified() {
        return vec![Address(at)];
    }
    (config.interfaces.iter())
        .filter(|interface| interface.address.is_ipv4() == at.is_ipv4() || at.is_ipv6())
        .map(|interface| Address(SocketAddr::new(interface.address, at.port())))
        .take(ADDRESSES_MAX)
        .collect()
}

/// What dials are bound to, so that peers see the address that others know this node by: the
/// listener's, or that of the only interface. With several, the kernel chooses.
fn dial_source(config: &DriverConfig) -> Option<IpAddr> {
    match (config.listen.ip(), config.interfaces.as_slice()) {
        (ip, _) if !ip.is_unspecified() => Some(ip),
        (_, [only]) => Some(only.address),
        _ => None,
    }
}
