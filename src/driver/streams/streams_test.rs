//! Streams over the loopback interface, against plain sockets of the standard library.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use mio::{Events, Poll};
use socket2::{Domain, Socket, Type};

use super::{Share, Sources, Streams, outsiders, sockets};
use crate::identity::{Credentials, LinkProof, Role};
use crate::limits::{
    HANDSHAKES_PER_SOURCE_MAX, LINK_FRAMES_PER_TURN_MAX, OUTSIDERS_MAX, QUEUE_BYTES_HARD_MAX,
    QUEUE_BYTES_MAX, STRANGER_QUEUE_BYTES_MAX, STRANGERS_PER_SOURCE_MAX,
};
use crate::node::{Class, Close, Closed, Input, LinkId, Time};
use crate::wire::{Hello, Key, Message, Relay, VERSION, decode_message, encode_frame};

const NOW: Time = Time(1_000_000);
const LINK: LinkId = LinkId(1);

struct StreamRig {
    poll: Poll,
    streams: Streams,
    messages: Vec<(LinkId, Message)>,
}

impl StreamRig {
    fn new() -> StreamRig {
        let poll = Poll::new().unwrap();
        let registry = poll.registry().try_clone().unwrap();
        StreamRig {
            poll,
            streams: Streams::new(registry, Sources::default(), credentials(), None),
            messages: Vec::new(),
        }
    }

    /// A link that was dialled, and the peer's end of it.
    fn linked(&mut self, link: LinkId) -> TcpStream {
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
    fn prove(&mut self, link: LinkId, peer: &mut TcpStream, proof: &mut LinkProof) {
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
    fn turn(&mut self, wait: Duration) {
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

    fn until(&mut self, mut done: impl FnMut(&mut StreamRig) -> bool) {
        for _ in 0..1_000 {
            if done(self) {
                return;
            }
            self.turn(Duration::from_millis(10));
        }
        panic!("it never came");
    }

    fn next_input(&mut self) -> Input {
        self.until(|rig| rig.streams.inputs_len() > 0);
        self.streams.next_input().unwrap()
    }

    fn expect_closed(&mut self, expected: Closed) {
        let input = self.next_input();
        assert!(
            matches!(input, Input::Closed { why, .. } if why == expected),
            "{input:?}"
        );
    }

    /// Of all that the node has to be told, there is only that this link is closed.
    fn expect_only_closed(&mut self, expected: LinkId) {
        let input = self.streams.next_input();
        let is_expected = matches!(input, Some(Input::Closed { link, .. }) if link == expected);
        assert!(is_expected, "{input:?}");
        assert_eq!(self.streams.inputs_len(), 0);
    }

    fn send(&mut self, class: Class, frame: &Rc<[u8]>) {
        self.streams.send(NOW, &[LINK], class, frame);
    }
}

fn credentials() -> Credentials {
    Credentials::new("lobby", None).unwrap()
}

fn proof(role: Role) -> LinkProof {
    LinkProof::new(&Rc::new(credentials()), role).unwrap()
}

fn read(peer: &mut TcpStream) -> Message {
    let mut length = [0; 4];
    peer.read_exact(&mut length).unwrap();
    let mut item = vec![0; u32::from_be_bytes(length) as usize];
    peer.read_exact(&mut item).unwrap();
    decode_message(&item).unwrap()
}

fn hello(key: Key) -> Message {
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

fn frame(message: &Message) -> Rc<[u8]> {
    encode_frame(message).unwrap()
}

/// A frame's worth of bytes; queues do not look inside.
fn filler() -> Rc<[u8]> {
    vec![7; 64 * 1024].into()
}

fn unused_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}

#[test]
fn a_dial_to_nobody_is_refused() {
    let mut rig = StreamRig::new();
    rig.streams.dial(LINK, unused_address(), false);
    rig.expect_closed(Closed::Refused);
    rig.turn(Duration::ZERO);
    assert!(rig.streams.is_empty());
}

/// As by a process that is being killed: the kernel takes the dial, and a moment later the listener
/// is gone.
#[test]
fn a_dial_that_is_taken_and_cut_is_not_a_failed_one() {
    let mut rig = StreamRig::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    rig.streams
        .dial(LINK, listener.local_addr().unwrap(), false);
    drop(listener);
    rig.expect_closed(Closed::Ended);
}

#[test]
fn messages_arrive_and_then_the_end() {
    let mut rig = StreamRig::new();
    let mut peer = rig.linked(LINK);
    let ping = Message::Ping { coordinator: None };
    peer.write_all(&frame(&ping)).unwrap();
    let leave = frame(&Message::Leave);
    peer.write_all(&leave[..3]).unwrap();
    rig.until(|rig| rig.messages.len() == 1);
    peer.write_all(&leave[3..]).unwrap();
    drop(peer);
    rig.expect_closed(Closed::Ended);
    assert_eq!(rig.messages, [(LINK, ping), (LINK, Message::Leave)]);
    rig.turn(Duration::ZERO);
    assert!(rig.streams.is_empty());
}

#[test]
fn broken_frames_close_the_link() {
    for bytes in [&[0_u8, 0, 0, 0][..], &[255; 8], &[0, 0, 0, 2, 255, 255]] {
        let mut rig = StreamRig::new();
        let mut peer = rig.linked(LINK);
        peer.write_all(bytes).unwrap();
        rig.expect_closed(Closed::Ended);
        rig.turn(Duration::ZERO);
        assert!(rig.streams.is_empty());
        assert!(rig.messages.is_empty());
    }
}

#[test]
fn a_graceful_close_writes_the_queue_and_reads_to_the_end() {
    let mut rig = StreamRig::new();
    let mut peer = rig.linked(LINK);
    let chat = filler();
    for _ in 0..40 {
        rig.send(Class::Chat, &chat);
    }
    rig.streams.close(LINK, Close::Graceful);
    rig.send(Class::Chat, &chat);
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        peer.read_to_end(&mut all).unwrap();
        peer.write_all(&frame(&Message::Leave)).unwrap();
        all.len()
    });
    rig.expect_closed(Closed::Ended);
    assert_eq!(reader.join().unwrap(), 40 * chat.len());
    assert_eq!(rig.messages, [(LINK, Message::Leave)]);
    assert_eq!(rig.streams.queued_bytes(), 0);
}

#[test]
fn a_peer_that_ends_its_side_still_gets_what_is_queued() {
    let mut rig = StreamRig::new();
    let mut peer = rig.linked(LINK);
    let chat = filler();
    for _ in 0..40 {
        rig.send(Class::Chat, &chat);
    }
    peer.shutdown(Shutdown::Write).unwrap();
    rig.expect_closed(Closed::Ended);
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        peer.read_to_end(&mut all).unwrap();
        all.len()
    });
    rig.until(|rig| rig.streams.is_empty());
    assert_eq!(reader.join().unwrap(), 40 * chat.len());
}

