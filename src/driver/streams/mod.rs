//! All streams with peers: whose turn it is, what is queued, and what each may cost.
//!
//! Owns when a stream is opened, read, written and ended, and the limits on connections and queues. What
//! the node has to be told is left in a list that the reactor takes; nothing here calls the node, and
//! nothing here decides what a message means. A stream that ends is dropped at the end of the turn
//! ([`Streams::bury`]).
//!
//! | file | owns |
//! | --- | --- |
//! | `pool` | the streams that there are, and what is undone and told when one ends |
//! | `table` | which stream is which |
//! | `stream` | one stream: its socket, its reader, its queue |
//! | `stream_lock`, `stream_proof`, `outqueue` | the lock on one stream; who is at its other end; what waits to be written to it |
//! | `lists`, `stalled` | which streams wait to be read or written; which of them a lesson holds up |
//! | `budget` | what one turn may read |
//! | `backlog` | what is queued for all peers together |
//! | `outsiders` | what those who are no members may take |
//! | `listener`, `opener`, `dialled`, `sockets` | the listener; how streams begin; what came of a dial; how TCP sockets are opened |

mod backlog;
mod budget;
mod dialled;
mod listener;
mod lists;
mod opener;
mod outqueue;
mod outsiders;
mod pool;
#[cfg(test)]
mod rig;
mod sockets;
mod stalled;
mod stream;
mod stream_lock;
mod stream_proof;
mod table;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use mio::Registry;
use mio::event::Event;
use mio::net::TcpStream;

use crate::identity::{Credentials, Peer};
use crate::limits::{
    COMPLAINTS_PER_TURN_MAX, LINKS_MAX, QUEUE_BYTES_HARD_MAX, QUEUE_BYTES_MAX,
    QUEUE_BYTES_TOTAL_MAX, STRANGER_QUEUE_BYTES_MAX,
};
use crate::lock::Secret;
use crate::node::{Class, Close, Closed, Input, LinkId, Time, host_of};
use crate::wire::{Message, Relay};

use super::complaints::{CONNECTION, Complaint};
use super::network::Sources;
use budget::Share;
pub(super) use budget::StreamRound;
use dialled::{Dialled, classify};
pub(super) use listener::Listener;
use opener::Opener;
use outqueue::Written;
use pool::Pool;
use stream::{ReadStep, Stream, StreamState};
pub(super) use table::SLOTS_MAX;

