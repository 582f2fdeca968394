//! Letting in who cannot reach the coordinator, through a member that both reach: a host in two
//! networks, or one that speaks both IPv4 and IPv6.
//!
//! A node that has asked in vain puts the question to a neighbour that names the coordinator; the
//! neighbour passes it on, and passes the answer back. From then on the newcomer is a member like any other
//! that has lost its link with the coordinator: others say that it lives, and the view comes from
//! whoever mentions a newer one.
//!
//! Owns which questions were carried here, and whose carrier brought which members. It lets nobody in, which the
//! coordinator does, and it takes nobody's question from anybody else: what is carried has its writer's seal,
//! which the driver has looked at, and is taken once.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use super::{Group, Parts, Standing};
use crate::limits;
use crate::node::mesh::Link;
use crate::node::{Class, LinkId, Person, Weakness, host_of};
use crate::wire::{
    Address, CarriedRequest, Coordinator, JoinRequest, JoinResponse, Key, Message, Relay,
};

/// From this attempt on a question was asked in vain.
pub(super) const IN_VAIN: u64 = 3;
/// How many members, on average, offer a link to somebody who asks in vain.
const HELPERS: u64 = 3;

/// Whose link brought somebody's question.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carrier {
    /// Its host.
    pub(super) host: IpAddr,
    /// Whose node it is; none if it is nobody's in particular.
    pub(super) person: Option<Person>,
}

/// Questions that others carry.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// How many this node has had carried.
    said: u64,
    /// The turn of the last one that was taken of each writer; who came last is at the end.
    taken: VecDeque<(Key, u64)>,
    /// Who brought the members that were let in so.
    carriers: BTreeMap<Key, Carrier>,
}

impl Carried {
    /// The turn of a question that this node has carried now.
    fn next_turn(&mut self) -> u64 {
        self.said += 1;
        self.said
    }

    /// Takes a question of this writer. False if it is not newer than the last one: whoever carries
    /// questions could bring an old one, of a node that has gone or has another nick since.
    fn take(&mut self, writer: Key, turn: u64) -> bool {
        let known = self.taken.iter().position(|(key, _)| *key == writer);
        let last = known
            .and_then(|at| self.taken.get(at))
            .map_or(0, |(_, turn)| *turn);
        if turn <= last {
            return false;
        }
        if let Some(at) = known {
            self.taken.remove(at);
        } else if self.taken.len() >= limits::CARRIED_WRITERS_MAX {
            self.taken.pop_front();
        }
        self.taken.push_back((writer, turn));
        true
    }

    /// Who brought this member, if it was let in so.
    pub(super) fn carrier(&self, key: Key) -> Option<Carrier> {
        self.carriers.get(&key).copied()
    }
}

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
            let request = CarriedRequest {
                turn: self.carried.next_turn(),
                fields: self.request(parts, attempt),
            };
            let relay = Relay {
                from: parts.cx.config.key,
                to: leader,
                ack: None,
                stable: None,
                request: Some(Box::new(request)),
                seal: None,
            };
            parts.cx.send(id, Class::Control, Message::Relay(relay));
        }
    }

    /// Somebody asks a coordinator that it cannot reach: this one, or this node's.
    pub(in crate::node) fn on_carried(
        &mut self,
        parts: &mut Parts<'_>,
        link: LinkId,
        sender: Key,
        relay: Relay,
    ) {
        if relay.from == parts.cx.config.key {
            return;
        }
        if relay.to != parts.cx.config.key {
            return self.carry(parts, link, sender, relay);
        }
        let is_coordinator = matches!(self.standing, Standing::Coordinator(_));
        if let Some(request) = relay.request
            && is_coordinator
            && self.roster.contains(sender)
        {
            self.take_carried(parts, link, &request);
        }
    }

    /// A member is asked by somebody who cannot reach the coordinator: passes the question on, and says who
    /// coordinates.
    fn carry(&mut self, parts: &mut Parts<'_>, link: LinkId, sender: Key, relay: Relay) {
        let is_own = self.leader() == Some(relay.to);
        if relay.from != sender || !is_own || !matches!(self.standing, Standing::Member) {
            return;
        }
        let leader = relay.to;
        let to = parts.mesh.open_to(leader);
        if let Some(to) = to.filter(|_| parts.mesh.is_alive(parts.cx, leader)) {
            parts.cx.send(to, Class::Control, Message::Relay(relay));
        }
        self.refer_on_link(parts, link, sender);
    }

    /// The coordinator is asked by way of a member: lets the writer in. The answer goes back the same way.
    fn take_carried(&mut self, parts: &mut Parts<'_>, link: LinkId, request: &CarriedRequest) {
        let (key, request, turn) = (request.fields.key, &request.fields, request.turn);
        let is_new = self.carried.take(key, turn);
        if !is_new && !parts.cx.is_weakened(Weakness::OldQuestionsCount) {
            return;
        }
        let was_member = self.roster.contains(key);
        self.consider_asker(parts, link, key, request);
        if let Some(carrier) = parts.mesh.link(link).filter(|_| !was_member) {
            let host = host_of(carrier.address().ip());
            let person = carrier.person();
            let roster = &self.roster;
            self.carried.carriers.insert(key, Carrier { host, person });
            (self.carried.carriers).retain(|key, _| roster.contains(*key));
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
