//! Letting in who cannot reach the coordinator, through a member that both reach: a host in two
//! networks, or one that speaks both IPv4 and IPv6.
//!
//! Who has asked in vain puts the question to a neighbour that names the coordinator; that one
//! passes it on, and passes the answer back. From then on the newcomer is a member like any other
//! that has lost its link with the coordinator: others say that it lives, and the view comes from
//! whoever mentions a newer one.

use std::net::SocketAddr;

use super::{Class, Coordinator, Key, LinkId, Node, Standing};
use crate::wire::{Address, JoinRequest, JoinResponse, Message};

/// From this attempt on a question was asked in vain.
pub(super) const IN_VAIN: u64 = 3;
/// How many members, on average, offer a link to somebody who asks in vain.
const HELPERS: u64 = 3;

impl Node {
    /// Puts the question to a neighbour of a coordinator that is out of reach.
    pub(super) fn ask_through_neighbour(&mut self, leader: Key, attempt: u64) {
        if attempt < IN_VAIN || self.is_alive(leader) {
            return;
        }
        let mut neighbours: Vec<LinkId> = (self.links.open_links())
            .filter(|(key, _, link)| {
                let named = link.told.as_ref().is_some_and(|(c, _)| c.key == leader);
                named && *key != leader && self.is_alive(*key)
            })
            .map(|(_, id, _)| id)
            .collect();
        self.rng.shuffle(&mut neighbours);
        if let Some(id) = neighbours.pop() {
            let request = self.request(attempt);
            self.send(id, Class::Control, Message::JoinRequest(request));
        }
    }

    /// A member is asked by somebody who cannot reach the coordinator: passes the question on.
    pub(super) fn pass_on_request(&mut self, leader: Key, request: &JoinRequest) {
        if request.attempt < IN_VAIN || !matches!(self.standing, Standing::Member) {
            return;
        }
        if let Some(link) = self.links.open_to(leader).filter(|_| self.is_alive(leader)) {
            self.send(link, Class::Control, Message::JoinRequest(request.clone()));
        }
    }

    /// The coordinator is asked by a member on behalf of somebody else: lets it in. The answer
    /// goes back the same way.
    pub(super) fn on_relayed_request(&mut self, link: LinkId, relay: Key, request: &JoinRequest) {
        let is_own = request.key == self.config.key;
        if is_own || !matches!(self.standing, Standing::Coordinator(_)) {
            return;
        }
        if self.roster.contains(relay) {
            self.consider_asker(link, request.key, request);
        }
    }

    /// An answer for somebody who asked through this node: passes it on. False if it is for this
    /// node.
    pub(super) fn pass_on_response(&mut self, from: Key, response: &JoinResponse) -> bool {
        let mut members = response.view.members.iter();
        let whom = members.find(|m| m.id == response.id).map(|m| m.key);
        let Some(whom) = whom.filter(|key| *key != self.config.key) else {
            return false;
        };
        let is_from_own = self.coordinator.as_ref().is_some_and(|c| c.key == from);
        if let Some(link) = self.links.open_to(whom).filter(|_| is_from_own) {
            let response = Message::JoinResponse(response.clone());
            self.send(link, Class::Control, response);
        }
        true
    }

    /// Whether this peer may bring the answer of a coordinator that this node asks: it named that
    /// coordinator as its own.
    pub(super) fn may_bring_answer(&self, peer: Key, leader: Key) -> bool {
        let asked = match &self.standing {
            Standing::Seeking(_) => self.is_sought(leader),
            _ => self.waits_for(leader),
        };
        let told = self.links.to(peer).and_then(|l| l.told.as_ref());
        asked && told.is_some_and(|(c, _)| c.key == leader)
    }

    /// Somebody asks in vain by multicast: a few members offer a link, at the datagram's own source
    /// address.
    pub(super) fn offer_link(&mut self, from: SocketAddr, request: &JoinRequest) {
        if request.attempt > IN_VAIN && request.port != 0 && self.is_my_turn() {
            let mut at = from;
            at.set_port(request.port);
            self.reach_out(request.key, &[Address(at)]);
        }
    }

    /// A lower coordinator is heard again and again: a few members offer a link.
    pub(super) fn offer_link_to_lower(&mut self, told: &Coordinator) {
        if matches!(self.standing, Standing::Member) && self.is_my_turn() {
            self.reach_out(told.key, &told.addresses);
        }
    }

    fn is_my_turn(&mut self) -> bool {
        let members = self.roster.members().len() as u64;
        self.rng.u64(0..members.max(1)) < HELPERS
    }

    fn reach_out(&mut self, key: Key, addresses: &[Address]) {
        if self.links.open_to(key).is_none() && !self.was_dialled_lately(key) {
            self.dial(key, addresses, false);
        }
    }
}
