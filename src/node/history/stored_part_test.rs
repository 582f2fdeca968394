use super::*;
use crate::limits;
use crate::node::history::Ranges;
use crate::wire::made::message as saying;
use crate::wire::{Chunk, Span, Sum};
use std::collections::BTreeMap;

fn message(key: u64, seq: u64, timestamp: u64) -> ChatMessage {
    saying(key, seq, timestamp, "x")
}

fn long(key: u64, seq: u64, timestamp: u64) -> ChatMessage {
    saying(key, seq, timestamp, &"x".repeat(16_000))
}

fn plain(max: usize) -> History {
    let mut config = crate::node::rig::config();
    config.history_max = max;
    History::new(&config)
}

/// What starts at `after` and lacks nothing of `skip`.
fn fetch(after: Position, skip: &[SeqRange]) -> Fetch {
    Fetch {
        no: 1,
        after,
        spans: vec![Span::new(Position::default(), Position::END)],
        skip: skip.to_vec(),
        floor: None,
        want: Vec::new(),
    }
}

fn storing(max: usize) -> History {
    let mut history = plain(max);
    history.restore(Restored::default());
    history
}

/// Everything that is unstored is committed.
fn store_all(history: &mut History, disk: &mut BTreeMap<Position, ChatMessage>) {
    disk.extend(history.unstored().map(|m| (m.position(), m.clone())));
    while history.pop_stored(usize::MAX).is_some() {}
}

fn restored(disk: &BTreeMap<Position, ChatMessage>, max: usize) -> Restored {
    let mut ranges: BTreeMap<Key, Ranges> = BTreeMap::new();
    for m in disk.values() {
        ranges.entry(m.origin()).or_default().insert(m.seq());
    }
    let ranges = ranges
        .iter()
        .flat_map(|(key, r)| r.iter().map(|(a, b)| SeqRange::new(*key, a, b)));
    let older = disk.len().saturating_sub(max);
    let mut buckets = Buckets::default();
    disk.values().take(older).for_each(|m| buckets.push(m));
    Restored {
        ranges: ranges.collect(),
        newest: disk.values().skip(older).cloned().collect(),
        until: match older {
            0 => Position::default(),
            n => *disk.keys().nth(n - 1).expect("there are so many"),
        },
        buckets: buckets.parts().to_vec(),
        dropped_to: Position::default(),
    }
}

#[test]
fn what_leaves_memory_is_still_held_and_the_floor_stays() {
    let (mut history, mut disk) = (storing(10), BTreeMap::new());
    let mut other = plain(usize::MAX);
    for n in 1..=3_000 {
        let m = message(1 + n % 3, n.div_ceil(3), n * 10);
        assert!(history.insert(m.clone()) && other.insert(m));
        store_all(&mut history, &mut disk);
    }
    assert!(history.iter().count() <= 10 + SLACK);
    assert_eq!(history.len(), 3_000);
    assert_eq!(history.floor(), Position::default());
    assert_eq!(history.digest(), other.digest());
    assert_eq!(history.taken_ranges(), other.taken_ranges());
    let all = history.digest_above(Position::default());
    assert_eq!(all, other.digest_above(Position::default()));
    assert_eq!(history.digest_above(Position::new(100, Key(0), 0)), None);
    let high = Position::new(29_995, Key(0), 0);
    assert_eq!(history.digest_above(high), other.digest_above(high));
    let first = message(2, 1, 10);
    assert!(history.is_settled(first.id()) && !history.insert(first));
}

#[test]
fn a_history_that_was_restored_is_the_one_that_was_stored() {
    let mut rng = fastrand::Rng::with_seed(3);
    let (mut history, mut disk) = (storing(50), BTreeMap::new());
    for n in 1..=500 {
        // With holes, and in any order.
        let timestamp = rng.u64(1..100_000);
        history.insert(message(rng.u64(1..5), n * rng.u64(1..3), timestamp));
    }
    store_all(&mut history, &mut disk);
    let mut again = plain(50);
    again.restore(restored(&disk, 50));
    assert_eq!(again.iter().count(), 50);
    assert_eq!(
        (again.len(), again.digest()),
        (history.len(), history.digest())
    );
    assert_eq!(again.taken_ranges(), history.taken_ranges());
    assert_eq!(again.newest(), history.newest());
    for m in disk.values() {
        assert!(again.contains(m.id()) && !again.insert(m.clone()));
    }
    assert_eq!(again.unstored_len(), 0);
}

