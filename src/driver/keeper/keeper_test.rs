//! When blocks of messages become rows, seen from the loop's turns.

use std::path::PathBuf;

use rusqlite::Connection;

use super::*;
use crate::store::BLOCK_MIN;
use crate::wire::made;

/// A directory that goes with its owner.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let dir = std::env::temp_dir().join(format!("papo-keeper-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Scratch(dir)
    }

    fn file(&self) -> PathBuf {
        self.0.join("room.db")
    }

    /// How many rows the file has, however many messages wait in blocks.
    fn rows(&self) -> usize {
        let sql = "SELECT count(*) FROM messages";
        let database = Connection::open(self.file()).unwrap();
        let rows: i64 = database.query_row(sql, [], |row| row.get(0)).unwrap();
        usize::try_from(rows).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn at(ms: u64) -> Now {
    Now {
        time: Time(ms * 1_000),
        wall_ms: 1_000_000 + ms,
    }
}

/// A keeper with this file. No process is started in a test: what is tested takes less than five seconds.
fn keeper(scratch: &Scratch) -> Keeper {
    let poll = mio::Poll::new().unwrap();
    let [registry, searches] = [(); 2].map(|()| poll.registry().try_clone().unwrap());
    let owner = Owner {
        room: "lobby".into(),
        lock: None,
    };
    let mut files = Files::new(scratch.file(), owner.clone());
    files.begin_with(Store::open(&scratch.file(), &owner, 1_000, true).unwrap());
    let now = at(0).time;
    let space = Space::new(1 << 30);
    Keeper {
        files,
        helper: Helper::new(registry, STORE),
        loading: None,
        newest: 100,
        strict: false,
        trouble: Trouble::default(),
        pacing: Pacing::default(),
        tending: Tending::new(now, &space),
        rows: Rows::new(now),
        space,
        is_full: false,
        is_behind: false,
        told_given_up: 0,
        reading: Reading::default(),
        searching: Searching::new(searches),
        look_at: now + LOOK_EVERY,
        left_out: Position::default(),
    }
}

fn message(seq: u64, timestamp: u64) -> ChatMessage {
    made::message(1, seq, timestamp, "a word")
}

impl Keeper {
    fn take(&mut self, now: Now, messages: &[ChatMessage]) {
        let step = self.commit(now, messages.iter(), Position::default());
        assert!(matches!(step, Ok(Step::Stored(n)) if n == messages.len()));
    }

    /// The end of a turn: what is said to the user.
    fn end(&mut self, now: Now) -> Option<String> {
        self.tidy(now.time, 0).1
    }

    fn blocks(&self) -> usize {
        self.files.store().unwrap().waiting_blocks()
    }
}

fn many(first: u64, count: usize) -> Vec<ChatMessage> {
    let seqs = (first..).take(count);
    seqs.map(|seq| message(seq, seq)).collect()
}

#[test]
fn blocks_become_rows_while_people_go_on_talking() {
    let scratch = Scratch::new("talk");
    let mut keeper = keeper(&scratch);
    keeper.take(at(0), &many(1, 1_000));
    assert!(keeper.end(at(0)).is_none() && keeper.blocks() > 1);
    for n in 1..=8 {
        let now = at(500 * n);
        keeper.take(now, &many(2_000 + n, 1));
        assert_eq!(keeper.end(now), None);
    }
    assert_eq!((keeper.blocks(), scratch.rows()), (0, 1_008));
}

#[test]
fn commits_of_many_put_it_off() {
    let scratch = Scratch::new("many");
    let mut keeper = keeper(&scratch);
    for n in 0..8 {
        let now = at(500 * n);
        keeper.take(now, &many(1 + n * 100, BLOCK_MIN));
        assert_eq!(keeper.end(now), None);
    }
    assert_eq!((keeper.blocks(), scratch.rows()), (8, 0));
}

#[test]
fn what_is_dated_far_ahead_keeps_others_out_of_blocks_for_a_moment_only() {
    let scratch = Scratch::new("ahead");
    let mut keeper = keeper(&scratch);
    let mut now = at(0);
    for n in 0..100 {
        let mut part = many(1 + n * 100, BLOCK_MIN);
        if n < 25 {
            part.push(message(1_000_000 + n, 1_000_000_000 + n));
        }
        keeper.take(now, &part);
        // The turn after that, which only gathers.
        now = at(10 * n + 5);
        assert_eq!(keeper.end(now), None);
        now = at(10 * n + 10);
    }
    assert!(keeper.blocks() > 50, "{}", keeper.blocks());
    assert!(!keeper.files.store().unwrap().is_crowded());
}

#[test]
fn a_failure_to_make_rows_is_told_though_another_is_told_first() {
    let scratch = Scratch::new("told");
    let mut keeper = keeper(&scratch);
    keeper.take(at(0), &many(1, BLOCK_MIN));
    let spoil = "UPDATE arrived SET messages = x'0100ff'";
    let database = Connection::open(scratch.file()).unwrap();
    database.execute_batch(spoil).unwrap();
    let e = StoreError::Unusable("the disk has an error".into());
    keeper.tending.fail(at(1_500).time, e);
    let said = [1_500, 1_501, 3_000].map(|ms| keeper.end(at(ms)).unwrap_or_default());
    assert!(said[0].contains("the disk has an error"), "{said:?}");
    assert!(
        said[1].contains("cannot be brought into its table"),
        "{said:?}"
    );
    assert_eq!(said[2], "");
}

#[test]
fn the_end_does_not_wait_for_a_log_that_is_too_long() {
    let scratch = Scratch::new("end");
    let keeper = keeper(&scratch);
    let database = Connection::open(scratch.file()).unwrap();
    let much = "PRAGMA synchronous = OFF;
                PRAGMA wal_autocheckpoint = 0;
                CREATE TABLE much (x);
                INSERT INTO much VALUES (zeroblob(40000000));";
    database.execute_batch(much).unwrap();
    let now = at(1).time;
    let mut closing = Closing::new(now, keeper);
    closing.end_storing(now, |_| {});
    assert_eq!(closing.finish(now), None);
    assert!(
        std::fs::metadata(scratch.0.join("room.db-wal"))
            .unwrap()
            .len()
            > 40_000_000
    );
}

#[test]
fn of_a_backlog_that_is_too_large_the_oldest_are_left_out() {
    let backlog = many(1, 100);
    let size = backlog[0].size_bound() as u64;
    let mut mixed: Vec<_> = backlog.iter().collect();
    mixed.reverse();
    mixed.swap(3, 70);
    for (bytes_max, left_out) in [(100, 0), (99, 1), (2, 98), (0, 100)] {
        let upto = closing::oldest_beyond(mixed.iter().copied(), bytes_max * size);
        let count = mixed.iter().filter(|m| m.position() <= upto).count();
        assert_eq!(count, left_out, "{bytes_max}");
    }
}

#[test]
fn a_file_that_is_full_does_not_keep_what_was_moved_from_coming_into_it() {
    let scratch = Scratch::new("moved");
    let mut keeper = keeper(&scratch);
    keeper.take(at(0), &many(1, 10));
    let other = scratch.0.join("other.db");
    let owner = keeper.files.owner().clone();
    let mut store = Store::open(&other, &owner, 2_000, true).unwrap();
    let much = many(100_000, 100_000);
    store.commit(much.iter(), Position::default()).unwrap();
    store.settle().unwrap();
    store.close();
    std::fs::rename(scratch.file(), scratch.0.join("elsewhere.db")).unwrap();
    std::fs::rename(other, scratch.file()).unwrap();
    keeper.files.reopen(at(1)).unwrap();
    keeper.space = Space::new(1 << 20);
    keeper.space.look(keeper.files.store().unwrap());
    assert!(keeper.space.is_full(), "it is full");
    assert!(keeper.space.has_log_room());
    assert!(keeper.files.is_moving() && !keeper.waits_for_space(1));
}
