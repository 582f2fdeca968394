//! Sealed datagrams: XChaCha20-Poly1305 under a key derived from the room's secret, and protection
//! against replay.
//!
//! On the wire: the magic `papL`, a version byte, the room's tag (8 bytes), a nonce (24 bytes: the
//! sender's random 16-byte prefix and an 8-byte counter), and the sealed datagram of an open room.
//! The bytes before the sealed part are authenticated with it. The counter is a time as well, so
//! that what was recorded earlier is known as old even to a node that has just started.

use std::collections::BTreeMap;
use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::secret::{ROOM_TAG_BYTES, Secret};

const MAGIC: &[u8; 4] = b"papL";
const VERSION: u8 = 1;
const PREFIX_BYTES: usize = 16;
const NONCE_BYTES: usize = PREFIX_BYTES + 8;
const HEADER_BYTES: usize = MAGIC.len() + 1 + ROOM_TAG_BYTES + NONCE_BYTES;
/// Bits of a counter below the milliseconds since 1970.
const COUNTER_BITS: u32 = 16;
/// Later than any clock that is right: some 4,400 years from 1970.
const WALL_MS_MAX: u64 = 1 << 47;
/// How far the clock of a sender that is not remembered may be from ours: wide enough for clocks
/// set by hand in two time zones, and what was recorded longer ago is of no use to anybody.
const CLOCKS_APART_MS: u64 = 2 * 60 * 60 * 1_000;

/// Why a datagram was not opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// It is not sealed: another program's, or an open room's.
    NotSealed,
    /// It is another locked room's.
    OtherRoom,
    /// It is this room's by name, but was sealed with another secret, or altered.
    WrongSecret,
    /// It came before.
    Replayed,
    /// Its sender's clock is so many seconds from ours: it was recorded then, or a clock is wrong.
    OtherTime(u64),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OpenError::OtherTime(seconds) => {
                return write!(
                    f,
                    "a datagram sealed {seconds} seconds from now: replayed, or a clock is wrong"
                );
            }
            OpenError::NotSealed => "not a sealed datagram",
            OpenError::OtherRoom => "another locked room's datagram",
            OpenError::WrongSecret => "a datagram sealed with another secret",
            OpenError::Replayed => "a datagram that came before",
        })
    }
}

impl std::error::Error for OpenError {}

/// Seals this run's datagrams and opens those of others.
pub struct DatagramSeal {
    cipher: XChaCha20Poly1305,
    tag: [u8; ROOM_TAG_BYTES],
    prefix: [u8; PREFIX_BYTES],
    counter: u64,
    /// The highest counter of each sender, and when it came, in datagrams opened so far.
    heard: BTreeMap<[u8; PREFIX_BYTES], (u64, u64)>,
    opened: u64,
}

impl fmt::Debug for DatagramSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sent = self.counter;
        f.debug_struct("DatagramSeal")
            .field("sent", &sent)
            .finish_non_exhaustive()
    }
}

impl DatagramSeal {
    /// A new run of one node; `None` if the system gives no randomness.
    #[must_use]
    pub fn new(secret: &Secret) -> Option<DatagramSeal> {
        let mut prefix = [0; PREFIX_BYTES];
        getrandom::fill(&mut prefix).ok()?;
        Some(DatagramSeal::with_prefix(secret, prefix))
    }

    /// The prefix must never be used by two runs of one room.
    pub(super) fn with_prefix(secret: &Secret, prefix: [u8; PREFIX_BYTES]) -> DatagramSeal {
        DatagramSeal {
            cipher: XChaCha20Poly1305::new(&secret.datagram_key.into()),
            tag: secret.tag,
            prefix,
            counter: 0,
            heard: BTreeMap::new(),
            opened: 0,
        }
    }

    /// Bytes that sealing adds.
    pub const OVERHEAD_BYTES: usize = HEADER_BYTES + 16;

