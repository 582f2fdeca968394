//! The end of a store: what is not stored yet is, and the log is brought into the file once more, if the disk does
//! that soon.
//!
//! Owns what is open until then, and until when that is waited for. If the disk is too slow, or the log so long
//! that few disks were fast enough, it stays beside the file; whoever opens the file next takes it up, and
//! nothing is lost.
//!
//! What is not stored yet goes the way of everything that is stored: the oldest messages are deleted to make room for
//! it, and it waits while the log has none, which a helper brings into the file meanwhile. Of a backlog that is larger
//! than the file may be the newest are stored. For most stores there is room at once, and nothing is waited for.

use std::time::Duration;

use crate::node::{Node, Now, Time};
use crate::store::StoreError;
use crate::timing;
use crate::wire::{ChatMessage, Position};

use super::Keeper;
use super::rows::Rows;

/// Pages of 4 KiB in a log that is brought into the file at the end: with more of them most disks would still be
/// at it when the time is over, which was waited for in vain then.
const LAST_PAGES_MAX: u64 = 8_000;
/// How many batches are stored, or steps of the oldest deleted, before whatever else ends with the node has a turn.
const LAST_STEPS_MAX: usize = 1_000;
/// The pause before the log is brought into the file once more, if it could not be cut.
const AGAIN: Duration = Duration::from_millis(50);

/// A store that is being closed.
#[derive(Debug)]
pub(in crate::driver) struct Closing {
    keeper: Keeper,
    until: Time,
    /// Something may not be stored yet.
    is_storing: bool,
    /// The last checkpoint was begun, or the log is too long for one.
    is_begun: bool,
}

/// What comes of storing what is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Last {
    /// All of it is stored, or cannot be.
    Done,
    /// There is more, and it can go on.
    More,
    /// There is more, and the log must be cut first.
    WaitsForLog,
}

/// Whether there is room for what is stored next.
enum Room {
    There,
    /// Some of the oldest were deleted.
    Made,
    /// The log has none.
    InLogOnly,
}

impl Closing {
    /// The node has left.
    pub(super) fn new(now: Time, mut keeper: Keeper) -> Closing {
        if keeper.tending.is_in_the_way() {
            // The index of words can wait.
            keeper.helper.go_on();
        }
        Closing {
            keeper,
            until: now + timing::FAREWELL_BACKLOG,
            is_storing: true,
            is_begun: false,
        }
    }

    /// Goes on; the result is until when there is something to wait for. What is said is for the user.
    pub(in crate::driver) fn step(
        &mut self,
        now: Now,
        node: &mut Node,
        mut say: impl FnMut(&str),
    ) -> Option<Time> {
        if self.is_storing {
            self.follow(now.time);
            let last = self.keeper.store_last(now, node, &mut say);
            if last != Last::Done && now.time < self.until {
                return Some(self.wait(now.time, last));
            }
            if last != Last::Done {
                let why = "the disk is too slow, or somebody reads the file for long";
                let words = (self.keeper).unstored(node, &StoreError::Later(why.into()));
                words.iter().for_each(|words| say(words));
            }
            self.end_storing(now.time, say);
        }
        self.finish(now.time)
    }

    /// Takes in what the helper says. Whatever woke the loop: reading what is not there costs little.
    fn follow(&mut self, now: Time) {
        let Keeper {
            files,
            helper,
            tending,
            ..
        } = &mut self.keeper;
        helper.on_event();
        let store = files.store().filter(|store| store.is_writable());
        if helper.is_running() {
            tending.follow(now, helper, store);
        }
    }

    /// There is more to store: when that goes on. A log that has no room is brought into the file meanwhile.
    fn wait(&mut self, now: Time, last: Last) -> Time {
        if last == Last::More {
            return now;
        }
        let Keeper {
            files,
            helper,
            tending,
            ..
        } = &mut self.keeper;
        if helper.is_running() {
            let again = helper.next_wake(now);
            return again.map_or(self.until, |at| at.min(self.until));
        }
        if let Some(store) = files.store() {
            tending.begin_checkpoint(now, helper, store);
        }
        self.until.min(now + AGAIN)
    }

    /// Nothing more is committed.
    pub(super) fn end_storing(&mut self, now: Time, mut say: impl FnMut(&str)) {
        if let Some(words) = self.keeper.files.part() {
            say(&words);
        }
        self.keeper.make_last_rows(now);
        self.is_storing = false;
        self.until = now + timing::FAREWELL_STORE;
    }

    /// Brings the log into the file, and closes it; until when that is waited for.
    pub(super) fn finish(&mut self, now: Time) -> Option<Time> {
        self.follow(now);
        let Keeper {
            files,
            helper,
            tending,
            ..
        } = &mut self.keeper;
        let store = files.store().filter(|store| store.is_writable());
        if let Some(store) = store.filter(|_| now < self.until) {
            if !helper.is_running() && !self.is_begun && !tending.is_done(store) {
                self.is_begun = true;
                if store
                    .log_length()
                    .is_ok_and(|log| log.waiting <= LAST_PAGES_MAX)
                {
                    tending.begin_checkpoint(now, helper, store);
                }
            }
            if helper.is_running() {
                let again = helper.next_wake(now);
                return Some(again.map_or(self.until, |at| at.min(self.until)));
            }
        }
        files.close();
        None
    }
}

