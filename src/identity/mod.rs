//! Who is at the other end of a link: key pairs, what they prove, and whose nodes they are.
//!
//! What lives here: the key pair of a run, of which the node's [`Key`](crate::wire::Key) is a hash
//! ([`Credentials`]); the proof on a link ([`LinkProof`]); a person's lasting key pair, which certifies
//! those of that person's nodes ([`Person`]), and its short form for people ([`Fingerprint`]). Nothing here
//! knows sockets or files, or reads a clock; nothing here keeps what it learns of others. `PROTOCOL.md` of
//! the wire says what is signed.

mod credentials;
mod fingerprint;
#[cfg(test)]
mod page_test;
mod person;
mod proof;
#[cfg(test)]
mod proof_test;
mod seal;

pub use credentials::{Credentials, key_of};
pub use fingerprint::Fingerprint;
pub use person::{PERSON_SEED_BYTES, Person};
pub use proof::{LinkProof, Peer, ProofError, Role};

use blake2::Blake2b;
use blake2::digest::Digest;
use blake2::digest::consts::U32;

/// What each hash and each signature begins with, so that none serves for another purpose.
const KEY_DOMAIN: &[u8] = b"papo key 1";
const IDENTITY_DOMAIN: &[u8] = b"papo identity 1";
const CERTIFICATE_DOMAIN: &[u8] = b"papo certificate 1";
const PROOF_DOMAIN: &[u8] = b"papo proof 1";
const RELAY_DOMAIN: &[u8] = b"papo relay 1";

/// BLAKE2b-256 of a domain and bytes.
fn hash(domain: &[u8], bytes: &[u8]) -> [u8; 32] {
    let hash = Blake2b::<U32>::new().chain_update(domain);
    hash.chain_update(bytes).finalize().into()
}

/// What a person signs to certify a node.
fn certificate_text(public: &[u8; 32]) -> Vec<u8> {
    [CERTIFICATE_DOMAIN, public].concat()
}

/// Random bytes of the system; none if it gives none.
fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}
