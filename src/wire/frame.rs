//! Frames on a byte stream: the bytes that a socket gave, cut at the lengths in them.
//!
//! What lives here: one bounded buffer per stream. It knows neither the socket nor what a frame
//! says.

use std::fmt;

use crate::limits::{FRAME_BYTES_MAX, HANDSHAKE_FRAME_BYTES_MAX};

/// Bytes of the length before each frame.
pub const LENGTH_BYTES: usize = 4;
/// What a buffer starts with; most streams carry small frames only.
const BUFFER_BYTES_MIN: usize = 16 * 1024;
/// What a buffer grows to: with two of the largest frames, bytes are moved rarely.
const BUFFER_BYTES_MAX: usize = 2 * (LENGTH_BYTES + FRAME_BYTES_MAX);

/// Why a stream cannot be read any further: its sender broke a rule, and the stream has no next
/// frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameError {
    /// A frame of length 0.
    Empty,
    /// A frame of this length, more than `FRAME_BYTES_MAX`.
    TooLong(u32),
    /// A frame of this length, more than `HANDSHAKE_FRAME_BYTES_MAX`, in the handshake.
    TooLongForHandshake(u32),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Empty => f.write_str("frame of length 0"),
            FrameError::TooLong(n) => write!(f, "frame of {n} bytes, over {FRAME_BYTES_MAX}"),
            FrameError::TooLongForHandshake(n) => write!(
                f,
                "frame of {n} bytes, over {HANDSHAKE_FRAME_BYTES_MAX}, in the handshake"
            ),
        }
    }
}

impl std::error::Error for FrameError {}

/// Cuts a stream into frames. Alternate: read into [`space`](Self::space), say how much with
/// [`filled`](Self::filled), then take every [`next_frame`](Self::next_frame).
///
/// The buffer holds at most two of the largest frames, and only of a sender that announced one is
/// it larger than 16 KiB. A byte is moved at most a few times, however the stream is cut up.
#[derive(Debug, Default)]
pub struct FrameReader {
    /// Bytes of the stream stand in `start..end`.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Only frames of a handshake's size are taken for now.
    in_handshake: bool,
}

impl FrameReader {
    /// For a stream of which nothing is read yet. Takes no memory before it is used.
    #[must_use]
    pub fn new() -> FrameReader {
        FrameReader::default()
    }

    /// For a stream whose sender has yet to say HELLO: until [`end_handshake`](Self::end_handshake)
    /// no frame may be longer than `HANDSHAKE_FRAME_BYTES_MAX`.
    #[must_use]
    pub fn in_handshake() -> FrameReader {
        FrameReader {
            in_handshake: true,
            ..FrameReader::default()
        }
    }

    /// True until [`end_handshake`](Self::end_handshake), if it began so.
    #[must_use]
    pub fn is_in_handshake(&self) -> bool {
        self.in_handshake
    }

    /// From now on frames of every allowed length are taken.
    pub fn end_handshake(&mut self) {
        self.in_handshake = false;
    }

    /// Where the next bytes of the stream go. Empty only if whole frames wait to be taken, more
    /// than the buffer's size of them.
    pub fn space(&mut self) -> &mut [u8] {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        let wanted = 2 * self.frame_bytes().unwrap_or(0);
        let size = wanted.clamp(BUFFER_BYTES_MIN, BUFFER_BYTES_MAX);
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
        // Moved only once as many bytes are to be gained as are to be moved, or when full.
        let (kept, free) = (self.end - self.start, self.buffer.len() - self.end);
        if free < self.buffer.len() / 4 && (kept <= self.start || free == 0) {
            self.buffer.copy_within(self.start..self.end, 0);
            self.start = 0;
            self.end = kept;
        }
        &mut self.buffer[self.end..]
    }

    /// The first `n` bytes of [`space`](Self::space) were read from the stream.
    pub fn filled(&mut self, n: usize) {
        self.end = self.buffer.len().min(self.end + n);
    }

    /// Appends bytes of the stream, for callers that have them in memory already: the buffer grows
    /// with them, so the caller bounds it.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.truncate(self.end);
        self.buffer.drain(..self.start);
        self.buffer.extend_from_slice(bytes);
        self.start = 0;
        self.end = self.buffer.len();
    }

    /// The next whole frame, without its length. `None` if more of the stream is needed; an error
    /// as soon as a frame's length is wrong, and then for ever.
    pub fn next_frame(&mut self) -> Option<Result<&[u8], FrameError>> {
        let length = match self.length()? {
            0 => return Some(Err(FrameError::Empty)),
            n if n as usize > FRAME_BYTES_MAX => return Some(Err(FrameError::TooLong(n))),
            n if self.in_handshake && n as usize > HANDSHAKE_FRAME_BYTES_MAX => {
                return Some(Err(FrameError::TooLongForHandshake(n)));
            }
            n => n as usize,
        };
        let from = self.start + LENGTH_BYTES;
        if self.end < from + length {
            return None;
        }
        self.start = from + length;
        Some(Ok(&self.buffer[from..from + length]))
    }

    /// How many bytes are held of frames that were not taken yet.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.end - self.start
    }

    fn length(&self) -> Option<u32> {
        let pending = &self.buffer[self.start..self.end];
        pending.first_chunk().copied().map(u32::from_be_bytes)
    }

    /// The size of the frame that begins the buffer.
    fn frame_bytes(&self) -> Option<usize> {
        self.length()
            .map(|n| (n as usize).min(FRAME_BYTES_MAX) + LENGTH_BYTES)
    }
}