#[test]
fn what_is_older_than_memory_goes_to_the_store_only() {
    let disk: BTreeMap<_, _> = (1..=100)
        .map(|n| message(1, n, n * 100))
        .map(|m| (m.position(), m))
        .collect();
    let mut history = plain(10);
    history.restore(restored(&disk, 10));
    let old = message(2, 1, 150);
    assert!(history.insert(old.clone()));
    assert_eq!((history.len(), history.iter().count()), (101, 10));
    assert!(history.unstored().eq([&old]));
    assert_eq!(history.safe_end(Key(2), 1), 0);
    history.pop_stored(1);
    assert_eq!(history.safe_end(Key(2), 1), 1);
    assert_eq!(history.safe_end(Key(1), 1), 100);
}

#[test]
fn a_peer_is_sent_to_the_store_only_for_what_it_lacks_there() {
    let disk: BTreeMap<_, _> = (1..=100)
        .map(|n| message(1, n, n * 100))
        .map(|m| (m.position(), m))
        .collect();
    let mut history = plain(10);
    history.restore(restored(&disk, 10));
    let start = Position::default();
    let until = message(1, 90, 9_000).position();
    assert_eq!(
        history.stored_until(&fetch(start, &[])),
        Some((start, until))
    );
    let most = [SeqRange::new(Key(1), 1, 89)];
    assert_eq!(
        history.stored_until(&fetch(start, &most)),
        Some((start, until))
    );
    let all = [SeqRange::new(Key(1), 1, 90)];
    assert_eq!(history.stored_until(&fetch(start, &all)), None);
    assert_eq!(history.stored_until(&fetch(until, &[])), None);
    let Chunk { messages, next, .. } = history.chunk(&fetch(start, &all));
    assert_eq!((messages.len(), next), (10, None));
}

#[test]
fn long_messages_leave_memory_sooner() {
    let (mut other, mut history) = (plain(2_000), storing(2_000));
    let mut disk = BTreeMap::new();
    for seq in 1..=4_000 {
        let m = long(1, seq, seq);
        assert!(other.insert(m.clone()) && history.insert(m));
        store_all(&mut history, &mut disk);
    }
    let max = limits::HISTORY_BYTES_MIN;
    assert!((max - 17_000..=max).contains(&other.order.bytes()));
    assert!(other.floor() > Position::default());
    let late = SLACK * 17_000;
    assert!(
        history.order.bytes() <= max + late,
        "{}",
        history.order.bytes()
    );
    assert_eq!(
        (history.len(), history.floor()),
        (4_000, Position::default())
    );
}

#[test]
fn a_run_that_a_rising_floor_overtakes_is_what_its_messages_one_by_one_are() {
    let (mut whole, mut single) = (storing(2_000), storing(2_000));
    let first = message(1, 1, 1_000_000);
    let run: Vec<_> = (1..=2_100).map(|n| long(2, n, n)).collect();
    for history in [&mut whole, &mut single] {
        history.insert(first.clone());
    }
    assert!(whole.takes_run(&run[0]));
    whole.insert_run(&run);
    for message in &run {
        if !single.insert(message.clone()) {
            single.settle(message);
        }
    }
    assert!(whole.floor() >= first.position(), "it was given up");
    assert!(whole.unstored().eq(single.unstored()));
    let all = whole.unstored_len() as u64 + whole.given_up_count();
    assert_eq!(all, 2_101, "each waits for the store, or is given up");
    assert_eq!(whole.floor(), single.floor());
    assert_eq!(
        (whole.len(), whole.digest()),
        (single.len(), single.digest())
    );
    assert!(whole.iter().eq(single.iter()));
}

#[test]
fn a_run_is_taken_in_as_its_messages_one_by_one_are() {
    let (mut runs, mut single) = (storing(2_000), storing(2_000));
    let mut rng = fastrand::Rng::with_seed(3);
    let mut next = [1, 1, 1];
    for round in 0..300 {
        let author = rng.usize(..next.len());
        let first = next[author];
        next[author] += rng.u64(1..100);
        let run: Vec<_> = (first..next[author])
            .map(|seq| message(author as u64 + 1, seq, seq * 3))
            .collect();
        runs.insert_run(&run);
        for message in &run {
            single
                .origin_mut(message.origin())
                .take_range(message.seq(), message.seq());
            single.insert(message.clone());
        }
        assert!(runs.unstored().eq(single.unstored()));
        let stored = rng.usize(..runs.unstored_len() + 1);
        for history in [&mut runs, &mut single] {
            let (before, mut left) = (history.unstored_len(), stored);
            while left > 0 {
                left -= history.pop_stored(left).expect("there are so many").1;
            }
            assert_eq!(history.unstored_len(), before - stored);
        }
        assert!(runs.iter().eq(single.iter()), "{round}");
        assert_eq!((runs.len(), runs.digest()), (single.len(), single.digest()));
        for key in (1..=3).map(Key) {
            assert_eq!(runs.stored_end(key, 1), single.stored_end(key, 1));
        }
    }
}

