//! Rooms of their own, so that tests run side by side: a random multicast address on 127.0.0.1, a
//! free port, a random name; and the command lines that lead there.

use std::marker::PhantomData;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::gate::Permit;
use super::inbox::{Inbox, Log};
use super::process::{Launch, Node};
use super::random;

const PAPO: &str = env!("CARGO_BIN_EXE_papo");
const STATE_HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/state");
const CONFIG_HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/config");
const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

/// One room that nobody else is in.
#[derive(Debug)]
pub struct Room<'permit> {
    pub group: SocketAddrV4,
    pub name: String,
    inbox: Arc<Inbox>,
    permit: PhantomData<&'permit Permit>,
}

impl<'permit> Room<'permit> {
    pub fn new(_permit: &'permit Permit) -> Room<'permit> {
        let mut rng = random();
        Room {
            group: free_group(&mut rng),
            name: format!("room-{:08x}", rng.u32(..)),
            inbox: Inbox::new(),
            permit: PhantomData,
        }
    }

    /// Another room on the same multicast address.
    pub fn neighbour(&self) -> Room<'permit> {
        Room {
            group: self.group,
            name: format!("{}-b", self.name),
            inbox: Arc::clone(&self.inbox),
            permit: PhantomData,
        }
    }

    /// A room of this name on the same multicast address.
    pub fn called(&self, name: &str) -> Room<'permit> {
        Room {
            group: self.group,
            name: name.to_owned(),
            inbox: Arc::clone(&self.inbox),
            permit: PhantomData,
        }
    }

    /// Starts a node that prints events, obeys commands and stays.
    pub fn join(&self, nick: &str) -> Node {
        self.join_with(nick, &[])
    }

    pub fn join_with(&self, nick: &str, options: &[&str]) -> Node {
        let mut args = vec!["--json", "--commands", "--stay"];
        args.extend_from_slice(options);
        self.papo(nick, &args).events().start()
    }

    /// Starts nodes that print events, one right after the other.
    pub fn join_all<const N: usize>(&self, nicks: [&str; N]) -> [Node; N] {
        nicks.map(|nick| self.join(nick))
    }

    /// Any command line of papo, in this room: a subcommand may come first in `args`.
    pub fn papo(&self, nick: &str, args: &[&str]) -> Launch {
        let mut command = self.bare(PAPO);
        let (subcommand, rest) = match args {
            [first, rest @ ..] if !first.starts_with('-') => (Some(first), rest),
            all => (None, all),
        };
        command.args(subcommand);
        command.args(["--interface", "127.0.0.1", "--group"]);
        command.arg(self.group.to_string());
        command.args(["--room", &self.name]);
        if subcommand != Some(&"scan") {
            command.args(["--nick", nick]);
        }
        if std::env::var_os("PAPO_TEST_VERBOSE").is_some() {
            command.arg("-vv");
        }
        command.args(rest);
        Launch::new(&self.inbox, nick, command)
    }

    /// A command line of papo that is wrong or needs no room: exactly these arguments.
    pub fn raw(&self, args: &[&str]) -> Launch {
        let mut command = self.bare(PAPO);
        command.args(args);
        Launch::new(&self.inbox, "raw", command)
    }

    /// A script for bash in which `papo` means this room.
    pub fn bash(&self, name: &str, script: &str) -> Launch {
        let mut command = self.bare("bash");
        let dir = Path::new(PAPO).parent().expect("a file has a directory");
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .args(["-c", script, "bash"])
            .env("PATH", format!("{}:{path}", dir.display()))
            .env("PAPO_INTERFACE", "127.0.0.1")
            .env("PAPO_GROUP", self.group.to_string())
            .env("PAPO_ROOM", &self.name);
        Launch::new(&self.inbox, name, command).whole_group()
    }

    fn bare(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PAPO_") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        // The identity of whoever runs the tests is left alone; all nodes are one person's.
        command.env("XDG_STATE_HOME", STATE_HOME);
        // So is their configuration.
        command.env("XDG_CONFIG_HOME", CONFIG_HOME);
        command
    }

    /// Waits for something of all processes in the order in which they were started.
    #[track_caller]
    pub fn wait<T>(&self, what: &str, within: Duration, ready: impl FnMut(&Log) -> Option<T>) -> T {
        self.inbox.wait(what, within, ready)
    }

    pub fn wait_for_anything(&self, at_most: Duration) {
        self.inbox.wait_for_anything(at_most);
    }
}

/// A random address of the administratively scoped range, and a port below those that the system
/// hands out by itself.
fn free_group(rng: &mut fastrand::Rng) -> SocketAddrV4 {
    for _ in 0..1_000 {
        let port = rng.u16(20_000..32_000);
        let is_free = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok();
        if is_free && can_be_shared(port) {
            let address = Ipv4Addr::new(239, 255, rng.u8(128..250), rng.u8(1..250));
            return SocketAddrV4::new(address, port);
        }
    }
    panic!("no free UDP port");
}

/// True if a node can use this port now. A process that another test was just starting holds the socket that looked
/// whether the port is free, until it runs its own program.
fn can_be_shared(port: u16) -> bool {
    let any = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port);
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).expect("there are sockets");
    let shared = socket.set_reuse_address(true);
    shared.and_then(|()| socket.bind(&any.into())).is_ok()
}

/// Writes a file that only its owner may read, as a secret is kept.
pub fn write_secret(path: &Path, text: impl AsRef<[u8]>) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).expect("the directory is ours");
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, mode).expect("the file is ours");
}

/// Who may do what with a file: the permissions, without the kind of file.
#[track_caller]
pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    let facts = std::fs::metadata(path).expect("it is there");
    facts.permissions().mode() & 0o777
}

/// An empty directory that goes with its owner.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl std::ops::Deref for Scratch {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn scratch_dir() -> Scratch {
    let name = format!("papo-{:016x}", random().u64(..));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&dir).expect("the target directory can be written");
    Scratch(dir)
}

/// The block of code in the README that follows the invisible line `<!-- tested: NAME -->`: what the
/// README shows is what runs.
#[track_caller]
pub fn readme_snippet(name: &str) -> String {
    let readme = std::fs::read_to_string(README).expect("there is a README.md");
    let marker = format!("<!-- tested: {name} -->");
    let (_, rest) = readme
        .split_once(&marker)
        .unwrap_or_else(|| panic!("README.md has no line {marker}"));
    let (_, rest) = rest.split_once("```sh\n").expect("a block of sh follows");
    let (code, _) = rest.split_once("```").expect("the block ends");
    code.to_owned()
}

/// The README quotes this line.
#[track_caller]
pub fn readme_has(line: &str) {
    let readme = std::fs::read_to_string(README).expect("there is a README.md");
    let line = line.trim_end();
    let is_quoted = |quoted: &str| quoted.strip_prefix("    ") == Some(line);
    assert!(readme.lines().any(is_quoted), "not in the README: {line}");
}

/// The rows of the screen in the README that follow such a line, without their indent.
#[track_caller]
pub fn readme_screen(name: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(README).expect("there is a README.md");
    let marker = format!("<!-- tested: {name} -->");
    let (_, rest) = readme
        .split_once(&marker)
        .unwrap_or_else(|| panic!("README.md has no line {marker}"));
    let rows = rest.trim_start_matches('\n').lines();
    let rows = rows.map_while(|row| row.strip_prefix("    "));
    rows.map(str::to_owned).collect()
}
