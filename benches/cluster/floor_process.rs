//! The floor's side of a process: the bytes of papo's frames over loopback TCP, and no protocol.
//!
//! The bench starts itself with [`FLAG`] and one of these roles. Each says what it does on stdout
//! (`port`, `ready`, `done`) and ends with its stdin.
//!
//! | role | does |
//! | --- | --- |
//! | `mesh` | links with others, sends so many messages to each and receives so many bytes; says when a peer dies |
//! | `serve` | sends so many messages to whoever connects |
//! | `fetch` | connects, receives so many bytes, ends |
//! | `source` | lines of stdin to every sink, in one frame per read |
//! | `sink` | frames from the source to lines on stdout, and acknowledged if asked to |

use std::io::{self, BufRead, IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::rc::Rc;

use papo::limits::BATCH_BYTES_MAX;
use papo::wire::{ChatMessage, Draft, FrameReader, Key, Message, decode_message, encode_frame};
use rustix::event::{PollFd, PollFlags, poll};

/// The first argument of a floor process.
pub const FLAG: &str = "--floor";
/// How many frames one `writev` carries at most.
const FRAMES_PER_WRITE: usize = 16;
/// How much one `read` takes at most.
const READ_BYTES: usize = 128 * 1024;
/// What a HELLO has, about.
const HELLO_BYTES: usize = 128;

/// Runs one role. A failure ends the process: the bench sees its output end.
pub fn run(arguments: &[String]) -> ExitCode {
    let mut words = arguments.iter().map(String::as_str);
    let role = words.next().unwrap_or_default();
    let words: Vec<&str> = words.collect();
    let number = |i: usize| words.get(i).and_then(|w| w.parse().ok()).unwrap_or(0);
    let done = match role {
        "mesh" => mesh(number(0), size(number(1)), number(2)),
        "serve" => serve(number(0), size(number(1))),
        "fetch" => fetch(number(0), words.get(1..).unwrap_or_default()),
        "source" => source(number(0) > 0, words.get(1..).unwrap_or_default()),
        "sink" => sink(number(0) > 0),
        _ => Err(io::Error::other("no such role")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("floor {role}: {e}");
            ExitCode::FAILURE
        }
    }
}

fn size(n: u64) -> usize {
    usize::try_from(n).unwrap_or(0)
}

/// A chat message as papo's own, with a text of this size.
pub fn chat_message(seq: u64, text: String) -> ChatMessage {
    ChatMessage::new(&Draft {
        origin: Key(0x8c8f_1a2b_3c4d_5e6f),
        seq,
        timestamp: (1_750_000_000_000 << 16) + seq,
        sent_at: 1_750_000_000_000,
        from: 3,
        nick: "n3".into(),
        dependencies: Vec::new().into(),
        text: text.into(),
    })
    .expect("a valid message")
}

/// So many messages, in full frames that are all alike, and a last frame.
#[derive(Debug)]
pub struct Load {
    frame: Rc<[u8]>,
    full_bytes: u64,
    last: Rc<[u8]>,
}

impl Load {
    /// `messages` messages with texts of `size` bytes, batched as papo batches them.
    pub fn new(messages: u64, size: usize) -> Load {
        let message = chat_message(100_000, "x".repeat(size));
        let per_frame = (BATCH_BYTES_MAX / message.size_bound()).max(1);
        let frame = |n: usize| {
            let batch = vec![message.clone(); n];
            encode_frame(&Message::Chat(batch)).expect("a valid message")
        };
        let full = frame(per_frame);
        let (frames, rest) = (messages / per_frame as u64, messages % per_frame as u64);
        Load {
            full_bytes: frames * full.len() as u64,
            frame: full,
            last: if rest == 0 {
                Rc::from([])
            } else {
                frame(usize::try_from(rest).unwrap_or(0))
            },
        }
    }

    /// The bytes of all frames.
    pub fn bytes(&self) -> u64 {
        self.full_bytes + self.last.len() as u64
    }

    /// Writes on from this position; returns what was written and what could have been.
    fn write(&self, stream: &mut TcpStream, position: u64) -> io::Result<(usize, usize)> {
        let mut slices = [IoSlice::new(&[]); FRAMES_PER_WRITE];
        let (mut at, mut count) = (position, 0);
        while count < FRAMES_PER_WRITE && at < self.bytes() {
            let bytes = if at < self.full_bytes {
                let into = usize::try_from(at % self.frame.len() as u64).unwrap_or(0);
                &self.frame[into..]
            } else {
                &self.last[usize::try_from(at - self.full_bytes).unwrap_or(0)..]
            };
            slices[count] = IoSlice::new(bytes);
            at += bytes.len() as u64;
            count += 1;
        }
        let offered = slices[..count].iter().map(|s| s.len()).sum();
        let written = stream.write_vectored(&slices[..count])?;
        Ok((written, offered))
    }
}

/// A link, and how far both directions are.
struct Link {
    stream: TcpStream,
    sent: u64,
    to_send: u64,
    received: u64,
    blocked: bool,
    ended: bool,
}

impl Link {
    fn new(stream: TcpStream, to_send: u64) -> io::Result<Link> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Link {
            stream,
            sent: 0,
            to_send,
            received: 0,
            blocked: false,
            ended: false,
        })
    }

    /// One write.
    fn send(&mut self, load: &Load) {
        match load.write(&mut self.stream, self.sent) {
            Ok((written, offered)) => {
                self.sent += written as u64;
                self.blocked = written < offered;
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.blocked = true,
            Err(_) => self.ended = true,
        }
    }

    /// One read.
    fn receive(&mut self, buffer: &mut [u8]) {
        match self.stream.read(buffer) {
            Ok(0) => self.ended = true,
            Ok(n) => self.received += n as u64,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.ended = true,
        }
    }

    fn is_sending(&self) -> bool {
        self.sent < self.to_send && !self.ended
    }
}

