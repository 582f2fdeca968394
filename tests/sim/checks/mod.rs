//! The invariants of `src/node/DESIGN.md`, each checked by what users see: what they said, what
//! they were shown, and what the nodes hold in the end.
//!
//! Owns no part of the simulated world, and never asks a node how it came to its state. Each
//! checker has tests of its own, on histories made by hand, that it must accept and reject.

pub mod arrival;
pub mod churn;
pub mod convergence;
pub mod delivered;
pub mod election;
pub mod farewell;
pub mod integrity;
pub mod ledger;
pub mod liveness;
pub mod loss;
pub mod lying;
pub mod naming;
pub mod offices;
pub mod once;
pub mod order;
pub mod views;

use std::fmt;

/// A run: one process from its start to its end.
pub type Run = usize;

/// An invariant that did not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    pub invariant: &'static str,
    pub text: String,
}

impl Violation {
    pub fn new(invariant: &'static str, text: String) -> Violation {
        Violation { invariant, text }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.text)
    }
}

/// What a check says.
pub type Verdict = Result<(), Violation>;

#[cfg(test)]
pub mod made {
    //! Parts of histories made by hand.
    use papo::wire::{ChatMessage, Draft, Key};
    use std::rc::Rc;

    pub fn message(origin: u64, seq: u64, timestamp: u64, text: &str) -> ChatMessage {
        ChatMessage::new(&Draft {
            origin: Key(origin),
            seq,
            timestamp,
            sent_at: 0,
            from: 1,
            nick: "n".into(),
            dependencies: Vec::new().into(),
            text: text.to_string().into(),
        })
        .expect("a valid message")
    }
}
