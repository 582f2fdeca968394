//! Keeping the history in a file: what is committed when, and what happens if it cannot be.
//!
//! Owns the open store, and when it is written to. It decides nothing of the protocol: the node
//! says what is to be stored, is told what is, and confirms nothing before that. It tells the user
//! nothing itself, but hands back the words, and sets no timer, but says when it wants to be called.
//!
//! # How the loop stays alive
//!
//! Once per turn, after everything was read and before [`Node::end_turn`](crate::node::Node::end_turn)
//! sends the ACKs, what was taken in is committed in one transaction of at most [`STORE_BATCH_MAX`]
//! messages and [`STORE_BATCH_BYTES_MAX`] bytes. A commit writes into the kernel's memory and waits
//! for no disk. Few messages become rows, many become blocks, which become rows when not many come
//! (`rows`). Commits of many are some milliseconds apart, so that there are fewer (`pacing`). Measured on a
//! virtual machine with 2 cores: less than 0.1 ms for one message, 0.3 microseconds for each of many; where
//! blocks cannot be made, 2 to 5 ms for 1,000 and some 15 ms for a full batch. What is left over is committed
//! in the next turns, and until then nothing more is read from peers and from stdin: their streams push back,
//! as with any slow reader, while the timers (heartbeats, PINGs) go on.
//!
//! # The disk
//!
//! The loop never waits for the disk. What may is done by a process of its own, of which there is one at a
//! time (`helper`): it checks and reads through the file at the start (`at_start`, `loading`, while the loop
//! already answers commands), brings the index of words further and checkpoints (`tending`), once more at the end
//! if that does not take long (`closing`).
//!
//! What the loop does to files itself: it takes the lock and opens the file, once a helper has opened it;
//! commits, and turns blocks into rows, which write to the kernel's memory; asks after each commit whether the
//! file is still there; reads what is not in memory for a newcomer; cuts the log when all of it is in the file;
//! renames a damaged file; and what follows when the file was moved (`files`). None of it asks for a sync.
//!
//! A second process looks for words at the user's wish (`searching`).
//!
//! # The limit
//!
//! The file and its log are not to be larger than the user allows (`space`, `making_room`): a turn in which there
//! is too much deletes some of the oldest messages before it commits, and tells the node which. So does the end, for what
//! is not stored yet (`closing`); and a file that is larger when papo starts is made to fit by the helper that prepares
//! it. There is no other deleting.
//!
//! # Trouble
//!
//! If a commit fails (full disk, read-only, an error), one warning says so, the chat goes on in
//! memory, and it is tried again after a second (`trouble`); what is not stored is not confirmed meanwhile. One
//! remark says when it works again. A commit that a helper is in the way of, because it writes to the index of
//! words, is tried again in a moment and is no trouble. A checkpoint that fails is one warning, and the
//! log grows meanwhile. What happens when the file is moved or deleted is in `files`.

mod at_start;
mod closing;
mod files;
mod helper;
mod loading;
mod making_room;
mod pacing;
mod reading;
mod rows;
mod searching;
mod space;
mod tending;
#[cfg(test)]
#[path = "keeper_test.rs"]
mod tests;
mod trouble;

use std::time::Duration;

use mio::Registry;

use crate::limits::STORE_BATCH_MAX;
use crate::node::{Node, Now, Time};
use crate::store::{Owner, Store, StoreError};
use crate::ui::FoundInStore;
use crate::wire::{ChatMessage, Position};

use super::config::DriverConfig;
use super::start_error::StartError;
use super::tokens::STORE;
pub(super) use closing::Closing;
use files::Files;
use helper::Helper;
use loading::Loading;
use pacing::Pacing;
pub(super) use reading::Read;
use reading::Reading;
use rows::Rows;
use searching::Searching;
use space::Space;
use tending::Tending;
use trouble::Trouble;

