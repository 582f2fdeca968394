//! How the places of a room are shared out while it fills up.
//!
//! Owns the rule, and counts how many members each host and each person has. Who is let in otherwise is not
//! its business, and it takes nobody's place away.
//!
//! While less than half of the places are taken nobody is refused: a class starts two hundred nodes on one
//! machine. From then on a host, or a person, that has as many members as a share of the places that are still
//! free gets no more of them. So whoever takes all that it can get leaves half of the room to others, and whoever
//! has two or three addresses leaves some; the later it comes, the less a newcomer's host must have.

use std::net::IpAddr;

use super::{Group, Parts};
use crate::limits::{
    FREE_PLACES_PER_SHARE, MEMBERS_CROWDED, MEMBERS_MAX, VIEW_BYTES_CROWDED, VIEW_BYTES_MAX,
};
use crate::node::{LinkId, Person, host_of};
use crate::wire::Member;

/// Who has a share already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Greedy {
    /// The newcomer's host, with so many members.
    Host(usize),
    /// The person whose node the newcomer is, with so many members.
    Person(usize),
}

/// What members take of a room.
#[derive(Clone, Copy, Default, Debug)]
struct Taken {
    members: usize,
    /// Of the view, which must fit a frame.
    bytes: usize,
}

impl Taken {
    fn add(&mut self, member: &Member) {
        self.members += 1;
        self.bytes += member.size_bound();
    }

    /// True if these have a share of what others leave; a first member is let in for as long as there is a
    /// place.
    fn is_a_share(self, all: Taken) -> bool {
        let is_share = |taken: usize, all: usize, crowded: usize, max: usize| {
            all >= crowded && taken >= max.saturating_sub(all) / FREE_PLACES_PER_SHARE
        };
        self.members > 0
            && (is_share(self.members, all.members, MEMBERS_CROWDED, MEMBERS_MAX)
                || is_share(self.bytes, all.bytes, VIEW_BYTES_CROWDED, VIEW_BYTES_MAX))
    }
}

/// For whom a member's place counts.
struct Taker {
    host: Option<IpAddr>,
    person: Option<Person>,
}

impl Group {
    /// A member's place counts for the host and the person at the other end of its link; without one, for those
    /// of whoever brought its question, who could bring any number from wherever they say that they are; and
    /// last for the host that the member itself says.
    fn taker(&self, parts: &Parts<'_>, member: &Member) -> Taker {
        if let Some(link) = parts.mesh.link_to(member.key) {
            let host = Some(host_of(link.address().ip()));
            return Taker {
                host,
                person: link.person(),
            };
        }
        if let Some(carrier) = self.carried.carrier(member.key) {
            return Taker {
                host: Some(carrier.host),
                person: carrier.person,
            };
        }
        let host = member.addresses.first().map(|a| host_of(a.0.ip()));
        Taker { host, person: None }
    }

    /// Who is to have no further member, if the one at the other end of this link would be one more.
    pub(super) fn greedy(&self, parts: &Parts<'_>, link: LinkId) -> Option<Greedy> {
        let newcomer = parts.mesh.link(link)?;
        let (host, person) = (host_of(newcomer.address().ip()), newcomer.person());
        let (mut all, mut of_host, mut of_person) = <(Taken, Taken, Taken)>::default();
        for member in self.roster.members() {
            all.add(member);
            let taker = self.taker(parts, member);
            if taker.host == Some(host) {
                of_host.add(member);
            }
            if person.is_some() && taker.person == person {
                of_person.add(member);
            }
        }
        if of_host.is_a_share(all) {
            Some(Greedy::Host(of_host.members))
        } else {
            (of_person.is_a_share(all)).then_some(Greedy::Person(of_person.members))
        }
    }
}

#[cfg(test)]
#[path = "places_test.rs"]
mod tests;
