//! The rooms of a process: which there are, which of them is in front, and in which order they have their turns.
//!
//! Owns the rooms. It gives none its turn, and never knows what one does.

use crate::limits::ROOMS_MAX;

use super::super::tokens::RoomNo;
use super::room::Room;

/// All rooms, in the order in which they were joined.
pub(super) struct Rooms {
    rooms: Vec<Room>,
    /// The place of the one that is in front: what is typed is for it, and a terminal shows it.
    front: usize,
    /// The place of the one whose turn is the first.
    first: usize,
    /// The number of the next one.
    next: RoomNo,
}

impl Rooms {
    /// There are none yet.
    pub(super) fn new() -> Rooms {
        Rooms {
            rooms: Vec::new(),
            front: 0,
            first: 0,
            next: RoomNo(0),
        }
    }

    /// A number for a room that no other ever had.
    pub(super) fn next_no(&mut self) -> RoomNo {
        let no = self.next;
        self.next = RoomNo(no.0 + 1);
        no
    }

    /// Adds a room behind the others.
    pub(super) fn add(&mut self, room: Room) {
        self.rooms.push(room);
    }

    /// False while so many rooms are there that one more is too many.
    pub(super) fn has_place(&self) -> bool {
        self.rooms.len() < ROOMS_MAX
    }

    pub(super) fn len(&self) -> usize {
        self.rooms.len()
    }

    /// The place of the room in front.
    pub(super) fn front(&self) -> usize {
        self.front
    }

    /// Brings the room of this place to the front.
    pub(super) fn set_front(&mut self, at: usize) {
        self.front = at;
    }

    pub(super) fn get(&self, at: usize) -> &Room {
        &self.rooms[at]
    }

    pub(super) fn get_mut(&mut self, at: usize) -> &mut Room {
        &mut self.rooms[at]
    }

    /// Two of them, if they are two.
    pub(super) fn pair_mut(&mut self, one: usize, other: usize) -> Option<[&mut Room; 2]> {
        self.rooms.get_disjoint_mut([one, other]).ok()
    }

    /// All of them, by their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.rooms.iter()
    }

    /// All of them, by their places.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Room> {
        self.rooms.iter_mut()
    }

    /// The places in the order of this round's turns: another one is the first in each, so that none is always
    /// behind the others where all write to one place.
    pub(super) fn round(&mut self) -> impl Iterator<Item = usize> + use<> {
        let (first, count) = (self.first, self.rooms.len());
        self.first = (first + 1) % count.max(1);
        (0..count).map(move |n| (first + n) % count)
    }

    /// The place of the room of this name that the user can be in.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.rooms
            .iter()
            .position(|room| room.name() == name && !room.is_going())
    }

    /// The places of the rooms that the user is in.
    pub(super) fn present(&self) -> impl Iterator<Item = usize> {
        (0..self.rooms.len()).filter(|at| !self.rooms[*at].is_going())
    }

    /// Takes a room away that has ended, if there is one.
    pub(super) fn take_ended(&mut self) -> Option<Room> {
        let at = self.rooms.iter().position(Room::is_over)?;
        let room = self.rooms.remove(at);
        if at < self.front {
            self.front -= 1;
        }
        self.front = self.front.min(self.rooms.len().saturating_sub(1));
        Some(room)
    }
}
