//! What waits for stdout: its order, its bounds, and what is said of gaps.

use std::ops::{Deref, DerefMut};

use super::super::line_format::{JsonLines, TextLines};
use super::super::people::People;
use super::*;
use crate::limits::{OUTPUT_DELIVERED_RUNS_MAX, OUTPUT_LINES_MAX, OUTPUT_SKIPPED_RANGES_MAX};
use crate::wire::Draft;

/// What one message of these tests counts.
pub(super) const MESSAGE_BYTES: usize = 88;

pub(super) fn of(author: u64, seq: u64) -> ChatMessage {
    let message = ChatMessage::new(&Draft {
        origin: Key(author),
        seq,
        timestamp: seq,
        sent_at: 0,
        from: 2,
        nick: "ana".into(),
        dependencies: vec![].into(),
        text: format!("m{:04}", seq % 10_000).into(),
    })
    .expect("a valid message");
    assert_eq!(message.size_bound(), MESSAGE_BYTES);
    message
}

/// An output, and how it is written.
pub(super) struct Tested {
    output: Output,
    is_json: bool,
}

impl Deref for Tested {
    type Target = Output;

    fn deref(&self) -> &Output {
        &self.output
    }
}

impl DerefMut for Tested {
    fn deref_mut(&mut self) -> &mut Output {
        &mut self.output
    }
}

/// An output that keeps so many messages, reports, and is written as text.
pub(super) fn text_output(messages: usize) -> Tested {
    let output = Output::new(messages * MESSAGE_BYTES, true);
    let is_json = false;
    Tested { output, is_json }
}

/// An output that keeps so many messages, reports, and is written as JSON Lines.
pub(super) fn json_output(messages: usize) -> Tested {
    let is_json = true;
    Tested {
        is_json,
        ..text_output(messages)
    }
}

pub(super) fn say(output: &mut Output, seq: u64) {
    output.push_messages(seq, vec![of(7, seq)], false, Arrival::Live);
}

fn deliver(output: &mut Output, first: u64, last: u64, confirmed: usize) {
    let delivered = Delivered {
        first,
        last,
        members: 2,
        confirmed,
        missed: Vec::new(),
    };
    output.push_delivered(0, delivered);
}

pub(super) fn taken(tested: &mut Tested, limit: usize) -> (String, String) {
    let mut stderr = Stderr::default();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let Tested { output, is_json } = tested;
    let people = People::default();
    let (people, room) = (&people, None);
    match is_json {
        true => output.fill(&mut out, limit, &JsonLines { people, room }, &mut stderr),
        false => output.fill(
            &mut out,
            limit,
            &TextLines {
                timestamps: false,
                room,
            },
            &mut stderr,
        ),
    }
    stderr.fill(&mut err, usize::MAX);
    (
        String::from_utf8(out).unwrap(),
        String::from_utf8(err).unwrap(),
    )
}

pub(super) fn line(output: &mut Output, text: &str) {
    output.push_lines(0, |out| out.extend_from_slice(text.as_bytes()));
}

#[test]
fn lines_and_messages_keep_their_order() {
    let mut output = text_output(10);
    line(&mut output, "a\n");
    say(&mut output, 1);
    line(&mut output, "b\n");
    say(&mut output, 2);
    assert_eq!(
        taken(&mut output, usize::MAX).0,
        "a\n<ana> m0001\nb\n<ana> m0002\n"
    );
}

#[test]
fn only_so_much_is_taken_at_a_time() {
    let mut output = text_output(10);
    for seq in 1..4 {
        say(&mut output, seq);
    }
    assert_eq!(taken(&mut output, 1).0, "<ana> m0001\n");
    assert_eq!(taken(&mut output, 13).0, "<ana> m0002\n<ana> m0003\n");
    assert_eq!(taken(&mut output, 10).0, "");
}

#[test]
fn a_gap_is_counted_once_and_where_it_is() {
    let mut output = json_output(10);
    line(&mut output, "before\n");
    for seq in 1..=15 {
        say(&mut output, seq);
    }
    let (out, _) = taken(&mut output, usize::MAX);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3 + 10);
    assert_eq!(lines[0], "before");
    assert!(lines[1].contains("\"warning\"") && lines[1].contains("5 lines skipped"));
    let missed = r#""key":"0000000000000007","nick":"ana","first":1,"last":5,"count":5}"#;
    assert!(lines[2].contains("\"missed\"") && lines[2].ends_with(missed));
    assert!(lines[3].contains("\"m0006\""));
}

