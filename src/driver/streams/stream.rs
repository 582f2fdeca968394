//! One stream with a peer: its socket, the frames that come in, and the queue that goes out.
//!
//! Owns the stream's state from the dial or the accept to its end, and nobody else changes it. It
//! reports what happened and leaves to [`Streams`](super::Streams) what that means for others and for
//! the node: it never tells the node anything, and never ends another stream.

use std::io::{self, ErrorKind, Read};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::rc::Rc;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::identity::{LinkProof, Peer};
use crate::limits::{EXPENSIVE_FRAME_COST, INTRODUCTION_COST, PROOF_COST};
use crate::lock::LinkError;
use crate::node::{Class, LinkId, Time, host_of};
use crate::wire::{FrameReader, Message, decode_message};

use super::budget::Share;
use super::dialled::Dialled;
use super::outqueue::{OutQueue, Written};
use super::stream_lock::StreamLock;
use super::stream_proof::StreamProof;

/// Bytes of a locked stream that are read and opened at a time.
const LOCKED_READ_BYTES: usize = 32 * 1024;

/// Where a stream stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StreamState {
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

/// What reading found next.
#[derive(Debug)]
pub(super) enum ReadStep {
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

/// One stream with a peer.
#[derive(Debug)]
pub(super) struct Stream {
    link: LinkId,
    peer: SocketAddr,
    socket: TcpStream,
    state: StreamState,
    /// By which the poll names the socket.
    token: Token,
    /// Whose unfinished handshakes this stream is among.
    handshake_of: Option<IpAddr>,
    /// The peer is a member of the room.
    is_member: bool,
    reader: FrameReader,
    out: OutQueue,
    /// Who is at the other end.
    proof: StreamProof,
    /// In a locked room.
    lock: Option<Box<StreamLock>>,
    /// The socket may have something to read.
    readable: bool,
    /// The peer ended or broke the stream: read until that shows.
    hung_up: bool,
    /// The socket may take something.
    writable: bool,
    /// Events of the socket's becoming writable are asked for.
    armed: bool,
    /// The end of this side is sent.
    shut: bool,
    /// The node was told that the queue is full.
    congested: bool,
    /// In the list of streams to be written before the next sleep.
    is_dirty: bool,
    /// In the list of streams to be read in the next turn.
    is_listed: bool,
    /// A lesson holds it up: it is on no list.
    is_stalled: bool,
    /// When the socket last took a byte, or the queue ceased to be empty.
    moved: Time,
}

impl Stream {
    /// A stream that is being dialled.
    pub(super) fn dialled(
        link: LinkId,
        to: SocketAddr,
        socket: TcpStream,
        guard: (LinkProof, Option<Box<StreamLock>>),
    ) -> Stream {
        Stream::new(link, to, socket, StreamState::Connecting, guard)
    }

    /// A stream that a peer has dialled; HELLO is still to come.
    pub(super) fn accepted(
        link: LinkId,
        peer: SocketAddr,
        socket: TcpStream,
        guard: (LinkProof, Option<Box<StreamLock>>),
    ) -> Stream {
        let handshake_of = Some(host_of(peer.ip()));
        Stream {
            handshake_of,
            ..Stream::new(link, peer, socket, StreamState::Open, guard)
        }
    }

    fn new(
        link: LinkId,
        peer: SocketAddr,
        socket: TcpStream,
        state: StreamState,
        (proof, lock): (LinkProof, Option<Box<StreamLock>>),
    ) -> Stream {
        let mut out = OutQueue::held();
        Stream {
            link,
            peer,
            socket,
            state,
            token: Token(0),
            handshake_of: None,
            is_member: false,
            reader: FrameReader::in_handshake(),
            proof: StreamProof::begin(proof, &mut out),
            out,
            lock,
            readable: false,
            hung_up: false,
            writable: state == StreamState::Open,
            armed: state == StreamState::Connecting,
            shut: false,
            congested: false,
            is_dirty: false,
            is_listed: false,
            is_stalled: false,
            moved: Time(0),
        }
    }

