//! All streams with peers: who is who, whose turn it is, and what each may cost.
//!
//! Owns the streams by slot and by link, the lists of those to be read and to be written, and the
//! limits on connections and queues. What the node has to be told is left in a list that the
//! reactor takes; nothing here calls the node. A stream that ends is dropped at the end of the
//! turn ([`Streams::bury`]), and a late event of one that is gone is recognised by its generation.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use slab::Slab;

use crate::limits::{
    LINKS_MAX, QUEUE_BYTES_HARD_MAX, QUEUE_BYTES_MAX, QUEUE_BYTES_TOTAL_MAX,
    STRANGER_QUEUE_BYTES_MAX,
};
use crate::lock::Secret;
use crate::node::{Class, Close, Closed, Input, LinkId, Time};
use crate::timing;
use crate::wire::Message;

use super::lock::StreamLock;
use super::loglines::Throttle;
use super::net;
use super::network::Sources;
use super::outqueue::Written;
use super::stream::{Dialled, Found, Share, State, Stream, classify};

/// Bits of a token that say the slot; the rest says the generation.
const SLOT_BITS: u32 = 16;
/// Slots from here on are tokens of other sources than streams.
pub(super) const SLOTS_MAX: usize = 0xff00;
const _: () = assert!(LINKS_MAX < SLOTS_MAX);
/// Above this much queued for a peer, stdin waits for it. Far below the limit: what waits in a queue
/// is late, and everything that depends on it has to wait for it at others.
const QUEUE_BYTES_HIGH: usize = QUEUE_BYTES_MAX / 8;

/// All streams with peers.
#[derive(Debug)]
pub(super) struct Streams {
    registry: Registry,
    /// What dials are bound to.
    sources: Sources,
    /// In a locked room.
    secret: Option<Secret>,
    pub(super) slots: Slab<Stream>,
    pub(super) index: BTreeMap<LinkId, usize>,
    generation: u32,
    ready: VecDeque<usize>,
    dirty: Vec<usize>,
    dead: Vec<usize>,
    /// Streams with so much queued that stdin waits.
    high: BTreeSet<usize>,
    /// Unfinished handshakes of accepted streams by the peer's address, the oldest first.
    pub(super) handshakes: BTreeMap<IpAddr, BTreeSet<LinkId>>,
    /// When it was last looked up whose links are members'.
    pub(super) sorted: Time,
    queued_bytes: u64,
    throttle: Throttle,
    /// Connections cannot be accepted at the moment, and that was logged.
    refusing: bool,
    /// What the node has to be told.
    pub(super) inputs: VecDeque<Input>,
    /// Links that are to be dropped for good after a while.
    pub(super) to_expire: Vec<LinkId>,
}

impl Streams {
    /// No streams; dials are bound to `sources`, where they fit.
    pub(super) fn new(registry: Registry, sources: Sources, secret: Option<Secret>) -> Streams {
        Streams {
            registry,
            sources,
            secret,
            slots: Slab::new(),
            index: BTreeMap::new(),
            generation: 0,
            ready: VecDeque::new(),
            dirty: Vec::new(),
            dead: Vec::new(),
            high: BTreeSet::new(),
            handshakes: BTreeMap::new(),
            sorted: Time(0),
            queued_bytes: 0,
            throttle: Throttle::new(),
            refusing: false,
            inputs: VecDeque::new(),
            to_expire: Vec::new(),
        }
    }

    /// Logs what a peer did wrong, unless much was logged already.
    pub(super) fn complain(&mut self, now: Time, peer: SocketAddr, rule: &str) {
        if self.throttle.admits(now) {
            log::warn!("{peer}: {rule}: connection closed");
        }
    }

    /// Logs that no connection can be accepted now, once until one could.
    pub(super) fn note_refusal(&mut self, error: &io::Error) {
        if !self.refusing {
            self.refusing = true;
            log::warn!("cannot accept connections: {error}: trying again");
        }
    }

    /// Takes in a connection that was accepted.
    pub(super) fn accept(
        &mut self,
        link: LinkId,
        socket: TcpStream,
        peer: SocketAddr,
    ) -> io::Result<()> {
        self.refusing = false;
        net::prepare_accepted(&socket)?;
        let lock = self.secret.as_ref().map(StreamLock::accept).transpose();
        let lock = lock.map_err(io::Error::other)?.map(Box::new);
        let mut stream = Stream::new(link, peer, socket, State::Open, lock);
        stream.handshake_of = Some(peer.ip());
        self.insert(stream, Interest::READABLE)?;
        self.handshakes.entry(peer.ip()).or_default().insert(link);
        Ok(())
    }