#[test]
fn in_a_pipe_the_gap_is_said_on_stderr() {
    let mut output = text_output(10);
    for seq in 1..=11 {
        say(&mut output, seq);
    }
    assert!(!output.has_skipped(), "it counts as not printed so far");
    let (out, err) = taken(&mut output, usize::MAX);
    assert!(out.starts_with("<ana> m0002\n"));
    assert_eq!(err, "papo: 1 line skipped: nobody read the output\n");
    assert!(output.has_skipped());
    // Nobody misses anything where the reader has gone away.
    output.close();
    assert!(!output.has_skipped());
}

#[test]
fn warnings_that_are_skipped_are_no_messages() {
    let mut output = text_output(10);
    for n in 1..=20_000 {
        line(
            &mut output,
            &format!("{n} and more than that, so that they find no room\n"),
        );
    }
    taken(&mut output, usize::MAX);
    assert!(!output.has_skipped());
}

#[test]
fn of_messages_that_come_together_the_oldest_are_skipped() {
    let mut output = text_output(1_000);
    let many: Vec<ChatMessage> = (1..=1_003).map(|seq| of(7, seq)).collect();
    output.push_messages(0, many, false, Arrival::Live);
    // A part is taken, and a line that came later stays behind the rest.
    line(&mut output, "after\n");
    let (out, err) = taken(&mut output, 1);
    assert_eq!(out, "<ana> m0004\n");
    assert_eq!(err, "papo: 3 lines skipped: nobody read the output\n");
    let (out, _) = taken(&mut output, usize::MAX);
    assert!(out.starts_with("<ana> m0005\n") && out.ends_with("<ana> m1003\nafter\n"));
    assert_eq!(out.lines().count(), 1_000);
}

#[test]
fn so_many_bytes_wait_however_short_the_history_and_more_if_it_is_long() {
    assert_eq!(kept_bytes(0), OUTPUT_KEPT_BYTES_MAX);
    assert_eq!(kept_bytes(1_000), OUTPUT_KEPT_BYTES_MAX);
    let long = OUTPUT_KEPT_BYTES_MAX;
    assert_eq!(kept_bytes(long), long * HISTORY_BYTES_PER_MESSAGE_MAX);
    assert_eq!(kept_bytes(usize::MAX), usize::MAX);
}

#[test]
fn a_file_never_skips() {
    let mut output = text_output(10);
    output.keep_all();
    for seq in 1..=500 {
        say(&mut output, seq);
    }
    assert!(output.is_too_long(), "more is to be written at once");
    for _ in 0..OUTPUT_LINES_MAX + 5 {
        line(&mut output, "x\n");
    }
    let (out, err) = taken(&mut output, usize::MAX);
    assert_eq!(out.lines().count(), 500 + OUTPUT_LINES_MAX + 5);
    assert_eq!(err, "");
    assert!(!output.is_too_long());
}

#[test]
fn skipped_messages_of_each_author_are_told_apart_in_few_ranges() {
    let mut output = json_output(1);
    let authors = OUTPUT_SKIPPED_RANGES_MAX as u64;
    // Every other message of two authors, of which each is a range of its own, and one of many.
    for seq in (1..=authors).map(|n| 2 * n) {
        for author in [1, 2] {
            let message = vec![of(author, seq)];
            output.push_messages(0, message, false, Arrival::Live);
        }
    }
    say(&mut output, 1);
    say(&mut output, 2);
    let (out, _) = taken(&mut output, usize::MAX);
    let events = out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .collect::<Vec<_>>();
    let missed = events.iter().filter(|e| e["event"] == "missed");
    let missed: Vec<_> = missed.collect();
    assert_eq!(missed.len(), OUTPUT_SKIPPED_RANGES_MAX);
    let counted = missed.iter().map(|e| e["count"].as_u64().unwrap());
    assert_eq!(counted.sum::<u64>(), 2 * authors, "all but the seventh's");
    let warning = format!("{} lines skipped: nobody read the output", 2 * authors + 1);
    assert_eq!(events[0]["text"], warning.as_str());
}

#[test]
fn confirmations_are_never_skipped_and_alike_ones_are_merged() {
    let mut output = json_output(3);
    output.set_own(Key(9));
    let all = OUTPUT_DELIVERED_RUNS_MAX as u64 + 100;
    let confirmed = |seq| if seq < 50 { 2 } else { 1 };
    for seq in 1..=all {
        output.push_messages(0, vec![of(9, seq)], true, Arrival::Live);
        deliver(&mut output, seq, seq, confirmed(seq));
        assert!(output.has_room(), "they are few");
    }
    let (out, _) = taken(&mut output, usize::MAX);
    let delivered = out.lines().filter(|l| l.contains("\"delivered\""));
    let delivered: Vec<_> = delivered.collect();
    assert_eq!(delivered.len() as u64, all);
    for (seq, line) in (1..).zip(&delivered) {
        let confirmed = confirmed(seq);
        let parts = [
            format!("\"0000000000000009-{seq}\""),
            format!("\"confirmed\":{confirmed}"),
        ];
        assert!(parts.iter().all(|part| line.contains(part)), "{line}");
    }
    assert!(out.contains("lines skipped"), "{out}");
    assert_eq!(taken(&mut output, usize::MAX).0, "");
}

