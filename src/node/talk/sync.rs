//! SYNC: the only repair, and a pull, from one peer at a time.
//!
//! Owns who is to be asked next and the exchange that is under way. The asker sends its floor and
//! a digest of what it holds above; if the two differ, it fetches what it lacks in the total order,
//! chunk by chunk.

use std::collections::{BTreeSet, VecDeque};

use super::{Lent, Talk};
use crate::limits::WANT_RANGES_MAX;
use crate::node::{Class, Effect, LinkId, Time, Timer, Weakness};
use crate::timing;
use crate::wire::{ChatMessage, Chunk, Fetch, Key, Message, Position, Sync, SyncAnswer};

/// How many rounds in a row are put off for that.
const ROUNDS_PUT_OFF_MAX: u32 = 2;
/// How many peers are asked when a member was lost.
const AFTER_LOSS: usize = 3;

/// The exchange that is under way.
#[derive(Debug)]
struct Exchange {
    no: u64,
    peer: Key,
    link: LinkId,
    /// The floor that was named, the higher of both as far as known.
    floor: Position,
    /// The last FETCH went on from here: the next one must get further.
    after: Position,
    /// When it began to ask for everything that was missing then; none if that was too much to ask.
    began: Option<Time>,
    /// What the peer holds beyond came to it later, and comes here without it.
    until: Option<Position>,
    /// When it began, or last brought something new.
    fruitful: Time,
    /// When it has lasted as long as one with a stranger may.
    strangers_end: Time,
}

/// The repair of one node's history.
#[derive(Debug, Default)]
pub(super) struct Repair {
    /// The number of the last exchange.
    no: u64,
    current: Option<Exchange>,
    /// The peers that were asked, of those that are asked each once in an order by chance.
    had_round: BTreeSet<Key>,
    /// Rounds that were put off since the last one.
    rounds_put_off: u32,
    /// Who is asked next, and whether because it asked.
    wanted: VecDeque<(Key, bool)>,
    /// Something was taken in that others may have given up, because this node did not have it yet.
    is_to_pass_on: bool,
}

impl Repair {
    /// True if an exchange with this peer is under way.
    pub(super) fn is_with(&self, peer: Key) -> bool {
        self.current.as_ref().is_some_and(|e| e.peer == peer)
    }

    /// The link of the exchange that is under way.
    #[cfg(debug_assertions)]
    pub(super) fn link(&self) -> Option<LinkId> {
        self.current.as_ref().map(|e| e.link)
    }

    /// When the exchange that is under way began.
    pub(super) fn began(&self) -> Option<Time> {
        self.current.as_ref()?.began
    }

    /// True if one with this peer is under way that asks for all that was missing then.
    pub(super) fn asks_for_all_since(&self, peer: Key, since: Time) -> bool {
        let current = self.current.as_ref().filter(|e| e.peer == peer);
        current.is_some_and(|e| e.began >= Some(since))
    }

    /// What is taken in now others may have asked for in vain.
    pub(super) fn pass_on(&mut self) {
        self.is_to_pass_on = true;
    }

    /// Nothing is kept of a peer without a link.
    pub(super) fn forget(&mut self, peer: Key) {
        self.wanted.retain(|(key, _)| *key != peer);
    }

    /// True if one with this peer is due.
    pub(super) fn wants(&self, peer: Key) -> bool {
        self.wanted.iter().any(|(key, _)| *key == peer)
    }
}

impl Talk {
    /// A SYNC with this peer is due; `back` if it is the peer's own SYNC that showed a difference.
    pub(in crate::node) fn want_sync(&mut self, lent: &mut Lent<'_>, key: Key, back: bool) {
        match self.repair.wanted.iter_mut().find(|(k, _)| *k == key) {
            Some((_, was_back)) => *was_back &= back,
            None => self.repair.wanted.push_back((key, back)),
        }
        self.begin_sync(lent);
    }

