//! What proves who speaks: the messages that begin a link, and the seal of what others carry. It makes and
//! checks no signature.

use serde::{Deserialize, Serialize};

use super::types::Bytes;

/// The first message on a link, in both directions: under which public key the sender speaks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Introduction {
    /// [`VERSION`](super::VERSION) of the sender.
    pub version: u8,
    /// The sender's public key, new at each run; its hash is the sender's [`Key`](super::Key).
    pub public: Bytes<32>,
    /// Random, new for each link: what the receiver is to sign.
    pub nonce: Bytes<32>,
    /// Whose node it is; absent if its user is nobody in particular.
    #[serde(rename = "cert", default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
}

/// A person's word that a public key is that of a node of theirs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Certificate {
    /// The person's lasting public key.
    pub identity: Bytes<32>,
    /// Its signature over the node's public key.
    pub signature: Bytes<64>,
}

/// The second message on a link, in both directions: the sender holds the secret half of the key that it
/// has named.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Proof {
    /// Over both INTRODUCTIONs.
    pub signature: Bytes<64>,
}

/// A node's signature over what others carry for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seal {
    /// The node's public key.
    pub public: Bytes<32>,
    /// Its signature.
    pub signature: Bytes<64>,
}
