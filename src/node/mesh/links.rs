//! The links of this node, and at most one for each pair of nodes that is written to.
//!
//! Owns every link from dial or accept to its end; what is known of a single one is `link`'s, and how it opens
//! `handshake`'s. Decides nothing about membership: it leaves news of links that opened, processes that died,
//! and dials that failed.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use super::link::{Link, LinkStage};
use super::{Close, Closed, Context, Effect, Interest, LinkId, Mesh, News, Time, Timer};
use crate::limits;
use crate::timing;
use crate::wire::{Address, Key};

#[derive(Debug)]
pub(super) struct Dial {
    pub(super) link: LinkId,
    pub(super) rest: VecDeque<Address>,
    /// A refusal by the first address means that the process ended.
    pub(super) verifies: bool,
    /// The first address.
    pub(super) first: Address,
    /// How often it was dialled again.
    pub(super) again: u32,
}

/// All links of a node.
#[derive(Debug, Default)]
pub(super) struct Links {
    last: u64,
    all: BTreeMap<LinkId, Link>,
    open: BTreeMap<Key, LinkId>,
    rounds: BTreeMap<Key, u64>,
    pub(super) dials: BTreeMap<Key, Dial>,
    pub(super) dialled: BTreeMap<Key, Time>,
}

impl Links {
    pub(super) fn new_id(&mut self) -> LinkId {
        self.last += 1;
        LinkId(self.last)
    }

    pub(super) fn get(&self, id: LinkId) -> Option<&Link> {
        self.all.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        self.all.get_mut(&id)
    }

    /// The link with this peer that is written to.
    pub(super) fn open_to(&self, key: Key) -> Option<LinkId> {
        self.open.get(&key).copied()
    }

    pub(super) fn to(&self, key: Key) -> Option<&Link> {
        self.all.get(self.open.get(&key)?)
    }

    pub(super) fn to_mut(&mut self, key: Key) -> Option<&mut Link> {
        self.all.get_mut(self.open.get(&key)?)
    }

    /// Nothing is kept of how often, and when, this key was dialled.
    pub(super) fn forget(&mut self, key: Key) {
        self.rounds.remove(&key);
        self.dialled.remove(&key);
    }

    /// All of them count as heard just now, and nothing is asked of them any more.
    pub(super) fn hear_all(&mut self, now: Time) {
        for link in self.all.values_mut() {
            link.hear(now);
            link.probers.clear();
        }
    }

    pub(super) fn open_keys(&self) -> impl Iterator<Item = Key> {
        self.open.keys().copied()
    }

    pub(super) fn open_links(&self) -> impl Iterator<Item = (Key, LinkId, &Link)> {
        self.open
            .iter()
            .filter_map(|(key, id)| Some((*key, *id, self.all.get(id)?)))
    }

    /// The links on which HELLO is exchanged.
    pub(super) fn open_mut(&mut self) -> impl Iterator<Item = &mut Link> {
        let links = self.all.values_mut();
        links.filter(|link| link.stage == LinkStage::Open)
    }

    #[cfg(debug_assertions)]
    pub(super) fn all(&self) -> impl Iterator<Item = (LinkId, &Link)> {
        self.all.iter().map(|(id, link)| (*id, link))
    }

    pub(super) fn all_open(&self) -> Vec<LinkId> {
        self.open.values().copied().collect()
    }

    /// No further link is opened.
    pub(super) fn is_full(&self) -> bool {
        self.all.len() >= limits::LINKS_MAX
    }

    pub(super) fn round(&self, key: Key) -> u64 {
        self.rounds.get(&key).copied().unwrap_or(0)
    }

    /// The next link with this peer is of this round at least.
    pub(super) fn note_round(&mut self, key: Key, next: u64) {
        let seen = self.rounds.entry(key).or_default();
        *seen = (*seen).max(next);
    }

    /// From now on this is the link with this peer that is written to; returns the one that was until now.
    pub(super) fn put_open(&mut self, key: Key, id: LinkId) -> Option<LinkId> {
        self.open.insert(key, id)
    }

    pub(super) fn is_dialling(&self, key: Key) -> bool {
        self.dials.contains_key(&key)
    }
}

impl Mesh {
    /// Dials a peer at each of these addresses in turn, unless a dial is under way.
    pub(in crate::node) fn dial(
        &mut self,
        cx: &mut Context,
        key: Key,
        addresses: &[Address],
        verifies: bool,
    ) {
        if self.links.is_dialling(key)
            || key == cx.config.key
            || self.left.contains(key)
            || self.links.is_full()
        {
            return;
        }
        let mut rest = self.best_first(cx, addresses);
        let Some(address) = rest.pop_front() else {
            return;
        };
        self.note_silence(cx, key);
        self.links.dialled.insert(key, cx.now.time);
        let link = self.open_dial(cx, key, address);
        let dial = Dial {
            link,
            rest,
            verifies,
            first: address,
            again: 0,
        };
        self.links.dials.insert(key, dial);
    }

    pub(super) fn open_dial(&mut self, cx: &mut Context, key: Key, to: Address) -> LinkId {
        let link = self.links.new_id();
        let round = self.links.round(key);
        self.add_link(cx, link, LinkStage::Dialing, to.0, Some(key), round);
        let small = self.narrow.is_narrow(key);
        cx.out.push(Effect::Dial {
            link,
            to: to.0,
            small,
        });
        link
    }

