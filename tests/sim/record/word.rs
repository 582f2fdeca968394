//! What the node of a run says of messages, which others count on.
//!
//! Owns nothing: what is known of the run is the record's, which it hands to the checkers. What a liar says is
//! nobody's word, and is left out.

use papo::wire::{Key, MessageId};

use super::Record;
use crate::sim::agenda::RunId;
use crate::sim::checks::delivered::{Has, Word};
use crate::sim::checks::ledger::Ledger;
use crate::sim::checks::{Verdict, Violation};
use crate::sim::lacks::Lacks;
use crate::sim::scene::Scene;

impl Record {
    /// The part of this span that its author has written; nothing of it counts where the author lies, or is
    /// nobody.
    pub(super) fn written_of(&self, origin: Key, (first, last): (u64, u64)) -> Option<(u64, u64)> {
        if !self.lying.is_any() {
            return Some((first, last));
        }
        let name = |seq| MessageId { origin, seq };
        let written = self.positions.range(name(0)..=name(u64::MAX)).next_back();
        let end = written.map_or(0, |(id, _)| id.seq);
        let last = last.min(end);
        (!self.lying.is_nobody(origin, &self.runs) && first <= last).then_some((first, last))
    }

    /// Where somebody lies, lines may be called missed that were not said: that is a false word where their author is
    /// there to say so.
    pub(super) fn on_missed_early(
        &mut self,
        (run, now): (RunId, u64),
        origin: Key,
        (first, last): (u64, u64),
        scene: Scene<'_>,
    ) -> Verdict {
        let sees = |one: RunId, other: RunId| scene.view(one).contains(&self.keys[other]);
        let speaks = self.run_of(origin).filter(|author| {
            scene.is_in_reach(run, *author, now, 2 * self.timeout)
                && sees(run, *author)
                && sees(*author, run)
        });
        self.lying
            .on_missed(run, origin, (first, last), speaks.is_some());
        let said = self
            .written_of(origin, (0, u64::MAX))
            .map_or(0, |(_, last)| last);
        if !self.lying.is_any() || self.lying.is_lie(origin) || last <= said {
            return Ok(());
        }
        if speaks.is_none() {
            (self.ledger).on_missed_early(run, origin, (first.max(said + 1), last));
            return Ok(());
        }
        let text =
            format!("run {run} misses {origin}-{last}, and its author, who is linked, said {said}");
        Err(Violation::new("false word", text))
    }

    pub(super) fn on_delivered(
        &mut self,
        run: RunId,
        seq: u64,
        word: Word<'_>,
        scene: Scene<'_>,
    ) -> Verdict {
        let origin = self.keys[run];
        let id = MessageId { origin, seq };
        let run_of = |key: &Key| self.runs.get(key).copied();
        if !scene.is_stored(run, id) && !word.missed.contains(&origin) {
            let text = format!("run {run} has {id} delivered, and has not stored it");
            return Err(Violation::new("false word", text));
        }
        let is_liar = |by: &RunId| self.lying.is_liar(*by);
        for by in word
            .missed
            .iter()
            .filter_map(run_of)
            .filter(|by| !is_liar(by))
        {
            // A liar may have named it before it was said, and the reader, whose view did not have the author then,
            // told its user that it is missed.
            let is_told = self.lying.has_called_missed_unheard(by, id.origin, id.seq);
            if !is_told {
                self.ledger.on_told_missed(by, id)?;
            }
        }
        let holds = |by: RunId| scene.processes[by].node.history().contains(id);
        let has = |key: Key| match self.runs.get(&key) {
            Some(by) if is_liar(by) => Has {
                it: true,
                present: false,
            },
            Some(by) => Has {
                it: (self.ledger.has(*by, id) || holds(*by))
                    && scene.is_stored(*by, id)
                    && scene.processes[*by].is_printed(id),
                present: scene.stays(*by),
            },
            None => Has {
                it: false,
                present: false,
            },
        };
        let view = scene.view(run);
        let others: Vec<Key> = word
            .missed
            .iter()
            .filter(|k| **k != origin)
            .copied()
            .collect();
        if others.len() < word.missed.len() {
            self.delivered.on_own_missed(id);
        }
        let word = Word {
            missed: &others,
            ..word
        };
        let counted = (self.delivered).on_delivered((run, id), word, &view, has)?;
        for by in counted.iter().filter_map(run_of) {
            if self.lying.is_liar(by) {
                continue;
            }
            self.ledger.on_confirmed(by, id, holds(by))?;
        }
        Ok(())
    }

