//! What the user's side of one room has to do with the other rooms of the process: a part of [`Ui`], of which each
//! call is a question or an answer of whoever has the rooms.
//!
//! Owns nothing of its own. It knows no other room.

use crate::node::Now;

use super::Ui;
use super::queued_lines::QueuedLines;
use super::rooms::RoomWish;

/// Lines that were read for one room and are meant for another.
#[derive(Debug)]
pub struct ReadLines(QueuedLines);

impl Ui {
    /// The process is in several rooms: each line and each event names this one from now on.
    pub fn name_room(&mut self, room: &str) {
        self.display.name_room(room);
    }

    /// What the user wants of the rooms; nothing more is done for the user here until this is asked.
    pub fn take_wish(&mut self) -> Option<RoomWish> {
        self.wish.take()
    }

    /// True once stdin is at its end, and nothing that was read of it waits.
    #[must_use]
    pub fn has_said_all(&self) -> bool {
        self.sending.has_said_all()
    }

    /// True unless the node was told to leave.
    #[must_use]
    pub fn takes_lines(&self) -> bool {
        self.sending.takes_lines()
    }

    /// The lines that were read and wait, for another room.
    pub fn take_lines(&mut self) -> ReadLines {
        ReadLines(self.sending.hand_over())
    }

    /// Takes lines that were read for another room.
    pub fn give_lines(&mut self, lines: ReadLines) {
        self.sending.take_over(lines.0);
    }

    /// The lines that wait are for a room that takes none any more: they are not sent.
    pub fn drop_lines(&mut self) {
        self.sending.drop_lines();
    }

    /// How many messages were shown since the last call of those that the user counts (`--count`).
    pub fn take_counted(&mut self) -> u64 {
        self.showing.take_counted()
    }

    /// So many of the messages that the user counts were shown by another room.
    pub fn count_elsewhere(&mut self, now: Now, count: u64) {
        self.showing.count_elsewhere(count);
        if self.showing.is_done() {
            self.stop(now);
        }
    }

    /// True while something waits for stdout or stderr.
    #[must_use]
    pub fn has_output(&self) -> bool {
        self.display.has_output()
    }
}
