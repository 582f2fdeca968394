//! What those who are no members may take.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

use crate::driver::streams::rig::{LINK, StreamRig, accept, filler};
use crate::driver::streams::{outsiders, sockets};
use crate::limits::{
    HANDSHAKES_PER_SOURCE_MAX, OUTSIDERS_MAX, STRANGER_QUEUE_BYTES_MAX, STRANGERS_PER_SOURCE_MAX,
};
use crate::node::{Class, Closed, Input, LinkId};

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
