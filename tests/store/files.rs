//! Files that cannot or must not be used.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::{as_str, join_storing, stored_texts};
use crate::harness::{
    PATIENCE, Room, Scratch, eventually, mode, one_line_that_names, scratch_dir, shared,
    write_secret,
};

/// The only line on standard error.
#[track_caller]
pub fn refused(room: &Room, args: &[&str]) -> String {
    let node = room.papo("zoe", args).start();
    node.exit_within(PATIENCE);
    let stderr = node.stderr();
    assert_eq!(node.exit(), 3, "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("--store"), "{stderr}");
    stderr
}

/// A file with some messages in it.
pub fn filled(room: &Room, dir: &Path) -> std::path::PathBuf {
    let file = dir.join("room.db");
    let writer = room
        .papo("ana", &["send", "--store", as_str(&file), "kept"])
        .start();
    assert_eq!(writer.exit(), 0, "{}", writer.stderr());
    file
}

fn aside(dir: &Scratch) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(&**dir).expect("it is ours");
    let paths = entries.map(|e| e.expect("it is ours").path());
    let is_aside = |p: &std::path::PathBuf| {
        let name = p.to_string_lossy();
        name.contains(".damaged-") && !name.ends_with("-wal") && !name.ends_with("-shm")
    };
    paths.filter(is_aside).collect()
}

/// The texts that a statement finds.
fn texts_by(file: &Path, sql: &str) -> Vec<String> {
    let database = Connection::open(file).expect("it is a database");
    let mut statement = database.prepare(sql).expect("the tables are there");
    let rows = statement.query_map([], |row| row.get(0));
    let texts: Result<_, _> = rows.expect("it can be read").collect();
    texts.expect("it can be read")
}

#[test]
fn a_name_that_means_something_else_to_sqlite_is_a_file_of_that_name() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    for name in [":memory:", "file:x?mode=memory", "file:room.db"] {
        let args = ["send", "--store", name, "kept"];
        let ana = room.papo("ana", &args).dir(&dir).start();
        assert_eq!(ana.exit(), 0, "{name}: {}", ana.stderr());
        one_line_that_names(&ana, "nobody else was in the room");
        assert_eq!(stored_texts(&dir.join(name)), ["kept"], "{name}");
    }
    let history = ["history", "--store", ":memory:"];
    let history = room.raw(&history).dir(&dir).start();
    assert_eq!(history.exit(), 0, "{}", history.stderr());
    assert!(history.stdout().ends_with("<ana> kept\n"));
}

/// What the page of the store shows of the tables is what other programs find.
#[test]
fn the_statements_of_the_stores_page_find_messages_by_words_and_in_order() {
    const BY_WORDS: &str = "SELECT text FROM messages WHERE id IN \
        (SELECT rowid FROM words WHERE words MATCH 'lunch')";
    const ORDER: &str = "ORDER BY position";
    for shown in [BY_WORDS, ORDER] {
        assert!(
            include_str!("../../src/store/STORE.md").contains(shown),
            "{shown}"
        );
    }
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = filled(&room, &dir);
    let bia = join_storing(&room, "bia", &file);
    bia.joined();
    bia.say("lunch at noon");
    bia.event("its confirmation", |e| e.is("delivered"));
    let database = Connection::open(&file).expect("it is a database");
    eventually("all are rows of their own", PATIENCE, || {
        let sql = "SELECT count(*) FROM arrived";
        let blocks: i64 = (database.query_row(sql, [], |row| row.get(0))).expect("it is there");
        blocks == 0
    });
    let in_order = format!("SELECT text FROM messages {ORDER}");
    assert_eq!(texts_by(&file, &in_order), ["kept", "lunch at noon"]);
    eventually("the index has followed", PATIENCE, || {
        texts_by(&file, BY_WORDS) == ["lunch at noon"]
    });
}

#[test]
fn a_second_process_is_refused_and_the_first_goes_on() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("room.db");
    let ana = join_storing(&room, "ana", &file);
    ana.joined();
    let line = refused(&room, &["--store", as_str(&file)]);
    assert!(line.contains("another papo"), "{line}");
    ana.say("still here");
    ana.event("its confirmation", |e| e.is("delivered"));
    assert_eq!(mode(&file), 0o600);
}

