//! Joining: from whom the history comes, and when it is here.
//!
//! Owns the choice of the source: the peer whose complete history goes back the farthest. Members
//! without a history, with a shorter one, or still joining themselves are known as such by what they
//! say of their floor, and are asked only if nobody else is there. Who holds more than it claims is asked
//! last. It takes nothing in itself.

use std::collections::BTreeSet;

use super::{Lent, Talk, holes};
use crate::node::context::Context;
use crate::node::history::Origin;
use crate::node::mesh::{Link, Mesh};
use crate::node::roster::Roster;
use crate::node::{Event, Time, Weakness};
use crate::timing;
use crate::wire::{Key, MessageId, Position};

/// How far this node has come into the room.
#[derive(Debug)]
pub(super) enum Membership {
    /// It was never let in.
    Outside,
    /// It was let in, and its user sees nothing before the history is here.
    Entering(Joining),
    /// It has joined.
    Inside,
    /// It had joined, was let in anew, and fetches what was said meanwhile.
    Returning(Joining),
}

impl Membership {
    /// What is fetched, if something is.
    fn joining(&self) -> Option<&Joining> {
        match self {
            Membership::Entering(joining) | Membership::Returning(joining) => Some(joining),
            Membership::Outside | Membership::Inside => None,
        }
    }

    fn joining_mut(&mut self) -> Option<&mut Joining> {
        match self {
            Membership::Entering(joining) | Membership::Returning(joining) => Some(joining),
            Membership::Outside | Membership::Inside => None,
        }
    }
}

/// A node that was let in and waits for the history.
#[derive(Debug)]
pub(super) struct Joining {
    since: Time,
    /// Who let it in.
    host: Key,
    /// Who is being asked, and since when.
    source: Option<(Key, Time)>,
    /// Whose answer broke off.
    failed: BTreeSet<Key>,
    /// Who gave all that it has.
    given: BTreeSet<Key>,
    /// The history is here, or there is none to be had, or it is not wanted.
    has_history: bool,
}

impl Joining {
    /// This one is the source.
    fn asks(&self, peer: Key) -> bool {
        self.source.is_some_and(|(source, _)| source == peer)
    }
}

impl Talk {
    /// This node was let in; the history is to come.
    pub(in crate::node) fn begin_joining(
        &mut self,
        lent: &mut Lent<'_>,
        host: Key,
        has_history: bool,
    ) {
        if let Some(joining) = self.membership.joining_mut() {
            if joining.host != host {
                // Another group has let this node in meanwhile, and has another history.
                joining.host = host;
                joining.source = None;
                joining.failed.clear();
                joining.given.clear();
                joining.has_history = !lent.cx.config.wants_history;
            }
            return self.step_joining(lent);
        }
        let joining = Joining {
            since: lent.cx.now.time,
            host,
            source: None,
            failed: BTreeSet::new(),
            given: BTreeSet::new(),
            has_history,
        };
        self.membership = if self.has_joined() {
            Membership::Returning(joining)
        } else {
            Membership::Entering(joining)
        };
        self.step_joining(lent);
    }

    /// This node joins, and another host has let it in before this one.
    pub(super) fn is_let_in_elsewhere(&self, host: Key) -> bool {
        self.membership.joining().is_some_and(|j| j.host != host)
    }

    /// Where this node's history is complete from: its floor, unless joining ended before that of a
    /// source was here, and somebody is there who has more; or this node has come into another group and
    /// has not got its history yet, or waits for the word of somebody whose messages it would pass on. Who
    /// is cut off may lack the newest: it tells no group with it, in which this would count.
    pub(in crate::node) fn complete_above(&self, lent: &Lent<'_>) -> Option<Position> {
        let is_inside = matches!(self.membership, Membership::Inside);
        if !is_inside || self.waits_for_a_word() {
            return None;
        }
        let others_have = || {
            let mut others = lent.mesh.open_links();
            others.any(|(key, _, link)| {
                self.claim_of(lent, link).is_some() && lent.view.contains(key)
            })
        };
        match self.whole_above {
            Some(floor) => Some(floor.max(self.history.floor())),
            None if others_have() => None,
            None => Some(self.history.floor()),
        }
    }

    /// True if the whole history of this node's group is here, from its first message on.
    pub(super) fn is_whole(&self) -> bool {
        self.whole_above == Some(Position::default())
    }

    /// The oldest message held, if this node claims no complete history so far back, and has joined: who
    /// has fetched less than others once had may still be the only one that holds it.
    pub(in crate::node) fn oldest_beyond(&self, claim: Option<Position>) -> Option<Position> {
        let until = claim.unwrap_or(Position::END);
        let oldest = self.history.oldest_until(until);
        oldest.filter(|_| self.has_joined())
    }

