//! The loop of `papo irc`: the clients' sockets and the nodes of all of them, watched by one poll.
//!
//! Owns the poll, the clocks, the nodes, and what carries between these and the server. One turn: sleep; signals; the
//! clients' bytes; a turn of each node that has something to do; the clients' lines, with what they ask of rooms
//! done between two of them; then what the nodes have shown goes to the server, and everything is written. Nothing
//! in a turn waits.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, Write as _};

use mio::{Events, Poll, Token};

use crate::irc::{Request, SeatId};
use crate::limits::IRC_SECRETS_MAX;
use crate::lock::Secret;
use crate::node::{Command, Now, Texts, Time};
use crate::timing;

use super::super::carrier::OwnPoll;
use super::super::clock::{Attendance, Clock};
use super::super::config::DriverConfig;
use super::super::console::{SignalRequest, Signals};
use super::super::descriptors;
use super::super::loglines;
use super::super::start_error::StartError;
use super::super::status::STATUS_INTERRUPTED;
use super::room::{Room, Stage};
use super::tracing::Tracing;
use super::{Irc, IrcConfig, TOKENS};

const SIGNALS: Token = Token(0);
/// The first number of the clients' sockets.
const CLIENTS: usize = 16;
/// The first number of the nodes; each has that of its seat after it.
const ROOMS: usize = CLIENTS + TOKENS;
const EVENTS_MAX: usize = 1_024;
/// What a pipe takes at once that takes anything (POSIX's PIPE_BUF is not less).
const PIPE_TAKES: usize = 512;

/// Everything that runs.
struct Running {
    shared: DriverConfig,
    config: IrcConfig,
    poll: Poll,
    events: Events,
    clock: Clock,
    attendance: Attendance,
    signals: Signals,
    now: Now,
    irc: Irc,
    rooms: BTreeMap<SeatId, Room>,
    /// The keys of rooms, by the names of their secrets.
    keys: BTreeMap<(String, String), Option<Secret>>,
    /// The nodes that had something to do in this turn.
    touched: BTreeSet<SeatId>,
    /// What is written down of what the nodes do.
    tracing: Tracing,
    /// Log lines that stderr has not taken yet.
    log: Vec<u8>,
    /// Papo is to end, and waits for the nodes until then.
    ends_at: Option<Time>,
}

/// Lets IRC clients in until papo is told to end; the result is the exit status.
pub(in crate::driver) fn run(shared: DriverConfig, config: IrcConfig) -> Result<u8, StartError> {
    let mut running = Running::open(shared, config)?;
    for at in running.irc.addresses() {
        log::info!("IRC clients can connect at {at}");
    }
    for warning in &running.shared.warnings {
        log::warn!("{warning}");
    }
    loop {
        if let Some(status) = running.turn()? {
            return Ok(status);
        }
    }
}

/// True if so many bytes can be written without waiting.
fn takes_some(stderr: &io::Stderr) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut fds = [PollFd::new(stderr, PollFlags::OUT)];
    let at_once = Timespec::default();
    poll(&mut fds, Some(&at_once)).is_ok_and(|ready| ready > 0)
}

fn system(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |e| StartError::System(what, e)
}

impl Running {
    fn open(shared: DriverConfig, config: IrcConfig) -> Result<Running, StartError> {
        descriptors::allow_all();
        let poll = Poll::new().map_err(system("create a poll"))?;
        let registry = poll.registry();
        let signals = Signals::new(registry, SIGNALS, false, false);
        let signals = signals.map_err(system("watch signals"))?;
        let clock = Clock::new();
        let now = clock.now();
        let own = registry.try_clone().map_err(system("create a poll"))?;
        let mut irc = Irc::open(&config, own, CLIENTS, now)?;
        irc.server().set_descriptors(descriptors::limit());
        Ok(Running {
            tracing: Tracing::new(&shared.trace, now)?,
            attendance: Attendance::new(&clock, shared.failure_timeout),
            events: Events::with_capacity(EVENTS_MAX),
            shared,
            config,
            poll,
            clock,
            signals,
            now,
            irc,
            rooms: BTreeMap::new(),
            keys: BTreeMap::new(),
            touched: BTreeSet::new(),
            log: Vec::new(),
            ends_at: None,
        })
    }

