//! Links: streams with peers, their handshake, at most one per pair, and who dials whom.
//!
//! Owns every link from dial or accept to its end. Decides nothing about membership: it reports
//! links that opened, processes that died, and dials that failed.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use super::{Class, Close, Closed, Effect, LinkId, Node, Time, Timer, Weakness};
use crate::limits;
use crate::wire::{Address, Coordinator, Hello, Key, Message, Position, VERSION};

/// A link silent for this many failure time-outs is given up: its peer dials anew when it is back.
const SILENT_TIMEOUTS_MAX: u32 = 30;

/// No pair comes to so many rounds; a liar must not bring the count to its end, where the newer of
/// two links would no longer be told from the older.
const ROUND_MAX: u64 = 1 << 53;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// The dial is under way.
    Dialing,
    /// The stream is open, HELLO is not exchanged.
    Greeting,
    /// HELLO is exchanged.
    Open,
    /// Replaced by another link: read to its end, never written.
    Ending,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) stage: Stage,
    pub(super) opened_by_us: bool,
    /// The dialler's round.
    round: u64,
    /// The peer's address: dialled, or where it dialled from.
    pub(super) address: SocketAddr,
    /// Whose HELLO a dial of ours expects.
    expects: Option<Key>,
    pub(super) key: Option<Key>,
    /// Where the peer's listener can be reached.
    pub(super) addresses: Vec<Address>,
    pub(super) heard: Time,
    /// When chat last came in on it.
    pub(super) chatted: Time,
    /// When the PING that is outstanding was sent.
    pub(super) pinged: Option<Time>,
    /// Live chat is withheld until the peer has caught up.
    pub(super) behind: bool,
    /// When it was told so, once its queue was empty again.
    pub(super) told_behind: Option<Time>,
    /// The coordinator that the peer last told us, and when.
    pub(super) told: Option<(Coordinator, Time)>,
    /// The peer's floor, if its history was complete when it last said so, and the coordinator whose
    /// group it was in then.
    pub(super) complete_above: Option<(Position, Option<Key>)>,
    /// The highest timestamp that its peer had seen when it was opened.
    pub(super) clock: u64,
    /// Who waits to hear whether this peer lives.
    pub(super) probers: Vec<Key>,
}

impl Link {
    /// True if this node dialled it.
    pub(super) fn is_ours(&self) -> bool {
        self.opened_by_us
    }
}

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

    pub(super) fn open_keys(&self) -> impl Iterator<Item = Key> {
        self.open.keys().copied()
    }

    pub(super) fn open_links(&self) -> impl Iterator<Item = (Key, LinkId, &Link)> {
        self.open
            .iter()
            .filter_map(|(key, id)| Some((*key, *id, self.all.get(id)?)))
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Link> {
        self.all.values_mut()
    }

    pub(super) fn all_open(&self) -> Vec<LinkId> {
        self.open.values().copied().collect()
    }

    fn round(&self, key: Key) -> u64 {
        self.rounds.get(&key).copied().unwrap_or(0)
    }

    pub(super) fn is_dialling(&self, key: Key) -> bool {
        self.dials.contains_key(&key)
    }
}

impl Node {
    pub(super) fn hello(&self, to: Key) -> Message {
        Message::Hello(Hello {
            version: VERSION,
            room: self.config.room.clone(),
            key: self.config.key,
            nick: self.config.nick.clone(),
            round: self.links.round(to),
            addresses: self.config.addresses.clone(),
            coordinator: self.vouched_coordinator(),
            floor: self.complete_above(),
            clock: self.clock.last(),
        })
    }

    /// Dials a peer at each of these addresses in turn, unless a dial is under way.
    pub(super) fn dial(&mut self, key: Key, addresses: &[Address], verifies: bool) {
        if self.links.is_dialling(key)
            || key == self.config.key
            || self.left.contains(key)
            || self.links.all.len() >= limits::LINKS_MAX
        {
            return;
        }
        let mut rest = self.best_first(addresses);
        let Some(address) = rest.pop_front() else {
            return;
        };
        self.links.dialled.insert(key, self.now.time);
        let link = self.open_dial(key, address);
        let dial = Dial {
            link,
            rest,
            verifies,
            first: address,
            again: 0,
        };
        self.links.dials.insert(key, dial);
    }

    pub(super) fn open_dial(&mut self, key: Key, to: Address) -> LinkId {
        let link = self.links.new_id();
        let round = self.links.round(key);
        self.add_link(link, Stage::Dialing, to.0, Some(key), round);
        self.out.push(Effect::Dial { link, to: to.0 });
        link
    }

    pub(super) fn add_link(
        &mut self,
        id: LinkId,
        stage: Stage,
        address: SocketAddr,
        expects: Option<Key>,
        round: u64,
    ) {
        let link = Link {
            stage,
            opened_by_us: stage == Stage::Dialing,
            round,
            address,
            expects,
            key: None,
            addresses: Vec::new(),
            heard: self.now.time,
            chatted: Time(0),
            pinged: None,
            behind: false,
            told_behind: None,
            told: None,
            complete_above: None,
            clock: 0,
            probers: Vec::new(),
        };
        self.links.all.insert(id, link);
        let deadline = self.now.time + self.config.failure_timeout;
        self.set_timer(Timer::Handshake(id), deadline);
    }

