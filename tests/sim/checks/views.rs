//! Unique ids within each view, always; one name names one view; and no node goes back to an earlier view of one
//! coordinator.

use std::collections::{BTreeMap, BTreeSet};

use papo::wire::{Id, Key};

use super::{Run, Verdict, Violation};

type Members = Vec<(Id, Key)>;

/// Every view that was seen, by its name.
#[derive(Debug, Default)]
pub struct Views {
    named: BTreeMap<(Key, u64), (Run, Members)>,
    /// The view that each run held last: its coordinator, and its version.
    last: BTreeMap<Run, (Key, u64)>,
}

impl Views {
    /// A node holds this view.
    pub fn on_view(&mut self, run: Run, members: &[(Id, Key)]) -> Verdict {
        let ids: BTreeSet<Id> = members.iter().map(|m| m.0).collect();
        let keys: BTreeSet<Key> = members.iter().map(|m| m.1).collect();
        if ids.len() == members.len() && keys.len() == members.len() {
            return Ok(());
        }
        let text = format!("run {run} holds {members:?}");
        Err(Violation::new("unique ids", text))
    }

    /// A node holds this view under this name.
    pub fn on_named_view(&mut self, run: Run, name: (Key, u64), members: &[(Id, Key)]) -> Verdict {
        let (first, seen) = self
            .named
            .entry(name)
            .or_insert_with(|| (run, members.to_vec()));
        if seen == members {
            return Ok(());
        }
        let text = format!("{name:?} is {seen:?} for run {first} and {members:?} for run {run}");
        Err(Violation::new("named views", text))
    }

    /// A node holds this version of this coordinator's view, and held no other one's in between.
    pub fn on_version(&mut self, run: Run, (coordinator, version): (Key, u64)) -> Verdict {
        let before = self.last.insert(run, (coordinator, version));
        let Some((same, before)) = before.filter(|b| b.0 == coordinator && b.1 > version) else {
            return Ok(());
        };
        let text = format!("run {run} went from {same}'s view {before} to {version}");
        Err(Violation::new("views in order", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_or_a_key_twice_is_rejected() {
        let mut check = Views::default();
        check.on_view(0, &[(1, Key(1)), (2, Key(2))]).unwrap();
        assert!(check.on_view(0, &[(1, Key(1)), (1, Key(2))]).is_err());
        assert!(check.on_view(0, &[(1, Key(1)), (2, Key(1))]).is_err());
    }

    #[test]
    fn one_name_for_two_views_is_rejected() {
        let mut check = Views::default();
        let view = [(1, Key(1)), (2, Key(2))];
        check.on_named_view(0, (Key(1), 2), &view).unwrap();
        check.on_named_view(1, (Key(1), 2), &view).unwrap();
        check.on_named_view(1, (Key(1), 3), &view[..1]).unwrap();
        check.on_named_view(1, (Key(2), 2), &view[..1]).unwrap();
        assert!(check.on_named_view(1, (Key(1), 2), &view[..1]).is_err());
    }

    #[test]
    fn an_earlier_view_of_one_coordinator_is_rejected() {
        let mut check = Views::default();
        check.on_version(0, (Key(1), 2)).unwrap();
        check.on_version(0, (Key(1), 3)).unwrap();
        check.on_version(1, (Key(1), 2)).unwrap();
        check.on_version(0, (Key(2), 1)).unwrap();
        check.on_version(0, (Key(1), 2)).unwrap();
        check.on_version(0, (Key(1), 3)).unwrap();
        assert!(check.on_version(0, (Key(1), 2)).is_err());
    }
}