fn say(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

/// The next line of stdin. The bench writes one, then waits for an answer: nothing is behind it.
fn command() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end().to_string())
}

fn listen() -> io::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    say(&format!("port {}", listener.local_addr()?.port()))?;
    Ok(listener)
}

fn mesh(messages: u64, size: usize, expected: u64) -> io::Result<()> {
    let load = Load::new(messages, size);
    let listener = listen()?;
    // "links N ADDR...": how many links there will be, and which of them are to be dialled.
    let peers = command()?;
    let mut words = peers.split_whitespace().skip(1);
    let count: usize = words.next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut links = Vec::new();
    for address in words {
        links.push(Link::new(TcpStream::connect(address)?, load.bytes())?);
    }
    while links.len() < count {
        links.push(Link::new(listener.accept()?.0, load.bytes())?);
    }
    say("ready")?;
    command()?;
    exchange(&load, &mut links, None, Some(expected))
}

fn serve(messages: u64, size: usize) -> io::Result<()> {
    let load = Load::new(messages, size);
    let listener = listen()?;
    exchange(&load, &mut Vec::new(), Some(&listener), None)
}

/// Sends and receives until stdin ends. Says `done` once everything is sent and received, and
/// `gone` for each peer that ended.
fn exchange(
    load: &Load,
    links: &mut Vec<Link>,
    listener: Option<&TcpListener>,
    mut expected: Option<u64>,
) -> io::Result<()> {
    let mut buffer = vec![0; READ_BYTES];
    let stdin = io::stdin();
    loop {
        for link in links.iter_mut().filter(|l| l.is_sending() && !l.blocked) {
            link.send(load);
        }
        let received: u64 = links.iter().map(|l| l.received).sum();
        if expected.is_some_and(|n| received >= n) && !links.iter().any(Link::is_sending) {
            expected = None;
            say("done")?;
        }
        let writes_on = links.iter().any(|l| l.is_sending() && !l.blocked);
        let timeout = writes_on.then(rustix::time::Timespec::default);
        let mut fds = vec![PollFd::new(&stdin, PollFlags::IN)];
        for link in links.iter() {
            let flags = match (link.ended, link.is_sending() && link.blocked) {
                (true, _) => PollFlags::empty(),
                (false, true) => PollFlags::IN | PollFlags::OUT,
                (false, false) => PollFlags::IN,
            };
            fds.push(PollFd::new(&link.stream, flags));
        }
        if let Some(listener) = listener {
            fds.push(PollFd::new(listener, PollFlags::IN));
        }
        poll(&mut fds, timeout.as_ref())?;
        let ready: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
        if !ready[0].is_empty() {
            return Ok(());
        }
        let mut gone = 0;
        for (link, flags) in links.iter_mut().zip(&ready[1..]) {
            if flags.contains(PollFlags::OUT) {
                link.blocked = false;
            }
            if flags.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) && !link.ended {
                link.receive(&mut buffer);
                gone += usize::from(link.ended);
            }
        }
        if let Some(listener) = listener
            && ready.last().is_some_and(|r| r.contains(PollFlags::IN))
        {
            // A newcomer: HELLO, then what there is to have.
            let mut stream = listener.accept()?.0;
            stream.write_all(&[0; HELLO_BYTES])?;
            links.push(Link::new(stream, load.bytes())?);
        }
        if listener.is_none() {
            (0..gone).try_for_each(|_| say("gone"))?;
        }
        links.retain(|l| listener.is_none() || !l.ended);
    }
}

