//! `--timeout` is a deadline: `papo send` and a pipe end by then, whatever others do or leave undone.

use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use papo::lock::{DatagramSeal, Secret};
use papo::wire::{Address, Coordinator, Datagram, Key, encode_datagram};

use crate::harness::{
    PATIENCE, Room, eventually, let_pass, ms, one_line_that_names, scratch_dir, shared,
    write_secret,
};
use crate::speaker::mouth;

/// More than a process needs to start and to leave on a busy machine.
const SLACK: Duration = ms(2_500);

/// Coordinators of a room that are heard, one after the other, and take connections without ever saying
/// anything on them.
struct Unreachable {
    over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
    _listener: TcpListener,
}

impl Unreachable {
    fn new(room: &Room<'_>, secret: Option<Secret>) -> Unreachable {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let at = listener.local_addr().expect("an address");
        let over = Arc::new(AtomicBool::new(false));
        let (is_over, name, group) = (Arc::clone(&over), room.name.clone(), room.group);
        let thread = std::thread::spawn(move || {
            let mouth = mouth(Ipv4Addr::LOCALHOST);
            let mut seal = secret.map(|s| DatagramSeal::new(&s).expect("randomness"));
            let started = Instant::now();
            while !is_over.load(SeqCst) {
                // One key for a second, as of a group whose coordinator changes.
                let key = 0x7777_0000_0000_0000 + started.elapsed().as_secs();
                let plain = heartbeat(&name, key, at);
                let bytes = match &mut seal {
                    Some(seal) => seal.seal(wall_ms(), &plain),
                    None => plain,
                };
                let _ = mouth.send_to(&bytes, group);
                let_pass(ms(50));
            }
        });
        Unreachable {
            over,
            thread: Some(thread),
            _listener: listener,
        }
    }
}

impl Drop for Unreachable {
    fn drop(&mut self) {
        self.over.store(true, SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn heartbeat(room: &str, key: u64, at: SocketAddr) -> Vec<u8> {
    let coordinator = Coordinator {
        id: 1,
        key: Key(key),
        addresses: vec![Address(at)],
        version: 1,
    };
    let datagram = Datagram::Heartbeat {
        room: room.to_owned(),
        coordinator,
        members: 1,
        nick: None,
    };
    encode_datagram(&datagram).expect("a valid datagram")
}

#[test]
fn a_coordinator_that_is_heard_and_not_reached_does_not_keep_send_or_a_pipe() {
    let permit = shared();
    let room = Room::new(&permit);
    is_not_kept(&room, None, &[]);
}

#[test]
fn nor_does_one_that_holds_the_secret_of_a_locked_room() {
    let permit = shared();
    let (room, dir) = (Room::new(&permit), scratch_dir());
    let (key, text) = (dir.join("key"), "correct horse battery staple");
    write_secret(&key, text);
    let secret = Secret::derive(&room.name, text.as_bytes()).expect("it is long enough");
    let options = ["--secret-file", key.to_str().expect("ASCII")];
    is_not_kept(&room, Some(secret), &options);
}

fn is_not_kept(room: &Room<'_>, secret: Option<Secret>, options: &[&str]) {
    let _unreachable = Unreachable::new(room, secret);
    let sending = [&["send", "--timeout", "1"], options, &["hello"]].concat();
    let send = room.papo("ana", &sending).start();
    let piping = [&["--timeout", "1"], options].concat();
    let mut pipe = room.papo("bia", &piping).start();
    pipe.write(b"one\ntwo\n");
    pipe.close_input();
    for (node, lines) in [(&send, "1 line not sent"), (&pipe, "2 lines not sent")] {
        let (ended, status) = node.exit_within(PATIENCE);
        assert!(
            ended - node.born < ms(1_000) + SLACK,
            "{:?}",
            ended - node.born
        );
        assert_eq!(status.code(), Some(1), "{}", node.stderr());
        one_line_that_names(node, lines);
        one_line_that_names(node, "--timeout");
    }
}

fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// A reader that takes a little now and then has until the deadline, and no longer.
#[test]
fn a_pipe_whose_reader_is_slow_ends_in_time_and_says_what_was_not_printed() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    for n in 0..3_000 {
        ana.say(&format!("{n:0100}"));
    }
    ana.heard("ana", 3_000);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let options = ["--replay", "all", "--timeout", "3"];
    let mut pipe = room.papo("bia", &options).stdout(writer).start();
    pipe.close_input();
    let over = Arc::new(Mutex::new(false));
    let is_over = Arc::clone(&over);
    let thread = std::thread::spawn(move || {
        let mut reader = reader;
        let mut page = vec![0; 4_096];
        while !*is_over.lock().expect("no panic") && matches!(reader.read(&mut page), Ok(1..)) {
            let_pass(ms(300));
        }
    });
    let (ended, status) = pipe.exit_within(PATIENCE);
    *over.lock().expect("no panic") = true;
    thread.join().expect("no panic");
    assert!(
        ended - pipe.born < ms(3_000) + SLACK,
        "{:?}",
        ended - pipe.born
    );
    assert_eq!(status.code(), Some(1), "{}", pipe.stderr());
    assert!(pipe.stderr().contains("not printed"), "{}", pipe.stderr());
    assert!(pipe.stderr().contains("--timeout"), "{}", pipe.stderr());
}

/// Time was not what a reader lacked that took nothing at all.
#[test]
fn a_pipe_whose_reader_takes_nothing_says_that_nobody_read() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    for n in 0..3_000 {
        ana.say(&format!("{n:0100}"));
    }
    ana.heard("ana", 3_000);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let options = ["--replay", "all", "--timeout", "30"];
    let mut pipe = room.papo("bia", &options).stdout(writer).start();
    eventually("the pipe is full", PATIENCE, || {
        rustix::io::ioctl_fionread(&reader).expect("a pipe") > 60_000
    });
    pipe.close_input();
    let (_, status) = pipe.exit_within(PATIENCE);
    assert_eq!(status.code(), Some(1), "{}", pipe.stderr());
    let words = "not printed: nobody read the output";
    assert!(pipe.stderr().contains(words), "{}", pipe.stderr());
}
