//! All streams with peers: whose turn it is, what is queued, and what each may cost.
//!
//! Owns the streams, the lists of those to be read and to be written, the limits on connections and
//! queues, and the listener. What the node has to be told is left in a list that the reactor takes;
//! nothing here calls the node, and nothing here decides what a message means. A stream that ends is
//! dropped at the end of the turn ([`Streams::bury`]).
//!
//! | file | owns |
//! | --- | --- |
//! | `table` | which stream is which |
//! | `stream` | one stream: its socket, its reader, its queue |
//! | `stream_lock`, `stream_proof`, `outqueue` | the lock on one stream; who is at its other end; what waits to be written to it |
//! | `lists` | which streams wait to be read or written |
//! | `budget` | what one turn may read |
//! | `backlog` | what is queued for all peers together |
//! | `outsiders` | what those who are no members may take |
//! | `listener`, `opener`, `sockets` | the listener; how streams begin; how TCP sockets are opened |

mod backlog;
mod budget;
mod listener;
mod lists;
mod opener;
mod outqueue;
mod outsiders;
mod sockets;
mod stream;
mod stream_lock;
mod stream_proof;
mod table;

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use mio::Registry;
use mio::event::Event;
use mio::net::TcpStream;

use crate::identity::{Credentials, Peer};
use crate::limits::{
    LINKS_MAX, QUEUE_BYTES_HARD_MAX, QUEUE_BYTES_MAX, QUEUE_BYTES_TOTAL_MAX,
    STRANGER_QUEUE_BYTES_MAX,
};
use crate::lock::Secret;
use crate::node::{Class, Close, Closed, Input, LinkId, Time};
use crate::timing;
use crate::wire::{Message, Relay};

use super::loglines::Throttle;
use super::network::Sources;
use backlog::SendQueues;
pub(super) use budget::Round;
use budget::Share;
pub(super) use listener::Listener;
use lists::Lists;
use opener::Opener;
use outqueue::Written;
use outsiders::Outsiders;
use stream::{Dialled, ReadStep, Stream, StreamState, classify};
pub(super) use table::SLOTS_MAX;
use table::Table;

/// All streams with peers.
#[derive(Debug)]
pub(super) struct Streams {
    registry: Registry,
    opener: Opener,
    table: Table,
    outsiders: Outsiders,
    backlog: SendQueues,
    lists: Lists,
    /// To be dropped.
    dead: Vec<usize>,
    throttle: Throttle,
    /// Connections cannot be accepted at the moment, and that was logged.
    refusing: bool,
    /// What the node has to be told.
    inputs: VecDeque<Input>,
    /// Links that are to be dropped for good after a while.
    to_expire: Vec<LinkId>,
}

