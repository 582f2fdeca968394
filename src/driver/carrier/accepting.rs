//! Connections from outside: which of them are taken in.
//!
//! Owns nothing: it is lent the listener, where they wait, and those who know what is allowed. The node is
//! told of a connection by whoever calls; nothing here calls it but to ask who its members are, and for the
//! number of a link.

use std::io;
use std::net::SocketAddr;

use mio::net::TcpStream;

use crate::node::{Input, Node, Time};

use super::super::network::Network;
use super::super::streams::{Listener, Streams};

/// What decides about a connection, and what takes it in.
pub(in crate::driver) struct Door<'a> {
    pub(in crate::driver) now: Time,
    pub(in crate::driver) node: &'a mut Node,
    pub(in crate::driver) listener: &'a mut Listener,
    pub(in crate::driver) streams: &'a mut Streams,
    pub(in crate::driver) network: &'a mut Network,
}

impl Door<'_> {
    /// Takes in the connection that waits first; what the node is to be told of it, or nothing if it is
    /// refused or went away.
    ///
    /// # Errors
    ///
    /// If nobody can be accepted, which is logged; it is of no use to try again at once.
    pub(in crate::driver) fn next(&mut self) -> io::Result<Option<Input>> {
        match self.listener.accept() {
            Ok(Some((socket, peer))) => Ok(self.welcome(socket, peer)),
            Ok(None) => Ok(None),
            Err(e) => {
                self.streams.note_refusal(&e);
                Err(e)
            }
        }
    }

    fn welcome(&mut self, socket: TcpStream, peer: SocketAddr) -> Option<Input> {
        let local = socket.local_addr();
        if !local.is_ok_and(|at| self.network.admits(at.ip())) {
            log::debug!("{peer}: not on an interface that is used");
            return None;
        }
        self.network.note(peer);
        let room = if self.listener.admits(self.now, peer.ip()) || self.hosts_members(peer) {
            let node = &*self.node;
            let is_member = |link| node.is_member_link(link);
            self.streams.make_room(peer, is_member)
        } else {
            Err("too many connections in a short time")
        };
        if let Err(rule) = room {
            self.streams.complain(peer, rule);
            return None;
        }
        let link = self.node.new_link();
        match self.streams.accept(link, socket, peer) {
            Ok(()) => Some(Input::Accepted { link, from: peer }),
            Err(e) => {
                log::debug!("{peer}: {e}");
                None
            }
        }
    }

    /// True if a member says that it can be reached at this host.
    fn hosts_members(&self, peer: SocketAddr) -> bool {
        let mut addresses = self.node.members().iter().flat_map(|m| &m.addresses);
        addresses.any(|a| a.0.ip() == peer.ip())
    }
}
