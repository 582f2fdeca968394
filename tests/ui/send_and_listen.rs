//! `papo send` and `papo listen`.

use super::*;

#[test]
fn send_says_its_text_and_leaves() {
    let mut bench = Bench::new(UiConfig {
        lines: Some(vec!["/quit it".into()]),
        commands: true,
        ..config(Mode::Text)
    });
    assert!(!bench.ui.wants_input(&bench.node));
    bench.join(&["ana"]);
    assert_eq!(bench.polled(), [say("/quit it"), leave(10_000)]);
}

#[test]
fn a_text_of_several_lines_or_too_long_is_several_messages() {
    let long = "x".repeat(TEXT_BYTES_MAX + 1);
    let mut bench = Bench::new(UiConfig {
        lines: Some(vec![format!("a\nb\n{long}"), String::new()]),
        ..config(Mode::Text)
    });
    assert!(bench.stderr().contains("several messages"));
    bench.join(&[]);
    let said = bench.polled();
    assert_eq!(said.len(), 6);
    assert_eq!(said[..2], [say("a"), say("b")]);
    assert_eq!(said[3..], [say("x"), say(""), leave(10_000)]);
}

#[test]
fn listen_reads_nothing_and_stays() {
    let mut bench = Bench::new(UiConfig {
        reads_stdin: false,
        ..config(Mode::Text)
    });
    assert!(!bench.ui.wants_input(&bench.node));
    bench.join(&[]);
    bench.type_in("x\n");
    bench.end_input();
    assert_eq!(bench.polled(), []);
}

#[test]
fn with_confirm_printed_what_is_written_is_told_in_its_order() {
    let mut bench = Bench::new(UiConfig {
        reads_stdin: false,
        wanted: papo::ui::Wanted::default(),
        runs: false,
        timestamps: false,
        confirms_printed: true,
        replay: Replay::All,
        ..config(Mode::Text)
    });
    // What comes before the first `Joined` is not to be printed.
    bench.heard(message(1, "ana", 101, "before"));
    bench.join(&["ana"]);
    assert_eq!(bench.stdout(), "");
    assert_eq!(bench.fates(), [Fate::Printed(1)]);
    bench.arrived(Arrival::Old, &[message(1, "ana", 1, "old")]);
    bench.heard(message(2, "me", 1, "own"));
    bench.heard(message(1, "ana", 102, "a"));
    bench.arrived(
        Arrival::Late,
        &[message(3, "ben", 7, "b"), message(3, "ben", 8, "c")],
    );
    assert_eq!(bench.fates(), []);
    assert_eq!(bench.stdout(), "<ana> old\n<ana> a\n<ben> b\n<ben> c\n");
    assert_eq!(bench.fates(), []);
    // What is old counts too: its author may learn later that it is owed.
    bench.ui.on_written("<ana> old\n<ana> a\n<be".len() as u64);
    assert_eq!(bench.fates(), [Fate::Printed(2)]);
    bench.heard(message(1, "ana", 103, "d"));
    bench.ui.on_written("n> b\n<ben> c\n".len() as u64);
    assert_eq!(bench.fates(), [Fate::Printed(2)]);
    bench.stop(true);
    assert_eq!(bench.fates(), [Fate::Skipped(1)]);
}

#[test]
fn what_is_skipped_is_told_as_never_printed() {
    let mut bench = Bench::new(UiConfig {
        wanted: papo::ui::Wanted::default(),
        runs: false,
        timestamps: false,
        confirms_printed: true,
        ..config(Mode::Json)
    });
    bench.join(&["ana"]);
    bench.stdout();
    let text = "x".repeat(TEXT_BYTES_MAX);
    let kept = OUTPUT_KEPT_BYTES_MAX / message(1, "ana", 1, &text).size_bound();
    for seq in 1..=kept as u64 + 3 {
        bench.heard(message(1, "ana", seq, &text));
    }
    bench.ui.on_written(1 << 20);
    assert_eq!(bench.fates(), [Fate::Skipped(3)]);
    let out = bench.stdout();
    bench.ui.on_written(out.len() as u64);
    assert_eq!(bench.fates(), [Fate::Printed(kept as u64)]);
}
