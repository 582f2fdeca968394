//! Delivered events are truthful: every node that was in the author's view when the message was
//! first sent, is still, and lives, has it or is named as one that missed it; and if there was any,
//! at least one has spoken. Where all have, it is true of those too that are gone since.

use std::collections::{BTreeMap, BTreeSet};

use papo::wire::{Key, MessageId};

use super::{Run, Violation};

/// What is known of a member at the time of the event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Has {
    /// It is there, was shown or will be, and is stored where there is a store.
    pub it: bool,
    /// It runs, and is not leaving.
    pub present: bool,
}

/// What the author's node says of one message.
#[derive(Clone, Copy, Debug)]
pub struct Word<'a> {
    pub members: usize,
    pub confirmed: usize,
    pub missed: &'a [Key],
}

#[derive(Debug, Default)]
pub struct Delivered {
    sent: BTreeMap<MessageId, Vec<Key>>,
    done: BTreeMap<MessageId, usize>,
    missed: BTreeSet<MessageId>,
}

fn broken<T>(text: String) -> Result<T, Violation> {
    Err(Violation::new("delivered", text))
}

impl Delivered {
    /// A message is first sent; `others` are in the author's view then, itself not counted.
    pub fn on_sent(&mut self, id: MessageId, others: Vec<Key>) {
        self.sent.insert(id, others);
    }

    /// The author's node says that the message is delivered; `view` are the members now. Who is
    /// counted as having confirmed it, as far as that can be told, is returned.
    pub fn on_delivered(
        &mut self,
        (run, id): (Run, MessageId),
        word: Word<'_>,
        view: &[Key],
        has: impl Fn(Key) -> Has,
    ) -> Result<Vec<Key>, Violation> {
        let Some(others) = self.sent.get(&id) else {
            return broken(format!("run {run} has {id} delivered, and never sent it"));
        };
        if self.done.insert(id, word.confirmed).is_some() {
            return broken(format!("run {run} has {id} delivered twice"));
        }
        let missed: BTreeSet<Key> = word.missed.iter().copied().collect();
        let spoke = word.confirmed + missed.len();
        if !missed.is_empty() {
            self.missed.insert(id);
        }
        let unsent = missed.iter().any(|k| !others.contains(k));
        if word.members != others.len() || spoke > word.members || unsent {
            return broken(format!(
                "run {run} says {word:?} of {id}, sent to {others:?}"
            ));
        }
        if !others.is_empty() && spoke == 0 {
            return broken(format!("run {run} has {id} delivered to nobody"));
        }
        // Where all have spoken, those who are gone are counted as well.
        let is_counted = |k: &Key| {
            !missed.contains(k) && (spoke == word.members || view.contains(k) && has(*k).present)
        };
        let counted: Vec<Key> = others.iter().copied().filter(is_counted).collect();
        if counted.len() > word.confirmed {
            let confirmed = word.confirmed;
            let text =
                format!("run {run} has {id} delivered to {confirmed}, there are {counted:?}");
            return broken(text);
        }
        if let Some(key) = counted.iter().find(|k| !has(**k).it) {
            return broken(format!("run {run} has {id} delivered, but {key} lacks it"));
        }
        Ok(counted)
    }

    /// The author's node has missed this itself: it could not store it.
    pub fn on_own_missed(&mut self, id: MessageId) {
        self.missed.insert(id);
    }

    /// The first message of this author that could be delivered and is not: somebody whom it was
    /// sent to is a member, and nobody who may be too far away.
    pub fn outstanding(
        &self,
        author: Key,
        view: &[Key],
        is_too_far: impl Fn(Key) -> bool,
    ) -> Option<MessageId> {
        let is_open = |(id, to): &(&MessageId, &Vec<Key>)| {
            let mut there = to.iter().filter(|k| view.contains(k)).peekable();
            let is_waited_for = to.is_empty() || there.peek().is_some();
            !self.done.contains_key(id) && is_waited_for && !there.any(|k| is_too_far(*k))
        };
        self.of(author).find(is_open).map(|(id, _)| *id)
    }

    /// The first message of this author that is delivered, and that somebody said to have missed.
    pub fn first_missed(&self, author: Key) -> Option<MessageId> {
        let mut ids = self.of(author).map(|(id, _)| *id);
        ids.find(|id| self.missed.contains(id))
    }

