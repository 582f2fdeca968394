//! The lock on the datagrams of a locked room.
//!
//! Owns the room's seal, if it has one. What a sealed datagram looks like is [`crate::lock`]'s.

use std::borrow::Cow;

use crate::lock::{DatagramSeal, OpenError, Secret, room_tag};
use crate::node::Now;

/// The lock on the datagrams, or none.
#[derive(Debug)]
pub(in crate::driver) struct DatagramLock {
    seal: Option<DatagramSeal>,
    tag: [u8; crate::lock::ROOM_TAG_BYTES],
}

impl DatagramLock {
    /// `None` if the system gives no randomness.
    pub(in crate::driver) fn new(room: &str, secret: Option<&Secret>) -> Option<DatagramLock> {
        let seal = match secret {
            Some(secret) => Some(DatagramSeal::new(secret)?),
            None => None,
        };
        Some(DatagramLock {
            seal,
            tag: room_tag(room),
        })
    }

    /// What goes on the wire.
    pub(in crate::driver) fn seal(&mut self, wall_ms: u64, plain: Vec<u8>) -> Vec<u8> {
        match &mut self.seal {
            Some(seal) => seal.seal(wall_ms, &plain),
            None => plain,
        }
    }

    /// What came from the wire.
    pub(in crate::driver) fn open<'a>(
        &mut self,
        now: Now,
        bytes: &'a [u8],
    ) -> Result<Cow<'a, [u8]>, OpenError> {
        match &mut self.seal {
            Some(seal) => {
                let steady_ms = now.time.0 / 1_000;
                let opened = seal.open_at(now.wall_ms, steady_ms, bytes);
                opened.map(Cow::Owned)
            }
            None if Secret::tag_of(bytes) == Some(self.tag) => Err(OpenError::Locked),
            None => Ok(Cow::Borrowed(bytes)),
        }
    }
}
