//! Taking up a file at the start, while the loop already runs.
//!
//! Owns how far that is. A [`Helper`] creates and checks the file and reads through it; then it is opened
//! here, and what belongs in memory is read a piece at a time, from the system's memory mostly. What
//! follows if the file cannot be used is not decided here.

use crate::node::{Node, Now, Restored};
use crate::store::{Job, Lock, Reply, Request, SizeLimits, Store, StoreError, left_out};
use crate::wire::{ChatMessage, Part, Position, SeqRange};

use super::files::{Files, batch};
use super::helper::Helper;

/// Ids that the node is told of in one turn of the loop.
const IDS: u64 = 50_000;

/// How far the file is taken up.
#[derive(Debug, Default)]
pub(in crate::driver) struct Load {
    /// The node was told everything, and may start.
    pub(in crate::driver) is_done: bool,
    /// For the user.
    pub(in crate::driver) words: Vec<String>,
}

/// What is read of a file at the start.
#[derive(Debug)]
pub(super) struct Loading {
    request: Request,
    lock: Option<Lock>,
    /// Why it cannot be written to.
    unwritable: Option<StoreError>,
    is_absent: bool,
    ranges: Vec<SeqRange>,
    buckets: Vec<Part>,
    until: Position,
    /// What lies behind this counts as not said.
    latest: Position,
    /// How many messages do.
    ahead: u64,
    /// Everything that the helper has to say was said.
    is_told: bool,
    /// The messages up to here were read.
    read: Option<Position>,
    /// The node was told something.
    has_told: bool,
    /// What cannot be read of the file.
    unread: Option<String>,
    /// The oldest messages are being deleted, and nobody was told of it yet.
    shrinks: bool,
}

impl Loading {
    /// Starts a helper. `lock` is the right to write to the file, or why there is none.
    pub(super) fn begin(
        files: &Files,
        newest: usize,
        now: Now,
        lock: Result<Lock, StoreError>,
        limits: SizeLimits,
        helper: &mut Helper,
    ) -> Result<Loading, StoreError> {
        let job = Job::Prepare {
            owner: files.owner().clone(),
            now_ms: now.wall_ms,
            newest,
            writable: lock.is_ok(),
            limits,
        };
        let request = Request::prepare(files.path(), job)?;
        let (lock, unwritable) = match lock {
            Ok(lock) => (Some(lock), None),
            Err(e) => (None, Some(e)),
        };
        let mut loading = Loading {
            request,
            lock,
            unwritable,
            is_absent: false,
            ranges: Vec::new(),
            buckets: Vec::new(),
            until: Position::default(),
            latest: Position::reach(now.wall_ms),
            ahead: 0,
            is_told: false,
            read: None,
            has_told: false,
            unread: None,
            shrinks: false,
        };
        if let Err(e) = helper.start(&loading.request) {
            log::warn!("no process can be started for the store: {e}");
            let replies = loading.request.prepare_here();
            loading.take(replies)?;
        }
        Ok(loading)
    }

    /// True if everything is known, and only to be read.
    pub(super) fn is_told(&self) -> bool {
        self.is_told
    }

    /// True if the node was told something already.
    pub(super) fn has_told(&self) -> bool {
        self.has_told
    }

    /// Why the file cannot be written to, once.
    pub(super) fn take_unwritable(&mut self) -> Option<StoreError> {
        self.unwritable.take()
    }

    /// What cannot be read of the file, once.
    pub(super) fn take_unread(&mut self) -> Option<String> {
        self.unread.take()
    }

    /// True, once, if the oldest messages are being deleted because the file is too large.
    pub(super) fn take_shrinks(&mut self) -> bool {
        std::mem::take(&mut self.shrinks)
    }

    /// How many messages are left out because they are dated too far ahead, once, in words for the user.
    pub(super) fn take_ahead(&mut self) -> Option<String> {
        left_out(std::mem::take(&mut self.ahead))
    }

    /// Takes in what the helper says.
    fn take(&mut self, replies: Vec<Reply>) -> Result<(), StoreError> {
        for reply in replies {
            match reply {
                Reply::Unwritable(e) => {
                    self.lock = None;
                    self.unwritable = Some(e);
                }
                Reply::Shrinking => self.shrinks = true,
                Reply::Unshrunk(e) => log::warn!("the store stays as large as it is: {e}"),
                Reply::Absent => self.is_absent = true,
                Reply::Range(range) => self.ranges.push(range),
                Reply::Bucket(bucket) => self.buckets.push(bucket),
                Reply::Until(until) => self.until = until,
                Reply::Ahead(count) => self.ahead = count,
                Reply::Ready => self.is_told = true,
                Reply::Failed(e) => return Err(e),
                _ => {}
            }
        }
        Ok(())
    }

