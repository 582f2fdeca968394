//! Last words come before the farewell: the coordinator that reports a member as having left has
//! been shown all that this member said.
//!
//! It holds where a scenario demands it only: words that went another way may come later.

use std::collections::BTreeSet;

use papo::wire::{Key, MessageId};

use super::{Run, Verdict, Violation};

#[derive(Debug, Default)]
pub struct Farewell {
    demanded: bool,
    left: BTreeSet<(Run, Key)>,
}

impl Farewell {
    pub fn demand(&mut self, demanded: bool) {
        self.demanded = demanded;
    }

    /// A coordinator reports that this member has left.
    pub fn on_left(&mut self, run: Run, key: Key) {
        if self.demanded {
            self.left.insert((run, key));
        }
    }

    pub fn on_shown(&self, run: Run, id: MessageId) -> Verdict {
        if !self.demanded || !self.left.contains(&(run, id.origin)) {
            return Ok(());
        }
        let text = format!("run {run} shows {id}, whose author it reported as having left");
        Err(Violation::new("last words", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_after_the_farewell_are_rejected() {
        let id = |origin| MessageId {
            origin: Key(origin),
            seq: 1,
        };
        let mut check = Farewell::default();
        check.on_left(0, Key(1));
        check.on_shown(0, id(1)).unwrap();
        check.demand(true);
        check.on_shown(0, id(1)).unwrap();
        check.on_left(0, Key(1));
        check.on_shown(0, id(2)).unwrap();
        check.on_shown(1, id(1)).unwrap();
        assert!(check.on_shown(0, id(1)).is_err());
    }
}
