//! Who was lost a moment ago, and may come back at once.
//!
//! Owns their list. When two groups become one, their members come into the view of one coordinator one after the
//! other, and each is lost to those who went before it, though it is linked and lives. What it has not confirmed is
//! kept for it meanwhile, and until it has fetched that. It never decides who is lost, or lives.

use std::time::Duration;

use crate::limits::MEMBERS_MAX;
use crate::node::Time;
use crate::wire::Key;

/// Who was lost, and may lack some of what this node wrote.
#[derive(Debug, Default)]
pub(super) struct Returning {
    /// Each with when it was lost, or came back, and the last message that it owes.
    all: Vec<(Key, Time, u64)>,
}

impl Returning {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// A member is lost, and owes everything up to this message.
    pub(super) fn lose(&mut self, key: Key, (now, upto): (Time, u64)) {
        self.remove(key);
        if self.all.len() < MEMBERS_MAX {
            self.all.push((key, now, upto));
        }
    }

    /// One is back: it is waited for from now on.
    pub(super) fn come_back(&mut self, key: Key, now: Time) {
        if let Some(back) = self.all.iter_mut().find(|back| back.0 == key) {
            back.1 = now;
        }
    }

    /// One has left, and is not waited for.
    pub(super) fn remove(&mut self, key: Key) {
        self.all.retain(|back| back.0 != key);
    }

    /// Nobody is waited for longer than this.
    pub(super) fn tidy(&mut self, now: Time, patience: Duration) {
        self.all
            .retain(|(_, since, _)| now.since(*since) < patience);
    }

    /// Each with the last message that it owes.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, u64)> {
        self.all.iter().map(|(key, _, upto)| (*key, *upto))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: Key = Key(9);

    fn second(second: u64) -> Time {
        Time(second * 1_000_000)
    }

    #[test]
    fn who_comes_back_is_waited_for_as_long_again_and_who_leaves_is_not() {
        let waited = |at: u64, back: Option<u64>| {
            let mut returning = Returning::default();
            returning.lose(ANA, (second(1), 7));
            if let Some(back) = back {
                returning.come_back(ANA, second(back));
            }
            returning.tidy(second(at), Duration::from_secs(4));
            returning.iter().next()
        };
        assert_eq!(waited(4, None), Some((ANA, 7)));
        assert_eq!(waited(5, None), None);
        assert_eq!(waited(5, Some(3)), Some((ANA, 7)));
        assert_eq!(waited(7, Some(3)), None);
        let mut returning = Returning::default();
        returning.lose(ANA, (second(1), 7));
        returning.remove(ANA);
        assert!(returning.is_empty());
    }

    #[test]
    fn only_so_many_are_waited_for() {
        let mut returning = Returning::default();
        (0..2 * MEMBERS_MAX as u64).for_each(|key| returning.lose(Key(key), (second(1), 1)));
        assert_eq!(returning.iter().count(), MEMBERS_MAX);
    }
}