    /// The sealed form of an open room's datagram; `wall_ms` is the time since 1970.
    #[must_use]
    pub fn seal(&mut self, wall_ms: u64, plain: &[u8]) -> Vec<u8> {
        // Capped, so that the counter never comes to its end: a nonce is never used twice.
        let time = wall_ms.min(WALL_MS_MAX) << COUNTER_BITS;
        self.counter = time.max(self.counter + 1);
        let mut sealed = Vec::with_capacity(plain.len() + Self::OVERHEAD_BYTES);
        sealed.extend_from_slice(MAGIC);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.tag);
        sealed.extend_from_slice(&self.prefix);
        sealed.extend_from_slice(&self.counter.to_be_bytes());
        let (header, nonce) = (&sealed[..], &sealed[HEADER_BYTES - NONCE_BYTES..]);
        let nonce = *XNonce::from_slice(nonce);
        let payload = Payload {
            msg: plain,
            aad: header,
        };
        // Sealing fails only beyond 256 GiB; an empty datagram is refused by every receiver.
        let body = self.cipher.encrypt(&nonce, payload).unwrap_or_default();
        sealed.extend_from_slice(&body);
        sealed
    }

    /// The datagram inside a sealed one. Each is opened once: a sender's counter must grow, and that
    /// of one not heard before must be of our time.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing but the counter of its true sender changes in any case.
    pub fn open(&mut self, wall_ms: u64, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let tag = sealed_tag(sealed).ok_or(OpenError::NotSealed)?;
        if tag != self.tag {
            return Err(OpenError::OtherRoom);
        }
        let (header, body) = sealed.split_at(HEADER_BYTES);
        let nonce = &header[HEADER_BYTES - NONCE_BYTES..];
        let payload = Payload {
            msg: body,
            aad: header,
        };
        let plain = self.cipher.decrypt(XNonce::from_slice(nonce), payload);
        let plain = plain.map_err(|_| OpenError::WrongSecret)?;
        let (mut prefix, mut counter) = ([0; PREFIX_BYTES], [0; 8]);
        prefix.copy_from_slice(&nonce[..PREFIX_BYTES]);
        counter.copy_from_slice(&nonce[PREFIX_BYTES..]);
        self.note(wall_ms, prefix, u64::from_be_bytes(counter))?;
        Ok(plain)
    }

    fn note(
        &mut self,
        wall_ms: u64,
        sender: [u8; PREFIX_BYTES],
        counter: u64,
    ) -> Result<(), OpenError> {
        if sender == self.prefix {
            return Err(OpenError::Replayed);
        }
        match self.heard.get(&sender) {
            Some((highest, _)) if counter <= *highest => return Err(OpenError::Replayed),
            Some(_) => {}
            None => {
                let apart = (counter >> COUNTER_BITS).abs_diff(wall_ms);
                if apart > CLOCKS_APART_MS {
                    return Err(OpenError::OtherTime(apart / 1_000));
                }
            }
        }
        self.opened += 1;
        self.heard.insert(sender, (counter, self.opened));
        if self.heard.len() > crate::limits::DATAGRAM_SENDERS_MAX
            && let Some(oldest) = self.heard.iter().min_by_key(|(_, (_, at))| *at)
        {
            let oldest = *oldest.0;
            self.heard.remove(&oldest);
        }
        Ok(())
    }
}

/// The room's tag in a sealed datagram; `None` if it is not one of this version.
pub(super) fn sealed_tag(bytes: &[u8]) -> Option<[u8; ROOM_TAG_BYTES]> {
    if bytes.len() < HEADER_BYTES || !bytes.starts_with(MAGIC) || bytes[MAGIC.len()] != VERSION {
        return None;
    }
    let start = MAGIC.len() + 1;
    bytes[start..start + ROOM_TAG_BYTES].try_into().ok()
}

