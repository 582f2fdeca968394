//! Coming in: the discovery window, asking a coordinator in, and being let in.
//!
//! Owns the questions that this node asks. Who answers them is `office`'s business; what an answer
//! changes is `view`'s.

use std::net::SocketAddr;
use std::time::Duration;

use super::claims::Route;
use super::{
    Claim, Class, Coordinator, Effect, Key, LinkId, Node, Standing, Time, Timer, Weakness,
};
use crate::wire::{Address, Datagram, JoinRequest, JoinResponse, Message, VERSION};

/// How often a request is repeated within the window.
pub(super) const RETRY: Duration = Duration::from_millis(150);
/// The discovery window: four requests.
pub(super) const WINDOW: Duration = Duration::from_millis(600);
/// How long a coordinator that was just heard is left to dial us before we dial it.
const LEAVE_TO_COORDINATOR: Duration = Duration::from_millis(20);
/// The longest pause between two questions, in retry intervals.
const RETRY_SLOWEST: u32 = 6;
/// Joiners that one member answers at a time.
pub(super) const REFERRALS_MAX: usize = 16;

/// The search of a node that never had an id.
#[derive(Debug)]
pub(super) struct Seek {
    attempt: u64,
    asked_first: Time,
    window_end: Time,
    extended: bool,
    /// The group that it has heard of, and when it last did.
    heard: Option<(Coordinator, Time)>,
    /// Since when it knows of a group, and is not in it.
    heard_first: Option<Time>,
    /// The user knows that the group cannot be reached.
    warned: bool,
}

impl Seek {
    pub(super) fn new(now: Time) -> Seek {
        Seek {
            attempt: 0,
            asked_first: now,
            window_end: now + WINDOW,
            extended: false,
            heard: None,
            heard_first: None,
            warned: false,
        }
    }

    pub(super) fn has_heard(&self) -> bool {
        self.heard.is_some()
    }
}

/// A coordinator that this node asks to be let in.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) target: Coordinator,
    /// When somebody last said first-hand that it lives.
    pub(super) vouched: Time,
    /// When this node began to ask.
    pub(super) begun: Time,
    attempt: u32,
    /// The last lower claim that was heard meanwhile, and when.
    instead: Option<(Coordinator, Time)>,
}

impl Node {
    pub(super) fn start_seeking(&mut self) {
        self.standing = Standing::Seeking(Seek::new(self.now.time));
        self.multicast_request(0);
        self.ask_peers();
        self.arm_join(RETRY);
    }

    fn arm_join(&mut self, after: Duration) {
        let at = self.now.time + after + self.jitter(RETRY / 8);
        self.set_timer(Timer::Join, at);
    }

    pub(super) fn request(&self, attempt: u64) -> JoinRequest {
        JoinRequest {
            version: VERSION,
            room: self.config.room.clone(),
            key: self.config.key,
            nick: self.config.nick.clone(),
            attempt,
            port: self.config.port,
            addresses: self.config.addresses.clone(),
            id: self.id,
            next_id: if self.id.is_some() {
                self.roster.next_id
            } else {
                0
            },
            view_version: self.version_seen,
            office: matches!(self.standing, Standing::Coordinator(_)),
            history: self.config.wants_history,
        }
    }

    fn multicast_request(&mut self, attempt: u64) {
        let datagram = Datagram::JoinRequest(self.request(attempt));
        self.out.push(Effect::Multicast(datagram));
    }

    pub(super) fn on_join_timer(&mut self) {
        if matches!(self.standing, Standing::Seeking(_)) {
            self.step_seeking();
        } else if self.asking.is_some() {
            self.step_asking();
        } else {
            self.step_adrift();
        }
    }

