//! The members that `--peer` names.
//!
//! Nothing is looked up here: a name may be known later only, and nothing waits for a name server.

use crate::driver::NamedPeer;
use crate::ui::visible::{Tab, visible};

/// Checks what was given without looking anything up.
pub(super) fn checked(text: &str) -> Result<String, String> {
    // A list in a variable may have spaces behind its commas.
    let text = text.trim();
    let (_, at) = of_one_room(text);
    match split(at) {
        Some((host, _)) if !host.is_empty() => Ok(text.to_owned()),
        Some(_) => Err("the host is missing: give a host and a port, such as anas-pc:4000".into()),
        None => Err(
            "give a host and a port, such as 10.0.0.7:4000, [fe80::7%eth0]:4000 or \
                     anas-pc:4000, and ROOM= before it if it is in one of several rooms"
                .into(),
        ),
    }
}

/// The room that a peer is in, if that is said before it, and the peer. No host has a `=` in its name.
fn of_one_room(text: &str) -> (Option<&str>, &str) {
    match text.rsplit_once('=') {
        Some((room, at)) => (Some(room), at),
        None => (None, text),
    }
}

/// The peers that are to be asked in this room: those of all rooms, and its own.
#[must_use]
pub(super) fn of_room(peers: &[String], room: &str) -> Vec<String> {
    let peers = peers.iter().map(|text| of_one_room(text));
    let peers = peers.filter(|(only, _)| only.is_none_or(|only| only == room));
    peers.map(|(_, at)| at.to_owned()).collect()
}

/// The peers, each once; what is no host and port is left out.
#[must_use]
pub fn named(peers: &[String]) -> Vec<NamedPeer> {
    let mut all = Vec::new();
    for text in peers {
        if let Some((host, port)) = split(text) {
            let peer = NamedPeer {
                name: visible(text, Tab::Escape),
                host: host.to_owned(),
                port,
            };
            if !all.contains(&peer) {
                all.push(peer);
            }
        }
    }
    all
}

/// The host, without the brackets of an IPv6 address, and the port.
fn split(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port != 0)?;
    match host.strip_prefix('[') {
        Some(host) => Some((host.strip_suffix(']')?, port)),
        None if host.contains(':') => None,
        None => Some((host, port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_a_host_and_a_port() {
        assert_eq!(split("10.0.0.7:4000"), Some(("10.0.0.7", 4000)));
        assert_eq!(split("[fe80::7%eth0]:4000"), Some(("fe80::7%eth0", 4000)));
        assert_eq!(split("anas-pc:4000"), Some(("anas-pc", 4000)));
        for wrong in [
            "anas-pc",
            "10.0.0.7:0",
            "10.0.0.7:x",
            "fe80::7:4000",
            "[fe80::7:4000",
        ] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_peer_may_be_in_one_room_only() {
        let peers = ["anas-pc:4000", "den=10.0.0.7:4001", "a=b=10.0.0.8:4002"].map(str::to_owned);
        for peer in &peers {
            assert_eq!(checked(peer).as_ref(), Ok(peer));
        }
        assert_eq!(of_room(&peers, "den"), ["anas-pc:4000", "10.0.0.7:4001"]);
        assert_eq!(of_room(&peers, "a=b"), ["anas-pc:4000", "10.0.0.8:4002"]);
        assert_eq!(of_room(&peers, "lobby"), ["anas-pc:4000"]);
        assert!(checked("den=").is_err() && checked("den=:4000").is_err());
    }

    #[test]
    fn a_peer_that_is_named_twice_is_one() {
        let peers = ["anas-pc:4000", "10.0.0.7:4000", "anas-pc:4000"].map(str::to_owned);
        let found = named(&peers);
        assert_eq!(found.len(), 2);
        assert_eq!((&*found[0].host, found[0].port), ("anas-pc", 4000));
    }
}
