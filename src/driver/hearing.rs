//! What comes in by datagram: bounded reads, opening what is locked, and who is foreign.
//!
//! How the sockets are opened is the business of `datagrams`.

use std::net::{IpAddr, SocketAddr};

use crate::limits::{DATAGRAM_BYTES_MAX, DATAGRAMS_PER_TURN_MAX};
use crate::lock::OpenError;
use crate::node::Input;
use crate::wire::{Datagram, DecodeError, decode_datagram};

use super::datagrams::Received;
use super::reactor::{LOCK_PATIENCE, Reactor};

impl Reactor {
    pub(super) fn read_datagrams(&mut self) {
        for n in self.datagrams.ready() {
            let mut errors = 0;
            for _ in 0..DATAGRAMS_PER_TURN_MAX {
                if !self.datagrams.is_ready(n) {
                    break;
                }
                errors += usize::from(!self.read_datagram(n));
            }
            // A socket that gives nothing but errors must not keep the loop awake.
            if errors == DATAGRAMS_PER_TURN_MAX {
                self.datagrams.rest(n);
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
            Received::Nothing => {}
            Received::Error => return false,
        }
        true
    }

    fn take_datagram(&mut self, bytes: &[u8], from: SocketAddr) {
        if !self.rates.admits_datagram(self.now.time, from) {
            return;
        }
        let opened = match self.lock.open(self.now.wall_ms, bytes) {
            Ok(plain) => decode_datagram(&plain),
            Err(e @ OpenError::OtherTime(_)) if self.lock_throttle.admits(self.now.time) => {
                return log::warn!("{from}: {e}");
            }
            Err(e) => return log::debug!("{from}: {e}"),
        };
        match opened {
            Ok(Datagram::JoinRequest(_))
                if !self.rates.admits_join_request(self.now.time, from) => {}
            Ok(datagram) => {
                self.network.note(from);
                self.feed(Input::Datagram { from, datagram });
            }
            Err(DecodeError::Version(v)) => self.note_foreign(from.ip(), v),
            Err(e) => log::debug!("{from}: {e}"),
        }
    }

    /// True if this node hears the room and cannot get in. Two groups with two secrets may share a
    /// name, so the one that this node can open has a while to answer.
    pub(super) fn is_locked_out(&mut self) -> bool {
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
}
