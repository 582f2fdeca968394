//! The wire: messages as data, and the bytes that they are on TCP and UDP.
//!
//! What lives here: the messages ([`message`]), the values in them ([`types`]), their encoding
//! ([`codec`]) and the framing of streams ([`frame`]). Nothing here knows about sockets, time or
//! the state of a node. `PROTOCOL.md`, below, is the whole format.
//!
#![doc = include_str!("PROTOCOL.md")]

pub mod codec;
pub mod frame;
pub mod message;
pub mod types;

pub use message::*;
pub use types::*;
