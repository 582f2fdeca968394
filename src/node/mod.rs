//! The protocol core: one node's whole protocol state, without I/O, clock or randomness of its own.
//!
//! [`Node::handle`] takes one [`Input`] and the time and leaves [`Effect`]s; [`Node::end_turn`]
//! sends what a turn of the loop gathered. The same core runs under the reactor, under the
//! simulator in `tests/` and in the benches.
//!
//! Prefixes say the role: getters take `&self`; `on_*` takes one kind of input; `want_*` notes
//! that something is due and is carried out when it can be; the rest are steps of those.
//!
//! | file | subject |
//! | --- | --- |
//! | `api` | inputs, effects, events |
//! | `links`, `mesh` | streams, handshake, one link per pair; who dials whom, and where |
//! | `liveness` | PING, watches, indirect probes, being away |
//! | `peers` | members that the user named, where multicast does not reach |
//! | `join` | the discovery window, asking in, being let in |
//! | `explain` | what the user is told when the room is not found |
//! | `relay` | letting in who cannot reach the coordinator |
//! | `claims` | who coordinates, heard by whatever route |
//! | `election` | Bully |
//! | `office` | what a coordinator does: admit, announce steps, heartbeats |
//! | `view`, `roster` | the member list and its changes |
//! | `chat`, `taking`, `past` | writing; taking in; what is old |
//! | `causality`, `waiting` | waiting for causes |
//! | `gaps` | what is missing, whom to ask for it, when it is given up |
//! | `runs` | many messages of one author at once |
//! | `sync`, `source` | repair; from whom a newcomer has the history |
//! | `history`, `order`, `origin`, `ranges` | what is held, and what is known of each author's messages |
//! | `behind` | peers that do not keep up |
//! | `shelf`, `storing` | what a store changes: the older messages are there, confirmations wait for it |
//! | `acks`, `delivery` | confirmations, given and received |
//! | `stability` | how far everybody has what an author wrote |
//! | `leave` | leaving in good order |
//!
//! `DESIGN.md`, below, says which rules these keep, and why some of them are as they are.
//!
#![doc = include_str!("DESIGN.md")]

mod acks;
mod api;
mod behind;
mod causality;
mod chat;
mod claims;
mod clock;
mod delivery;
mod election;
mod explain;
mod gaps;
mod heads;
mod history;
mod join;
mod leave;
mod links;
mod liveness;
mod memory;
mod mesh;
mod office;
mod order;
mod origin;
mod past;
mod peers;
mod ranges;
mod relay;
#[cfg(test)]
mod rig;
mod roster;
mod runs;
mod shelf;
mod source;
mod stability;
mod storing;
mod sync;
mod taking;
mod texts;
mod view;
mod waiting;

pub use api::*;
pub use history::{Asks, History};
pub use shelf::Restored;
pub use texts::Texts;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::limits;
use crate::wire::{ChatMessage, Claim, Coordinator, Datagram, Id, Key, Member, Message, View};
use acks::Acks;
use chat::Chat;
use clock::Clock;
use delivery::Delivery;
use election::Election;
use gaps::Gaps;
use join::{Asking, Seek};
use leave::Leaving;
use links::Links;
use liveness::Suspect;
use memory::KeyMemory;
use office::Office;
use past::Past;
use peers::Peers;
use roster::Roster;
use source::Joining;
use stability::Stability;
use sync::Repair;
use taking::HeldBack;
use waiting::Waiting;

/// Where a node stands towards the room.
#[derive(Debug)]
enum Standing {
    /// It never had an id, and looks for the room.
    Seeking(Seek),
    /// It follows another node, `Node::coordinator`.
    Member,
    /// It holds the office.
    Coordinator(Office),
    /// It has no live coordinator, and elects one.
    Electing(Election),
    /// It has no live coordinator, does not elect, and asks in where it was pointed to.
    Adrift {
        /// When it gives up on being answered.
        until: Time,
        /// It gave up an office to ask, and takes it up again if nobody answers.
        held_office: bool,
    },
    /// It has left.
    Gone,
}

