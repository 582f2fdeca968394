//! The child processes: starting them, their pipes, signals to them, and their end.
//!
//! Each child has a thread that writes its standard input (so that saying something never blocks a
//! test, even when the child is stopped), one thread for each output, and one that waits for its end.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, kill_process, kill_process_group};

pub use rustix::process::Signal;

use super::PATIENCE;
use super::inbox::{Event, Inbox, Record};

/// A process about to be started.
#[derive(Debug)]
pub struct Launch {
    inbox: Arc<Inbox>,
    name: String,
    command: Command,
    stdin: Option<Stdio>,
    stdout: Output,
    whole_group: bool,
}

/// Who reads standard output.
#[derive(Debug)]
enum Output {
    /// The harness, as events.
    Events,
    /// The harness, as lines.
    Lines,
    /// Somebody else.
    Given(Stdio),
}

impl Launch {
    pub fn new(inbox: &Arc<Inbox>, name: &str, command: Command) -> Launch {
        Launch {
            inbox: Arc::clone(inbox),
            name: name.to_owned(),
            command,
            stdin: None,
            stdout: Output::Lines,
            whole_group: false,
        }
    }

    /// Standard output is `--json`.
    pub fn events(mut self) -> Launch {
        self.stdout = Output::Events;
        self
    }

    /// Instead of a pipe that the test writes to.
    pub fn stdin(mut self, from: impl Into<Stdio>) -> Launch {
        self.stdin = Some(from.into());
        self
    }

    /// Instead of a pipe that the test reads.
    pub fn stdout(mut self, to: impl Into<Stdio>) -> Launch {
        self.stdout = Output::Given(to.into());
        self
    }

    pub fn dir(mut self, dir: &std::path::Path) -> Launch {
        self.command.current_dir(dir);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Launch {
        self.command.env(name, value);
        self
    }

    /// A shell with children: signals and the end go to all of them.
    pub fn whole_group(mut self) -> Launch {
        use std::os::unix::process::CommandExt as _;
        self.command.process_group(0);
        self.whole_group = true;
        self
    }

    pub fn start(self) -> Node {
        let Launch {
            inbox,
            name,
            mut command,
            stdin,
            stdout,
            whole_group,
        } = self;
        let events = matches!(stdout, Output::Events);
        command.stdin(stdin.unwrap_or_else(Stdio::piped));
        command.stdout(match stdout {
            Output::Given(stdio) => stdio,
            Output::Events | Output::Lines => Stdio::piped(),
        });
        command.stderr(Stdio::piped());
        let index = inbox.add(&name);
        let born = Instant::now();
        let mut child = command
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {command:?}: {e}"));
        // Our own copies of files that were given to the child.
        drop(command);
        let pid = Pid::from_child(&child);
        let input = child.stdin.take().map(write_to);
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        inbox.update(index, |record| {
            record.born = born;
            record.open = usize::from(stdout.is_some()) + usize::from(stderr.is_some());
        });
        if let Some(stdout) = stdout {
            read_from(stdout, &inbox, index, move |record, line, is_whole| {
                if events {
                    record.take_event(&line, is_whole);
                } else {
                    record.lines.push((Instant::now(), line));
                }
            });
        }
        if let Some(stderr) = stderr {
            read_from(stderr, &inbox, index, |record, line, _| {
                record.stderr.push((Instant::now(), line));
            });
        }
        wait_for(child, &inbox, index);
        Node {
            name,
            born,
            inbox,
            index,
            pid,
            input,
            whole_group,
        }
    }
}

/// A process that was started. It is killed when this is dropped.
#[derive(Debug)]
pub struct Node {
    /// Its nick, mostly.
    pub name: String,
    /// Just before it was started.
    pub born: Instant,
    inbox: Arc<Inbox>,
    index: usize,
    pid: Pid,
    input: Option<mpsc::Sender<Vec<u8>>>,
    whole_group: bool,
}

impl Node {
    /// Writes a line to its standard input; never blocks.
    pub fn say(&self, line: &str) {
        self.write(format!("{line}\n").as_bytes());
    }

    /// Writes bytes to its standard input; never blocks, and does nothing if it is dead.
    pub fn write(&self, bytes: &[u8]) {
        let input = self.input.as_ref().expect("its stdin is a pipe, and open");
        let _ = input.send(bytes.to_vec());
    }

    /// A handle that writes to its standard input from another thread.
    pub fn input(&self) -> mpsc::Sender<Vec<u8>> {
        self.input.clone().expect("its stdin is a pipe, and open")
    }

    /// The end of its standard input, once everything is written.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Sends a signal, and tells when.
    pub fn signal(&self, signal: Signal) -> Instant {
        let now = Instant::now();
        // It may have ended by itself, which is for the test to judge.
        let _ = if self.whole_group {
            kill_process_group(self.pid, signal)
        } else if self.look(|record| record.exit.is_some()) {
            Ok(())
        } else {
            kill_process(self.pid, signal)
        };
        now
    }

    pub fn look<T>(&self, look: impl FnOnce(&Record) -> T) -> T {
        self.inbox.read(|log| look(&log.nodes[self.index]))
    }

    /// Waits for anything that any process of the room prints.
    pub fn wait_for_anything(&self, at_most: Duration) {
        self.inbox.wait_for_anything(at_most);
    }

    /// Waits for something of this process.
    #[track_caller]
    pub fn wait<T>(
        &self,
        what: &str,
        within: Duration,
        mut ready: impl FnMut(&Record) -> Option<T>,
    ) -> T {
        let what = format!("{}: {what}", self.name);
        self.inbox
            .wait(&what, within, |log| ready(&log.nodes[self.index]))
    }

