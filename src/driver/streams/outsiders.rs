//! Who is not a member, and how much of this node that may take: limits per source address.
//!
//! Owns the unfinished handshakes of each source, and when it was last looked up whose links are
//! members'. A source is a host ([`crate::node::host_of`]): an IPv4 address, or an IPv6 network. It names the stream that is
//! to end when somebody takes too much: always the oldest of the source that has the most, never a member's. It ends none itself. The node knows which links are members', and
//! is asked every now and then.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::limits::{
    HANDSHAKES_PER_SOURCE_MAX, OUTSIDERS_MAX, STRANGER_QUEUE_BYTES_MAX, STRANGERS_PER_SOURCE_MAX,
};
use crate::node::{LinkId, Time};
use crate::timing;

use super::budget::PeerClass;
use super::stream::Stream;
use super::table::Table;

/// Who is at the other end of this stream, as far as was looked up.
pub(super) fn standing(stream: Option<&Stream>) -> PeerClass {
    match stream {
        Some(stream) if stream.is_member() => PeerClass::Member,
        Some(stream) if stream.is_in_handshake() => PeerClass::Greeting,
        _ => PeerClass::Stranger,
    }
}

/// What is known of those who are no members.
#[derive(Debug)]
pub(super) struct Outsiders {
    /// Unfinished handshakes of accepted streams by the peer's address, the oldest first.
    handshakes: BTreeMap<IpAddr, BTreeSet<LinkId>>,
    /// When it was last looked up whose links are members'.
    sorted: Time,
}

impl Outsiders {
    pub(super) fn new() -> Outsiders {
        Outsiders {
            handshakes: BTreeMap::new(),
            sorted: Time(0),
        }
    }

    /// A handshake with this source begins.
    pub(super) fn begin_handshake(&mut self, source: IpAddr, link: LinkId) {
        self.handshakes.entry(source).or_default().insert(link);
    }

    /// A handshake with this source is over.
    pub(super) fn end_handshake(&mut self, source: IpAddr, link: LinkId) {
        if let Some(links) = self.handshakes.get_mut(&source) {
            links.remove(&link);
            if links.is_empty() {
                self.handshakes.remove(&source);
            }
        }
    }

    /// Looks up anew which streams are members' links, if that is due.
    pub(super) fn sort(
        &mut self,
        now: Time,
        table: &mut Table,
        is_member: impl Fn(LinkId) -> bool,
    ) {
        if now.since(self.sorted) >= timing::SORT_LINKS_EVERY {
            self.sorted = now;
            sort_now(table, is_member);
        }
    }

    /// The stream that ends before one more of this source is let in, for its source has as many
    /// unfinished handshakes as it may.
    pub(super) fn over_handshakes(&self, table: &Table, source: IpAddr) -> Option<LinkId> {
        let mine = self.handshakes.get(&source);
        let is_over = mine.is_some_and(|links| links.len() >= HANDSHAKES_PER_SOURCE_MAX);
        is_over.then(|| self.oldest(table, source)).flatten()
    }

    /// The stream that ends before one more of this source is let in, for all sources together have as
    /// many as those may that are no members. It is one of the source that has the most of them: its own, if
    /// no other has more.
    pub(super) fn over_outsiders(&self, table: &Table, source: IpAddr) -> Option<LinkId> {
        let outsiders = || table.iter().filter(|(_, s)| !s.is_member());
        if outsiders().count() < OUTSIDERS_MAX {
            return None;
        }
        let mut counts: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for (_, stream) in outsiders().filter(|(_, s)| may_end(s)) {
            *counts.entry(stream.source()).or_default() += 1;
        }
        let own = counts.get(&source).copied().unwrap_or(0);
        let most = counts.values().copied().max()?;
        if own > 0 && own >= most {
            return self.oldest(table, source);
        }
        // Of those that have as many, the one whose stream has waited longest: an honest handshake takes
        // milliseconds.
        let busiest = counts.iter().filter(|(_, count)| **count == most);
        busiest
            .filter_map(|(source, _)| self.oldest(table, *source))
            .min()
    }

    /// The oldest stream of a source that is no member's: unfinished handshakes first.
    fn oldest(&self, table: &Table, source: IpAddr) -> Option<LinkId> {
        let handshake = self.handshakes.get(&source).and_then(|l| l.first());
        handshake
            .copied()
            .or_else(|| strangers(table, source).min())
    }
}

/// Before so many bytes are queued for these links: a stranger that would have too much may have
/// become a member since it was looked up.
pub(super) fn look_again(
    table: &mut Table,
    links: &[LinkId],
    bytes: usize,
    is_member: impl Fn(LinkId) -> bool,
) {
    for link in links {
        if let Some(stream) = table.of_mut(*link)
            && !stream.is_member()
            && stream.queued() + bytes > STRANGER_QUEUE_BYTES_MAX
        {
            stream.set_member(is_member(*link));
        }
    }
}

/// The stream that ends because there is one more stranger at its address than may be, now that the
/// handshake of this link is over.
pub(super) fn over_strangers(
    table: &mut Table,
    link: LinkId,
    is_member: impl Fn(LinkId) -> bool,
) -> Option<LinkId> {
    let source = table[table.slot_of(link)?].source();
    let is_over = |table: &Table| strangers(table, source).count() > STRANGERS_PER_SOURCE_MAX;
    if !is_over(table) {
        return None;
    }
    sort_now(table, is_member);
    is_over(table)
        .then(|| strangers(table, source).min())
        .flatten()
}

/// Looks up which streams are members' links.
pub(super) fn sort_now(table: &mut Table, is_member: impl Fn(LinkId) -> bool) {
    for stream in table.iter_mut() {
        stream.set_member(is_member(stream.link()));
    }
}

/// A dial of this node's own, which is still to be taken, ends by itself, and so does what has ended.
fn may_end(stream: &Stream) -> bool {
    stream.is_read()
}

/// The links of peers at this address that are no members, their handshakes over.
fn strangers(table: &Table, source: IpAddr) -> impl Iterator<Item = LinkId> {
    let of_source = table.iter().filter(move |(_, s)| {
        s.source() == source && !s.is_member() && !s.has_handshake() && may_end(s)
    });
    of_source.map(|(_, s)| s.link())
}

#[cfg(test)]
#[path = "outsiders_test.rs"]
mod tests;
