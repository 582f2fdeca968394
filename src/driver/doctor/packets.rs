//! The largest packets that get through on a connection.
//!
//! Owns how that is found out: a few packets' worth of a frame is sent that never becomes whole, and then the end.
//! The other end takes that for a connection that ended too early, says nothing of it, and ends it, too; which it
//! can do only once all has arrived.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use socket2::Socket;

use crate::limits::HANDSHAKE_FRAME_BYTES_MAX;
use crate::lock::{LinkCipher, Secret};
use crate::timing;

/// Segments that any path carries.
const SMALL_SEGMENT_BYTES: u32 = 536;
/// What is sent: two of an Ethernet's packets and a little.
const SENT_BYTES: usize = 3_000;
/// The length that the frame claims: more than is sent, and no more than a stranger may claim.
const CLAIMED_BYTES: u32 = 3_500;
const _: () = assert!(SENT_BYTES < 3_500 && 3_500 <= HANDSHAKE_FRAME_BYTES_MAX);
/// Pieces of an answer that are read before the end: what a node says by itself is a few hundred bytes.
const ANSWERS_MAX: usize = 64;

/// Which packets get through on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Packets {
    /// Those with so many bytes of text.
    UpTo(usize),
    /// Only small ones.
    Small,
    /// It is not known: the other end says nothing, or nothing was tried.
    Unknown,
}

/// Finds out on a new connection; `again` makes another one with small segments. In a locked room the other end
/// listens only behind a handshake.
pub(super) fn on(
    full: TcpStream,
    secret: Option<&Secret>,
    again: impl FnOnce(u32) -> io::Result<TcpStream>,
) -> Packets {
    let socket = Socket::from(full);
    let segment = usize::try_from(socket.tcp_mss().unwrap_or_default()).unwrap_or_default();
    if arrives(&mut socket.into(), secret).unwrap_or(false) {
        return Packets::UpTo(segment.min(SENT_BYTES));
    }
    let small = again(SMALL_SEGMENT_BYTES).and_then(|mut small| arrives(&mut small, secret));
    match small {
        Ok(true) => Packets::Small,
        _ => Packets::Unknown,
    }
}

/// Whether what is sent arrives.
fn arrives(stream: &mut TcpStream, secret: Option<&Secret>) -> io::Result<bool> {
    stream.set_read_timeout(Some(timing::DOCTOR_ANSWERS))?;
    let mut frame = vec![0; SENT_BYTES];
    frame[..4].copy_from_slice(&CLAIMED_BYTES.to_be_bytes());
    let sent = match secret {
        Some(secret) => sealed(stream, secret, &frame)?,
        None => frame,
    };
    stream.write_all(&sent)?;
    stream.shutdown(Shutdown::Write)?;
    let mut buffer = [0; 1_024];
    for _ in 0..ANSWERS_MAX {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(true),
            Ok(_) => {}
            Err(e) => return Ok(e.kind() == ErrorKind::ConnectionReset),
        }
    }
    Ok(false)
}

/// Shakes hands as a node of the room does, and seals what is to be sent.
fn sealed(stream: &mut TcpStream, secret: &Secret, plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut cipher = LinkCipher::dial(secret, &mut out).map_err(io::Error::other)?;
    stream.write_all(&out)?;
    let (mut buffer, mut heard) = ([0; 1_024], Vec::new());
    while !cipher.is_ready() {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let received = cipher.receive(&buffer[..read], &mut heard, &mut Vec::new());
        received.map_err(io::Error::other)?;
    }
    out.clear();
    cipher.seal(plain, &mut out).map_err(io::Error::other)?;
    Ok(out)
}
