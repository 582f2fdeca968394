//! A store that may not become larger than `--store-max`: the oldest messages go, and nothing else does.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use rusqlite::Connection;
use rustix::process::Signal;

use super::{join_storing_with, stored_texts};
use crate::harness::{Node, PATIENCE, Room, agree, alone, let_pass, ms, scratch_dir, shared};

const MAX: u64 = 2 * 1024 * 1024;
const SMALL: [&str; 2] = ["--store-max", "2M"];
const LINES: usize = 40_000;
const TIMEOUT: &str = "120";

/// What a store takes of the disk now: the file and its log.
fn disk_use(file: &Path) -> u64 {
    let log = file.with_extension("db-wal");
    let size = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    size(file) + size(&log)
}

/// Some 8 MB of lines, each of which says its number.
fn lines(dir: &Path, count: usize) -> Stdio {
    let path = dir.join("lines");
    let text: String = (1..=count).map(|n| format!("{n:0>200}\n")).collect();
    fs::write(&path, text).expect("the directory is ours");
    fs::File::open(&path).expect("it was just written").into()
}

/// Somebody says as many lines as fast as it can, until all are confirmed. The result is what the store took of
/// the disk at most.
fn flood(room: &Room, dir: &Path, file: &Path, count: usize) -> u64 {
    let options = ["--wait-members", "1", "--timeout", TIMEOUT];
    let bia = room.papo("bia", &options).stdin(lines(dir, count)).start();
    let mut most = 0;
    let begin = std::time::Instant::now();
    while bia.look(|record| record.exit.is_none()) {
        most = most.max(disk_use(file));
        assert!(begin.elapsed() < 4 * PATIENCE, "the flood never ends");
        let_pass(ms(2));
    }
    assert_eq!(bia.exit(), 0, "all was confirmed: {}", bia.stderr());
    eprintln!(
        "{count} lines in {:?}, at most {most} bytes",
        begin.elapsed()
    );
    most.max(disk_use(file))
}

fn warnings(node: &Node, word: &str) -> usize {
    node.look(|record| {
        let warnings = record.all("warning");
        warnings.filter(|e| e.text("text").contains(word)).count()
    })
}

fn is_number(text: &str, n: usize) -> bool {
    text.parse() == Ok(n)
}

#[test]
fn a_flood_leaves_the_newest_lines_and_the_file_below_its_limit() {
    let permit = alone();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("a.db");
    let ana = join_storing_with(&room, "ana", &file, &SMALL);
    ana.joined();
    ana.say("the oldest line");
    let caio = room.join("caio");
    caio.joined();
    let most = flood(&room, &dir, &file, LINES);
    assert!(most <= MAX, "{most} bytes");
    // What is in memory is held, whether it is still in the file or not.
    assert_eq!(agree(&[&ana, &caio], PATIENCE).len(), LINES + 1);
    assert_eq!(warnings(&ana, "nine tenths of --store-max 2M"), 1);
    assert_eq!(warnings(&ana, "the oldest messages are deleted"), 1);
    ana.say("/quit");
    assert_eq!(ana.exit(), 0);
    let kept = stored_texts(&file);
    let first = LINES - kept.len() + 1;
    assert!(kept.len() > 2_000, "{} lines are left", kept.len());
    let are_newest = kept.iter().zip(first..).all(|(text, n)| is_number(text, n));
    assert!(are_newest, "{:?} to {:?}", kept.first(), kept.last());
    assert!(disk_use(&file) <= MAX);

    // A restart gives them back, and does not fetch again what was deleted, although somebody has it.
    let ana = join_storing_with(&room, "ana", &file, &SMALL);
    let joined = ana.joined();
    assert_eq!(joined.num("history"), kept.len() as u64);
    caio.say("and one more");
    ana.heard("caio", 1);
    caio.event("its confirmation", |e| e.is("delivered"));
    let status = ana.ask("/status", "status");
    assert_eq!(status.num("history"), kept.len() as u64 + 1);
    assert!(disk_use(&file) <= MAX);
}

