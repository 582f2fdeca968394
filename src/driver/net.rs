//! The sockets that nobody in particular is on the other end of: multicast, unicast datagrams, and
//! the listener.
//!
//! Owns how they are opened and bound. One socket hears the group on every interface; for each
//! interface one more, bound to its address and a free port, sends to the group and sends and
//! hears unicast datagrams, so that an answer comes back to where the question was sent from. It
//! knows nothing of what the datagrams say.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

use mio::net::{TcpListener, TcpStream, UdpSocket};
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::limits::{DATAGRAM_BYTES_MAX, INTERFACES_MAX};

use super::{Interface, StartError};

/// What the kernel keeps of written bytes per stream: so little that a PING never waits behind
/// seconds of history.
const SEND_BUFFER_BYTES: usize = 128 * 1024;
/// Connections that wait to be accepted; the kernel's own limit may be lower.
const BACKLOG: i32 = 1_024;
/// Datagrams stay on the local network.
const MULTICAST_TTL: u32 = 1;

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

/// One datagram socket.
#[derive(Debug)]
struct Udp {
    socket: UdpSocket,
    interface: Ipv4Addr,
    /// Sending failed, and the user knows.
    failing: bool,
}

/// The datagram sockets.
#[derive(Debug)]
pub struct Datagrams {
    group: SocketAddrV4,
    /// The first hears the group, the others are one per interface.
    sockets: Vec<Udp>,
}

/// A report of an interface that began or ceased to work.
pub type Report = String;

impl Datagrams {
    /// Opens the sockets for a group on these interfaces; what each interface that failed said is
    /// added to `reports`.
    ///
    /// # Errors
    ///
    /// If the group's port cannot be bound, or no interface works.
    pub fn open(
        group: SocketAddr,
        interfaces: &[Interface],
        reports: &mut Vec<Report>,
    ) -> Result<Datagrams, StartError> {
        let SocketAddr::V4(group) = group else {
            return Err(StartError::Group(
                group,
                io::Error::new(ErrorKind::Unsupported, "only IPv4 groups are supported"),
            ));
        };
        let wrong = |e| StartError::Group(SocketAddr::V4(group), e);
        if !group.ip().is_multicast() {
            let e = io::Error::new(ErrorKind::InvalidInput, "not a multicast address");
            return Err(wrong(e));
        }
        let hearing = hearing_socket(group).map_err(wrong)?;
        let mut sockets = Vec::new();
        let mut last = None;
        for interface in interfaces.iter().take(INTERFACES_MAX) {
            match add_interface(&hearing, group, interface) {
                Ok(udp) => sockets.push(udp),
                Err(e) => {
                    reports.push(format!("no multicast on {interface}: {e}"));
                    last = Some(e);
                }
            }
        }
        if sockets.is_empty() {
            return Err(StartError::Interfaces(interfaces.to_vec(), last));
        }
        let hearing = Udp {
            socket: UdpSocket::from_std(hearing.into()),
            interface: Ipv4Addr::UNSPECIFIED,
            failing: false,
        };
        sockets.insert(0, hearing);
        Ok(Datagrams { group, sockets })
    }

    /// Registers socket n with `token(n)`.
    ///
    /// # Errors
    ///
    /// What the poll said.
    pub fn register(
        &mut self,
        registry: &Registry,
        token: impl Fn(usize) -> Token,
    ) -> io::Result<()> {
        for (n, udp) in self.sockets.iter_mut().enumerate() {
            registry.register(&mut udp.socket, token(n), Interest::READABLE)?;
        }
        Ok(())
    }

    /// How many sockets there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sockets.len()
    }

    /// Reads one datagram from socket n. `buffer` has `DATAGRAM_BYTES_MAX + 1` bytes or more.
    pub fn receive(&self, n: usize, buffer: &mut [u8]) -> Received {
        debug_assert!(buffer.len() > DATAGRAM_BYTES_MAX);
        let Some(udp) = self.sockets.get(n) else {
            return Received::Nothing;
        };
        match udp.socket.recv_from(buffer) {
            Ok((n, from)) => Received::Datagram(n, from),
            Err(e) if e.kind() == ErrorKind::WouldBlock => Received::Nothing,
            // For example a port that nobody listens on any more.
            Err(_) => Received::Error,
        }
    }

    /// Sends a datagram to the group on every interface; an interface that begins or ceases to
    /// fail is reported.
    pub fn multicast(&mut self, bytes: &[u8], mut report: impl FnMut(Report)) {
        let group = SocketAddr::V4(self.group);
        for udp in self.sockets.iter_mut().skip(1) {
            let result = udp.socket.send_to(bytes, group);
            let failed = match result {
                Ok(_) => None,
                // A full buffer loses a datagram, as any network may.
                Err(e) if e.kind() == ErrorKind::WouldBlock => continue,
                Err(e) => Some(e),
            };
            if failed.is_some() != udp.failing {
                udp.failing = failed.is_some();
                report(match failed {
                    Some(e) => format!("cannot multicast on {}: {e}", udp.interface),
                    None => format!("multicast on {} works again", udp.interface),
                });
            }
        }
    }

    /// Sends a datagram to one address, from the interface that most likely reaches it. Losing it
    /// is no error.
    pub fn unicast(&self, bytes: &[u8], to: SocketAddr) {
        let local = to.ip().is_loopback();
        let sockets = &self.sockets[1..];
        let fits = |udp: &&Udp| udp.interface.is_loopback() == local;
        let nearest = sockets.iter().filter(fits).max_by_key(|udp| match to.ip() {
            IpAddr::V4(ip) => (ip.to_bits() ^ udp.interface.to_bits()).leading_zeros(),
            IpAddr::V6(_) => 0,
        });
        if let Some(udp) = nearest.or(sockets.first())
            && let Err(e) = udp.socket.send_to(bytes, to)
        {
            log::debug!("cannot send a datagram to {to}: {e}");
        }
    }
}

