//! A shell that lives in namespaces of its own, and whether this machine allows that.
//!
//! The namespaces are those of the shell: they go when it goes, and it goes when its standard input
//! ends, so nothing is left behind even if the test is killed.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

/// What the tests call, and the Debian package that has it.
const TOOLS: [(&str, &str); 7] = [
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("nsenter", "util-linux"),
    ("python3", "python3"),
    ("setpriv", "util-linux"),
    ("sh", "dash"),
    ("unshare", "util-linux"),
];
/// If this variable is set, a test that cannot run fails.
pub const NO_SKIP: &str = "PAPO_TEST_NO_SKIP";
/// The commands that are needed, on a small scale.
const TRIAL: &str = "
    ip netns add trial
    ip link add bridge type bridge
    ip link add port type veth peer name eth0 netns trial
    ip link set port master bridge
    nsenter --net=/run/netns/trial true
    for family in inet bridge; do
        nft \"table $family trial {
            chain trial {
                meta l4proto udp numgen random mod 100 < 30 drop
            }
        }\"
    done
";
const DONE: &str = "-- done --";

/// Where namespaces come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Origin {
    /// In a user namespace of our own, where we are root.
    User,
    /// We are root.
    Root,
}

/// A shell in its own network and mount namespaces, with an empty `/run`.
#[derive(Debug)]
pub struct Shell {
    origin: Origin,
    child: Child,
    pipes: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Shell {
    /// None, after saying why, if this machine does not allow it.
    pub fn new() -> Option<Shell> {
        static ORIGIN: OnceLock<Result<Origin, String>> = OnceLock::new();
        match ORIGIN.get_or_init(find_origin) {
            Ok(origin) => Some(Shell::start(*origin).expect("it worked a moment ago")),
            Err(why) => {
                let test = std::thread::current();
                let test = test.name().unwrap_or("a test");
                assert!(
                    std::env::var_os(NO_SKIP).is_none(),
                    "{test} cannot run: {why}"
                );
                super::tell(&format!("SKIPPED {test}: {why}"));
                None
            }
        }
    }

    fn start(origin: Origin) -> Result<Shell, String> {
        let mut child = Command::new("unshare")
            .arg(match origin {
                Origin::User => "-Urnm",
                Origin::Root => "-nm",
            })
            .arg("sh")
            .env("PATH", path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("unshare: {e}"))?;
        let stdin = child.stdin.take().expect("it is a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let shell = Shell {
            origin,
            child,
            pipes: RefCell::new((stdin, stdout)),
        };
        shell.try_run("mount -t tmpfs tmpfs /run && mkdir /run/netns")?;
        Ok(shell)
    }

    /// Runs a script, and gives what it printed.
    #[track_caller]
    pub fn run(&self, script: &str) -> String {
        match self.try_run(script) {
            Ok(output) => output,
            Err(e) => panic!("{script}\n{e}"),
        }
    }

    /// The same; what it printed is the error if any of its commands failed.
    pub fn try_run(&self, script: &str) -> Result<String, String> {
        let (stdin, stdout) = &mut *self.pipes.borrow_mut();
        // The last status of the shell's own list is not subject to `set -e`.
        let list = format!("( set -e\n{script}\n) 2>&1 </dev/null\necho \"{DONE} $?\"\n");
        let dead = |e: &dyn std::fmt::Display| format!("no shell in namespaces of its own: {e}");
        stdin.write_all(list.as_bytes()).map_err(|e| dead(&e))?;
        let mut output = String::new();
        loop {
            let mut line = String::new();
            match stdout.read_line(&mut line) {
                Ok(0) => return Err(dead(&"not permitted, probably")),
                Ok(_) => {}
                Err(e) => return Err(dead(&e)),
            }
            match line.strip_prefix(DONE) {
                Some(status) if status.trim() == "0" => return Ok(output),
                Some(_) => return Err(output),
                None => output.push_str(&line),
            }
        }
    }

    /// A program in the network of `host` that ends when the thread ends that starts it. The
    /// process that is started becomes the program: signals reach it.
    pub fn command_in(&self, host: &str, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        // The identity and the configuration of whoever runs the tests are left alone.
        let state = concat!(env!("CARGO_TARGET_TMPDIR"), "/state");
        let configuration = concat!(env!("CARGO_TARGET_TMPDIR"), "/config");
        command.env("PATH", path()).env("XDG_STATE_HOME", state);
        command.env("XDG_CONFIG_HOME", configuration);
        command.args(["--target", &self.child.id().to_string(), "--mount"]);
        if self.origin == Origin::User {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg("--wd=/");
        command.args(["nsenter", &format!("--net=/run/netns/{host}")]);
        command.args(["setpriv", "--pdeathsig", "KILL", program]);
        command
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// With the directories that only root has in its path.
fn path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/sbin:/sbin")
}

fn find_origin() -> Result<Origin, String> {
    let path = path();
    let exists = |tool: &str| {
        path.split(':')
            .any(|dir| Path::new(dir).join(tool).exists())
    };
    if let Some((tool, package)) = TOOLS.iter().find(|(tool, _)| !exists(tool)) {
        return Err(format!("there is no {tool} (Debian's package {package})"));
    }
    let attempt = |origin| Shell::start(origin)?.try_run(TRIAL).map(|_| origin);
    attempt(Origin::User).or_else(|user| {
        attempt(Origin::Root).map_err(|root| format!("{} / {}", user.trim(), root.trim()))
    })
}