/// All streams with peers.
#[derive(Debug)]
pub(super) struct Streams {
    pool: Pool,
    opener: Opener,
    /// What peers did wrong, for the user.
    complaints: Vec<Complaint>,
    /// Connections cannot be accepted at the moment, and that was logged.
    refusing: bool,
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
            pool: Pool::new(registry),
            opener: Opener::new(sources, own, secret),
            complaints: Vec::new(),
            refusing: false,
        }
    }

    /// Notes what a peer did wrong.
    pub(super) fn complain(&mut self, peer: SocketAddr, rule: &str) {
        if self.complaints.len() < COMPLAINTS_PER_TURN_MAX {
            self.complaints.push(Complaint {
                topic: CONNECTION,
                host: peer.ip(),
                text: format!("{peer}: {rule}: connection closed"),
            });
        }
    }

    /// What peers did wrong since the last call.
    pub(super) fn take_complaints(&mut self) -> Vec<Complaint> {
        std::mem::take(&mut self.complaints)
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
        self.pool.insert_accepted(stream)
    }

    /// What this node has others carry, with its seal.
    pub(super) fn seal(&self, relay: &Relay) -> Relay {
        self.opener.seal(relay)
    }

    /// Who is at the other end of a link, once that is proven.
    pub(super) fn peer_of(&self, link: LinkId) -> Option<Peer> {
        self.pool[self.pool.slot_of(link)?].proven()
    }

    /// The own address and the peer's of a link that there is.
    pub(super) fn ends(&self, link: LinkId) -> Option<(SocketAddr, SocketAddr)> {
        let stream = &self.pool[self.pool.slot_of(link)?];
        Some((stream.local()?, stream.peer()))
    }

    /// Opens a stream, in small segments if large ones get lost; what comes of it is left for
    /// [`Streams::next_input`].
    pub(super) fn dial(&mut self, link: LinkId, to: SocketAddr, small: bool) {
        let result = if self.pool.len() >= LINKS_MAX {
            Err(io::Error::other("too many connections"))
        } else {
            let dialled = self.opener.dial(link, to, small);
            dialled.and_then(|stream| self.pool.insert(stream))
        };
        if let Err(e) = result {
            log::debug!("cannot dial {to}: {e}");
            let why = classify(&e);
            self.pool.tell(Input::Closed { link, why });
        }
    }

    /// Queues one frame for each of these links; links that are gone are skipped.
    pub(super) fn send(&mut self, now: Time, to: &[LinkId], class: Class, frame: &Rc<[u8]>) {
        for link in to {
            if let Some(slot) = self.pool.slot_of(*link) {
                self.push(now, slot, class, Rc::clone(frame));
            }
        }
    }

    fn push(&mut self, now: Time, slot: usize, class: Class, frame: Rc<[u8]>) {
        let Some(stream) = self.pool.get(slot) else {
            return;
        };
        if !matches!(stream.state(), StreamState::Open | StreamState::Connecting) {
            return;
        }
        let (peer, queued, is_member) = (stream.peer(), stream.queued(), stream.is_member());
        let (soft, hard) = if is_member && self.pool.queued_bytes() <= QUEUE_BYTES_TOTAL_MAX {
            (QUEUE_BYTES_MAX, QUEUE_BYTES_HARD_MAX)
        } else {
            (STRANGER_QUEUE_BYTES_MAX, 2 * STRANGER_QUEUE_BYTES_MAX)
        };
        if queued + frame.len() > hard {
            self.complain(peer, "its outbound queue is full");
            self.pool.end(slot, Closed::Ended);
            return;
        }
        self.pool.queue(now, slot, (class, frame), soft);
    }

    /// Closes a link as the node wants it.
    pub(super) fn close(&mut self, link: LinkId, how: Close) {
        let Some(slot) = self.pool.slot_of(link) else {
            return;
        };
        let (peer, state) = (self.pool[slot].peer(), self.pool[slot].state());
        match (how, state) {
            (Close::GiveUp(why), _) => {
                log::debug!("{peer}: {why}: connection closed");
                self.pool.kill(slot);
            }
            (Close::Abort(rule), _) => {
                self.complain(peer, rule);
                self.pool.kill(slot);
            }
            (Close::Graceful, StreamState::Connecting) => self.pool.end(slot, Closed::Ended),
            (Close::Graceful, StreamState::Open) => self.pool.begin_closing(slot),
            (
                Close::Graceful,
                StreamState::Closing | StreamState::Lingering | StreamState::Dead,
            ) => {}
        }
    }

    /// The handshake of this link is finished or given up.
    pub(super) fn end_handshake(&mut self, link: LinkId) {
        if let Some(slot) = self.pool.slot_of(link) {
            self.pool[slot].end_handshake();
            self.pool.release_handshake(slot);
        }
    }

    /// Looks up anew which streams are members' links, if that is due.
    pub(super) fn sort(&mut self, now: Time, is_member: impl Fn(LinkId) -> bool) {
        self.pool.sort(now, is_member);
    }

    /// Before so many bytes are queued for these links: whose queue they might be too much for is
    /// looked up anew.
    pub(super) fn look_again(
        &mut self,
        links: &[LinkId],
        bytes: usize,
        is_member: impl Fn(LinkId) -> bool,
    ) {
        outsiders::look_again(&mut self.pool, links, bytes, is_member);
    }

    /// Makes room for one more connection from this peer, at the cost of the source that has the most.
    ///
    /// # Errors
    ///
    /// The rule by which it is refused: all streams are members'.
    pub(super) fn make_room(
        &mut self,
        peer: SocketAddr,
        is_member: impl Fn(LinkId) -> bool,
    ) -> Result<(), &'static str> {
        let source = host_of(peer.ip());
        if let Some(oldest) = self.pool.over_handshakes(source) {
            self.end_for(oldest, "too many unfinished handshakes");
        }
        while let Some(oldest) = self.pool.over_outsiders(source) {
            // It may have become one since that was looked up.
            if let Some(stream) = self.pool.of_mut(oldest).filter(|_| is_member(oldest)) {
                stream.set_member(true);
                continue;
            }
            self.end_for(oldest, "too many connections that are not members'");
            break;
        }
        if self.pool.links_len() >= LINKS_MAX {
            return Err("too many connections");
        }
        Ok(())
    }

    /// The handshake of a link is over: one more stranger, perhaps one too many from its address.
    pub(super) fn limit_strangers(&mut self, link: LinkId, is_member: impl Fn(LinkId) -> bool) {
        if let Some(oldest) = outsiders::over_strangers(&mut self.pool, link, is_member) {
            self.end_for(oldest, "too many links of strangers from this address");
        }
    }

    fn end_for(&mut self, link: LinkId, rule: &'static str) {
        if let Some(slot) = self.pool.slot_of(link) {
            self.complain(self.pool[slot].peer(), rule);
            self.pool.end(slot, Closed::Ended);
        }
    }

    /// Takes an event of a stream's socket in.
    pub(super) fn on_event(&mut self, event: &Event) {
        let Some(slot) = self.pool.slot_of_event(event.token()) else {
            return;
        };
        if self.pool[slot].state() == StreamState::Connecting && !self.finish_dial(slot) {
            return;
        }
        let stream = &mut self.pool[slot];
        if event.is_writable() || event.is_write_closed() || event.is_error() {
            stream.on_writable();
            if stream.has_output() || stream.state() == StreamState::Closing {
                self.pool.mark_dirty(slot);
            }
        }
        let stream = &mut self.pool[slot];
        let hung_up = event.is_read_closed() || event.is_error();
        if event.is_readable() || hung_up {
            stream.on_readable(hung_up);
            self.pool.list(slot);
        }
    }

    /// Whether the stream is open now.
    fn finish_dial(&mut self, slot: usize) -> bool {
        let stream = &mut self.pool[slot];
        let link = stream.link();
        match stream.finish_dial() {
            Dialled::Connected => {
                self.pool.tell(Input::Connected { link });
                self.pool.mark_dirty(slot);
                true
            }
            Dialled::Pending => false,
            Dialled::Failed(why, e) => {
                log::debug!("cannot dial {}: {e}", stream.peer());
                self.pool.end(slot, why);
                false
            }
        }
    }

    /// True while a stream waits to be read.
    pub(super) fn has_ready(&self) -> bool {
        self.pool.ready_len() > 0
    }

    /// A round over the streams that wait to be read now, those that have waited longest first.
    pub(super) fn round(&self) -> StreamRound {
        StreamRound::new(self.pool.ready_len())
    }

    /// The next message of a round; none at its end.
    pub(super) fn next_in(&mut self, round: &mut StreamRound) -> Option<(LinkId, Message)> {
        loop {
            if let Some((slot, share)) = round.current() {
                let found = self.next_message(slot, share);
                if found.is_some() {
                    return found;
                }
                round.finish();
            }
            if !round.step() {
                return None;
            }
            let slot = self.pool.next_ready()?;
            if !round.begin(slot, outsiders::standing(self.pool.get(slot))) {
                self.pool.list(slot);
            }
        }
    }

    /// The next message of this stream; when its share is spent before it is empty, it gets back
    /// in line. A stream that ended is reported.
    fn next_message(&mut self, slot: usize, share: &mut Share) -> Option<(LinkId, Message)> {
        let stream = self.pool.get_mut(slot)?;
        let found = stream.next_message(share);
        // The handshake of a lock answers what it reads, and what waited for it may go.
        let answers = stream.is_locked() && stream.has_output();
        self.pool.note_proof(slot);
        if answers {
            self.pool.mark_dirty(slot);
        }
        let stream = self.pool.get_mut(slot)?;
        match found {
            ReadStep::Message(message) => return Some((stream.link(), message)),
            ReadStep::Nothing => {}
            ReadStep::Later => self.pool.list(slot),
            ReadStep::End => self.pool.linger(slot),
            ReadStep::Broken(e) => {
                log::debug!("{}: {e}", stream.peer());
                self.pool.end(slot, Closed::Ended);
            }
            ReadStep::Offence(rule) => {
                let peer = stream.peer();
                self.complain(peer, &rule);
                self.pool.end(slot, Closed::Ended);
            }
        }
        None
    }

    /// Writes what was queued, as far as the sockets take it, and asks for an event where they do
    /// not.
    pub(super) fn flush(&mut self, now: Time) {
        let dirty = self.pool.take_dirty();
        for &slot in &dirty {
            let Some(stream) = self.pool.get_mut(slot) else {
                continue;
            };
            let is_written = !matches!(stream.state(), StreamState::Connecting | StreamState::Dead);
            if stream.take_dirty() && is_written {
                self.write(now, slot);
            }
        }
        self.pool.put_back(dirty);
    }

    fn write(&mut self, now: Time, slot: usize) {
        let result = self.pool.write(now, slot);
        let stream = &mut self.pool[slot];
        match result {
            Ok(Written::Blocked) => self.pool.arm(slot, true),
            Ok(Written::All) if stream.state() == StreamState::Lingering => self.pool.kill(slot),
            Ok(Written::All) => {
                if stream.take_congested() {
                    let link = stream.link();
                    self.pool.tell(Input::Drained { link });
                }
                self.pool.arm(slot, false);
            }
            // What the peer sent before it broke the stream is still to be read; reading finds the
            // end.
            Err(e) if stream.is_read() => {
                log::debug!("{}: {e}", stream.peer());
                self.pool.abandon_queue(slot);
            }
            Err(_) => self.pool.kill(slot),
        }
    }

    /// Until when stdin has to wait for peers with much in their queues, if no byte moves.
    pub(super) fn stdin_waits_until(&self, now: Time) -> Option<Time> {
        self.pool.stalls_until().filter(|until| *until > now)
    }

    /// Bytes queued for all peers.
    pub(super) fn queued_bytes(&self) -> u64 {
        self.pool.queued_bytes()
    }

    /// True when no stream is left.
    pub(super) fn is_empty(&self) -> bool {
        self.pool.len() == 0
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
        let lost: Vec<usize> = (self.pool.iter())
            .filter(|(_, stream)| stream.state() != StreamState::Dead && lost(stream))
            .map(|(slot, _)| slot)
            .collect();
        for slot in lost {
            log::debug!("{}: its own address has gone", self.pool[slot].peer());
            self.pool.end(slot, Closed::Failed);
        }
    }

    /// Closes every stream as [`Close::Graceful`] does.
    pub(super) fn close_all(&mut self) {
        for link in self.pool.links() {
            self.close(link, Close::Graceful);
        }
    }

    /// A link that was to end has had its time.
    pub(super) fn expire(&mut self, link: LinkId) {
        match self.pool.slot_of(link) {
            Some(slot) if self.pool[slot].state() == StreamState::Lingering => self.pool.kill(slot),
            Some(slot) => self.pool.end(slot, Closed::Ended),
            None => {}
        }
    }

    /// Drops the streams that ended; each of their links is given to `buried`.
    pub(super) fn bury(&mut self, buried: impl FnMut(LinkId)) {
        self.pool.bury(buried);
    }

    /// Links that are to end, if they have not by themselves, after a while: since the last call.
    pub(super) fn take_to_expire(&mut self) -> impl Iterator<Item = LinkId> {
        self.pool.take_to_expire()
    }

    /// How many inputs wait for the node.
    pub(super) fn inputs_len(&self) -> usize {
        self.pool.inputs_len()
    }

    /// What the node has to be told next.
    pub(super) fn next_input(&mut self) -> Option<Input> {
        self.pool.next_input()
    }

    /// Nobody is left to be told.
    pub(super) fn forget_inputs(&mut self) {
        self.pool.forget_inputs();
    }
}

#[cfg(test)]
#[path = "streams_test.rs"]
mod tests;