/// One node's whole protocol state.
#[derive(Debug)]
pub struct Node {
    config: Config,
    rng: fastrand::Rng,
    now: Now,
    out: Outbox,
    clock: Clock,
    standing: Standing,
    /// This node's id, once it had one.
    id: Option<Id>,
    /// Whom this node follows; itself when it coordinates.
    coordinator: Option<Coordinator>,
    /// The id of the last coordinator shown to the user.
    shown_coordinator: Option<(Id, Key)>,
    /// The highest view version heard of.
    version_seen: u64,
    roster: Roster,
    /// An announcement that was not followed, because a higher coordinator was alive.
    announced: Option<(Time, View)>,
    asking: Option<Asking>,
    /// Since when this node's coordinator itself says that it holds no office.
    resigned: Option<Time>,
    /// Until then this node has just come back from being away.
    away_until: Time,
    /// When the whole view was last asked for.
    view_asked: Option<Time>,
    /// `Joined` is due, once the history is here.
    joining: Option<Joining>,
    joined: bool,
    /// Where the history is complete from, as the peers say that it was fetched from.
    whole_above: Option<crate::wire::Position>,
    links: Links,
    peers: Peers,
    /// Since when members without an open link are silent.
    silent_since: BTreeMap<Key, Time>,
    suspects: BTreeMap<Key, Suspect>,
    last_beat: Time,
    next_tick: Time,
    /// When the links were last looked at.
    looked: Time,
    /// Keys whose process is known to have ended, and keys that said LEAVE.
    dead: KeyMemory,
    left: KeyMemory,
    /// Members lost from the view, which this node goes on dialling; the newest last.
    lost: std::collections::VecDeque<Member>,
    referrals: Vec<(Time, std::net::SocketAddr)>,
    history: History,
    chat: Chat,
    past: Past,
    held_back: HeldBack,
    waiting: Waiting,
    gaps: Gaps,
    repair: Repair,
    acks: Acks,
    stability: Stability,
    /// When a peer that is behind, and not far, last asked for more.
    chased: Option<Time>,
    delivery: Delivery,
    leaving: Option<Leaving>,
    /// When chat of somebody else last came in.
    heard_chat: Time,
    counters: Counters,
}

/// How long it counts that a key said LEAVE: longer than anything that it said before can be on its
/// way, and not for ever, because in an open room anybody can say so in its name.
const LEFT_FOR: Duration = Duration::from_secs(10);

/// What a node has counted since its start.
#[derive(Debug, Default, Clone, Copy)]
struct Counters {
    elections: u64,
    syncs: u64,
    repaired: u64,
    pings: u64,
    waited: u64,
    missed: u64,
    late: u64,
}

impl Node {
    /// A node that has not done anything yet; [`Node::start`] comes first.
    #[must_use]
    pub fn new(mut config: Config, rng: fastrand::Rng) -> Node {
        config.addresses.truncate(limits::ADDRESSES_MAX);
        let now = Now {
            time: Time(0),
            wall_ms: 0,
        };
        Node {
            history: History::new(&config),
            standing: Standing::Seeking(Seek::new(Time(0))),
            peers: Peers::new(&config.peers),
            config,
            rng,
            now,
            out: Vec::new(),
            clock: Clock::default(),
            id: None,
            coordinator: None,
            shown_coordinator: None,
            version_seen: 0,
            roster: Roster::empty(),
            announced: None,
            asking: None,
            resigned: None,
            away_until: Time(0),
            view_asked: None,
            joining: None,
            joined: false,
            whole_above: None,
            links: Links::default(),
            silent_since: BTreeMap::new(),
            suspects: BTreeMap::new(),
            last_beat: Time(0),
            next_tick: Time(0),
            looked: Time(0),
            dead: KeyMemory::default(),
            left: KeyMemory::default(),
            lost: std::collections::VecDeque::new(),
            referrals: Vec::new(),
            chat: Chat::default(),
            past: Past::default(),
            held_back: HeldBack::default(),
            waiting: Waiting::default(),
            gaps: Gaps::default(),
            repair: Repair::default(),
            acks: Acks::default(),
            stability: Stability::default(),
            chased: None,
            delivery: Delivery::default(),
            leaving: None,
            heard_chat: Time(0),
            counters: Counters::default(),
        }
    }

    /// Once, before any input: starts to look for the room.
    pub fn start(&mut self, now: Now, out: &mut Outbox) {
        self.enter(now);
        self.history.origin_mut(self.config.key).watch();
        self.start_seeking();
        self.next_tick = self.now.time + self.config.heartbeat;
        self.set_timer(Timer::Tick, self.next_tick);
        self.schedule_sync_round();
        out.append(&mut self.out);
    }

