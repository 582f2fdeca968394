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
const VERSION: u8 = 2;
const PREFIX_BYTES: usize = 16;
const NONCE_BYTES: usize = PREFIX_BYTES + 8;
const HEADER_BYTES: usize = MAGIC.len() + 1 + ROOM_TAG_BYTES + NONCE_BYTES;
/// Bits of a counter below the milliseconds since 1970.
const COUNTER_BITS: u32 = 16;
/// Later than any clock that is right: some 4,400 years from 1970.
const WALL_MS_MAX: u64 = 1 << 47;
/// How far the clock of a sender may be from ours: wide enough for clocks set by hand in two time zones, and
/// what was recorded longer ago is of no use to anybody.
const CLOCKS_APART_MS: u64 = 2 * 60 * 60 * 1_000;
/// How much longer than the quickest one a sender's datagram may have been on its way: more than any queue
/// holds it up, and so little that what is repeated later says nothing of the present.
const LATE_MS: i64 = 10_000;
/// Two clocks drift apart by one part of so many at most.
const DRIFT: i64 = 1_000;
/// A sender whose clock goes back by more than this counts from there, under another prefix.
const CLOCK_BACK_MS: u64 = 1_000;

/// Why a datagram was not opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// It is not sealed: another program's, or an open room's.
    NotSealed,
    /// It is another locked room's.
    OtherRoom,
    /// It is this room's by name, but was sealed with another secret, or altered.
    WrongSecret,
    /// It is a locked room's of this name, and this node has no secret.
    Locked,
    /// It came before, or its sender has sent later ones since.
    Replayed,
    /// It was on its way for so many milliseconds longer than others of its sender: somebody kept it.
    Late(u64),
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
            OpenError::Late(ms) => {
                return write!(
                    f,
                    "a datagram that was {ms} ms late: repeated by somebody, or a clock was set"
                );
            }
            OpenError::Locked => "a datagram of a locked room of this name",
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
    /// The prefix before, if there was another one: what was sent under it is no other node's.
    own_before: Option<[u8; PREFIX_BYTES]>,
    counter: u64,
    heard: BTreeMap<[u8; PREFIX_BYTES], Heard>,
    /// Datagrams opened so far.
    opened: u64,
}

/// What is known of one sender.
#[derive(Clone, Copy, Debug)]
struct Heard {
    highest: u64,
    /// When it was last heard, in datagrams opened.
    used: u64,
    /// How far its clock was behind our steady one when a datagram came quickest, and when that was.
    least_lag: i64,
    least_at: i64,
}

impl Heard {
    /// What a sender says at a time of ours with a counter of its own.
    fn lag(steady_ms: i64, counter: u64) -> i64 {
        steady_ms.saturating_sub((counter >> COUNTER_BITS).cast_signed())
    }

    /// The least lag, as far as two clocks may have drifted apart since.
    fn least_now(&self, steady_ms: i64) -> i64 {
        let passed = steady_ms.saturating_sub(self.least_at);
        self.least_lag.saturating_add(passed / DRIFT)
    }
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
            own_before: None,
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
        let wall_ms = wall_ms.min(WALL_MS_MAX);
        let went_back = wall_ms + CLOCK_BACK_MS < self.counter >> COUNTER_BITS;
        let mut prefix = [0; PREFIX_BYTES];
        if went_back && getrandom::fill(&mut prefix).is_ok() {
            self.own_before = Some(std::mem::replace(&mut self.prefix, prefix));
            self.counter = 0;
        }
        self.counter = (wall_ms << COUNTER_BITS).max(self.counter + 1);
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

