//! The mesh: with whom this node is linked, and who of them lives.
//!
//! Owns every link from dial or accept to its end, the peers that the user named, the silences that are
//! being looked into, and what is known of processes that ended and of keys that said LEAVE. It decides
//! nothing about the group: what happened to a link is left as [`News`] for the node, and what it must
//! know of the group it asks by [`Interest`].
//!
//! | file | subject |
//! | --- | --- |
//! | `link` | what is known of one link and of its peer |
//! | `links` | all links, from the dial or the accept to the end of each |
//! | `handshake` | what HELLO says, and which of two links of a pair stays |
//! | `dialling`, `peers` | whom this node dials and where; the peers that the user named |
//! | `ring` | on which links a silence means something |
//! | `pings`, `knock` | who is silent, and asking others, or the peer's kernel, whether it lives |
//! | `narrow` | paths on which large packets vanish |
//! | `key_memory` | keys of processes that ended, and of those that left |

mod dialling;
mod handshake;
#[cfg(debug_assertions)]
mod invariants;
mod key_memory;
mod knock;
mod link;
mod links;
mod narrow;
mod peers;
mod pings;
mod ring;

use std::collections::{BTreeMap, VecDeque};

use super::context::Context;
use super::{Class, Close, Closed, Effect, LinkId, Person, Time, Timer, Weakness};
use crate::limits;
use crate::timing;
use crate::wire::{Coordinator, Id, Key, Member, Position};
pub(super) use handshake::Greeting;
use key_memory::KeyMemory;
use knock::Knock;
pub(super) use link::Link;
use links::Links;
use narrow::Narrow;
pub(super) use peers::Named;
use peers::Peers;
use pings::Suspect;

/// What the mesh has to know of the group.
pub(super) trait Interest {
    /// The members in the order of their ids.
    fn members(&self) -> &[Member];
    /// True if this key is a member's.
    fn is_member(&self, key: Key) -> bool;
    /// This node's id, if it has one.
    fn own_id(&self) -> Option<Id>;
    /// True if this node asks to be let in there, or wants to.
    fn is_asked(&self, key: Key) -> bool;
    /// True if this node coordinates.
    fn leads(&self) -> bool;
    /// True if this node looks for the room.
    fn is_seeking(&self) -> bool;
    /// True if this node is about to leave.
    fn is_leaving(&self) -> bool;
}

/// What happened to links.
#[derive(Debug)]
pub(super) enum News {
    /// HELLO was exchanged.
    Opened {
        link: LinkId,
        key: Key,
        /// The coordinator that the peer follows.
        told: Option<Coordinator>,
        /// The highest timestamp that the peer has seen.
        clock: u64,
    },
    /// The peer of a link that it has dialled hears this node, too.
    Proven { link: LinkId, key: Key },
    /// A link is no more.
    Gone(LinkId),
    /// The process with this key has ended.
    Died(Key),
    /// Large packets get lost on the way to or from this key.
    Narrow(Key),
    /// All dials of this key came to nothing.
    Unreachable(Key),
    /// This key is neither linked nor a member's: nothing is to be kept of it.
    Forgotten(Key),
}

/// All links of a node, and what is known of those at their other ends.
#[derive(Debug)]
pub(super) struct Mesh {
    links: Links,
    peers: Peers,
    narrow: Narrow,
    /// Since when members without an open link are silent.
    silent_since: BTreeMap<Key, Time>,
    suspects: BTreeMap<Key, Suspect>,
    /// Since when silent members that neighbours vouch for have another time-out.
    vouched_since: BTreeMap<Key, Time>,
    knock: Option<Knock>,
    next_tick: Time,
    /// When the links were last looked at.
    looked: Time,
    /// Keys whose process is known to have ended, and keys that said LEAVE.
    dead: KeyMemory,
    left: KeyMemory,
    /// Members lost from the view, which this node goes on dialling; the newest last.
    lost: VecDeque<Member>,
    news: VecDeque<News>,
}

impl Mesh {
    pub(super) fn new(peers: &[super::Peer]) -> Mesh {
        Mesh {
            links: Links::default(),
            peers: Peers::new(peers),
            narrow: Narrow::default(),
            silent_since: BTreeMap::new(),
            suspects: BTreeMap::new(),
            vouched_since: BTreeMap::new(),
            knock: None,
            next_tick: Time(0),
            looked: Time(0),
            dead: KeyMemory::default(),
            left: KeyMemory::default(),
            lost: VecDeque::new(),
            news: VecDeque::new(),
        }
    }

