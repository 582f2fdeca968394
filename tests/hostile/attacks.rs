//! The attacks: each runs against one node until it is told that it is over.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use papo::identity::{Credentials, LinkProof, Role};
use papo::lock::Secret;
use papo::wire::{
    Bytes, Datagram, Fetch, JoinRequest, Key, Message, Position, Private, Proof, SeqRange, Span,
    VERSION, encode_datagram, encode_frame,
};

use crate::harness::{Node, Room, let_pass, ms};
use crate::speaker::{Speaker, address_of, hello, mouth};

pub type Attack = fn(&Target, &AtomicBool);

/// Who is attacked.
pub struct Target {
    at: SocketAddr,
    group: SocketAddrV4,
    room: String,
    secret: Option<Secret>,
}

impl Target {
    pub fn of(node: &Node, room: &Room<'_>, secret: Option<&str>) -> Target {
        let derived = |secret: &str| Secret::derive(&room.name, secret.as_bytes());
        Target {
            at: address_of(node),
            group: room.group,
            room: room.name.clone(),
            secret: secret.map(|secret| derived(secret).expect("it is long enough")),
        }
    }

    fn dial(&self) -> Option<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.at, ms(1_000)).ok()?;
        stream.set_nonblocking(true).ok()?;
        Some(stream)
    }

    /// A link on which a key is proven and HELLO is said; none if the node is too busy for it.
    fn link(&self) -> Option<TcpStream> {
        let stream = self.speaker()?.into_stream();
        stream.set_nonblocking(true).ok()?;
        Some(stream)
    }

    fn speaker(&self) -> Option<Speaker> {
        let stream = TcpStream::connect_timeout(&self.at, ms(1_000)).ok()?;
        let mut speaker = Speaker::on(stream);
        if let Some(secret) = &self.secret {
            speaker = speaker.lock(secret);
        }
        speaker.try_prove(&self.room, ms(1_000))?;
        speaker.say(&hello(&self.room, speaker.key(), 0, None));
        Some(speaker)
    }
}

fn is_over(over: &AtomicBool) -> bool {
    over.load(SeqCst)
}

/// Keeps 1,000 connections: those that were closed are opened again.
fn keep(target: &Target, over: &AtomicBool, mut each: impl FnMut(&mut TcpStream)) {
    let mut streams: Vec<TcpStream> = Vec::new();
    while !is_over(over) {
        streams.retain_mut(|stream| {
            let closed = matches!(stream.read(&mut [0; 64]), Ok(0));
            let broken = stream.take_error().is_ok_and(|e| e.is_some());
            !closed && !broken
        });
        while streams.len() < 1_000 && !is_over(over) {
            streams.extend(target.dial());
        }
        let second = Instant::now() + Duration::from_secs(1);
        for stream in &mut streams {
            each(stream);
        }
        while !is_over(over) && Instant::now() < second {
            let_pass(ms(20));
        }
    }
}

pub fn silent(target: &Target, over: &AtomicBool) {
    keep(target, over, |_| {});
}

pub fn slow(target: &Target, over: &AtomicBool) {
    // The first byte of a length.
    keep(target, over, |stream| drop(stream.write(&[0])));
}

/// Writes all that the peer takes until it closes the stream; true if all was taken.
fn pour(stream: &mut TcpStream, mut bytes: &[u8], over: &AtomicBool) -> bool {
    while !bytes.is_empty() && !is_over(over) {
        match stream.write(bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {
                if matches!(stream.read(&mut [0; 64]), Ok(0)) {
                    return false;
                }
                let_pass(ms(1));
            }
            Err(_) => return false,
        }
    }
    bytes.is_empty()
}

/// Has signatures made and looked at, as many as it can.
pub fn proofs(target: &Target, over: &AtomicBool) {
    let own = Rc::new(Credentials::new(&target.room, None).expect("randomness"));
    let mut kept = std::collections::VecDeque::new();
    while !is_over(over) {
        let Some(mut stream) = target.dial() else {
            continue;
        };
        let proof = LinkProof::new(&own, Role::Dialler).expect("randomness");
        let signature = Bytes([7; 64]);
        for message in [proof.introduction(), Message::Proof(Proof { signature })] {
            let frame = encode_frame(&message).expect("a valid message");
            let _ = stream.write(&frame);
        }
        kept.push_back(stream);
        if kept.len() > 200 {
            kept.pop_front();
        }
    }
}

fn random_frame(rng: &mut fastrand::Rng) -> Vec<u8> {
    let length = rng.u32(1..2_000);
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend((0..length).map(|_| rng.u8(..)));
    if rng.bool() {
        // An envelope, so that the decoder looks further.
        frame[4..8.min(length as usize + 4)].fill(0x82);
        frame.truncate(4 + length as usize);
    }
    frame
}

