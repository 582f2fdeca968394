//! What the user wants of the rooms of a process, and what is shown of them.
//!
//! This module is plain data. It does not know which rooms there are: that is the driver's.

/// What the user wants of the rooms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoomWish {
    /// To be in this room, too; the file has its secret, if one is named.
    Join {
        /// The room's name.
        room: String,
        /// The file with its secret.
        secret: Option<String>,
    },
    /// To leave this room; the one where that is said, if the name is empty.
    Part(String),
    /// To see the room of this name or number, and to speak there.
    Show(String),
    /// To know which rooms there are.
    List,
    /// To leave all of them.
    Leave,
}

/// How the user is called for what came in a room that is not seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RoomCall {
    /// The bell rings.
    pub rings: bool,
    /// What the desktop is notified of.
    pub notice: Option<String>,
}