/// Links with all, and receives so many bytes from the first.
fn fetch(bytes: u64, addresses: &[&str]) -> io::Result<()> {
    let mut streams = Vec::new();
    for address in addresses {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.write_all(&[0; HELLO_BYTES])?;
        streams.push(stream);
    }
    let mut buffer = vec![0; READ_BYTES];
    for (i, stream) in streams.iter_mut().enumerate() {
        let more = if i == 0 { bytes } else { 0 };
        let mut left = HELLO_BYTES as u64 + more;
        while left > 0 {
            match stream.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => left = left.saturating_sub(n as u64),
            }
        }
    }
    say("done")?;
    command().map(|_| ())
}

fn sink(acknowledges: bool) -> io::Result<()> {
    let (mut stream, _) = listen()?.accept()?;
    stream.set_nodelay(true)?;
    let mut frames = FrameReader::new();
    let mut stdout = io::stdout().lock();
    let mut lines = Vec::new();
    loop {
        let n = stream.read(frames.space())?;
        if n == 0 {
            return Ok(());
        }
        frames.filled(n);
        let mut highest = None;
        while let Some(Ok(frame)) = frames.next_frame() {
            if let Ok(Message::Chat(messages)) = decode_message(frame) {
                for m in &messages {
                    lines.extend_from_slice(m.text_bytes());
                    lines.push(b'\n');
                    highest = Some(m.seq());
                }
            }
        }
        stdout.write_all(&lines)?;
        stdout.flush()?;
        lines.clear();
        if let Some(seq) = highest.filter(|_| acknowledges) {
            let ack = papo::wire::Ack {
                from: 1,
                seq,
                missed: Vec::new(),
            };
            let ack = encode_frame(&Message::Ack(ack)).map_err(|_| io::ErrorKind::InvalidData)?;
            stream.write_all(&ack)?;
        }
    }
}

/// Lines of stdin to every sink. With acknowledgements, says `ok` for each line that all have.
fn source(acknowledged: bool, addresses: &[&str]) -> io::Result<()> {
    let mut sinks = Vec::new();
    for address in addresses {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        sinks.push((stream, FrameReader::new(), 0));
    }
    say("ready")?;
    let stdin = io::stdin();
    let mut buffer = vec![0; READ_BYTES];
    let (mut seq, mut confirmed) = (0, 0);
    loop {
        let mut fds = vec![PollFd::new(&stdin, PollFlags::IN)];
        fds.extend(sinks.iter().map(|s| PollFd::new(&s.0, PollFlags::IN)));
        poll(&mut fds, None)?;
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        if ready[0] {
            let n = rustix::io::read(&stdin, &mut buffer)?;
            if n == 0 {
                return Ok(());
            }
            // Whoever writes here writes whole lines, less than a pipe holds at a time.
            let text = String::from_utf8_lossy(&buffer[..n]);
            let batch = text.lines().map(|line| {
                seq += 1;
                chat_message(seq, line.to_string())
            });
            let frame = encode_frame(&Message::Chat(batch.collect()));
            let frame = frame.map_err(|_| io::ErrorKind::InvalidData)?;
            for (stream, ..) in &mut sinks {
                stream.write_all(&frame)?;
            }
        }
        for ((stream, frames, acked), _) in sinks
            .iter_mut()
            .zip(&ready[1..])
            .filter(|(_, ready)| **ready)
        {
            let n = stream.read(frames.space())?;
            if n == 0 {
                return Ok(());
            }
            frames.filled(n);
            while let Some(Ok(frame)) = frames.next_frame() {
                if let Ok(Message::Ack(papo::wire::Ack { seq: n, .. })) = decode_message(frame) {
                    *acked = n;
                }
            }
        }
        let all = sinks.iter().map(|s| s.2).min().unwrap_or(0);
        if acknowledged && all > confirmed {
            let oks = "ok\n".repeat(usize::try_from(all - confirmed).unwrap_or(0));
            say(oks.trim_end())?;
            confirmed = all;
        }
    }
}
