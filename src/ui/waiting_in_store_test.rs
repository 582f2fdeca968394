//! What waits for stdout and is in the store only: its order, and what is said of what is not there.

use super::tests::{Tested, json_output, line, of, say, taken, text_output};
use super::*;

/// Gives the output what it wants of a store that has these, so many at a time.
fn fetch(output: &mut Output, store: &[ChatMessage], at_a_time: usize) -> bool {
    let Some((after, until)) = output.wanted() else {
        return false;
    };
    let between = store
        .iter()
        .filter(|m| after < m.position() && m.position() <= until);
    let scanned: Vec<_> = between.take(at_a_time).cloned().collect();
    let upto = match scanned.len() == at_a_time {
        true => scanned[at_a_time - 1].position(),
        false => until,
    };
    let mut found = scanned;
    found.retain(|m| output.is_wanted(m.position()));
    output.give(found, upto);
    true
}

fn taken_with(output: &mut Tested, store: &[ChatMessage]) -> (String, String) {
    let (mut out, mut err) = taken(output, usize::MAX);
    while fetch(output, store, 7) {
        let (more, words) = taken(output, usize::MAX);
        out += &more;
        err += &words;
    }
    (out, err)
}

fn lines_of(messages: impl Iterator<Item = u64>) -> String {
    messages.map(|seq| format!("<ana> m{seq:04}\n")).collect()
}

#[test]
fn what_has_no_room_in_memory_waits_in_the_store() {
    let mut output = text_output(10);
    output.has_store();
    let store: Vec<_> = (1..=500).map(|seq| of(7, seq)).collect();
    (1..=300).for_each(|seq| say(&mut output, seq));
    assert_eq!(output.unprinted(), 300);
    assert!(!output.is_too_long());
    assert_eq!(
        taken_with(&mut output, &store[..300]),
        (lines_of(1..=300), String::new())
    );
    assert_eq!(output.unprinted(), 300, "rendered, and not written");
    output.on_written(u64::MAX);
    let fates = std::iter::from_fn(|| output.next_fate());
    let printed = fates.map(|fate| match fate {
        Fate::Printed(n) => n,
        Fate::Skipped(_) => panic!("nothing is skipped"),
    });
    assert_eq!(printed.sum::<u64>(), 300);
    // There is room in memory again.
    (301..=305).for_each(|seq| say(&mut output, seq));
    assert_eq!(output.wanted(), None);
    assert_eq!(taken(&mut output, usize::MAX).0, lines_of(301..=305));
}

#[test]
fn what_comes_while_the_store_is_read_keeps_its_place() {
    let mut output = text_output(10);
    output.has_store();
    let store: Vec<_> = (1..=100).map(|seq| of(7, seq)).collect();
    (1..=50).for_each(|seq| say(&mut output, seq));
    let (first, _) = taken(&mut output, usize::MAX);
    assert!(fetch(&mut output, &store, 7));
    (51..=90).for_each(|seq| say(&mut output, seq));
    line(&mut output, "an answer\n");
    let (rest, _) = taken_with(&mut output, &store);
    assert_eq!(first + &rest, lines_of(1..=90) + "an answer\n");
}

#[test]
fn several_authors_in_the_store_come_in_the_historys_order_and_no_others() {
    let mut output = json_output(2);
    output.has_store();
    output.set_own(Key(8));
    let store: Vec<_> = (1..=60).map(|seq| of(7 + seq % 3, seq)).collect();
    let shown = store.iter().filter(|m| m.origin() != Key(9));
    for message in shown.clone() {
        let own = message.origin() == Key(8);
        output.push_messages(0, vec![message.clone()], own, Arrival::Live);
    }
    let (out, _) = taken_with(&mut output, &store);
    assert_eq!(out.lines().count(), shown.clone().count());
    for (line, message) in out.lines().zip(shown) {
        assert!(
            line.contains(&format!("\"seq\":{}", message.seq())),
            "{line}"
        );
        assert_eq!(
            line.contains("\"own\":true"),
            message.origin() == Key(8),
            "{line}"
        );
    }
}

#[test]
fn what_the_store_lacks_is_skipped_with_a_word() {
    let mut output = json_output(10);
    output.has_store();
    let store: Vec<_> = (1..=100)
        .filter(|n| *n < 40 || *n > 49)
        .map(|n| of(7, n))
        .collect();
    (1..=100).for_each(|seq| say(&mut output, seq));
    let (out, _) = taken_with(&mut output, &store);
    assert!(out.contains("10 lines skipped"), "{out}");
    let missed = out
        .lines()
        .find(|line| line.contains("\"missed\""))
        .unwrap();
    assert!(missed.contains("\"count\":10"), "{missed}");
    output.on_written(u64::MAX);
    let fates = std::iter::from_fn(|| output.next_fate());
    let is_skipped = |fate: &Fate| matches!(fate, Fate::Skipped(90));
    assert!(
        fates.collect::<Vec<_>>().iter().any(is_skipped),
        "no word too much"
    );
}

#[test]
fn nobody_reads_any_more_what_is_in_the_store() {
    let mut output = text_output(10);
    output.has_store();
    (1..=100).for_each(|seq| say(&mut output, seq));
    output.close();
    assert_eq!((output.unprinted(), output.wanted()), (0, None));
}
