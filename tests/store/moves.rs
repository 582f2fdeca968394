//! Files that are moved or deleted while a node uses them: what is confirmed from then on is where
//! the user will look, and so is all that was confirmed before.

use std::fs;
use std::path::{Path, PathBuf};

use super::files::refused;
use super::{as_str, join_storing, join_storing_with, stored_texts};
use crate::harness::{Node, PATIENCE, Permit, Room, Signal, eventually, scratch_dir, shared};

/// With so little memory most of what is said is in the file only.
const LITTLE_MEMORY: [&str; 2] = ["--history", "50"];
/// Lines said before the file goes.
const LINES: usize = 2_500;

fn part(file: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", file.display()))
}

/// Moves a file and what lies beside it.
fn take_away(file: &Path, to: &Path, suffixes: &[&str]) {
    for suffix in suffixes {
        fs::rename(part(file, suffix), part(to, suffix)).expect("it is there");
    }
}

fn delete(file: &Path, suffixes: &[&str]) {
    for suffix in suffixes {
        fs::remove_file(part(file, suffix)).expect("it is there");
    }
}

/// What the node said of its file.
fn warnings(node: &Node) -> Vec<String> {
    node.look(|record| {
        let all = record.all("warning").map(|e| e.text("text").to_owned());
        all.filter(|text| text.starts_with("--store")).collect()
    })
}

fn delivered(node: &Node) -> usize {
    node.look(|record| record.all("delivered").count())
}

fn wait_delivered(node: &Node, count: usize) {
    node.wait("confirmations", PATIENCE, |record| {
        (record.all("delivered").count() >= count).then_some(())
    });
}

fn lines(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|n| format!("line {n}")).collect()
}

fn say_all(node: &Node, lines: &[String]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    node.write(text.as_bytes());
}

/// What `papo history` prints of a file.
fn printed(room: &Room, file: &Path) -> Vec<String> {
    let node = room
        .raw(&["history", "--json", "--store", as_str(file)])
        .start();
    node.exit_within(PATIENCE);
    let text = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).expect("one event a line");
        event["text"].as_str().expect("it has a text").to_owned()
    };
    node.stdout().lines().map(text).collect()
}

/// A node with a store that holds the lines, and the one who said them.
fn talk<'a>(permit: &'a Permit, file: &Path, memory: &[&str]) -> (Room<'a>, Node, Node) {
    let room = Room::new(permit);
    let ana = join_storing_with(&room, "ana", file, memory);
    ana.joined();
    let bia = room.join("bia");
    bia.joined();
    ana.sees_members(2);
    say_all(&bia, &lines(0, LINES));
    wait_delivered(&bia, LINES);
    (room, ana, bia)
}

/// Does something that takes several steps before the node can notice the first of them.
fn stopped(node: &Node, act: impl FnOnce()) {
    node.signal(Signal::STOP);
    act();
    node.signal(Signal::CONT);
}

/// The file goes in some way; the next line that is confirmed is at the path, with all others.
fn goes(how: impl Fn(&Path, &Path)) -> (Vec<String>, PathBuf, crate::harness::Scratch) {
    let permit = shared();
    let dir = scratch_dir();
    let (file, other) = (dir.join("room.db"), dir.join("other.db"));
    let (room, ana, bia) = talk(&permit, &file, &LITTLE_MEMORY);
    stopped(&ana, || how(&file, &other));
    say_all(&bia, &lines(LINES, LINES + 1));
    wait_delivered(&bia, LINES + 1);
    assert_eq!(printed(&room, &file), lines(0, LINES + 1));
    // It goes on like that, and a newcomer gets everything.
    say_all(&bia, &lines(LINES + 1, LINES + 100));
    wait_delivered(&bia, LINES + 100);
    let caio = room.join("caio");
    assert_eq!(caio.joined().num("history"), LINES as u64 + 100);
    let warnings = warnings(&ana);
    ana.signal(Signal::KILL);
    ana.exit_within(PATIENCE);
    assert_eq!(stored_texts(&file), lines(0, LINES + 100));
    (warnings, other, dir)
}

