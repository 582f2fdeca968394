//! Messages that wait in blocks: they are read as rows are, and become rows.

use super::*;
use crate::limits::{ARRIVED_BLOCKS_MAX, BATCH_BYTES_MAX as CHUNK};
use crate::store::arrived::PIECE;
use crate::store::waiting::BLOCK_MIN;

/// So many messages of one author from this number on, each at a time of its own.
fn many(origin: u64, seqs: std::ops::RangeInclusive<u64>) -> Vec<ChatMessage> {
    let one = |n| message(origin, n, n * 10 + origin, &format!("word{n} of {origin}"));
    seqs.map(one).collect()
}

fn rows(store: &Store) -> i64 {
    let sql = "SELECT count(*) FROM messages";
    store
        .connection
        .query_row(sql, [], |row| row.get(0))
        .unwrap()
}

/// Everything that the file holds, a chunk at a time.
fn all_of(store: &Store) -> Vec<ChatMessage> {
    let (mut all, mut upto) = (Vec::new(), Position::default());
    while upto < Position::END {
        let found = store
            .between(upto, Position::END, Portion::CHUNK, |_| true)
            .unwrap();
        assert!(found.upto > upto, "it goes on");
        let bytes: usize = found.messages.iter().map(|m| m.size_bound()).sum();
        assert!(bytes < CHUNK + 20_000);
        all.extend(found.messages);
        upto = found.upto;
    }
    all
}

/// What each way of reading gives is these messages, whether they are rows or not.
fn check(store: &Store, expected: &[ChatMessage]) {
    let mut expected = expected.to_vec();
    expected.sort_by_key(|m| m.position());
    assert!(all_of(store) == expected);
    let mut searched = Vec::new();
    let mut take = |m: &ChatMessage| {
        searched.push(m.clone());
        true
    };
    store.search(&Search::default(), &mut take).unwrap();
    assert!(searched == expected);
    let ids: usize = (store.ranges().unwrap().iter())
        .map(|r| usize::try_from(r.last - r.first + 1).unwrap())
        .sum();
    assert_eq!(ids, expected.len());
    for newest in [0, 1, 700, expected.len(), usize::MAX] {
        let held = store.held(newest).unwrap();
        let from = expected.len().saturating_sub(newest);
        assert!(held.newest == expected[from..], "{newest}");
        let before = from.checked_sub(1).map(|n| expected[n].position());
        assert_eq!(held.until, before.unwrap_or_default());
    }
    let some = Search {
        words: Some("word7*".into()),
        from: Some("NICK 2".into()),
        ..Search::default()
    };
    let fits = |m: &&ChatMessage| m.text().starts_with("word7") && m.nick() == "nick 2";
    let fitting: Vec<_> = expected
        .iter()
        .filter(fits)
        .map(|m| m.text().to_owned())
        .collect();
    assert_eq!(texts(store, &some), fitting);
    let some = Search {
        words: None,
        ..some
    };
    let count = expected.iter().filter(|m| m.nick() == "nick 2").count();
    assert_eq!(texts(store, &some).len(), count);
}

#[test]
fn what_comes_many_at_a_time_is_stored_before_it_is_rows() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    let few = many(1, 1..=BLOCK_MIN as u64 - 1);
    commit(&mut store, &few);
    assert_eq!(
        (rows(&store), store.waiting_blocks()),
        (few.len() as i64, 0)
    );
    let first = many(1, few.len() as u64 + 1..=2_000);
    let second = many(2, 1..=2_000);
    commit(&mut store, &first);
    commit(&mut store, &second);
    // What is left over of a commit is too little for a block.
    let left_over = rows(&store) - few.len() as i64;
    assert!(
        (0..2 * BLOCK_MIN as i64).contains(&left_over),
        "{left_over}"
    );
    let mut all = [few, first, second].concat();
    check(&store, &all);
    // A message at a time becomes a row at once, though others wait.
    let one = many(3, 1..=1);
    commit(&mut store, &one);
    all.extend(one);
    let reader = Store::open_for_reading(&dir.file(), None).unwrap();
    let mut before = store.waiting_blocks();
    assert!(before > 6);
    while store.waiting_blocks() > 0 {
        check(&reader, &all);
        check(&store, &all);
        store.make_rows().unwrap();
        assert_eq!(store.waiting_blocks(), before - 1);
        before -= 1;
    }
    assert_eq!((rows(&store), store.waiting_bytes()), (all.len() as i64, 0));
    check(&reader, &all);
    // There is nothing more to do.
    store.make_rows().unwrap();
    check(&store, &all);
}

