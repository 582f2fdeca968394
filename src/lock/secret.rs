//! From a room's secret to its keys.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use blake2::Blake2s256;
use blake2::digest::Digest;

use super::generated::GeneratedSecret;

/// Bytes of the tag that tells locked rooms apart in datagrams.
pub const ROOM_TAG_BYTES: usize = 8;
/// Shortest secret in bytes: below this a dictionary is quicker than any key derivation.
const SECRET_BYTES_MIN: usize = 8;
/// Longest secret in bytes: a key file, not a film.
const SECRET_BYTES_MAX: usize = 4096;
/// What some editors put before a text: U+FEFF, in UTF-8.
const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
/// The same in UTF-16, in both orders.
const UTF_16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];
/// Argon2id's memory in KiB, passes and lanes: memory and passes that RFC 9106 recommends where memory is
/// scarce; 0.1 to 0.2 seconds once per start.
pub(super) const ARGON2_COST: (u32, u32, u32) = (65_536, 3, 1);

/// The keys of one locked room.
#[derive(Clone)]
pub struct Secret {
    pub(super) psk: [u8; 32],
    pub(super) datagram_key: [u8; 32],
    pub(super) tag: [u8; ROOM_TAG_BYTES],
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a secret cannot be used. No variant repeats the secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SecretError {
    /// It has fewer than 8 bytes.
    TooShort(usize),
    /// It has more than 4,096 bytes.
    TooLong(usize),
    /// It begins as a text in UTF-16 does, which some editors write.
    Utf16,
    /// It begins as a secret of `papo keygen` does, and is none: a part of it is missing or wrong.
    Mistyped,
    /// The key derivation refused its parameters or found no memory.
    Derivation,
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretError::TooShort(n) => {
                let unit = if *n == 1 { "byte" } else { "bytes" };
                write!(
                    f,
                    "the secret has {n} {unit}: use at least {SECRET_BYTES_MIN}"
                )
            }
            SecretError::TooLong(n) => {
                write!(
                    f,
                    "the secret has {n} bytes: use at most {SECRET_BYTES_MAX}"
                )
            }
            SecretError::Utf16 => f.write_str(
                "the secret is a text in UTF-16: save it as UTF-8, as all members must have the \
                 same bytes",
            ),
            SecretError::Mistyped => f.write_str(
                "the secret begins as one of papo keygen does, and a part of it is missing or wrong: copy \
                 all of it",
            ),
            SecretError::Derivation => f.write_str("no memory to derive keys from the secret"),
        }
    }
}

impl std::error::Error for SecretError {}

impl Secret {
    /// Derives the keys of `room` from its secret, salted with the room's name: Argon2id (RFC 9106), or one
    /// hash for a secret of `papo keygen`. White space at the end of the secret, such as a file's last
    /// newline, does not count, nor does the mark that some editors put before a text in UTF-8.
    ///
    /// # Errors
    /// If the secret is too short or too long, in UTF-16, or one of `papo keygen` that is not whole, or there
    /// is no memory for the derivation.
    pub fn derive(room: &str, secret: &[u8]) -> Result<Secret, SecretError> {
        if UTF_16_MARKS.iter().any(|mark| secret.starts_with(mark)) {
            return Err(SecretError::Utf16);
        }
        let secret = secret.strip_prefix(UTF_8_MARK).unwrap_or(secret);
        let secret = secret.trim_ascii_end();
        match secret.len() {
            n if n < SECRET_BYTES_MIN => return Err(SecretError::TooShort(n)),
            n if n > SECRET_BYTES_MAX => return Err(SecretError::TooLong(n)),
            _ => {}
        }
        let salt = room_salt(room);
        if let Some(generated) = GeneratedSecret::read(secret) {
            return Ok(Secret::random(&generated?, room));
        }
        let mut keys = [0; 64];
        stretch(secret, &salt, &mut keys)?;
        let (mut psk, mut datagram_key) = ([0; 32], [0; 32]);
        psk.copy_from_slice(&keys[..32]);
        datagram_key.copy_from_slice(&keys[32..]);
        let tag = room_tag(room);
        Ok(Secret {
            psk,
            datagram_key,
            tag,
        })
    }

