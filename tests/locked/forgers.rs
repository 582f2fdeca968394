//! Forged datagrams and frames: without the secret in a locked room, without membership in an open
//! one.

use std::net::Ipv4Addr;
use std::time::Duration;

use papo::lock::{DatagramSeal, Secret};
use papo::wire::{
    Address, Coordinator, Datagram, JoinRequest, JoinResponse, Key, Member, Message, PeerUpdate,
    Position, UpdateKind, VERSION, View, encode_datagram, encode_frame,
};

use crate::harness::{Node, Room, agree, let_pass, ms, shared};
use crate::secrets::{Locked, Peace};
use crate::speaker::{Speaker, address_of, hello, key_of, mouth};

/// The key of nobody.
const MALLORY: Key = Key(0x6666_6666_6666_6666);

fn wall_ms() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().expect("after 1970");
    u64::try_from(since.as_millis()).expect("not so late")
}

fn claim(key: Key, id: u64) -> Coordinator {
    Coordinator {
        id,
        key,
        // Nobody listens there.
        addresses: vec![Address(([127, 0, 0, 1], 9).into())],
        version: 1_000,
    }
}

fn member(key: Key, id: u64) -> Member {
    Member {
        id,
        key,
        nick: "mallory".to_owned(),
        addresses: vec![Address(([127, 0, 0, 1], 9).into())],
    }
}

/// What only members and coordinators have a right to say, in the name of `key`.
fn forgeries(key: Key, leader: Key, victim: Key) -> Vec<Message> {
    let view = |coordinator: Key| View {
        coordinator,
        version: 1_000,
        next_id: 1_000,
        members: vec![member(coordinator, 999), member(victim, 2)],
        left: Vec::new(),
        clock: 0,
    };
    let update = |kind, version, members| {
        Message::PeerUpdate(PeerUpdate {
            coordinator: leader,
            version,
            next_id: 1_000,
            kind,
            members,
            clock: 0,
        })
    };
    let whole = vec![member(leader, 1), member(victim, 2)];
    let mut all = vec![
        update(UpdateKind::Whole, 1_000, whole),
        Message::CoordinatorAnnouncement(view(key)),
        Message::CoordinatorAnnouncement(view(leader)),
        Message::JoinResponse(JoinResponse {
            id: 2,
            view: view(key),
            clock: 0,
            newest: Position::default(),
            floor: None,
        }),
        Message::Election {
            id: 1,
            forced: true,
        },
        Message::Election {
            id: 999,
            forced: false,
        },
        Message::ElectionOk { coordinator: None },
        Message::Rename("mallory".to_owned()),
        Message::ProbeAnswer(leader),
    ];
    for version in 1..20 {
        all.push(update(UpdateKind::Lost, version, vec![member(victim, 2)]));
        all.push(update(UpdateKind::Joined, version, vec![member(key, 9)]));
    }
    all.push(Message::Leave);
    all
}

fn datagrams(room: &str, leader: Key) -> Vec<Datagram> {
    let room = room.to_owned();
    let request = JoinRequest {
        version: VERSION,
        room: room.clone(),
        key: MALLORY,
        nick: "mallory".to_owned(),
        attempt: 1,
        port: 9,
        addresses: Vec::new(),
        id: Some(999),
        next_id: 1_000,
        view_version: 1_000,
        office: true,
    };
    let mut all = vec![Datagram::JoinRequest(request)];
    for key in [MALLORY, leader] {
        let coordinator = claim(key, 999);
        all.push(Datagram::Heartbeat {
            room: room.clone(),
            coordinator: coordinator.clone(),
            members: 9,
            nick: None,
        });
        let room = room.clone();
        all.push(Datagram::Referral { room, coordinator });
    }
    all
}

#[test]
fn without_the_secret_no_forgery_has_an_effect() {
    let permit = shared();
    let locked = Locked::new(&permit);
    let nodes = ["ana", "bia", "caio"].map(|nick| {
        let node = locked.join(nick);
        node.joined();
        node
    });
    let [ana, bia, caio] = &nodes;
    caio.sees_members(3);
    let peace = Peace::of(&[ana, bia, caio]);
    let wrong = Secret::derive(&locked.room.name, b"not the secret").expect("it is long enough");
    let (leader, victim) = (key_of(ana), key_of(caio));

    let mut seal = DatagramSeal::new(&wrong).expect("randomness");
    let mouth = mouth(Ipv4Addr::LOCALHOST);
    for datagram in datagrams(&locked.room.name, leader) {
        let plain = encode_datagram(&datagram).expect("a valid datagram");
        for bytes in [seal.seal(wall_ms(), &plain), plain] {
            mouth
                .send_to(&bytes, locked.room.group)
                .expect("it is sent");
        }
    }
    for node in &nodes {
        for key in [MALLORY, leader, victim] {
            // As in an open room: the first frame's length is no record's.
            let mut open = Speaker::dial(address_of(node));
            open.say(&hello(&locked.room.name, key, 1, None));
            for forgery in forgeries(key, leader, victim) {
                open.say(&forgery);
            }
            assert!(open.is_closed_within(Duration::from_secs(2)));
        }
        let mut locked_out = Speaker::dial_locked(address_of(node), &wrong);
        assert!(locked_out.is_closed_within(Duration::from_secs(2)));
    }
    let_pass(ms(1_500));
    peace.holds();
    for node in &nodes {
        assert!(node.stderr().lines().count() <= 40, "{}", node.stderr());
    }
}