/// How often it is looked at whether the file is where it was, while nothing is committed. It costs
/// some microseconds, and no wake-up: a node that is alone has more than that.
const LOOK_EVERY: Duration = Duration::from_secs(1);

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
    helper: Helper,
    /// What the file holds is being read.
    loading: Option<Loading>,
    /// How many of the newest messages belong in memory.
    newest: usize,
    /// A damaged file ends papo.
    strict: bool,
    trouble: Trouble,
    pacing: Pacing,
    tending: Tending,
    rows: Rows,
    space: Space,
    /// A commit waits until the log can be cut, and too much waits for that.
    is_full: bool,
    /// The last commit did not take everything.
    is_behind: bool,
    /// How many messages the node has given up, so far as the user was told that they are not in the file.
    told_given_up: u64,
    reading: Reading,
    searching: Searching,
    /// When it is looked at next whether the file is where it was, although nothing is committed.
    look_at: Time,
    /// What is not stored yet and lies up to here will not be: at the end there is no room for it.
    left_out: Position,
}

impl Keeper {
    /// Takes up the store, if the configuration names one. Nothing is read of it yet: see
    /// [`Keeper::load`].
    pub(super) fn open(
        config: &DriverConfig,
        registry: &Registry,
        now: Now,
    ) -> Result<Option<Keeper>, StartError> {
        let Some(store) = &config.store else {
            return Ok(None);
        };
        let owner = Owner {
            room: config.room.clone(),
            lock: config.secret.as_ref().map(|s| s.fingerprint()),
        };
        let own = || {
            let registry = registry.try_clone();
            registry.map_err(|e| StartError::System("create a poll", e))
        };
        let (registry, searches) = (own()?, own()?);
        let space = Space::new(store.max);
        let mut keeper = Keeper {
            files: Files::new(store.path.clone(), owner),
            helper: Helper::new(registry, STORE),
            loading: None,
            newest: config.history_max,
            strict: store.strict,
            trouble: Trouble::default(),
            pacing: Pacing::default(),
            tending: Tending::new(now.time, &space),
            rows: Rows::new(now.time),
            space,
            is_full: false,
            is_behind: false,
            told_given_up: 0,
            reading: Reading::default(),
            searching: Searching::new(searches),
            look_at: now.time + LOOK_EVERY,
            left_out: Position::default(),
        };
        keeper.begin_loading(now)?;
        Ok(Some(keeper))
    }

    /// The process that helps has said something.
    pub(super) fn on_event(&mut self) {
        self.helper.on_event();
    }

    /// The process that searches has said something.
    pub(super) fn on_search_event(&mut self) {
        self.searching.on_event();
    }

    /// Begins to look for words in the messages older than a position. False if that cannot be done.
    pub(super) fn begin_search(&mut self, words: &str, before: Position) -> bool {
        self.searching.begin(self.files.reader(), words, before)
    }

    /// What the search has found, once, when it is over; nothing inside if it could not be done.
    pub(super) fn take_found(&mut self) -> Option<Option<FoundInStore>> {
        self.searching.take_found(self.files.reader())
    }

    /// True if there is something to do at once.
    pub(super) fn has_work(&self) -> bool {
        self.is_behind || self.helper.has_work() || self.searching.has_work()
    }

    /// True if what is to be stored can be tried to be, now.
    fn may_commit(&self, now: Time) -> bool {
        self.trouble.may_try(now) && self.pacing.retry_at().is_none_or(|at| at <= now)
    }

