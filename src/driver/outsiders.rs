//! Who is not a member, and how much of this node that may take: limits per source address.
//!
//! Owns which streams end when somebody takes too much: always the oldest of the source that does,
//! never a member's. Whose link a member's is, the node knows; it is asked every now and then.

use std::net::{IpAddr, SocketAddr};

use crate::limits::{
    HANDSHAKES_PER_SOURCE_MAX, LINKS_MAX, OUTSIDERS_MAX, STRANGER_QUEUE_BYTES_MAX,
    STRANGERS_PER_SOURCE_MAX,
};
use crate::node::{Closed, LinkId, Time};
use crate::timing;

use super::streams::Streams;

/// Who is at the other end of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// A member of the room.
    Member,
    /// Nobody knows yet: HELLO is still to come.
    Greeting,
    /// Somebody who said HELLO and is no member.
    Stranger,
}

impl Streams {
    /// Looks up anew which streams are members' links, if that is due.
    pub(super) fn sort(&mut self, now: Time, is_member: impl Fn(LinkId) -> bool) {
        if now.since(self.sorted) >= timing::SORT_LINKS_EVERY {
            self.sorted = now;
            self.sort_now(is_member);
        }
    }

    /// Before so many bytes are queued for these links: a stranger that would have too much may have
    /// become a member since it was looked up.
    pub(super) fn look_again(
        &mut self,
        links: &[LinkId],
        bytes: usize,
        is_member: impl Fn(LinkId) -> bool,
    ) {
        for link in links {
            let slot = self.index.get(link);
            if let Some(stream) = slot.and_then(|slot| self.slots.get_mut(*slot))
                && !stream.is_member
                && stream.out.bytes() + bytes > STRANGER_QUEUE_BYTES_MAX
            {
                stream.is_member = is_member(*link);
            }
        }
    }

    /// Who is at the other end, as far as was looked up.
    pub(super) fn standing(&self, slot: usize) -> Standing {
        match self.slots.get(slot) {
            Some(stream) if stream.is_member => Standing::Member,
            Some(stream) if stream.is_in_handshake() => Standing::Greeting,
            _ => Standing::Stranger,
        }
    }

    fn sort_now(&mut self, is_member: impl Fn(LinkId) -> bool) {
        for (_, stream) in &mut self.slots {
            stream.is_member = is_member(stream.link);
        }
    }

    /// Makes room for one more connection from this peer, at the cost of its own source.
    ///
    /// # Errors
    ///
    /// The rule by which it is refused: all streams are members', or of other sources.
    pub(super) fn make_room(&mut self, now: Time, peer: SocketAddr) -> Result<(), &'static str> {
        let mine = self.handshakes.get(&peer.ip());
        if mine.is_some_and(|links| links.len() >= HANDSHAKES_PER_SOURCE_MAX) {
            self.end_oldest(now, peer.ip(), "too many unfinished handshakes");
        }
        let outsiders = self.slots.iter().filter(|(_, s)| !s.is_member).count();
        if outsiders >= OUTSIDERS_MAX {
            let busiest = self.handshakes.iter().max_by_key(|(_, links)| links.len());
            let busiest = busiest.map_or(peer.ip(), |(source, _)| *source);
            self.end_oldest(now, busiest, "too many connections that are not members'");
        }
        if self.index.len() >= LINKS_MAX {
            return Err("too many connections");
        }
        Ok(())
    }

    /// The handshake of a link is over: one more stranger, perhaps one too many from its address.
    pub(super) fn limit_strangers(
        &mut self,
        now: Time,
        link: LinkId,
        is_member: impl Fn(LinkId) -> bool,
    ) {
        let Some(&slot) = self.index.get(&link) else {
            return;
        };
        let source = self.slots[slot].peer.ip();
        if self.strangers(source).count() > STRANGERS_PER_SOURCE_MAX {
            self.sort_now(is_member);
            if self.strangers(source).count() > STRANGERS_PER_SOURCE_MAX
                && let Some(oldest) = self.strangers(source).min()
            {
                self.end_for(now, oldest, "too many links of strangers from this address");
            }
        }
    }

    /// The links of peers at this address that are no members, their handshakes over.
    fn strangers(&self, source: IpAddr) -> impl Iterator<Item = LinkId> {
        let of_source = self.slots.iter().filter(move |(_, s)| {
            s.peer.ip() == source && !s.is_member && s.handshake_of.is_none() && s.is_read()
        });
        of_source.map(|(_, s)| s.link)
    }

    /// Ends the oldest stream of a source that is no member's: unfinished handshakes first.
    fn end_oldest(&mut self, now: Time, source: IpAddr, rule: &'static str) {
        let handshake = self.handshakes.get(&source).and_then(|l| l.first());
        let oldest = handshake.copied().or_else(|| self.strangers(source).min());
        if let Some(oldest) = oldest {
            self.end_for(now, oldest, rule);
        }
    }

    fn end_for(&mut self, now: Time, link: LinkId, rule: &'static str) {
        if let Some(&slot) = self.index.get(&link) {
            self.complain(now, self.slots[slot].peer, rule);
            self.end(slot, Closed::Ended);
        }
    }
}
