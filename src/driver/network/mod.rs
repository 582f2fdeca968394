//! The local network: which interfaces are used, where this node can be reached, and the datagrams
//! that go out and come in.
//!
//! Owns what is known of this host's interfaces, the datagram sockets, and the lock on datagrams. Looks
//! again when the kernel says that something has changed, and every two seconds where it does not say so
//! or something could not be opened: interfaces that come, go or change their address are taken up without
//! anybody's doing. It sets no timer, but says when it wants to look; it never dials, and knows neither
//! the node nor what a datagram means to it.
//!
//! | file | owns |
//! | --- | --- |
//! | `interfaces` | what this host has, and which of it is used |
//! | `datagrams`, `sockets` | the datagram sockets; how each is opened |
//! | `datagram_lock` | the lock on datagrams |
//! | `intake` | which datagrams that come in are let through |
//! | `scopes`, `sources` | on which interface an address is; from which address dials leave |

mod datagram_lock;
mod datagrams;
mod intake;
mod interfaces;
mod scopes;
pub(super) mod sockets;
mod sources;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::limits::{ADDRESSES_MAX, DATAGRAM_BYTES_MAX};
use crate::node::{Now, Time};
use crate::platform::Changes;
use crate::platform::reason;
use crate::wire::{Address, Datagram, encode_datagram};

use super::complaints::Complaint;
pub(super) use datagram_lock::DatagramLock;
pub(super) use datagrams::{Datagrams, Received, SOCKETS_MAX};
pub(super) use intake::DatagramRound;
use intake::Intake;
pub use interfaces::{Host, Interface, Selection};
use scopes::Scopes;
pub(super) use sources::Sources;

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
    interfaces: Vec<Interface>,
    scopes: Scopes,
    datagrams: Datagrams,
    lock: DatagramLock,
    intake: Intake,
    /// Looking failed, and the user knows.
    is_failing: bool,
    /// What says when to look.
    changes: Option<Changes>,
    /// A change is being waited out.
    is_settling: bool,
}

impl Network {
    /// What is selected of this host, as it is now. The listener is bound to `listen`.
    pub(super) fn new(
        selection: Selection,
        listen: SocketAddr,
        host: Host,
        changes: Option<Changes>,
        datagrams: Datagrams,
        lock: DatagramLock,
    ) -> Network {
        Network {
            interfaces: selection.of(&host),
            selection,
            listen,
            host,
            scopes: Scopes::default(),
            datagrams,
            lock,
            intake: Intake::new(),
            is_failing: false,
            changes,
            is_settling: false,
        }
    }

    /// When the interfaces are to be looked at, if nothing says so before.
    pub(super) fn next_look(&self, now: Time) -> Time {
        let is_settled = self.host.is_unlisted()
            || self.changes.is_some() && !self.is_failing && self.datagrams.are_all_open();
        now + if is_settled { LOOK_ANYHOW } else { LOOK_EVERY }
    }

    /// The kernel says that something has changed. The result is when to look, unless that is settled.
    pub(super) fn on_change(&mut self, now: Time) -> Option<Time> {
        let changed = self.changes.as_mut().is_some_and(Changes::take);
        if !changed || self.is_settling {
            return None;
        }
        self.is_settling = true;
        Some(now + SETTLE)
    }

    /// Looks at the interfaces, and follows them with the datagram sockets; true if something is
    /// different. What fails is warned of, once.
    pub(super) fn look(&mut self, mut warn: impl FnMut(&str)) -> bool {
        self.is_settling = false;
        match self.look_at_host() {
            Ok(is_new) => {
                self.is_failing = false;
                if is_new {
                    log::info!("the network has changed: {:?}", self.interfaces);
                }
                // That nobody can be reached by multicast has been reported interface by interface.
                let _ = (self.datagrams).follow(&self.interfaces, |report| warn(&report));
                is_new
            }
            Err(e) => {
                if !std::mem::replace(&mut self.is_failing, true) {
                    warn(&format!(
                        "cannot list the interfaces of this host: {}",
                        reason(&e)
                    ));
                }
                false
            }
        }
    }

