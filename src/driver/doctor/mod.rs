//! `papo doctor`: what works and what does not on this network, and what to type.
//!
//! Owns the order of the examination. It joins no room and changes nothing; it sends only from the addresses of
//! the interfaces that are selected, and what it sends is ignored by every node. It waits in each step, but never
//! longer than a named time.
//!
//! | part | owns |
//! | --- | --- |
//! | `ears` | the datagram sockets of each interface, and how many datagrams went out and came in |
//! | `probe` | the datagram that is sent, and how it is known again |
//! | `heard` | what was heard of others: coordinators, locked rooms, other versions |
//! | `dialling`, `packets` | connections: to a coordinator, to peers, to oneself; how large their packets may be |
//! | `asking` | whether a coordinator that cannot be dialled dials this host |
//! | `findings` | what came of all that, and whether one can chat |
//! | `report`, `as_json` | the words; and the same for scripts |
//! | `command` | the command line that would work |

mod as_json;
mod asking;
mod command;
mod dialling;
mod ears;
mod findings;
mod heard;
mod packets;
mod probe;
mod report;

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::time::Duration;

use crate::limits::DOCTOR_DIALS_MAX;
use crate::lock::Secret;
use crate::timing;

use super::clock::Clock;
use super::descriptors;
use super::names::NamedPeer;
use super::network::{DatagramLock, Host, Interface, Selection};
use super::start_error::StartError;

use dialling::{Dial, Source};
use ears::Ears;
use findings::{Findings, Multicast, PeerFound};
use heard::Heard;

/// What is to be examined.
#[derive(Clone, Debug)]
pub struct DoctorConfig {
    /// The multicast group and port.
    pub group: SocketAddr,
    /// False if nothing is to be multicast.
    pub multicast: bool,
    /// Which interfaces are used.
    pub interfaces: Selection,
    /// Where a node would listen, if that is not any address.
    pub listen: Option<SocketAddr>,
    /// Who is to be asked besides.
    pub peers: Vec<NamedPeer>,
    /// The room.
    pub room: String,
    /// Its secret, if it is locked.
    pub secret: Option<Secret>,
    /// The file with the secret, as it is typed.
    pub secret_file: Option<PathBuf>,
    /// How often a coordinator says that it is alive.
    pub heartbeat: Duration,
}

/// What came of an examination.
#[derive(Clone, Debug)]
pub struct Examined {
    /// For people, in several lines.
    pub text: String,
    /// For scripts: one JSON object in a line.
    pub json: Vec<u8>,
    /// Chatting would work.
    pub works: bool,
}

/// Looks at everything.
///
/// # Errors
///
/// If an option cannot be followed, or the system does not list the interfaces.
pub fn examine(config: &DoctorConfig) -> Result<Examined, StartError> {
    descriptors::allow();
    let host = Host::now().map_err(|e| StartError::NoList(e, false))?;
    config.interfaces.check(&host).map_err(StartError::Option)?;
    let interfaces = config.interfaces.of(&host);
    let clock = Clock::new();
    let mut findings = Findings {
        wall_ms: clock.now().wall_ms,
        firewalls: crate::platform::firewalls(),
        ..Findings::default()
    };
    if config.multicast {
        let (multicast, heard) = listen(config, &interfaces, &clock)?;
        findings.multicast = multicast;
        findings.heard = heard;
    }
    let source = Source::of(&interfaces);
    let secret = config.secret.as_ref();
    findings.own = dialling::to_oneself(config.listen, &source);
    if let Some(room) = findings.heard.coordinator() {
        let dials = room.addresses().into_iter().take(DOCTOR_DIALS_MAX);
        findings.coordinator = dials
            .filter_map(|to| source.dial(to, secret, &clock))
            .collect();
    }
    let from = findings.heard.coordinator().map(|room| room.from);
    if let Some(to) = from.filter(|_| !findings.reaches_coordinator()) {
        let mut lock = lock_of(config)?;
        findings.is_dialled = asking::is_dialled(&config.room, to, &source, &mut lock, &clock);
    }
    for peer in &config.peers {
        findings.peers.push(ask(peer, &source, secret, &clock));
    }
    findings.interfaces = interfaces;
    Ok(Examined {
        text: report::text(config, &findings),
        json: as_json::line(config, &findings),
        works: findings.verdict(config).works(),
    })
}

/// Sends on each interface, and listens until a coordinator has had the time to speak twice.
fn listen(
    config: &DoctorConfig,
    interfaces: &[Interface],
    clock: &Clock,
) -> Result<(Vec<Multicast>, Heard), StartError> {
    let mut lock = lock_of(config)?;
    let probe = probe::Probe::new().ok_or_else(no_randomness)?;
    let mut heard = Heard::new(&config.room);
    let mut ears = Ears::open(config.group, interfaces);
    let end = clock.time() + (config.heartbeat * 2).max(timing::DOCTOR_LISTENS);
    for round in 0..timing::DOCTOR_PROBES {
        ears.send(&probe);
        let until = match round + 1 < timing::DOCTOR_PROBES {
            true => clock.time() + timing::DOCTOR_PROBE_EVERY,
            false => end,
        };
        ears.hear(clock, until, |bytes, from| {
            let is_own = probe.is_in(bytes);
            if !is_own {
                heard.take(&mut lock, clock.now(), bytes, from);
            }
            is_own
        });
    }
    Ok((ears.into_findings(), heard))
}

fn lock_of(config: &DoctorConfig) -> Result<DatagramLock, StartError> {
    DatagramLock::new(&config.room, config.secret.as_ref()).ok_or_else(no_randomness)
}

fn no_randomness() -> StartError {
    let e = std::io::Error::other("no randomness");
    StartError::System("examine the network", e)
}

/// Looks a peer's name up, and dials what is found.
fn ask(peer: &NamedPeer, source: &Source, secret: Option<&Secret>, clock: &Clock) -> PeerFound {
    let found = (&*peer.host, peer.port).to_socket_addrs();
    let (dials, failure) = match found {
        Ok(all) => {
            let dials = all.take(DOCTOR_DIALS_MAX);
            let dials: Vec<Dial> = dials
                .filter_map(|to| source.dial(to, secret, clock))
                .collect();
            (dials, None)
        }
        Err(e) => (Vec::new(), Some(e.to_string())),
    };
    PeerFound {
        name: peer.name.clone(),
        dials,
        failure,
    }
}

/// An address as it is written without what IPv6 puts before IPv4.
fn plain(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => SocketAddr::new(ip.into(), address.port()),
            None => address,
        },
        IpAddr::V4(_) => address,
    }
}
