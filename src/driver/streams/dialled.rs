//! What comes of a dial, as the socket and its errors say it.
//!
//! Owns that judgement alone: it keeps no stream, and changes none.

use std::io::{self, ErrorKind};

use mio::net::TcpStream;

use crate::node::Closed;

/// What a dial came to.
#[derive(Debug)]
pub(super) enum Dialled {
    /// The stream is open.
    Connected,
    /// Nothing yet.
    Pending,
    /// It failed.
    Failed(Closed, io::Error),
}

impl Dialled {
    /// Asks a socket that had an event what came of the dial.
    pub(super) fn of(socket: &TcpStream) -> Dialled {
        let error = match socket.take_error() {
            Ok(None) => None,
            Ok(Some(e)) | Err(e) => Some(e),
        };
        if let Some(e) = error {
            return Dialled::Failed(classify(&e), e);
        }
        match (socket.peer_addr(), socket.local_addr()) {
            // A dial to a free port of this host can meet itself.
            (Ok(peer), Ok(local)) if peer == local => {
                let e = io::Error::new(ErrorKind::ConnectionRefused, "connected to itself");
                Dialled::Failed(Closed::Refused, e)
            }
            (Ok(_), _) => Dialled::Connected,
            (Err(e), _) if e.kind() == ErrorKind::NotConnected => Dialled::Pending,
            (Err(e), _) => Dialled::Failed(classify(&e), e),
        }
    }
}

/// What a failed dial means.
pub(super) fn classify(error: &io::Error) -> Closed {
    match error.kind() {
        ErrorKind::ConnectionRefused => Closed::Refused,
        // The dial had been taken: refused would be another error.
        ErrorKind::ConnectionReset => Closed::Ended,
        _ => Closed::Failed,
    }
}
