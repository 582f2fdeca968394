//! What waits to be written to one peer.
//!
//! Owns the order of the frames: control before chat, in order among themselves, but never inside
//! a frame that is partly written. Before all others go those of the link's proof, and until that is
//! said the others wait. It knows no limits, no socket and no protocol; the bytes are
//! shared with every other queue that holds the same frame.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::rc::Rc;

use crate::node::Class;

/// Frames per vectored write: enough to fill a socket's buffer with small frames, and the slices
/// stay on the stack.
const SLICES_MAX: usize = 64;

/// How far a write came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Written {
    /// Everything queued is written.
    All,
    /// The socket takes no more for now.
    Blocked,
}

/// The outbound queue of one peer.
#[derive(Debug, Default)]
pub struct OutQueue {
    /// A frame of which this many bytes, at least one, are written.
    started: Option<(Rc<[u8]>, usize)>,
    /// What the proof of the link consists of.
    proof: VecDeque<Rc<[u8]>>,
    /// This end has not said all of that yet.
    is_held: bool,
    control: VecDeque<Rc<[u8]>>,
    chat: VecDeque<Rc<[u8]>>,
    bytes: usize,
}

impl OutQueue {
    /// The queue of a new link: what is put into it waits until [`OutQueue::release`].
    #[must_use]
    pub fn held() -> OutQueue {
        OutQueue {
            is_held: true,
            ..OutQueue::default()
        }
    }

    /// Appends a frame of the link's proof.
    pub fn push_proof(&mut self, frame: Rc<[u8]>) {
        self.bytes += frame.len();
        self.proof.push_back(frame);
    }

    /// This end's proof is said: nothing waits for it any more.
    pub fn release(&mut self) {
        self.is_held = false;
    }

    #[cfg(test)]
    pub(super) fn is_held(&self) -> bool {
        self.is_held
    }

    /// Appends a frame.
    pub fn push(&mut self, class: Class, frame: Rc<[u8]>) {
        self.bytes += frame.len();
        match class {
            Class::Control => self.control.push_back(frame),
            Class::Chat => self.chat.push_back(frame),
        }
    }

    /// Bytes not yet written.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// True when everything is written that may be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes == 0 || self.is_held && self.started.is_none() && self.proof.is_empty()
    }

    /// Writes until all is written or `to` would block.
    ///
    /// # Errors
    ///
    /// What the writer says, `WouldBlock` and `Interrupted` excepted. What was written before is
    /// taken off the queue.
    pub fn write_to(&mut self, to: &mut impl Write) -> io::Result<Written> {
        while !self.is_empty() {
            match self.write_once(to) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => self.advance(n),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(Written::Blocked),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(Written::All)
    }

    /// Moves at most `max` bytes into `out`, as if a socket had taken them.
    pub fn take_into(&mut self, out: &mut Vec<u8>, max: usize) {
        let start = out.len();
        for bytes in self.waiting() {
            let room = max - (out.len() - start);
            if room == 0 {
                break;
            }
            out.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        self.advance(out.len() - start);
    }

    /// What may be written, in its order.
    fn waiting(&self) -> impl Iterator<Item = &[u8]> {
        let started = self.started.iter().map(|(frame, n)| &frame[*n..]);
        let others = self.control.iter().chain(&self.chat);
        let others = others.filter(|_| !self.is_held);
        started.chain(self.proof.iter().chain(others).map(|frame| &frame[..]))
    }

    fn write_once(&self, to: &mut impl Write) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let mut count = 0;
        for (slice, bytes) in slices.iter_mut().zip(self.waiting()) {
            *slice = IoSlice::new(bytes);
            count += 1;
        }
        to.write_vectored(&slices[..count])
    }

    fn advance(&mut self, mut n: usize) {
        self.bytes -= n.min(self.bytes);
        while n > 0 {
            let next = self.started.take().or_else(|| {
                let frame = self.proof.pop_front();
                let frame = frame.or_else(|| self.control.pop_front());
                let frame = frame.or_else(|| self.chat.pop_front())?;
                Some((frame, 0))
            });
            let Some((frame, done)) = next else { return };
            let rest = frame.len() - done;
            if n < rest {
                self.started = Some((frame, done + n));
                return;
            }
            n -= rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a given number of bytes per write, then blocks.
    struct Pipe {
        taken: Vec<u8>,
        grants: VecDeque<usize>,
    }

    impl Pipe {
        fn new(grants: &[usize]) -> Pipe {
            Pipe {
                taken: Vec::new(),
                grants: grants.iter().copied().collect(),
            }
        }
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.write_vectored(&[IoSlice::new(bytes)])
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            let mut left = self.grants.pop_front().ok_or(ErrorKind::WouldBlock)?;
            let before = self.taken.len();
            for slice in slices {
                let n = slice.len().min(left);
                self.taken.extend_from_slice(&slice[..n]);
                left -= n;
            }
            Ok(self.taken.len() - before)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn frame(text: &str) -> Rc<[u8]> {
        text.as_bytes().into()
    }

    #[test]
    fn control_overtakes_chat_but_never_inside_a_frame() {
        let mut queue = OutQueue::default();
        queue.push(Class::Chat, frame("first;"));
        queue.push(Class::Chat, frame("second;"));
        let mut pipe = Pipe::new(&[3]);
        assert_eq!(queue.write_to(&mut pipe).unwrap(), Written::Blocked);
        queue.push(Class::Control, frame("ping;"));
        queue.push(Class::Control, frame("view;"));
        assert_eq!(queue.bytes(), 3 + 7 + 5 + 5);
        pipe.grants.extend([1, 1, 1, 2, 100]);
        assert_eq!(queue.write_to(&mut pipe).unwrap(), Written::All);
        assert_eq!(pipe.taken, b"first;ping;view;second;");
        assert!(queue.is_empty());
    }

    #[test]
    fn nothing_goes_before_the_proof_of_the_link_is_said() {
        let mut queue = OutQueue::held();
        queue.push(Class::Control, frame("hello;"));
        assert!(queue.is_empty());
        queue.push_proof(frame("introduction;"));
        let mut pipe = Pipe::new(&[100, 100]);
        assert_eq!(queue.write_to(&mut pipe).unwrap(), Written::All);
        assert_eq!((&pipe.taken[..], queue.bytes()), (&b"introduction;"[..], 6));
        queue.push_proof(frame("proof;"));
        queue.release();
        assert_eq!(queue.write_to(&mut pipe).unwrap(), Written::All);
        assert_eq!(pipe.taken, b"introduction;proof;hello;");
    }

    #[test]
    fn more_frames_than_one_write_takes_all_arrive_in_order() {
        let mut queue = OutQueue::default();
        let mut expected = Vec::new();
        for n in 0..1_000 {
            let text = format!("{n};");
            expected.extend_from_slice(text.as_bytes());
            queue.push(Class::Chat, frame(&text));
        }
        let mut rng = fastrand::Rng::with_seed(7);
        let mut pipe = Pipe::new(&[]);
        while !queue.is_empty() {
            pipe.grants.push_back(rng.usize(1..400));
            queue.write_to(&mut pipe).unwrap();
        }
        assert_eq!(pipe.taken, expected);
    }

    #[test]
    fn a_writer_that_takes_nothing_is_an_error() {
        let mut queue = OutQueue::default();
        queue.push(Class::Chat, frame("x"));
        let error = queue.write_to(&mut Pipe::new(&[0])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
        assert_eq!(queue.bytes(), 1);
    }
}
