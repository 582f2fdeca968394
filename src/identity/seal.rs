//! The seal on what a node has others carry: a RELAY is its writer's word, whoever brings it.

use ed25519_dalek::{Signature, VerifyingKey};

use super::{Credentials, RELAY_DOMAIN, key_of};
use crate::wire::{Message, Relay, Seal, encode_frame};

impl Credentials {
    /// The same RELAY with this node's seal on it.
    #[must_use]
    pub fn seal(&self, relay: &Relay) -> Relay {
        let seal = sealed_text(self.room(), relay).map(|text| Seal {
            public: self.public(),
            signature: self.sign(&text),
        });
        Relay {
            seal,
            ..relay.clone()
        }
    }

    /// Whether this node may believe the RELAY: it is for others, who will look themselves, or it has the
    /// seal of the node that it is from.
    #[must_use]
    pub fn believes(&self, relay: &Relay) -> bool {
        relay.to != self.key() || is_sealed(self.room(), relay)
    }
}

fn is_sealed(room: &str, relay: &Relay) -> bool {
    let (Some(seal), Some(text)) = (&relay.seal, sealed_text(room, relay)) else {
        return false;
    };
    let signature = Signature::from_bytes(&seal.signature.0);
    let key = VerifyingKey::from_bytes(&seal.public.0);
    key_of(&seal.public.0) == relay.from
        && key.is_ok_and(|key| key.verify_strict(&text, &signature).is_ok())
}

/// What is signed: a domain, the item without the seal, and the room. None if the RELAY is none that could
/// be sent.
fn sealed_text(room: &str, relay: &Relay) -> Option<Vec<u8>> {
    let bare = Relay {
        seal: None,
        ..relay.clone()
    };
    let frame = encode_frame(&Message::Relay(bare)).ok()?;
    Some([RELAY_DOMAIN, &frame[4..], room.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Ack, Bytes, Key};

    fn relay(from: Key, to: Key) -> Relay {
        Relay {
            from,
            to,
            ack: Some(Ack {
                from: 1,
                seq: 9,
                missed: vec![(2, 3)],
            }),
            stable: None,
            request: None,
            seal: None,
        }
    }

    #[test]
    fn a_relay_is_believed_with_the_seal_of_its_writer_alone() {
        let [ana, bob, eva] = [1, 2, 3].map(|n| Credentials::of_seed("lobby", None, &[n; 32]));
        let said = ana.seal(&relay(ana.key(), bob.key()));
        assert!(bob.believes(&said));
        // Who carries it need not look.
        assert!(eva.believes(&relay(ana.key(), bob.key())));
        for altered in [
            relay(ana.key(), bob.key()),
            eva.seal(&relay(ana.key(), bob.key())),
            Relay {
                ack: None,
                ..said.clone()
            },
            Relay {
                from: eva.key(),
                ..said.clone()
            },
            ana.for_room("kitchen").seal(&relay(ana.key(), bob.key())),
            Relay {
                seal: said.seal.clone().map(|seal| Seal {
                    signature: Bytes([0; 64]),
                    ..seal
                }),
                ..said.clone()
            },
        ] {
            assert!(!bob.believes(&altered), "{altered:?}");
        }
        let for_eva = Relay {
            to: eva.key(),
            ..said
        };
        assert!(!eva.believes(&for_eva));
    }
}
