//! The datagram sockets: multicast, and unicast datagrams.
//!
//! Owns how they are opened and bound, and follows the interfaces as they come and go. One socket
//! hears the IPv4 group on every interface, and one per interface the IPv6 group; for each
//! interface and family one more, bound to its address and a free port, sends to the group and
//! sends and hears unicast datagrams, so that an answer comes back to where the question was sent
//! from. It knows nothing of what the datagrams say.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use slab::Slab;
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

use crate::limits::{DATAGRAM_BYTES_MAX, INTERFACES_MAX};

use super::interfaces::Interface;

/// Sockets in all: the one that hears the IPv4 group, and three per interface.
pub const SOCKETS_MAX: usize = 1 + 3 * INTERFACES_MAX;
/// Datagrams stay on the local network.
const MULTICAST_TTL: u32 = 1;
/// The IPv6 group that goes with the IPv4 group of the next line.
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0x7061, 0x706f);
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(239, 255, 112, 97);

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
    /// Hears the IPv4 group, on every interface.
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
        };
        if let Some(group) = group4 {
            datagrams.add(hearing_v4(group)?, Role::Hears4, "")?;
        }
        Ok(datagrams)
    }

    /// Opens and closes sockets so that there are those for these interfaces. What failed is
    /// reported once, and tried again at the next call. None is opened that cannot multicast.
    ///
    /// # Errors
    ///
    /// The last one's reason if there is no socket at all to send from.
    pub fn follow(
        &mut self,
        interfaces: &[Interface],
        mut report: impl FnMut(Report),
    ) -> io::Result<()> {
        let usable = interfaces.iter().filter(|i| i.can_multicast);
        let wanted: Vec<(Role, &Interface)> = usable
            .take(INTERFACES_MAX)
            .flat_map(|i| self.roles(i).into_iter().map(move |role| (role, i)))
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
                        report(format!("no multicast on {interface}: {e}"));
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
            let mut udp = self.sockets.remove(n);
            let _ = self.registry.deregister(&mut udp.socket);
            if let (Role::Sends4(index, _), Some(group)) = (udp.role, self.group4) {
                // The membership has gone with the interface, perhaps.
                let _ = self.with_hearing(|socket| {
                    let at = InterfaceIndexOrAddress::Index(index);
                    socket.leave_multicast_v4_n(group.ip(), &at)
                });
            }
        }
        self.failed.retain(|role| is_wanted(*role));
    }

    fn open(&mut self, role: Role, name: &str) -> io::Result<()> {
        let socket = match (role, self.group4, self.group6) {
            (Role::Sends4(index, address), Some(group), _) => {
                let at = InterfaceIndexOrAddress::Index(index);
                let joined = self.with_hearing(|s| s.join_multicast_v4_n(group.ip(), &at));
                match joined {
                    Err(e) if e.kind() != ErrorKind::AddrInUse => return Err(e),
                    _ => sending_v4(address)?,
                }
            }
            (Role::Hears6(index), _, Some(group)) => hearing_v6(group, index)?,
            (Role::Sends6(index, address), _, Some(_)) => sending_v6(address, index)?,
            _ => return Err(ErrorKind::InvalidInput.into()),
        };
        self.add(socket, role, name)
    }

    fn with_hearing(&self, act: impl FnOnce(&Socket) -> io::Result<()>) -> io::Result<()> {
        let hearing = self.sockets.iter().find(|(_, u)| u.role == Role::Hears4);
        match hearing {
            Some((_, udp)) => act(&socket2::SockRef::from(&udp.socket)),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    fn add(&mut self, socket: Socket, role: Role, name: &str) -> io::Result<()> {
        let mut socket = UdpSocket::from_std(socket.into());
        let entry = self.sockets.vacant_entry();
        let token = Token(self.first + entry.key());
        self.registry
            .register(&mut socket, token, Interest::READABLE)?;
        entry.insert(Udp {
            socket,
            role,
            name: name.to_owned(),
            is_ready: true,
            is_failing: false,
        });
        Ok(())
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
                    Some(e) => format!("cannot multicast to {group} on {name}: {e}"),
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

/// The IPv6 group that goes with an IPv4 group: another one for each, so that what was kept apart
/// stays apart.
fn group_v6(group: SocketAddrV4) -> SocketAddrV6 {
    let [a, b, c, d] = group.ip().octets();
    let ip = match *group.ip() {
        GROUP_V4 => GROUP_V6,
        _ => {
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            Ipv6Addr::new(0xff02, 0, 0, 0, high, low, 0x7061, 0x706f)
        }
    };
    SocketAddrV6::new(ip, group.port(), 0, 0)
}

fn scoped(group: SocketAddrV6, index: u32) -> SocketAddr {
    SocketAddrV6::new(*group.ip(), group.port(), 0, index).into()
}

fn hearing_v4(group: SocketAddrV4) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    share_port(&socket)?;
    socket.set_nonblocking(true)?;
    // Not what other programs on this host have joined on other interfaces.
    #[cfg(target_os = "linux")]
    socket.set_multicast_all_v4(false)?;
    socket.bind(&SocketAddr::V4(group).into())?;
    Ok(socket)
}

/// The scope of the address that it is bound to keeps it to one interface.
fn hearing_v6(group: SocketAddrV6, index: u32) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
    share_port(&socket)?;
    socket.set_only_v6(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&scoped(group, index).into())?;
    socket.join_multicast_v6(group.ip(), index)?;
    Ok(socket)
}

/// Lets many nodes on one host hear the same group.
fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_address(true)?;
    #[cfg(not(target_os = "linux"))]
    socket.set_reuse_port(true)?;
    Ok(())
}

fn sending_v4(address: Ipv4Addr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((address, 0)).into())?;
    socket.set_multicast_if_v4(&address)?;
    socket.set_multicast_loop_v4(true)?;
    socket.set_multicast_ttl_v4(MULTICAST_TTL)?;
    Ok(socket)
}

fn sending_v6(address: Ipv6Addr, index: u32) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_only_v6(true)?;
    socket.set_nonblocking(true)?;
    let at = SocketAddrV6::new(address, 0, 0, index);
    socket.bind(&SocketAddr::from(at).into())?;
    socket.set_multicast_if_v6(index)?;
    socket.set_multicast_loop_v6(true)?;
    socket.set_multicast_hops_v6(MULTICAST_TTL)?;
    Ok(socket)
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

    #[test]
    fn each_ipv4_group_has_an_ipv6_group_of_its_own() {
        let of = |text: &str| group_v6(text.parse().unwrap()).to_string();
        assert_eq!(of("239.255.112.97:28783"), "[ff02::7061:706f]:28783");
        assert_eq!(of("239.255.77.1:5000"), "[ff02::efff:4d01:7061:706f]:5000");
    }
}
