//! The interfaces of this host, and which of them are used.
//!
//! Looks them up anew at each call: interfaces come and go, and change their addresses. Nothing
//! here opens a socket.

use std::fmt::{self, Write as _};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::net::if_::{InterfaceFlags, if_nametoindex};

use crate::platform::Uplinks;
use crate::ui::visible::{Tab, visible};

/// One of this host's interfaces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// The system's number for it: an IPv6 scope. It is never zero.
    pub index: u32,
    /// Where others reach it: IPv4 first, link-local IPv6 last.
    pub addresses: Vec<IpAddr>,
    /// Multicast is possible; on loopback it is even without the flag.
    pub can_multicast: bool,
}

impl Interface {
    /// True if it leads nowhere but to this host.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.addresses.iter().all(IpAddr::is_loopback)
    }

    /// Its first IPv4 address.
    #[must_use]
    pub fn ipv4(&self) -> Option<Ipv4Addr> {
        self.addresses.iter().find_map(|a| match a {
            IpAddr::V4(a) => Some(*a),
            IpAddr::V6(_) => None,
        })
    }

    /// Its IPv6 address for the local link.
    #[must_use]
    pub fn link_local(&self) -> Option<Ipv6Addr> {
        self.addresses.iter().find_map(|a| match a {
            IpAddr::V6(a) if a.is_unicast_link_local() => Some(*a),
            _ => None,
        })
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.addresses.first() {
            Some(address) => write!(f, " ({address})"),
            None => Ok(()),
        }
    }
}

/// Which interfaces are used.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Selection {
    /// All that are up.
    #[default]
    All,
    /// Those with these names or addresses.
    Named(Vec<String>),
}

/// What this host has at one moment, the interfaces first that most likely lead to others.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Host {
    found: Vec<HostAddress>,
    /// The interfaces could not be listed: what was found are addresses that were given.
    is_unlisted: bool,
}

/// One address of one interface.
#[derive(Clone, PartialEq, Eq, Debug)]
struct HostAddress {
    name: String,
    index: u32,
    address: IpAddr,
    is_up: bool,
    is_loopback: bool,
    can_multicast: bool,
}

impl Selection {
    /// The interfaces of a host that are selected; what is named and not there is left out.
    #[must_use]
    pub fn of(&self, host: &Host) -> Vec<Interface> {
        let mut chosen = Vec::new();
        match self {
            Selection::All => {
                for found in host.found.iter().filter(|f| f.is_up) {
                    choose(&mut chosen, found, found.address);
                }
            }
            Selection::Named(names) => {
                for name in names {
                    for (found, address) in host.named(name).into_iter().filter(|f| f.0.is_up) {
                        choose(&mut chosen, found, address);
                    }
                }
            }
        }
        for interface in &mut chosen {
            interface.addresses.sort_by_key(rank);
        }
        chosen
    }

    /// What these addresses say of a host whose interfaces cannot be listed; those that are not its own are
    /// left out. None if something is selected by a name, or if everything is and `listens_at_one` address
    /// is not so.
    #[must_use]
    pub fn without_list(&self, listens_at_one: bool) -> Option<Host> {
        let given: Vec<IpAddr> = match self {
            Selection::All if !listens_at_one => return None,
            Selection::All => Vec::new(),
            Selection::Named(names) => {
                let addresses: Result<_, _> = names.iter().map(|name| name.parse()).collect();
                addresses.ok()?
            }
        };
        let own = given.into_iter().filter(|address| is_own(*address));
        let found = own.zip(1..).map(|(address, index)| HostAddress {
            name: address.to_string(),
            index,
            address,
            is_up: true,
            is_loopback: address.is_loopback(),
            can_multicast: false,
        });
        Some(Host {
            found: found.collect(),
            is_unlisted: true,
        })
    }

    /// Whether everything named is there, and up.
    ///
    /// # Errors
    ///
    /// Which is not, and what there is instead, in one line.
    pub fn check(&self, host: &Host) -> Result<(), String> {
        let Selection::Named(names) = self else {
            return Ok(());
        };
        for name in names {
            let found = host.named(name);
            if found.is_empty() {
                return Err(host.problem(name, "no such interface with an address"));
            }
            if !found.iter().any(|(found, _)| found.is_up) {
                return Err(host.problem(name, "it is down"));
            }
        }
        Ok(())
    }
}

