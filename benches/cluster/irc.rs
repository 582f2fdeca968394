//! IRC clients in one channel: how fast `papo irc` brings a line to all of them, beside ngIRCd in the same run.
//!
//! Owns the clients, all of them in one thread. Where there is no ngIRCd, there is no floor.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use super::bench::Bench;
use super::process::{Process, sleep_until};
use super::procfs;
use super::report::{Bar, Row};
use super::room::new_group;

const CLIENTS: usize = 100;
const LINES: u64 = 1_000;
/// How long the nodes of all clients have to find each other before lines are sent.
const SETTLES: Duration = Duration::from_secs(8);
const NGIRCD: &str = "/usr/sbin/ngircd";

struct Client {
    socket: mio::net::TcpStream,
    unread: Vec<u8>,
    is_in: bool,
    heard: u64,
}

impl Client {
    /// Takes in what is there.
    fn read(&mut self) -> Result<(), String> {
        let mut bytes = [0; 64 * 1024];
        loop {
            match self.socket.read(&mut bytes) {
                Ok(0) => return Err("the server has closed a connection".to_owned()),
                Ok(n) => self.unread.extend_from_slice(&bytes[..n]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(e) => return Err(format!("a client: {e}")),
            }
            let end = self
                .unread
                .iter()
                .rposition(|b| *b == b'\n')
                .map_or(0, |at| at + 1);
            for line in self.unread.drain(..end).as_slice().split(|b| *b == b'\n') {
                let text = String::from_utf8_lossy(line);
                self.is_in |= text.contains(" 366 ");
                self.heard += u64::from(text.contains("PRIVMSG #bench :line "));
            }
        }
    }
}

/// So many clients in one channel of a server.
struct Crowd {
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
}

impl Crowd {
    fn join(port: u16, name: &str, count: usize, deadline: Instant) -> Result<Crowd, String> {
        let failed = |e: std::io::Error| format!("a client: {e}");
        let mut crowd = Crowd {
            poll: Poll::new().map_err(failed)?,
            events: Events::with_capacity(1_024),
            clients: Vec::new(),
        };
        for n in 0..count {
            let mut socket = connect(port, deadline)?;
            let hello = format!("NICK {name}{n}\r\nUSER u 0 * :bench\r\nJOIN #bench\r\n");
            socket.write_all(hello.as_bytes()).map_err(failed)?;
            socket.set_nonblocking(true).map_err(failed)?;
            let mut socket = mio::net::TcpStream::from_std(socket);
            let registry = crowd.poll.registry();
            registry
                .register(&mut socket, Token(n), Interest::READABLE)
                .map_err(failed)?;
            crowd.clients.push(Client {
                socket,
                unread: Vec::new(),
                is_in: false,
                heard: 0,
            });
        }
        crowd.until("everybody is in", deadline, |all| {
            all.iter().all(|c| c.is_in)
        })?;
        Ok(crowd)
    }

    fn until(
        &mut self,
        what: &str,
        deadline: Instant,
        holds: impl Fn(&[Client]) -> bool,
    ) -> Result<(), String> {
        while !holds(&self.clients) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("{what}: not in time"));
            }
            let polled = self.poll.poll(&mut self.events, Some(left));
            polled.map_err(|e| format!("poll: {e}"))?;
            for event in &self.events {
                self.clients[event.token().0].read()?;
            }
        }
        Ok(())
    }

    /// One client says so many lines; how many each of the others gets in a second.
    fn talk(&mut self, lines: u64, size: usize, deadline: Instant) -> Result<f64, String> {
        let pad = "x".repeat(size);
        let all: String = (0..lines)
            .map(|n| format!("PRIVMSG #bench :line {n} {pad}\r\n"))
            .collect();
        let mut rest = all.as_bytes();
        let start = Instant::now();
        while !rest.is_empty() {
            match self.clients[0].socket.write(rest) {
                Ok(n) => rest = &rest[n..],
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(format!("the talker: {e}")),
            }
            let polled = self.poll.poll(&mut self.events, Some(Duration::ZERO));
            polled.map_err(|e| format!("poll: {e}"))?;
            for event in &self.events {
                self.clients[event.token().0].read()?;
            }
        }
        self.until("everybody hears all", deadline, |all| {
            all[1..].iter().all(|c| c.heard >= lines)
        })?;
        Ok(lines as f64 / start.elapsed().as_secs_f64())
    }
}

