//! The file at the path, which may be moved or deleted while it is in use.
//!
//! Owns the open file, and the move from one to another. When something is stored, what follows if it
//! cannot be, and what the user is told, is not decided here.
//!
//! A message counts as stored only if it can be found at the path that the user named. So after each
//! commit, and now and then while there is none, it is looked at ([`Store::look`]) whether the path still leads to the file that is open,
//! and its log is beside it. If not, that commit does not count, one warning says what happened, and
//! nothing is confirmed until everything that was confirmed is at the path again:
//!
//! - *Only the log has gone*: the connection still has it. It is brought into the file, and the file
//!   is opened anew with a new log.
//! - *The file is back* where it was: it is opened anew.
//! - *The file has gone*: a system keeps a deleted file for as long as somebody has it open, so the
//!   old one can still be read, and the messages that are not in memory still be served from there.
//!   A new file is created at the path, or the one that is there now is opened if it is a history
//!   of this room, and everything that the old one holds is copied into it, some batches per turn of
//!   the loop. Then the old one is closed. The chat goes on meanwhile, unconfirmed.
//! - *The old file cannot be read any more* (its disk has gone, too): what is in memory is all there
//!   is. How many messages are lost with the old file is said.
//! - *The file was emptied*: nothing of it can be read any more. What is in memory is stored in it anew.
//! - *Another file is at the path*: it is left as it is, and it is tried again now and then.
//!
//! A lock that was deleted is taken anew; if another papo was faster, that one has the file.

use std::path::{Path, PathBuf};

use crate::limits::BATCH_BYTES_MAX;
use crate::node::{History, Now, Time};
use crate::store::{self, Dropped, Identity, Owner, Place, Portion, Store, StoreError};
use crate::ui::visible::{Tab, visible};
use crate::wire::{ChatMessage, MessageId, Position};

use super::tending::Tending;

/// Messages copied per turn of the loop, some 5 ms of work: read at once, since a block of them is unpacked each
/// time that something in it is read.
const BATCH: usize = 1_000;
const PORTION: Portion = Portion {
    messages: BATCH,
    bytes: 8 * BATCH_BYTES_MAX,
};

/// The file at the path, and the one that it takes over from after a move.
#[derive(Debug)]
pub(super) struct Files {
    path: PathBuf,
    owner: Owner,
    /// The file at the path; none if nothing could be opened, even for reading.
    store: Option<Store>,
    /// The file that has everything that the node was told is stored.
    holder: Option<Identity>,
    /// The file that has everything, if it is not the one at the path, and can be read.
    old: Option<Store>,
    /// Nothing up to here is stored any more, in whichever file.
    dropped_to: Position,
    /// How far its messages are in the file at the path, while some are not.
    copied: Option<Copied>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Copied {
    upto: Position,
    count: usize,
    /// The old file could not be read.
    from_memory: bool,
}

impl Files {
    /// Nothing is open yet.
    pub(super) fn new(path: PathBuf, owner: Owner) -> Files {
        Files {
            path,
            owner,
            store: None,
            holder: None,
            old: None,
            dropped_to: Position::default(),
            copied: None,
        }
    }

    /// The path that the user named.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path that the user named, in a line for people.
    pub(super) fn shown(&self) -> String {
        shown(&self.path)
    }

    /// Whose history is kept.
    pub(super) fn owner(&self) -> &Owner {
        &self.owner
    }

    /// This file is at the path, and has everything that the node was told is stored.
    pub(super) fn begin_with(&mut self, store: Store) {
        self.holder = Some(store.identity());
        self.dropped_to = store.dropped_to();
        self.store = Some(store);
    }

    /// What is open is closed: it is no file of this history.
    pub(super) fn give_up(&mut self) {
        self.store = None;
    }

    /// The file at the path is damaged: it gets another name, which says when, and which is returned.
    pub(super) fn set_aside(&mut self, now: Now) -> Result<PathBuf, StoreError> {
        self.give_up();
        let stamp = i64::try_from(now.wall_ms)
            .ok()
            .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .unwrap_or_default()
            .strftime("%Y%m%dT%H%M%SZ");
        store::set_aside(&self.path, &format!(".damaged-{stamp}")).map_err(StoreError::Path)
    }

    /// True if a file is open.
    pub(super) fn is_open(&self) -> bool {
        self.store.is_some()
    }

    /// The file at the path, if one is open.
    pub(super) fn store(&self) -> Option<&Store> {
        self.store.as_ref()
    }

    /// True while what was confirmed is not all at the path.
    pub(super) fn is_moving(&self) -> bool {
        self.copied.is_some() || self.old.is_some()
    }