    /// Opens a stream; what comes of it is left in `inputs`.
    pub(super) fn dial(&mut self, link: LinkId, to: SocketAddr) {
        let result = if self.slots.len() >= LINKS_MAX {
            Err(io::Error::other("too many connections"))
        } else {
            net::dial(to, self.sources.towards(to)).and_then(|socket| {
                let lock = self.secret.as_ref().map(StreamLock::dial).transpose();
                let lock = lock.map_err(io::Error::other)?.map(Box::new);
                let stream = Stream::new(link, to, socket, State::Connecting, lock);
                self.insert(stream, Interest::READABLE | Interest::WRITABLE)
            })
        };
        if let Err(e) = result {
            log::debug!("cannot dial {to}: {e}");
            let why = classify(&e);
            self.inputs.push_back(Input::Closed { link, why });
        }
    }

    fn insert(&mut self, mut stream: Stream, interest: Interest) -> io::Result<()> {
        self.generation = self.generation.wrapping_add(1);
        stream.generation = self.generation;
        let entry = self.slots.vacant_entry();
        let token = token(entry.key(), stream.generation);
        self.registry
            .register(&mut stream.socket, token, interest)?;
        self.index.insert(stream.link, entry.key());
        entry.insert(stream);
        Ok(())
    }

    /// Queues one frame for each of these links; links that are gone are skipped.
    pub(super) fn send(&mut self, now: Time, to: &[LinkId], class: Class, frame: &Rc<[u8]>) {
        for link in to {
            if let Some(&slot) = self.index.get(link) {
                self.push(now, slot, class, Rc::clone(frame));
            }
        }
    }

    fn push(&mut self, now: Time, slot: usize, class: Class, frame: Rc<[u8]>) {
        let Some(stream) = self.slots.get_mut(slot) else {
            return;
        };
        if !matches!(stream.state, State::Open | State::Connecting) {
            return;
        }
        let (link, peer) = (stream.link, stream.peer);
        let (soft, hard) = if stream.is_member && self.queued_bytes <= QUEUE_BYTES_TOTAL_MAX {
            (QUEUE_BYTES_MAX, QUEUE_BYTES_HARD_MAX)
        } else {
            (STRANGER_QUEUE_BYTES_MAX, 2 * STRANGER_QUEUE_BYTES_MAX)
        };
        if stream.out.bytes() + frame.len() > hard {
            self.complain(now, peer, "its outbound queue is full");
            self.end(slot, Closed::Ended);
            return;
        }
        if stream.out.is_empty() {
            stream.moved = now;
        }
        self.queued_bytes += frame.len() as u64;
        stream.out.push(class, frame);
        let bytes = stream.out.bytes();
        if !stream.is_dirty {
            stream.is_dirty = true;
            self.dirty.push(slot);
        }
        if bytes > QUEUE_BYTES_HIGH {
            self.high.insert(slot);
        }
        if bytes > soft && !stream.congested {
            stream.congested = true;
            self.inputs.push_back(Input::Congested { link });
        }
    }

    /// Closes a link as the node wants it.
    pub(super) fn close(&mut self, now: Time, link: LinkId, how: Close) {
        let Some(&slot) = self.index.get(&link) else {
            return;
        };
        match (how, self.slots[slot].state) {
            (Close::GiveUp(why), _) => {
                log::debug!("{}: {why}: connection closed", self.slots[slot].peer);
                self.kill(slot);
            }
            (Close::Abort(rule), _) => {
                self.complain(now, self.slots[slot].peer, rule);
                self.kill(slot);
            }
            (Close::Graceful, State::Connecting) => self.end(slot, Closed::Ended),
            (Close::Graceful, State::Open) => {
                self.slots[slot].state = State::Closing;
                self.slots[slot].end_handshake();
                self.to_expire.push(link);
                self.mark_dirty(slot);
            }
            (Close::Graceful, State::Closing | State::Lingering | State::Dead) => {}
        }
    }

    /// The handshake of this link is finished or given up.
    pub(super) fn end_handshake(&mut self, link: LinkId) {
        if let Some(&slot) = self.index.get(&link) {
            self.slots[slot].end_handshake();
            self.release_handshake(slot);
        }
    }

    fn release_handshake(&mut self, slot: usize) {
        let Some(source) = self.slots[slot].handshake_of.take() else {
            return;
        };
        let link = self.slots[slot].link;
        if let Some(links) = self.handshakes.get_mut(&source) {
            links.remove(&link);
            if links.is_empty() {
                self.handshakes.remove(&source);
            }
        }
    }

