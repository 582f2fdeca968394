//! What the processes of one room printed, with the moment each line arrived, and waiting for more.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitStatus;
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::schema;

/// One line of `--json`.
#[derive(Debug)]
pub struct Event {
    /// When it arrived here.
    pub at: Instant,
    /// The name of the event.
    pub kind: String,
    /// The whole object.
    pub body: Value,
}

impl Event {
    #[track_caller]
    pub fn num(&self, field: &str) -> u64 {
        self.body[field]
            .as_u64()
            .unwrap_or_else(|| panic!("no number {field} in {}", self.body))
    }

    #[track_caller]
    pub fn text(&self, field: &str) -> &str {
        self.body[field]
            .as_str()
            .unwrap_or_else(|| panic!("no text {field} in {}", self.body))
    }

    #[track_caller]
    pub fn list(&self, field: &str) -> &[Value] {
        self.body[field]
            .as_array()
            .unwrap_or_else(|| panic!("no list {field} in {}", self.body))
    }

    pub fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }

    pub fn flag(&self, field: &str) -> bool {
        self.body[field] == true
    }
}

/// What one process did so far.
#[derive(Debug)]
pub struct Record {
    pub name: String,
    pub born: Instant,
    /// Its lines with `--json`.
    pub events: Vec<Arc<Event>>,
    /// Its lines otherwise, without the line feed.
    pub lines: Vec<(Instant, Vec<u8>)>,
    pub stderr: Vec<(Instant, Vec<u8>)>,
    /// Of stdout and stderr, how many are still read.
    pub open: usize,
    pub exit: Option<(Instant, ExitStatus)>,
    /// The last event has no line feed.
    pub is_cut: bool,
    /// Where it broke the contract.
    pub faults: Vec<String>,
    pub key: Option<String>,
    pub id: Option<u64>,
    pub coordinator: Option<u64>,
    /// Key to id, as its events told.
    pub view: BTreeMap<String, u64>,
    /// Texts by nick as they were shown, without replays and private ones.
    pub heard: BTreeMap<String, Vec<String>>,
    shown: BTreeSet<(String, u64)>,
    last_seq: BTreeMap<String, u64>,
}

/// All processes of one room.
#[derive(Debug, Default)]
pub struct Log {
    pub nodes: Vec<Record>,
    /// What comes after the failure is the harness's own doing, and not printed.
    failed_at: Option<Instant>,
}

/// Where the reading threads put what they read, and tests wait for it.
#[derive(Debug)]
pub struct Inbox {
    opened: Instant,
    log: Mutex<Log>,
    changed: Condvar,
}

thread_local! {
    /// The room that the test of this thread had to do with last: the one it fails in.
    static CURRENT: Cell<*const Inbox> = const { Cell::new(ptr::null()) };
}

impl Inbox {
    pub fn new() -> Arc<Inbox> {
        Arc::new(Inbox {
            opened: Instant::now(),
            log: Mutex::new(Log::default()),
            changed: Condvar::new(),
        })
    }

    /// Whether it is this room that the test of this thread fails in, not one prepared for later.
    pub fn is_current(&self) -> bool {
        ptr::eq(CURRENT.get(), self)
    }

    /// Makes room for one more process.
    pub fn add(&self, name: &str) -> usize {
        CURRENT.set(self);
        let mut log = self.log();
        log.nodes.push(Record::new(name));
        log.nodes.len() - 1
    }

    pub fn update(&self, node: usize, change: impl FnOnce(&mut Record)) {
        change(&mut self.log().nodes[node]);
        self.changed.notify_all();
    }

    pub fn read<T>(&self, look: impl FnOnce(&Log) -> T) -> T {
        look(&self.log())
    }

