//! What the driver and the user interface may ask of a node.
//!
//! Owns nothing: each of these asks the part that knows.

use std::net::SocketAddr;

use crate::wire::{ChatMessage, Claim, Id, Key, Member, Position};

use super::group::Group;
use super::mesh::Interest;
use super::{History, LinkId, Node, Person, Restored, Time};

impl Node {
    /// The number for a link that was accepted.
    pub fn new_link(&mut self) -> LinkId {
        self.mesh.new_link()
    }

    /// True if the peer at the other end of this link is a member.
    #[must_use]
    pub fn is_member_link(&self, link: LinkId) -> bool {
        let key = self.mesh.link(link).and_then(super::mesh::Link::key);
        key.is_some_and(|key| self.group.is_member(key))
    }

    /// The peer at the other end of this link has proven whose node it is; told before its HELLO.
    pub fn on_person(&mut self, link: LinkId, person: Option<Person>) {
        self.mesh.note_person(link, person);
    }

    /// False until joined, and while this node leaves: stdin is not to be read then.
    #[must_use]
    pub fn wants_lines(&self) -> bool {
        self.talk.has_joined() && !self.group.is_leaving()
    }

    /// Until when stdin is to wait for peers that are behind and about to catch up, or not linked yet. Who writes
    /// as fast as it can would else be fetched from for ever, chunk by chunk and each peer on its own,
    /// though all could keep up with it.
    #[must_use]
    pub fn chased_until(&self, now: Time) -> Option<Time> {
        let peers = (self.group.roster(), &self.mesh);
        self.talk.chased_until(&self.cx, peers, now)
    }

    /// Own messages that are not yet delivered, lines that wait for the room included.
    #[must_use]
    pub fn undelivered(&self) -> u64 {
        self.talk.undelivered()
    }

