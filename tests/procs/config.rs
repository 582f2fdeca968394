//! The configuration file: what it sets, below what, and how a mistake in it is told.

use std::fs;
use std::path::Path;

use crate::harness::{Node, Room, one_line_that_names, scratch_dir, shared};

/// Options one a line, and from where each comes.
#[track_caller]
fn line_of(node: &Node, option: &str) -> String {
    let all = node.stdout();
    let line = all.lines().find(|line| {
        line.trim_start_matches("# ")
            .split([' ', ':'])
            .next()
            .is_some_and(|name| name == option)
    });
    line.unwrap_or_else(|| panic!("no {option} in: {all}"))
        .to_owned()
}

fn write(dir: &Path, text: impl AsRef<[u8]>) -> String {
    let path = dir.join("papo.toml");
    fs::write(&path, text).expect("the directory is ours");
    path.display().to_string()
}

#[test]
fn the_command_line_goes_over_the_environment_over_the_file_over_the_default() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let text = "# of ana\nroom = \"file\"\nnick = \"file\"\nheartbeat = 300\nhistory = 7\n\
                timeout = 0.5\nstay = true\nverbose = 1\ninterface = [\"127.0.0.1\", \"lo\"]\n\
                peer = \"a:1\"\nreplay = \"all\"\nstore-max = \"2G\"\nstore = \"lobby.db\"\n";
    let file = write(&dir, text);
    let shown = room
        .raw(&["config", "--nick", "typed", "--config", &file])
        .env("PAPO_NICK", "variable")
        .env("PAPO_ROOM", "variable")
        .start();
    assert_eq!(shown.exit(), 0, "{}", shown.stderr());
    let store = dir.join("lobby.db").display().to_string();
    for (option, value, origin) in [
        ("nick", "\"typed\"", "command line"),
        ("room", "\"variable\"", "PAPO_ROOM"),
        ("heartbeat", "300", &*format!("{file}:4")),
        ("history", "7", &format!("{file}:5")),
        ("timeout", "0.5", &format!("{file}:6")),
        ("stay", "true", &format!("{file}:7")),
        ("verbose", "1", &format!("{file}:8")),
        ("interface", "[\"127.0.0.1\", \"lo\"]", &format!("{file}:9")),
        ("peer", "[\"a:1\"]", &format!("{file}:10")),
        ("replay", "\"all\"", &format!("{file}:11")),
        ("store-max", "\"2G\"", &format!("{file}:12")),
        ("store", &format!("\"{store}\""), &format!("{file}:13")),
        ("failure-timeout", "1000", "default"),
        ("json", "false", "default"),
    ] {
        let line = line_of(&shown, option);
        let wanted = (format!("{option} = {value} "), format!("# {origin}"));
        assert!(line.starts_with(&wanted.0), "{line}");
        assert!(line.ends_with(&wanted.1), "{line}");
    }
    assert_eq!(
        line_of(&shown, "listen"),
        "# listen: any address, any free port"
    );
    // What is printed is a file that says the same.
    let again = write(&dir, shown.stdout());
    let again = room.raw(&["config", "--config", &again]).start();
    assert_eq!(again.exit(), 0, "{}", again.stderr());
    let values = |node: &Node| {
        let all = node.stdout();
        let lines = all.lines().filter(|line| !line.starts_with('#'));
        let lines = lines.map(|line| line.split(" # ").next().unwrap_or_default().trim_end());
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(values(&again), values(&shown));
}

