//! Lines that are commands, and their answers.

use super::*;

#[test]
fn commands_are_for_the_node_or_answered() {
    let mut bench = Bench::joined(Mode::Text);
    bench.type_in("/nick you\n/elect\n/msg ana hi you\n//x\n/quit\nunsaid\n");
    let to = Key(1);
    let text = "hi you".into();
    let expected = [
        Command::Rename("you".into()),
        Command::Elect,
        Command::Private { to, text },
        say("/x"),
        leave(10_000),
    ];
    assert_eq!(bench.polled(), expected);
    bench.left(0, vec![]);
    assert_eq!(bench.ui.exit_status(), Some(0));
    assert_eq!(bench.stdout() + &bench.stderr(), "");
}

#[test]
fn answers_in_words_are_on_stdout() {
    let mut bench = Bench::joined(Mode::Text);
    bench.node.history = vec![message(1, "ana", 1, "one"), message(2, "me", 1, "two")];
    bench.type_in("/members\n");
    assert_eq!(bench.polled(), []);
    assert_eq!(
        bench.stdout(),
        "me#2 10.0.0.2:4000 you\nana#1 10.0.0.1:4000 coordinator\nben#3 10.0.0.3:4000\n"
    );
    bench.type_in("/history\n/history 1\n");
    bench.polled();
    assert_eq!(bench.stdout(), "<ana> one\n<me> two\n<me> two\n");
    bench.type_in("/status\n");
    bench.polled();
    assert_eq!(
        bench.stdout(),
        "You are me#2 in lobby, for 0:00:01, with 2 other members; ana#1 coordinates.\n\
         The history has 2 lines. Everything said here is confirmed.\n\
         All counters: /status -v\n"
    );
    bench.type_in("/status -v\n/help\n");
    bench.polled();
    let out = bench.stdout();
    for part in ["room: lobby\n", "uptime_ms: 1234\n", "links: 3\n", "/quit"] {
        assert!(out.contains(part), "{part}");
    }
}

#[test]
fn who_somebody_is_says_what_its_link_has_proven() {
    let mut bench = Bench::joined(Mode::Text);
    let ana = Fingerprint::of(&[1; 32]);
    bench.met(1, Some(ana));
    bench.met(3, None);
    bench.type_in("/whois ana\n/whois 3\n/whois me\n/whois zoe\n/members\n");
    assert_eq!(bench.polled(), []);
    let out = bench.stdout();
    let identity =
        format!("ana#1\nkey: 0000000000000001\nidentity: {ana}\naddress: 10.0.0.1:4000\n");
    assert!(out.starts_with(&identity), "{out}");
    assert!(
        out.contains("ben#3\nkey: 0000000000000003\nidentity: none: anonymous\n"),
        "{out}"
    );
    assert!(
        out.contains("me#2\nkey: 0000000000000011\nidentity: not known: no link\n"),
        "{out}"
    );
    assert!(
        out.contains(&format!("ana#1 10.0.0.1:4000 {ana} coordinator\n")),
        "{out}"
    );
    assert!(bench.stderr().contains("/whois: nobody here is called zoe"));
}

#[test]
fn who_bears_the_nick_of_somebody_else_is_told_of_once() {
    for mode in [Mode::Text, Mode::Json] {
        let mut bench = Bench::joined(mode);
        bench.met(1, Some(Fingerprint::of(&[1; 32])));
        assert_eq!(bench.stderr(), "");
        bench.node.members[1].key = Key(9);
        for _ in 0..2 {
            bench.met(9, Some(Fingerprint::of(&[2; 32])));
        }
        let said = bench.stderr();
        assert_eq!(
            said.matches("ana#1 is not the ana of before").count(),
            1,
            "{said}"
        );
    }
}

#[test]
fn mistakes_are_explained() {
    let mut bench = Bench::joined(Mode::Json);
    bench.type_in("/hepl\n/msg zoe hi\n");
    assert_eq!(bench.polled(), []);
    let events = bench.events();
    assert_eq!(events[0]["event"], "error");
    assert!(events[0]["text"].as_str().unwrap().contains("/help?"));
    assert!(events[1]["text"].as_str().unwrap().contains("zoe"));
    assert!(
        bench
            .stderr()
            .contains("papo: unknown command \"/hepl\"; did you mean /help?")
    );
}

#[test]
fn commands_keep_their_place_among_the_lines() {
    let mut bench = Bench::new(UiConfig {
        commands: true,
        ..config(Mode::Text)
    });
    bench.type_in("/status -v\n/members\n/status -v\n");
    assert_eq!(bench.polled(), []);
    assert!(bench.stdout().starts_with("room: lobby\nid: none yet\n"));
    bench.join(&[]);
    bench.polled();
    let out = bench.stdout();
    assert!(out.starts_with("me#2") && out.contains("id: 2\n"));
}

#[test]
fn a_command_that_is_too_long_is_refused_and_its_rest_is_not_said() {
    let mut bench = Bench::joined(Mode::Text);
    let secret = "s".repeat(2 * TEXT_BYTES_MAX);
    bench.type_in(&format!("/msg ana {secret}\nnext\n"));
    assert_eq!(bench.polled(), [say("next")]);
    assert!(bench.stderr().contains("too long"));
    let middle = format!("{}/quit\n", "x".repeat(TEXT_BYTES_MAX));
    bench.type_in(&middle);
    assert_eq!(bench.polled()[1..], [say("/quit")]);
}

#[test]
fn answers_wait_until_somebody_reads_them() {
    let mut bench = Bench::joined(Mode::Json);
    bench.node.history = vec![message(1, "ana", 1, &"x".repeat(TEXT_BYTES_MAX)); 100];
    bench.type_in("/history\n/history\nsay\n");
    assert_eq!(bench.polled(), []);
    assert_eq!(bench.events().len(), 1);
    assert_eq!(bench.polled(), [say("say")]);
    assert_eq!(bench.events().len(), 1);
}
