//! What a node takes from those who only want to hurt it: memory, time and newcomers are watched
//! while floods of all kinds go on.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run against real clocks and take real random addresses"
)]

#[path = "harness/mod.rs"]
mod harness;
#[path = "locked/speaker.rs"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod speaker;

#[path = "hostile/attacks.rs"]
mod attacks;
#[path = "hostile/crowds.rs"]
mod crowds;
#[path = "hostile/forged.rs"]
mod forged;

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use harness::{Node, PATIENCE, Room, agree, alone, let_pass, ms, scratch_dir, write_secret};

use attacks::{Attack, Target};

/// How much a node's memory may grow under attack.
const GROWTH_KIB_MAX: u64 = 32 * 1024;
/// How late a line may be, on a machine that does nothing else. Attackers run on the same one here.
const DELAY_MAX: Duration = Duration::from_millis(100);

fn rss_kib(node: &Node) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid().as_raw_nonzero()));
    let status = status.expect("the process is there");
    let line = status.lines().find(|l| l.starts_with("VmRSS:"));
    let number = line.and_then(|l| l.split_whitespace().nth(1));
    number.expect("a number").parse().expect("a number")
}

/// Two members talk, a third one joins, while `attack` goes on against the first two.
fn withstand(name: &str, attack: Attack) {
    withstand_with(name, attack, None);
}

/// The same in a room that is locked, if there is a secret.
fn withstand_with(name: &str, attack: Attack, secret: Option<&str>) {
    let permit = alone();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let key = dir.join("key");
    let mut options = Vec::new();
    if let Some(secret) = secret {
        write_secret(&key, secret);
        options = vec!["--secret-file", key.to_str().expect("ASCII")];
    }
    let join = |nick| room.join_with(nick, &options);
    let ana = join("ana");
    ana.joined();
    let bia = join("bia");
    bia.joined();
    ana.sees_members(2);
    for n in 0..20 {
        ana.say(&format!("warm {n}"));
    }
    bia.heard("ana", 20);
    let before = [rss_kib(&ana), rss_kib(&bia)];
    let over = AtomicBool::new(false);
    let targets = [&ana, &bia].map(|n| Target::of(n, &room, secret));
    let mut delays = Vec::new();
    std::thread::scope(|scope| {
        for target in &targets {
            scope.spawn(|| attack(target, &over));
        }
        let _end = End(&over);
        let_pass(ms(500));
        let mut heard = 20;
        let began = Instant::now();
        let mut joiner = None;
        while began.elapsed() < ms(3_000) {
            heard += 1;
            let said = Instant::now();
            ana.say(&format!("line {heard}"));
            bia.wait("the line", PATIENCE, |r| {
                (r.heard_of("ana") >= heard).then_some(())
            });
            delays.push(said.elapsed());
            if joiner.is_none() && began.elapsed() > ms(1_000) {
                joiner = Some(join("caio"));
            }
            let_pass(ms(20));
        }
        let joiner = joiner.expect("it was started");
        let joined = joiner.joined();
        let took = joined.at - joiner.born;
        let first = !joined.flag("again") && joined.list("members").len() == 3;
        assert!(first, "{name}: a group of its own: {}", joined.body);
        let after = [rss_kib(&ana), rss_kib(&bia)];
        delays.sort_unstable();
        let worst = delays[delays.len() - 1];
        eprintln!(
            "{name}: joined in {took:?}, {} lines, at most {worst:?}, {before:?} to {after:?} KiB",
            delays.len()
        );
        for (before, after) in before.iter().zip(after) {
            assert!(
                after < before + GROWTH_KIB_MAX,
                "{name}: {before} to {after} KiB"
            );
        }
        drop(_end);
        agree(&[&ana, &bia, &joiner], Duration::from_secs(15));
        for node in [&ana, &bia, &joiner] {
            assert!(!node.stderr().contains("panicked"), "{}", node.stderr());
            let lines = node.stderr().lines().count();
            assert!(
                lines < 200,
                "{name}: {lines} lines of log: {}",
                node.stderr()
            );
        }
        assert!(took < ms(1_000), "{name}: joined after {took:?}");
        assert!(worst < DELAY_MAX, "{name}: a line took {worst:?}");
    });
}

/// However the test ends, the attackers do too.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

#[test]
fn a_thousand_connections_that_send_nothing() {
    withstand("silent", attacks::silent);
}

#[test]
fn a_thousand_connections_that_send_a_byte_a_second() {
    withstand("slow", attacks::slow);
}

#[test]
fn a_flood_of_random_frames() {
    withstand("random", attacks::random_frames);
}

/// Of those who do not hold the secret, and of those who do.
#[test]
fn a_flood_of_random_frames_in_a_locked_room() {
    let secret = Some("correct horse battery staple");
    withstand_with("random, locked", attacks::random_frames, secret);
}

#[test]
fn a_flood_of_valid_join_requests() {
    withstand("requests", attacks::join_requests);
}

#[test]
fn frames_that_announce_more_than_there_is() {
    withstand("lies", attacks::lies);
}

#[test]
fn strangers_that_ask_and_do_not_read() {
    withstand("deaf", attacks::deaf);
}

#[test]
fn proofs_that_do_not_hold() {
    withstand("proofs", attacks::proofs);
}

#[test]
fn texts_full_of_escapes() {
    withstand("escapes", attacks::escapes);
}