    /// A SYNC that joining waits for.
    pub(super) fn want_sync_first(&mut self, lent: &mut Lent<'_>, key: Key) {
        self.repair.wanted.retain(|(k, _)| *k != key);
        self.repair.wanted.push_front((key, false));
        self.begin_sync(lent);
    }

    fn begin_sync(&mut self, lent: &mut Lent<'_>) {
        if self.repair.current.is_some() {
            return;
        }
        while let Some((key, back)) = self.next_wanted(lent) {
            if let Some(link) = lent.mesh.open_to(key) {
                let began = Some(lent.cx.now.time);
                return self.send_sync(lent, key, link, back, self.history.floor(), began);
            }
        }
        self.step_joining(lent);
    }

    /// Members first: the room's history is theirs; then who may be asked for the causes of what it said itself.
    /// Others stay in the list, since they may be members soon.
    fn next_wanted(&mut self, lent: &mut Lent<'_>) -> Option<(Key, bool)> {
        let mut wanted = self.repair.wanted.iter();
        let member = wanted.position(|(k, _)| lent.view.contains(*k));
        let mut wanted = self.repair.wanted.iter();
        let at = member.or_else(|| wanted.position(|(k, _)| self.may_ask_for_causes(lent, *k)))?;
        self.repair.wanted.remove(at)
    }

    fn send_sync(
        &mut self,
        lent: &mut Lent<'_>,
        peer: Key,
        link: LinkId,
        back: bool,
        floor: Position,
        began: Option<Time>,
    ) {
        self.repair.no += 1;
        lent.cx.counters.syncs += 1;
        let no = self.repair.no;
        let after = self.history.floor();
        self.repair.current = Some(Exchange {
            no,
            peer,
            link,
            floor,
            after,
            began,
            until: None,
            fruitful: lent.cx.now.time,
            strangers_end: lent.cx.now.time + timing::SYNC_STRANGER,
        });
        // At its own floor a history can always tell; elsewhere `on_sync_answer` has looked.
        let (digest, count) = self.history.digest_above(floor).unwrap_or_default();
        let sync = Sync {
            no,
            floor,
            digest,
            count,
            back,
        };
        lent.cx.send(link, Class::Chat, Message::Sync(sync));
        lent.cx.set_timer(
            Timer::Sync,
            lent.cx.now.time + lent.cx.config.failure_timeout,
        );
    }

    /// The answer, or the next chunk, is overdue: the next peer's turn.
    pub(in crate::node) fn on_sync_timer(&mut self, lent: &mut Lent<'_>) {
        if let Some(exchange) = self.repair.current.take() {
            self.broke_off(lent, &exchange);
            self.begin_sync(lent);
        }
    }

    pub(in crate::node) fn abort_sync_on(&mut self, lent: &mut Lent<'_>, link: LinkId) {
        if let Some(exchange) = self.repair.current.take_if(|e| e.link == link) {
            let peer = exchange.peer;
            if lent.mesh.open_to(peer).is_some_and(|other| other != link) {
                // Of two links of a pair one is closed; the peer answers on the other.
                return self.want_sync_first(lent, peer);
            }
            self.broke_off(lent, &exchange);
            self.begin_sync(lent);
        }
    }

