//! The interfaces of this host that the options name.
//!
//! Looks them up once, at the start. Nothing here opens a socket.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use nix::net::if_::InterfaceFlags;

use crate::driver::Interface;
use crate::ui::visible::{Tab, visible};

/// One IPv4 address of one interface.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Found {
    name: String,
    address: Ipv4Addr,
    is_up: bool,
    is_loopback: bool,
    /// Multicast is possible; on loopback it is even without the flag.
    can_multicast: bool,
}

/// The interfaces that are named, or all that are up and can multicast if none is.
///
/// # Errors
///
/// Which name or address is not one of this host's, and what there is; or why the system does not
/// tell. It is one line.
pub fn resolve(wanted: &[String]) -> Result<Vec<Interface>, String> {
    let found = list().map_err(|e| format!("cannot list the interfaces of this host: {e}"))?;
    choose(wanted, &found)
}

fn list() -> nix::Result<Vec<Found>> {
    let all = nix::ifaddrs::getifaddrs()?;
    let found = all.filter_map(|i| {
        let address = i.address?.as_sockaddr_in()?.ip();
        let has = |flag| i.flags.contains(flag);
        Some(Found {
            name: i.interface_name.clone(),
            address,
            is_up: has(InterfaceFlags::IFF_UP),
            is_loopback: has(InterfaceFlags::IFF_LOOPBACK),
            can_multicast: has(InterfaceFlags::IFF_MULTICAST) || has(InterfaceFlags::IFF_LOOPBACK),
        })
    });
    Ok(found.collect())
}

fn choose(wanted: &[String], found: &[Found]) -> Result<Vec<Interface>, String> {
    let mut chosen: Vec<Interface> = Vec::new();
    if wanted.is_empty() {
        for one in found.iter().filter(|f| f.is_up && f.can_multicast) {
            // A group is joined per interface, so its first address stands for it.
            if !chosen.iter().any(|c| c.name == one.name) {
                chosen.push(interface(one, one.address));
            }
        }
        return Ok(chosen);
    }
    for text in wanted {
        let one = match text.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => by_address(address, found),
            Ok(IpAddr::V6(_)) => return Err(problem(text, "only IPv4 is supported", found)),
            Err(_) => found
                .iter()
                .find(|f| f.name == *text)
                .map(|f| (f, f.address)),
        };
        match one {
            Some((one, _)) if !one.is_up => return Err(problem(text, "it is down", found)),
            Some((one, address)) => {
                let one = interface(one, address);
                if !chosen.contains(&one) {
                    chosen.push(one);
                }
            }
            None => {
                return Err(problem(
                    text,
                    "no such interface with an IPv4 address",
                    found,
                ));
            }
        }
    }
    Ok(chosen)
}

/// All of 127.0.0.0/8 is this host, although only one address of it is listed.
fn by_address(address: Ipv4Addr, found: &[Found]) -> Option<(&Found, Ipv4Addr)> {
    let exact = found.iter().find(|f| f.address == address);
    let loopback = || {
        found
            .iter()
            .find(|f| f.is_loopback && address.is_loopback())
    };
    exact.or_else(loopback).map(|f| (f, address))
}

fn interface(found: &Found, address: Ipv4Addr) -> Interface {
    Interface {
        name: found.name.clone(),
        address: address.into(),
    }
}

fn problem(wanted: &str, why: &str, found: &[Found]) -> String {
    let mut line = format!("--interface {}: {why}", visible(wanted, Tab::Escape));
    for (n, one) in found.iter().filter(|f| f.is_up).enumerate() {
        let before = if n == 0 { "; choose" } else { "," };
        // Writing to memory cannot fail.
        let _ = write!(line, "{before} {} ({})", one.name, one.address);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, address: [u8; 4], is_up: bool, can_multicast: bool) -> Found {
        Found {
            name: name.into(),
            address: address.into(),
            is_up,
            is_loopback: name == "lo",
            can_multicast,
        }
    }

    fn host() -> Vec<Found> {
        vec![
            found("lo", [127, 0, 0, 1], true, true),
            found("eth0", [10, 0, 0, 5], true, true),
            found("eth0", [10, 0, 0, 6], true, true),
            found("tun0", [10, 8, 0, 1], true, false),
            found("eth1", [10, 1, 0, 5], false, true),
        ]
    }

    fn chosen(wanted: &[&str]) -> Result<Vec<String>, String> {
        let wanted: Vec<String> = wanted.iter().map(|w| (*w).to_owned()).collect();
        let chosen = choose(&wanted, &host())?;
        Ok(chosen.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn all_that_are_up_and_can_multicast_are_the_default() {
        assert_eq!(chosen(&[]).unwrap(), ["lo (127.0.0.1)", "eth0 (10.0.0.5)"]);
    }

    #[test]
    fn interfaces_are_named_by_name_or_address() {
        let all = chosen(&["eth0", "10.0.0.6", "127.0.0.9", "tun0", "eth0"]).unwrap();
        let expected = [
            "eth0 (10.0.0.5)",
            "eth0 (10.0.0.6)",
            "lo (127.0.0.9)",
            "tun0 (10.8.0.1)",
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn what_is_not_there_is_said_with_what_is() {
        for wanted in ["eth9", "10.0.0.7", "::1", "eth1", "e\x1bth"] {
            let line = chosen(&["lo", wanted]).unwrap_err();
            let shown = visible(wanted, Tab::Escape);
            assert!(
                line.starts_with(&format!("--interface {shown}: ")),
                "{line}"
            );
            assert!(line.contains("lo (127.0.0.1), eth0 (10.0.0.5)"), "{line}");
            assert!(!line.contains(char::is_control));
        }
        assert!(chosen(&["eth1"]).unwrap_err().contains("it is down"));
    }

    #[test]
    fn this_host_has_a_loopback_interface() {
        assert!(list().unwrap().iter().any(|f| f.address.is_loopback()));
    }
}
