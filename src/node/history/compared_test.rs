//! What two histories tell each other.

use std::collections::BTreeMap;

use super::*;
use crate::node::history::Restored;
use crate::wire::made::message;

fn history(max: usize) -> History {
    let mut config = crate::node::rig::config();
    config.history_max = max;
    History::new(&config)
}

#[test]
fn the_parts_of_a_history_are_all_of_it() {
    let mut rng = fastrand::Rng::with_seed(5);
    for count in [0, 1, 16, 64, 65, 300, 5_000] {
        let (mut whole, mut stored) = (history(100_000), history(50));
        stored.restore(Restored::default());
        let mut all = BTreeMap::new();
        for n in 1..=count {
            let m = message(1 + n % 7, n, rng.u64(1..1_000_000), "x");
            all.insert(m.position(), m.clone());
            assert!(whole.insert(m.clone()) && stored.insert(m));
            while stored.pop_stored(1).is_some() {}
        }
        let all: Vec<ChatMessage> = all.into_values().collect();
        let digest = (Sum::of(&all).digest(count), count);
        for history in [&whole, &stored] {
            let begin = Position::default();
            assert_eq!(history.digest_above(begin), Some(digest));
            let parts = history.parts_above(begin);
            assert!(parts.len() <= PARTS_MAX, "{count}: {}", parts.len());
            let mut after = begin;
            for part in &parts {
                let sum = history.sum(Span::new(after, part.upto));
                assert_eq!(sum, Some((part.sum, part.count)));
                after = part.upto;
            }
            assert_eq!(parts.iter().map(|p| p.count).sum::<u64>(), count);
            assert_eq!(
                parts.last().map(|p| p.upto).unwrap_or_default(),
                history.newest()
            );
        }
        let deep = deepest(&whole, Span::new(Position::default(), Position::END));
        assert!(
            deep.iter()
                .map(|i| i.position)
                .eq(all.iter().map(ChatMessage::position))
        );
    }
}

/// All items of a span, by way of ever smaller parts.
fn deepest(history: &History, span: Span) -> Vec<Item> {
    let contents = history.contents(span);
    if let Some(items) = contents.items {
        assert!(items.len() <= LISTED_MAX);
        return items;
    }
    let mut items = Vec::new();
    let mut after = span.after;
    for part in contents.parts.expect("all is in memory") {
        items.extend(deepest(history, Span::new(after, part.upto)));
        after = part.upto;
    }
    assert_eq!(after, span.upto);
    items
}

#[test]
fn another_text_is_another_digest() {
    let (mut one, mut other) = (history(100), history(100));
    one.insert(message(1, 1, 10, "yes"));
    other.insert(message(1, 1, 10, "no"));
    assert_ne!(one.digest(), other.digest());
    let theirs = other.items_of_all();
    assert_eq!(one.find(theirs[0]), Found::Other);
    assert_eq!(other.find(theirs[0]), Found::Same);
    assert_eq!(one.find_message(&message(1, 1, 11, "yes")), Found::Other);
    assert_eq!(one.find_message(&message(1, 2, 11, "yes")), Found::Nothing);
    assert_eq!(one.find_message(&message(1, 1, 10, "yes")), Found::Same);
}

impl History {
    fn items_of_all(&self) -> Vec<Item> {
        deepest(self, Span::new(Position::default(), Position::END))
    }
}

#[test]
fn what_was_dropped_is_no_part_of_the_digest() {
    let (mut long, mut short) = (history(1_000), history(1_000));
    for n in 1..=700 {
        long.insert(message(1, n, n, "x"));
    }
    // Hashed before it is dropped.
    let _ = long.digest();
    long.raise_floor(message(1, 333, 333, "x").position());
    for n in 334..=700 {
        short.insert(message(1, n, n, "x"));
    }
    assert_eq!(long.digest(), short.digest());
}