    pub(super) fn add_link(
        &mut self,
        cx: &mut Context,
        id: LinkId,
        stage: LinkStage,
        address: SocketAddr,
        expects: Option<Key>,
        round: u64,
    ) {
        let link = Link::new(stage, address, expects, round, cx.now.time);
        self.links.all.insert(id, link);
        let deadline = cx.now.time + cx.config.failure_timeout;
        cx.set_timer(Timer::Handshake(id), deadline);
    }

    pub(in crate::node) fn on_accepted(
        &mut self,
        cx: &mut Context,
        link: LinkId,
        from: SocketAddr,
    ) {
        if self.links.is_full() {
            let how = Close::Abort("too many links");
            return cx.out.push(Effect::Close { link, how });
        }
        self.add_link(cx, link, LinkStage::Greeting, from, None, 0);
    }

    pub(super) fn drop_dial(&mut self, cx: &mut Context, key: Key, except: LinkId) {
        if let Some(dial) = self.links.dials.remove(&key)
            && dial.link != except
        {
            self.links.all.remove(&dial.link);
            cx.cancel_timer(Timer::Handshake(dial.link));
            give_up(cx, dial.link, "another link of the pair stays");
        }
    }

    pub(super) fn close_gracefully(&mut self, cx: &mut Context, id: LinkId) {
        if let Some(link) = self.links.get_mut(id) {
            if link.stage != LinkStage::Open {
                cx.cancel_timer(Timer::Handshake(id));
            }
            link.stage = LinkStage::Ending;
            let how = Close::Graceful;
            cx.out.push(Effect::Close { link: id, how });
        }
    }

    pub(in crate::node) fn on_closed(
        &mut self,
        cx: &mut Context,
        group: &impl Interest,
        id: LinkId,
        why: Closed,
    ) {
        let Some(link) = self.links.all.remove(&id) else {
            return self.on_knock_failed(id);
        };
        cx.cancel_timer(Timer::Handshake(id));
        self.peers.missed(id, why);
        match (link.stage, link.key.or(link.expects)) {
            (LinkStage::Dialing | LinkStage::Greeting, Some(key)) => {
                self.dial_failed(cx, group, (id, key), why)
            }
            (LinkStage::Open, Some(key)) if self.links.open.get(&key) == Some(&id) => {
                self.links.open.remove(&key);
                self.silent_since.insert(key, link.silent_from(cx.now.time));
                if self.matters(group, key) {
                    self.verify_death(cx, group, key, &link);
                }
                if !self.links.is_dialling(key) {
                    self.forget_if_stranger(key, group);
                }
            }
            _ => {}
        }
        self.news.push_back(News::Gone(id));
    }

    /// Whether it makes a difference if this peer lives. Strangers are not dialled, least of all at
    /// addresses that they name.
    fn matters(&self, group: &impl Interest, key: Key) -> bool {
        // The news that a member is lost may be here before its link closes: who is known to be
        // dead is not asked in vain where others, who have not heard, still vouch for it.
        let was_member = self.lost.iter().any(|m| m.key == key);
        group.is_asked(key) || group.is_member(key) || was_member
    }

    /// Any frame counts as a sign of life. None if the link has not said HELLO.
    pub(in crate::node) fn heard(
        &mut self,
        cx: &mut Context,
        group: &impl Interest,
        id: LinkId,
    ) -> Option<Key> {
        let now = cx.now.time;
        let link = self.links.get_mut(id)?;
        let Some(key) = link.key else {
            abort(cx, id, "a message before HELLO");
            self.on_closed(cx, group, id, Closed::Failed);
            return None;
        };
        link.hear(now);
        if !std::mem::replace(&mut link.proven, true) {
            self.news.push_back(News::Proven { link: id, key });
        }
        if !link.probers.is_empty() {
            let probers = std::mem::take(&mut link.probers);
            self.answer_probers(cx, key, &probers);
        }
        if !self.suspects.is_empty() {
            self.suspects.remove(&key);
        }
        Some(key)
    }

    /// The peer of this link has said what nobody honest says.
    pub(in crate::node) fn refuse(
        &mut self,
        cx: &mut Context,
        group: &impl Interest,
        link: LinkId,
        why: &'static str,
    ) {
        abort(cx, link, why);
        self.on_closed(cx, group, link, Closed::Ended);
    }

    /// Links silent for very long are closed, so that nobody keeps half-open ones for ever.
    pub(in crate::node) fn drop_silent_links(&mut self, cx: &mut Context, group: &impl Interest) {
        let limit = cx.config.failure_timeout * timing::SILENT_LINK_TIMEOUTS_MAX;
        let silent: Vec<LinkId> = self
            .links
            .all
            .iter()
            .filter(|(_, l)| l.silence(cx) > limit)
            .map(|(id, _)| *id)
            .collect();
        for id in silent {
            give_up(cx, id, "silent for too long");
            self.on_closed(cx, group, id, Closed::Failed);
        }
    }
}

pub(super) fn give_up(cx: &mut Context, link: LinkId, why: &'static str) {
    cx.close(link, Close::GiveUp(why));
}

pub(super) fn abort(cx: &mut Context, link: LinkId, why: &'static str) {
    cx.close(link, Close::Abort(why));
}