    /// What this author wrote while this member was in its view.
    pub fn sent_to(&self, author: Key, member: Key) -> impl Iterator<Item = MessageId> {
        let sent = self.of(author).filter(move |(_, to)| to.contains(&member));
        sent.map(|(id, _)| *id)
    }

    fn of(&self, author: Key) -> impl Iterator<Item = (&MessageId, &Vec<Key>)> {
        let id = |seq| MessageId {
            origin: author,
            seq,
        };
        self.sent.range(id(0)..=id(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: MessageId = MessageId {
        origin: Key(1),
        seq: 1,
    };

    fn sent() -> Delivered {
        let mut check = Delivered::default();
        check.on_sent(ID, vec![Key(2), Key(3)]);
        check
    }

    const YES: Has = Has {
        it: true,
        present: true,
    };
    const NO: Has = Has {
        it: false,
        present: true,
    };
    const GONE: Has = Has {
        it: false,
        present: false,
    };
    const ALL: [Key; 3] = [Key(1), Key(2), Key(3)];

    fn word(members: usize, confirmed: usize) -> Word<'static> {
        Word {
            members,
            confirmed,
            missed: &[],
        }
    }

    fn without(missed: &[Key], confirmed: usize) -> Word<'_> {
        Word {
            members: 2,
            confirmed,
            missed,
        }
    }

    fn says(word: Word<'_>, view: &[Key], third: Has) -> Result<Vec<Key>, Violation> {
        let has = |k| if k == Key(3) { third } else { YES };
        sent().on_delivered((0, ID), word, view, has)
    }

    #[test]
    fn all_have_it_or_are_gone_or_missed_it() {
        assert_eq!(says(word(2, 2), &ALL, YES).unwrap(), [Key(2), Key(3)]);
        assert_eq!(says(word(2, 1), &ALL, GONE).unwrap(), [Key(2)]);
        assert_eq!(says(word(2, 1), &ALL[..2], NO).unwrap(), [Key(2)]);
        assert_eq!(says(without(&[Key(3)], 1), &ALL, NO).unwrap(), [Key(2)]);
        assert!(
            says(without(&[Key(2), Key(3)], 0), &ALL, NO)
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn what_nobody_can_confirm_any_more_is_not_outstanding() {
        let check = sent();
        assert_eq!(
            check.outstanding(Key(1), &[Key(1), Key(3)], |_| false),
            Some(ID)
        );
        assert_eq!(
            check.outstanding(Key(1), &[Key(1), Key(4)], |_| false),
            None
        );
        let is_third = |k| k == Key(3);
        assert_eq!(check.outstanding(Key(1), &[Key(1), Key(3)], is_third), None);
        assert_eq!(
            check.outstanding(Key(1), &[Key(1), Key(2)], is_third),
            Some(ID)
        );
        let mut check = sent();
        check
            .on_delivered((0, ID), word(2, 2), &[], |_| YES)
            .unwrap();
        assert_eq!(
            check.outstanding(Key(1), &[Key(1), Key(3)], |_| false),
            None
        );
    }

    #[test]
    fn a_member_that_lacks_it_is_rejected() {
        assert!(says(word(2, 2), &ALL, NO).is_err());
        assert!(says(word(2, 1), &ALL, NO).is_err());
        // All have confirmed: so did the one that is gone.
        assert!(says(word(2, 2), &ALL[..2], GONE).is_err());
        // One that is there and did not miss it has confirmed it.
        assert!(says(word(2, 1), &ALL, YES).is_err());
    }

    #[test]
    fn a_miss_of_a_stranger_and_one_voice_too_many_are_rejected() {
        assert!(says(without(&[Key(4)], 1), &ALL, YES).is_err());
        assert!(says(without(&[Key(3)], 2), &ALL, NO).is_err());
    }

    #[test]
    fn delivered_to_nobody_twice_or_unsent_is_rejected() {
        assert!(says(word(2, 0), &[Key(1)], GONE).is_err());
        let mut check = sent();
        let mut again = || check.on_delivered((0, ID), word(2, 2), &[], |_| YES);
        again().unwrap();
        assert!(again().is_err());
        let mut check = Delivered::default();
        assert!(
            check
                .on_delivered((0, ID), word(0, 0), &[], |_| YES)
                .is_err()
        );
    }
}