    fn look_at_host(&mut self) -> io::Result<bool> {
        if self.host.is_unlisted() {
            return Ok(false);
        }
        let host = Host::now()?;
        let is_new = host != self.host;
        if is_new {
            self.interfaces = self.selection.of(&host);
            self.host = host;
        }
        Ok(is_new)
    }

    /// Takes an event of a datagram socket in; false if it is of none.
    pub(super) fn on_event(&mut self, token: mio::Token) -> bool {
        self.datagrams.on_event(token)
    }

    /// Whether a datagram may wait to be read.
    pub(super) fn has_ready(&self) -> bool {
        self.datagrams.any_ready()
    }

    /// Sends a datagram to the group on every interface; an interface that begins or ceases to fail is
    /// warned of.
    pub(super) fn multicast(&mut self, now: Now, datagram: &Datagram, mut warn: impl FnMut(&str)) {
        if let Some(bytes) = self.sealed(now, datagram) {
            self.datagrams.multicast(&bytes, |report| warn(&report));
        }
    }

    /// Sends a datagram to one address. Losing it is no error.
    pub(super) fn unicast(&mut self, now: Now, datagram: &Datagram, to: SocketAddr) {
        if let Some(bytes) = self.sealed(now, datagram) {
            self.datagrams.unicast(&bytes, to);
        }
    }

    /// What goes on the wire.
    fn sealed(&mut self, now: Now, datagram: &Datagram) -> Option<Vec<u8>> {
        match encode_datagram(datagram) {
            Ok(bytes) => Some(self.lock.seal(now.wall_ms, bytes)),
            Err(e) => {
                log::error!("a datagram could not be sent: {e}");
                None
            }
        }
    }

    /// A round over the datagram sockets that may have something to read now.
    pub(super) fn round(&self) -> DatagramRound {
        DatagramRound::new(self.datagrams.ready())
    }

    /// The next datagram of a round that the node is to hear of, and from whom it is; none at the
    /// round's end.
    pub(super) fn next_in(
        &mut self,
        now: Now,
        round: &mut DatagramRound,
    ) -> Option<(SocketAddr, Datagram)> {
        let mut buffer = [0; DATAGRAM_BYTES_MAX + 1];
        while let Some(n) = round.next_socket(&mut self.datagrams) {
            match self.datagrams.receive(n, &mut buffer) {
                Received::Datagram(len, from) if len > DATAGRAM_BYTES_MAX => {
                    log::debug!("{from}: datagram over {DATAGRAM_BYTES_MAX} bytes");
                }
                Received::Datagram(len, from) => {
                    let opened = (self.intake).open(&mut self.lock, now, &buffer[..len], from);
                    if let Some(datagram) = opened {
                        self.note(from);
                        return Some((from, datagram));
                    }
                }
                Received::Nothing => {}
                Received::Error => round.note_error(),
            }
        }
        None
    }

    /// True if this node has no secret, and hears a locked room of its name and no open one.
    pub(super) fn is_locked_out(&mut self, now: Time, hears_group: bool) -> bool {
        self.intake.is_locked_out(now, hears_group)
    }

    /// What others did that the user is to know, since the last call.
    pub(super) fn take_complaints(&mut self) -> Vec<Complaint> {
        self.intake.take_complaints()
    }

    /// True if there is nobody to reach but on this host, although nothing else was asked for.
    pub(super) fn is_only_loopback(&self) -> bool {
        let is_known = self.selection == Selection::All && !self.host.is_unlisted();
        is_known && self.interfaces.iter().all(Interface::is_loopback)
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
        Sources::among(&candidates)
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

#[cfg(test)]
#[path = "network_test.rs"]
mod tests;
