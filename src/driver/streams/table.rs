//! Which stream is which: by its place, by its link, and by the name that the poll has for it.
//!
//! Owns the streams themselves. A late event of a stream that is gone is recognised by its generation.
//! It decides nothing about them, and counts nothing but how many there are.

use std::collections::BTreeMap;
use std::io;
use std::ops::{Index, IndexMut};

use mio::{Registry, Token};
use slab::Slab;

use crate::limits::LINKS_MAX;
use crate::node::LinkId;

use super::stream::{Stream, StreamState};

/// Bits of a token that say the slot; the rest says the generation.
const SLOT_BITS: u32 = 16;
/// Slots from here on are tokens of other sources than streams.
pub(in crate::driver) const SLOTS_MAX: usize = 0xf000;
const _: () = assert!(LINKS_MAX < SLOTS_MAX);

/// The streams.
#[derive(Debug, Default)]
pub(super) struct Table {
    slots: Slab<Stream>,
    /// Those that have not ended.
    index: BTreeMap<LinkId, usize>,
    generation: u32,
}

impl Table {
    /// Takes a stream in, and has the poll watch it; the result is its place.
    pub(super) fn insert(&mut self, registry: &Registry, mut stream: Stream) -> io::Result<usize> {
        self.generation = self.generation.wrapping_add(1);
        let entry = self.slots.vacant_entry();
        stream.register(registry, token(entry.key(), self.generation))?;
        let slot = entry.key();
        self.index.insert(stream.link(), slot);
        entry.insert(stream);
        Ok(slot)
    }

    /// Takes a stream out.
    pub(super) fn remove(&mut self, slot: usize) -> Stream {
        self.slots.remove(slot)
    }

    /// The stream has ended: it is no link's any more.
    pub(super) fn unlink(&mut self, slot: usize) {
        self.index.remove(&self.slots[slot].link());
    }

    /// The link's stream.
    pub(super) fn slot_of(&self, link: LinkId) -> Option<usize> {
        self.index.get(&link).copied()
    }

    /// The stream of an event, unless it has ended.
    pub(super) fn slot_of_event(&self, token: Token) -> Option<usize> {
        let slot = token.0 & ((1 << SLOT_BITS) - 1);
        let stream = self.slots.get(slot)?;
        (stream.has_token(token) && stream.state() != StreamState::Dead).then_some(slot)
    }

    pub(super) fn get(&self, slot: usize) -> Option<&Stream> {
        self.slots.get(slot)
    }

    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut Stream> {
        self.slots.get_mut(slot)
    }

    /// The link's stream.
    pub(super) fn of_mut(&mut self, link: LinkId) -> Option<&mut Stream> {
        self.slots.get_mut(*self.index.get(&link)?)
    }

    /// All streams, those that have ended in this turn among them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Stream)> {
        self.slots.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.slots.iter_mut().map(|(_, stream)| stream)
    }

    /// The links whose streams have not ended, in their order.
    pub(super) fn links(&self) -> Vec<LinkId> {
        self.index.keys().copied().collect()
    }

    /// How many streams have not ended.
    pub(super) fn links_len(&self) -> usize {
        self.index.len()
    }

    /// How many streams there are, those that have ended in this turn among them.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}

impl Index<usize> for Table {
    type Output = Stream;

    fn index(&self, slot: usize) -> &Stream {
        &self.slots[slot]
    }
}

impl IndexMut<usize> for Table {
    fn index_mut(&mut self, slot: usize) -> &mut Stream {
        &mut self.slots[slot]
    }
}

fn token(slot: usize, generation: u32) -> Token {
    Token(slot | (generation as usize) << SLOT_BITS)
}