#[track_caller]
fn told_and_told_again(warnings: &[String]) {
    let [first, last] = warnings else {
        panic!("{warnings:?}");
    };
    assert!(first.contains("moved or deleted") && first.contains("nothing can be stored"));
    assert!(last.contains("stored again"), "{last}");
    assert!(!last.contains("lost"), "{last}");
}

#[test]
fn a_file_that_is_moved_has_another_in_its_place_with_all_that_was_confirmed() {
    let (warnings, other, _dir) = goes(|file, other| take_away(file, other, &[""]));
    told_and_told_again(&warnings);
    let last = &warnings[1];
    assert!(
        last.contains("messages of the one that was moved"),
        "{last}"
    );
    // Where it went it is whole, although its log stayed behind.
    let there = stored_texts(&other);
    assert_eq!(there[..LINES], lines(0, LINES)[..]);
}

#[test]
fn a_file_that_is_moved_with_all_that_belongs_to_it_is_replaced() {
    let (warnings, other, _dir) =
        goes(|file, other| take_away(file, other, &["", "-wal", "-shm", ".lock"]));
    told_and_told_again(&warnings);
    assert_eq!(stored_texts(&other)[..LINES], lines(0, LINES)[..]);
}

#[test]
fn a_file_that_is_deleted_is_replaced() {
    let (warnings, ..) = goes(|file, _| delete(file, &[""]));
    told_and_told_again(&warnings);
    let (warnings, ..) = goes(|file, _| delete(file, &["", "-wal", "-shm", ".lock"]));
    told_and_told_again(&warnings);
}

#[test]
fn a_file_that_is_emptied_has_all_that_is_in_memory_again() {
    let permit = shared();
    let dir = scratch_dir();
    let file = dir.join("room.db");
    let (room, ana, bia) = talk(&permit, &file, &[]);
    let emptied = fs::OpenOptions::new().write(true).open(&file);
    emptied
        .and_then(|file| file.set_len(0))
        .expect("it is ours");
    say_all(&bia, &lines(LINES, LINES + 1));
    wait_delivered(&bia, LINES + 1);
    assert_eq!(printed(&room, &file), lines(0, LINES + 1));
    ana.wait("that all is stored again", PATIENCE, |record| {
        let mut all = record.all("warning");
        all.any(|e| e.text("text").contains("stored again"))
            .then_some(())
    });
    let said = warnings(&ana);
    let [first, last] = &said[..] else {
        panic!("{said:?}");
    };
    assert!(first.contains("emptied while in use"), "{first}");
    assert!(last.contains("that are in memory; messages are"), "{last}");
    ana.signal(Signal::KILL);
    ana.exit_within(PATIENCE);
    assert_eq!(stored_texts(&file), lines(0, LINES + 1));
}

#[test]
fn a_file_that_is_moved_and_copied_back_is_added_to() {
    let (warnings, ..) = goes(|file, other| {
        take_away(file, other, &[""]);
        fs::copy(other, file).expect("it is ours");
    });
    told_and_told_again(&warnings);
}

#[test]
fn a_log_that_is_deleted_is_made_anew() {
    let (warnings, ..) = goes(|file, _| delete(file, &["-wal"]));
    told_and_told_again(&warnings);
    let (warnings, ..) = goes(|file, _| delete(file, &["-wal", "-shm"]));
    told_and_told_again(&warnings);
}

#[test]
fn a_lock_that_is_deleted_is_taken_anew_without_a_word() {
    let permit = shared();
    let dir = scratch_dir();
    let file = dir.join("room.db");
    let (room, ana, bia) = talk(&permit, &file, &LITTLE_MEMORY);
    delete(&file, &[".lock"]);
    // Nobody else has the file meanwhile either.
    let line = refused(&room, &["--store", as_str(&file)]);
    assert!(line.contains("another papo"), "{line}");
    say_all(&bia, &lines(LINES, LINES + 1));
    wait_delivered(&bia, LINES + 1);
    assert_eq!(warnings(&ana), [""; 0]);
    let line = refused(&room, &["--store", as_str(&file)]);
    assert!(line.contains("another papo"), "{line}");
}

