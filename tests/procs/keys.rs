//! Secrets on the command line: `papo keygen`, `papo rekey`, and what is wrong with a secret.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::harness::{
    Launch, Node, PATIENCE, Room, Scratch, agree, eventually, mode, one_line_that_names,
    scratch_dir, shared, write_secret,
};

fn text(path: &Path) -> &str {
    path.to_str().expect("ASCII")
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

/// A new secret in a file.
fn keygen(room: &Room<'_>, dir: &Scratch, name: &str) -> String {
    let path = dir.join(name);
    let node = room.raw(&["keygen", text(&path)]).start();
    assert_eq!(node.exit(), 0, "{}", node.stderr());
    assert_eq!(node.stdout() + &node.stderr(), "");
    text(&path).to_owned()
}

fn ended(launch: Launch) -> (i32, Node) {
    let node = launch.start();
    (node.exit(), node)
}

#[test]
fn keygen_makes_a_secret_that_only_its_owner_may_read_and_never_overwrites() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let key = keygen(&room, &dir, "key");
    assert_eq!(mode(Path::new(&key)), 0o600);
    let made = fs::read_to_string(&key).expect("it is there");
    assert!(made.starts_with("papo1-") && made.ends_with('\n'), "a line");
    let (status, again) = ended(room.raw(&["keygen", &key]));
    assert_eq!(status, 3);
    one_line_that_names(&again, &key);
    assert_eq!(fs::read_to_string(&key).expect("it is there"), made);
    let path = dir.join("nowhere/key");
    let path = path.to_str().expect("a plain path");
    let (status, nowhere) = ended(room.raw(&["keygen", path]));
    assert_eq!(status, 3);
    one_line_that_names(&nowhere, path);
    // Without a file it is for whoever reads stdout; each is another one.
    let (status, printed) = ended(room.raw(&["keygen"]));
    assert_eq!(status, 0, "{}", printed.stderr());
    assert_eq!(printed.stdout().len(), made.len());
    assert_ne!(printed.stdout(), made);

    let ana = room.join_with("ana", &["--secret-file", &key]);
    ana.joined();
    let bia = room.join_with("bia", &["--secret-file", &key]);
    assert_eq!(bia.id(), 2);
    assert_eq!(ana.stderr() + &bia.stderr(), "");
    // A part of it is no secret.
    let cut = dir.join("cut");
    write_secret(&cut, &made[..40]);
    let (status, node) = ended(room.papo("eva", &["--secret-file", text(&cut)]));
    assert_eq!(status, 3);
    one_line_that_names(&node, "keygen");
    assert!(!node.stderr().contains(&made[6..14]), "{}", node.stderr());
}

#[test]
fn a_store_moves_with_its_room_to_a_new_secret() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let (old, new) = (keygen(&room, &dir, "old"), keygen(&room, &dir, "new"));
    let store = dir.join("room.db");
    let store = text(&store);
    let with = |key: &str| {
        let options = ["--secret-file", key, "--store", store].map(str::to_owned);
        options.to_vec()
    };
    let join = |nick: &str, key: &str| {
        let options = with(key);
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        room.join_with(nick, &options)
    };
    let rekey = ["rekey", "--store", store, "--secret-file", &new];
    let mut ana = join("ana", &old);
    ana.joined();
    ana.say("under the old one");
    ana.heard("ana", 1);
    // Not while it is open.
    let (status, busy) = ended(room.raw(&rekey));
    assert_eq!(status, 3);
    one_line_that_names(&busy, "another papo has it open");
    ana.say("/quit");
    ana.close_input();
    assert_eq!(ana.exit(), 0, "{}", ana.stderr());
    let refused = join("ana", &new);
    assert_eq!(refused.exit(), 3, "{}", refused.stderr());
    one_line_that_names(&refused, "papo rekey");

    let (status, moved) = ended(room.raw(&rekey));
    assert_eq!(status, 0, "{}", moved.stderr());
    assert!(moved.stdout().contains("new secret"), "{}", moved.stdout());
    let (status, again) = ended(room.raw(&rekey));
    assert_eq!(status, 0, "{}", again.stderr());
    assert!(again.stdout().contains("already"), "{}", again.stdout());
    // One who still has the old secret runs on.
    let mallory = room.join_with("mallory", &["--secret-file", &old]);
    mallory.joined();
    let bia = room.join_with("bia", &["--secret-file", &new]);
    bia.joined();
    let ana = join("ana", &new);
    ana.sees_members(2);
    let history = agree(&[&ana, &bia], PATIENCE);
    assert_eq!(history.len(), 1);
    assert_eq!(mallory.look(|r| r.view.len()), 1);
    let refused = join("eva", &old);
    assert_eq!(refused.exit(), 3, "{}", refused.stderr());
}

