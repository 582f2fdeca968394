//! `papo history`.

use serde_json::Value;

use super::{as_str, join_storing};
use crate::harness::{PATIENCE, Room, one_line_that_names, scratch_dir, shared, write_secret};

#[test]
fn history_prints_what_fits_while_a_node_has_the_file_open() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("room.db");
    let print = |args: &[&str]| {
        let mut all = vec!["history", "--store", as_str(&file)];
        all.extend_from_slice(args);
        let node = room.raw(&all).start();
        node.exit_within(PATIENCE);
        let found = node.stdout();
        assert_eq!(
            node.exit(),
            i32::from(found.is_empty()),
            "{}",
            node.stderr()
        );
        found
    };
    let ana = join_storing(&room, "ana", &file);
    ana.joined();
    let bia = room.join("bia");
    bia.joined();
    ana.say("Lunch at noon?");
    ana.heard("ana", 1);
    bia.heard("ana", 1);
    bia.say("no lunch \u{1b}[31m today");
    ana.heard("bia", 1);
    bia.event("its confirmation", |e| e.is("delivered"));
    let texts = |args: &[&str]| -> Vec<String> {
        let lines = print(args);
        let of = |line: &str| line.get(20..).unwrap_or_default().to_owned();
        lines.lines().map(of).collect()
    };
    let both = ["<ana> Lunch at noon?", "<bia> no lunch ^[[31m today"];
    assert_eq!(texts(&[]), both);
    assert_eq!(texts(&["--room", &room.name]), both);
    assert_eq!(texts(&["--grep", "LUNCH"]), both);
    assert_eq!(texts(&["--grep", "noon lunch"]), both[..1]);
    assert_eq!(texts(&["--grep", "to*"]), both[1..]);
    assert_eq!(texts(&["--from", "bia"]), both[1..]);
    assert_eq!(texts(&["--from", "bia", "--grep", "noon"]), [""; 0]);
    assert_eq!(texts(&["--since", "1h"]), both);
    assert_eq!(texts(&["--since", "2001-02-03"]), both);
    assert_eq!(texts(&["--since", "2999-01-01 10:00"]), [""; 0]);
    let time = print(&[]);
    assert!(
        time.starts_with("20") && time[..20].ends_with(' '),
        "{time}"
    );

    let json = print(&["--json", "--from", "ana"]);
    let event: Value = serde_json::from_str(&json).expect("one event");
    let shown = bia.event("the message", |e| e.is("message"));
    for field in [
        "id", "from", "nick", "key", "seq", "text", "sent_at", "own", "private",
    ] {
        assert_eq!(event[field], shown.body[field], "{field}");
    }
    assert_eq!(event["event"], "message");
    assert_eq!(event["replay"], true);
}

#[test]
fn history_says_in_one_line_what_is_wrong() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("room.db");
    let missing = ["history", "--store", as_str(&file)];
    let other = ["history", "--store", as_str(&file), "--room", "attic"];
    let no_file = ["history"];
    let wrong = |args: &[&str], status: i32| {
        let node = room.raw(args).start();
        node.exit_within(PATIENCE);
        assert_eq!(node.exit(), status, "{}", node.stderr());
        assert_eq!(node.stderr().lines().count(), 1, "{}", node.stderr());
        node.stderr()
    };
    wrong(&missing, 3);
    assert!(!file.exists());
    let sent = room
        .papo("ana", &["send", "--store", as_str(&file), "hello"])
        .start();
    assert_eq!(sent.exit(), 0);
    let line = wrong(&other, 3);
    assert!(line.contains(&room.name), "{line}");
    wrong(&no_file, 2);
    wrong(&["history", "--since", "yesterday-ish"], 2);
}

#[test]
fn whoever_reads_a_file_that_everybody_may_read_is_told_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = super::files::filled(&room, &dir);
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&file, open).expect("it is ours");
    let secret = dir.join("secret");
    write_secret(&secret, "a secret that is long enough");
    let rekey = ["rekey", "--secret-file", as_str(&secret)];
    for command in [&["history"][..], &["history", "--json"], &rekey] {
        let node = room
            .raw(&[command, &["--store", as_str(&file)]].concat())
            .start();
        node.exit_within(PATIENCE);
        assert_eq!(node.exit(), 0, "{}", node.stderr());
        assert_eq!(node.stdout().lines().count(), 1, "{command:?}");
        one_line_that_names(&node, "everybody on this machine may read");
    }
}
