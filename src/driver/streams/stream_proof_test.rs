//! Nobody is heard before it has proven its key.

use std::io::Write;
use std::net::Ipv4Addr;

use crate::driver::streams::rig::{
    LINK, StreamRig, accept, credentials, frame, hello, proof, read,
};
use crate::driver::streams::sockets;
use crate::identity::Role;
use crate::node::{Class, Closed};
use crate::wire::{Key, Message, Relay};

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
        request: None,
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
