//! Real processes for a lesson: papo itself, on 127.0.0.1, in a room of their own.
//!
//! Owns the processes and the directory of their files, and ends and removes both; and who is cut off from whom, which
//! the processes are told by files. What is seen of a node is what its trace says. Nothing here is part of a node's loop: this one may wait.

mod player;
mod tail;

use std::collections::BTreeSet;
use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::event::{Timespec, poll};

use crate::demo::{RECENT_MAX, Scene, Sent, State};
use crate::limits::DEMO_NODES_MAX;
use crate::wire::Key;

use super::clock::Clock;
use super::cuts;
use player::Player;

/// How often the traces are looked at.
const LOOK: Duration = Duration::from_millis(2);
/// The multicast address of all lessons; each has a port of its own.
const GROUP: &str = "239.255.112.98";
/// What is said of who has not started yet.
const NOT_UP: &str = "one of the two is not up yet";

/// All processes of a lesson.
#[derive(Debug)]
pub struct Troupe {
    clock: Clock,
    /// The clock on the wall at the begin, in milliseconds since 1970.
    begin_ms: u64,
    dir: PathBuf,
    group: String,
    players: Vec<Player>,
    /// Who cannot reach whom, the lower number first.
    cuts: BTreeSet<(usize, usize)>,
}

impl Troupe {
    /// Nobody yet.
    ///
    /// # Errors
    ///
    /// If there is no place for the traces, or no free port.
    pub fn new() -> Result<Troupe, String> {
        let (process, number) = (std::process::id(), fastrand::u32(..));
        let dir = std::env::temp_dir().join(format!("papo-demo-{process}-{number:08x}"));
        let fail = |e: std::io::Error| format!("demo: {}: {e}", dir.display());
        // A new one, and nobody else's: other users of this machine can write beside it.
        let made = fs::DirBuilder::new().mode(0o700).create(&dir);
        made.map_err(fail)?;
        let free = UdpSocket::bind("127.0.0.1:0").and_then(|s| s.local_addr());
        let port = free
            .map_err(|e| format!("demo: there is no free port: {e}"))?
            .port();
        let clock = Clock::new();
        Ok(Troupe {
            begin_ms: clock.now().wall_ms,
            clock,
            group: format!("{GROUP}:{port}"),
            dir,
            players: Vec::new(),
            cuts: BTreeSet::new(),
        })
    }

    /// Takes in what the traces say.
    fn look(&mut self) {
        let now = self.clock.now();
        self.players.iter_mut().for_each(|player| player.look(now));
    }

    fn number(&self, key: Key) -> Option<usize> {
        self.players.iter().position(|player| player.key == key)
    }

    /// The file of one of them.
    fn file(&self, actor: usize, what: &str) -> PathBuf {
        self.dir.join(format!("{actor}.{what}"))
    }

    /// Tells one of them whom it is cut off from.
    fn tell_cuts(&self, actor: usize) -> Result<(), String> {
        let others = (self.cuts.iter()).filter_map(|pair| match *pair {
            (a, b) if a == actor => Some(b),
            (a, b) if b == actor => Some(a),
            _ => None,
        });
        let known = others.filter_map(|other| {
            let player = &self.players[other];
            Some((player.key, player.address?))
        });
        let path = self.file(actor, "cuts");
        let written = cuts::write(&path, &known.collect::<Vec<_>>());
        written.map_err(|e| format!("demo: {}: {e}", path.display()))
    }

    /// The command that starts a node which writes this trace.
    fn command(&self, nick: &str, trace: &Path) -> Result<Command, String> {
        let program = crate::platform::own_program().map_err(|e| format!("demo: {e}"))?;
        let mut command = Command::new(program);
        command
            .args(["--config", "/dev/null", "--anonymous"])
            .args(["--interface", "127.0.0.1", "--room", "lesson"])
            // Without --stay: once the end of stdin comes, whoever gave the lesson is gone.
            .args(["--json", "--commands", "--trace-text"])
            .args(["--group", &self.group, "--nick", nick, "--trace"])
            .arg(trace)
            .stdin(Stdio::piped());
        // A lesson is the same whatever this user's rooms are.
        let names = std::env::vars_os().map(|(name, _)| name);
        for name in names.filter(|name| name.to_string_lossy().starts_with("PAPO_")) {
            command.env_remove(name);
        }
        command.env(cuts::VARIABLE, trace.with_extension("cuts"));
        Ok(command)
    }
}

impl Scene for Troupe {
    fn now(&self) -> u64 {
        self.clock.time().0
    }

    fn count(&self) -> usize {
        self.players.len()
    }

    fn state(&self, actor: usize) -> State {
        self.players[actor].state
    }

    fn name(&self, actor: usize) -> String {
        self.players[actor].name()
    }