impl Host {
    /// What this host has now.
    ///
    /// # Errors
    ///
    /// Why the system does not tell.
    pub fn now() -> io::Result<Host> {
        let mut found: Vec<HostAddress> = Vec::new();
        for one in nix::ifaddrs::getifaddrs()? {
            let Some(address) = one.address.and_then(address_of) else {
                continue;
            };
            let name = one.interface_name;
            let known = found.iter().find(|f| f.name == name).map(|f| f.index);
            // An interface that has gone meanwhile has no number.
            let Some(index) = known.or_else(|| if_nametoindex(name.as_str()).ok()) else {
                continue;
            };
            let has = |flag| one.flags.contains(flag);
            let is_loopback = has(InterfaceFlags::IFF_LOOPBACK);
            found.push(HostAddress {
                name,
                index,
                address,
                is_up: has(InterfaceFlags::IFF_UP),
                is_loopback,
                can_multicast: has(InterfaceFlags::IFF_MULTICAST) || is_loopback,
            });
        }
        // The others are many on some hosts (bridges, VLANs), and may be left out somewhere. Loopback
        // never is: it leads to the other nodes of this host.
        found.sort_by_key(|f| !f.is_loopback);
        let others = found.partition_point(|f| f.is_loopback);
        let others = &mut found[others..];
        // Most hosts have a single one, and the order is asked of the system for nothing.
        if others.iter().any(|f| f.name != others[0].name) {
            let uplinks = Uplinks::now();
            others.sort_by_cached_key(|f| uplinks.rank(&f.name));
        }
        Ok(Host {
            found,
            is_unlisted: false,
        })
    }

    /// True if the interfaces could not be listed.
    #[must_use]
    pub fn is_unlisted(&self) -> bool {
        self.is_unlisted
    }

    /// Whether this is one of its addresses, as far as that is known.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        self.is_unlisted || address.is_loopback() || self.found.iter().any(|f| f.address == address)
    }

    /// What has this name, or this address.
    fn named(&self, name: &str) -> Vec<(&HostAddress, IpAddr)> {
        let Ok(address) = name.parse::<IpAddr>() else {
            let named = self.found.iter().filter(|f| f.name == name);
            return named.map(|f| (f, f.address)).collect();
        };
        let exact = self.found.iter().find(|f| f.address == address);
        // All of 127.0.0.0/8 is this host, although only one address of it is listed.
        let loopback = || {
            let is_loopback = address.is_loopback() && address.is_ipv4();
            self.found.iter().find(|f| f.is_loopback && is_loopback)
        };
        let found = exact.or_else(loopback);
        found.map(|f| (f, address)).into_iter().collect()
    }

    fn problem(&self, wanted: &str, why: &str) -> String {
        let mut line = format!("--interface {}: {why}", visible(wanted, Tab::Escape));
        for (n, one) in Selection::All.of(self).iter().enumerate() {
            let before = if n == 0 { "; choose" } else { "," };
            // Writing to memory cannot fail.
            let _ = write!(line, "{before} {one}");
        }
        line
    }
}

/// Whether a socket can have this address.
fn is_own(address: IpAddr) -> bool {
    std::net::UdpSocket::bind((address, 0)).is_ok()
}

fn choose(chosen: &mut Vec<Interface>, found: &HostAddress, address: IpAddr) {
    match chosen.iter_mut().find(|c| c.index == found.index) {
        Some(known) if known.addresses.contains(&address) => {}
        Some(known) => known.addresses.push(address),
        None => chosen.push(Interface {
            name: found.name.clone(),
            index: found.index,
            addresses: vec![address],
            can_multicast: found.can_multicast,
        }),
    }
}

/// IPv4 before IPv6, since every network has it; what holds on one link only comes last.
fn rank(address: &IpAddr) -> u8 {
    match address {
        IpAddr::V4(a) if !a.is_link_local() => 0,
        IpAddr::V6(a) if !a.is_unicast_link_local() => 1,
        IpAddr::V4(_) => 2,
        IpAddr::V6(_) => 3,
    }
}

