//! `papo scan`: listens to the group for a while, and hears which rooms there are.
//!
//! Owns a poll and sockets of its own, beside those of a running node. It joins nothing and sends nothing.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mio::{Events, Poll};

use crate::limits::DATAGRAM_BYTES_MAX;
use crate::lock::{Secret, room_tag};
use crate::node::{Now, Time};
use crate::ui::rooms_found::{HeardRoom, Rooms};
use crate::wire::{Datagram, decode_datagram};

use super::clock::Clock;
use super::descriptors;
use super::network::{DatagramLock, Datagrams, Host, Received, Selection};
use super::start_error::StartError;

/// Added to two heartbeats: the coordinator's timers and ours are not those of one clock.
const SLACK: Duration = Duration::from_millis(100);

/// What to listen to.
#[derive(Clone, Debug)]
pub struct ScanConfig {
    /// The multicast group and port.
    pub group: SocketAddr,
    /// Where to listen.
    pub interfaces: Selection,
    /// How often a coordinator says that it is alive.
    pub heartbeat: Duration,
    /// The locked room whose secret is known, if there is one.
    pub locked: Option<(String, Secret)>,
    /// The only room that is wanted, if not all are; locked ones whose names are not known may be it.
    pub only: Option<String>,
}

/// What was heard.
#[derive(Debug)]
pub struct Scan {
    /// The rooms.
    pub rooms: Rooms,
    /// The wall clock at the end, in milliseconds since 1970.
    pub wall_ms: u64,
    /// What interfaces that failed said.
    pub reports: Vec<String>,
}

/// Listens for two heartbeats and a little more.
///
/// # Errors
///
/// If the group cannot be listened to.
pub fn scan(config: &ScanConfig) -> Result<Scan, StartError> {
    let system = |what| move |e| StartError::System(what, e);
    descriptors::allow();
    let mut poll = Poll::new().map_err(system("create a poll"))?;
    let mut reports = Vec::new();
    let host = Host::now().map_err(|e| StartError::NoList(e, false))?;
    config.interfaces.check(&host).map_err(StartError::Option)?;
    let registry = (poll.registry().try_clone()).map_err(system("create a poll"))?;
    let no_group = |e| StartError::Group(config.group, e);
    let mut datagrams = Datagrams::new(registry, 0, Some(config.group)).map_err(no_group)?;
    let interfaces = config.interfaces.of(&host);
    if let Err(e) = datagrams.follow(&interfaces, |report| reports.push(report)) {
        return Err(StartError::Interfaces(interfaces, e));
    }
    let (room, secret) = match &config.locked {
        Some((room, secret)) => (room.as_str(), Some(secret)),
        None => ("", None),
    };
    let no_randomness = || io::Error::other("no randomness");
    let lock = DatagramLock::new(room, secret)
        .ok_or_else(|| StartError::System("open a locked room", no_randomness()))?;
    let mut ear = Ear {
        lock,
        room: room.to_string(),
        rooms: Rooms::default(),
    };
    let clock = Clock::new();
    let until = clock.time() + config.heartbeat * 2 + SLACK;
    let mut events = Events::with_capacity(64);
    while clock.time() < until {
        match poll.poll(&mut events, Some(until.since(clock.time()))) {
            Err(e) if e.kind() != io::ErrorKind::Interrupted => {
                return Err(StartError::System("wait for events", e));
            }
            _ => {
                for event in &events {
                    datagrams.on_event(event.token());
                }
                ear.listen(&mut datagrams, &clock, until);
            }
        }
    }
    let mut rooms = ear.rooms;
    if let Some(only) = &config.only {
        rooms.keep(only);
    }
    Ok(Scan {
        rooms,
        wall_ms: clock.now().wall_ms,
        reports,
    })
}

struct Ear {
    lock: DatagramLock,
    room: String,
    rooms: Rooms,
}

impl Ear {
    fn listen(&mut self, datagrams: &mut Datagrams, clock: &Clock, until: Time) {
        let mut buffer = [0; DATAGRAM_BYTES_MAX + 1];
        for n in datagrams.ready() {
            while clock.time() < until {
                match datagrams.receive(n, &mut buffer) {
                    Received::Datagram(len, from) => {
                        self.hear(clock.now(), &buffer[..len], from);
                    }
                    Received::Nothing => break,
                    Received::Error => {}
                }
            }
        }
    }

    fn hear(&mut self, now: Now, bytes: &[u8], from: SocketAddr) {
        if let Some(tag) = Secret::tag_of(bytes) {
            let opened = self.lock.open(now, bytes).ok();
            match opened.as_deref().map(decode_datagram) {
                Some(Ok(datagram)) => self.hear_datagram(datagram, from, true),
                // One's own room by name, with another secret.
                _ => self.hear_locked(tag, from),
            }
        } else if let Ok(datagram) = decode_datagram(bytes) {
            self.hear_datagram(datagram, from, false);
        }
    }

    fn hear_locked(&mut self, tag: [u8; crate::lock::ROOM_TAG_BYTES], from: SocketAddr) {
        let named = !self.room.is_empty() && tag == room_tag(&self.room);
        let room = HeardRoom {
            name: named.then(|| self.room.clone()),
            locked: true,
            told: None,
            host: from.ip(),
        };
        self.rooms.hear(u64::from_be_bytes(tag), room);
    }

    fn hear_datagram(&mut self, datagram: Datagram, from: SocketAddr, locked: bool) {
        if let Datagram::Heartbeat {
            room,
            coordinator,
            members,
            ..
        } = datagram
        {
            let mark = coordinator.key.0;
            let room = HeardRoom {
                name: Some(room),
                locked,
                told: Some((members, coordinator)),
                host: from.ip(),
            };
            self.rooms.hear(mark, room);
        }
    }
}
