//! What waits in runs against a plain set of messages.

use std::collections::BTreeMap;

use super::*;
use crate::wire::{Draft, Key};

fn draft(origin: u64, seq: u64) -> Draft<'static> {
    Draft {
        origin: Key(origin),
        seq,
        timestamp: 10 * seq + origin,
        sent_at: 0,
        from: 1,
        nick: "n".into(),
        dependencies: Vec::new().into(),
        text: "x".into(),
    }
}

fn message(origin: u64, seq: u64) -> ChatMessage {
    ChatMessage::new(&draft(origin, seq)).unwrap()
}

fn id(origin: u64, seq: u64) -> MessageId {
    let origin = Key(origin);
    MessageId { origin, seq }
}

fn waiter(origin: u64, seqs: std::ops::Range<u64>, missing: MessageId) -> Waiter {
    Waiter {
        run: seqs.map(|seq| message(origin, seq)).collect(),
        missing,
        coming: Coming {
            sender: Key(origin),
            is_below: false,
            is_wordless: false,
            at: Time::default(),
        },
    }
}

/// Removes what waits for one of these.
fn release(waiting: &mut Waiting, span: (MessageId, MessageId)) -> Vec<(MessageId, MessageId)> {
    let due = waiting.make_due(span).into_iter();
    due.filter_map(|(_, first)| waiting.remove(first).map(|w| w.span()))
        .collect()
}

/// Every message that waits.
type Model = BTreeMap<MessageId, ()>;

fn agrees(waiting: &Waiting, model: &Model) {
    assert_eq!(waiting.len(), model.len());
    assert_eq!(
        waiting.bytes,
        bytes(
            &waiting
                .iter()
                .flat_map(|w| w.run.clone())
                .collect::<Vec<_>>()
        )
    );
    let held = waiting.iter().flat_map(|w| &w.run).map(ChatMessage::id);
    assert!(held.eq(model.keys().copied()));
    let on = waiting.on.values().map(Vec::len).sum::<usize>();
    assert_eq!(on, waiting.waiters.len());
    for origin in 1..4 {
        for seq in 1..60 {
            let id = id(origin, seq);
            let found = waiting.find(id).map(|(_, m)| m.id());
            assert_eq!(found, model.contains_key(&id).then_some(id));
            let mut later = model.keys().filter(|k| k.origin == id.origin && **k >= id);
            let gap = later.clone().next().map_or(u64::MAX, |k| k.seq - seq);
            assert_eq!(waiting.gap_at(id), gap);
            let is_passed = later.any(|k| *k > id);
            assert_eq!(waiting.holds_later_than(id), is_passed);
            let ranges = waiting.ranges(id.origin, seq, seq + 4);
            let waits = (seq..=seq + 4).filter(|s| ranges.contains(*s));
            let expected = model.keys().filter(|k| k.origin == id.origin);
            let expected = expected
                .map(|k| k.seq)
                .filter(|s| (seq..=seq + 4).contains(s));
            assert!(waits.eq(expected));
        }
    }
}

#[test]
fn runs_wait_as_their_messages_would() {
    let mut rng = fastrand::Rng::with_seed(3);
    for _ in 0..60 {
        let (mut waiting, mut model) = (Waiting::default(), Model::new());
        for _ in 0..80 {
            let (origin, seq) = (rng.u64(1..4), rng.u64(2..50));
            match rng.u8(0..3) {
                0 => {
                    let end = seq + rng.u64(1..10).min(waiting.gap_at(id(origin, seq)));
                    if end > seq {
                        let missing = id(rng.u64(1..4), rng.u64(1..50));
                        waiting.insert(waiter(origin, seq..end, missing));
                        model.extend((seq..end).map(|seq| (id(origin, seq), ())));
                    }
                }
                1 => {
                    waiting.take_out(id(origin, seq));
                    model.remove(&id(origin, seq));
                }
                _ => {
                    let span = (id(origin, seq), id(origin, seq + rng.u64(0..5)));
                    let waits: Vec<_> = waiting.iter().map(|w| (w.span(), w.missing)).collect();
                    let due = waits.iter().filter(|w| span.0 <= w.1 && w.1 <= span.1);
                    let mut due: Vec<_> = due.map(|w| w.0).collect();
                    let mut released = release(&mut waiting, span);
                    due.sort_unstable();
                    released.sort_unstable();
                    assert_eq!(released, due);
                    model.retain(|id, ()| !due.iter().any(|w| w.0 <= *id && *id <= w.1));
                }
            }
            agrees(&waiting, &model);
        }
    }
}

