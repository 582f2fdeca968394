//! `papo doctor`: what it finds, what it says to type, and that nobody is disturbed.

use std::net::TcpListener;

use crate::harness::{Node, Room, one_line_that_names, scratch_dir, shared, write_secret};

/// An examination of this room, and its status.
fn examined(room: &Room<'_>, options: &[&str]) -> (String, i32) {
    let group = room.group.to_string();
    let mut args = vec!["doctor", "--interface", "127.0.0.1", "--group", &group];
    args.extend(["--room", &room.name]);
    args.extend(options);
    let doctor = room.raw(&args).start();
    let status = doctor.exit();
    assert_eq!(doctor.stderr(), "");
    (doctor.stdout(), status)
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
}

/// What it says to type.
fn command(text: &str) -> &str {
    text.lines().last().unwrap_or_default().trim()
}

#[test]
fn an_empty_room_can_be_founded_and_what_was_sent_is_heard() {
    let permit = shared();
    let room = Room::new(&permit);
    let (text, status) = examined(&room, &[]);
    assert_eq!(status, 0, "{text}");
    says(
        &text,
        &[
            "lo: 127.0.0.1",
            "6 datagrams sent, 6 of them heard here, up to 1200 bytes; nothing of others",
            "no coordinator heard",
            "to oneself, at 127.0.0.1: works",
            " UTC here",
            "Firewall",
            "nobody is in the room yet",
        ],
    );
}

#[test]
fn a_room_is_found_and_what_it_says_to_type_works() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let (text, status) = examined(&room, &[]);
    assert_eq!(status, 0, "{text}");
    says(
        &text,
        &[
            "heard: ana#1 coordinates it at 127.0.0.1, 1 member",
            "packets with 3000 bytes of text each get through",
            "from 1 host",
            "the room is there",
        ],
    );
    let typed = format!(
        "echo hello | {} --nick bia --wait-members 1",
        command(&text)
    );
    let typed = room.bash("typed", &typed).start();
    assert_eq!(typed.exit(), 0, "{}", typed.stderr());
    ana.heard("bia", 1);
    undisturbed(&ana);
}

#[test]
fn scripts_get_the_same_as_one_object() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let (text, status) = examined(&room, &["--json"]);
    assert_eq!((status, text.lines().count()), (0, 1), "{text}");
    let seen: serde_json::Value = serde_json::from_str(&text).expect("one object");
    assert_eq!(seen["event"], "doctor");
    assert_eq!(seen["works"], true);
    assert_eq!(seen["result"], "chatting works: the room is there");
    assert_eq!(seen["coordinator"]["nick"], "ana");
    assert_eq!(seen["coordinator"]["dials"][0]["works"], true);
    assert_eq!(seen["interfaces"][0]["multicast"][0]["works"], true);
    assert_eq!(seen["locked_by"], serde_json::Value::Null);
    let command = seen["command"].as_str().expect("what to type");
    assert!(command.starts_with("papo --room"), "{command}");
    let (text, status) = examined(&room, &["--json", "--no-multicast"]);
    let seen: serde_json::Value = serde_json::from_str(&text).expect("one object");
    assert_eq!(status == 0, seen["works"] == true, "{text}");
    undisturbed(&ana);
}

/// Nothing of the doctor was noticed.
#[track_caller]
fn undisturbed(node: &Node) {
    assert_eq!(node.look(|r| r.all("warning").count()), 0);
    assert_eq!(node.look(|r| r.all("error").count()), 0);
    assert_eq!(node.stderr(), "");
}

#[test]
fn a_locked_room_works_with_its_secret_only() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let (good, bad) = (dir.join("good"), dir.join("bad"));
    write_secret(&good, "correct horse battery staple");
    write_secret(&bad, "incorrect horse battery staple");
    let [good, bad] = [&good, &bad].map(|path| path.to_str().expect("ASCII"));
    let ana = room.join_with("ana", &["--secret-file", good]);
    ana.joined();
    let (text, status) = examined(&room, &["--secret-file", good]);
    assert_eq!(status, 0, "{text}");
    says(&text, &["3000 bytes", "the room is there", "--secret-file"]);
    let (text, status) = examined(&room, &["--secret-file", bad]);
    assert_eq!(status, 1, "{text}");
    says(
        &text,
        &["127.0.0.1 uses this room's name with a different secret"],
    );
    let (text, status) = examined(&room, &[]);
    assert_eq!(status, 1, "{text}");
    says(&text, &["with a secret", "--secret-file FILE"]);
    undisturbed(&ana);
}

#[test]
fn a_peer_that_cannot_be_reached_is_no_way_in_and_one_that_can_is() {
    let permit = shared();
    let room = Room::new(&permit);
    // A port that nobody listens on any more.
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    let closed = closed.expect("there is a free port").to_string();
    let (text, status) = examined(&room, &["--no-multicast", "--peer", &closed]);
    assert_eq!(status, 1, "{text}");
    says(
        &text,
        &[
            "multicast is off",
            "cannot be dialled",
            "no --peer can be reached",
            &format!("--peer {closed} --no-multicast"),
        ],
    );
    let ana = room.join_with("ana", &["--no-multicast"]);
    ana.joined();
    let listening = ana.event("listening", |e| e.is("listening"));
    let open = listening.list("tcp")[0].as_str().expect("an address");
    let open = format!("127.0.0.1:{}", open.rsplit(':').next().expect("a port"));
    let (text, status) = examined(&room, &["--no-multicast", "--peer", &open]);
    assert_eq!(status, 0, "{text}");
    says(&text, &[&format!("--peer {open}: {open} answers in")]);
    undisturbed(&ana);
}

#[test]
fn what_keeps_a_node_from_starting_is_told_in_the_same_way() {
    let permit = shared();
    let room = Room::new(&permit);
    let none = room.raw(&["doctor", "--interface", "nosuch0"]).start();
    assert_eq!(none.exit(), 3, "{}", none.stderr());
    one_line_that_names(&none, "nosuch0");
    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let taken = taken.local_addr().map(|at| (at.to_string(), taken));
    let (at, _taken) = taken.expect("it is bound");
    let (text, status) = examined(&room, &["--listen", &at]);
    assert_eq!(status, 1, "{text}");
    says(
        &text,
        &["connections cannot be taken", "--listen 127.0.0.1:0"],
    );
}