    /// Takes one input in; effects are left in `out`, to be carried out in their order.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Outbox) {
        self.enter(now);
        if !matches!(self.standing, Standing::Gone) {
            self.dispatch(input);
        }
        out.append(&mut self.out);
    }

    /// Once at the end of each turn of the loop: sends what the turn gathered (own lines in one
    /// frame, one ACK per author), and takes the last step of leaving.
    pub fn end_turn(&mut self, now: Now, out: &mut Outbox) {
        self.enter(now);
        if !matches!(self.standing, Standing::Gone) {
            self.flush_chat();
            self.flush_acks();
            self.step_delivery();
            self.flush_stable();
            self.step_leaving();
        }
        out.append(&mut self.out);
    }

    fn enter(&mut self, now: Now) {
        self.now.time = self.now.time.max(now.time);
        self.now.wall_ms = now.wall_ms;
    }

    fn dispatch(&mut self, input: Input) {
        match input {
            Input::Datagram { from, datagram } => self.on_datagram(from, datagram),
            Input::Accepted { link, from } => self.on_accepted(link, from),
            Input::Connected { link } => self.on_connected(link),
            Input::Message { link, message } => self.on_message(link, message),
            Input::Closed { link, why } => self.on_closed(link, why),
            Input::Congested { link } => self.on_congested(link),
            Input::Drained { link } => self.on_drained(link),
            Input::Timer(timer) => self.on_timer(timer),
            Input::Away => self.on_away(),
            Input::Addresses(addresses) => self.on_addresses(addresses),
            Input::Command(command) => self.on_command(command),
        }
    }

    fn on_timer(&mut self, timer: Timer) {
        match timer {
            Timer::Join => self.on_join_timer(),
            Timer::Heartbeat => self.on_heartbeat_timer(),
            Timer::Tick => self.on_tick(),
            Timer::Watch => self.on_watch(),
            Timer::Election => self.on_election_timer(),
            Timer::Sync => self.on_sync_timer(),
            Timer::SyncRound => self.on_sync_round(),
            Timer::Gap => self.on_gap_timer(),
            Timer::Redial => self.on_redial(),
            Timer::Losses => self.on_losses_timer(),
            Timer::Referral => self.on_referral_timer(),
            Timer::Leave => self.on_leave_timer(),
            Timer::Handshake(link) => self.on_handshake_timer(link),
        }
    }

    fn on_datagram(&mut self, from: std::net::SocketAddr, datagram: Datagram) {
        match datagram {
            Datagram::JoinRequest(request) => self.on_join_datagram(from, request),
            Datagram::Heartbeat {
                room, coordinator, ..
            } if room == self.config.room => self.on_heartbeat(from, &coordinator),
            Datagram::Referral { room, coordinator } if room == self.config.room => {
                self.hear_claim(&coordinator, claims::Route::Pointed);
            }
            Datagram::Heartbeat { .. } | Datagram::Referral { .. } | Datagram::Unknown(_) => {}
        }
    }

    fn on_message(&mut self, link: LinkId, message: Message) {
        if let Message::Hello(hello) = message {
            return self.on_hello(link, hello);
        }
        let Some(key) = self.heard(link) else {
            return;
        };
        let is_current = self.links.open_to(key) == Some(link);
        match message {
            Message::Hello(_) | Message::Unknown(_) => {}
            Message::Chat(messages) => self.on_chat(link, key, messages),
            Message::Private(private) => self.on_private(key, private),
            Message::Chunk(chunk) => self.on_chunk(link, chunk),
            Message::Ack(ack) => self.on_ack(key, &ack),
            Message::Stable(stable) => self.on_stable(key, stable),
            Message::Relay(relay) => self.on_relay(key, relay),
            Message::Leave => self.on_leave(key),
            // A link that was replaced is read to its end for the chat on it; what it still says
            // of the group was said before the new link was opened.
            _ if !is_current => {}
            Message::JoinRequest(request) => self.on_join_request(link, key, &request),
            Message::JoinResponse(response) => self.on_join_response(key, response),
            Message::PeerUpdate(update) => self.on_peer_update(link, key, update),
            Message::ViewRequest => self.on_view_request(link),
            Message::Election { id, forced } => self.on_election(link, key, id, forced),
            Message::ElectionOk { coordinator } => self.on_election_ok(link, key, coordinator),
            Message::CoordinatorAnnouncement(view) => self.on_announcement(link, key, view),
            Message::Ping { coordinator } => self.on_ping(link, key, coordinator),
            Message::Pong { coordinator } => self.on_told(link, key, coordinator),
            Message::Probe(about) => self.on_probe(link, key, about),
            Message::ProbeAnswer(about) => self.on_probe_answer(key, about),
            Message::Sync(sync) => self.on_sync(link, key, &sync),
            Message::SyncAnswer(answer) => self.on_sync_answer(link, &answer),
            Message::Fetch(fetch) => self.on_fetch(link, &fetch),
            Message::Behind => self.want_sync(key, false),
            Message::Rename(nick) => self.on_rename(key, nick),
            // What a stranger says does not hold up an election.
            Message::Referral(_) if self.is_electing() && !self.roster.contains(key) => {}
            Message::Referral(coordinator) => self.on_referral(key, &coordinator),
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Say(lines) => self.say(&lines),
            Command::Private { to, text } => self.say_privately(to, text),
            Command::Rename(nick) => self.rename(nick),
            Command::Elect => self.elect_now(),
            Command::Leave { patience } => self.start_leaving(patience),
        }
    }

    fn on_addresses(&mut self, addresses: Vec<crate::wire::Address>) {
        self.config.addresses = addresses;
        self.config.addresses.truncate(limits::ADDRESSES_MAX);
        if let Some(me) = self.roster.get(self.config.key).cloned() {
            let addresses = self.config.addresses.clone();
            self.update_own_entry(Member { addresses, ..me });
        }
    }

    fn set_timer(&mut self, timer: Timer, at: Time) {
        self.out.push(Effect::SetTimer { timer, at });
    }

    fn cancel_timer(&mut self, timer: Timer) {
        self.out.push(Effect::CancelTimer(timer));
    }

    fn show(&mut self, event: Event) {
        self.out.push(Effect::Show(event));
    }

    /// Shows messages of one author: in the event before them, if that is one of the same kind.
    fn show_messages(&mut self, run: &[ChatMessage], arrival: Arrival) {
        let Some(first) = run.first() else {
            return;
        };
        let own = first.origin() == self.config.key;
        match self.out.last_mut() {
            Some(Effect::Show(Event::Messages {
                messages,
                own: o,
                arrival: a,
            })) if (*o, *a) == (own, arrival) => {
                messages.extend_from_slice(run);
            }
            _ => {
                let messages = run.to_vec();
                self.show(Event::Messages {
                    messages,
                    own,
                    arrival,
                });
            }
        }
    }

    fn send(&mut self, to: LinkId, class: Class, message: Message) {
        let to = vec![to];
        self.out.push(Effect::Send { to, class, message });
    }

    fn send_many(&mut self, to: Vec<LinkId>, class: Class, message: Message) {
        if !to.is_empty() {
            self.out.push(Effect::Send { to, class, message });
        }
    }

    /// The time that has passed since `earlier`.
    fn since(&self, earlier: Time) -> Duration {
        self.now.time.since(earlier)
    }

    /// A random share of `d`.
    fn jitter(&mut self, d: Duration) -> Duration {
        Duration::from_micros(self.rng.u64(0..=micros(d)))
    }

    /// The number for a link that was accepted.
    pub fn new_link(&mut self) -> LinkId {
        self.links.new_id()
    }

    /// True if the peer at the other end of this link is a member.
    #[must_use]
    pub fn is_member_link(&self, link: LinkId) -> bool {
        let key = self.links.get(link).and_then(|l| l.key);
        key.is_some_and(|key| self.roster.contains(key))
    }

    /// False until joined, and while own lines pile up: stdin is not to be read then.
    #[must_use]
    pub fn wants_lines(&self) -> bool {
        self.joined && self.leaving.is_none()
    }

    /// Own messages that are not yet delivered, lines that wait for the room included.
    #[must_use]
    pub fn undelivered(&self) -> u64 {
        self.delivery.undelivered() + self.chat.unsent_lines()
    }

    /// True once this node has heard of a group, or is in one.
    #[must_use]
    pub fn hears_group(&self) -> bool {
        !matches!(&self.standing, Standing::Seeking(seek) if !seek.has_heard())
    }

    /// True between the first `Joined` and leaving.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.joined && !matches!(self.standing, Standing::Gone)
    }

    /// This node's identity.
    #[must_use]
    pub fn key(&self) -> Key {
        self.config.key
    }

    /// This node's id, once it has one.
    #[must_use]
    pub fn id(&self) -> Option<Id> {
        self.id
    }

    /// What people call this node.
    #[must_use]
    pub fn nick(&self) -> &str {
        &self.config.nick
    }

    /// The live coordinator, oneself perhaps.
    #[must_use]
    pub fn coordinator(&self) -> Option<Claim> {
        self.coordinator.as_ref().map(Coordinator::claim)
    }

    /// True while an election goes on here.
    #[must_use]
    pub fn is_electing(&self) -> bool {
        matches!(self.standing, Standing::Electing(_))
    }

    /// The view in the order of ids, oneself included; empty before joining.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        self.roster.members()
    }

    /// The version of the view.
    #[must_use]
    pub fn view_version(&self) -> u64 {
        self.roster.version
    }

    /// The history as this node holds it.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The peers with an open link, in the order of their keys.
    pub fn peers(&self) -> impl Iterator<Item = Key> {
        self.links.open_keys()
    }

    /// Named counts for people: (name, value).
    #[must_use]
    pub fn counters(&self) -> Vec<(&'static str, u64)> {
        let c = &self.counters;
        let mut counters = vec![
            ("links", self.links.open_keys().count() as u64),
            ("elections", c.elections),
            ("syncs", c.syncs),
            ("repaired", c.repaired),
            ("pings", c.pings),
            ("waited", c.waited),
            ("waiting", self.waiting.len() as u64),
            ("missed", c.missed),
            ("below_floor", c.late),
            ("undelivered", self.undelivered()),
        ];
        if self.history.shelf.is_some() {
            counters.push(("unstored", self.unstored_len() as u64));
        }
        counters
    }
}
