//! What two histories are compared by: a cryptographic hash of each message, sums of them, and digests of
//! sums.
//!
//! Nothing here keeps anything: what is hashed, and when, is the history's decision.

use blake2b_simd::many::{HashManyJob, hash_many};
use blake2b_simd::{Hash, Params};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::chat::ChatMessage;
use super::fast;
use super::types::Bytes;

/// What makes the hash of a message none of anything else.
const MESSAGE: &[u8] = b"papo message 1";
/// The same for a digest of a sum.
const SUM: &[u8] = b"papo sum 1";

/// The bytes of a hash.
const HASH_BYTES: usize = 32;
/// How many messages are written out to be hashed side by side: the processor hashes several at once, which takes a
/// third of the time. A node with much to compare hashes everything that was said since it last compared.
const HASHED_TOGETHER: usize = 16;

/// The sum, modulo 2^256, of the hashes of messages. It does not depend on their order, and what is part
/// of it can be taken away again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sum([u64; 4]);

impl Sum {
    /// The sum of these messages' hashes.
    #[must_use]
    pub fn of(messages: &[ChatMessage]) -> Sum {
        let parameters = parameters();
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        let mut sum = Sum::default();
        for together in messages.chunks(HASHED_TOGETHER) {
            bytes.clear();
            ends.clear();
            for message in together {
                bytes.extend_from_slice(MESSAGE);
                fast::encode_message(message, &mut bytes);
                ends.push(bytes.len());
            }
            let mut begin = 0;
            let mut jobs: Vec<HashManyJob<'_>> = (ends.iter())
                .map(|end| {
                    let input = &bytes[std::mem::replace(&mut begin, *end)..*end];
                    HashManyJob::new(&parameters, input)
                })
                .collect();
            hash_many(&mut jobs);
            for job in &jobs {
                sum.add(Sum::from_hash(&job.to_hash()));
            }
        }
        sum
    }

    /// Adds another sum.
    pub fn add(&mut self, other: Sum) {
        let mut carry = false;
        for (own, other) in self.0.iter_mut().zip(other.0) {
            (*own, carry) = own.carrying_add(other, carry);
        }
    }

    /// Takes a part of it away.
    pub fn subtract(&mut self, part: Sum) {
        let mut borrow = false;
        for (own, part) in self.0.iter_mut().zip(part.0) {
            (*own, borrow) = own.borrowing_sub(part, borrow);
        }
    }

    /// The digest of a set of so many messages with this sum.
    #[must_use]
    pub fn digest(&self, count: u64) -> Digest {
        let mut state = parameters().to_state();
        state.update(SUM).update(&self.to_bytes());
        let hash = state.update(&count.to_be_bytes()).finalize();
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash.as_bytes()[..16]);
        Digest(digest)
    }

    /// The first 64 bits of what is the hash of one message: enough to tell two texts of one name apart
    /// where nobody tries hard, and whoever tries gains nothing.
    #[must_use]
    pub fn short(&self) -> u64 {
        self.0[3]
    }

    /// The number, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (part, word) in bytes.chunks_exact_mut(8).zip(self.0.iter().rev()) {
            part.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    /// The number that a hash of [`HASH_BYTES`] is.
    fn from_hash(hash: &Hash) -> Sum {
        let mut bytes = [0; HASH_BYTES];
        bytes.copy_from_slice(hash.as_bytes());
        Sum::from_bytes(bytes)
    }

    /// The number that these bytes are.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Sum {
        let (words, _) = bytes.as_chunks::<8>();
        let mut sum = [0; 4];
        for (word, part) in sum.iter_mut().rev().zip(words) {
            *word = u64::from_be_bytes(*part);
        }
        Sum(sum)
    }
}

/// The hash of a message, as a sum of one.
#[must_use]
pub fn hash_of(message: &ChatMessage) -> Sum {
    let mut bytes = MESSAGE.to_vec();
    fast::encode_message(message, &mut bytes);
    Sum::from_hash(&parameters().hash(&bytes))
}

/// How everything here is hashed (RFC 7693, without a key).
fn parameters() -> Params {
    let mut parameters = Params::new();
    parameters.hash_length(HASH_BYTES);
    parameters
}

/// What a set of messages is told by from others. Sets that differ have the same one only if somebody has chosen
/// the texts of many messages for it: a sum of hashes is weaker than a hash. On the wire: 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// Its first 64 bits, for people.
    #[must_use]
    pub fn short(&self) -> u64 {
        let (words, _) = self.0.as_chunks::<8>();
        u64::from_be_bytes(words[0])
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Digest, D::Error> {
        Bytes::deserialize(d).map(|bytes| Digest(bytes.0))
    }
}

impl Serialize for Sum {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(&self.to_bytes())
    }
}

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Sum, D::Error> {
        Bytes::deserialize(d).map(|bytes| Sum::from_bytes(bytes.0))
    }
}

#[cfg(test)]
mod tests {
    use blake2::digest::consts::U32;
    use blake2::{Blake2b, Digest as _};

    use super::super::chat::Draft;
    use super::super::types::Key;
    use super::*;

    #[test]
    fn what_is_added_can_be_taken_away() {
        let mut rng = fastrand::Rng::with_seed(11);
        for _ in 0..1_000 {
            let mut any = || {
                Sum(std::array::from_fn(|_| {
                    rng.u64(..) | u64::MAX << rng.u32(..64)
                }))
            };
            let (a, b) = (any(), any());
            let mut sum = a;
            sum.add(b);
            let mut other = b;
            other.add(a);
            assert_eq!(sum, other);
            sum.subtract(a);
            assert_eq!(sum, b);
            assert_eq!(Sum::from_bytes(a.to_bytes()), a);
        }
        let mut zero = Sum::default();
        zero.subtract(Sum([1, 0, 0, 0]));
        assert_eq!(zero, Sum([u64::MAX; 4]));
        assert_eq!(Sum([1, 2, 3, 4]).to_bytes()[7], 4);
    }

    #[test]
    fn messages_that_are_hashed_side_by_side_have_the_hashes_that_each_has_alone() {
        let mut rng = fastrand::Rng::with_seed(12);
        let messages: Vec<ChatMessage> = (1..=40)
            .map(|seq| {
                let draft = Draft {
                    origin: Key(7),
                    seq,
                    timestamp: 1_000 + seq,
                    sent_at: 5,
                    from: 1,
                    nick: "ana".into(),
                    dependencies: Vec::new().into(),
                    text: "x".repeat(rng.usize(0..700)).into(),
                };
                ChatMessage::new(&draft).unwrap()
            })
            .collect();
        let mut sum = Sum::default();
        for message in &messages {
            let mut bytes = MESSAGE.to_vec();
            fast::encode_message(message, &mut bytes);
            let alone = Sum::from_bytes(Blake2b::<U32>::digest(&bytes).into());
            assert_eq!(hash_of(message), alone);
            sum.add(alone);
        }
        assert_eq!(Sum::of(&messages), sum);
        assert_eq!(Sum::of(&[]), Sum::default());
    }

    #[test]
    fn a_digest_depends_on_the_sum_and_on_the_count() {
        let sum = Sum([1, 2, 3, 4]);
        assert_ne!(sum.digest(1), sum.digest(2));
        assert_ne!(sum.digest(1), Sum([1, 2, 3, 5]).digest(1));
    }
}