#[test]
fn a_full_queue_is_said_once_and_so_is_its_end() {
    let mut rig = StreamRig::new();
    let mut peer = rig.linked(LINK);
    let chat = filler();
    let stall = crate::timing::STALL;
    while rig.streams.queued_bytes() <= QUEUE_BYTES_MAX as u64 {
        rig.send(Class::Chat, &chat);
    }
    rig.send(Class::Chat, &chat);
    assert!(matches!(rig.next_input(), Input::Congested { link: LINK }));
    assert_eq!(rig.streams.inputs_len(), 0);
    // The writer waits for a peer that takes something, and not for one that is stuck.
    assert_eq!(rig.streams.stdin_waits_until(NOW), Some(NOW + stall));
    assert_eq!(rig.streams.stdin_waits_until(NOW + stall), None);
    let all = rig.streams.queued_bytes() as usize;
    let reader = std::thread::spawn(move || {
        peer.read_exact(&mut vec![0; all]).unwrap();
        peer
    });
    let input = rig.next_input();
    assert!(matches!(input, Input::Drained { link: LINK }), "{input:?}");
    assert_eq!(rig.streams.queued_bytes(), 0);
    assert_eq!(rig.streams.stdin_waits_until(NOW), None);
    reader.join().unwrap();
}

#[test]
fn a_queue_beyond_the_hard_limit_closes_the_link() {
    let mut rig = StreamRig::new();
    let _peer = rig.linked(LINK);
    let chat = filler();
    for _ in 0..=QUEUE_BYTES_HARD_MAX / chat.len() {
        rig.send(Class::Chat, &chat);
    }
    assert!(matches!(rig.next_input(), Input::Congested { .. }));
    rig.expect_closed(Closed::Ended);
    assert_eq!(rig.streams.queued_bytes(), 0);
    rig.send(Class::Chat, &chat);
    rig.turn(Duration::ZERO);
    assert!(rig.streams.is_empty());
}

#[test]
fn an_aborted_link_says_nothing_more() {
    let mut rig = StreamRig::new();
    let mut peer = rig.linked(LINK);
    peer.write_all(&frame(&Message::Leave)).unwrap();
    let how = Close::Abort("a test's rule");
    rig.streams.close(LINK, how);
    for _ in 0..3 {
        rig.turn(Duration::from_millis(10));
    }
    assert!(rig.streams.is_empty());
    assert_eq!(rig.streams.inputs_len(), 0);
    assert!(rig.messages.is_empty());
}

