//! The listener: where peers dial this node.
//!
//! Owns the listening socket, whether somebody may wait at it, and how often each source may come. Whether
//! a connection is let in is the reactor's to decide, and what becomes of it the streams'.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};

use crate::node::Time;

use super::super::rates::ConnectionRate;
use super::sockets;

/// The listener.
#[derive(Debug)]
pub(in crate::driver) struct Listener {
    socket: TcpListener,
    /// Somebody may wait.
    is_ready: bool,
    rate: ConnectionRate,
}

impl Listener {
    /// Listens at this address; see [`sockets::listen`].
    ///
    /// # Errors
    ///
    /// If the address cannot be bound.
    pub(in crate::driver) fn open(at: SocketAddr) -> io::Result<Listener> {
        Ok(Listener {
            socket: sockets::listen(at)?,
            is_ready: true,
            rate: ConnectionRate::new(),
        })
    }

    /// Has the poll watch the listener.
    ///
    /// # Errors
    ///
    /// If the system does not let it.
    pub(in crate::driver) fn register(
        &mut self,
        registry: &Registry,
        token: Token,
    ) -> io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE)
    }

    /// The address that it listens at.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub(in crate::driver) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Somebody may wait, now.
    pub(in crate::driver) fn on_event(&mut self) {
        self.is_ready = true;
    }

    /// Whether somebody may wait.
    pub(in crate::driver) fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// The next connection that waits, and the peer's address as others know it; none if it went away
    /// meanwhile, or nobody waits.
    ///
    /// # Errors
    ///
    /// Why nobody can be accepted; it is of no use to try again at once.
    pub(in crate::driver) fn accept(&mut self) -> io::Result<Option<(TcpStream, SocketAddr)>> {
        match self.socket.accept() {
            Ok((socket, peer)) => Ok(Some((socket, sockets::canonical(peer)))),
            Err(e) if is_of_one_connection(&e) => Ok(None),
            Err(e) => {
                self.is_ready = false;
                match e.kind() {
                    ErrorKind::WouldBlock => Ok(None),
                    _ => Err(e),
                }
            }
        }
    }

    /// Whether one more connection of this source is within its rate.
    pub(in crate::driver) fn admits(&mut self, now: Time, source: IpAddr) -> bool {
        self.rate.admits(now, source)
    }
}

/// Errors of accept that concern the connection, not the listener.
fn is_of_one_connection(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    )
}
