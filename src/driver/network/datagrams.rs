//! The datagram sockets: multicast, and unicast datagrams.
//!
//! Owns which there are, and follows the interfaces as they come and go. One socket hears the IPv4
//! group on twenty interfaces, and one per interface the IPv6 group; for each interface and family
//! one more, bound to its address and a free port, sends to the group and sends and hears unicast
//! datagrams, so that an answer comes back to where the question was sent from. It knows nothing of
//! what the datagrams say.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use rustix::io::Errno;
use slab::Slab;
use socket2::{InterfaceIndexOrAddress, SockRef, Socket};

use crate::limits::{DATAGRAM_BYTES_MAX, GROUPS_PER_SOCKET_MAX, INTERFACES_MAX};
use crate::platform::reason;

use super::interfaces::Interface;
use super::sockets::{group_v6, hearing_v4, hearing_v6, scoped, sending_v4, sending_v6};

/// Sockets in all: three per interface, and those that hear the IPv4 group, of which the system may allow
/// each on one interface only.
pub const SOCKETS_MAX: usize = 1 + 4 * INTERFACES_MAX;
/// Interfaces named in one report.
const NAMED_MAX: usize = 16;
/// What an attempt to read a datagram gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// So many bytes from this source; more than `DATAGRAM_BYTES_MAX` if it was too long.
    Datagram(usize, SocketAddr),
    /// Nothing now: an event will tell.
    Nothing,
    /// An error of an earlier datagram came back; there may be more to read.
    Error,
}

/// What a socket is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Role {
    /// Hears the IPv4 group, on the interfaces where it is joined.
    Hears4,
    /// Hears the IPv6 group on the interface with this index.
    Hears6(u32),
    /// Sends from this IPv4 address of the interface with this index.
    Sends4(u32, Ipv4Addr),
    /// Sends from this IPv6 address of the interface with this index.
    Sends6(u32, Ipv6Addr),
}

/// One datagram socket.
#[derive(Debug)]
struct Udp {
    socket: UdpSocket,
    role: Role,
    /// Its interface's name, for reports.
    name: String,
    /// The interfaces on which it has joined the IPv4 group, by their indices.
    joined: BTreeSet<u32>,
    /// It may have something to read.
    is_ready: bool,
    /// Sending failed, and the user knows.
    is_failing: bool,
}

/// The datagram sockets.
#[derive(Debug)]
pub struct Datagrams {
    registry: Registry,
    /// The first socket's token; the others follow.
    first: usize,
    group4: Option<SocketAddrV4>,
    group6: Option<SocketAddrV6>,
    sockets: Slab<Udp>,
    /// What could not be opened; it is tried again and again.
    failed: BTreeSet<Role>,
    /// The interfaces beyond the limit, by their indices: the user knows.
    left_out: BTreeSet<u32>,
}

/// A report of an interface that began or ceased to work.
pub type Report = String;

impl Datagrams {
    /// No sockets but the one that hears an IPv4 group; [`Datagrams::follow`] opens the others. No
    /// group means no datagrams at all. Tokens are `first` and the [`SOCKETS_MAX`] - 1 after it.
    ///
    /// # Errors
    ///
    /// If the group is none, or its port cannot be bound.
    pub fn new(
        registry: Registry,
        first: usize,
        group: Option<SocketAddr>,
    ) -> io::Result<Datagrams> {
        let (group4, group6) = match group {
            Some(group) if !group.ip().is_multicast() => {
                let e = io::Error::new(ErrorKind::InvalidInput, "not a multicast address");
                return Err(e);
            }
            Some(SocketAddr::V4(group)) => (Some(group), Some(group_v6(group))),
            Some(SocketAddr::V6(group)) => (None, Some(group)),
            None => (None, None),
        };
        let mut datagrams = Datagrams {
            registry,
            first,
            group4,
            group6,
            sockets: Slab::new(),
            failed: BTreeSet::new(),
            left_out: BTreeSet::new(),
        };
        if let Some(group) = group4 {
            datagrams.add(hearing_v4(group)?, Role::Hears4, "")?;
        }
        Ok(datagrams)
    }