    /// An exchange broke off: if joining waited for it, the next source is asked; if something is
    /// missing, the next peer is.
    fn broke_off(&mut self, lent: &mut Lent<'_>, exchange: &Exchange) {
        lent.cx.cancel_timer(Timer::Sync);
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
        if let Some(exchange) = self.repair.current.take_if(|e| e.peer == lost) {
            self.broke_off(lent, &exchange);
        }
        let open = lent.mesh.open_keys();
        let mut keys: Vec<Key> = open
            .filter(|k| *k != lost && !lent.mesh.is_dead(*k) && lent.mesh.is_alive(lent.cx, *k))
            .filter(|k| self.may_ask(lent, *k))
            .collect();
        lent.cx.rng.shuffle(&mut keys);
        for key in keys.into_iter().take(AFTER_LOSS) {
            self.want_sync(lent, key, false);
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
                self.want_sync(lent, key, false);
            }
        }
    }

    pub(in crate::node) fn schedule_sync_round(&mut self, lent: &mut Lent<'_>) {
        let pause = timing::SYNC_ROUND + lent.cx.jitter(timing::SYNC_ROUND);
        lent.cx
            .set_timer(Timer::SyncRound, lent.cx.now.time + pause);
    }

    /// Every few seconds: a SYNC with a random peer of those that had none since all others did.
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
        if let Some(key) = self.next_round(lent, &keys) {
            self.want_sync(lent, key, false);
        }
    }

    /// One of these by chance; each had its turn before one has the next.
    fn next_round(&mut self, lent: &mut Lent<'_>, keys: &[Key]) -> Option<Key> {
        let had = &mut self.repair.had_round;
        had.retain(|key| keys.contains(key));
        if keys.iter().all(|key| had.contains(key)) {
            had.clear();
        }
        let key = lent.cx.rng.choice(
            keys.iter()
                .filter(|key| !had.contains(key))
                .copied()
                .collect::<Vec<_>>(),
        )?;
        had.insert(key);
        Some(key)
    }

    pub(in crate::node) fn on_sync(
        &mut self,
        lent: &mut Lent<'_>,
        link: LinkId,
        key: Key,
        sync: &Sync,
    ) {
        let floor = self.history.floor();
        let own = self.history.digest_above(sync.floor.max(floor));
        let equal = sync.floor >= floor && own == Some((sync.digest, sync.count));
        let no = sync.no;
        if equal {
            self.has_caught_up(lent, link);
        }
        // What was withheld from the asker comes with the chunks, to the last one.
        let is_behind = lent.mesh.link(link).is_some_and(|l| l.is_behind());
        let newest = (!is_behind).then(|| self.history.newest());
        let answer = SyncAnswer {
            no,
            equal,
            floor,
            newest,
        };
        lent.cx.send(link, Class::Chat, Message::SyncAnswer(answer));
        // What the asker lacks it fetches; what it has and this node lacks is this node's to fetch.
        if !equal && !sync.back && sync.count > 0 {
            self.want_sync(lent, key, true);
        }
    }

    pub(in crate::node) fn on_sync_answer(
        &mut self,
        lent: &mut Lent<'_>,
        link: LinkId,
        answer: &SyncAnswer,
    ) {
        let Some(exchange) = &self.repair.current else {
            return;
        };
        if exchange.link != link || exchange.no != answer.no {
            return;
        }
        let (peer, floor, began) = (exchange.peer, exchange.floor, exchange.began);
        let (since, strangers_end) = (exchange.fruitful, exchange.strangers_end);
        if lent.cx.since(since) >= timing::SYNC_FRUITLESS {
            self.end_sync(lent, false);
        } else if answer.equal && self.gaps.is_empty() {
            self.end_sync(lent, true);
        } else if !answer.equal
            && answer.floor > floor
            && answer.floor <= self.history.newest()
            && self.history.digest_above(answer.floor).is_some()
        {
            // Compared again above the higher floor, which is now known.
            self.send_sync(lent, peer, link, true, answer.floor, began);
            if let Some(exchange) = &mut self.repair.current {
                exchange.fruitful = since;
                exchange.strangers_end = strangers_end;
            }
        } else {
            if let Some(exchange) = &mut self.repair.current {
                exchange.until = answer.newest;
            }
            // What is missing may lie below this node's floor.
            let below = !self.wanted_ranges().is_empty();
            let floor = self.history.floor();
            self.fetch(lent, if below { Position::default() } else { floor });
        }
    }

    fn fetch(&mut self, lent: &mut Lent<'_>, after: Position) {
        let Some(exchange) = &mut self.repair.current else {
            return;
        };
        exchange.after = after;
        let (no, link) = (exchange.no, exchange.link);
        let want = self.wanted_ranges();
        if want.len() >= WANT_RANGES_MAX
            && let Some(exchange) = &mut self.repair.current
        {
            exchange.began = None;
        }
        let fetch = Fetch {
            no,
            after,
            skip: self.history.taken_ranges(),
            floor: Some(self.history.floor()).filter(|floor| after < *floor),
            want,
        };
        lent.cx.send(link, Class::Chat, Message::Fetch(fetch));
        lent.cx.set_timer(
            Timer::Sync,
            lent.cx.now.time + lent.cx.config.failure_timeout,
        );
    }

    pub(in crate::node) fn on_fetch(&mut self, lent: &mut Lent<'_>, link: LinkId, fetch: &Fetch) {
        if let Some((after, until)) = self.history.stored_until(fetch) {
            let fetch = Fetch {
                after,
                ..fetch.clone()
            };
            return lent.cx.out.push(Effect::FetchStored { link, fetch, until });
        }
        let chunk = self.history.chunk(fetch);
        match chunk.next {
            Some(next) => self.note_chase(lent, link, next),
            None => self.has_caught_up(lent, link),
        }
        lent.cx.send(link, Class::Chat, Message::Chunk(chunk));
    }

    pub(in crate::node) fn on_chunk(
        &mut self,
        lent: &mut Lent<'_>,
        link: LinkId,
        mut chunk: Chunk,
    ) {
        let Some(exchange) = &self.repair.current else {
            return;
        };
        if exchange.link != link || exchange.no != chunk.no {
            return;
        }
        let (after, peer, mut fruitful) = (exchange.after, exchange.peer, false);
        self.drop_far_ahead(lent, None, &mut chunk.messages);
        (chunk.messages).retain(|message| !self.is_beyond_word(lent, peer, message));
        let mut rest = &chunk.messages[..];
        while let Some(message) = rest.first() {
            self.hear_author(lent, message.origin());
            let length = self.run_length(lent, rest).max(1);
            let (run, later) = rest.split_at(length);
            rest = later;
            if length > 1 || self.is_to_be_taken(lent, message) {
                lent.cx.counters.repaired += length as u64;
                fruitful = true;
                self.take_or_wait(lent, peer, run);
            }
        }
        let now = lent.cx.now.time;
        let Some(exchange) = &mut self.repair.current else {
            return;
        };
        if fruitful {
            exchange.fruitful = now;
        }
        let waits = now.since(exchange.fruitful) < timing::SYNC_FRUITLESS;
        let (began, is_late) = (exchange.began, now >= exchange.strangers_end);
        let until = exchange.until.unwrap_or(Position::END);
        if is_late && chunk.next.is_some() && !self.may_ask(lent, peer) {
            if let Some(began) = began {
                self.gaps.has_answered(peer, began, now);
            }
            return self.end_sync(lent, false);
        }
        match chunk.next {
            Some(next) if next > after && next < until && waits => self.fetch(lent, next),
            Some(_) => self.end_sync(lent, waits),
            None => self.end_sync(lent, true),
        }
    }

    /// True if a message in a chunk is new, and lies above the floor or was missing.
    fn is_to_be_taken(&self, lent: &Lent<'_>, message: &ChatMessage) -> bool {
        let id = message.id();
        // Nobody else writes in this node's name.
        let is_own = message.origin() == lent.cx.config.key;
        let is_new = !is_own && !self.history.has_taken(id) && self.waiting.find(id).is_none();
        is_new && (message.position() > self.history.floor() || self.is_wanted(id))
    }

    /// The exchange is over; `whole` if the peer has given all that it has.
    fn end_sync(&mut self, lent: &mut Lent<'_>, whole: bool) {
        let Some(exchange) = self.repair.current.take() else {
            return;
        };
        lent.cx.cancel_timer(Timer::Sync);
        if let Some(began) = exchange.began.filter(|_| whole) {
            self.gaps
                .has_answered(exchange.peer, began, lent.cx.now.time);
        }
        if whole {
            self.complete_source(lent, exchange.peer, exchange.floor);
        } else {
            self.fail_source(exchange.peer);
        }
        self.look_at_gaps(lent);
        self.begin_sync(lent);
    }
}

#[cfg(test)]
#[path = "sync_test.rs"]
mod tests;