#[test]
fn the_options_of_the_irc_server_stand_in_the_file_with_all_others() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let text = "nick = \"file\"\nirc-listen = [\"127.0.0.1:0\", \"unix:door\"]\nirc-name = \"irc.file\"\n\
                irc-linger = 7\nirc-password-file = \"password\"\nirc-secret = \"board=key\"\n";
    let file = write(&dir, text);
    fs::write(dir.join("key"), "between us only").expect("the directory is ours");
    fs::write(dir.join("password"), "only friends").expect("the directory is ours");
    let shown = room.raw(&["config", "--config", &file]).start();
    assert_eq!(shown.exit(), 0, "{}", shown.stderr());
    let path = |name: &str| dir.join(name).display().to_string();
    for (option, value, line) in [
        (
            "irc-listen",
            format!("[\"127.0.0.1:0\", \"unix:{}\"]", path("door")),
            2,
        ),
        ("irc-name", "\"irc.file\"".to_owned(), 3),
        ("irc-linger", "7".to_owned(), 4),
        ("irc-password-file", format!("\"{}\"", path("password")), 5),
        ("irc-secret", format!("[\"board={}\"]", path("key")), 6),
    ] {
        let shown = line_of(&shown, option);
        assert!(
            shown.starts_with(&format!("{option} = {value} ")),
            "{shown}"
        );
        assert!(shown.ends_with(&format!("# {file}:{line}")), "{shown}");
    }
    assert!(!shown.stdout().contains("between us"), "a secret is shown");
    let without = room.raw(&["config"]).start();
    assert_eq!(without.exit(), 0, "{}", without.stderr());
    let listen = line_of(&without, "irc-listen");
    assert!(
        listen.starts_with("irc-listen = [\"127.0.0.1:6667\"] ") && listen.ends_with("# default"),
        "{listen}"
    );
    assert_eq!(line_of(&without, "irc-secret"), "# irc-secret: not set");
    // What is printed is a file that says the same.
    let again = write(&dir, shown.stdout());
    let again = room.raw(&["config", "--config", &again]).start();
    assert_eq!(again.exit(), 0, "{}", again.stderr());
    let secret = format!("irc-secret = [\"board={}\"] ", path("key"));
    assert!(line_of(&again, "irc-secret").starts_with(&secret));
    // The server goes by it, and by the command line above it.
    let args = ["irc", "-v", "--config", &file, "--irc-name", "irc.typed"];
    let server = room.raw(&args).start();
    server.logs("IRC clients can connect at 127.0.0.1:", 1);
    server.logs(
        &format!("IRC clients can connect at unix:{}", path("door")),
        1,
    );
    let mut client = std::os::unix::net::UnixStream::connect(dir.join("door")).expect("it listens");
    let lines = "PASS :only friends\r\nNICK ana\r\nUSER u 0 * :r\r\nJOIN #locked board\r\n\
                 JOIN #open key\r\nQUIT\r\n";
    std::io::Write::write_all(&mut client, lines.as_bytes()).expect("it reads");
    let said = std::io::read_to_string(client).expect("it speaks UTF-8");
    for part in [
        ":irc.typed 001 ana ",
        " JOIN #locked\r\n",
        " 475 ana #open :",
    ] {
        assert!(said.contains(part), "no {part} in {said}");
    }
}

#[test]
fn what_is_given_for_this_run_switches_off_what_the_file_says_otherwise() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = write(
        &dir,
        "secret-file = \"key\"\nquiet = true\nanonymous = true\n",
    );
    let shown = room
        .raw(&["config", "-v", "--identity", "me", "--config", &file])
        .env("PAPO_SECRET", "between us only")
        .start();
    assert_eq!(shown.exit(), 0, "{}", shown.stderr());
    assert!(line_of(&shown, "secret-file").contains("PAPO_SECRET"));
    assert!(line_of(&shown, "quiet").starts_with("quiet = false"));
    assert!(line_of(&shown, "anonymous").starts_with("anonymous = false"));
    assert!(
        !shown.stdout().contains("between us"),
        "the secret is shown"
    );
    let empty = room
        .raw(&["config", "--config", &file])
        .env("PAPO_SECRET", "")
        .start();
    assert_eq!(empty.exit(), 0, "{}", empty.stderr());
    assert!(line_of(&empty, "secret-file").contains("set and empty"));
    let logs = room
        .raw(&["config", "--config", &file])
        .env("RUST_LOG", "debug")
        .start();
    assert_eq!(logs.exit(), 0, "{}", logs.stderr());
    assert!(line_of(&logs, "quiet").starts_with("quiet = false"));
}

#[test]
fn a_node_takes_its_options_from_the_usual_file() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    fs::create_dir(dir.join("papo")).expect("the directory is ours");
    let text = format!(
        "room = \"{}\"\ngroup = \"{}\"\ninterface = \"127.0.0.1\"\nnick = \"of the file\"\njson = true\n",
        room.name, room.group
    );
    fs::write(dir.join("papo/config.toml"), text).expect("the directory is ours");
    let ana = room.join("ana");
    ana.joined();
    let sent = room
        .raw(&["send", "hello"])
        .env("XDG_CONFIG_HOME", dir.as_os_str());
    let sent = sent.events().start();
    assert_eq!(sent.exit(), 0, "{}", sent.stderr());
    ana.heard("of the file", 1);
}