    pub(super) fn on_accepted(&mut self, link: LinkId, from: SocketAddr) {
        if self.links.all.len() >= limits::LINKS_MAX {
            let how = Close::Abort("too many links");
            return self.out.push(Effect::Close { link, how });
        }
        self.add_link(link, Stage::Greeting, from, None, 0);
    }

    pub(super) fn on_connected(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        // A peer that the user named: nobody knows yet who is there.
        let key = link.expects.unwrap_or(Key(0));
        link.stage = Stage::Greeting;
        let round = link.round;
        let mut hello = self.hello(key);
        if let Message::Hello(hello) = &mut hello {
            hello.round = round;
        }
        self.send(id, Class::Control, hello);
    }

    pub(super) fn on_handshake_timer(&mut self, id: LinkId) {
        let Some(link) = self.links.get(id) else {
            return;
        };
        if matches!(link.stage, Stage::Dialing | Stage::Greeting) {
            self.give_up(id, "no HELLO in time");
            self.on_closed(id, Closed::Failed);
        }
    }

    fn give_up(&mut self, link: LinkId, why: &'static str) {
        let how = Close::GiveUp(why);
        self.out.push(Effect::Close { link, how });
    }

    fn abort(&mut self, link: LinkId, why: &'static str) {
        let how = Close::Abort(why);
        self.out.push(Effect::Close { link, how });
    }

    pub(super) fn on_hello(&mut self, id: LinkId, hello: Hello) {
        let Some(link) = self.links.get(id) else {
            return;
        };
        let (ours, expects, key) = (link.opened_by_us, link.expects, hello.key);
        if link.stage != Stage::Greeting {
            self.abort(id, "HELLO twice");
            return self.on_closed(id, Closed::Ended);
        }
        let wrong = if hello.version != VERSION {
            Some("another protocol version")
        } else if hello.room != self.config.room {
            Some("another room")
        } else if key == self.config.key {
            Some("a dial of oneself")
        } else if expects.is_some_and(|k| k != key) {
            Some("not the peer that was dialled")
        } else if hello.round > ROUND_MAX {
            Some("an impossible round")
        } else {
            None
        };
        if key == self.config.key {
            self.peers.forget(id);
        }
        if let Some(why) = wrong {
            self.abort(id, why);
            return self.on_closed(id, Closed::Failed);
        }
        self.peers.met(id, key);
        let round = if ours { link.round } else { hello.round };
        if !self.wins(id, key, ours, round) {
            if let Some(link) = self.links.get_mut(id) {
                // What the peer already sent on it still counts.
                link.key = Some(key);
            }
            self.close_gracefully(id);
            return;
        }
        if !ours {
            let answer = self.hello(key);
            self.send(id, Class::Control, answer);
        }
        self.open_link(id, hello, round);
    }

    /// Two links of one pair: of the same round, both were dialled before either was open, and the
    /// one opened by the higher key stays; of different rounds, the newer stays.
    fn wins(&self, id: LinkId, key: Key, ours: bool, round: u64) -> bool {
        let rank = |ours: bool, round: u64| {
            let opener = if ours { self.config.key } else { key };
            (round, opener)
        };
        let open = self.links.to(key).map(|l| (l.opened_by_us, l.round));
        let dial = self.links.dials.get(&key).filter(|d| d.link != id);
        let dial = dial.and_then(|d| self.links.get(d.link));
        // A dial that has not connected may never: it yields to a link that is there.
        let dial = dial.filter(|l| l.stage == Stage::Greeting);
        let dial = dial.map(|l| (l.opened_by_us, l.round));
        [open, dial]
            .into_iter()
            .flatten()
            .all(|(o, r)| rank(o, r) <= rank(ours, round))
    }

    /// What this node writes to a member is later than all that it had seen when they met: it counts as
    /// new there.
    pub(super) fn follow_clock(&mut self, key: Key) {
        let is_weakened = self.config.weakened == Some(Weakness::NoClocksOfPeers);
        let counts = self.roster.contains(key) && !is_weakened;
        if let Some(link) = self.links.to(key).filter(|_| counts) {
            self.clock.observe(link.clock);
        }
    }

