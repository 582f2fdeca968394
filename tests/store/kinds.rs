//! What lies at the path, or beside it, and is no file of papo's: it is refused at once, and left alone.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rusqlite::Connection;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::files::{filled, refused};
use super::{as_str, join_storing, stored_texts};
use crate::harness::{PATIENCE, Room, scratch_dir, shared};

fn make_pipe(at: &Path) {
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, at, FileType::Fifo, mode, 0).expect("a named pipe can be made");
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("it is ours");
    let name = |e: std::io::Result<fs::DirEntry>| e.expect("it is ours").file_name();
    let mut names: Vec<_> = entries
        .map(|e| name(e).to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_named_pipe_at_the_path_or_beside_it_is_never_waited_for() {
    let permit = shared();
    let room = Room::new(&permit);
    for suffix in ["", ".lock", "-wal", "-shm", "-journal"] {
        let dir = scratch_dir();
        let file = dir.join("room.db");
        let pipe = dir.join(format!("room.db{suffix}"));
        make_pipe(&pipe);
        let line = refused(&room, &["--store", as_str(&file)]);
        assert!(line.contains("named pipe"), "{suffix}: {line}");
        assert!(suffix.is_empty() || line.contains(as_str(&pipe)), "{line}");
        if suffix != ".lock" {
            let line = refused(&room, &["history", "--store", as_str(&file)]);
            let is_told = line.contains("named pipe") || line.contains("No such file");
            assert!(is_told, "{suffix}: {line}");
        }
        assert_eq!(names(&dir), [format!("room.db{suffix}")]);
    }
}

#[test]
fn a_lock_that_is_a_directory_or_a_link_is_refused() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("room.db");
    let lock = dir.join("room.db.lock");
    fs::create_dir(&lock).expect("it is ours");
    let line = refused(&room, &["--store", as_str(&file)]);
    assert!(line.contains("a directory"), "{line}");
    fs::remove_dir(&lock).expect("it is empty");
    // It would make papo create a file wherever somebody else wants one.
    symlink(dir.join("elsewhere"), &lock).expect("it is ours");
    let line = refused(&room, &["--store", as_str(&file)]);
    assert!(line.contains("a symbolic link"), "{line}");
    assert_eq!(names(&dir), ["room.db.lock"]);
}

#[test]
fn a_file_that_papo_did_not_write_is_refused_and_left_as_it_is() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let database = dir.join("database");
    let other = Connection::open(&database).expect("it can be made");
    let sql = "PRAGMA page_size = 512; CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(9000))";
    other.execute_batch(sql).expect("it is ours");
    other.close().expect("nothing is open");
    let whole = fs::read(&database).expect("it is there");
    fs::remove_file(&database).expect("it is there");
    let mut holed = whole.clone();
    holed[100..].fill(0xa5);
    let cases: [(&str, &[u8]); 5] = [
        ("notes.txt", b"what I must not forget: everything\n"),
        ("short", b"x"),
        ("zeros", &[0; 8192]),
        ("other.db", &whole),
        ("damaged.db", &holed),
    ];
    for (name, bytes) in cases {
        let file = dir.join(name);
        fs::write(&file, bytes).expect("it is ours");
        for args in [
            &["--store", as_str(&file)][..],
            &["history", "--store", as_str(&file)],
        ] {
            let line = refused(&room, args);
            assert!(line.contains("papo did not write it"), "{name}: {line}");
        }
        assert_eq!(fs::read(&file).expect("it is left"), bytes, "{name}");
        assert_eq!(names(&dir), [name]);
        fs::remove_file(&file).expect("it is ours");
    }
}

#[test]
fn a_file_with_another_name_is_written_by_one_process_only() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let (file, soft) = (dir.join("room.db"), dir.join("soft.db"));
    let ana = join_storing(&room, "ana", &file);
    ana.joined();
    symlink("room.db", &soft).expect("it is ours");
    let line = refused(&room, &["--store", as_str(&soft)]);
    assert!(line.contains("another papo"), "{line}");
    // Who came first through the link is not overtaken through the name either.
    ana.say("/quit");
    assert_eq!(ana.exit(), 0);
    let bia = join_storing(&room, "bia", &soft);
    bia.joined();
    bia.say("kept");
    bia.event("its confirmation", |e| e.is("delivered"));
    let line = refused(&room, &["--store", as_str(&file)]);
    assert!(line.contains("another papo"), "{line}");
    // Neither by a hard link, nor after the lock of the name was deleted.
    let hard = dir.join("hard.db");
    fs::hard_link(&file, &hard).expect("it is ours");
    let line = refused(&room, &["--store", as_str(&hard)]);
    assert!(line.contains("another papo"), "{line}");
    fs::remove_file(dir.join("room.db.lock")).expect("it is there");
    let line = refused(&room, &["--store", as_str(&file)]);
    assert!(line.contains("another papo"), "{line}");
}

#[test]
fn a_second_name_that_a_file_gets_while_it_is_open_is_told_and_confirms_nothing() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let (file, hard) = (dir.join("room.db"), dir.join("hard.db"));
    let ana = join_storing(&room, "ana", &file);
    ana.joined();
    fs::hard_link(&file, &hard).expect("it is ours");
    ana.event("a warning", |e| {
        e.is("warning") && e.text("text").contains("2 names (hard links)")
    });
    ana.say("one");
    ana.ask("/status", "status");
    assert!(!ana.look(|record| record.events.iter().any(|e| e.is("delivered"))));
    // What is in the log cannot be read by that name, and nothing is made beside it.
    let line = refused(&room, &["history", "--store", as_str(&hard)]);
    assert!(line.contains("2 names"), "{line}");
    assert!(!names(&dir).iter().any(|name| name.starts_with("hard.db-")));
    fs::remove_file(&hard).expect("it is ours");
    ana.event("a remark", |e| {
        e.is("warning") && e.text("text").contains("stored again")
    });
    ana.event("its confirmation", |e| e.is("delivered"));
    ana.say("/quit");
    assert_eq!(ana.exit(), 0);
    assert_eq!(stored_texts(&file), ["one"]);
}

#[test]
fn a_file_with_two_names_is_refused_since_its_log_has_one() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = filled(&room, &dir);
    let hard = dir.join("hard.db");
    fs::hard_link(&file, &hard).expect("it is ours");
    for name in [&file, &hard] {
        let line = refused(&room, &["--store", as_str(name)]);
        assert!(line.contains("2 names"), "{line}");
    }
    // It can be read, with a word on what that may lack.
    let history = room
        .papo("zoe", &["history", "--store", as_str(&hard)])
        .start();
    assert_eq!(history.exit(), 0, "{}", history.stderr());
    assert!(history.stdout().ends_with("<ana> kept\n"));
    assert!(history.stderr().contains("2 names"), "{}", history.stderr());
    fs::remove_file(&hard).expect("it is ours");
    let ana = join_storing(&room, "ana", &file);
    assert_eq!(ana.joined().num("history"), 1);
}

#[test]
fn a_link_to_a_file_that_is_not_there_yet_makes_it_there() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let (file, link) = (dir.join("disk/room.db"), dir.join("room.db"));
    fs::create_dir(dir.join("disk")).expect("it is ours");
    symlink("disk/room.db", &link).expect("it is ours");
    let node = room
        .papo("ana", &["send", "--store", as_str(&link), "kept"])
        .start();
    node.exit_within(PATIENCE);
    assert_eq!(node.exit(), 0, "{}", node.stderr());
    assert_eq!(stored_texts(&file), ["kept"]);
}
