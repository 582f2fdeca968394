//! The numbers by which the poll names everything that it watches.
//!
//! Owns who has which, so that no two sources share one. It watches nothing itself.

use mio::Token;

use crate::limits::LOOKUPS_MAX;

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
const _: () = assert!(LOOKUPS + LOOKUPS_MAX < 1 << 16);
