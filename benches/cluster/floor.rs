//! The floor as the scenarios use it: starts floor processes, links them, and times them.

use std::io::Write;
use std::process::{ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::floor_process::{FLAG, Load};
use super::process::{Lines, Process};
use super::procfs;

/// A running floor process.
#[derive(Debug)]
pub struct FloorProcess {
    /// The process.
    pub process: Process,
    /// Our end of its stdin.
    pub stdin: ChildStdin,
    /// What it says.
    pub lines: Lines,
    address: String,
}

impl FloorProcess {
    fn start(arguments: &[&str]) -> Result<FloorProcess, String> {
        let program = std::env::current_exe().map_err(|e| e.to_string())?;
        let mut command = Command::new(program);
        command.arg(FLAG).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::spawn(&mut command).map_err(|e| e.to_string())?;
        let stdin = process.take_stdin().ok_or("no stdin")?;
        let stdout = process.take_stdout().ok_or("no stdout")?;
        Ok(FloorProcess {
            process,
            stdin,
            lines: Lines::new(stdout),
            address: String::new(),
        })
    }

    fn start_listening(arguments: &[&str], deadline: Instant) -> Result<FloorProcess, String> {
        let mut floor = FloorProcess::start(arguments)?;
        let line = floor.lines.next(deadline)?;
        let port = line.strip_prefix("port ").ok_or("no port")?;
        floor.address = format!("127.0.0.1:{port}");
        Ok(floor)
    }

    fn say(&mut self, line: &str) -> Result<(), String> {
        let line = format!("{line}\n");
        self.stdin
            .write_all(line.as_bytes())
            .map_err(|e| e.to_string())
    }

    /// Waits until it has said this.
    pub fn expect(&mut self, word: &str, deadline: Instant) -> Result<(), String> {
        match self.lines.next(deadline) {
            Ok(line) if line == word => Ok(()),
            Ok(line) => Err(format!("the floor said {line}, not {word}")),
            Err(e) => Err(format!("the floor: {e}")),
        }
    }
}

/// Floor processes, each linked with each.
#[derive(Debug)]
pub struct Mesh {
    /// The processes.
    pub processes: Vec<FloorProcess>,
}

impl Mesh {
    /// Starts one process for each number in `sends`, which is how many messages of `size` it
    /// sends to each of the others.
    pub fn start(sends: &[u64], size: usize, deadline: Instant) -> Result<Mesh, String> {
        let bytes: Vec<u64> = sends.iter().map(|n| Load::new(*n, size).bytes()).collect();
        let total: u64 = bytes.iter().sum();
        let mut processes = Vec::new();
        for (sent, own) in sends.iter().zip(&bytes) {
            let (sent, expected) = (sent.to_string(), (total - own).to_string());
            let arguments = ["mesh", &sent, &size.to_string(), &expected];
            processes.push(FloorProcess::start_listening(&arguments, deadline)?);
        }
        let addresses: Vec<String> = processes.iter().map(|p| p.address.clone()).collect();
        for (i, process) in processes.iter_mut().enumerate() {
            let dialled = addresses[..i].join(" ");
            process.say(&format!("links {} {dialled}", addresses.len() - 1))?;
        }
        for process in &mut processes {
            process.expect("ready", deadline)?;
        }
        Ok(Mesh { processes })
    }

    /// Lets them go.
    pub fn go(&mut self) -> Result<Instant, String> {
        let start = Instant::now();
        for process in &mut self.processes {
            process.say("go")?;
        }
        Ok(start)
    }

    /// Waits until all of them, except `except`, have said this.
    pub fn wait(
        &mut self,
        word: &str,
        except: Option<usize>,
        deadline: Instant,
    ) -> Result<Instant, String> {
        for (i, process) in self.processes.iter_mut().enumerate() {
            if Some(i) != except {
                process.expect(word, deadline)?;
            }
        }
        Ok(Instant::now())
    }
}

/// What an exchange took.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// From the start until every process had every byte.
    pub time: Duration,
    /// The CPU time of all processes together, in seconds.
    pub cpu: f64,
}

