//! One stream with a peer: its socket, the frames that come in, and the queue that goes out.
//!
//! Owns the stream's state from the dial or the accept to its end. It reports what happened and
//! leaves to [`Streams`](super::streams::Streams) what that means for others and for the node.

use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, Shutdown, SocketAddr};

use mio::net::TcpStream;

use crate::limits::{EXPENSIVE_FRAME_COST, LINK_BYTES_PER_TURN_MAX, LINK_FRAMES_PER_TURN_MAX};
use crate::lock::LinkError;
use crate::node::{Closed, LinkId, Time};
use crate::wire::{FrameReader, Message, decode_message};

use super::lock::StreamLock;
use super::outqueue::{OutQueue, Written};

/// Bytes of a locked stream that are read and opened at a time.
const LOCKED_READ_BYTES: usize = 32 * 1024;

/// Where a stream stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// The dial is under way.
    Connecting,
    /// Both directions are open.
    Open,
    /// The node closed it: what is queued is written, then the stream is read to its end.
    Closing,
    /// The peer ended it: what is queued is written, nothing is read.
    Lingering,
    /// To be dropped at the end of the turn.
    Dead,
}

/// What one stream may have of a turn.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) bytes: usize,
    pub(super) frames: usize,
}

/// What many streams together may have of a turn.
#[derive(Debug)]
pub(super) struct Budget {
    left: Share,
    /// What the last share began with.
    given: Share,
}

impl Budget {
    pub(super) fn new(bytes: usize, frames: usize) -> Budget {
        let (left, given) = (Share { bytes, frames }, Share::of(0, 0));
        Budget { left, given }
    }

    /// The next stream's share.
    pub(super) fn share(&mut self) -> Share {
        self.given = Share::of(self.left.bytes, self.left.frames);
        Share { ..self.given }
    }

    /// What was not used of the last share is there for others.
    pub(super) fn take(&mut self, rest: &Share) {
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

    pub(super) fn is_spent(&self) -> bool {
        self.bytes == 0 || self.frames == 0
    }
}

/// What reading found next.
#[derive(Debug)]
pub(super) enum Found {
    /// A message.
    Message(Message),
    /// Nothing more now: an event will tell.
    Nothing,
    /// The share is spent; there may be more.
    Later,
    /// The peer ended the stream in good order.
    End,
    /// The stream broke.
    Broken(io::Error),
    /// The peer broke this rule.
    Offence(String),
}

/// What a dial came to.
#[derive(Debug)]
pub(super) enum Dialled {
    /// The stream is open.
    Connected,
    /// Nothing yet.
    Pending,
    /// It failed.
    Failed(Closed, io::Error),
}

/// One stream with a peer.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) link: LinkId,
    pub(super) peer: SocketAddr,
    pub(super) socket: TcpStream,
    pub(super) state: State,
    pub(super) generation: u32,
    /// Whose unfinished handshakes this stream is among.
    pub(super) handshake_of: Option<IpAddr>,
    /// The peer is a member of the room.
    pub(super) is_member: bool,
    reader: FrameReader,
    pub(super) out: OutQueue,
    /// In a locked room.
    lock: Option<Box<StreamLock>>,
    /// The socket may have something to read.
    readable: bool,
    /// The peer ended or broke the stream: read until that shows.
    hung_up: bool,
    /// The socket may take something.
    writable: bool,
    /// Events of the socket's becoming writable are asked for.
    pub(super) armed: bool,
    /// The end of this side is sent.
    shut: bool,
    /// The node was told that the queue is full.
    pub(super) congested: bool,
    /// In the list of streams to be written before the next sleep.
    pub(super) is_dirty: bool,
    /// In the list of streams to be read in the next turn.
    pub(super) is_listed: bool,
    /// When the socket last took a byte, or the queue ceased to be empty.
    pub(super) moved: Time,
}

impl Stream {
    pub(super) fn new(
        link: LinkId,
        peer: SocketAddr,
        socket: TcpStream,
        state: State,
        lock: Option<Box<StreamLock>>,
    ) -> Stream {
        Stream {
            link,
            peer,
            socket,
            state,
            generation: 0,
            handshake_of: None,
            is_member: false,
            reader: FrameReader::in_handshake(),
            out: OutQueue::default(),
            lock,
            readable: false,
            hung_up: false,
            writable: state == State::Open,
            armed: state == State::Connecting,
            shut: false,
            congested: false,
            is_dirty: false,
            is_listed: false,
            moved: Time(0),
        }
    }

    pub(super) fn on_readable(&mut self, hung_up: bool) {
        self.readable = true;
        self.hung_up |= hung_up;
    }

    pub(super) fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// True while the socket has something to take.
    pub(super) fn has_output(&self) -> bool {
        !self.out.is_empty() || self.lock.as_ref().is_some_and(|l| l.is_pending())
    }