pub fn random_frames(target: &Target, over: &AtomicBool) {
    let mut rng = fastrand::Rng::with_seed(1);
    while !is_over(over) {
        if target.secret.is_some() && rng.bool() {
            // Whoever holds the secret seals what it says, or the node would not look at it.
            let Some(mut speaker) = target.speaker() else {
                continue;
            };
            (0..20).for_each(|_| speaker.write(&random_frame(&mut rng)));
            continue;
        }
        let stream = if rng.bool() {
            target.link()
        } else {
            target.dial()
        };
        let Some(mut stream) = stream else { continue };
        for _ in 0..20 {
            if !pour(&mut stream, &random_frame(&mut rng), over) {
                break;
            }
        }
    }
}

pub fn join_requests(target: &Target, over: &AtomicBool) {
    let mut rng = fastrand::Rng::with_seed(2);
    let mouth = mouth(Ipv4Addr::LOCALHOST);
    while !is_over(over) {
        for _ in 0..20 {
            let request = JoinRequest {
                version: VERSION,
                room: target.room.clone(),
                key: Key(rng.u64(1..)),
                nick: "mallory".to_owned(),
                attempt: 1,
                // Some ports are nobody's, one is the node's own.
                port: if rng.bool() { target.at.port() } else { 9 },
                addresses: Vec::new(),
                id: None,
                next_id: 0,
                view_version: 0,
                office: false,
                no: 0,
            };
            let bytes = encode_datagram(&Datagram::JoinRequest(request)).expect("it is valid");
            let _ = mouth.send_to(&bytes, target.group);
        }
        let_pass(ms(1));
    }
}

pub fn lies(target: &Target, over: &AtomicBool) {
    let deep = vec![0x81; 100_000];
    let mut map = vec![0xbb];
    map.extend_from_slice(&(1_u64 << 63).to_be_bytes());
    let framed = |item: &[u8]| {
        let length = u32::try_from(item.len()).expect("a short item");
        [&length.to_be_bytes()[..], item].concat()
    };
    let lies = [
        u32::MAX.to_be_bytes().to_vec(),
        framed(&deep),
        framed(&deep[..60_000]),
        framed(&map),
        framed(&[&[0x82, 0x06][..], &map].concat()),
        // All but the last byte of the longest frame.
        [&65_536_u32.to_be_bytes()[..], &vec![0x40; 65_535]].concat(),
        [&4_096_u32.to_be_bytes()[..], &vec![0x40; 4_095]].concat(),
    ];
    let mut kept = std::collections::VecDeque::new();
    let mut n = 0_usize;
    while !is_over(over) {
        n += 1;
        let stream = if n.is_multiple_of(2) {
            target.dial()
        } else {
            target.link()
        };
        let Some(mut stream) = stream else { continue };
        pour(&mut stream, &lies[n % lies.len()], over);
        kept.push_back(stream);
        if kept.len() > 1_000 {
            kept.pop_front();
        }
        let_pass(ms(1));
    }
}

/// Asks for much on many links, and reads nothing.
pub fn deaf(target: &Target, over: &AtomicBool) {
    let mut bytes = Vec::new();
    for message in [
        Message::ViewRequest,
        Message::Fetch(Fetch {
            no: 1,
            after: Position::default(),
            spans: vec![Span::new(Position::default(), Position::END)],
            skip: vec![SeqRange::new(Key(1), 1, u64::MAX)],
            floor: None,
            want: Vec::new(),
        }),
        Message::Ping { coordinator: None },
    ] {
        let frame = encode_frame(&message).expect("a valid message");
        bytes.extend(frame.repeat(1_000));
    }
    let mut links = Vec::new();
    while !is_over(over) {
        if links.len() < 64 {
            links.extend(target.link());
        }
        links.retain_mut(|stream| {
            let mut left = &bytes[..];
            while !left.is_empty() {
                match stream.write(left) {
                    Ok(n) => left = &left[n..],
                    Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => break,
                    Err(_) => return false,
                }
            }
            // What was cut off in the middle is garbage from then on.
            left.is_empty()
        });
        let_pass(ms(10));
    }
}

pub fn escapes(target: &Target, over: &AtomicBool) {
    let text = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}\r\n\0".repeat(500);
    let private = Message::Private(Private {
        from: 1,
        nick: "mallory".to_owned(),
        sent_at: 0,
        text,
    });
    let frame = encode_frame(&private).expect("a valid message");
    while !is_over(over) {
        let Some(mut stream) = target.link() else {
            continue;
        };
        for _ in 0..20 {
            if !pour(&mut stream, &frame, over) {
                break;
            }
            let_pass(ms(5));
        }
    }
}
