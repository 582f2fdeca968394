//! What the user wants of the rooms of a process, and what is shown of them.
//!
//! This module is plain data. It does not know which rooms there are: that is the driver's.

/// What the user wants of the rooms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoomWish {
    /// To be in this room, too.
    Join(String),
    /// To leave this room; the one where that is said, if the name is empty.
    Part(String),
    /// To see the room of this name or number, and to speak there.
    Show(String),
    /// To know which rooms there are.
    List,
    /// To leave all of them.
    Leave,
}

/// A room as the others see it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RoomTab {
    /// Its name.
    pub name: String,
    /// How many messages came that were not seen.
    pub unread: u64,
    /// In how many of them the user is named, or written to alone.
    pub mentions: u64,
    /// It is the one that is seen, and where what is typed is said.
    pub is_front: bool,
}
