//! SYNC: the only repair, and a pull.
//!
//! Owns who is to be asked next, and the exchanges that are under way: mostly one, and another one only
//! beside those that take long and bring little, so that nothing comes twice and nobody holds up the others.
//! What happens in an exchange is [`super::exchange`]'s.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::exchange::Exchange;
use super::odds::Odds;
use super::pace::Pace;
use super::rounds::Rounds;
use super::{Lent, Talk};
use crate::limits::{EXCHANGES_MAX, FETCH_SCAN_MAX, STRANGERS_EXCHANGES_MAX};
use crate::node::context::Context;
use crate::node::{Class, LinkId, Time, Timer, Weakness};
use crate::timing;
use crate::wire::{ChatMessage, Key, Message, Position, Sum, Sync};

/// How many rounds in a row are put off for that.
const ROUNDS_PUT_OFF_MAX: u32 = 2;
/// How many peers are asked when a member was lost.
const AFTER_LOSS: usize = 3;

/// Why somebody is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::node) enum Why {
    /// This node may lack anything.
    Lacks,
    /// The other one has asked, and their histories differ.
    Asked,
    /// The other one held its chat back: what it said last is here no more.
    Behind,
}

/// The repair of one node's history.
#[derive(Debug, Default)]
pub(super) struct Repair {
    /// The number of the last exchange.
    no: u64,
    /// Mostly one; another one only beside those that take long and bring little.
    pub(super) exchanges: Vec<Exchange>,
    /// Whose turn it is every few seconds.
    rounds: Rounds,
    /// Rounds that were put off since the last one.
    rounds_put_off: u32,
    /// Who is asked next, and why.
    wanted: VecDeque<(Key, Why)>,
    /// With whom another exchange would bring nothing.
    pub(super) odds: Odds,
    /// The last FETCH to each peer that was given up before its answer had come: the link and the exchange.
    late: BTreeMap<Key, (LinkId, u64)>,
    /// How long each peer takes to answer.
    pub(super) pace: Pace,
    /// Something was taken in that others may have given up, because this node did not have it yet.
    is_to_pass_on: bool,
}

impl Repair {
    /// True if an exchange with this peer is under way.
    pub(super) fn is_with(&self, peer: Key) -> bool {
        self.exchanges.iter().any(|e| e.peer == peer)
    }

    /// True if what this peer brings is so little that others need not wait for the end of it.
    pub(super) fn is_slow_with(&self, peer: Key, now: Time) -> bool {
        let mut with = self.exchanges.iter().filter(|e| e.peer == peer);
        with.any(|e| e.budget.is_slow(now))
    }

    /// The links of the exchanges that are under way.
    #[cfg(debug_assertions)]
    pub(super) fn links(&self) -> impl Iterator<Item = LinkId> {
        self.exchanges.iter().map(|e| e.link)
    }

    /// When the last exchange that is under way began.
    pub(super) fn began(&self) -> Option<Time> {
        self.exchanges.iter().filter_map(|e| e.began).max()
    }

    /// Nothing is kept of a peer without a link.
    pub(super) fn forget_peer(&mut self, peer: Key) {
        self.odds.forget(peer);
        self.late.remove(&peer);
        self.pace.forget_peer(peer);
        self.wanted.retain(|(key, _)| *key != peer);
    }

    /// The exchange with this number on this link.
    pub(super) fn find(&mut self, link: LinkId, no: u64) -> Option<&mut Exchange> {
        (self.exchanges.iter_mut()).find(|e| e.link == link && e.no == no)
    }

    /// The exchange with this number.
    pub(super) fn get(&mut self, no: u64) -> Option<&mut Exchange> {
        self.exchanges.iter_mut().find(|e| e.no == no)
    }

    pub(super) fn take(&mut self, no: u64) -> Option<Exchange> {
        let at = self.exchanges.iter().position(|e| e.no == no)?;
        Some(self.exchanges.remove(at))
    }

    /// An exchange is given up; what was fetched last in it may still come.
    fn note_late(&mut self, exchange: &Exchange) {
        self.pace.give_up(exchange);
        if exchange.is_fetching() {
            self.late
                .insert(exchange.peer, (exchange.link, exchange.no));
        }
    }

