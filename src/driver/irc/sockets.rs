//! The sockets of IRC clients: TCP, and those in the file system.
//!
//! Owns how they are opened and that the file of one goes with it. It knows nothing of what is said on them.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use mio::event::Source;
use mio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use mio::{Interest, Registry, Token};
use rustix::fs::Mode;

use super::IrcAddress;

/// Where clients connect.
#[derive(Debug)]
pub(super) enum Door {
    Tcp(TcpListener),
    /// Only who owns the file may connect. It is deleted with the listener.
    Unix(UnixListener, PathBuf),
}

impl Door {
    /// Listens there.
    ///
    /// # Errors
    ///
    /// If the address cannot be had.
    pub(super) fn open(at: &IrcAddress) -> io::Result<Door> {
        match at {
            IrcAddress::Tcp(at) => TcpListener::bind(*at).map(Door::Tcp),
            IrcAddress::Unix(path) => {
                remove_left_over(path)?;
                // The file is never there with more permissions, not even for a moment.
                let before = rustix::process::umask(Mode::from_raw_mode(0o177));
                let listener = UnixListener::bind(path);
                rustix::process::umask(before);
                listener.map(|l| Door::Unix(l, path.clone()))
            }
        }
    }

    /// Where it listens, as it is said to people.
    pub(super) fn address(&self) -> String {
        match self {
            Door::Tcp(listener) => {
                let at = listener.local_addr();
                at.map(|at| at.to_string()).unwrap_or_default()
            }
            Door::Unix(_, path) => format!("unix:{}", path.display()),
        }
    }

    /// The next one who waits, and from which host it is.
    pub(super) fn accept(&self) -> io::Result<(Socket, String)> {
        match self {
            Door::Tcp(listener) => {
                let (socket, peer): (TcpStream, SocketAddr) = listener.accept()?;
                // A line that waits for the next one is late.
                let _ = socket.set_nodelay(true);
                let host = peer.ip().to_canonical().to_string();
                // What begins with a colon would end a line's parameters.
                let host = if host.starts_with(':') {
                    format!("0{host}")
                } else {
                    host
                };
                Ok((Socket::Tcp(socket), host))
            }
            Door::Unix(listener, _) => {
                let (socket, _) = listener.accept()?;
                Ok((Socket::Unix(socket), "localhost".to_owned()))
            }
        }
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let source: &mut dyn Source = match self {
            Door::Tcp(listener) => listener,
            Door::Unix(listener, _) => listener,
        };
        source.register(registry, token, Interest::READABLE)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Door::Unix(_, path) = self {
            let _ = fs::remove_file(path);
        }
    }
}

/// A socket that a process has left behind that is no more. One that somebody listens at stays, and so does anything
/// else that is there.
fn remove_left_over(path: &Path) -> io::Result<()> {
    let Ok(found) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::other("something is there that is no socket"));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(ErrorKind::AddrInUse.into()),
        Err(e) if e.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(_) => Ok(()),
    }
}

/// The connection of one client.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    pub(super) fn source(&mut self) -> &mut dyn Source {
        match self {
            Socket::Tcp(socket) => socket,
            Socket::Unix(socket) => socket,
        }
    }
}

impl Read for Socket {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => socket.read(bytes),
            Socket::Unix(socket) => socket.read(bytes),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => socket.write(bytes),
            Socket::Unix(socket) => socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
