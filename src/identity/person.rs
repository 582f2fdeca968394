//! A person's lasting key pair.
//!
//! Where it is kept is the command line's to know; here it is 32 bytes.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

use super::{Fingerprint, certificate_text, random};
use crate::wire::{Bytes, Certificate};

/// Bytes of the secret half, which is all that has to be kept.
pub const PERSON_SEED_BYTES: usize = 32;

/// A person's lasting key pair, which certifies the keys of that person's nodes.
#[derive(Clone)]
pub struct Person {
    signing: SigningKey,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Person({})", self.fingerprint())
    }
}

impl Person {
    /// A new one; none if the system gives no randomness.
    #[must_use]
    pub fn new() -> Option<Person> {
        random().map(|seed| Person::of_seed(&seed))
    }

    /// The one with this secret half.
    #[must_use]
    pub fn of_seed(seed: &[u8; PERSON_SEED_BYTES]) -> Person {
        Person {
            signing: SigningKey::from_bytes(seed),
        }
    }

    /// The secret half.
    #[must_use]
    pub fn seed(&self) -> [u8; PERSON_SEED_BYTES] {
        self.signing.to_bytes()
    }

    /// What people see of it.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.public().0)
    }

    fn public(&self) -> Bytes<32> {
        Bytes(self.signing.verifying_key().to_bytes())
    }

    /// The word that the node with this public key is this person's.
    #[must_use]
    pub fn certify(&self, public: &[u8; 32]) -> Certificate {
        let signature = self.signing.sign(&certificate_text(public));
        Certificate {
            identity: self.public(),
            signature: Bytes(signature.to_bytes()),
        }
    }
}

/// Whose node the one with this public key is; none if the certificate is not good for it.
pub(super) fn certified(certificate: &Certificate, public: &[u8; 32]) -> Option<Fingerprint> {
    let identity = VerifyingKey::from_bytes(&certificate.identity.0).ok()?;
    let signature = ed25519_dalek::Signature::from_bytes(&certificate.signature.0);
    let text = certificate_text(public);
    identity.verify_strict(&text, &signature).ok()?;
    Some(Fingerprint::of(&certificate.identity.0))
}