    /// Whose answer this is, if it was asked for in an exchange that was given up since: each is an answer once.
    pub(super) fn take_late(&mut self, link: LinkId, no: u64) -> Option<Key> {
        let is_it = |late: &(LinkId, u64)| *late == (link, no);
        let (peer, _) = self.late.iter().find(|(_, late)| is_it(late))?;
        let peer = *peer;
        self.late.remove(&peer);
        Some(peer)
    }

    /// True if another exchange, with a member or not, may begin beside those that are under way: a stranger holds up
    /// no exchange with a member.
    fn may_begin(&self, cx: &Context, is_member: bool) -> bool {
        let ignores = is_member && !cx.is_weakened(Weakness::StrangersHoldUp);
        let is_slow = |e: &Exchange| e.budget.is_slow(cx.now.time) || ignores && !e.is_member;
        self.exchanges.len() < EXCHANGES_MAX && self.exchanges.iter().all(is_slow)
    }

    /// True if one with this peer is under way that asks for all that was missing then.
    pub(super) fn asks_for_all_since(&self, peer: Key, since: Time) -> bool {
        let mut current = self.exchanges.iter().filter(|e| e.peer == peer);
        current.any(|e| e.began >= Some(since))
    }

    /// Exchanges with others than this peer in which nothing was answered yet are to begin anew later.
    pub(super) fn put_back_unanswered(&mut self, but: Key) {
        let is_unanswered = |e: &mut Exchange| e.peer != but && e.is_new();
        let unanswered = self.exchanges.extract_if(.., is_unanswered);
        for peer in unanswered.map(|e| e.peer).collect::<Vec<_>>() {
            if !self.wants(peer) {
                self.wanted.push_back((peer, Why::Lacks));
            }
        }
    }

    /// What is taken in now others may have asked for in vain.
    pub(super) fn pass_on(&mut self) {
        self.is_to_pass_on = true;
    }

    /// True if one with this peer is due.
    pub(super) fn wants(&self, peer: Key) -> bool {
        self.wanted.iter().any(|(key, _)| *key == peer)
    }
}

impl Talk {
    /// A SYNC with this peer is due.
    pub(in crate::node) fn want_sync(&mut self, lent: &mut Lent<'_>, key: Key, why: Why) {
        match self.repair.wanted.iter_mut().find(|(k, _)| *k == key) {
            Some((_, earlier)) if *earlier == why => {}
            Some((_, earlier)) => *earlier = Why::Lacks,
            None => self.repair.wanted.push_back((key, why)),
        }
        self.begin_sync(lent);
    }

    /// A SYNC that joining waits for, or one that broke off with one of two links.
    pub(super) fn want_sync_first(&mut self, lent: &mut Lent<'_>, key: Key) {
        self.repair.wanted.retain(|(k, _)| *k != key);
        self.repair.wanted.push_front((key, Why::Lacks));
        self.begin_sync(lent);
    }

    pub(super) fn begin_sync(&mut self, lent: &mut Lent<'_>) {
        let mut has_begun = false;
        while let Some((key, why)) = self.next_wanted(lent) {
            if let Some(link) = lent.mesh.open_to(key) {
                has_begun = true;
                self.send_sync(lent, key, link, why);
            }
        }
        self.watch_exchanges(lent);
        let is_idle = !has_begun && self.repair.wanted.is_empty();
        if self.repair.exchanges.is_empty() || is_idle {
            self.step_joining(lent);
        }
    }

    /// Members before others: the room's history is theirs; then who may be asked for the causes of what it said
    /// itself. Others stay in the list, since they may be members soon. Strangers never have all exchanges that
    /// there may be.
    fn next_wanted(&mut self, lent: &mut Lent<'_>) -> Option<(Key, Why)> {
        let [with_member, with_other] = [true, false].map(|m| self.repair.may_begin(lent.cx, m));
        if !with_member {
            return None;
        }
        let keys = self.repair.wanted.iter().map(|(key, _)| *key);
        let asked: BTreeSet<Key> = keys
            .filter(|key| self.may_ask_for_causes(lent, *key))
            .collect();
        let Repair {
            wanted, exchanges, ..
        } = &mut self.repair;
        let is_free = |key: Key| exchanges.iter().all(|e| e.peer != key);
        let is_member = |key: Key| lent.view.contains(key);
        let strangers = exchanges.iter().filter(|e| !e.is_member).count();
        let admits = with_other && strangers < STRANGERS_EXCHANGES_MAX;
        let is_next = |w: &(Key, Why)| is_free(w.0) && is_member(w.0);
        let other = |w: &(Key, Why)| admits && is_free(w.0) && asked.contains(&w.0);
        let next = wanted.iter().position(is_next);
        let next = next.or_else(|| wanted.iter().position(other))?;
        wanted.remove(next)
    }

