//! The table of messages: the number of each type on the wire, its variant, and its name in
//! `PROTOCOL.md`.
//!
//! Owns the numbers. A new type of message is one line here; the compiler then asks for its variant in
//! `message.rs`, its fields in `codec.rs`, its rules in `check.rs` and its handler in the node, and a test
//! for its page entry. Numbers are only ever appended.

use super::message::{Datagram, Message};

macro_rules! table {
    ($kind:ident of $message:ident: $($number:literal $variant:ident $name:literal)*) => {
        /// A type of message that this version knows.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $kind {
            $(#[doc = $name] $variant = $number,)*
        }

        impl $kind {
            /// All of them, in the order of their numbers.
            pub const ALL: &[$kind] = &[$($kind::$variant),*];

            /// Its number on the wire.
            #[must_use]
            pub fn number(self) -> u64 {
                self as u64
            }

            /// The type with this number; none if this version knows no such type.
            #[must_use]
            pub fn of_number(number: u64) -> Option<$kind> {
                match number {
                    $($number => Some($kind::$variant),)*
                    _ => None,
                }
            }

            /// Its name in `PROTOCOL.md`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $($kind::$variant => $name,)*
                }
            }
        }

        impl $message {
            /// The number of its type on the wire.
            #[must_use]
            pub fn number(&self) -> u64 {
                match self {
                    $($message::$variant { .. } => $number,)*
                    $message::Unknown(number) => *number,
                }
            }
        }
    };
}

table! { MessageKind of Message:
    1 Hello "HELLO"
    2 JoinRequest "JOIN_REQUEST"
    3 JoinResponse "JOIN_RESPONSE"
    4 PeerUpdate "PEER_UPDATE"
    5 ViewRequest "VIEW_REQUEST"
    6 Chat "CHAT_MESSAGE"
    7 Private "PRIVATE"
    8 Election "ELECTION"
    9 ElectionOk "ELECTION_OK"
    10 CoordinatorAnnouncement "COORDINATOR_ANNOUNCEMENT"
    11 Ping "PING"
    12 Pong "PONG"
    13 Probe "PROBE"
    14 ProbeAnswer "PROBE_ANSWER"
    15 Sync "SYNC"
    16 SyncAnswer "SYNC_ANSWER"
    17 Fetch "FETCH"
    18 Chunk "CHUNK"
    19 Behind "BEHIND"
    20 Ack "ACK"
    21 Rename "RENAME"
    22 Leave "LEAVE"
    23 Referral "REFERRAL"
    24 Stable "STABLE"
    25 Relay "RELAY"
    26 Introduction "INTRODUCTION"
    27 Proof "PROOF"
    28 Compare "COMPARE"
    29 Comparison "COMPARISON"
}

table! { DatagramKind of Datagram:
    1 JoinRequest "JOIN_REQUEST"
    2 Heartbeat "HEARTBEAT"
    3 Referral "REFERRAL"
    4 BeatRequest "BEAT_REQUEST"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_gap_and_lead_back() {
        for (at, kind) in MessageKind::ALL.iter().enumerate() {
            assert_eq!(kind.number(), at as u64 + 1);
            assert_eq!(MessageKind::of_number(kind.number()), Some(*kind));
        }
        for (at, kind) in DatagramKind::ALL.iter().enumerate() {
            assert_eq!(kind.number(), at as u64 + 1);
            assert_eq!(DatagramKind::of_number(kind.number()), Some(*kind));
        }
        assert_eq!(MessageKind::of_number(0), None);
        assert_eq!(MessageKind::of_number(30), None);
    }

    #[test]
    fn the_page_has_an_entry_for_each() {
        let page = include_str!("PROTOCOL.md");
        let has_entry = |name: &str, number: u64| {
            let entry = format!("{name}, {number}");
            let mut heads = page.lines().filter(|line| line.starts_with("### "));
            heads.any(|head| head[4..].split(", and ").any(|part| part == entry))
        };
        for kind in MessageKind::ALL {
            assert!(
                has_entry(kind.name(), kind.number()),
                "no entry of {kind:?}"
            );
        }
        for kind in DatagramKind::ALL {
            assert!(
                has_entry(kind.name(), kind.number()),
                "no entry of {kind:?}"
            );
        }
    }
}
