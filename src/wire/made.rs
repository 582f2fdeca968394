//! Messages and members for the tests of the library.
//!
//! Owns no test, and asserts nothing: whoever needs a message with other causes or another nick makes its own.

use super::{ChatMessage, Draft, Key, Member};

/// A member without an address, whose key has the number of its id.
pub(crate) fn member(id: u64, nick: &str) -> Member {
    Member {
        id,
        key: Key(id),
        nick: nick.into(),
        addresses: Vec::new(),
    }
}

/// What this author has said, without causes.
pub(crate) fn message(author: u64, seq: u64, timestamp: u64, text: &str) -> ChatMessage {
    ChatMessage::new(&Draft {
        origin: Key(author),
        seq,
        timestamp,
        sent_at: 0,
        from: 1,
        nick: "n".into(),
        dependencies: Vec::new().into(),
        text: text.into(),
    })
    .expect("a valid message")
}
