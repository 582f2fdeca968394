//! The members that the user named: nodes without multicast find the room through them.
//!
//! Owns the dials to them until a HELLO says who is there; from then on they are links like any
//! other. Any member will do: its HELLO names the coordinator. Each node goes on dialling those
//! that it has no link with, one every few seconds, so that a peer that comes later, and a network
//! that is healed, are noticed without multicast.

use std::time::Duration;

use super::links::Stage;
use super::{Closed, Effect, Key, LinkId, Node, Peer, Standing, Time};

/// While looking for the room, how long after a dial the same peer is dialled again.
const DIAL_SEEKING: Duration = Duration::from_millis(500);
/// The pause between two dials of peers later.
const DIAL_LATER: Duration = Duration::from_secs(2);

/// One peer that was named.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) peer: Peer,
    /// Which of its addresses is next.
    next: usize,
    /// The dial that is under way.
    pub(super) link: Option<LinkId>,
    /// Who was there last.
    key: Option<Key>,
    dialled: Option<Time>,
    /// What came of the last dial, if nothing.
    pub(super) failed: Option<Closed>,
}

/// All peers that were named.
#[derive(Debug)]
pub(super) struct Peers {
    pub(super) all: Vec<Named>,
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
        };
        Peers {
            all: peers.iter().map(named).collect(),
            turn: 0,
            dialled: Time(0),
        }
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

    /// One of them is this node itself.
    pub(super) fn forget(&mut self, link: LinkId) {
        self.all.retain(|n| n.link != Some(link));
    }
}

impl Node {
    /// Looking for the room: all peers are dialled.
    pub(super) fn ask_peers(&mut self) {
        for n in 0..self.peers.all.len() {
            let dialled = self.peers.all[n].dialled;
            if dialled.is_none_or(|at| self.since(at) >= DIAL_SEEKING) {
                self.dial_peer(n);
            }
        }
    }

    /// One peer after the other is dialled, if there is no link with it.
    pub(super) fn tend_peers(&mut self) {
        let count = self.peers.all.len();
        let is_seeking = matches!(self.standing, Standing::Seeking(_));
        if count == 0 || is_seeking || self.leaving.is_some() {
            return;
        }
        if self.since(self.peers.dialled) < DIAL_LATER {
            return;
        }
        for _ in 0..count {
            self.peers.turn = (self.peers.turn + 1) % count;
            if self.dial_peer(self.peers.turn) {
                return;
            }
        }
    }

    /// False if there is no need.
    fn dial_peer(&mut self, n: usize) -> bool {
        let now = self.now.time;
        let Some(named) = self.peers.all.get_mut(n) else {
            return false;
        };
        if let Some(key) = named.key {
            if self.links.open_to(key).is_some() || self.links.is_dialling(key) {
                return false;
            }
            // Members are dialled by `tend_mesh`, wherever they are now.
            if self.roster.contains(key) {
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
        let link = self.links.new_id();
        named.link = Some(link);
        named.dialled = Some(now);
        self.peers.dialled = now;
        self.add_link(link, Stage::Dialing, to, None, 0);
        self.out.push(Effect::Dial { link, to });
        true
    }
}