impl Streams {
    /// No streams; this node speaks under `own`, and dials are bound to `sources`, where they fit.
    pub(super) fn new(
        registry: Registry,
        sources: Sources,
        own: Credentials,
        secret: Option<Secret>,
    ) -> Streams {
        Streams {
            registry,
            opener: Opener::new(sources, own, secret),
            table: Table::default(),
            outsiders: Outsiders::new(),
            backlog: SendQueues::default(),
            lists: Lists::default(),
            dead: Vec::new(),
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
        let stream = self.opener.accept(link, socket, peer)?;
        let slot = self.table.insert(&self.registry, stream)?;
        self.outsiders.begin_handshake(peer.ip(), link);
        self.note_proof(slot);
        Ok(())
    }

    /// What the proof of a link has queued is to be written.
    fn note_proof(&mut self, slot: usize) {
        let stream = &mut self.table[slot];
        let said = stream.take_said();
        if said > 0 {
            let queued = stream.queued();
            self.backlog.grow(slot, said, queued);
            self.mark_dirty(slot);
        }
    }

    /// What this node has others carry, with its seal.
    pub(super) fn seal(&self, relay: &Relay) -> Relay {
        self.opener.seal(relay)
    }

    /// Who is at the other end of a link, once that is proven.
    pub(super) fn peer_of(&self, link: LinkId) -> Option<Peer> {
        self.table[self.table.slot_of(link)?].proven()
    }

    /// Opens a stream, in small segments if large ones get lost; what comes of it is left for
    /// [`Streams::next_input`].
    pub(super) fn dial(&mut self, link: LinkId, to: SocketAddr, small: bool) {
        let result = if self.table.len() >= LINKS_MAX {
            Err(io::Error::other("too many connections"))
        } else {
            let dialled = self.opener.dial(link, to, small);
            dialled.and_then(|stream| self.table.insert(&self.registry, stream))
        };
        match result {
            Ok(slot) => self.note_proof(slot),
            Err(e) => {
                log::debug!("cannot dial {to}: {e}");
                let why = classify(&e);
                self.inputs.push_back(Input::Closed { link, why });
            }
        }
    }

    /// Queues one frame for each of these links; links that are gone are skipped.
    pub(super) fn send(&mut self, now: Time, to: &[LinkId], class: Class, frame: &Rc<[u8]>) {
        for link in to {
            if let Some(slot) = self.table.slot_of(*link) {
                self.push(now, slot, class, Rc::clone(frame));
            }
        }
    }

    fn push(&mut self, now: Time, slot: usize, class: Class, frame: Rc<[u8]>) {
        let Some(stream) = self.table.get_mut(slot) else {
            return;
        };
        if !matches!(stream.state(), StreamState::Open | StreamState::Connecting) {
            return;
        }
        let (link, peer) = (stream.link(), stream.peer());
        let (soft, hard) = if stream.is_member() && self.backlog.bytes() <= QUEUE_BYTES_TOTAL_MAX {
            (QUEUE_BYTES_MAX, QUEUE_BYTES_HARD_MAX)
        } else {
            (STRANGER_QUEUE_BYTES_MAX, 2 * STRANGER_QUEUE_BYTES_MAX)
        };
        let size = frame.len();
        if stream.queued() + size > hard {
            self.complain(now, peer, "its outbound queue is full");
            self.end(slot, Closed::Ended);
            return;
        }
        stream.queue(now, class, frame);
        self.backlog.grow(slot, size, stream.queued());
        if stream.becomes_congested(soft) {
            self.inputs.push_back(Input::Congested { link });
        }
        self.mark_dirty(slot);
    }

    /// Closes a link as the node wants it.
    pub(super) fn close(&mut self, now: Time, link: LinkId, how: Close) {
        let Some(slot) = self.table.slot_of(link) else {
            return;
        };
        let (peer, state) = (self.table[slot].peer(), self.table[slot].state());
        match (how, state) {
            (Close::GiveUp(why), _) => {
                log::debug!("{peer}: {why}: connection closed");
                self.kill(slot);
            }
            (Close::Abort(rule), _) => {
                self.complain(now, peer, rule);
                self.kill(slot);
            }
            (Close::Graceful, StreamState::Connecting) => self.end(slot, Closed::Ended),
            (Close::Graceful, StreamState::Open) => {
                self.table[slot].begin_closing();
                self.to_expire.push(link);
                self.mark_dirty(slot);
            }
            (
                Close::Graceful,
                StreamState::Closing | StreamState::Lingering | StreamState::Dead,
            ) => {}
        }
    }

    /// The handshake of this link is finished or given up.
    pub(super) fn end_handshake(&mut self, link: LinkId) {
        if let Some(slot) = self.table.slot_of(link) {
            self.table[slot].end_handshake();
            self.release_handshake(slot);
        }
    }

    fn release_handshake(&mut self, slot: usize) {
        let stream = &mut self.table[slot];
        if let Some(source) = stream.take_handshake() {
            self.outsiders.end_handshake(source, stream.link());
        }
    }

    /// Looks up anew which streams are members' links, if that is due.
    pub(super) fn sort(&mut self, now: Time, is_member: impl Fn(LinkId) -> bool) {
        self.outsiders.sort(now, &mut self.table, is_member);
    }

    /// Before so many bytes are queued for these links: whose queue they might be too much for is
    /// looked up anew.
    pub(super) fn look_again(
        &mut self,
        links: &[LinkId],
        bytes: usize,
        is_member: impl Fn(LinkId) -> bool,
    ) {
        outsiders::look_again(&mut self.table, links, bytes, is_member);
    }

    /// Makes room for one more connection from this peer, at the cost of its own source.
    ///
    /// # Errors
    ///
    /// The rule by which it is refused: all streams are members', or of other sources.
    pub(super) fn make_room(&mut self, now: Time, peer: SocketAddr) -> Result<(), &'static str> {
        if let Some(oldest) = self.outsiders.over_handshakes(&self.table, peer.ip()) {
            self.end_for(now, oldest, "too many unfinished handshakes");
        }
        if let Some(oldest) = self.outsiders.over_outsiders(&self.table, peer.ip()) {
            self.end_for(now, oldest, "too many connections that are not members'");
        }
        if self.table.links_len() >= LINKS_MAX {
            return Err("too many connections");
        }
        Ok(())
    }

