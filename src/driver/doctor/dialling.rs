//! Connections: to a coordinator, to peers and to oneself.
//!
//! Owns how one is tried, and from which address. What is sent on it is `packets`' business.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::lock::Secret;
use crate::timing;

use super::super::clock::Clock;
use super::super::network::Interface;
use super::packets::{self, Packets};

/// A connection that was tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Dial {
    pub(super) to: SocketAddr,
    pub(super) result: Result<Duration, String>,
    pub(super) packets: Packets,
}

/// From where connections leave: the addresses of the interfaces that are selected.
#[derive(Clone, Debug)]
pub(super) struct Source(Vec<IpAddr>);

impl Source {
    pub(super) fn of(interfaces: &[Interface]) -> Source {
        let all = interfaces.iter().flat_map(|i| i.addresses.iter().copied());
        Source(all.collect())
    }

    /// The address that is nearest to this one, if there is one from which it can be reached.
    fn towards(&self, to: IpAddr) -> Option<IpAddr> {
        let bits = |a: IpAddr| match a {
            IpAddr::V4(a) => a.to_ipv6_mapped().to_bits(),
            IpAddr::V6(a) => a.to_bits(),
        };
        let is_local = |a: IpAddr| matches!(a, IpAddr::V6(a) if a.is_unicast_link_local());
        let possible = self.0.iter().copied().filter(|from| {
            from.is_ipv4() == to.is_ipv4()
                && from.is_loopback() == to.is_loopback()
                && is_local(*from) == is_local(to)
        });
        possible.max_by_key(|from| (bits(*from) ^ bits(to)).leading_zeros())
    }

    /// The address that leads there, with any free port.
    pub(super) fn at(&self, to: SocketAddr) -> Option<SocketAddr> {
        self.towards(to.ip()).map(|from| scoped(from, to))
    }

    /// Tries to connect; none if no selected interface leads there.
    pub(super) fn dial(
        &self,
        to: SocketAddr,
        secret: Option<&Secret>,
        clock: &Clock,
    ) -> Option<Dial> {
        let from = self.towards(to.ip())?;
        let begun = clock.time();
        let opened = connect(from, to, None);
        let (result, packets) = match opened {
            Ok(stream) => {
                let took = clock.time().since(begun);
                let again = |segment| connect(from, to, Some(segment));
                (Ok(took), packets::on(stream, secret, again))
            }
            Err(e) => (Err(e.to_string()), Packets::Unknown),
        };
        Some(Dial {
            to,
            result,
            packets,
        })
    }

    /// An address of one's own: one that leads out, if there is one.
    fn own(&self) -> Option<IpAddr> {
        let v4 = || self.0.iter().filter(|a| a.is_ipv4());
        let out = v4().find(|a| !a.is_loopback());
        out.or_else(|| v4().next()).copied()
    }
}

/// This address with any free port, and the interface that the other one names.
fn scoped(from: IpAddr, to: SocketAddr) -> SocketAddr {
    let mut at = SocketAddr::new(from, 0);
    if let (SocketAddr::V6(at), SocketAddr::V6(to)) = (&mut at, to) {
        at.set_scope_id(to.scope_id());
    }
    at
}

/// A connection from this address, with segments of at most so many bytes.
fn connect(from: IpAddr, to: SocketAddr, segment: Option<u32>) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&scoped(from, to).into())?;
    if let Some(segment) = segment {
        socket.set_tcp_mss(segment)?;
    }
    socket.connect_timeout(&to.into(), timing::DOCTOR_DIALS)?;
    Ok(socket.into())
}

/// Listens where a node would, and connects to that: None if there is nothing to connect from.
pub(super) fn to_oneself(listen: Option<SocketAddr>, source: &Source) -> Option<Own> {
    let address = source.own()?;
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let at = listen.unwrap_or(any);
    let listener = match TcpListener::bind(at) {
        Ok(listener) => listener,
        Err(e) => {
            let failure = Some(e.to_string());
            return Some(Own { at, failure });
        }
    };
    let port = listener.local_addr().map_or(at.port(), |a| a.port());
    let to = match at.ip().is_unspecified() {
        true => SocketAddr::new(address, port),
        false => SocketAddr::new(at.ip(), port),
    };
    let from = source.towards(to.ip()).unwrap_or(to.ip());
    let failure = connect(from, to, None).err().map(|e| e.to_string());
    Some(Own { at: to, failure })
}

/// A connection to oneself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Own {
    pub(super) at: SocketAddr,
    pub(super) failure: Option<String>,
}
