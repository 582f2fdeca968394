//! Liveness of chat: a message between two live, linked nodes arrives within the network's own
//! delay, election or not.

use std::collections::BTreeMap;

use papo::wire::MessageId;

use super::{Run, Verdict, Violation};

/// A message that is due at a node.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: MessageId,
    pub from: Run,
    pub to: Run,
    pub said: u64,
}

/// What is due, by when.
#[derive(Debug, Default)]
pub struct Liveness {
    due: BTreeMap<(u64, u64), Due>,
    count: u64,
    /// How many were held to it.
    pub met: u64,
}

impl Liveness {
    pub fn expect(&mut self, by: u64, due: Due) {
        self.count += 1;
        self.due.insert((by, self.count), due);
    }

    /// Looks at everything that was due before `at`; `arrived` says whether it is there, `excused`
    /// whether something came between.
    pub fn on_time(
        &mut self,
        at: u64,
        arrived: impl Fn(&Due) -> bool,
        excused: impl Fn(&Due) -> bool,
    ) -> Verdict {
        while let Some(entry) = self.due.first_entry()
            && entry.key().0 < at
        {
            let by = entry.key().0;
            let due = entry.remove();
            if arrived(&due) {
                self.met += 1;
            } else if !excused(&due) {
                let Due { id, from, to, said } = due;
                let text =
                    format!("{id}, said at {said} by run {from}, is not at run {to} by {by}");
                return Err(Violation::new("liveness of chat", text));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use papo::wire::Key;

    fn one() -> Liveness {
        let mut check = Liveness::default();
        let id = MessageId {
            origin: Key(1),
            seq: 1,
        };
        check.expect(
            100,
            Due {
                id,
                from: 0,
                to: 1,
                said: 50,
            },
        );
        check
    }

    #[test]
    fn in_time_or_excused_is_accepted() {
        one().on_time(100, |_| false, |_| false).unwrap();
        one().on_time(101, |_| true, |_| false).unwrap();
        one().on_time(101, |_| false, |_| true).unwrap();
    }

    #[test]
    fn late_is_rejected() {
        assert!(one().on_time(101, |_| false, |_| false).is_err());
    }
}
