//! The proof on one link: each end shows that it holds the secret half of the key that it speaks under.
//!
//! Both send INTRODUCTION at once, and PROOF when the other's INTRODUCTION is there. What is signed has
//! both ends' nonces, so an old PROOF is good for nothing; the signer's role, so what an end has signed
//! cannot be sent back to it; and on a locked link the hash of its handshake, so it is good for no other.

use std::fmt;
use std::rc::Rc;

use ed25519_dalek::{Signature, VerifyingKey};

use super::{Credentials, Fingerprint, PROOF_DOMAIN, key_of, person, random};
use crate::lock::BINDING_BYTES;
use crate::wire::{Bytes, Introduction, Key, Message, Proof, Relay, VERSION};

/// Which end of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The one that has dialled.
    Dialler,
    /// The other.
    Acceptor,
}

/// Who is at the other end of a link, proven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Its key.
    pub key: Key,
    /// Whose node it is, if it says so.
    pub owner: Option<Fingerprint>,
}

/// Why a link is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProofError {
    /// The peer's INTRODUCTION, or the HELLO that came instead, has this version.
    Version(u8),
    /// INTRODUCTION or PROOF came a second time.
    Twice,
    /// Something else came before the peer's INTRODUCTION or PROOF.
    OutOfPlace,
    /// The signature is not that of the key that the peer has named, or it is of another link.
    Signature,
    /// The certificate is not good for the peer's key.
    Certificate,
    /// HELLO names another key than the one that was proven.
    AnotherKey,
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProofError::Version(n) => write!(f, "protocol version {n}, not {VERSION}"),
            ProofError::Twice => f.write_str("INTRODUCTION or PROOF twice"),
            ProofError::OutOfPlace => f.write_str("a message before the proof of its key"),
            ProofError::Signature => f.write_str("a PROOF that does not hold"),
            ProofError::Certificate => f.write_str("a certificate that does not hold"),
            ProofError::AnotherKey => f.write_str("HELLO with a key that is not its own"),
        }
    }
}

impl std::error::Error for ProofError {}

#[derive(Debug)]
enum Stage {
    /// The peer's INTRODUCTION is awaited.
    Met,
    /// Its PROOF is.
    Introduced(Box<Introduction>),
    /// It is who it says.
    Proven(Peer),
}

/// One end's side of the proof on one link.
#[derive(Debug)]
pub struct LinkProof {
    own: Rc<Credentials>,
    role: Role,
    nonce: Bytes<32>,
    binding: Option<[u8; BINDING_BYTES]>,
    stage: Stage,
}

impl LinkProof {
    /// On a link that begins; none if the system gives no randomness.
    #[must_use]
    pub fn new(own: &Rc<Credentials>, role: Role) -> Option<LinkProof> {
        random().map(|nonce| LinkProof::with_nonce(own, role, nonce))
    }

    /// On a link that begins, with this nonce: for the examples of `PROTOCOL.md`. A nonce that is used
    /// twice lets whoever has recorded the first link repeat it.
    #[must_use]
    pub fn with_nonce(own: &Rc<Credentials>, role: Role, nonce: [u8; 32]) -> LinkProof {
        LinkProof {
            own: Rc::clone(own),
            role,
            nonce: Bytes(nonce),
            binding: None,
            stage: Stage::Met,
        }
    }

    /// Who is at the other end, once that is proven.
    #[must_use]
    pub fn peer(&self) -> Option<Peer> {
        match self.stage {
            Stage::Proven(peer) => Some(peer),
            _ => None,
        }
    }

    /// INTRODUCTION: what this end sends first.
    #[must_use]
    pub fn introduction(&self) -> Message {
        Message::Introduction(self.own_introduction())
    }

    fn own_introduction(&self) -> Introduction {
        Introduction {
            version: VERSION,
            public: self.own.public(),
            nonce: self.nonce,
            certificate: self.own.certificate().cloned(),
        }
    }