    /// Opens and closes sockets so that there are those for these interfaces, the first ones where
    /// there are too many. What failed or is left out is reported once; what failed is tried again at
    /// the next call. None is opened that cannot multicast.
    ///
    /// # Errors
    ///
    /// The last one's reason if there is no socket at all to send from.
    pub fn follow(
        &mut self,
        interfaces: &[Interface],
        mut report: impl FnMut(Report),
    ) -> io::Result<()> {
        let usable: Vec<&Interface> = interfaces.iter().filter(|i| i.can_multicast).collect();
        let (used, left_out) = usable.split_at(usable.len().min(INTERFACES_MAX));
        if let Some(text) = self.leave_out(left_out) {
            report(text);
        }
        let wanted: Vec<(Role, &Interface)> = (used.iter())
            .flat_map(|i| self.roles(i).into_iter().map(move |role| (role, *i)))
            .collect();
        self.close_others(&wanted);
        let mut result = Ok(());
        for (role, interface) in wanted {
            if self.sockets.iter().any(|(_, udp)| udp.role == role) {
                continue;
            }
            match self.open(role, &interface.name) {
                Ok(()) => {
                    self.failed.remove(&role);
                }
                Err(e) => {
                    log::debug!("no multicast on {interface}, {role:?}: {e}");
                    // An IPv6 address cannot be used before it is known to be the only one.
                    let is_early = e.kind() == ErrorKind::AddrNotAvailable;
                    if self.failed.insert(role) && !is_early {
                        report(format!("no multicast on {interface}: {}", reason(&e)));
                    }
                    result = Err(e);
                }
            }
        }
        if self.has_senders() { Ok(()) } else { result }
    }

    /// True if nothing that is wanted failed to open.
    #[must_use]
    pub fn are_all_open(&self) -> bool {
        self.failed.is_empty()
    }

    /// What an interface needs.
    fn roles(&self, interface: &Interface) -> Vec<Role> {
        let index = interface.index;
        let mut roles = Vec::new();
        if let (Some(_), Some(address)) = (self.group4, interface.ipv4()) {
            roles.push(Role::Sends4(index, address));
        }
        if let (Some(_), Some(address)) = (self.group6, interface.link_local()) {
            roles.push(Role::Hears6(index));
            roles.push(Role::Sends6(index, address));
        }
        roles
    }

    fn close_others(&mut self, wanted: &[(Role, &Interface)]) {
        let is_wanted = |role| role == Role::Hears4 || wanted.iter().any(|(w, _)| *w == role);
        let gone: Vec<usize> = (self.sockets.iter())
            .filter(|(_, udp)| !is_wanted(udp.role))
            .map(|(n, _)| n)
            .collect();
        for n in gone {
            let role = self.close(n);
            if let (Some(Role::Sends4(index, _)), Some(group)) = (role, self.group4) {
                self.leave(index, group);
            }
        }
        self.failed.retain(|role| is_wanted(*role));
    }

    fn close(&mut self, n: usize) -> Option<Role> {
        let mut udp = self.sockets.try_remove(n)?;
        let _ = self.registry.deregister(&mut udp.socket);
        Some(udp.role)
    }

    /// Notes which interfaces are beyond the limit; what the user is to be told of them, if that is new.
    fn leave_out(&mut self, interfaces: &[&Interface]) -> Option<String> {
        let before = std::mem::take(&mut self.left_out);
        self.left_out = interfaces.iter().map(|i| i.index).collect();
        let new = interfaces.iter().filter(|i| !before.contains(&i.index));
        let names: Vec<String> = new.map(ToString::to_string).collect();
        let named = names.get(..NAMED_MAX).unwrap_or(&names).join(", ");
        let more = match names.len().saturating_sub(NAMED_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!names.is_empty()).then(|| {
            format!(
                "no multicast on {named}{more}: papo uses {INTERFACES_MAX} interfaces at most; name \
                 those that matter (--interface)"
            )
        })
    }

    /// Joins the group on an interface, with the first socket that may join on one more: the system
    /// limits how many groups one socket is in.
    fn join(&mut self, index: u32, group: SocketAddrV4) -> io::Result<()> {
        for (_, udp) in &mut self.sockets {
            let has_room = udp.role == Role::Hears4 && udp.joined.len() < GROUPS_PER_SOCKET_MAX;
            if has_room && join_with(udp, index, group)? {
                return Ok(());
            }
        }
        let n = self.add(hearing_v4(group)?, Role::Hears4, "")?;
        let joined = match self.sockets.get_mut(n) {
            Some(udp) => join_with(udp, index, group),
            None => Ok(false),
        };
        match joined {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => {
                self.close(n);
                joined.and(Err(Errno::NOBUFS.into()))
            }
        }
    }

