//! Who is let into a room that fills up.

use std::net::{Ipv4Addr, SocketAddr};

use crate::limits::{MEMBERS_CROWDED, MEMBERS_MAX};
use crate::node::rig::{Rig, address, hello, request};
use crate::node::{Input, Person};
use crate::wire::{Address, CarriedRequest, JoinRequest, Key, Message, Relay};

/// Nobody in particular asks in from this address, until it is refused; how often it was let in.
fn take_all(rig: &mut Rig, from: Ipv4Addr, keys: u64) -> usize {
    let before = rig.node.members().len();
    let mut all = keys..;
    while all.next().is_some_and(|key| ask(rig, from, Key(key), None)) {}
    rig.node.members().len() - before
}

/// Somebody asks in; true if it is let in.
fn ask(rig: &mut Rig, from: Ipv4Addr, key: Key, person: Option<Person>) -> bool {
    let link = rig.node.new_link();
    let from = SocketAddr::from((from, 4_001));
    rig.turn(vec![Input::Accepted { link, from }]);
    rig.node.on_person(link, person);
    rig.receive(link, Message::Hello(hello(key, None)));
    let sent = rig.receive(link, Message::JoinRequest(request(key)));
    sent.iter().any(|m| matches!(m, Message::JoinResponse(_)))
}

fn ip(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

#[test]
fn one_host_starts_half_a_room_and_leaves_the_rest_to_others() {
    let mut rig = Rig::new();
    let taken = take_all(&mut rig, ip(1), 1_000);
    assert_eq!(taken + 1, MEMBERS_CROWDED, "the coordinator was there");
    let others: Vec<usize> = (2..=3)
        .map(|n| take_all(&mut rig, ip(n), 10_000 * u64::from(n)))
        .collect();
    let left = MEMBERS_MAX - rig.node.members().len();
    assert!(
        left >= MEMBERS_MAX / 5,
        "{others:?}: {left} places are left"
    );
    // Every further host gets in, as long as there is a place.
    for n in 0..left as u64 {
        let from = Ipv4Addr::new(10, 0, 1, n as u8);
        assert!(
            ask(&mut rig, from, Key(100_000 + n), None),
            "host {n} of {left}"
        );
    }
    assert!(!ask(&mut rig, ip(99), Key(7), None), "the room is full");
}

/// Who carries others' questions could bring any number of them, from wherever they say that they are.
#[test]
fn whoever_is_brought_by_others_counts_for_the_one_who_brings() {
    let mut rig = Rig::new();
    let own = rig.node.key();
    let link = rig.meet(Key(66));
    rig.admit(link, Key(66));
    let carried = |n: u64| {
        let address = SocketAddr::from((Ipv4Addr::new(10, 1, (n >> 8) as u8, n as u8), 4_001));
        let fields = JoinRequest {
            addresses: vec![Address(address)],
            ..request(Key(1_000 + n))
        };
        Message::Relay(Relay {
            from: fields.key,
            to: own,
            ack: None,
            stable: None,
            request: Some(Box::new(CarriedRequest { turn: 1, fields })),
            seal: None,
        })
    };
    for n in 1..=400 {
        rig.receive(link, carried(n));
    }
    assert_eq!(rig.node.members().len(), MEMBERS_CROWDED);
    assert!(ask(&mut rig, ip(2), Key(7), None), "another host");
}

/// A view must fit a frame: long nicks and many addresses fill the room, too.
#[test]
fn one_host_with_long_nicks_leaves_a_fifth_of_the_view() {
    let mut rig = Rig::new();
    let mut asks = |from: Ipv4Addr, key: u64, nick: &str, addresses: usize| {
        let link = rig.node.new_link();
        let from = SocketAddr::from((from, 4_001));
        rig.turn(vec![Input::Accepted { link, from }]);
        rig.receive(link, Message::Hello(hello(Key(key), None)));
        let mut request = request(Key(key));
        request.nick = nick.to_owned();
        request.addresses = vec![address(4_001); addresses];
        let sent = rig.receive(link, Message::JoinRequest(request));
        sent.iter().any(|m| matches!(m, Message::JoinResponse(_)))
    };
    let long = "\u{1d11e}".repeat(32);
    let let_in = (1_000..)
        .take_while(|key| asks(ip(1), *key, &long, 8))
        .count();
    assert!(
        let_in < MEMBERS_CROWDED,
        "{let_in}: the bytes are what counts"
    );
    for n in 0..60_u8 {
        assert!(asks(ip(2 + n), u64::from(n) + 10, "caio", 2), "host {n}");
    }
}

#[test]
fn one_person_on_many_hosts_leaves_half_a_room_too() {
    let mut rig = Rig::new();
    let mut let_in = 0;
    for n in 0..300_u64 {
        let [.., high, low] = n.to_be_bytes();
        let from = Ipv4Addr::new(10, 1, high, low);
        let_in += usize::from(ask(&mut rig, from, Key(1_000 + n), Some([7; 20])));
    }
    assert_eq!(let_in + 1, MEMBERS_CROWDED);
    assert!(ask(&mut rig, ip(1), Key(7), Some([8; 20])), "somebody else");
    assert!(
        ask(&mut rig, ip(2), Key(8), None),
        "and nobody in particular"
    );
}

#[test]
fn who_is_a_member_already_is_answered_however_full_the_room_is() {
    let mut rig = Rig::new();
    take_all(&mut rig, ip(1), 1_000);
    assert!(!ask(&mut rig, ip(1), Key(5_000), None));
    assert!(ask(&mut rig, ip(1), Key(1_000), None), "it asks once more");
}
