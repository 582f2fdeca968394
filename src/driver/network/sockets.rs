//! Opening datagram sockets: those that hear a group, and those that send to it.
//!
//! Owns how they are opened and bound, and keeps none of them. It knows nothing of what is said on them.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use socket2::{Domain, Protocol, Socket, Type};

use crate::platform::{hear_only_joined, share_port};

/// Datagrams stay on the local network.
const MULTICAST_TTL: u32 = 1;
/// The IPv6 group that goes with the IPv4 group of the next line.
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0x7061, 0x706f);
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(239, 255, 112, 97);

/// The IPv6 group that goes with an IPv4 group: another one for each, so that what was kept apart
/// stays apart.
pub(in crate::driver) fn group_v6(group: SocketAddrV4) -> SocketAddrV6 {
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

/// The group on the interface with this index.
pub(in crate::driver) fn scoped(group: SocketAddrV6, index: u32) -> SocketAddr {
    SocketAddrV6::new(*group.ip(), group.port(), 0, index).into()
}

/// A socket that hears the group where it is joined; it is joined nowhere yet.
pub(in crate::driver) fn hearing_v4(group: SocketAddrV4) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    share_port(&socket)?;
    socket.set_nonblocking(true)?;
    hear_only_joined(&socket)?;
    socket.bind(&SocketAddr::V4(group).into())?;
    Ok(socket)
}

/// A socket that hears the group on the interface with this index, to which the scope of the address that
/// it is bound to keeps it.
pub(in crate::driver) fn hearing_v6(group: SocketAddrV6, index: u32) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
    share_port(&socket)?;
    socket.set_only_v6(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&scoped(group, index).into())?;
    socket.join_multicast_v6(group.ip(), index)?;
    Ok(socket)
}

/// A socket that sends from this address to the group, and hears what is answered.
pub(in crate::driver) fn sending_v4(address: Ipv4Addr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((address, 0)).into())?;
    socket.set_multicast_if_v4(&address)?;
    socket.set_multicast_loop_v4(true)?;
    socket.set_multicast_ttl_v4(MULTICAST_TTL)?;
    Ok(socket)
}

/// The same with IPv6, on the interface with this index.
pub(in crate::driver) fn sending_v6(address: Ipv6Addr, index: u32) -> io::Result<Socket> {
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

    #[test]
    fn each_ipv4_group_has_an_ipv6_group_of_its_own() {
        let of = |text: &str| group_v6(text.parse().unwrap()).to_string();
        assert_eq!(of("239.255.112.97:28783"), "[ff02::7061:706f]:28783");
        assert_eq!(of("239.255.77.1:5000"), "[ff02::efff:4d01:7061:706f]:5000");
    }
}
