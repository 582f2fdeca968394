//! Real processes for a lesson: papo itself, on 127.0.0.1, in a room of their own.
//!
//! Owns the processes and the directory of their traces, and ends and removes both. What is seen of a node is what its
//! trace says, so that nobody has to ask it anything. Nothing here is part of a node's loop: this one may wait.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};

use crate::demo::Scene;
use crate::limits::DEMO_NODES_MAX;
use crate::trace::format::{Line, What};
use crate::wire::Key;

use super::clock::Clock;

/// How often the traces are looked at.
const LOOK: Duration = Duration::from_millis(2);
/// The multicast address of all lessons; each has a port of its own.
const GROUP: &str = "239.255.112.98";

/// One process, and what its trace has said so far.
#[derive(Debug)]
struct Player {
    child: Child,
    nick: String,
    trace: PathBuf,
    read: u64,
    /// The begin of a line whose end is not written yet.
    rest: Vec<u8>,
    is_up: bool,
    key: Key,
    id: Option<u64>,
    leader: Option<Key>,
    is_joined: bool,
    members: usize,
    links: Vec<u64>,
    texts: Vec<String>,
}

/// All processes of a lesson.
#[derive(Debug)]
pub struct Troupe {
    clock: Clock,
    dir: PathBuf,
    group: String,
    players: Vec<Player>,
}

impl Troupe {
    /// Nobody yet.
    ///
    /// # Errors
    ///
    /// If there is no place for the traces, or no free port.
    pub fn new() -> Result<Troupe, String> {
        let dir = std::env::temp_dir().join(format!("papo-demo-{}", std::process::id()));
        let fail = |e: std::io::Error| format!("demo: {}: {e}", dir.display());
        fs::create_dir_all(&dir).map_err(fail)?;
        let free = UdpSocket::bind("127.0.0.1:0").and_then(|s| s.local_addr());
        let port = free
            .map_err(|e| format!("demo: there is no free port: {e}"))?
            .port();
        Ok(Troupe {
            clock: Clock::new(),
            group: format!("{GROUP}:{port}"),
            dir,
            players: Vec::new(),
        })
    }

    fn signal(&self, actor: usize, signal: Signal) {
        // Whoever has ended already needs no signal.
        let _ = kill_process(Pid::from_child(&self.players[actor].child), signal);
    }

    fn write(&mut self, actor: usize, line: &str) {
        if let Some(stdin) = &mut self.players[actor].child.stdin {
            // Whoever has ended reads nothing, which the lesson notices.
            let _ = writeln!(stdin, "{line}");
        }
    }

    /// Takes in what the traces say.
    fn look(&mut self) {
        for player in &mut self.players {
            player.look();
        }
    }
}

impl Player {
    fn look(&mut self) {
        let mut bytes = std::mem::take(&mut self.rest);
        let mut read = || -> std::io::Result<()> {
            let mut file = File::open(&self.trace)?;
            file.seek(SeekFrom::Start(self.read))?;
            self.read += file.read_to_end(&mut bytes)? as u64;
            Ok(())
        };
        // It may not be there yet.
        let _ = read();
        let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |end| end + 1);
        self.rest = bytes.split_off(whole);
        for line in bytes.split(|b| *b == b'\n') {
            if let Ok(line) = serde_json::from_slice::<Line>(line) {
                self.take(line);
            }
        }
    }

    fn take(&mut self, line: Line) {
        self.key = line.key.0;
        match line.what {
            What::Coordinator { claim } => self.leader = Some(claim.1.0),
            What::Standing { standing, .. } => match standing.as_str() {
                "coordinator" => self.leader = Some(self.key),
                "member" => {}
                _ => self.leader = None,
            },
            What::View { size, new, .. } => {
                self.members = usize::try_from(size).unwrap_or(usize::MAX);
                let own = new.iter().find(|who| who.0.0 == self.key);
                self.id = own.map(|who| who.1).or(self.id);
            }
            What::Joined { .. } => self.is_joined = true,
            What::Open { link, .. } => self.links.push(link),
            What::Closed { link, .. } => self.links.retain(|l| *l != link),
            // What came with the history is told as it came, without order.
            What::Taken { texts, .. } => self.texts.extend(texts),
            What::Got { m, said, .. } if m == "CHUNK" && !self.is_joined => {
                self.texts.extend(said.texts);
            }
            _ => {}
        }
    }
}

impl Scene for Troupe {
    fn now(&self) -> u64 {
        self.clock.time().0
    }

