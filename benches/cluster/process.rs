//! Child processes: each in a process group of its own, and none left behind, whether the bench
//! ends well, panics or is interrupted.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use rustix::time::Timespec;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// The process groups that are to be killed if the bench is interrupted.
static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// A child process. Dropping it kills its group and reaps it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pid: Pid,
}

impl Process {
    /// Starts it in a process group of its own.
    pub fn spawn(command: &mut Command) -> io::Result<Process> {
        // Locked across the start: an interrupt finds every child that there is.
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.process_group(0).spawn()?;
        let pid = Pid::from_child(&child);
        groups.insert(pid.as_raw_nonzero().get());
        Ok(Process { child, pid })
    }

    /// The process id, for `/proc`.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Our end of its stdin, once.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Our end of its stdout, once.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Sends a signal. It cannot hit a stranger: the process is reaped only by `wait` and `drop`.
    pub fn signal(&self, signal: Signal) {
        // It may have ended already.
        let _ = rustix::process::kill_process(self.pid, signal);
    }

    /// Waits for its end, and says when that was; `/proc` still knows the process then.
    pub fn wait_unreaped(&self, deadline: Instant) -> Result<Instant, String> {
        let (sender, ended) = mpsc::channel();
        let pid = self.pid;
        std::thread::spawn(move || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            let wait = || rustix::process::waitid(WaitId::Pid(pid), options);
            while matches!(wait(), Err(rustix::io::Errno::INTR)) {}
            let _ = sender.send(Instant::now());
        });
        ended
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            .map_err(|_| "a process did not end in time".to_string())
    }

    /// Waits for its end, and says when that was.
    pub fn wait(&mut self, deadline: Instant) -> Result<(Instant, ExitStatus), String> {
        let at = self.wait_unreaped(deadline)?;
        let status = self.child.wait().map_err(|e| format!("wait: {e}"))?;
        self.forget();
        Ok((at, status))
    }

    fn forget(&self) {
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        groups.remove(&self.pid.as_raw_nonzero().get());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = rustix::process::kill_process_group(self.pid, Signal::KILL);
            let _ = self.child.wait();
        }
        self.forget();
    }
}

/// Kills every child. Their owners see them end.
pub fn kill_all() {
    kill_groups(&GROUPS.lock().unwrap_or_else(PoisonError::into_inner));
}

fn kill_groups(groups: &BTreeSet<i32>) {
    for group in groups.iter().filter_map(|g| Pid::from_raw(*g)) {
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
}

/// From now on SIGINT, SIGTERM and SIGHUP kill every child, then end the bench.
pub fn kill_all_on_signals() {
    let (read, write) = rustix::pipe::pipe().expect("a pipe");
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let write: OwnedFd = write.try_clone().expect("a descriptor");
        signal_hook::low_level::pipe::register(signal, write).expect("a signal handler");
    }
    std::thread::spawn(move || {
        let mut byte = [0];
        let _ = std::fs::File::from(read).read(&mut byte);
        let groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        kill_groups(&groups);
        // The lock is kept: nothing is started any more.
        std::process::exit(130);
    });
}

/// Waits until one of `flags` holds of a descriptor. False at the deadline.
pub fn wait_for(fd: impl AsFd, flags: PollFlags, deadline: Instant) -> bool {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok();
        let mut fds = [PollFd::new(&fd, flags)];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(0) => return false,
            Err(rustix::io::Errno::INTR) => {}
            Ok(_) | Err(_) => return true,
        }
    }
}

/// Lines from a pipe, each awaited with a deadline.
#[derive(Debug)]
pub struct Lines {
    pipe: OwnedFd,
    buffer: Vec<u8>,
    start: usize,
}

impl Lines {
    /// Reads this pipe.
    pub fn new(pipe: impl Into<OwnedFd>) -> Lines {
        Lines {
            pipe: pipe.into(),
            buffer: Vec::new(),
            start: 0,
        }
    }

    /// The next line, without its end.
    pub fn next(&mut self, deadline: Instant) -> Result<&str, String> {
        let end = loop {
            let rest = &self.buffer[self.start..];
            if let Some(n) = rest.iter().position(|b| *b == b'\n') {
                break self.start + n;
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            if !wait_for(&self.pipe, PollFlags::IN, deadline) {
                return Err("no line in time".to_string());
            }
            let old = self.buffer.len();
            self.buffer.resize(old + 64 * 1024, 0);
            let n = rustix::io::read(&self.pipe, &mut self.buffer[old..])
                .map_err(|e| format!("read: {e}"))?;
            self.buffer.truncate(old + n);
            if n == 0 {
                return Err("its output ended".to_string());
            }
        };
        let line = self.start..end;
        self.start = end + 1;
        std::str::from_utf8(&self.buffer[line]).map_err(|e| e.to_string())
    }
}

/// Sleeps until `at`, to the microsecond where the system can.
pub fn sleep_until(at: Instant) {
    let left = at.saturating_duration_since(Instant::now());
    if left > Duration::ZERO {
        std::thread::sleep(left);
    }
}

/// Makes the sleeps of this thread end on time: by default Linux adds up to 50 microseconds.
pub fn sleep_precisely() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
}

impl From<Lines> for OwnedFd {
    /// The pipe; what was read and not taken is dropped.
    fn from(lines: Lines) -> OwnedFd {
        lines.pipe
    }
}
