//! The members that `--peer` names, and where they are.
//!
//! Names are looked up once, at the start: nothing may wait for a name server later.

use std::net::{SocketAddr, ToSocketAddrs};

use crate::limits::PEER_ADDRESSES_MAX;
use crate::node::Peer;
use crate::ui::visible::{Tab, visible};

/// Checks what was given without looking anything up.
pub(super) fn checked(text: &str) -> Result<String, String> {
    match split(text) {
        Some((host, _)) if !host.is_empty() => Ok(text.to_owned()),
        Some(_) => Err("the host is missing: give a host and a port, such as anas-pc:4000".into()),
        None => Err(
            "give a host and a port, such as 10.0.0.7:4000, [fe80::7%eth0]:4000 or \
                     anas-pc:4000"
                .into(),
        ),
    }
}

/// Looks up where the peers are.
///
/// # Errors
///
/// Which one is nowhere, in one line.
pub fn resolve(peers: &[String]) -> Result<Vec<Peer>, String> {
    peers.iter().map(|peer| resolve_one(peer)).collect()
}

fn resolve_one(peer: &str) -> Result<Peer, String> {
    let name = visible(peer, Tab::Escape);
    let wrong = |why: &str| format!("--peer {name}: {why}; give the address of a member's host");
    let (host, port) = split(peer).ok_or_else(|| wrong("not a host and a port"))?;
    let found = (host, port).to_socket_addrs();
    let mut addresses: Vec<SocketAddr> = found.map_err(|e| wrong(&e.to_string()))?.collect();
    addresses.dedup();
    addresses.truncate(PEER_ADDRESSES_MAX);
    if addresses.is_empty() {
        return Err(wrong("it has no address"));
    }
    Ok(Peer { name, addresses })
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
    fn addresses_need_no_name_server_and_keep_their_scope() {
        let peers = ["10.0.0.7:4000".to_owned(), "[fe80::7%lo]:4000".to_owned()];
        let found = resolve(&peers).unwrap();
        assert_eq!(found[0].addresses, ["10.0.0.7:4000".parse().unwrap()]);
        let scope = match found[1].addresses[0] {
            SocketAddr::V6(a) => a.scope_id(),
            SocketAddr::V4(_) => 0,
        };
        assert_ne!(scope, 0);
    }
}
