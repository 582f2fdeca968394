//! Whatever stdin and stdout are: pipes, files, /dev/null, closed, or a reader that went away.

use std::fs::{self, File};

use crate::harness::{Node, PATIENCE, Room, Signal, eventually, scratch_dir, shared};

/// Nothing of broken pipes, panics or the like.
#[track_caller]
fn only_notices(node: &Node) {
    let stderr = node.stderr();
    let notices = ["papo: in room", "is the coordinator", "joined", "left"];
    let all_known = stderr
        .lines()
        .all(|l| notices.iter().any(|n| l.contains(n)));
    assert!(all_known, "{stderr}");
}

#[test]
fn stdin_may_be_a_file() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let dir = scratch_dir();
    fs::write(dir.join("in"), "one\ntwo\nthree").expect("the directory is ours");
    let bia = room
        .papo("bia", &["--wait-members", "1"])
        .stdin(File::open(dir.join("in")).expect("it was just written"))
        .start();
    assert_eq!(bia.exit(), 0, "{}", bia.stderr());
    ana.heard("bia", 3);
    assert_eq!(
        ana.look(|r| r.heard["bia"].clone()),
        ["one", "two", "three"]
    );
}

#[test]
fn stdin_may_be_dev_null_or_closed() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let null = || File::open("/dev/null").expect("there is a /dev/null");
    let ends = room.papo("ends", &[]).stdin(null()).start();
    assert_eq!(ends.exit(), 0, "{}", ends.stderr());
    let stays = room
        .papo("stays", &["--stay", "--json"])
        .stdin(null())
        .events()
        .start();
    stays.joined();
    stays.signal(Signal::TERM);
    assert_eq!(stays.exit(), 0);

    let ends = room.bash("closed", "exec papo --nick closed <&-").start();
    assert_eq!(ends.exit(), 0, "{}", ends.stderr());
    let stays = room
        .bash("stays", "exec papo --nick closed --json --stay <&-")
        .events()
        .start();
    stays.joined();
    ana.say("hello");
    stays.heard("ana", 1);
    stays.signal(Signal::TERM);
    assert_eq!(stays.exit(), 0);
}

#[test]
fn listen_does_not_read_stdin() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let listener = room
        .bash("listener", "papo listen --nick bia & wait $!; cat")
        .start();
    listener.say("for cat");
    ana.sees_members(2);
    ana.say("for everybody");
    listener.wait("ana's line", PATIENCE, |r| {
        (!r.lines.is_empty()).then_some(())
    });
    assert_eq!(listener.stdout(), "<ana> for everybody\n");
    assert_eq!(ana.look(|r| r.heard_of("bia")), 0);
}

#[test]
fn stdout_may_be_a_file() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let dir = scratch_dir();
    let path = dir.join("out");
    let listener = room
        .papo("bia", &["listen"])
        .stdout(File::create(&path).expect("the directory is ours"))
        .start();
    ana.sees_members(2);
    ana.say("line 1");
    eventually("the first line", PATIENCE, || {
        fs::read_to_string(&path).is_ok_and(|text| text == "<ana> line 1\n")
    });
    // What is confirmed is written before papo ends.
    ana.say("line 2");
    ana.say("line 3");
    ana.wait("three confirmed lines", PATIENCE, |r| {
        (r.all("delivered").count() == 3).then_some(())
    });
    listener.signal(Signal::TERM);
    assert_eq!(listener.exit(), 0, "{}", listener.stderr());
    let written = fs::read_to_string(&path).expect("it exists");
    assert_eq!(written, "<ana> line 1\n<ana> line 2\n<ana> line 3\n");
}

#[test]
fn stdout_may_be_dev_null_or_closed() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let deaf = room
        .bash("deaf", "exec papo listen --nick deaf >/dev/null")
        .start();
    let closed = room
        .bash("closed", "exec papo listen --nick closed >&-")
        .start();
    for nick in ["deaf", "closed"] {
        ana.event(nick, |e| e.is("member_joined") && e.text("nick") == nick);
    }
    ana.say("hello");
    let delivered = ana.event("a confirmed line", |e| e.is("delivered"));
    assert!(delivered.num("confirmed") > 0);
    // It has nothing to stay for.
    assert_eq!(closed.exit(), 0, "{}", closed.stderr());
    deaf.signal(Signal::TERM);
    assert_eq!(deaf.exit(), 0, "{}", deaf.stderr());
}

#[test]
fn papo_ends_quietly_when_the_reader_of_its_output_went_away() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    for args in [&["listen"][..], &["--stay"], &["--stay", "--json"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let bia = room.papo("bia", args).stdout(writer).start();
        ana.sees_members(2);
        drop(reader);
        ana.say("is anybody reading?");
        assert_eq!(bia.exit(), 0, "{args:?}: {}", bia.stderr());
        only_notices(&bia);
        ana.sees_members(1);
        let gone = ana.event("bia is gone", |e| e.is("member_left"));
        assert_eq!(gone.text("reason"), "left");
    }
}

#[test]
fn head_takes_what_it_wants_of_a_listener() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let script = "papo listen --nick bia | head -n 2; exit ${PIPESTATUS[0]}";
    let listener = room.bash("bia", script).start();
    ana.sees_members(2);
    for n in 1..=5 {
        ana.say(&format!("line {n}"));
    }
    assert_eq!(listener.exit(), 0, "{}", listener.stderr());
    assert_eq!(listener.stdout(), "<ana> line 1\n<ana> line 2\n");
    only_notices(&listener);
}
