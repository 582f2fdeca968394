//! The short form of a person's public key, for people.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{IDENTITY_DOMAIN, hash};

/// Letters that are shown: 80 bits of the hash, which nobody matches by trying.
const LETTERS: usize = 16;
/// How many of them stand together.
const GROUP: usize = 4;
/// Bytes of what is shown.
const TEXT_BYTES: usize = LETTERS + LETTERS / GROUP - 1;
/// The letters of base 32 (RFC 4648), in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The short form of a person's public key: four groups of four letters and digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; TEXT_BYTES]);

impl Fingerprint {
    /// That of this public key.
    #[must_use]
    pub fn of(public: &[u8; 32]) -> Fingerprint {
        let hash = hash(IDENTITY_DOMAIN, public);
        let bits = hash[..10]
            .iter()
            .fold(0_u128, |n, b| n << 8 | u128::from(*b));
        let mut text = [b'-'; TEXT_BYTES];
        for at in 0..LETTERS {
            let letter = bits >> (5 * (LETTERS - 1 - at)) & 31;
            text[at + at / GROUP] = ALPHABET[letter as usize];
        }
        Fingerprint(text)
    }

    /// The same for whoever only compares.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..TEXT_BYTES].copy_from_slice(&self.0);
        bytes
    }

    /// As it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Its bytes are letters, digits and hyphens.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
