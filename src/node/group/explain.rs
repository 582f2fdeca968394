//! What the user is told when the room is not found: at which step it failed, and what to try.

use super::{Group, Parts};
use crate::node::{Closed, Event};

impl Group {
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
