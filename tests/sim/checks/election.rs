//! Election: the winner is the highest id among the nodes that it has live links with, every
//! election ends in bounded time, and nobody lower claims the office after.

use std::collections::BTreeMap;

use papo::wire::Id;

use super::{Run, Verdict, Violation};

#[derive(Debug, Default)]
pub struct Elections {
    under_way: BTreeMap<Run, u64>,
    pub held: u64,
}

impl Elections {
    pub fn on_started(&mut self, run: Run, at: u64) {
        self.held += 1;
        self.under_way.entry(run).or_insert(at);
    }

    pub fn on_ended(&mut self, run: Run) {
        self.under_way.remove(&run);
    }

    /// A node wins; `linked` are the ids of the members that it has had steady, live links with.
    pub fn on_won(&mut self, run: Run, id: Id, linked: &[Id]) -> Verdict {
        self.under_way.remove(&run);
        let Some(higher) = linked.iter().find(|other| **other > id) else {
            return Ok(());
        };
        let text = format!("run {run} wins as {id} although {higher} is alive on its link");
        Err(Violation::new("election", text))
    }

    /// A node stopped or ended: the clock of its election starts anew.
    pub fn on_disturbed(&mut self, run: Run, at: u64, ended: bool) {
        if ended {
            self.under_way.remove(&run);
        } else if let Some(since) = self.under_way.get_mut(&run) {
            *since = at;
        }
    }

    /// No election has been under way for longer than `limit`.
    pub fn on_time(&self, at: u64, limit: u64) -> Verdict {
        let late = |(_, since): &(&Run, &u64)| at.saturating_sub(**since) > limit;
        let Some((run, since)) = self.under_way.iter().find(late) else {
            return Ok(());
        };
        let text = format!("run {run} has been electing since {since}, until {at}");
        Err(Violation::new("election ends", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_alive_may_win_and_no_lower_one() {
        let mut check = Elections::default();
        check.on_won(0, 5, &[1, 2, 4]).unwrap();
        check.on_won(0, 5, &[]).unwrap();
        assert!(check.on_won(0, 5, &[1, 7]).is_err());
    }

    #[test]
    fn an_election_without_an_end_is_rejected() {
        let mut check = Elections::default();
        check.on_started(0, 10);
        check.on_started(0, 15);
        check.on_time(20, 10).unwrap();
        assert!(check.on_time(21, 10).is_err());
        check.on_disturbed(0, 18, false);
        check.on_time(21, 10).unwrap();
        check.on_ended(0);
        check.on_time(1_000, 10).unwrap();
    }
}
