//! Who people are across runs: the file that says so, and what the others see of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use crate::harness::{
    Node, PATIENCE, Room, Scratch, mode, one_line_that_names, scratch_dir, shared,
};

const OPTIONS: [&str; 3] = ["--json", "--commands", "--stay"];

/// A node of whoever has this state directory.
fn join(room: &Room<'_>, nick: &str, state: &Path, more: &[&str]) -> Node {
    let options = [&OPTIONS, more].concat();
    let launch = room.papo(nick, &options).events();
    let node = launch.env("XDG_STATE_HOME", state).start();
    node.joined();
    node
}

/// What a node sees of a member, once it has a link with it.
#[track_caller]
fn whois(node: &Node, nick: &str) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = node.ask(&format!("/whois {nick}"), "whois");
        if answer.body.get("since").is_some() {
            return answer.body.clone();
        }
        assert!(Instant::now() < deadline, "no link with {nick}: {answer:?}");
        node.wait_for_anything(PATIENCE / 100);
    }
}

fn identity(seen: &Value) -> Option<&str> {
    seen.get("identity").and_then(Value::as_str)
}

fn file_in(state: &Scratch) -> std::path::PathBuf {
    state.join("papo").join("identity")
}

/// What the file says that others see.
fn fingerprint_in(state: &Scratch) -> String {
    let text = fs::read_to_string(file_in(state)).expect("it is there");
    let line = text.lines().find_map(|l| l.strip_prefix("fingerprint "));
    line.expect("a fingerprint").to_owned()
}

#[test]
fn two_nodes_of_one_person_are_the_same_person_and_two_keys() {
    let permit = shared();
    let room = Room::new(&permit);
    let (one, other) = (scratch_dir(), scratch_dir());
    let ana = join(&room, "ana", &one, &[]);
    assert_eq!(mode(&file_in(&one)), 0o600);
    assert_eq!(mode(&one.join("papo")), 0o700);
    let bia = join(&room, "bia", &one, &[]);
    let caio = join(&room, "caio", &other, &[]);
    let seen = ["ana", "bia"].map(|nick| whois(&caio, nick));
    assert_eq!(identity(&seen[0]), Some(&*fingerprint_in(&one)));
    assert_eq!(identity(&seen[0]), identity(&seen[1]));
    assert_ne!(seen[0]["key"], seen[1]["key"]);
    let caios = whois(&ana, "caio");
    assert_eq!(identity(&caios), Some(&*fingerprint_in(&other)));
    // What is said says whose it is, and so does the list of members.
    bia.say("hello");
    let said = caio.event("the line", |e| e.is("message") && e.text("text") == "hello");
    assert_eq!(said.text("identity"), fingerprint_in(&one));
    let members = caio.ask("/members", "members");
    for member in members.list("members") {
        assert!(identity(member).is_some(), "{member}");
    }
}

#[test]
fn nodes_that_start_at_once_make_one_identity() {
    let permit = shared();
    let room = Room::new(&permit);
    let state = scratch_dir();
    let nicks = ["a", "b", "c", "d", "e", "f"];
    let nodes = nicks.map(|nick| {
        let launch = room.papo(nick, &OPTIONS).events();
        launch.env("XDG_STATE_HOME", &*state).start()
    });
    for node in &nodes {
        node.joined();
    }
    nodes[0].sees_members(6);
    let expected = fingerprint_in(&state);
    for nick in &nicks[1..] {
        assert_eq!(
            identity(&whois(&nodes[0], nick)),
            Some(&*expected),
            "{nick}"
        );
    }
    let all = fs::read_dir(state.join("papo")).expect("it is there");
    assert_eq!(all.count(), 1, "nothing else is left there");
}

#[test]
fn a_damaged_identity_is_refused_in_one_line_and_left_alone() {
    let permit = shared();
    let room = Room::new(&permit);
    let state = scratch_dir();
    let path = file_in(&state);
    fs::create_dir(state.join("papo")).expect("the directory is ours");
    for text in ["", "papo identity 1\nsecret 00\n", "\u{1b}[2J"] {
        fs::write(&path, text).expect("it is ours");
        let launch = room.papo("ana", &["send", "hello"]);
        let node = launch.env("XDG_STATE_HOME", &*state).start();
        assert_eq!(node.exit(), 3, "{}", node.stderr());
        one_line_that_names(&node, "papo/identity");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
    }
    let nowhere = state.join("nowhere/id");
    let nowhere = nowhere.to_str().expect("a plain path");
    let named = room.papo("ana", &["send", "--identity", nowhere, "hello"]);
    let node = named.start();
    assert_eq!(node.exit(), 3, "{}", node.stderr());
    one_line_that_names(&node, &format!("--identity {nowhere}"));
}

