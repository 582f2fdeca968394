//! A store that may not become larger than `--store-max`: the oldest messages go, and nothing else does.

use std::fs;
use std::path::Path;
use std::process::Stdio;

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

#[test]
fn a_file_that_is_larger_already_keeps_its_size() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("a.db");
    let ana = join_storing_with(&room, "ana", &file, &[]);
    ana.joined();
    flood(&room, &dir, &file, LINES / 4);
    ana.say("/quit");
    assert_eq!(ana.exit(), 0);
    let (before, kept) = (disk_use(&file), stored_texts(&file).len());
    assert!(
        before > MAX && kept == LINES / 4,
        "{before} bytes, {kept} lines"
    );
    let ana = join_storing_with(&room, "ana", &file, &SMALL);
    assert_eq!(ana.joined().num("history"), kept as u64);
    flood(&room, &dir, &file, LINES / 4);
    ana.say("/quit");
    assert_eq!(ana.exit(), 0);
    assert!(
        disk_use(&file) <= before + MAX / 4,
        "{} bytes",
        disk_use(&file)
    );
    assert!(
        stored_texts(&file).len() + 2_000 > kept,
        "it was not cut down"
    );
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
