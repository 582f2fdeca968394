//! The IRC clients of this machine: their sockets, and the bytes between them and the server.
//!
//! Owns the listeners, the connections and the [`Server`], to which it carries bytes. What the server asks of rooms
//! goes to whoever calls, and what rooms tell comes from there. It never decides what a client is told, and reads
//! of each client only so much in a turn.

mod room;
mod running;
mod sockets;
mod tracing;

pub(super) use running::run;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use mio::event::Event;
use mio::{Interest, Registry, Token};
use slab::Slab;

use crate::irc::{Conn, Request, Round, Server, Settings};
use crate::limits::{ACCEPTS_PER_TURN_MAX, IRC_CLIENTS_MAX, IRC_DOORS_MAX, IRC_READ_BYTES};
use crate::lock::Secret;
use crate::node::{Now, Time};
use crate::timing;

use super::start_error::StartError;
use sockets::{Door, Socket};

/// How many numbers the poll needs for this part.
pub(super) const TOKENS: usize = IRC_DOORS_MAX + IRC_CLIENTS_MAX;

/// Where IRC clients connect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IrcAddress {
    /// An address of this machine.
    Tcp(SocketAddr),
    /// A socket in the file system, for its owner only.
    Unix(PathBuf),
}

impl IrcAddress {
    /// True if nobody but this machine can connect there.
    #[must_use]
    pub fn is_of_this_machine(&self) -> bool {
        match self {
            IrcAddress::Tcp(at) => at.ip().to_canonical().is_loopback(),
            IrcAddress::Unix(_) => true,
        }
    }
}

impl fmt::Display for IrcAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IrcAddress::Tcp(at) => at.fmt(f),
            IrcAddress::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for IrcAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<IrcAddress, String> {
        if let Some(path) = text.strip_prefix("unix:").filter(|p| !p.is_empty()) {
            return Ok(IrcAddress::Unix(path.into()));
        }
        let named = text
            .strip_prefix("localhost:")
            .map(|port| format!("127.0.0.1:{port}"));
        let at = named.as_deref().unwrap_or(text).parse();
        at.map(IrcAddress::Tcp).map_err(|_| {
            "give an address and a port, such as 127.0.0.1:6667, or unix: and a file".to_owned()
        })
    }
}

/// What the command line decides about the IRC server.
#[derive(Clone, Debug)]
pub struct IrcConfig {
    /// Where to listen.
    pub listen: Vec<IrcAddress>,
    /// The server itself.
    pub settings: Settings,
    /// What a key of JOIN names: the room and its secret.
    pub secrets: BTreeMap<String, Vec<u8>>,
}

impl IrcConfig {
    /// The keys of a room, with the secret of this name.
    #[must_use]
    pub fn secret(&self, name: &str, room: &str) -> Option<Secret> {
        Secret::derive(room, self.secrets.get(name)?).ok()
    }
}

#[derive(Debug)]
struct Listening {
    door: Door,
    is_ready: bool,
    /// Nobody could be let in; it is tried again then.
    again: Option<Time>,
    /// That was said.
    is_failing: bool,
}

#[derive(Debug)]
struct Connection {
    conn: Conn,
    socket: Socket,
    can_read: bool,
    can_write: bool,
    /// The client says no more. What it said is understood all the same.
    is_ended: bool,
}

/// The IRC clients.
#[derive(Debug)]
pub(super) struct Irc {
    registry: Registry,
    first_token: usize,
    doors: Vec<Listening>,
    connections: Slab<Connection>,
    places: BTreeMap<Conn, usize>,
    next_conn: u64,
    server: Server,
}

impl Irc {
    /// Listens where it is to. The poll names what it watches from `first_token` on.
    pub(super) fn open(
        config: &IrcConfig,
        registry: Registry,
        first_token: usize,
        now: Now,
    ) -> Result<Irc, StartError> {
        let mut doors = Vec::new();
        for at in config.listen.iter().take(IRC_DOORS_MAX) {
            let failed = |e| StartError::IrcListen(at.clone(), e);
            let mut door = Door::open(at).map_err(failed)?;
            let token = Token(first_token + doors.len());
            door.register(&registry, token).map_err(failed)?;
            doors.push(Listening {
                door,
                is_ready: true,
                again: None,
                is_failing: false,
            });
        }
        Ok(Irc {
            registry,
            first_token,
            doors,
            connections: Slab::new(),
            places: BTreeMap::new(),
            next_conn: 0,
            server: Server::new(config.settings.clone(), now),
        })
    }

    /// Where clients can connect.
    pub(super) fn addresses(&self) -> Vec<String> {
        self.doors.iter().map(|l| l.door.address()).collect()
    }

    /// The server, to be told of rooms.
    pub(super) fn server(&mut self) -> &mut Server {
        &mut self.server
    }

    /// Notes what is ready; false if it is nothing of this part.
    pub(super) fn on_event(&mut self, event: &Event) -> bool {
        let Some(at) = event
            .token()
            .0
            .checked_sub(self.first_token)
            .filter(|at| *at < TOKENS)
        else {
            return false;
        };
        if let Some(listening) = self.doors.get_mut(at) {
            listening.is_ready = true;
        } else if let Some(at) = at.checked_sub(IRC_DOORS_MAX)
            && let Some(connection) = self.connections.get_mut(at)
        {
            connection.can_read |=
                event.is_readable() || event.is_read_closed() || event.is_error();
            connection.can_write |= event.is_writable() || event.is_error();
        }
        true
    }