    /// Messages were here, and are given up since they cannot be stored.
    pub(super) fn on_given_up(
        &mut self,
        run: RunId,
        origin: Key,
        (first, last): (u64, u64),
        scene: Scene<'_>,
    ) -> Verdict {
        for seq in first..=last {
            let id = MessageId { origin, seq };
            if scene.is_stored(run, id) {
                let text = format!("run {run} calls {id} missed, and has stored it");
                return Err(Violation::new("false word", text));
            }
            if !self.lying.is_lie(origin) {
                self.ledger.on_given_up(run, id)?;
            }
        }
        Ok(())
    }

    /// Messages are given up: nobody in reach may hold one, the node itself first of all.
    pub(super) fn on_missed(
        &mut self,
        (run, now): (RunId, u64),
        origin: Key,
        span: (u64, u64),
        scene: Scene<'_>,
    ) -> Verdict {
        // What has been waited for for eight failure timeouts is given up once everybody has answered since then, and
        // where segments get lost it takes so long to ask.
        let asked = if scene.paths.segment_loss > 0 { 8 } else { 1 };
        let since = now.saturating_sub(asked * self.timeout);
        let others = Lacks::new(&self.runs, &self.positions, &self.ledger, scene).in_reach(
            run,
            now,
            self.timeout,
        );
        let (runs, positions) = (&self.runs, &self.positions);
        let holder = |ledger: &Ledger, id| {
            Lacks::new(runs, positions, ledger, scene).holder(run, &others, id, since)
        };
        self.ledger.on_missed(run, origin, span, holder)?;
        let mine = self.keys[run];
        let is_parted = |by: RunId, from| self.parted.contains(&(by, from));
        let author = self.run_of(origin);
        let was_lost =
            is_parted(run, origin) || author.is_some_and(|author| is_parted(author, mine));
        if was_lost {
            return Ok(());
        }
        let lacks = Lacks::new(&self.runs, &self.positions, &self.ledger, scene);
        lacks.are_dropped_in_time((run, now), origin, span, self.timeout)
    }

    /// Whoever leaves before its time is over waits for those who were lost a moment ago, live, lack some of what it
    /// said, and have not called that missed. One whose host refuses connections looks as if its process had ended.
    pub(super) fn leaves_nobody_behind(
        &self,
        (run, now): (RunId, u64),
        scene: Scene<'_>,
    ) -> Verdict {
        if self.lying.is_any() || now >= scene.processes[run].leaves_at_latest {
            return Ok(());
        }
        let lost = self.lost_at.range((run, Key(0))..=(run, Key(u64::MAX)));
        let lost = lost.filter(|(_, at)| now - **at < 2 * self.timeout);
        for ((_, key), at) in lost {
            let Some(by) = self.run_of(*key).filter(|by| scene.stays(*by)) else {
                continue;
            };
            let (here, there) = (scene.processes[run].host, scene.processes[by].host);
            let since = at.saturating_sub(4 * self.timeout);
            if scene.paths.has_refused_since(here, there, since) {
                continue;
            }
            let holds = |id| scene.processes[by].node.history().contains(id);
            let has = |id| self.ledger.has(by, id) || self.ledger.was_missed(by, id) || holds(id);
            let lacks = |id: &MessageId| !has(*id);
            if let Some(id) = self.delivered.sent_to(self.keys[run], *key).find(lacks) {
                let text = format!("run {run} leaves, and run {by}, lost a moment ago, lacks {id}");
                return Err(Violation::new("left behind", text));
            }
        }
        Ok(())
    }

    /// A node has left in good order, and says whether all that it said was confirmed.
    pub(super) fn on_left(&mut self, run: RunId, confirmed: bool, scene: Scene<'_>) -> Verdict {
        let key = self.keys[run];
        let outstanding = self.delivered.outstanding(key, &scene.view(run), |_| false);
        let unsaid = self.delivered.first_missed(key);
        match outstanding.or(unsaid).filter(|_| confirmed) {
            None => Ok(()),
            Some(id) => {
                let text = format!("run {run} leaves with all confirmed, and {id} is not");
                Err(Violation::new("false word", text))
            }
        }
    }
}
