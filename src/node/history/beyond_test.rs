//! Lines dated too far ahead for anybody to write after them.

use super::*;
use crate::node::history::Restored;
use crate::wire::made::message;
use crate::wire::{ChatMessage, Key};

const NOW: u64 = 1_000;
const AHEAD: u64 = 1_000_000;

/// A history of so many messages, whose reach is between now and what is dated ahead.
fn history(max: usize, stores: bool) -> History {
    let mut config = crate::node::rig::config();
    config.history_max = max;
    let mut history = History::new(&config);
    if stores {
        history.restore(Restored::default());
    }
    history.set_reach(Position::new(AHEAD - 1, Key(u64::MAX), u64::MAX));
    history
}

fn add(history: &mut History, message: &ChatMessage) {
    if !history.insert(message.clone()) {
        history.settle(message);
    }
    let all = history.unstored_len();
    history.pop_stored(all.min(1));
}

fn seqs(history: &History, author: u64) -> Vec<u64> {
    let of_author = history.iter().filter(|m| m.origin() == Key(author));
    of_author.map(ChatMessage::seq).collect()
}

#[test]
fn what_is_dated_far_ahead_takes_no_room_of_what_is_said_now() {
    for stores in [false, true] {
        let mut history = history(3, stores);
        for n in 1..=9 {
            add(&mut history, &message(7, n, AHEAD + n, "x"));
        }
        for n in 1..=5 {
            add(&mut history, &message(1, n, NOW + n, "x"));
        }
        assert_eq!(seqs(&history, 7), (1..=9).collect::<Vec<_>>());
        let kept = if stores { 1..=5 } else { 3..=5 };
        assert_eq!(seqs(&history, 1), kept.collect::<Vec<_>>());
        assert_eq!(history.room_beyond_reach(), BEYOND_REACH_MIN - 9);
        assert_eq!(history.newest_within_reach().timestamp, NOW + 5);
        assert_eq!(history.newest().timestamp, AHEAD + 9);
        // A day later they are the newest, as they say.
        history.set_reach(Position::END);
        assert_eq!(history.newest_within_reach().timestamp, AHEAD + 9);
        add(&mut history, &message(1, 6, AHEAD + 10, "x"));
        if !stores {
            assert_eq!(seqs(&history, 7), [8, 9]);
            assert_eq!(seqs(&history, 1), [6]);
        }
    }
}

#[test]
fn long_lines_dated_far_ahead_take_no_room_either() {
    let mut history = history(3, false);
    let text = "x".repeat(16_000);
    for n in 1..=3 {
        add(&mut history, &message(1, n, NOW + n, &text));
    }
    for n in 1..=3 {
        add(&mut history, &message(7, n, AHEAD + n, &text));
    }
    assert_eq!(history.beyond_reach().0, 3);
    assert!(history.beyond_reach().1 > 48_000);
    assert_eq!(seqs(&history, 1), [1, 2, 3]);
    assert_eq!(history.excess(), 0);
}

#[test]
fn a_disk_that_takes_nothing_lifts_the_floor_to_nothing_dated_far_ahead() {
    let mut config = crate::node::rig::config();
    (config.history_max, config.unstored_bytes_max) = (20, 1);
    let mut history = History::new(&config);
    history.restore(Restored::default());
    history.set_reach(Position::new(AHEAD - 1, Key(u64::MAX), u64::MAX));
    for n in 1..=20 {
        history.insert(message(7, n, AHEAD + n, "x"));
    }
    for n in 1..=10 {
        history.insert(message(1, n, NOW + n, "x"));
    }
    assert!(history.given_up_count() > 0);
    assert!(history.floor().timestamp < AHEAD);
    assert_eq!(seqs(&history, 1), (1..=10).collect::<Vec<_>>());
    let given_up = history.take_given_up();
    let of_liar = given_up[&Key(7)].iter().next();
    assert_eq!(of_liar.map(|(first, _)| first), Some(1));
    assert!(!seqs(&history, 7).contains(&1), "it is not held either");
    history.check_invariants();
}
