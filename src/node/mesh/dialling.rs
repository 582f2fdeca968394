//! Dialling: who dials whom, at which of its addresses, and what a dial that failed says.
//!
//! Owns the choices alone; the dials themselves, and what comes of them, are the links' business.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use super::knock::shown_address;
use super::{Closed, Context, Interest, Key, Link, LinkId, Mesh, News, Time, Timer, Weakness};
use crate::limits;
use crate::timing;
use crate::wire::{Address, Member};

/// How often a dial that verifies a death is repeated because it was taken and then cut.
const VERIFY_AGAIN_MAX: u32 = 8;
/// For so many members of a room, the pause of each that is not the coordinator grows by once that: a
/// large room must not dial a dead host all the time.
const REDIAL_SHARE: u32 = 4;

impl Mesh {
    /// Candidate addresses in the order of trying: loopback, then the same /24 or /64 as one of
    /// ours, then the rest. Loopback leads to another node, if to any, unless the peer is on this
    /// host: then it shares an address with this node, or has no other.
    pub(super) fn best_first(&self, cx: &Context, addresses: &[Address]) -> VecDeque<Address> {
        let ours = &cx.config.addresses;
        let mut sorted: Vec<Address> = addresses.to_vec();
        sorted.truncate(limits::ADDRESSES_MAX + 1);
        let is_shared = |a: &Address| ours.iter().any(|o| o.0.ip() == a.0.ip());
        let mut elsewhere = sorted.iter().filter(|a| !a.0.ip().is_loopback()).peekable();
        if elsewhere.peek().is_some() && !elsewhere.any(is_shared) {
            sorted.retain(|a| !a.0.ip().is_loopback());
        }
        sorted.sort_by_key(|a| {
            let near = ours.iter().any(|o| same_subnet(*o, *a));
            (!a.0.ip().is_loopback(), !near)
        });
        sorted.into()
    }

    /// A link broke: whether the process ended shows at the address last used.
    pub(super) fn verify_death(
        &mut self,
        cx: &mut Context,
        group: &impl Interest,
        key: Key,
        link: &Link,
    ) {
        if self.left.contains(key) {
            self.forget_if_stranger(key, group);
            return;
        }
        let mut addresses = link.addresses.clone();
        if let Some(used) = shown_address(link) {
            addresses.retain(|a| *a != used);
            let mut rest = self.best_first(cx, &addresses);
            rest.push_front(used);
            let all: Vec<Address> = rest.into();
            self.dial_in_order(cx, key, all);
        } else {
            self.dial(cx, key, &addresses, false);
        }
    }

    fn dial_in_order(&mut self, cx: &mut Context, key: Key, mut addresses: Vec<Address>) {
        if self.links.is_dialling(key) {
            return;
        }
        let first = addresses.remove(0);
        self.dial(cx, key, &[first], true);
        if let Some(dial) = self.links.dials.get_mut(&key) {
            dial.rest = addresses.into();
        }
    }

    pub(super) fn dial_failed(
        &mut self,
        cx: &mut Context,
        group: &impl Interest,
        (id, key): (LinkId, Key),
        why: Closed,
    ) {
        let Some(dial) = self.links.dials.get_mut(&key).filter(|d| d.link == id) else {
            return;
        };
        if dial.verifies && why == Closed::Refused {
            self.links.dials.remove(&key);
            return self.news.push_back(News::Died(key));
        }
        // A process that is being killed closes its sockets one by one: its listener may still
        // take the dial, and cut it a moment later. The next dial shows what became of it.
        if dial.verifies && why == Closed::Ended && dial.again < VERIFY_AGAIN_MAX {
            dial.again += 1;
            let first = dial.first;
            let link = self.open_dial(cx, key, first);
            if let Some(dial) = self.links.dials.get_mut(&key) {
                dial.link = link;
            }
            return;
        }
        dial.verifies = false;
        if let Some(next) = dial.rest.pop_front() {
            let link = self.open_dial(cx, key, next);
            if let Some(dial) = self.links.dials.get_mut(&key) {
                dial.link = link;
            }
            return;
        }
        self.links.dials.remove(&key);
        self.news.push_back(News::Unreachable(key));
        self.forget_if_stranger(key, group);
    }