    /// Takes the peer's INTRODUCTION in; the result is the PROOF to be sent. On a locked link, `binding`
    /// is what [`LinkCipher::binding`](crate::lock::LinkCipher::binding) says.
    ///
    /// # Errors
    ///
    /// The rule that the peer broke: the link is to be closed.
    pub fn on_introduction(
        &mut self,
        theirs: Introduction,
        binding: Option<[u8; BINDING_BYTES]>,
    ) -> Result<Message, ProofError> {
        if !matches!(self.stage, Stage::Met) {
            return Err(ProofError::Twice);
        }
        if theirs.version != VERSION {
            return Err(ProofError::Version(theirs.version));
        }
        self.binding = binding;
        let signature = self.own.sign(&self.text(self.role, &theirs));
        self.stage = Stage::Introduced(Box::new(theirs));
        Ok(Message::Proof(Proof { signature }))
    }

    /// Takes the peer's PROOF in; the result is who it is.
    ///
    /// # Errors
    ///
    /// The rule that the peer broke: the link is to be closed.
    pub fn on_proof(&mut self, proof: &Proof) -> Result<Peer, ProofError> {
        let theirs = match &self.stage {
            Stage::Met => return Err(ProofError::OutOfPlace),
            Stage::Introduced(theirs) => theirs,
            Stage::Proven(_) => return Err(ProofError::Twice),
        };
        let role = match self.role {
            Role::Dialler => Role::Acceptor,
            Role::Acceptor => Role::Dialler,
        };
        let public = &theirs.public.0;
        let signature = Signature::from_bytes(&proof.signature.0);
        VerifyingKey::from_bytes(public)
            .and_then(|key| key.verify_strict(&self.text(role, theirs), &signature))
            .map_err(|_| ProofError::Signature)?;
        let owner = theirs.certificate.as_ref().map(|certificate| {
            person::certified(certificate, public).ok_or(ProofError::Certificate)
        });
        let peer = Peer {
            key: key_of(public),
            owner: owner.transpose()?,
        };
        self.stage = Stage::Proven(peer);
        Ok(peer)
    }

    /// Looks at any other message: none may come before the proof, and HELLO is to name the proven key.
    ///
    /// # Errors
    ///
    /// The rule that the peer broke: the link is to be closed.
    #[inline]
    pub fn check(&self, message: &Message) -> Result<(), ProofError> {
        match (&self.stage, message) {
            // A version that knows no proof says HELLO first.
            (_, Message::Hello(hello)) if hello.version != VERSION => {
                Err(ProofError::Version(hello.version))
            }
            (Stage::Proven(peer), Message::Hello(hello)) if hello.key != peer.key => {
                Err(ProofError::AnotherKey)
            }
            (Stage::Proven(_), _) => Ok(()),
            _ => Err(ProofError::OutOfPlace),
        }
    }

    /// Whether this node may believe the RELAY; see [`Credentials::believes`].
    #[must_use]
    pub fn believes(&self, relay: &Relay) -> bool {
        self.own.believes(relay)
    }

    /// What this role signs on the link with this peer.
    fn text(&self, signer: Role, theirs: &Introduction) -> Vec<u8> {
        let own = self.own_introduction();
        let (dialler, acceptor) = match self.role {
            Role::Dialler => (&own, theirs),
            Role::Acceptor => (theirs, &own),
        };
        proof_text(signer, self.own.room(), (dialler, acceptor), self.binding)
    }
}

/// What is signed on a link, by the one end or the other.
pub(super) fn proof_text(
    signer: Role,
    room: &str,
    (dialler, acceptor): (&Introduction, &Introduction),
    binding: Option<[u8; BINDING_BYTES]>,
) -> Vec<u8> {
    let mut text = PROOF_DOMAIN.to_vec();
    text.push(match signer {
        Role::Dialler => b'd',
        Role::Acceptor => b'a',
    });
    for end in [dialler, acceptor] {
        let nobody = Bytes([0; 32]);
        let identity = end.certificate.as_ref().map_or(nobody, |c| c.identity);
        for part in [end.public, end.nonce, identity] {
            text.extend_from_slice(&part.0);
        }
    }
    text.extend_from_slice(&binding.unwrap_or_default());
    text.extend_from_slice(room.as_bytes());
    text
}