    fn count(&self) -> usize {
        self.players.len()
    }

    fn is_up(&self, actor: usize) -> bool {
        self.players[actor].is_up
    }

    fn name(&self, actor: usize) -> String {
        let player = &self.players[actor];
        let id = player.id.map(|id| format!("#{id}"));
        format!("{}{}", player.nick, id.unwrap_or_default())
    }

    fn id(&self, actor: usize) -> Option<u64> {
        self.players[actor].id
    }

    fn leader(&self, actor: usize) -> Option<usize> {
        let leader = self.players[actor].leader?;
        self.players.iter().position(|p| p.key == leader)
    }

    fn is_joined(&self, actor: usize) -> bool {
        self.players[actor].is_joined
    }

    fn members(&self, actor: usize) -> usize {
        self.players[actor].members
    }

    fn links(&self, actor: usize) -> usize {
        self.players[actor].links.len()
    }

    fn texts(&self, actor: usize) -> Vec<String> {
        self.players[actor].texts.clone()
    }

    fn trace(&self) -> Result<Vec<u8>, String> {
        let mut all = Vec::new();
        for player in &self.players {
            let read = fs::read(&player.trace);
            all.extend(read.map_err(|e| format!("demo: {}: {e}", player.trace.display()))?);
        }
        Ok(all)
    }

    fn start(&mut self, nick: &str) -> Result<usize, String> {
        let number = self.players.len();
        if number >= DEMO_NODES_MAX {
            return Err("there are too many nodes".to_owned());
        }
        let trace = self.dir.join(format!("{number}.trace"));
        let program = crate::platform::own_program().map_err(|e| format!("demo: {e}"))?;
        let mut command = Command::new(program);
        command
            .args([
                "--config",
                "/dev/null",
                "--anonymous",
                "--interface",
                "127.0.0.1",
            ])
            .args([
                "--room",
                "lesson",
                "--stay",
                "--json",
                "--commands",
                "--trace-text",
            ])
            .args(["--group", &self.group, "--nick", nick, "--trace"])
            .arg(&trace)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // A lesson is the same whatever this user's rooms are.
        let names = std::env::vars_os().map(|(name, _)| name);
        for name in names.filter(|name| name.to_string_lossy().starts_with("PAPO_")) {
            command.env_remove(name);
        }
        let child = command
            .spawn()
            .map_err(|e| format!("demo: papo cannot be started: {e}"))?;
        self.players.push(Player {
            child,
            nick: nick.to_owned(),
            trace,
            read: 0,
            rest: Vec::new(),
            is_up: true,
            key: Key(0),
            id: None,
            leader: None,
            is_joined: false,
            members: 0,
            links: Vec::new(),
            texts: Vec::new(),
        });
        Ok(number)
    }

    fn say(&mut self, actor: usize, text: &str) {
        self.write(actor, text);
    }

    fn elect(&mut self, actor: usize) {
        self.write(actor, "/elect");
    }

    fn kill(&mut self, actor: usize) {
        self.signal(actor, Signal::KILL);
        self.players[actor].is_up = false;
    }

    fn freeze(&mut self, actor: usize) {
        self.signal(actor, Signal::STOP);
        self.players[actor].is_up = false;
    }

    fn thaw(&mut self, actor: usize) {
        self.signal(actor, Signal::CONT);
        self.players[actor].is_up = true;
    }

    fn cut(&mut self, _: usize, _: usize) -> Result<(), String> {
        Err(
            "the network of real processes is not cut here; play this one with --simulated"
                .to_owned(),
        )
    }

    fn heal(&mut self, _: usize, _: usize) {}

    fn pass(&mut self, time: Duration) {
        self.wait(time, &|_| false);
    }

    fn wait(&mut self, limit: Duration, is_so: &dyn Fn(&dyn Scene) -> bool) -> bool {
        let until = self.clock.time() + limit;
        loop {
            self.look();
            if is_so(self) {
                return true;
            }
            if self.clock.time() >= until {
                return false;
            }
            let pause = Timespec {
                tv_sec: 0,
                tv_nsec: i64::from(LOOK.subsec_nanos()),
            };
            // A signal only makes the pause shorter.
            let _ = poll(&mut [], Some(&pause));
        }
    }
}

impl Drop for Troupe {
    fn drop(&mut self) {
        for player in &mut self.players {
            let _ = player.child.kill();
            let _ = player.child.wait();
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}
