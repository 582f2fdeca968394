//! Elections: who noticed, who took part, who won, what it cost.
//!
//! Owns what belongs to one election. It begins when a node notices that its coordinator is gone, or is asked to
//! elect, and ends when all that took part have a coordinator again.

use std::collections::{BTreeMap, BTreeSet};

use crate::wire::Key;

use super::format::What;
use super::lives::Life;
use super::matching::At;
use super::picture::Picture;

/// An election that takes longer than this is two.
const LONGEST: i64 = 10_000_000;
/// What comes so long after the last one has settled belongs to another election.
const QUIET: i64 = 100_000;
/// What an election costs: each copy of these counts.
const COUNTED: [&str; 3] = ["ELECTION", "ELECTION_OK", "COORDINATOR_ANNOUNCEMENT"];

/// One election.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ballot {
    /// When the first node noticed.
    pub from: i64,
    /// When the last of those that took part had a coordinator.
    pub to: i64,
    /// Who noticed first, and where that is written.
    pub first: At,
    /// Whose loss it was about, if it was a loss, and why that was believed.
    pub lost: Option<(Key, String)>,
    /// When the process that was lost last did anything, if it is traced and had ended.
    pub died_at: Option<i64>,
    /// Who was without a coordinator meanwhile.
    pub voters: BTreeSet<usize>,
    /// Who won, and when.
    pub winners: Vec<(usize, i64)>,
    /// How many messages of each counted type were sent.
    pub messages: BTreeMap<&'static str, u64>,
}

impl Ballot {
    /// All messages that it took.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.messages.values().sum()
    }

    /// How many messages textbook Bully (Garcia-Molina 1982) takes among as many, when the one that would win
    /// notices first, and when the lowest does. The one that is gone counts among them.
    #[must_use]
    pub fn textbook(&self) -> (u64, u64) {
        // Who is gone was one of them, too.
        let n = self.voters.len() as u64 + u64::from(self.lost.is_some());
        let best = n.saturating_sub(2);
        let worst = n * n.saturating_sub(1) / 2
            + n.saturating_sub(1) * n.saturating_sub(2) / 2
            + n.saturating_sub(2);
        (best, worst)
    }
}

/// What is under way while the lines are read.
#[derive(Default)]
struct Counting {
    done: Vec<Ballot>,
    open: Option<Ballot>,
    /// Who of the open one has no coordinator yet.
    without: BTreeSet<usize>,
}

/// All elections.
pub(super) fn ballots(picture: &Picture) -> Vec<Ballot> {
    let mut counting = Counting::default();
    let mut leaders: Vec<Option<Key>> = vec![None; picture.lives.len()];
    for (at, place) in picture.in_order() {
        let node = place.node;
        let key = picture.lives[node].key;
        counting.rest(at);
        match &picture.line(place).what {
            What::Node { coordinator, .. } => leaders[node] = coordinator.map(|c| c.1.0),
            What::Lost { peer, why } if leaders[node] == Some(peer.0) => {
                counting.begin(at, place, Some((peer.0, super::plain(why))), picture);
            }
            What::Election { phase, .. } if phase == "started" => {
                counting.begin(at, place, None, picture);
            }
            What::Election { phase, .. } if phase == "won" => counting.win(at, node),
            What::Coordinator { claim } => {
                leaders[node] = Some(claim.1.0);
                counting.settle(at, (node, key));
            }
            What::Standing { standing, .. } => match standing.as_str() {
                "member" | "coordinator" => counting.settle(at, (node, key)),
                "gone" => counting.settle(at, (node, key)),
                _ => leaders[node] = None,
            },
            What::Sent { m, to, .. } => counting.count(m, to.len() as u64),
            _ => {}
        }
    }
    counting.close();
    // Nobody is elected where nobody was asked: who only lost its coordinator and left is no election.
    counting
        .done
        .retain(|b| !b.winners.is_empty() || b.total() > 0);
    counting.done
}

impl Counting {
    fn begin(&mut self, at: i64, place: At, lost: Option<(Key, String)>, picture: &Picture) {
        if self.open.as_ref().is_some_and(|b| at - b.from > LONGEST) {
            self.close();
        }
        self.without.insert(place.node);
        if let Some(ballot) = &mut self.open {
            ballot.voters.insert(place.node);
            ballot.to = at;
            if ballot.lost.is_none() {
                ballot.lost = lost;
            }
            return;
        }
        let life: Option<&Life> = lost.as_ref().and_then(|(key, _)| {
            let number = picture.number(*key)?;
            picture.lives.get(number)
        });
        let died_at = life.filter(|life| !life.runs_at(at + 1) || life.to <= at);
        self.open = Some(Ballot {
            from: at,
            to: at,
            first: place,
            died_at: died_at.map(|life| life.ran_until(at)),
            lost,
            voters: BTreeSet::from([place.node]),
            winners: Vec::new(),
            messages: BTreeMap::new(),
        });
    }

    fn win(&mut self, at: i64, node: usize) {
        if let Some(ballot) = &mut self.open {
            ballot.winners.push((node, at));
            ballot.voters.insert(node);
            ballot.to = at;
        }
        self.without.remove(&node);
    }

    /// This node has a coordinator again.
    fn settle(&mut self, at: i64, (node, key): (usize, Key)) {
        let Some(ballot) = &mut self.open else {
            return;
        };
        // Who was given up, and comes back, had no part in it.
        let is_lost = ballot.lost.as_ref().is_some_and(|(lost, _)| *lost == key);
        if self.without.remove(&node) {
            ballot.to = at;
        } else if !ballot.winners.is_empty() && !is_lost && ballot.voters.insert(node) {
            // It had not noticed anything, and follows the winner.
            ballot.to = at;
        }
    }

    fn count(&mut self, m: &str, copies: u64) {
        let counted = COUNTED.iter().find(|name| **name == m);
        // The announcement goes out once its sender has settled: the election is still open for it.
        if let (Some(name), Some(ballot)) = (counted, &mut self.open) {
            *ballot.messages.entry(name).or_default() += copies;
        }
    }

    /// Everybody has had a coordinator for a while: it is over.
    fn rest(&mut self, at: i64) {
        let is_over = |b: &Ballot| at - b.to > QUIET;
        if self.without.is_empty() && self.open.as_ref().is_some_and(is_over) {
            self.close();
        }
    }

    fn close(&mut self) {
        self.without.clear();
        self.done.extend(self.open.take());
    }
}
