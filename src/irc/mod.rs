//! An IRC server as a face of papo: every IRC client on this machine is somebody in papo's rooms.
//!
//! | part | owns |
//! | --- | --- |
//! | `line` | the grammar of lines |
//! | `names` | how names of papo read in IRC, and back |
//! | `caps` | what a client may ask for |
//! | `client` | one connection: its bytes in both directions |
//! | `channel`, `past` | one room as this process knows it, and what was said in it |
//! | `people` | who is in the rooms elsewhere |
//! | `server` | the commands, and what the rooms tell: lines in, lines and requests out |
//!
//! Nothing here has a socket, a clock or a node; the driver has them, and carries what is asked for. This module
//! knows the node's public types and the wire's, and nothing of the driver.
#![doc = include_str!("CLIENTS.md")]

mod caps;
mod channel;
mod client;
pub mod line;
pub mod names;
mod past;
mod people;
mod server;

pub use server::{Request, Round, Server, Settings};

/// One connection, by a number that is never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Conn(pub u64);

/// One node: a client in a channel, by a number that is never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SeatId(pub u64);
