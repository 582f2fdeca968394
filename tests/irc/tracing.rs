//! What the nodes of IRC clients do is written down, as that of any other.

use crate::client::Server;
use crate::harness::{Room, Signal, scratch_dir, shared};

#[test]
fn one_file_tells_what_the_nodes_of_all_clients_do() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let (file, other) = (dir.join("irc.trace"), dir.join("bia.trace"));
    let (file, other) = (
        file.to_str().expect("a path"),
        other.to_str().expect("a path"),
    );
    let bia = room.join_with("bia", &["--trace", other]);
    bia.joined();
    let server = Server::with(&room, &["--trace", file]);
    let channel = format!("#{}", room.name);
    let mut rita = server.client("rita", "");
    rita.gets(" 366 ");
    let mut zoe = server.client("zoe", "");
    zoe.gets(" 366 ");
    bia.sees_members(3);
    rita.say(&format!("PRIVMSG {channel} :good morning"));
    bia.heard("rita", 1);
    zoe.gets("good morning");
    bia.say("and to you");
    rita.gets("and to you");
    bia.say("/quit");
    assert_eq!(bia.exit(), 0);
    server.node.signal(Signal::TERM);
    assert_eq!(server.node.exit(), 0);
    let text = std::fs::read_to_string(file).expect("a trace");
    assert!(
        text.ends_with('\n') && !text.contains("good morning"),
        "{text}"
    );
    let told = room.raw(&["trace", file, other]).start();
    assert_eq!(told.exit(), 0);
    let said = told.stdout();
    assert!(said.contains("3 nodes"), "{said}");
    assert!(
        !said.contains("BROKEN") && !said.contains("note:"),
        "{said}"
    );
    assert!(!said.contains("no message matches"), "{said}");
    for nick in ["rita", "zoe"] {
        assert!(text.contains(&format!("\"nick\":\"{nick}\"")), "{text}");
    }
    assert_eq!(text.matches("\"e\":\"left\"").count(), 2);
}

#[test]
fn a_signal_begins_the_trace_of_clients_that_are_there_and_ends_it() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let at = format!("127.0.0.1:{}", crate::client::free_port());
    let port = at
        .rsplit(':')
        .next()
        .and_then(|p| p.parse().ok())
        .expect("a port");
    let node = room
        .papo("irc", &["irc", "--irc-listen", &at, "-v"])
        .dir(&dir)
        .start();
    node.logs("IRC clients can connect", 1);
    let server = Server { node, port };
    let mut rita = server.client("rita", "");
    rita.gets(" 366 ");
    let pid = server.node.pid().as_raw_nonzero();
    server.node.signal(Signal::USR2);
    server
        .node
        .logs(&format!("is written to papo-{pid}.trace"), 1);
    rita.say(&format!("PRIVMSG #{} :good morning", room.name));
    rita.say("PING :x");
    rita.gets("PONG");
    server.node.signal(Signal::USR2);
    server.node.logs("the trace ends", 1);
    let path = dir.join(format!("papo-{pid}.trace"));
    let text = std::fs::read_to_string(path).expect("a trace");
    assert!(
        text.contains("\"late\":true") && text.contains("\"command\":\"say\""),
        "{text}"
    );
    assert!(text.ends_with('\n'));
}

#[test]
fn a_trace_of_clients_keeps_the_newest_and_each_file_says_how_all_stand() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let path = dir.join("irc.trace");
    let file = path.to_str().expect("a path");
    let args = ["--trace", file, "--trace-max", "1M", "--trace-text"];
    let server = Server::with(&room, &args);
    let mut rita = server.client("rita", "");
    rita.gets(" 366 ");
    let mut zoe = server.client("zoe", "");
    zoe.gets(" 366 ");
    let bia = room.join("bia");
    bia.joined();
    bia.sees_members(3);
    let text = "y".repeat(1_000);
    for n in 0..600 {
        bia.say(&format!("{n} {text}"));
    }
    bia.say("that is all");
    rita.gets("that is all");
    zoe.gets("that is all");
    server.node.signal(Signal::TERM);
    assert_eq!(server.node.exit(), 0);
    let parts = [1, 2, 3].map(|n| dir.join(format!("irc.trace.{n}")));
    let mut total = 0;
    for part in parts.iter().chain([&path]) {
        let text = std::fs::read_to_string(part).expect("a part of the trace");
        total += text.len();
        assert!(text.ends_with('\n'), "only whole lines");
        let heads = text.lines().take(2);
        let heads: String = heads.filter(|l| l.contains("\"e\":\"node\"")).collect();
        let nicks = ["rita", "zoe"].map(|nick| format!("\"nick\":\"{nick}\""));
        assert!(nicks.iter().all(|nick| heads.contains(nick)), "{heads}");
    }
    assert!(
        (600 << 10..=1 << 20).contains(&total),
        "{total} bytes are kept"
    );
    assert!(!dir.join("irc.trace.4").exists());
    let told = room.raw(&["trace", file]).start();
    assert_eq!(told.exit(), 0);
    let said = told.stdout();
    assert!(said.contains("2 nodes"), "{said}");
}

#[test]
fn a_trace_of_clients_that_cannot_be_written_is_said_at_the_start() {
    let permit = shared();
    let room = Room::new(&permit);
    let args = [
        "irc",
        "--irc-listen",
        "127.0.0.1:0",
        "--trace",
        "/nowhere/at/all",
    ];
    let node = room.raw(&args).start();
    assert_eq!(node.exit(), 3);
    assert!(
        node.stderr()
            .contains("--trace /nowhere/at/all: it cannot be written")
    );
}
