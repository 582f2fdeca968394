//! The file itself: what is written is read again, whatever it is, and what is wrong is told.

#[path = "waiting_test.rs"]
mod blocks;
#[path = "log_test.rs"]
mod log;
#[path = "moves_test.rs"]
mod moves;
#[path = "search_test.rs"]
mod searching;
#[path = "size_test.rs"]
mod size;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::*;
use crate::limits::BATCH_BYTES_MAX;
use crate::wire::{Draft, Key, MessageId, SeqRange};

/// A directory that goes with its owner.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        let name = format!("papo-store-{}-{:016x}", std::process::id(), unique());
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(&dir).unwrap();
        Scratch(dir)
    }

    fn file(&self) -> PathBuf {
        self.0.join("room.db")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn unique() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0)
}

/// Whatever a file takes of the disk, it may.
const LIMITS: SizeLimits = SizeLimits {
    file: u64::MAX,
    used: u64::MAX,
    log: u64::MAX,
};

fn owner() -> Owner {
    Owner {
        room: "lobby".into(),
        lock: None,
    }
}

fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open(path, &owner(), 1_000, true)
}

/// The end of a node whose disk works: the log is in the file.
fn close(store: Store) {
    store.release_log();
    store.checkpoint().unwrap();
    store.close();
}

fn message(origin: u64, seq: u64, timestamp: u64, text: &str) -> ChatMessage {
    ChatMessage::new(&Draft {
        origin: Key(origin),
        seq,
        timestamp,
        sent_at: timestamp >> 16,
        from: 7,
        nick: format!("nick {origin}").into(),
        dependencies: vec![MessageId {
            origin: Key(u64::MAX),
            seq: 3,
        }]
        .into(),
        text: text.to_owned().into(),
    })
    .expect("a valid message")
}

fn commit(store: &mut Store, messages: &[ChatMessage]) {
    store.commit(messages.iter(), Position::default()).unwrap();
}

fn texts(store: &Store, search: &Search) -> Vec<String> {
    let mut texts = Vec::new();
    store
        .search(search, |m| {
            texts.push(m.text().to_owned());
            true
        })
        .unwrap();
    texts
}

#[test]
fn every_message_survives_as_it_was_in_the_total_order() {
    let dir = Scratch::new();
    let odd = [
        "",
        "a\0b",
        "\u{1b}[31m\u{202e}",
        "π\r\n\t",
        &"x".repeat(16_384),
    ];
    let mut all: Vec<_> = (1..).zip(odd).map(|(n, t)| message(5, n, n, t)).collect();
    // Numbers that SQLite's integers cannot hold.
    all.push(message(u64::MAX, u64::MAX, u64::MAX, "last"));
    all.push(message(u64::MAX, 1 << 63, 1 << 63, "almost last"));
    all.push(message(1, 1, (1 << 63) - 1, "before"));
    let mut store = open(&dir.file()).unwrap();
    commit(&mut store, &all);
    drop(store);
    all.sort_by_key(|m| m.position());
    let store = open(&dir.file()).unwrap();
    let held = store.held(100).unwrap();
    assert_eq!(held.newest, all);
    assert_eq!(held.until, Position::default());
    let mut ranges = held.ranges;
    ranges.sort_by_key(|r| (r.author, r.first));
    let max = Key(u64::MAX);
    let expected = [
        SeqRange::new(Key(1), 1, 1),
        SeqRange::new(Key(5), 1, 5),
        SeqRange::new(max, 1 << 63, 1 << 63),
        SeqRange::new(max, u64::MAX, u64::MAX),
    ];
    assert_eq!(ranges, expected);
    let few = store.held(2).unwrap();
    assert_eq!(few.newest, all[all.len() - 2..]);
    assert_eq!(few.until, all[all.len() - 3].position());
}

#[test]
fn ranges_are_those_of_the_messages() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    let seqs = [1, 2, 3, 7, 8, 20];
    let all: Vec<_> = seqs.iter().map(|n| message(9, *n, *n, "x")).collect();
    commit(&mut store, &all);
    let ranges = store.held(0).unwrap().ranges;
    let key = Key(9);
    let expected = [
        SeqRange::new(key, 1, 3),
        SeqRange::new(key, 7, 8),
        SeqRange::new(key, 20, 20),
    ];
    assert_eq!(ranges, expected);
}

#[test]
fn what_is_there_stays_and_a_commit_is_all_or_nothing() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    commit(&mut store, &[message(1, 1, 10, "first")]);
    commit(
        &mut store,
        &[message(1, 1, 11, "again"), message(1, 2, 12, "second")],
    );
    assert_eq!(texts(&store, &Search::default()), ["first", "second"]);
    // Somebody else writes: nothing of this commit is there, and later all of it.
    let other = Connection::open(dir.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let more = [message(1, 3, 13, "third"), message(1, 4, 14, "fourth")];
    let result = store.commit(more.iter(), Position::default());
    assert!(matches!(result, Err(StoreError::Later(_))), "{result:?}");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(texts(&store, &Search::default()).len(), 2);
    commit(&mut store, &more);
    assert_eq!(texts(&store, &Search::default()).len(), 4);
}