    fn send_sync(&mut self, lent: &mut Lent<'_>, peer: Key, link: LinkId, why: Why) {
        self.repair.no += 1;
        lent.cx.counters.syncs += 1;
        let (no, now) = (self.repair.no, lent.cx.now.time);
        let own_floor = self.history.floor();
        let chase = match why {
            Why::Behind => self.last_said_by(peer),
            Why::Lacks | Why::Asked => None,
        };
        let floor = chase.unwrap_or(own_floor);
        let due = now + self.repair.pace.patience(lent, peer);
        let is_member = lent.view.contains(peer);
        let exchange = Exchange::new(no, (peer, is_member), link, (floor, chase), (now, due));
        self.repair.exchanges.push(exchange);
        // At its own floor a history can always tell.
        let compared = chase.is_none().then(|| self.history.digest_above(floor));
        let nothing = (Sum::default().digest(0), 0);
        let (digest, count) = compared.flatten().unwrap_or(nothing);
        let sync = Sync {
            no,
            floor,
            digest,
            count,
            back: why != Why::Lacks,
        };
        lent.cx.send(link, Class::Chat, Message::Sync(sync));
    }

    /// Where the last message of this peer's stands that is here: what it held back comes after it. None
    /// while this node joins, and if that is not to be seen at once.
    fn last_said_by(&self, peer: Key) -> Option<Position> {
        let seq = self.history.highest(peer);
        if !self.is_inside() || seq == 0 {
            return None;
        }
        let mut newest = self.history.iter().rev().take(FETCH_SCAN_MAX);
        let last = newest.find(|m| m.origin() == peer && m.seq() == seq);
        last.map(ChatMessage::position)
    }

    /// Something was asked in this exchange.
    pub(super) fn ask(&mut self, lent: &mut Lent<'_>, no: u64, message: Message) {
        let Repair {
            exchanges, pace, ..
        } = &mut self.repair;
        if let Some(exchange) = exchanges.iter_mut().find(|e| e.no == no) {
            exchange.asked = lent.cx.now.time;
            exchange.due = exchange.asked + pace.patience(lent, exchange.peer);
            lent.cx.send(exchange.link, Class::Chat, message);
        }
    }

    /// The timer runs until the first of the answers is overdue.
    pub(super) fn watch_exchanges(&mut self, lent: &mut Lent<'_>) {
        match self.repair.exchanges.iter().map(|e| e.due).min() {
            Some(due) => lent.cx.set_timer(Timer::Sync, due),
            None => lent.cx.cancel_timer(Timer::Sync),
        }
    }

    /// An answer, or the next chunk, is overdue: the next peer's turn.
    pub(in crate::node) fn on_sync_timer(&mut self, lent: &mut Lent<'_>) {
        let now = lent.cx.now.time;
        let overdue = (self.repair.exchanges).extract_if(.., |e| e.due <= now);
        for exchange in overdue.collect::<Vec<_>>() {
            self.repair.note_late(&exchange);
            self.forget_silent(lent, exchange.peer);
            self.broke_off(lent, &exchange);
        }
        self.begin_sync(lent);
    }

    /// Whoever was to be asked once more, has not answered, and has fallen silent since would take another failure
    /// timeout: if something is missing, those come first who speak.
    fn forget_silent(&mut self, lent: &Lent<'_>, peer: Key) {
        if !lent.mesh.is_alive(lent.cx, peer)
            && !lent.cx.is_weakened(Weakness::SilentKeepTheirPlace)
        {
            self.repair.wanted.retain(|(key, _)| *key != peer);
        }
    }

