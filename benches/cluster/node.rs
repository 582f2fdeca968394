//! One papo process: how it is started, and what its `--json` events say of it.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::sync::mpsc::Sender;
use std::time::Instant;

use serde_json::Value;

use super::hosts::Hosts;
use super::process::Process;

/// Where a node's stdin comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// `/dev/null`.
    Null,
    /// A pipe that the bench writes.
    Pipe,
}

/// Where a node's stdout goes.
#[derive(Clone, Debug)]
pub enum Output {
    /// `/dev/null`.
    Null,
    /// A pipe that the scenario reads itself.
    Pipe,
    /// `--json` events, read by a thread into the room's channel.
    Events(usize, Sender<Seen>),
}

/// An event of a node, or the end of its output, and when it was read.
#[derive(Debug)]
pub struct Seen {
    /// Which node of the room.
    pub index: usize,
    /// When it was read.
    pub at: Instant,
    /// What it says; `None` when the output ended.
    pub event: Option<Value>,
}

/// A running papo.
#[derive(Debug)]
pub struct Node {
    /// The process.
    pub process: Process,
    /// Our end of its stdin.
    pub stdin: Option<ChildStdin>,
    /// Our end of its stdout, with [`Output::Pipe`].
    pub stdout: Option<ChildStdout>,
    /// Just before it was started.
    pub started: Instant,
    /// What its events said so far.
    pub known: Known,
    log: PathBuf,
}

/// What a node's events said so far.
#[derive(Debug, Default)]
pub struct Known {
    /// Its key.
    pub key: Option<String>,
    /// Its id.
    pub id: Option<u64>,
    /// When it first was a member.
    pub joined: Option<Instant>,
    /// How many messages its history held then.
    pub joined_history: u64,
    /// The coordinator's id, and when it last changed.
    pub coordinator: Option<(u64, Instant)>,
    /// The keys in its view.
    pub members: BTreeSet<String>,
    /// The answer to its last `/status`.
    pub status: Option<Value>,
    /// Its output has ended.
    pub ended: bool,
}

impl Known {
    /// Takes an event in.
    pub fn note(&mut self, event: &Value, at: Instant) {
        let text = |field: &str| event[field].as_str().map(str::to_string);
        match event["event"].as_str().unwrap_or_default() {
            "listening" => self.key = text("key"),
            "joined" => {
                self.id = event["id"].as_u64();
                self.joined.get_or_insert(at);
                self.joined_history = event["history"].as_u64().unwrap_or(0);
                self.members = keys(&event["members"]);
                self.follow(event["coordinator"].as_u64(), at);
            }
            "coordinator" => self.follow(event["id"].as_u64(), at),
            "member_joined" => self.members.extend(text("key")),
            "member_left" => {
                if let Some(key) = text("key") {
                    self.members.remove(&key);
                }
            }
            "status" => self.status = Some(event.clone()),
            _ => {}
        }
    }

    fn follow(&mut self, id: Option<u64>, at: Instant) {
        if let Some(id) = id
            && self.coordinator.is_none_or(|(known, _)| known != id)
        {
            self.coordinator = Some((id, at));
        }
    }
}

fn keys(members: &Value) -> BTreeSet<String> {
    let members = members.as_array().into_iter().flatten();
    members
        .filter_map(|m| m["key"].as_str().map(str::to_string))
        .collect()
}

/// What is the same for all nodes of a room.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// Where each node has a host of its own; else all are on this one, on loopback.
    pub hosts: Option<Rc<Hosts>>,
    /// The program.
    pub papo: String,
    /// The multicast address.
    pub group: String,
    /// What every node is told.
    pub arguments: Vec<String>,
    /// Where their stderr is kept.
    pub logs: PathBuf,
}

impl Launcher {
    /// Starts a node of this number; `arguments` may begin with a command.
    pub fn start(
        &self,
        (index, nick): (usize, &str),
        arguments: &[&str],
        input: Input,
        output: Output,
    ) -> Result<Node, String> {
        let log = self.logs.join(format!("{}-{nick}.log", self.group));
        let stderr = OpenOptions::new().create(true).append(true).open(&log);
        let stderr = stderr.map_err(|e| format!("{}: {e}", log.display()))?;
        let (mut command, place) = match &self.hosts {
            None => (Command::new(&self.papo), &["--interface", "127.0.0.1"][..]),
            Some(hosts) => (hosts.command(index), &[][..]),
        };
        command
            .args(arguments)
            .args(place)
            .args(["--group", &self.group])
            .args(["--nick", nick])
            .args(&self.arguments)
            .stdin(match input {
                Input::Null => Stdio::null(),
                Input::Pipe => Stdio::piped(),
            })
            .stdout(match output {
                Output::Null => Stdio::null(),
                Output::Pipe | Output::Events(..) => Stdio::piped(),
            })
            .stderr(stderr);
        if matches!(output, Output::Events(..)) {
            command.arg("--json");
        }
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("PAPO_") || name == "RUST_LOG" {
                command.env_remove(&*name);
            }
        }
        // The identity of whoever runs the bench is left alone.
        command.env("XDG_STATE_HOME", &self.logs);
        command.env("PAPO_CONFIG", "/dev/null");
        let started = Instant::now();
        let mut process =
            Process::spawn(&mut command).map_err(|e| format!("{}: {e}", self.papo))?;
        let stdin = process.take_stdin();
        let mut stdout = process.take_stdout();
        if let Output::Events(index, sender) = output
            && let Some(stdout) = stdout.take()
        {
            read_events(stdout, index, sender);
        }
        Ok(Node {
            process,
            stdin,
            stdout,
            started,
            known: Known::default(),
            log,
        })
    }
}

impl Node {
    /// Writes a line to its stdin.
    pub fn say(&mut self, line: &str) -> Result<(), String> {
        let stdin = self.stdin.as_mut().ok_or("its stdin is closed")?;
        stdin
            .write_all(format!("{line}\n").as_bytes())
            .map_err(|e| format!("writing to its stdin: {e}"))
    }

    /// What it last wrote on stderr, for a failure's message.
    pub fn complaint(&self) -> String {
        let Ok(log) = File::open(&self.log) else {
            return String::new();
        };
        let last = BufReader::new(log).lines().map_while(Result::ok).last();
        last.map_or(String::new(), |line| format!(" ({line})"))
    }

    /// Waits for its end in good order, and says when that was.
    pub fn wait_for_exit(&mut self, deadline: Instant) -> Result<Instant, String> {
        let waited = self.process.wait(deadline);
        let (at, status) = waited.map_err(|e| format!("{e}{}", self.complaint()))?;
        if status.success() {
            Ok(at)
        } else {
            Err(format!("papo ended with {status}{}", self.complaint()))
        }
    }
}

/// Reads a node's events into a channel, on a thread of its own.
pub fn read_events(stdout: ChildStdout, index: usize, sender: Sender<Seen>) {
    std::thread::spawn(move || {
        let mut stdout = BufReader::with_capacity(64 * 1024, stdout);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = stdout.read_until(b'\n', &mut line).unwrap_or(0);
            let at = Instant::now();
            let event = (read > 0).then(|| serde_json::from_slice(&line).unwrap_or_default());
            let ended = event.is_none();
            if sender.send(Seen { index, at, event }).is_err() || ended {
                return;
            }
        }
    });
}
