//! Several rooms in one program, in pipes and as JSON: every line and every event names its room, each room has its
//! own files, and what happens to one does not keep the others from going on.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{
    Node, PATIENCE, Permit, Room, Signal, alone, one_line_that_names, scratch_dir, shared,
    write_secret,
};

/// Two rooms on one multicast address, and somebody in each.
struct Two<'a> {
    one: Room<'a>,
    two: Room<'a>,
    ana: Node,
    bia: Node,
}

impl<'a> Two<'a> {
    fn new(permit: &'a Permit) -> Two<'a> {
        let one = Room::new(permit);
        let two = one.neighbour();
        let (ana, bia) = (one.join("ana"), two.join("bia"));
        ana.joined();
        bia.joined();
        Two { one, two, ana, bia }
    }

    /// A process that is in both.
    fn in_both(&self, args: &[&str]) -> Node {
        let mut all = args.to_vec();
        all.extend(["--room", &self.two.name]);
        let node = self.one.papo("cid", &all).start();
        self.ana.sees_members(2);
        self.bia.sees_members(2);
        node
    }
}

/// The events on its stdout so far.
fn events(node: &Node) -> Vec<Value> {
    let out = node.stdout();
    let lines = out.lines().map(serde_json::from_str);
    lines.map(|line| line.expect("a line of JSON")).collect()
}

/// Waits for an event with these fields.
#[track_caller]
fn event(node: &Node, name: &str, fields: &[(&str, &str)]) -> Value {
    let fits = |line: &[u8]| {
        let event: Value = serde_json::from_slice(line).ok()?;
        let has = |(key, value): &(&str, &str)| event[*key] == **value;
        (event["event"] == name && fields.iter().all(has)).then_some(event)
    };
    node.wait(&format!("{name} with {fields:?}"), PATIENCE, |record| {
        record.lines.iter().find_map(|(_, line)| fits(line))
    })
}

/// Waits for a line of text on its stdout.
#[track_caller]
fn prints(node: &Node, line: &str) {
    node.wait(line, PATIENCE, |record| {
        let printed = record.lines.iter().map(|(_, printed)| printed.as_slice());
        printed
            .into_iter()
            .find(|p| *p == line.as_bytes())
            .map(|_| ())
    });
}

#[test]
fn each_event_names_its_room_and_lines_go_where_the_user_says() {
    let permit = shared();
    let both = Two::new(&permit);
    let (one, two) = (both.one.name.as_str(), both.two.name.as_str());
    let mut cid = both.in_both(&["--json", "--commands"]);
    both.ana.say("in one");
    both.bia.say("in two");
    event(&cid, "message", &[("room", one), ("text", "in one")]);
    event(&cid, "message", &[("room", two), ("text", "in two")]);
    // All of it at once: what follows the command is for the other room.
    cid.write(
        format!("to one\n/room {two}\nto two\n/members\n/room 1\nto one again\nhalf").as_bytes(),
    );
    both.ana.heard("cid", 2);
    both.bia.heard("cid", 1);
    cid.write(b" a line");
    cid.close_input();
    assert_eq!(cid.exit(), 0, "{}", cid.stderr());
    let heard = |node: &Node| node.look(|record| record.heard["cid"].clone());
    assert_eq!(heard(&both.ana), ["to one", "to one again", "half a line"]);
    assert_eq!(heard(&both.bia), ["to two"]);
    let members = event(&cid, "members", &[("room", two)]);
    assert_eq!(members["members"].as_array().map(Vec::len), Some(2));
    let events = events(&cid);
    for room in [one, two] {
        let own = || events.iter().filter(|e| e["room"] == room);
        let named = |name: &str| own().filter(|e| e["event"] == name).count();
        assert_eq!(
            (named("listening"), named("joined"), named("left")),
            (1, 1, 1)
        );
        assert_eq!(
            own().next_back().map(|e| &e["event"]),
            Some(&Value::from("left"))
        );
    }
    assert!(events.iter().all(|e| e["room"] == one || e["room"] == two));
    let keys: BTreeSet<_> = (events.iter())
        .filter(|e| e["event"] == "listening")
        .map(|e| e["key"].to_string())
        .collect();
    assert_eq!(keys.len(), 2, "each room has a node of its own");
    for there in [&both.ana, &both.bia] {
        let gone = there.event("cid is gone", |e| e.is("member_left"));
        assert_eq!(gone.text("reason"), "left");
    }
}

#[test]
fn each_line_of_text_names_its_room() {
    let permit = shared();
    let both = Two::new(&permit);
    let (one, two) = (both.one.name.as_str(), both.two.name.as_str());
    let cid = both.in_both(&["--stay", "-v"]);
    both.ana.say("in one");
    both.bia.say("/msg cid for you");
    prints(&cid, &format!("[{one}] <ana> in one"));
    prints(&cid, &format!("[{two}] <bia> for you"));
    cid.say("/room is no command here");
    both.ana.heard("cid", 1);
    cid.signal(Signal::TERM);
    assert_eq!(cid.exit(), 0, "{}", cid.stderr());
    let joined = format!("papo: [{two}] in room {two} as cid#2 with bia#1");
    assert!(cid.stderr().contains(&joined), "{}", cid.stderr());
}

#[test]
fn a_room_is_joined_and_left_while_papo_runs() {
    let permit = shared();
    let both = Two::new(&permit);
    let (one, two) = (both.one.name.as_str(), both.two.name.as_str());
    let options = ["--json", "--commands", "--stay"];
    let cid = both.one.papo("cid", &options).start();
    both.ana.sees_members(2);
    event(&cid, "joined", &[]);
    cid.say("/join");
    event(&cid, "error", &[("text", "/join ROOM: say which room")]);
    let before = events(&cid);
    assert!(
        before
            .iter()
            .all(|e| e["event"] == "listening" || e.get("room").is_none())
    );
    cid.write(format!("/join {two}\nhello, two\n").as_bytes());
    both.bia.heard("cid", 1);
    event(&cid, "joined", &[("room", two)]);
    both.ana.say("still there?");
    event(&cid, "message", &[("room", one), ("text", "still there?")]);
    // Joining once more only goes there.
    cid.write(format!("/join {one}\nyes\n/part nowhere\n/part {two}\n").as_bytes());
    both.ana.heard("cid", 1);
    event(
        &cid,
        "error",
        &[
            ("room", one),
            (
                "text",
                "/part nowhere: this is none of your rooms; /room lists them",
            ),
        ],
    );
    event(&cid, "left", &[("room", two)]);
    both.bia.event("cid is gone", |e| e.is("member_left"));
    cid.say(&format!("/join {two}"));
    both.bia.wait("cid is back", PATIENCE, |record| {
        (record.all("member_joined").count() == 2).then_some(())
    });
    // The room in front goes, and then the last one.
    cid.say("/part");
    cid.say("one more line");
    both.ana.heard("cid", 2);
    cid.say("/part");
    assert_eq!(cid.exit(), 0, "{}", cid.stderr());
    both.ana.event("cid is gone", |e| e.is("member_left"));
}

#[test]
fn the_rooms_of_a_file_are_those_of_who_chats_and_the_first_is_that_of_who_sends() {
    let permit = shared();
    let both = Two::new(&permit);
    let (one, two) = (both.one.name.as_str(), both.two.name.as_str());
    let dir = scratch_dir();
    let file = dir.join("papo.toml");
    let group = both.one.group;
    let text = format!(
        "room = [\"{one}\", \"{two}\"]\ninterface = \"127.0.0.1\"\ngroup = \"{group}\"\nstore = \"{{room}}.db\"\n"
    );
    std::fs::write(&file, text).expect("the directory is ours");
    let file = file.to_str().expect("a plain path");
    let run = |args: &[&str]| {
        both.one
            .raw(&[args, &["--config", file, "--nick", "cid"]].concat())
            .start()
    };
    let cid = run(&["listen"]);
    both.ana.sees_members(2);
    both.bia.sees_members(2);
    both.bia.say("in two");
    prints(&cid, &format!("[{two}] <bia> in two"));
    cid.signal(Signal::TERM);
    assert_eq!(cid.exit(), 0, "{}", cid.stderr());
    let sender = run(&["send", "--wait-members", "1", "hello"]);
    assert_eq!(sender.exit(), 0, "{}", sender.stderr());
    both.ana.heard("cid", 1);
    let history = run(&["history", "--grep", "hello"]);
    assert_eq!(history.exit(), 0, "{}", history.stderr());
    assert!(
        history.stdout().ends_with("<cid> hello\n"),
        "{}",
        history.stdout()
    );
    let shown = run(&["config", "--store", "x.db"]);
    assert_eq!(shown.exit(), 0, "{}", shown.stderr());
    let line = format!("room = [\"{one}\", \"{two}\"]");
    assert!(shown.stdout().contains(&line), "{}", shown.stdout());
}

#[test]
fn a_count_is_of_all_rooms_together() {
    let permit = shared();
    let both = Two::new(&permit);
    let (one, two) = (both.one.name.as_str(), both.two.name.as_str());
    let args = ["listen", "--count", "3", "--room", two];
    let log = both.one.papo("log", &args).start();
    both.ana.sees_members(2);
    both.bia.sees_members(2);
    both.ana.say("1");
    prints(&log, &format!("[{one}] <ana> 1"));
    both.bia.say("2");
    prints(&log, &format!("[{two}] <bia> 2"));
    both.ana.say("3");
    assert_eq!(log.exit(), 0, "{}", log.stderr());
    assert_eq!(log.stdout().lines().count(), 3);
}

#[test]
fn each_room_keeps_its_history_in_a_file_of_its_own() {
    let permit = shared();
    let both = Two::new(&permit);
    let dir = scratch_dir();
    let store = dir.join("{room}.db");
    let store = store.to_str().expect("a plain path");
    let mut cid = both.in_both(&["--commands", "--store", store]);
    both.ana.say("in one");
    both.bia.say("in two");
    prints(&cid, &format!("[{}] <bia> in two", both.two.name));
    prints(&cid, &format!("[{}] <ana> in one", both.one.name));
    cid.close_input();
    assert_eq!(cid.exit(), 0, "{}", cid.stderr());
    for (room, line) in [(&both.one, "in one"), (&both.two, "in two")] {
        let history = room
            .raw(&["history", "--store", store, "--room", &room.name])
            .start();
        assert_eq!(history.exit(), 0, "{}", history.stderr());
        assert!(history.stdout().contains(line) && history.stdout().lines().count() == 1);
    }
    let shared = dir.join("x.db");
    let shared = shared.to_str().expect("a plain path");
    let plain = both
        .one
        .papo("eva", &["--store", shared, "--room", "b"])
        .start();
    assert_eq!(plain.exit(), 2);
    one_line_that_names(&plain, "x-{room}.db");
    // Nor is a room joined that would need the same file.
    let args = ["--json", "--commands", "--stay", "--store", shared];
    let eva = both.one.papo("eva", &args).start();
    eva.say("/join elsewhere");
    let refused = event(&eva, "error", &[]);
    let why = refused["text"].as_str().unwrap_or_default();
    assert!(
        why.starts_with("/join elsewhere: --store") && why.contains("x-{room}.db"),
        "{why}"
    );
}

#[test]
fn a_room_that_is_locked_ends_alone_and_is_the_status() {
    let permit = shared();
    let one = Room::new(&permit);
    let two = one.neighbour();
    let dir = scratch_dir();
    let key = dir.join(&two.name);
    write_secret(&key, "correct horse battery staple");
    let key = key.to_str().expect("a plain path");
    let (ana, bia) = (
        one.join("ana"),
        two.join_with("bia", &["--secret-file", key]),
    );
    ana.joined();
    bia.joined();
    // One has no such file, and is not locked; the other has, and is.
    let place = dir.join("{room}");
    let place = place.to_str().expect("a plain path");
    let args = ["--secret-file", place, "--room", &two.name];
    let mut cid = one.papo("cid", &args).start();
    ana.sees_members(2);
    bia.sees_members(2);
    cid.close_input();
    assert_eq!(cid.exit(), 0, "{}", cid.stderr());
    one_line_that_names(&cid, &format!("the room \"{}\" is not locked", one.name));
    // Without the secret, the open room goes on.
    let args = ["--commands", "--room", &two.name];
    let mut eva = one.papo("eva", &args).start();
    eva.wait("it is said", PATIENCE, |record| {
        let said =
            |line: &[u8]| String::from_utf8_lossy(line).contains("is locked; give its secret");
        record
            .stderr
            .iter()
            .any(|(_, line)| said(line))
            .then_some(())
    });
    ana.say("still there?");
    prints(&eva, &format!("[{}] <ana> still there?", one.name));
    eva.say("yes");
    ana.heard("eva", 1);
    eva.close_input();
    assert_eq!(eva.exit(), 3, "{}", eva.stderr());
    one_line_that_names(&eva, &format!("papo: [{}] the room", two.name));
}

#[test]
fn what_is_not_confirmed_in_one_room_is_the_status_of_all() {
    let permit = alone();
    let both = Two::new(&permit);
    let mut cid = both.in_both(&["--timeout", "2", "--commands"]);
    both.bia.signal(Signal::STOP);
    cid.write(format!("heard\n/room {}\nnot heard\n", both.two.name).as_bytes());
    both.ana.heard("cid", 1);
    cid.close_input();
    assert_eq!(cid.exit(), 1, "{}", cid.stderr());
    let line = format!("papo: [{}] 1 message not confirmed by bia#1", both.two.name);
    assert!(cid.stderr().contains(&line), "{}", cid.stderr());
    both.bia.signal(Signal::CONT);
}

/// A flood in one room: the other one hears and answers meanwhile.
#[test]
fn a_flood_in_one_room_delays_no_other() {
    let permit = alone();
    let both = Two::new(&permit);
    let cid = both.in_both(&["--json", "--commands", "--stay"]);
    let flood: String = (0..30_000)
        .map(|n| format!("line {n} {}\n", "x".repeat(80)))
        .collect();
    both.ana.write(flood.as_bytes());
    let mark = both.bia.mark();
    for n in 0..20 {
        both.bia.say(&format!("are you there? {n}"));
        both.bia.event_after(mark, "a confirmation", |e| {
            e.is("delivered")
                && e.num("confirmed") == 1
                && e.text("id").ends_with(&format!("-{}", n + 1))
        });
    }
    event(&cid, "message", &[("text", "are you there? 19")]);
    both.ana.event("the flood is confirmed", |e| {
        e.is("delivered") && e.text("id").ends_with("-30000")
    });
    for node in [&both.ana, &both.bia] {
        node.look(|record| {
            assert_eq!(record.all("election").count(), 0);
            assert_eq!(record.all("member_left").count(), 0);
        });
    }
}

#[test]
fn a_peer_may_be_asked_in_one_room_only() {
    let permit = shared();
    let two = Two::new(&permit);
    let at = |node: &Node| {
        let listening = node.event("listening", |e| e.is("listening"));
        let at = listening.list("tcp")[0].as_str().map(str::to_owned);
        at.expect("an address")
    };
    let peers = [(&two.one, &two.ana), (&two.two, &two.bia)];
    let peers = peers.map(|(room, node)| format!("{}={}", room.name, at(node)));
    let args = [
        "--json",
        "--stay",
        "--no-multicast",
        "--peer",
        &peers[0],
        "--peer",
        &peers[1],
    ];
    let cid = two.in_both(&args);
    for room in [&two.one, &two.two] {
        event(&cid, "joined", &[("room", &room.name)]);
    }
    let warned = events(&cid).iter().any(|event| event["event"] == "warning");
    assert!(!warned, "{}", cid.stdout());
}
