//! The test as a peer: datagrams to a group, and links to a node, made with the library's own wire
//! format and locks.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream, UdpSocket};
use std::rc::Rc;
use std::time::{Duration, Instant};

use papo::identity::{Credentials, LinkProof, Peer, Role};
use papo::lock::{LinkCipher, Secret};
use papo::wire::{
    Address, Coordinator, FrameReader, Hello, Introduction, Key, Message, VERSION, decode_message,
    encode_frame,
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
    own: Rc<Credentials>,
    proof: LinkProof,
    said: Option<Message>,
}

impl Speaker {
    /// A link without a lock, of somebody new.
    pub fn dial(to: SocketAddr) -> Speaker {
        let own = Credentials::new("", None).expect("randomness");
        Speaker::dial_as(to, Rc::new(own))
    }

    /// A link without a lock.
    pub fn dial_as(to: SocketAddr, own: Rc<Credentials>) -> Speaker {
        let stream = TcpStream::connect(to).expect("somebody listens");
        Speaker::of(stream, own)
    }

    /// Somebody new on a stream that is open.
    pub fn on(stream: TcpStream) -> Speaker {
        let own = Credentials::new("", None).expect("randomness");
        Speaker::of(stream, Rc::new(own))
    }

    fn of(stream: TcpStream, own: Rc<Credentials>) -> Speaker {
        let wait = Duration::from_millis(20);
        stream.set_read_timeout(Some(wait)).expect("an option");
        stream.set_nodelay(true).expect("an option");
        Speaker {
            stream,
            cipher: None,
            reader: FrameReader::new(),
            proof: LinkProof::new(&own, Role::Dialler).expect("randomness"),
            own,
            said: None,
        }
    }

    /// A link under a secret: the first handshake message is sent.
    pub fn dial_locked(to: SocketAddr, secret: &Secret) -> Speaker {
        Speaker::dial(to).lock(secret)
    }

    /// The first handshake message under a secret is sent.
    pub fn lock(mut self, secret: &Secret) -> Speaker {
        let mut first = Vec::new();
        self.cipher = Some(LinkCipher::dial(secret, &mut first).expect("randomness"));
        self.put(&first);
        self
    }

    /// The handshake under the secret goes to its end.
    pub fn finish_lock(&mut self) {
        self.finish_lock_within(PATIENCE);
    }

    /// The same; false if it does not, because the stream ends or the time is over. Without a secret there is none.
    pub fn finish_lock_within(&mut self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        while self.cipher.as_ref().is_some_and(|c| !c.is_ready()) {
            if Instant::now() >= deadline || !self.fill() {
                return false;
            }
        }
        true
    }

    /// The peer may have closed the stream, which is for the test to see.
    fn put(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Writes bytes as they are, under the lock if there is one.
    pub fn write(&mut self, bytes: &[u8]) {
        let Some(cipher) = &mut self.cipher else {
            return self.put(bytes);
        };
        let (mut sealed, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() {
            let n = cipher.seal(rest, &mut sealed).expect("the lock is ready");
            rest = &rest[n..];
        }
        self.put(&sealed);
    }

    pub fn say(&mut self, message: &Message) {
        let frame = encode_frame(message).expect("a valid message");
        self.write(&frame);
    }

    /// Reads once; false at the end of the stream.
    fn fill(&mut self) -> bool {
        let mut bytes = [0; 16 * 1024];
        let n = match self.stream.read(&mut bytes) {
            Ok(0) => return false,
            Ok(n) => n,
            Err(e) => return e.kind() == std::io::ErrorKind::WouldBlock,
        };
        match &mut self.cipher {
            None => self.reader.push(&bytes[..n]),
            Some(cipher) => {
                let (mut plain, mut answer) = (Vec::new(), Vec::new());
                let opened = cipher.receive(&bytes[..n], &mut plain, &mut answer);
                self.reader.push(&plain);
                self.put(&answer);
                return opened.is_ok();
            }
        }
        true
    }

    /// Reads until `wanted` is among the messages; `None` when the stream ended or the time is over.
    pub fn hear(&mut self, within: Duration, wanted: impl Fn(&Message) -> bool) -> Option<Message> {
        let deadline = Instant::now() + within;
        while Instant::now() < deadline {
            while let Some(frame) = self.reader.next_frame() {
                let message = decode_message(frame.expect("a frame")).expect("a message");
                if wanted(&message) {
                    return Some(message);
                }
            }
            if !self.fill() {
                return None;
            }
        }
        None
    }

    /// The key that this end proves.
    pub fn key(&self) -> Key {
        self.own.key()
    }

    /// What this end's PROOF is made of.
    pub fn proof(&self) -> &LinkProof {
        &self.proof
    }

    /// The stream, with whatever was not read of it.
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// The PROOF that this end has said.
    pub fn said_proof(&self) -> Message {
        self.said.clone().expect("it was said")
    }

    /// Both INTRODUCTIONs and both PROOFs; the result is who is at the other end.
    pub fn prove(&mut self, room: &str) -> Peer {
        let peer = self.try_prove(room, PATIENCE);
        peer.expect("the peer proves itself")
    }

    /// The same; none if the stream ends, or the time is over.
    pub fn try_prove(&mut self, room: &str, within: Duration) -> Option<Peer> {
        let deadline = Instant::now() + within;
        // What is signed names the room.
        self.own = Rc::new(self.own.for_room(room));
        self.proof = LinkProof::new(&self.own, Role::Dialler).expect("randomness");
        if !self.finish_lock_within(within) {
            return None;
        }
        self.say(&self.proof.introduction());
        let (introduction, binding) = (self.introduction(within)?, self.binding());
        let proof = self.proof.on_introduction(introduction, binding);
        let proof = proof.expect("its place");
        self.say(&proof);
        self.said = Some(proof);
        let left = deadline.saturating_duration_since(Instant::now());
        match self.hear(left, |m| matches!(m, Message::Proof(_)))? {
            Message::Proof(theirs) => Some(self.proof.on_proof(&theirs).expect("it holds")),
            _ => None,
        }
    }

    /// The peer's INTRODUCTION; none if the stream ends, or the time is over.
    pub fn introduction(&mut self, within: Duration) -> Option<Introduction> {
        match self.hear(within, |m| matches!(m, Message::Introduction(_)))? {
            Message::Introduction(introduction) => Some(introduction),
            _ => None,
        }
    }

    /// What tells this link from all others, if it is locked.
    pub fn binding(&self) -> Option<[u8; 32]> {
        self.cipher.as_ref().and_then(LinkCipher::binding)
    }

    /// The proofs, and HELLO in both directions.
    pub fn greet(&mut self, room: &str, round: u64) {
        self.prove(room);
        self.say(&hello(room, self.key(), round, None));
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
