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