#[test]
fn chunks_go_from_one_position_to_another_without_what_is_not_wanted() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    let long = "x".repeat(1_000);
    let all: Vec<_> = (1..=200).map(|n| message(1, n, n, &long)).collect();
    commit(&mut store, &all);
    let until = all[149].position();
    let (mut after, mut got, mut chunks) = (Position::default(), Vec::new(), 0);
    while after < until {
        let found = store
            .between(after, until, Portion::CHUNK, |p| p.seq % 2 == 0)
            .unwrap();
        let bytes: usize = found.messages.iter().map(|m| m.size_bound()).sum();
        assert!(bytes <= BATCH_BYTES_MAX + 2_000);
        assert!(found.upto > after);
        after = found.upto;
        got.extend(found.messages);
        chunks += 1;
    }
    let expected: Vec<_> = all[..150]
        .iter()
        .filter(|m| m.seq() % 2 == 0)
        .cloned()
        .collect();
    assert_eq!(got, expected);
    assert!(chunks > 1);
}

#[test]
fn a_file_belongs_to_one_room_with_one_secret() {
    let dir = Scratch::new();
    drop(open(&dir.file()).unwrap());
    let attic = Owner {
        room: "attic".into(),
        lock: None,
    };
    let locked = Owner {
        lock: Some("0123".into()),
        ..owner()
    };
    let path = dir.file();
    let other_room = Store::open(&path, &attic, 0, true).unwrap_err();
    assert!(matches!(other_room, StoreError::OtherRoom(room) if room == "lobby"));
    let other_secret = Store::open(&path, &locked, 0, true).unwrap_err();
    assert!(matches!(
        other_secret,
        StoreError::OtherSecret { locked: false }
    ));
    let second = dir.0.join("locked.db");
    drop(Store::open(&second, &locked, 0, true).unwrap());
    let other_secret = open(&second).unwrap_err();
    assert!(matches!(
        other_secret,
        StoreError::OtherSecret { locked: true }
    ));
}

#[test]
fn one_writer_at_a_time_and_any_readers() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    assert!(matches!(open(&dir.file()).unwrap_err(), StoreError::InUse));
    let reader = Store::open_for_reading(&dir.file(), None).unwrap();
    commit(&mut store, &[message(1, 1, 10, "first")]);
    assert_eq!(texts(&reader, &Search::default()), ["first"]);
    assert_eq!(reader.owner().unwrap(), owner());
    drop(store);
    let store = open(&dir.file()).unwrap();
    assert_eq!(texts(&reader, &Search::default()), ["first"]);
    drop((store, reader));
    let mut reader = Store::open_for_reading(&dir.file(), Some(&owner())).unwrap();
    assert!(reader.commit([].iter(), Position::default()).is_err());
}

#[test]
fn the_file_is_for_its_owner_alone() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    commit(&mut store, &[message(1, 1, 10, "first")]);
    for name in fs::read_dir(&dir.0).unwrap() {
        let name = name.unwrap();
        let mode = name.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name:?}");
    }
}

#[test]
fn other_files_and_newer_ones_are_refused_and_left_alone() {
    let dir = Scratch::new();
    let path = dir.file();
    let database = Connection::open(&path).unwrap();
    database.execute_batch("CREATE TABLE t (x)").unwrap();
    let refused = open(&path).unwrap_err();
    assert!(matches!(refused, StoreError::Foreign), "{refused:?}");
    drop(database);
    fs::remove_file(&path).unwrap();
    drop(open(&path).unwrap());
    let database = Connection::open(&path).unwrap();
    let newer = schema::VERSION + 1;
    database.pragma_update(None, "user_version", newer).unwrap();
    drop(database);
    let refused = open(&path).unwrap_err();
    assert!(
        matches!(refused, StoreError::Newer(v) if v == newer),
        "{refused:?}"
    );
    let refused = Store::open_for_reading(&path, None).unwrap_err();
    assert!(matches!(refused, StoreError::Newer(_)), "{refused:?}");
    let refused = Store::open(&dir.0, &owner(), 0, true).unwrap_err();
    let is_told = matches!(refused, StoreError::NotAFile { .. });
    assert!(is_told, "{refused:?}");
    let nowhere = dir.0.join("no/such/file");
    let refused = Store::open(&nowhere, &owner(), 0, true).unwrap_err();
    assert!(matches!(refused, StoreError::Path(_)), "{refused:?}");
}

