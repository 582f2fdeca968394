//! Cuts that stay leave stable groups, never churn: once settled, nothing about members,
//! coordinators or elections is shown any more.

use super::{Run, Verdict, Violation};

#[derive(Debug, Default)]
pub struct Churn {
    settled: bool,
}

impl Churn {
    /// From now on nothing may change; or it may again.
    pub fn settle(&mut self, settled: bool) {
        self.settled = settled;
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
    fn changes_end_when_all_is_settled() {
        let mut check = Churn::default();
        check.on_change(0, "x").unwrap();
        check.settle(true);
        assert!(check.on_change(0, "x").is_err());
        check.settle(false);
        check.on_change(0, "x").unwrap();
    }
}
