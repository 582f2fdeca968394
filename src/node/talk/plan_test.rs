//! What is compared and what is fetched, and in which order.

use super::*;
use crate::wire::{Key, Sum};

fn at(time: u64) -> Position {
    Position::new(time, Key(1), 1)
}

fn span(after: u64, upto: u64) -> Span {
    Span::new(at(after), at(upto))
}

fn part(upto: u64, count: u64) -> Part {
    let sum = Sum::from_bytes([1; 32]);
    let upto = at(upto);
    Part { upto, count, sum }
}

fn item(time: u64) -> Item {
    let (position, hash) = (at(time), 1);
    Item { position, hash }
}

fn history() -> History {
    let mut history = History::new(&crate::node::rig::config());
    for seq in 1..=10 {
        let message = crate::wire::ChatMessage::new(&crate::wire::Draft {
            origin: Key(1),
            seq,
            timestamp: seq * 10,
            sent_at: 0,
            from: 1,
            nick: "n".into(),
            dependencies: Vec::new().into(),
            text: String::new().into(),
        });
        assert!(history.insert(message.expect("a valid message")));
    }
    history
}

fn fetch(spans: &[Span], is_blind: bool) -> Next {
    let spans = spans.to_vec();
    Next::Fetch { spans, is_blind }
}

#[test]
fn what_is_lacking_is_fetched_after_all_before_it_was_compared() {
    let (history, mut plan) = (history(), Plan::default());
    // Five here and nine there; none here; nothing there; one here and much there.
    let parts = [part(55, 9), part(58, 4), part(85, 0), part(95, 40)];
    plan.compare(&history, at(5), &parts);
    assert_eq!(plan.next(), Next::Compare(vec![span(5, 55)]));
    assert!(plan.waits_for_contents());
    assert_eq!(plan.take_asked(1), [span(5, 55)]);
    let items = [item(8), item(10), item(11), item(12), item(13)];
    plan.list(span(5, 55), &items, &[true, false, true, true, false]);
    let all = [span(5, 8), span(10, 12), span(55, 58), span(85, 95)];
    assert_eq!(plan.next(), fetch(&all, false));
    assert_eq!(plan.next(), Next::End);
}

#[test]
fn what_was_not_answered_is_asked_of_again() {
    let (history, mut plan) = (history(), Plan::default());
    plan.compare(&history, at(5), &[part(35, 4), part(65, 4), part(95, 4)]);
    let all = vec![span(5, 35), span(35, 65), span(65, 95)];
    assert_eq!(plan.next(), Next::Compare(all));
    assert_eq!(plan.take_asked(1), [span(5, 35)]);
    plan.want(span(5, 35), true);
    assert_eq!(plan.next(), Next::Compare(vec![span(35, 65), span(65, 95)]));
    assert_eq!(plan.take_asked(9).len(), 2);
    assert_eq!(plan.next(), fetch(&[span(5, 35)], true));
}

#[test]
fn many_spans_are_fetched_a_part_at_a_time() {
    let mut plan = Plan::default();
    for n in (0..600).rev() {
        plan.want(span(2 * n + 1, 2 * n + 2), false);
    }
    let mut fetched = 0;
    while let Next::Fetch { spans, .. } = plan.next() {
        assert!(spans.len() <= FETCHED_SPANS_MAX);
        assert_eq!(spans.first(), Some(&span(2 * fetched + 1, 2 * fetched + 2)));
        fetched += spans.len() as u64;
    }
    assert_eq!(fetched, 600);
    assert!(!plan.is_too_long());
}
