//! The record: what users said and were shown, handed to the checkers as it happens.
//!
//! Owns the checkers and what they need to know of one run. It reads a node only through its public
//! getters, and changes nothing.
//!
//! | file | subject |
//! | --- | --- |
//! | `group` | what is shown of the group: who comes and goes, who coordinates, whose view has whom |
//! | `word` | what a node says of messages: delivered, missed, and all of it when it leaves |

mod group;
mod word;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use papo::node::{Arrival, Effect, Event, Lack};
use papo::wire::{ChatMessage, Key, MessageId, Position};

use super::agenda::RunId;
use super::arrivals::Arrivals;
use super::checks::churn::Churn;
use super::checks::convergence::Held;
use super::checks::delivered::{Delivered, Word};
use super::checks::election::Elections;
use super::checks::farewell::Farewell;
use super::checks::integrity::Integrity;
use super::checks::ledger::{Known, Ledger};
use super::checks::liveness::{Due, Liveness};
use super::checks::lying::Lying;
use super::checks::naming::Naming;
use super::checks::offices::Offices;
use super::checks::once::Once;
use super::checks::order::Order;
use super::checks::views::Views;
use super::checks::{Verdict, Violation};
use super::holding;
use super::lacks::Lacks;
use super::liar::Plan;
use super::process::Process;
use super::scenario::SECOND;
use super::scene::{STEADY, Scene};
use super::store::Store;

/// No election takes longer, whatever fails meanwhile.
const ELECTION_LONGEST: u64 = 15 * SECOND;

/// All checkers of one run.
#[derive(Debug, Default)]
pub struct Record {
    runs: BTreeMap<Key, RunId>,
    keys: Vec<Key>,
    positions: BTreeMap<MessageId, Position>,
    shown: BTreeMap<RunId, Vec<Position>>,
    /// Who was shown that which member is gone.
    parted: BTreeSet<(RunId, Key)>,
    /// Who had a link with whom at some time, as it knew itself.
    linked: BTreeSet<(RunId, Key)>,
    /// Who has had whom in its view at some time.
    counted: BTreeSet<(RunId, Key)>,
    /// Who has counted on whom, and had a link with it then that was not cut.
    could_tell: BTreeSet<(RunId, Key)>,
    views_seen: BTreeMap<RunId, (Key, u64, usize)>,
    /// Whom each had in its view last, and when it lost whom.
    members_seen: BTreeMap<RunId, Vec<Key>>,
    lost_at: BTreeMap<(RunId, Key), u64>,
    arrivals: Arrivals,
    /// No multicast is lost, but where hosts are cut from each other.
    all_are_heard: bool,
    /// When times are looked at again.
    pub next_look: u64,
    /// How long the network takes at most when nothing is wrong.
    delay: u64,
    /// How long one datagram takes at most.
    trip: u64,
    /// How long a silence may be.
    timeout: u64,
    pub integrity: Integrity,
    pub once: Once,
    pub order: Order,
    pub views: Views,
    pub delivered: Delivered,
    pub ledger: Ledger,
    pub elections: Elections,
    pub liveness: Liveness,
    pub churn: Churn,
    pub offices: Offices,
    pub farewell: Farewell,
    pub naming: Naming,
    pub lying: Lying,
}

impl Record {
    pub fn new(delay: u64, timeout: u64) -> Record {
        Record {
            delay,
            timeout,
            ..Record::default()
        }
    }

    /// The same, where no multicast is lost, but where hosts are cut from each other, and takes so long at most.
    pub fn with_multicast(mut self, all_are_heard: bool, trip: u64) -> Record {
        self.all_are_heard = all_are_heard;
        self.trip = trip;
        self
    }

    /// The same, where somebody lies: what it says is nobody's word.
    pub fn with_liar(mut self, plan: Option<&Plan>) -> Record {
        self.lying = Lying::new(plan);
        self
    }

    /// The processes of this host lie.
    pub fn on_liar(&mut self, run: RunId) {
        self.lying.on_liar(run, self.keys[run]);
    }

    pub fn on_started(&mut self, run: RunId, key: Key) {
        self.runs.insert(key, run);
        self.keys.push(key);
        self.ledger.on_started(run);
    }

    pub fn run_of(&self, key: Key) -> Option<RunId> {
        self.runs.get(&key).copied()
    }

    pub fn on_said(&mut self, run: RunId, text: &str) {
        if self.lying.is_liar(run) {
            return;
        }
        self.integrity.on_said(self.keys[run], text);
        self.order.on_said(run, text);
    }

    /// How many messages were written in all.
    pub fn written(&self) -> usize {
        self.positions.len()
    }

    pub fn shown_to(&self, run: RunId) -> Vec<Position> {
        self.shown.get(&run).cloned().unwrap_or_default()
    }

