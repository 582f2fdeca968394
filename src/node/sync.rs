//! SYNC: the only repair, and a pull, from one peer at a time.
//!
//! Owns who is to be asked next and the exchange that is under way. The asker sends its floor and
//! a digest of what it holds above; if the two differ, it fetches what it lacks in the total order,
//! chunk by chunk.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Class, Effect, Key, LinkId, Node, Time, Timer, Weakness};
use crate::wire::{Chunk, Fetch, Message, Position, Sync, SyncAnswer};

/// The pause between two SYNCs with a random peer, and the most that chance adds to it.
const ROUND: Duration = Duration::from_secs(2);
/// Chat that came so lately is still coming.
const POURING: Duration = Duration::from_millis(20);
/// How many rounds in a row are put off for that.
const ROUNDS_PUT_OFF_MAX: u32 = 2;
/// How many peers are asked when a member was lost.
const AFTER_LOSS: usize = 3;
/// An exchange that brought nothing new for so long is ended: its peer must not keep this node from
/// asking others. An honest one passes over a million messages that are held in less.
const FRUITLESS: Duration = Duration::from_secs(5);

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
    /// A chunk has come already.
    goes_on: bool,
    /// What the peer holds beyond came to it later, and comes here without it.
    until: Option<Position>,
    /// When it began, or last brought something new.
    fruitful: Time,
}

/// The repair of one node's history.
#[derive(Debug, Default)]
pub(super) struct Repair {
    /// The number of the last exchange.
    no: u64,
    current: Option<Exchange>,
    /// Rounds that were put off since the last one.
    rounds_put_off: u32,
    /// Who is asked next, and whether because it asked.
    wanted: VecDeque<(Key, bool)>,
}

impl Repair {
    pub(super) fn last_begun(&self) -> u64 {
        self.no
    }
}

impl Node {
    /// A SYNC with this peer is due; `back` if it is the peer's own SYNC that showed a difference.
    pub(super) fn want_sync(&mut self, key: Key, back: bool) {
        match self.repair.wanted.iter_mut().find(|(k, _)| *k == key) {
            Some((_, was_back)) => *was_back &= back,
            None => self.repair.wanted.push_back((key, back)),
        }
        self.begin_sync();
    }

    /// A SYNC that joining waits for.
    pub(super) fn want_sync_first(&mut self, key: Key) {
        self.repair.wanted.retain(|(k, _)| *k != key);
        self.repair.wanted.push_front((key, false));
        self.begin_sync();
    }

    fn begin_sync(&mut self) {
        if self.repair.current.is_some() {
            return;
        }
        while let Some((key, back)) = self.next_wanted() {
            if let Some(link) = self.links.open_to(key) {
                return self.send_sync(key, link, back, self.history.floor());
            }
        }
        self.end_joining();
    }

    /// Members before strangers: the room's history is theirs.
    fn next_wanted(&mut self) -> Option<(Key, bool)> {
        let wanted = &mut self.repair.wanted;
        let member = wanted.iter().position(|(k, _)| self.roster.contains(*k));
        wanted.remove(member.unwrap_or(0))
    }

