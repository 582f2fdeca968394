//! Traffic: how many messages of each kind were sent, and how many bytes they were.

use std::collections::BTreeMap;

use papo::wire::{Datagram, Message};

/// Counts since the last [`Traffic::clear`].
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    pub messages: BTreeMap<&'static str, u64>,
    pub bytes: u64,
}

impl Traffic {
    pub fn count(&mut self, name: &'static str, copies: u64, bytes: u64) {
        *self.messages.entry(name).or_default() += copies;
        self.bytes += copies * bytes;
    }

    pub fn of(&self, name: &str) -> u64 {
        self.messages.get(name).copied().unwrap_or(0)
    }

    pub fn total(&self) -> u64 {
        self.messages.values().sum()
    }

    pub fn clear(&mut self) {
        *self = Traffic::default();
    }
}

pub fn name_of(message: &Message) -> &'static str {
    match message {
        Message::Hello(_) => "HELLO",
        Message::JoinRequest(_) => "JOIN_REQUEST",
        Message::JoinResponse(_) => "JOIN_RESPONSE",
        Message::PeerUpdate(_) => "PEER_UPDATE",
        Message::ViewRequest => "VIEW_REQUEST",
        Message::Chat(_) => "CHAT_MESSAGE",
        Message::Private(_) => "PRIVATE",
        Message::Election { .. } => "ELECTION",
        Message::ElectionOk { .. } => "ELECTION_OK",
        Message::CoordinatorAnnouncement(_) => "COORDINATOR_ANNOUNCEMENT",
        Message::Ping { .. } => "PING",
        Message::Pong { .. } => "PONG",
        Message::Probe(_) => "PROBE",
        Message::ProbeAnswer(_) => "PROBE_ANSWER",
        Message::Sync(_) => "SYNC",
        Message::SyncAnswer(_) => "SYNC_ANSWER",
        Message::Fetch(_) => "FETCH",
        Message::Chunk(_) => "CHUNK",
        Message::Compare(_) => "COMPARE",
        Message::Comparison(_) => "COMPARISON",
        Message::Behind => "BEHIND",
        Message::Ack(_) => "ACK",
        Message::Stable(_) => "STABLE",
        Message::Relay(_) => "RELAY",
        Message::Rename(_) => "RENAME",
        Message::Leave => "LEAVE",
        Message::Referral(_) => "REFERRAL",
        Message::Introduction(_) => "INTRODUCTION",
        Message::Proof(_) => "PROOF",
        Message::Unknown(_) => "UNKNOWN",
    }
}

pub fn datagram_name(datagram: &Datagram) -> &'static str {
    match datagram {
        Datagram::JoinRequest(_) => "JOIN_REQUEST (datagram)",
        Datagram::Heartbeat { .. } => "HEARTBEAT (datagram)",
        Datagram::Referral { .. } => "REFERRAL (datagram)",
        Datagram::BeatRequest { .. } => "BEAT_REQUEST (datagram)",
        Datagram::Unknown(_) => "UNKNOWN (datagram)",
    }
}