    /// From where on a peer's history is complete, as it said in this node's group: another group has
    /// another history.
    fn claim_of(&self, lent: &Lent<'_>, link: &Link) -> Option<Position> {
        let (floor, group) = link.complete_above()?;
        let own = lent.leader?;
        (group == Some(own)).then_some(floor)
    }

    /// A peer gave all that it has above this floor, which is complete from where it says.
    fn note_whole(&mut self, lent: &mut Lent<'_>, peer: Key, floor: Position) {
        let claim = lent
            .mesh
            .link_to(peer)
            .and_then(|link| self.claim_of(lent, link));
        if let Some(claim) = claim.map(|claim| claim.max(floor)) {
            let known = self.whole_above.unwrap_or(claim);
            // Of a group that lets this node in anew it has no more than that peer, however far its own
            // history goes back: what was said there meanwhile may be gone.
            self.whole_above = Some(match self.membership {
                Membership::Returning(_) => known.max(claim),
                _ => known.min(claim),
            });
        }
    }

    /// Asks the best source that is there, or ends joining if there is none.
    pub(in crate::node) fn step_joining(&mut self, lent: &mut Lent<'_>) {
        let Some(joining) = self.membership.joining() else {
            return;
        };
        // One that was lost from the view again, or lost its coordinator, has not joined yet.
        if lent.leader.is_none() || !lent.view.contains(lent.cx.config.key) {
            return;
        }
        let (again, since) = (self.has_joined(), joining.since);
        if joining.has_history {
            return self.complete_join(lent);
        }
        if let Some((source, _)) = joining.source {
            let is_asked = self.repair.is_with(source) || self.is_wanted_source(lent, source);
            if is_asked && !self.takes_too_long(lent, joining) {
                return;
            }
            self.fail_source(source);
            return self.step_joining(lent);
        }
        let is_patient = lent.cx.since(since) < lent.cx.config.failure_timeout;
        match self.best_source(lent, is_patient && !again) {
            Some(source) => self.fetch_from(lent, source),
            // Links may have broken, and be about to be opened again.
            None if lent.cx.since(since) < lent.cx.gap_patience()
                && !again
                && self.may_link_soon(lent) => {}
            None => self.end_fetching(lent),
        }
    }

    /// The peer to ask: whose complete history goes back the farthest. `is_patient`: not yet one that
    /// others may go beyond, whom this node is not linked with so far.
    fn best_source(&self, lent: &Lent<'_>, is_patient: bool) -> Option<Key> {
        let joining = self.membership.joining()?;
        if self.has_joined() || lent.cx.is_weakened(Weakness::FirstSyncJoins) {
            let host = Some(joining.host).filter(|h| !joining.failed.contains(h));
            return host.filter(|h| lent.mesh.open_to(*h).is_some());
        }
        let usable = Talk::usable_sources(lent, joining);
        let host = joining.host;
        let rank = |key: Key, floor: Option<Position>| (floor.is_none(), floor, key != host, key);
        let best = usable
            .map(|(key, link)| (rank(key, self.claim_of(lent, link)), key))
            .min()?;
        let ((_, floor, ..), key) = best;
        let is_whole = floor == Some(Position::default());
        let waits = is_patient && self.may_link_soon(lent) && !is_whole;
        (!waits).then_some(key)
    }

