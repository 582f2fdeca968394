//! A room of a million messages: the figures in `src/store/STORE.md`. Run it with `--release`.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use super::{as_str, join_storing, join_storing_with};
use crate::harness::{Node, Room, alone, let_pass, scratch_dir};

const MESSAGES: u64 = 1_000_000;
const LONG: Duration = Duration::from_secs(600);

/// Resident memory now, in MiB.
fn memory(node: &Node) -> u64 {
    let path = format!("/proc/{}/status", node.pid().as_raw_nonzero());
    let status = fs::read_to_string(path).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

/// Waits until it has joined, and says how long that took and what it holds.
fn joined(what: &str, node: &Node) {
    let event = node.wait("joined", LONG, |r| r.all("joined").next().cloned());
    let took = event.at.duration_since(node.born);
    println!("{what}: joined after {took:?}, {} MiB", memory(node));
    assert_eq!(event.num("history"), MESSAGES);
}

fn started(what: &str, node: &Node) {
    let event = node.wait("listening", LONG, |r| r.all("listening").next().cloned());
    println!(
        "{what}: started after {:?}",
        event.at.duration_since(node.born)
    );
}

fn quit(node: Node) {
    node.say("/quit");
    node.exit_within(LONG);
}

#[test]
#[ignore = "a measurement"]
fn a_million_messages() {
    let permit = alone();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let (file, copy, lines) = (dir.join("a.db"), dir.join("b.db"), dir.join("lines"));
    let mut text = String::new();
    for n in 0..MESSAGES {
        let words = "some words that people say in a chat of some length ".repeat(2);
        writeln!(text, "{n:07} {}", &words[..92]).expect("a String takes everything");
    }
    fs::write(&lines, text).expect("the directory is ours");
    let writer = (room.papo("ana", &["--store", as_str(&file), "--timeout", "600"]))
        .stdin(fs::File::open(&lines).expect("it was just written"))
        .start();
    let (end, _) = writer.exit_within(LONG);
    println!("written after {:?}", end.duration_since(writer.born));

    let ana = join_storing(&room, "ana", &file);
    started("with a store", &ana);
    joined("with a store", &ana);
    let bia = room.join_with("bia", &["--history", "1000000"]);
    joined("a newcomer with all in memory", &bia);
    quit(bia);
    let bia = join_storing_with(&room, "bia", &copy, &[]);
    joined("a newcomer with a store", &bia);
    quit(bia);
    let bia = join_storing_with(&room, "bia", &copy, &[]);
    joined("one who comes back", &bia);
    assert_eq!(bia.ask("/status", "status").num("repaired"), 0);
    quit(bia);

    let database = rusqlite::Connection::open(&file).expect("it is a database");
    let indexed = || {
        let row = database.query_row("SELECT indexed FROM room", [], |row| row.get::<_, i64>(0));
        row.is_ok_and(|n| n.cast_unsigned() >= MESSAGES)
    };
    while !indexed() {
        let_pass(Duration::from_secs(1));
    }
    drop(database);
    for words in ["0999999", "nowhere", "people chat"] {
        let args = ["history", "--store", as_str(&file), "--grep", words];
        let before = Instant::now();
        let search = room.raw(&args).stdout(std::process::Stdio::null()).start();
        search.exit_within(LONG);
        println!("{words:?} is found after {:?}", before.elapsed());
    }
    drop(ana);
    let ana = join_storing(&room, "ana", &file);
    started("after kill -9", &ana);
}