    /// Who is at the other end, once that is proven.
    pub(super) fn proven(&self) -> Option<Peer> {
        self.proof.peer()
    }

    pub(super) fn link(&self) -> LinkId {
        self.link
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The host that it counts for.
    pub(super) fn source(&self) -> IpAddr {
        host_of(self.peer.ip())
    }

    pub(super) fn state(&self) -> StreamState {
        self.state
    }

    /// This host's end of it.
    pub(super) fn local_ip(&self) -> Option<IpAddr> {
        self.local().map(|at| at.ip())
    }

    /// The socket's own address, if the system knows it.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }

    /// Has the poll watch the socket under this name.
    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.token = token;
        registry.register(&mut self.socket, token, interest(self.armed))
    }

    /// Asks for events of the socket's becoming writable, or no longer.
    pub(super) fn arm(&mut self, registry: &Registry, armed: bool) -> io::Result<()> {
        if self.armed == armed {
            return Ok(());
        }
        self.armed = armed;
        registry.reregister(&mut self.socket, self.token, interest(armed))
    }

    /// The poll watches the socket no longer.
    pub(super) fn deregister(&mut self, registry: &Registry) {
        // The descriptor is closed next, which ends its events anyhow.
        let _ = registry.deregister(&mut self.socket);
    }

    pub(super) fn has_token(&self, token: Token) -> bool {
        self.token == token
    }

    pub(super) fn is_member(&self) -> bool {
        self.is_member
    }

    pub(super) fn set_member(&mut self, is_member: bool) {
        self.is_member = is_member;
    }

    /// True while this stream is among the unfinished handshakes of its source.
    pub(super) fn has_handshake(&self) -> bool {
        self.handshake_of.is_some()
    }

    /// Among whose unfinished handshakes this stream was until now.
    pub(super) fn take_handshake(&mut self) -> Option<IpAddr> {
        self.handshake_of.take()
    }

    /// Holds it up, or lets it go on; false if that is how it was. Held up, it is neither read nor written.
    pub(super) fn set_stalled(&mut self, is_stalled: bool) -> bool {
        if is_stalled {
            (self.is_listed, self.is_dirty) = (false, false);
        }
        std::mem::replace(&mut self.is_stalled, is_stalled) != is_stalled
    }

    /// Puts it on the list of those to be read; false if it was there.
    pub(super) fn list(&mut self) -> bool {
        !self.is_stalled && !std::mem::replace(&mut self.is_listed, true)
    }

    /// Takes it off the list of those to be read; false if it was not there.
    pub(super) fn unlist(&mut self) -> bool {
        std::mem::take(&mut self.is_listed)
    }

    /// Puts it on the list of those to be written; false if it was there.
    pub(super) fn mark_dirty(&mut self) -> bool {
        !self.is_stalled && !std::mem::replace(&mut self.is_dirty, true)
    }

