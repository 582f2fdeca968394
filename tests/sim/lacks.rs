//! What somebody lacks: whether it may be lacking, and who has it instead.
//!
//! Owns nothing: it is lent what was said and shown so far, and who runs. It changes none of it.

use std::collections::{BTreeMap, BTreeSet};

use papo::wire::{Key, MessageId, Position};

use super::agenda::RunId;
use super::checks::ledger::Ledger;
use super::checks::{Verdict, Violation};
use super::scene::{Scene, Then};

/// What is looked at.
#[derive(Clone, Copy)]
pub struct Lacks<'a> {
    runs: &'a BTreeMap<Key, RunId>,
    positions: &'a BTreeMap<MessageId, Position>,
    ledger: &'a Ledger,
    scene: Scene<'a>,
}

impl<'a> Lacks<'a> {
    pub fn new(
        runs: &'a BTreeMap<Key, RunId>,
        positions: &'a BTreeMap<MessageId, Position>,
        ledger: &'a Ledger,
        scene: Scene<'a>,
    ) -> Lacks<'a> {
        Lacks {
            runs,
            positions,
            ledger,
            scene,
        }
    }

    /// True if this run may be shown what follows from a message that it was never shown. `missed` is
    /// what peers gave up: one passes on all that it took in, and has nothing else to give.
    pub fn are_excused(
        self,
        run: RunId,
        cause: MessageId,
        missed: &BTreeSet<MessageId>,
        then: Then,
    ) -> bool {
        let (ledger, scene) = (self.ledger, self.scene);
        if ledger.was_missed(run, cause) {
            return true;
        }
        let reader = &scene.processes[run];
        let history = reader.node.history();
        let position = self.positions.get(&cause).copied().unwrap_or_default();
        let is_below = position <= history.floor();
        if ledger.is_owed(run, cause) && ledger.has_met(run, cause) {
            // Its author tells of it, or whatever follows from it; but what lies between the two
            // may be under the floor. Once all who had it are gone, nobody knows that there was one.
            // The word of an author that was lost may still be on its way, on a link that was cut for long.
            let author = self.runs.get(&cause.origin).copied();
            let has_word =
                |author| scene.talks_with(run, author) && scene.view(run).contains(&cause.origin);
            return !author.is_some_and(has_word)
                && (is_below || !scene.is_held_in_reach(run, cause, then));
        }
        // Who wants no history waits for nothing that it does not owe.
        !reader.wants_history
            || ledger.is_before(run, cause)
            || history.contains(cause)
            || is_below
            || missed.contains(&cause)
            || scene.is_out_of_reach(run, (cause, position), then)
    }

    /// True if this run still looks for a cause of something that was said at this time, although the
    /// cause's author had it early enough.
    pub fn are_sought(self, run: RunId, cause: MessageId, (then, said): (u64, u64)) -> bool {
        let author = self.runs.get(&cause.origin);
        let is_earlier = |author: &RunId| self.ledger.has_held_since(*author, cause, then);
        author.is_some_and(is_earlier) && !self.ledger.has_held_since(run, cause, said)
    }

    /// Those who have been in this run's reach for `long`.
    pub fn in_reach(self, run: RunId, now: u64, long: u64) -> Vec<RunId> {
        let scene = self.scene;
        let is_in_reach = |other: &RunId| {
            *other != run
                && scene.stays(*other)
                && scene.processes[*other].node.is_joined()
                && scene.is_in_reach(run, *other, now, long)
        };
        (0..scene.processes.len()).filter(is_in_reach).collect()
    }

    /// Who holds a message that this run gives up: the run itself, or one of these others, if it has held
    /// it since then.
    pub fn holder(self, run: RunId, others: &[RunId], id: MessageId, since: u64) -> Option<RunId> {
        let holds = |other: RunId| {
            let node = &self.scene.processes[other].node;
            node.history().contains(id)
        };
        let has_long =
            |other: &RunId| self.ledger.has_held_since(*other, id, since) && holds(*other);
        let other = others.iter().copied().find(has_long);
        holds(run).then_some(run).or(other)
    }

    /// Nothing is dropped that a present member lacks: a node that its author has had in its view all
    /// the time, as is known of this one, misses nothing of it, unless its author could not store it, and said so. (No
    /// scenario says more than may be kept for a slow one.)
    pub fn are_dropped_in_time(
        self,
        (run, now): (RunId, u64),
        origin: Key,
        (first, last): (u64, u64),
        long: u64,
    ) -> Verdict {
        let scene = self.scene;
        let author = self.runs.get(&origin).copied();
        let Some(author) = author.filter(|author| scene.stays(*author)) else {
            return Ok(());
        };
        // Without a link it may still be on its way by others, and be given up all the same.
        let is_linked = scene.is_in_reach(run, author, now, long);
        let is_member = scene.view(author).contains(&scene.processes[run].key);
        if !is_linked || !is_member || !scene.stays(run) {
            return Ok(());
        }
        let mut ids = (first..=last).map(|seq| MessageId { origin, seq });
        let is_kept = |id: &MessageId| !self.ledger.has_given_up(author, *id);
        match ids.find(|id| self.ledger.is_owed(run, *id) && is_kept(id)) {
            None => Ok(()),
            Some(id) => {
                let text =
                    format!("run {run} misses {id}, and was in its author's view all the time");
                Err(Violation::new("dropped too early", text))
            }
        }
    }
}
