//! Every row of the table of exit statuses, and what stderr says with it.

use crate::harness::{Node, Room, Signal, let_pass, ms, one_line_that_names, shared};

#[test]
fn a_bad_option_ends_with_2_and_one_line_that_names_it() {
    let permit = shared();
    let room = Room::new(&permit);
    let long_nick = "n".repeat(33);
    let cases: [(&[&str], &str); 15] = [
        (&["--no-such-option"], "--no-such-option"),
        (&["--history", "many"], "--history"),
        (&["--replay", "some"], "--replay"),
        (&["--heartbeat", "0"], "--heartbeat"),
        (
            &["--heartbeat", "600", "--failure-timeout", "1000"],
            "--failure-timeout",
        ),
        (&["--timeout", "soon"], "--timeout"),
        (&["--wait-members", "-1"], "--wait-members"),
        (&["--listen", "nowhere"], "--listen"),
        (
            &["listen", "--count", "0"],
            "--count 0: give a whole number",
        ),
        (
            &["listen", "--count", "x"],
            "--count x: give a whole number",
        ),
        (
            &["demo", "--nodes", "99"],
            "--nodes 99: give a whole number",
        ),
        (&["send", "--nick", "", "x"], "--nick"),
        (&["send", "--nick", "a\tb", "x"], "--nick"),
        (&["send", "--nick", &long_nick, "x"], "--nick"),
        (&["send", "--group", "10.0.0.1:7000", "x"], "--group"),
    ];
    for (args, word) in cases {
        let node = room.raw(args).start();
        assert_eq!(node.exit(), 2, "{args:?}: {}", node.stderr());
        one_line_that_names(&node, word);
        assert_eq!(node.stdout(), "");
    }
}

#[test]
fn what_is_not_utf8_is_named() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let permit = shared();
    let room = Room::new(&permit);
    let broken = OsStr::from_bytes(b"an\xe1");
    let node = room.raw(&["send", "x"]).env("PAPO_NICK", broken).start();
    assert_eq!(node.exit(), 2, "{}", node.stderr());
    one_line_that_names(&node, "PAPO_NICK: it is not UTF-8");
}

#[test]
fn a_mistake_in_a_variable_names_the_variable() {
    let permit = shared();
    let room = Room::new(&permit);
    for (name, value, line) in [
        (
            "PAPO_PEERS",
            "a:1, b",
            "--peer (PAPO_PEERS) \" b\": give a host and a port",
        ),
        (
            "PAPO_ROOM",
            "",
            "--room (PAPO_ROOM) \"\": a room's name has",
        ),
        (
            "PAPO_STORE",
            "",
            "PAPO_STORE: it is set and empty; give it a value, or unset it",
        ),
        ("PAPO_CONFIG", "", "PAPO_CONFIG: it is set and empty"),
    ] {
        let node = room.raw(&["send", "x"]).env(name, value).start();
        assert_eq!(node.exit(), 2, "{}", node.stderr());
        one_line_that_names(&node, line);
    }
    // What is found out later is told with the variable, too, and without numbers of the system's.
    for (name, value, line) in [
        (
            "PAPO_STORE",
            "/",
            "--store (PAPO_STORE) /: it is a directory",
        ),
        (
            "PAPO_INTERFACE",
            "nosuch0",
            "--interface (PAPO_INTERFACE) nosuch0: no such",
        ),
        (
            "PAPO_LISTEN",
            "192.0.2.77:4000",
            "cannot listen on 192.0.2.77:4000: Cannot assign requested address; choose an address of this host, \
             or 0.0.0.0 (--listen, PAPO_LISTEN)",
        ),
    ] {
        let node = room.raw(&["send", "x"]).env(name, value).start();
        assert_eq!(node.exit(), 3, "{}", node.stderr());
        one_line_that_names(&node, line);
    }
    // A list may have spaces behind its commas.
    let shown = room.raw(&["config"]).env("PAPO_PEERS", "a:1, b:2").start();
    assert_eq!(shown.exit(), 0, "{}", shown.stderr());
    assert!(
        shown.stdout().contains("peer = [\"a:1\", \"b:2\"]"),
        "{}",
        shown.stdout()
    );
}

#[test]
fn a_store_that_is_not_there_is_told_in_words() {
    let permit = shared();
    let room = Room::new(&permit);
    let node = room.raw(&["history", "--store", "nosuch.db"]).start();
    assert_eq!(node.exit(), 3, "{}", node.stderr());
    one_line_that_names(
        &node,
        "--store nosuch.db: cannot use it: No such file or directory; use",
    );
}

#[test]
fn an_address_in_use_ends_with_3_and_one_line_that_names_the_option() {
    let permit = shared();
    let room = Room::new(&permit);
    let first = room.join_with("ana", &["--listen", "127.0.0.1:0"]);
    first.joined();
    let listening = first.event("listening", |e| e.is("listening"));
    let address = listening.list("tcp")[0]
        .as_str()
        .expect("an address")
        .to_owned();
    let second = room.papo("bia", &["--listen", &address]).start();
    assert_eq!(second.exit(), 3, "{}", second.stderr());
    one_line_that_names(&second, "--listen");
    assert!(second.stderr().contains(&address), "{}", second.stderr());
}

