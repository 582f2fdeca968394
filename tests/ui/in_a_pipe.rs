//! Text in a pipe: lines in, messages out, and what is said on stderr.

use super::*;

#[test]
fn lines_are_said_and_the_end_leaves() {
    let mut bench = Bench::text();
    bench.type_in("hello\n/quit\n\n");
    assert_eq!(bench.polled(), []);
    bench.join(&[]);
    bench.type_in("rest");
    assert_eq!(bench.polled(), [say("hello"), say("/quit"), say("")]);
    bench.end_input();
    assert_eq!(bench.polled(), [say("rest"), leave(10_000)]);
    assert_eq!(bench.ui.exit_status(), None);
    bench.left(0, vec![]);
    assert_eq!(bench.ui.exit_status(), Some(0));
}

#[test]
fn lines_wait_while_the_node_wants_none() {
    let mut bench = Bench::text();
    bench.join(&[]);
    bench.node.blocked = true;
    bench.type_in("a\n");
    bench.end_input();
    assert_eq!(bench.polled(), []);
    bench.node.blocked = false;
    assert_eq!(bench.polled(), [say("a"), leave(10_000)]);
}

#[test]
fn an_empty_input_joins_before_it_leaves() {
    let mut bench = Bench::text();
    bench.end_input();
    assert_eq!(bench.polled(), []);
    bench.join(&[]);
    assert_eq!(bench.polled(), [leave(10_000)]);
}

#[test]
fn stay_stays() {
    let mut bench = Bench::new(UiConfig {
        stay: true,
        ..config(Mode::Text)
    });
    bench.join(&[]);
    bench.type_in("a\n");
    bench.end_input();
    assert_eq!(bench.polled(), [say("a")]);
    bench.stop(false);
    assert_eq!(bench.polled(), [leave(10_000)]);
}

#[test]
fn messages_of_others_are_on_stdout_and_all_else_on_stderr() {
    let mut bench = Bench::text();
    bench.join(&["ana", "ana"]);
    bench.heard(message(1, "ana", 1, "hi\x1b[2J\t!"));
    bench.heard(message(2, "me", 1, "mine"));
    bench.event(Event::MemberJoined(member(7, Key(7), "eve")));
    bench.event(Event::MemberLeft(member(7, Key(7), "eve"), Departure::Lost));
    bench.event(Event::MemberRenamed {
        member: member(7, Key(7), "eva"),
        previous: "eve".into(),
    });
    bench.event(Event::Coordinator {
        id: 1,
        key: Key(1),
        previous: None,
        own: false,
    });
    bench.event(Event::Election {
        phase: Phase::Started,
        reason: "ana#1 was lost".into(),
    });
    bench.event(Event::Warning("low\x07".into()));
    assert_eq!(bench.stdout(), "<ana> hi^[[2J\t!\n");
    let expected = "\
        papo: in room lobby as me#2 with ana#1, ana#3; 0 messages in the history\n\
        papo: eve#7 joined\n\
        papo: eve#7 is gone\n\
        papo: eve#7 is now known as eva\n\
        papo: ana#1 is the coordinator now\n\
        papo: election started: ana#1 was lost\n\
        papo: low^G\n";
    assert_eq!(bench.stderr(), expected);
}

#[test]
fn a_script_hears_only_of_what_goes_wrong() {
    let mut bench = Bench::new(UiConfig {
        notices: Notices::Never,
        ..config(Mode::Text)
    });
    bench.join(&["ana"]);
    bench.event(Event::MemberJoined(member(7, Key(7), "eve")));
    bench.event(Event::Warning("low".into()));
    assert_eq!(bench.stderr(), "papo: low\n");
}

#[test]
fn changed_lines_are_said_once_and_summed() {
    let mut bench = Bench::text();
    bench.join(&[]);
    bench.stderr();
    bench.ui.on_input(bench.now, b"a\xff\n");
    assert_eq!(bench.stderr().lines().count(), 1);
    bench.ui.on_input(bench.now, b"b\xff\n");
    assert_eq!(bench.stderr(), "");
    bench.end_input();
    assert!(bench.stderr().contains("in all, 2 invalid byte sequences"));
    assert_eq!(bench.polled()[0], say("a\u{fffd}"));
}

#[test]
fn input_is_left_alone_while_much_of_it_waits() {
    let mut bench = Bench::text();
    assert!(bench.ui.wants_input(&bench.node));
    bench.type_in(&"x\n".repeat(20_000));
    assert!(!bench.ui.wants_input(&bench.node));
    bench.join(&[]);
    assert_eq!(bench.polled().len(), 20_000);
    assert!(bench.ui.wants_input(&bench.node));
    bench.end_input();
    assert!(!bench.ui.wants_input(&bench.node));
}

