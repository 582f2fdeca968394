//! A room whose whole traffic goes through the test: two nodes in two multicast groups, and a relay
//! between them that passes on datagrams and the one link, and keeps every byte.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::harness::{Node, Permit, Room, let_pass, ms, shared};
use crate::secrets::{Locked, Peace};
use crate::speaker::{address_of, ear, mouth};

/// Where the relay dials and sends from; everything in 127.0.0.0/8 is this host.
const RELAY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

#[derive(Default)]
struct Capture {
    datagrams: Mutex<Vec<Vec<u8>>>,
    /// Each direction of each link.
    streams: Mutex<Vec<Arc<Mutex<Vec<u8>>>>>,
    /// Datagrams go from the first group to the second, too.
    both_ways: AtomicBool,
    over: AtomicBool,
}

impl Capture {
    fn all(&self) -> Vec<Vec<u8>> {
        let mut all = self.datagrams.lock().expect("no panic").clone();
        let streams = self.streams.lock().expect("no panic");
        all.extend(streams.iter().map(|s| s.lock().expect("no panic").clone()));
        all
    }

    fn stream_bytes(&self) -> usize {
        let streams = self.streams.lock().expect("no panic");
        streams
            .iter()
            .map(|s| s.lock().expect("no panic").len())
            .sum()
    }

    #[track_caller]
    fn contains(&self, text: &str) -> bool {
        let text = text.as_bytes();
        let mut all = self.all().into_iter();
        all.any(|bytes| bytes.windows(text.len()).any(|w| w == text))
    }

    fn pass_datagrams(self: &Arc<Self>, ear: UdpSocket, to: SocketAddrV4, second: bool) {
        let capture = Arc::clone(self);
        let mouth = mouth(RELAY);
        thread::spawn(move || {
            let mut bytes = [0; 2_000];
            while !capture.over.load(SeqCst) {
                let Ok((n, from)) = ear.recv_from(&mut bytes) else {
                    continue;
                };
                if from.ip() == RELAY {
                    continue;
                }
                let datagram = bytes[..n].to_vec();
                capture.datagrams.lock().expect("no panic").push(datagram);
                if second || capture.both_ways.load(SeqCst) {
                    let _ = mouth.send_to(&bytes[..n], to);
                }
            }
        });
    }

