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

/// What a run called missed, perhaps before it was written.
#[derive(Debug)]
struct Early {
    span: (u64, u64),
    /// Its author was linked with the run then, and in its view.
    speaks: bool,
}

impl Early {
    fn has(&self, seq: u64) -> bool {
        (self.span.0..=self.span.1).contains(&seq)
    }
}

#[derive(Debug, Default)]
pub struct Lying {
    is_any: bool,
    /// The liar lets others into the room of a coordinator that does not exist.
    has_ghost: bool,
    liars: BTreeSet<Run>,
    keys: BTreeSet<Key>,
    /// What each run called missed, of lines that were not written yet: the liar named them.
    missed_early: BTreeMap<(Run, Key), Vec<Early>>,
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

    /// A run calls these missed, perhaps before they were written. `speaks`: their author is linked with it, and in
    /// its view.
    pub fn on_missed(&mut self, run: Run, author: Key, span: (u64, u64), speaks: bool) {
        if self.is_any {
            let early = self.missed_early.entry((run, author)).or_default();
            early.push(Early { span, speaks });
        }
    }

    /// A run has called this line missed, at whatever time.
    pub fn has_called_missed(&self, run: Run, author: Key, seq: u64) -> bool {
        self.early(run, author).any(|early| early.has(seq))
    }

    /// A run has called this line missed while its author could not say that it has not said it.
    pub fn has_called_missed_unheard(&self, run: Run, author: Key, seq: u64) -> bool {
        let mut early = self.early(run, author);
        early.any(|early| early.has(seq) && !early.speaks)
    }

    fn early(&self, run: Run, author: Key) -> impl Iterator<Item = &Early> {
        let all = self.missed_early.get(&(run, author));
        all.into_iter().flatten()
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

#[cfg(test)]
mod tests {
    use super::*;

    const AUTHOR: Key = Key(7);

    #[test]
    fn what_was_called_missed_while_its_author_spoke_is_told_apart() {
        let plan = Plan {
            host: 0,
            from: 0,
            lies: vec![Lie::Causes],
            permille: 1000,
            every: 1,
        };
        let mut lying = Lying::new(Some(&plan));
        lying.on_missed(1, AUTHOR, (2, 4), true);
        lying.on_missed(1, AUTHOR, (6, u64::MAX), false);
        let heard = [1, 2, 4, 5, 6].map(|seq| lying.has_called_missed(1, AUTHOR, seq));
        assert_eq!(heard, [false, true, true, false, true]);
        let unheard = [2, 6].map(|seq| lying.has_called_missed_unheard(1, AUTHOR, seq));
        assert_eq!(unheard, [false, true]);
        assert!(!lying.has_called_missed(2, AUTHOR, 2) && !lying.has_called_missed(1, Key(8), 2));
    }
}
