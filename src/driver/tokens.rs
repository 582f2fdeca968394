//! The numbers by which the poll names everything that it watches.
//!
//! Owns who has which, so that no two sources share one. It watches nothing itself.

use mio::Token;

use crate::limits::{LOOKUPS_MAX, ROOMS_MAX};

use super::network::SOCKETS_MAX;
use super::streams::SLOTS_MAX;

/// Somebody dials this node.
pub(super) const LISTENER: Token = Token(SLOTS_MAX);
/// A signal came.
pub(super) const SIGNALS: Token = Token(SLOTS_MAX + 1);
pub(super) const STDIN: Token = Token(SLOTS_MAX + 2);
pub(super) const STDOUT: Token = Token(SLOTS_MAX + 3);
pub(super) const STDERR: Token = Token(SLOTS_MAX + 4);
/// The interfaces have changed.
pub(super) const INTERFACES: Token = Token(SLOTS_MAX + 5);
/// The process that helps the store said something.
pub(super) const STORE: Token = Token(SLOTS_MAX + 6);
/// The process that looks for words in the store said something.
pub(super) const SEARCH: Token = Token(SLOTS_MAX + 7);
/// The first datagram socket's number; the others follow.
pub(super) const DATAGRAMS: usize = SLOTS_MAX + 16;
/// The first look-up's number; the others follow.
pub(super) const LOOKUPS: usize = DATAGRAMS + SOCKETS_MAX;
/// The first number of the rooms that have a poll of their own.
const ROOMS: usize = LOOKUPS + LOOKUPS_MAX;
/// So many numbers are for rooms: many more than there are rooms at a time.
const ROOM_TOKENS: usize = 16 * ROOMS_MAX;
// Above, the numbers are those of streams.
const _: () = assert!(ROOMS + ROOM_TOKENS <= 1 << 16);

/// Which room of the process: no two ever have the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct RoomNo(pub(super) usize);

impl RoomNo {
    /// How the process's poll names this room's. Long after a room has gone another one may be named so.
    pub(super) fn token(self) -> Token {
        Token(ROOMS + self.0 % ROOM_TOKENS)
    }

    /// True of a number that is some room's.
    pub(super) fn has(token: Token) -> bool {
        (ROOMS..ROOMS + ROOM_TOKENS).contains(&token.0)
    }
}
