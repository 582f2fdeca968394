//! A member that lies: the real core, and somebody who changes what it sends and adds to it.
//!
//! Owns how many lies of which kind were told, and decides by a seed of its own which comes next. It speaks
//! for its own key only: who is at the other end of a link is proven. What the lies say is `lies`'s.

use std::collections::{BTreeMap, BTreeSet};

use papo::node::{Class, LinkId};
use papo::wire::{Address, Claim, Datagram, Key, Member, Message};

use super::scenario::{Host, MS};
use super::{false_lines, lies};

/// What a liar lies about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Lie {
    /// The round of a HELLO, at both ends of the number.
    Round,
    /// Whom a HELLO, PING or PONG names as the coordinator.
    Claim,
    /// What a HELLO says of the history, and of the clocks.
    Past,
    /// Ids, versions and the office in a JOIN_REQUEST.
    Request,
    /// Members, ids and versions in the views that the real core sends.
    View,
    /// A whole view or a step that nobody asked for.
    UnaskedView,
    /// A COORDINATOR_ANNOUNCEMENT out of nothing, with somebody who does not exist.
    Announcement,
    /// A JOIN_RESPONSE that nobody asked for.
    UnaskedAnswer,
    /// ELECTION_OK, and no announcement.
    EmptyOk,
    /// ELECTION_OK that names a coordinator that does not exist.
    GhostOk,
    /// ELECTIONs out of nothing, forced ones among them.
    Election,
    /// REFERRALs to a coordinator that does not exist.
    Referral,
    /// HEARTBEATs of itself and of nobody.
    Heartbeat,
    /// It vouches for everybody whom anybody looks for.
    Vouching,
    /// It names one coordinator that does not exist to everybody, all the time, and lets people in there.
    Ghost,
    /// The sequence numbers of its own messages.
    Seqs,
    /// Their times.
    Times,
    /// Their causes.
    Causes,
    /// Different texts under one number.
    TwoTexts,
    /// SYNC, SYNC_ANSWER and FETCH.
    Digests,
    /// Messages with false causes, and the same ones again, in CHUNKs.
    Chunks,
    /// One new message in each CHUNK, without an end.
    EndlessChunks,
    /// ACKs that jump.
    Acks,
    /// STABLE words that jump.
    Stables,
    /// LEAVE, and it stays.
    Leave,
    /// New nicks all the time.
    Rename,
    /// It says nothing where something is due.
    Silence,
    /// COMPAREs of spans that are none, and out of nothing.
    Compares,
    /// The same with FETCH.
    Fetches,
    /// BEHIND all the time.
    Behind,
    /// PROBEs and BEAT_REQUESTs for anybody, all the time.
    Probes,
    /// RELAYs of its own word, to anybody.
    Relays,
    /// JOIN_REQUESTs with others' keys.
    OthersRequests,
}

/// What it asks out of nothing: told in scenarios of their own.
pub const QUESTIONS: [Lie; 6] = [
    Lie::Compares,
    Lie::Fetches,
    Lie::Behind,
    Lie::Probes,
    Lie::Relays,
    Lie::OthersRequests,
];

/// All others.
pub const ALL: [Lie; 27] = [
    Lie::Round,
    Lie::Claim,
    Lie::Past,
    Lie::Request,
    Lie::View,
    Lie::UnaskedView,
    Lie::Announcement,
    Lie::UnaskedAnswer,
    Lie::EmptyOk,
    Lie::GhostOk,
    Lie::Election,
    Lie::Referral,
    Lie::Heartbeat,
    Lie::Vouching,
    Lie::Ghost,
    Lie::Seqs,
    Lie::Times,
    Lie::Causes,
    Lie::TwoTexts,
    Lie::Digests,
    Lie::Chunks,
    Lie::EndlessChunks,
    Lie::Acks,
    Lie::Stables,
    Lie::Leave,
    Lie::Rename,
    Lie::Silence,
];

/// Which host lies, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    pub host: Host,
    /// Until then it is as honest as anybody.
    pub from: u64,
    /// Which lies it tells.
    pub lies: Vec<Lie>,
    /// So many of a thousand messages of the real core are changed.
    pub permille: u32,
    /// How often it adds something of its own, in microseconds.
    pub every: u64,
}

/// What a liar knows of the room at the moment.
#[derive(Clone, Debug)]
pub struct Scene {
    pub key: Key,
    pub nick: String,
    pub id: u64,
    pub address: Address,
    pub members: Vec<Member>,
    /// Who is there beside it, linked with everybody or not, and how much each has written.
    pub others: Vec<(Key, u64)>,
    pub coordinator: Option<Claim>,
    pub version: u64,
    pub wall_ms: u64,
    /// Its links, open or about to be.
    pub links: Vec<LinkId>,
    /// How much it has said so far itself.
    pub written: u64,
}

/// A message that goes out instead.
pub type Said = (Vec<LinkId>, Class, Message);

/// The liar.
#[derive(Debug)]
pub struct Liar {
    pub plan: Plan,
    pub(super) rng: fastrand::Rng,
    /// Somebody who does not exist.
    pub(super) ghost: Key,
    /// What it said last, to say it again.
    pub(super) said: Vec<papo::wire::ChatMessage>,
    /// The last exchange that somebody began with it.
    pub(super) exchange: u64,
    /// How far its false numbers have come.
    pub(super) count: u64,
    /// Whoever was there when it said that they had been lost: who believes it owes them what it writes, in its view or not.
    pub(super) called_lost: BTreeSet<Key>,
    told: BTreeMap<Lie, u64>,
}

