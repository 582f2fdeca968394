//! Which messages a listener prints, when it ends, and which options a command does not take.

use crate::harness::{PATIENCE, Room, Signal, one_line_that_names, scratch_dir, shared};

#[test]
fn a_listener_prints_what_fits_and_leaves_after_so_many() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let options = ["listen", "--match", "(?i)^err", "--count", "2"];
    let listener = room.papo("log", &options).start();
    ana.sees_members(2);
    for line in ["all is well", "error 1", "no error", "ERR 2", "error 3"] {
        ana.say(line);
    }
    assert_eq!(listener.exit(), 0, "{}", listener.stderr());
    assert_eq!(listener.stdout(), "<ana> error 1\n<ana> ERR 2\n");
}

/// A collector whose machine slept until everybody had lost it.
#[test]
fn a_listener_that_was_away_prints_what_a_newcomer_said_meanwhile() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let log = room.papo("log", &["listen", "--count", "2"]).start();
    ana.sees_members(2);
    log.signal(Signal::STOP);
    ana.wait("the loss of the listener", PATIENCE, |record| {
        let mut gone = record.all("member_left");
        gone.find(|e| e.text("nick") == "log").cloned()
    });
    let web = room.join("web");
    web.joined();
    for line in ["the disk is failing", "it has failed"] {
        web.say(line);
    }
    ana.heard("web", 2);
    log.signal(Signal::CONT);
    assert_eq!(log.exit(), 0, "{}", log.stderr());
    assert_eq!(
        log.stdout(),
        "<web> the disk is failing\n<web> it has failed\n"
    );
}

#[test]
fn what_was_said_since_then_is_printed_with_its_time() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    ana.say("before");
    ana.heard("ana", 1);
    let options = ["listen", "--since", "1h", "--timestamps", "--count", "1"];
    let listener = room.papo("log", &options).start();
    assert_eq!(listener.exit(), 0, "{}", listener.stderr());
    let line = listener.stdout();
    let (time, said) = line.split_at("2026-01-31 18:00:00 ".len());
    assert_eq!(said, "<ana> before\n");
    let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let shape: String = time.chars().map(shape).collect();
    assert_eq!(shape, "0000-00-00 00:00:00 ");
    let future = [
        "listen",
        "--since",
        "2999-01-01",
        "--replay",
        "all",
        "--count",
        "1",
    ];
    let later = room.papo("later", &future).start();
    ana.sees_members(2);
    ana.say("now");
    later.wait_for_anything(std::time::Duration::from_millis(300));
    assert_eq!(later.stdout(), "");
}

#[test]
fn a_history_is_cut_by_time_number_and_nick_and_nothing_found_is_1() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = dir.join("room.db");
    let file = file.to_str().expect("a plain path");
    for (nick, text) in [("ana", "one"), ("Bia", "two"), ("ana", "three")] {
        let sender = room.papo(nick, &["send", text, "--store", file]).start();
        assert_eq!(sender.exit(), 0, "{}", sender.stderr());
    }
    let history = |options: &[&str]| {
        let mut all = vec!["history", "--store", file];
        all.extend_from_slice(options);
        let node = room.raw(&all).start();
        let status = node.exit();
        assert_eq!(node.stderr(), "");
        let out = node.stdout();
        let texts = out.lines().filter_map(|line| line.rsplit(' ').next());
        (
            status,
            texts.map(str::to_owned).collect::<Vec<_>>().join(" "),
        )
    };
    assert_eq!(history(&[]), (0, "one two three".to_owned()));
    assert_eq!(history(&["-n", "2"]), (0, "two three".to_owned()));
    assert_eq!(history(&["--from", "bia"]), (0, "two".to_owned()));
    assert_eq!(
        history(&["--from", "ANA", "-n", "1"]),
        (0, "three".to_owned())
    );
    assert_eq!(history(&["--since", "yesterday"]).0, 0);
    assert_eq!(history(&["--since", "2 hours ago"]).0, 0);
    assert_eq!(history(&["--since", "yesterday 10:00"]).0, 0);
    assert_eq!(history(&["--until", "yesterday"]), (1, String::new()));
    assert_eq!(history(&["--grep", "four"]), (1, String::new()));
    assert_eq!(history(&["-n", "0"]), (1, String::new()));
    for (wrong, line) in [
        (
            &["--since", "today", "--until", "yesterday"][..],
            "--until: it is before --since",
        ),
        (&["--since", "tomorrow"], "--since tomorrow: give a date"),
        (&["--from", ""], "--from \"\": it is empty"),
        (&["--grep", " "], "--grep \" \": it is empty"),
    ] {
        let node = room
            .raw(&[&["history", "--store", file], wrong].concat())
            .start();
        assert_eq!(node.exit(), 2, "{}", node.stderr());
        one_line_that_names(&node, line);
    }
}

