//! Keeping the history in a file: what is committed when, and what happens if it cannot be.
//!
//! Owns the open store, and the state of its trouble. It decides nothing of the protocol: the node
//! says what is to be stored, is told what is, and confirms nothing before that.
//!
//! # How the loop stays alive
//!
//! Once per turn, after everything was read and before [`Node::end_turn`](crate::node::Node::end_turn)
//! sends the ACKs, what was taken in is committed in one transaction of at most [`STORE_BATCH_MAX`]
//! messages and [`STORE_BATCH_BYTES_MAX`] bytes. A commit writes into the kernel's memory and waits
//! for no disk. Measured on a virtual machine with 2 cores: less than 0.1 ms for one message, 2 to 5
//! ms for 1,000, some 15 ms for a full batch. What is left over is committed in the next turns, and until then nothing more is
//! read from peers and from stdin: their streams push back, as with any slow reader, while the timers
//! (heartbeats, PINGs) go on.
//!
//! Only a checkpoint waits for the disk. One is made when [`LOG_PAGES`] pages wait in the log, or
//! [`CHECKPOINT_AFTER`] after the first commit that no checkpoint followed: at the end of a turn, when
//! everything that was due has been written to the peers. It takes some milliseconds on a working
//! disk. A disk that stalls stalls the loop with it, in a checkpoint or in a commit: the loop is late
//! then, [`Attendance`](super::clock::Attendance) sees it, and the node is told that it was
//! [`Away`](crate::node::Input::Away): it blames itself and asks in again, and the others have long
//! gone on without it.
//!
//! The index of words ([`Store::index`]) costs ten times as much as a commit, so it follows behind,
//! [`INDEX_BATCH`] messages at a time with a pause of [`INDEX_PAUSE`].
//!
//! # Trouble
//!
//! If a commit fails (full disk, read-only, an error), one warning says so, the chat goes on in
//! memory, and it is tried again after [`RETRY`]; what is not stored is not confirmed meanwhile. One
//! remark says when it works again. What happens when the file is moved or deleted is in `moving`.

mod closing;
mod moving;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::limits::{STORE_BATCH_BYTES_MAX, STORE_BATCH_MAX};
use crate::node::{Asks, Effect, LinkId, Node, Now, Restored, Time};
use crate::store::{self, Owner, Store, StoreError};
use crate::ui::Ui;
use crate::ui::visible::{Tab, visible};
use crate::wire::{ChatMessage, Chunk, Message, Position};

use super::reactor::{Reactor, Wake};
use super::start::{DriverConfig, StartError};
use moving::Moving;

/// Pages in the log that are worth a checkpoint.
const LOG_PAGES: u64 = 1_000;
/// How long a commit waits for a checkpoint: what a power cut may cost.
const CHECKPOINT_AFTER: Duration = Duration::from_secs(5);
/// The pause between two attempts to store something while that fails.
const RETRY: Duration = Duration::from_secs(1);
/// Messages whose words go into the index at a time, some 5 ms of work.
const INDEX_BATCH: u32 = 250;
/// The pause between two times.
const INDEX_PAUSE: Duration = Duration::from_millis(20);
/// Commits between two looks at the log's length.
const LOOK_EVERY: u32 = 16;

/// Which file, and what to do if it is damaged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreConfig {
    /// The file.
    pub path: PathBuf,
    /// A damaged file ends papo, instead of being set aside.
    pub strict: bool,
}

