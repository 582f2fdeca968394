//! The examination as one JSON object, for scripts.
//!
//! Owns its fields. They say what `report` says in words; the two must never differ in what was found.

use std::net::IpAddr;

use serde::Serialize;

use crate::ui::json_event;

use super::command;
use super::dialling::Dial;
use super::findings::{Findings, Multicast, PeerFound};
use super::heard::Found;
use super::packets::Packets;
use super::{DoctorConfig, report};

/// The event `doctor`. What was not looked at is null.
#[derive(Serialize)]
struct Examination<'a> {
    /// Chatting would work.
    works: bool,
    result: &'a str,
    remedy: Option<&'a str>,
    /// What is to be typed.
    command: String,
    interfaces: Vec<InterfaceSeen<'a>>,
    room: &'a str,
    coordinator: Option<CoordinatorSeen<'a>>,
    other_rooms: Vec<&'a str>,
    /// Who uses the room's name with a secret where none is given here, or with a different one.
    locked_by: Option<IpAddr>,
    other_secret: Option<IpAddr>,
    /// Whose clock differs by how many seconds.
    other_clock: Option<IpAddr>,
    clock_differs: Option<u64>,
    /// Who speaks another version of the protocol, and which.
    other_version: Option<IpAddr>,
    version: Option<u8>,
    /// Connections to this machine itself: none where it has no address to try it with.
    own: Option<OwnSeen<'a>>,
    peers: Vec<PeerSeen<'a>>,
    loses_large_packets: bool,
    firewalls: &'a [&'static str],
}

#[derive(Serialize)]
struct InterfaceSeen<'a> {
    name: &'a str,
    addresses: Vec<String>,
    multicast: Vec<MulticastSeen<'a>>,
}

#[derive(Serialize)]
struct MulticastSeen<'a> {
    address: IpAddr,
    works: bool,
    sent: u32,
    own_small: u32,
    own_large: u32,
    others: u32,
    hosts: usize,
    failure: Option<&'a str>,
}

#[derive(Serialize)]
struct CoordinatorSeen<'a> {
    nick: Option<&'a str>,
    id: u64,
    host: IpAddr,
    members: u64,
    dials: Vec<DialSeen<'a>>,
    /// It dials this machine when it is asked; null if it was not.
    dials_back: Option<bool>,
}

#[derive(Serialize)]
struct DialSeen<'a> {
    to: String,
    works: bool,
    /// How long it took.
    milliseconds: Option<f64>,
    failure: Option<&'a str>,
    /// Large packets get through; null if that is not known.
    large_packets: Option<bool>,
}

#[derive(Serialize)]
struct OwnSeen<'a> {
    at: String,
    works: bool,
    failure: Option<&'a str>,
}

#[derive(Serialize)]
struct PeerSeen<'a> {
    name: &'a str,
    works: bool,
    failure: Option<&'a str>,
    dials: Vec<DialSeen<'a>>,
}

/// All of it, in one line.
pub(super) fn line(config: &DoctorConfig, findings: &Findings) -> Vec<u8> {
    let (verdict, heard) = (findings.verdict(config), &findings.heard);
    let advice = report::advice(config, verdict);
    let seen = Examination {
        works: verdict.works(),
        result: advice.said,
        remedy: Some(&*advice.remedy).filter(|remedy| !remedy.is_empty()),
        command: command::here(config, findings, verdict),
        interfaces: interfaces(findings),
        room: &config.room,
        coordinator: heard.coordinator().map(|found| seen(found, findings)),
        other_rooms: heard.other_rooms(),
        locked_by: heard.locked_by,
        other_secret: heard.other_secret,
        other_clock: heard.other_time.map(|(host, _)| host),
        clock_differs: heard.other_time.map(|(_, seconds)| seconds),
        other_version: heard.other_version.map(|(host, _)| host),
        version: heard.other_version.map(|(_, version)| version),
        own: findings.own.as_ref().map(|own| OwnSeen {
            at: own.at.to_string(),
            works: own.failure.is_none(),
            failure: own.failure.as_deref(),
        }),
        peers: findings.peers.iter().map(peer).collect(),
        loses_large_packets: findings.loses_large_packets(),
        firewalls: &findings.firewalls,
    };
    let mut out = Vec::new();
    json_event(&mut out, "doctor", findings.wall_ms, &seen);
    out
}

fn interfaces(findings: &Findings) -> Vec<InterfaceSeen<'_>> {
    let multicast = |name: &str| {
        let found = findings.multicast.iter();
        found
            .filter(|found| found.interface == name)
            .map(multicast)
            .collect()
    };
    let all = findings.interfaces.iter();
    all.map(|interface| InterfaceSeen {
        name: &interface.name,
        addresses: (interface.addresses.iter())
            .map(ToString::to_string)
            .collect(),
        multicast: multicast(&interface.name),
    })
    .collect()
}

fn multicast(found: &Multicast) -> MulticastSeen<'_> {
    MulticastSeen {
        address: found.address,
        works: found.works(),
        sent: found.sent,
        own_small: found.own_small,
        own_large: found.own_large,
        others: found.others,
        hosts: found.hosts.len(),
        failure: found.failure.as_deref(),
    }
}

fn seen<'a>(found: &'a Found, findings: &'a Findings) -> CoordinatorSeen<'a> {
    CoordinatorSeen {
        nick: found.nick.as_deref(),
        id: found.coordinator.id,
        host: super::plain(found.from).ip(),
        members: found.members,
        dials: findings.coordinator.iter().map(dial).collect(),
        dials_back: findings.is_dialled,
    }
}

fn dial(dial: &Dial) -> DialSeen<'_> {
    let took = dial.result.as_ref().ok();
    DialSeen {
        to: dial.to.to_string(),
        works: took.is_some(),
        milliseconds: took.map(|took| took.as_secs_f64() * 1e3),
        failure: dial.result.as_ref().err().map(String::as_str),
        large_packets: match dial.packets {
            Packets::UpTo(_) => Some(true),
            Packets::Small => Some(false),
            Packets::Unknown => None,
        },
    }
}

fn peer(found: &PeerFound) -> PeerSeen<'_> {
    PeerSeen {
        name: &found.name,
        works: found.is_reached(),
        failure: found.failure.as_deref(),
        dials: found.dials.iter().map(dial).collect(),
    }
}
