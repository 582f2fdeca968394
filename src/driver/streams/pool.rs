//! The streams that there are, what each has queued, and how each of them ends.
//!
//! Owns the streams and all that has to be undone or told when one ends: its place on the lists, its part
//! of what is queued for all, its unfinished handshake, and the word to the node. It decides of no stream
//! that it ends, and what a message means is nothing to it.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use mio::Registry;

use crate::node::{Class, Closed, Input, LinkId, Time};
use crate::timing;

use super::backlog::SendQueues;
use super::lists::Lists;
use super::outqueue::Written;
use super::outsiders::Outsiders;
use super::stream::{Stream, StreamState};
use super::table::Table;

/// The streams, and what depends on whether they are there.
#[derive(Debug)]
pub(super) struct Pool {
    registry: Registry,
    table: Table,
    lists: Lists,
    queues: SendQueues,
    outsiders: Outsiders,
    /// To be dropped.
    dead: Vec<usize>,
    /// What the node has to be told.
    inputs: VecDeque<Input>,
    /// Links that are to be dropped for good after a while.
    to_expire: Vec<LinkId>,
}

impl Pool {
    /// No streams; they are watched by the poll that this registry is of.
    pub(super) fn new(registry: Registry) -> Pool {
        Pool {
            registry,
            table: Table::default(),
            lists: Lists::default(),
            queues: SendQueues::default(),
            outsiders: Outsiders::new(),
            dead: Vec::new(),
            inputs: VecDeque::new(),
            to_expire: Vec::new(),
        }
    }

    /// Takes in a stream that was dialled.
    pub(super) fn insert(&mut self, stream: Stream) -> io::Result<()> {
        let slot = self.table.insert(&self.registry, stream)?;
        self.note_proof(slot);
        Ok(())
    }

    /// Takes in a stream that was accepted, whose handshake counts against its source.
    pub(super) fn insert_accepted(&mut self, stream: Stream) -> io::Result<()> {
        let (source, link) = (stream.source(), stream.link());
        let slot = self.table.insert(&self.registry, stream)?;
        self.outsiders.begin_handshake(source, link);
        self.note_proof(slot);
        Ok(())
    }

    /// What the proof of this link has queued is to be written.
    pub(super) fn note_proof(&mut self, slot: usize) {
        let stream = &mut self.table[slot];
        let said = stream.take_said();
        if said > 0 {
            self.queues.grow(slot, said, stream.queued());
            self.mark_dirty(slot);
        }
    }

    /// The handshake of this stream counts no longer.
    pub(super) fn release_handshake(&mut self, slot: usize) {
        let stream = &mut self.table[slot];
        if let Some(source) = stream.take_handshake() {
            self.outsiders.end_handshake(source, stream.link());
        }
    }

    /// Looks up anew which streams are members' links, if that is due.
    pub(super) fn sort(&mut self, now: Time, is_member: impl Fn(LinkId) -> bool) {
        self.outsiders.sort(now, &mut self.table, is_member);
    }

    /// The stream that ends before one more of this source is let in, for the source has as many unfinished
    /// handshakes as it may.
    pub(super) fn over_handshakes(&self, source: IpAddr) -> Option<LinkId> {
        self.outsiders.over_handshakes(&self.table, source)
    }

    /// The stream that ends before one more of this source is let in, for there are as many as may be that
    /// are no members'.
    pub(super) fn over_outsiders(&self, source: IpAddr) -> Option<LinkId> {
        self.outsiders.over_outsiders(&self.table, source)
    }

    /// The stream waits to be read in the next turn.
    pub(super) fn list(&mut self, slot: usize) {
        self.lists.list(&mut self.table, slot);
    }

    /// The stream waits to be written before the next sleep.
    pub(super) fn mark_dirty(&mut self, slot: usize) {
        self.lists.mark_dirty(&mut self.table, slot);
    }

    /// How many streams wait to be read.
    pub(super) fn ready_len(&self) -> usize {
        self.lists.ready_len()
    }

    /// The stream that has waited longest to be read.
    pub(super) fn next_ready(&mut self) -> Option<usize> {
        self.lists.next_ready(&mut self.table)
    }

    /// The streams that wait to be written; the list is given back to [`Pool::put_back`], for its memory.
    pub(super) fn take_dirty(&mut self) -> Vec<usize> {
        self.lists.take_dirty()
    }

    /// Everything on this list was written.
    pub(super) fn put_back(&mut self, dirty: Vec<usize>) {
        self.lists.put_back(dirty);
    }

