//! Standard descriptors that are closed when papo starts, and files that may not grow.

use std::fs;

use crate::harness::{Node, PATIENCE, Room, Scratch, Signal, eventually, scratch_dir, shared};

fn script(room: &Room, dir: &Scratch, script: &str) -> Node {
    room.bash("script", script).dir(dir).start()
}

/// What it says on stderr, and its exit status.
#[track_caller]
fn ended(node: &Node) -> (String, i32) {
    node.exit_within(PATIENCE);
    (node.stderr(), node.exit())
}

#[test]
fn a_stdout_that_is_closed_at_the_start_is_as_one_whose_reader_has_gone() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    for (command, status) in [
        ("papo listen >&-", 0),
        ("papo listen --json >&-", 0),
        ("papo --stay < /dev/null >&-", 1),
        ("papo <<< 'not read' >&-", 1),
    ] {
        let (stderr, ended) = ended(&script(&room, &dir, command));
        assert_eq!(ended, status, "{command}: {stderr}");
        assert!(stderr.contains("stdout is closed"), "{command}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{command}: {stderr}");
    }
    // Nothing is printed here anyhow.
    let (stderr, status) = ended(&script(&room, &dir, "papo send hello >&-"));
    assert!(!stderr.contains("stdout"), "{stderr}");
    assert_eq!(status, 0, "{stderr}");
}

#[test]
fn what_prints_and_is_in_no_room_fails_if_stdout_is_closed() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let args = ["send", "--store", "room.db", "kept"];
    assert_eq!(room.papo("ana", &args).dir(&dir).start().exit(), 0);
    for command in ["keygen", "history --store room.db", "man", "--version"] {
        let (stderr, status) = ended(&script(&room, &dir, &format!("papo {command} >&-")));
        assert_eq!(status, 3, "{command}: {stderr}");
        let said = "papo: cannot write to stdout: it is closed\n";
        assert_eq!(stderr, said, "{command}");
    }
    let (stderr, status) = ended(&script(&room, &dir, "papo keygen kept.key >&-"));
    assert_eq!(
        (stderr.as_str(), status),
        ("", 0),
        "nothing is printed here"
    );
}

#[test]
fn no_socket_and_no_file_takes_the_place_of_a_closed_descriptor() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let ana = room.join("ana");
    ana.joined();
    // The warning of the second store, and its lines, have nowhere to go.
    let command = "papo --nick bia --store kept.db --stay --commands -vv <&- 2>&- | cat >all & \
                   exec papo --nick zoe --store mine.db --stay -vv <&- 2>&-";
    let node = script(&room, &dir, command);
    ana.sees_members(3);
    ana.say("one");
    ana.event("everybody has it", |e| {
        e.is("delivered") && e.num("confirmed") == 2
    });
    // The signal ends `cat`, too, which takes its time.
    let printed = || fs::read_to_string(dir.join("all")).expect("it is there");
    eventually("the line is printed", PATIENCE, || !printed().is_empty());
    for n in 0..3 {
        let at = format!("/proc/{}/fd/{n}", node.pid().as_raw_nonzero());
        let to = fs::read_link(&at)
            .expect("it is open")
            .to_string_lossy()
            .into_owned();
        assert!(to == "/dev/null" || n == 1, "{n}: {to}");
    }
    node.signal(Signal::TERM);
    node.exit_within(PATIENCE);
    for name in ["kept.db", "mine.db"] {
        let bytes = fs::read(dir.join(name)).expect("it is there");
        assert!(bytes.starts_with(b"SQLite format 3\0"), "{name}");
    }
    assert_eq!(printed(), "<ana> one\n");
}

#[test]
fn without_a_stdin_there_is_nothing_to_say() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let (stderr, status) = ended(&script(&room, &dir, "papo <&-"));
    assert_eq!((stderr.as_str(), status), ("", 0));
}

/// With a limit on the size of files of 1 KiB for what follows; stdout goes to a file.
fn limited(command: &str) -> String {
    format!("ulimit -f 1; trap - XFSZ; exec papo {command} >> out")
}

#[test]
fn a_limit_on_the_size_of_files_ends_output_in_one_line() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let ana = room.join("ana");
    ana.joined();
    let check = |node: &Node, what: &str, expected: i32| {
        let (stderr, status) = ended(node);
        assert_eq!(status, expected, "{what}: {stderr}");
        let (line, rest) = stderr.split_once('\n').expect("a line");
        assert!(line.contains("cannot write to stdout"), "{what}: {stderr}");
        assert!(rest.is_empty(), "{what}: {stderr}");
        let written = fs::metadata(dir.join("out")).expect("it is there").len();
        assert_eq!(written, 1024, "{what}");
    };
    let listener = script(&room, &dir, &limited("listen"));
    ana.sees_members(2);
    ana.say(&"x".repeat(2_000));
    check(&listener, "listen", 1);
    check(&script(&room, &dir, &limited("scan")), "scan", 3);
    let filled = format!("papo send --store kept.db {}", "x".repeat(2_000));
    assert_eq!(ended(&script(&room, &dir, &filled)).1, 0);
    check(
        &script(&room, &dir, &limited("history --store kept.db")),
        "history",
        3,
    );
}
