//! What the user is told when the room is not found: at which step it failed, and what to try.
//!
//! Owns the words only. What was found is told by those who looked.

use std::net::IpAddr;

use crate::limits;
use crate::node::Closed;
use crate::node::mesh::Named;

/// Links with this peer open, and stand still with the first large packet.
pub(super) fn narrow(who: &str) -> String {
    format!(
        "large packets to or from {who} get lost on the way: going on with small ones; lower the MTU of \
         the network interface that leads there (with iproute2: ip link set dev NAME mtu 1280, or less)"
    )
}

/// The room has as many members as it may, and this one is not let in.
pub(super) fn full(who: &str) -> String {
    let members = limits::MEMBERS_MAX;
    format!("the room is full, with {members} members: {who} was not let in")
}

/// The room fills up, and others are to have the places that are free.
pub(super) fn crowded(who: &str, count: &str) -> String {
    format!("the room is filling up, and {count} already: {who} was not let in")
}

/// No room was found: what came of a peer that the user named, and what to try; nothing if it was not
/// dialled.
pub(super) fn what_came_of(named: &Named) -> Option<String> {
    let name = &named.peer.name;
    let why = match named.failed {
        Some(Closed::Refused) => {
            "connection refused: nobody listens there; start papo there, or correct the port (--listen on \
             that host sets it)"
        }
        Some(Closed::Failed) => {
            "it cannot be reached: check the address, the network and the firewalls in between"
        }
        Some(Closed::Ended) => "it closed the connection: it may be in another room, or no papo",
        None if named.link.is_some() => "it has not answered yet; still trying",
        None => return None,
    };
    Some(format!("--peer {name}: {why}"))
}

/// A peer as people know it.
pub(super) fn name_of(nick: Option<&str>, ip: Option<IpAddr>) -> String {
    match (nick, ip) {
        (Some(nick), Some(ip)) => format!("{nick} ({ip})"),
        (Some(nick), None) => nick.to_string(),
        (None, Some(ip)) => format!("somebody at {ip}"),
        (None, None) => "somebody".to_string(),
    }
}