    /// Queues a frame. If more than `soft` bytes are queued by that, the node is told once.
    pub(super) fn queue(
        &mut self,
        now: Time,
        slot: usize,
        (class, frame): (Class, Rc<[u8]>),
        soft: usize,
    ) {
        let stream = &mut self.table[slot];
        let size = frame.len();
        stream.queue(now, class, frame);
        self.queues.grow(slot, size, stream.queued());
        if stream.becomes_congested(soft) {
            let link = stream.link();
            self.inputs.push_back(Input::Congested { link });
        }
        self.mark_dirty(slot);
    }

    /// Writes what is queued, as far as the socket takes it.
    pub(super) fn write(&mut self, now: Time, slot: usize) -> io::Result<Written> {
        let stream = &mut self.table[slot];
        let before = stream.queued();
        let result = stream.write(now);
        let after = stream.queued();
        self.queues.shrink(slot, before - after, after);
        result
    }

    fn forget_queue(&mut self, slot: usize) {
        let dropped = self.table[slot].drop_queue();
        self.queues.shrink(slot, dropped, 0);
    }

    /// Bytes queued for all peers.
    pub(super) fn queued_bytes(&self) -> u64 {
        self.queues.bytes()
    }

    /// Until when peers with much in their queues are waited for, if no byte moves.
    pub(super) fn stalls_until(&self) -> Option<Time> {
        let moved = self.queues.high().filter_map(|slot| self.table.get(slot));
        moved
            .map(|stream| stream.moved() + timing::SOCKET_STALL)
            .max()
    }

    /// Asks for events of the socket's becoming writable, or no longer.
    pub(super) fn arm(&mut self, slot: usize, armed: bool) {
        let stream = &mut self.table[slot];
        if let Err(e) = stream.arm(&self.registry, armed) {
            log::debug!("{}: {e}", stream.peer());
            self.end(slot, Closed::Ended);
        }
    }

    /// The node closes the stream in good order: what is queued is written first, for a while.
    pub(super) fn begin_closing(&mut self, slot: usize) {
        let stream = &mut self.table[slot];
        stream.begin_closing();
        self.to_expire.push(stream.link());
        self.mark_dirty(slot);
    }

    /// The peer ended its side: the node is told, and the rest of the queue is written.
    pub(super) fn linger(&mut self, slot: usize) {
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

    /// The stream cannot be written to any more: what the peer sent before that is still read, for a while.
    pub(super) fn abandon_queue(&mut self, slot: usize) {
        self.forget_queue(slot);
        let stream = &mut self.table[slot];
        stream.read_to_its_end();
        self.to_expire.push(stream.link());
        self.list(slot);
    }

    /// Ends a stream and tells the node.
    pub(super) fn end(&mut self, slot: usize, why: Closed) {
        let (link, state) = (self.table[slot].link(), self.table[slot].state());
        if !matches!(state, StreamState::Lingering | StreamState::Dead) {
            self.inputs.push_back(Input::Closed { link, why });
        }
        self.kill(slot);
    }

    /// Ends a stream of which the node need not be told.
    pub(super) fn kill(&mut self, slot: usize) {
        if self.table[slot].state() == StreamState::Dead {
            return;
        }
        self.release_handshake(slot);
        self.forget_queue(slot);
        self.table[slot].die();
        self.table.unlink(slot);
        self.dead.push(slot);
    }

    /// Drops the streams that ended; each of their links is given to `buried`.
    pub(super) fn bury(&mut self, mut buried: impl FnMut(LinkId)) {
        for slot in self.dead.drain(..) {
            let mut stream = self.table.remove(slot);
            stream.deregister(&self.registry);
            buried(stream.link());
        }
    }

    /// Links that are to end, if they have not by themselves, after a while: since the last call.
    pub(super) fn take_to_expire(&mut self) -> impl Iterator<Item = LinkId> {
        self.to_expire.drain(..)
    }

    /// The node has to be told this.
    pub(super) fn tell(&mut self, input: Input) {
        self.inputs.push_back(input);
    }

    /// What the node has to be told next.
    pub(super) fn next_input(&mut self) -> Option<Input> {
        self.inputs.pop_front()
    }

    /// Nobody is left to be told.
    pub(super) fn forget_inputs(&mut self) {
        self.inputs.clear();
    }

    /// How many inputs wait for the node.
    pub(super) fn inputs_len(&self) -> usize {
        self.inputs.len()
    }
}

impl Deref for Pool {
    type Target = Table;

    fn deref(&self) -> &Table {
        &self.table
    }
}

impl DerefMut for Pool {
    fn deref_mut(&mut self) -> &mut Table {
        &mut self.table
    }
}
