//! What waits for stdout and stderr: its order, its bounds, and what is said of gaps.

use super::*;
use crate::wire::Draft;

fn message(seq: u64) -> Bulk {
    let message = ChatMessage::new(&Draft {
        origin: Key(7),
        seq,
        timestamp: seq,
        sent_at: 0,
        from: 2,
        nick: "ana".into(),
        dependencies: vec![].into(),
        text: format!("m{seq}").into(),
    })
    .expect("a valid message");
    Bulk::messages(vec![message], false, false)
}

fn taken(output: &mut Output, limit: usize) -> (String, String) {
    let mut stderr = Stderr::default();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    output.fill(&mut out, limit, &mut stderr);
    stderr.fill(&mut err, usize::MAX);
    (
        String::from_utf8(out).unwrap(),
        String::from_utf8(err).unwrap(),
    )
}

fn line(output: &mut Output, text: &str) {
    output.push_lines(0, |out| out.extend_from_slice(text.as_bytes()));
}

#[test]
fn lines_and_messages_keep_their_order() {
    let mut output = Output::new(Mode::Text, 10);
    line(&mut output, "a\n");
    output.push_bulk(0, message(1));
    line(&mut output, "b\n");
    output.push_bulk(0, message(2));
    assert_eq!(
        taken(&mut output, usize::MAX).0,
        "a\n<ana> m1\nb\n<ana> m2\n"
    );
}

#[test]
fn only_so_much_is_taken_at_a_time() {
    let mut output = Output::new(Mode::Text, 10);
    for seq in 1..4 {
        output.push_bulk(0, message(seq));
    }
    assert_eq!(taken(&mut output, 1).0, "<ana> m1\n");
    assert_eq!(taken(&mut output, 10).0, "<ana> m2\n<ana> m3\n");
    assert_eq!(taken(&mut output, 10).0, "");
}

#[test]
fn a_gap_is_counted_once_and_where_it_is() {
    let mut output = Output::new(Mode::Json, 0);
    line(&mut output, "before\n");
    for seq in 1..=MESSAGES_MIN as u64 + 5 {
        output.push_bulk(seq, message(seq));
    }
    let (out, _) = taken(&mut output, usize::MAX);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2 + MESSAGES_MIN);
    assert_eq!(lines[0], "before");
    assert!(lines[1].contains("\"warning\"") && lines[1].contains("5 lines skipped"));
    assert!(lines[2].contains("\"m6\""));
}

#[test]
fn in_a_pipe_the_gap_is_said_on_stderr() {
    let mut output = Output::new(Mode::Text, 0);
    for seq in 1..=MESSAGES_MIN as u64 + 1 {
        output.push_bulk(0, message(seq));
    }
    let (out, err) = taken(&mut output, usize::MAX);
    assert!(out.starts_with("<ana> m2\n"));
    assert_eq!(err, "papo: 1 line skipped: nobody read the output\n");
}

#[test]
fn of_messages_that_come_together_the_oldest_are_skipped() {
    let mut output = Output::new(Mode::Text, 0);
    let many: Vec<ChatMessage> = (1..=MESSAGES_MIN as u64 + 3)
        .map(|seq| match message(seq) {
            Bulk::Messages { mut messages, .. } => messages.next().expect("one"),
            Bulk::Delivered { .. } => unreachable!("a message"),
        })
        .collect();
    output.push_bulk(0, Bulk::messages(many, false, false));
    // A part is taken, and a line that came later stays behind the rest.
    line(&mut output, "after\n");
    let (out, err) = taken(&mut output, 1);
    assert_eq!(out, "<ana> m4\n");
    assert_eq!(err, "papo: 3 lines skipped: nobody read the output\n");
    let (out, _) = taken(&mut output, usize::MAX);
    assert!(out.starts_with("<ana> m5\n") && out.ends_with("<ana> m1003\nafter\n"));
    assert_eq!(out.lines().count(), MESSAGES_MIN);
}

#[test]
fn a_history_that_is_kept_is_not_skipped() {
    let mut output = Output::new(Mode::Text, 5_000);
    for seq in 1..=5_000 {
        output.push_bulk(0, message(seq));
    }
    assert_eq!(taken(&mut output, usize::MAX).0.lines().count(), 5_000);
}

#[test]
fn notices_are_bounded_too() {
    let mut output = Output::new(Mode::Text, 0);
    for _ in 0..LINES_MAX + 7 {
        line(&mut output, "x\n");
    }
    let (out, err) = taken(&mut output, usize::MAX);
    assert_eq!(out.lines().count(), LINES_MAX);
    assert!(err.contains("7 lines"));
    let mut stderr = Stderr::default();
    for _ in 0..STDERR_LINES_MAX + 3 {
        stderr.push("y");
    }
    let mut err = Vec::new();
    stderr.fill(&mut err, usize::MAX);
    let err = String::from_utf8(err).unwrap();
    assert_eq!(err.lines().count(), STDERR_LINES_MAX + 1);
    assert!(err.starts_with("papo: 3 notices skipped\n"));
}

#[test]
fn many_waiting_bytes_back_it_up_until_they_are_taken() {
    let mut output = Output::new(Mode::Text, 0);
    assert!(!output.is_backed_up());
    line(&mut output, &"x".repeat(ANSWER_BYTES_MAX + 1));
    assert!(output.is_backed_up());
    taken(&mut output, 1);
    assert!(!output.is_backed_up());
}
