//! The cipher of one TCP link: Noise NNpsk0, then records.
//!
//! On the stream: a 2-byte big-endian length and a Noise message, again and again. The first two
//! are the handshake, `-> psk, e` and `<- e, ee`; all others are transport messages whose plain
//! texts, put together, are the frames of an open room.
//!
//! NN, because nodes have no long-term keys: who knows the secret is in. psk0, so that already the
//! first message proves knowledge of the secret and a stranger's costs the acceptor one hash and
//! one failed decryption. The ephemeral keys give each link its own keys and forward secrecy.

use std::fmt;

use snow::{Builder, HandshakeState, TransportState};

use super::Secret;

pub(super) const PATTERN: &str = "Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s";
/// Both sides must mean the same protocol.
pub(super) const PROLOGUE: &[u8] = b"papo link 1";
/// Both handshake messages: a 32-byte ephemeral key and the 16-byte tag of an empty payload.
const HANDSHAKE_BYTES: usize = 48;
const TAG_BYTES: usize = 16;
/// Bytes of what tells one locked link from all others.
pub const BINDING_BYTES: usize = 32;
/// Plain bytes in one record: large enough that its 18 bytes of overhead vanish.
pub const RECORD_PLAIN_MAX: usize = 32 * 1024;
/// Longest record accepted, without its length: Noise's own limit is 65,535.
const RECORD_BYTES_MAX: usize = RECORD_PLAIN_MAX + TAG_BYTES;

/// Why a link cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkError {
    /// The peer's handshake message proves no knowledge of this room's secret.
    WrongSecret,
    /// A record's length is not possible: the peer speaks without the lock, or something else.
    NotARecord,
    /// A record was altered, replayed, or is out of order.
    Forged,
    /// The cipher could not be set up (no randomness), or its nonces are used up.
    Cipher,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LinkError::WrongSecret => "the peer does not hold this room's secret",
            LinkError::NotARecord => "not a locked link",
            LinkError::Forged => "a record that was altered or replayed",
            LinkError::Cipher => "the cipher cannot go on",
        })
    }
}

impl std::error::Error for LinkError {}

#[allow(clippy::large_enum_variant)]
enum NoiseState {
    Handshake(Box<HandshakeState>),
    Transport(Box<TransportState>),
    Broken,
}

/// One end of a locked link.
pub struct LinkCipher {
    state: NoiseState,
    /// The hash of the handshake, once it is over.
    binding: Option<[u8; BINDING_BYTES]>,
    /// Bytes received that are not yet a whole record.
    partial: Vec<u8>,
}

impl fmt::Debug for LinkCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ready = self.is_ready();
        f.debug_struct("LinkCipher")
            .field("ready", &ready)
            .finish_non_exhaustive()
    }
}

impl LinkCipher {
    /// The dialler's end; what it has to say first is put into `out`.
    ///
    /// # Errors
    /// [`LinkError::Cipher`] if the system gives no randomness.
    pub fn dial(secret: &Secret, out: &mut Vec<u8>) -> Result<LinkCipher, LinkError> {
        let mut handshake = builder(secret)?
            .build_initiator()
            .map_err(|_| LinkError::Cipher)?;
        write_handshake(&mut handshake, out)?;
        Ok(LinkCipher::in_handshake(handshake))
    }

    /// The acceptor's end.
    ///
    /// # Errors
    /// [`LinkError::Cipher`] if the cipher cannot be set up.
    pub fn accept(secret: &Secret) -> Result<LinkCipher, LinkError> {
        let handshake = builder(secret)?
            .build_responder()
            .map_err(|_| LinkError::Cipher)?;
        Ok(LinkCipher::in_handshake(handshake))
    }

    fn in_handshake(handshake: HandshakeState) -> LinkCipher {
        LinkCipher {
            state: NoiseState::Handshake(Box::new(handshake)),
            binding: None,
            partial: Vec::new(),
        }
    }

