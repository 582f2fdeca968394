//! What the user is told when the room is not found: at which step it failed, and what to try.

use std::net::IpAddr;

use super::{Group, Parts};
use crate::limits;
use crate::node::{Closed, Event, LinkId};
use crate::wire::Key;

impl Group {
    /// Links with this peer open, and stand still with the first large packet.
    pub(in crate::node) fn explain_narrow(&mut self, parts: &mut Parts<'_>, key: Key) {
        let nick = self.roster.get(key).map(|m| m.nick.as_str());
        let ip = parts.mesh.link_to(key).map(|l| l.address().ip());
        let who = name_of(nick, ip);
        parts.cx.show(Event::Warning(format!(
            "large packets to or from {who} get lost on the way: going on with small ones; lower the MTU of \
             the network interface that leads there (with iproute2: ip link set dev NAME mtu 1280, or less)"
        )));
    }

    /// The room has as many members as it may: the user is told who is not let in.
    pub(super) fn explain_full(parts: &mut Parts<'_>, link: LinkId, nick: &str) {
        let ip = parts.mesh.link(link).map(|l| l.address().ip());
        if let Some(host) = ip.map(|ip| ip.to_canonical()) {
            let (who, members) = (name_of(Some(nick), Some(host)), limits::MEMBERS_MAX);
            let text = format!("the room is full, with {members} members: {who} was not let in");
            parts.cx.show(Event::NotLetIn { host, text });
        }
    }

    /// No room was found: says what came of the peers, and what to try.
    pub(super) fn explain_peers(&mut self, parts: &mut Parts<'_>) {
        let mut warnings = Vec::new();
        for named in parts.mesh.named_peers() {
            let name = &named.peer.name;
            let why = match named.failed {
                Some(Closed::Refused) => {
                    "connection refused: nobody listens there; start papo there, or correct the \
                     port (--listen on that host sets it)"
                }
                Some(Closed::Failed) => {
                    "it cannot be reached: check the address, the network and the firewalls in \
                     between"
                }
                Some(Closed::Ended) => {
                    "it closed the connection: it may be in another room, or no papo"
                }
                None if named.link.is_some() => "it has not answered yet; still trying",
                None => continue,
            };
            warnings.push(format!("--peer {name}: {why}"));
        }
        for warning in warnings {
            parts.cx.show(Event::Warning(warning));
        }
    }
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