#[test]
fn a_flood_of_tiny_frames_is_shared_out_over_turns() {
    let mut rig = StreamRig::new();
    let mut peer = rig.linked(LINK);
    let many: Vec<u8> = frame(&Message::Leave).repeat(3 * LINK_FRAMES_PER_TURN_MAX);
    peer.write_all(&many).unwrap();
    rig.until(|rig| !rig.messages.is_empty());
    assert!(rig.messages.len() <= LINK_FRAMES_PER_TURN_MAX);
    rig.until(|rig| rig.messages.len() == 3 * LINK_FRAMES_PER_TURN_MAX);
}

/// Accepts one connection, after making room for it; its other end.
fn accept(rig: &mut StreamRig, listener: &mio::net::TcpListener, link: u64) -> TcpStream {
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (socket, from) = listener.accept().unwrap();
    assert_eq!(rig.streams.make_room(from, |_| false), Ok(()));
    rig.streams.accept(LinkId(link), socket, from).unwrap();
    peer
}

#[test]
fn beyond_so_many_unfinished_handshakes_of_one_address_its_oldest_ends() {
    let mut rig = StreamRig::new();
    let listener = sockets::listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let mut peers = Vec::new();
    for n in 0..HANDSHAKES_PER_SOURCE_MAX as u64 {
        peers.push(accept(&mut rig, &listener, n));
    }
    assert_eq!(rig.streams.inputs_len(), 0);
    // One that is finished leaves room for another.
    rig.streams.end_handshake(LinkId(0));
    peers.push(accept(&mut rig, &listener, 1_000));
    assert_eq!(rig.streams.inputs_len(), 0);
    peers.push(accept(&mut rig, &listener, 1_001));
    rig.expect_only_closed(LinkId(1));
}

#[test]
fn beyond_so_many_strangers_of_one_address_the_oldest_that_is_no_member_ends() {
    let mut rig = StreamRig::new();
    let listener = sockets::listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let is_member = |link: LinkId| link.0 < 3;
    let mut peers = Vec::new();
    for n in 0..STRANGERS_PER_SOURCE_MAX as u64 + 4 {
        peers.push(accept(&mut rig, &listener, n));
        rig.streams.end_handshake(LinkId(n));
        rig.streams.limit_strangers(LinkId(n), is_member);
    }
    rig.expect_only_closed(LinkId(3));
}

/// Accepts one connection from this address of the host, after making room for it; its other end.
fn accept_from(
    rig: &mut StreamRig,
    listener: &mio::net::TcpListener,
    link: u64,
    ip: [u8; 4],
) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((ip, 0)).into()).unwrap();
    socket
        .connect(&listener.local_addr().unwrap().into())
        .unwrap();
    let (accepted, from) = listener.accept().unwrap();
    assert_eq!(
        rig.streams.make_room(from, |link| link == LinkId(1)),
        Ok(())
    );
    rig.streams.accept(LinkId(link), accepted, from).unwrap();
    socket.into()
}

/// Who has said HELLO on many links pays, although there is no unfinished handshake among them; a member's link,
/// the oldest of that source, is left alone.
#[test]
fn a_newcomer_takes_the_place_of_whoever_has_the_most_links() {
    let mut rig = StreamRig::new();
    let listener = sockets::listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let mut peers = Vec::new();
    // One of them is a member's, which is noticed only when it would have to go.
    for n in 1..=OUTSIDERS_MAX as u64 + 1 {
        // The first source has as many as it may, four others have the rest.
        let source = if n <= STRANGERS_PER_SOURCE_MAX as u64 {
            9
        } else {
            10 + (n % 4) as u8
        };
        peers.push(accept_from(&mut rig, &listener, n, [127, 0, 0, source]));
        rig.streams.end_handshake(LinkId(n));
    }
    assert_eq!(rig.streams.inputs_len(), 0);
    peers.push(accept_from(&mut rig, &listener, 1_000, [127, 0, 0, 77]));
    rig.expect_only_closed(LinkId(2));
    // Its own oldest goes where its source has the most.
    peers.push(accept_from(&mut rig, &listener, 1_001, [127, 0, 0, 9]));
    rig.expect_only_closed(LinkId(3));
}

