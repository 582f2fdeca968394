use clap::CommandFactory as _;

use super::*;

fn read(arguments: &str) -> Result<Cli, Stop> {
    Cli::read_with(
        std::iter::once("papo").chain(arguments.split_whitespace()),
        None,
    )
}

fn options(arguments: &str) -> Options {
    read(arguments).unwrap().options
}

/// The one line about a mistake.
fn wrong(arguments: &[&str]) -> String {
    match Cli::read_with(std::iter::once(&"papo").chain(arguments).copied(), None) {
        Err(Stop::Wrong(line)) => {
            assert!(!line.contains(char::is_control), "{line:?}");
            line
        }
        other => panic!("{arguments:?}: {other:?}"),
    }
}

#[test]
fn the_command_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let options = options("");
    assert_eq!(options.room, ["lobby"]);
    assert_eq!(options.group, "239.255.112.97:28783".parse().unwrap());
    assert_eq!(options.history, 100_000);
    assert_eq!(options.store_max, 4 << 30);
    assert_eq!(options.store_max, papo::limits::STORE_BYTES_DEFAULT);
    assert_eq!(options.heartbeat, Duration::from_millis(250));
    assert_eq!(options.failure_timeout, Duration::from_millis(1_000));
    assert_eq!(options.timeout, Duration::from_secs(10));
    assert_eq!(options.wait_members, 0);
    assert!(options.replay.is_none() && options.nick.is_none() && options.listen.is_none());
    assert!(!options.json && !options.stay && !options.commands && options.interface.is_empty());
}

#[test]
fn options_stand_before_or_after_the_command() {
    for line in [
        "--room a --json send hi",
        "send --room a --json hi",
        "--room a send hi --json",
    ] {
        let cli = read(line).unwrap();
        assert_eq!(cli.options.room, ["a"], "{line}");
        assert!(cli.options.json);
        let text = vec!["hi".to_owned()];
        assert_eq!(cli.action, Some(Task::Send { text }));
    }
    assert_eq!(options("-v listen -v").verbose, 1);
    assert_eq!(options("-vv").verbose, 2);
}

#[test]
fn several_rooms_are_for_who_chats_or_listens() {
    for line in [
        "--room a --room b --room a",
        "listen --room a --room b --store {room}.db --listen 127.0.0.1:0",
    ] {
        assert_eq!(options(line).room, ["a", "b"], "{line}");
    }
    let two = |more: &[&str]| wrong(&[&["--room", "a", "--room", "b"], more].concat());
    assert!(two(&["send", "hi"]).contains("`papo send` is in one room"));
    assert!(two(&["doctor"]).contains("--room b"));
    assert!(two(&["--store", "x.db"]).contains("such as x-{room}.db"));
    assert!(two(&["--trace", "/tmp/x"]).contains("such as /tmp/x-{room}"));
    assert!(two(&["--listen", "0.0.0.0:4000"]).contains("one port serves one room"));
}

#[test]
fn each_of_several_rooms_has_its_own_files() {
    let all = options("--room a --room b/c --store /x/{room}.db --secret-file /none/{room}");
    let one = all.in_room("b/c");
    assert_eq!((one.first_room(), one.room.len()), ("b/c", 1));
    assert_eq!(one.store, Some("/x/b%2Fc.db".into()));
    assert_eq!(one.secret_file, None, "there is no such file");
    assert!(all.says_open("b/c").unwrap().contains("/none/b%2Fc"));
    let locked = options("--room a --room b --secret-file /none/key");
    assert_eq!(locked.in_room("b").secret_file, Some("/none/key".into()));
    assert_eq!(locked.says_open("b"), None);
}

#[test]
fn a_listener_says_what_its_confirmations_mean() {
    let confirm = |arguments| match read(arguments).map(|cli| cli.action) {
        Ok(Some(Task::Listen { confirm, .. })) => confirm,
        other => panic!("{other:?}"),
    };
    assert_eq!(confirm("listen"), Confirm::TakenIn);
    assert_eq!(confirm("listen --confirm taken-in"), Confirm::TakenIn);
    assert_eq!(confirm("listen --confirm printed"), Confirm::Printed);
    assert!(wrong(&["listen", "--confirm", "read"]).contains("printed"));
    assert!(wrong(&["send", "--confirm", "printed"]).contains("--confirm"));
}

#[test]
fn text_after_two_dashes_may_look_like_an_option() {
    let text = vec!["--json".to_owned(), "-x".to_owned()];
    let action = read("send -- --json -x").unwrap().action;
    assert_eq!(action, Some(Task::Send { text }));
}

#[test]
fn values_are_taken() {
    let options = options(
        "--replay all --interface eth0 --interface 10.0.0.1 --timeout 0.5 --heartbeat 10 \
         --failure-timeout 20 --listen 127.0.0.1:0 --history 7 --wait-members 3 --nick ana",
    );
    assert_eq!(options.replay, Some(Replay::All));
    assert_eq!(options.interface, ["eth0", "10.0.0.1"]);
    assert_eq!(options.timeout, Duration::from_millis(500));
    assert_eq!(options.heartbeat, Duration::from_millis(10));
    assert_eq!(options.listen, Some("127.0.0.1:0".parse().unwrap()));
    assert_eq!((options.history, options.wait_members), (7, 3));
    assert_eq!(options.nick(), "ana");
    let replay = |line| read(line).unwrap().options.replay;
    assert_eq!(replay("--replay none"), Some(Replay::Last(0)));
    assert_eq!(replay("--replay 3"), Some(Replay::Last(3)));
}

