//! `--wait-members`: nothing is sent before enough others are there.

use super::*;

fn bench(mode: Mode) -> Bench {
    let mut bench = Bench::new(UiConfig {
        wait_members: 2,
        timeout: Duration::from_secs(1),
        ..config(mode)
    });
    bench.type_in("a\nb\n");
    bench.end_input();
    bench
}

#[test]
fn lines_are_held_until_enough_are_there() {
    let mut bench = bench(Mode::Text);
    bench.join(&["ana"]);
    assert_eq!(bench.polled(), []);
    bench.wait(900);
    bench.node.members.push(member(9, Key(9), "eve"));
    assert_eq!(bench.polled(), [say("a"), say("b"), leave(1_000)]);
    // The one that is left is when it is said what leaving waits for.
    bench.wait(500);
    bench.polled();
    assert_eq!(bench.ui.next_deadline(), None);
    bench.left(0, vec![]);
    assert_eq!(bench.ui.exit_status(), Some(0));
}

#[test]
fn once_there_were_enough_they_are_not_held_again() {
    let mut bench = Bench::new(UiConfig {
        wait_members: 2,
        timeout: Duration::from_secs(1),
        ..config(Mode::Text)
    });
    bench.type_in("a\n");
    bench.join(&["ana", "ben"]);
    assert_eq!(bench.poll(), Some(say("a")));
    bench.node.members.truncate(1);
    bench.wait(2_000);
    bench.type_in("b\n");
    assert_eq!(bench.poll(), Some(say("b")));
}

#[test]
fn too_few_in_time_is_a_failure() {
    let mut bench = bench(Mode::Json);
    bench.join(&["ana"]);
    bench.stdout();
    bench.stderr();
    bench.wait(1_000);
    assert_eq!(bench.polled(), [leave(1_000)]);
    bench.left(0, vec![]);
    assert_eq!(bench.ui.exit_status(), Some(1));
    let events = bench.events();
    assert_eq!(events[0]["event"], "warning");
    assert_eq!(events[1]["event"], "left");
    assert_eq!(events[1]["confirmed"], false);
    let line =
        "2 lines not sent: --wait-members 2: only 1 other member came within 1 s (--timeout)\n";
    assert_eq!(bench.stderr(), format!("papo: {line}"));
}

#[test]
fn that_nobody_came_is_said_in_one_line() {
    let mut bench = bench(Mode::Text);
    bench.join(&[]);
    bench.stderr();
    bench.wait(1_000);
    assert_eq!(bench.polled(), [leave(1_000)]);
    bench.left(0, vec![]);
    assert_eq!(bench.ui.exit_status(), Some(1));
    let stderr = bench.stderr();
    let words = "2 lines not sent: --wait-members 2: no other member came within 1 s";
    assert!(stderr.contains(words), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn the_terminal_and_the_listener_do_not_wait() {
    let listener = UiConfig {
        reads_stdin: false,
        wait_members: 2,
        ..config(Mode::Text)
    };
    let terminal = UiConfig {
        wait_members: 2,
        ..config(Mode::Interactive)
    };
    for config in [listener, terminal] {
        let mut bench = Bench::new(config);
        bench.join(&[]);
        assert_eq!(bench.ui.next_deadline(), None);
        bench.wait(20_000);
        assert_eq!(bench.polled(), []);
    }
}
