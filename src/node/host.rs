//! Whom an address counts for, where what one host may take is limited.
//!
//! Owns the rule and nothing else.

use std::net::{IpAddr, Ipv6Addr};

/// The host that an address counts for: an IPv4 address is one, and so are all addresses of one IPv6 network
/// (/64), since whoever has one of these has all of them. On one link there are many hosts with link-local
/// addresses, each of which is one.
#[must_use]
pub fn host_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) if !ip.is_unicast_link_local() && !ip.is_loopback() => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_address_is_a_host_and_so_is_an_ipv6_network() {
        let hosts = [
            ("10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::ffff", "2001:db8:1:2::"),
            ("2001:db8:1:3::1", "2001:db8:1:3::"),
            ("fd00::7", "fd00::"),
            ("fe80::1", "fe80::1"),
            ("::1", "::1"),
        ];
        for (address, host) in
            hosts.map(|(a, h)| (a.parse().unwrap(), h.parse::<IpAddr>().unwrap()))
        {
            assert_eq!(host_of(address), host);
        }
    }
}
