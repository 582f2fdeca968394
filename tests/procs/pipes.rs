//! papo as a filter: lines in, lines out, and an exit status that tells whether they arrived.

use std::time::Instant;

use crate::harness::{
    Node, PATIENCE, Room, Signal, agree, alone, eventually, ms, scratch_dir, shared,
};

#[test]
fn ten_thousand_lines_from_a_pipe_arrive_in_order_and_the_writer_exits_with_0() {
    let permit = shared();
    let room = Room::new(&permit);
    let observer = room.join("observer");
    observer.joined();
    let listener = room.papo("listener", &["listen"]).start();
    observer.sees_members(2);
    let writer = room
        .bash(
            "seq",
            "seq 1 10000 | papo --nick seq --wait-members 1; exit ${PIPESTATUS[1]}",
        )
        .start();
    assert_eq!(writer.exit(), 0, "{}", writer.stderr());
    listener.wait("10,000 lines", PATIENCE, |r| {
        (r.lines.len() >= 10_000).then_some(())
    });
    listener.signal(Signal::TERM);
    assert_eq!(listener.exit(), 0);
    let expected: String = (1..=10_000).map(|n| format!("<seq> {n}\n")).collect();
    assert!(listener.stdout() == expected, "other lines than were sent");
}

/// A newcomer's link is a member's as soon as it is one: its queue may hold as much.
#[test]
fn who_writes_much_right_after_joining_is_heard_live() {
    let permit = shared();
    let room = Room::new(&permit);
    let observer = room.join("observer");
    observer.joined();
    let writer = room
        .bash(
            "seq",
            "seq -f %0100.0f 1 60000 | papo --nick seq --wait-members 1; exit ${PIPESTATUS[1]}",
        )
        .start();
    assert_eq!(writer.exit(), 0, "{}", writer.stderr());
    let status = observer.ask("/status", "status");
    assert_eq!(status.num("history"), 60_000);
    assert_eq!(status.num("repaired"), 0, "not by SYNC: {status:?}");
}

#[test]
fn send_says_its_arguments_as_one_line() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let sender = room
        .papo(
            "bia",
            &["send", "--wait-members", "1", "hello", "to", "all"],
        )
        .start();
    assert_eq!(sender.exit(), 0, "{}", sender.stderr());
    ana.heard("bia", 1);
    assert_eq!(ana.look(|r| r.heard["bia"].clone()), ["hello to all"]);
    assert_eq!(sender.stdout(), "");
}

#[test]
fn send_says_each_line_of_stdin_and_takes_none_for_a_command() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let mut sender = room.papo("bia", &["send", "--wait-members", "1"]).start();
    sender.write(b"one\n/quit\n//two\nthe last has no line feed");
    sender.close_input();
    assert_eq!(sender.exit(), 0, "{}", sender.stderr());
    ana.heard("bia", 4);
    let texts = ana.look(|r| r.heard["bia"].clone());
    assert_eq!(
        texts,
        ["one", "/quit", "//two", "the last has no line feed"]
    );
}

/// A log that is shipped by cron puts nothing of a chat into a mail.
#[test]
fn send_prints_nothing_of_what_others_say_meanwhile() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let mut sender = room.papo("bia", &["send", "--wait-members", "1"]).start();
    sender.write(b"one\n");
    ana.heard("bia", 1);
    ana.say("lunch?");
    ana.say("/msg bia are you there?");
    // The sender has it.
    ana.wait("a confirmation", PATIENCE, |record| {
        record.all("delivered").next().is_some().then_some(())
    });
    sender.write(b"two\n");
    sender.close_input();
    assert_eq!(sender.exit(), 0, "{}", sender.stderr());
    ana.heard("bia", 2);
    assert_eq!(sender.stdout(), "");
}

/// The line of stderr that says what was not confirmed and by whom.
#[track_caller]
fn not_confirmed(node: &Node) -> String {
    let stderr = node.stderr();
    let line = stderr.lines().find(|l| l.contains("not confirmed"));
    line.unwrap_or_else(|| panic!("nothing of that: {stderr}"))
        .to_owned()
}

#[test]
fn send_exits_with_1_in_time_and_names_who_is_frozen() {
    let permit = alone();
    let room = Room::new(&permit);
    let frozen = room.join("frozen");
    frozen.joined();
    let mut sender = room
        .papo("bia", &["send", "--wait-members", "1", "--timeout", "3"])
        .start();
    frozen.sees_members(2);
    // The first line is confirmed: the sender knows its member.
    sender.say("heard");
    frozen.heard("bia", 1);
    frozen.signal(Signal::STOP);
    sender.say("not heard");
    let closed = Instant::now();
    sender.close_input();
    assert_eq!(sender.exit(), 1, "{}", sender.stderr());
    let took = closed.elapsed();
    assert!(took < ms(3_300), "{took:?}");
    let unconfirmed = not_confirmed(&sender);
    assert!(unconfirmed.contains("frozen"), "{unconfirmed}");
}

#[test]
fn send_does_not_wait_longer_than_its_timeout_for_one_of_many() {
    let permit = alone();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let frozen = room.join("frozen");
    frozen.joined();
    ana.sees_members(2);
    frozen.signal(Signal::STOP);
    let sender = room
        .papo(
            "bia",
            &["send", "--wait-members", "2", "--timeout", "1", "hello"],
        )
        .start();
    ana.heard("bia", 1);
    assert_eq!(sender.exit(), 1, "{}", sender.stderr());
    let took = sender.born.elapsed();
    assert!(took < ms(2_500), "{took:?}");
    let unconfirmed = not_confirmed(&sender);
    assert!(
        unconfirmed.contains("frozen") && !unconfirmed.contains("ana"),
        "{unconfirmed}"
    );
}

