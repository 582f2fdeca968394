//! Coordinators that nobody is: each costs a stranger one datagram, and nodes that start meanwhile find each other all
//! the same.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use papo::wire::{Address, Coordinator, Datagram, Key, encode_datagram};

use crate::harness::{PATIENCE, Room, agree, alone, let_pass, ms, random};
use crate::speaker::mouth;
use crate::{DELAY_MAX, End};

/// How long nodes that found a room each may take to find each other, in an honest network or not: a coordinator that
/// is only heard counts for 1.6 s, and one that lives is dialled within a few heartbeats after that.
const MEET_MAX: Duration = Duration::from_secs(8);

/// One more that does not exist, with a claim that is higher than that of any room that just began.
fn forged(room: &str, rng: &mut fastrand::Rng) -> Vec<u8> {
    let room = room.to_owned();
    let coordinator = Coordinator {
        id: rng.u64(2..1 << 53),
        key: Key(rng.u64(1..)),
        // Nobody listens there.
        addresses: vec![Address((Ipv4Addr::LOCALHOST, 9).into())],
        version: 3,
    };
    let datagram = if rng.bool() {
        let (members, nick) = (5, None);
        Datagram::Heartbeat {
            room,
            coordinator,
            members,
            nick,
        }
    } else {
        Datagram::Referral { room, coordinator }
    };
    encode_datagram(&datagram).expect("it is valid")
}

/// Four nodes start together, while a stranger forges a coordinator in each of these pauses.
fn meet(pause: Duration) {
    let permit = alone();
    let room = Room::new(&permit);
    let (group, name) = (room.group, room.name.clone());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mouth, mut rng) = (mouth(Ipv4Addr::LOCALHOST), random());
            while !over.load(SeqCst) {
                let _ = mouth.send_to(&forged(&name, &mut rng), group);
                let_pass(pause);
            }
        });
        let _end = End(&over);
        let nodes = room.join_all(["ana", "bia", "caio", "dora"]);
        for node in &nodes {
            node.joined();
        }
        let joined = Instant::now();
        for node in &nodes {
            node.sees_members(nodes.len());
        }
        let took = joined.elapsed();
        eprintln!("one forged in {pause:?}: one room after {took:?}");
        assert!(took < MEET_MAX, "one room after {took:?} only");
        let said = Instant::now();
        nodes[0].say("here we are");
        for node in &nodes[1..] {
            node.wait("the line", PATIENCE, |r| {
                (r.heard_of("ana") >= 1).then_some(())
            });
        }
        assert!(said.elapsed() < DELAY_MAX, "{:?}", said.elapsed());
        agree(&nodes.each_ref(), Duration::from_secs(15));
    });
}

#[test]
fn who_starts_in_a_trickle_of_forged_coordinators_finds_the_others() {
    meet(ms(20));
}

#[test]
fn who_starts_in_a_flood_of_forged_coordinators_finds_the_others() {
    meet(ms(4));
}
