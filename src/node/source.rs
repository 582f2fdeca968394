//! Joining: from whom the history comes, and when it is here.
//!
//! Owns the choice of the source: the peer whose complete history goes back the farthest. Members
//! without a history, with a shorter one, or still joining themselves are known as such by what they
//! say of their floor, and are asked only if nobody else is there. It takes nothing in itself.

use std::collections::BTreeSet;

use super::links::Link;
use super::{Event, Key, Node, Time, Weakness};
use crate::wire::Position;

/// A node that was let in and waits for the history.
#[derive(Debug)]
pub(super) struct Joining {
    /// It had joined before.
    again: bool,
    since: Time,
    /// Who let it in.
    host: Key,
    /// Who is being asked.
    source: Option<Key>,
    /// Whose answer broke off.
    failed: BTreeSet<Key>,
    /// Who gave all that it has.
    given: BTreeSet<Key>,
    /// The history is here, or there is none to be had, or it is not wanted.
    has_history: bool,
}

impl Node {
    /// This node was let in; the history is to come.
    pub(super) fn begin_joining(&mut self, again: bool, host: Key, has_history: bool) {
        if let Some(joining) = &mut self.joining {
            if joining.host != host {
                // Another group has let this node in meanwhile, and has another history.
                joining.host = host;
                joining.source = None;
                joining.failed.clear();
                joining.given.clear();
                joining.has_history = !self.config.wants_history;
            }
            return self.step_joining();
        }
        self.joining = Some(Joining {
            again,
            since: self.now.time,
            host,
            source: None,
            failed: BTreeSet::new(),
            given: BTreeSet::new(),
            has_history,
        });
        self.step_joining();
    }

    /// This node joins, and another host has let it in before this one.
    pub(super) fn is_let_in_elsewhere(&self, host: Key) -> bool {
        self.joining.as_ref().is_some_and(|j| j.host != host)
    }

    /// Where this node's history is complete from: its floor, unless joining ended before that of a
    /// source was here, and somebody is there who has more; or this node has come into another group and
    /// has not got its history yet, or waits for the word of somebody whose messages it would pass on. Who
    /// is cut off may lack the newest: it tells no group with it, in which this would count.
    pub(super) fn complete_above(&self) -> Option<Position> {
        if !self.joined || self.joining.is_some() || self.waits_for_a_word() {
            return None;
        }
        let others_have = || {
            let mut others = self.links.open_links();
            others.any(|(key, _, link)| self.claim_of(link).is_some() && self.roster.contains(key))
        };
        match self.whole_above {
            Some(floor) => Some(floor.max(self.history.floor())),
            None if others_have() => None,
            None => Some(self.history.floor()),
        }
    }

    /// From where on a peer's history is complete, as it said in this node's group: another group has
    /// another history.
    fn claim_of(&self, link: &Link) -> Option<Position> {
        let (floor, group) = link.complete_above?;
        let own = self.coordinator.as_ref()?;
        (group == Some(own.key)).then_some(floor)
    }

    /// A peer gave all that it has above this floor, which is complete from where it says.
    fn note_whole(&mut self, peer: Key, floor: Position) {
        let claim = self.links.to(peer).and_then(|link| self.claim_of(link));
        if let Some(claim) = claim.map(|claim| claim.max(floor)) {
            let known = self.whole_above.unwrap_or(claim);
            self.whole_above = Some(known.min(claim));
        }
    }

    /// Asks the best source that is there, or ends joining if there is none.
    pub(super) fn step_joining(&mut self) {
        let Some(joining) = &self.joining else {
            return;
        };
        // One that was lost from the view again, or lost its coordinator, has not joined yet.
        if self.coordinator.is_none() || !self.roster.contains(self.config.key) {
            return;
        }
        let (again, since) = (joining.again, joining.since);
        if joining.has_history {
            return self.complete_join(again);
        }
        if let Some(source) = joining.source {
            if self.repair.is_with(source) || self.is_wanted_source(source) {
                return;
            }
            self.fail_source(source);
            return self.step_joining();
        }
        let is_patient = self.since(since) < self.config.failure_timeout;
        match self.best_source(is_patient && !again) {
            Some(source) => self.fetch_from(source),
            // Links may have broken, and be about to be opened again.
            None if self.since(since) < self.gap_patience() && !again && self.may_link_soon() => {}
            None => self.end_fetching(),
        }
    }