impl Keeper {
    /// The node has left: what is not stored yet is tried a last time, and said if that fails. What is
    /// still to be done for the file is returned.
    pub(in crate::driver) fn close(
        mut self,
        now: Now,
        node: &mut Node,
        mut say: impl FnMut(&str),
    ) -> Closing {
        self.leave_out_oldest(node, &mut say);
        let mut closing = Closing::new(now.time, self);
        closing.step(now, node, say);
        closing
    }

    /// If there is more to store than the file may hold, the oldest of it are not stored.
    fn leave_out_oldest(&mut self, node: &Node, say: &mut impl FnMut(&str)) {
        if self.files.store().is_none() || self.trouble.is_met() || self.files.is_moving() {
            return;
        }
        self.left_out = oldest_beyond(node.unstored(), self.space.enough());
        let count = (node.unstored())
            .filter(|message| message.position() <= self.left_out)
            .count();
        let why = format!(
            "they are more than it may hold (--store-max {})",
            self.space.max_text()
        );
        let words = unstored(&self.files.shown(), count as u64, &StoreError::Later(why));
        words.iter().for_each(|words| say(words));
    }

    /// Stores what is left, as far as there is room.
    fn store_last(&mut self, now: Now, node: &mut Node, say: &mut impl FnMut(&str)) -> Last {
        for _ in 0..LAST_STEPS_MAX {
            if !self.is_owing(node.unstored_len() > 0) {
                return Last::Done;
            }
            let result = match self.make_last_room(now.time, node) {
                Ok(Room::InLogOnly) => return Last::WaitsForLog,
                Ok(Room::Made) => continue,
                Ok(Room::There) => self.step(now, node),
                Err(e) => Err(e),
            };
            let words = match result {
                Ok(step) => self.note_step(node, step),
                Err(e) if e.is_moved() && !self.trouble.is_met() => self.note_trouble(now.time, &e),
                // It has waited for the lock.
                Err(StoreError::Later(_)) if self.is_crossed(now.time) => None,
                Err(e) => {
                    let words = self.unstored(node, &e);
                    words.iter().for_each(|words| say(words));
                    return Last::Done;
                }
            };
            if let Some(words) = words {
                say(&words);
            }
        }
        Last::More
    }

    /// Makes room for what is stored next, a step. A file that was moved has room for what the old one held.
    fn make_last_room(&mut self, now: Time, node: &mut Node) -> Result<Room, StoreError> {
        self.space.on_written();
        let store = self.files.store().filter(|store| store.is_writable());
        let Some(store) = store.filter(|_| !self.trouble.is_met() && !self.files.is_moving())
        else {
            return Ok(Room::There);
        };
        self.space.look(store);
        if !self.space.has_log_room() {
            return Ok(Room::InLogOnly);
        }
        if !self.space.is_over() {
            return Ok(Room::There);
        }
        let dropped = self.files.drop_oldest(&mut self.tending, now)?;
        if dropped.messages.is_empty() {
            return Ok(Room::There);
        }
        node.on_dropped(&dropped.messages, dropped.upto);
        Ok(Room::Made)
    }

    /// What the user is told if nothing more can be stored; none if nothing is left.
    fn unstored(&mut self, node: &Node, e: &StoreError) -> Option<String> {
        let left = node.unstored().filter(|m| m.position() > self.left_out);
        let count = left.count() as u64 + self.tell_given_up(node);
        unstored(&self.files.shown(), count, e)
    }

    /// At the end: the last blocks of messages become rows, if they are few and there is room.
    fn make_last_rows(&mut self, now: Time) {
        while let Some(store) = self.files.store().filter(|store| Rows::is_little(store)) {
            self.space.on_written();
            self.space.look(store);
            if self.space.is_over() || !self.space.has_log_room() {
                break;
            }
            if let Err(e) = self.files.make_rows(&mut self.tending, now) {
                log::info!("{}: blocks of messages stay: {e}", self.files.shown());
                break;
            }
        }
    }
}

/// The greatest position up to which these messages must be left out so that the others, which are the newest, are no
/// more than so many bytes; zero if all may stay.
pub(super) fn oldest_beyond<'a>(
    messages: impl Iterator<Item = &'a ChatMessage>,
    bytes_max: u64,
) -> Position {
    let mut all: Vec<(Position, usize)> = messages
        .map(|message| (message.position(), message.size_bound()))
        .collect();
    all.sort_unstable_by(|one, other| other.cmp(one));
    let mut bytes = 0;
    let first_beyond = all.into_iter().find(|(_, size)| {
        bytes += *size as u64;
        bytes > bytes_max
    });
    first_beyond.unwrap_or_default().0
}

/// What was not stored, in words for the user; none if nothing is left.
fn unstored(shown: &str, count: u64, why: &StoreError) -> Option<String> {
    let left = match count {
        0 => return None,
        1 => "1 message is".to_owned(),
        n => format!("{n} messages are"),
    };
    Some(format!("{shown}: {left} not stored: {why}"))
}