/// What it takes until every process has every byte; `stopped` does not run meanwhile.
pub fn exchange(
    sends: &[u64],
    size: usize,
    stopped: Option<usize>,
    deadline: Instant,
) -> Result<Took, String> {
    let mut mesh = Mesh::start(sends, size, deadline)?;
    let pids: Vec<u32> = mesh.processes.iter().map(|p| p.process.id()).collect();
    let before = procfs::cpu_seconds(&pids)?;
    if let Some(stopped) = stopped {
        mesh.processes[stopped].process.signal(Signal::STOP);
    }
    let start = mesh.go()?;
    for (i, process) in mesh.processes.iter_mut().enumerate() {
        // With one stopped, the senders are never done.
        let can_end = stopped.is_none_or(|stopped| i != stopped && sends[i] == 0);
        if can_end {
            process.expect("done", deadline)?;
        }
    }
    let time = start.elapsed();
    let cpu = procfs::cpu_seconds(&pids)? - before;
    Ok(Took { time, cpu })
}

/// How long it takes from a death until every other process has noticed it.
pub fn death(processes: usize, deadline: Instant) -> Result<Duration, String> {
    let mut mesh = Mesh::start(&vec![0; processes], 16, deadline)?;
    mesh.go()?;
    // With nothing to send or receive, all are done at once.
    mesh.wait("done", None, deadline)?;
    let start = Instant::now();
    mesh.processes[0].process.signal(Signal::KILL);
    mesh.wait("gone", Some(0), deadline).map(|end| end - start)
}

/// Processes that hand so many messages to whoever connects.
#[derive(Debug)]
pub struct Servers {
    processes: Vec<FloorProcess>,
    bytes: u64,
}

impl Servers {
    /// Starts `count` of them.
    pub fn start(
        count: usize,
        messages: u64,
        size: usize,
        deadline: Instant,
    ) -> Result<Servers, String> {
        let (sent, bytes) = (messages.to_string(), Load::new(messages, size).bytes());
        let arguments = ["serve", &sent, &size.to_string()];
        let start = |_| FloorProcess::start_listening(&arguments, deadline);
        let processes = (0..count).map(start).collect::<Result<_, _>>()?;
        Ok(Servers { processes, bytes })
    }

    /// From the start of a process until it has linked with all, and has all messages from one.
    pub fn fetch(&self, deadline: Instant) -> Result<Duration, String> {
        let bytes = self.bytes.to_string();
        let addresses = self.processes.iter().map(|p| p.address.as_str());
        let arguments: Vec<&str> = ["fetch", &bytes].into_iter().chain(addresses).collect();
        let start = Instant::now();
        let mut newcomer = FloorProcess::start(&arguments)?;
        newcomer.expect("done", deadline)?;
        Ok(start.elapsed())
    }
}

/// A process that passes lines on, and those that get them.
#[derive(Debug)]
pub struct Relay {
    /// Takes lines on stdin; says `ok` for each that all have, if asked to.
    pub source: FloorProcess,
    /// Write the lines on stdout.
    pub sinks: Vec<FloorProcess>,
}

impl Relay {
    /// One source and `sinks` sinks.
    pub fn start(sinks: usize, acknowledged: bool, deadline: Instant) -> Result<Relay, String> {
        let flag = if acknowledged { "1" } else { "0" };
        let start = |_| FloorProcess::start_listening(&["sink", flag], deadline);
        let sinks = (0..sinks).map(start).collect::<Result<Vec<_>, _>>()?;
        let addresses = sinks.iter().map(|s| s.address.as_str());
        let arguments: Vec<&str> = ["source", flag].into_iter().chain(addresses).collect();
        let mut source = FloorProcess::start(&arguments)?;
        source.expect("ready", deadline)?;
        Ok(Relay { source, sinks })
    }
}