    /// One turn; the exit status, if it was the last.
    fn turn(&mut self) -> Result<Option<u8>, StartError> {
        self.sleep()?;
        let away = self.attendance.take_away();
        let mut signalled = false;
        for event in &self.events {
            match event.token() {
                SIGNALS => signalled = true,
                _ if self.irc.on_event(event) => {}
                Token(n) => {
                    let seat = n.checked_sub(ROOMS).map(|n| SeatId(n as u64));
                    let room = seat.and_then(|seat| self.rooms.get_mut(&seat));
                    room.into_iter().for_each(Room::wake);
                }
            }
        }
        if signalled {
            match self.signals.take() {
                Some(SignalRequest::End) => return Ok(Some(STATUS_INTERRUPTED)),
                Some(SignalRequest::Leave) => self.leave(),
                None => {}
            }
            if self.signals.take_trace() {
                self.tracing.on_signal(self.now, &mut self.rooms);
            }
        }
        let now = self.now;
        self.irc.read(now);
        for (seat, room) in &mut self.rooms {
            let is_due = room.next_deadline().is_some_and(|at| at <= now.time);
            if away || is_due || room.has_work() {
                room.turn(now, away);
                self.touched.insert(*seat);
            }
        }
        self.carry_shown();
        self.understand();
        self.end_turn();
        self.write_log();
        let is_over = self.rooms.is_empty() || self.ends_at.is_some_and(|at| at <= now.time);
        Ok((self.ends_at.is_some() && is_over).then_some(0))
    }

    /// Writes log lines as far as stderr takes them without waiting.
    fn write_log(&mut self) {
        if self.log.is_empty() {
            loglines::take_into(&mut self.log);
        }
        while !self.log.is_empty() && takes_some(&io::stderr()) {
            let some = self.log.len().min(PIPE_TAKES);
            // There is nowhere left to complain to.
            let _ = io::stderr().write_all(&self.log[..some]);
            self.log.drain(..some);
        }
    }

    fn sleep(&mut self) -> Result<(), StartError> {
        let mut planned = self.irc.next_deadline();
        let has_work = self.irc.has_work() || self.rooms.values().any(Room::has_work);
        for room in self.rooms.values_mut() {
            planned = [planned, room.next_deadline()].into_iter().flatten().min();
        }
        let busy = self.rooms.values().any(|room| room.is_busy(self.now.time));
        let again = busy.then(|| self.now.time + timing::IRC_BUSY_LOOK);
        let trace = self.tracing.deadline();
        let planned = [planned, self.ends_at, again, trace];
        let planned = planned.into_iter().flatten().min();
        let planned = if has_work {
            Some(self.now.time)
        } else {
            planned
        };
        self.attendance.on_sleep(&self.clock, planned);
        let timeout = planned.map(|at| at.since(self.clock.time()));
        match self.poll.poll(&mut self.events, timeout) {
            Err(e) if e.kind() == ErrorKind::Interrupted => self.events.clear(),
            result => result.map_err(system("wait for events"))?,
        }
        self.attendance.on_wake(&self.clock);
        self.now = self.clock.now();
        Ok(())
    }

    /// Understands the clients' lines. What a line asks of rooms is done before the next one.
    fn understand(&mut self) {
        let now = self.now;
        let busy: Vec<SeatId> = {
            let busy = self.rooms.iter().filter(|(_, room)| room.is_busy(now.time));
            busy.map(|(seat, _)| *seat).collect()
        };
        self.irc.server().set_busy(busy);
        let mut round = self.irc.round(now);
        loop {
            let is_over = !self.irc.step(now, &mut round);
            self.carry_out_requests();
            if is_over {
                return;
            }
        }
    }