/// A member on a busy machine, or one that was stopped for a moment, is lost, and back soon.
#[test]
fn send_waits_for_a_member_that_is_lost_for_a_moment() {
    let permit = alone();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let slow = room.join("slow");
    slow.joined();
    ana.sees_members(2);
    let mut sender = room.papo("bia", &["send", "--wait-members", "2"]).start();
    ana.sees_members(3);
    sender.say("heard");
    slow.heard("bia", 1);
    slow.signal(Signal::STOP);
    sender.say("heard later");
    sender.close_input();
    ana.event("slow is lost", |e| {
        e.is("member_left") && e.text("nick") == "slow"
    });
    // Bia was told of the loss before this comes, and has everybody's word but slow's.
    ana.say("is bia there?");
    ana.event("bia is still there", |e| {
        e.is("delivered") && e.num("confirmed") == 1
    });
    slow.signal(Signal::CONT);
    assert_eq!(sender.exit(), 0, "{}", sender.stderr());
    slow.heard("bia", 2);
}

/// Who leaves elects nobody: no view ever says that its coordinator is gone.
#[test]
fn send_does_not_wait_for_the_only_other_member_whose_process_ends_meanwhile() {
    let permit = alone();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let trace = dir.join("bia.trace");
    let file = trace.to_str().expect("a path");
    let ana = room.join("ana");
    ana.joined();
    let options = ["--wait-members", "1", "--timeout", "60", "--trace", file];
    let args = [&["send"], &options[..]].concat();
    let mut sender = room.papo("bia", &args).start();
    sender.say("heard");
    ana.heard("bia", 1);
    ana.signal(Signal::STOP);
    sender.say("not heard");
    sender.close_input();
    eventually("bia is leaving", PATIENCE, || {
        std::fs::read_to_string(&trace).is_ok_and(|text| text.contains("\"leave\""))
    });
    let killed = ana.signal(Signal::KILL);
    assert_eq!(sender.exit(), 1, "{}", sender.stderr());
    let took = killed.elapsed();
    assert!(took < ms(1_000), "{took:?}");
    let unconfirmed = not_confirmed(&sender);
    assert!(unconfirmed.contains("ana"), "{unconfirmed}");
}

#[test]
fn without_the_members_that_it_waits_for_nothing_is_sent_and_the_status_is_1() {
    let permit = shared();
    let room = Room::new(&permit);
    let sender = room
        .papo(
            "bia",
            &[
                "send",
                "--wait-members",
                "1",
                "--timeout",
                "1",
                "anybody there?",
            ],
        )
        .start();
    assert_eq!(sender.exit(), 1);
    assert!(!sender.stderr().is_empty());
}

#[test]
fn having_no_members_is_fine_without_wait_members() {
    let permit = shared();
    let room = Room::new(&permit);
    let sender = room.papo("bia", &["send", "to nobody"]).start();
    assert_eq!(sender.exit(), 0, "{}", sender.stderr());
}

#[test]
fn stay_keeps_a_pipe_in_the_room_after_the_end_of_its_input() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let mut bia = room.papo("bia", &["--stay"]).start();
    bia.say("hello");
    bia.close_input();
    ana.heard("bia", 1);
    ana.say("still there?");
    bia.wait("ana's line", PATIENCE, |r| {
        (!r.lines.is_empty()).then_some(())
    });
    assert_eq!(bia.stdout(), "<ana> still there?\n");
    bia.signal(Signal::TERM);
    assert_eq!(bia.exit(), 0);
}

#[test]
fn a_stopped_reader_of_one_node_slows_nobody_down_and_loses_nothing() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let deaf = room.papo("deaf", &["--stay"]).stdout(writer).start();
    let bia = room.join("bia");
    ana.sees_members(3);
    bia.sees_members(3);
    let text = "x".repeat(1_000);
    for n in 0..2_000 {
        ana.say(&format!("{n} {text}"));
    }
    // Everybody has it, the one whose output nobody reads as well.
    ana.wait("2,000 confirmed lines", PATIENCE, |r| {
        (r.all("delivered").count() == 2_000).then_some(())
    });
    ana.look(|r| assert!(r.all("delivered").all(|e| e.num("confirmed") == 2)));
    bia.heard("ana", 2_000);

    let lines = std::thread::spawn(move || {
        use std::io::BufRead as _;
        let lines = std::io::BufReader::new(reader).lines();
        lines.map_while(Result::ok).take(2_000).collect::<Vec<_>>()
    });
    let lines = lines.join().expect("reading does not panic");
    assert_eq!(lines.len(), 2_000);
    for (n, line) in lines.iter().enumerate() {
        assert!(line == &format!("<ana> {n} {text}"), "line {n}");
    }
    drop(deaf);
    agree(&[&ana, &bia], PATIENCE);
}

#[test]
fn a_stdin_that_cannot_be_read_as_nohup_leaves_it_counts_as_empty() {
    let permit = shared();
    let room = Room::new(&permit);
    // GNU nohup opens /dev/null for writing only.
    let null = std::fs::OpenOptions::new().write(true).open("/dev/null");
    let null = null.expect("there is a /dev/null");
    let ana = room.papo("ana", &[]).stdin(null).start();
    assert_eq!(ana.exit(), 0, "{}", ana.stderr());
    assert!(ana.stderr().contains("nohup"), "{}", ana.stderr());
    assert!(ana.stderr().contains("--stay"), "{}", ana.stderr());
    assert!(!ana.stderr().contains("Bad file"), "{}", ana.stderr());
}
