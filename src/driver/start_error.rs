//! Why papo may not start or go on, in words that say what to do.
//!
//! Owns these words. Which of them applies is found out by whoever failed.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use rustix::io::Errno;

use crate::platform::{LISTING_NEEDS, reason};
use crate::store::StoreError;
use crate::ui::visible::{Tab, visible};

use super::irc::IrcAddress;
use super::network::Interface;

/// Why papo cannot start or go on. Displayed as one line that names the option and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The listener cannot be bound to this address.
    Listen(SocketAddr, io::Error),
    /// IRC clients cannot be listened for here.
    IrcListen(IrcAddress, io::Error),
    /// The group's address cannot be used.
    Group(SocketAddr, io::Error),
    /// An option cannot be followed; this is the whole line.
    Option(String),
    /// None of these interfaces can be used; the last one's reason.
    Interfaces(Vec<Interface>, io::Error),
    /// Stdin, stdout or stderr, named here, cannot be watched.
    Stdio(&'static str, io::Error),
    /// The room of this name is locked, and the node has no secret.
    Locked(String),
    /// The store at this path cannot be used.
    Store(PathBuf, StoreError),
    /// The system does not list this host's interfaces; true if papo could do without the list.
    NoList(io::Error, bool),
    /// The poll, the signals or the like.
    System(&'static str, io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(e) = self.cause().filter(|e| lacks_descriptors(e)) {
            let what = self.what_takes_descriptors();
            return write!(f, "cannot {what}: {}; {}", reason(e), remedy(e));
        }
        match self {
            StartError::Listen(at, e) => {
                let (why, remedy) = (reason(e), remedy_of_listening(e));
                write!(f, "cannot listen on {at}: {why}; {remedy} (--listen)")
            }
            StartError::IrcListen(at, e) => {
                let at = visible(&at.to_string(), Tab::Escape);
                let remedy = "choose another port or another file";
                write!(
                    f,
                    "cannot listen on {at}: {}; {remedy} (--irc-listen)",
                    reason(e)
                )
            }
            StartError::Group(at, e) => write!(
                f,
                "cannot use the multicast group {at}: {}; choose a multicast address like \
                 239.255.112.97 and a free port (--group)",
                reason(e)
            ),
            StartError::Option(line) => f.write_str(line),
            StartError::Interfaces(which, e) => {
                f.write_str("cannot multicast on ")?;
                for (n, interface) in which.iter().enumerate() {
                    write!(f, "{}{interface}", if n > 0 { ", " } else { "" })?;
                }
                write!(
                    f,
                    ": {}; choose an interface of this host that is up (--interface)",
                    reason(e)
                )
            }
            StartError::Locked(room) => write!(
                f,
                "the room \"{room}\" is locked; give its secret, or choose another room \
                 (--secret-file, PAPO_SECRET)"
            ),
            StartError::Store(path, e) => {
                let line = format!("--store {}: {e}", path.display());
                f.write_str(&visible(&line, Tab::Escape))
            }
            StartError::Stdio(which, e) => write!(
                f,
                "cannot use {which}: {}; redirect it to a terminal, a pipe, a file or /dev/null",
                reason(e)
            ),
            StartError::NoList(e, can_do_without) => f.write_str(&no_list(e, *can_do_without)),
            StartError::System(what, e) => write!(f, "cannot {what}: {}; {}", reason(e), remedy(e)),
        }
    }
}

impl StartError {
    /// What the system said, if it was the system that refused.
    fn cause(&self) -> Option<&io::Error> {
        match self {
            StartError::Listen(_, e)
            | StartError::IrcListen(_, e)
            | StartError::Group(_, e)
            | StartError::Interfaces(_, e)
            | StartError::Stdio(_, e)
            | StartError::NoList(e, _)
            | StartError::System(_, e) => Some(e),
            StartError::Option(_) | StartError::Locked(_) | StartError::Store(..) => None,
        }
    }

