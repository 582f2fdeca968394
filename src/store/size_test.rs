//! The oldest go, from rows and blocks alike, and the file does not grow.

use super::*;

/// So many messages of one author from this number on, each at a time of its own.
fn many(origin: u64, seqs: std::ops::RangeInclusive<u64>) -> Vec<ChatMessage> {
    let one = |n| message(origin, n, n * 10 + origin, &format!("word{n} of {origin}"));
    seqs.map(one).collect()
}

fn all_of(store: &Store) -> Vec<ChatMessage> {
    store.held(usize::MAX).unwrap().newest
}

#[test]
fn the_oldest_are_deleted_in_steps_whether_they_are_rows_or_not() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    let mut expected = Vec::new();
    // Rows, blocks that overlap each other and the rows, and rows again.
    for (origin, seqs) in [
        (1, 1..=300),
        (2, 200..=900),
        (3, 500..=1_500),
        (1, 301..=340),
    ] {
        let messages = many(origin, seqs);
        if origin == 1 {
            messages
                .chunks(40)
                .for_each(|part| commit(&mut store, part));
        } else {
            commit(&mut store, &messages);
        }
        expected.extend(messages);
    }
    assert!(store.waiting_blocks() > 2);
    expected.sort_by_key(ChatMessage::position);
    let mut steps = 0;
    while !expected.is_empty() {
        let before = store.dropped_to();
        let dropped = store.drop_oldest().unwrap();
        assert!(dropped.upto > before && store.dropped_to() == dropped.upto);
        let gone = expected
            .iter()
            .take_while(|m| m.position() <= dropped.upto)
            .count();
        let mut ids: Vec<_> = expected.drain(..gone).map(|m| m.id()).collect();
        let mut told: Vec<_> = dropped.messages.iter().map(|m| m.id()).collect();
        ids.sort_unstable();
        told.sort_unstable();
        assert_eq!(told, ids);
        assert!(all_of(&store) == expected);
        if steps == 3 {
            // Somebody who opens it now finds the same.
            drop(store);
            store = open(&dir.file()).unwrap();
            assert_eq!(store.dropped_to(), dropped.upto);
            assert!(all_of(&store) == expected);
        }
        steps += 1;
    }
    assert!(steps > 5, "{steps}");
    assert_eq!(store.drop_oldest().unwrap(), Dropped::default());
}

#[test]
fn what_was_deleted_is_not_stored_again() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    let all = many(1, 1..=1_000);
    commit(&mut store, &all);
    let upto = store.drop_oldest().unwrap().upto;
    commit(&mut store, &all);
    let left: Vec<_> = all
        .iter()
        .filter(|m| m.position() > upto)
        .cloned()
        .collect();
    assert!(all_of(&store) == left);
    drop(store);
    let mut store = open(&dir.file()).unwrap();
    commit(&mut store, &all[..30]);
    assert!(all_of(&store) == left);
    assert!(all_of(&Store::open_for_reading(&dir.file(), None).unwrap()) == left);
}

#[test]
fn pages_that_become_free_are_used_again() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    let (mut next, mut most) = (1, 0);
    for round in 0..200 {
        commit(&mut store, &many(1, next..=next + 99));
        next += 100;
        // Some are rows, and their words are indexed.
        if round % 3 > 0 {
            store.make_rows().unwrap();
        }
        while store.index(1_000, u64::MAX).unwrap() {}
        while store.disk_use().unwrap().used > 500_000 {
            assert!(!store.drop_oldest().unwrap().messages.is_empty());
        }
        most = most.max(store.disk_use().unwrap().file);
    }
    assert!(most < 600_000, "{most}");
    let (kept, search) = (all_of(&store), Search::default());
    assert!(kept.len() > 1_000, "{}", kept.len());
    assert_eq!(kept.last().map(ChatMessage::seq), Some(next - 1));
    assert_eq!(texts(&store, &search).len(), kept.len());
    let words = Some(format!("word{}", next - 1));
    assert_eq!(texts(&store, &Search { words, ..search }).len(), 1);
    assert!(store.disk_use().unwrap().log > 0);
}

/// Limits for a file of so many bytes.
fn limits(file: u64) -> SizeLimits {
    SizeLimits {
        file,
        used: file - file / 8,
        log: file / 4,
    }
}

/// A large file with rows, some of which are in the index, and blocks.
fn large(path: &Path) -> Vec<ChatMessage> {
    let mut store = open(path).unwrap();
    let all = many(1, 1..=20_000);
    for part in all.chunks(1_000) {
        commit(&mut store, part);
    }
    for _ in 0..20 {
        store.make_rows().unwrap();
    }
    while store.index(1_000, u64::MAX).unwrap() {}
    assert!(store.waiting_blocks() > 10);
    close(store);
    all
}

#[test]
fn a_file_is_made_to_fit_and_has_the_newest() {
    let dir = Scratch::new();
    let path = dir.file();
    let all = large(&path);
    let before = fs::metadata(&path).unwrap().len();
    let mut store = Store::open_unlocked(&path, &owner(), 1_000, true).unwrap();
    let mut told = 0;
    store.shrink(limits(before), || told += 1).unwrap();
    assert_eq!((told, all_of(&store) == all), (0, true), "it fits");
    store.shrink(limits(500_000), || told += 1).unwrap();
    assert_eq!(told, 1);
    let left = all_of(&store);
    assert!(left.len() > 1_000 && all.ends_with(&left), "{}", left.len());
    let taken = store.disk_use().unwrap();
    assert!(taken.file <= 500_000 && taken.log == 0, "{taken:?}");
    assert_eq!(fs::metadata(&path).unwrap().len(), taken.file);
    let first = all.len() - left.len();
    assert_eq!(store.dropped_to(), all[first - 1].position());
    drop(store);
    let store = open(&path).unwrap();
    assert!(all_of(&store) == left);
    assert_eq!(store.dropped_to(), all[first - 1].position());
}

#[test]
fn a_file_that_becomes_shorter_once_its_log_is_in_it_was_not_emptied() {
    let dir = Scratch::new();
    let path = dir.file();
    large(&path);
    let before = fs::metadata(&path).unwrap().len();
    let reader = Store::open_for_reading(&path, None).unwrap();
    let reading = reader.moment().unwrap();
    assert!(reader.owner().is_ok());
    let mut helping = Store::open_unlocked(&path, &owner(), 1_000, true).unwrap();
    helping.shrink(limits(500_000), || {}).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), before);
    let mut store = open(&path).unwrap();
    drop(helping);
    store.look().unwrap();
    commit(&mut store, &many(2, 1..=3));
    drop(reading);
    store.checkpoint().unwrap();
    assert!(fs::metadata(&path).unwrap().len() < before / 2);
    store.look().unwrap();
    fs::File::create(&path).unwrap();
    assert!(matches!(store.look(), Err(StoreError::Emptied)));
}

#[test]
fn what_is_indexed_together_is_bounded_by_its_bytes() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    let long = |n| message(1, n, n, &format!("{n} {}", "word ".repeat(2_000)));
    commit(&mut store, &(1..=5).map(long).collect::<Vec<_>>());
    let more = [(); 3].map(|()| store.index(50, 16 * 1024).unwrap());
    assert_eq!(more, [true, true, false]);
}