    /// The file that has all that is not in memory.
    pub(super) fn reader(&self) -> Option<&Store> {
        self.old.as_ref().or(self.store.as_ref())
    }

    /// Opens the file at the path once more, whichever that is; if that fails, what was open may still
    /// be read.
    pub(super) fn reopen(&mut self, now: Now) -> Result<(), StoreError> {
        let latest = self.store.take();
        let held = self.old.take().or(latest);
        let opened = match held.as_ref().map(Store::place) {
            Some(Place::Gone) => self.open_instead(held, now),
            Some(Place::WithoutLog) => self.open_settled(held, now),
            Some(Place::Emptied) => self.open_emptied(held, now),
            Some(Place::There) | None => {
                // Its lock would keep this process out, too.
                drop(held);
                self.open_again(now)
            }
        };
        let mut store = opened?;
        store.raise_dropped(self.dropped_to);
        let identity = store.identity();
        let holder = *self.holder.get_or_insert(identity);
        let is_back = holder == identity;
        // Of two moves in a row the first one's file is the one that has everything.
        (self.old).take_if(|old| is_back || old.identity() != holder);
        self.copied = (!is_back).then(|| Copied {
            from_memory: self.old.is_none(),
            ..Copied::default()
        });
        self.store = Some(store);
        Ok(())
    }

    /// The file that was open is at the path, or none was open.
    fn open_again(&mut self, now: Now) -> Result<Store, StoreError> {
        let opened = Store::open(&self.path, &self.owner, now.wall_ms, false);
        if opened.is_err() {
            let readable = Store::open_for_reading(&self.path, Some(&self.owner)).ok();
            self.store = readable.filter(|s| self.holder == Some(s.identity()));
        }
        opened
    }

    /// The file that was open is at the path, but its log is not beside it.
    fn open_settled(&mut self, held: Option<Store>, now: Now) -> Result<Store, StoreError> {
        if let Some(e) = held.as_ref().and_then(|store| store.settle().err()) {
            self.store = held;
            return Err(e);
        }
        drop(held);
        self.open_again(now)
    }

    /// Somebody has emptied the file that was open.
    fn open_emptied(&mut self, held: Option<Store>, now: Now) -> Result<Store, StoreError> {
        if let Some(e) = held.and_then(|store| store.abandon().err()) {
            return Err(e);
        }
        match self.open_again(now) {
            // What is left of it is of no use to anybody, but it is not for papo to say so.
            Err(StoreError::Damaged(_)) => {
                self.set_aside(now)?;
                self.open_again(now)
            }
            opened => opened,
        }
    }

    /// The file that was open is not at the path any more.
    fn open_instead(&mut self, held: Option<Store>, now: Now) -> Result<Store, StoreError> {
        let Some(old) = held else {
            return self.open_again(now);
        };
        match old.part() {
            Ok(()) => {
                let opened = old.open_in_place(&self.owner, now.wall_ms);
                self.old = Some(old);
                opened
            }
            // Later it can be made whole, and nobody has lost anything.
            Err(e @ (StoreError::Later(_) | StoreError::Path(_))) => {
                self.old = Some(old);
                Err(e)
            }
            Err(e) => {
                log::warn!("{}: the file that was there: {e}", self.path.display());
                drop(old);
                self.open_again(now)
            }
        }
    }

    /// Commits `count` messages; they count only if the file is where others find them.
    pub(super) fn put<'a>(
        &mut self,
        tending: &mut Tending,
        now: Now,
        messages: impl Iterator<Item = &'a ChatMessage>,
        count: usize,
        floor: Position,
    ) -> Result<(), StoreError> {
        let Some(store) = &mut self.store else {
            return Err(StoreError::Unusable("it is not open".into()));
        };
        tending.before_commit(store);
        store.commit(messages, floor)?;
        tending.on_commit(now.time, count);
        store.look()
    }

    /// Turns a block of messages into rows.
    pub(super) fn make_rows(&mut self, tending: &mut Tending, now: Time) -> Result<(), StoreError> {
        let Some(store) = &mut self.store else {
            return Ok(());
        };
        tending.before_commit(store);
        store.make_rows()?;
        tending.on_commit(now, BATCH);
        Ok(())
    }

    /// Deletes the oldest messages, a step's worth.
    pub(super) fn drop_oldest(
        &mut self,
        tending: &mut Tending,
        now: Time,
    ) -> Result<Dropped, StoreError> {
        let Some(store) = &mut self.store else {
            return Ok(Dropped::default());
        };
        tending.before_commit(store);
        let dropped = store.drop_oldest()?;
        tending.on_commit(now, BATCH);
        self.dropped_to = self.dropped_to.max(dropped.upto);
        Ok(dropped)
    }