    pub(in crate::node) fn abort_sync_on(&mut self, lent: &mut Lent<'_>, link: LinkId) {
        let ended = (self.repair.exchanges).extract_if(.., |e| e.link == link);
        for exchange in ended.collect::<Vec<_>>() {
            let peer = exchange.peer;
            self.repair.note_late(&exchange);
            if lent.mesh.open_to(peer).is_some_and(|other| other != link) {
                // Of two links of a pair one is closed; the peer answers on the other.
                self.want_sync_first(lent, peer);
            } else {
                self.broke_off(lent, &exchange);
                self.begin_sync(lent);
            }
        }
    }

    /// An exchange broke off: if joining waited for it, the next source is asked; if something is
    /// missing, the next peer is.
    fn broke_off(&mut self, lent: &mut Lent<'_>, exchange: &Exchange) {
        self.watch_exchanges(lent);
        self.answers.has_failed(exchange.peer, lent.cx.now.time);
        self.fail_source(exchange.peer);
        self.look_at_gaps(lent);
    }

    /// A member was lost: it may have died half-way through a broadcast. Nobody is asked who is
    /// silent, the lost one first of all: the SYNC would wait for a time-out.
    pub(in crate::node) fn sync_after_loss(&mut self, lent: &mut Lent<'_>, lost: Key) {
        if lent.cx.is_weakened(Weakness::NoSyncOnLoss) {
            return;
        }
        self.repair.wanted.retain(|(k, _)| *k != lost);
        let ended = (self.repair.exchanges).extract_if(.., |e| e.peer == lost);
        for exchange in ended.collect::<Vec<_>>() {
            self.broke_off(lent, &exchange);
        }
        let open = lent.mesh.open_keys();
        let mut keys: Vec<Key> = open
            .filter(|k| *k != lost && !lent.mesh.is_dead(*k) && lent.mesh.is_alive(lent.cx, *k))
            .filter(|k| self.may_ask(lent, *k))
            .collect();
        lent.cx.rng.shuffle(&mut keys);
        for key in keys.into_iter().take(AFTER_LOSS) {
            self.want_sync(lent, key, Why::Lacks);
        }
        self.begin_sync(lent);
    }

    /// Each heartbeat: what others may have given up, because this node had no more than it waiting when
    /// they asked, or gave it up too, they know of no more. Their turns in the rounds may be long in coming,
    /// and whoever else has it may have dropped it: so each is asked, and asks back.
    pub(in crate::node) fn look_at_finds(&mut self, lent: &mut Lent<'_>) {
        if !std::mem::take(&mut self.repair.is_to_pass_on) || !self.has_joined() {
            return;
        }
        for key in lent.mesh.open_keys().collect::<Vec<_>>() {
            if lent.mesh.is_alive(lent.cx, key) && self.may_ask(lent, key) {
                self.want_sync(lent, key, Why::Lacks);
            }
        }
    }

    pub(in crate::node) fn schedule_sync_round(&mut self, lent: &mut Lent<'_>) {
        let pause = timing::SYNC_ROUND + lent.cx.jitter(timing::SYNC_ROUND);
        lent.cx
            .set_timer(Timer::SyncRound, lent.cx.now.time + pause);
    }

    /// Every few seconds: a SYNC with one peer after the other.
    pub(in crate::node) fn on_sync_round(&mut self, lent: &mut Lent<'_>) {
        self.schedule_sync_round(lent);
        if lent.cx.is_weakened(Weakness::NoPeriodicSync) {
            return;
        }
        // While chat pours in, two histories always differ by what is on its way.
        let pours = lent.cx.since(self.heard_chat) < timing::CHAT_POURING;
        if pours && self.repair.rounds_put_off < ROUNDS_PUT_OFF_MAX {
            self.repair.rounds_put_off += 1;
            return;
        }
        self.repair.rounds_put_off = 0;
        // A silent link, which a one-way cut may leave open for long, would waste the round.
        let open = lent.mesh.open_keys();
        let keys: Vec<Key> = open
            .filter(|k| lent.mesh.is_alive(lent.cx, *k) && self.may_ask(lent, *k))
            .collect();
        if let Some(key) = self.repair.rounds.next(&keys, &mut lent.cx.rng) {
            self.want_sync(lent, key, Why::Lacks);
        }
    }
}

#[cfg(test)]
#[path = "sync_test.rs"]
mod tests;