#[test]
fn confirmations_that_differ_leave_stdin_alone_when_they_are_many() {
    let mut output = json_output(3);
    for seq in 1..=OUTPUT_DELIVERED_RUNS_MAX as u64 + 1 {
        assert!(output.has_room());
        deliver(&mut output, seq, seq, (seq % 2) as usize);
    }
    assert!(!output.has_room());
    // A run is taken in parts, and nothing comes before its rest.
    deliver(&mut output, 20_000, 20_009, 2);
    let mut seqs = (1..=OUTPUT_DELIVERED_RUNS_MAX as u64 + 1).chain(20_000..20_010);
    while let Some(line) = taken(&mut output, 1).0.lines().next() {
        let seq = seqs.next().expect("not more than were delivered");
        assert!(line.contains(&format!("-{seq}\"")), "{line}, not {seq}");
    }
    assert_eq!(seqs.next(), None);
    assert!(output.has_room());
}

#[test]
fn what_became_of_messages_is_told_in_their_order() {
    let mut output = text_output(2);
    output.push_unshown(1);
    for seq in 1..=2 {
        say(&mut output, seq);
    }
    assert_eq!(output.unprinted(), 2);
    let (out, _) = taken(&mut output, 1);
    for seq in 3..=5 {
        say(&mut output, seq);
    }
    output.push_unshown(3);
    // The first is rendered, of the others two are skipped and two wait.
    assert_eq!(output.unprinted(), 5);
    assert_eq!(output.next_fate(), Some(Fate::Printed(1)));
    output.on_written(out.len() as u64 - 1);
    assert_eq!(output.next_fate(), None);
    output.on_written(1);
    assert_eq!(output.next_fate(), Some(Fate::Printed(1)));
    assert_eq!(output.next_fate(), Some(Fate::Skipped(2)));
    assert_eq!(output.next_fate(), None);
    let (out, _) = taken(&mut output, usize::MAX);
    assert_eq!(output.unprinted(), 2, "the gap is said");
    output.on_written(out.len() as u64);
    assert_eq!(output.next_fate(), Some(Fate::Printed(5)));
    assert_eq!((output.next_fate(), output.unprinted()), (None, 0));
}

#[test]
fn what_nobody_reads_any_more_is_skipped_and_not_unprinted() {
    let mut output = text_output(10);
    for seq in 1..=4 {
        say(&mut output, seq);
    }
    taken(&mut output, 1);
    output.close();
    say(&mut output, 5);
    output.push_unshown(1);
    assert_eq!(output.next_fate(), Some(Fate::Skipped(6)));
    assert_eq!((output.next_fate(), output.unprinted()), (None, 0));
    assert_eq!(taken(&mut output, usize::MAX).0, "");
    assert_eq!(output.dropped(), 5, "for a disk that is full");
}

#[test]
fn a_word_is_owed_of_what_others_said_as_the_node_gave_it() {
    let mut output = json_output(10);
    for (seq, own, arrival) in [
        (1, false, Arrival::Old),
        (2, true, Arrival::Live),
        (3, false, Arrival::Late),
    ] {
        output.push_messages(0, vec![of(7, seq)], own, arrival);
    }
    output.push_again(0, vec![of(7, 1)], false);
    assert_eq!(output.next_fate(), None, "nothing is written yet");
    let (out, _) = taken(&mut output, usize::MAX);
    assert_eq!(out.lines().count(), 4);
    output.on_written(out.len() as u64);
    assert_eq!(output.next_fate(), Some(Fate::Printed(2)));
    assert_eq!(output.next_fate(), None);
}

#[test]
fn answers_and_notices_are_bounded_too() {
    let mut output = text_output(0);
    for _ in 0..OUTPUT_LINES_MAX + 7 {
        line(&mut output, "x\n");
    }
    let (out, err) = taken(&mut output, usize::MAX);
    assert_eq!(out.lines().count(), OUTPUT_LINES_MAX);
    assert!(err.contains("7 lines"));
}

#[test]
fn many_waiting_bytes_back_it_up_until_they_are_taken() {
    let mut output = text_output(0);
    assert!(!output.is_backed_up());
    line(&mut output, &"x".repeat(ANSWER_BYTES_MAX + 1));
    assert!(output.is_backed_up());
    taken(&mut output, 1);
    assert!(!output.is_backed_up());
}