#[test]
fn what_is_in_the_store_only_is_gone_with_it() {
    let permit = alone();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("a.db");
    let options = [&SMALL[..], &["--history", "50"]].concat();
    let ana = join_storing_with(&room, "ana", &file, &options);
    ana.joined();
    for round in 1..=2 {
        let most = flood(&room, &dir, &file, LINES / 2);
        assert!(most <= MAX, "round {round}: {most} bytes");
    }
    let held = ana.ask("/status", "status");
    assert!(held.num("history") < LINES as u64 / 2, "{}", held.body);
    // A newcomer gets what there is, from the oldest on, and both hold the same.
    let dora = room.join("dora");
    dora.joined();
    let theirs = dora.ask("/history", "history");
    assert_eq!(theirs.num("count"), held.num("history"));
    assert_eq!(theirs.text("digest"), held.text("digest"));
    ana.say("/quit");
    assert_eq!(ana.exit(), 0);
    // What is in the file is the newest of that.
    let texts = theirs.list("messages").iter().map(|m| m["text"].as_str());
    let texts: Vec<&str> = texts.map(Option::unwrap_or_default).collect();
    let kept = stored_texts(&file);
    assert!(kept.len() > 2_000, "{} lines are left", kept.len());
    assert!(kept == texts[texts.len() - kept.len()..]);
    assert!(kept.last().is_some_and(|text| is_number(text, LINES / 2)));
}

/// A store that was written without a limit; how many lines it holds.
fn larger_than_allowed(room: &Room, dir: &Path, file: &Path) -> usize {
    let ana = join_storing_with(room, "ana", file, &[]);
    ana.joined();
    flood(room, dir, file, LINES);
    ana.say("/quit");
    assert_eq!(ana.exit(), 0);
    let (before, kept) = (disk_use(file), stored_texts(file).len());
    assert!(before > 2 * MAX, "{before} bytes");
    assert_eq!(kept, LINES);
    kept
}

/// These are the last of so many lines.
fn assert_newest(kept: &[String], count: usize) {
    let first = count - kept.len() + 1;
    let are_newest = kept.iter().zip(first..).all(|(text, n)| is_number(text, n));
    assert!(are_newest, "{:?} to {:?}", kept.first(), kept.last());
    assert!(kept.len() > 2_000, "{} lines are left", kept.len());
}

#[test]
fn a_file_that_is_larger_already_is_made_to_fit_at_the_start() {
    let permit = alone();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("a.db");
    let count = larger_than_allowed(&room, &dir, &file);
    let ana = join_storing_with(&room, "ana", &file, &SMALL);
    let joined = ana.joined();
    let (taken, left) = (disk_use(&file), stored_texts(&file));
    assert!(taken <= MAX, "{taken} bytes");
    assert_newest(&left, count);
    assert_eq!(joined.num("history"), left.len() as u64);
    assert_eq!(warnings(&ana, "larger than it may become"), 1);
    let most = flood(&room, &dir, &file, LINES / 4);
    assert!(most <= MAX, "{most} bytes");
    ana.say("/quit");
    assert_eq!(ana.exit(), 0);
    assert!(disk_use(&file) <= MAX);
    assert_newest(&stored_texts(&file), LINES / 4);
    // The next start has nothing to do.
    let ana = join_storing_with(&room, "ana", &file, &SMALL);
    ana.joined();
    assert_eq!(warnings(&ana, "larger than it may become"), 0);
}

#[test]
fn killed_while_a_file_is_made_to_fit_leaves_one_that_is_sound() {
    let permit = alone();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("a.db");
    let count = larger_than_allowed(&room, &dir, &file);
    for later in [0, 20, 40, 80, 160, 320] {
        let ana = join_storing_with(&room, "ana", &file, &SMALL);
        ana.event("the beginning", |e| {
            e.is("joined") || e.is("warning") && e.text("text").contains("larger")
        });
        let_pass(ms(later));
        ana.signal(Signal::KILL);
        ana.exit_within(PATIENCE);
        let left = stored_texts(&file);
        assert_newest(&left, count);
    }
    let ana = join_storing_with(&room, "ana", &file, &SMALL);
    ana.joined();
    let taken = disk_use(&file);
    assert!(taken <= MAX, "{taken} bytes");
    assert_newest(&stored_texts(&file), count);
}

