//! What one turn of the loop may read: of one stream, and of many together.
//!
//! Owns the counts of bytes and frames that are left. It reads nothing itself, and knows no stream.

use crate::limits::{
    BYTES_PER_TURN_MAX, FRAMES_PER_TURN_MAX, LINK_BYTES_PER_TURN_MAX, LINK_FRAMES_PER_TURN_MAX,
    OUTSIDER_BYTES_PER_TURN_MAX, OUTSIDER_FRAMES_PER_TURN_MAX,
};

/// Who is at the other end of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PeerClass {
    /// A member of the room.
    Member,
    /// Nobody knows yet: HELLO is still to come.
    Greeting,
    /// Somebody who said HELLO and is no member.
    Stranger,
}

/// What one stream may have of a turn.
#[derive(Debug)]
pub(super) struct Share {
    bytes: usize,
    frames: usize,
}

/// What many streams together may have of a turn.
#[derive(Debug)]
pub(super) struct Budget {
    left: Share,
    /// What the last share began with.
    given: Share,
}

impl Budget {
    fn new(bytes: usize, frames: usize) -> Budget {
        let (left, given) = (Share { bytes, frames }, Share::of(0, 0));
        Budget { left, given }
    }

    /// The next stream's share.
    fn share(&mut self) -> Share {
        self.given = Share::of(self.left.bytes, self.left.frames);
        Share { ..self.given }
    }

    /// What was not used of the last share is there for others.
    fn take(&mut self, rest: &Share) {
        self.left.bytes -= self.given.bytes - rest.bytes;
        self.left.frames -= self.given.frames - rest.frames;
    }
}

impl Share {
    /// A stream's share, or what is left of everybody's.
    pub(super) fn of(bytes: usize, frames: usize) -> Share {
        Share {
            bytes: bytes.min(LINK_BYTES_PER_TURN_MAX),
            frames: frames.min(LINK_FRAMES_PER_TURN_MAX),
        }
    }

    /// True if nothing is left of this share.
    pub(super) fn is_spent(&self) -> bool {
        self.bytes == 0 || self.frames == 0
    }

    /// So many bytes were read.
    pub(super) fn take_bytes(&mut self, count: usize) {
        self.bytes = self.bytes.saturating_sub(count);
    }

    /// A message was taken that counts as so many frames.
    pub(super) fn take_frames(&mut self, count: usize) {
        self.frames = self.frames.saturating_sub(count);
    }
}

/// One round over the streams that wait to be read: who is at the other end says out of which
/// budget a stream's share comes. A newcomer's handshake does not wait behind what strangers send.
#[derive(Debug)]
pub(in crate::driver) struct StreamRound {
    /// Streams that are still to be looked at.
    left: usize,
    members: Budget,
    greeting: Budget,
    strangers: Budget,
    /// The stream that is being read.
    current: Option<Reading>,
}

/// A stream that is being read, and what it may still have.
#[derive(Debug)]
struct Reading {
    slot: usize,
    standing: PeerClass,
    share: Share,
}

impl StreamRound {
    /// A round over so many streams.
    pub(super) fn new(streams: usize) -> StreamRound {
        let outsiders = || Budget::new(OUTSIDER_BYTES_PER_TURN_MAX, OUTSIDER_FRAMES_PER_TURN_MAX);
        StreamRound {
            left: streams,
            members: Budget::new(BYTES_PER_TURN_MAX, FRAMES_PER_TURN_MAX),
            greeting: outsiders(),
            strangers: outsiders(),
            current: None,
        }
    }

    /// Counts one more stream; false if all were looked at.
    pub(super) fn step(&mut self) -> bool {
        let more = self.left > 0;
        self.left = self.left.saturating_sub(1);
        more
    }

    /// Begins to read a stream; false if nothing is left for those like it.
    pub(super) fn begin(&mut self, slot: usize, standing: PeerClass) -> bool {
        let share = self.budget(standing).share();
        if share.is_spent() {
            return false;
        }
        self.current = Some(Reading {
            slot,
            standing,
            share,
        });
        true
    }

    /// The stream that is being read, and what it may still have.
    pub(super) fn current(&mut self) -> Option<(usize, &mut Share)> {
        let current = self.current.as_mut()?;
        Some((current.slot, &mut current.share))
    }

    /// Nothing more is read of the current stream in this round.
    pub(super) fn finish(&mut self) {
        if let Some(reading) = self.current.take() {
            self.budget(reading.standing).take(&reading.share);
        }
    }

    fn budget(&mut self, standing: PeerClass) -> &mut Budget {
        match standing {
            PeerClass::Member => &mut self.members,
            PeerClass::Greeting => &mut self.greeting,
            PeerClass::Stranger => &mut self.strangers,
        }
    }
}
