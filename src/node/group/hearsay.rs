//! Hearsay: coordinators that are heard by datagram, while no link confirms what they say.
//!
//! Owns since when each of them is heard, and who the user was told of. A datagram gets where no stream
//! does: past a firewall that passes multicast alone. So what it says counts for as long as a link takes
//! to come about, and then no more until one does. What a claim that counts means is the business of
//! `claims`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::explain::name_of;
use super::{Group, Parts, Route, Standing};
use crate::limits;
use crate::node::context::Context;
use crate::node::mesh::Link;
use crate::node::{Event, Time, Weakness};
use crate::timing;
use crate::wire::{Coordinator, Key};

/// A coordinator that is heard, and not linked.
#[derive(Debug)]
struct Heard {
    /// Since when.
    first: Time,
    last: Time,
    /// When it was last dialled because its word does not count any more.
    dialled: Option<Time>,
    /// What people call it, and where its datagrams come from.
    nick: Option<String>,
    ip: Option<IpAddr>,
    /// Its word does not count any more.
    is_over: bool,
}

/// All coordinators that are heard, and not linked.
#[derive(Debug, Default)]
pub(super) struct Hearsay {
    heard: BTreeMap<Key, Heard>,
    /// The user was told of these.
    told_keys: BTreeSet<Key>,
    /// As which they were named: a program that was started again on such a host is nothing new.
    told_names: BTreeSet<String>,
}

impl Hearsay {
    /// A link confirms that this coordinator can be reached.
    fn forget(&mut self, key: Key) {
        self.heard.remove(&key);
    }

    /// This coordinator is heard now. None if too many are.
    fn hear(&mut self, key: Key, now: Time) -> Option<&mut Heard> {
        if !self.heard.contains_key(&key) {
            if self.heard.len() >= limits::HEARSAY_MAX {
                self.heard
                    .retain(|_, h| now.since(h.last) < timing::HEARSAY_REMEMBERED);
            }
            if self.heard.len() >= limits::HEARSAY_MAX {
                return None;
            }
        }
        let heard = self.heard.entry(key).or_insert(Heard {
            first: now,
            last: now,
            dialled: None,
            nick: None,
            ip: None,
            is_over: false,
        });
        // Nobody kept quiet about it for so long: it was away.
        if now.since(heard.last) >= timing::HEARSAY_REMEMBERED {
            (heard.first, heard.is_over) = (now, false);
        }
        heard.last = now;
        Some(heard)
    }

    /// When this one was last dialled, if it is remembered.
    pub(super) fn last_dial(&mut self, key: Key) -> Option<&mut Option<Time>> {
        let heard = self.heard.get_mut(&key)?;
        Some(&mut heard.dialled)
    }

    /// True if the user is to be told of this one, which this is the time for.
    fn is_news(&mut self, key: Key, who: &str) -> bool {
        self.told_keys.len() < limits::HEARSAY_TOLD_MAX
            && self.told_keys.insert(key)
            && self.told_names.insert(who.to_owned())
    }
}

impl Group {
    /// How long the word of a coordinator counts that is heard by datagram only: a dial has failed by
    /// then, and whoever could confirm it has been asked.
    pub(super) fn hearsay_patience(cx: &Context) -> Duration {
        cx.config.failure_timeout + timing::DISCOVERY_WINDOW
    }

    /// A link confirms that this coordinator is there: its own, or that of a neighbour that names it.
    pub(super) fn is_confirmed(&self, parts: &Parts<'_>, key: Key) -> bool {
        let names = |link: &Link| link.told().is_some_and(|(c, _)| c.key == key);
        let mut links = parts.mesh.open_links();
        parts.mesh.is_proven(parts.cx, key)
            || links.any(|(peer, _, link)| {
                names(link)
                    && parts.mesh.is_proven(parts.cx, peer)
                    && self.may_name(parts, peer, key)
            })
    }