    /// Takes an event of a stream's socket in.
    pub(super) fn on_event(&mut self, event: &Event) {
        let Some(slot) = self.slot_of(event.token()) else {
            return;
        };
        if self.slots[slot].state == State::Connecting && !self.finish_dial(slot) {
            return;
        }
        let stream = &mut self.slots[slot];
        if event.is_writable() || event.is_write_closed() || event.is_error() {
            stream.on_writable();
            if stream.has_output() || stream.state == State::Closing {
                self.mark_dirty(slot);
            }
        }
        let stream = &mut self.slots[slot];
        let hung_up = event.is_read_closed() || event.is_error();
        if event.is_readable() || hung_up {
            stream.on_readable(hung_up);
            self.list(slot);
        }
    }

    fn slot_of(&self, token: Token) -> Option<usize> {
        let slot = token.0 & ((1 << SLOT_BITS) - 1);
        let stream = self.slots.get(slot)?;
        let known = token.0 == super::streams::token(slot, stream.generation).0;
        (known && stream.state != State::Dead).then_some(slot)
    }

    /// Whether the stream is open now.
    fn finish_dial(&mut self, slot: usize) -> bool {
        let stream = &mut self.slots[slot];
        let link = stream.link;
        match stream.finish_dial() {
            Dialled::Connected => {
                self.inputs.push_back(Input::Connected { link });
                self.mark_dirty(slot);
                true
            }
            Dialled::Pending => false,
            Dialled::Failed(why, e) => {
                log::debug!("cannot dial {}: {e}", stream.peer);
                self.end(slot, why);
                false
            }
        }
    }

    /// The stream waits to be read in the next turn.
    pub(super) fn list(&mut self, slot: usize) {
        let stream = &mut self.slots[slot];
        if !stream.is_listed {
            stream.is_listed = true;
            self.ready.push_back(slot);
        }
    }

    fn mark_dirty(&mut self, slot: usize) {
        let stream = &mut self.slots[slot];
        if !stream.is_dirty {
            stream.is_dirty = true;
            self.dirty.push(slot);
        }
    }

    /// How many streams wait to be read.
    pub(super) fn ready_len(&self) -> usize {
        self.ready.len()
    }

    /// The stream that has waited longest to be read.
    pub(super) fn next_ready(&mut self) -> Option<usize> {
        while let Some(slot) = self.ready.pop_front() {
            if let Some(stream) = self.slots.get_mut(slot).filter(|s| s.is_listed) {
                stream.is_listed = false;
                return Some(slot);
            }
        }
        None
    }

    /// The next message of this stream; when its share is spent before it is empty, it gets back
    /// in line. A stream that ended is reported.
    pub(super) fn next_message(
        &mut self,
        now: Time,
        slot: usize,
        share: &mut Share,
    ) -> Option<(LinkId, Message)> {
        let stream = self.slots.get_mut(slot)?;
        let found = stream.next_message(share);
        // The handshake of a lock answers what it reads, and what waited for it may go.
        let answers = stream.is_locked() && stream.has_output();
        if answers {
            self.mark_dirty(slot);
        }
        let stream = self.slots.get_mut(slot)?;
        match found {
            Found::Message(message) => return Some((stream.link, message)),
            Found::Nothing => {}
            Found::Later => self.list(slot),
            Found::End => self.on_end(slot),
            Found::Broken(e) => {
                log::debug!("{}: {e}", stream.peer);
                self.end(slot, Closed::Ended);
            }
            Found::Offence(rule) => {
                let peer = stream.peer;
                self.complain(now, peer, &rule);
                self.end(slot, Closed::Ended);
            }
        }
        None
    }

    /// The peer ended its side: the node is told, and the rest of the queue is written.
    fn on_end(&mut self, slot: usize) {
        let stream = &mut self.slots[slot];
        if !stream.has_output() {
            return self.end(slot, Closed::Ended);
        }
        let (link, why) = (stream.link, Closed::Ended);
        stream.state = State::Lingering;
        self.inputs.push_back(Input::Closed { link, why });
        self.to_expire.push(link);
        self.release_handshake(slot);
    }