    /// What happened, the oldest first.
    pub(super) fn next_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// The number for a link that was accepted.
    pub(super) fn new_link(&mut self) -> LinkId {
        self.links.new_id()
    }

    pub(super) fn link(&self, id: LinkId) -> Option<&Link> {
        self.links.get(id)
    }

    /// The peer at the other end of this link has proven whose node it is.
    pub(super) fn note_person(&mut self, id: LinkId, person: Option<Person>) {
        if let Some(link) = self.links.get_mut(id) {
            link.note_person(person);
        }
    }

    /// The link with this peer that is written to.
    pub(super) fn open_to(&self, key: Key) -> Option<LinkId> {
        self.links.open_to(key)
    }

    pub(super) fn link_to(&self, key: Key) -> Option<&Link> {
        self.links.to(key)
    }

    pub(super) fn open_keys(&self) -> impl Iterator<Item = Key> {
        self.links.open_keys()
    }

    pub(super) fn open_links(&self) -> impl Iterator<Item = (Key, LinkId, &Link)> {
        self.links.open_links()
    }

    pub(super) fn all_open(&self) -> Vec<LinkId> {
        self.links.all_open()
    }

    pub(super) fn is_dialling(&self, key: Key) -> bool {
        self.links.is_dialling(key)
    }

    /// True while HELLO is exchanged, unless a frame should have come in within the failure time-out.
    pub(super) fn is_alive(&self, cx: &Context, key: Key) -> bool {
        let link = self.links.to(key);
        link.is_some_and(|l| !l.is_silent(cx))
    }

    /// The silence of this peer is believed: it counts as alive no more until something is heard of it.
    pub(super) fn give_up(&mut self, key: Key) {
        if let Some(link) = self.links.to_mut(key) {
            link.give_up();
        }
    }

    /// True while this peer is alive, and it has heard something that was said on the link.
    pub(super) fn is_proven(&self, cx: &Context, key: Key) -> bool {
        self.is_alive(cx, key) && self.links.to(key).is_some_and(Link::is_proven)
    }

    /// Chat came in on this link.
    pub(super) fn note_chat(&mut self, id: LinkId, now: Time) {
        if let Some(link) = self.links.get_mut(id) {
            link.note_chat(now);
        }
    }

