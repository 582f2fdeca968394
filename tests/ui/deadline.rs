//! `--timeout` ends `papo send` and a pipe whatever the room does.

use super::*;

fn hasty(mode: Mode) -> UiConfig {
    UiConfig {
        timeout: Duration::from_secs(2),
        ..config(mode)
    }
}

#[test]
fn who_is_never_let_in_says_in_one_line_what_was_not_sent() {
    let mut bench = Bench::new(UiConfig {
        lines: Some(vec!["a\nb".into()]),
        ..hasty(Mode::Text)
    });
    assert_eq!(bench.polled(), []);
    assert_eq!(bench.ui.next_deadline(), Some(Time(2_000_000)));
    bench.wait(2_000);
    assert_eq!(bench.polled(), [leave(0)]);
    bench.left(0, vec![]);
    assert_eq!(bench.ui.exit_status(), Some(1));
    let stderr = bench.stderr();
    assert!(
        stderr.starts_with("papo: 2 lines not sent: nobody let this node into the room within 2 s"),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn the_time_of_a_pipe_begins_with_the_end_of_its_input() {
    let mut bench = Bench::new(hasty(Mode::Json));
    bench.type_in("a\n");
    bench.wait(60_000);
    assert_eq!(bench.polled(), []);
    assert_eq!(bench.ui.next_deadline(), None);
    bench.end_input();
    bench.wait(1_999);
    assert_eq!(bench.polled(), []);
    bench.wait(1);
    assert_eq!(bench.polled(), [leave(0)]);
    bench.left(0, vec![]);
    assert_eq!(bench.ui.exit_status(), Some(1));
}

#[test]
fn an_empty_pipe_that_is_never_let_in_ends_too() {
    let mut bench = Bench::new(hasty(Mode::Text));
    bench.end_input();
    bench.wait(2_000);
    assert_eq!(bench.polled(), [leave(0)]);
    bench.left(0, vec![]);
    assert_eq!(bench.ui.exit_status(), Some(1));
    assert!(bench.stderr().contains("--timeout"));
}

#[test]
fn what_is_left_of_the_time_is_for_the_confirmations() {
    let mut bench = Bench::new(hasty(Mode::Text));
    bench.type_in("a\n");
    bench.end_input();
    bench.wait(1_500);
    bench.join(&["ana"]);
    assert_eq!(bench.polled(), [say("a"), leave(500)]);
}

#[test]
fn members_that_take_nothing_do_not_hold_a_pipe_up_for_ever() {
    let mut bench = Bench::new(hasty(Mode::Text));
    bench.join(&["ana"]);
    bench.stderr();
    bench.node.blocked = true;
    bench.type_in("a\n");
    bench.end_input();
    assert_eq!(bench.polled(), []);
    bench.wait(2_000);
    bench.ui.on_deadline(bench.now);
    assert!(bench.ui.is_late());
    assert_eq!(bench.polled(), [leave(0)]);
    assert!(!bench.ui.is_late());
    bench.left(0, vec![]);
    assert_eq!(bench.ui.exit_status(), Some(1));
    assert_eq!(
        bench.stderr(),
        "papo: 1 line not sent: the members took no more within 2 s (--timeout)\n"
    );
}

#[test]
fn an_input_that_does_not_end_has_its_time_once_it_is_not_read_any_more() {
    let mut bench = Bench::new(hasty(Mode::Text));
    bench.type_in(&"a line\n".repeat(20_000));
    assert_eq!(bench.polled(), []);
    assert!(!bench.ui.wants_input(&bench.node));
    bench.wait(2_000);
    assert_eq!(bench.polled(), [leave(0)]);
    // Who is let in in time goes on.
    let mut bench = Bench::new(hasty(Mode::Text));
    bench.type_in(&"a line\n".repeat(20_000));
    assert_eq!(bench.polled(), []);
    bench.wait(1_000);
    bench.join(&["ana"]);
    assert!(!bench.polled().is_empty());
    assert_eq!(bench.ui.next_deadline(), None);
}

#[test]
fn who_stays_waits_for_the_room_for_ever() {
    let mut bench = Bench::new(UiConfig {
        stay: true,
        ..hasty(Mode::Text)
    });
    bench.type_in("a\n");
    bench.end_input();
    bench.wait(60_000);
    assert_eq!(bench.polled(), []);
    assert_eq!(bench.ui.next_deadline(), None);
}
