//! Who is heard and cannot be reached is named to the user, once; and whoever leaves has had everything
//! confirmed, where a scenario demands it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Run, Verdict, Violation};

/// How a warning that names somebody ends.
const WORDS: &str = " is heard but cannot be reached over TCP; is a firewall in the way?";

#[derive(Debug, Default)]
pub struct Naming {
    /// Whom each run was told of, as the warning calls them, and how often.
    told: BTreeMap<(Run, String), u32>,
    is_confirmed: bool,
}

impl Naming {
    /// A node warns its user.
    pub fn on_warning(&mut self, run: Run, text: &str) -> Verdict {
        let Some(whom) = text.strip_suffix(WORDS) else {
            return Ok(());
        };
        let count = self.told.entry((run, whom.to_string())).or_default();
        *count += 1;
        if *count == 1 {
            return Ok(());
        }
        Err(Violation::new(
            "named once",
            format!("run {run} names {whom} again"),
        ))
    }

    /// This run has named whoever is at this address, once.
    pub fn is_named_once(&self, run: Run, ip: IpAddr) -> Verdict {
        let end = format!("({ip})");
        let told = self.told.iter();
        let told = told.filter(|((by, whom), _)| *by == run && whom.ends_with(&end));
        match told.map(|(_, count)| count).sum() {
            1 => Ok(()),
            count => Err(Violation::new(
                "named once",
                format!("run {run} names {ip} {count} times"),
            )),
        }
    }

    /// From now on whoever leaves has had everything confirmed.
    pub fn demand_confirmed(&mut self) {
        self.is_confirmed = true;
    }

    /// A node has left.
    pub fn on_left(&self, run: Run, confirmed: bool) -> Verdict {
        if confirmed || !self.is_confirmed {
            return Ok(());
        }
        let text = format!("run {run} leaves with something unconfirmed");
        Err(Violation::new("all confirmed", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_named_twice_or_never_is_noticed() {
        let mut check = Naming::default();
        let ip: IpAddr = "10.0.0.1".parse().unwrap();
        check.on_warning(0, "something else").unwrap();
        assert!(check.is_named_once(0, ip).is_err());
        let text = format!("ana (10.0.0.1){WORDS}");
        check.on_warning(0, &text).unwrap();
        check.is_named_once(0, ip).unwrap();
        assert!(check.is_named_once(1, ip).is_err());
        assert!(check.on_warning(0, &text).is_err());
    }

    #[test]
    fn what_is_not_confirmed_is_noticed_once_that_is_demanded() {
        let mut check = Naming::default();
        check.on_left(0, false).unwrap();
        check.demand_confirmed();
        check.on_left(0, true).unwrap();
        assert!(check.on_left(0, false).is_err());
    }
}
