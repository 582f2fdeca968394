//! A file that was poisoned: messages at the end of time are left out, and what is said later is kept.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::files::filled;
use super::{as_str, join_storing, stored_texts};
use crate::harness::{PATIENCE, Room, agree, scratch_dir, shared, talk_in_turn};

/// Puts so many messages at the end of time into a file.
fn poison(file: &Path, count: u64) {
    let database = Connection::open(file).expect("it is a database");
    let sql =
        "INSERT INTO messages (position, author, seq, nick, from_id, sent_at, text, dependencies)
        VALUES (?1, '6666666666666666', ?2, 'mallory', 9, 0, 'poison', x'')";
    for seq in 1..=count {
        let mut position = [0xff; 24];
        position[8..16].fill(0x66);
        position[16..].copy_from_slice(&seq.to_be_bytes());
        database
            .execute(sql, params![position, seq.cast_signed()])
            .expect("it is ours");
    }
    database.close().expect("nothing is open");
}

#[test]
fn papo_history_leaves_out_what_a_node_leaves_out_and_says_so() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = filled(&room, &dir);
    let history = |more: &[&str]| {
        let node = room
            .raw(&[&["history", "--store", as_str(&file)], more].concat())
            .start();
        node.exit_within(PATIENCE);
        node
    };
    assert_eq!(history(&[]).stderr(), "");
    poison(&file, 3);
    let node = room.join_with("bia", &["--store", as_str(&file)]);
    node.joined();
    let told = node.event("what is left out", |e| e.is("warning"));
    node.say("/quit");
    assert_eq!(node.exit(), 0);
    let said = format!("papo: {}\n", told.text("text"));
    assert!(said.contains("3 messages"), "{said}");
    for more in [
        &[][..],
        &["-n", "1"],
        &["--grep", "kep*"],
        &["--since", "1h"],
    ] {
        let shown = history(more);
        assert_eq!(shown.exit(), 0, "{more:?}");
        assert!(shown.stdout().ends_with("<ana> kept\n"), "{more:?}");
        assert_eq!(shown.stdout().lines().count(), 1, "{more:?}");
        assert_eq!(shown.stderr(), said, "{more:?}");
    }
    let none = history(&["--grep", "poison"]);
    assert_eq!((none.exit(), none.stdout().as_str()), (1, ""));
    assert_eq!(none.stderr(), said);
}

#[test]
fn a_file_with_messages_at_the_end_of_time_is_a_sound_history_without_them() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = filled(&room, &dir);
    poison(&file, 200);

    // A history that holds fewer than were put there.
    let ana = super::join_storing_with(&room, "ana", &file, &["--history", "100"]);
    ana.joined();
    let told = ana.event("what is left out", |e| {
        e.is("warning") && e.text("text").contains("left out")
    });
    assert!(told.text("text").contains("200 messages"), "{}", told.body);
    let bia = room.join("bia");
    bia.joined();
    ana.sees_members(2);
    talk_in_turn(&ana, &bia, 4);
    ana.event("a confirmation", |e| e.is("delivered"));
    let caio = join_storing(&room, "caio", &dir.join("caio.db"));
    caio.joined();
    let history = agree(&[&ana, &bia, &caio], Duration::from_secs(15));
    let texts: Vec<&str> = history.iter().map(|said| said.text.as_str()).collect();
    assert_eq!(texts, ["kept", "line 0", "line 1", "line 2", "line 3"]);
    // Nothing is deleted.
    let stored = stored_texts(&file);
    assert_eq!(stored.iter().filter(|text| *text == "poison").count(), 200);
    assert_eq!(stored_texts(&dir.join("caio.db")).len(), 5);
}