    /// True if it counts that this peer names this coordinator. Who is doubted speaks for itself only.
    pub(super) fn may_name(&self, parts: &Parts<'_>, peer: Key, key: Key) -> bool {
        peer == key || !self.is_doubted_on(parts.cx, peer, key)
    }

    /// A coordinator that says so itself, and has let this node wait without an answer: it counts no more for
    /// who would wait for nobody else.
    pub(super) fn is_idle(&self, parts: &Parts<'_>, key: Key) -> bool {
        !matches!(self.standing, Standing::Seeking(_)) && self.is_doubted(parts.cx, key)
    }

    /// What people call this coordinator, as its HEARTBEAT says.
    pub(super) fn note_nick(&mut self, parts: &Parts<'_>, key: Key, nick: Option<String>) {
        let is_confirmed = self.is_confirmed(parts, key);
        if let Some(heard) = self.hearsay.heard.get_mut(&key)
            && !is_confirmed
        {
            heard.nick = nick;
        }
    }

    /// Whether what a datagram says of this coordinator counts: as long as a link may still come about.
    pub(super) fn counts(
        &mut self,
        parts: &mut Parts<'_>,
        told: &Coordinator,
        route: Route,
    ) -> bool {
        let (now, key) = (parts.cx.now.time, told.key);
        if self.leader() != Some(key) && self.is_idle(parts, key) {
            self.hearsay.hear(key, now);
            return false;
        }
        let is_told = |id| {
            let link = parts.mesh.link(id).filter(|l| l.is_proven());
            let peer = link.and_then(Link::key);
            peer.is_some_and(|peer| self.may_name(parts, peer, key))
        };
        let is_told = matches!(route, Route::Link(id) if is_told(id));
        if is_told || self.leader() == Some(key) || self.is_confirmed(parts, key) {
            self.hearsay.forget(key);
            self.unreached.forget(key);
            return true;
        }
        let is_last = matches!(&self.standing, Standing::Seeking(seek) if seek.is_last());
        let Some(heard) = self.hearsay.hear(key, now) else {
            return false;
        };
        if let Route::Beat(from) = route
            && (from.is_ipv4() || heard.ip.is_none())
        {
            heard.ip = Some(from.ip().to_canonical());
        }
        if now.since(heard.first) < Self::hearsay_patience(parts.cx) {
            return !is_last;
        }
        if !std::mem::replace(&mut heard.is_over, true) {
            self.explain_unreached(parts, told);
            self.cease_to_count(parts, key);
        }
        parts.cx.is_weakened(Weakness::HearsayCounts)
    }

    /// From now on what this coordinator says by datagram counts for nothing.
    fn cease_to_count(&mut self, parts: &mut Parts<'_>, key: Key) {
        if parts.cx.is_weakened(Weakness::HearsayCounts) {
            return;
        }
        let is_second = !parts.cx.is_weakened(Weakness::NoSecondSearch);
        self.look_without(parts, key, is_second);
        if self.asks(key) {
            self.stop_asking(parts);
        }
    }

    /// Names whoever is heard and not reached to the user, once.
    fn explain_unreached(&mut self, parts: &mut Parts<'_>, told: &Coordinator) {
        let Some(heard) = self.hearsay.heard.get(&told.key) else {
            return;
        };
        let known = self.roster.get(told.key).cloned();
        let known = known.or_else(|| parts.mesh.lost().find(|m| m.key == told.key).cloned());
        let nick = heard.nick.clone().or(known.map(|m| m.nick));
        let ip = heard.ip.or(told.addresses.first().map(|a| a.0.ip()));
        let who = name_of(nick.as_deref(), ip);
        let is_news = self.hearsay.is_news(told.key, &who);
        if !is_news || parts.cx.is_weakened(Weakness::NoWordOfUnreached) {
            return;
        }
        parts.cx.show(Event::Warning(format!(
            "{who} is heard but cannot be reached over TCP; is a firewall in the way?"
        )));
    }
}