#[test]
fn what_came_otherwise_parts_its_run() {
    let mut waiting = Waiting::default();
    waiting.insert(waiter(1, 2..8, id(1, 1)));
    waiting.take_out(id(1, 4));
    let waits: Vec<_> = waiting.iter().map(|w| (w.span(), w.missing)).collect();
    let before = ((id(1, 2), id(1, 3)), id(1, 1));
    // Nothing else is missing of what comes after it.
    let after = ((id(1, 5), id(1, 7)), id(1, 4));
    assert_eq!(waits, [before, after]);
    let released = release(&mut waiting, (id(1, 4), id(1, 4)));
    assert_eq!(released, [after.0]);
}

#[test]
fn there_is_room_for_so_many() {
    let mut waiting = Waiting::default();
    let run = waiter(1, 2..1_002, id(1, 1)).run;
    let mut origin = 0;
    while waiting.room_for(&run, limits::WAITING_MAX) == run.len() {
        origin += 1;
        waiting.insert(waiter(origin, 2..1_002, id(origin, 1)));
    }
    assert!(waiting.len() > 1_000 && waiting.len() <= limits::WAITING_MAX);
}

#[test]
fn what_waits_takes_so_many_bytes_at_most() {
    let text = "x".repeat(limits::TEXT_BYTES_MAX);
    let mut waiting = Waiting::default();
    for origin in 1..=12 {
        let long = |seq| {
            let mut draft = draft(origin, seq);
            draft.text = text.as_str().into();
            ChatMessage::new(&draft).unwrap()
        };
        let mut run: Vec<_> = (2..102).map(long).collect();
        run.truncate(waiting.room_for(&run, limits::WAITING_MAX));
        if !run.is_empty() {
            waiting.insert(Waiter {
                run,
                ..waiter(origin, 2..3, id(origin, 1))
            });
        }
    }
    let bytes = waiting.iter().flat_map(|w| &w.run).map(|m| m.text().len());
    let bytes = bytes.sum::<usize>();
    assert!(bytes > limits::WAITING_BYTES_MAX / 2 && bytes <= limits::WAITING_BYTES_MAX);
}

#[test]
fn what_was_said_last_makes_room_for_what_was_said_before() {
    let mut waiting = Waiting::default();
    waiting.insert(waiter(1, 20..24, id(2, 1)));
    waiting.insert(waiter(2, 30..31, id(3, 9)));
    // What was said after all that waits finds no room.
    assert_eq!(waiting.make_room(&[message(3, 40)], 5), []);
    // What was said before it does: the end of what is last gives way, and no more than that.
    assert_eq!(
        waiting.make_room(&[message(3, 2)], 5),
        [(id(2, 30), id(2, 30))]
    );
    assert_eq!(
        waiting.make_room(&[message(3, 2), message(3, 3)], 5),
        [(id(1, 23), id(1, 23))]
    );
    assert_eq!(
        (waiting.len(), waiting.room_for(&[message(3, 2)], 4)),
        (3, 1)
    );
    #[cfg(debug_assertions)]
    waiting.check_invariants(5);
}

#[test]
fn what_is_waited_for_is_so_since_the_first_came_that_waits_also_by_way_of_others() {
    let came = |at: u64, waiter: Waiter| Waiter {
        coming: Coming {
            at: Time(at),
            ..waiter.coming
        },
        ..waiter
    };
    let mut waiting = Waiting::default();
    waiting.insert(came(5, waiter(1, 1..2, id(2, 4))));
    // This holds what the first waits for.
    waiting.insert(came(9, waiter(2, 3..6, id(3, 7))));
    waiting.insert(came(7, waiter(4, 1..2, id(3, 7))));
    waiting.insert(came(8, waiter(5, 1..2, id(6, 1))));
    let awaited = |then| {
        waiting
            .awaited_since(Time(then))
            .into_iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(awaited(9), [(id(3, 7), Time(5)), (id(6, 1), Time(8))]);
    assert_eq!(awaited(5), [(id(3, 7), Time(5))]);
    assert_eq!(awaited(4), []);
}
