//! What a node speaks under: the key pair of its run.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey};

use super::{Fingerprint, KEY_DOMAIN, Person, hash, random};
use crate::wire::{Bytes, Certificate, Key};

/// What a node speaks under in one room: a key pair that is new at each run, and its person's word for it.
#[derive(Clone)]
pub struct Credentials {
    signing: SigningKey,
    key: Key,
    room: String,
    certificate: Option<Certificate>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, {:?})", self.key, self.owner())
    }
}

impl Credentials {
    /// New ones, of this person if it is anybody's node; none if the system gives no randomness.
    #[must_use]
    pub fn new(room: &str, owner: Option<&Person>) -> Option<Credentials> {
        loop {
            let found = Credentials::of_seed(room, owner, &random()?);
            // One in 2^64 has the number that stands for nobody.
            if found.key != Key(0) {
                return Some(found);
            }
        }
    }

    /// Those with this secret half.
    #[must_use]
    pub fn of_seed(room: &str, owner: Option<&Person>, seed: &[u8; 32]) -> Credentials {
        let signing = SigningKey::from_bytes(seed);
        let public = signing.verifying_key().to_bytes();
        Credentials {
            key: key_of(&public),
            room: room.to_owned(),
            certificate: owner.map(|person| person.certify(&public)),
            signing,
        }
    }

    /// The same in another room.
    #[must_use]
    pub fn for_room(&self, room: &str) -> Credentials {
        Credentials {
            room: room.to_owned(),
            ..self.clone()
        }
    }

    /// The node's key.
    #[must_use]
    pub fn key(&self) -> Key {
        self.key
    }

    /// Whose node it is.
    #[must_use]
    pub fn owner(&self) -> Option<Fingerprint> {
        let identity = self.certificate.as_ref().map(|c| &c.identity.0);
        identity.map(Fingerprint::of)
    }

    /// Somebody else's certificate.
    #[cfg(test)]
    pub(super) fn steal(&mut self, certificate: Option<Certificate>) {
        self.certificate = certificate;
    }

    pub(super) fn room(&self) -> &str {
        &self.room
    }

    pub(super) fn public(&self) -> Bytes<32> {
        Bytes(self.signing.verifying_key().to_bytes())
    }

    pub(super) fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    pub(super) fn sign(&self, text: &[u8]) -> Bytes<64> {
        Bytes(self.signing.sign(text).to_bytes())
    }
}

/// The key of the node with this public key: the first 8 bytes of its hash.
#[must_use]
pub fn key_of(public: &[u8; 32]) -> Key {
    let hash = hash(KEY_DOMAIN, public);
    Key(hash[..8].iter().fold(0, |n, b| n << 8 | u64::from(*b)))
}
