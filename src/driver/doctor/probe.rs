//! The datagram that the doctor sends.
//!
//! Owns its form: a question for the heartbeat of a room that nobody is in, which every node ignores, as the
//! protocol says of BEAT_REQUEST. A field that no version knows makes it as large as is wanted.

use ciborium::Value;

use crate::limits::DATAGRAM_BYTES_MAX;
use crate::wire::{Datagram, Key, decode_datagram, encode_datagram};

/// What the room's name begins with, for whoever looks at the network with another tool.
const ROOM: &str = "papo doctor";
/// Before the item: the protocol's mark and its version.
const HEAD_BYTES: usize = 5;

/// The probe of one examination.
#[derive(Debug)]
pub(super) struct Probe {
    room: String,
    key: Key,
    small: Vec<u8>,
}

impl Probe {
    /// One that no other examination sends; none if the system gives no randomness.
    pub(super) fn new() -> Option<Probe> {
        let key = Key(getrandom::u64().ok()?.max(1));
        let room = format!("{ROOM} {:016x}", getrandom::u64().ok()?);
        let datagram = Datagram::BeatRequest {
            room: room.clone(),
            key,
        };
        let small = encode_datagram(&datagram).ok()?;
        Some(Probe { room, key, small })
    }

    /// As small as it is.
    pub(super) fn small(&self) -> &[u8] {
        &self.small
    }

    /// As large as papo's largest datagram.
    pub(super) fn large(&self) -> Vec<u8> {
        let with = |padding: usize| {
            let fields = vec![
                ("room".into(), Value::from(self.room.as_str())),
                ("key".into(), Value::from(self.key.0)),
                ("padding".into(), Value::Bytes(vec![0; padding])),
            ];
            let mut bytes = self.small[..HEAD_BYTES].to_vec();
            let item = Value::Array(vec![Value::from(4), Value::Map(fields)]);
            // Writing to a vector cannot fail.
            let _ = ciborium::into_writer(&item, &mut bytes);
            bytes
        };
        // Lengths from 256 on take two bytes each.
        let around = with(256).len() - 256;
        with(DATAGRAM_BYTES_MAX - around)
    }

    /// Whether this datagram is the probe, of either size.
    pub(super) fn is_in(&self, bytes: &[u8]) -> bool {
        let found = decode_datagram(bytes);
        matches!(found, Ok(Datagram::BeatRequest { room, key }) if room == self.room && key == self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sizes_are_known_again_and_the_large_one_is_the_largest() {
        let (one, other) = (Probe::new().unwrap(), Probe::new().unwrap());
        let large = one.large();
        assert_eq!(large.len(), DATAGRAM_BYTES_MAX);
        assert!(one.is_in(one.small()) && one.is_in(&large));
        assert!(!one.is_in(other.small()) && !one.is_in(b"papo"));
    }
}