#[test]
fn nothing_unstored_leaves_memory_until_a_whole_history_is() {
    let mut history = storing(2_000);
    for n in 1..=1_000 {
        history.insert(message(1, n, n));
        history.pop_stored(1);
    }
    for n in 1_001..=3_000 {
        history.insert(long(2, n - 1_000, n));
    }
    assert_eq!((history.len(), history.unstored_len()), (3_000, 2_000));
    assert_eq!(history.floor(), Position::default());
    history.insert(long(2, 2_001, 3_001));
    assert!(history.unstored_len() < 2_000);
    let given_up = 2_001 - history.unstored_len() as u64;
    assert_eq!(
        history.floor(),
        message(2, given_up, 1_000 + given_up).position()
    );
    assert_eq!(history.len(), history.unstored_len());
    let mut other = plain(100_000);
    for m in history.iter() {
        other.insert(m.clone());
    }
    assert_eq!(history.digest(), other.digest());
    let all: Vec<_> = history.take_given_up().into_iter().collect();
    let mut seqs = Ranges::default();
    seqs.insert_range(1, given_up);
    assert_eq!(all, [(Key(2), seqs)]);
    assert_eq!(history.given_up_count(), given_up);
    assert!(history.take_given_up().is_empty(), "it is said once");
    // It works again: what was given up is never confirmed, and the rest is once that is known to be missed.
    let mut disk = BTreeMap::new();
    store_all(&mut history, &mut disk);
    assert_eq!(disk.len() as u64, 2_001 - given_up);
    assert_eq!(history.safe_end(Key(2), 1), 0);
    history.origin_mut(Key(2)).miss(1, given_up);
    assert_eq!(history.safe_end(Key(2), 1), 2_001);
    assert!(history.is_settled(message(1, 5, 5).id()));
}

/// With a store only what is stored may be confirmed, wherever the floor is.
#[test]
fn what_comes_below_the_floor_and_is_owed_goes_to_the_store() {
    let (mut history, mut disk) = (storing(10), BTreeMap::new());
    history.insert(message(1, 1, 50));
    store_all(&mut history, &mut disk);
    history.raise_floor(message(1, 1, 50).position());
    let late = message(2, 1, 20);
    assert!(!history.insert(late.clone()));
    history.settle(&late);
    assert_eq!((history.len(), history.unstored_len()), (0, 1));
    assert_eq!(history.safe_end(Key(2), 1), 0);
    store_all(&mut history, &mut disk);
    assert_eq!(history.safe_end(Key(2), 1), 1);
    assert!(disk.contains_key(&late.position()) && !history.contains(late.id()));
    #[cfg(debug_assertions)]
    history.check_invariants();
}

#[test]
fn what_takes_little_room_each_is_given_up_in_few_steps() {
    let mut config = crate::node::rig::config();
    (config.history_max, config.unstored_bytes_max) = (3, 100_000);
    let mut history = History::new(&config);
    history.restore(Restored::default());
    let mut steps = 0;
    for n in 1..=10_000 {
        history.insert(message(1, n, n));
        steps += usize::from(!history.take_given_up().is_empty());
    }
    assert!((1..200).contains(&steps), "{steps}");
    assert_eq!(
        history.given_up_count() + history.unstored_len() as u64,
        10_000
    );
}

#[test]
fn memory_is_bounded_while_nothing_can_be_stored() {
    let mut history = storing(1_000);
    for n in 1..=50_000 {
        history.insert(long(1, n, n));
        let in_memory = history.iter().count() + history.unstored_len();
        assert!(in_memory <= 2 * (1_000 + SLACK), "{in_memory}");
    }
}

#[test]
fn the_longest_ranges_are_named_when_there_are_too_many() {
    let mut history = storing(10);
    for key in 1..=2_000 {
        history.insert(message(key, 1, key));
    }
    for seq in 2..=5 {
        history.insert(message(1_999, seq, 10_000 + seq));
    }
    let ranges = history.taken_ranges();
    assert_eq!(ranges.len(), crate::limits::SKIP_RANGES_MAX);
    assert!(ranges.contains(&SeqRange::new(Key(1_999), 1, 5)));
}