    /// The handshake of a link is over: one more stranger, perhaps one too many from its address.
    pub(super) fn limit_strangers(
        &mut self,
        now: Time,
        link: LinkId,
        is_member: impl Fn(LinkId) -> bool,
    ) {
        if let Some(oldest) = outsiders::over_strangers(&mut self.table, link, is_member) {
            self.end_for(now, oldest, "too many links of strangers from this address");
        }
    }

    fn end_for(&mut self, now: Time, link: LinkId, rule: &'static str) {
        if let Some(slot) = self.table.slot_of(link) {
            self.complain(now, self.table[slot].peer(), rule);
            self.end(slot, Closed::Ended);
        }
    }

    /// Takes an event of a stream's socket in.
    pub(super) fn on_event(&mut self, event: &Event) {
        let Some(slot) = self.table.slot_of_event(event.token()) else {
            return;
        };
        if self.table[slot].state() == StreamState::Connecting && !self.finish_dial(slot) {
            return;
        }
        let stream = &mut self.table[slot];
        if event.is_writable() || event.is_write_closed() || event.is_error() {
            stream.on_writable();
            if stream.has_output() || stream.state() == StreamState::Closing {
                self.mark_dirty(slot);
            }
        }
        let stream = &mut self.table[slot];
        let hung_up = event.is_read_closed() || event.is_error();
        if event.is_readable() || hung_up {
            stream.on_readable(hung_up);
            self.list(slot);
        }
    }

    /// Whether the stream is open now.
    fn finish_dial(&mut self, slot: usize) -> bool {
        let stream = &mut self.table[slot];
        let link = stream.link();
        match stream.finish_dial() {
            Dialled::Connected => {
                self.inputs.push_back(Input::Connected { link });
                self.mark_dirty(slot);
                true
            }
            Dialled::Pending => false,
            Dialled::Failed(why, e) => {
                log::debug!("cannot dial {}: {e}", stream.peer());
                self.end(slot, why);
                false
            }
        }
    }

    fn list(&mut self, slot: usize) {
        self.lists.list(&mut self.table, slot);
    }

    fn mark_dirty(&mut self, slot: usize) {
        self.lists.mark_dirty(&mut self.table, slot);
    }

    /// True while a stream waits to be read.
    pub(super) fn has_ready(&self) -> bool {
        self.lists.ready_len() > 0
    }

    /// A round over the streams that wait to be read now, those that have waited longest first.
    pub(super) fn round(&self) -> Round {
        Round::new(self.lists.ready_len())
    }