    /// The members that answer, and whose answer did not break off.
    fn usable_sources<'a>(
        lent: &'a Lent<'_>,
        joining: &'a Joining,
    ) -> impl Iterator<Item = (Key, &'a Link)> {
        let open = lent.mesh.open_links();
        let usable = open.filter(|(key, _, _)| {
            lent.view.contains(*key)
                && lent.mesh.is_alive(lent.cx, *key)
                && !joining.failed.contains(key)
        });
        usable.map(|(key, _, link)| (key, link))
    }

    /// True if the source brings little, or has taken long, and is not the only one: somebody else can be asked, or has
    /// given all that it has. Its exchange goes on, but joining waits for it no more: a member that brings a little of what
    /// nobody ever said, for as long as it likes, would keep newcomers out.
    fn takes_too_long(&self, lent: &Lent<'_>, joining: &Joining) -> bool {
        let Some((source, since)) = joining.source else {
            return false;
        };
        if self.has_joined() || lent.cx.is_weakened(Weakness::SourcesTakeTheirTime) {
            return false;
        }
        let took = lent.cx.since(since);
        let is_slow =
            took >= lent.cx.gap_patience() && self.repair.is_slow_with(source, lent.cx.now.time);
        let longest = lent.cx.config.failure_timeout * timing::SOURCE_TIMEOUTS_MAX;
        let mut others = Talk::usable_sources(lent, joining);
        let is_only = joining.given.is_empty()
            && !others.any(|(key, link)| key != source && self.claim_of(lent, link).is_some());
        (is_slow || took >= longest) && !is_only
    }

    fn may_link_soon(&self, lent: &Lent<'_>) -> bool {
        may_link_soon(lent.cx, lent.view, lent.mesh)
    }

    fn is_wanted_source(&self, lent: &Lent<'_>, source: Key) -> bool {
        self.repair.wants(source) && lent.mesh.open_to(source).is_some()
    }

    /// This peer gave all that it has above this floor: if it is the source, the history is here.
    pub(super) fn complete_source(&mut self, lent: &mut Lent<'_>, peer: Key, floor: Position) {
        self.note_whole(lent, peer, floor);
        let Some(joining) = self.membership.joining() else {
            return;
        };
        let any = self.has_joined() || lent.cx.is_weakened(Weakness::FirstSyncJoins);
        if !any && !joining.asks(peer) {
            return;
        }
        if let Some(joining) = self.membership.joining_mut() {
            joining.given.insert(peer);
        }
        let better = self.better_source(lent, peer, floor);
        let next = better
            .or_else(|| self.source_of_what_is_older(lent))
            .or_else(|| self.host_that_was_not_asked(lent))
            .or_else(|| self.holder_without_a_claim(lent));
        match next.filter(|_| !any) {
            Some(next) => self.fetch_from(lent, next),
            None => self.end_fetching(lent),
        }
    }

    /// Somebody who says that its history goes back farther than this peer's, be it of another group or
    /// of a time without a coordinator, and has not been asked. The peer's may have lost its beginning since it said
    /// how far it goes back: it gave what it has above `floor`.
    fn better_source(&self, lent: &Lent<'_>, peer: Key, floor: Position) -> Option<Key> {
        if lent.cx.is_weakened(Weakness::OneSourceIsEnough) {
            return None;
        }
        let said = |key| lent.mesh.link_to(key).and_then(Link::complete_above);
        let known = said(peer).map_or(Position::END, |(said, _)| said.max(floor));
        let joining = self.membership.joining()?;
        let usable = Talk::usable_sources(lent, joining);
        let others = usable.filter(|(key, _)| !joining.given.contains(key));
        let floors = others.filter_map(|(key, link)| Some((link.complete_above()?.0, key)));
        let best = floors.min().filter(|(floor, _)| *floor < known);
        best.map(|(_, key)| key)
    }

    /// Somebody who holds a message that is older than what it claims as complete, and is not here. Of
    /// those who name the same one, only one is asked.
    fn source_of_what_is_older(&self, lent: &Lent<'_>) -> Option<Key> {
        let joining = self.membership.joining()?;
        let said = |key: &Key| lent.mesh.link_to(*key).and_then(Link::oldest);
        let is_here = |oldest: Position| {
            let id = MessageId {
                origin: oldest.origin,
                seq: oldest.seq,
            };
            self.history.has_taken(id) || joining.given.iter().any(|g| said(g) == Some(oldest))
        };
        let usable = Talk::usable_sources(lent, joining);
        let others = usable.filter(|(key, _)| !joining.given.contains(key));
        let oldest = others.filter_map(|(key, link)| Some((link.oldest()?, key)));
        let lacked = oldest.filter(|(oldest, _)| !is_here(*oldest));
        lacked.min().map(|(_, key)| key)
    }

    /// Who let this node in, if it has a history and was not asked: a member that was frozen claims all
    /// that there was before, and lacks what was said meanwhile. Where it cannot be asked, one more of the others stands
    /// in for it: whoever was cut off just before does not know what it lacks.
    fn host_that_was_not_asked(&self, lent: &Lent<'_>) -> Option<Key> {
        if lent.cx.is_weakened(Weakness::HostIsNotAsked) {
            return None;
        }
        let joining = self.membership.joining()?;
        // Another member may only have passed the answer of the coordinator on.
        let leader = lent.leader?;
        if joining.given.contains(&leader) {
            return None;
        }
        let usable = Talk::usable_sources(lent, joining);
        let claims = usable.filter_map(|(key, link)| Some((self.claim_of(lent, link)?, key)));
        let others: Vec<_> = claims
            .filter(|(_, key)| !joining.given.contains(key))
            .collect();
        let claims = |host: &Key| others.iter().any(|(_, key)| key == host);
        if let Some(host) = [leader, joining.host].into_iter().find(claims) {
            return Some(host);
        }
        let may_stand_in =
            joining.given.len() == 1 && !lent.cx.is_weakened(Weakness::NobodyStandsIn);
        let best = others.iter().min().filter(|_| may_stand_in);
        best.map(|(_, key)| *key)
    }

    /// Somebody who holds messages, and claims no complete history, since it waits for an author's word: it
    /// may go back farther than all others. Nobody is asked so once a failure timeout has passed.
    fn holder_without_a_claim(&self, lent: &Lent<'_>) -> Option<Key> {
        if lent.cx.is_weakened(Weakness::HostIsNotAsked) {
            return None;
        }
        let joining = self.membership.joining()?;
        if lent.cx.since(joining.since) >= lent.cx.config.failure_timeout {
            return None;
        }
        let usable = Talk::usable_sources(lent, joining);
        let others = usable.filter(|(key, _)| !joining.given.contains(key));
        let mut holders = others
            .filter(|(_, link)| link.complete_above().is_none() && link.oldest().is_some())
            .map(|(key, _)| key);
        holders.next()
    }

    fn fetch_from(&mut self, lent: &mut Lent<'_>, source: Key) {
        if let Some(joining) = self.membership.joining_mut() {
            joining.source = Some((source, lent.cx.now.time));
        }
        // It waits for no answer of somebody else, who may be silent and is asked later.
        self.repair.put_back_unanswered(source);
        self.want_sync_first(lent, source);
    }

    /// The history is here, or nobody is there who has one.
    fn end_fetching(&mut self, lent: &mut Lent<'_>) {
        if let Some(joining) = self.membership.joining_mut() {
            joining.has_history = true;
        }
        self.step_joining(lent);
    }

    /// This peer's answer broke off: somebody else is asked.
    pub(super) fn fail_source(&mut self, peer: Key) {
        if let Some(joining) = self.membership.joining_mut()
            && joining.asks(peer)
        {
            joining.source = None;
            joining.failed.insert(peer);
        }
    }

    /// A peer whose answer broke off with its link is linked again, soon enough to be asked again.
    pub(super) fn has_source_again(&mut self, lent: &mut Lent<'_>, peer: Key) {
        let (now, patience) = (lent.cx.now.time, lent.cx.gap_patience());
        if let Some(joining) = self.membership.joining_mut()
            && now.since(joining.since) < patience
        {
            joining.failed.remove(&peer);
        }
    }

    /// The history is here.
    pub(super) fn complete_join(&mut self, lent: &mut Lent<'_>) {
        let again = self.has_joined();
        self.membership = Membership::Inside;
        lent.cx.show(Event::Joined { again });
        if !again {
            self.joined_at = Some(lent.cx.now.time);
            let nick_of = |author| self.nick_of(lent, author);
            let holes = holes::of_joining(&self.history, lent.cx.config.key, nick_of);
            if let Some(text) = holes {
                lent.cx.show(Event::Warning(text));
            }
            self.show_held_back(lent);
        }
        self.notice_gaps_of_joining(lent);
        for key in lent.mesh.open_keys().collect::<Vec<_>>() {
            self.acks.owe_again(key);
        }
        self.say_unsent(lent);
    }

    /// What is owed and did not come with the history.
    fn notice_gaps_of_joining(&mut self, lent: &mut Lent<'_>) {
        let waiters = self.waiting.iter();
        let waiters = waiters.map(|w| (w.missing, w.first().clone(), w.coming.is_below));
        for (missing, first, is_below) in waiters.collect::<Vec<_>>() {
            self.notice_gap(lent, missing.origin, missing.seq);
            self.notice_causes(lent, &first, is_below);
        }
        let mut upto = self.gaps.take_put_off();
        for author in lent.view.keys() {
            let highest = self.history.highest(author);
            upto.entry(author)
                .and_modify(|upto| *upto = highest.max(*upto))
                .or_insert(highest);
        }
        for (author, upto) in upto {
            let origin = self.history.origin(author);
            if let Some(from) = origin.and_then(Origin::owed_from) {
                self.notice_lacks(lent, author, from, upto);
            }
        }
    }
}

/// True if a member is not linked with this node yet, and may be soon.
pub(super) fn may_link_soon(cx: &Context, view: &Roster, mesh: &Mesh) -> bool {
    let mut keys = view.members().iter().map(|m| m.key);
    keys.any(|key| {
        let is_other = key != cx.config.key && mesh.open_to(key).is_none();
        is_other && !mesh.is_dead(key) && !mesh.has_left(key)
    })
}

#[cfg(test)]
#[path = "source_test.rs"]
mod tests;
