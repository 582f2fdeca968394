//! What came of the examination, and whether one can chat.
//!
//! Owns the judgement. It has no words: `report` has them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::limits::DOCTOR_HOSTS_MAX;

use super::super::network::{Interface, Selection};
use super::DoctorConfig;
use super::dialling::{Dial, Own};
use super::heard::Heard;
use super::packets::Packets;

/// Multicast on one interface in one family.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Multicast {
    pub(super) interface: String,
    pub(super) address: IpAddr,
    /// Why a socket could not be opened, or nothing be sent.
    pub(super) failure: Option<String>,
    pub(super) sent: u32,
    /// One's own, heard again.
    pub(super) own_small: u32,
    pub(super) own_large: u32,
    /// Datagrams of others, and from how many hosts.
    pub(super) others: u32,
    pub(super) hosts: BTreeSet<IpAddr>,
}

impl Multicast {
    pub(super) fn new(interface: &str, address: IpAddr) -> Multicast {
        Multicast {
            interface: interface.to_owned(),
            address,
            failure: None,
            sent: 0,
            own_small: 0,
            own_large: 0,
            others: 0,
            hosts: BTreeSet::new(),
        }
    }

    pub(super) fn note_other(&mut self, from: IpAddr) {
        self.others += 1;
        if self.hosts.len() < DOCTOR_HOSTS_MAX {
            self.hosts.insert(from);
        }
    }

    /// What was sent was heard, in both sizes.
    pub(super) fn works(&self) -> bool {
        self.own_small > 0 && self.own_large > 0
    }
}

/// What came of a peer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct PeerFound {
    pub(super) name: String,
    pub(super) dials: Vec<Dial>,
    /// Why the name leads nowhere.
    pub(super) failure: Option<String>,
}

impl PeerFound {
    pub(super) fn is_reached(&self) -> bool {
        is_reached(&self.dials)
    }
}

/// All of it.
#[derive(Default, Debug)]
pub(super) struct Findings {
    pub(super) interfaces: Vec<Interface>,
    pub(super) multicast: Vec<Multicast>,
    pub(super) heard: Heard,
    pub(super) own: Option<Own>,
    /// Connections to the coordinator of the room.
    pub(super) coordinator: Vec<Dial>,
    /// Whether the coordinator dials this host, if that had to be asked.
    pub(super) is_dialled: Option<bool>,
    pub(super) peers: Vec<PeerFound>,
    pub(super) wall_ms: u64,
    /// Firewalls that seem to be in force here.
    pub(super) firewalls: Vec<&'static str>,
}

/// Whether one can chat, and if not, what is in the way first of all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// The room is there, and can be reached.
    Joins,
    /// Nobody of the room is heard: a node would found it.
    Founds,
    /// Only nodes of this machine can be heard.
    OnlyHere,
    /// There is no interface to use.
    NoInterface,
    /// The room is locked, and there is no secret, or another one.
    Locked,
    /// The clocks are too far apart for a locked room.
    OtherTime,
    /// The coordinator is heard, and neither of both can dial the other.
    Unreachable,
    /// No peer is reached, and multicast is off or does not work.
    NoPeer,
    /// Multicast does not work, and no peer is named.
    NoMulticast,
    /// Nothing can be listened on.
    NoListener,
}

impl Verdict {
    pub(super) fn works(self) -> bool {
        matches!(self, Verdict::Joins | Verdict::Founds | Verdict::OnlyHere)
    }
}

impl Findings {
    pub(super) fn verdict(&self, config: &DoctorConfig) -> Verdict {
        let multicasts = self.multicast.iter().any(Multicast::works);
        let has_peer = self.peers.iter().any(PeerFound::is_reached);
        if self.interfaces.is_empty() {
            return Verdict::NoInterface;
        }
        if self.own.as_ref().is_some_and(|own| own.failure.is_some()) {
            return Verdict::NoListener;
        }
        match self.heard.coordinator() {
            Some(_) if self.reaches_coordinator() || has_peer => return Verdict::Joins,
            Some(_) if self.is_dialled == Some(true) => return Verdict::Joins,
            Some(_) => return Verdict::Unreachable,
            None => {}
        }
        if self.heard.locked_by.is_some() || self.heard.other_secret.is_some() {
            return Verdict::Locked;
        }
        if self.heard.other_time.is_some() {
            return Verdict::OtherTime;
        }
        if has_peer {
            return Verdict::Joins;
        }
        let leads_out = self.interfaces.iter().any(|i| !i.is_loopback());
        match (config.peers.is_empty(), multicasts) {
            (false, _) => Verdict::NoPeer,
            (true, false) => Verdict::NoMulticast,
            (true, true) if !leads_out && config.interfaces == Selection::All => Verdict::OnlyHere,
            (true, true) => Verdict::Founds,
        }
    }

    pub(super) fn reaches_coordinator(&self) -> bool {
        is_reached(&self.coordinator)
    }

    /// Some connection carries small packets only.
    pub(super) fn loses_large_packets(&self) -> bool {
        let peers = self.peers.iter().flat_map(|peer| &peer.dials);
        let mut all = self.coordinator.iter().chain(peers);
        all.any(|dial| dial.packets == Packets::Small)
    }
}

fn is_reached(dials: &[Dial]) -> bool {
    dials.iter().any(|dial| dial.result.is_ok())
}