#[test]
fn a_path_that_another_took_meanwhile_is_left_to_it() {
    let permit = shared();
    let dir = scratch_dir();
    let (file, other) = (dir.join("room.db"), dir.join("other.db"));
    let (room, ana, bia) = talk(&permit, &file, &LITTLE_MEMORY);
    ana.signal(Signal::STOP);
    take_away(&file, &other, &["", "-wal", "-shm", ".lock"]);
    let caio = join_storing(&room, "caio", &file);
    eventually("it is caio's", PATIENCE, || part(&file, "-wal").exists());
    ana.signal(Signal::CONT);
    caio.joined();
    say_all(&bia, &lines(LINES, LINES + 1));
    ana.event("a warning", |e| {
        e.is("warning") && e.text("text").contains("another papo")
    });
    assert_eq!(delivered(&bia), LINES);
    caio.say("/quit");
    assert_eq!(caio.exit(), 0);
    ana.event("a remark", |e| {
        e.is("warning") && e.text("text").contains("stored again")
    });
    wait_delivered(&bia, LINES + 1);
    assert_eq!(printed(&room, &file), lines(0, LINES + 1));
}

#[test]
fn another_file_at_the_path_is_left_alone_and_nothing_is_confirmed() {
    let permit = shared();
    let dir = scratch_dir();
    let (file, other) = (dir.join("room.db"), dir.join("other.db"));
    let (room, ana, bia) = talk(&permit, &file, &LITTLE_MEMORY);
    take_away(&file, &other, &[""]);
    let attic = room.called("attic");
    let sent = attic.papo(
        "zoe",
        &["send", "--store", as_str(&dir.join("attic.db")), "up"],
    );
    assert_eq!(sent.start().exit(), 0);
    fs::rename(dir.join("attic.db"), &file).expect("it is ours");
    say_all(&bia, &lines(LINES, LINES + 1));
    ana.event("a warning", |e| {
        e.is("warning") && e.text("text").contains("attic")
    });
    ana.ask("/status", "status");
    // The chat goes on, and the old file is still read for others.
    assert_eq!(room.join("caio").joined().num("history"), LINES as u64 + 1);
    assert_eq!(delivered(&bia), LINES);
    assert_eq!(stored_texts(&file), ["up"]);

    fs::remove_file(&file).expect("it is ours");
    wait_delivered(&bia, LINES + 1);
    assert_eq!(printed(&room, &file), lines(0, LINES + 1));
}

#[test]
fn a_directory_that_comes_back_is_used_again() {
    let permit = shared();
    let dir = scratch_dir();
    let (here, away) = (dir.join("here"), dir.join("away"));
    fs::create_dir(&here).expect("it is ours");
    let file = here.join("room.db");
    let (room, ana, bia) = talk(&permit, &file, &LITTLE_MEMORY);
    fs::rename(&here, &away).expect("it is ours");
    say_all(&bia, &lines(LINES, LINES + 1));
    ana.event("a warning", |e| {
        e.is("warning") && e.text("text").contains("No such file")
    });
    assert_eq!(delivered(&bia), LINES);
    fs::rename(&away, &here).expect("it is ours");
    wait_delivered(&bia, LINES + 1);
    assert_eq!(printed(&room, &file), lines(0, LINES + 1));
    ana.say("/quit");
    assert_eq!(ana.exit(), 0);
    assert_eq!(stored_texts(&file), lines(0, LINES + 1));
}

