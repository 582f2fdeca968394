//! A helper process: the same program, which does to a file what may wait for the disk.
//!
//! Owns what the helper does; what it and the node say to each other is in `helper_words`. It starts no
//! process: that is the driver's business. It commits no message, and holds no lock of papo's:
//! whoever started it does.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::helper_words::{Job, Reply, Request};
use super::opening::size;
use super::{Portion, Store, StoreError};
use crate::limits::SEARCH_STORED_MAX;
use crate::wire::{Buckets, Part, Position};

/// The first argument that makes a program of this one's a helper; people have no use for it.
pub const HELPER: &str = "__store-helper";
/// Messages whose words go into the index in one transaction, some 1 ms of work: a commit of the node
/// may have to wait for it.
const INDEX_BATCH: u32 = 50;
/// Bytes of text after which no further message goes into one of these.
const INDEX_BYTES: u64 = 16 * 1024;
/// What one of these may add to the file, in bytes.
const INDEX_ROOM: u64 = 64 * 1024;
/// The pause between two of these: the processor is left to the node.
const INDEX_PAUSE: Duration = Duration::from_millis(4);
/// How much of the file is summed up at a time.
const SUMMED: Portion = Portion {
    messages: 10_000,
    bytes: 4 * 1024 * 1024,
};
/// Batches between two checkpoints.
const INDEX_BATCHES_MAX: u32 = 200;

impl Store {
    /// To tend this file, and the index of words in it, if that is wanted, up to these sizes of the file and
    /// the log in bytes.
    #[must_use]
    pub fn tend_request(&self, index: Option<(u64, u64)>) -> Request {
        Request::tend(self.files.path.clone(), self.files.file, index)
    }
}

impl Store {
    /// To look in this file for messages older than a position that have all these words.
    #[must_use]
    pub fn search_request(&self, words: &str, before: Position) -> Request {
        Request::search(self.files.path.clone(), words, before)
    }
}

/// The whole run of a helper process. True if it did what it was asked.
#[must_use]
pub fn run() -> bool {
    // Elsewhere than on Linux nothing ends it: it looks at stdin between two steps.
    let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
    if let Some(parent) = parent.and_then(|pid| u32::try_from(pid).ok()) {
        let _ = crate::platform::end_with_parent(parent);
    }
    let (stdin, stdout) = (io::stdin(), io::stdout());
    let Some(request) = Request::read(&mut stdin.lock()) else {
        return false;
    };
    let mut say = |reply: Reply| {
        let line = reply.to_line() + "\n";
        let mut out = stdout.lock();
        // Nobody there any more: the next look at stdin says so.
        let _ = out.write_all(line.as_bytes());
    };
    let result = match request.job() {
        Job::Prepare { .. } => request.carry_out_prepare(&mut say).map(|_open| {
            let _ = stdout.lock().flush();
            // Open until the node has it open, too.
            is_told_to_go_on(&mut stdin.lock());
        }),
        Job::Tend { index } => tend(&request, *index, &mut stdin.lock(), &mut say),
        Job::Search { words, before } => search(&request, words, *before, &mut say),
    };
    if let Err(e) = result {
        say(Reply::Failed(e));
        return false;
    }
    true
}

impl Request {
    /// Prepares a file in this process, which may take long: for where no helper can be started.
    #[must_use]
    pub fn prepare_here(&self) -> Vec<Reply> {
        let mut replies = Vec::new();
        if let Err(e) = self.carry_out_prepare(&mut |reply| replies.push(reply)) {
            replies.push(Reply::Failed(e));
        }
        replies
    }

