//! What comes in by datagram: bounded reads, opening what is locked, and who is foreign.
//!
//! Owns how often each source may send, who was complained of, and how long a room that turns out to be
//! locked is borne. How the sockets are opened is the business of `datagrams`; what a datagram means is the
//! node's.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::limits::{DATAGRAMS_PER_TURN_MAX, FOREIGN_HOSTS_MAX};
use crate::lock::OpenError;
use crate::node::{Now, Time};
use crate::wire::{Datagram, DecodeError, decode_datagram};

use super::super::loglines::Throttle;
use super::super::rates::DatagramRates;
use super::datagram_lock::DatagramLock;
use super::datagrams::Datagrams;

/// How long a group that this node can open has to answer before a locked one ends the search.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);

/// One round over the sockets that may have something to read; of each so many datagrams are read.
#[derive(Debug)]
pub(in crate::driver) struct DatagramRound {
    sockets: std::vec::IntoIter<usize>,
    current: Option<usize>,
    /// Attempts to read the current socket, and how many of them gave an error.
    reads: usize,
    errors: usize,
}

impl DatagramRound {
    pub(super) fn new(sockets: Vec<usize>) -> DatagramRound {
        DatagramRound {
            sockets: sockets.into_iter(),
            current: None,
            reads: 0,
            errors: 0,
        }
    }

    /// The socket that is to be read next.
    pub(super) fn next_socket(&mut self, datagrams: &mut Datagrams) -> Option<usize> {
        loop {
            if let Some(n) = self.current {
                if self.reads < DATAGRAMS_PER_TURN_MAX && datagrams.is_ready(n) {
                    self.reads += 1;
                    return Some(n);
                }
                // A socket that gives nothing but errors must not keep the loop awake.
                if self.errors == DATAGRAMS_PER_TURN_MAX {
                    datagrams.rest(n);
                }
            }
            self.current = self.sockets.next();
            self.current?;
            (self.reads, self.errors) = (0, 0);
        }
    }

    /// An error came instead of a datagram.
    pub(super) fn note_error(&mut self) {
        self.errors += 1;
    }
}

/// What is known of those who send datagrams.
#[derive(Debug)]
pub(super) struct Intake {
    rates: DatagramRates,
    throttle: Throttle,
    /// Hosts that speak another version of the protocol: each is logged once.
    foreign: Vec<IpAddr>,
    /// Until when a room that turns out to be locked is no reason to end.
    patience: Option<Time>,
}

impl Intake {
    pub(super) fn new() -> Intake {
        Intake {
            rates: DatagramRates::new(),
            throttle: Throttle::new(),
            foreign: Vec::new(),
            patience: None,
        }
    }

    /// The datagram that these bytes are, if the node is to hear of it.
    pub(super) fn open(
        &mut self,
        lock: &mut DatagramLock,
        now: Now,
        bytes: &[u8],
        from: SocketAddr,
    ) -> Option<Datagram> {
        if !self.rates.admits_datagram(now.time, from) {
            return None;
        }
        let plain = match lock.open(now.wall_ms, bytes) {
            Ok(plain) => plain,
            Err(e @ OpenError::OtherTime(_)) if self.throttle.admits(now.time) => {
                log::warn!("{from}: {e}");
                return None;
            }
            Err(e) => {
                log::debug!("{from}: {e}");
                return None;
            }
        };
        match decode_datagram(&plain) {
            Ok(Datagram::JoinRequest(_)) if !self.rates.admits_join_request(now.time, from) => {
                return None;
            }
            Ok(datagram) => return Some(datagram),
            Err(DecodeError::Version(v)) => self.note_foreign(from.ip(), v),
            Err(e) => log::debug!("{from}: {e}"),
        }
        None
    }

    /// A datagram came that this node has no key for; true if that is reason to end. Two groups with
    /// two secrets may share a name, so the one that this node can open has a while to answer.
    pub(super) fn gives_up(&mut self, now: Time, hears_group: bool) -> bool {
        if hears_group {
            if self.throttle.admits(now) {
                log::warn!("somebody here uses this room's name with another secret, or with one");
            }
            return false;
        }
        now >= *self.patience.get_or_insert(now + LOCK_PATIENCE)
    }

    fn note_foreign(&mut self, host: IpAddr, version: u8) {
        if self.foreign.len() < FOREIGN_HOSTS_MAX && !self.foreign.contains(&host) {
            self.foreign.push(host);
            log::warn!("{host} speaks version {version} of the protocol and is ignored");
        }
    }
}
