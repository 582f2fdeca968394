//! Files that papo reads: traces, configurations and stores. Whatever is in them, they are refused in words or
//! read, and a store that was read can be written to.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use fastrand::Rng;
use papo::cli::{Cli, Stop};
use papo::store::{Owner, Reply, Search, Store};
use papo::trace::{Picture, Selection, Wanted, check, html, read_bytes, shiviz, svg, text, words};
use papo::wire::{ChatMessage, Draft, Key, Position};

use crate::mutate;
use crate::random;
use crate::runner::fuzz;

/// What most cases take from a trace: a window of so many lines.
const WINDOW: usize = 40;
const WALL_MS: u64 = 1_700_000_000_000;

/// A place for files of this process, in memory where that can be had.
fn place(name: &str) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() {
        memory.to_path_buf()
    } else {
        std::env::temp_dir()
    };
    dir.join(format!("papo-fuzz-{}-{name}", std::process::id()))
}

/// The lines of a trace, all that is drawn of them.
pub fn trace(bytes: &[u8]) {
    let Ok(traces) = read_bytes(bytes) else {
        return;
    };
    let picture = Picture::new(traces);
    let Ok(selection) = Selection::new(&picture, &Wanted::default()) else {
        return;
    };
    let verdicts = check(&picture);
    let _ = words::story(&picture);
    let drawn = [
        text(&picture, &selection, 100),
        svg(&picture, &selection),
        shiviz(&picture, &selection),
        html(&picture, &verdicts),
    ];
    let controls = |c: char| c.is_control() && c != '\n';
    assert!(
        drawn.iter().all(|d| !d.contains(controls)),
        "raw control characters"
    );
}

fn traced() -> &'static [Vec<u8>] {
    static LINES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    LINES.get_or_init(|| {
        let lesson = papo::demo::LESSONS.iter().find(|l| l.name == "failover");
        let given = papo::demo::give(lesson.expect("it is there"), 1).expect("it can be played");
        let lines = given.trace.split_inclusive(|b| *b == b'\n');
        lines.map(<[u8]>::to_vec).collect()
    })
}

/// A number in the line becomes another one.
fn other_number(rng: &mut Rng, line: &mut Vec<u8>) {
    let digits: Vec<usize> = (1..line.len())
        .filter(|at| line[*at].is_ascii_digit() && !line[at - 1].is_ascii_digit())
        .collect();
    if let Some(&at) = rng.choice(&digits) {
        let to = (line[at..].iter()).position(|b| !b.is_ascii_digit());
        let to = to.map_or(line.len(), |n| at + n);
        let number = random::number(rng).to_string();
        line.splice(at..to, number.bytes());
    }
}

fn trace_case(rng: &mut Rng) -> Vec<u8> {
    let all = traced();
    let mut lines = Vec::new();
    for _ in 0..rng.usize(1..3) {
        let from = rng.usize(0..all.len());
        lines.extend_from_slice(&all[from..(from + rng.usize(1..WINDOW)).min(all.len())]);
    }
    for _ in 0..rng.usize(0..6) {
        let at = rng.usize(0..lines.len());
        match rng.u8(0..4) {
            0 => drop(lines.remove(at)),
            1 => lines.push(lines[at].clone()),
            _ => other_number(rng, &mut lines[at]),
        }
        if lines.is_empty() {
            break;
        }
    }
    lines.concat()
}

#[test]
fn the_reader_of_traces() {
    let case = |rng: &mut Rng, seeds: &[Vec<u8>]| match rng.bool() {
        true => trace_case(rng),
        false => mutate::case(rng, seeds, trace_case),
    };
    fuzz("trace", 1_000, case, trace);
}

/// A configuration file: it says what options are, or is refused in one line.
pub fn config(bytes: &[u8]) {
    let path = place("config");
    std::fs::write(&path, bytes).expect("it can be written");
    let named = path.to_str().expect("ASCII");
    match Cli::read(["papo", "--config", named, "config"]) {
        Err(Stop::Wrong(line) | Stop::Failed(line)) => {
            assert!(!line.contains(char::is_control), "{line:?}");
        }
        Err(Stop::Shown(_)) => {}
        Ok(cli) => panic!("it is not shown: {cli:?}"),
    }
    let _ = std::fs::remove_file(&path);
}

const SETTINGS: [&str; 16] = [
    "nick = \"ana\"\n",
    "room = [\"lobby\", \"kitchen\"]\n",
    "room = \"lobby\"\n",
    "interface = [\"eth0\", \"127.0.0.1\"]\n",
    "store = \"~/papo/{room}.db\"\n",
    "failure-timeout = 2000\n",
    "heartbeat = 18446744073709551615\n",
    "stay = true\n",
    "store-max = \"4G\"\n",
    "history = 100000\n",
    "replay = \"all\"\n",
    "peer = \"host:1\"\n",
    "group = \"239.255.112.97:28783\"\n",
    "timeout = 1e400\n",
    "irc-listen = \"127.0.0.1:6667\"\n",
    "secret-file = \"\\u001b[2J\"\n",
];

