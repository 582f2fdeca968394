//! How a stream begins, by a dial or by an accept: its socket, and in a locked room its lock.
//!
//! Owns the room's secret, and from which addresses dials leave. It keeps no stream.

use std::io;
use std::net::SocketAddr;

use mio::net::TcpStream;

use crate::lock::Secret;
use crate::node::LinkId;

use super::super::network::Sources;
use super::sockets;
use super::stream::Stream;
use super::stream_lock::StreamLock;

/// What new streams need.
#[derive(Debug)]
pub(super) struct Opener {
    /// What dials are bound to, where it fits.
    sources: Sources,
    /// In a locked room.
    secret: Option<Secret>,
}

impl Opener {
    pub(super) fn new(sources: Sources, secret: Option<Secret>) -> Opener {
        Opener { sources, secret }
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
        Ok(Stream::accepted(link, peer, socket, lock))
    }

    /// A stream of a dial that begins now.
    pub(super) fn dial(&self, link: LinkId, to: SocketAddr, small: bool) -> io::Result<Stream> {
        let socket = sockets::dial(to, self.sources.towards(to), small)?;
        let lock = self.secret.as_ref().map(StreamLock::dial).transpose();
        let lock = lock.map_err(io::Error::other)?.map(Box::new);
        Ok(Stream::dialled(link, to, socket, lock))
    }
}