    /// A node shows something; `later` are the effects that follow in the same batch.
    pub fn on_show(
        &mut self,
        at: (RunId, u64),
        event: &Event,
        later: &[Effect],
        scene: Scene<'_>,
    ) -> Verdict {
        let (run, now) = at;
        if self.lying.is_liar(run) {
            return Ok(());
        }
        self.on_turn(at, scene)?;
        match event {
            Event::Joined { again } => {
                self.arrivals.on_joined(run, now, *again);
                if *again {
                    self.ledger.on_joined_again(run);
                    return Ok(());
                }
                self.is_no_room_beside_others((run, now), scene)?;
                self.on_joined(at, later, scene)
            }
            Event::Messages {
                messages,
                own,
                arrival,
            } => {
                let mut messages = messages.iter();
                messages
                    .try_for_each(|message| self.on_message(at, message, (*own, *arrival), scene))
            }
            Event::Missed {
                key,
                first,
                last,
                lack: Lack::Unstored,
                ..
            } => self.on_given_up(run, *key, (*first, *last), scene),
            Event::Missed {
                key, first, last, ..
            } => {
                self.on_missed_early(at, *key, (*first, *last), scene)?;
                let Some((first, last)) = self.written_of(*key, (*first, *last)) else {
                    return Ok(());
                };
                let (first, last) = (&first, &last);
                for seq in *first..=*last {
                    let origin = *key;
                    self.order.on_missed(run, MessageId { origin, seq });
                }
                self.on_missed(at, *key, (*first, *last), scene)
            }
            Event::Private {
                key,
                text,
                own: false,
                ..
            } => {
                if self.lying.is_lie(*key) {
                    return Ok(());
                }
                let to = self.keys[run];
                self.integrity.on_private_shown(run, (*key, to), text)
            }
            Event::Delivered {
                first,
                last,
                members,
                confirmed,
                missed,
            } => {
                let word = Word {
                    members: *members,
                    confirmed: *confirmed,
                    missed,
                };
                (*first..=*last).try_for_each(|seq| self.on_delivered(run, seq, word, scene))
            }
            Event::Left { confirmed, .. } => {
                self.naming.on_left(run, *confirmed)?;
                self.leaves_nobody_behind((run, at.1), scene)?;
                self.on_left(run, *confirmed, scene)
            }
            Event::Warning(text) => self.naming.on_warning(run, text),
            _ => self.on_change_of_group(at, event, scene),
        }
    }

    /// Whoever comes while somebody is there who hears it comes into that room, whatever its coordinator does.
    fn is_no_room_beside_others(&self, (run, now): (RunId, u64), scene: Scene<'_>) -> Verdict {
        let members = scene.processes[run].node.members();
        if !self.all_are_heard || self.lying.is_any() || members.len() != 1 {
            return Ok(());
        }
        match (self.arrivals).founds_beside((run, now), self.trip, scene) {
            None => Ok(()),
            Some(other) => {
                let text = format!("run {run} founds a room of its own, and run {other} hears it");
                Err(Violation::new("arrival", text))
            }
        }
    }

    /// The history that a joiner was sent counts as old, whether its user sees it or not.
    fn on_joined(
        &mut self,
        (run, now): (RunId, u64),
        later: &[Effect],
        scene: Scene<'_>,
    ) -> Verdict {
        let shown_later: BTreeSet<MessageId> = later
            .iter()
            .flat_map(|e| match e {
                Effect::Show(Event::Messages { messages, .. }) => &messages[..],
                _ => &[],
            })
            .map(|message| message.id())
            .collect();
        if !self.lying.is_any() {
            (self.arrivals).has_history(run, &self.ledger, scene)?;
        }
        let node = &scene.processes[run].node;
        for message in node.old(usize::MAX) {
            if !shown_later.contains(&message.id()) && !self.lying.is_lie(message.id().origin) {
                self.integrity.on_shown(run, &message, false)?;
                self.note_shown((run, now), &message, Arrival::Old, scene)?;
            }
        }
        for id in self
            .positions
            .keys()
            .filter(|id| node.history().contains(**id))
        {
            self.ledger.on_held((run, now), *id);
        }
        Ok(())
    }

    fn on_message(
        &mut self,
        (run, now): (RunId, u64),
        message: &ChatMessage,
        (own, arrival): (bool, Arrival),
        scene: Scene<'_>,
    ) -> Verdict {
        let id = message.id();
        self.once.on_shown(run, id)?;
        if self.lying.is_lie(id.origin) {
            return Ok(());
        }
        self.farewell.on_shown(run, id)?;
        self.integrity.on_shown(run, message, own)?;
        if own {
            self.order.on_written(id, message.text());
            if self.lying.is_any() {
                self.order.on_named(id, message.dependencies());
            }
            self.order.on_names(id, message.dependencies());
            self.positions.insert(id, message.position());
            let mut others = scene.view(run);
            others.retain(|k| *k != self.keys[run]);
            let owed = others.iter().filter(|k| !self.lying.is_lie(**k));
            let owed = owed.filter_map(|k| self.run_of(*k)).collect();
            self.ledger.on_said((run, now), id, owed);
            self.delivered.on_sent(id, others);
            self.expect((run, now), message, scene);
        }
        self.note_shown((run, now), message, arrival, scene)
    }

