//! One process that looks a name up, from its start until it is handed over to be reaped.
//!
//! Owns the process and the pipe on which its answer comes. It never waits for either.

use std::io::{self, ErrorKind, Read as _};
use std::net::SocketAddr;
use std::process::{Child, Stdio};

use mio::unix::pipe::Receiver;
use mio::{Registry, Token};

use crate::limits::LOOKUP_BYTES_MAX;
use crate::node::Time;
use crate::timing;

use super::super::own_process;
use super::{NamedPeer, helper};

/// How far a look-up is.
#[derive(Debug)]
pub(super) enum Progress {
    /// It goes on.
    Running,
    /// It has had its time.
    Overdue,
    /// It is over: where the name is, or why that is not known.
    Ended(Result<Vec<SocketAddr>, String>),
}

/// A look-up.
#[derive(Debug)]
pub(super) struct Lookup {
    child: Child,
    answer: Receiver,
    said: Vec<u8>,
    is_ready: bool,
    until: Time,
}

impl Lookup {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// If the system does not let it.
    pub(super) fn start(
        now: Time,
        peer: &NamedPeer,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Lookup> {
        let arguments = helper::arguments(std::process::id(), &peer.host, peer.port);
        let (child, answer) = own_process::start(arguments, Stdio::null(), (registry, token))?;
        Ok(Lookup {
            child,
            answer,
            said: Vec::new(),
            is_ready: true,
            until: now + timing::NAME_LOOKUP,
        })
    }

    /// There is something to read.
    pub(super) fn on_event(&mut self) {
        self.is_ready = true;
    }

    /// Until when it may take.
    pub(super) fn until(&self) -> Time {
        self.until
    }

    /// Reads what has come.
    pub(super) fn read(&mut self, now: Time) -> Progress {
        let mut buffer = [0; 1_024];
        while self.is_ready {
            match self.answer.read(&mut buffer) {
                Ok(0) => return Progress::Ended(helper::parse(&self.said)),
                Ok(n) if self.said.len() + n <= LOOKUP_BYTES_MAX => {
                    self.said.extend_from_slice(&buffer[..n]);
                }
                Ok(_) => return Progress::Ended(Err("its look-up says too much".to_owned())),
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.is_ready = false,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Progress::Ended(Err(e.to_string())),
            }
        }
        if now >= self.until {
            return Progress::Overdue;
        }
        Progress::Running
    }

    /// Ends it, whatever it does; the process is to be reaped.
    pub(super) fn end(mut self, registry: &Registry) -> Child {
        let _ = registry.deregister(&mut self.answer);
        let _ = self.child.kill();
        self.child
    }
}