const LEAST: [&str; 2] = ["--store-max", "1M"];
const LEAST_MAX: u64 = 1024 * 1024;
/// Long lines, more than a store of the smallest size has room for, and fewer than are given up in memory.
const LONG_LINES: usize = 600;

/// Somebody with a small store has taken in what it could not store yet, since somebody reads the file: that node, and
/// who reads.
fn behind(room: &Room, dir: &Path, file: &Path) -> (Node, Connection) {
    let ana = join_storing_with(room, "ana", file, &LEAST);
    ana.joined();
    let reader = Connection::open(file).expect("it is a database");
    let read = "BEGIN; SELECT * FROM room";
    reader.execute_batch(read).expect("it can be read");
    let path = dir.join("long lines");
    let text: String = (1..=LONG_LINES).map(|n| format!("{n:0>15000}\n")).collect();
    fs::write(&path, text).expect("the directory is ours");
    let lines = fs::File::open(&path).expect("it was just written");
    let options = ["--wait-members", "1", "--timeout", "1"];
    let bia = room.papo("bia", &options).stdin(lines).start();
    assert_eq!(bia.exit(), 1, "it was not confirmed");
    ana.heard("bia", LONG_LINES);
    (ana, reader)
}

#[test]
fn who_leaves_with_more_than_there_is_room_for_stores_the_newest_of_it() {
    let permit = alone();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("a.db");
    for round in 1..=2 {
        let (ana, reader) = behind(&room, &dir, &file);
        ana.say("/quit");
        drop(reader);
        assert_eq!(ana.exit(), 0);
        let (taken, left) = (disk_use(&file), stored_texts(&file));
        assert!(taken <= LEAST_MAX, "round {round}: {taken} bytes");
        let first = LONG_LINES + 1 - left.len();
        let are_newest = left.iter().zip(first..).all(|(text, n)| is_number(text, n));
        assert!(are_newest && left.len() > 20, "{} lines", left.len());
        let said = ana.stderr();
        assert!(
            said.contains("not stored: they are more than it may hold"),
            "{said}"
        );
    }
}

#[test]
fn killed_while_it_leaves_with_too_much_leaves_a_file_that_is_sound() {
    let permit = alone();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("a.db");
    for later in [10, 40, 160] {
        let (ana, reader) = behind(&room, &dir, &file);
        ana.say("/quit");
        drop(reader);
        let_pass(ms(later));
        ana.signal(Signal::KILL);
        ana.exit_within(PATIENCE);
        let taken = disk_use(&file);
        assert!(taken <= LEAST_MAX, "{taken} bytes");
        assert!(!stored_texts(&file).is_empty());
    }
}

#[test]
fn who_leaves_while_the_log_cannot_be_cut_leaves_soon_and_takes_no_more_of_the_disk() {
    let permit = alone();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("a.db");
    let (ana, reader) = behind(&room, &dir, &file);
    ana.say("/quit");
    assert_eq!(ana.exit(), 0);
    let taken = disk_use(&file);
    assert!(taken <= LEAST_MAX, "{taken} bytes");
    let said = ana.stderr();
    assert!(
        said.contains("or somebody reads the file for long"),
        "{said}"
    );
    drop(reader);
    let held = stored_texts(&file).len() as u64;
    let ana = join_storing_with(&room, "ana", &file, &LEAST);
    assert_eq!(ana.joined().num("history"), held);
}

#[test]
fn sizes_that_are_none_are_told() {
    let permit = shared();
    let room = Room::new(&permit);
    for (size, why) in [
        ("much", "such as 500M"),
        ("1", "at least 1M"),
        ("99999999999999G", "such as 500M"),
    ] {
        let node = room.raw(&["--store-max", size]).start();
        assert_eq!(node.exit(), 2, "{size}");
        crate::harness::one_line_that_names(&node, "--store-max");
        assert!(node.stderr().contains(why), "{size}: {}", node.stderr());
    }
}
