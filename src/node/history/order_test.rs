//! The order against a sorted map.

use super::*;
use crate::wire::{Key, made};
use std::collections::BTreeMap;

fn message(timestamp: u64, seq: u64) -> ChatMessage {
    made::message(1, seq, timestamp, "")
}

fn agrees(order: &Order, model: &BTreeMap<Position, ChatMessage>, at: Position) {
    assert_eq!(order.len(), model.len());
    let bytes: usize = model.values().map(ChatMessage::size_bound).sum();
    assert_eq!(order.bytes(), bytes);
    let half = order.first_taking(bytes / 2);
    let taken = |n| {
        model
            .values()
            .take(n)
            .map(ChatMessage::size_bound)
            .sum::<usize>()
    };
    assert!(taken(half) >= bytes / 2 && (half == 0 || taken(half - 1) < bytes / 2));
    assert!(order.iter().eq(model.values()));
    assert!(order.iter().rev().eq(model.values().rev()));
    let newest = model.last_key_value().map(|(p, _)| *p);
    assert_eq!(order.last(), newest.unwrap_or_default());
    let above = model.iter().filter(|(p, _)| **p > at);
    let above: Vec<_> = above.map(|(_, m)| m.clone()).collect();
    let pieces = order.pieces_after(at).flat_map(|piece| {
        let last = piece.messages.last().map(ChatMessage::position);
        assert_eq!(last, Some(piece.last));
        let spans = piece.spans.unwrap_or_default();
        let within = |m: &ChatMessage| {
            let mut spans = spans.iter().filter(|s| s.author == m.origin());
            spans.any(|s| (s.first..=s.last).contains(&m.seq()))
        };
        assert!(piece.messages.iter().all(within));
        piece.messages
    });
    assert!(pieces.eq(above.iter()));
    let all = Span::new(at, Position::END);
    assert_eq!(order.sum(all), (Sum::of(&above), above.len() as u64));
    assert_eq!(order.count_after(at), above.len());
    let bytes = above.iter().map(ChatMessage::size_bound).sum();
    assert_eq!(order.size_after(at), (above.len(), bytes));
    let before = model.range(..=at).next_back().map(|(p, _)| *p);
    assert_eq!(order.last_until(at), before.unwrap_or_default());
    for size in [1, 63, 700] {
        let mut rest = &above[..];
        for part in order.parts(all, size) {
            let (now, later) = rest.split_at(size.min(rest.len()));
            assert_eq!((part.sum, part.count), (Sum::of(now), now.len() as u64));
            assert_eq!(Some(part.upto), now.last().map(ChatMessage::position));
            rest = later;
        }
        assert!(rest.is_empty());
    }
    let items = order.items(all);
    assert!(
        items
            .iter()
            .map(|i| i.position)
            .eq(above.iter().map(|m| m.position()))
    );
    assert!(
        items
            .iter()
            .zip(&above)
            .all(|(i, m)| i.hash == hash_of(m).short())
    );
    assert!(above.iter().all(|m| order.get(m.position()) == Some(m)));
    assert_eq!(order.get(at).is_some(), model.contains_key(&at));
    assert_eq!(order.count_before(at), model.range(..at).count());
}

#[test]
fn behaves_like_a_sorted_map() {
    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..20 {
        let (mut order, mut model) = (Order::default(), BTreeMap::new());
        for seq in 1..2_000 {
            // Mostly at the end, sometimes anywhere.
            let timestamp = if rng.u8(0..4) > 0 {
                seq * 10
            } else {
                rng.u64(1..20_000)
            };
            let m = message(timestamp, seq);
            model.insert(m.position(), m.clone());
            order.insert(m);
            if rng.u16(0..400) == 0 {
                let n = rng.usize(0..700);
                let dropped = order.drop_first(n);
                for m in &dropped {
                    assert_eq!(model.pop_first().map(|(_, m)| m).as_ref(), Some(m));
                }
                assert!(dropped.len() == n || model.is_empty());
            }
            if rng.u16(0..50) == 0 {
                let at = Position::new(rng.u64(0..20_000), Key(1), 0);
                let later = model.range(at..).next().map(|(p, _)| *p);
                let position = later.unwrap_or(at);
                assert_eq!(order.remove(position), model.remove(&position).is_some());
            }
            if seq % 97 == 0 {
                agrees(&order, &model, Position::new(rng.u64(0..20_000), Key(1), 0));
            }
        }
        agrees(&order, &model, Position::default());
    }
}

#[test]
fn a_run_goes_in_as_its_messages_one_by_one() {
    let mut rng = fastrand::Rng::with_seed(8);
    let (mut order, mut model) = (Order::default(), BTreeMap::new());
    let (mut seq, mut newest) = (0, 0);
    for _ in 0..120 {
        let length = rng.u64(0..3 * BLOCK_MAX as u64 / 2);
        // After everything, a little before, or anywhere; close together or far apart.
        let mut timestamp = match rng.u8(0..4) {
            0 => newest,
            1 => rng.u64(0..=newest),
            _ => newest.saturating_sub(rng.u64(0..2_000)),
        };
        let step = rng.u64(1..8);
        let run = (seq + 1..=seq + length).map(|n| {
            timestamp += rng.u64(1..=step);
            message(timestamp, n)
        });
        let run: Vec<_> = run.collect();
        seq += length;
        newest = newest.max(timestamp);
        order.insert_run(&run);
        model.extend(run.into_iter().map(|m| (m.position(), m)));
        agrees(
            &order,
            &model,
            Position::new(rng.u64(0..=newest), Key(1), 0),
        );
    }
    assert!(order.blocks.iter().all(|b| b.messages.len() <= BLOCK_MAX));
}