fn connect(port: u16, deadline: Instant) -> Result<TcpStream, String> {
    loop {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            Ok(socket) => return Ok(socket),
            Err(e) if Instant::now() > deadline => return Err(format!("connect: {e}")),
            Err(_) => sleep_until(Instant::now() + Duration::from_millis(5)),
        }
    }
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|e| e.to_string())?;
    Ok(listener.local_addr().map_err(|e| e.to_string())?.port())
}

/// Starts one, whose memory and rate are measured: bytes for each client, and lines a second.
fn measure(
    bench: &Bench,
    mut command: Command,
    port: u16,
    settles: Duration,
) -> Result<(f64, f64), String> {
    let deadline = bench.deadline;
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let server = Process::spawn(&mut command).map_err(|e| format!("{command:?}: {e}"))?;
    let one = Crowd::join(port, "first", 1, deadline)?;
    let before = procfs::pss_kib(server.id())?;
    drop(one);
    let mut crowd = Crowd::join(port, "n", CLIENTS, deadline)?;
    sleep_until(Instant::now() + settles);
    let rate = crowd.talk(
        bench.options.messages(LINES),
        bench.options.size(),
        deadline,
    )?;
    let grown = procfs::pss_kib(server.id())?.saturating_sub(before);
    Ok((rate, grown as f64 / CLIENTS as f64))
}

/// One client talks, the others listen.
pub fn irc(bench: &mut Bench) -> Result<(), String> {
    if !bench.papo_knows("irc") {
        bench.report.note("irc: this papo has no irc".to_owned());
        return Ok(());
    }
    let has_other = std::path::Path::new(NGIRCD).exists();
    if !has_other {
        bench
            .report
            .note("irc: no floor, since there is no ngIRCd (apt-get install ngircd)".to_owned());
    }
    let (mut rates, mut sizes, mut floor_rates, mut floor_sizes) = (vec![], vec![], vec![], vec![]);
    bench.repeat(3, |bench| {
        let port = free_port()?;
        let mut papo = Command::new(&bench.options.papo);
        papo.args(["irc", "--interface", "127.0.0.1", "--anonymous", "--group", &new_group()]);
        papo.args(["--irc-listen", &format!("127.0.0.1:{port}")]);
        let (rate, size) = measure(bench, papo, port, SETTLES)?;
        rates.push(rate);
        sizes.push(size);
        if has_other {
            let port = free_port()?;
            let text = format!(
                "[Global]\nName = irc.bench\nInfo = bench\nPorts = {port}\nListen = 127.0.0.1\n[Limits]\nMaxConnectionsIP = 0\n\
                 MaxPenaltyTime = 0\n[Options]\nDNS = no\nIdent = no\nPAM = no\n"
            );
            bench.write("ngircd.conf", &text);
            let mut other = Command::new(NGIRCD);
            other.args(["--nodaemon", "--config", &bench.path("ngircd.conf")]);
            let (rate, size) = measure(bench, other, port, Duration::from_millis(200))?;
            floor_rates.push(rate);
            floor_sizes.push(size);
        }
        Ok(())
    })?;
    let figure = format!(
        "{CLIENTS} clients, {} bytes; floor: ngIRCd",
        bench.options.size()
    );
    let row = Row::new("irc", &figure, "lines/s", rates)
        .higher()
        .floor(floor_rates);
    bench.report.add(row.bar(Bar::Ratio(1.0, 2.0)));
    let row = Row::new("irc", "memory for each client; floor: ngIRCd", "KiB", sizes);
    bench.report.add(row.floor(floor_sizes));
    Ok(())
}