/// A store that cannot be written to.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    retry_at: Time,
    /// The file has to be opened again.
    reopen: bool,
    /// It was moved or deleted; nothing else was said yet.
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
    path: PathBuf,
    owner: Owner,
    /// None if nothing could be opened, even for reading.
    store: Option<Store>,
    trouble: Option<Trouble>,
    moving: Moving,
    /// The last commit did not take everything.
    pub(super) is_behind: bool,
    /// The time of the first commit that no checkpoint followed.
    dirty_since: Option<Time>,
    /// When the index of words goes on, if it is behind.
    index_at: Option<Time>,
    /// Commits since the log was last looked at.
    unlooked: u32,
    /// The log's length that is worth a checkpoint.
    checkpoint_at: u64,
    reads_fail: bool,
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
            path: path.clone(),
            owner,
            store: None,
            trouble: None,
            moving: Moving::default(),
            is_behind: false,
            dirty_since: None,
            index_at: Some(now.time),
            unlooked: 0,
            checkpoint_at: LOG_PAGES,
            reads_fail: false,
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
        let store = match Store::open(&self.path, &self.owner, now.wall_ms, true) {
            Err(StoreError::Unusable(why) | StoreError::Later(why)) => {
                words.push(self.enter_trouble(now.time, &StoreError::Unusable(why)));
                let is_new = std::fs::metadata(&self.path).is_ok_and(|found| found.len() == 0);
                if is_new || !self.path.exists() {
                    return Ok(Restored::default());
                }
                Store::open_for_reading(&self.path, Some(&self.owner))?
            }
            result => result?,
        };
        let held = store.held(max)?;
        self.moving.holder = Some(store.identity());
        self.store = Some(store);
        Ok(Restored {
            ranges: held.ranges,
            newest: held.newest,
            until: held.until,
        })
    }

    /// Gives a damaged file another name; the words say so.
    fn set_aside(&mut self, why: &str, now: Now) -> Result<String, StartError> {
        self.store = None;
        self.trouble = None;
        let stamp = i64::try_from(now.wall_ms)
            .ok()
            .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .unwrap_or_default()
            .strftime("%Y%m%dT%H%M%SZ");
        let suffix = format!(".damaged-{stamp}");
        let aside = store::set_aside(&self.path, &suffix)
            .map_err(|e| StartError::Store(self.path.clone(), StoreError::Path(e)))?;
        Ok(format!(
            "{} is damaged ({why}): it is now {}, and a new one takes its place",
            shown(&self.path),
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
            self.reopen(now)?;
            let reopen = false;
            self.trouble = Some(Trouble { reopen, ..trouble });
        }
        if self.is_moving() {
            self.move_on(now, node.history())
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
        self.put(now, messages.take(count), count, floor)?;
        Ok(Step::Stored(count))
    }

    /// Commits `count` messages; they count only if the file is where others find them.
    fn put<'a>(
        &mut self,
        now: Now,
        messages: impl Iterator<Item = &'a ChatMessage>,
        count: usize,
        floor: Position,
    ) -> Result<(), StoreError> {
        let Some(store) = &mut self.store else {
            return Err(StoreError::Unusable("it is not open".into()));
        };
        store.commit(messages, floor)?;
        self.unlooked += 1 + u32::try_from(count).unwrap_or(0) / LOOK_EVERY;
        self.dirty_since.get_or_insert(now.time);
        self.index_at.get_or_insert(now.time + INDEX_PAUSE);
        store.look()
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
            // A full disk needs no other descriptors; for whatever else it is new ones may help.
            reopen: !matches!(e, StoreError::Later(_)) || self.store.is_none(),
            is_moved: e.is_moved(),
        });
        format!(
            "{}: nothing can be stored: {e}; the chat goes on in memory, and nothing is \
             confirmed until it is stored",
            shown(&self.path)
        )
    }

    /// When there is something to do although nothing happens.
    fn next_wake(&self, has_unstored: bool) -> Option<Time> {
        let checkpoint = self.dirty_since.map(|at| at + CHECKPOINT_AFTER);
        let is_owing = has_unstored || self.is_moving();
        let retry = self.trouble.filter(|_| is_owing).map(|t| t.retry_at);
        [retry, checkpoint, self.index_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// Brings the index of words further, if it is time to.
    fn index(&mut self, now: Time) {
        let Some(store) = self.store.as_mut().filter(|s| s.is_writable()) else {
            self.index_at = None;
            return;
        };
        if self.is_behind || self.index_at.is_none_or(|at| at > now) {
            return;
        }
        self.index_at = match store.index(INDEX_BATCH) {
            Ok(true) => Some(now + INDEX_PAUSE),
            Ok(false) => None,
            // Searching goes without. The next commit meets whatever it is, and says so.
            Err(e) => {
                log::warn!(
                    "{}: the words of messages are not indexed: {e}",
                    self.path.display()
                );
                None
            }
        };
        self.unlooked += LOOK_EVERY;
        self.dirty_since.get_or_insert(now);
    }

    /// Checkpoints if it is time to.
    fn checkpoint(&mut self, now: Time) {
        let (Some(store), Some(since)) = (&self.store, self.dirty_since) else {
            return;
        };
        let is_old = now >= since + CHECKPOINT_AFTER;
        let is_long = self.unlooked >= LOOK_EVERY && {
            self.unlooked = 0;
            store.log_pages().is_ok_and(|n| n >= self.checkpoint_at)
        };
        if !is_old && !is_long {
            return;
        }
        self.dirty_since = None;
        if let Err(e) = store.checkpoint() {
            // The next commit meets whatever it is, and says so.
            return log::info!("{}: no checkpoint: {e}", self.path.display());
        }
        // A reader can keep some of the log from being emptied: that is no reason to try each turn.
        self.checkpoint_at = store.log_pages().unwrap_or(0) + LOG_PAGES;
    }
}

/// A file's name in a line for people.
fn shown(path: &Path) -> String {
    visible(&format!("--store {}", path.display()), Tab::Escape)
}

impl Reactor {
    /// True while what was taken in is still being stored: nothing more is taken in.
    pub(super) fn is_storing(&self) -> bool {
        self.keeper.as_ref().is_some_and(|k| k.is_behind)
    }

    /// Before the end of the node's turn: commits what the turn brought.
    pub(super) fn store_turn(&mut self) {
        let Some(keeper) = &mut self.keeper else {
            return;
        };
        let is_owing = self.node.unstored_len() > 0 || keeper.is_moving();
        if !is_owing || !keeper.may_commit(self.now.time) {
            return;
        }
        match keeper.step(self.now, &self.node) {
            Ok(step) => self.note_step(step),
            Err(e) => self.note_trouble(&e),
        }
    }

    fn note_step(&mut self, step: Step) {
        let Some(keeper) = &mut self.keeper else {
            return;
        };
        let words = match step {
            Step::Stored(count) => {
                self.node.on_stored(count);
                keeper.is_behind = self.node.unstored_len() > 0;
                let is_over = keeper.trouble.take().is_some();
                is_over.then(|| format!("{}: messages are stored again", shown(&keeper.path)))
            }
            // The chat goes on, unless more comes than is worth keeping.
            Step::Moving => {
                keeper.is_behind = self.node.unstored_len() > STORE_BATCH_MAX;
                None
            }
            Step::Moved(words) => {
                keeper.is_behind = self.node.unstored_len() > 0;
                keeper.trouble = None;
                Some(words)
            }
        };
        if let Some(words) = words {
            self.ui.warn(self.now, &words);
        }
    }

    fn note_trouble(&mut self, e: &StoreError) {
        let Some(keeper) = &mut self.keeper else {
            return;
        };
        keeper.is_behind = false;
        let is_new = keeper.trouble.is_none_or(|t| t.is_moved && !e.is_moved());
        let words = keeper.enter_trouble(self.now.time, e);
        if is_new {
            self.ui.warn(self.now, &words);
        } else {
            log::info!("{words}");
        }
    }

    /// At the end of a turn, when everything is written.
    pub(super) fn tidy_store(&mut self) {
        let Some(keeper) = &mut self.keeper else {
            return;
        };
        keeper.index(self.now.time);
        keeper.checkpoint(self.now.time);
        match keeper.next_wake(self.node.unstored_len() > 0) {
            Some(at) => self.wheel.set(Wake::Store, at),
            None => self.wheel.cancel(Wake::Store),
        }
    }

    /// Answers a FETCH from the store. If it cannot be read the peer gets nothing from there, and
    /// goes on with what is in memory.
    pub(super) fn fetch_stored(&mut self, effect: Effect) {
        let Effect::FetchStored { link, fetch, until } = effect else {
            return;
        };
        let (no, after) = (fetch.no, fetch.after);
        let asks = Asks::of(&fetch);
        let wanted = |position: Position| asks.for_message(position, position.id());
        let found = match self.keeper.as_ref().and_then(Keeper::reader) {
            Some(store) => store.between(after, until, wanted),
            None => Err(StoreError::Unusable("it is not open".into())),
        };
        let (messages, upto) = match found {
            Ok(found) => (found.messages, found.upto),
            Err(e) => {
                if let Some(words) = self.keeper.as_mut().and_then(|k| k.note_unread(&e)) {
                    self.ui.warn(self.now, &words);
                }
                (Vec::new(), until)
            }
        };
        self.send_chunk(link, no, upto, messages);
    }

    fn send_chunk(&mut self, link: LinkId, no: u64, upto: Position, messages: Vec<ChatMessage>) {
        let chunk = Chunk {
            no,
            next: Some(upto),
            messages,
        };
        let class = crate::node::Class::Chat;
        self.send(&[link], class, &Message::Chunk(chunk));
    }
}

/// Fetches from the store what stdout is to have next: one chunk at most, and what is to be stored
/// yet. What cannot be read is skipped, and the user is told. False if nothing is wanted.
pub(super) fn fetch_for_stdout(
    keeper: &mut Option<Keeper>,
    now: Now,
    ui: &mut Ui,
    node: &Node,
) -> bool {
    let Some((after, until)) = ui.wants_stored() else {
        return false;
    };
    let wanted = |position: Position| ui.is_wanted_of_store(position);
    let found = match keeper.as_ref().and_then(Keeper::reader) {
        Some(store) => store.between(after, until, wanted),
        None => Err(StoreError::Unusable("it is not open".into())),
    };
    let (mut messages, upto) = match found {
        Ok(found) => (found.messages, found.upto),
        Err(e) => {
            if let Some(words) = keeper.as_mut().and_then(|k| k.note_unread(&e)) {
                ui.warn(now, &words);
            }
            (Vec::new(), until)
        }
    };
    let unstored = node.unstored().filter(|m| {
        let position = m.position();
        after < position && position <= upto && ui.is_wanted_of_store(position)
    });
    messages.extend(unstored.cloned());
    messages.sort_by_key(ChatMessage::position);
    messages.dedup_by_key(|m| m.position());
    ui.give_stored(messages, upto);
    true
}

impl Keeper {
    /// Something could not be read; the words say so, the first time.
    fn note_unread(&mut self, e: &StoreError) -> Option<String> {
        let is_new = !std::mem::replace(&mut self.reads_fail, true);
        is_new.then(|| {
            let path = shown(&self.path);
            format!("{path}: cannot be read: {e}; others get what is in memory only")
        })
    }
}