    /// Does the next thing that brings the node's messages into the file at the path.
    fn step(&mut self, now: Now, node: &Node) -> Result<Step, StoreError> {
        self.space.on_written();
        if self.trouble.wants_reopening() {
            self.files.reopen(now)?;
            self.tending.on_reopened(now.time);
            self.space.on_written();
            self.trouble.on_reopened();
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
        let (mut bytes, bytes_max) = (0, self.space.batch_bytes());
        let left_out = self.left_out;
        let is_wanted = |message: &&ChatMessage| message.position() > left_out;
        let fits = |message: &&ChatMessage| {
            let fits = bytes < bytes_max;
            bytes += if is_wanted(message) {
                message.size_bound()
            } else {
                0
            };
            fits
        };
        let count = (messages.clone().take(STORE_BATCH_MAX))
            .take_while(fits)
            .count();
        let messages = messages.take(count).filter(is_wanted);
        (self.files).put(&mut self.tending, now, messages, count, floor)?;
        if Pacing::is_many(count) {
            self.rows.on_commit(now.time);
        }
        Ok(Step::Stored(count))
    }

    /// Nothing can be stored, for a while; the words say so.
    fn enter_trouble(&mut self, now: Time, e: &StoreError) -> String {
        e.log_details(self.files.path());
        self.trouble.enter(now, e, self.files.is_open());
        trouble::words(&self.files.shown(), e)
    }

    /// True if something is to be brought into the file at the path.
    fn is_owing(&self, has_unstored: bool) -> bool {
        has_unstored || self.files.is_moving() || self.trouble.is_of_a_move()
    }

    /// Now and then: the file is where it was. The words say so if not.
    fn look(&mut self, now: Time) -> Option<String> {
        if self.trouble.is_met() || now < self.look_at {
            return None;
        }
        self.look_at = now + LOOK_EVERY;
        let e = self.files.look().err()?;
        self.note_trouble(now, &e)
    }

    /// When there is something to do although nothing happens.
    fn next_wake(&self, now: Time, unstored: usize) -> Option<Time> {
        let is_owing = self.is_owing(unstored > 0);
        let gathers = self.gathers_until(now, unstored);
        let retry = self.trouble.retry_at().filter(|_| is_owing);
        let crossed = self.pacing.retry_at().filter(|_| is_owing);
        let helper = self.helper.next_wake(now);
        let store = self.files.store().filter(|_| !self.helper.is_running());
        let tending = store.and_then(|store| self.tending.next_wake(now, store));
        let rows = store.filter(|_| self.may_make_rows());
        let rows = rows.and_then(|store| self.rows.next_wake(store));
        let has_room = !self.trouble.is_met() && !self.files.is_moving();
        let space = self.space.next_wake(now).filter(|_| has_room);
        let searching = self.searching.next_wake(now);
        [
            retry, crossed, gathers, tending, rows, helper, space, searching,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// True while what was taken in is still being stored: nothing more is taken in.
    pub(super) fn is_behind(&self) -> bool {
        self.is_behind || self.is_full
    }

    /// Before the end of the node's turn: commits what the turn brought. The words are for the user.
    pub(super) fn turn(&mut self, now: Now, node: &mut Node) -> Option<String> {
        if let Some(words) = self.look(now.time) {
            return Some(words);
        }
        if let Some(words) = self.make_space(now.time, node) {
            self.is_behind = node.unstored_len() > 0;
            return Some(words);
        }
        self.is_full = false;
        if !self.is_owing(node.unstored_len() > 0) || !self.may_commit(now.time) {
            return None;
        }
        if self.tending.holds_commits(node.unstored_len())
            || self.gathers_until(now.time, node.unstored_len()).is_some()
        {
            self.is_behind = false;
            return None;
        }
        if self.waits_for_space(node.unstored_len()) {
            self.is_behind = false;
            return None;
        }
        match self.step(now, node) {
            Ok(step) => {
                self.pacing.on_commit();
                self.note_step(node, step)
            }
            Err(StoreError::Later(why)) if self.is_crossed(now.time) => {
                log::debug!("a commit waits for the index of words: {why}");
                self.is_behind = false;
                None
            }
            Err(e) => self.note_trouble(now.time, &e),
        }
    }

    /// Until when a commit waits for more to come, after one that was a moment ago.
    fn gathers_until(&self, now: Time, unstored: usize) -> Option<Time> {
        let is_well = !self.trouble.is_met() && !self.files.is_moving();
        let until = (self.pacing).gathers_until(now, unstored, self.rows.many_at());
        until.filter(|_| is_well)
    }

    /// A commit failed: true if a helper was in its way, which is over in a moment.
    fn is_crossed(&mut self, now: Time) -> bool {
        let may_be = self.tending.is_in_the_way() && !self.trouble.is_met();
        self.pacing.on_crossed(now, may_be)
    }

    /// Tells the node what is stored; the words are for the user.
    fn note_step(&mut self, node: &mut Node, step: Step) -> Option<String> {
        match step {
            Step::Stored(count) => {
                node.on_stored(count);
                self.is_behind = node.unstored_len() > 0;
                if !self.trouble.end() {
                    return None;
                }
                let without = trouble::without(self.tell_given_up(node));
                let path = self.files.shown();
                Some(format!("{path}: messages are stored again{without}"))
            }
            // The chat goes on, unless more comes than is worth keeping.
            Step::Moving => {
                self.is_behind = node.unstored_len() > STORE_BATCH_MAX;
                None
            }
            Step::Moved(words) => {
                self.is_behind = node.unstored_len() > 0;
                self.trouble.end();
                let without = trouble::without(self.tell_given_up(node));
                Some(format!("{words}{without}"))
            }
        }
    }

    /// How many messages the node has given up since the user was last told of such.
    fn tell_given_up(&mut self, node: &Node) -> u64 {
        let told = std::mem::replace(&mut self.told_given_up, node.given_up_count());
        self.told_given_up.saturating_sub(told)
    }

    /// Nothing can be stored; the words are for the user, unless they were said already.
    fn note_trouble(&mut self, now: Time, e: &StoreError) -> Option<String> {
        self.is_behind = false;
        let is_new = self.trouble.is_new(e);
        let words = self.enter_trouble(now, e);
        if is_new {
            return Some(words);
        }
        log::info!("{words}");
        None
    }

    /// At the end of a turn, when everything is written: when there is something to do although nothing
    /// happens, and words for the user.
    pub(super) fn tidy(&mut self, now: Time, unstored: usize) -> (Option<Time>, Option<String>) {
        if self.helper.is_running() {
            self.space.on_written();
        }
        let (store, is_behind) = (self.files.store(), self.is_behind);
        let words = (self.tending).tend(now, &mut self.helper, store, is_behind);
        let words = words.filter(|_| !self.trouble.is_met());
        // One thing is said at a time, and a failure only once: no other is met while there is one to say.
        let words = match words {
            None => self.make_rows(now),
            some => some,
        };
        let words = words.map(|words| format!("{}: {words}", self.files.shown()));
        (self.next_wake(now, unstored), words)
    }

    /// True if blocks of messages may become rows, once it is time.
    fn may_make_rows(&self) -> bool {
        let is_writable = self.files.store().is_some_and(Store::is_writable);
        let is_well = !self.trouble.is_met() && !self.files.is_moving() && is_writable;
        let has_room = !self.space.is_over() && self.space.has_log_room();
        is_well
            && has_room
            && !self.is_behind
            && !self.helper.is_running()
            && !self.tending.is_wanted()
    }

    /// Turns a block of messages into rows, if it is time.
    fn make_rows(&mut self, now: Time) -> Option<String> {
        let store = self.files.store().filter(|_| self.may_make_rows())?;
        if !self.rows.is_due(now, store) {
            return None;
        }
        self.space.on_written();
        let result = self.files.make_rows(&mut self.tending, now);
        self.rows.note(now, result)
    }

    /// Reads what is `wanted` after one position, and up to another. What cannot be read is not there:
    /// whoever asks goes on with what is in memory, and the user is told once.
    pub(super) fn read(
        &mut self,
        after: Position,
        until: Position,
        wanted: impl Fn(Position) -> bool,
    ) -> Read {
        self.reading.read(&self.files, after, until, wanted)
    }
}