#[test]
fn the_reader_of_configurations() {
    let make = |rng: &mut Rng| {
        let count = rng.usize(1..5);
        let any = (0..count).map(|_| SETTINGS[rng.usize(0..SETTINGS.len())]);
        any.collect::<String>().into_bytes()
    };
    let case = |rng: &mut Rng, seeds: &[Vec<u8>]| mutate::case(rng, seeds, make);
    fuzz("config", 200, case, config);
}

fn owner() -> Owner {
    Owner {
        room: "lobby".into(),
        lock: None,
    }
}

fn message(seq: u64) -> ChatMessage {
    let draft = Draft {
        origin: Key(1 + seq % 3),
        seq: 1 + seq / 3,
        timestamp: (WALL_MS << 16) + seq,
        sent_at: WALL_MS,
        from: 1,
        nick: "ana".into(),
        dependencies: Vec::new().into(),
        text: format!("line {seq}").into(),
    };
    ChatMessage::new(&draft).expect("it keeps the rules")
}

/// A small file with some messages.
fn sound() -> &'static [u8] {
    static SOUND: OnceLock<Vec<u8>> = OnceLock::new();
    SOUND.get_or_init(|| {
        let path = place("sound");
        let mut store = Store::open(&path, &owner(), WALL_MS, true).expect("it is new");
        let messages: Vec<ChatMessage> = (0..30).map(message).collect();
        let floor = Position::default();
        (store.commit(messages.iter(), floor)).expect("there is room");
        store.checkpoint().expect("there is room");
        store.close();
        let bytes = std::fs::read(&path).expect("it is there");
        remove(&path);
        bytes
    })
}

fn remove(path: &Path) {
    for end in ["", "-wal", "-shm", "-lock"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        let _ = std::fs::remove_file(name);
    }
}

/// A store's file: it is refused, or read; and what was read can be written to.
pub fn store(bytes: &[u8]) {
    let path = place("store");
    std::fs::write(&path, bytes).expect("it can be written");
    if let Ok(store) = Store::open_for_reading(&path, Some(&owner())) {
        let _ = store.search(&Search::default(), |_| true);
        let _ = store.ranges();
    }
    if let Ok(mut store) = Store::open(&path, &owner(), WALL_MS, true) {
        let _ = store.ranges();
        let _ = store.buckets(Position::END);
        let _ = store.commit([message(1_000)].iter(), Position::default());
        let _ = store.index(10, u64::MAX);
        let _ = store.drop_oldest();
        store.close();
    }
    remove(&path);
}

#[test]
fn the_opener_of_stores() {
    let case = |rng: &mut Rng, seeds: &[Vec<u8>]| {
        let mut bytes = sound().to_vec();
        // Pages hold mostly nothing: what is not zero says more.
        for _ in 0..rng.usize(1..6) {
            let mut at = rng.usize(0..bytes.len());
            if rng.u8(0..8) == 0 {
                at = rng.usize(0..100);
            }
            at = (at..bytes.len()).find(|at| bytes[*at] != 0).unwrap_or(0);
            bytes[at] = match rng.bool() {
                true => rng.u8(..),
                false => bytes[at] ^ 1 << rng.u8(0..8),
            };
        }
        match rng.u8(0..16) {
            0 => mutate::case(rng, seeds, |_| sound().to_vec()),
            1 => bytes[..rng.usize(0..bytes.len())].to_vec(),
            _ => bytes,
        }
    };
    fuzz("store", 30, case, store);
}

/// The lines in which a helper process says what it found: no line, or one that is written as it was read.
pub fn replies(bytes: &[u8]) {
    let Ok(line) = str::from_utf8(bytes) else {
        return;
    };
    let _ = Reply::parse(line);
}

#[test]
fn the_words_of_helpers() {
    const WORDS: [&str; 8] = [
        "absent",
        "range 0000000000000001 1 18446744073709551615",
        "bucket 1 2 3 4 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "until 18446744073709551615 1 1",
        "ahead 200",
        "hit 1 2 3",
        "failed full",
        "indexed 1",
    ];
    let make = |rng: &mut Rng| WORDS[rng.usize(0..WORDS.len())].as_bytes().to_vec();
    let case = |rng: &mut Rng, seeds: &[Vec<u8>]| mutate::case(rng, seeds, make);
    fuzz("replies", 20_000, case, replies);
}