    fn carry_out(&mut self, request: Request) {
        let now = self.now;
        let (seat, command) = match request {
            Request::Open {
                seat,
                room,
                nick,
                secret,
            } => {
                return self.open_room(seat, (&room, &nick), secret.as_deref());
            }
            Request::Say { seat, text } => (seat, Command::Say(Texts::from_iter([text]))),
            Request::Private { seat, to, text } => (seat, Command::Private { to, text }),
            Request::Rename { seat, nick } => (seat, Command::Rename(nick)),
            Request::Leave { seat } => {
                let patience = self.shared.ui.timeout;
                (seat, Command::Leave { patience })
            }
        };
        match self.rooms.get_mut(&seat) {
            Some(room) => {
                room.command(now, command);
                self.touched.insert(seat);
            }
            None => self.irc.server().on_closed(now, seat, "it is gone"),
        }
    }

    /// The keys of a room with this secret, which are derived once.
    fn keys_of(&mut self, name: &str, room: &str) -> Option<Secret> {
        if self.keys.len() >= IRC_SECRETS_MAX {
            self.keys.clear();
        }
        let of = (name.to_owned(), room.to_owned());
        let config = &self.config;
        let keys = self.keys.entry(of);
        keys.or_insert_with(|| config.secret(name, room)).clone()
    }

    fn open_room(&mut self, seat: SeatId, (room, nick): (&str, &str), secret: Option<&str>) {
        let now = self.now;
        let keys = secret.map(|name| self.keys_of(name, room));
        if keys.as_ref().is_some_and(Option::is_none) {
            return self
                .irc
                .server()
                .on_closed(now, seat, "its secret cannot be used");
        }
        let (keys, traced) = (keys.flatten(), self.tracing.wanted());
        let token = Token(ROOMS + usize::try_from(seat.0).unwrap_or(0));
        let poll = OwnPoll::open(self.poll.registry(), token).map_err(system("create a poll"));
        let opened =
            poll.and_then(|poll| Room::open(&self.shared, (room, nick), keys, (poll, traced), now));
        match opened {
            Ok(room) => {
                let key = room.node().key();
                self.rooms.insert(seat, room);
                self.touched.insert(seat);
                self.irc.server().on_opened(now, seat, key);
            }
            Err(e) => self.irc.server().on_closed(now, seat, &e.to_string()),
        }
    }

    /// What the nodes have shown goes to the server.
    fn carry_shown(&mut self) {
        let now = self.now;
        for seat in &self.touched {
            let Some(room) = self.rooms.get_mut(seat) else {
                continue;
            };
            for event in room.take_shown() {
                self.irc.server().on_event(now, *seat, event, room.node());
            }
        }
        self.carry_out_requests();
    }

    fn carry_out_requests(&mut self) {
        while let Some(request) = self.irc.next_request() {
            self.carry_out(request);
        }
    }

    fn end_turn(&mut self) {
        let now = self.now;
        // The clients hear at once what was said; the rooms come after them.
        self.irc.end_turn(now);
        self.carry_out_requests();
        for seat in &self.touched {
            if let Some(room) = self.rooms.get_mut(seat) {
                room.end_turn(now);
                self.tracing.take_from(room);
            }
        }
        self.tracing.flush(now, &mut self.rooms);
        self.carry_shown();
        self.irc.write();
        self.touched.clear();
        let over = self.rooms.iter().filter(|(_, room)| room.is_over(now.time));
        let over: Vec<SeatId> = over.map(|(seat, _)| *seat).collect();
        for seat in over {
            self.bury(seat);
        }
        self.carry_out_requests();
        // Nothing may happen for long after this: whoever was locked out is told now.
        self.irc.write();
    }

    fn bury(&mut self, seat: SeatId) {
        let Some(room) = self.rooms.remove(&seat) else {
            return;
        };
        room.close(self.poll.registry());
        let why = match room.stage() {
            Stage::LockedOut => {
                "the room is locked; give the name of its secret (JOIN #room NAME, --irc-secret)"
            }
            _ => "it has left",
        };
        self.irc.server().on_closed(self.now, seat, why);
    }

    /// Papo is to end: the clients are told so, and their nodes leave.
    fn leave(&mut self) {
        let patience = self.shared.ui.timeout;
        self.ends_at
            .get_or_insert(self.now.time + patience + timing::FAREWELL_PEERS);
        self.irc.close_all(self.now, "papo ends");
    }
}
