//! The lock on one stream of a locked room.
//!
//! Owns the sealed bytes that wait for the socket. What a record looks like is [`crate::lock`]'s; whose
//! stream it is, and how much may wait, is not known here.

use std::io::{self, ErrorKind, Write};

use crate::lock::{BINDING_BYTES, LinkCipher, LinkError, RECORD_PLAIN_MAX, Secret};
use crate::wire::FrameReader;

use super::outqueue::{OutQueue, Written};

/// The lock on one stream.
#[derive(Debug)]
pub(super) struct StreamLock {
    cipher: LinkCipher,
    /// Sealed, and not yet taken by the socket from `written` on.
    sealed: Vec<u8>,
    written: usize,
    plain: Vec<u8>,
}

impl StreamLock {
    pub(super) fn dial(secret: &Secret) -> Result<StreamLock, LinkError> {
        let mut sealed = Vec::new();
        let cipher = LinkCipher::dial(secret, &mut sealed)?;
        Ok(StreamLock::new(cipher, sealed))
    }

    pub(super) fn accept(secret: &Secret) -> Result<StreamLock, LinkError> {
        Ok(StreamLock::new(LinkCipher::accept(secret)?, Vec::new()))
    }

    fn new(cipher: LinkCipher, sealed: Vec<u8>) -> StreamLock {
        StreamLock {
            cipher,
            sealed,
            written: 0,
            plain: Vec::new(),
        }
    }

    /// Opens what came from the socket, for `reader`.
    pub(super) fn receive(
        &mut self,
        bytes: &[u8],
        reader: &mut FrameReader,
    ) -> Result<(), LinkError> {
        self.plain.clear();
        let received = self
            .cipher
            .receive(bytes, &mut self.plain, &mut self.sealed);
        reader.push(&self.plain);
        received
    }

    /// What no other link has; none before the handshake is over.
    pub(super) fn binding(&self) -> Option<[u8; BINDING_BYTES]> {
        self.cipher.binding()
    }

    /// True while sealed bytes wait for the socket.
    pub(super) fn is_pending(&self) -> bool {
        self.written < self.sealed.len()
    }

    /// Seals what is queued, record by record, and writes it until all is written or `to` would
    /// block. What is queued before the handshake is over waits for it.
    pub(super) fn write_to(
        &mut self,
        queue: &mut OutQueue,
        to: &mut impl Write,
    ) -> io::Result<Written> {
        loop {
            while self.is_pending() {
                match to.write(&self.sealed[self.written..]) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(n) => self.written += n,
                    Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(Written::Blocked),
                    Err(e) if e.kind() == ErrorKind::Interrupted => {}
                    Err(e) => return Err(e),
                }
            }
            self.sealed.clear();
            self.written = 0;
            if !self.cipher.is_ready() || queue.is_empty() {
                return Ok(Written::All);
            }
            self.plain.clear();
            queue.take_into(&mut self.plain, RECORD_PLAIN_MAX);
            let sealed = self.cipher.seal(&self.plain, &mut self.sealed);
            sealed.map_err(io::Error::other)?;
        }
    }
}