fn hearing_socket(group: SocketAddrV4) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    share_port(&socket)?;
    socket.set_nonblocking(true)?;
    // Not what other programs on this host have joined on other interfaces.
    #[cfg(target_os = "linux")]
    socket.set_multicast_all_v4(false)?;
    socket.bind(&SocketAddr::V4(group).into())?;
    Ok(socket)
}

/// Lets many nodes on one host hear the same group.
fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_address(true)?;
    #[cfg(not(target_os = "linux"))]
    socket.set_reuse_port(true)?;
    Ok(())
}

fn add_interface(hearing: &Socket, group: SocketAddrV4, interface: &Interface) -> io::Result<Udp> {
    let IpAddr::V4(ip) = interface.address else {
        return Err(io::Error::new(
            ErrorKind::Unsupported,
            "only IPv4 is supported",
        ));
    };
    hearing.join_multicast_v4(group.ip(), &ip)?;
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((ip, 0)).into())?;
    socket.set_multicast_if_v4(&ip)?;
    socket.set_multicast_loop_v4(true)?;
    socket.set_multicast_ttl_v4(MULTICAST_TTL)?;
    Ok(Udp {
        socket: UdpSocket::from_std(socket.into()),
        interface: ip,
        failing: false,
    })
}

/// Opens the TCP listener.
///
/// # Errors
///
/// If the address cannot be bound.
pub fn listen(at: SocketAddr) -> Result<TcpListener, StartError> {
    let open = || -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
        // A listener of an earlier run leaves streams in TIME_WAIT behind.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
        socket.bind(&at.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from_std(socket.into()))
    };
    open().map_err(|e| StartError::Listen(at, e))
}

/// Prepares a stream that was accepted. It inherited its buffers from the listener.
///
/// # Errors
///
/// What the kernel said: most likely the peer is gone.
pub fn prepare_accepted(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_tcp_nodelay(true)
}

/// Begins to dial, from `source` if there is one and it can be used.
///
/// # Errors
///
/// If the dial failed already.
pub fn dial(to: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    if let Some(source) = source {
        bind_source(&socket, source);
    }
    match socket.connect(&to.into()) {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::WouldBlock => {}
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
        Err(e) => return Err(e),
    }
    Ok(TcpStream::from_std(socket.into()))
}

/// The kernel chooses if this fails: the address may have gone since the start.
fn bind_source(socket: &Socket, source: IpAddr) {
    if let Err(e) = socket.bind(&SocketAddr::new(source, 0).into()) {
        log::debug!("cannot dial from {source}: {e}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback() -> Vec<Interface> {
        vec![Interface::from(Ipv4Addr::LOCALHOST)]
    }

    fn receive(datagrams: &Datagrams, n: usize) -> (Vec<u8>, SocketAddr) {
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
        let group = "239.255.77.1:29011".parse().unwrap();
        let mut reports = Vec::new();
        let mut a = Datagrams::open(group, &loopback(), &mut reports).unwrap();
        let b = Datagrams::open(group, &loopback(), &mut reports).unwrap();
        assert!(reports.is_empty());
        a.multicast(b"who is there", |r| panic!("{r}"));
        let (bytes, from) = receive(&b, 0);
        assert_eq!(bytes, b"who is there");
        assert_eq!(receive(&a, 0).0, bytes, "the sender hears itself");
        b.unicast(b"me", from);
        assert_eq!(receive(&a, 1).0, b"me");
    }

    #[test]
    fn a_group_that_is_none_and_a_port_in_use_are_told_in_one_line() {
        let group = "127.0.0.1:29012".parse().unwrap();
        let error = Datagrams::open(group, &loopback(), &mut Vec::new()).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("--group") && text.contains("127.0.0.1:29012"),
            "{text}"
        );

        let first = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let at = first.local_addr().unwrap();
        let text = listen(at).unwrap_err().to_string();
        assert!(
            text.contains("--listen") && text.contains(&at.to_string()),
            "{text}"
        );
        assert!(!text.contains('\n'));
    }
}