    /// The next message of a round; none at its end.
    pub(super) fn next_in(&mut self, now: Time, round: &mut Round) -> Option<(LinkId, Message)> {
        loop {
            if let Some((slot, share)) = round.current() {
                let found = self.next_message(now, slot, share);
                if found.is_some() {
                    return found;
                }
                round.finish();
            }
            if !round.step() {
                return None;
            }
            let slot = self.lists.next_ready(&mut self.table)?;
            if !round.begin(slot, outsiders::standing(self.table.get(slot))) {
                self.list(slot);
            }
        }
    }

    /// The next message of this stream; when its share is spent before it is empty, it gets back
    /// in line. A stream that ended is reported.
    fn next_message(
        &mut self,
        now: Time,
        slot: usize,
        share: &mut Share,
    ) -> Option<(LinkId, Message)> {
        let stream = self.table.get_mut(slot)?;
        let found = stream.next_message(share);
        // The handshake of a lock answers what it reads, and what waited for it may go.
        let answers = stream.is_locked() && stream.has_output();
        self.note_proof(slot);
        if answers {
            self.mark_dirty(slot);
        }
        let stream = self.table.get_mut(slot)?;
        match found {
            ReadStep::Message(message) => return Some((stream.link(), message)),
            ReadStep::Nothing => {}
            ReadStep::Later => self.list(slot),
            ReadStep::End => self.on_end(slot),
            ReadStep::Broken(e) => {
                log::debug!("{}: {e}", stream.peer());
                self.end(slot, Closed::Ended);
            }
            ReadStep::Offence(rule) => {
                let peer = stream.peer();
                self.complain(now, peer, &rule);
                self.end(slot, Closed::Ended);
            }
        }
        None
    }

    /// The peer ended its side: the node is told, and the rest of the queue is written.
    fn on_end(&mut self, slot: usize) {
        let stream = &mut self.table[slot];
        if !stream.has_output() {
            return self.end(slot, Closed::Ended);
        }
        let (link, why) = (stream.link(), Closed::Ended);
        stream.linger();
        self.inputs.push_back(Input::Closed { link, why });
        self.to_expire.push(link);
        self.release_handshake(slot);
    }

    /// Writes what was queued, as far as the sockets take it, and asks for an event where they do
    /// not.
    pub(super) fn flush(&mut self, now: Time) {
        let dirty = self.lists.take_dirty();
        for &slot in &dirty {
            let Some(stream) = self.table.get_mut(slot) else {
                continue;
            };
            let is_written = !matches!(stream.state(), StreamState::Connecting | StreamState::Dead);
            if stream.take_dirty() && is_written {
                self.write(now, slot);
            }
        }
        self.lists.put_back(dirty);
    }

    fn write(&mut self, now: Time, slot: usize) {
        let stream = &mut self.table[slot];
        let before = stream.queued();
        let result = stream.write(now);
        let after = stream.queued();
        self.backlog.shrink(slot, before - after, after);
        match result {
            Ok(Written::Blocked) => self.arm(slot, true),
            Ok(Written::All) if stream.state() == StreamState::Lingering => self.kill(slot),
            Ok(Written::All) => {
                if stream.take_congested() {
                    let link = stream.link();
                    self.inputs.push_back(Input::Drained { link });
                }
                self.arm(slot, false);
            }
            // What the peer sent before it broke the stream is still to be read; reading finds the
            // end.
            Err(e) if stream.is_read() => {
                log::debug!("{}: {e}", stream.peer());
                self.abandon_queue(slot);
            }
            Err(_) => self.kill(slot),
        }
    }

    /// Asks for events of the socket's becoming writable, or no longer.
    fn arm(&mut self, slot: usize, armed: bool) {
        let stream = &mut self.table[slot];
        if let Err(e) = stream.arm(&self.registry, armed) {
            log::debug!("{}: {e}", stream.peer());
            self.end(slot, Closed::Ended);
        }
    }

    fn abandon_queue(&mut self, slot: usize) {
        self.forget_queue(slot);
        let stream = &mut self.table[slot];
        stream.read_to_its_end();
        self.to_expire.push(stream.link());
        self.list(slot);
    }

