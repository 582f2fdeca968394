//! The lock on the datagrams of a locked room.
//!
//! Owns the knowledge that somebody's datagrams could not be opened. What a sealed datagram looks like is
//! [`crate::lock`]'s.

use std::borrow::Cow;

use crate::lock::{DatagramSeal, OpenError, Secret, room_tag};

/// The lock on the datagrams, or none.
#[derive(Debug)]
pub(in crate::driver) struct DatagramLock {
    seal: Option<DatagramSeal>,
    tag: [u8; crate::lock::ROOM_TAG_BYTES],
    /// A datagram of a room of this name came that this node has no key for.
    locked_out: bool,
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
            locked_out: false,
        })
    }

    /// True in a locked room.
    pub(super) fn is_locked(&self) -> bool {
        self.seal.is_some()
    }

    /// Whether a datagram of a room of this name came since the last call that this node has no key for.
    pub(super) fn take_locked_out(&mut self) -> bool {
        std::mem::take(&mut self.locked_out)
    }

    /// What goes on the wire.
    pub(super) fn seal(&mut self, wall_ms: u64, plain: Vec<u8>) -> Vec<u8> {
        match &mut self.seal {
            Some(seal) => seal.seal(wall_ms, &plain),
            None => plain,
        }
    }

    /// What came from the wire.
    pub(in crate::driver) fn open<'a>(
        &mut self,
        wall_ms: u64,
        bytes: &'a [u8],
    ) -> Result<Cow<'a, [u8]>, OpenError> {
        match &mut self.seal {
            Some(seal) => {
                let opened = seal.open(wall_ms, bytes);
                self.locked_out |= opened == Err(OpenError::WrongSecret);
                opened.map(Cow::Owned)
            }
            None => {
                self.locked_out |= Secret::tag_of(bytes) == Some(self.tag);
                Ok(Cow::Borrowed(bytes))
            }
        }
    }
}
