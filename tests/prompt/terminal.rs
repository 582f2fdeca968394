//! One papo in a pseudo-terminal of its own: keys go in, and what comes out is drawn by a terminal
//! emulator, so that tests look at the screen as a user does.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Resource, Rlimit, kill_process, prlimit};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::harness::{Room, Signal, eventually};

/// How long something on the screen may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub struct Terminal {
    master: File,
    slave: OwnedFd,
    emulator: vt100::Parser,
    output: Receiver<Vec<u8>>,
    /// Everything that came, for the report.
    raw: Vec<u8>,
    child: Child,
}

/// What a terminal is like, and what papo is told beside its room and its nick.
pub struct Setup<'a> {
    pub term: Option<&'static str>,
    pub cols: u16,
    pub rows: u16,
    pub args: &'a [&'a str],
    pub env: &'a [(&'a str, &'a str)],
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Setup {
            term: Some("xterm-256color"),
            cols: 80,
            rows: 24,
            args: &[],
            env: &[],
        }
    }
}

fn cells(n: u16) -> NonZero<u16> {
    NonZero::new(n).expect("a terminal has a size")
}

fn size(cols: u16, rows: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: cols,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

impl Terminal {
    /// Starts papo in a terminal of 80 columns and 24 rows.
    pub fn start(room: &Room<'_>, nick: &str) -> Terminal {
        Terminal::with(room, nick, Setup::default())
    }

    /// The same in a terminal that says of itself that it is of this type.
    pub fn of_type(term: Option<&'static str>, room: &Room<'_>, nick: &str) -> Terminal {
        let setup = Setup::default();
        Terminal::with(room, nick, Setup { term, ..setup })
    }

    /// The same in a terminal of this width.
    pub fn wide(cols: u16, room: &Room<'_>, nick: &str) -> Terminal {
        let setup = Setup::default();
        Terminal::with(room, nick, Setup { cols, ..setup })
    }

    /// The same in a terminal of this size.
    pub fn tall(cols: u16, rows: u16, room: &Room<'_>, nick: &str) -> Terminal {
        let setup = Setup::default();
        Terminal::with(
            room,
            nick,
            Setup {
                cols,
                rows,
                ..setup
            },
        )
    }

    /// The same with these options and this surroundings.
    pub fn with(room: &Room<'_>, nick: &str, setup: Setup<'_>) -> Terminal {
        let mut command = Command::new(env!("CARGO_BIN_EXE_papo"));
        command.args(["--interface", "127.0.0.1", "--group"]);
        command.arg(room.group.to_string());
        command.args(["--room", &room.name, "--nick", nick]);
        command.args(setup.args);
        Terminal::running(&command, &setup)
    }

    /// Any program with its arguments, in a terminal like this; it has no other surroundings than are given.
    pub fn running(program: &Command, setup: &Setup<'_>) -> Terminal {
        let (cols, rows) = (setup.cols, setup.rows);
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&master).expect("the terminal is ours");
        unlockpt(&master).expect("the terminal is free");
        let name = ptsname(&master, Vec::new()).expect("the terminal has a name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(&name, flags, Mode::empty()).expect("the terminal opens");
        tcsetwinsize(&slave, size(cols, rows)).expect("the terminal has a size");
        let copy = || slave.try_clone().expect("one more descriptor");
        // `setsid -c` makes it the controlling terminal, which job control needs.
        let mut command = Command::new("setsid");
        command.arg("-c").arg(program.get_program());
        command.args(program.get_args());
        command.env_clear();
        command.envs(setup.term.map(|term| ("TERM", term)));
        command.envs(setup.env.iter().copied());
        command.env("TZ", "UTC").env("PATH", "/usr/bin:/bin");
        command.stdin(copy()).stdout(copy()).stderr(copy());
        let child = command.spawn().expect("papo starts in the terminal");
        let master = File::from(master);
        let output = read_from(master.try_clone().expect("one more descriptor"));
        Terminal {
            master,
            slave,
            emulator: vt100::Parser::new(cells(rows), cells(cols), 1_000),
            output,
            raw: Vec::new(),
            child,
        }
    }

    pub fn keys(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("keys go in");
    }

    pub fn resize(&mut self, cols: u16, rows: u16) {
        tcsetwinsize(&self.slave, size(cols, rows)).expect("a new size");
        self.emulator
            .screen_mut()
            .set_size(cells(rows), cells(cols));
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("papo is there");
    }

    /// Nothing of papo's memory is left in a file, however it ends.
    pub fn forbid_core_dumps(&self) {
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        let pid = Pid::from_child(&self.child);
        prlimit(Some(pid), Resource::Core, none).expect("papo is there");
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything that papo wrote and was drawn.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }

    pub fn screen(&self) -> String {
        self.emulator.screen().contents()
    }

    /// The rows of the screen without the times at their beginnings.
    pub fn rows(&self) -> Vec<String> {
        let is_time = |row: &str| {
            let time = row.get(..6).unwrap_or_default().as_bytes();
            matches!(time, [a, b, b':', c, d, b' '] if [a, b, c, d].iter().all(|c| c.is_ascii_digit()))
        };
        let screen = self.screen();
        let rows = screen.lines().map(|row| match is_time(row) {
            true => format!("00:00 {}", &row[6..]),
            false => row.to_owned(),
        });
        rows.collect()
    }

    /// The row of the cursor up to the cursor, and what follows it.
    pub fn at_cursor(&self) -> (String, String) {
        let screen = self.emulator.screen();
        let (row, col) = screen.cursor_position();
        let (_, cols) = screen.size();
        let part = |from, to| screen.contents_between(row, from, row, to);
        (part(0, col), part(col, cols.get()).trim_end().to_owned())
    }

    /// Draws what comes until the screen is as wanted.
    #[track_caller]
    pub fn wait(&mut self, what: &str, ready: impl Fn(&Terminal) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !ready(self) {
            let left = until.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => {
                    self.emulator.process(&bytes);
                    self.raw.extend_from_slice(&bytes);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let start = self.raw.len().saturating_sub(600);
                    let raw = String::from_utf8_lossy(&self.raw[start..]);
                    panic!("{what} does not come:\n{}\n{raw:?}", self.screen());
                }
            }
        }
    }

    #[track_caller]
    pub fn shows(&mut self, text: &str) {
        self.wait(text, |t| t.screen().contains(text));
    }

    /// The prompt, with this text before and after the cursor.
    #[track_caller]
    pub fn prompt(&mut self, before: &str, after: &str) {
        let what = format!("the prompt with {before:?} and {after:?}");
        self.wait(&what, |t| {
            let (left, right) = t.at_cursor();
            left.ends_with(&format!("> {before}")) && right == after
        });
    }

    /// Whether lines are read as before papo: whole, and shown as they are typed.
    pub fn is_restored(&self) -> bool {
        let modes = tcgetattr(&self.slave).expect("the terminal has a mode");
        modes
            .local_modes
            .contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    pub fn is_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()));
        stat.is_ok_and(|s| s.rsplit(") ").next().is_some_and(|s| s.starts_with('T')))
    }

    /// Waits for papo's end.
    #[track_caller]
    pub fn exit(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("papo is our child") {
                return status;
            }
            // What it says last must not keep it from ending.
            if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(2)) {
                self.emulator.process(&bytes);
                self.raw.extend_from_slice(&bytes);
            }
            if Instant::now() > until {
                panic!("papo does not end:\n{}\n{}", self.state(), self.screen());
            }
        }
    }

    /// What the system says of a process that should have ended.
    fn state(&self) -> String {
        let of = |name: &str| {
            let text = std::fs::read_to_string(format!("/proc/{}/{name}", self.pid()));
            text.unwrap_or_default()
        };
        let lines = of("status");
        let wanted = |l: &&str| l.starts_with("State") || l.starts_with("S") && l.contains("ig");
        let lines: Vec<&str> = lines.lines().filter(wanted).collect();
        format!("{}\nin {} {}", lines.join("\n"), of("wchan"), of("syscall"))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_from(mut master: File) -> Receiver<Vec<u8>> {
    // So little is read ahead that a test that does not look leaves the terminal unread.
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n) = master.read(&mut buffer) {
            if n == 0 || sender.send(buffer[..n].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}
