//! Letting in who cannot reach the coordinator, through a member that both reach: a host in two
//! networks, or one that speaks both IPv4 and IPv6.
//!
//! A node that has asked in vain puts the question to a neighbour that names the coordinator; the
//! neighbour passes it on, and passes the answer back. From then on the newcomer is a member like any other
//! that has lost its link with the coordinator: others say that it lives, and the view comes from
//! whoever mentions a newer one.
//!
//! Owns no state. It lets nobody in: the coordinator does.

use std::net::SocketAddr;

use super::{Group, Parts, Standing};
use crate::node::mesh::Link;
use crate::node::{Class, LinkId};
use crate::wire::{Address, Coordinator, JoinRequest, JoinResponse, Key, Message};

/// From this attempt on a question was asked in vain.
pub(super) const IN_VAIN: u64 = 3;
/// How many members, on average, offer a link to somebody who asks in vain.
const HELPERS: u64 = 3;

impl Group {
    /// Puts the question to a neighbour of a coordinator that is out of reach.
    pub(super) fn ask_through_neighbour(
        &mut self,
        parts: &mut Parts<'_>,
        leader: Key,
        attempt: u64,
    ) {
        if attempt < IN_VAIN || parts.mesh.is_alive(parts.cx, leader) {
            return;
        }
        let mut neighbours: Vec<LinkId> = (parts.mesh.open_links())
            .filter(|(key, _, link)| {
                let named = link.told().is_some_and(|(c, _)| c.key == leader);
                named && *key != leader && parts.mesh.is_alive(parts.cx, *key)
            })
            .map(|(_, id, _)| id)
            .collect();
        parts.cx.rng.shuffle(&mut neighbours);
        if let Some(id) = neighbours.pop() {
            let request = self.request(parts, attempt);
            parts
                .cx
                .send(id, Class::Control, Message::JoinRequest(request));
        }
    }

    /// A member is asked by somebody who cannot reach the coordinator: passes the question on.
    pub(super) fn pass_on_request(
        &mut self,
        parts: &mut Parts<'_>,
        leader: Key,
        request: &JoinRequest,
    ) {
        if request.attempt < IN_VAIN || !matches!(self.standing, Standing::Member) {
            return;
        }
        if let Some(link) = parts
            .mesh
            .open_to(leader)
            .filter(|_| parts.mesh.is_alive(parts.cx, leader))
        {
            parts
                .cx
                .send(link, Class::Control, Message::JoinRequest(request.clone()));
        }
    }

    /// The coordinator is asked by a member on behalf of somebody else: lets it in. The answer
    /// goes back the same way.
    pub(super) fn on_relayed_request(
        &mut self,
        parts: &mut Parts<'_>,
        link: LinkId,
        relay: Key,
        request: &JoinRequest,
    ) {
        let is_own = request.key == parts.cx.config.key;
        if is_own || !matches!(self.standing, Standing::Coordinator(_)) {
            return;
        }
        if self.roster.contains(relay) {
            self.consider_asker(parts, link, request.key, request);
        }
    }

    /// An answer for somebody who asked through this node: passes it on. False if it is for this
    /// node.
    pub(super) fn pass_on_response(
        &mut self,
        parts: &mut Parts<'_>,
        from: Key,
        response: &JoinResponse,
    ) -> bool {
        let mut members = response.view.members.iter();
        let whom = members.find(|m| m.id == response.id).map(|m| m.key);
        let Some(whom) = whom.filter(|key| *key != parts.cx.config.key) else {
            return false;
        };
        let is_from_own = self.coordinator.as_ref().is_some_and(|c| c.key == from);
        if let Some(link) = parts.mesh.open_to(whom).filter(|_| is_from_own) {
            let response = Message::JoinResponse(response.clone());
            parts.cx.send(link, Class::Control, response);
        }
        true
    }

    /// Whether this peer may bring the answer of a coordinator that this node asks: it named that
    /// coordinator as its own.
    pub(super) fn may_bring_answer(&self, parts: &Parts<'_>, peer: Key, leader: Key) -> bool {
        let asked = match &self.standing {
            Standing::Seeking(_) => self.is_sought(leader),
            _ => self.waits_for(parts, leader),
        };
        let told = parts.mesh.link_to(peer).and_then(Link::told);
        asked && told.is_some_and(|(c, _)| c.key == leader) && self.may_name(parts, peer, leader)
    }

    /// Somebody asks in vain by multicast: a few members offer a link, at the datagram's own source
    /// address.
    pub(super) fn offer_link(
        &mut self,
        parts: &mut Parts<'_>,
        from: SocketAddr,
        request: &JoinRequest,
    ) {
        if request.attempt > IN_VAIN && request.port != 0 && self.is_my_turn(parts) {
            let mut at = from;
            at.set_port(request.port);
            self.reach_out(parts, request.key, &[Address(at)]);
        }
    }

    /// A lower coordinator is heard again and again: a few members offer a link.
    pub(super) fn offer_link_to_lower(&mut self, parts: &mut Parts<'_>, told: &Coordinator) {
        if matches!(self.standing, Standing::Member) && self.is_my_turn(parts) {
            self.reach_out(parts, told.key, &told.addresses);
        }
    }

    fn is_my_turn(&mut self, parts: &mut Parts<'_>) -> bool {
        let members = self.roster.members().len() as u64;
        parts.cx.rng.u64(0..members.max(1)) < HELPERS
    }

    fn reach_out(&mut self, parts: &mut Parts<'_>, key: Key, addresses: &[Address]) {
        if parts.mesh.open_to(key).is_none() && !parts.mesh.was_dialled_lately(parts.cx, key) {
            parts.mesh.dial(parts.cx, key, addresses, false);
        }
    }
}

#[cfg(test)]
#[path = "relay_test.rs"]
mod tests;