fn address_of(address: nix::sys::socket::SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|a| IpAddr::V4(a.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|a| IpAddr::V6(a.ip())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, index: u32, address: &str) -> HostAddress {
        HostAddress {
            name: name.into(),
            index,
            address: address.parse().unwrap(),
            is_up: true,
            is_loopback: name == "lo",
            can_multicast: name != "tun0",
        }
    }

    fn host() -> Host {
        let mut down = found("eth1", 4, "10.1.0.5");
        down.is_up = false;
        Host {
            is_unlisted: false,
            found: vec![
                found("lo", 1, "127.0.0.1"),
                found("eth0", 2, "fe80::5"),
                found("eth0", 2, "fd00::5"),
                found("eth0", 2, "10.0.0.5"),
                found("eth0", 2, "10.0.0.6"),
                found("tun0", 3, "10.8.0.1"),
                down,
            ],
        }
    }

    fn chosen(names: &[&str]) -> Result<Vec<(String, Vec<String>)>, String> {
        let names = names.iter().map(|w| (*w).to_owned()).collect();
        let selection = Selection::Named(names);
        selection.check(&host())?;
        Ok(listed(&selection))
    }

    fn listed(selection: &Selection) -> Vec<(String, Vec<String>)> {
        let chosen = selection.of(&host());
        let texts = |i: &Interface| i.addresses.iter().map(ToString::to_string).collect();
        chosen.iter().map(|i| (i.name.clone(), texts(i))).collect()
    }

    fn entry(name: &str, addresses: &[&str]) -> (String, Vec<String>) {
        let addresses = addresses.iter().map(|a| (*a).to_owned()).collect();
        (name.to_owned(), addresses)
    }

    #[test]
    fn all_that_are_up_are_the_default_with_all_their_addresses_best_first() {
        let eth0 = entry("eth0", &["10.0.0.5", "10.0.0.6", "fd00::5", "fe80::5"]);
        let expected = [
            entry("lo", &["127.0.0.1"]),
            eth0,
            entry("tun0", &["10.8.0.1"]),
        ];
        assert_eq!(listed(&Selection::All), expected);
    }

    #[test]
    fn interfaces_are_named_by_name_or_address() {
        let all = chosen(&["10.0.0.6", "127.0.0.9", "tun0", "fe80::5"]).unwrap();
        let expected = [
            entry("eth0", &["10.0.0.6", "fe80::5"]),
            entry("lo", &["127.0.0.9"]),
            entry("tun0", &["10.8.0.1"]),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn without_a_list_addresses_have_to_do_and_names_do_not() {
        let named =
            |names: &[&str]| Selection::Named(names.iter().map(|n| (*n).to_owned()).collect());
        assert_eq!(named(&["127.0.0.1", "lo"]).without_list(true), None);
        assert_eq!(Selection::All.without_list(false), None);
        let all = Selection::All.without_list(true).unwrap();
        assert!(all.has("10.9.9.9".parse().unwrap()), "nobody knows better");
        let selection = named(&["127.0.0.1", "192.0.2.77"]);
        let host = selection.without_list(false).unwrap();
        assert_eq!(selection.of(&host)[0].addresses, [Ipv4Addr::LOCALHOST]);
        assert!(selection.check(&host).unwrap_err().contains("192.0.2.77"));
    }

    #[test]
    fn what_is_not_there_is_said_with_what_is() {
        for wanted in ["eth9", "10.0.0.7", "::1", "eth1", "e\x1bth"] {
            let line = chosen(&["lo", wanted]).unwrap_err();
            let shown = visible(wanted, Tab::Escape);
            let start = format!("--interface {shown}: ");
            assert!(line.starts_with(&start), "{line}");
            assert!(line.contains("lo (127.0.0.1), eth0 (10.0.0.5)"), "{line}");
            assert!(!line.contains(char::is_control));
        }
        assert!(chosen(&["eth1"]).unwrap_err().contains("it is down"));
    }

    #[test]
    fn this_host_has_a_loopback_interface() {
        let host = Host::now().unwrap();
        assert!(host.has(Ipv4Addr::LOCALHOST.into()));
        let all = Selection::All.of(&host);
        assert!(all.iter().any(|i| i.is_loopback() && i.index > 0));
    }
}