    /// Leaves the group on an interface; a socket that hears nothing any more is closed, but for one.
    fn leave(&mut self, index: u32, group: SocketAddrV4) {
        let mut hearing = self.sockets.iter_mut();
        let Some((n, udp)) = hearing.find(|(_, udp)| udp.joined.contains(&index)) else {
            return;
        };
        udp.joined.remove(&index);
        // The membership has gone with the interface, perhaps.
        let at = InterfaceIndexOrAddress::Index(index);
        let _ = SockRef::from(&udp.socket).leave_multicast_v4_n(group.ip(), &at);
        let is_idle = udp.joined.is_empty();
        let mut others = self.sockets.iter().filter(|(other, _)| *other != n);
        if is_idle && others.any(|(_, udp)| udp.role == Role::Hears4) {
            self.close(n);
        }
    }

    fn open(&mut self, role: Role, name: &str) -> io::Result<()> {
        let socket = match (role, self.group4, self.group6) {
            (Role::Sends4(index, address), Some(group), _) => {
                self.join(index, group)?;
                sending_v4(address)?
            }
            (Role::Hears6(index), _, Some(group)) => hearing_v6(group, index)?,
            (Role::Sends6(index, address), _, Some(_)) => sending_v6(address, index)?,
            _ => return Err(ErrorKind::InvalidInput.into()),
        };
        self.add(socket, role, name).map(|_| ())
    }

    /// The result is the socket's number.
    fn add(&mut self, socket: Socket, role: Role, name: &str) -> io::Result<usize> {
        if self.sockets.len() >= SOCKETS_MAX {
            return Err(io::Error::other("too many sockets"));
        }
        let mut socket = UdpSocket::from_std(socket.into());
        let entry = self.sockets.vacant_entry();
        let token = Token(self.first + entry.key());
        self.registry
            .register(&mut socket, token, Interest::READABLE)?;
        entry.insert(Udp {
            socket,
            role,
            name: name.to_owned(),
            joined: BTreeSet::new(),
            is_ready: true,
            is_failing: false,
        });
        Ok(token.0 - self.first)
    }

    /// Takes an event in; false if it is of no socket of these.
    pub fn on_event(&mut self, token: Token) -> bool {
        let Some(n) = token.0.checked_sub(self.first).filter(|n| *n < SOCKETS_MAX) else {
            return false;
        };
        if let Some(udp) = self.sockets.get_mut(n) {
            udp.is_ready = true;
        }
        true
    }

    /// The sockets that may have something to read.
    #[must_use]
    pub fn ready(&self) -> Vec<usize> {
        let ready = self.sockets.iter().filter(|(_, udp)| udp.is_ready);
        ready.map(|(n, _)| n).collect()
    }

    /// Whether a socket may have something to read.
    #[must_use]
    pub fn any_ready(&self) -> bool {
        self.sockets.iter().any(|(_, udp)| udp.is_ready)
    }

    /// Whether socket n may have something to read.
    #[must_use]
    pub fn is_ready(&self, n: usize) -> bool {
        self.sockets.get(n).is_some_and(|udp| udp.is_ready)
    }

    /// Socket n is not read before its next event.
    pub fn rest(&mut self, n: usize) {
        if let Some(udp) = self.sockets.get_mut(n) {
            udp.is_ready = false;
        }
    }

    /// Reads one datagram from socket n. `buffer` has `DATAGRAM_BYTES_MAX + 1` bytes or more.
    pub fn receive(&mut self, n: usize, buffer: &mut [u8]) -> Received {
        debug_assert!(buffer.len() > DATAGRAM_BYTES_MAX);
        let Some(udp) = self.sockets.get_mut(n) else {
            return Received::Nothing;
        };
        match udp.socket.recv_from(buffer) {
            Ok((n, from)) => Received::Datagram(n, from),
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                udp.is_ready = false;
                Received::Nothing
            }
            // For example a port that nobody listens on any more.
            Err(_) => Received::Error,
        }
    }

    /// Sends a datagram to the group on every interface; an interface that begins or ceases to
    /// fail is reported.
    pub fn multicast(&mut self, bytes: &[u8], mut report: impl FnMut(Report)) {
        for (_, udp) in &mut self.sockets {
            let to = match (udp.role, self.group4, self.group6) {
                (Role::Sends4(..), Some(group), _) => SocketAddr::V4(group),
                (Role::Sends6(index, _), _, Some(group)) => scoped(group, index),
                _ => continue,
            };
            let failed = match udp.socket.send_to(bytes, to) {
                Ok(_) => None,
                // A full buffer loses a datagram, as any network may.
                Err(e) if e.kind() == ErrorKind::WouldBlock => continue,
                Err(e) => Some(e),
            };
            if failed.is_some() != udp.is_failing {
                udp.is_failing = failed.is_some();
                let (name, group) = (&udp.name, to.ip());
                report(match failed {
                    Some(e) => format!("cannot multicast to {group} on {name}: {}", reason(&e)),
                    None => format!("multicast to {group} on {name} works again"),
                });
            }
        }
    }

    /// Sends a datagram to one address, from the interface that most likely reaches it. Losing it
    /// is no error.
    pub fn unicast(&self, bytes: &[u8], to: SocketAddr) {
        let nearness = |role| match (role, to) {
            (Role::Sends4(_, from), SocketAddr::V4(to)) => {
                let is_possible = from.is_loopback() == to.ip().is_loopback();
                is_possible.then(|| (from.to_bits() ^ to.ip().to_bits()).leading_zeros())
            }
            (Role::Sends6(index, from), SocketAddr::V6(to)) => match to.scope_id() {
                0 => Some((from.to_bits() ^ to.ip().to_bits()).leading_zeros()),
                scope => (scope == index).then_some(u32::MAX),
            },
            _ => None,
        };
        let possible = self.sockets.iter();
        let possible = possible.filter_map(|(_, udp)| Some((nearness(udp.role)?, udp)));
        if let Some((_, udp)) = possible.max_by_key(|(nearness, _)| *nearness)
            && let Err(e) = udp.socket.send_to(bytes, to)
        {
            log::debug!("cannot send a datagram to {to}: {e}");
        }
    }

    fn has_senders(&self) -> bool {
        let mut roles = self.sockets.iter().map(|(_, udp)| udp.role);
        roles.any(|role| matches!(role, Role::Sends4(..) | Role::Sends6(..)))
    }
}

