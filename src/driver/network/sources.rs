//! From which of this host's addresses dials leave.
//!
//! Owns the choice for one state of the network. It binds no socket.

use std::net::{IpAddr, SocketAddr};

/// What dials are bound to, so that peers see an address that others know this node by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::driver) struct Sources {
    v4: Option<IpAddr>,
    v6: Option<IpAddr>,
}

impl Sources {
    /// The first of these addresses of each family.
    pub(super) fn among(candidates: &[IpAddr]) -> Sources {
        Sources {
            v4: candidates.iter().find(|a| a.is_ipv4()).copied(),
            v6: candidates.iter().find(|a| a.is_ipv6()).copied(),
        }
    }

    /// The source for this destination; none means that the kernel chooses.
    pub(in crate::driver) fn towards(&self, to: SocketAddr) -> Option<IpAddr> {
        let source = if to.is_ipv4() { self.v4 } else { self.v6 };
        // Loopback reaches loopback only, and the other way round. What is link-local needs a
        // source that is too, which the kernel knows best.
        source.filter(|source| match (source, to.ip()) {
            (IpAddr::V6(_), IpAddr::V6(to)) if to.is_unicast_link_local() => false,
            (source, to) => source.is_loopback() == to.is_loopback(),
        })
    }
}
