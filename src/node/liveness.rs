//! Who lives: PINGs, the watch on the coordinator, the watch on members, indirect probes (SWIM,
//! Das et al. 2002), and being away oneself.
//!
//! Only a link decides whether its peer lives; what follows from a death is the election's and the
//! office's business.

use super::{Class, Coordinator, Key, LinkId, Message, Node, Standing, Time, Timer, Weakness};
use crate::limits;

/// How many neighbours are asked about a silent peer (SWIM's k).
const PROBE_FANOUT: usize = 8;
/// A member is believed lost by its coordinator after this many failure time-outs.
pub(super) const MEMBER_PATIENCE: u32 = 3;

/// A silence that is being looked into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspect {
    pub(super) since: Time,
    /// A neighbour has heard it since.
    pub(super) vouched: bool,
}

impl Node {
    /// Each heartbeat: a look at every link.
    pub(super) fn on_tick(&mut self) {
        self.look_at_links(self.next_tick + self.config.heartbeat);
    }

    /// A HEARTBEAT came or went: this node is awake, and so is everybody else. Who looks at its
    /// links now need not wake up for it again.
    pub(super) fn tick_with_beat(&mut self) {
        let heartbeat = self.config.heartbeat;
        // The next HEARTBEAT is to come first.
        let next = self.now.time + heartbeat + heartbeat / 8;
        if self.since(self.looked) >= heartbeat / 2 {
            self.look_at_links(next);
        } else {
            self.set_next_tick(next);
        }
    }

    fn set_next_tick(&mut self, at: Time) {
        self.next_tick = at.max(self.now.time);
        self.set_timer(Timer::Tick, self.next_tick);
    }

    fn look_at_links(&mut self, next: Time) {
        self.set_next_tick(next);
        self.looked = self.now.time;
        self.left.forget_older(self.now.time, super::LEFT_FOR);
        self.ping_silent_links();
        self.drop_silent_links();
        self.remind_of_being_behind();
        self.tend_mesh();
        self.tend_peers();
        self.watch_members();
        self.check_membership();
        self.look_at_stability();
        self.look_at_finds();
        self.step_joining();
    }

    fn ping_silent_links(&mut self) {
        // Where ticks are rare, half the time-out may pass just after one: the answer to the PING of
        // the next one must still come in time.
        let (timeout, heartbeat) = (self.config.failure_timeout, self.config.heartbeat);
        let enough = (timeout / 2).min((timeout * 3 / 4).saturating_sub(heartbeat));
        let beat_missing = self.since(self.last_beat) > self.config.heartbeat * 2;
        let leader = self.coordinator.as_ref().map(|c| c.key);
        let mut due = Vec::new();
        for (key, id, link) in self.links.open_links() {
            let silence = self.since(link.heard);
            // Of a pair that look at each other at the same time, one is a little earlier.
            let enough = if self.config.key < key {
                (enough / 2).max(enough.saturating_sub(heartbeat / 2))
            } else {
                enough
            };
            let hurry = beat_missing && Some(key) == leader && silence >= self.config.heartbeat;
            if link.pinged.is_none() && (silence >= enough || hurry) {
                due.push(id);
            }
        }
        self.ping(due);
    }

    fn ping(&mut self, links: Vec<LinkId>) {
        for id in &links {
            let now = self.now.time;
            if let Some(link) = self.links.get_mut(*id) {
                link.pinged.get_or_insert(now);
            }
        }
        self.counters.pings += links.len() as u64;
        let coordinator = self.vouched_coordinator();
        self.send_many(links, Class::Control, Message::Ping { coordinator });
    }

    /// Tells these peers who coordinates, by a PING.
    pub(super) fn tell_claim(&mut self, links: Vec<LinkId>) {
        self.ping(links);
    }

    pub(super) fn on_ping(&mut self, link: LinkId, key: Key, told: Option<Coordinator>) {
        let coordinator = self.vouched_coordinator();
        self.send(link, Class::Control, Message::Pong { coordinator });
        self.on_told(link, key, told);
    }

    /// When this peer was last heard, on its link or before it lost it.
    pub(super) fn heard_from(&self, key: Key) -> Time {
        let linked = self.links.to(key).map(|l| l.heard);
        linked
            .or_else(|| self.silent_since.get(&key).copied())
            .unwrap_or(self.now.time)
    }