#[test]
fn a_message_in_a_block_and_in_a_row_is_one() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    let all = many(1, 1..=1_000);
    for n in [10, 20, 500, 999] {
        commit(&mut store, &all[n..=n]);
    }
    commit(&mut store, &all);
    // A commit that did not count was made again.
    commit(&mut store, &all[300..]);
    check(&store, &all);
    store.make_rows().unwrap();
    check(&store, &all);
    commit(&mut store, &all[..200]);
    check(&store, &all);
    while store.waiting_blocks() > 0 {
        store.make_rows().unwrap();
    }
    check(&store, &all);
    assert_eq!(rows(&store), 1_000);
}

#[test]
fn a_file_whose_writer_ended_has_its_blocks_when_it_is_opened_again() {
    let dir = Scratch::new();
    let path = dir.file();
    let mut store = open(&path).unwrap();
    let all = many(2, 1..=3_000);
    for part in all.chunks(1_000) {
        commit(&mut store, part);
    }
    store.make_rows().unwrap();
    let (blocks, bytes) = (store.waiting_blocks(), store.waiting_bytes());
    assert!(blocks > 1);
    // As after kill -9: nothing was closed.
    let copy = dir.0.join("copy.db");
    for end in ["", "-wal"] {
        fs::copy(beside(&path, end), beside(&copy, end)).unwrap();
    }
    drop(store);
    for path in [&path, &copy] {
        let reader = Store::open_for_reading(path, None).unwrap();
        check(&reader, &all);
        drop(reader);
        let mut store = open(path).unwrap();
        assert_eq!(
            (store.waiting_blocks(), store.waiting_bytes()),
            (blocks, bytes)
        );
        check(&store, &all);
        store.make_rows().unwrap();
        check(&store, &all);
    }
}

#[test]
fn blocks_do_not_lie_upon_each_other_without_end() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    // Each commit has something old and something new: as blocks they would all overlap.
    let (count, each) = (60, BLOCK_MIN as u64);
    let mut all = Vec::new();
    for n in 0..count {
        let mut part = many(1, n * each + 1..=(n + 1) * each);
        let ends = [n + 1, 1_000_000 - n];
        part.extend(ends.map(|at| message(7, at, at, "far off")));
        commit(&mut store, &part);
        all.extend(part);
    }
    check(&store, &all);
    let ranges = store.waiting_blocks();
    assert!(ranges <= 40, "{ranges}");
    // The old that comes beside the new becomes blocks of its own.
    let mut store = open(&dir.0.join("second.db")).unwrap();
    let mut all = Vec::new();
    for n in 0..40 {
        let old = many(2, n * each + 1..=(n + 1) * each);
        let new = many(1, 100_000 + n * each..=100_000 + (n + 1) * each - 1);
        let part = [old, new].concat();
        commit(&mut store, &part);
        all.extend(part);
    }
    assert!(store.waiting_blocks() > 60, "{}", store.waiting_blocks());
    check(&store, &all);
}

#[test]
fn only_so_many_blocks_wait() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    let sql = format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {ARRIVED_BLOCKS_MAX})
         INSERT INTO arrived (least, greatest, count, bytes, messages)
         SELECT zeroblob(24), zeroblob(24), 0, 1, x'01' FROM n"
    );
    store.connection.execute_batch(&sql).unwrap();
    drop(store);
    store = open(&dir.file()).unwrap();
    assert_eq!(store.waiting_blocks(), ARRIVED_BLOCKS_MAX);
    let all = many(1, 1..=1_000);
    commit(&mut store, &all);
    assert_eq!(store.waiting_blocks(), ARRIVED_BLOCKS_MAX);
    assert_eq!(rows(&store), 1_000);
    store.make_rows().unwrap();
    assert_eq!(store.waiting_blocks(), ARRIVED_BLOCKS_MAX - 1);
}

#[test]
fn a_damaged_block_is_told_and_stays() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    commit(&mut store, &many(1, 1..=2 * PIECE as u64));
    let spoil = "UPDATE arrived SET messages = x'0100ff' WHERE id = 1";
    store.connection.execute_batch(spoil).unwrap();
    assert!(matches!(store.make_rows(), Err(StoreError::Damaged(_))));
    let found = store.between(Position::default(), Position::END, Portion::CHUNK, |_| true);
    assert!(matches!(found, Err(StoreError::Damaged(_))));
    assert!(matches!(store.ranges(), Err(StoreError::Damaged(_))));
}

