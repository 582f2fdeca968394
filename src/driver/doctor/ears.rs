//! The datagram sockets of the examination: for each interface and family one that hears the group there, and one
//! that sends.
//!
//! Owns them, and the counts of what went out and came in. What a datagram says it is told.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{InterfaceIndexOrAddress, Socket};

use crate::limits::{DATAGRAM_BYTES_MAX, DATAGRAMS_PER_TURN_MAX, INTERFACES_MAX};
use crate::node::Time;

use super::super::clock::Clock;
use super::super::network::Interface;
use super::super::network::sockets::{
    group_v6, hearing_v4, hearing_v6, scoped, sending_v4, sending_v6,
};
use super::findings::Multicast;
use super::probe::Probe;

/// One interface's sockets of one family.
#[derive(Debug)]
struct Ear {
    hears: UdpSocket,
    sends: UdpSocket,
    group: SocketAddr,
    found: Multicast,
}

/// The sockets of all interfaces.
#[derive(Debug)]
pub(super) struct Ears {
    open: Vec<Ear>,
    failed: Vec<Multicast>,
}

impl Ears {
    /// Opens what there can be for these interfaces, the first ones where there are too many.
    pub(super) fn open(group: SocketAddr, interfaces: &[Interface]) -> Ears {
        let mut ears = Ears {
            open: Vec::new(),
            failed: Vec::new(),
        };
        for interface in interfaces.iter().take(INTERFACES_MAX) {
            let v4 = interface.ipv4().map(IpAddr::V4);
            let v6 = interface.link_local().map(IpAddr::V6);
            for address in [v4, v6].into_iter().flatten() {
                let found = Multicast::new(&interface.name, address);
                let opened = match interface.can_multicast {
                    true => sockets(group, interface.index, address),
                    false => Err(io::Error::other("the interface has no multicast")),
                };
                match opened {
                    Ok(Some((hears, sends, group))) => ears.open.push(Ear {
                        hears: hears.into(),
                        sends: sends.into(),
                        group,
                        found,
                    }),
                    Ok(None) => {}
                    Err(e) => ears.failed.push(Multicast {
                        failure: Some(e.to_string()),
                        ..found
                    }),
                }
            }
        }
        ears
    }

    /// Sends the probe on each interface, in both sizes.
    pub(super) fn send(&mut self, probe: &Probe) {
        let large = probe.large();
        for ear in &mut self.open {
            for bytes in [probe.small(), &large] {
                match ear.sends.send_to(bytes, ear.group) {
                    Ok(_) => ear.found.sent += 1,
                    Err(e) => ear.found.failure = Some(e.to_string()),
                }
            }
        }
    }

    /// Hears what comes until then. `take` is told each datagram, and says whether it is the probe.
    pub(super) fn hear(
        &mut self,
        clock: &Clock,
        until: Time,
        mut take: impl FnMut(&[u8], SocketAddr) -> bool,
    ) {
        while clock.time() < until {
            let left = until.since(clock.time());
            if !self.wait(left) {
                return;
            }
            for ear in &mut self.open {
                ear.read(&mut take);
            }
        }
    }

    /// False if waiting is impossible.
    fn wait(&self, at_most: Duration) -> bool {
        let sockets = self.open.iter().flat_map(|ear| [&ear.hears, &ear.sends]);
        let mut fds: Vec<_> = sockets.map(|s| PollFd::new(s, PollFlags::IN)).collect();
        let Ok(timeout) = Timespec::try_from(at_most) else {
            return false;
        };
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => true,
            Err(_) => false,
        }
    }

    pub(super) fn into_findings(self) -> Vec<Multicast> {
        let open = self.open.into_iter().map(|ear| ear.found);
        open.chain(self.failed).collect()
    }
}

impl Ear {
    fn read(&mut self, take: &mut impl FnMut(&[u8], SocketAddr) -> bool) {
        let mut buffer = [0; DATAGRAM_BYTES_MAX + 1];
        for (socket, is_group) in [(&self.hears, true), (&self.sends, false)] {
            for _ in 0..DATAGRAMS_PER_TURN_MAX {
                match socket.recv_from(&mut buffer) {
                    Ok((n, from)) => match take(&buffer[..n], from) {
                        true if is_group && n == DATAGRAM_BYTES_MAX => self.found.own_large += 1,
                        true if is_group => self.found.own_small += 1,
                        true => {}
                        false => self.found.note_other(from.ip()),
                    },
                    Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                    // An error of an earlier datagram.
                    Err(_) => {}
                }
            }
        }
    }
}

/// What hears and what sends on this interface with this address, and to where; none if the group has no address
/// of this family.
fn sockets(
    group: SocketAddr,
    index: u32,
    address: IpAddr,
) -> io::Result<Option<(Socket, Socket, SocketAddr)>> {
    Ok(match (group, address) {
        (SocketAddr::V4(group), IpAddr::V4(address)) => {
            let hears = hearing_v4(group)?;
            let at = InterfaceIndexOrAddress::Index(index);
            hears.join_multicast_v4_n(group.ip(), &at)?;
            Some((hears, sending_v4(address)?, group.into()))
        }
        (group, IpAddr::V6(address)) => {
            let group = match group {
                SocketAddr::V4(group) => group_v6(group),
                SocketAddr::V6(group) => group,
            };
            let hears = hearing_v6(group, index)?;
            Some((hears, sending_v6(address, index)?, scoped(group, index)))
        }
        (SocketAddr::V6(_), IpAddr::V4(_)) => None,
    })
}