    fn open_link(&mut self, id: LinkId, hello: Hello, round: u64) {
        let key = hello.key;
        if let Some(old) = self.links.open.insert(key, id) {
            self.close_gracefully(old);
        }
        self.drop_dial(key, id);
        let seen = self.links.rounds.entry(key).or_default();
        *seen = (*seen).max(round.saturating_add(1));
        let now = self.now.time;
        if let Some(link) = self.links.get_mut(id) {
            link.stage = Stage::Open;
            link.key = Some(key);
            link.round = round;
            link.addresses = hello.addresses;
            let group = hello.coordinator.as_ref().map(|c| c.key);
            link.complete_above = hello.floor.map(|floor| (floor, group));
            link.clock = hello.clock;
            link.heard = now;
        }
        self.past.greet(key, hello.clock, now);
        self.follow_clock(key);
        self.cancel_timer(Timer::Handshake(id));
        self.silent_since.remove(&key);
        self.suspects.remove(&key);
        self.dead.remove(key);
        // Who has left says nothing more: somebody else said so in its name.
        self.left.remove(key);
        self.on_link_open(id, key, hello.coordinator);
    }

    fn on_link_open(&mut self, id: LinkId, key: Key, told: Option<Coordinator>) {
        self.admit_if_dialled_for(id, key);
        self.acks.owe_again(key);
        self.tell_stable(id, key);
        if self.links.get(id).is_some_and(|l| l.opened_by_us) {
            self.want_sync(key, false);
        }
        self.on_told(id, key, told);
        self.ask_on_link(key);
        self.has_source_again(key);
        self.step_joining();
    }

    fn drop_dial(&mut self, key: Key, except: LinkId) {
        if let Some(dial) = self.links.dials.remove(&key)
            && dial.link != except
        {
            self.links.all.remove(&dial.link);
            self.cancel_timer(Timer::Handshake(dial.link));
            self.give_up(dial.link, "another link of the pair stays");
        }
    }

    fn close_gracefully(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id) {
            link.stage = Stage::Ending;
            let how = Close::Graceful;
            self.out.push(Effect::Close { link: id, how });
        }
    }

    pub(super) fn on_closed(&mut self, id: LinkId, why: Closed) {
        let Some(link) = self.links.all.remove(&id) else {
            return;
        };
        self.cancel_timer(Timer::Handshake(id));
        self.peers.missed(id, why);
        match (link.stage, link.key.or(link.expects)) {
            (Stage::Dialing | Stage::Greeting, Some(key)) => self.dial_failed(id, key, why),
            (Stage::Open, Some(key)) if self.links.open.get(&key) == Some(&id) => {
                self.links.open.remove(&key);
                self.silent_since.insert(key, link.heard);
                if self.matters(key) {
                    self.verify_death(key, &link);
                }
                if !self.links.is_dialling(key) {
                    self.forget_if_stranger(key);
                }
            }
            _ => {}
        }
        self.abort_sync_on(id);
    }

    /// Whether it makes a difference if this peer lives. Strangers are not dialled, least of all at
    /// addresses that they name.
    fn matters(&self, key: Key) -> bool {
        let asked = self.asking.as_ref().is_some_and(|a| a.target.key == key);
        // The news that a member is lost may be here before its link closes: who is known to be
        // dead is not asked in vain where others, who have not heard, still vouch for it.
        let was_member = self.lost.iter().any(|m| m.key == key);
        asked || self.roster.contains(key) || was_member || self.is_sought(key)
    }

    /// Nothing is kept of a key that is neither linked nor a member.
    pub(super) fn forget_if_stranger(&mut self, key: Key) {
        if !self.roster.contains(key) && self.links.open_to(key).is_none() {
            self.links.rounds.remove(&key);
            self.links.dialled.remove(&key);
            self.silent_since.remove(&key);
            self.suspects.remove(&key);
            self.acks.forget(key);
            self.delivery.forget(key);
            self.gaps.forget_peer(key);
            self.past.forget(key);
        }
    }

    /// Any frame counts as a sign of life. None if the link has not said HELLO.
    pub(super) fn heard(&mut self, id: LinkId) -> Option<Key> {
        let now = self.now.time;
        let link = self.links.get_mut(id)?;
        let Some(key) = link.key else {
            self.abort(id, "a message before HELLO");
            self.on_closed(id, Closed::Failed);
            return None;
        };
        link.heard = now;
        link.pinged = None;
        if !link.probers.is_empty() {
            let probers = std::mem::take(&mut link.probers);
            self.answer_probers(key, &probers);
        }
        if !self.suspects.is_empty() {
            self.suspects.remove(&key);
        }
        Some(key)
    }

    /// True while HELLO is exchanged and a frame came in within the failure time-out.
    pub(super) fn is_alive(&self, key: Key) -> bool {
        self.links
            .to(key)
            .is_some_and(|l| self.since(l.heard) < self.config.failure_timeout)
    }

    /// Links silent for very long are closed, so that nobody keeps half-open ones for ever.
    pub(super) fn drop_silent_links(&mut self) {
        let limit = self.config.failure_timeout * SILENT_TIMEOUTS_MAX;
        let silent: Vec<LinkId> = self
            .links
            .all
            .iter()
            .filter(|(_, l)| self.since(l.heard) > limit)
            .map(|(id, _)| *id)
            .collect();
        for id in silent {
            self.give_up(id, "silent for too long");
            self.on_closed(id, Closed::Failed);
        }
    }
}