    /// Whoever dials the relay at this port means the node at the same port of 127.0.0.1.
    fn pass_links(self: &Arc<Self>, port: u16) {
        let capture = Arc::clone(self);
        let listener = TcpListener::bind((RELAY, port)).expect("a port");
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if capture.over.load(SeqCst) {
                    return;
                }
                let far = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
                for (from, to) in [(&stream, &far), (&far, &stream)] {
                    let from = from.try_clone().expect("a descriptor");
                    capture.pass(from, to.try_clone().expect("a descriptor"));
                }
            }
        });
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream) {
        let kept = Arc::new(Mutex::new(Vec::new()));
        self.streams
            .lock()
            .expect("no panic")
            .push(Arc::clone(&kept));
        thread::spawn(move || {
            let mut bytes = [0; 16 * 1024];
            while let Ok(n @ 1..) = from.read(&mut bytes) {
                kept.lock()
                    .expect("no panic")
                    .extend_from_slice(&bytes[..n]);
                if to.write_all(&bytes[..n]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}

/// Two nodes that know each other through the relay only, and what went over it.
struct Tapped<'permit> {
    capture: Arc<Capture>,
    groups: [SocketAddrV4; 2],
    ana: Node,
    bia: Node,
    room: Room<'permit>,
}

impl Drop for Tapped<'_> {
    fn drop(&mut self) {
        self.capture.over.store(true, SeqCst);
    }
}

fn tap<'permit>(permit: &'permit Permit, room: Room<'permit>, options: &[&str]) -> Tapped<'permit> {
    let capture = Arc::new(Capture::default());
    let mut other = room.neighbour();
    other.name.clone_from(&room.name);
    other.group = Room::new(permit).group;
    let groups = [room.group, other.group];
    let ana = room.join_with("ana-nick", options);
    ana.joined();
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    capture.pass_links(port);
    capture.pass_datagrams(ear(groups[0]), groups[1], false);
    capture.pass_datagrams(ear(groups[1]), groups[0], true);
    let listen = format!("127.0.0.1:{port}");
    let mut all = vec!["--listen", &listen];
    all.extend_from_slice(options);
    let bia = other.join_with("bia-nick", &all);
    // Only now does bia hear the group itself: it was dialled, through the relay.
    bia.joined();
    assert_eq!(bia.look(|r| r.view.len()), 2);
    capture.both_ways.store(true, SeqCst);
    ana.say("the text of ana");
    bia.heard("ana-nick", 1);
    bia.say("the text of bia");
    ana.heard("bia-nick", 1);
    ana.say("/msg bia-nick the private text");
    ana.say("/nick new-nick");
    bia.event("a rename", |e| e.is("member_renamed"));
    ana.say("/elect");
    bia.event("an election", |e| e.is("coordinator") && e.flag("own"));
    // Some heartbeats.
    let_pass(ms(2_000));
    // Nothing went another way: there is one link, and what is said goes through the relay.
    let before = capture.stream_bytes();
    bia.say(&"x".repeat(5_000));
    ana.heard("bia-nick", 2);
    assert!(capture.stream_bytes() >= before + 5_000);
    assert_eq!(bia.ask("/status", "status").num("links"), 1);
    Tapped {
        capture,
        groups,
        ana,
        bia,
        room,
    }
}

const SECRETS: [&str; 7] = [
    "ana-nick",
    "bia-nick",
    "new-nick",
    "the text of ana",
    "the text of bia",
    "the private text",
    "xxxx",
];

#[test]
fn everything_shows_in_the_traffic_of_an_open_room() {
    let permit = shared();
    let tapped = tap(&permit, Room::new(&permit), &[]);
    for text in SECRETS.iter().chain([&tapped.room.name.as_str()]) {
        assert!(tapped.capture.contains(text), "{text}");
    }
}

#[test]
fn the_traffic_of_a_locked_room_says_nothing_and_repeating_it_changes_nothing() {
    let permit = shared();
    let locked = Locked::new(&permit);
    let mut room = locked.room.neighbour();
    room.name.clone_from(&locked.room.name);
    let tapped = tap(&permit, room, &locked.right());
    for text in SECRETS.iter().chain([&tapped.room.name.as_str()]) {
        assert!(!tapped.capture.contains(text), "{text}");
    }
    let datagrams = tapped.capture.datagrams.lock().expect("no panic").len();
    assert!(datagrams >= 8, "{datagrams} datagrams");

    let peace = Peace::of(&[&tapped.ana, &tapped.bia]);
    repeat_datagrams(&tapped);
    repeat_streams(&tapped);
    repeat_datagrams(&tapped);
    let_pass(ms(1_500));
    peace.holds();
    // And the room goes on.
    tapped.ana.say("still here");
    tapped.bia.heard("new-nick", 1);
}

fn repeat_datagrams(tapped: &Tapped<'_>) {
    let datagrams = tapped.capture.datagrams.lock().expect("no panic").clone();
    for from in [RELAY, Ipv4Addr::LOCALHOST] {
        let mouth = mouth(from);
        for (n, datagram) in datagrams.iter().enumerate() {
            for group in tapped.groups {
                mouth.send_to(datagram, group).expect("a datagram is sent");
            }
            if n % 20 == 0 {
                let_pass(ms(1));
            }
        }
    }
}

/// Each direction of each link, to each node, at once and in pieces.
fn repeat_streams(tapped: &Tapped<'_>) {
    let streams = tapped.capture.streams.lock().expect("no panic").clone();
    for to in [address_of(&tapped.ana), address_of(&tapped.bia)] {
        for stream in &streams {
            let bytes = stream.lock().expect("no panic").clone();
            assert!(bytes.len() > 50);
            for first in [bytes.len(), 50] {
                repeat_stream(to, &bytes, first);
            }
        }
    }
}

/// What a repeated handshake gets at most, all in all: its second message, and one record that only the dialler of then
/// could open, with an INTRODUCTION in it. No PROOF, and no HELLO.
const ANSWER_BYTES_MAX: usize = 50 + 18 + 4 + 219;

fn repeat_stream(to: SocketAddr, bytes: &[u8], first: usize) {
    let mut stream = TcpStream::connect(to).expect("it listens");
    let wait = Duration::from_millis(50);
    stream.set_read_timeout(Some(wait)).expect("an option");
    let _ = stream.write_all(&bytes[..first]);
    let mut answer = [0; 1_000];
    let first_read = stream.read(&mut answer).unwrap_or(0);
    let _ = stream.write_all(&bytes[first..]);
    let n = first_read + stream.read(&mut answer).unwrap_or(0);
    assert!(n <= ANSWER_BYTES_MAX, "{n} bytes");
}
