//! Linux's way.
//!
//! Owns the socket on which the kernel tells of changes, and the reading of `/proc` and `/sys`. What cannot
//! be read there counts as unknown, never as an error.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::IpBindAddressNoPort;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use rustix::time::{ClockId, Timespec, clock_gettime};
use socket2::Socket;

/// `RTMGRP_LINK`, `RTMGRP_IPV4_IFADDR` and `RTMGRP_IPV6_IFADDR`.
const GROUPS: u32 = 0x1 | 0x10 | 0x100;
/// Messages thrown away at a time: more of them are another event.
const READS_MAX: usize = 256;
/// `RTF_REJECT`: a route that leads nowhere.
const REJECTS: u32 = 0x200;

/// What has to be allowed for the interfaces to be listed.
pub(crate) const LISTING_NEEDS: &str = "allow papo netlink sockets (AF_NETLINK in systemd's \
    RestrictAddressFamilies)";

/// Hears that interfaces have come, gone or changed their addresses (rtnetlink(7)). What has changed it
/// does not read: whoever is told looks at everything anew.
#[derive(Debug)]
pub(crate) struct Changes(OwnedFd);

impl Changes {
    /// Listens from now on.
    ///
    /// # Errors
    ///
    /// If the system does not let it.
    pub(crate) fn open(registry: &Registry, token: Token) -> io::Result<Changes> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        let raw = socket.as_raw_fd();
        registry.register(&mut SourceFd(&raw), token, Interest::READABLE)?;
        Ok(Changes(socket))
    }

    /// Throws away what was said; true if that was anything.
    pub(crate) fn take(&mut self) -> bool {
        let mut buffer = [0; 64];
        let mut read = || match recv(&self.0, &mut buffer[..], RecvFlags::TRUNC) {
            Err(Errno::AGAIN) => false,
            // Too much to be kept for this node, for example.
            Ok(_) | Err(_) => true,
        };
        (0..READS_MAX).take_while(|_| read()).count() > 0
    }
}

/// Which interfaces most likely lead to the local network.
#[derive(Debug)]
pub(crate) struct Uplinks {
    /// The names of those with a default route.
    routed: Vec<String>,
}

impl Uplinks {
    /// As it is now.
    pub(crate) fn now() -> Uplinks {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let v4 = read("/proc/net/route");
        let v6 = read("/proc/net/ipv6_route");
        let routed = v4.lines().filter_map(default_route_v4);
        let routed = routed.chain(v6.lines().filter_map(default_route_v6));
        Uplinks {
            routed: routed.map(str::to_owned).collect(),
        }
    }

    /// How far back an interface stands: 0 with a default route and a device, 1 with a default route, 2
    /// with a device alone, 3 with neither (a bridge, a tunnel, a virtual cable).
    pub(crate) fn rank(&self, name: &str) -> u8 {
        let has_device = Path::new("/sys/class/net")
            .join(name)
            .join("device")
            .exists();
        match (self.routed.iter().any(|r| r == name), has_device) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => 3,
        }
    }
}

/// The interface of a line of `/proc/net/route`, if it is a default route.
fn default_route_v4(line: &str) -> Option<&str> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [name, to, _, flags, _, _, _, mask, ..] = fields.as_slice() else {
        return None;
    };
    let leads = u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & REJECTS == 0);
    (leads && *to == "00000000" && *mask == "00000000").then_some(*name)
}

/// The interface of a line of `/proc/net/ipv6_route`, if it is a default route.
fn default_route_v6(line: &str) -> Option<&str> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [to, bits, _, _, _, _, _, _, flags, name] = fields.as_slice() else {
        return None;
    };
    let leads = u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & REJECTS == 0);
    let is_default = *bits == "00" && to.bytes().all(|digit| digit == b'0');
    (leads && is_default).then_some(*name)
}

/// Lets many nodes on one host hear the same group.
pub(crate) fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_address(true)
}

/// The port of a socket that is bound to an address is chosen by its connection, and not by the address alone: some
/// hundred nodes of one host have more links with each other than there are ports.
pub(crate) fn choose_port_late(socket: &Socket) -> io::Result<()> {
    setsockopt(socket, IpBindAddressNoPort, &true).map_err(io::Error::from)
}