#[test]
fn the_file_of_another_room_or_another_program_is_refused_and_left_alone() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = filled(&room, &dir);
    let line = refused(&room.neighbour(), &["--store", as_str(&file)]);
    assert!(line.contains(&room.name), "{line}");
    assert_eq!(stored_texts(&file), ["kept"]);
    let secret = dir.join("secret");
    write_secret(&secret, "correct horse");
    let locked = ["--store", as_str(&file), "--secret-file", as_str(&secret)];
    let line = refused(&room, &locked);
    assert!(line.contains("open room"), "{line}");
    let nowhere = dir.join("no/such/dir/room.db");
    refused(&room, &["--store", as_str(&nowhere)]);
    // There is room for the name, and none for those of the files beside it.
    let long = dir.join("a".repeat(250));
    let line = refused(&room, &["--store", as_str(&long)]);
    assert!(line.contains("name too long"), "{line}");
    refused(&room, &["--store", as_str(&dir)]);
    assert!(aside(&dir).is_empty());
}

#[test]
fn a_locked_room_has_a_history_like_any_other() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let (file, secret) = (dir.join("room.db"), dir.join("secret"));
    write_secret(&secret, "correct horse");
    let options = ["--secret-file", as_str(&secret), "--store", as_str(&file)];
    let mut send = vec!["send", "psst"];
    send.extend_from_slice(&options);
    assert_eq!(room.papo("ana", &send).start().exit(), 0);
    let bia = room.join_with("bia", &options);
    assert_eq!(bia.joined().num("history"), 1);
    let caio = room.join_with("caio", &options[..2]);
    assert_eq!(caio.joined().num("history"), 1);
    drop((bia, caio));
    // Without the secret, what was said in the locked room does not get out.
    let line = refused(&room, &["--store", as_str(&file)]);
    assert!(line.contains("secret"), "{line}");
    let dump = room
        .papo("zoe", &["history", "--store", as_str(&file)])
        .start();
    assert_eq!(dump.exit(), 0);
    assert!(dump.stdout().ends_with("<ana> psst\n"));
}

#[test]
fn a_damaged_file_is_set_aside_and_what_the_room_has_takes_its_place() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = filled(&room, &dir);
    let ana = room.join("ana");
    ana.joined();
    ana.say("said meanwhile");
    ana.heard("ana", 1);
    let mut bytes = fs::read(&file).expect("it is there");
    let half = bytes.len() / 2;
    bytes.truncate(half);
    fs::write(&file, &bytes).expect("it is ours");
    let line = refused(&room, &["--store", as_str(&file), "--store-strict"]);
    let remedy = "it is damaged; papo moves it aside and uses a new file when it is started with it, without \
                  --store-strict (details with -v)";
    assert!(line.trim_end().ends_with(remedy), "{line}");
    let line = refused(&room, &["history", "--store", as_str(&file)]);
    assert!(line.trim_end().ends_with(remedy), "{line}");
    let detailed = room
        .raw(&["history", "-v", "--store", as_str(&file)])
        .start();
    assert_eq!(detailed.exit(), 3);
    let detailed = detailed.stderr();
    assert!(
        detailed.lines().count() > 1 && detailed.contains(remedy),
        "{detailed}"
    );
    assert!(aside(&dir).is_empty());
    let bia = join_storing(&room, "bia", &file);
    let warning = bia.event("a warning", |e| e.is("warning"));
    let words = warning.text("text");
    assert!(words.contains("is damaged; it was moved to"), "{words}");
    assert!(
        words.ends_with("and a new file is used (details with -v)"),
        "{words}"
    );
    bia.joined();
    bia.say("goes on");
    bia.event("its confirmation", |e| e.is("delivered"));
    let aside = aside(&dir);
    assert_eq!(aside.len(), 1);
    assert!(warning.text("text").contains(as_str(&aside[0])));
    assert_eq!(fs::read(&aside[0]).expect("it is kept"), bytes);
    assert_eq!(stored_texts(&file), ["said meanwhile", "goes on"]);
}