#[test]
fn rekey_says_in_one_line_what_is_missing() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let key = keygen(&room, &dir, "key");
    let missing = dir.join("none.db");
    let other = dir.join("other");
    fs::write(
        &other,
        "no database, but longer than a header is, so that nobody takes it for one",
    )
    .expect("the directory is ours");
    let cases: [(&[&str], i32, &str); 4] = [
        (&["rekey", "--secret-file", &key], 2, "--store"),
        (&["rekey", "--store", text(&missing)], 2, "keygen"),
        (
            &["rekey", "--store", text(&missing), "--secret-file", &key],
            3,
            "none.db",
        ),
        (
            &["rekey", "--store", text(&other), "--secret-file", &key],
            3,
            "papo did not write it",
        ),
    ];
    for (args, status, word) in cases {
        let (ended, node) = ended(room.raw(args));
        assert_eq!(ended, status, "{args:?}: {}", node.stderr());
        one_line_that_names(&node, word);
    }
    assert!(!missing.exists(), "nothing is made");
}

/// As a command substitution that failed leaves it; or with a command that does not use the variable.
#[test]
fn an_empty_secret_is_a_mistake_and_no_open_room() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    for script in [
        "PAPO_SECRET= exec papo send hello",
        "PAPO_SECRET=$(false) exec papo --stay",
        "PAPO_SECRET=' ' exec papo listen",
        "PAPO_SECRET= exec papo scan",
        "PAPO_SECRET=x exec papo irc --irc-listen 127.0.0.1:0",
    ] {
        let (status, node) = ended(room.bash("ana", script));
        assert_eq!(status, 2, "{script}: {}", node.stderr());
        one_line_that_names(&node, "PAPO_SECRET");
    }
    let empty = dir.join("empty");
    for content in ["", "\n"] {
        write_secret(&empty, content);
        let (status, node) = ended(room.papo("ana", &["send", "--secret-file", text(&empty), "x"]));
        assert_eq!(status, 3, "{}", node.stderr());
        one_line_that_names(&node, "keygen");
    }
}

#[test]
fn what_others_may_read_or_write_is_said_in_one_line_with_the_remedy() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let key = keygen(&room, &dir, "key");
    let store = dir.join("room.db");
    let options = ["send", "--secret-file", &key, "--store", text(&store), "x"];
    // Somebody hears it, so that nothing else is to be said.
    let bia = room.join_with("bia", &["--secret-file", &key]);
    bia.joined();
    let (status, quiet) = ended(room.papo("ana", &options));
    assert_eq!(status, 0, "{}", quiet.stderr());
    assert_eq!(quiet.stderr(), "");
    assert_eq!(mode(&store), 0o600);
    set_mode(&store, 0o644);
    let (status, node) = ended(room.papo("ana", &options));
    assert_eq!(status, 0, "{}", node.stderr());
    one_line_that_names(&node, "chmod 600");
    one_line_that_names(&node, "--store");
    set_mode(&store, 0o640);
    set_mode(Path::new(&key), 0o604);
    let (status, node) = ended(room.papo("ana", &options));
    assert_eq!(status, 0, "{}", node.stderr());
    one_line_that_names(&node, "chmod 600");
    one_line_that_names(&node, "--secret-file");
    // Whoever may write it chooses the secret.
    for others in [0o620, 0o602] {
        set_mode(Path::new(&key), others);
        let (status, node) = ended(room.papo("ana", &options));
        assert_eq!(status, 0, "{}", node.stderr());
        one_line_that_names(&node, "may write the secret");
    }
    // So it is in an open room: the file tells what was said while its reader was not there.
    let open = dir.join("open.db");
    fs::write(&open, "").expect("the directory is ours");
    set_mode(&open, 0o644);
    let open_room = room.neighbour();
    let caio = open_room.join("caio");
    caio.joined();
    let (status, node) = ended(open_room.papo("ana", &["send", "--store", text(&open), "x"]));
    assert_eq!(status, 0, "{}", node.stderr());
    one_line_that_names(&node, "chmod 600");
    one_line_that_names(&node, "--store");
}

/// Whatever files the user makes otherwise for everybody.
#[test]
fn what_papo_writes_is_for_its_owner_alone() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let home = text(&dir);
    let script = format!(
        "umask 000; cd {home}; papo keygen key; export XDG_STATE_HOME={home}/state
        exec papo --secret-file key --store room.db --trace trace --stay"
    );
    let node = room.bash("ana", &script).start();
    let files = [
        "key",
        "room.db",
        "room.db-wal",
        "trace",
        "state/papo/identity",
    ];
    eventually("all of them are there", PATIENCE, || {
        files.iter().all(|name| dir.join(name).exists())
    });
    for name in files {
        assert_eq!(mode(&dir.join(name)), 0o600, "{name}: {}", node.stderr());
    }
}

#[test]
fn of_two_secrets_the_one_on_the_command_line_counts_and_that_is_said() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let key = keygen(&room, &dir, "key");
    let ana = room.join_with("ana", &["--secret-file", &key]);
    ana.joined();
    let script = format!(
        "PAPO_SECRET='something else' exec papo send --wait-members 1 --secret-file {key} hello"
    );
    let (status, node) = ended(room.bash("bia", &script));
    assert_eq!(status, 0, "{}", node.stderr());
    one_line_that_names(&node, "PAPO_SECRET");
    assert_eq!(ana.look(|r| r.all("message").count()), 1);
}