    /// Opens the file, and says what is in it, as far as there is one.
    fn carry_out_prepare(&self, say: &mut impl FnMut(Reply)) -> Result<Option<Store>, StoreError> {
        let Job::Prepare {
            owner,
            now_ms,
            newest,
            writable,
            limits,
        } = self.job()
        else {
            return Ok(None);
        };
        let opened = match writable {
            true => Store::open_unlocked(self.path(), owner, *now_ms, true).map(Some),
            false => Ok(None),
        };
        let opened = match opened {
            Err(e @ (StoreError::Unusable(_) | StoreError::Later(_))) => {
                say(Reply::Unwritable(e));
                None
            }
            result => result?,
        };
        let store = match opened {
            Some(mut store) => {
                if let Err(e) = store.shrink(*limits, || say(Reply::Shrinking)) {
                    say(Reply::Unshrunk(e));
                }
                store
            }
            None if size(self.path()) == 0 => {
                say(Reply::Absent);
                say(Reply::Ready);
                return Ok(None);
            }
            None => Store::open_for_reading(self.path(), Some(owner))?,
        };
        let latest = Position::reach(*now_ms);
        for range in store.ranges_until(latest)? {
            say(Reply::Range(range));
        }
        let until = store.look_through(*newest, latest)?;
        for part in store.buckets(until)? {
            say(Reply::Bucket(part));
        }
        say(Reply::Until(until));
        say(Reply::Ahead(store.count_after(latest)?));
        say(Reply::Ready);
        Ok(Some(store))
    }
}

impl Store {
    /// The hashes of all messages up to a position, summed up.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn buckets(&self, until: Position) -> Result<Vec<Part>, StoreError> {
        let (mut buckets, mut upto) = (Buckets::default(), Position::default());
        while upto < until {
            let found = self.between(upto, until, SUMMED, |_| true)?;
            for message in &found.messages {
                buckets.push(message);
            }
            upto = found.upto;
        }
        Ok(buckets.parts().to_vec())
    }
}

/// Carries out [`Job::Tend`].
fn tend(
    request: &Request,
    with_index: Option<(u64, u64)>,
    stdin: &mut (impl Read + AsFd),
    say: &mut impl FnMut(Reply),
) -> Result<(), StoreError> {
    let mut store = Store::open_for_tending(request.path(), request.file())?;
    if let Some(limits) = with_index {
        let indexed = index(&mut store, limits, stdin);
        say(indexed.map_or_else(Reply::Unindexed, Reply::Indexed));
    }
    if is_told_to_go_on(stdin) {
        store.checkpoint()?;
        say(Reply::Checkpointed);
    }
    Ok(())
}

/// Carries out [`Job::Search`].
fn search(
    request: &Request,
    words: &str,
    before: Position,
    say: &mut impl FnMut(Reply),
) -> Result<(), StoreError> {
    let store = Store::open_for_reading(request.path(), None)?;
    let found = store.positions_with(words, before)?;
    let newest = found.len().saturating_sub(SEARCH_STORED_MAX);
    for position in &found[newest..] {
        say(Reply::Hit(*position));
    }
    say(Reply::Found(found.len() as u64));
    Ok(())
}

/// Brings the index of words further; true if there is more.
fn index(
    store: &mut Store,
    (file_max, log_max): (u64, u64),
    stdin: &impl AsFd,
) -> Result<bool, StoreError> {
    for _ in 0..INDEX_BATCHES_MAX {
        let taken = store.disk_use()?;
        if taken.used.saturating_add(INDEX_ROOM) > file_max {
            // There is no room for it before some of the oldest are deleted.
            return Ok(false);
        }
        if taken.log > log_max {
            break;
        }
        if !store.index(INDEX_BATCH, INDEX_BYTES)? {
            return Ok(false);
        }
        if is_called_within(stdin, INDEX_PAUSE) {
            break;
        }
    }
    Ok(true)
}

/// Waits for the node's word. False if it has none any more, or has ended.
fn is_told_to_go_on(stdin: &mut impl Read) -> bool {
    matches!(stdin.read(&mut [0]), Ok(1))
}

/// Pauses; true if stdin has ended meanwhile.
fn is_called_within(stdin: &impl AsFd, pause: Duration) -> bool {
    let mut watched = [PollFd::new(stdin, PollFlags::IN)];
    let pause = Timespec {
        tv_sec: 0,
        tv_nsec: pause.subsec_nanos().into(),
    };
    poll(&mut watched, Some(&pause)).is_ok_and(|ready| ready > 0)
}