    /// Waits until `ready` has an answer, and looks again whenever something arrived.
    #[track_caller]
    pub fn wait<T>(
        &self,
        what: &str,
        within: Duration,
        mut ready: impl FnMut(&Log) -> Option<T>,
    ) -> T {
        CURRENT.set(self);
        let deadline = Instant::now() + within;
        let mut log = self.log();
        loop {
            if let Some(answer) = ready(&log) {
                return answer;
            }
            if let Some((name, fault)) = log.fault() {
                drop(log);
                panic!("{name} broke the contract while waiting for {what}: {fault}");
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(log);
                panic!("{what}: not within {within:?}");
            }
            log = self
                .changed
                .wait_timeout(log, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Waits for anything to arrive, at most so long.
    pub fn wait_for_anything(&self, at_most: Duration) {
        let log = self.log();
        drop(self.changed.wait_timeout(log, at_most));
    }

    /// The last events and the standard error of one process.
    pub fn report(&self, node: usize) -> String {
        use std::fmt::Write as _;
        const LINES: usize = 40;
        let mut log = self.log();
        let until = *log.failed_at.get_or_insert_with(Instant::now);
        let record = &log.nodes[node];
        let mut out = format!(
            "--- {} (id {:?}, key {}, coordinator {:?}, exit {:?})\n",
            record.name,
            record.id,
            record.key.as_deref().unwrap_or("unknown"),
            record.coordinator,
            record.exit.map(|(_, status)| status.to_string()),
        );
        let mut lines: Vec<(Instant, String)> = Vec::new();
        lines.extend(record.events.iter().map(|e| (e.at, e.body.to_string())));
        lines.extend(
            (record.lines.iter()).map(|(at, l)| (*at, String::from_utf8_lossy(l).into_owned())),
        );
        lines.retain(|(at, _)| *at <= until);
        let stderr: Vec<_> = (record.stderr.iter())
            .filter(|(at, _)| *at <= until)
            .map(|(at, l)| (*at, format!("stderr: {}", String::from_utf8_lossy(l))))
            .collect();
        let mut shown: Vec<_> = lines.split_off(lines.len().saturating_sub(LINES));
        shown.extend_from_slice(&stderr[stderr.len().saturating_sub(LINES)..]);
        shown.sort_by_key(|(at, _)| *at);
        for (at, line) in shown {
            let seconds = at.saturating_duration_since(self.opened).as_secs_f64();
            let cut = line.floor_char_boundary(300);
            writeln!(out, "  {seconds:8.4} {}", &line[..cut]).expect("a String takes everything");
        }
        for fault in &record.faults {
            writeln!(out, "  FAULT {fault}").expect("a String takes everything");
        }
        out
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn fault(&self) -> Option<(String, String)> {
        let broken = self.nodes.iter().find(|n| !n.faults.is_empty())?;
        Some((broken.name.clone(), broken.faults[0].clone()))
    }
}

impl Record {
    fn new(name: &str) -> Record {
        Record {
            name: name.to_owned(),
            born: Instant::now(),
            events: Vec::new(),
            lines: Vec::new(),
            stderr: Vec::new(),
            open: 0,
            exit: None,
            is_cut: false,
            faults: Vec::new(),
            key: None,
            id: None,
            coordinator: None,
            view: BTreeMap::new(),
            heard: BTreeMap::new(),
            shown: BTreeSet::new(),
            last_seq: BTreeMap::new(),
        }
    }

    /// Events of one kind.
    pub fn all<'a>(&'a self, kind: &'a str) -> impl DoubleEndedIterator<Item = &'a Arc<Event>> {
        self.events.iter().filter(move |e| e.is(kind))
    }

    /// How many lines of `nick` were shown.
    pub fn heard_of(&self, nick: &str) -> usize {
        self.heard.get(nick).map_or(0, Vec::len)
    }

    /// Only a node that was killed may stop in the middle of a line.
    pub fn check_end(&mut self) {
        let (0, true, Some((_, status))) = (self.open, self.is_cut, self.exit) else {
            return;
        };
        self.demand(status.code().is_none(), || {
            format!("{status}, in the middle of a line")
        });
    }

    /// Takes a line of `--json` in, and checks it.
    pub fn take_event(&mut self, line: &[u8], is_whole: bool) {
        if !is_whole {
            self.is_cut = true;
            return;
        }
        let at = Instant::now();
        let body: Value = match serde_json::from_slice(line) {
            Ok(body) => body,
            Err(e) => {
                let line = String::from_utf8_lossy(line);
                self.faults.push(format!("not JSON ({e}): {line}"));
                return;
            }
        };
        for fault in schema::faults(&body) {
            let mut shown = body.to_string();
            shown.truncate(shown.floor_char_boundary(500));
            self.faults.push(format!("{fault}: {shown}"));
        }
        let ended = self.events.last().is_some_and(|e| e.is("left"));
        self.demand(!ended, || format!("after left: {body}"));
        let kind = body["event"].as_str().unwrap_or_default().to_owned();
        let event = Arc::new(Event { at, kind, body });
        self.follow(&event);
        self.events.push(event);
    }

    /// Keeps what later events are understood by.
    fn follow(&mut self, event: &Event) {
        let body = &event.body;
        let key = body["key"].as_str().unwrap_or_default().to_owned();
        match event.kind.as_str() {
            "listening" => {
                let again = self.key.replace(key).is_some();
                self.demand(!again, || "listening, twice".to_owned());
            }
            "joined" | "members" => {
                self.coordinator = body["coordinator"].as_u64();
                let members = body["members"].as_array().into_iter().flatten();
                self.view = members
                    .filter_map(|m| Some((m["key"].as_str()?.to_owned(), m["id"].as_u64()?)))
                    .collect();
                if event.is("joined") {
                    self.id = body["id"].as_u64();
                    let mine = self.key.as_ref().and_then(|key| self.view.get(key));
                    let listed = self.id.is_some() && mine.copied() == self.id;
                    self.demand(listed, || {
                        format!("joined, but not among the members: {body}")
                    });
                }
            }
            "member_joined" => {
                let id = body["id"].as_u64().unwrap_or_default();
                self.view.insert(key, id);
            }
            "member_left" => {
                self.view.remove(&key);
            }
            "coordinator" => self.coordinator = body["id"].as_u64(),
            "message" => self.follow_message(key, body),
            _ => {}
        }
    }

    fn demand(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(fault());
        }
    }

    /// Each message once, and each author's in the order written.
    fn follow_message(&mut self, key: String, body: &Value) {
        let own = self.key.as_deref() == Some(key.as_str());
        self.demand((body["own"] == true) == own, || {
            format!("own is wrong: {body}")
        });
        let (false, false, Some(seq)) = (
            body["replay"] == true,
            body["private"] == true,
            body["seq"].as_u64(),
        ) else {
            return;
        };
        let new = self.shown.insert((key.clone(), seq));
        self.demand(new, || format!("shown twice: {body}"));
        let last = self.last_seq.insert(key, seq).unwrap_or(0);
        self.demand(seq > last, || {
            format!("shown after number {last} of its author: {body}")
        });
        let nick = body["nick"].as_str().unwrap_or_default().to_owned();
        let text = body["text"].as_str().unwrap_or_default().to_owned();
        self.heard.entry(nick).or_default().push(text);
    }
}