    /// How many messages this node has written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.talk.written()
    }

    /// True once this node has heard of a group, or is in one.
    #[must_use]
    pub fn hears_group(&self) -> bool {
        self.group.has_heard()
    }

    /// How many messages were said that not everybody has confirmed, and who has not; those who were lost a moment
    /// ago, and may come back, included.
    #[must_use]
    pub fn unconfirmed(&self) -> (u64, Vec<Member>) {
        let mut missing = (self.talk).unconfirmed_by(self.group.roster(), &self.mesh);
        let (late, members) = self.talk.late(&self.cx, &self.mesh);
        missing.extend(members);
        (self.talk.undelivered().max(late), missing)
    }

    /// True between the first `Joined` and leaving.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.talk.has_joined() && !self.group.is_gone()
    }

    /// This node's identity.
    #[must_use]
    pub fn key(&self) -> Key {
        self.cx.config.key
    }

    /// This node's id, once it has one.
    #[must_use]
    pub fn id(&self) -> Option<Id> {
        self.group.id()
    }

    /// What people call this node.
    #[must_use]
    pub fn nick(&self) -> &str {
        &self.cx.config.nick
    }

    /// The live coordinator, oneself perhaps.
    #[must_use]
    pub fn coordinator(&self) -> Option<Claim> {
        self.group.claim()
    }

    /// Where this node stands towards its room, in a word.
    #[must_use]
    pub fn standing(&self) -> &'static str {
        self.group.standing()
    }

    /// From now on, or no more, the node leaves [`Effect::Note`](super::Effect::Note)s.
    pub fn set_traced(&mut self, is_traced: bool) {
        self.cx.set_traced(is_traced);
    }

    /// Whose link this is, once that is known.
    #[must_use]
    pub fn peer_on(&self, link: LinkId) -> Option<Key> {
        self.mesh.link(link).and_then(super::mesh::Link::key)
    }

    /// The coordinator whose view this node holds, if it has one.
    #[must_use]
    pub fn view_coordinator(&self) -> Key {
        self.group.roster().coordinator()
    }

    /// The links that HELLO was exchanged on, with their peers.
    pub fn open_links(&self) -> impl Iterator<Item = (Key, LinkId)> {
        self.mesh.open_links().map(|(key, link, _)| (key, link))
    }

    /// True while an election goes on here.
    #[must_use]
    pub fn is_electing(&self) -> bool {
        self.group.is_electing()
    }

    /// The view in the order of ids, oneself included; empty before joining.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        Group::members(&self.group)
    }

    /// Who is in the view no more, but linked with this node and alive, and therefore expected back: the
    /// user was not told that they are gone.
    pub fn awaited(&self) -> impl Iterator<Item = &Member> {
        self.group.awaited()
    }

    /// Where the other end of the open link with this peer is, and since when it is open.
    #[must_use]
    pub fn link(&self, key: Key) -> Option<(SocketAddr, Time)> {
        let link = self.mesh.link(self.mesh.open_to(key)?)?;
        Some((link.address(), link.opened()))
    }

    /// The version of the view.
    #[must_use]
    pub fn view_version(&self) -> u64 {
        self.group.roster().version()
    }

    /// The history as this node holds it.
    #[must_use]
    pub fn history(&self) -> &History {
        self.talk.history()
    }

    /// The newest `count` messages of the past that the history has in memory, in its order: what was
    /// said before this node was in the room.
    #[must_use]
    pub fn old(&self, count: usize) -> Vec<ChatMessage> {
        self.talk.old(&self.cx, count)
    }

    /// The peers with an open link, in the order of their keys.
    pub fn peers(&self) -> impl Iterator<Item = Key> {
        self.mesh.open_keys()
    }

    /// The first `count` messages of others that were shown, and not counted here before, are printed.
    pub fn on_printed(&mut self, count: u64) {
        self.talk.on_printed(count);
    }

    /// The first `count` messages of others that were shown, and not counted here before, will never be
    /// printed: their authors are told that they were missed.
    pub fn on_unprinted(&mut self, count: u64) {
        self.talk.on_unprinted(count);
    }

    /// Before [`Node::start`]: this node has a store, and it holds this (nothing, if it is new).
    pub fn restore(&mut self, restored: Restored) {
        self.restore_part(restored);
        self.end_restoring();
    }

    /// The same for a part of what the store holds, so that no call takes long: first all ids, in any
    /// number of parts, then the newest messages in their order.
    pub fn restore_part(&mut self, part: Restored) {
        self.talk.restore_part(part);
    }

    /// After the last [`Node::restore_part`].
    pub fn end_restoring(&mut self) {
        self.talk.end_restoring(&mut self.cx);
    }

    /// What was taken in or written and is not yet stored, in that order. Nothing without a store.
    pub fn unstored(&self) -> impl Iterator<Item = &ChatMessage> + Clone {
        self.talk.unstored()
    }

    /// How many messages that is.
    #[must_use]
    pub fn unstored_len(&self) -> usize {
        self.talk.unstored_len()
    }

    /// The first `count` of [`Node::unstored`] are stored: they may be confirmed.
    pub fn on_stored(&mut self, count: usize) {
        self.talk.on_stored(&self.cx, count);
    }

    /// How many messages were given up since the start because they could not be stored for too long: they
    /// will not be.
    #[must_use]
    pub fn given_up_count(&self) -> u64 {
        self.talk.given_up_count()
    }

    /// The store has deleted these messages, the oldest that it had, to make room, and with them everything up
    /// to this position. What is in memory, too, is held until it leaves memory.
    pub fn on_dropped(&mut self, gone: &[ChatMessage], upto: Position) {
        self.talk.on_dropped(gone, upto);
    }

    /// Named counts for people: (name, value).
    #[must_use]
    pub fn counters(&self) -> Vec<(&'static str, u64)> {
        let c = &self.cx.counters;
        let mut counters = vec![
            ("links", self.mesh.open_keys().count() as u64),
            ("elections", c.elections),
            ("syncs", c.syncs),
            ("repaired", c.repaired),
            ("pings", c.pings),
            ("waited", c.waited),
            ("waiting", self.talk.waiting_len() as u64),
            ("missed", c.missed),
            ("below_floor", c.late),
            ("far_ahead", c.far_ahead),
            ("undelivered", self.undelivered()),
        ];
        if self.history().has_store() {
            counters.push(("unstored", self.unstored_len() as u64));
        }
        counters
    }
}
