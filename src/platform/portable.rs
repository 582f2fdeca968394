//! The way of every system: it does without what only one of them has.
//!
//! Owns nothing. What would have to be asked of one system counts as unknown: the interfaces are looked at
//! every two seconds, since nothing says when they change.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use mio::{Registry, Token};
use rustix::time::{ClockId, Timespec, clock_gettime};
use socket2::Socket;

/// What has to be allowed for the interfaces to be listed.
pub(crate) const LISTING_NEEDS: &str = "let papo list them, if a sandbox forbids it";

/// Nothing says when interfaces change.
#[derive(Debug)]
pub(crate) enum Changes {}

impl Changes {
    /// There is nothing to listen to.
    ///
    /// # Errors
    ///
    /// Always.
    pub(crate) fn open(_: &Registry, _: Token) -> io::Result<Changes> {
        Err(ErrorKind::Unsupported.into())
    }

    /// Never called, since there is no value.
    pub(crate) fn take(&mut self) -> bool {
        match *self {}
    }
}

/// Which interfaces most likely lead to the local network: this is not known.
#[derive(Debug)]
pub(crate) struct Uplinks;

impl Uplinks {
    /// As it is now.
    pub(crate) fn now() -> Uplinks {
        Uplinks
    }

    /// How far back an interface stands: all stand in one row.
    pub(crate) fn rank(&self, _: &str) -> u8 {
        0
    }
}

/// Lets many nodes on one host hear the same group.
pub(crate) fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)
}

/// The kernel chooses as it does.
pub(crate) fn choose_port_late(_: &Socket) -> io::Result<()> {
    Ok(())
}

/// Keeps an IPv4 socket from hearing what it has not joined itself, which it does not anyway.
pub(crate) fn hear_only_joined(_: &Socket) -> io::Result<()> {
    Ok(())
}

/// The monotonic clock has to do; on macOS it stops while the machine sleeps, and what was missed shows as
/// silent links.
pub(crate) fn boot_time() -> Timespec {
    clock_gettime(ClockId::Monotonic)
}

/// A path that opens the same terminal once more; a pipe has none.
pub(crate) fn path_of(fd: BorrowedFd<'_>, _is_pipe: bool) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    let path = rustix::termios::ttyname(fd, Vec::new()).ok()?;
    Some(std::ffi::OsString::from_vec(path.into_bytes()).into())
}

/// Whether the process that started this one left the signal ignored: this is not known.
pub(crate) fn is_ignored(_signal: i32) -> bool {
    false
}

/// There are no locks of a byte that go with a file's other locks.
///
/// # Errors
///
/// Always.
pub(crate) fn lock_byte(_: &File, _: i64) -> io::Result<bool> {
    Err(ErrorKind::Unsupported.into())
}

/// This program's file.
///
/// # Errors
///
/// If the system does not tell.
pub(crate) fn own_program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// True if the process with this number, which started this one, goes on. Nothing ends this process with
/// it: what it does must come to an end by itself.
pub(crate) fn end_with_parent(parent: u32) -> bool {
    let now = rustix::process::getppid();
    now.is_some_and(|pid| u32::try_from(pid.as_raw_nonzero().get()) == Ok(parent))
}

/// The firewalls that seem to be in force here, by their names, as far as anybody may see them.
pub(crate) fn firewalls() -> Vec<&'static str> {
    Vec::new()
}

/// The directory for what a user decides about programs: what `XDG_CONFIG_HOME` says, or the usual one
/// below the user's home; none if neither is known.
pub(crate) fn config_home() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from);
    let absolute = |name| absolute(name).filter(|path| path.is_absolute());
    let usual = match cfg!(target_os = "macos") {
        true => "Library/Application Support",
        false => ".config",
    };
    absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(usual)))
}

/// The directory for what programs keep between their runs: what `XDG_STATE_HOME` says, or the usual one
/// below the user's home; none if neither is known.
pub(crate) fn state_home() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from);
    let absolute = |name| absolute(name).filter(|path| path.is_absolute());
    let usual = match cfg!(target_os = "macos") {
        true => "Library/Application Support",
        false => ".local/state",
    };
    absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(usual)))
}