    pub(in crate::node) fn was_dialled_lately(&self, cx: &Context, key: Key) -> bool {
        let at = self.links.dialled.get(&key);
        at.is_some_and(|at| cx.since(*at) < timing::DIAL_AGAIN_AFTER)
    }

    /// Dials the members without a live link, each at most once in a while.
    pub(in crate::node) fn tend_mesh(&mut self, cx: &mut Context, group: &impl Interest) {
        if group.is_leaving() {
            return;
        }
        let mut due: Vec<(Key, Vec<Address>)> = Vec::new();
        for member in group.members() {
            let key = member.key;
            if key == cx.config.key || self.is_alive(cx, key) || self.links.is_dialling(key) {
                continue;
            }
            let apart = self.silent_since.get(&key).map(|t| cx.since(*t));
            let first = Some(member.id) > group.own_id()
                && apart.is_some_and(|d| d < timing::OLDER_DIALS_AFTER);
            let pause = if self.dead.contains(key) {
                timing::DIAL_DEAD_AFTER
            } else {
                timing::DIAL_AGAIN_AFTER
            };
            let recent = |t: &Time| cx.since(*t) < pause;
            if !first && !self.links.dialled.get(&key).is_some_and(recent) {
                due.push((key, member.addresses.clone()));
            }
        }
        for (key, addresses) in due {
            self.dial(cx, key, &addresses, false);
        }
    }

    /// The pause between two dials of somebody who is out of reach.
    pub(in crate::node) fn redial_pause(&self, group: &impl Interest) -> Duration {
        let members = u32::try_from(group.members().len()).unwrap_or(u32::MAX);
        if group.leads() {
            timing::LOST_REDIAL
        } else {
            timing::LOST_REDIAL * (members / REDIAL_SHARE).max(1)
        }
    }

    /// The next of the lost members is dialled after the usual pause.
    pub(in crate::node) fn redial_soon(&mut self, cx: &mut Context, group: &impl Interest) {
        let pause = self.redial_pause(group);
        cx.set_timer(Timer::Redial, cx.now.time + pause);
    }

    /// Every few seconds: a dial of one of the members that were lost. The coordinator alone is not
    /// enough: of two groups, it may be two others that reach each other.
    pub(in crate::node) fn on_redial(&mut self, cx: &mut Context, group: &impl Interest) {
        if !group.leads() && cx.is_weakened(Weakness::NoRedialByMembers) {
            return;
        }
        let Some(member) = self.lost.pop_front() else {
            return;
        };
        if !is_replaced(group, &member)
            && !group.is_member(member.key)
            && !self.left.contains(member.key)
        {
            if !self.is_alive(cx, member.key) && !group.is_leaving() {
                self.dial(cx, member.key, &member.addresses, false);
            }
            self.lost.push_back(member);
        }
        if !self.lost.is_empty() {
            self.redial_soon(cx, group);
        }
    }
}

/// True if members listen wherever this lost one did: a process that was started again there. A dial
/// would reach them, and cost them the link that they have.
fn is_replaced(group: &impl Interest, lost: &Member) -> bool {
    let is_taken = |address: &Address| {
        let mut members = group.members().iter();
        members.any(|m| m.addresses.contains(address))
    };
    lost.addresses.iter().all(is_taken)
}

/// The same /24 (IPv4) or /64 (IPv6): a guess that needs no netmask.
fn same_subnet(a: Address, b: Address) -> bool {
    match (a.0, b.0) {
        (SocketAddr::V4(a), SocketAddr::V4(b)) => a.ip().octets()[..3] == b.ip().octets()[..3],
        (SocketAddr::V6(a), SocketAddr::V6(b)) => a.ip().octets()[..8] == b.ip().octets()[..8],
        _ => false,
    }
}