    /// True once frames can be sealed.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self.state, NoiseState::Transport(_))
    }

    /// What both ends of this link know and no other link has: the hash of the handshake; none before
    /// that is over.
    #[must_use]
    pub fn binding(&self) -> Option<[u8; BINDING_BYTES]> {
        self.binding
    }

    /// Takes bytes from the stream; plain bytes are appended to `plain`, and what the handshake
    /// has to answer to `out`. At most one record is kept back.
    ///
    /// # Errors
    /// After any error the link is of no use and must be closed.
    pub fn receive(
        &mut self,
        mut bytes: &[u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), LinkError> {
        while !bytes.is_empty() {
            let wanted = self.wanted()?;
            let take = wanted.saturating_sub(self.partial.len()).min(bytes.len());
            self.partial.extend_from_slice(&bytes[..take]);
            bytes = &bytes[take..];
            let wanted = self.wanted()?;
            if self.partial.len() == wanted && wanted > 2 {
                let record = std::mem::take(&mut self.partial);
                self.open(&record[2..], plain, out)?;
                // The allocation serves for the next record.
                self.partial = record;
                self.partial.clear();
            }
        }
        Ok(())
    }

    /// How long the record at hand is, its length included; 2 while that is not known.
    fn wanted(&self) -> Result<usize, LinkError> {
        let [high, low, ..] = self.partial[..] else {
            return Ok(2);
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let possible = match self.state {
            NoiseState::Handshake(_) => length == HANDSHAKE_BYTES,
            NoiseState::Transport(_) => length > TAG_BYTES && length <= RECORD_BYTES_MAX,
            NoiseState::Broken => false,
        };
        if possible {
            Ok(2 + length)
        } else {
            Err(LinkError::NotARecord)
        }
    }

    fn open(
        &mut self,
        record: &[u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), LinkError> {
        match std::mem::replace(&mut self.state, NoiseState::Broken) {
            NoiseState::Handshake(mut handshake) => {
                let mut payload = [0; HANDSHAKE_BYTES];
                handshake
                    .read_message(record, &mut payload)
                    .map_err(|_| LinkError::WrongSecret)?;
                if !handshake.is_handshake_finished() {
                    write_handshake(&mut handshake, out)?;
                }
                self.binding = handshake.get_handshake_hash().try_into().ok();
                let transport = handshake.into_transport_mode();
                let transport = transport.map_err(|_| LinkError::Cipher)?;
                self.state = NoiseState::Transport(Box::new(transport));
                Ok(())
            }
            NoiseState::Transport(mut transport) => {
                let start = plain.len();
                plain.resize(start + record.len(), 0);
                let read = transport.read_message(record, &mut plain[start..]);
                plain.truncate(start + *read.as_ref().unwrap_or(&0));
                read.map_err(|_| LinkError::Forged)?;
                self.state = NoiseState::Transport(transport);
                Ok(())
            }
            NoiseState::Broken => Err(LinkError::Forged),
        }
    }

    /// Appends one record with `plain`, at most [`RECORD_PLAIN_MAX`] bytes of it, to `out`; returns
    /// how many bytes of `plain` went in.
    ///
    /// # Errors
    /// [`LinkError::Cipher`] before the handshake is over, and when the nonces are used up.
    pub fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<usize, LinkError> {
        let NoiseState::Transport(transport) = &mut self.state else {
            return Err(LinkError::Cipher);
        };
        let plain = &plain[..plain.len().min(RECORD_PLAIN_MAX)];
        let start = out.len();
        out.resize(start + 2 + plain.len() + TAG_BYTES, 0);
        let sealed = transport.write_message(plain, &mut out[start + 2..]);
        let length = sealed.ok().and_then(|n| u16::try_from(n).ok());
        let Some(length) = length else {
            out.truncate(start);
            return Err(LinkError::Cipher);
        };
        out[start..start + 2].copy_from_slice(&length.to_be_bytes());
        Ok(plain.len())
    }
}

fn builder(secret: &Secret) -> Result<Builder<'_>, LinkError> {
    let params = PATTERN.parse().map_err(|_| LinkError::Cipher)?;
    Builder::new(params)
        .psk(0, &secret.psk)
        .and_then(|b| b.prologue(PROLOGUE))
        .map_err(|_| LinkError::Cipher)
}

fn write_handshake(handshake: &mut HandshakeState, out: &mut Vec<u8>) -> Result<(), LinkError> {
    let start = out.len();
    out.resize(start + 2 + HANDSHAKE_BYTES, 0);
    let written = handshake.write_message(&[], &mut out[start + 2..]);
    if written.ok() != Some(HANDSHAKE_BYTES) {
        return Err(LinkError::Cipher);
    }
    // 48 fits: HANDSHAKE_BYTES is a constant.
    out[start..start + 2].copy_from_slice(&(HANDSHAKE_BYTES as u16).to_be_bytes());
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Both handshake messages and the first record of a link whose ephemeral keys are fixed: 32
    /// bytes 01 and 32 bytes 02. The record holds `hi`.
    pub(in crate::lock) fn fixed_conversation(secret: &Secret) -> [Vec<u8>; 3] {
        let (one, two) = ([1; 32], [2; 32]);
        let builder = |key| {
            super::builder(secret)
                .unwrap()
                .fixed_ephemeral_key_for_testing_only(key)
        };
        let mut dialler = builder(&one).build_initiator().unwrap();
        let mut first = Vec::new();
        write_handshake(&mut dialler, &mut first).unwrap();
        let mut a = LinkCipher::in_handshake(dialler);
        let mut b = LinkCipher::in_handshake(builder(&two).build_responder().unwrap());
        let (mut second, mut record, mut plain) = (Vec::new(), Vec::new(), Vec::new());
        b.receive(&first, &mut plain, &mut second).unwrap();
        a.receive(&second, &mut plain, &mut Vec::new()).unwrap();
        a.seal(b"hi", &mut record).unwrap();
        b.receive(&record, &mut plain, &mut Vec::new()).unwrap();
        assert_eq!(plain, b"hi");
        [first, second, record]
    }

    fn secret(text: &str) -> Secret {
        Secret::derive("room", text.as_bytes()).unwrap()
    }

    /// Both ends after the handshake, and what the dialler and the acceptor sent for it.
    fn pair() -> (LinkCipher, LinkCipher, Vec<u8>, Vec<u8>) {
        let secret = secret("correct horse");
        let (mut to_b, mut to_a, mut plain) = (Vec::new(), Vec::new(), Vec::new());
        let mut a = LinkCipher::dial(&secret, &mut to_b).unwrap();
        let mut b = LinkCipher::accept(&secret).unwrap();
        b.receive(&to_b, &mut plain, &mut to_a).unwrap();
        a.receive(&to_a, &mut plain, &mut Vec::new()).unwrap();
        assert!(a.is_ready() && b.is_ready() && plain.is_empty());
        (a, b, to_b, to_a)
    }

    #[test]
    fn plain_bytes_come_out_in_whatever_pieces_the_records_arrive() {
        let (mut a, mut b, ..) = pair();
        let text: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
        let (mut sealed, mut rest) = (Vec::new(), &text[..]);
        while !rest.is_empty() {
            let n = a.seal(rest, &mut sealed).unwrap();
            rest = &rest[n..];
        }
        for size in [1, 7, 4096, sealed.len()] {
            if size != 1 {
                // Each size needs its own link: records cannot be read twice.
                let (c, d, ..) = pair();
                (a, b) = (c, d);
                sealed.clear();
                let mut rest = &text[..];
                while !rest.is_empty() {
                    rest = &rest[a.seal(rest, &mut sealed).unwrap()..];
                }
            }
            let mut plain = Vec::new();
            for piece in sealed.chunks(size) {
                b.receive(piece, &mut plain, &mut Vec::new()).unwrap();
            }
            assert!(plain == text);
        }
    }

    #[test]
    fn a_wrong_secret_fails_at_the_first_message() {
        let mut hello = Vec::new();
        LinkCipher::dial(&secret("another secret"), &mut hello).unwrap();
        let mut b = LinkCipher::accept(&secret("correct horse")).unwrap();
        let (mut plain, mut out) = (Vec::new(), Vec::new());
        let error = b.receive(&hello, &mut plain, &mut out).unwrap_err();
        assert_eq!(error, LinkError::WrongSecret);
        assert!(plain.is_empty() && out.is_empty());
    }

    #[test]
    fn a_record_that_is_altered_replayed_or_replayed_on_another_link_is_refused() {
        let (mut a, mut b, hello, _) = pair();
        let mut record = Vec::new();
        a.seal(b"one", &mut record).unwrap();
        let mut plain = Vec::new();
        b.receive(&record, &mut plain, &mut Vec::new()).unwrap();
        assert_eq!(plain, b"one");
        let again = b.receive(&record, &mut plain, &mut Vec::new());
        assert_eq!(again, Err(LinkError::Forged));

        let (mut a, mut b, ..) = pair();
        let mut altered = Vec::new();
        a.seal(b"two", &mut altered).unwrap();
        *altered.last_mut().unwrap() ^= 1;
        let error = b.receive(&altered, &mut plain, &mut Vec::new());
        assert_eq!(error, Err(LinkError::Forged));

        // The whole old conversation, sent to a fresh acceptor.
        let mut c = LinkCipher::accept(&secret("correct horse")).unwrap();
        c.receive(&hello, &mut plain, &mut Vec::new()).unwrap();
        let error = c.receive(&record, &mut plain, &mut Vec::new());
        assert_eq!(error, Err(LinkError::Forged));
        assert_eq!(plain, b"one");
    }

    #[test]
    fn an_open_rooms_frame_and_an_endless_record_are_refused_at_their_length() {
        let mut b = LinkCipher::accept(&secret("correct horse")).unwrap();
        let frame = [0, 0, 0, 9, 0x82];
        let error = b.receive(&frame, &mut Vec::new(), &mut Vec::new());
        assert_eq!(error, Err(LinkError::NotARecord));
        let (_, mut b, ..) = pair();
        let error = b.receive(&[0xff, 0xff], &mut Vec::new(), &mut Vec::new());
        assert_eq!(error, Err(LinkError::NotARecord));
    }
}