#[test]
fn an_identity_that_others_may_read_is_warned_about() {
    let permit = shared();
    let room = Room::new(&permit);
    let state = scratch_dir();
    let path = state.join("me");
    let name = path.to_str().expect("UTF-8");
    let send = ["send", "--identity", name, "hello"];
    // Somebody hears it, so that nothing else is to be said.
    let bia = room.join("bia");
    bia.joined();
    let first = room.papo("ana", &send).start();
    assert_eq!((first.exit(), first.stderr()), (0, String::new()));
    assert_eq!(mode(&path), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let second = room.papo("ana", &send).start();
    assert_eq!(second.exit(), 0);
    one_line_that_names(&second, "chmod 600");
    one_line_that_names(&second, &format!("--identity {name}"));
}

#[test]
fn who_wants_to_be_nobody_or_has_no_place_for_an_identity_is_anonymous() {
    let permit = shared();
    let room = Room::new(&permit);
    let state = scratch_dir();
    let ana = join(&room, "ana", &state, &[]);
    let bia = join(&room, "bia", &state, &["--anonymous"]);
    assert_eq!(identity(&whois(&ana, "bia")), None);
    assert!(identity(&whois(&bia, "ana")).is_some());
    // No directory can be made below a file.
    let nowhere = file_in(&state);
    let caio = join(&room, "caio", &nowhere, &[]);
    assert_eq!(identity(&whois(&ana, "caio")), None);
    caio.say("/quit");
    assert_eq!((caio.exit(), caio.stderr()), (0, String::new()));
    let davi = join(&room, "davi", &nowhere, &["-v"]);
    davi.logs("anonymous", 1);
    let both = room
        .papo("eva", &["--anonymous", "--identity", "me"])
        .start();
    assert_eq!(both.exit(), 2);
    one_line_that_names(&both, "--anonymous");
}

#[test]
fn who_comes_back_as_somebody_else_is_told_of_once() {
    let permit = shared();
    let room = Room::new(&permit);
    let states = [scratch_dir(), scratch_dir(), scratch_dir()];
    let ana = join(&room, "ana", &states[0], &[]);
    for (n, state) in [1, 1, 2, 2].into_iter().enumerate() {
        let mut fz = join(&room, "fz", &states[state], &[]);
        whois(&ana, "fz");
        fz.say(&format!("line {n}"));
        ana.heard("fz", n + 1);
        let told = ana.look(|r| {
            let warnings = r.all("warning");
            let told = warnings.filter(|e| e.text("text").contains("is not the fz of before"));
            told.count()
        });
        assert_eq!(told, usize::from(n >= 2), "{}", ana.stderr());
        fz.say("/quit");
        fz.close_input();
        assert_eq!(fz.exit(), 0);
        ana.sees_members(1);
    }
    assert!(ana.stderr().contains(&fingerprint_in(&states[1])));
}

#[test]
fn a_script_that_sends_is_the_same_person_each_time() {
    let permit = shared();
    let room = Room::new(&permit);
    let (own, other) = (scratch_dir(), scratch_dir());
    let ana = join(&room, "ana", &other, &[]);
    let saids = ["one", "two"].map(|text| {
        let launch = room.papo("cron", &["send", text]);
        assert_eq!(launch.env("XDG_STATE_HOME", &*own).start().exit(), 0);
        ana.event("the line", |e| e.is("message") && e.text("text") == text)
    });
    for said in &saids {
        assert_eq!(said.text("identity"), fingerprint_in(&own));
    }
    let warnings = ana.look(|r| r.all("warning").count());
    assert_eq!(warnings, 0, "{}", ana.stderr());
}

#[test]
fn an_identity_is_in_the_home_directory_where_nothing_else_is_said() {
    let permit = shared();
    let room = Room::new(&permit);
    let home = scratch_dir();
    let launch = room.papo("ana", &OPTIONS).events();
    let launch = launch.env("XDG_STATE_HOME", "").env("HOME", &*home);
    launch.start().joined();
    assert_eq!(mode(&home.join(".local/state/papo/identity")), 0o600);
}