    /// HELLO is exchanged, or nothing of it is waited for any more.
    pub(super) fn end_handshake(&mut self) {
        self.reader.end_handshake();
    }

    pub(super) fn is_in_handshake(&self) -> bool {
        self.reader.is_in_handshake()
    }

    pub(super) fn on_writable(&mut self) {
        self.writable = true;
    }

    /// Whether the node may still be told of this stream.
    pub(super) fn is_read(&self) -> bool {
        matches!(self.state, State::Open | State::Closing)
    }

    /// Asks a socket that had an event what came of the dial.
    pub(super) fn finish_dial(&mut self) -> Dialled {
        let error = match self.socket.take_error() {
            Ok(None) => None,
            Ok(Some(e)) | Err(e) => Some(e),
        };
        if let Some(e) = error {
            return Dialled::Failed(classify(&e), e);
        }
        match (self.socket.peer_addr(), self.socket.local_addr()) {
            // A dial to a free port of this host can meet itself.
            (Ok(peer), Ok(local)) if peer == local => {
                let e = io::Error::new(ErrorKind::ConnectionRefused, "connected to itself");
                Dialled::Failed(Closed::Refused, e)
            }
            (Ok(_), _) => {
                self.state = State::Open;
                self.writable = true;
                Dialled::Connected
            }
            (Err(e), _) if e.kind() == ErrorKind::NotConnected => Dialled::Pending,
            (Err(e), _) => Dialled::Failed(classify(&e), e),
        }
    }

    /// The next message, as far as the share allows.
    pub(super) fn next_message(&mut self, share: &mut Share) -> Found {
        loop {
            if !self.is_read() {
                return Found::Nothing;
            }
            if share.is_spent() {
                return Found::Later;
            }
            match self.reader.next_frame() {
                Some(Ok(frame)) => {
                    return match decode_message(frame) {
                        Ok(message) => {
                            share.frames = share.frames.saturating_sub(cost(&message));
                            Found::Message(message)
                        }
                        Err(e) => Found::Offence(e.to_string()),
                    };
                }
                Some(Err(e)) => return Found::Offence(e.to_string()),
                None if !self.readable => return Found::Nothing,
                None => {}
            }
            match self.read_once(share) {
                Ok(0) => return Found::End,
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.get_ref().is_some_and(|e| e.is::<LinkError>()) => {
                    return Found::Offence(e.to_string());
                }
                Err(e) => return Found::Broken(e),
            }
        }
    }

    fn read_once(&mut self, share: &mut Share) -> io::Result<usize> {
        let (n, wanted) = match &mut self.lock {
            None => {
                let space = self.reader.space();
                let wanted = space.len();
                let n = self.socket.read(space)?;
                self.reader.filled(n);
                (n, wanted)
            }
            Some(lock) => {
                let mut bytes = [0; LOCKED_READ_BYTES];
                let n = self.socket.read(&mut bytes)?;
                let opened = lock.receive(&bytes[..n], &mut self.reader);
                opened.map_err(io::Error::other)?;
                (n, bytes.len())
            }
        };
        share.bytes = share.bytes.saturating_sub(n);
        // Less than there was room for: the socket is empty, and more bytes make a new event. But
        // an end that came together with the bytes makes none.
        if n < wanted && !self.hung_up {
            self.readable = false;
        }
        Ok(n)
    }

    /// Writes what is queued; ends this side once that is done, if the node closed the stream.
    pub(super) fn write(&mut self, now: Time) -> io::Result<Written> {
        if !self.writable {
            return Ok(Written::Blocked);
        }
        let before = self.out.bytes();
        let result = match &mut self.lock {
            None => self.out.write_to(&mut self.socket),
            Some(lock) => lock.write_to(&mut self.out, &mut self.socket),
        };
        if self.out.bytes() < before {
            self.moved = now;
        }
        let written = result?;
        match written {
            Written::Blocked => self.writable = false,
            Written::All if self.state == State::Closing && !self.shut => {
                self.shut = true;
                self.socket.shutdown(Shutdown::Write)?;
            }
            Written::All => {}
        }
        Ok(written)
    }
}

/// What a message takes of its link's share of frames: more if its answer is expensive to make.
fn cost(message: &Message) -> usize {
    match message {
        Message::Fetch(_) | Message::ViewRequest | Message::JoinRequest(_) => EXPENSIVE_FRAME_COST,
        _ => 1,
    }
}

/// What a failed dial means.
pub(super) fn classify(error: &io::Error) -> Closed {
    match error.kind() {
        ErrorKind::ConnectionRefused => Closed::Refused,
        // The dial had been taken: refused would be another error.
        ErrorKind::ConnectionReset => Closed::Ended,
        _ => Closed::Failed,
    }
}