    /// The same as [`DatagramSeal::open_at`] where the time since 1970 never jumps.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(&mut self, wall_ms: u64, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        self.open_at(wall_ms, wall_ms, sealed)
    }

    /// The datagram inside a sealed one. Each is opened once: a sender's counter must grow, be of our time,
    /// and come no later than that sender's others did. `steady_ms` is a clock that never jumps.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing but what is known of its true sender changes in any case.
    pub fn open_at(
        &mut self,
        wall_ms: u64,
        steady_ms: u64,
        sealed: &[u8],
    ) -> Result<Vec<u8>, OpenError> {
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
        self.note(wall_ms, steady_ms, prefix, u64::from_be_bytes(counter))?;
        Ok(plain)
    }

    fn note(
        &mut self,
        wall_ms: u64,
        steady_ms: u64,
        sender: [u8; PREFIX_BYTES],
        counter: u64,
    ) -> Result<(), OpenError> {
        let known = self.heard.get(&sender).copied();
        let is_own = sender == self.prefix || Some(sender) == self.own_before;
        if is_own || known.is_some_and(|heard| counter <= heard.highest) {
            return Err(OpenError::Replayed);
        }
        let apart = (counter >> COUNTER_BITS).abs_diff(wall_ms);
        if apart > CLOCKS_APART_MS {
            return Err(OpenError::OtherTime(apart / 1_000));
        }
        let steady_ms = steady_ms.cast_signed();
        let lag = Heard::lag(steady_ms, counter);
        let (mut least_lag, mut least_at) = (lag, steady_ms);
        if let Some(heard) = known {
            let late = lag.saturating_sub(heard.least_now(steady_ms));
            if late > LATE_MS {
                return Err(OpenError::Late(late.unsigned_abs()));
            }
            if late > 0 {
                (least_lag, least_at) = (heard.least_lag, heard.least_at);
            }
        }
        self.opened += 1;
        let heard = Heard {
            highest: counter,
            used: self.opened,
            least_lag,
            least_at,
        };
        self.heard.insert(sender, heard);
        if self.heard.len() > crate::limits::DATAGRAM_SENDERS_MAX
            && let Some(oldest) = self.heard.iter().min_by_key(|(_, heard)| heard.used)
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
        assert!(b.open(later * 2, &old).is_err());
    }

    /// A sender that is known may not speak from the past, either: not what is repeated later than it came.
    #[test]
    fn what_is_kept_back_and_repeated_later_is_late_although_its_sender_is_known() {
        let (mut a, mut b) = (seal("r", "correct horse"), seal("r", "correct horse"));
        let beats: Vec<_> = (0..40).map(|n| a.seal(NOW + n * 250, b"beat")).collect();
        // An hour later the first one is as good as any, and those at the same pace, but none after them.
        let later = NOW + 3_600_000;
        for (n, beat) in (0..20).zip(&beats) {
            assert!(b.open(later + n * 250, beat).is_ok(), "{n}");
        }
        let late = later + 20 * 250 + LATE_MS.unsigned_abs() + 20;
        assert!(matches!(b.open(late, &beats[20]), Err(OpenError::Late(_))));
        assert_eq!(
            b.open(later + 3 * 3_600_000, &beats[21]),
            Err(OpenError::OtherTime(4 * 3_600 - 6))
        );
    }

    #[test]
    fn a_receivers_clock_may_jump_and_a_senders_may_drift_and_be_slow() {
        let (mut a, mut b) = (seal("r", "correct horse"), seal("r", "correct horse"));
        let day = 24 * 3_600_000;
        for n in 0..100 {
            // It loses one second in 2,000, and its datagrams come up to 5 s late.
            let sent = a.seal(NOW + n * day - n * day / 2_000, b"x");
            let (wall, steady) = (NOW + n * day - n * day / 2_000, n * day + n % 2 * 5_000);
            assert!(
                b.open_at(wall + 3_600_000 * (n % 2), steady, &sent).is_ok(),
                "{n}"
            );
        }
    }

    #[test]
    fn a_clock_that_goes_back_repeats_no_nonce_and_is_heard_all_the_same() {
        let (mut a, mut b) = (seal("r", "correct horse"), seal("r", "correct horse"));
        let mut nonces = std::collections::BTreeSet::new();
        let times = [0, 5_000, 4_990, 3_600_000, 30_000, 30_001, 29_500, 100_000];
        for (n, ahead) in times.into_iter().enumerate() {
            let sealed = a.seal(NOW + ahead, b"x");
            let nonce = sealed[HEADER_BYTES - NONCE_BYTES..HEADER_BYTES].to_vec();
            assert!(nonces.insert(nonce), "{n}");
            assert!(b.open_at(NOW, n as u64, &sealed).is_ok(), "{n}");
        }
        for time in [u64::MAX, 3, 0] {
            let nonce = a.seal(time, b"x")[HEADER_BYTES - NONCE_BYTES..HEADER_BYTES].to_vec();
            assert!(nonces.insert(nonce), "{time}");
        }
    }
}
