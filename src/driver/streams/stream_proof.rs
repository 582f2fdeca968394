//! The proof on one stream: who is at the other end, before anything else is heard.
//!
//! Owns how far both ends are with it, and lets nothing past that is not its place. What is signed is
//! [`crate::identity`]'s; whose stream it is, and what the node does with a message, is not known here.

use crate::identity::{LinkProof, Peer, ProofError};
use crate::lock::BINDING_BYTES;
use crate::wire::{Message, encode_frame};

use super::outqueue::OutQueue;

/// The proof on one stream.
#[derive(Debug)]
pub(super) struct StreamProof {
    proof: LinkProof,
    /// Bytes that were queued for it since this was last asked.
    said: usize,
}

impl StreamProof {
    /// A stream begins: this end introduces itself.
    pub(super) fn begin(proof: LinkProof, out: &mut OutQueue) -> StreamProof {
        let introduction = proof.introduction();
        let mut begun = StreamProof { proof, said: 0 };
        begun.say(&introduction, out);
        begun
    }

    /// Who is at the other end, once that is proven.
    pub(super) fn peer(&self) -> Option<Peer> {
        self.proof.peer()
    }

    /// How many bytes were queued since this was last asked.
    pub(super) fn take_said(&mut self) -> usize {
        std::mem::take(&mut self.said)
    }

    /// What of this message is for the node: all but what proves who is at the other end. `binding` is
    /// what no other link has, on a locked one.
    pub(super) fn take(
        &mut self,
        message: Message,
        binding: Option<[u8; BINDING_BYTES]>,
        out: &mut OutQueue,
    ) -> Result<Option<Message>, ProofError> {
        match message {
            Message::Introduction(introduction) => {
                let proof = self.proof.on_introduction(introduction, binding)?;
                self.say(&proof, out);
                out.release();
                Ok(None)
            }
            Message::Proof(proof) => self.proof.on_proof(&proof).map(|_| None),
            // A later version may have something to say here.
            Message::Unknown(_) if self.proof.peer().is_none() => Ok(None),
            message => {
                self.proof.check(&message)?;
                Ok(Some(message).filter(|m| self.believes(m)))
            }
        }
    }

    /// False for what others carry in a name that has not sealed it.
    fn believes(&self, message: &Message) -> bool {
        let Message::Relay(relay) = message else {
            return true;
        };
        let is_sealed = self.proof.believes(relay);
        if !is_sealed {
            log::debug!("a RELAY of {} that it has not sealed: ignored", relay.from);
        }
        is_sealed
    }

    fn say(&mut self, message: &Message, out: &mut OutQueue) {
        // Such a frame has a fixed length at most, and no rule but its fields' types.
        if let Ok(frame) = encode_frame(message) {
            self.said += frame.len();
            out.push_proof(frame);
        }
    }
}

#[cfg(test)]
#[path = "stream_proof_test.rs"]
mod tests;
