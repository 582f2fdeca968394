//! Delivered events are truthful: every node that was in the author's view when the message was
//! first sent, is still, and lives, has it; and if there was any, at least one has.

use std::collections::BTreeMap;

use papo::wire::{Key, MessageId};

use super::{Run, Verdict, Violation};

/// What is known of a member at the time of the event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Has {
    Yes,
    No,
    /// It has ended, or is leaving.
    Gone,
}

#[derive(Debug, Default)]
pub struct Delivered {
    sent: BTreeMap<MessageId, Vec<Key>>,
    done: BTreeMap<MessageId, usize>,
}

fn broken(text: String) -> Verdict {
    Err(Violation::new("delivered", text))
}

impl Delivered {
    /// A message is first sent; `others` are in the author's view then, itself not counted.
    pub fn on_sent(&mut self, id: MessageId, others: Vec<Key>) {
        self.sent.insert(id, others);
    }

    /// The author's node says that the message is delivered; `view` are the members now, `has` says
    /// of a key whether its user was ever shown the message.
    pub fn on_delivered(
        &mut self,
        (run, id): (Run, MessageId),
        (members, confirmed): (usize, usize),
        view: &[Key],
        has: impl Fn(Key) -> Has,
    ) -> Verdict {
        let Some(others) = self.sent.get(&id) else {
            return broken(format!("run {run} has {id} delivered, and never sent it"));
        };
        if self.done.insert(id, confirmed).is_some() {
            return broken(format!("run {run} has {id} delivered twice"));
        }
        if members != others.len() || confirmed > members {
            let text = format!("{confirmed} of {members} confirmed {id}, sent to {others:?}");
            return broken(format!("run {run} says that {text}"));
        }
        let lacking = |key: &&Key| view.contains(key) && has(**key) == Has::No;
        if let Some(key) = others.iter().find(lacking) {
            return broken(format!("run {run} has {id} delivered, but {key} lacks it"));
        }
        if !others.is_empty() && confirmed == 0 {
            return broken(format!("run {run} has {id} delivered to nobody"));
        }
        Ok(())
    }

    /// The first message of this author that could be delivered and is not: somebody whom it was
    /// sent to is a member, and it can still be had.
    pub fn outstanding(
        &self,
        author: Key,
        view: &[Key],
        is_there: impl Fn(MessageId) -> bool,
    ) -> Option<MessageId> {
        let of_author = |(id, _): &(&MessageId, &Vec<Key>)| id.origin == author;
        let open = self
            .sent
            .iter()
            .filter(of_author)
            .filter(|(id, _)| !self.done.contains_key(id));
        let open =
            open.filter(|(_, others)| others.is_empty() || others.iter().any(|k| view.contains(k)));
        open.map(|(id, _)| *id).find(|id| is_there(*id))
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

    #[test]
    fn all_have_it_or_are_gone() {
        let all = [Key(1), Key(2), Key(3)];
        sent()
            .on_delivered((0, ID), (2, 2), &all, |_| Has::Yes)
            .unwrap();
        let gone = |k| if k == Key(3) { Has::Gone } else { Has::Yes };
        sent().on_delivered((0, ID), (2, 1), &all, gone).unwrap();
        let lacks = |k| if k == Key(3) { Has::No } else { Has::Yes };
        sent()
            .on_delivered((0, ID), (2, 1), &all[..2], lacks)
            .unwrap();
    }

    #[test]
    fn what_nobody_can_confirm_any_more_is_not_outstanding() {
        let check = sent();
        assert_eq!(
            check.outstanding(Key(1), &[Key(1), Key(3)], |_| true),
            Some(ID)
        );
        assert_eq!(check.outstanding(Key(1), &[Key(1), Key(4)], |_| true), None);
        let mut check = sent();
        check
            .on_delivered((0, ID), (2, 2), &[], |_| Has::Yes)
            .unwrap();
        assert_eq!(check.outstanding(Key(1), &[Key(1), Key(3)], |_| true), None);
    }

    #[test]
    fn a_member_that_lacks_it_is_rejected() {
        let all = [Key(1), Key(2), Key(3)];
        let lacks = |k| if k == Key(3) { Has::No } else { Has::Yes };
        assert!(sent().on_delivered((0, ID), (2, 2), &all, lacks).is_err());
    }

    #[test]
    fn delivered_to_nobody_twice_or_unsent_is_rejected() {
        let mut check = sent();
        assert!(
            check
                .on_delivered((0, ID), (2, 0), &[Key(1)], |_| Has::Gone)
                .is_err()
        );
        let mut check = sent();
        check
            .on_delivered((0, ID), (2, 2), &[], |_| Has::Yes)
            .unwrap();
        assert!(
            check
                .on_delivered((0, ID), (2, 2), &[], |_| Has::Yes)
                .is_err()
        );
        let mut check = Delivered::default();
        assert!(
            check
                .on_delivered((0, ID), (0, 0), &[], |_| Has::Yes)
                .is_err()
        );
    }
}