impl Liar {
    pub fn new(plan: Plan, seed: u64) -> Liar {
        let mut rng = fastrand::Rng::with_seed(seed);
        Liar {
            plan,
            ghost: Key(rng.u64(1..)),
            rng,
            said: Vec::new(),
            exchange: 0,
            count: 0,
            called_lost: BTreeSet::new(),
            told: BTreeMap::new(),
        }
    }

    /// How often each lie was told.
    pub fn told(&self) -> &BTreeMap<Lie, u64> {
        &self.told
    }

    /// It has said of this one, which was there, that it had been lost.
    pub fn has_called_lost(&self, key: Key) -> bool {
        self.called_lost.contains(&key)
    }

    pub(super) fn tells(&self, lie: Lie) -> bool {
        self.plan.lies.contains(&lie)
    }

    pub(super) fn tell(&mut self, lie: Lie) {
        *self.told.entry(lie).or_default() += 1;
    }

    /// True if the next message is a lie of this kind; it counts as told then.
    pub(super) fn lies_now(&mut self, lie: Lie) -> bool {
        let now = self.tells(lie) && self.rng.u32(0..1_000) < self.plan.permille;
        if now {
            self.tell(lie);
        }
        now
    }

    /// What goes out instead of a message of the real core.
    pub fn twist(&mut self, scene: &Scene, said: Said) -> Vec<Said> {
        let (to, class, message) = said;
        if let Message::Chat(messages) = &message {
            self.said.extend(messages.iter().cloned());
            let keep = self.said.len().saturating_sub(20);
            self.said.drain(..keep);
        }
        let is_needed = matches!(
            message,
            Message::Hello(_) | Message::Leave | Message::JoinRequest(_)
        );
        if !is_needed && self.lies_now(Lie::Silence) {
            return Vec::new();
        }
        if let Message::Chat(messages) = &message
            && to.len() > 1
            && self.lies_now(Lie::TwoTexts)
        {
            let other = messages
                .iter()
                .map(|m| false_lines::other_text(self, m))
                .collect();
            let (one, rest) = to.split_at(1);
            return vec![
                (one.to_vec(), class, message),
                (rest.to_vec(), class, Message::Chat(other)),
            ];
        }
        lies::changed(self, scene, message)
            .map(|message| (to, class, message))
            .into_iter()
            .collect()
    }

    /// What goes out instead of a datagram of the real core.
    pub fn twist_datagram(&mut self, scene: &Scene, datagram: Datagram) -> Datagram {
        match datagram {
            Datagram::JoinRequest(request) if self.lies_now(Lie::Request) => {
                Datagram::JoinRequest(lies::request(self, request))
            }
            Datagram::Heartbeat {
                room,
                members,
                nick,
                ..
            } if self.lies_now(Lie::Heartbeat) => Datagram::Heartbeat {
                room,
                coordinator: lies::claim(self, scene),
                members: false_lines::number(self),
                nick: nick.filter(|_| members > 1),
            },
            other => other,
        }
    }

    /// What it answers by itself to what somebody says on a link.
    pub fn answer(&mut self, scene: &Scene, message: &Message) -> Option<Message> {
        match message {
            Message::Election { .. } if self.tells(Lie::GhostOk) => {
                self.tell(Lie::GhostOk);
                let coordinator = Some(lies::ghost(self, scene));
                Some(Message::ElectionOk { coordinator })
            }
            Message::Election { .. } if self.tells(Lie::EmptyOk) => {
                self.tell(Lie::EmptyOk);
                Some(Message::ElectionOk { coordinator: None })
            }
            Message::Probe(about) if self.tells(Lie::Vouching) => {
                self.tell(Lie::Vouching);
                Some(Message::ProbeAnswer(*about))
            }
            Message::JoinRequest(request) if self.tells(Lie::Ghost) && request.key != scene.key => {
                self.tell(Lie::Ghost);
                Some(lies::ghosts_answer(self, scene, request))
            }
            Message::Relay(relay) if self.tells(Lie::Ghost) && relay.from != scene.key => {
                let request = relay.request.as_ref()?;
                self.tell(Lie::Ghost);
                Some(lies::ghosts_answer(self, scene, &request.fields))
            }
            Message::Sync(sync) => {
                self.exchange = sync.no;
                None
            }
            Message::Fetch(fetch) if self.tells(Lie::EndlessChunks) => {
                self.exchange = fetch.no;
                self.tell(Lie::EndlessChunks);
                Some(false_lines::endless_chunk(self, scene, fetch.no))
            }
            _ => None,
        }
    }

    /// Something of its own: on these links, or as a datagram.
    pub fn add(&mut self, scene: &Scene) -> (Vec<Said>, Vec<Datagram>) {
        let plan = self.plan.lies.clone();
        let Some(lie) = self.rng.choice(plan) else {
            return (Vec::new(), Vec::new());
        };
        let to = match self.rng.u8(0..3) {
            0 => scene.links.clone(),
            _ => self.rng.choice(&scene.links).copied().into_iter().collect(),
        };
        let (messages, datagrams) = lies::added(self, scene, lie);
        if !messages.is_empty() || !datagrams.is_empty() {
            self.tell(lie);
        }
        let class = |message: &Message| match message {
            Message::Chat(_) | Message::Chunk(_) | Message::Ack(_) | Message::Stable(_) => {
                Class::Chat
            }
            _ => Class::Control,
        };
        let messages = messages.into_iter().map(|m| (to.clone(), class(&m), m));
        (
            messages.filter(|said| !said.0.is_empty()).collect(),
            datagrams,
        )
    }

    /// When it adds the next one.
    pub fn pause(&mut self) -> u64 {
        let every = self.plan.every.max(MS);
        self.rng.u64(every / 2..every * 3 / 2)
    }
}