    fn id(&self, actor: usize) -> Option<u64> {
        self.players[actor].id
    }

    fn leader(&self, actor: usize) -> Option<usize> {
        self.number(self.players[actor].leader?)
    }

    fn standing(&self, actor: usize) -> String {
        self.players[actor].standing.clone()
    }

    fn is_joined(&self, actor: usize) -> bool {
        self.players[actor].is_joined
    }

    fn members(&self, actor: usize) -> usize {
        self.players[actor].members
    }

    fn links(&self, actor: usize) -> usize {
        self.players[actor].links()
    }

    fn texts(&self, actor: usize) -> Vec<String> {
        self.players[actor].texts.clone()
    }

    fn recent(&self) -> Vec<Sent> {
        let mut all = Vec::new();
        for (from, player) in self.players.iter().enumerate() {
            all.extend(player.spoken.iter().map(|spoken| {
                Sent {
                    at: spoken.at.saturating_sub(self.begin_ms * 1_000),
                    from,
                    to: (player.hearers(spoken).iter())
                        .filter_map(|key| self.number(*key))
                        .collect(),
                    name: spoken.name.clone(),
                }
            }));
        }
        all.sort_by_key(|sent| std::cmp::Reverse(sent.at));
        all.truncate(RECENT_MAX);
        all
    }

    fn is_cut(&self, a: usize, b: usize) -> bool {
        self.cuts.contains(&(a.min(b), a.max(b)))
    }

    fn is_virtual(&self) -> bool {
        false
    }

    fn traced_since(&self) -> u64 {
        let first = self.players.iter().filter_map(Player::began_ms).min();
        first.map_or(0, |ms| ms.saturating_sub(self.begin_ms) * 1_000)
    }

    fn trouble(&self) -> Option<String> {
        let failed = self.players.iter().position(Player::has_failed)?;
        let said = fs::read_to_string(self.file(failed, "err")).unwrap_or_default();
        let last = said.lines().last().unwrap_or("it ended");
        let name = self.players[failed].name();
        Some(format!(
            "{name} could not go on: {last}; --simulated needs no network"
        ))
    }

    fn trace(&self) -> Result<Vec<u8>, String> {
        let mut all = Vec::new();
        for player in &self.players {
            all.extend(player.trace()?);
        }
        Ok(all)
    }

    fn start(&mut self, nick: &str) -> Result<usize, String> {
        let number = self.players.len();
        if number >= DEMO_NODES_MAX {
            return Err("there are too many nodes".to_owned());
        }
        let (trace, answers) = (self.file(number, "trace"), self.file(number, "out"));
        let open = |path: &Path| {
            let opened = fs::File::create(path);
            opened.map_err(|e| format!("demo: {}: {e}", path.display()))
        };
        let (stdout, stderr) = (open(&answers)?, open(&self.file(number, "err"))?);
        let mut command = self.command(nick, &trace)?;
        let child = command.stdout(stdout).stderr(stderr).spawn();
        let child = child.map_err(|e| format!("demo: papo cannot be started: {e}"))?;
        self.players.push(Player::new(child, nick, trace, answers));
        Ok(number)
    }

    fn say(&mut self, actor: usize, text: &str) {
        self.players[actor].write(text);
    }

    fn elect(&mut self, actor: usize) {
        self.players[actor].write("/elect");
    }

    fn kill(&mut self, actor: usize) {
        self.players[actor].kill(self.clock.now());
    }

    fn freeze(&mut self, actor: usize) {
        self.players[actor].freeze(self.clock.now());
    }

    fn thaw(&mut self, actor: usize) {
        self.players[actor].thaw();
    }

    fn cut(&mut self, a: usize, b: usize) -> Result<(), String> {
        self.look();
        if [a, b]
            .iter()
            .any(|one| self.players[*one].address.is_none())
        {
            return Err(NOT_UP.to_owned());
        }
        if a == b || !self.cuts.insert((a.min(b), a.max(b))) {
            return Ok(());
        }
        self.tell_cuts(a).and_then(|()| self.tell_cuts(b))
    }

    fn heal(&mut self, a: usize, b: usize) {
        if self.cuts.remove(&(a.min(b), a.max(b))) {
            // If the disk is full the two stay cut off from each other, which the screen shows.
            let told = self.tell_cuts(a).and_then(|()| self.tell_cuts(b));
            if told.is_err() {
                self.cuts.insert((a.min(b), a.max(b)));
            }
        }
    }

    fn follow(&mut self, _: Duration) {
        self.look();
    }

    fn step(&mut self) {}

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
            if self.clock.time() >= until || self.players.iter().any(Player::has_failed) {
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
        self.players.clear();
        let _ = fs::remove_dir_all(&self.dir);
    }
}