    fn step_seeking(&mut self) {
        let (now, patience) = (self.now.time, self.config.failure_timeout + WINDOW);
        let Standing::Seeking(seek) = &mut self.standing else {
            return;
        };
        if seek
            .heard
            .as_ref()
            .is_some_and(|(_, at)| now.since(*at) >= patience)
        {
            seek.heard = None;
        }
        if seek.heard.is_none() && now >= seek.window_end {
            return self.found_group();
        }
        seek.attempt += 1;
        let attempt = seek.attempt;
        let outside = seek.heard_first.is_some_and(|at| now.since(at) >= patience);
        let unreached = match &seek.heard {
            Some((group, _)) if outside && !seek.warned => Some(group.clone()),
            _ => None,
        };
        seek.warned |= unreached.is_some();
        let left = seek.window_end.since(now);
        let searching = seek.heard.is_none() && left > Duration::ZERO;
        if let Some(group) = unreached {
            self.explain_unreached(&group);
        }
        self.multicast_request(attempt);
        self.ask_peers();
        self.ask_heard_group();
        if searching && left < RETRY * 5 / 4 {
            self.set_timer(Timer::Join, now + left);
        } else {
            self.arm_join(RETRY);
        }
    }

    /// Seeking, and somebody says that there is a group.
    pub(super) fn hear_of_group(&mut self, told: &Coordinator, route: Route) {
        let now = self.now.time;
        self.note_version(told);
        let Standing::Seeking(seek) = &mut self.standing else {
            return;
        };
        if seek
            .heard
            .as_ref()
            .is_some_and(|(c, _)| c.claim() > told.claim())
        {
            return;
        }
        let is_new = seek.heard.as_ref().is_none_or(|(c, _)| c.key != told.key);
        seek.heard = Some((told.clone(), now));
        seek.heard_first.get_or_insert(now);
        let just_asked = now.since(seek.asked_first) < LEAVE_TO_COORDINATOR;
        // A coordinator that dialled this node, or is about to, answers the first request.
        let answers = match route {
            Route::Beat(_) => just_asked,
            Route::Link(id) => {
                let link = self.links.get(id);
                link.is_some_and(|l| !l.is_ours() && l.key == Some(told.key))
            }
            Route::Pointed => false,
        };
        if is_new && !answers {
            self.ask_heard_group();
        }
    }

    fn ask_heard_group(&mut self) {
        let Standing::Seeking(Seek {
            attempt,
            heard: Some((group, _)),
            ..
        }) = &self.standing
        else {
            return;
        };
        let (attempt, key, addresses) = (*attempt, group.key, group.addresses.clone());
        self.ask_at(key, &addresses, attempt);
        self.ask_through_neighbour(key, attempt);
    }

    /// Asks on the link with a coordinator, or dials it; the question follows HELLO.
    pub(super) fn ask_at(&mut self, key: Key, addresses: &[Address], attempt: u64) {
        match self.links.open_to(key).filter(|_| self.is_alive(key)) {
            Some(link) => {
                let request = self.request(attempt);
                self.send(link, Class::Control, Message::JoinRequest(request));
            }
            None => self.dial(key, addresses, false),
        }
    }

    /// A link opened: if its peer is the one to ask, it is asked.
    pub(super) fn ask_on_link(&mut self, key: Key) {
        let sought = match &self.standing {
            Standing::Seeking(seek) => {
                let ours = self.links.to(key).is_some_and(|l| l.is_ours());
                ours && seek.heard.as_ref().is_some_and(|(c, _)| c.key == key)
            }
            Standing::Adrift { .. } => self.asking.is_none(),
            _ => false,
        };
        let asked = self.asking.as_ref().is_some_and(|a| a.target.key == key);
        if (sought || asked)
            && let Some(link) = self.links.open_to(key)
        {
            let request = self.request(1);
            self.send(link, Class::Control, Message::JoinRequest(request));
        }
    }

    /// Seeking, and this is the coordinator heard of.
    pub(super) fn is_sought(&self, key: Key) -> bool {
        let Standing::Seeking(seek) = &self.standing else {
            return false;
        };
        seek.heard.as_ref().is_some_and(|(c, _)| c.key == key)
    }

    /// The group's coordinator is gone before it let this node in.
    pub(super) fn forget_group(&mut self, key: Key) {
        if let Standing::Seeking(seek) = &mut self.standing {
            seek.heard.take_if(|(c, _)| c.key == key);
        }
    }

    fn found_group(&mut self) {
        self.explain_peers();
        self.id = Some(1);
        self.take_office("nobody else is in the room");
        self.whole_above = Some(self.history.floor());
        // What came so far is from a room that did not let this node in.
        self.enter_past(self.clock.last(), Vec::new());
        self.complete_join(false);
    }

