//! Floods of lines through short histories, with members that are stopped and killed and stores that
//! are killed; then what everybody was told is compared with what everybody did.
//!
//! `PAPO_FLOODS_SEED` repeats the decisions of an earlier run (what the nodes make of them depends on
//! the machine).

mod ledger;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Node, PATIENCE, Permit, Room, Signal, eventually, let_pass, ms};
use crate::harness::{random, scratch_dir, shared};
use ledger::{Author, Delivered, Reader, Seen, faults};

/// What each sender says, and how long its lines are.
const LINES: u64 = 20_000;
const LINE_BYTES: usize = 100;
/// How long a member is stopped at the most: it stays a member for twice as long.
const STOP_MAX: Duration = ms(1_500);
/// How long members may take to print the rest when the senders have left.
const REST: Duration = Duration::from_secs(4);

/// A process whose events go to a file, which is never slow to take them.
struct Taped {
    node: Node,
    tape: PathBuf,
    read: u64,
    rest: Vec<u8>,
    events: Vec<Value>,
    store: Option<PathBuf>,
}

impl Taped {
    fn start(room: &Room, dir: &Path, nick: &str, args: &[&str], store: bool) -> Taped {
        let tape = dir.join(format!("{nick}.json"));
        let file = dir.join(format!("{nick}.db"));
        let mut all = args.to_vec();
        all.push("--json");
        if store {
            all.extend(["--store", file.to_str().expect("a plain name")]);
        }
        let output = File::create(&tape).expect("it is ours");
        Taped {
            node: room.papo(nick, &all).stdout(output).start(),
            tape,
            read: 0,
            rest: Vec::new(),
            events: Vec::new(),
            store: store.then_some(file),
        }
    }

    /// Reads what it printed since.
    fn catch_up(&mut self) {
        let mut file = File::open(&self.tape).expect("it was created");
        file.seek(SeekFrom::Start(self.read)).expect("a file");
        let len = file.read_to_end(&mut self.rest).expect("a file");
        self.read += len as u64;
        let until = self
            .rest
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |i| i + 1);
        let lines = self.rest.drain(..until).collect::<Vec<u8>>();
        for line in lines.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            let event = serde_json::from_slice(line);
            self.events.push(event.expect("each line is JSON"));
        }
    }

    fn wait_for(&mut self, kind: &str) {
        eventually(kind, PATIENCE, || {
            self.catch_up();
            self.events.iter().any(|e| e["event"] == kind)
        });
    }

    /// Waits until so many are in its view.
    fn sees(&mut self, members: usize) {
        eventually("all see each other", PATIENCE, || {
            self.catch_up();
            let (view, _) = views(&self.events);
            view.len() == members
        });
    }

    /// Everything that it has to say.
    fn flood(&mut self) {
        self.node.write(&lines());
        self.node.close_input();
    }

    fn key(&self) -> String {
        let listening = self.events.iter().find(|e| e["event"] == "listening");
        text(listening.expect("it has started"), "key")
    }

    /// How much it has printed.
    fn printed(&self) -> u64 {
        fs::metadata(&self.tape).map_or(0, |found| found.len())
    }

    /// How many of these authors' lines it has printed or called missed.
    fn accounted(&mut self, keys: &[String]) -> u64 {
        self.catch_up();
        let count = |event: &Value| match event["event"].as_str() {
            _ if !keys.contains(&text(event, "key")) => 0,
            Some("message") => 1,
            Some("missed") => number(event, "count"),
            _ => 0,
        };
        self.events.iter().map(count).sum()
    }

    fn stored(&self, room: &Room) -> Option<BTreeSet<(String, u64)>> {
        let file = self.store.as_ref()?.to_str()?;
        let history = room.raw(&["history", "--json", "--store", file]).start();
        history.exit_within(PATIENCE);
        let id = |line: &str| {
            let event: Value = serde_json::from_str(line).expect("each line is JSON");
            (text(&event, "key"), number(&event, "seq"))
        };
        Some(history.stdout().lines().map(id).collect())
    }

    fn as_reader(&mut self, room: &Room, survived: bool) -> Reader {
        self.catch_up();
        Reader {
            name: self.node.name.clone(),
            key: self.key(),
            survived,
            seen: self.events.iter().filter_map(seen).collect(),
            stored: self.stored(room),
        }
    }

    /// Once it has ended.
    fn as_author(&mut self) -> Author {
        self.catch_up();
        let (_, status) = self.node.exit_within(PATIENCE);
        let delivered = self.events.iter().filter(|e| e["event"] == "delivered");
        Author {
            name: self.node.name.clone(),
            key: self.key(),
            lines: LINES,
            steady: views(&self.events).1,
            delivered: delivered.map(as_delivered).collect(),
            exit: status.code(),
        }
    }
}