impl Secret {
    /// The room's tag in a sealed datagram; `None` if `bytes` is not one.
    #[must_use]
    pub fn tag_of(bytes: &[u8]) -> Option<[u8; ROOM_TAG_BYTES]> {
        sealed_tag(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    fn seal(room: &str, secret: &str) -> DatagramSeal {
        DatagramSeal::new(&Secret::derive(room, secret.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn a_datagram_is_opened_once_and_in_order() {
        let (mut a, mut b) = (seal("r", "correct horse"), seal("r", "correct horse"));
        let (one, two) = (a.seal(NOW, b"one"), a.seal(NOW, b"two"));
        assert_eq!(one.len(), 3 + DatagramSeal::OVERHEAD_BYTES);
        assert!(!one.windows(3).any(|w| w == b"one"));
        assert_eq!(b.open(NOW, &one).as_deref(), Ok(&b"one"[..]));
        assert_eq!(b.open(NOW, &two).as_deref(), Ok(&b"two"[..]));
        assert_eq!(b.open(NOW, &two), Err(OpenError::Replayed));
        assert_eq!(b.open(NOW, &one), Err(OpenError::Replayed));
        // One's own, come back.
        let own = b.seal(NOW, b"three");
        assert_eq!(b.open(NOW, &own), Err(OpenError::Replayed));
    }

    #[test]
    fn strangers_get_nothing_in() {
        let (mut a, mut b) = (seal("r", "correct horse"), seal("r", "another one"));
        let (mut c, one) = (seal("s", "correct horse"), a.seal(NOW, b"one"));
        assert_eq!(b.open(NOW, &one), Err(OpenError::WrongSecret));
        assert_eq!(c.open(NOW, &one), Err(OpenError::OtherRoom));
        assert_eq!(b.open(NOW, b"papo\x01\xa0"), Err(OpenError::NotSealed));
        let mut a2 = seal("r", "correct horse");
        for n in 0..one.len() {
            assert!(a2.open(NOW, &one[..n]).is_err());
            let mut altered = one.clone();
            altered[n] ^= 0x40;
            assert!(a2.open(NOW, &altered).is_err(), "byte {n}");
        }
        assert_eq!(a2.open(NOW, &one).as_deref(), Ok(&b"one"[..]));
    }

    #[test]
    fn the_memory_of_senders_is_bounded() {
        let mut b = seal("r", "correct horse");
        let secret = Secret::derive("r", b"correct horse").unwrap();
        for _ in 0..crate::limits::DATAGRAM_SENDERS_MAX + 50 {
            let mut a = DatagramSeal::new(&secret).unwrap();
            assert!(b.open(NOW, &a.seal(NOW, b"x")).is_ok());
        }
        assert_eq!(b.heard.len(), crate::limits::DATAGRAM_SENDERS_MAX);
    }

    #[test]
    fn what_was_recorded_long_ago_is_old_even_to_one_who_never_heard_its_sender() {
        let (mut a, mut b) = (seal("r", "correct horse"), seal("r", "correct horse"));
        let (old, older) = (a.seal(NOW, b"old"), a.seal(NOW + 1, b"new"));
        let later = NOW + CLOCKS_APART_MS + 2;
        assert_eq!(b.open(later, &old), Err(OpenError::OtherTime(7_200)));
        assert_eq!(b.open(later - 2, &older).as_deref(), Ok(&b"new"[..]));
        // A sender that is known may go on however wrong its clock is.
        assert!(b.open(later * 2, &a.seal(NOW, b"newer")).is_ok());
        assert!(b.open(later * 2, &old).is_err());
    }

    #[test]
    fn a_clock_that_goes_back_repeats_no_counter() {
        let (mut a, mut b) = (seal("r", "correct horse"), seal("r", "correct horse"));
        for time in [NOW, NOW - 5_000, 0, u64::MAX, 3] {
            let sealed = a.seal(time, b"x");
            assert!(b.open(NOW, &sealed).is_ok(), "{time}");
        }
    }
}