    /// Goes a piece further: true once the node was told everything.
    pub(super) fn go_on(
        &mut self,
        now: Now,
        files: &mut Files,
        helper: &mut Helper,
        node: &mut Node,
    ) -> Result<bool, StoreError> {
        if !self.is_told {
            self.take(helper.replies())?;
            if !self.is_told && helper.has_ended() {
                log::warn!("the process that prepares the store was ended");
                self.ranges.clear();
                self.buckets.clear();
                let replies = self.request.prepare_here();
                self.take(replies)?;
            }
            return Ok(false);
        }
        if self.is_absent {
            node.restore(Restored::default());
            helper.release();
            return Ok(true);
        }
        if !files.is_open() {
            self.open(now, files)?;
            helper.release();
        }
        self.read_on(files, node)
    }

    /// What was prepared is opened.
    fn open(&mut self, now: Now, files: &mut Files) -> Result<(), StoreError> {
        let (path, owner) = (files.path(), files.owner());
        let opened = match self.lock.take() {
            Some(lock) => Store::open_locked(path, owner, now.wall_ms, false, lock),
            None => Store::open_for_reading(path, Some(owner)),
        };
        let store = match opened {
            Err(e @ (StoreError::Unusable(_) | StoreError::Later(_))) => {
                self.unwritable = Some(e);
                Store::open_for_reading(path, Some(owner))?
            }
            result => result?,
        };
        self.unread = store.unread().map(str::to_owned);
        files.begin_with(store);
        Ok(())
    }

    /// Tells the node the next part of what the file holds: ids first.
    fn read_on(&mut self, files: &Files, node: &mut Node) -> Result<bool, StoreError> {
        self.has_told = true;
        if self.read.is_none() {
            let ranges = next_ids(&mut self.ranges);
            if self.ranges.is_empty() {
                self.read = Some(self.until);
            }
            node.restore_part(Restored {
                ranges,
                newest: Vec::new(),
                until: self.until,
                buckets: std::mem::take(&mut self.buckets),
                dropped_to: files.reader().map(Store::dropped_to).unwrap_or_default(),
            });
            return Ok(false);
        }
        let (Some(store), Some(mut upto)) = (files.reader(), self.read) else {
            return Ok(true);
        };
        let newest: Vec<ChatMessage> = batch(store, &mut upto, self.latest)?;
        self.read = Some(upto);
        node.restore_part(Restored {
            newest,
            ..Restored::default()
        });
        if upto < self.latest {
            return Ok(false);
        }
        node.end_restoring();
        Ok(true)
    }
}

/// Takes the next ids from the end of these ranges.
fn next_ids(ranges: &mut Vec<SeqRange>) -> Vec<SeqRange> {
    let (mut taken, mut left) = (Vec::new(), IDS);
    while left > 0 {
        let Some(SeqRange {
            author,
            first,
            last,
        }) = ranges.pop()
        else {
            break;
        };
        let until = last.min(first.saturating_add(left - 1));
        left -= until - first + 1;
        if until < last {
            ranges.push(SeqRange::new(author, until + 1, last));
        }
        taken.push(SeqRange::new(author, first, until));
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Key;

    #[test]
    fn ids_are_told_in_parts_and_all_of_them() {
        let all = [(1, 1, 3), (2, 7, 7 + 3 * IDS), (3, u64::MAX - 1, u64::MAX)];
        let mut ranges: Vec<_> = all.map(|(k, a, b)| SeqRange::new(Key(k), a, b)).into();
        let mut got: Vec<SeqRange> = Vec::new();
        while !ranges.is_empty() {
            let part = next_ids(&mut ranges);
            assert!(part.iter().map(|r| r.last - r.first + 1).sum::<u64>() <= IDS);
            for next in part {
                match got.last_mut() {
                    Some(r) if r.author == next.author && r.last + 1 == next.first => {
                        r.last = next.last;
                    }
                    _ => got.push(next),
                }
            }
        }
        got.reverse();
        assert_eq!(got, all.map(|(k, a, b)| SeqRange::new(Key(k), a, b)));
    }
}
