//! Each message is shown to one user at most once.

use std::collections::BTreeSet;

use papo::wire::MessageId;

use super::{Run, Verdict, Violation};

#[derive(Debug, Default)]
pub struct Once {
    shown: BTreeSet<(Run, MessageId)>,
}

impl Once {
    pub fn on_shown(&mut self, run: Run, id: MessageId) -> Verdict {
        if self.shown.insert((run, id)) {
            return Ok(());
        }
        Err(Violation::new(
            "once",
            format!("run {run} shows {id} again"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use papo::wire::Key;

    #[test]
    fn two_users_may_see_it_and_one_may_not_see_it_twice() {
        let mut check = Once::default();
        let id = MessageId {
            origin: Key(1),
            seq: 1,
        };
        check.on_shown(0, id).unwrap();
        check.on_shown(1, id).unwrap();
        assert!(check.on_shown(0, id).is_err());
    }
}
