//! The wire: messages as data, and the bytes that they are on TCP and UDP.
//!
//! What lives here: the table of messages ([`MessageKind`]), the messages ([`message`]), the values in them ([`types`], [`chat`]), their encoding
//! ([`codec`]), the framing of streams ([`frame`]) and the limits of it all. Nothing here knows about sockets, time or
//! the state of a node. `PROTOCOL.md`, below, is the whole format.
//!
#![doc = include_str!("PROTOCOL.md")]

mod buckets;
pub mod chat;
mod check;
pub mod codec;
mod compared;
mod digest;
mod fast;
pub mod frame;
mod kinds;
#[cfg(test)]
pub(crate) mod made;
pub mod message;
mod pack;
mod proofs;
mod reader;
mod rules;
mod scan;
pub mod types;

pub use buckets::Buckets;
pub use chat::{ChatMessage, Draft};
pub use codec::{
    DecodeError, EncodeError, decode_datagram, decode_message, encode_datagram, encode_frame,
};
pub use compared::{Compare, Comparison, Contents, Item, Part, Span};
pub use digest::{Digest, Sum, hash_of};
pub use frame::{FrameError, FrameReader};
pub use kinds::{DatagramKind, MessageKind};
pub use message::*;
pub(crate) use pack::{MessageParts, Packer};
pub use proofs::{Certificate, Introduction, Proof, Seal};
pub use rules::{nick_is_valid, room_is_valid};
pub use types::*;
