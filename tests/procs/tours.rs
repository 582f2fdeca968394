//! The pipelines that the README shows, as the README shows them.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;

use crate::harness::{
    PATIENCE, Room, Signal, eventually, readme_has, readme_snippet, scratch_dir, shared,
    write_secret,
};

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

/// Sentences about locked rooms stand in the README as papo says them.
#[test]
fn what_the_readme_quotes_is_what_papo_says() {
    let permit = shared();
    let mut room = Room::new(&permit);
    room.name = "board".to_owned();
    let dir = scratch_dir();
    let [key, other] = ["key", "other"].map(|name| dir.join(name));
    write_secret(&key, "correct horse battery staple");
    write_secret(&other, "incorrect horse battery staple");
    let [key, other] = [&key, &other].map(|path| path.to_str().expect("a path in UTF-8"));
    let empty = room.bash("empty", "PAPO_SECRET= papo").start();
    assert_eq!(empty.exit(), 2);
    readme_has(&empty.stderr());
    let ana = room.join_with("ana", &["--secret-file", key]);
    ana.joined();
    let open = room.papo("bia", &["send", "hello"]).start();
    assert_eq!(open.exit(), 3);
    readme_has(&open.stderr());
    let args = ["send", "--secret-file", other, "hello"];
    let wrong = room.papo("bia", &args).start();
    assert_eq!(wrong.exit(), 0);
    let said = wrong.stderr();
    let first = said.lines().next().unwrap_or_default();
    readme_has(&first.replace("127.0.0.1", "192.168.1.7"));
    fs::set_permissions(key, PermissionsExt::from_mode(0o644)).expect("it is ours");
    let args = ["send", "--secret-file", key, "hello"];
    let seen = room.papo("bia", &args).start();
    assert_eq!(seen.exit(), 0);
    readme_has(&seen.stderr().replace(key, "key"));
}
