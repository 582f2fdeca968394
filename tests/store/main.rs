//! Tests of the durable store with real processes: what was confirmed survives, whoever is killed
//! and whatever the disk does.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run against real clocks and take real random addresses"
)]

#[path = "../harness/mod.rs"]
mod harness;

mod ahead;
mod crashes;
mod disks;
mod files;
mod kinds;
mod limit;
mod million;
mod moves;
mod past;
mod print;
mod slow;

use std::path::{Path, PathBuf};

use harness::{Node, Room};
use papo::store::{Search, Store};
use papo::wire::ChatMessage;
use rusqlite::Connection;

/// A node with a store.
fn join_storing(room: &Room, nick: &str, file: &Path) -> Node {
    join_storing_with(room, nick, file, &[])
}

fn join_storing_with(room: &Room, nick: &str, file: &Path, options: &[&str]) -> Node {
    let mut all = vec!["--store", as_str(file)];
    all.extend_from_slice(options);
    room.join_with(nick, &all)
}

fn as_str(path: &Path) -> &str {
    path.to_str().expect("the harness's names are plain")
}

/// What a file holds, in the history's order, as (id, text); and that it is sound.
fn stored(file: &Path) -> Vec<(String, String)> {
    let database = Connection::open(file).expect("it is a database");
    let sound: String = database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("it can be checked");
    assert_eq!(sound, "ok", "{}", file.display());
    drop(database);
    let store = Store::open_for_reading(file, None).expect("it can be read");
    let mut all = Vec::new();
    let take = |m: &ChatMessage| {
        let id = format!("{}-{}", m.origin(), m.seq());
        all.push((id, m.text().to_owned()));
        true
    };
    (store.search(&Search::default(), take)).expect("it can be read");
    all
}

/// The texts of a file.
fn stored_texts(file: &Path) -> Vec<String> {
    stored(file).into_iter().map(|(_, text)| text).collect()
}

fn files(dir: &Path, names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| dir.join(name)).collect()
}
