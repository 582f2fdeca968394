//! Whether a coordinator that cannot be dialled dials this host, as it does for whoever asks to join.
//!
//! Owns that question: a request to join, to that coordinator alone, and a listener that takes its connection and
//! ends it. Nobody joins: a node is a member only after it has said who it is.

use std::net::{SocketAddr, TcpListener, UdpSocket};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::timing;
use crate::wire::{Datagram, JoinRequest, Key, VERSION, encode_datagram};

use super::super::clock::Clock;
use super::super::network::DatagramLock;
use super::dialling::Source;

/// The nick of the request, for whoever looks at the network with another tool.
const NICK: &str = "papo doctor";

/// Asks the coordinator that was heard from `to`. None if that was not possible.
pub(super) fn is_dialled(
    room: &str,
    to: SocketAddr,
    source: &Source,
    lock: &mut DatagramLock,
    clock: &Clock,
) -> Option<bool> {
    let at = source.at(to)?;
    let listener = TcpListener::bind(at).ok()?;
    let socket = UdpSocket::bind(at).ok()?;
    let key = Key(getrandom::u64().ok()?.max(1));
    let port = listener.local_addr().ok()?.port();
    for attempt in 0..timing::DOCTOR_ASKS {
        let request = JoinRequest {
            version: VERSION,
            room: room.to_owned(),
            key,
            nick: NICK.to_owned(),
            attempt: u64::from(attempt),
            port,
            addresses: Vec::new(),
            id: None,
            next_id: 0,
            view_version: 0,
            office: false,
            no: 0,
        };
        let bytes = encode_datagram(&Datagram::JoinRequest(request)).ok()?;
        let bytes = lock.seal(clock.now().wall_ms, bytes);
        socket.send_to(&bytes, to).ok()?;
        let timeout = Timespec::try_from(timing::DOCTOR_ASKS_EVERY).ok()?;
        let mut fds = [PollFd::new(&listener, PollFlags::IN)];
        // A signal ends the wait early, which costs one question of several.
        if poll(&mut fds, Some(&timeout)).is_ok_and(|ready| ready > 0) {
            return Some(listener.accept().is_ok());
        }
    }
    Some(false)
}
