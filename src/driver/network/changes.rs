//! The kernel's word that interfaces have come, gone or changed their addresses (rtnetlink(7)).
//!
//! Owns the socket that says so. What has changed it does not read: whoever is told looks at everything
//! anew, and does so without being told too, only less often.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};

/// `RTMGRP_LINK`, `RTMGRP_IPV4_IFADDR` and `RTMGRP_IPV6_IFADDR`.
const GROUPS: u32 = 0x1 | 0x10 | 0x100;
/// Messages thrown away at a time: more of them are another event.
const READS_MAX: usize = 256;

/// Hears of changes.
#[derive(Debug)]
pub(in crate::driver) struct Changes(OwnedFd);

impl Changes {
    /// Listens from now on.
    ///
    /// # Errors
    ///
    /// If the system does not let it.
    pub(in crate::driver) fn open(registry: &Registry, token: Token) -> io::Result<Changes> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        let raw = socket.as_raw_fd();
        registry.register(&mut SourceFd(&raw), token, Interest::READABLE)?;
        Ok(Changes(socket))
    }

    /// Throws away what was said; true if that was anything.
    pub(in crate::driver) fn take(&mut self) -> bool {
        let mut buffer = [0; 64];
        let mut read = || match recv(&self.0, &mut buffer[..], RecvFlags::TRUNC) {
            Err(Errno::AGAIN) => false,
            // Too much to be kept for this node, for example.
            Ok(_) | Err(_) => true,
        };
        (0..READS_MAX).take_while(|_| read()).count() > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_where_nothing_changes() {
        let poll = mio::Poll::new().unwrap();
        let mut changes = Changes::open(poll.registry(), Token(1)).unwrap();
        assert!(!changes.take());
    }
}
