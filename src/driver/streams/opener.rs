//! How a stream begins, by a dial or by an accept: its socket, its proof, and in a locked room its lock.
//!
//! Owns the room's secret, under which key this node speaks, and from which addresses dials leave. It
//! keeps no stream.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use mio::net::TcpStream;

use crate::identity::{Credentials, LinkProof, Role};
use crate::lock::Secret;
use crate::node::LinkId;
use crate::wire::Relay;

use super::super::network::Sources;
use super::sockets;
use super::stream::Stream;
use super::stream_lock::StreamLock;

/// What new streams need.
#[derive(Debug)]
pub(super) struct Opener {
    /// What dials are bound to, where it fits.
    sources: Sources,
    /// What this node speaks under.
    own: Rc<Credentials>,
    /// In a locked room.
    secret: Option<Secret>,
}

impl Opener {
    pub(super) fn new(sources: Sources, own: Credentials, secret: Option<Secret>) -> Opener {
        Opener {
            sources,
            own: Rc::new(own),
            secret,
        }
    }

    /// What this node has others carry, with its seal.
    pub(super) fn seal(&self, relay: &Relay) -> Relay {
        self.own.seal(relay)
    }

    fn prove(&self, role: Role) -> io::Result<LinkProof> {
        let proof = LinkProof::new(&self.own, role);
        proof.ok_or_else(|| io::Error::other("no randomness"))
    }

    /// What dials are bound to from now on.
    pub(super) fn set_sources(&mut self, sources: Sources) {
        self.sources = sources;
    }

    /// A stream of a connection that was accepted.
    pub(super) fn accept(
        &self,
        link: LinkId,
        socket: TcpStream,
        peer: SocketAddr,
    ) -> io::Result<Stream> {
        sockets::prepare_accepted(&socket)?;
        let lock = self.secret.as_ref().map(StreamLock::accept).transpose();
        let lock = lock.map_err(io::Error::other)?.map(Box::new);
        Ok(Stream::accepted(
            link,
            peer,
            socket,
            (self.prove(Role::Acceptor)?, lock),
        ))
    }

    /// A stream of a dial that begins now.
    pub(super) fn dial(&self, link: LinkId, to: SocketAddr, small: bool) -> io::Result<Stream> {
        let socket = sockets::dial(to, self.sources.towards(to), small)?;
        let lock = self.secret.as_ref().map(StreamLock::dial).transpose();
        let lock = lock.map_err(io::Error::other)?.map(Box::new);
        Ok(Stream::dialled(
            link,
            to,
            socket,
            (self.prove(Role::Dialler)?, lock),
        ))
    }
}