    pub(super) fn on_join_datagram(&mut self, from: SocketAddr, request: JoinRequest) {
        if request.room != self.config.room
            || request.version != VERSION
            || request.key == self.config.key
        {
            return;
        }
        let rival = request.id.is_none()
            && request.key > self.config.key
            && self.config.weakened != Some(Weakness::NoTieBreak);
        match &mut self.standing {
            Standing::Seeking(seek) if rival && !seek.extended => {
                seek.extended = true;
                seek.window_end = seek.window_end + WINDOW;
            }
            Standing::Coordinator(_) => self.consider_request(from, request),
            Standing::Member if request.attempt > 0 => {
                self.refer_later(from);
                self.offer_link(from, &request);
            }
            _ => {}
        }
    }

    /// A request on a link: the coordinator lets its sender in, others point to the coordinator.
    pub(super) fn on_join_request(&mut self, link: LinkId, key: Key, request: &JoinRequest) {
        if request.version != VERSION {
            return;
        }
        if request.key != key {
            return self.on_relayed_request(link, key, request);
        }
        let Some(claim) = self.coordinator() else {
            return;
        };
        if !matches!(self.standing, Standing::Coordinator(_)) {
            self.pass_on_request(claim.key, request);
            if let Some(coordinator) = self.vouched_coordinator()
                && coordinator.key != key
            {
                self.send(link, Class::Control, Message::Referral(coordinator));
            }
            return;
        }
        self.consider_asker(link, key, request);
    }

    /// This node coordinates: whoever asks is let in, but a higher coordinator is asked itself.
    pub(super) fn consider_asker(&mut self, link: LinkId, key: Key, request: &JoinRequest) {
        let Some(claim) = self.coordinator() else {
            return;
        };
        match request.id {
            Some(id) if request.office && (Claim { id, key }) > claim => {
                let told = Coordinator {
                    id,
                    key,
                    addresses: request.addresses.clone(),
                    version: request.view_version,
                    next_id: request.next_id,
                };
                self.hear_claim(&told, Route::Link(link));
            }
            _ => self.admit(link, key, request),
        }
    }

    /// A higher coordinator, or one that was pointed to: asks in there, again and again as long as
    /// somebody vouches for it.
    pub(super) fn ask_in(&mut self, target: Coordinator) {
        if self.leaving.is_some() {
            return;
        }
        let vouched = self.now.time;
        if let Some(asking) = &mut self.asking
            && (asking.target.key == target.key || asking.target.claim() > target.claim())
        {
            if asking.target.key != target.key {
                asking.instead = Some((target, vouched));
            }
            return;
        }
        self.asking = Some(Asking {
            target,
            vouched,
            begun: vouched,
            attempt: 0,
            instead: None,
        });
        self.step_asking();
    }

    fn step_asking(&mut self) {
        let patience = self.config.failure_timeout + WINDOW;
        let Some(asking) = &mut self.asking else {
            return;
        };
        let (key, addresses) = (asking.target.key, asking.target.addresses.clone());
        if self.now.time.since(asking.vouched) >= patience
            || self.left.contains(key)
            || self.dead.contains(key)
        {
            return self.stop_asking();
        }
        asking.attempt = (asking.attempt + 1).min(RETRY_SLOWEST);
        let attempt = asking.attempt;
        self.ask_at(key, &addresses, u64::from(attempt));
        self.ask_through_neighbour(key, u64::from(attempt));
        self.arm_join(RETRY * attempt);
    }

    /// Gives up on the coordinator that was asked. Without one of its own this node turns to the
    /// other that it heard of meanwhile: as long as somebody coordinates, nobody elects.
    pub(super) fn stop_asking(&mut self) {
        let asking = self.asking.take();
        if !matches!(self.standing, Standing::Adrift { .. }) {
            return;
        }
        let timeout = self.config.failure_timeout;
        match asking.and_then(|a| a.instead) {
            Some((other, at)) if self.since(at) < timeout => self.ask_in(other),
            _ => self.step_adrift(),
        }
    }

