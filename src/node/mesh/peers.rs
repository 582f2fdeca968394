//! The members that the user named: nodes without multicast find the room through them.
//!
//! Owns the dials to them until a HELLO says who is there; from then on they are links like any
//! other. Any member will do: its HELLO names the coordinator. Each node goes on dialling those
//! that it has no link with, one every few seconds, so that a peer that comes later, and a network
//! that is healed, are noticed without multicast.

use std::net::SocketAddr;

use super::link::LinkStage;
use super::{Closed, Context, Effect, Interest, Key, LinkId, Mesh, Time};
use crate::limits::PEER_ADDRESSES_MAX;
use crate::node::Peer;
use crate::timing;

/// One peer that was named.
#[derive(Debug)]
pub(in crate::node) struct Named {
    pub(in crate::node) peer: Peer,
    /// Which of its addresses is next.
    next: usize,
    /// The dial that is under way.
    pub(in crate::node) link: Option<LinkId>,
    /// Who was there last.
    key: Option<Key>,
    dialled: Option<Time>,
    /// What came of the last dial, if nothing.
    pub(in crate::node) failed: Option<Closed>,
    /// Nobody has said yet where it is.
    is_awaited: bool,
}

/// All peers that were named.
#[derive(Debug)]
pub(super) struct Peers {
    all: Vec<Named>,
    /// Whose turn it is.
    turn: usize,
    /// When one of them was dialled last.
    dialled: Time,
}

impl Peers {
    pub(super) fn new(peers: &[Peer]) -> Peers {
        let named = |peer: &Peer| Named {
            peer: peer.clone(),
            next: 0,
            link: None,
            key: None,
            dialled: None,
            failed: None,
            is_awaited: peer.addresses.is_empty(),
        };
        Peers {
            all: peers.iter().map(named).collect(),
            turn: 0,
            dialled: Time(0),
        }
    }

    pub(super) fn all(&self) -> &[Named] {
        &self.all
    }

    fn of(&mut self, link: LinkId) -> Option<&mut Named> {
        self.all.iter_mut().find(|n| n.link == Some(link))
    }

    /// A HELLO came on a link: if a peer was dialled on it, that is who it is.
    pub(super) fn met(&mut self, link: LinkId, key: Key) {
        if let Some(named) = self.of(link) {
            named.key = Some(key);
            named.link = None;
            named.failed = None;
        }
    }

    /// The dial came to nothing: the next address is tried next time.
    pub(super) fn missed(&mut self, link: LinkId, why: Closed) {
        if let Some(named) = self.of(link) {
            named.link = None;
            named.failed = Some(why);
            named.next += 1;
        }
    }

    /// It was looked up where this peer is. An empty answer changes no address.
    fn found(&mut self, name: &str, addresses: &[SocketAddr]) {
        for named in self.all.iter_mut().filter(|n| n.peer.name == name) {
            named.is_awaited = false;
            if addresses.is_empty() || named.peer.addresses == addresses {
                continue;
            }
            named.peer.addresses = addresses.to_vec();
            named.peer.addresses.truncate(PEER_ADDRESSES_MAX);
            named.next = 0;
        }
    }

    /// One of them is this node itself.
    pub(super) fn forget(&mut self, link: LinkId) {
        self.all.retain(|n| n.link != Some(link));
    }
}

impl Mesh {
    /// It was looked up where this peer is.
    pub(in crate::node) fn on_peer_found(&mut self, peer: &Peer) {
        self.peers.found(&peer.name, &peer.addresses);
    }

    /// Whether nobody has said yet where some peer is.
    pub(in crate::node) fn awaits_peers(&self) -> bool {
        self.peers.all.iter().any(|named| named.is_awaited)
    }

    /// Looking for the room: all peers are dialled.
    pub(in crate::node) fn ask_peers(&mut self, cx: &mut Context, group: &impl Interest) {
        for n in 0..self.peers.all.len() {
            let dialled = self.peers.all[n].dialled;
            if dialled.is_none_or(|at| cx.since(at) >= timing::PEER_REDIAL_SEEKING) {
                self.dial_peer(cx, group, n);
            }
        }
    }

    /// One peer after the other is dialled, if there is no link with it.
    pub(in crate::node) fn tend_peers(&mut self, cx: &mut Context, group: &impl Interest) {
        let count = self.peers.all.len();
        if count == 0 || group.is_seeking() || group.is_leaving() {
            return;
        }
        if cx.since(self.peers.dialled) < timing::PEER_REDIAL {
            return;
        }
        for _ in 0..count {
            self.peers.turn = (self.peers.turn + 1) % count;
            if self.dial_peer(cx, group, self.peers.turn) {
                return;
            }
        }
    }

    /// False if there is no need.
    fn dial_peer(&mut self, cx: &mut Context, group: &impl Interest, n: usize) -> bool {
        let now = cx.now.time;
        let Some(named) = self.peers.all.get_mut(n) else {
            return false;
        };
        if let Some(key) = named.key {
            if self.links.open_to(key).is_some() || self.links.is_dialling(key) {
                return false;
            }
            // Members are dialled by `tend_mesh`, wherever they are now.
            if group.is_member(key) {
                return false;
            }
        }
        if named.link.is_some() {
            return false;
        }
        let Some(to) = (named.peer.addresses)
            .get(named.next % named.peer.addresses.len().max(1))
            .copied()
        else {
            return false;
        };
        let small = named.key.is_some_and(|key| self.narrow.is_narrow(key));
        let link = self.links.new_id();
        named.link = Some(link);
        named.dialled = Some(now);
        self.peers.dialled = now;
        self.add_link(cx, link, LinkStage::Dialing, to, None, 0);
        cx.out.push(Effect::Dial { link, to, small });
        true
    }
}

#[cfg(test)]
#[path = "peers_test.rs"]
mod tests;