    fn note_shown(
        &mut self,
        (run, now): (RunId, u64),
        message: &ChatMessage,
        arrival: Arrival,
        scene: Scene<'_>,
    ) -> Verdict {
        self.shown.entry(run).or_default().push(message.position());
        let id = message.id();
        if id.origin != self.keys[run] {
            let author = self.run_of(id.origin);
            let has_word = author.is_some_and(|author| {
                let sees = |one: RunId, other: RunId| scene.view(one).contains(&self.keys[other]);
                scene.is_linked(run, author) && sees(run, author) && sees(author, run)
            });
            // Whoever was frozen reads what peers said that gave the link up long ago, and never had its HELLO; and an
            // author may have had a link before it counted on this run, and none after that.
            let mine = self.keys[run];
            let author_told = author.is_some_and(|by| self.could_tell.contains(&(by, mine)));
            let floor = scene.processes[run].node.history().floor();
            let has_all = floor == Position::default();
            // A liar may have told the author that this run had been lost: the author's word is that it owes it all since.
            let mut liars = scene.processes.iter().filter_map(|p| p.liar.as_ref());
            let is_called_lost = liars.any(|liar| liar.has_called_lost(mine));
            let known = Known {
                has_word: has_word && !is_called_lost,
                has_all,
                had_link: author_told && self.linked.contains(&(run, id.origin)),
                was_called_lost: is_called_lost,
            };
            // Its user was told that it is missed, since a liar had named it before it was said.
            let is_early = self.lying.has_called_missed(run, id.origin, id.seq)
                && !self.order.is_called_missed(run, id);
            let told = match arrival {
                Arrival::Late if is_early => Arrival::Live,
                other => other,
            };
            self.ledger.on_shown((run, now), (id, known), told)?;
        }
        if arrival == Arrival::Old {
            self.order.on_old(run, id);
            return Ok(());
        }
        let missed = (self.order).missed_by(|other| scene.is_linked(run, other));
        let lacks = Lacks::new(&self.runs, &self.positions, &self.ledger, scene);
        let excused =
            |cause: MessageId| lacks.are_excused(run, cause, &missed, (now, 4 * self.timeout));
        let is_late = arrival == Arrival::Late;
        self.order.on_shown((run, now), (id, is_late), excused)
    }

    /// The message is due at every node that has a steady link with its author, and has had all along
    /// what the message names as its causes: what is missing is sought first.
    fn expect(&mut self, (from, said): (RunId, u64), message: &ChatMessage, scene: Scene<'_>) {
        let id = message.id();
        let then = said.saturating_sub(self.delay);
        for to in 0..scene.processes.len() {
            let mut causes = message.dependencies();
            let lacks = Lacks::new(&self.runs, &self.positions, &self.ledger, scene);
            let is_sought = |cause| lacks.are_sought(to, cause, (then, said));
            if self.lying.is_liar(to) {
                continue;
            }
            if scene.is_steady(from, to, said) && !causes.any(is_sought) {
                let due = Due { id, from, to, said };
                self.liveness
                    .expect(said + self.delay + self.lying.patience(), due);
            }
        }
    }

    /// What is due by now.
    pub fn on_time(&mut self, now: u64, scene: Scene<'_>) -> Verdict {
        for (run, process) in scene.processes.iter().enumerate() {
            if process.is_alive() && !process.is_running() {
                self.elections.on_disturbed(run, now, false);
            }
        }
        self.elections.on_time(now, ELECTION_LONGEST)?;
        self.lying.on_time(now, scene)?;
        let order = &self.order;
        self.liveness.on_time(
            now,
            |due| order.was_shown(due.to, due.id),
            |due| !scene.is_steady(due.from, due.to, due.said) || !order.has_causes(due.to, due.id),
        )
    }

    /// What these processes, who agree on nothing yet and have no stores, hold in the end.
    pub fn all_held(&self, runs: &[RunId], processes: &[Process]) -> Vec<Held> {
        self.all_held_and_stored(runs, processes, &[])
    }

    /// The same, with the stores of all hosts.
    pub fn all_held_and_stored(
        &self,
        runs: &[RunId],
        processes: &[Process],
        stores: &[Store],
    ) -> Vec<Held> {
        let held = |run: &RunId| holding::held(*run, &processes[*run], stores);
        let mut nodes: Vec<Held> = runs.iter().map(held).collect();
        for node in &mut nodes {
            let view: Vec<Key> = node.members.iter().map(|m| m.key).collect();
            node.outstanding = self.delivered.outstanding(node.key, &view, |_| false);
        }
        nodes
    }
}
