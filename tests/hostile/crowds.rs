//! Many addresses, and one process that takes all the places it can get: newcomers are let in all the same.

use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use papo::limits::{MEMBERS_MAX, OUTSIDERS_MAX};
use papo::lock::Secret;
use papo::wire::{JoinRequest, Message, VERSION};
use socket2::{Domain, Socket, Type};

use crate::harness::{
    Node, PATIENCE, Permit, Room, Scratch, agree, alone, ms, scratch_dir, write_secret,
};
use crate::speaker::{Speaker, address_of, hello};

const SECRET: &str = "correct horse battery staple";

/// A room that strangers come to: in a locked one they hold the secret.
struct Square<'permit> {
    room: Room<'permit>,
    dir: Scratch,
    secret: Option<Secret>,
}

impl<'permit> Square<'permit> {
    fn new(permit: &'permit Permit, is_locked: bool) -> Square<'permit> {
        let (room, dir) = (Room::new(permit), scratch_dir());
        write_secret(&dir.join("key"), SECRET);
        let secret = is_locked
            .then(|| Secret::derive(&room.name, SECRET.as_bytes()).expect("it is long enough"));
        Square { room, dir, secret }
    }

    fn join(&self, nick: &str) -> Node {
        let key = self.dir.join("key");
        let key = key.to_str().expect("ASCII");
        match self.secret {
            Some(_) => self.room.join_with(nick, &["--secret-file", key]),
            None => self.room.join(nick),
        }
    }

    /// A stranger's link from this address, with HELLO said in both directions.
    fn link_from(&self, ip: [u8; 4], to: SocketAddr) -> Option<Speaker> {
        let mut speaker = Speaker::on(dial_from(ip, to)?);
        if let Some(secret) = &self.secret {
            speaker = speaker.lock(secret);
        }
        let room = &self.room.name;
        speaker.try_prove(room, ms(1_000))?;
        speaker.say(&hello(room, speaker.key(), 0, None));
        speaker.hear(ms(1_000), |m| matches!(m, Message::Hello(_)))?;
        Some(speaker)
    }
}

/// A connection from this address of the host, if it is taken.
fn dial_from(ip: [u8; 4], to: SocketAddr) -> Option<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).ok()?;
    socket.bind(&SocketAddr::from((ip, 0)).into()).ok()?;
    socket.connect_timeout(&to.into(), ms(1_000)).ok()?;
    Some(socket.into())
}

fn request(room: &str, speaker: &Speaker) -> Message {
    Message::JoinRequest(JoinRequest {
        version: VERSION,
        room: room.to_owned(),
        key: speaker.key(),
        nick: "mallory".to_owned(),
        attempt: 0,
        port: 9,
        addresses: Vec::new(),
        id: None,
        next_id: 0,
        view_version: 0,
        office: false,
        no: 0,
    })
}

/// How many links a process has: its sockets that are connected.
fn connections(pid: i32) -> usize {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("the process is there");
    let sockets = entries.flatten().filter(|entry| {
        let target = std::fs::read_link(entry.path());
        target.is_ok_and(|target| target.to_string_lossy().starts_with("socket:"))
    });
    sockets.count()
}

/// Four addresses have as many strangers' links as they may, and 540 others one each.
#[test]
fn many_addresses_leave_room_for_newcomers() {
    come_from_everywhere(false);
}

#[test]
fn many_addresses_leave_room_for_newcomers_of_a_locked_room() {
    come_from_everywhere(true);
}