fn text(event: &Value, field: &str) -> String {
    event[field].as_str().unwrap_or_default().to_owned()
}

fn number(event: &Value, field: &str) -> u64 {
    event[field].as_u64().unwrap_or_default()
}

fn flag(event: &Value, field: &str) -> bool {
    event[field] == true
}

fn seen(event: &Value) -> Option<Seen> {
    let author = text(event, "key");
    match event["event"].as_str() {
        Some("message") if !flag(event, "private") => Some(Seen::Message {
            author,
            seq: number(event, "seq"),
            late: flag(event, "late"),
        }),
        Some("missed") => Some(Seen::Missed {
            author,
            first: number(event, "first"),
            last: number(event, "last"),
            count: number(event, "count"),
        }),
        _ => None,
    }
}

fn as_delivered(event: &Value) -> Delivered {
    let id = text(event, "id");
    let (_, seq) = id.rsplit_once('-').expect("an id has a number");
    let who = |member: &Value| match member {
        Value::String(name) => name.clone(),
        other => text(other, "key"),
    };
    let missed = event["missed"].as_array().into_iter().flatten();
    Delivered {
        seq: seq.parse().expect("an id has a number"),
        members: number(event, "members"),
        confirmed: number(event, "confirmed"),
        missed: missed.map(who).collect(),
    }
}

/// Who is in a process's view in the end, and who was from before its first line on.
fn views(events: &[Value]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut view, mut steady) = (BTreeSet::new(), None::<BTreeSet<String>>);
    for event in events {
        match event["event"].as_str() {
            Some("joined") => {
                let members = event["members"].as_array().into_iter().flatten();
                view = members.map(|m| text(m, "key")).collect();
            }
            Some("member_joined") => {
                view.insert(text(event, "key"));
            }
            Some("member_left") => {
                view.remove(&text(event, "key"));
            }
            Some("message") if flag(event, "own") && steady.is_none() => {
                steady = Some(view.clone());
            }
            _ => continue,
        }
        steady = steady.map(|steady| &steady & &view);
    }
    (view, steady.unwrap_or_default())
}