    fn send_sync(&mut self, peer: Key, link: LinkId, back: bool, floor: Position) {
        self.repair.no += 1;
        self.counters.syncs += 1;
        let no = self.repair.no;
        let after = self.history.floor();
        self.repair.current = Some(Exchange {
            no,
            peer,
            link,
            floor,
            after,
            goes_on: false,
            until: None,
            fruitful: self.now.time,
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
        self.send(link, Class::Chat, Message::Sync(sync));
        self.set_timer(Timer::Sync, self.now.time + self.config.failure_timeout);
    }

    /// Joining waits for SYNCs until there is nobody left to ask.
    fn end_joining(&mut self) {
        // One that was lost from the view again, or lost its coordinator, has not joined yet.
        if let Some(again) = self
            .joining
            .filter(|_| self.coordinator.is_some() && self.roster.contains(self.config.key))
        {
            self.complete_join(again);
        }
    }

    /// A SYNC has ended, or there is nobody to SYNC with: the history that was sent is complete.
    pub(super) fn complete_join(&mut self, again: bool) {
        self.joining = None;
        self.joined = true;
        self.note_what_is_old();
        self.show(super::Event::Joined { again });
        self.show_held_back();
        self.say_unsent();
    }

    /// Joining waits for nothing any more.
    pub(super) fn end_joining_if_idle(&mut self) {
        if self.joining.is_some() && self.repair.current.is_none() {
            self.end_joining();
        }
    }

    /// The answer, or the next chunk, is overdue: the next peer's turn.
    pub(super) fn on_sync_timer(&mut self) {
        if let Some(exchange) = self.repair.current.take() {
            self.retry_later(&exchange);
            self.begin_sync();
        }
    }

    pub(super) fn abort_sync_on(&mut self, link: LinkId) {
        if let Some(exchange) = self.repair.current.take_if(|e| e.link == link) {
            self.retry_later(&exchange);
            self.begin_sync();
        }
    }

    /// An exchange that broke off: again with the same peer if something waits for it, or with
    /// anybody if joining does.
    fn retry_later(&mut self, exchange: &Exchange) {
        if self.links.open_to(exchange.peer).is_some() && self.waits_on(exchange.link) {
            self.repair.wanted.push_back((exchange.peer, false));
        } else if self.joining.is_some() && self.repair.wanted.is_empty() {
            let others = self.links.open_keys().filter(|k| *k != exchange.peer);
            if let Some(key) = others.last() {
                self.repair.wanted.push_back((key, false));
            }
        }
    }

    /// A member was lost: it may have died half-way through a broadcast. Nobody is asked who is
    /// silent, the lost one first of all: the SYNC would wait for a time-out.
    pub(super) fn sync_after_loss(&mut self, lost: Key) {
        if self.config.weakened == Some(Weakness::NoSyncOnLoss) {
            return;
        }
        self.repair.wanted.retain(|(k, _)| *k != lost);
        if let Some(exchange) = self.repair.current.take_if(|e| e.peer == lost) {
            self.retry_later(&exchange);
        }
        let open = self.links.open_keys();
        let mut keys: Vec<Key> = open
            .filter(|k| *k != lost && !self.dead.contains(*k) && self.is_alive(*k))
            .collect();
        self.rng.shuffle(&mut keys);
        for key in keys.into_iter().take(AFTER_LOSS) {
            self.want_sync(key, false);
        }
        self.begin_sync();
    }

    pub(super) fn schedule_sync_round(&mut self) {
        let pause = ROUND + self.jitter(ROUND);
        self.set_timer(Timer::SyncRound, self.now.time + pause);
    }

    /// Every few seconds: a SYNC with a random peer.
    pub(super) fn on_sync_round(&mut self) {
        self.schedule_sync_round();
        if self.config.weakened == Some(Weakness::NoPeriodicSync) {
            return;
        }
        // While chat pours in, two histories always differ by what is on its way.
        let pours = self.since(self.heard_chat) < POURING;
        if pours && self.repair.rounds_put_off < ROUNDS_PUT_OFF_MAX {
            self.repair.rounds_put_off += 1;
            return;
        }
        self.repair.rounds_put_off = 0;
        // A silent link, which a one-way cut may leave open for long, would waste the round.
        let open = self.links.open_keys();
        let keys: Vec<Key> = open.filter(|k| self.is_alive(*k)).collect();
        if let Some(key) = self.rng.choice(keys) {
            self.want_sync(key, false);
        }
    }

    pub(super) fn on_sync(&mut self, link: LinkId, key: Key, sync: &Sync) {
        let floor = self.history.floor();
        let own = self.history.digest_above(sync.floor.max(floor));
        let equal = sync.floor >= floor && own == Some((sync.digest, sync.count));
        let no = sync.no;
        if equal {
            self.has_caught_up(link);
        }
        // What was withheld from the asker comes with the chunks, to the last one.
        let is_behind = self.links.get(link).is_some_and(|l| l.behind);
        let newest = (!is_behind).then(|| self.history.newest());
        let answer = SyncAnswer {
            no,
            equal,
            floor,
            newest,
        };
        self.send(link, Class::Chat, Message::SyncAnswer(answer));
        // What the asker lacks it fetches; what it has and this node lacks is this node's to fetch.
        if !equal && !sync.back && sync.count > 0 {
            self.want_sync(key, true);
        }
    }

    pub(super) fn on_sync_answer(&mut self, link: LinkId, answer: &SyncAnswer) {
        let Some(exchange) = &self.repair.current else {
            return;
        };
        if exchange.link != link || exchange.no != answer.no {
            return;
        }
        let (peer, floor, after) = (exchange.peer, exchange.floor, exchange.after);
        let since = exchange.fruitful;
        if answer.equal || self.since(since) >= FRUITLESS {
            self.end_sync();
        } else if answer.floor > floor
            && answer.floor <= self.history.newest()
            && self.history.digest_above(answer.floor).is_some()
        {
            // Compared again above the higher floor, which is now known.
            self.send_sync(peer, link, true, answer.floor);
            if let Some(exchange) = &mut self.repair.current {
                exchange.fruitful = since;
            }
        } else {
            if let Some(exchange) = &mut self.repair.current {
                exchange.until = answer.newest;
            }
            self.fetch(after);
        }
    }

    fn fetch(&mut self, after: Position) {
        let Some(exchange) = &mut self.repair.current else {
            return;
        };
        exchange.after = after;
        let (no, link) = (exchange.no, exchange.link);
        let skip = self.history.held_ranges();
        self.send(link, Class::Chat, Message::Fetch(Fetch { no, after, skip }));
        self.set_timer(Timer::Sync, self.now.time + self.config.failure_timeout);
    }

    pub(super) fn on_fetch(&mut self, link: LinkId, fetch: &Fetch) {
        if let Some(until) = self.history.shelved_until(fetch.after, &fetch.skip) {
            return self.out.push(Effect::FetchStored {
                link,
                no: fetch.no,
                after: fetch.after,
                until,
                skip: fetch.skip.clone(),
            });
        }
        let chunk = self.history.chunk(fetch.no, fetch.after, &fetch.skip);
        match chunk.next {
            Some(next) => self.note_chase(link, next),
            None => self.has_caught_up(link),
        }
        self.send(link, Class::Chat, Message::Chunk(chunk));
    }

    pub(super) fn on_chunk(&mut self, link: LinkId, chunk: Chunk) {
        let Some(exchange) = &self.repair.current else {
            return;
        };
        if exchange.link != link || exchange.no != chunk.no {
            return;
        }
        let (after, written, no) = (exchange.after, self.written(), exchange.no);
        let (peer, goes_on, mut fruitful) = (exchange.peer, exchange.goes_on, false);
        let mut rest = &chunk.messages[..];
        while let Some(message) = rest.first() {
            // Something that waits may come in between.
            let is_run = self.waiting.len() == 0 && self.missing_cause(message).is_none();
            let length = if is_run { self.run_length(rest) } else { 0 };
            if length > 1 {
                let (run, later) = rest.split_at(length);
                self.take_in_run(run);
                self.counters.repaired += length as u64;
                fruitful = true;
                rest = later;
                continue;
            }
            rest = &rest[1..];
            let forged = message.origin() == self.config.key && message.seq() > written;
            self.release_before(message.position(), link, no);
            let is_known = self.history.is_settled(message.id());
            if !forged && !is_known && message.position() > self.history.floor() {
                self.counters.repaired += 1;
                fruitful = true;
                // The first chunk is of one moment. Later ones are not: what the peer took in
                // meanwhile may lie before them, and comes with the next SYNC.
                match self.missing_cause(message).filter(|_| goes_on) {
                    Some(missing) => {
                        self.wait_for(missing, link, peer, std::slice::from_ref(message));
                    }
                    None => self.take_in_and_release(message),
                }
            }
        }
        let now = self.now.time;
        let Some(exchange) = &mut self.repair.current else {
            return;
        };
        if fruitful {
            exchange.fruitful = now;
        }
        exchange.goes_on = true;
        let waits = now.since(exchange.fruitful) < FRUITLESS;
        let until = exchange.until.unwrap_or(Position::END);
        match chunk.next {
            Some(next) if next > after && next < until && waits => self.fetch(next),
            _ => self.end_sync(),
        }
    }

    fn end_sync(&mut self) {
        let Some(exchange) = self.repair.current.take() else {
            return;
        };
        self.cancel_timer(Timer::Sync);
        self.release_after_sync(exchange.link, exchange.no);
        if self.is_overdue_on(exchange.link) {
            self.repair.wanted.push_back((exchange.peer, false));
        }
        if self.joining.is_some() {
            self.end_joining();
        }
        self.begin_sync();
    }
}
