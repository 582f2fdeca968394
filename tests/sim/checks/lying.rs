//! Where somebody lies: whose word counts for nothing, and what the others are to have all the same.
//!
//! Owns who lies, and since when each of the others has nobody to follow. What a liar says, shows and
//! confirms is no business of any check.

use std::collections::{BTreeMap, BTreeSet};

use papo::wire::Key;

use super::super::liar::{Lie, Plan};
use super::super::scene::Scene;
use super::{Run, Verdict, Violation};

const SECOND: u64 = 1_000_000;
/// How much later than otherwise an honest line may come while somebody lies: false causes are looked for
/// first, and nobody has them.
const PATIENCE: u64 = 12 * SECOND;
/// How long an honest node may be without a coordinator that exists.
const LEADERLESS: u64 = 15 * SECOND;

#[derive(Debug, Default)]
pub struct Lying {
    is_any: bool,
    /// The liar lets others into the room of a coordinator that does not exist.
    has_ghost: bool,
    liars: BTreeSet<Run>,
    keys: BTreeSet<Key>,
    /// What each run called missed, of lines that were not written yet: the liar named them.
    missed_early: BTreeMap<(Run, Key), Vec<(u64, u64)>>,
    /// Since when each run follows nobody who exists.
    leaderless: BTreeMap<Run, u64>,
}

impl Lying {
    pub fn new(plan: Option<&Plan>) -> Lying {
        Lying {
            is_any: plan.is_some(),
            has_ghost: plan.is_some_and(|plan| plan.lies.contains(&Lie::Ghost)),
            ..Lying::default()
        }
    }

    pub fn on_liar(&mut self, run: Run, key: Key) {
        self.liars.insert(run);
        self.keys.insert(key);
    }

    /// Somebody lies in this scenario.
    pub fn is_any(&self) -> bool {
        self.is_any
    }

    pub fn is_liar(&self, run: Run) -> bool {
        self.liars.contains(&run)
    }

    /// What has this key's name is a liar's word.
    pub fn is_lie(&self, key: Key) -> bool {
        self.keys.contains(&key)
    }

    /// Nobody is known by this key, or a liar.
    pub fn is_nobody(&self, key: Key, runs: &BTreeMap<Key, Run>) -> bool {
        self.is_any && (self.is_lie(key) || !runs.contains_key(&key))
    }

    /// A run calls these missed, perhaps before they were written.
    pub fn on_missed(&mut self, run: Run, author: Key, span: (u64, u64)) {
        if self.is_any {
            self.missed_early
                .entry((run, author))
                .or_default()
                .push(span);
        }
    }

    /// A run has called this line missed, at whatever time.
    pub fn has_called_missed(&self, run: Run, author: Key, seq: u64) -> bool {
        let spans = self.missed_early.get(&(run, author));
        let mut spans = spans.into_iter().flatten();
        spans.any(|(first, last)| (*first..=*last).contains(&seq))
    }

    /// Somebody lies still.
    pub fn is_at_work(&self, scene: Scene<'_>) -> bool {
        let mut liars = self.liars.iter();
        liars.any(|run| scene.processes[*run].is_alive())
    }

    /// How much longer an honest line may take.
    pub fn patience(&self) -> u64 {
        if self.is_any { PATIENCE } else { 0 }
    }

    /// Nobody who is honest is without a coordinator for long.
    pub fn on_time(&mut self, now: u64, scene: Scene<'_>) -> Verdict {
        if !self.is_any {
            return Ok(());
        }
        for (run, process) in scene.processes.iter().enumerate() {
            let leader = process.node.coordinator();
            let exists = |key: Key| {
                let mut processes = scene.processes.iter();
                processes.any(|p| p.key == key && p.is_alive())
            };
            let is_led = leader.is_some_and(|leader| self.has_ghost || exists(leader.key));
            if self.is_liar(run) || is_led || !process.is_running() || process.leave_asked {
                self.leaderless.remove(&run);
                continue;
            }
            let since = *self.leaderless.entry(run).or_insert(now);
            if now - since > LEADERLESS {
                let text = format!("run {run} follows {leader:?} since {since}, until {now}");
                return Err(Violation::new("somebody to follow", text));
            }
        }
        Ok(())
    }
}