fn come_from_everywhere(is_locked: bool) {
    let permit = alone();
    let room = Square::new(&permit, is_locked);
    let [ana, bia] = ["ana", "bia"].map(|nick| {
        let node = room.join(nick);
        node.joined();
        node
    });
    let mut kept = Vec::new();
    for target in [&ana, &bia] {
        let at = address_of(target);
        for n in 0..512_u16 {
            kept.extend(room.link_from([127, 0, 7, (n % 4) as u8 + 1], at));
        }
        for n in 0..540_u16 {
            let [high, low] = n.to_be_bytes();
            kept.extend(room.link_from([127, 9, high, low], at));
        }
        let open = connections(target.pid().as_raw_nonzero().get());
        assert!(open < OUTSIDERS_MAX + 40, "{open} sockets");
    }
    let began = Instant::now();
    let caio = room.join("caio");
    let joined = caio.joined();
    let took = joined.at - caio.born;
    assert_eq!(joined.list("members").len(), 3);
    eprintln!("joined in {took:?}, {:?} after the last", began.elapsed());
    assert!(took < ms(1_000), "joined after {took:?}");
    caio.say("here I am");
    for node in [&ana, &bia] {
        node.heard("caio", 1);
    }
    agree(&[&ana, &bia, &caio], PATIENCE);
}

/// One process asks for memberships until it gets none, from three addresses one after the other.
#[test]
fn one_process_leaves_a_fifth_of_the_places() {
    take_all(false);
}

#[test]
fn one_process_leaves_a_fifth_of_the_places_of_a_locked_room() {
    take_all(true);
}

fn take_all(is_locked: bool) {
    let permit = alone();
    let room = Square::new(&permit, is_locked);
    let ana = room.join("ana");
    ana.joined();
    let at = address_of(&ana);
    let mut taken = Vec::new();
    for address in 1..=3 {
        let ip = [127, 0, 8, address];
        // Links of those who are let in are members', and the next one takes the place of no other.
        while let Some(mut speaker) = room.link_from(ip, at) {
            speaker.say(&request(&room.room.name, &speaker));
            let answer = speaker.hear(ms(300), |m| matches!(m, Message::JoinResponse(_)));
            if answer.is_none() {
                break;
            }
            taken.push(speaker);
        }
        eprintln!("{} places after address {address}", taken.len());
    }
    let left = MEMBERS_MAX - 1 - taken.len();
    assert!(left >= MEMBERS_MAX / 5, "{} are taken", taken.len());
    ana.logs("the room is filling up", 1);
    // Somebody else is let in.
    let mut caio = room.link_from([127, 0, 8, 200], at).expect("a link");
    caio.say(&request(&room.room.name, &caio));
    let answer = caio.hear(ms(3_000), |m| matches!(m, Message::JoinResponse(_)));
    assert!(answer.is_some(), "a newcomer of another host is let in");
}

/// Who finds no place is told so within the time that it has given.
#[test]
fn a_full_room_keeps_nobody_longer_than_its_timeout() {
    let permit = alone();
    let square = Square::new(&permit, false);
    let room = &square.room;
    // Its members say nothing while the others come.
    let ana = room.join_with("ana", &["--failure-timeout", "60000"]);
    ana.joined();
    let at = address_of(&ana);
    let mut taken = Vec::new();
    for n in 1..MEMBERS_MAX as u16 {
        let [high, low] = n.to_be_bytes();
        let mut speaker = square.link_from([127, 10, high, low], at).expect("a link");
        speaker.say(&request(&room.name, &speaker));
        let answer = speaker.hear(PATIENCE, |m| matches!(m, Message::JoinResponse(_)));
        assert!(answer.is_some(), "{n} are in");
        taken.push(speaker);
    }
    let send = room
        .papo("bia", &["send", "--timeout", "1", "hello"])
        .start();
    let mut pipe = room.papo("caio", &["--timeout", "1"]).start();
    pipe.write(b"one\n");
    pipe.close_input();
    for node in [&send, &pipe] {
        let (ended, status) = node.exit_within(PATIENCE);
        let took = ended - node.born;
        assert_eq!(status.code(), Some(1), "{}", node.stderr());
        assert!(took < ms(2_500), "{took:?}: {}", node.stderr());
        assert!(
            node.stderr().contains("1 line not sent"),
            "{}",
            node.stderr()
        );
    }
}
