//! Streams from their beginning to their end, and what they carry.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener};
use std::time::Duration;

use super::rig::{LINK, NOW, StreamRig, accept, filler, frame};
use super::sockets;
use crate::limits::{LINK_FRAMES_PER_TURN_MAX, QUEUE_BYTES_HARD_MAX, QUEUE_BYTES_MAX};
use crate::node::{Class, Close, Closed, Input, LinkId};
use crate::wire::Message;

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
    let stall = crate::timing::SOCKET_STALL;
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