    /// Takes it off the list of those to be written; false if it was not there.
    pub(super) fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.is_dirty)
    }

    /// Bytes queued for the peer.
    pub(super) fn queued(&self) -> usize {
        self.out.bytes()
    }

    /// When the socket last took a byte, or the queue ceased to be empty.
    pub(super) fn moved(&self) -> Time {
        self.moved
    }

    /// Queues a frame.
    pub(super) fn queue(&mut self, now: Time, class: Class, frame: Rc<[u8]>) {
        if self.out.is_empty() {
            self.moved = now;
        }
        self.out.push(class, frame);
    }

    /// Drops what is queued; the result is how many bytes that was.
    pub(super) fn drop_queue(&mut self) -> usize {
        std::mem::replace(&mut self.out, OutQueue::held()).bytes()
    }

    /// True if more is queued than this, for the first time since the queue was empty.
    pub(super) fn becomes_congested(&mut self, limit: usize) -> bool {
        self.out.bytes() > limit && !std::mem::replace(&mut self.congested, true)
    }

    /// The queue is empty; true if it was said to be full.
    pub(super) fn take_congested(&mut self) -> bool {
        std::mem::take(&mut self.congested)
    }

    /// The node closes it: what is queued is written, then the stream is read to its end.
    pub(super) fn begin_closing(&mut self) {
        self.state = StreamState::Closing;
        self.end_handshake();
    }

    /// The peer ended it: what is queued is written, nothing is read.
    pub(super) fn linger(&mut self) {
        self.state = StreamState::Lingering;
    }

    /// Writing failed: what the peer sent before is still read.
    pub(super) fn read_to_its_end(&mut self) {
        self.state = StreamState::Closing;
        self.on_readable(true);
    }

    /// To be dropped at the end of the turn.
    pub(super) fn die(&mut self) {
        self.state = StreamState::Dead;
    }

    pub(super) fn on_readable(&mut self, hung_up: bool) {
        self.readable = true;
        self.hung_up |= hung_up;
    }

    pub(super) fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// What is queued waits for this end's proof.
    #[cfg(test)]
    pub(super) fn is_held(&self) -> bool {
        self.out.is_held()
    }

    /// How many bytes the proof of this link has queued since this was last asked.
    pub(super) fn take_said(&mut self) -> usize {
        self.proof.take_said()
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
        matches!(self.state, StreamState::Open | StreamState::Closing)
    }

    /// Asks a socket that had an event what came of the dial.
    pub(super) fn finish_dial(&mut self) -> Dialled {
        let dialled = Dialled::of(&self.socket);
        if matches!(dialled, Dialled::Connected) {
            self.state = StreamState::Open;
            self.writable = true;
        }
        dialled
    }

    /// The next message, as far as the share allows.
    pub(super) fn next_message(&mut self, share: &mut Share) -> ReadStep {
        loop {
            if !self.is_read() {
                return ReadStep::Nothing;
            }
            if share.is_spent() {
                return ReadStep::Later;
            }
            match self.reader.next_frame() {
                Some(Ok(frame)) => {
                    let message = match decode_message(frame) {
                        Ok(message) => message,
                        Err(e) => return ReadStep::Offence(e.to_string()),
                    };
                    share.take_frames(cost(&message));
                    let binding = self.lock.as_ref().and_then(|lock| lock.binding());
                    match self.proof.take(message, binding, &mut self.out) {
                        Ok(Some(message)) => return ReadStep::Message(message),
                        Ok(None) => continue,
                        Err(e) => return ReadStep::Offence(e.to_string()),
                    }
                }
                Some(Err(e)) => return ReadStep::Offence(e.to_string()),
                None if !self.readable => return ReadStep::Nothing,
                None => {}
            }
            match self.read_once(share) {
                Ok(0) => return ReadStep::End,
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.get_ref().is_some_and(|e| e.is::<LinkError>()) => {
                    return ReadStep::Offence(e.to_string());
                }
                Err(e) => return ReadStep::Broken(e),
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
                // Not cleared for each read: mostly a few bytes come.
                let mut bytes = [MaybeUninit::uninit(); LOCKED_READ_BYTES];
                let (bytes, _) = rustix::io::read(&self.socket, &mut bytes)?;
                let opened = lock.receive(bytes, &mut self.reader);
                opened.map_err(io::Error::other)?;
                (bytes.len(), LOCKED_READ_BYTES)
            }
        };
        share.take_bytes(n);
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
            Written::All if self.state == StreamState::Closing && !self.shut => {
                self.shut = true;
                self.socket.shutdown(Shutdown::Write)?;
            }
            Written::All => {}
        }
        Ok(written)
    }
}

/// Which events of a socket are asked for.
fn interest(armed: bool) -> Interest {
    if armed {
        Interest::READABLE | Interest::WRITABLE
    } else {
        Interest::READABLE
    }
}

/// What a message takes of its link's share of frames: more if it, or its answer, is expensive.
fn cost(message: &Message) -> usize {
    match message {
        Message::Introduction(_) => INTRODUCTION_COST,
        Message::Proof(_) => PROOF_COST,
        Message::Fetch(_) | Message::ViewRequest | Message::JoinRequest(_) | Message::Relay(_) => {
            EXPENSIVE_FRAME_COST
        }
        _ => 1,
    }
}