    /// Sends one PING, and asks neighbours; the silence is believed a heartbeat later.
    fn suspect(&mut self, key: Key) {
        let since = self.now.time;
        let vouched = false;
        self.suspects.insert(key, Suspect { since, vouched });
        if let Some(id) = self.links.open_to(key) {
            self.ping(vec![id]);
        }
        if self.config.weakened == Some(Weakness::NoIndirectProbe) {
            return;
        }
        let mut neighbours: Vec<LinkId> = self
            .links
            .open_links()
            .filter(|(k, _, l)| *k != key && self.since(l.heard) < self.config.failure_timeout)
            .map(|(_, id, _)| id)
            .collect();
        self.rng.shuffle(&mut neighbours);
        neighbours.truncate(PROBE_FANOUT);
        self.send_many(neighbours, Class::Control, Message::Probe(key));
    }

    pub(super) fn watch_coordinator(&mut self, key: Key) {
        let at = self.heard_from(key) + self.config.failure_timeout;
        self.set_timer(Timer::Watch, at.max(self.now.time));
    }

    /// The watch on the coordinator expired, perhaps: it is re-armed lazily.
    pub(super) fn on_watch(&mut self) {
        let (Standing::Member, Some(leader)) = (&self.standing, &self.coordinator) else {
            return;
        };
        let key = leader.key;
        let (timeout, heartbeat) = (self.config.failure_timeout, self.config.heartbeat);
        if self.since(self.heard_from(key)) < timeout {
            self.suspects.remove(&key);
            return self.watch_coordinator(key);
        }
        match self.suspects.get(&key).copied() {
            None => {
                self.suspect(key);
                self.set_timer(Timer::Watch, self.now.time + heartbeat);
            }
            Some(s) if self.since(s.since) < heartbeat => {
                self.set_timer(Timer::Watch, s.since + heartbeat);
            }
            Some(s) if s.vouched => {
                self.suspects.remove(&key);
                self.set_timer(Timer::Watch, self.now.time + timeout);
            }
            Some(_) => self.lose_coordinator("the coordinator fell silent"),
        }
    }

    /// True if this peer has left a PING unanswered for long enough to believe somebody else who
    /// says that it is gone.
    pub(super) fn seems_silent(&self, key: Key) -> bool {
        match self.links.to(key) {
            None => true,
            Some(link) => {
                let unanswered = link.pinged.map(|t| self.since(t));
                unanswered.is_some_and(|d| d >= self.config.heartbeat / 2)
            }
        }
    }

    /// The coordinator watches members as they watch it, with three times the patience.
    fn watch_members(&mut self) {
        if !matches!(self.standing, Standing::Coordinator(_)) {
            return;
        }
        let patience = self.config.failure_timeout * MEMBER_PATIENCE;
        for key in self.roster.keys() {
            if key == self.config.key || self.since(self.heard_from(key)) < patience {
                continue;
            }
            match self.suspects.get(&key).copied() {
                None => self.suspect(key),
                Some(s) if self.since(s.since) < self.config.heartbeat => {}
                Some(s) if s.vouched => {
                    self.suspects.remove(&key);
                    self.silent_since.insert(key, self.now.time);
                }
                Some(_) => self.lose_member(key),
            }
        }
    }

    pub(super) fn on_probe(&mut self, link: LinkId, asker: Key, about: Key) {
        if about == self.config.key {
            return self.send(link, Class::Control, Message::ProbeAnswer(about));
        }
        let Some(id) = self.links.open_to(about) else {
            return;
        };
        if !self.roster.contains(asker) {
            return;
        }
        if let Some(peer) = self.links.get_mut(id)
            && peer.probers.len() < limits::PROBES_MAX
            && !peer.probers.contains(&asker)
        {
            peer.probers.push(asker);
        }
        self.ping(vec![id]);
    }

    pub(super) fn answer_probers(&mut self, about: Key, probers: &[Key]) {
        let links = probers
            .iter()
            .filter_map(|k| self.links.open_to(*k))
            .collect();
        self.send_many(links, Class::Control, Message::ProbeAnswer(about));
    }

    pub(super) fn on_probe_answer(&mut self, from: Key, about: Key) {
        if self.roster.contains(from)
            && let Some(suspect) = self.suspects.get_mut(&about)
        {
            suspect.vouched = true;
        }
    }

    /// This node was away for longer than the failure time-out: the others may have gone on without
    /// it. It gives up office, gives everybody one fresh time-out, and asks in.
    pub(super) fn on_away(&mut self) {
        if self.config.weakened == Some(Weakness::NoAwayRule) {
            return;
        }
        let now = self.now.time;
        self.next_tick = now;
        for link in self.links.all_mut() {
            link.heard = now;
            link.pinged = None;
            link.probers.clear();
        }
        for since in self.silent_since.values_mut() {
            *since = now;
        }
        self.suspects.clear();
        self.last_beat = now;
        if self.config.weakened != Some(Weakness::NoPatienceAfterAbsence) {
            self.gaps.come_back(now);
        }
        self.ask_after_absence();
    }
}
