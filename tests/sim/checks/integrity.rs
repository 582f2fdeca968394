//! Integrity: a history holds only messages that somebody wrote, unaltered, each once.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use papo::wire::{ChatMessage, Key, MessageId};

use super::{Run, Verdict, Violation};

/// What was said, and in which message each saying went out.
#[derive(Debug, Default)]
pub struct Integrity {
    /// Texts are told apart: no two sayings have the same.
    said: BTreeMap<String, Key>,
    written: BTreeMap<MessageId, ChatMessage>,
    /// The message of each text.
    texts: BTreeMap<String, MessageId>,
    /// What was said to one member only, by whom and to whom.
    privates: BTreeSet<(Key, Key, String)>,
}

fn broken(text: String) -> Verdict {
    Err(Violation::new("integrity", text))
}

impl Integrity {
    /// A user says this.
    pub fn on_said(&mut self, author: Key, text: &str) {
        self.said.insert(text.to_string(), author);
    }

    /// A user says this to one member only.
    pub fn on_said_privately(&mut self, from: Key, to: Key, text: &str) {
        self.privates.insert((from, to, text.to_string()));
    }

    /// A private line is shown to a user: it was said to that user, and is shown once.
    pub fn on_private_shown(&mut self, run: Run, (from, to): (Key, Key), text: &str) -> Verdict {
        if self.privates.remove(&(from, to, text.to_string())) {
            return Ok(());
        }
        broken(format!(
            "run {run} is shown {text:?} from {from}, not sent to it"
        ))
    }

    /// A message is shown to somebody; `own` when it is the author's own node that shows it.
    pub fn on_shown(&mut self, run: Run, message: &ChatMessage, own: bool) -> Verdict {
        let id = message.id();
        if own {
            if self.said.get(message.text()) != Some(&message.origin()) {
                return broken(format!("run {run} wrote {id}, which its user did not say"));
            }
            if self.texts.insert(message.text().to_owned(), id).is_some() {
                return broken(format!("run {run} wrote one line twice, again as {id}"));
            }
            if self.written.insert(id, message.clone()).is_some() {
                return broken(format!("run {run} wrote two messages {id}"));
            }
            return Ok(());
        }
        self.is_as_written(run, message)
    }

    /// What a history holds, in its order.
    pub fn on_held<'a>(&self, run: Run, history: impl Iterator<Item = &'a ChatMessage>) -> Verdict {
        let mut seen = BTreeSet::new();
        let mut last = None;
        for message in history {
            if !seen.insert(message.id()) {
                return broken(format!("run {run} holds {} twice", message.id()));
            }
            if last.is_some_and(|l| l >= message.position()) {
                return broken(format!("run {run} holds {} out of order", message.id()));
            }
            last = Some(message.position());
            self.is_as_written(run, message)?;
        }
        Ok(())
    }

    fn is_as_written(&self, run: Run, message: &ChatMessage) -> Verdict {
        match self.written.get(&message.id()) {
            None => broken(format!(
                "run {run} has {}, which nobody wrote",
                message.id()
            )),
            Some(written) if written != message => {
                broken(format!("run {run} has {}, altered", message.id()))
            }
            Some(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::message;
    use super::*;

    fn written() -> Integrity {
        let mut check = Integrity::default();
        check.on_said(Key(1), "a");
        check.on_said(Key(1), "b");
        check.on_shown(0, &message(1, 1, 10, "a"), true).unwrap();
        check.on_shown(0, &message(1, 2, 20, "b"), true).unwrap();
        check
    }

    #[test]
    fn what_was_written_is_accepted() {
        let mut check = written();
        let (a, b) = (message(1, 1, 10, "a"), message(1, 2, 20, "b"));
        check.on_shown(1, &a, false).unwrap();
        check.on_held(1, [&a, &b].into_iter()).unwrap();
    }

    #[test]
    fn what_nobody_wrote_is_rejected() {
        let mut check = written();
        assert!(check.on_shown(1, &message(1, 3, 10, "c"), false).is_err());
        assert!(check.on_shown(1, &message(2, 1, 10, "a"), false).is_err());
        assert!(check.on_shown(2, &message(2, 1, 10, "a"), true).is_err());
    }

    #[test]
    fn what_was_altered_is_rejected() {
        let mut check = written();
        assert!(check.on_shown(1, &message(1, 1, 10, "A"), false).is_err());
        assert!(check.on_shown(1, &message(1, 1, 11, "a"), false).is_err());
        assert!(
            check
                .on_held(1, [&message(1, 1, 11, "a")].into_iter())
                .is_err()
        );
    }

    #[test]
    fn what_is_held_twice_or_out_of_order_is_rejected() {
        let check = written();
        let (a, b) = (message(1, 1, 10, "a"), message(1, 2, 20, "b"));
        assert!(check.on_held(1, [&a, &a].into_iter()).is_err());
        assert!(check.on_held(1, [&b, &a].into_iter()).is_err());
    }

    #[test]
    fn a_line_written_twice_is_rejected() {
        let mut check = written();
        assert!(check.on_shown(0, &message(1, 3, 30, "a"), true).is_err());
        check.on_said(Key(1), "c");
        assert!(check.on_shown(0, &message(1, 2, 30, "c"), true).is_err());
    }
}
