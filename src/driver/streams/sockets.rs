//! Opening TCP sockets: the listener's, and those of streams.
//!
//! Owns how they are opened, bound and buffered, and keeps none of them. It knows nothing of what is said
//! on them.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mio::net::{TcpListener, TcpStream};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::platform;

/// What the kernel keeps of written bytes per stream: so little that a PING never waits behind
/// seconds of history.
const SEND_BUFFER_BYTES: usize = 128 * 1024;
/// What the kernel keeps of unread bytes per stream, for the same reason: left alone, it makes this
/// megabytes where much comes in.
const RECEIVE_BUFFER_BYTES: usize = 256 * 1024;
/// What every path carries: the segment of a host that knows nothing of the path (RFC 9293, 3.7.1).
const SMALL_SEGMENT_BYTES: u32 = 536;
/// Connections that wait to be accepted; the kernel's own limit may be lower.
const BACKLOG: i32 = 1_024;

/// Opens the TCP listener. Any IPv6 address means any IPv4 address besides, and that alone on a
/// system without IPv6.
///
/// # Errors
///
/// If the address cannot be bound.
pub fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    let is_any = at.is_ipv6() && at.ip().is_unspecified();
    let without_ipv6 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, at.port()));
    open_listener(at).or_else(|e| match e.kind() {
        _ if !is_any => Err(e),
        ErrorKind::AddrInUse | ErrorKind::PermissionDenied => Err(e),
        _ => open_listener(without_ipv6),
    })
}

fn open_listener(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    if at.is_ipv6() {
        socket.set_only_v6(!at.ip().is_unspecified())?;
    }
    // A listener of an earlier run leaves streams in TIME_WAIT behind.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    set_buffer_sizes(&socket)?;
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// Before the stream is open: the peer learns then how much it may send at a time.
fn set_buffer_sizes(socket: &Socket) -> io::Result<()> {
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)
}

/// An address as peers know it: a listener for both families sees IPv4 addresses in the clothes of
/// IPv6.
#[must_use]
pub fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => (ip, address.port()).into(),
        // The scope stays.
        IpAddr::V6(_) => address,
    }
}

/// Prepares a stream that was accepted. It inherited its buffers from the listener.
///
/// # Errors
///
/// What the kernel said: most likely the peer is gone.
pub fn prepare_accepted(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_tcp_nodelay(true)
}

/// Begins to dial, from `source` if there is one and it can be used, and in small segments if large ones get
/// lost on the way.
///
/// # Errors
///
/// If the dial failed already.
pub fn dial(to: SocketAddr, source: Option<IpAddr>, small: bool) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    set_buffer_sizes(&socket)?;
    if small {
        use_small_segments(&socket);
    }
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

/// Before the stream is open: the peer is told so then, and sends no larger ones either. If the system does
/// not let this happen, the stream is like any other.
fn use_small_segments(socket: &Socket) {
    if let Err(e) = socket.set_tcp_mss(SMALL_SEGMENT_BYTES) {
        log::debug!("cannot have small segments: {e}");
    }
}

/// The kernel chooses if this fails: the address may have gone since the start.
fn bind_source(socket: &Socket, source: IpAddr) {
    if let Err(e) = platform::choose_port_late(socket) {
        log::debug!("cannot choose a port late: {e}");
    }
    if let Err(e) = socket.bind(&SocketAddr::new(source, 0).into()) {
        log::debug!("cannot dial from {source}: {e}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dial_from_an_address_has_it_and_a_port() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let to = listener.local_addr().unwrap();
        let source: IpAddr = "127.0.0.1".parse().unwrap();
        let dialled = dial(to, Some(source), false).unwrap();
        let own = dialled.local_addr().unwrap();
        assert_eq!(own.ip(), source);
        assert_ne!(own.port(), 0);
    }

    #[test]
    fn a_listener_on_any_address_is_reached_by_ipv4() {
        let listener = listen("[::]:0".parse().unwrap()).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    }
}