#[test]
fn a_file_of_version_1_is_read_and_brought_up_to_date() {
    let dir = Scratch::new();
    let path = dir.file();
    let all = many(2, 1..=100);
    {
        let old = Connection::open(&path).unwrap();
        old.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        old.execute_batch(schema::STEPS[0]).unwrap();
        let room = "INSERT INTO room VALUES ('lobby', NULL, 1000, zeroblob(24), 0)";
        old.execute_batch(room).unwrap();
        let mut insert = old.prepare(schema::INSERT).unwrap();
        for message in &all[..90] {
            schema::insert(&mut insert, message).unwrap();
        }
        drop(insert);
        old.pragma_update(None, "application_id", schema::APPLICATION_ID)
            .unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
    }
    // Whoever only reads changes nothing.
    let reader = Store::open_for_reading(&path, Some(&owner())).unwrap();
    check(&reader, &all[..90]);
    let version = |path: &Path| {
        let database = Connection::open(path).unwrap();
        database
            .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(version(&path), 1);
    let mut store = open(&path).unwrap();
    check(&store, &all[..90]);
    commit(&mut store, &all);
    assert!(store.waiting_blocks() > 0);
    check(&store, &all);
    drop(store);
    assert_eq!(version(&path), schema::VERSION);
    check(&open(&path).unwrap(), &all);
    // One who opened it before that reads the rest after opening it again.
    check(&reader, &all[..90]);
    check(&Store::open_for_reading(&path, None).unwrap(), &all);
}

#[test]
fn while_somebody_else_writes_a_block_stays_and_is_tried_again() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    let all = many(1, 1..=500);
    commit(&mut store, &all);
    let other = Connection::open(dir.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(store.make_rows(), Err(StoreError::Later(_))));
    other.execute_batch("ROLLBACK").unwrap();
    check(&store, &all);
    store.make_rows().unwrap();
    assert_eq!(store.waiting_blocks(), 0);
    check(&store, &all);
}

#[test]
fn a_block_that_cannot_be_unpacked_keeps_no_other_from_becoming_rows() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    commit(&mut store, &many(1, 1..=4 * PIECE as u64));
    let before = store.waiting_blocks();
    let spoil = "UPDATE arrived SET messages = x'0100ff' WHERE id = 1";
    store.connection.execute_batch(spoil).unwrap();
    assert!(matches!(store.make_rows(), Err(StoreError::Damaged(_))));
    for left in (0..before - 1).rev() {
        store.make_rows().unwrap();
        assert_eq!(store.waiting_blocks(), left);
    }
    // It is left alone, and is not forgotten.
    store.make_rows().unwrap();
    assert!(matches!(store.ranges(), Err(StoreError::Damaged(_))));
    drop(store);
    assert_eq!(open(&dir.file()).unwrap().waiting_blocks(), 1);
}

#[test]
fn blocks_of_one_commit_and_of_earlier_ones_lie_upon_each_other_only_so_often() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    let mut all = Vec::new();
    for n in 0..3 {
        // Each block has one of the first and one of the last.
        let mut part = many(n + 1, 1..=5_000);
        let (count, half) = (part.len(), part.len() / 2);
        for i in (0..half).step_by(2) {
            part.swap(i, count - 1 - i);
        }
        commit(&mut store, &part);
        all.extend(part);
    }
    assert_eq!(store.waiting_blocks(), 17);
    check(&store, &all);
}

#[test]
fn which_blocks_wait_is_read_of_an_index() {
    let dir = Scratch::new();
    let store = open(&dir.file()).unwrap();
    let sql = format!("EXPLAIN QUERY PLAN {}", schema::SPANS);
    let plan = |row: &rusqlite::Row<'_>| row.get::<_, String>("detail");
    let plan: String = store.connection.query_row(&sql, [], plan).unwrap();
    assert_eq!(plan, "SCAN arrived USING COVERING INDEX arrived_spans");
}

#[test]
fn a_file_that_somebody_reads_keeps_its_secret() {
    let dir = Scratch::new();
    let path = dir.file();
    close(open(&path).unwrap());
    let reader = Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM room").unwrap();
    let changed = Store::rekey(&path, "12ab", 2_000);
    assert!(matches!(changed, Err(StoreError::Later(_))), "{changed:?}");
    let lock = || {
        let store = Store::open_for_reading(&path, None).unwrap();
        store.owner().unwrap().lock
    };
    assert_eq!(lock(), None);
    reader.execute_batch("COMMIT").unwrap();
    Store::rekey(&path, "12ab", 2_000).unwrap();
    assert_eq!(lock().as_deref(), Some("12ab"));
}