    /// True if there is something to do at once.
    pub(super) fn has_work(&self) -> bool {
        let reads = |c: &Connection| c.can_read && self.server.wants_bytes(c.conn);
        self.doors.iter().any(|l| l.is_ready) || self.connections.iter().any(|(_, c)| reads(c))
    }

    /// When there is something to do at the latest.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        let doors = self.doors.iter().filter_map(|l| l.again);
        doors.chain(self.server.next_deadline()).min()
    }

    /// Takes in what the clients say, and lets in who waits: whoever has gone is gone before somebody else comes.
    pub(super) fn read(&mut self, now: Now) {
        let mut bytes = vec![0; IRC_READ_BYTES];
        for (_, connection) in &mut self.connections {
            let wants = self.server.wants_bytes(connection.conn);
            if !connection.can_read || connection.is_ended || !wants {
                continue;
            }
            match connection.socket.read(&mut bytes) {
                Ok(0) => connection.is_ended = true,
                Ok(read) => self.server.on_bytes(now, connection.conn, &bytes[..read]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => connection.can_read = false,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => connection.is_ended = true,
            }
        }
        self.drop_ended(now);
        for at in 0..self.doors.len() {
            self.accept(now, at);
        }
    }

    /// Lets go who has said all.
    fn drop_ended(&mut self, now: Now) {
        let ended = self.connections.iter().filter(|(_, c)| c.is_ended);
        let ended: Vec<Conn> = ended.map(|(_, c)| c.conn).collect();
        for conn in ended {
            if !self.server.has_lines(conn) {
                self.drop_connection(now, conn, "connection closed");
            }
        }
    }

    fn accept(&mut self, now: Now, at: usize) {
        for _ in 0..ACCEPTS_PER_TURN_MAX {
            let listening = &mut self.doors[at];
            listening.is_ready |= listening.again.take_if(|at| *at <= now.time).is_some();
            if !listening.is_ready {
                return;
            }
            match listening.door.accept() {
                Ok((socket, host)) => {
                    listening.is_failing = false;
                    self.welcome(now, socket, &host);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => {
                    listening.is_ready = false;
                    if e.kind() != ErrorKind::WouldBlock {
                        listening.again = Some(now.time + timing::ACCEPT_RETRY);
                        if !std::mem::replace(&mut listening.is_failing, true) {
                            log::warn!("an IRC client cannot be let in: {e}");
                        }
                    }
                }
            }
        }
    }

    fn welcome(&mut self, now: Now, mut socket: Socket, host: &str) {
        if self.connections.len() >= IRC_CLIENTS_MAX
            && let Some(oldest) = self.server.oldest_unknown()
        {
            self.drop_connection(now, oldest, "somebody else came");
        }
        if self.connections.len() >= IRC_CLIENTS_MAX {
            let _ = socket.write(b"ERROR :Closing link: too many clients\r\n");
            return;
        }
        let entry = self.connections.vacant_entry();
        let token = Token(self.first_token + IRC_DOORS_MAX + entry.key());
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(e) = self.registry.register(socket.source(), token, interest) {
            return log::warn!("an IRC client cannot be let in: {e}");
        }
        self.next_conn += 1;
        let conn = Conn(self.next_conn);
        self.places.insert(conn, entry.key());
        entry.insert(Connection {
            conn,
            socket,
            can_read: true,
            can_write: true,
            is_ended: false,
        });
        self.server.on_connected(now, conn, host);
    }

    /// Whose lines are understood in this turn.
    pub(super) fn round(&self, now: Now) -> Round {
        self.server.round(now)
    }

    /// Understands one more line; false if there is none in this turn. What it asks of rooms is to be done before
    /// the next one.
    pub(super) fn step(&mut self, now: Now, round: &mut Round) -> bool {
        self.server.step(now, round)
    }

    /// The next thing that is to be done with rooms.
    pub(super) fn next_request(&mut self) -> Option<Request> {
        self.server.next_request()
    }

    /// At the end of a turn: lets go who goes, and writes what waits.
    pub(super) fn end_turn(&mut self, now: Now) {
        self.server.end_turn(now);
        self.write();
        self.drop_ended(now);
        for conn in self.server.dead() {
            self.drop_connection(now, conn, "connection closed");
        }
    }

    /// Writes what waits, as far as the sockets take it.
    pub(super) fn write(&mut self) {
        let waiting: Vec<Conn> = self.server.with_unsent().collect();
        for conn in waiting {
            let place = self.places.get(&conn).copied();
            let Some(connection) = place.and_then(|at| self.connections.get_mut(at)) else {
                continue;
            };
            while connection.can_write {
                let bytes = self.server.unsent(conn);
                if bytes.is_empty() {
                    break;
                }
                match connection.socket.write(bytes) {
                    Ok(sent) => self.server.on_sent(conn, sent),
                    Err(e) if e.kind() == ErrorKind::WouldBlock => connection.can_write = false,
                    Err(e) if e.kind() == ErrorKind::Interrupted => {}
                    Err(_) => {
                        connection.is_ended = true;
                        break;
                    }
                }
            }
        }
    }

    fn drop_connection(&mut self, now: Now, conn: Conn, why: &str) {
        let place = self.places.remove(&conn);
        if let Some(mut gone) = place.and_then(|at| self.connections.try_remove(at)) {
            let _ = self.registry.deregister(gone.socket.source());
        }
        self.server.on_disconnected(now, conn, why);
    }

    /// Papo ends: every client is told so, as far as it reads.
    pub(super) fn close_all(&mut self, now: Now, why: &str) {
        self.doors.clear();
        self.server.end_all(now, why);
        self.write();
    }
}
