//! The pipelines that the README shows, as the README shows them.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use crate::harness::{PATIENCE, Room, Signal, eventually, readme_snippet, scratch_dir, shared};

#[test]
fn the_bot_answers_the_time() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let bot = room.bash("bot", &readme_snippet("bot")).start();
    ana.sees_members(2);
    ana.say("hello");
    ana.say("!time");
    ana.heard("bot", 1);
    ana.say("what is \"text\":\"!time\"?");
    ana.say("!time");
    ana.heard("bot", 2);
    ana.say("the last");
    ana.heard("ana", 5);
    for answer in ana.look(|r| r.heard["bot"].clone()) {
        let digits = answer.chars().filter(char::is_ascii_digit).count();
        assert_eq!(digits, 6, "{answer}");
    }
    assert_eq!(bot.stderr(), "");
}

#[test]
fn send_in_an_if_knows_whether_everybody_heard() {
    let permit = shared();
    let room = Room::new(&permit);
    let script = readme_snippet("send");
    let nobody = room.bash("nobody", &script).start();
    assert_eq!(nobody.exit(), 0);
    assert!(
        nobody.stdout().contains("not everybody"),
        "{}",
        nobody.stdout()
    );
    let ana = room.join("ana");
    ana.joined();
    let told = room.bash("told", &script).start();
    assert_eq!(told.exit(), 0);
    assert!(
        told.stdout().contains("everybody has it"),
        "{}",
        told.stdout()
    );
    ana.heard("backup", 1);
}

#[test]
fn a_log_is_shipped_line_by_line() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let (from, to) = (dir.join("app.log"), dir.join("all.log"));
    fs::write(&from, "old line\n").expect("the directory is ours");
    let ana = room.join("ana");
    ana.joined();
    let collector = room
        .bash("collector", &readme_snippet("collect"))
        .dir(&dir)
        .start();
    ana.sees_members(2);
    let shipper = room
        .bash("shipper", &readme_snippet("ship"))
        .dir(&dir)
        .start();
    ana.heard("web1", 1);
    let mut log = OpenOptions::new()
        .append(true)
        .open(&from)
        .expect("it exists");
    for n in 1..=3 {
        writeln!(log, "new line {n}").expect("the disk is not full");
        ana.heard("web1", 1 + n);
    }
    let expected = "<web1> old line\n<web1> new line 1\n<web1> new line 2\n<web1> new line 3\n";
    eventually("the collected log", PATIENCE, || {
        fs::read_to_string(&to).is_ok_and(|text| text == expected)
    });
    collector.signal(Signal::TERM);
    drop(shipper);
}
