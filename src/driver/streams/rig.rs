//! Streams over the loopback interface, against plain sockets of the standard library, for the tests of this
//! folder.
//!
//! Owns a poll and its streams; the peers are the tests' own. It asserts nothing but that what is waited for
//! comes.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use mio::{Events, Poll};

use super::{Share, Sources, Streams, outsiders};
use crate::identity::{Credentials, LinkProof, Role};
use crate::node::{Class, Closed, Input, LinkId, Time};
use crate::wire::{Hello, Key, Message, VERSION, decode_message, encode_frame};

pub(super) const NOW: Time = Time(1_000_000);
pub(super) const LINK: LinkId = LinkId(1);

pub(super) struct StreamRig {
    poll: Poll,
    pub(super) streams: Streams,
    pub(super) messages: Vec<(LinkId, Message)>,
}

impl StreamRig {
    pub(super) fn new() -> StreamRig {
        let poll = Poll::new().unwrap();
        let registry = poll.registry().try_clone().unwrap();
        StreamRig {
            poll,
            streams: Streams::new(registry, Sources::default(), credentials(), None),
            messages: Vec::new(),
        }
    }

    /// A link that was dialled, and the peer's end of it.
    pub(super) fn linked(&mut self, link: LinkId) -> TcpStream {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        self.streams
            .dial(link, listener.local_addr().unwrap(), false);
        let (peer, _) = listener.accept().unwrap();
        let timeout = Some(Duration::from_secs(5));
        peer.set_read_timeout(timeout).unwrap();
        let input = self.next_input();
        assert!(matches!(input, Input::Connected { link: l } if l == link));
        let mut peer = peer;
        self.prove(link, &mut peer, &mut proof(Role::Acceptor));
        self.streams.end_handshake(link);
        outsiders::sort_now(&mut self.streams.pool, |_| true);
        peer
    }

    /// The peer proves who it is, as `proof` does it.
    pub(super) fn prove(&mut self, link: LinkId, peer: &mut TcpStream, proof: &mut LinkProof) {
        peer.write_all(&frame(&proof.introduction())).unwrap();
        self.until(|rig| {
            let slot = rig.streams.pool.slot_of(link).unwrap();
            !rig.streams.pool[slot].is_held()
        });
        self.turn(Duration::ZERO);
        let Message::Introduction(introduction) = read(peer) else {
            panic!("an INTRODUCTION comes first");
        };
        let answer = proof.on_introduction(introduction, None).unwrap();
        let Message::Proof(theirs) = read(peer) else {
            panic!("a PROOF comes next");
        };
        proof.on_proof(&theirs).unwrap();
        peer.write_all(&frame(&answer)).unwrap();
        self.until(|rig| rig.streams.peer_of(link).is_some());
    }

    /// One turn of the loop, without a node.
    pub(super) fn turn(&mut self, wait: Duration) {
        self.streams.flush(NOW);
        self.streams.bury(|_| {});
        let mut events = Events::with_capacity(64);
        self.poll.poll(&mut events, Some(wait)).unwrap();
        for event in &events {
            self.streams.on_event(event);
        }
        for _ in 0..self.streams.pool.ready_len() {
            let mut share = Share::of(usize::MAX, usize::MAX);
            let slot = self.streams.pool.next_ready().unwrap();
            while let Some(found) = self.streams.next_message(slot, &mut share) {
                self.messages.push(found);
            }
        }
    }

    pub(super) fn until(&mut self, mut done: impl FnMut(&mut StreamRig) -> bool) {
        for _ in 0..1_000 {
            if done(self) {
                return;
            }
            self.turn(Duration::from_millis(10));
        }
        panic!("it never came");
    }

    pub(super) fn next_input(&mut self) -> Input {
        self.until(|rig| rig.streams.inputs_len() > 0);
        self.streams.next_input().unwrap()
    }

    pub(super) fn expect_closed(&mut self, expected: Closed) {
        let input = self.next_input();
        assert!(
            matches!(input, Input::Closed { why, .. } if why == expected),
            "{input:?}"
        );
    }

    /// Of all that the node has to be told, there is only that this link is closed.
    pub(super) fn expect_only_closed(&mut self, expected: LinkId) {
        let input = self.streams.next_input();
        let is_expected = matches!(input, Some(Input::Closed { link, .. }) if link == expected);
        assert!(is_expected, "{input:?}");
        assert_eq!(self.streams.inputs_len(), 0);
    }

    pub(super) fn send(&mut self, class: Class, frame: &Rc<[u8]>) {
        self.streams.send(NOW, &[LINK], class, frame);
    }
}

pub(super) fn credentials() -> Credentials {
    Credentials::new("lobby", None).unwrap()
}

pub(super) fn proof(role: Role) -> LinkProof {
    LinkProof::new(&Rc::new(credentials()), role).unwrap()
}

pub(super) fn read(peer: &mut TcpStream) -> Message {
    let mut length = [0; 4];
    peer.read_exact(&mut length).unwrap();
    let mut item = vec![0; u32::from_be_bytes(length) as usize];
    peer.read_exact(&mut item).unwrap();
    decode_message(&item).unwrap()
}

pub(super) fn hello(key: Key) -> Message {
    Message::Hello(Hello {
        version: VERSION,
        room: "lobby".to_owned(),
        key,
        nick: "mallory".to_owned(),
        round: 0,
        addresses: Vec::new(),
        coordinator: None,
        floor: None,
        clock: 0,
        oldest: None,
        wall: 0,
    })
}

pub(super) fn frame(message: &Message) -> Rc<[u8]> {
    encode_frame(message).unwrap()
}

/// A frame's worth of bytes; queues do not look inside.
pub(super) fn filler() -> Rc<[u8]> {
    vec![7; 64 * 1024].into()
}

/// Accepts one connection, after making room for it; its other end.
pub(super) fn accept(
    rig: &mut StreamRig,
    listener: &mio::net::TcpListener,
    link: u64,
) -> TcpStream {
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (socket, from) = listener.accept().unwrap();
    assert_eq!(rig.streams.make_room(from, |_| false), Ok(()));
    rig.streams.accept(LinkId(link), socket, from).unwrap();
    peer
}
