//! The protocol core: one node's whole protocol state, without I/O, clock or randomness of its own.
//!
//! [`Node::handle`] takes one [`Input`] and the time and leaves [`Effect`]s; [`Node::end_turn`]
//! sends what a turn of the loop gathered. The same core runs under the reactor, under the
//! simulator in `tests/` and in the benches.
//!
//! Prefixes say the role: getters take `&self`; `on_*` takes one kind of input; `want_*` notes
//! that something is due and is carried out when it can be; the rest are steps of those.
//!
//! | part | owns |
//! | --- | --- |
//! | `history` | what is held, in which order, above which floor |
//! | `talk` | what is said, heard, waited for, repaired and confirmed |
//! | `mesh` | with whom this node is linked, and who of them lives |
//! | `group` | who belongs to the room, and who coordinates |
//! | `roster` | the view: who is a member, as data; the group changes it, the others read it |
//! | `context` | what all of them are lent: configuration, time, randomness, effects |
//! | `api` | inputs and effects |
//! | `event` | what the user is shown |
//! | `weakness` | which protections a test can switch off |
//! | `public` | what the driver and the user interface may ask |
//!
//! Each part is closed: nobody else names its fields. [`Node`] routes inputs to them, and carries the news of
//! the mesh to the others. The talk is lent the view and the links; the group drives the mesh and the talk;
//! the mesh knows neither.
//!
//! `DESIGN.md`, below, says which rules these keep, and why some of them are as they are.
//!
#![doc = include_str!("DESIGN.md")]

mod api;
mod clock;
mod context;
mod event;
mod group;
mod history;
mod host;
mod mesh;
mod public;
#[cfg(test)]
mod rig;
mod roster;
mod talk;
mod texts;
mod weakness;

pub use api::*;
pub use event::{Arrival, Departure, Event, Lack, Phase};
pub use history::{Asks, History, Restored};
pub use host::host_of;
pub use texts::Texts;
pub use weakness::Weakness;

use crate::limits;
use crate::wire::{Coordinator, Key, Member, Message};
use context::Context;
use group::{Group, Parts};
#[cfg(debug_assertions)]
use mesh::Interest;
use mesh::{Greeting, Mesh, News};
use talk::{Lent, Talk, Why};

/// One node's whole protocol state.
#[derive(Debug)]
pub struct Node {
    cx: Context,
    mesh: Mesh,
    talk: Talk,
    group: Group,
}

impl Node {
    /// A node that has not done anything yet; [`Node::start`] comes first.
    #[must_use]
    pub fn new(mut config: Config, rng: fastrand::Rng) -> Node {
        config.addresses.truncate(limits::ADDRESSES_MAX);
        Node {
            mesh: Mesh::new(&config.peers),
            talk: Talk::new(&config),
            group: Group::new(),
            cx: Context::new(config, rng),
        }
    }

    /// Once, before any input: starts to look for the room.
    pub fn start(&mut self, now: Now, out: &mut Outbox) {
        self.cx.enter(now);
        let (group, mut parts) = self.group();
        group.start_seeking(&mut parts);
        let next = self.cx.now.time + self.cx.config.heartbeat;
        self.mesh.set_next_tick(&mut self.cx, next);
        let (talk, mut lent) = self.talk();
        talk.schedule_sync_round(&mut lent);
        out.append(&mut self.cx.out);
    }