    /// The peer of this link told on it how much it has said.
    pub(super) fn note_word(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id) {
            link.note_word();
        }
    }

    /// The peer of this link told who coordinates; returns what it told before, and when.
    pub(super) fn replace_told(
        &mut self,
        id: LinkId,
        told: Option<(Coordinator, Time)>,
    ) -> Option<(Coordinator, Time)> {
        self.links.get_mut(id).and_then(|l| l.replace_told(told))
    }

    /// This peer's history is complete above this floor, as its coordinator says of its group.
    pub(super) fn note_complete(&mut self, key: Key, above: Option<(Position, Option<Key>)>) {
        if let Some(link) = self.links.to_mut(key) {
            link.note_complete(above);
        }
    }

    /// True if this link's peer gets no live chat until it has caught up.
    pub(super) fn is_behind(&self, id: LinkId) -> bool {
        self.links.get(id).is_some_and(Link::is_behind)
    }

    /// This link's peer does not keep up.
    pub(super) fn fall_behind(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id) {
            link.fall_behind();
        }
    }

    /// The peer of an open link is told that it is behind; false if the link is not open.
    pub(super) fn tell_behind(&mut self, id: LinkId, now: Time) -> bool {
        self.links.get_mut(id).is_some_and(|l| l.tell_behind(now))
    }

    /// The peer has caught up; false if it was not told that it was behind.
    pub(super) fn catch_up(&mut self, id: LinkId) -> bool {
        self.links.get_mut(id).is_some_and(Link::catch_up)
    }

    /// True if this process is known to have ended.
    pub(super) fn is_dead(&self, key: Key) -> bool {
        self.dead.contains(key)
    }

    /// When this process was seen to have ended.
    pub(super) fn dead_since(&self, key: Key) -> Option<Time> {
        self.dead.since(key)
    }

    /// Whoever is vouched for lives.
    pub(super) fn revive(&mut self, key: Key) {
        self.dead.remove(key);
    }

    pub(super) fn note_dead(&mut self, cx: &Context, key: Key) {
        self.dead.insert(key, cx.now.time);
    }

    /// True if this key said LEAVE not long ago.
    pub(super) fn has_left(&self, key: Key) -> bool {
        self.left.contains(key)
    }

    pub(super) fn note_left(&mut self, cx: &Context, key: Key) {
        self.left.insert(key, cx.now.time);
    }

    /// A farewell counts for a while only.
    pub(super) fn forget_farewells(&mut self, cx: &Context) {
        self.left
            .forget_older(cx.now.time, timing::LEAVE_REMEMBERED);
    }

    /// Members that were lost from the view.
    pub(super) fn lost(&self) -> impl Iterator<Item = &Member> {
        self.lost.iter()
    }

    /// Somebody is new in the view.
    pub(super) fn note_member(&mut self, cx: &Context, key: Key) {
        self.lost.retain(|m| m.key != key);
        if self.links.open_to(key).is_none() {
            self.silent_since.insert(key, cx.now.time);
        }
    }

    /// A member was lost from the view; true if it is the only one so far.
    pub(super) fn note_lost(&mut self, member: Member) -> bool {
        if self.lost.len() >= limits::LOST_MAX {
            self.lost.pop_front();
        }
        self.lost.push_back(member);
        self.lost.len() == 1
    }

    /// Since when this member, which has no open link, is silent.
    pub(super) fn silent_since(&self, key: Key) -> Option<Time> {
        self.silent_since.get(&key).copied()
    }

    /// What became of the peers that the user named.
    pub(super) fn named_peers(&self) -> &[Named] {
        self.peers.all()
    }

    /// Nothing is kept of a key that is neither linked nor a member.
    pub(super) fn forget_if_stranger(&mut self, key: Key, group: &impl Interest) {
        if !group.is_member(key) && self.links.open_to(key).is_none() {
            self.links.forget(key);
            self.narrow.forget(key);
            self.silent_since.remove(&key);
            self.suspects.remove(&key);
            self.vouched_since.remove(&key);
            self.news.push_back(News::Forgotten(key));
        }
    }

    /// When the links are looked at next, as was planned.
    pub(super) fn next_tick(&self) -> Time {
        self.next_tick
    }

    pub(super) fn set_next_tick(&mut self, cx: &mut Context, at: Time) {
        self.next_tick = at.max(cx.now.time);
        cx.set_timer(Timer::Tick, self.next_tick);
    }

    /// The links are looked at now.
    pub(super) fn note_look(&mut self, cx: &Context) {
        self.looked = cx.now.time;
    }

    /// When the links were last looked at.
    pub(super) fn looked(&self) -> Time {
        self.looked
    }

    /// This node was away: everybody gets one fresh time-out.
    pub(super) fn come_back(&mut self, cx: &Context) {
        let now = cx.now.time;
        self.next_tick = now;
        self.links.hear_all(now);
        for since in self.silent_since.values_mut() {
            *since = now;
        }
        self.suspects.clear();
    }

    /// There is to be another link with this peer: if the one that there is has fallen silent, that counts.
    fn note_silence(&mut self, cx: &Context, key: Key) {
        if self.is_alive(cx, key) || cx.is_weakened(Weakness::NoSmallSegments) {
            return;
        }
        let link = self.links.to_mut(key);
        let Some(link) = link.filter(|link| !link.was_silent()) else {
            return;
        };
        link.count_silence();
        // On one machine nothing eats packets: whoever is silent there gets no processor.
        if link.address().ip().to_canonical().is_loopback() {
            return;
        }
        let is_early = link.heard.since(link.opened()) < timing::SILENT_EARLY;
        if self.narrow.note_silence(cx.now.time, key, is_early) {
            self.news.push_back(News::Narrow(key));
        }
    }

    /// A link with this peer opens: perhaps instead of a silent one, and at once.
    fn note_return(&mut self, cx: &Context, key: Key) {
        let dialled = self.links.dialled.get(&key);
        let is_at_once = dialled.is_some_and(|at| cx.since(*at) < timing::LINKED_AT_ONCE);
        if is_at_once && self.links.to(key).is_some_and(Link::was_silent) {
            self.narrow.note_return(cx.now.time);
        }
    }
}