#[test]
fn damage_is_found_and_a_damaged_file_can_be_set_aside() {
    let dir = Scratch::new();
    let path = dir.file();
    let mut store = open(&path).unwrap();
    let all: Vec<_> = (1..=2_000)
        .map(|n| message(1, n, n, "some words"))
        .collect();
    commit(&mut store, &all);
    close(store);
    let whole = fs::read(&path).unwrap();
    let mut holed = whole.clone();
    let middle = holed.len() / 2;
    holed[middle..middle + 40_000].fill(0xa5);
    let mut beginning = whole.clone();
    beginning[..10].fill(0);
    let bad: [(&str, &[u8]); 4] = [
        ("truncated", &whole[..whole.len() / 2]),
        ("a header", &whole[..100]),
        ("holed", &holed),
        ("another beginning", &beginning),
    ];
    for (name, bytes) in bad {
        fs::write(&path, bytes).unwrap();
        let error = open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Damaged(_)), "{name}: {error:?}");
        let aside = set_aside(&path, ".damaged").unwrap();
        assert_eq!(fs::read(&aside).unwrap(), bytes, "{name}");
        assert!(!path.exists());
        close(open(&path).unwrap());
    }
    let kept = fs::read_dir(&dir.0).unwrap().filter(|f| {
        let name = f.as_ref().unwrap().file_name();
        name.to_string_lossy().contains(".damaged") && !name.to_string_lossy().ends_with("-wal")
    });
    assert_eq!(kept.count(), bad.len());
}

#[test]
fn what_is_dated_more_than_20_hours_ahead_is_left_out_and_counted() {
    let scratch = Scratch::new();
    let mut store = open(&scratch.file()).unwrap();
    let hours = 20 * 60 * 60 * 1_000;
    let at = |ms: u64| ms << 16;
    let said = [
        message(1, 1, at(1_000), "before"),
        message(1, 2, at(2_000 + hours) | 0xffff, "20 hours ahead at most"),
        message(1, 3, at(2_001 + hours), "too far ahead"),
        message(2, 1, u64::MAX, "at the end of time"),
        message(2, 2, at(1_500), "by the same author"),
    ];
    commit(&mut store, &said);
    close(store);
    let job = |now_ms| Job::Prepare {
        owner: owner(),
        now_ms,
        newest: 1,
        writable: false,
        limits: LIMITS,
    };
    let replies = Request::prepare(&scratch.file(), job(2_000))
        .unwrap()
        .prepare_here();
    let mut ranges = Vec::new();
    let (mut until, mut ahead) = (Position::END, 0);
    for reply in replies {
        match reply {
            Reply::Range(r) => ranges.push((r.author.0, r.first, r.last)),
            Reply::Until(position) => until = position,
            Reply::Ahead(count) => ahead = count,
            _ => {}
        }
    }
    assert_eq!(ranges, [(1, 1, 2), (2, 2, 2)]);
    assert_eq!((until, ahead), (said[4].position(), 2));
    // Later they count, but for the one at the end of time.
    let later = Request::prepare(&scratch.file(), job(3_000))
        .unwrap()
        .prepare_here();
    assert!(later.iter().any(|r| matches!(r, Reply::Ahead(1))));
}

#[test]
fn a_checkpoint_empties_the_log_and_the_index_is_sound() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    for n in 1..=300 {
        commit(&mut store, &[message(1, n, n, "one word after the other")]);
    }
    assert!(store.log_length().unwrap().waiting > 300);
    assert!(!store.empty_log().unwrap());
    store.checkpoint().unwrap();
    assert_eq!(store.log_length().unwrap().waiting, 0);
    assert!(store.empty_log().unwrap());
    assert!(store.index(200, u64::MAX).unwrap() && !store.index(200, u64::MAX).unwrap());
    commit(&mut store, &[message(1, 301, 301, "not in the index yet")]);
    let check = "INSERT INTO words (words, rank) VALUES ('integrity-check', 0)";
    store.connection.execute_batch(check).unwrap();
    store
        .connection
        .execute_batch("DELETE FROM messages WHERE seq < 100; UPDATE messages SET text = 'new'")
        .unwrap();
    store.connection.execute_batch(check).unwrap();
}

/// Prints what commits and checkpoints cost; for the figures in `driver::keeper`.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::disallowed_methods, reason = "a measurement")]
fn what_commits_cost() {
    use std::time::Instant;
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    let text = "some twenty words of a length that people write, again and again; ".repeat(2);
    let mut seq = 0;
    for batch in [1, 10, 100, 1_000, crate::limits::STORE_BATCH_MAX] {
        let rounds = (20_000 / batch).clamp(5, 500);
        let (mut total, mut worst) = (Duration::ZERO, Duration::ZERO);
        let mut busy = Duration::ZERO;
        for _ in 0..rounds {
            let messages: Vec<_> = (0..batch)
                .map(|_| {
                    seq += 1;
                    message(1, seq, seq, &format!("{seq} {text}")[..100])
                })
                .collect();
            let (before, cpu) = (Instant::now(), cpu_time());
            commit(&mut store, &messages);
            let took = before.elapsed();
            busy += cpu_time().saturating_sub(cpu);
            total += took;
            worst = worst.max(took);
        }
        let rounds = u32::try_from(rounds).unwrap();
        let pages = store.log_length().unwrap().waiting;
        let before = Instant::now();
        store.checkpoint().unwrap();
        let checkpoint = before.elapsed();
        println!(
            "{batch} messages: {:?} ({:?} of them busy), at worst {worst:?}; checkpoint of {pages} \
             pages: {checkpoint:?}",
            total / rounds,
            busy / rounds,
        );
    }
}

fn cpu_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::from_secs(now.tv_sec.cast_unsigned())
        + Duration::from_nanos(now.tv_nsec.cast_unsigned())
}
