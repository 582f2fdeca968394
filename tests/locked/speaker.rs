//! The test as a peer: datagrams to a group, and links to a node, made with the library's own wire
//! format and locks.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use papo::lock::{LinkCipher, Secret};
use papo::wire::{
    Address, Coordinator, FrameReader, Hello, Key, Message, VERSION, decode_message, encode_frame,
};
use socket2::{Domain, Protocol, Socket, Type};

use crate::harness::{Node, PATIENCE};

/// Where a node listens.
pub fn address_of(node: &Node) -> SocketAddr {
    let listening = node.event("listening", |e| e.is("listening"));
    let address = listening.list("tcp")[0].as_str().expect("an address");
    address.parse().expect("an address")
}

pub fn key_of(node: &Node) -> Key {
    Key(u64::from_str_radix(&node.key(), 16).expect("hexadecimal"))
}

/// A socket that hears a group on 127.0.0.1.
pub fn ear(group: SocketAddrV4) -> UdpSocket {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).expect("a socket");
    socket.set_reuse_address(true).expect("an option");
    socket.bind(&SocketAddr::V4(group).into()).expect("a port");
    socket
        .join_multicast_v4(group.ip(), &Ipv4Addr::LOCALHOST)
        .expect("a group");
    let socket = UdpSocket::from(socket);
    let wait = Duration::from_millis(20);
    socket.set_read_timeout(Some(wait)).expect("an option");
    socket
}

/// A socket that speaks to groups on 127.0.0.1, from this address.
pub fn mouth(from: Ipv4Addr) -> UdpSocket {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).expect("a socket");
    let at = SocketAddr::from((from, 0));
    socket.bind(&at.into()).expect("a port");
    socket
        .set_multicast_if_v4(&Ipv4Addr::LOCALHOST)
        .expect("an interface");
    socket.into()
}

pub fn hello(room: &str, key: Key, round: u64, coordinator: Option<Coordinator>) -> Message {
    Message::Hello(Hello {
        version: VERSION,
        room: room.to_owned(),
        key,
        nick: "mallory".to_owned(),
        round,
        addresses: vec![Address(([127, 0, 0, 1], 9).into())],
        coordinator,
        floor: None,
        clock: 0,
        oldest: None,
        wall: 0,
    })
}

/// A link of the test's own.
pub struct Speaker {
    stream: TcpStream,
    cipher: Option<LinkCipher>,
    reader: FrameReader,
}

impl Speaker {
    /// A link without a lock.
    pub fn dial(to: SocketAddr) -> Speaker {
        let stream = TcpStream::connect(to).expect("somebody listens");
        let wait = Duration::from_millis(20);
        stream.set_read_timeout(Some(wait)).expect("an option");
        stream.set_nodelay(true).expect("an option");
        Speaker {
            stream,
            cipher: None,
            reader: FrameReader::new(),
        }
    }

    /// A link under a secret: the first handshake message is sent.
    pub fn dial_locked(to: SocketAddr, secret: &Secret) -> Speaker {
        let mut speaker = Speaker::dial(to);
        let mut first = Vec::new();
        speaker.cipher = Some(LinkCipher::dial(secret, &mut first).expect("randomness"));
        speaker.write(&first);
        speaker
    }

    /// The peer may have closed the stream, which is for the test to see.
    pub fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    pub fn say(&mut self, message: &Message) {
        let frame = encode_frame(message).expect("a valid message");
        let Some(cipher) = self.cipher.as_mut().filter(|c| c.is_ready()) else {
            return self.write(&frame);
        };
        let (mut rest, mut sealed) = (&frame[..], Vec::new());
        while !rest.is_empty() {
            let taken = cipher
                .seal(rest, &mut sealed)
                .expect("the handshake is over");
            rest = &rest[taken..];
        }
        self.write(&sealed);
    }

    /// What came, opened if the link is locked.
    fn take(&mut self, bytes: &[u8]) {
        let Some(cipher) = &mut self.cipher else {
            return self.reader.push(bytes);
        };
        let (mut plain, mut answer) = (Vec::new(), Vec::new());
        if cipher.receive(bytes, &mut plain, &mut answer).is_ok() {
            self.reader.push(&plain);
            self.write(&answer);
        }
    }

    /// The handshake of the lock, on a link under the right secret.
    pub fn unlock(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let mut bytes = [0; 16 * 1024];
        while self.cipher.as_ref().is_some_and(|c| !c.is_ready()) {
            assert!(Instant::now() < deadline, "the lock does not open");
            if let Ok(n) = self.stream.read(&mut bytes) {
                self.take(&bytes[..n]);
            }
        }
    }

    /// Reads until `wanted` is among the messages; `None` when the stream ended or the time is over.
    pub fn hear(&mut self, within: Duration, wanted: impl Fn(&Message) -> bool) -> Option<Message> {
        let deadline = Instant::now() + within;
        let mut bytes = [0; 16 * 1024];
        while Instant::now() < deadline {
            while let Some(frame) = self.reader.next_frame() {
                let message = decode_message(frame.expect("a frame")).expect("a message");
                if wanted(&message) {
                    return Some(message);
                }
            }
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(n) => self.take(&bytes[..n]),
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return None,
            }
        }
        None
    }

    /// HELLO in both directions.
    pub fn greet(&mut self, room: &str, key: Key, round: u64) {
        self.say(&hello(room, key, round, None));
        let answer = self.hear(PATIENCE, |m| matches!(m, Message::Hello(_)));
        assert!(answer.is_some(), "no HELLO came back");
    }

    /// Whether the peer ends the stream within this time.
    pub fn is_closed_within(&mut self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let mut bytes = [0; 16 * 1024];
        while Instant::now() < deadline {
            match self.stream.read(&mut bytes) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return true,
            }
        }
        false
    }
}