    /// The first event for which `wanted` holds, waiting for it if need be.
    #[track_caller]
    pub fn event(&self, what: &str, wanted: impl Fn(&Event) -> bool) -> Arc<Event> {
        self.event_after(0, what, wanted)
    }

    /// The same, but not among the first `mark` events.
    #[track_caller]
    pub fn event_after(
        &self,
        mark: usize,
        what: &str,
        wanted: impl Fn(&Event) -> bool,
    ) -> Arc<Event> {
        let mut looked = mark;
        self.wait(what, PATIENCE, |record| {
            let found = record.events[looked..].iter().find(|e| wanted(e));
            looked = record.events.len();
            found.map(Arc::clone)
        })
    }

    /// How many events there are, for `event_after`.
    pub fn mark(&self) -> usize {
        self.look(|record| record.events.len())
    }

    /// Types a command, and waits for the event that answers it.
    #[track_caller]
    pub fn ask(&self, command: &str, answer: &str) -> Arc<Event> {
        let mark = self.mark();
        self.say(command);
        self.event_after(mark, &format!("an answer to {command}"), |e| e.is(answer))
    }

    /// Waits until it is a member.
    #[track_caller]
    pub fn joined(&self) -> Arc<Event> {
        self.event("joined", |e| e.is("joined"))
    }

    #[track_caller]
    pub fn id(&self) -> u64 {
        self.joined();
        self.look(|record| record.id).expect("it has joined")
    }

    pub fn pid(&self) -> Pid {
        self.pid
    }

    #[track_caller]
    pub fn key(&self) -> String {
        self.event("listening", |e| e.is("listening"))
            .text("key")
            .to_owned()
    }

    /// Waits until it has so many lines of `nick`.
    #[track_caller]
    pub fn heard(&self, nick: &str, lines: usize) {
        self.wait(&format!("{lines} lines of {nick}"), PATIENCE, |record| {
            (record.heard_of(nick) >= lines).then_some(())
        });
    }

    /// Waits until its view has so many members.
    #[track_caller]
    pub fn sees_members(&self, members: usize) {
        self.wait(&format!("{members} members"), PATIENCE, |record| {
            (record.view.len() == members).then_some(())
        });
    }

    /// Waits until so many lines of its standard error say this.
    #[track_caller]
    pub fn logs(&self, what: &str, times: usize) {
        let name = format!("{times} lines on stderr that say {what:?}");
        self.wait(&name, PATIENCE, |record| {
            let lines = record.stderr.iter();
            let said = lines.filter(|(_, line)| String::from_utf8_lossy(line).contains(what));
            (said.count() >= times).then_some(())
        });
    }

    /// Waits for its end, and for the end of its outputs.
    #[track_caller]
    pub fn exit_within(&self, within: Duration) -> (Instant, ExitStatus) {
        self.wait("its end", within, |record| {
            record.exit.filter(|_| record.open == 0)
        })
    }

    /// Waits for its end, and gives its exit status.
    #[track_caller]
    pub fn exit(&self) -> i32 {
        let (_, status) = self.exit_within(PATIENCE);
        status
            .code()
            .unwrap_or_else(|| panic!("{} ended by {status}", self.name))
    }

    pub fn stderr(&self) -> String {
        self.look(|record| text_of(&record.stderr))
    }

    /// What it printed as text so far, with line feeds.
    pub fn stdout(&self) -> String {
        self.look(|record| text_of(&record.lines))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if thread::panicking() && self.inbox.is_current() {
            eprint!("{}", self.inbox.report(self.index));
        }
        self.signal(Signal::KILL);
        let inbox = Arc::clone(&self.inbox);
        let deadline = Instant::now() + Duration::from_secs(10);
        while inbox.read(|log| log.nodes[self.index].exit.is_none()) && Instant::now() < deadline {
            inbox.wait_for_anything(Duration::from_millis(100));
        }
        if !thread::panicking() {
            let faults = self.look(|record| record.faults.clone());
            assert!(faults.is_empty(), "{}: {faults:#?}", self.name);
        }
    }
}

fn text_of(lines: &[(Instant, Vec<u8>)]) -> String {
    let mut text = String::new();
    for (_, line) in lines {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text
}

fn write_to(mut stdin: ChildStdin) -> mpsc::Sender<Vec<u8>> {
    let (sender, receiver) = mpsc::channel::<Vec<u8>>();
    thread::spawn(move || {
        while let Ok(bytes) = receiver.recv() {
            if stdin.write_all(&bytes).is_err() {
                return; // the child is gone
            }
        }
    });
    sender
}

fn read_from(
    output: impl Read + Send + 'static,
    inbox: &Arc<Inbox>,
    index: usize,
    take: impl Fn(&mut Record, Vec<u8>, bool) + Send + 'static,
) {
    let inbox = Arc::clone(inbox);
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        loop {
            let mut line = Vec::new();
            match output.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => {
                    let is_whole = line.pop_if(|b| *b == b'\n').is_some();
                    inbox.update(index, |record| take(record, line, is_whole));
                }
            }
        }
        inbox.update(index, |record| {
            record.open -= 1;
            record.check_end();
        });
    });
}

fn wait_for(mut child: Child, inbox: &Arc<Inbox>, index: usize) {
    let inbox = Arc::clone(inbox);
    thread::spawn(move || {
        if let Ok(status) = child.wait() {
            inbox.update(index, |record| {
                record.exit = Some((Instant::now(), status));
                record.check_end();
            });
        }
    });
}
