//! The hash of a message's name that SYNC digests are sums of.

use super::types::MessageId;

/// A fixed 64-bit hash of a message's name. The digest of a set of messages is the wrapping sum of
/// their hashes: it does not depend on the order, and a message can be added or taken away.
///
/// It mixes well and resists no attacker; who forges a digest only deprives itself of a repair.
#[must_use]
pub fn digest_of(id: MessageId) -> u64 {
    mix(id.origin.0 ^ mix(id.seq.wrapping_add(0x9e37_79b9_7f4a_7c15)))
}

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