    /// What cannot be guessed needs no derivation that is slow.
    fn random(secret: &GeneratedSecret, room: &str) -> Secret {
        let salted = [secret.0, room_salt(room)].concat();
        Secret {
            psk: hash(b"papo psk 1", &salted),
            datagram_key: hash(b"papo datagrams 1", &salted),
            tag: room_tag(room),
        }
    }

    /// Tells this room's secret from others, and helps nobody who does not know it: a guess costs
    /// as much as at the door.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let bytes = hash(b"papo store 1", &self.psk);
        bytes[..8].iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// Argon2id. Its memory is asked for here, since the library ends the process where there is none (a container's
/// limit, `ulimit -v`).
fn stretch(secret: &[u8], salt: &[u8], keys: &mut [u8]) -> Result<(), SecretError> {
    let (memory, passes, lanes) = ARGON2_COST;
    let params = Params::new(memory, passes, lanes, Some(keys.len()))
        .map_err(|_| SecretError::Derivation)?;
    let mut blocks: Vec<Block> = Vec::new();
    blocks
        .try_reserve_exact(params.block_count())
        .map_err(|_| SecretError::Derivation)?;
    blocks.resize(params.block_count(), Block::default());
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(secret, salt, keys, &mut blocks)
        .map_err(|_| SecretError::Derivation)
}

/// What a locked room's datagrams carry instead of its name: enough to tell a member with the
/// wrong secret so, and no more than a guess of the name confirms.
#[must_use]
pub fn room_tag(room: &str) -> [u8; ROOM_TAG_BYTES] {
    let mut tag = [0; ROOM_TAG_BYTES];
    tag.copy_from_slice(&hash(b"papo room 1", room.as_bytes())[..ROOM_TAG_BYTES]);
    tag
}

/// What the key derivation is salted with: the same secret gives each room its own keys.
pub(super) fn room_salt(room: &str) -> [u8; 32] {
    hash(b"papo salt 2", room.as_bytes())
}

pub(super) fn hash(domain: &[u8], data: &[u8]) -> [u8; 32] {
    let mut hasher = Blake2s256::new();
    hasher.update(domain);
    hasher.update(data);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_depend_on_the_room_and_on_the_secret_but_not_on_a_last_newline() {
        let a = Secret::derive("lobby", b"correct horse").unwrap();
        let same = Secret::derive("lobby", b"correct horse\n").unwrap();
        let other_room = Secret::derive("attic", b"correct horse").unwrap();
        let other_secret = Secret::derive("lobby", b"correct house").unwrap();
        assert_eq!((a.psk, a.datagram_key), (same.psk, same.datagram_key));
        assert_ne!(a.psk, a.datagram_key);
        assert_ne!(a.psk, other_room.psk);
        assert_ne!(a.psk, other_secret.psk);
        assert_ne!(a.tag, other_room.tag);
        assert_eq!(a.tag, other_secret.tag);
        assert_eq!(a.fingerprint(), same.fingerprint());
        assert_ne!(a.fingerprint(), other_secret.fingerprint());
    }

    #[test]
    fn the_mark_before_a_text_does_not_count_and_utf_16_is_refused() {
        let plain = Secret::derive("lobby", b"correct horse").unwrap();
        let marked = Secret::derive("lobby", b"\xef\xbb\xbfcorrect horse\r\n").unwrap();
        assert_eq!(plain.psk, marked.psk);
        let short = Secret::derive("lobby", b"\xef\xbb\xbfhunter2").unwrap_err();
        assert_eq!(short, SecretError::TooShort(7));
        for text in [b"\xff\xfec\0o\0r\0r\0", b"\xfe\xff\0c\0o\0r\0r"] {
            assert_eq!(
                Secret::derive("lobby", text).unwrap_err(),
                SecretError::Utf16
            );
        }
    }

    #[test]
    fn a_short_secret_is_refused_and_never_printed() {
        let error = Secret::derive("lobby", b"hunter2 \n").unwrap_err();
        assert_eq!(error, SecretError::TooShort(7));
        assert!(!error.to_string().contains("hunter2"));
        let long = Secret::derive("lobby", &[b'x'; 4097]).unwrap_err();
        assert_eq!(long, SecretError::TooLong(4097));
        let secret = Secret::derive("lobby", b"correct horse").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }
}
