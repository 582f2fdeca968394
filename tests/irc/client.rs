//! An IRC client that is a program's: lines out, lines in.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::harness::{Launch, Node, PATIENCE, Room};

/// `papo irc` in the surroundings of a room, and where clients connect.
pub struct Server {
    pub node: Node,
    pub port: u16,
}

impl Server {
    /// Clients are put into the room.
    pub fn start(room: &Room<'_>) -> Server {
        Server::with(room, &[])
    }

    pub fn with(room: &Room<'_>, args: &[&str]) -> Server {
        let port = free_port();
        let at = format!("127.0.0.1:{port}");
        let mut all = vec!["irc", "--irc-listen", &at, "--irc-name", "irc.test", "-v"];
        all.extend(args);
        let launch: Launch = room.papo("irc", &all);
        let node = launch.start();
        node.logs("IRC clients can connect", 1);
        Server { node, port }
    }

    /// Clients are put nowhere.
    pub fn alone(room: &Room<'_>, args: &[&str]) -> Server {
        let port = free_port();
        let at = format!("127.0.0.1:{port}");
        let group = room.group.to_string();
        let mut all = vec!["irc", "--interface", "127.0.0.1", "--group", &group];
        all.extend(["--irc-listen", &at, "--irc-name", "irc.test", "-v"]);
        all.extend(args);
        let node = room.raw(&all).start();
        node.logs("IRC clients can connect", 1);
        Server { node, port }
    }

    /// A client that has registered, and is in the room if it is put there.
    pub fn client(&self, nick: &str, caps: &str) -> Client {
        let mut client = self.connect();
        if !caps.is_empty() {
            client.say(&format!("CAP REQ :{caps}"));
        }
        client.say(&format!("NICK {nick}"));
        client.say("USER test 0 * :A Test");
        client.say("CAP END");
        client.gets(" 422 ");
        client
    }

    pub fn connect(&self) -> Client {
        let socket = TcpStream::connect(("127.0.0.1", self.port)).expect("papo listens");
        Client::new(socket)
    }
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it has an address").port()
}

pub struct Client {
    socket: Box<dyn Both>,
    unread: Vec<u8>,
    /// All lines so far.
    pub lines: Vec<String>,
    /// How many of them were looked at.
    seen: usize,
}

pub trait Both: Read + Write {}
impl<T: Read + Write> Both for T {}

impl Client {
    pub fn new(socket: TcpStream) -> Client {
        let timeout = Some(Duration::from_millis(20));
        socket.set_read_timeout(timeout).expect("a time-out");
        socket.set_write_timeout(timeout).expect("a time-out");
        Client::over(Box::new(socket))
    }

    pub fn over(socket: Box<dyn Both>) -> Client {
        Client {
            socket,
            unread: Vec::new(),
            lines: Vec::new(),
            seen: 0,
        }
    }

    pub fn say(&mut self, line: &str) {
        let bytes = format!("{line}\r\n");
        self.socket.write_all(bytes.as_bytes()).expect("papo reads");
    }

    /// Writes what goes in now; false if papo does not read, or is gone.
    pub fn try_write(&mut self, bytes: &[u8]) -> bool {
        self.socket.write_all(bytes).is_ok()
    }

    /// Reads what is there; false at the end of the stream.
    fn read(&mut self) -> bool {
        let mut bytes = [0; 16 * 1024];
        match self.socket.read(&mut bytes) {
            Ok(0) => return false,
            Ok(n) => self.unread.extend_from_slice(&bytes[..n]),
            Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => return false,
            Err(_) => return true,
        }
        while let Some(end) = self.unread.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            let line = String::from_utf8(line).expect("lines are UTF-8");
            self.lines.push(line.trim_end_matches("\r\n").to_owned());
        }
        true
    }

    /// Reads what is there by now.
    pub fn all_bytes(&mut self) {
        self.read();
    }

    /// How many lines have this in them, of those that came until now.
    pub fn count(&mut self, part: &str) -> usize {
        self.read();
        self.lines.iter().filter(|l| l.contains(part)).count()
    }

    /// The next line with this in it; those before it are passed over.
    #[track_caller]
    pub fn gets(&mut self, part: &str) -> String {
        self.gets_that(part, |line| line.contains(part))
    }

    /// Lines with these in them, in whatever order.
    #[track_caller]
    pub fn gets_all<const N: usize>(&mut self, parts: [&str; N]) {
        let from = self.seen;
        let mut last = from;
        for part in parts {
            self.seen = from;
            self.gets(part);
            last = last.max(self.seen);
        }
        self.seen = last;
    }

    /// Says several lines.
    pub fn say_all(&mut self, lines: &[&str]) {
        lines.iter().for_each(|line| self.say(line));
    }

    #[track_caller]
    pub fn gets_that(&mut self, what: &str, fits: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let found = self.lines[self.seen..].iter().position(|line| fits(line));
            if let Some(at) = found {
                self.seen += at + 1;
                return self.lines[self.seen - 1].clone();
            }
            let is_open = self.read();
            let is_late = !is_open || Instant::now() > until;
            assert!(
                !is_late,
                "{what:?} does not come after {:#?}",
                &self.lines[self.seen..]
            );
        }
    }

    /// Everything that came until now: what papo says first after this.
    #[track_caller]
    pub fn all(&mut self) -> Vec<String> {
        self.say("PING mark");
        let from = self.seen;
        self.gets("PONG irc.test :mark");
        let mut lines = self.lines[from..self.seen - 1].to_vec();
        lines.retain(|line| !line.contains(" PONG "));
        lines
    }

    /// Until papo closes the connection.
    #[track_caller]
    pub fn is_let_go(&mut self) {
        let until = Instant::now() + PATIENCE;
        while self.read() {
            assert!(
                Instant::now() < until,
                "papo does not let go: {:?}",
                self.lines
            );
        }
    }
}