#[test]
fn lines_that_nobody_reads_are_kept_beyond_the_history_and_counted_when_they_are_too_many() {
    let mut bench = Bench::text();
    bench.join(&[]);
    bench.stderr();
    // The bench's history has 100 messages.
    let text = "x".repeat(TEXT_BYTES_MAX);
    let kept = OUTPUT_KEPT_BYTES_MAX / message(1, "ana", 1, &text).size_bound();
    for seq in 1..=kept as u64 + 3 {
        bench.heard(message(1, "ana", seq, &text));
    }
    assert_eq!(bench.stdout().lines().count(), kept);
    assert_eq!(
        bench.stderr(),
        "papo: 3 lines skipped: nobody read the output\n"
    );
}

#[test]
fn a_file_never_skips() {
    let mut bench = Bench::text();
    bench.ui.keep_all_output();
    bench.join(&[]);
    bench.stderr();
    let text = "x".repeat(TEXT_BYTES_MAX);
    let kept = OUTPUT_KEPT_BYTES_MAX / message(1, "ana", 1, &text).size_bound();
    for seq in 1..=kept as u64 + 3 {
        bench.heard(message(1, "ana", seq, &text));
    }
    assert!(bench.ui.has_much_output());
    assert_eq!(bench.stdout().lines().count(), kept + 3);
    assert!(!bench.ui.has_much_output());
    assert_eq!(bench.stderr(), "");
}

#[test]
fn what_was_given_up_is_one_warning_with_both_nicks() {
    for notices in [Notices::All, Notices::Never] {
        let mut bench = Bench::new(UiConfig {
            notices,
            ..config(Mode::Text)
        });
        bench.join(&["ana"]);
        bench.stderr();
        bench.missed(1, 1_024);
        bench.missed(2_000, 2_000);
        bench.event(Event::Missed {
            key: Key(9),
            nick: "e\x1b".into(),
            first: 9,
            last: 10,
            lack: Lack::Unfound,
        });
        let expected = "\
            papo: me missed 1,024 lines of bia, 1 to 1,024\n\
            papo: me missed 1 line of bia, 2,000\n\
            papo: me missed 2 lines of e^[, 9 to 10\n";
        assert_eq!(bench.stderr(), expected);
        // After /nick one is called otherwise.
        bench.node.members[0].nick = "mia".into();
        bench.missed(7, 8);
        assert_eq!(bench.stderr(), "papo: mia missed 2 lines of bia, 7 to 8\n");
        assert_eq!(bench.stdout(), "");
    }
}

#[test]
fn late_lines_are_lines_and_old_ones_only_what_replay_allows() {
    for (replay, printed) in [
        (Replay::Last(0), vec![]),
        (Replay::Last(2), vec!["1", "3"]),
        (Replay::Last(3), vec!["1", "3", "4"]),
        (Replay::All, vec!["1", "3", "4", "5"]),
    ] {
        let mut bench = Bench::new(UiConfig {
            replay,
            ..config(Mode::Text)
        });
        bench.node.history = vec![message(1, "ana", 1, "1")];
        bench.arrived(Arrival::Old, &[message(1, "ana", 2, "before the first")]);
        bench.join(&["ana"]);
        bench.arrived(
            Arrival::Old,
            &[message(1, "ana", 3, "3"), message(1, "ana", 4, "4")],
        );
        bench.arrived(Arrival::Late, &[message(1, "ana", 200, "late")]);
        bench.arrived(Arrival::Old, &[message(1, "ana", 5, "5")]);
        let mut expected: Vec<String> = printed.iter().map(|n| format!("<ana> {n}")).collect();
        let at = expected.iter().position(|l| l == "<ana> 5");
        expected.insert(at.unwrap_or(expected.len()), "<ana> late".into());
        let out = bench.stdout();
        assert_eq!(out.lines().collect::<Vec<_>>(), expected, "{replay:?}");
    }
}

#[test]
fn replay_comes_before_what_is_new() {
    let mut bench = Bench::new(UiConfig {
        replay: Replay::Last(2),
        ..config(Mode::Text)
    });
    let old: Vec<_> = (1..4)
        .map(|seq| message(1, "ana", seq, &format!("old {seq}")))
        .collect();
    for message in &old {
        bench.heard(message.clone());
    }
    assert_eq!(bench.stdout(), "");
    bench.node.history = old;
    bench.node.history.push(message(1, "ana", 104, "new"));
    bench.join(&[]);
    bench.heard(message(1, "ana", 104, "new"));
    assert_eq!(bench.stdout(), "<ana> old 2\n<ana> old 3\n<ana> new\n");
    bench.event(Event::Joined { again: true });
    assert_eq!(bench.stdout(), "");
}