    /// Writes what was queued, as far as the sockets take it, and asks for an event where they do
    /// not.
    pub(super) fn flush(&mut self, now: Time) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for slot in dirty.drain(..) {
            if let Some(stream) = self.slots.get_mut(slot).filter(|s| s.is_dirty) {
                stream.is_dirty = false;
                if !matches!(stream.state, State::Connecting | State::Dead) {
                    self.write(now, slot);
                }
            }
        }
        self.dirty = dirty;
    }

    fn write(&mut self, now: Time, slot: usize) {
        let stream = &mut self.slots[slot];
        let before = stream.out.bytes();
        let result = stream.write(now);
        let after = stream.out.bytes();
        self.queued_bytes -= (before - after) as u64;
        if after <= QUEUE_BYTES_HIGH {
            self.high.remove(&slot);
        }
        match result {
            Ok(Written::Blocked) => self.arm(slot, true),
            Ok(Written::All) if stream.state == State::Lingering => self.kill(slot),
            Ok(Written::All) => {
                if stream.congested {
                    stream.congested = false;
                    let link = stream.link;
                    self.inputs.push_back(Input::Drained { link });
                }
                self.arm(slot, false);
            }
            // What the peer sent before it broke the stream is still to be read; reading finds the
            // end.
            Err(e) if stream.is_read() => {
                log::debug!("{}: {e}", stream.peer);
                self.abandon_queue(slot);
            }
            Err(_) => self.kill(slot),
        }
    }

    /// Asks for events of the socket's becoming writable, or no longer.
    fn arm(&mut self, slot: usize, armed: bool) {
        let stream = &mut self.slots[slot];
        if stream.armed == armed {
            return;
        }
        let interest = if armed {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        };
        let token = token(slot, stream.generation);
        let result = (self.registry).reregister(&mut stream.socket, token, interest);
        stream.armed = armed;
        if let Err(e) = result {
            log::debug!("{}: {e}", stream.peer);
            self.end(slot, Closed::Ended);
        }
    }

    fn abandon_queue(&mut self, slot: usize) {
        self.forget_queue(slot);
        let stream = &mut self.slots[slot];
        stream.state = State::Closing;
        stream.on_readable(true);
        self.to_expire.push(stream.link);
        self.list(slot);
    }

    fn forget_queue(&mut self, slot: usize) {
        let queue = std::mem::take(&mut self.slots[slot].out);
        self.queued_bytes -= queue.bytes() as u64;
        self.high.remove(&slot);
    }

    /// Until when stdin has to wait for peers with much in their queues, if no byte moves.
    pub(super) fn stdin_waits_until(&self, now: Time) -> Option<Time> {
        let moved = self.high.iter().filter_map(|slot| self.slots.get(*slot));
        let until = moved.map(|stream| stream.moved + timing::STALL).max()?;
        (until > now).then_some(until)
    }

    /// Bytes queued for all peers.
    pub(super) fn queued_bytes(&self) -> u64 {
        self.queued_bytes
    }

    /// True when no stream is left.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// What dials are bound to from now on.
    pub(super) fn set_sources(&mut self, sources: Sources) {
        self.sources = sources;
    }

    /// Ends the streams whose own address is none of this host's any more: nothing comes back to
    /// it, and the kernel would find that out only after minutes.
    pub(super) fn drop_without_address(&mut self, is_ours: impl Fn(IpAddr) -> bool) {
        let lost = |stream: &Stream| {
            let local = stream.socket.local_addr();
            local.is_ok_and(|at| !at.ip().is_unspecified() && !is_ours(at.ip()))
        };
        let lost: Vec<usize> = (self.slots.iter())
            .filter(|(_, stream)| stream.state != State::Dead && lost(stream))
            .map(|(slot, _)| slot)
            .collect();
        for slot in lost {
            log::debug!("{}: its own address has gone", self.slots[slot].peer);
            self.end(slot, Closed::Failed);
        }
    }

    /// Closes every stream as [`Close::Graceful`] does.
    pub(super) fn close_all(&mut self, now: Time) {
        let links: Vec<LinkId> = self.index.keys().copied().collect();
        for link in links {
            self.close(now, link, Close::Graceful);
        }
    }

    /// A link that was to end has had its time.
    pub(super) fn expire(&mut self, link: LinkId) {
        match self.index.get(&link) {
            Some(&slot) if self.slots[slot].state == State::Lingering => self.kill(slot),
            Some(&slot) => self.end(slot, Closed::Ended),
            None => {}
        }
    }

    /// Drops the streams that ended; each of their links is given to `buried`.
    pub(super) fn bury(&mut self, mut buried: impl FnMut(LinkId)) {
        for slot in self.dead.drain(..) {
            let mut stream = self.slots.remove(slot);
            // The descriptor is closed next, which ends its events anyhow.
            let _ = self.registry.deregister(&mut stream.socket);
            buried(stream.link);
        }
    }

    /// Ends a stream and tells the node.
    pub(super) fn end(&mut self, slot: usize, why: Closed) {
        let (link, state) = (self.slots[slot].link, self.slots[slot].state);
        if !matches!(state, State::Lingering | State::Dead) {
            self.inputs.push_back(Input::Closed { link, why });
        }
        self.kill(slot);
    }

    /// Ends a stream of which the node need not be told.
    fn kill(&mut self, slot: usize) {
        if self.slots[slot].state == State::Dead {
            return;
        }
        self.release_handshake(slot);
        self.forget_queue(slot);
        let stream = &mut self.slots[slot];
        stream.state = State::Dead;
        self.index.remove(&stream.link);
        self.dead.push(slot);
    }
}

fn token(slot: usize, generation: u32) -> Token {
    Token(slot | (generation as usize) << SLOT_BITS)
}
