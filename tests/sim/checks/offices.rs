//! Who held office: nodes that start together have one founder, and a coordinator that the others
//! hold is not unseated by one that comes back.
//!
//! Both hold where a scenario demands it only: under arbitrary faults groups are founded apart, and
//! merge.

use std::collections::BTreeSet;

use papo::wire::Key;

use super::{Run, Verdict, Violation};

#[derive(Debug, Default)]
pub struct Offices {
    seen: BTreeSet<Key>,
    kept: Option<Key>,
}

impl Offices {
    /// From now on nobody else holds the office; or anybody may.
    pub fn keep(&mut self, coordinator: Option<Key>) {
        self.kept = coordinator;
    }

    /// A node knows a coordinator that it did not know before.
    pub fn on_coordinator(&mut self, run: Run, key: Key) -> Verdict {
        self.seen.insert(key);
        match self.kept {
            Some(kept) if kept != key => {
                let text = format!("run {run} follows {key}, although {kept} is at work");
                Err(Violation::new("office kept", text))
            }
            _ => Ok(()),
        }
    }

    /// There has been one coordinator only.
    pub fn one_founder(&self) -> Verdict {
        if self.seen.len() <= 1 {
            return Ok(());
        }
        let text = format!("{:?} coordinated, and all started together", self.seen);
        Err(Violation::new("one group", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_founder_is_rejected() {
        let mut check = Offices::default();
        check.one_founder().unwrap();
        check.on_coordinator(0, Key(1)).unwrap();
        check.on_coordinator(1, Key(1)).unwrap();
        check.one_founder().unwrap();
        check.on_coordinator(1, Key(2)).unwrap();
        assert!(check.one_founder().is_err());
    }

    #[test]
    fn unseating_is_rejected_while_the_office_is_kept() {
        let mut check = Offices::default();
        check.on_coordinator(0, Key(1)).unwrap();
        check.keep(Some(Key(2)));
        check.on_coordinator(0, Key(2)).unwrap();
        assert!(check.on_coordinator(0, Key(1)).is_err());
        check.keep(None);
        check.on_coordinator(0, Key(1)).unwrap();
    }
}