    fn forget_queue(&mut self, slot: usize) {
        let dropped = self.table[slot].drop_queue();
        self.backlog.shrink(slot, dropped, 0);
    }

    /// Until when stdin has to wait for peers with much in their queues, if no byte moves.
    pub(super) fn stdin_waits_until(&self, now: Time) -> Option<Time> {
        let moved = self.backlog.high().filter_map(|slot| self.table.get(slot));
        let until = moved.map(|stream| stream.moved() + timing::STALL).max()?;
        (until > now).then_some(until)
    }

    /// Bytes queued for all peers.
    pub(super) fn queued_bytes(&self) -> u64 {
        self.backlog.bytes()
    }

    /// True when no stream is left.
    pub(super) fn is_empty(&self) -> bool {
        self.table.len() == 0
    }

    /// What dials are bound to from now on.
    pub(super) fn set_sources(&mut self, sources: Sources) {
        self.opener.set_sources(sources);
    }

    /// Ends the streams whose own address is none of this host's any more: nothing comes back to
    /// it, and the kernel would find that out only after minutes.
    pub(super) fn drop_without_address(&mut self, is_ours: impl Fn(IpAddr) -> bool) {
        let lost = |stream: &Stream| {
            let local = stream.local_ip();
            local.is_some_and(|ip| !ip.is_unspecified() && !is_ours(ip))
        };
        let lost: Vec<usize> = (self.table.iter())
            .filter(|(_, stream)| stream.state() != StreamState::Dead && lost(stream))
            .map(|(slot, _)| slot)
            .collect();
        for slot in lost {
            log::debug!("{}: its own address has gone", self.table[slot].peer());
            self.end(slot, Closed::Failed);
        }
    }

    /// Closes every stream as [`Close::Graceful`] does.
    pub(super) fn close_all(&mut self, now: Time) {
        for link in self.table.links() {
            self.close(now, link, Close::Graceful);
        }
    }

    /// A link that was to end has had its time.
    pub(super) fn expire(&mut self, link: LinkId) {
        match self.table.slot_of(link) {
            Some(slot) if self.table[slot].state() == StreamState::Lingering => self.kill(slot),
            Some(slot) => self.end(slot, Closed::Ended),
            None => {}
        }
    }

    /// Drops the streams that ended; each of their links is given to `buried`.
    pub(super) fn bury(&mut self, mut buried: impl FnMut(LinkId)) {
        for slot in self.dead.drain(..) {
            let mut stream = self.table.remove(slot);
            stream.deregister(&self.registry);
            buried(stream.link());
        }
    }

    /// Ends a stream and tells the node.
    fn end(&mut self, slot: usize, why: Closed) {
        let (link, state) = (self.table[slot].link(), self.table[slot].state());
        if !matches!(state, StreamState::Lingering | StreamState::Dead) {
            self.inputs.push_back(Input::Closed { link, why });
        }
        self.kill(slot);
    }

    /// Ends a stream of which the node need not be told.
    fn kill(&mut self, slot: usize) {
        if self.table[slot].state() == StreamState::Dead {
            return;
        }
        self.release_handshake(slot);
        self.forget_queue(slot);
        self.table[slot].die();
        self.table.unlink(slot);
        self.dead.push(slot);
    }

    /// Links that are to end, if they have not by themselves, after a while: since the last call.
    pub(super) fn take_to_expire(&mut self) -> impl Iterator<Item = LinkId> {
        self.to_expire.drain(..)
    }

    /// How many inputs wait for the node.
    pub(super) fn inputs_len(&self) -> usize {
        self.inputs.len()
    }

    /// What the node has to be told next.
    pub(super) fn next_input(&mut self) -> Option<Input> {
        self.inputs.pop_front()
    }

    /// Nobody is left to be told.
    pub(super) fn forget_inputs(&mut self) {
        self.inputs.clear();
    }
}

#[cfg(test)]
#[path = "streams_test.rs"]
mod tests;
