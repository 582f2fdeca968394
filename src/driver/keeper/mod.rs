//! Keeping the history in a file: what is committed when, and what happens if it cannot be.
//!
//! Owns the open store, and the state of its trouble. It decides nothing of the protocol: the node
//! says what is to be stored, is told what is, and confirms nothing before that. It tells the user
//! nothing itself, but hands back the words, and sets no timer, but says when it wants to be called.
//!
//! # How the loop stays alive
//!
//! Once per turn, after everything was read and before [`Node::end_turn`](crate::node::Node::end_turn)
//! sends the ACKs, what was taken in is committed in one transaction of at most [`STORE_BATCH_MAX`]
//! messages and [`STORE_BATCH_BYTES_MAX`] bytes. A commit writes into the kernel's memory and waits
//! for no disk. Measured on a virtual machine with 2 cores: less than 0.1 ms for one message, 2 to 5
//! ms for 1,000, some 15 ms for a full batch. What is left over is committed in the next turns, and until
//! then nothing more is read from peers and from stdin: their streams push back, as with any slow reader,
//! while the timers (heartbeats, PINGs) go on.
//!
//! Only a checkpoint waits for the disk. When one is made, and how the index of words follows, is in
//! `tending`.
//!
//! # Trouble
//!
//! If a commit fails (full disk, read-only, an error), one warning says so, the chat goes on in
//! memory, and it is tried again after [`RETRY`]; what is not stored is not confirmed meanwhile. One
//! remark says when it works again. What happens when the file is moved or deleted is in `files`; when its
//! index and its log are tended, in `tending`.

mod files;
mod tending;

use std::time::Duration;

use crate::limits::{STORE_BATCH_BYTES_MAX, STORE_BATCH_MAX};
use crate::node::{Node, Now, Restored, Time};
use crate::store::{self, Owner, Store, StoreError};
use crate::wire::{ChatMessage, Position};

use super::config::{DriverConfig, StoreConfig};
use super::start_error::StartError;
use files::{Files, shown};
use tending::Tending;

/// The pause between two attempts to store something while that fails.
const RETRY: Duration = Duration::from_secs(1);
/// How often it is looked at whether the file is where it was, while nothing is committed. It costs
/// some microseconds, and no wake-up: a node that is alone has more than that.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many batches a leaver stores: as many as the wait for its end is worth, some 10 s.
const LAST_STEPS_MAX: usize = 1_000;

/// A store that cannot be written to.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    retry_at: Time,
    /// The file has to be opened again.
    reopen: bool,
    /// It was moved or deleted, or has another name; nothing else was said yet.
    is_moved: bool,
}

/// What a commit, or a part of a move, has done.
#[derive(Debug)]
enum Step {
    /// So many of the first unstored messages are stored.
    Stored(usize),
    /// Nothing that counts, yet.
    Moving,
    /// What was stored before is stored again: these words say so.
    Moved(String),
}

/// The store of a running node.
#[derive(Debug)]
pub(super) struct Keeper {
    files: Files,
    trouble: Option<Trouble>,
    tending: Tending,
    /// The last commit did not take everything.
    is_behind: bool,
    /// Reading failed, and that was said.
    reads_fail: bool,
    /// When it is looked at next whether the file is where it was, although nothing is committed.
    look_at: Time,
}

impl Keeper {
    /// Opens the store, if the configuration names one: what it holds, and what the user is to be
    /// told.
    pub(super) fn open(
        config: &DriverConfig,
        now: Now,
    ) -> Result<Option<(Keeper, Restored, Vec<String>)>, StartError> {
        let Some(StoreConfig { path, strict }) = &config.store else {
            return Ok(None);
        };
        let lock = config.secret.as_ref().map(|s| s.fingerprint());
        let owner = Owner {
            room: config.room.clone(),
            lock,
        };
        let mut keeper = Keeper {
            files: Files::new(path.clone(), owner),
            trouble: None,
            tending: Tending::new(now.time),
            is_behind: false,
            reads_fail: false,
            look_at: now.time + LOOK_EVERY,
        };
        let mut words = Vec::new();
        let restored = match keeper.load(now, config.history_max, &mut words) {
            Err(StoreError::Damaged(why)) if !strict => {
                words.push(keeper.set_aside(&why, now)?);
                keeper.load(now, config.history_max, &mut words)
            }
            result => result,
        };
        let restored = restored.map_err(|e| StartError::Store(path.clone(), e))?;
        Ok(Some((keeper, restored, words)))
    }