/// What is done to whom when a member that is left alone has printed so many bytes.
#[derive(Clone, Copy, Debug)]
enum Blow {
    Stop(&'static str),
    Continue(&'static str),
    Kill(&'static str),
}

/// Who listens: nick, options, and whether it has a store.
const MEMBERS: [(&str, &[&str], bool); 5] = [
    ("ana", &[], false),
    ("bia", &["--history", "500"], false),
    ("caio", &[], true),
    ("dora", &["--history", "500"], true),
    ("edu", &["--history", "500"], false),
];

/// Some 250 bytes for each line, of two senders.
const ALL_BYTES: u64 = 2 * LINES * 250;

/// What a member prints before the flood, at the most.
const FIRST_BYTES: u64 = 10_000;

/// Two flood the room while blows fall. All stores are killed as soon as the senders have ended.
fn flood(permit: &Permit, blows: &[(u64, Blow)]) -> Vec<String> {
    let room = Room::new(permit);
    let dir = scratch_dir();
    let mut members = BTreeMap::new();
    for (nick, options, store) in MEMBERS {
        let mut args = vec!["--commands", "--stay"];
        args.extend_from_slice(options);
        let mut member = Taped::start(&room, &dir, nick, &args, store);
        member.wait_for("joined");
        members.insert(nick, member);
    }
    let mut senders: Vec<Taped> = [("rui", false), ("sara", true)]
        .map(|(nick, store)| {
            let args = ["send", "--history", "500"];
            Taped::start(&room, &dir, nick, &args, store)
        })
        .into();
    for taped in members.values_mut().chain(&mut senders) {
        taped.sees(MEMBERS.len() + 2);
    }
    let mut killed = BTreeSet::new();
    let mut is_flooding = false;
    for (percent, blow) in blows {
        if *percent > 0 {
            if !std::mem::replace(&mut is_flooding, true) {
                senders.iter_mut().for_each(Taped::flood);
            }
            wait_for_progress(&members["ana"], &senders, percent * ALL_BYTES / 100);
        }
        match blow {
            Blow::Stop(nick) => members[nick].node.signal(Signal::STOP),
            Blow::Continue(nick) => members[nick].node.signal(Signal::CONT),
            Blow::Kill(nick) => {
                killed.insert(*nick);
                members[nick].node.signal(Signal::KILL)
            }
        };
    }
    for sender in &senders {
        sender.node.exit_within(PATIENCE);
    }
    for (nick, member) in members.iter().filter(|(_, m)| m.store.is_some()) {
        killed.insert(nick);
        member.node.signal(Signal::KILL);
        member.node.exit_within(PATIENCE);
    }
    let authors: Vec<Author> = senders.iter_mut().map(Taped::as_author).collect();
    let keys: Vec<String> = authors.iter().map(|a| a.key.clone()).collect();
    let deadline = Instant::now() + REST;
    for (nick, member) in &mut members {
        while !killed.contains(nick)
            && member.accounted(&keys) < 2 * LINES
            && Instant::now() < deadline
        {
            let_pass(ms(20));
        }
    }
    let mut readers: Vec<Reader> = (members.iter_mut())
        .map(|(nick, member)| member.as_reader(&room, !killed.contains(nick)))
        .collect();
    // A sender's own file must have what it was told is delivered.
    for (sender, author) in senders.iter_mut().zip(&authors) {
        println!(
            "{}: status {:?}, {} delivered",
            author.name,
            author.exit,
            author.delivered.len()
        );
        readers.push(sender.as_reader(&room, false));
    }
    faults(&own_too(authors), &readers)
}

/// An author is one of those who must have what it said.
fn own_too(mut authors: Vec<Author>) -> Vec<Author> {
    for author in &mut authors {
        author.steady.insert(author.key.clone());
    }
    authors
}

fn lines() -> Vec<u8> {
    let line = |n| format!("{n:0width$}\n", width = LINE_BYTES - 1);
    (1..=LINES).map(line).collect::<String>().into_bytes()
}

/// Until this member has printed so much, or the senders have ended, or for so long.
fn wait_for_progress(member: &Taped, senders: &[Taped], bytes: u64) {
    let has_ended = |s: &Taped| s.node.look(|record| record.exit.is_some());
    let mut begun = None;
    while member.printed() < bytes && !senders.iter().all(has_ended) {
        if member.printed() > FIRST_BYTES && Instant::now() > *begun.get_or_insert_with(deadline) {
            return;
        }
        let_pass(ms(5));
    }
}

fn deadline() -> Instant {
    Instant::now() + STOP_MAX
}

#[track_caller]
fn adds_up(faults: &[String]) {
    for fault in faults {
        println!("{fault}");
    }
    assert!(
        faults.is_empty(),
        "{} rules are broken: {faults:#?}",
        faults.len()
    );
}

#[test]
fn what_is_confirmed_in_a_flood_is_there_whoever_is_stopped() {
    let permit = shared();
    adds_up(&flood(
        &permit,
        &[
            (0, Blow::Stop("bia")),
            (1, Blow::Kill("edu")),
            (40, Blow::Continue("bia")),
            (45, Blow::Stop("dora")),
            (80, Blow::Continue("dora")),
        ],
    ));
}

#[test]
fn what_is_confirmed_in_a_flood_is_there_whatever_happens() {
    let permit = shared();
    let seed = std::env::var("PAPO_FLOODS_SEED").ok();
    let seed = seed.map_or_else(|| random().u64(..), |s| s.parse().expect("a number"));
    println!("PAPO_FLOODS_SEED={seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut blows = vec![(rng.u64(1..70), Blow::Kill("edu"))];
    for nick in ["bia", "caio", "dora"] {
        let at = rng.u64(0..60);
        blows.push((at, Blow::Stop(nick)));
        blows.push((at + rng.u64(5..40), Blow::Continue(nick)));
    }
    blows.sort_by_key(|(percent, _)| *percent);
    println!("{blows:?}");
    adds_up(&flood(&permit, &blows));
}
