//! On which interface a link-local address is: a scope does not travel in messages.
//!
//! Owns what was learned of that from those who were heard. It opens nothing and dials nobody.

use std::collections::VecDeque;
use std::net::{Ipv6Addr, SocketAddr};

use crate::limits::SCOPES_MAX;

use super::interfaces::Interface;

/// On which interfaces link-local addresses are.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    known: VecDeque<(Ipv6Addr, u32)>,
    /// Where the next address is looked for of which nothing is known.
    next: usize,
}

impl Scopes {
    /// Somebody was heard from this address.
    pub(super) fn note(&mut self, from: SocketAddr) {
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

    /// An address to dial with the scope that it needs. Dials are repeated: of an address that was
    /// never heard from, each dial tries another interface.
    pub(super) fn add_to(&mut self, to: SocketAddr, interfaces: &[Interface]) -> SocketAddr {
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
