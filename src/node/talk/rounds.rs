//! Whose turn it is where peers are asked one after the other, however little is known to be missing.
//!
//! Owns the order in which the peers had their turns. It asks nobody.

use std::collections::VecDeque;

use crate::wire::Key;

/// The turns of the peers that there are.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    /// The peers that have had a turn, the one whose last turn is longest ago first.
    had: VecDeque<Key>,
}

impl Rounds {
    /// The one of these whose last turn is longest ago; those that had none come first, by chance. So what two of them
    /// alone can give each other waits no longer than a turn of each takes.
    pub(super) fn next(&mut self, keys: &[Key], rng: &mut fastrand::Rng) -> Option<Key> {
        self.had.retain(|key| keys.contains(key));
        let new = keys.iter().filter(|key| !self.had.contains(key));
        let new: Vec<Key> = new.copied().collect();
        let key = rng.choice(new).or_else(|| self.had.pop_front())?;
        self.had.push_back(key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn nobody_waits_longer_than_a_turn_of_each_takes() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut rounds = Rounds::default();
        assert_eq!(rounds.next(&[], &mut rng), None);
        let keys: Vec<Key> = (1..=9).map(Key).collect();
        // Some of them come later.
        for _ in 0..7 {
            rounds.next(&keys[..4], &mut rng);
        }
        let turns = (0..40).filter_map(|_| rounds.next(&keys, &mut rng));
        let turns: Vec<Key> = turns.collect();
        assert!(turns[..5].iter().all(|key| keys[4..].contains(key)));
        for turns in turns.windows(9) {
            let different: BTreeSet<Key> = turns.iter().copied().collect();
            assert_eq!(different.len(), 9, "{turns:?}");
        }
    }

    #[test]
    fn who_is_gone_has_no_turn() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut rounds = Rounds::default();
        let keys = [Key(1), Key(2)];
        for _ in 0..3 {
            rounds.next(&keys, &mut rng);
        }
        for _ in 0..3 {
            assert_eq!(rounds.next(&keys[1..], &mut rng), Some(Key(2)));
        }
        assert_eq!(rounds.had.len(), 1);
    }
}
