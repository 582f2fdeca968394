//! How the network is now: which interfaces are used, where this node can be reached, and what
//! dials are bound to.
//!
//! The reactor looks again when the kernel says that something has changed, and every two seconds
//! where it does not say so or something could not be opened: interfaces that come, go or change
//! their address are taken up without anybody's doing.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::limits::{ADDRESSES_MAX, SCOPES_MAX};
use crate::node::Input;
use crate::wire::Address;

use super::reactor::{Reactor, Wake};
use super::route::Route;
use super::{Host, Interface, Selection};

/// How often the interfaces are looked at where the kernel does not say when to, or something is
/// still to be opened.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often otherwise.
const LOOK_ANYHOW: Duration = Duration::from_secs(30);
/// Changes come several at a time: they are looked at together, and no more often than this.
const SETTLE: Duration = Duration::from_millis(100);

/// What is known of the network.
#[derive(Debug)]
pub(super) struct Network {
    selection: Selection,
    /// What the listener is bound to.
    listen: SocketAddr,
    host: Host,
    pub(super) interfaces: Vec<Interface>,
    scopes: Scopes,
    /// Looking failed, and the user knows.
    is_failing: bool,
    /// What says when to look.
    route: Option<Route>,
    /// A change is being waited out.
    is_settling: bool,
}

/// What dials are bound to, so that peers see an address that others know this node by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Sources {
    v4: Option<IpAddr>,
    v6: Option<IpAddr>,
}

impl Sources {
    /// The source for this destination; none means that the kernel chooses.
    pub(super) fn towards(&self, to: SocketAddr) -> Option<IpAddr> {
        let source = if to.is_ipv4() { self.v4 } else { self.v6 };
        // Loopback reaches loopback only, and the other way round. What is link-local needs a
        // source that is too, which the kernel knows best.
        source.filter(|source| match (source, to.ip()) {
            (IpAddr::V6(_), IpAddr::V6(to)) if to.is_unicast_link_local() => false,
            (source, to) => source.is_loopback() == to.is_loopback(),
        })
    }
}

impl Network {
    pub(super) fn new(
        selection: Selection,
        listen: SocketAddr,
        host: Host,
        route: Option<Route>,
    ) -> Network {
        Network {
            interfaces: selection.of(&host),
            selection,
            listen,
            host,
            scopes: Scopes::default(),
            is_failing: false,
            route,
            is_settling: false,
        }
    }

    /// Looks at the interfaces; true if something is different.
    fn look(&mut self) -> io::Result<bool> {
        let host = Host::now()?;
        let is_new = host != self.host;
        if is_new {
            self.interfaces = self.selection.of(&host);
            self.host = host;
        }
        Ok(is_new)
    }

    /// True if there is nobody to reach but on this host, although nothing else was asked for.
    pub(super) fn is_only_loopback(&self) -> bool {
        self.selection == Selection::All && self.interfaces.iter().all(Interface::is_loopback)
    }

    /// Where the listener can be reached: its own address, or all of the interfaces, best first.
    pub(super) fn candidates(&self) -> Vec<Address> {
        if !self.listen.ip().is_unspecified() {
            return vec![Address(SocketAddr::new(
                self.listen.ip(),
                self.listen.port(),
            ))];
        }
        let all = self.interfaces.iter().flat_map(|i| &i.addresses);
        let mut all: Vec<IpAddr> = all
            .filter(|address| self.listen.is_ipv6() || address.is_ipv4())
            // It is the same on all hosts, and every host has the IPv4 one.
            .filter(|address| address.is_ipv4() || !address.is_loopback())
            .copied()
            .collect();
        all.sort_by_key(|address| (address.is_loopback(), is_link_local(*address)));
        all.truncate(ADDRESSES_MAX);
        let at = |ip| Address(SocketAddr::new(ip, self.listen.port()));
        all.into_iter().map(at).collect()
    }