    /// What was to be done that takes descriptors, and was refused.
    fn what_takes_descriptors(&self) -> String {
        match self {
            StartError::Listen(at, _) => format!("listen on {at}"),
            StartError::IrcListen(at, _) => {
                format!("listen on {}", visible(&at.to_string(), Tab::Escape))
            }
            StartError::Group(at, _) => format!("use the multicast group {at}"),
            StartError::Interfaces(..) => "multicast".to_owned(),
            StartError::Stdio(which, _) => format!("use {which}"),
            StartError::System(what, _) => (*what).to_owned(),
            _ => "list the interfaces of this host".to_owned(),
        }
    }
}

fn remedy_of_listening(e: &io::Error) -> &'static str {
    match e.kind() {
        io::ErrorKind::AddrInUse => "choose another port, or 0 for any free one",
        io::ErrorKind::AddrNotAvailable => "choose an address of this host, or 0.0.0.0",
        io::ErrorKind::PermissionDenied => "choose a port from 1024 on",
        _ => "choose another address",
    }
}

fn no_list(e: &io::Error, can_do_without: bool) -> String {
    let why = reason(e);
    let line = format!("cannot list the interfaces of this host: {why}; {LISTING_NEEDS}");
    match can_do_without {
        true => {
            line + ", or do without: --no-multicast, and an address with --interface or --listen"
        }
        false => line,
    }
}

/// What is said of something that the system refused.
pub(super) fn system(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |e| StartError::System(what, e)
}

fn lacks_descriptors(e: &io::Error) -> bool {
    let lacking = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
    e.raw_os_error()
        .is_some_and(|errno| lacking.contains(&errno))
}

/// What to do about something that the system refused.
fn remedy(e: &io::Error) -> &'static str {
    match e.kind() {
        _ if lacks_descriptors(e) => "let papo have more descriptors (ulimit -n)",
        io::ErrorKind::OutOfMemory => "let papo have more memory, or end other programs",
        io::ErrorKind::PermissionDenied => "let papo do that, if a sandbox forbids it",
        _ => "the system refuses it: look whether a sandbox or a limit forbids it",
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StartError::Store(_, e) => Some(e),
            other => other.cause().map(|e| e as _),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::network::Datagrams;
    use super::super::streams::Listener;
    use super::*;

    #[test]
    fn a_port_in_use_is_told_in_one_line() {
        let first = Listener::open("127.0.0.1:0".parse().unwrap()).unwrap();
        let at = first.address().unwrap();
        let error = Listener::open(at).unwrap_err();
        let text = StartError::Listen(at, error).to_string();
        assert!(
            text.contains("--listen") && text.contains(&at.to_string()),
            "{text}"
        );
        assert!(!text.contains('\n'));
    }

    #[test]
    fn who_lacks_descriptors_is_told_so_whatever_takes_them() {
        let lack = || io::Error::from_raw_os_error(Errno::MFILE.raw_os_error());
        let at: SocketAddr = "127.0.0.1:29012".parse().unwrap();
        let errors = [
            (StartError::Listen(at, lack()), "listen on 127.0.0.1:29012"),
            (StartError::Group(at, lack()), "group 127.0.0.1:29012"),
            (StartError::Interfaces(Vec::new(), lack()), "multicast"),
            (StartError::Stdio("stdin", lack()), "use stdin"),
            (StartError::NoList(lack(), true), "list the interfaces"),
        ];
        for (error, what) in errors {
            let text = error.to_string();
            assert!(
                text.contains(what) && text.ends_with("(ulimit -n)"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_group_that_is_none_is_told_in_one_line() {
        let poll = mio::Poll::new().unwrap();
        let registry = poll.registry().try_clone().unwrap();
        let group = "127.0.0.1:29012".parse().unwrap();
        let error = Datagrams::new(registry, 0, Some(group)).unwrap_err();
        let text = StartError::Group(group, error).to_string();
        assert!(
            text.contains("--group") && text.contains("127.0.0.1:29012"),
            "{text}"
        );
    }
}
