//! Locked rooms: what is needed to keep out who does not hold the room's secret.
//!
//! What lives here: keys from a secret ([`Secret`], and [`GeneratedSecret`] for one that
//! papo makes), the cipher of one TCP link ([`LinkCipher`],
//! Noise), and sealed datagrams ([`DatagramSeal`]). Nothing here knows sockets or messages, or
//! reads a clock; it turns bytes into bytes. `PROTOCOL.md` of the wire says what they look like.

mod datagram;
mod generated;
mod link;
#[cfg(test)]
mod page_test;
mod secret;

pub use datagram::{DatagramSeal, OpenError};
pub use generated::GeneratedSecret;
pub use link::{BINDING_BYTES, LinkCipher, LinkError, RECORD_PLAIN_MAX};
pub use secret::{ROOM_TAG_BYTES, Secret, SecretError, room_tag};
