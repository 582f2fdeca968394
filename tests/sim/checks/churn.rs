//! Cuts that stay leave stable groups, never churn: once settled, nothing about members,
//! coordinators or elections is shown any more.

use papo::wire::Key;

use super::{Run, Verdict, Violation};

#[derive(Debug, Default)]
pub struct Churn {
    settled: bool,
    /// Who alone comes and goes.
    lone: Option<(Run, Key)>,
}

impl Churn {
    /// From now on nothing may change; or it may again.
    pub fn settle(&mut self, settled: bool) {
        self.settled = settled;
    }

    /// From now on nobody else comes or goes.
    pub fn only_comes_and_goes(&mut self, who: Option<(Run, Key)>) {
        self.lone = who;
    }

    /// A node shows that this member came or went.
    pub fn on_member(&mut self, run: Run, member: Key, what: &str) -> Verdict {
        match self.lone {
            Some((lone, key)) if run != lone && member != key => Err(Violation::new(
                "who never left",
                format!("run {run} shows {what}, {member}, who was there all the time"),
            )),
            _ => Ok(()),
        }
    }

    /// A node shows a change of its group.
    pub fn on_change(&mut self, run: Run, what: &str) -> Verdict {
        if !self.settled {
            return Ok(());
        }
        Err(Violation::new(
            "churn",
            format!("run {run} shows {what} although all is calm"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_there_all_the_time_neither_comes_nor_goes() {
        let mut check = Churn::default();
        check.on_member(0, Key(1), "x").unwrap();
        check.only_comes_and_goes(Some((2, Key(3))));
        check.on_member(0, Key(3), "x").unwrap();
        check.on_member(2, Key(1), "x").unwrap();
        assert!(check.on_member(0, Key(1), "x").is_err());
    }

    #[test]
    fn changes_end_when_all_is_settled() {
        let mut check = Churn::default();
        check.on_change(0, "x").unwrap();
        check.settle(true);
        assert!(check.on_change(0, "x").is_err());
        check.settle(false);
        check.on_change(0, "x").unwrap();
    }
}