/// Heartbeats that somebody recorded, of coordinators that have gone since, one after the other.
#[test]
fn recordings_of_coordinators_that_have_gone_keep_a_new_node_out_for_seconds_only() {
    let permit = shared();
    let locked = Locked::new(&permit);
    let secret = Secret::derive(&locked.room.name, crate::secrets::SECRET.as_bytes());
    let secret = secret.expect("it is long enough");
    // It takes connections, and never says anything.
    let silent = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let at = silent.local_addr().expect("an address");
    let hour_ago = wall_ms() - 3_600_000;
    let recorded: Vec<Vec<u8>> = (1..=27)
        .map(|n| {
            let mut seal = DatagramSeal::new(&secret).expect("randomness");
            let coordinator = Coordinator {
                addresses: vec![Address(at)],
                ..claim(Key(n), n)
            };
            let beat = Datagram::Heartbeat {
                room: locked.room.name.clone(),
                coordinator,
                members: 9,
                nick: None,
            };
            let plain = encode_datagram(&beat).expect("a valid datagram");
            seal.seal(hour_ago + n * 1_000, &plain)
        })
        .collect();
    let group = locked.room.group;
    let over = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_over = std::sync::Arc::clone(&over);
    let thread = std::thread::spawn(move || {
        let mouth = mouth(Ipv4Addr::LOCALHOST);
        for datagram in &recorded {
            if is_over.load(std::sync::atomic::Ordering::SeqCst) {
                break;
            }
            let _ = mouth.send_to(datagram, group);
            let_pass(ms(500));
        }
    });
    let_pass(ms(100));
    let ana = locked.join("ana");
    let joined = ana.joined();
    over.store(true, std::sync::atomic::Ordering::SeqCst);
    thread.join().expect("no panic");
    let took = joined.at - ana.born;
    assert!(took < ms(6_000), "{took:?}");
}

#[test]
fn in_an_open_room_forgeries_of_one_who_is_no_member_have_no_effect() {
    let permit = shared();
    let room = Room::new(&permit);
    let nodes = room.join_all(["ana", "bia", "caio"]);
    let [ana, bia, caio] = &nodes;
    for node in &nodes {
        node.sees_members(3);
    }
    let peace = Peace::of(&[ana, bia, caio]);
    let leader = nodes
        .iter()
        .find(|n| n.look(|r| r.id == r.coordinator))
        .map(key_of)
        .expect("somebody coordinates");
    for node in &nodes {
        for victim in [key_of(node), leader] {
            for forgery in forgeries(MALLORY, leader, victim) {
                let mut mallory = Speaker::dial(address_of(node));
                mallory.greet(&room.name, MALLORY, 0);
                mallory.say(&forgery);
            }
        }
    }
    let_pass(ms(2_000));
    peace.holds();
}

/// Keys are no secrets, and nothing proves them: a stranger can take a member's place on a link. The
/// room must find together again by itself.
#[test]
fn in_an_open_room_a_stranger_with_a_members_key_breaks_nothing_for_good() {
    let permit = shared();
    let room = Room::new(&permit);
    let nodes = room.join_all(["ana", "bia", "caio"]);
    let [ana, bia, caio] = &nodes;
    for node in &nodes {
        node.sees_members(3);
    }
    let all: [&Node; 3] = [ana, bia, caio];
    ana.say("before");
    bia.heard("ana", 1);
    agree(&all, Duration::from_secs(15));
    for to in all {
        for of in all.iter().filter(|n| n.name != to.name) {
            let (key, victim) = (key_of(of), key_of(to));
            for forgery in forgeries(key, key, victim).chunks(8) {
                let mut mallory = Speaker::dial(address_of(to));
                let frames: Vec<u8> = [hello(&room.name, key, 1 << 50, None)]
                    .iter()
                    .chain(forgery)
                    .flat_map(|m| encode_frame(m).expect("a valid message").to_vec())
                    .collect();
                mallory.write(&frames);
                let_pass(ms(20));
            }
        }
    }
    caio.say("after");
    let history = agree(&all, Duration::from_secs(40));
    assert_eq!(history.len(), 2);
    for node in all {
        assert!(!node.stderr().contains("panicked"), "{}", node.stderr());
    }
}