    /// Opens the file for writing, or at least for reading, and reads what is needed of it.
    fn load(
        &mut self,
        now: Now,
        max: usize,
        words: &mut Vec<String>,
    ) -> Result<Restored, StoreError> {
        let (path, owner) = (self.files.path().to_owned(), self.files.owner().clone());
        let store = match Store::open(&path, &owner, now.wall_ms, true) {
            Err(StoreError::Unusable(why) | StoreError::Later(why)) => {
                words.push(self.enter_trouble(now.time, &StoreError::Unusable(why)));
                let is_new = std::fs::metadata(&path).is_ok_and(|found| found.len() == 0);
                if is_new || !path.exists() {
                    return Ok(Restored::default());
                }
                let store = Store::open_for_reading(&path, Some(&owner))?;
                let unread = store.unread();
                words.extend(unread.map(|unread| format!("{}: {unread}", self.files.shown())));
                store
            }
            result => result?,
        };
        let held = store.held(max)?;
        self.files.begin_with(store);
        Ok(Restored {
            ranges: held.ranges,
            newest: held.newest,
            until: held.until,
        })
    }

    /// Gives a damaged file another name; the words say so.
    fn set_aside(&mut self, why: &str, now: Now) -> Result<String, StartError> {
        self.files.give_up();
        self.trouble = None;
        let stamp = i64::try_from(now.wall_ms)
            .ok()
            .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .unwrap_or_default()
            .strftime("%Y%m%dT%H%M%SZ");
        let suffix = format!(".damaged-{stamp}");
        let path = self.files.path();
        let aside = store::set_aside(path, &suffix)
            .map_err(|e| StartError::Store(path.to_owned(), StoreError::Path(e)))?;
        Ok(format!(
            "{} is damaged ({why}): it is now {}, and a new one takes its place",
            self.files.shown(),
            shown(&aside)
        ))
    }

    /// True if what is to be stored can be tried to be, now.
    fn may_commit(&self, now: Time) -> bool {
        self.trouble.is_none_or(|t| t.retry_at <= now)
    }

    /// Does the next thing that brings the node's messages into the file at the path.
    fn step(&mut self, now: Now, node: &Node) -> Result<Step, StoreError> {
        if let Some(trouble) = self.trouble.filter(|t| t.reopen) {
            self.files.reopen(now)?;
            self.tending.on_reopened(now.time);
            let reopen = false;
            self.trouble = Some(Trouble { reopen, ..trouble });
        }
        if self.files.is_moving() {
            let moved = (self.files).move_on(&mut self.tending, now, node.history())?;
            Ok(moved.map_or(Step::Moving, Step::Moved))
        } else {
            self.commit(now, node.unstored(), node.history().floor())
        }
    }

