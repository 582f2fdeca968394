//! Confirmations: who of the view at the time of writing has taken in what this node wrote.
//!
//! A message is delivered when every node that was in the view when it was written, and still is,
//! has acknowledged it and, if there was any, at least one has.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Event, Key, Node};
use crate::limits;
use crate::wire::Member;

/// Messages written in one view: consecutive sequence numbers.
#[derive(Debug)]
struct Run {
    first: u64,
    last: u64,
    view: (Key, u64),
    to: Vec<Key>,
}

/// What this node wrote and who confirmed it.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    runs: VecDeque<Run>,
    acked: BTreeMap<Key, u64>,
    changed: bool,
    /// Messages of runs that were given up: nobody who could confirm them is left.
    given_up: u64,
}

impl Delivery {
    pub(super) fn undelivered(&self) -> u64 {
        let waiting: u64 = self.runs.iter().map(|r| r.last - r.first + 1).sum();
        waiting + self.given_up
    }

    /// Messages of these sequence numbers were written in this view, and count on `to`.
    pub(super) fn wrote(
        &mut self,
        (first, last): (u64, u64),
        view: (Key, u64),
        to: impl FnOnce() -> Vec<Key>,
    ) {
        self.changed = true;
        if self.runs.len() >= limits::UNCONFIRMED_RUNS_MAX
            && let Some(run) = self.runs.pop_front()
        {
            self.given_up += run.last - run.first + 1;
        }
        match self.runs.back_mut() {
            Some(run) if run.view == view && run.last + 1 == first => run.last = last,
            _ => self.runs.push_back(Run {
                first,
                last,
                view,
                to: to(),
            }),
        }
    }

    /// Somebody left the view, died or said goodbye.
    pub(super) fn recheck(&mut self) {
        self.changed = true;
    }

    /// Nothing is kept of a node that is neither linked nor a member, unless it counts.
    pub(super) fn forget(&mut self, key: Key) {
        if !self.runs.iter().any(|run| run.to.contains(&key)) {
            self.acked.remove(&key);
        }
    }

    fn acked_by(&self, key: Key) -> u64 {
        self.acked.get(&key).copied().unwrap_or(0)
    }
}

impl Node {
    pub(super) fn on_ack(&mut self, key: Key, seq: u64) {
        // What is delivered needs no further confirmation.
        if seq > self.written() || self.delivery.runs.is_empty() {
            return;
        }
        let acked = self.delivery.acked.entry(key).or_default();
        if seq > *acked {
            *acked = seq;
            self.delivery.changed = true;
        }
    }

    /// True while this node's confirmation is waited for.
    fn counts(&self, key: Key) -> bool {
        self.roster.contains(key) && !self.left.contains(key)
    }

    /// Shows what has become delivered.
    pub(super) fn step_delivery(&mut self) {
        if !std::mem::take(&mut self.delivery.changed) {
            return;
        }
        let stored = self.own_safe_to();
        // A run that nobody can confirm any more holds up nothing behind it.
        let mut at = 0;
        while let Some(run) = self.delivery.runs.get(at) {
            let (first, last) = (run.first, run.last);
            let acks = |k: &Key| self.delivery.acked_by(*k);
            let slowest = run.to.iter().filter(|k| self.counts(**k)).map(acks).min();
            let fastest = run.to.iter().map(acks).max().unwrap_or(last);
            let upto = slowest.unwrap_or(last).min(fastest).min(last);
            let upto = upto.min(stored);
            let mut acked: Vec<u64> = run.to.iter().map(acks).collect();
            acked.sort_unstable();
            self.show_delivered(first, upto, &acked);
            if upto >= last {
                self.delivery.runs.remove(at);
                continue;
            }
            if upto >= first
                && let Some(run) = self.delivery.runs.get_mut(at)
            {
                run.first = upto + 1;
            }
            if slowest.is_some() {
                return;
            }
            at += 1;
        }
        if self.delivery.runs.is_empty() {
            self.delivery.acked.clear();
        }
    }

    /// One event for each stretch that equally many have confirmed; `acked` is sorted.
    fn show_delivered(&mut self, mut first: u64, upto: u64, acked: &[u64]) {
        while first <= upto {
            let unconfirmed = acked.partition_point(|a| *a < first);
            let last = acked.get(unconfirmed).map_or(upto, |a| upto.min(*a));
            self.show(Event::Delivered {
                first,
                last,
                members: acked.len(),
                confirmed: acked.len() - unconfirmed,
                missed: Vec::new(),
            });
            first = last + 1;
        }
    }

    /// True if nobody who could confirm what is undelivered is in the room any more.
    pub(super) fn is_hopeless(&self) -> bool {
        if self.has_own_unstored() {
            return false;
        }
        let mut runs = self.delivery.runs.iter();
        runs.all(|r| !r.to.iter().any(|k| self.counts(*k)))
    }

    /// Who has not confirmed something that this node wrote.
    pub(super) fn unconfirmed_by(&self) -> Vec<Member> {
        let missing: BTreeSet<Key> = self
            .delivery
            .runs
            .iter()
            .flat_map(|r| r.to.iter().map(move |k| (*k, r.last)))
            .filter(|(k, last)| self.delivery.acked_by(*k) < *last)
            .map(|(k, _)| k)
            .collect();
        let members = self.roster.members().iter();
        members
            .filter(|m| missing.contains(&m.key))
            .cloned()
            .collect()
    }
}