    /// The listener's own address, or that of the only interface. With several, the kernel
    /// chooses.
    pub(super) fn sources(&self) -> Sources {
        let ip = self.listen.ip();
        let candidates = match (&self.selection, self.interfaces.as_slice()) {
            _ if !ip.is_unspecified() => vec![ip],
            (Selection::Named(_), [only]) => only.addresses.clone(),
            _ => Vec::new(),
        };
        Sources {
            v4: candidates.iter().find(|a| a.is_ipv4()).copied(),
            v6: candidates.iter().find(|a| a.is_ipv6()).copied(),
        }
    }

    /// Whether somebody who dialled this address of this host may come in: interfaces that are not
    /// named are not listened on.
    pub(super) fn admits(&self, local: IpAddr) -> bool {
        let local = local.to_canonical();
        let mut selected = self.interfaces.iter().flat_map(|i| &i.addresses);
        self.selection == Selection::All || selected.any(|address| *address == local)
    }

    /// Whether an address is still this host's.
    pub(super) fn is_ours(&self, local: IpAddr) -> bool {
        self.host.has(local.to_canonical())
    }

    /// Somebody was heard from this address.
    pub(super) fn note(&mut self, from: SocketAddr) {
        self.scopes.note(from);
    }

    /// An address to dial with the scope that it needs.
    pub(super) fn scoped(&mut self, to: SocketAddr) -> SocketAddr {
        self.scopes.add_to(to, &self.interfaces)
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(a) if a.is_unicast_link_local())
}

/// On which interfaces link-local addresses are: a scope does not travel in messages.
#[derive(Debug, Default)]
struct Scopes {
    known: VecDeque<(Ipv6Addr, u32)>,
    /// Where the next address is looked for of which nothing is known.
    next: usize,
}

impl Scopes {
    fn note(&mut self, from: SocketAddr) {
        let SocketAddr::V6(from) = from else {
            return;
        };
        let entry = (*from.ip(), from.scope_id());
        if entry.1 == 0 || !from.ip().is_unicast_link_local() || self.known.contains(&entry) {
            return;
        }
        self.known.retain(|(ip, _)| *ip != entry.0);
        self.known.push_back(entry);
        if self.known.len() > SCOPES_MAX {
            self.known.pop_front();
        }
    }

    /// Dials are repeated: of an address that was never heard from, each dial tries another
    /// interface.
    fn add_to(&mut self, to: SocketAddr, interfaces: &[Interface]) -> SocketAddr {
        let SocketAddr::V6(mut to) = to else {
            return to;
        };
        if to.scope_id() != 0 || !to.ip().is_unicast_link_local() {
            return to.into();
        }
        let possible = interfaces.iter().filter(|i| i.link_local().is_some());
        let possible: Vec<u32> = possible.map(|i| i.index).collect();
        let known = self.known.iter().find(|(ip, _)| ip == to.ip());
        let known = known
            .map(|(_, scope)| *scope)
            .filter(|s| possible.contains(s));
        let scope = known.or_else(|| {
            self.next = self.next.wrapping_add(1);
            possible.get(self.next % possible.len().max(1)).copied()
        });
        to.set_scope_id(scope.unwrap_or(0));
        to.into()
    }
}

impl Reactor {
    /// The interfaces are looked at after a while.
    pub(super) fn look_again(&mut self) {
        let is_settled = self.network.route.is_some()
            && !self.network.is_failing
            && self.datagrams.are_all_open();
        let pause = if is_settled { LOOK_ANYHOW } else { LOOK_EVERY };
        self.wheel.set(Wake::Look, self.now.time + pause);
    }

    /// The kernel says that something has changed.
    pub(super) fn look_soon(&mut self) {
        let changed = self.network.route.as_mut().is_some_and(Route::take);
        if changed && !self.network.is_settling {
            self.network.is_settling = true;
            self.wheel.set(Wake::Look, self.now.time + SETTLE);
        }
    }