    /// Commits the first of these messages, as many as a batch takes.
    fn commit<'a>(
        &mut self,
        now: Now,
        messages: impl Iterator<Item = &'a ChatMessage> + Clone,
        floor: Position,
    ) -> Result<Step, StoreError> {
        let mut bytes = 0;
        let fits = |message: &&ChatMessage| {
            let fits = bytes < STORE_BATCH_BYTES_MAX;
            bytes += message.size_bound();
            fits
        };
        let count = (messages.clone().take(STORE_BATCH_MAX))
            .take_while(fits)
            .count();
        let messages = messages.take(count);
        (self.files).put(&mut self.tending, now, messages, count, floor)?;
        Ok(Step::Stored(count))
    }

    /// Nothing can be stored, for a while; the words say so.
    fn enter_trouble(&mut self, now: Time, e: &StoreError) -> String {
        let is_new = self.trouble.is_none();
        // A file that was moved has a new one in its place at once, unless that goes on and on.
        let pause = match e.is_moved() && is_new {
            true => Duration::ZERO,
            false => RETRY,
        };
        self.trouble = Some(Trouble {
            retry_at: now + pause,
            // A full disk needs no other descriptors, nor does a file with a second name; for whatever
            // else it is new ones may help.
            reopen: !matches!(e, StoreError::Later(_) | StoreError::Linked(_))
                || !self.files.is_open(),
            is_moved: e.is_moved(),
        });
        format!(
            "{}: nothing can be stored: {e}; the chat goes on in memory, and nothing is \
             confirmed until it is stored",
            self.files.shown()
        )
    }

    /// True if something is to be brought into the file at the path.
    fn is_owing(&self, has_unstored: bool) -> bool {
        has_unstored || self.files.is_moving() || self.trouble.is_some_and(|t| t.is_moved)
    }

    /// Now and then: the file is where it was. The words say so if not.
    fn look(&mut self, now: Time) -> Option<String> {
        if self.trouble.is_some() || now < self.look_at {
            return None;
        }
        self.look_at = now + LOOK_EVERY;
        let e = self.files.look().err()?;
        self.note_trouble(now, &e)
    }

    /// When there is something to do although nothing happens.
    fn next_wake(&self, has_unstored: bool) -> Option<Time> {
        let is_owing = self.is_owing(has_unstored);
        let retry = self.trouble.filter(|_| is_owing).map(|t| t.retry_at);
        [retry, self.tending.next_wake()]
            .into_iter()
            .flatten()
            .min()
    }

    /// True while what was taken in is still being stored: nothing more is taken in.
    pub(super) fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Before the end of the node's turn: commits what the turn brought. The words are for the user.
    pub(super) fn turn(&mut self, now: Now, node: &mut Node) -> Option<String> {
        if let Some(words) = self.look(now.time) {
            return Some(words);
        }
        if !self.is_owing(node.unstored_len() > 0) || !self.may_commit(now.time) {
            return None;
        }
        match self.step(now, node) {
            Ok(step) => self.note_step(node, step),
            Err(e) => self.note_trouble(now.time, &e),
        }
    }

    /// Tells the node what is stored; the words are for the user.
    fn note_step(&mut self, node: &mut Node, step: Step) -> Option<String> {
        match step {
            Step::Stored(count) => {
                node.on_stored(count);
                self.is_behind = node.unstored_len() > 0;
                let is_over = self.trouble.take().is_some();
                is_over.then(|| format!("{}: messages are stored again", self.files.shown()))
            }
            // The chat goes on, unless more comes than is worth keeping.
            Step::Moving => {
                self.is_behind = node.unstored_len() > STORE_BATCH_MAX;
                None
            }
            Step::Moved(words) => {
                self.is_behind = node.unstored_len() > 0;
                self.trouble = None;
                Some(words)
            }
        }
    }

    /// Nothing can be stored; the words are for the user, unless they were said already.
    fn note_trouble(&mut self, now: Time, e: &StoreError) -> Option<String> {
        self.is_behind = false;
        let is_new = (self.trouble).is_none_or(|t| t.is_moved && !e.is_moved());
        let words = self.enter_trouble(now, e);
        if is_new {
            return Some(words);
        }
        log::info!("{words}");
        None
    }

    /// At the end of a turn, when everything is written. The result is when there is something to do
    /// although nothing happens.
    pub(super) fn tidy(&mut self, now: Time, has_unstored: bool) -> Option<Time> {
        let (path, store) = self.files.parts();
        self.tending.tend(now, path, store, self.is_behind);
        self.next_wake(has_unstored)
    }

    /// Reads what is `wanted` after one position, and up to another. What cannot be read is not there:
    /// whoever asks goes on with what is in memory, and the user is told once.
    pub(super) fn read(
        &mut self,
        after: Position,
        until: Position,
        wanted: impl Fn(Position) -> bool,
    ) -> Read {
        let found = match self.files.reader() {
            Some(store) => store.between(after, until, wanted),
            None => Err(StoreError::Unusable("it is not open".into())),
        };
        match found {
            Ok(found) => Read {
                messages: found.messages,
                upto: found.upto,
                trouble: None,
            },
            Err(e) => Read {
                trouble: self.note_unread(&e),
                ..Read::nothing(until)
            },
        }
    }

    /// Something could not be read; the words say so, the first time.
    fn note_unread(&mut self, e: &StoreError) -> Option<String> {
        let is_new = !std::mem::replace(&mut self.reads_fail, true);
        is_new.then(|| {
            let path = self.files.shown();
            format!("{path}: cannot be read: {e}; others get what is in memory only")
        })
    }

    /// The node has left: what is not stored yet is tried a last time, and said if that fails.
    pub(super) fn close(mut self, now: Now, node: &mut Node, mut say: impl FnMut(&str)) {
        for _ in 0..LAST_STEPS_MAX {
            if !self.is_owing(node.unstored_len() > 0) {
                break;
            }
            let words = match self.step(now, node) {
                Ok(step) => self.note_step(node, step),
                Err(e) if e.is_moved() && self.trouble.is_none() => self.note_trouble(now.time, &e),
                Err(e) => {
                    if let Some(words) = self.unstored_words(node, &e.to_string()) {
                        say(&words);
                    }
                    break;
                }
            };
            if let Some(words) = words {
                say(&words);
            }
        }
        if let Some(words) = self.files.part() {
            say(&words);
        }
    }

    /// What was not stored, if there is anything.
    fn unstored_words(&self, node: &Node, why: &str) -> Option<String> {
        let left = match node.unstored_len() {
            0 => return None,
            1 => "1 message is".to_owned(),
            n => format!("{n} messages are"),
        };
        Some(format!("{}: {left} not stored: {why}", self.files.shown()))
    }
}

/// What was read of the file.
#[derive(Debug)]
pub(super) struct Read {
    /// What was found, in the history's order.
    pub(super) messages: Vec<ChatMessage>,
    /// How far the file was read.
    pub(super) upto: Position,
    /// It could not be read, and the user is to be told so.
    pub(super) trouble: Option<String>,
}

impl Read {
    /// Nothing is there up to this position.
    pub(super) fn nothing(upto: Position) -> Read {
        Read {
            messages: Vec::new(),
            upto,
            trouble: None,
        }
    }
}