    /// Without a coordinator, and nobody answers: takes the office up again, or elects.
    fn step_adrift(&mut self) {
        let Standing::Adrift { until, held_office } = self.standing else {
            return;
        };
        if self.now.time < until {
            self.ask_everybody();
            let left = until.since(self.now.time);
            return self.set_timer(Timer::Join, self.now.time + left.min(RETRY));
        }
        if self.leaving.is_some() {
            return;
        }
        if held_office {
            self.take_office("nobody took over while this node was away");
        } else {
            self.start_election("nobody vouches for a coordinator", false, None);
        }
    }

    fn ask_everybody(&mut self) {
        self.multicast_request(1);
        let links = self.links.all_open();
        let request = self.request(1);
        self.send_many(links, Class::Control, Message::JoinRequest(request));
    }

    /// This node was away: it gives up office and asks in.
    pub(super) fn ask_after_absence(&mut self) {
        let until = self.now.time + WINDOW;
        self.away_until = until;
        match &mut self.standing {
            Standing::Gone => {}
            Standing::Seeking(seek) => {
                seek.window_end = until;
                self.step_seeking();
            }
            Standing::Member => {
                self.multicast_request(1);
                if let Some(target) = self.coordinator.clone() {
                    self.watch_coordinator(target.key);
                    self.asking = None;
                    self.ask_in(target);
                }
            }
            Standing::Coordinator(_) => self.drift(until, true),
            Standing::Electing(_) => self.drift(until, false),
            Standing::Adrift { held_office, .. } => {
                let held_office = *held_office;
                self.drift(until, held_office);
            }
        }
    }

    /// Gives up what it holds and asks around until then.
    pub(super) fn drift(&mut self, until: Time, held_office: bool) {
        self.end_election("others may have gone on without this node");
        self.cancel_timer(Timer::Heartbeat);
        self.cancel_timer(Timer::Election);
        self.coordinator = None;
        self.asking = None;
        self.standing = Standing::Adrift { until, held_office };
        self.step_adrift();
    }

    pub(super) fn on_join_response(&mut self, key: Key, response: JoinResponse) {
        if self.pass_on_response(key, &response) {
            return;
        }
        let view = response.view;
        let leader = view.coordinator;
        if leader != key && !self.may_bring_answer(key, leader) {
            return;
        }
        let Some(roster) = super::Roster::from_view(view) else {
            return;
        };
        let mine = roster.get(self.config.key).map(|m| m.id);
        let Some(claim) = roster.claim().filter(|_| mine == Some(response.id)) else {
            return;
        };
        let own = self.coordinator();
        if own.is_some_and(|c| c.key == leader) && !self.waits_for(leader) {
            // A second answer to a question that was asked twice.
            if roster.version > self.roster.version {
                self.follow(roster);
            }
            return;
        }
        let wanted = match &self.standing {
            Standing::Seeking(_) => true,
            Standing::Gone => false,
            Standing::Member if own.is_some_and(|c| c.key == leader) => {
                roster.version >= self.roster.version
            }
            // Not asked, not followed: anybody could call itself a higher coordinator.
            Standing::Member | Standing::Coordinator(_) => {
                self.waits_for(leader) && own.is_none_or(|c| claim > c)
            }
            Standing::Electing(_) | Standing::Adrift { .. } => true,
        };
        if !wanted {
            return;
        }
        self.clock.observe(response.clock);
        let first = !self.joined && self.joining.is_none();
        let elsewhere = !self.joined && self.is_let_in_elsewhere(key);
        if first || elsewhere {
            let members = roster.members().iter().map(|m| m.key).collect();
            if elsewhere {
                self.past.keep_words();
            }
            self.enter_past(response.clock, members);
        }
        self.follow(roster);
        // It is the coordinator's, whoever brings the answer.
        if let Some(link) = (self.links.open_to(leader)).and_then(|l| self.links.get_mut(l)) {
            link.complete_above = response.floor.map(|floor| (floor, Some(leader)));
        }
        if first && !self.config.wants_history {
            self.history.raise_floor(response.newest);
            self.whole_above = Some(self.history.floor());
        }
        let has_history = first && !self.config.wants_history;
        self.begin_joining(!first, key, has_history);
    }

    /// True if this node has asked its own coordinator in again.
    pub(super) fn waits_for(&self, key: Key) -> bool {
        let asked = self.asking.as_ref().is_some_and(|a| a.target.key == key);
        asked || !self.roster.contains(self.config.key)
    }
}