    /// Takes one input in; effects are left in `out`, to be carried out in their order.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Outbox) {
        self.enter(now);
        if !self.group.is_gone() {
            self.dispatch(input);
            self.settle();
            #[cfg(debug_assertions)]
            self.check_invariants();
        }
        out.append(&mut self.cx.out);
    }

    /// Once at the end of each turn of the loop: sends what the turn gathered (own lines in one
    /// frame, one ACK per author), and takes the last step of leaving.
    pub fn end_turn(&mut self, now: Now, out: &mut Outbox) {
        self.enter(now);
        if !self.group.is_gone() {
            let (talk, mut lent) = self.talk();
            talk.end_turn(&mut lent);
            let (group, mut parts) = self.group();
            group.step_leaving(&mut parts);
            self.mesh.expect_answers(&mut self.cx);
            #[cfg(debug_assertions)]
            {
                self.check_invariants();
                let is_leaving = self.group.is_leaving() && !self.group.is_gone();
                let has_end = self.cx.runs(Timer::Leave);
                assert!(!is_leaving || has_end, "leaving comes to an end");
            }
        }
        out.append(&mut self.cx.out);
    }

    fn enter(&mut self, now: Now) {
        self.cx.enter(now);
        self.talk.set_reach(self.cx.reach());
    }

    /// What is true between any two inputs, whatever the peers send. Debug builds look after each input,
    /// and so does the whole simulator.
    #[cfg(debug_assertions)]
    fn check_invariants(&self) {
        if self.group.is_gone() {
            return;
        }
        assert!(self.cx.runs(Timer::Tick), "the links are looked at");
        assert!(self.cx.runs(Timer::SyncRound), "there are periodic SYNCs");
        self.group.check_invariants(&self.cx);
        self.mesh.check_invariants(&self.cx);
        self.talk.check_invariants(&self.cx, &self.mesh);
    }

    /// The talk, and what it is lent.
    fn talk(&mut self) -> (&mut Talk, Lent<'_>) {
        let lent = Lent {
            cx: &mut self.cx,
            mesh: &mut self.mesh,
            view: self.group.roster(),
            leader: self.group.leader(),
            id: self.group.id(),
            awaits_no_view: self.group.awaits_no_view(),
        };
        (&mut self.talk, lent)
    }

    /// The group, and what it is lent.
    fn group(&mut self) -> (&mut Group, Parts<'_>) {
        let parts = Parts {
            cx: &mut self.cx,
            mesh: &mut self.mesh,
            talk: &mut self.talk,
        };
        (&mut self.group, parts)
    }

    fn dispatch(&mut self, input: Input) {
        match input {
            Input::Datagram { from, datagram } => {
                let (group, mut parts) = self.group();
                group.on_datagram(&mut parts, from, datagram);
            }
            Input::Accepted { link, from } => self.mesh.on_accepted(&mut self.cx, link, from),
            Input::Connected { link } => {
                let greeting = self.greeting();
                self.mesh.on_connected(&mut self.cx, greeting, link);
            }
            Input::Message { link, message } => self.on_message(link, message),
            Input::Closed { link, why } => {
                self.mesh.on_closed(&mut self.cx, &self.group, link, why);
            }
            Input::Congested { link } => self.mesh.fall_behind(link),
            Input::Drained { link } => {
                let (talk, mut lent) = self.talk();
                talk.on_drained(&mut lent, link);
            }
            Input::Timer(timer) => self.on_timer(timer),
            Input::Away => {
                let (group, mut parts) = self.group();
                group.on_away(&mut parts);
            }
            Input::Addresses(addresses) => self.on_addresses(addresses),
            Input::PeerFound(peer) => {
                let (group, mut parts) = self.group();
                group.on_peer_found(&mut parts, &peer);
            }
            Input::Command(command) => self.on_command(command),
        }
    }

    /// Carries what happened in one part to the others, until nothing is left.
    fn settle(&mut self) {
        while let Some(news) = self.mesh.next_news() {
            self.on_news(news);
        }
        if self.group.take_beat() {
            self.tick_with_beat();
            self.settle();
        }
    }

    fn on_news(&mut self, news: News) {
        match news {
            News::Opened {
                link,
                key,
                told,
                clock,
            } => {
                let (talk, mut lent) = self.talk();
                let leader = told.as_ref().map(|coordinator| coordinator.key);
                talk.greet(&mut lent, (key, clock), leader);
                let (group, mut parts) = self.group();
                group.admit_if_dialled_for(&mut parts, link, key);
                let (talk, mut lent) = self.talk();
                talk.meet(&mut lent, link, key);
                let (group, mut parts) = self.group();
                group.on_told(&mut parts, link, key, told);
                group.ask_on_link(&mut parts, key);
                let (talk, mut lent) = self.talk();
                talk.go_on_joining(&mut lent, key);
            }
            News::Proven { link, key } => {
                let (group, mut parts) = self.group();
                group.admit_if_dialled_for(&mut parts, link, key);
            }
            News::Gone(link) => {
                let (talk, mut lent) = self.talk();
                talk.abort_sync_on(&mut lent, link);
            }
            News::Died(key) => {
                let (group, mut parts) = self.group();
                group.on_died(&mut parts, key);
                group.look_at_awaited(&mut parts);
            }
            News::Narrow(key) => {
                let (group, mut parts) = self.group();
                group.explain_narrow(&mut parts, key);
            }
            News::Unreachable(key) => self.group.on_unreachable(key),
            News::Forgotten(key) => self.talk.forget(&self.cx, key),
        }
    }

    fn on_timer(&mut self, timer: Timer) {
        #[cfg(debug_assertions)]
        self.cx.fire(timer);
        match timer {
            Timer::Tick => {
                let next = self.mesh.next_tick() + self.cx.config.heartbeat;
                self.look_at_links(next);
            }
            Timer::Redial => self.mesh.on_redial(&mut self.cx, &self.group),
            Timer::Handshake(link) => {
                (self.mesh).on_handshake_timer(&mut self.cx, &self.group, link);
            }
            Timer::Sync | Timer::SyncRound | Timer::Gap => self.on_talk_timer(timer),
            _ => {
                let (group, mut parts) = self.group();
                group.on_timer(&mut parts, timer);
            }
        }
    }

    fn on_talk_timer(&mut self, timer: Timer) {
        let (talk, mut lent) = self.talk();
        match timer {
            Timer::Sync => talk.on_sync_timer(&mut lent),
            Timer::SyncRound => talk.on_sync_round(&mut lent),
            Timer::Gap => talk.on_gap_timer(&mut lent),
            _ => {}
        }
    }

    /// A HEARTBEAT came or went: this node is awake, and so is everybody else. Who looks at its
    /// links now need not wake up for it again.
    fn tick_with_beat(&mut self) {
        let heartbeat = self.cx.config.heartbeat;
        // The next HEARTBEAT is to come first.
        let next = self.cx.now.time + heartbeat + heartbeat / 8;
        if self.cx.since(self.mesh.looked()) >= heartbeat / 2 {
            self.look_at_links(next);
        } else {
            self.mesh.set_next_tick(&mut self.cx, next);
        }
    }

    /// Each heartbeat: a look at every link.
    fn look_at_links(&mut self, next: Time) {
        self.mesh.set_next_tick(&mut self.cx, next);
        self.mesh.note_look(&self.cx);
        self.mesh.forget_farewells(&self.cx);
        self.mesh.choose_watched(&self.cx, &self.group);
        let hurry = self.group.beatless_leader(&self.cx);
        if let Some((leader, last_beat)) = hurry {
            self.mesh.expect_from(leader, last_beat);
        }
        let hurry = hurry.map(|(leader, _)| leader);
        let vouched = self.group.vouched_coordinator(&self.cx, &self.mesh);
        self.mesh.ping_silent_links(&mut self.cx, hurry, vouched);
        (self.mesh).report_silent(&mut self.cx, &self.group, self.group.leader());
        let (group, mut parts) = self.group();
        group.raise_alarm(&mut parts);
        if !group.is_alarmed() {
            parts.mesh.end_knock(parts.cx);
        }
        self.mesh.drop_silent_links(&mut self.cx, &self.group);
        let (talk, mut lent) = self.talk();
        talk.remind_of_being_behind(&mut lent);
        self.mesh.tend_mesh(&mut self.cx, &self.group);
        self.mesh.tend_peers(&mut self.cx, &self.group);
        let (group, mut parts) = self.group();
        group.put_off_watch(&mut parts);
        group.watch_members(&mut parts);
        group.check_membership(&mut parts);
        group.look_at_doubt(&mut parts);
        group.look_at_awaited(&mut parts);
        group.look_at_clocks(&mut parts);
        let (talk, mut lent) = self.talk();
        talk.look_at_stability(&mut lent);
        talk.look_at_finds(&mut lent);
        talk.step_joining(&mut lent);
    }

    fn on_message(&mut self, link: LinkId, message: Message) {
        if let Message::Hello(hello) = message {
            let greeting = self.greeting();
            return (self.mesh).on_hello(&mut self.cx, &self.group, greeting, (link, hello));
        }
        let Some(key) = self.mesh.heard(&mut self.cx, &self.group, link) else {
            return;
        };
        if let Message::Chat(messages) = &message
            && messages.iter().any(|m| m.origin() != key)
        {
            // Live chat is its author's own; others pass it on by SYNC.
            let why = "live chat of another author than the link's";
            return self.mesh.refuse(&mut self.cx, &self.group, link, why);
        }
        let is_current = self.mesh.open_to(key) == Some(link);
        match message {
            // Who is at the other end was settled before HELLO.
            Message::Introduction(_) | Message::Proof(_) => {}
            Message::Hello(_) | Message::Unknown(_) => {}
            Message::Relay(relay) if relay.request.is_some() => {
                if is_current {
                    let (group, mut parts) = self.group();
                    group.on_carried(&mut parts, link, key, relay);
                }
            }
            Message::Chat(_)
            | Message::Private(_)
            | Message::Chunk(_)
            | Message::Comparison(_)
            | Message::Ack(_)
            | Message::Stable(_)
            | Message::Relay(_) => self.on_talk_message(link, key, message),
            Message::Leave => {
                let (group, mut parts) = self.group();
                group.on_leave(&mut parts, key);
            }
            // A link that was replaced is read to its end for the chat on it; what it still says
            // of the group was said before the new link was opened.
            _ if !is_current => {}
            Message::Ping { coordinator } => self.on_ping(link, key, coordinator),
            Message::Probe(about) => {
                let told = self.group.vouched_coordinator(&self.cx, &self.mesh);
                let asked = (link, key, about);
                self.mesh.on_probe(&mut self.cx, &self.group, asked, told);
            }
            Message::ProbeAnswer(about) => {
                (self.mesh).on_probe_answer(&self.cx, &self.group, key, about);
            }
            Message::Sync(_)
            | Message::SyncAnswer(_)
            | Message::Compare(_)
            | Message::Fetch(_)
            | Message::Behind => self.on_talk_message(link, key, message),
            _ => {
                let (group, mut parts) = self.group();
                group.on_message(&mut parts, link, key, message);
            }
        }
    }

    fn on_talk_message(&mut self, link: LinkId, key: Key, message: Message) {
        let (talk, mut lent) = self.talk();
        talk.note_answer(&lent, (link, key), &message);
        talk.note_word_or_none(&lent, (link, key), &message);
        match message {
            Message::Chat(messages) => talk.on_chat(&mut lent, link, key, messages),
            Message::Private(private) => talk.on_private(&mut lent, key, private),
            Message::Chunk(chunk) => talk.on_chunk(&mut lent, link, chunk),
            Message::Ack(ack) => talk.on_ack(&mut lent, key, &ack),
            Message::Stable(stable) => {
                lent.mesh.note_word(link);
                talk.on_stable(&mut lent, key, stable);
            }
            Message::Relay(relay) => talk.on_relay(&mut lent, key, relay),
            Message::Sync(sync) => talk.on_sync(&mut lent, link, key, &sync),
            Message::SyncAnswer(answer) => talk.on_sync_answer(&mut lent, link, &answer),
            Message::Compare(compare) => talk.on_compare(&mut lent, link, &compare),
            Message::Comparison(c) => talk.on_comparison(&mut lent, link, &c),
            Message::Fetch(fetch) => talk.on_fetch(&mut lent, link, &fetch),
            Message::Behind => talk.want_sync(&mut lent, key, Why::Behind),
            _ => {}
        }
    }

    fn on_ping(&mut self, link: LinkId, key: Key, told: Option<Coordinator>) {
        let coordinator = self.group.vouched_coordinator(&self.cx, &self.mesh);
        let pong = Message::Pong { coordinator };
        self.cx.send(link, Class::Control, pong);
        let (group, mut parts) = self.group();
        group.on_told(&mut parts, link, key, told);
    }

    /// What HELLO says of the group and of the history.
    fn greeting(&mut self) -> Greeting {
        let coordinator = self.group.vouched_coordinator(&self.cx, &self.mesh);
        let (talk, lent) = self.talk();
        let floor = talk.complete_above(&lent);
        Greeting {
            coordinator,
            floor,
            oldest: talk.oldest_beyond(floor),
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Say(lines) => {
                let (talk, mut lent) = self.talk();
                talk.say(&mut lent, &lines);
            }
            Command::Private { to, text } => {
                let (talk, mut lent) = self.talk();
                talk.say_privately(&mut lent, to, text);
            }
            Command::Rename(nick) => self.rename(nick),
            Command::Elect => {
                let (group, mut parts) = self.group();
                group.elect_now(&mut parts);
            }
            Command::Leave { patience } => {
                let (group, mut parts) = self.group();
                group.start_leaving(&mut parts, patience);
            }
        }
    }

    fn rename(&mut self, nick: String) {
        self.cx.config.nick.clone_from(&nick);
        let (group, mut parts) = self.group();
        if let Some(me) = group.roster().get(parts.cx.config.key).cloned() {
            group.update_own_entry(&mut parts, Member { nick, ..me });
        }
    }

    fn on_addresses(&mut self, addresses: Vec<crate::wire::Address>) {
        self.cx.config.addresses = addresses;
        self.cx.config.addresses.truncate(limits::ADDRESSES_MAX);
        let (group, mut parts) = self.group();
        if let Some(me) = group.roster().get(parts.cx.config.key).cloned() {
            let addresses = parts.cx.config.addresses.clone();
            group.update_own_entry(&mut parts, Member { addresses, ..me });
        }
    }
}