#[test]
fn a_mistake_is_one_line_that_names_the_option_and_the_value() {
    let cases: [(&[&str], &[&str]); 21] = [
        (
            &["--heartbeat", "9"],
            &["--heartbeat", "9", "at least 10 ms"],
        ),
        (&["--heartbeat", "x"], &["--heartbeat", "x", "milliseconds"]),
        (
            &["--heartbeat", "1000"],
            &["--failure-timeout 1000", "2000"],
        ),
        (&["--room", ""], &["--room", "1 to 64 bytes"]),
        (&["--room", "a\nb"], &["--room", "a^Jb", "control"]),
        (&["--nick", " a"], &["--nick", "white space"]),
        (&["--nick", "x\x1b[2J"], &["--nick", "^[[2J", "control"]),
        (
            &["--group", "10.0.0.1:5"],
            &["--group", "10.0.0.1:5", "multicast"],
        ),
        (&["--peer", "10.0.0.1"], &["--peer", "10.0.0.1", "port"]),
        (&["--peer", ":5"], &["--peer", "host"]),
        (&["--group", "239.0.0.1:0"], &["--group", "port"]),
        (&["--listen", "nowhere"], &["--listen", "nowhere", "port"]),
        (&["--replay", "some"], &["--replay", "some", "all or none"]),
        (&["--timeout", "-1"], &["--timeout"]),
        (&["--timeout=NaN"], &["--timeout", "NaN", "seconds"]),
        (
            &["--history", "many"],
            &["--history", "many", "whole number"],
        ),
        (&["--rom", "x"], &["--rom", "no such option", "--room"]),
        (&["--room"], &["--room", "missing"]),
        (&["sned"], &["sned", "no such command", "send"]),
        (&["-q", "-v"], &["not together"]),
        (&["completions", "dos"], &["dos", "bash"]),
    ];
    for (arguments, parts) in cases {
        let line = wrong(arguments);
        for part in parts {
            assert!(line.contains(part), "{line:?} lacks {part:?}");
        }
    }
    assert!(wrong(&["--json=yes"]).contains("--json"));
    assert!(wrong(&["--nick", "a", "--nick", "b"]).contains("--nick"));
    assert!(wrong(&["listen", "me"]).contains("me"));
}

#[test]
fn a_mistake_says_what_to_type_instead() {
    let cases: [(&[&str], &str); 9] = [
        (
            &["-q", "-v"],
            "--quiet: not together with --verbose; leave one of them out",
        ),
        (
            &["--nick", "a", "--nick", "b"],
            "--nick <NAME>: given more than once; give it once",
        ),
        (&["--rom", "x"], "no such option; did you mean --room?"),
        (&["sned"], "did you mean send?"),
        (
            &["send", "-dash"],
            "-d: no such option; put -- before a text that begins with -",
        ),
        (
            &["completions"],
            "<SHELL>: it is missing; give one of bash, elvish, fish, powershell, zsh",
        ),
        (&["completions", "dos"], "give one of bash, elvish, fish"),
        (&["completions", "zhs"], "give one of bash, elvish, fish"),
        (&["--color", "red"], "give one of auto, always, never"),
    ];
    for (arguments, words) in cases {
        let line = wrong(arguments);
        assert!(line.contains(words), "{line:?} lacks {words:?}");
    }
}

#[test]
fn help_and_version_are_shown() {
    for line in ["--help", "-h", "send --help"] {
        match read(line) {
            Err(Stop::Shown(text)) => assert!(text.contains("--room"), "{line}"),
            other => panic!("{other:?}"),
        }
    }
    match read("--version") {
        Err(Stop::Shown(text)) => assert!(text.contains(env!("CARGO_PKG_VERSION"))),
        other => panic!("{other:?}"),
    }
}

/// The words of a line as a shell has them, up to what is another command's, a comment or a file's.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (None, '|' | '#' | '>' | '<' | ';') => break,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (Some(end), c) if c == end => quote = None,
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn every_command_line_in_the_readme_is_one() {
    let readme = include_str!("../../README.md");
    let mut found = 0;
    for line in readme.lines() {
        // A line of its own, or one in a sentence.
        let typed = line
            .strip_prefix("    ")
            .map(|l| l.trim_start_matches("$ "));
        let own = typed.or_else(|| line.contains(" | papo ").then_some(line));
        let inline = line.split('`').skip(1).step_by(2);
        for code in own.into_iter().chain(inline.filter(|_| own.is_none())) {
            let code = code.rsplit(" | ").next().unwrap_or_default();
            let Some(arguments) = code.strip_prefix("papo ") else {
                continue;
            };
            let arguments = words(arguments);
            let is_part = arguments.len() < 2 || arguments.iter().any(|word| word.contains('='));
            if is_part || arguments.contains(&"FILE".to_owned()) {
                continue;
            }
            found += 1;
            let arguments = std::iter::once("papo".to_owned()).chain(arguments);
            match Cli::read_with(arguments, None) {
                Ok(_) | Err(Stop::Shown(_)) => {}
                Err(wrong) => panic!("{code}: {wrong:?}"),
            }
        }
    }
    assert!(found > 20, "{found}");
}

#[test]
fn who_and_where_may_stand_beside_a_command_that_does_not_need_it() {
    for line in [
        "--nick ana --group 239.1.1.1:7 man",
        "--nick history history --store x",
        "history --store x --nick ana",
    ] {
        assert!(read(line).is_ok(), "{line}: {:?}", read(line));
    }
    let line = wrong(&["--json", "man"]);
    assert!(line.starts_with("--json: `papo man`"), "{line}");
}
