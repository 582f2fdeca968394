//! When a pipe leaves the room, and with which status.

use super::*;

#[test]
fn what_is_not_confirmed_is_said_with_names() {
    let mut bench = Bench::text();
    bench.join(&["ana", "ben"]);
    bench.stderr();
    bench.stop(false);
    assert_eq!(bench.polled(), [leave(10_000)]);
    bench.left(3, vec![member(3, Key(3), "ana"), member(5, Key(5), "ben")]);
    assert_eq!(bench.ui.exit_status(), Some(1));
    assert_eq!(
        bench.stderr(),
        "papo: 3 messages not confirmed by ana#3, ben#5\n"
    );
}

#[test]
fn lines_already_read_are_said_first() {
    let mut bench = Bench::text();
    bench.join(&[]);
    bench.type_in("a\nb\nhalf");
    bench.stop(false);
    assert!(!bench.ui.wants_input(&bench.node));
    bench.type_in("late\n");
    assert_eq!(bench.polled(), [say("a"), say("b"), leave(10_000)]);
    assert!(bench.stderr().contains("without its end"));
}

#[test]
fn a_last_line_that_is_only_answered_holds_nobody_up() {
    let mut config = config(Mode::Json);
    config.commands = true;
    let mut bench = Bench::new(config);
    bench.join(&[]);
    bench.type_in("/status\n");
    bench.stop(false);
    assert_eq!(bench.polled(), [leave(10_000)]);
    assert!(bench.stdout().contains("\"event\":\"status\""));
}

#[test]
fn lines_that_cannot_go_in_time_are_counted() {
    let mut bench = Bench::text();
    bench.join(&[]);
    bench.type_in("a\nb\n");
    bench.node.blocked = true;
    bench.stop(false);
    assert_eq!(bench.polled(), []);
    bench.wait(10_000);
    assert_eq!(bench.polled(), [leave(0)]);
    bench.left(0, vec![]);
    assert_eq!(bench.ui.exit_status(), Some(1));
    assert!(bench.stderr().contains("papo: 2 lines not sent\n"));
}

#[test]
fn who_stops_before_joining_leaves_at_once() {
    let mut bench = Bench::text();
    bench.stop(false);
    assert_eq!(bench.polled(), [leave(10_000)]);
    bench.left(0, vec![]);
    assert_eq!(bench.ui.exit_status(), Some(0));
}

#[test]
fn without_a_reader_nothing_more_is_printed() {
    let mut bench = Bench::json();
    bench.join(&[]);
    bench.stop(true);
    bench.heard(message(1, "ana", 1, "x"));
    assert_eq!(bench.polled(), [leave(10_000)]);
    bench.left(0, vec![]);
    assert_eq!(bench.stdout() + &bench.stderr(), "");
    assert_eq!(bench.ui.exit_status(), Some(0));
}

#[test]
fn left_is_the_last_line() {
    let mut bench = Bench::json();
    bench.join(&[]);
    bench.stop(false);
    bench.polled();
    bench.left(0, vec![]);
    bench.ui.warn(bench.now, "late");
    let events = bench.events();
    assert_eq!(events.last().unwrap()["event"], "left");
}

#[test]
fn who_missed_something_is_said_in_one_line_and_the_status_is_1() {
    let missed = || {
        vec![
            (member(3, Key(3), "ben"), 200),
            (member(4, Key(4), "eva"), 1_024),
        ]
    };
    let mut bench = Bench::text();
    bench.join(&["ana"]);
    bench.stderr();
    bench.stop(false);
    bench.polled();
    bench.left_missed(missed());
    assert_eq!(bench.ui.exit_status(), Some(1));
    assert_eq!(
        bench.stderr(),
        "papo: ben#3 missed 200, eva#4 missed 1,024 of the lines said\n"
    );

    let mut bench = Bench::json();
    bench.join(&["ana"]);
    bench.left_missed(missed());
    assert_eq!(bench.ui.exit_status(), Some(1));
    assert_eq!(bench.events().last().unwrap()["confirmed"], false);
    assert!(bench.stderr().starts_with("papo: ben#3 missed 200"));
}

/// A script wants to know whether everybody has it that was there; whoever sits at a prompt is told.
#[test]
fn who_was_lost_and_did_not_come_back_is_said_and_makes_the_status_of_a_filter_1() {
    for (mode, status) in [(Mode::Text, 1), (Mode::Json, 1), (Mode::Interactive, 0)] {
        let mut bench = Bench::new(config(mode));
        bench.join(&["ana"]);
        bench.stderr();
        bench.stop(false);
        bench.polled();
        bench.event(Event::Left {
            confirmed: true,
            unconfirmed: 0,
            missing: Vec::new(),
            missed: Vec::new(),
            lost: vec![(member(3, Key(3), "ben"), 1_200)],
        });
        assert_eq!(bench.ui.exit_status(), Some(status), "{mode:?}");
        assert_eq!(
            bench.stderr(),
            "papo: ben#3 was lost before it confirmed 1,200 of the lines said\n"
        );
    }
}

#[test]
fn lines_that_were_not_written_are_counted() {
    let mut bench = Bench::text();
    bench.join(&["ana"]);
    bench.stderr();
    for seq in 1..=3 {
        bench.heard(message(1, "ana", seq, "x"));
    }
    assert_eq!(bench.ui.unprinted(), 3);
    let line = "<ana> x\n".len() as u64;
    assert_eq!(bench.stdout().len() as u64, 3 * line);
    bench.ui.on_written(2 * line - 1);
    assert_eq!(bench.ui.unprinted(), 2);
    bench.ui.say_unprinted(2);
    assert_eq!(
        bench.stderr(),
        "papo: 2 lines not printed: nobody read the output\n"
    );
    // Without a reader nobody misses them.
    bench.stop(true);
    assert_eq!(bench.ui.unprinted(), 0);
}
