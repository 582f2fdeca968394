//! What was heard of others in the group.
//!
//! Owns what is known of coordinators and of locked rooms after listening. It hears no sockets.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::limits::DOCTOR_ROOMS_MAX;
use crate::lock::{OpenError, Secret, room_tag};
use crate::node::Now;
use crate::wire::{Coordinator, Datagram, DecodeError, decode_datagram};

use super::super::network::DatagramLock;

/// A coordinator that was heard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) room: String,
    pub(super) coordinator: Coordinator,
    pub(super) nick: Option<String>,
    pub(super) members: u64,
    /// From where it was heard.
    pub(super) from: SocketAddr,
}

impl Found {
    /// Where it can be dialled: first where it was heard from.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        let mut all: Vec<SocketAddr> = Vec::new();
        let told = self.coordinator.addresses.iter().map(|a| super::plain(a.0));
        let ports = told.clone().map(|address| address.port());
        let heard = ports.map(|port| {
            let mut from = self.from;
            from.set_port(port);
            from
        });
        for address in heard.take(1).chain(told) {
            if !all.iter().any(|a| a.ip() == address.ip()) {
                all.push(address);
            }
        }
        all
    }
}

/// What was heard.
#[derive(Default, Debug)]
pub(super) struct Heard {
    room: String,
    /// By the coordinators' keys.
    found: BTreeMap<u64, Found>,
    /// Who has this room's name with another secret, or with one where none is known.
    pub(super) locked_by: Option<IpAddr>,
    pub(super) other_secret: Option<IpAddr>,
    /// Whose clock differs by how many seconds.
    pub(super) other_time: Option<(IpAddr, u64)>,
    pub(super) other_version: Option<(IpAddr, u8)>,
}

impl Heard {
    pub(super) fn new(room: &str) -> Heard {
        Heard {
            room: room.to_owned(),
            ..Heard::default()
        }
    }

    /// Takes a datagram in that is not the doctor's own.
    pub(super) fn take(
        &mut self,
        lock: &mut DatagramLock,
        now: Now,
        bytes: &[u8],
        from: SocketAddr,
    ) {
        let is_ours = Secret::tag_of(bytes).is_none_or(|tag| tag == room_tag(&self.room));
        match lock.open(now, bytes) {
            Ok(plain) => self.read(&plain, from),
            // Other rooms in the open are worth a word to whoever has a secret.
            Err(OpenError::NotSealed) => self.read(bytes, from),
            Err(OpenError::Locked) => self.locked_by = Some(from.ip()),
            Err(OpenError::WrongSecret) => self.other_secret = Some(from.ip()),
            Err(OpenError::OtherTime(seconds)) if is_ours => {
                self.other_time = Some((from.ip(), seconds));
            }
            Err(_) => {}
        }
    }

    fn read(&mut self, plain: &[u8], from: SocketAddr) {
        match decode_datagram(plain) {
            Ok(Datagram::Heartbeat {
                room,
                coordinator,
                members,
                nick,
            }) => {
                let key = coordinator.key.0;
                let found = Found {
                    room,
                    coordinator,
                    nick,
                    members,
                    from,
                };
                if self.found.len() < DOCTOR_ROOMS_MAX || self.found.contains_key(&key) {
                    self.found.insert(key, found);
                }
            }
            Err(DecodeError::Version(version)) => {
                self.other_version = Some((from.ip(), version));
            }
            _ => {}
        }
    }

    /// The coordinator of the room that was asked for: of several the one that the others would follow.
    pub(super) fn coordinator(&self) -> Option<&Found> {
        let here = self.found.values().filter(|f| f.room == self.room);
        here.max_by_key(|f| (f.coordinator.id, f.coordinator.key))
    }

    /// The names of the other rooms.
    pub(super) fn other_rooms(&self) -> Vec<&str> {
        let names = self.found.values().map(|f| f.room.as_str());
        let mut names: Vec<&str> = names.filter(|name| *name != self.room).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}