/// Each of a thousand addresses has one link: there are never more than there may be, and a newcomer is let in.
#[test]
fn many_addresses_with_a_link_each_take_no_more_than_outsiders_may() {
    let mut rig = StreamRig::new();
    let listener = sockets::listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let mut peers = Vec::new();
    for n in 1..=OUTSIDERS_MAX as u64 + 40 {
        let [high, low] = (n as u16).to_be_bytes();
        peers.push(accept_from(&mut rig, &listener, n, [127, 1, high, low]));
        rig.streams.end_handshake(LinkId(n));
    }
    let outsiders = rig.streams.pool.links_len() - 1;
    assert_eq!(outsiders, OUTSIDERS_MAX, "besides the member's");
}

#[test]
fn a_stranger_that_does_not_read_is_dropped_long_before_a_member() {
    let mut rig = StreamRig::new();
    let _peer = rig.linked(LINK);
    outsiders::sort_now(&mut rig.streams.pool, |_| false);
    for _ in 0..=2 * STRANGER_QUEUE_BYTES_MAX / filler().len() {
        rig.send(Class::Chat, &filler());
    }
    assert!(matches!(rig.next_input(), Input::Congested { .. }));
    rig.expect_closed(Closed::Ended);
}

#[test]
fn what_waits_for_a_peer_goes_once_this_end_has_proven_itself() {
    let mut rig = StreamRig::new();
    let listener = sockets::listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let mut peer = accept(&mut rig, &listener, 1);
    let hello = hello(Key(1));
    rig.send(Class::Control, &frame(&hello));
    let mut peers = proof(Role::Dialler);
    rig.prove(LINK, &mut peer, &mut peers);
    assert_eq!(read(&mut peer), hello);
    assert_eq!(rig.streams.queued_bytes(), 0);
    let proven = rig.streams.peer_of(LINK).unwrap();
    assert_ne!(Some(proven), peers.peer());
}

#[test]
fn who_has_not_proven_a_key_is_not_heard() {
    let listener = sockets::listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let mine = proof(Role::Dialler);
    let introduction = frame(&mine.introduction());
    let hello = frame(&hello(Key(1)));
    let leave = frame(&Message::Leave);
    for said in [
        hello.to_vec(),
        leave.to_vec(),
        [&introduction[..], &hello].concat(),
        [&introduction[..], &introduction].concat(),
    ] {
        let mut rig = StreamRig::new();
        let mut peer = accept(&mut rig, &listener, 1);
        peer.write_all(&said).unwrap();
        rig.expect_closed(Closed::Ended);
        assert!(rig.messages.is_empty());
    }
}

#[test]
fn hello_with_a_key_that_is_not_the_proven_one_ends_the_link() {
    let mut rig = StreamRig::new();
    let mut peer = rig.linked(LINK);
    let proven = rig.streams.peer_of(LINK).unwrap();
    peer.write_all(&frame(&hello(proven.key))).unwrap();
    rig.until(|rig| rig.messages.len() == 1);
    peer.write_all(&frame(&hello(Key(1)))).unwrap();
    rig.expect_closed(Closed::Ended);
    assert_eq!(rig.messages, [(LINK, hello(proven.key))]);
}

#[test]
fn what_others_carry_for_a_node_counts_with_its_seal_alone() {
    let mut rig = StreamRig::new();
    let listener = sockets::listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let mut peer = accept(&mut rig, &listener, 1);
    let mut peers = proof(Role::Dialler);
    rig.prove(LINK, &mut peer, &mut peers);
    let writer = credentials();
    let bare = |to: Key| Relay {
        from: writer.key(),
        to,
        ack: None,
        stable: None,
        seal: None,
    };
    let own = peers.peer().unwrap().key;
    let sealed = writer.seal(&bare(own));
    // What is for others is for them to look at.
    let said = [bare(own), sealed.clone(), bare(Key(1))].map(Message::Relay);
    for message in &said {
        peer.write_all(&frame(message)).unwrap();
    }
    rig.until(|rig| rig.messages.len() == 2);
    let heard = [sealed, bare(Key(1))].map(|relay| (LINK, Message::Relay(relay)));
    assert_eq!(rig.messages, heard);
}

#[test]
fn before_hello_no_long_frame_is_waited_for() {
    let mut rig = StreamRig::new();
    let listener = sockets::listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let mut peer = accept(&mut rig, &listener, 1);
    peer.write_all(&[0, 0, 0x20, 0, 0x82]).unwrap();
    rig.expect_closed(Closed::Ended);
    let mut peer = accept(&mut rig, &listener, 2);
    rig.streams.end_handshake(LinkId(2));
    peer.write_all(&[0, 0, 0x20, 0, 0x82]).unwrap();
    for _ in 0..3 {
        rig.turn(Duration::from_millis(10));
    }
    assert_eq!(rig.streams.inputs_len(), 0);
}