/// Keeps an IPv4 socket from hearing what other programs on this host have joined on other interfaces.
pub(crate) fn hear_only_joined(socket: &Socket) -> io::Result<()> {
    socket.set_multicast_all_v4(false)
}

/// A clock that goes on while the machine sleeps.
pub(crate) fn boot_time() -> Timespec {
    clock_gettime(ClockId::Boottime)
}

/// A path that opens the same pipe or terminal once more.
pub(crate) fn path_of(fd: BorrowedFd<'_>, is_pipe: bool) -> Option<PathBuf> {
    let is_possible = is_pipe || rustix::termios::isatty(fd);
    is_possible.then(|| PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd())))
}

/// Whether the process that started this one left the signal ignored.
pub(crate) fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = (status.lines())
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Locks one byte of a file for writing, for as long as the file is open here (F_OFD_SETLK, fcntl(2)); false
/// if somebody else has it.
///
/// # Errors
///
/// If the file system, or an emulated kernel, has no such locks.
pub(crate) fn lock_byte(file: &fs::File, at: i64) -> io::Result<bool> {
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc;

    let range = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: at,
        l_len: 1,
        l_pid: 0,
    };
    match fcntl(file, FcntlArg::F_OFD_SETLK(&range)) {
        Ok(_) => Ok(true),
        Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EACCES) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// This program's file, also if another one has taken its place since.
///
/// # Errors
///
/// Never here.
pub(crate) fn own_program() -> io::Result<PathBuf> {
    Ok(PathBuf::from("/proc/self/exe"))
}

/// Has this process end when the one with this number does, which started it; false if that has ended.
pub(crate) fn end_with_parent(parent: u32) -> bool {
    let asked = set_parent_process_death_signal(Some(Signal::KILL));
    asked.is_ok() && is_parent(parent)
}

fn is_parent(parent: u32) -> bool {
    getppid().is_some_and(|pid| u32::try_from(pid.as_raw_nonzero().get()) == Ok(parent))
}

/// The directory for what programs keep between their runs: what `XDG_STATE_HOME` says, or the usual one
/// below the user's home; none if neither is known.
pub(crate) fn state_home() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from);
    let absolute = |name| absolute(name).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))
}

/// The directory for what a user decides about programs: what `XDG_CONFIG_HOME` says, or the usual one
/// below the user's home; none if neither is known.
pub(crate) fn config_home() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from);
    let absolute = |name| absolute(name).filter(|path| path.is_absolute());
    absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))
}

/// The firewalls that seem to be in force here, by their names, as far as anybody may see them.
pub(crate) fn firewalls() -> Vec<&'static str> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let mut found = Vec::new();
    if read("/etc/ufw/ufw.conf")
        .lines()
        .any(|line| line.trim() == "ENABLED=yes")
    {
        found.push("ufw");
    }
    if Path::new("/sys/fs/cgroup/system.slice/firewalld.service").exists() {
        found.push("firewalld");
    }
    // The tables of the old way; only root may see them.
    if found.is_empty()
        && read("/proc/net/ip_tables_names")
            .lines()
            .any(|name| name == "filter")
    {
        found.push("iptables");
    }
    found
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

    #[test]
    fn default_routes_are_told_from_others() {
        let head =
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT";
        let default = "eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0";
        let subnet = "eth1\t0002A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0";
        let half = "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0";
        let rejected = "eth2\t00000000\t0102A8C0\t0203\t0\t0\t100\t00000000\t0\t0\t0";
        assert_eq!(default_route_v4(default), Some("eth0"));
        for line in [head, subnet, half, rejected, "", "eth0"] {
            assert_eq!(default_route_v4(line), None, "{line}");
        }
        let v6 = |bits, flags, name| {
            let zeros = "0".repeat(32);
            format!("{zeros} {bits} {zeros} 00 {zeros} 00000400 00000001 00000000 {flags} {name}")
        };
        assert_eq!(
            default_route_v6(&v6("00", "00000003", "eth0")),
            Some("eth0")
        );
        assert_eq!(default_route_v6(&v6("40", "00000003", "eth0")), None);
        assert_eq!(default_route_v6(&v6("00", "00200200", "lo")), None);
    }
}