    /// Whether the file is where others find it.
    pub(super) fn look(&mut self) -> Result<(), StoreError> {
        self.store.as_mut().map_or(Ok(()), Store::look)
    }

    /// Copies the next messages of the old file; the words at the end say that all are here.
    pub(super) fn move_on(
        &mut self,
        tending: &mut Tending,
        now: Now,
        history: &History,
    ) -> Result<Option<String>, StoreError> {
        let Some(mut copied) = self.copied else {
            return Ok(None);
        };
        let old = self.old.as_ref().filter(|_| !copied.from_memory);
        let messages = match old.map(|old| batch(old, &mut copied.upto, Position::END)) {
            Some(Ok(messages)) => messages,
            Some(Err(e)) => {
                log::warn!("{}: the file that was there: {e}", self.path.display());
                self.old = None;
                self.copied = Some(Copied {
                    from_memory: true,
                    ..Copied::default()
                });
                return Ok(None);
            }
            None => remembered(history, &mut copied.upto),
        };
        let count = messages.len();
        self.put(tending, now, messages.iter(), count, history.floor())?;
        copied.count += count;
        self.copied = Some(copied);
        if copied.upto < Position::END {
            return Ok(None);
        }
        let words = self.moved_words(copied, history)?;
        self.old = None;
        self.copied = None;
        self.holder = self.store.as_ref().map(Store::identity);
        Ok(Some(words))
    }

    /// What the user is told at the end.
    fn moved_words(&self, copied: Copied, history: &History) -> Result<String, StoreError> {
        let path = self.shown();
        let mut lost = String::new();
        if let Some(store) = self.store.as_ref().filter(|_| copied.from_memory) {
            let ids = store.ranges()?;
            let ids = ids.into_iter().flat_map(|range| {
                (range.first..=range.last).map(move |seq| MessageId {
                    origin: range.author,
                    seq,
                })
            });
            let present = ids.filter(|id| history.contains(*id)).count();
            lost = match history.len().saturating_sub(present) {
                0 => String::new(),
                1 => "; 1 message was only in the old one, and is lost with it".to_owned(),
                n => format!("; {n} messages were only in the old one, and are lost with it"),
            };
        }
        let which = match copied.from_memory {
            true => "that are in memory",
            false => "of the one that was moved or deleted",
        };
        let count = copied.count;
        Ok(format!(
            "{path}: the file there now has the {count} messages {which}{lost}; messages are stored again"
        ))
    }

    /// What is to be done before it is closed. The words say so if nobody finds what it holds. A file that
    /// was moved while nothing was said is made whole, for it does not do that by itself.
    pub(super) fn part(&mut self) -> Option<String> {
        let path = self.shown();
        if self.is_moving() {
            return Some(format!(
                "{path}: what was stored is only in the file that was moved or deleted"
            ));
        }
        let store = self.store.take()?;
        let result = match store.place() {
            Place::There => {
                self.store = Some(store);
                return None;
            }
            Place::WithoutLog => store.settle(),
            Place::Gone => store.part(),
            Place::Emptied => {
                // Its log would be taken for that of the next file there.
                let left = store
                    .abandon()
                    .err()
                    .map(|e| format!("; its log stays: {e}"));
                let left = left.unwrap_or_default();
                return Some(format!(
                    "{path}: the file was emptied, and what was stored is lost{left}"
                ));
            }
        };
        Some(match result {
            Ok(()) => format!("{path}: the file was moved or deleted, with all that was stored"),
            Err(e) => format!("{path}: the file was moved or deleted, and is not whole: {e}"),
        })
    }

    /// Closes the file at the path, if it is still open.
    pub(super) fn close(&mut self) {
        if let Some(store) = self.store.take() {
            store.close();
        }
    }
}

/// A file's name in a line for people.
pub(super) fn shown(path: &Path) -> String {
    visible(&format!("--store {}", path.display()), Tab::Escape)
}

/// The next messages of a file after a position, which moves behind them, up to another one.
pub(super) fn batch(
    old: &Store,
    upto: &mut Position,
    until: Position,
) -> Result<Vec<ChatMessage>, StoreError> {
    let found = old.between(*upto, until, PORTION, |_| true)?;
    *upto = found.upto;
    Ok(found.messages)
}

/// The next messages of what is in memory after a position, which moves behind them.
fn remembered(history: &History, upto: &mut Position) -> Vec<ChatMessage> {
    let after = *upto;
    let next = history.iter().skip_while(|m| m.position() <= after);
    let messages: Vec<_> = next.take(BATCH).cloned().collect();
    *upto = match messages.last() {
        Some(last) if messages.len() == BATCH => last.position(),
        _ => Position::END,
    };
    messages
}