#[test]
fn an_option_that_does_nothing_is_a_mistake() {
    let permit = shared();
    let room = Room::new(&permit);
    for (arguments, option) in [
        (
            &["history", "--store", "x", "--replay", "3"][..],
            "--replay",
        ),
        (&["send", "--commands", "hello"], "--commands"),
        (&["scan", "--store", "x"], "--store"),
        (&["listen", "--wait-members", "1"], "--wait-members"),
        (&["listen", "--timestamps", "--json"], "--timestamps"),
        (&["listen", "--timestamps", "--exec", "cat"], "--timestamps"),
        (&["man", "--quiet"], "--quiet"),
        (&["keygen", "--json"], "--json"),
        (&["--store-strict"], "--store-strict"),
        (&["--store-max", "2M"], "--store-max"),
    ] {
        let node = room.raw(arguments).start();
        assert_eq!(node.exit(), 2, "{arguments:?}");
        let line = node.stderr();
        assert!(line.starts_with(&format!("papo: {option}: ")), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }
    // A script has who and where in front of each command.
    let page = room.raw(&["--nick", "ana", "--room", "x", "man"]).start();
    assert_eq!(page.exit(), 0, "{}", page.stderr());
    let help = room.raw(&["history", "--help"]).start();
    assert_eq!(help.exit(), 0);
    let help = help.stdout();
    assert!(help.contains("--grep") && help.contains("--json"));
    assert!(
        !help.contains("--heartbeat") && !help.contains("--nick"),
        "{help}"
    );
    // What an option does there, and not what it does in the chat.
    let lacks = |text: &str| !help.contains(text);
    assert!(lacks("several") && lacks("comes and goes"), "{help}");
}

#[test]
fn who_has_no_variable_with_a_name_has_the_login_name() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    let script = "env -u USER -u LOGNAME papo send --wait-members 1 hello; echo $?; id -un";
    let sender = room.bash("job", script).start();
    assert_eq!(sender.exit(), 0, "{}", sender.stderr());
    let stdout = sender.stdout();
    let mut lines = stdout.lines();
    assert_eq!(lines.next(), Some("0"), "{}", sender.stderr());
    ana.heard(lines.next().expect("the login name"), 1);
}

#[test]
fn a_command_is_run_for_each_message_and_its_failures_are_counted() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let log = dir.join("log");
    let ana = room.join("ana");
    ana.joined();
    let script =
        "read -r line; echo \"$PAPO_FROM:$PAPO_MESSAGE_ID:$line\" >> \"$0\"; [ \"$line\" != bad ]";
    let log_name = log.to_str().expect("a plain path");
    let options = [
        "listen", "--count", "3", "--exec", "sh", "-c", script, log_name,
    ];
    let listener = room.papo("bot", &options).start();
    ana.sees_members(2);
    for line in ["one -n", "bad", "$(three)"] {
        ana.say(line);
    }
    assert_eq!(listener.exit(), 0, "{}", listener.stderr());
    assert_eq!(listener.stdout(), "");
    let stderr = listener.stderr();
    assert_eq!(
        stderr,
        "papo: --exec sh: exit status: 1 (1 failed so far)\n"
    );
    let ran = std::fs::read_to_string(&log).expect("the command has run");
    let mut ran: Vec<&str> = ran.lines().collect();
    ran.sort_unstable();
    let key = ana.key();
    let line = |seq: u64, text: &str| format!("ana:{key}-{seq}:{text}");
    let mut all = [line(1, "one -n"), line(2, "bad"), line(3, "$(three)")];
    all.sort_unstable();
    assert_eq!(ran, all);
}

#[test]
fn few_commands_run_at_a_time_and_one_that_cannot_start_is_counted() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let ana = room.join("ana");
    ana.joined();
    // Each leaves a file while it runs, and counts those that are there.
    let script = "touch \"$0/$$\"; ls \"$0\" | wc -l; sleep 0.05; rm \"$0/$$\"";
    let here = dir.to_str().expect("a plain path");
    let options = [
        "listen", "--count", "20", "--exec", "sh", "-c", script, here,
    ];
    let listener = room.papo("bot", &options).start();
    ana.sees_members(2);
    for n in 0..20 {
        ana.say(&format!("line {n}"));
    }
    assert_eq!(listener.exit(), 0, "{}", listener.stderr());
    let counts = listener.stdout();
    let counts: Vec<u32> = counts
        .lines()
        .filter_map(|n| n.trim().parse().ok())
        .collect();
    assert_eq!(counts.len(), 20);
    assert!(counts.iter().all(|n| *n <= 4), "{counts:?}");
    let missing = ["listen", "--count", "1", "--exec", "/no/such/program"];
    let none = room.papo("none", &missing).start();
    ana.sees_members(2);
    ana.say("hello");
    assert_eq!(none.exit(), 0);
    assert!(
        none.stderr()
            .contains("--exec /no/such/program: No such file")
    );
}

#[test]
fn a_command_that_hangs_holds_up_the_end_for_some_seconds_only() {
    let permit = shared();
    let room = Room::new(&permit);
    let ana = room.join("ana");
    ana.joined();
    // Who holds papo's outputs open would not let the test see its end.
    let hang = "exec sleep 30 > /dev/null 2>&1";
    let options = ["listen", "--count", "6", "--exec", "sh", "-c", hang];
    let listener = room.papo("bot", &options).start();
    ana.sees_members(2);
    for n in 0..6 {
        ana.say(&format!("line {n}"));
    }
    let (_, status) = listener.exit_within(std::time::Duration::from_secs(20));
    assert_eq!(status.code(), Some(1));
    let line = "papo: --exec: 6 commands not waited for: they took too long\n";
    assert_eq!(listener.stderr(), line);
}