#[test]
fn a_file_that_goes_while_nobody_speaks_is_told_and_replaced_at_once() {
    let permit = shared();
    let dir = scratch_dir();
    let file = dir.join("room.db");
    let (_room, ana, _bia) = talk(&permit, &file, &LITTLE_MEMORY);
    stopped(&ana, || delete(&file, &["", "-wal", "-shm", ".lock"]));
    ana.event("a remark", |e| {
        e.is("warning") && e.text("text").contains("stored again")
    });
    told_and_told_again(&warnings(&ana));
    ana.signal(Signal::KILL);
    ana.exit_within(PATIENCE);
    assert_eq!(stored_texts(&file), lines(0, LINES));
}

#[test]
fn a_file_that_is_moved_while_nobody_speaks_is_whole_when_the_node_has_left() {
    let permit = shared();
    let dir = scratch_dir();
    let (file, other) = (dir.join("room.db"), dir.join("other.db"));
    let (_room, ana, _bia) = talk(&permit, &file, &LITTLE_MEMORY);
    take_away(&file, &other, &[""]);
    ana.say("/quit");
    assert_eq!(ana.exit(), 0);
    // Said after the last event, or before, if it was noticed by then.
    let told = format!("{}{:?}", ana.stderr(), warnings(&ana));
    assert!(told.contains("moved or deleted"), "{told}");
    assert_eq!(stored_texts(&other), lines(0, LINES));
    assert!(!part(&file, "-wal").exists());
}

#[test]
fn in_a_flood_of_lines_and_moves_whatever_is_confirmed_is_at_the_path() {
    const ROUNDS: usize = 6;
    const EACH: usize = 1_000;
    let permit = shared();
    let dir = scratch_dir();
    let file = dir.join("room.db");
    let room = Room::new(&permit);
    let ana = join_storing_with(&room, "ana", &file, &LITTLE_MEMORY);
    ana.joined();
    let bia = room.join("bia");
    bia.joined();
    ana.sees_members(2);
    for round in 0..ROUNDS {
        let (first, half) = (round * EACH, round * EACH + EACH / 2);
        say_all(&bia, &lines(first, half));
        wait_delivered(&bia, first + EACH / 3);
        let other = dir.join(format!("other-{round}.db"));
        match round % 3 {
            0 => take_away(&file, &other, &[""]),
            1 => delete(&file, &[""]),
            _ => take_away(&file, &other, &["", "-wal", "-shm", ".lock"]),
        }
        say_all(&bia, &lines(half, first + EACH));
        eventually("there is a file again", PATIENCE, || file.exists());
    }
    wait_delivered(&bia, ROUNDS * EACH);
    ana.signal(Signal::KILL);
    ana.exit_within(PATIENCE);
    assert_eq!(stored_texts(&file), lines(0, ROUNDS * EACH));
}

#[test]
fn what_was_only_in_a_file_that_cannot_be_read_any_more_is_counted() {
    const MANY: usize = 20_000;
    let permit = shared();
    let dir = scratch_dir();
    let (file, other) = (dir.join("room.db"), dir.join("other.db"));
    let room = Room::new(&permit);
    let mut zoe = room.papo("zoe", &["--store", as_str(&file)]).start();
    let pad = "x".repeat(500);
    say_all(&zoe, &vec![pad; MANY]);
    zoe.close_input();
    assert_eq!(zoe.exit(), 0);
    let ana = join_storing_with(&room, "ana", &file, &LITTLE_MEMORY);
    assert_eq!(ana.joined().num("history"), MANY as u64);
    stopped(&ana, || {
        take_away(&file, &other, &[""]);
        fs::write(&other, "").expect("it is ours");
    });
    ana.say("goes on");
    let remark = ana.event("a remark", |e| {
        e.is("warning") && e.text("text").contains("stored again")
    });
    ana.event("its confirmation", |e| e.is("delivered"));
    let kept = printed(&room, &file);
    assert_eq!(kept.last().map(String::as_str), Some("goes on"));
    let lost = format!(
        "{} messages were only in the old one",
        MANY + 1 - kept.len()
    );
    assert!(
        remark.text("text").contains(&lost),
        "{}",
        remark.text("text")
    );
}