#[test]
fn no_such_interface_ends_with_3_and_one_line_that_names_it() {
    let permit = shared();
    let room = Room::new(&permit);
    for interface in ["nosuch0", "192.0.2.77"] {
        let node = room.raw(&["--interface", interface]).start();
        assert_eq!(node.exit(), 3, "{}", node.stderr());
        one_line_that_names(&node, interface);
        assert!(node.stderr().contains("--interface"), "{}", node.stderr());
    }
}

#[test]
fn the_first_sigint_leaves_in_good_order() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let bia = room.join("bia");
    bia.joined();
    bia.say("the last line");
    ana.heard("bia", 1);
    bia.signal(Signal::INT);
    assert_eq!(bia.exit(), 0);
    let gone = ana.event("bia is gone", |e| e.is("member_left"));
    assert_eq!(gone.text("reason"), "left");
    assert!(bia.event("left", |e| e.is("left")).flag("confirmed"));
}

/// Two nodes, the first of them stopped, so that a line of the second one keeps it from leaving for as many
/// seconds as it waits.
fn with_an_unconfirmed_line(room: &Room<'_>, timeout: &str) -> (Node, Node) {
    let ana = room.join("ana");
    ana.joined();
    let bia = room.join_with("bia", &["--timeout", timeout, "--failure-timeout", "20000"]);
    bia.joined();
    ana.sees_members(2);
    ana.signal(Signal::STOP);
    bia.say("hello?");
    bia.event("its own line", |e| e.is("message"));
    (ana, bia)
}

#[test]
fn the_second_sigint_ends_at_once_with_130() {
    let permit = shared();
    let room = Room::new(&permit);
    let (_ana, bia) = with_an_unconfirmed_line(&room, "60");
    // Two signals that come too close are one for the kernel.
    let mut signals = 0;
    while signals < 40 && bia.look(|r| r.exit.is_none()) {
        bia.signal(Signal::INT);
        signals += 1;
        let_pass(ms(50));
    }
    assert_eq!(bia.exit(), 130, "{}", bia.stderr());
    assert!(signals >= 2, "the first one did it");
}

#[test]
fn what_was_not_confirmed_when_told_to_end_makes_it_1() {
    let permit = shared();
    let room = Room::new(&permit);
    let (_ana, bia) = with_an_unconfirmed_line(&room, "1");
    bia.signal(Signal::TERM);
    assert_eq!(bia.exit(), 1);
    assert!(bia.stderr().contains("ana"), "{}", bia.stderr());
    assert!(!bia.event("left", |e| e.is("left")).flag("confirmed"));
}

#[test]
fn scan_exits_with_0_when_it_found_a_room_and_with_1_when_it_found_none() {
    let permit = shared();
    let room = Room::new(&permit);
    let scan = room.papo("scan", &["scan"]).start();
    assert_eq!(scan.exit(), 1, "{}", scan.stderr());
    let ana = room.join("ana");
    ana.joined();
    let scan = room.papo("scan", &["scan"]).start();
    assert_eq!(scan.exit(), 0, "{}", scan.stderr());
    assert!(scan.stdout().contains(&room.name), "{}", scan.stdout());
    // It was asked for one room only.
    let other = room.neighbour();
    let bia = other.join("bia");
    bia.joined();
    let scan = room.papo("scan", &["scan"]).start();
    assert_eq!(scan.exit(), 0, "{}", scan.stderr());
    assert!(!scan.stdout().contains(&other.name), "{}", scan.stdout());
    let scan = room.called("nosuch").papo("scan", &["scan"]).start();
    assert_eq!(scan.exit(), 1, "{}", scan.stderr());
    one_line_that_names(&scan, "--room: nobody is heard in it");
}

#[test]
fn help_and_version_exit_with_0() {
    let permit = shared();
    let room = Room::new(&permit);
    for (option, word) in [("--help", "--wait-members"), ("--version", "papo")] {
        let node = room.raw(&[option]).start();
        assert_eq!(node.exit(), 0);
        assert!(node.stdout().contains(word), "{}", node.stdout());
    }
}

#[test]
fn send_says_when_nobody_else_was_there() {
    let permit = shared();
    let room = Room::new(&permit);
    let alone =
        "papo: nobody else was in the room to hear it; --wait-members 1 waits for somebody\n";
    let send = room.papo("ana", &["send", "hello"]).start();
    assert_eq!(send.exit(), 0);
    assert_eq!(send.stderr(), alone);
    let mut send = room.papo("ana", &["send"]).start();
    send.say("hello from a pipe");
    send.close_input();
    assert_eq!(send.exit(), 0);
    assert_eq!(send.stderr(), alone);
    let bia = room.join("bia");
    bia.joined();
    let send = room.papo("ana", &["send", "hello again"]).start();
    assert_eq!(send.exit(), 0);
    assert_eq!(send.stderr(), "");
    bia.heard("ana", 1);
}

#[test]
fn send_says_in_one_line_that_nobody_came() {
    let permit = shared();
    let room = Room::new(&permit);
    let args = ["send", "--wait-members", "1", "--timeout", "1", "hello"];
    let send = room.papo("ana", &args).start();
    assert_eq!(send.exit(), 1);
    one_line_that_names(
        &send,
        "papo: 1 line not sent: --wait-members 1: no other member came within 1 s (--timeout); nobody \
         answered: check --room and --group",
    );
}