#[test]
fn a_file_that_is_not_there_is_a_mistake_only_if_it_was_named() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let usual = room
        .raw(&["config"])
        .env("XDG_CONFIG_HOME", dir.as_os_str())
        .start();
    assert_eq!(usual.exit(), 0, "{}", usual.stderr());
    assert!(usual.stdout().contains("papo/config.toml"));
    // The home of many services, in which no file can be.
    let homeless = room.raw(&["config"]).env("HOME", "/dev/null");
    let homeless = homeless.env("XDG_CONFIG_HOME", "").start();
    assert_eq!(homeless.exit(), 0, "{}", homeless.stderr());
    let missing = dir.join("nosuch.toml").display().to_string();
    let named = room.raw(&["scan", "--config", &missing]).start();
    assert_eq!(named.exit(), 3, "{}", named.stderr());
    one_line_that_names(&named, &format!("--config {missing}: cannot read it"));
    let variable = room.raw(&["scan"]).env("PAPO_CONFIG", &missing).start();
    assert_eq!(variable.exit(), 3, "{}", variable.stderr());
    one_line_that_names(&variable, "PAPO_CONFIG");
    let directory = dir.display().to_string();
    let directory = room.raw(&["scan", "--config", &directory]).start();
    assert_eq!(directory.exit(), 3, "{}", directory.stderr());
    one_line_that_names(&directory, "cannot read it");
    let large = write(&dir, "#".repeat(300 << 10));
    let large = room.raw(&["scan", "--config", &large]).start();
    assert_eq!(large.exit(), 3, "{}", large.stderr());
    one_line_that_names(&large, "it has 307200 bytes");
}

#[test]
fn a_mistake_in_the_file_is_one_line_with_its_place_its_value_and_what_to_do() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let cases: [(&str, usize, &[&str]); 22] = [
        (
            "irc-listen = \"here\"",
            1,
            &["irc-listen = \"here\"", "127.0.0.1:6667"],
        ),
        ("irc-secret = [\"board\"]", 1, &["irc-secret", "name, ="]),
        (
            "irc_name = \"x\"",
            1,
            &["irc_name", "did you mean irc-name?"],
        ),
        ("rooom = \"a\"", 1, &["rooom", "did you mean room?"]),
        ("\nsecret_file = \"a\"", 2, &["secret_file", "secret-file?"]),
        ("zzzzzzzzz = 1", 1, &["zzzzzzzzz", "papo config"]),
        ("secret = \"abc\"", 1, &["secret-file"]),
        ("match = \"x\"", 1, &["match", "papo listen"]),
        ("config = \"x\"", 1, &["config", "command line"]),
        ("room = 5", 1, &["room = 5", "in quotes"]),
        ("room = []", 1, &["room = []", "list is empty"]),
        ("history = \"7\"", 1, &["history = \"7\"", "without quotes"]),
        ("json = \"yes\"", 1, &["json = \"yes\"", "true or false"]),
        ("verbose = 3", 1, &["verbose = 3", "-vv"]),
        ("peer = [1]", 1, &["peer = [1]", "list"]),
        ("\n\nheartbeat = 9", 3, &["heartbeat = 9", "at least 10 ms"]),
        (
            "color = \"red\"",
            1,
            &["color = \"red\"", "auto, always, never"],
        ),
        ("heartbeat = 900", 1, &["900", "failure-timeout 1000"]),
        (
            "failure-timeout = 100",
            1,
            &["failure-timeout = 100", "500"],
        ),
        (
            "quiet = true\nverbose = 1",
            2,
            &["verbose", "quiet of line 1"],
        ),
        ("room = \"a\"\nroom = \"b\"", 2, &["duplicate"]),
        ("room", 1, &["room = \"kitchen\""]),
    ];
    for (text, line, words) in cases {
        let file = write(&dir, text);
        let node = room.raw(&["scan", "--config", &file]).start();
        assert_eq!(node.exit(), 2, "{text}: {}", node.stderr());
        // Whichever of two options of a pair is wrong, the one that the check names is named.
        if !words.contains(&"900") {
            one_line_that_names(&node, &format!("papo: {file}:{line}: "));
        }
        for word in words {
            one_line_that_names(&node, word);
        }
    }
    let file = write(&dir, b"# a\nroom = \"\xff\"");
    let node = room.raw(&["scan", "--config", &file]).start();
    assert_eq!(node.exit(), 2, "{}", node.stderr());
    one_line_that_names(&node, ":2: it is not UTF-8");
}

#[test]
fn a_broken_file_keeps_nobody_from_the_manual() {
    let permit = shared();
    let room = Room::new(&permit);
    let dir = scratch_dir();
    let file = write(&dir, "= =");
    for args in [
        &["man"][..],
        &["completions", "bash"],
        &["keygen"],
        &["--help"],
    ] {
        let node = room.raw(args).env("PAPO_CONFIG", &file).start();
        assert_eq!(node.exit(), 0, "{args:?}: {}", node.stderr());
    }
}