/// Joins the group on an interface with this socket; false if the socket is in as many as it may.
fn join_with(udp: &mut Udp, index: u32, group: SocketAddrV4) -> io::Result<bool> {
    if udp.joined.contains(&index) {
        return Ok(true);
    }
    let at = InterfaceIndexOrAddress::Index(index);
    match SockRef::from(&udp.socket).join_multicast_v4_n(group.ip(), &at) {
        Err(e) if e.raw_os_error() == Some(Errno::NOBUFS.raw_os_error()) => return Ok(false),
        Err(e) if e.kind() != ErrorKind::AddrInUse => return Err(e),
        _ => {}
    }
    udp.joined.insert(index);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(group: &str, first: usize, poll: &mio::Poll) -> Datagrams {
        let host = super::super::Host::now().unwrap();
        let loopback = super::super::Selection::Named(vec!["127.0.0.1".into()]).of(&host);
        let registry = poll.registry().try_clone().unwrap();
        let group = group.parse().unwrap();
        let mut datagrams = Datagrams::new(registry, first, Some(group)).unwrap();
        datagrams.follow(&loopback, |r| panic!("{r}")).unwrap();
        datagrams
    }

    fn receive(datagrams: &mut Datagrams, n: usize) -> (Vec<u8>, SocketAddr) {
        let mut buffer = [0; DATAGRAM_BYTES_MAX + 1];
        for _ in 0..5_000 {
            match datagrams.receive(n, &mut buffer) {
                Received::Datagram(n, from) => return (buffer[..n].to_vec(), from),
                _ => std::thread::yield_now(),
            }
        }
        panic!("no datagram came");
    }

    #[test]
    fn two_nodes_on_one_host_hear_each_other_and_answer_to_the_sender() {
        let poll = mio::Poll::new().unwrap();
        let mut a = open("239.255.77.1:29011", 0, &poll);
        let mut b = open("239.255.77.1:29011", 1_000, &poll);
        a.multicast(b"who is there", |r| panic!("{r}"));
        let (bytes, from) = receive(&mut b, 0);
        assert_eq!(bytes, b"who is there");
        assert_eq!(receive(&mut a, 0).0, bytes, "the sender hears itself");
        b.unicast(b"me", from);
        assert_eq!(receive(&mut a, 1).0, b"me");
    }

    #[test]
    fn an_interface_that_goes_takes_its_socket_with_it_and_may_come_back() {
        let poll = mio::Poll::new().unwrap();
        let mut a = open("239.255.77.2:29013", 0, &poll);
        let b = open("239.255.77.2:29013", 1_000, &poll);
        a.follow(&[], |r| panic!("{r}")).unwrap();
        assert!(!a.has_senders());
        let mut a_again = a;
        let host = super::super::Host::now().unwrap();
        let loopback = super::super::Selection::Named(vec!["127.0.0.1".into()]).of(&host);
        a_again.follow(&loopback, |r| panic!("{r}")).unwrap();
        let mut b = b;
        b.multicast(b"still there?", |r| panic!("{r}"));
        assert_eq!(receive(&mut a_again, 0).0, b"still there?");
    }
}