    /// The peer to ask: whose complete history goes back the farthest. `is_patient`: not yet one that
    /// others may go beyond, whom this node is not linked with so far.
    fn best_source(&self, is_patient: bool) -> Option<Key> {
        let joining = self.joining.as_ref()?;
        if joining.again || self.config.weakened == Some(Weakness::FirstSyncJoins) {
            let host = Some(joining.host).filter(|h| !joining.failed.contains(h));
            return host.filter(|h| self.links.open_to(*h).is_some());
        }
        let usable = self.usable_sources(joining);
        let host = joining.host;
        let rank = |key: Key, floor: Option<Position>| (floor.is_none(), floor, key != host, key);
        let best = usable
            .map(|(key, link)| (rank(key, self.claim_of(link)), key))
            .min()?;
        let ((is_incomplete, floor, ..), key) = best;
        let is_whole = floor == Some(Position::default());
        let waits = is_patient && self.may_link_soon() && (is_incomplete || !is_whole);
        (!waits).then_some(key)
    }

    /// The members that answer, and whose answer did not break off.
    fn usable_sources<'a>(&'a self, joining: &'a Joining) -> impl Iterator<Item = (Key, &'a Link)> {
        let open = self.links.open_links();
        let usable = open.filter(|(key, _, _)| {
            self.roster.contains(*key) && self.is_alive(*key) && !joining.failed.contains(key)
        });
        usable.map(|(key, _, link)| (key, link))
    }

    /// True if a member is not linked with this node yet, and may be soon.
    fn may_link_soon(&self) -> bool {
        let mut members = self.roster.members().iter();
        members.any(|m| {
            let key = m.key;
            let is_other = key != self.config.key && self.links.open_to(key).is_none();
            is_other && !self.dead.contains(key) && !self.left.contains(key)
        })
    }

    fn is_wanted_source(&self, source: Key) -> bool {
        self.repair.wants(source) && self.links.open_to(source).is_some()
    }

    /// This peer gave all that it has above this floor: if it is the source, the history is here.
    pub(super) fn complete_source(&mut self, peer: Key, floor: Position) {
        self.note_whole(peer, floor);
        let Some(joining) = &self.joining else {
            return;
        };
        let any = joining.again || self.config.weakened == Some(Weakness::FirstSyncJoins);
        if !any && joining.source != Some(peer) {
            return;
        }
        match self.better_source(peer).filter(|_| !any) {
            Some(better) => self.fetch_from(better),
            None => self.end_fetching(),
        }
    }

    /// Somebody who says that its history goes back farther than this peer's, be it of another group or
    /// of a time without a coordinator, and has not been asked.
    fn better_source(&mut self, peer: Key) -> Option<Key> {
        if self.config.weakened == Some(Weakness::OneSourceIsEnough) {
            return None;
        }
        let said = |key| self.links.to(key).and_then(|link| link.complete_above);
        let known = said(peer).map_or(Position::END, |(floor, _)| floor);
        let joining = self.joining.as_mut()?;
        joining.given.insert(peer);
        let joining = self.joining.as_ref()?;
        let usable = self.usable_sources(joining);
        let others = usable.filter(|(key, _)| !joining.given.contains(key));
        let floors = others.filter_map(|(key, link)| Some((link.complete_above?.0, key)));
        let best = floors.min().filter(|(floor, _)| *floor < known);
        best.map(|(_, key)| key)
    }

    fn fetch_from(&mut self, source: Key) {
        if let Some(joining) = &mut self.joining {
            joining.source = Some(source);
        }
        self.want_sync_first(source);
    }

    /// The history is here, or nobody is there who has one.
    fn end_fetching(&mut self) {
        if let Some(joining) = &mut self.joining {
            joining.has_history = true;
        }
        self.step_joining();
    }

    /// This peer's answer broke off: somebody else is asked.
    pub(super) fn fail_source(&mut self, peer: Key) {
        if let Some(joining) = &mut self.joining
            && joining.source == Some(peer)
        {
            joining.source = None;
            joining.failed.insert(peer);
        }
    }

    /// A peer whose answer broke off with its link is linked again, soon enough to be asked again.
    pub(super) fn has_source_again(&mut self, peer: Key) {
        let (now, patience) = (self.now.time, self.gap_patience());
        if let Some(joining) = &mut self.joining
            && now.since(joining.since) < patience
        {
            joining.failed.remove(&peer);
        }
    }

    /// The history is here.
    pub(super) fn complete_join(&mut self, again: bool) {
        self.joining = None;
        self.joined = true;
        self.show(Event::Joined { again });
        if !again {
            self.explain_holes();
            self.show_held_back();
        }
        self.notice_gaps_of_joining();
        for key in self.links.open_keys().collect::<Vec<_>>() {
            self.acks.owe_again(key);
        }
        self.say_unsent();
    }

    /// What is owed and did not come with the history.
    fn notice_gaps_of_joining(&mut self) {
        let waiters = self.waiting.iter();
        for missing in waiters.map(|w| w.missing).collect::<Vec<_>>() {
            self.notice_gap(missing.origin, missing.seq);
        }
        for author in self.roster.keys() {
            let Some(origin) = self.history.origin(author) else {
                continue;
            };
            let highest = origin.highest();
            if let Some(from) = origin.owed_from() {
                self.notice_lacks(author, from, highest);
            }
        }
    }
}