#[test]
fn authors_of_whom_only_the_store_has_something_take_little_memory() {
    const AUTHORS: u64 = 12_000;
    let (mut history, mut disk) = (storing(10), BTreeMap::new());
    let mut other = plain(usize::MAX);
    for n in 1..=AUTHORS {
        let m = message(n, 1, n * 10);
        assert!(history.insert(m.clone()) && other.insert(m));
        store_all(&mut history, &mut disk);
    }
    let many = limits::ORIGINS_IDLE_MAX + 2 * (SLACK + 10);
    assert!(history.authors() <= many, "{}", history.authors());
    assert_eq!(history.len() as u64, AUTHORS);
    assert_eq!(history.digest(), other.digest());
    let mut again = plain(10);
    again.restore(restored(&disk, 10));
    assert_eq!((again.authors(), again.shelved_authors()), (10, 11_990));
    for history in [&mut history, &mut again] {
        let old = message(7, 1, 70);
        assert!(history.contains(old.id()) && history.has_taken(old.id()));
        assert!(history.is_settled(old.id()) && !history.insert(old.clone()));
        assert_eq!(history.highest(Key(7)), 1);
        assert_eq!(history.taken_ranges(), other.taken_ranges());
        // It is known as any other from then on, and says more.
        assert!(history.insert(message(8, 2, AUTHORS * 20)));
        assert_eq!(history.stored_end(Key(8), 1), 1);
        let want = vec![SeqRange::new(Key(9), 1, 1)];
        let wants = Fetch {
            spans: Vec::new(),
            want,
            ..fetch(Position::default(), &[])
        };
        assert!(history.stored_until(&wants).is_some());
        assert_eq!(history.len() as u64, AUTHORS + 1);
        #[cfg(debug_assertions)]
        history.check_invariants();
    }
}
/// A store that drops its oldest: what is in memory stays, what is in the store only is gone, and the floor is
/// above all that is gone.
#[test]
fn what_the_store_deletes_is_gone_once_it_is_in_memory_no_more() {
    for (memory, kept) in [(10, 2_000), (5_000, 500), (1_500, 1_400)] {
        let (mut history, mut disk) = (storing(memory), BTreeMap::new());
        let (mut dropped_to, mut all) = (Position::default(), BTreeMap::new());
        for n in 1..=9_000 {
            let next = message(1 + n % 3, n.div_ceil(3), n * 10);
            all.insert(next.position(), next.clone());
            history.insert(next);
            store_all(&mut history, &mut disk);
            disk.retain(|position, _| *position > dropped_to);
            if disk.len() > kept + 100 {
                let gone: Vec<_> = disk.keys().take(100).copied().collect();
                dropped_to = gone[99];
                disk.retain(|position, _| *position > dropped_to);
                let gone: Vec<_> = gone.iter().filter_map(|p| all.get(p).cloned()).collect();
                history.drop_stored(&gone, dropped_to);
            }
            if n % 97 > 0 {
                continue;
            }
            let in_memory: Vec<_> = history.iter().map(ChatMessage::position).collect();
            let mut held: std::collections::BTreeSet<Position> = disk.keys().copied().collect();
            held.extend(in_memory.iter());
            assert_eq!(history.len(), held.len(), "{memory} in memory, after {n}");
            let is = |p: &Position| all.get(p).cloned();
            let there: Vec<ChatMessage> = held.iter().filter_map(is).collect();
            let digest = Sum::of(&there).digest(there.len() as u64);
            assert_eq!(history.digest(), digest);
            let mut ids = held.iter().map(|p| p.id());
            assert!(ids.all(|id| history.contains(id)));
            assert!(held.first().is_some_and(|first| *first > history.floor()));
            assert_eq!(
                history.floor() > Position::default(),
                held.len() < n as usize
            );
            // It is still known to have been stored.
            assert_eq!(history.stored_end(Key(2), 1), n.div_ceil(3));
        }
    }
}

/// A node that comes back asks for nothing that its store has deleted.
#[test]
fn a_store_that_has_deleted_some_is_a_floor_from_the_start_on() {
    let messages = (1..=300).map(|n| message(1, n, n * 10));
    let disk: BTreeMap<_, _> = messages.map(|m| (m.position(), m)).collect();
    let dropped_to = Position::new(9, Key(7), 1);
    let mut history = plain(50);
    history.restore(Restored {
        dropped_to,
        ..restored(&disk, 50)
    });
    assert_eq!((history.floor(), history.len()), (dropped_to, 300));
    assert!(
        !history.insert(message(2, 1, 5)),
        "older than what was deleted"
    );
    assert!(history.insert(message(2, 2, 15)));
}