    /// Looks at the interfaces, and again after a while.
    pub(super) fn follow_network(&mut self) {
        self.network.is_settling = false;
        let before = self.network.candidates();
        match self.network.look() {
            Ok(is_new) => {
                self.network.is_failing = false;
                if is_new {
                    log::info!("the network has changed: {:?}", self.network.interfaces);
                    self.streams.set_sources(self.network.sources());
                }
                self.open_datagrams();
                if is_new {
                    let network = &self.network;
                    self.streams.drop_without_address(|ip| network.is_ours(ip));
                }
            }
            Err(e) => {
                let is_new = !std::mem::replace(&mut self.network.is_failing, true);
                if is_new {
                    let text = format!("cannot list the interfaces of this host: {e}");
                    self.ui.warn(self.now, &text);
                }
            }
        }
        self.look_again();
        // Links that have gone are known to be gone before the node tells anybody anything.
        self.feed_stream_inputs();
        let candidates = self.network.candidates();
        if candidates != before {
            self.feed(Input::Addresses(candidates));
        }
    }

    fn open_datagrams(&mut self) {
        let (ui, now) = (&mut self.ui, self.now);
        // That nobody can be reached by multicast has been reported interface by interface.
        let _ = (self.datagrams).follow(&self.network.interfaces, |report| ui.warn(now, &report));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, index: u32, addresses: &[&str]) -> Interface {
        Interface {
            name: name.into(),
            index,
            addresses: addresses.iter().map(|a| a.parse().unwrap()).collect(),
            can_multicast: true,
        }
    }

    fn network(listen: &str) -> Network {
        let listen = listen.parse().unwrap();
        let mut network = Network::new(Selection::All, listen, Host::default(), None);
        network.interfaces = vec![
            interface("lo", 1, &["127.0.0.1", "::1"]),
            interface("eth0", 2, &["10.0.0.5", "fd00::5", "fe80::5"]),
            interface("eth1", 3, &["10.1.0.5", "fe80::6"]),
        ];
        network
    }

    fn candidates(listen: &str) -> Vec<String> {
        let all = network(listen).candidates();
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everybody_else_is_offered_what_works_from_elsewhere_first() {
        let all = [
            "10.0.0.5:7",
            "[fd00::5]:7",
            "10.1.0.5:7",
            "[fe80::5]:7",
            "[fe80::6]:7",
            "127.0.0.1:7",
        ];
        assert_eq!(candidates("[::]:7"), all);
        assert_eq!(
            candidates("0.0.0.0:7"),
            ["10.0.0.5:7", "10.1.0.5:7", "127.0.0.1:7"]
        );
        assert_eq!(candidates("10.1.0.5:7"), ["10.1.0.5:7"]);
    }

    #[test]
    fn a_link_local_address_is_dialled_where_it_was_heard_or_on_each_interface_in_turn() {
        let mut network = network("[::]:7");
        let to: SocketAddr = "[fe80::9]:7".parse().unwrap();
        let scope = |address| match address {
            SocketAddr::V6(a) => a.scope_id(),
            SocketAddr::V4(_) => 0,
        };
        let first = scope(network.scoped(to));
        assert_eq!(
            first + scope(network.scoped(to)),
            5,
            "2 and 3 in some order"
        );
        for heard in [3, 2] {
            network.note(format!("[fe80::9%{heard}]:5000").parse().unwrap());
            assert_eq!(scope(network.scoped(to)), heard);
        }
        let other: SocketAddr = "[fd00::9]:7".parse().unwrap();
        assert_eq!(network.scoped(other), other);
    }

    #[test]
    fn dials_leave_from_where_this_node_is_known() {
        let mut network = network("[::]:7");
        let to = "10.0.0.9:7".parse().unwrap();
        assert_eq!(network.sources().towards(to), None, "the kernel chooses");
        network.selection = Selection::Named(vec!["eth0".into()]);
        network.interfaces.retain(|i| i.name == "eth0");
        assert_eq!(network.sources().towards(to), "10.0.0.5".parse().ok());
        let link_local = "[fe80::9%2]:7".parse().unwrap();
        assert_eq!(network.sources().towards(link_local), None);
        assert_eq!(
            network.sources().towards("127.0.0.1:7".parse().unwrap()),
            None
        );
    }
}
