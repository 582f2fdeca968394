//! A helper process: the same program, which does to a file what may wait for the disk.
//!
//! Owns the words that the node and its helper exchange, and what the helper does. It starts no
//! process: that is the driver's business. It commits no message, and holds no lock of papo's:
//! whoever started it does.
//!
//! The node writes one [`Request`] to the helper's stdin and reads [`Reply`] after reply, a line each, from its
//! stdout. The end of stdin says that the node has ended, or that it wants no more; on Linux the system
//! kills the helper together with the node.

use std::io::{self, BufRead, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::opening::{absolute, size};
use super::place::FileId;
use super::{Owner, Portion, Store, StoreError};
use crate::wire::{Buckets, Key, Part, Position, SeqRange, Sum};

/// The first argument that makes a program of this one's a helper; people have no use for it.
pub const HELPER: &str = "__store-helper";
/// Messages whose words go into the index in one transaction, some 1 ms of work: a commit of the node
/// may have to wait for it.
const INDEX_BATCH: u32 = 50;
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
/// A request's fields, each ended by a NUL.
const FIELDS: usize = 6;
/// A request is a path, a room's name and numbers.
const REQUEST_BYTES_MAX: u64 = 64 * 1024;

/// What a helper is to do to a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Job {
    /// Create, check and migrate it, and tell what is in it. It stays open, which spares the node's
    /// own opening of it the reading of the log, until stdin ends.
    Prepare {
        /// Whose it must be.
        owner: Owner,
        /// What the clock on the wall shows, in milliseconds since 1970: its birthday, if it is new, and what
        /// is dated more than a day later is left out.
        now_ms: u64,
        /// How many of the newest messages the node keeps in memory.
        newest: usize,
        /// False if the node may not write to it: it is only looked at.
        writable: bool,
    },
    /// Checkpoint, once the node has said so.
    Tend {
        /// Before that, bring the index of words further, unless the file or the log has become larger than
        /// so many bytes: what it writes is in the log, too.
        index: Option<(u64, u64)>,
    },
}

/// A job, and the file it is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    path: PathBuf,
    /// For [`Job::Tend`]: the file that it must be.
    file: FileId,
    job: Job,
}

/// What a helper says.
#[derive(Debug)]
pub enum Reply {
    /// The file cannot be written to, for this reason.
    Unwritable(StoreError),
    /// There is nothing to read.
    Absent,
    /// Messages with these ids are in it.
    Range(SeqRange),
    /// The next older messages that do not belong in memory have these hashes.
    Bucket(Part),
    /// The newest message that does not belong in memory has this position; zero if all do.
    Until(Position),
    /// So many messages lie too far ahead of the clock on the wall, and are not among those told of.
    Ahead(u64),
    /// The file can be opened, and everything was told.
    Ready,
    /// The index of words was brought further; whether more is to be done.
    Indexed(bool),
    /// The index of words could not be brought further.
    Unindexed(StoreError),
    /// What was committed when the node said so is in the file, and on the disk.
    Checkpointed,
    /// The job could not be done.
    Failed(StoreError),
}

impl Request {
    /// To prepare the file at this path.
    ///
    /// # Errors
    ///
    /// If the path leads to something that is no file.
    pub fn prepare(path: &Path, job: Job) -> Result<Request, StoreError> {
        Ok(Request {
            path: absolute(path)?,
            file: FileId(0, 0),
            job,
        })
    }

    /// As it is written to a helper's stdin.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let path = self.path.as_os_str().as_encoded_bytes().to_vec();
        let fields: [Vec<u8>; FIELDS] = match &self.job {
            Job::Prepare {
                owner,
                now_ms,
                newest,
                writable,
            } => [
                (if *writable { "prepare" } else { "look" }).into(),
                path,
                owner.room.clone().into(),
                // A lock is never empty.
                owner.lock.clone().unwrap_or_default().into(),
                now_ms.to_string().into(),
                newest.to_string().into(),
            ],
            Job::Tend { index } => [
                (if index.is_some() {
                    "tend"
                } else {
                    "checkpoint"
                })
                .into(),
                path,
                self.file.0.to_string().into(),
                self.file.1.to_string().into(),
                index.unwrap_or_default().0.to_string().into(),
                index.unwrap_or_default().1.to_string().into(),
            ],
        };
        let mut bytes = fields.join(&0);
        bytes.push(0);
        bytes
    }

    fn read(input: &mut impl BufRead) -> Option<Request> {
        let mut bytes = Vec::new();
        let mut input = input.take(REQUEST_BYTES_MAX);
        for _ in 0..FIELDS {
            input.read_until(0, &mut bytes).ok()?;
        }
        let ends = bytes.iter().filter(|b| **b == 0).count();
        (ends == FIELDS).then(|| Request::parse(&bytes))?
    }

    fn parse(bytes: &[u8]) -> Option<Request> {
        use std::os::unix::ffi::OsStrExt as _;
        let mut fields = bytes.split(|b| *b == 0);
        let (job, path) = (fields.next()?, fields.next()?);
        let mut text = || String::from_utf8(fields.next()?.to_vec()).ok();
        let (third, fourth, fifth, sixth) = (text()?, text()?, text()?, text()?);
        let mut file = FileId(0, 0);
        let has_index = job == b"tend";
        let job = if has_index || job == b"checkpoint" {
            file = FileId(third.parse().ok()?, fourth.parse().ok()?);
            let limits = (fifth.parse().ok()?, sixth.parse().ok()?);
            Job::Tend {
                index: has_index.then_some(limits),
            }
        } else {
            Job::Prepare {
                owner: Owner {
                    room: third,
                    lock: Some(fourth).filter(|lock| !lock.is_empty()),
                },
                now_ms: fifth.parse().ok()?,
                newest: sixth.parse().ok()?,
                writable: job == b"prepare",
            }
        };
        let path = std::ffi::OsStr::from_bytes(path).into();
        Some(Request { path, file, job })
    }
}

impl Store {
    /// To tend this file, and the index of words in it, if that is wanted, up to these sizes of the file and
    /// the log in bytes.
    #[must_use]
    pub fn tend_request(&self, index: Option<(u64, u64)>) -> Request {
        Request {
            path: self.files.path.clone(),
            file: self.files.file,
            job: Job::Tend { index },
        }
    }
}

impl Reply {
    fn to_line(&self) -> String {
        match self {
            Reply::Unwritable(e) => format!("unwritable {}", e.to_words()),
            Reply::Absent => "absent".into(),
            Reply::Range(r) => format!("range {} {} {}", r.author, r.first, r.last),
            Reply::Bucket(Part { upto, count, sum }) => {
                let Position {
                    timestamp,
                    origin,
                    seq,
                } = upto;
                let bytes = sum.to_bytes().map(|byte| format!("{byte:02x}")).concat();
                format!("bucket {timestamp} {} {seq} {count} {bytes}", origin.0)
            }
            Reply::Until(p) => format!("until {} {} {}", p.timestamp, p.origin.0, p.seq),
            Reply::Ahead(count) => format!("ahead {count}"),
            Reply::Ready => "ready".into(),
            Reply::Indexed(more) => format!("indexed {}", u8::from(*more)),
            Reply::Unindexed(e) => format!("unindexed {}", e.to_words()),
            Reply::Checkpointed => "checkpointed".into(),
            Reply::Failed(e) => format!("failed {}", e.to_words()),
        }
    }

    /// The reply in a line; none if it is no reply.
    #[must_use]
    pub fn parse(line: &str) -> Option<Reply> {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut words = rest.split(' ');
        let mut number = || words.next()?.parse::<u64>().ok();
        Some(match kind {
            "unwritable" => Reply::Unwritable(StoreError::from_words(rest)),
            "absent" => Reply::Absent,
            "range" => {
                let (key, ends) = rest.split_once(' ')?;
                let (first, last) = ends.split_once(' ')?;
                let key = u64::from_str_radix(key, 16).ok()?;
                Reply::Range(SeqRange::new(
                    Key(key),
                    first.parse().ok()?,
                    last.parse().ok()?,
                ))
            }
            "bucket" => Reply::Bucket(Part {
                upto: Position::new(number()?, Key(number()?), number()?),
                count: number()?,
                sum: sum_of(words.next()?)?,
            }),
            "until" => Reply::Until(Position::new(number()?, Key(number()?), number()?)),
            "ahead" => Reply::Ahead(number()?),
            "ready" => Reply::Ready,
            "indexed" => Reply::Indexed(rest == "1"),
            "unindexed" => Reply::Unindexed(StoreError::from_words(rest)),
            "checkpointed" => Reply::Checkpointed,
            "failed" => Reply::Failed(StoreError::from_words(rest)),
            _ => return None,
        })
    }
}

/// A sum from hexadecimal digits.
fn sum_of(digits: &str) -> Option<Sum> {
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(Sum::from_bytes(bytes))
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
    let result = match &request.job {
        Job::Prepare { .. } => request.carry_out_prepare(&mut say).map(|_open| {
            let _ = stdout.lock().flush();
            // Open until the node has it open, too.
            is_told_to_go_on(&mut stdin.lock());
        }),
        Job::Tend { index } => tend(&request, *index, &mut stdin.lock(), &mut say),
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
        } = &self.job
        else {
            return Ok(None);
        };
        let opened = match writable {
            true => Store::open_unlocked(&self.path, owner, *now_ms, true).map(Some),
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
            Some(store) => store,
            None if size(&self.path) == 0 => {
                say(Reply::Absent);
                say(Reply::Ready);
                return Ok(None);
            }
            None => Store::open_for_reading(&self.path, Some(owner))?,
        };
        let latest = Position::latest(*now_ms);
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
    let mut store = Store::open_for_tending(&request.path, request.file)?;
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
        if !store.index(INDEX_BATCH)? {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let job = |lock: Option<&str>, writable| Job::Prepare {
            owner: Owner {
                room: "the attic".into(),
                lock: lock.map(Into::into),
            },
            now_ms: 17,
            newest: usize::MAX,
            writable,
        };
        let tend = [Some((7, u64::MAX)), None].map(|index| Job::Tend { index });
        for job in [job(None, true), job(Some("12ab"), false)]
            .into_iter()
            .chain(tend)
        {
            let request = Request {
                path: "/a\nb/π".into(),
                file: FileId(0, 0),
                job,
            };
            let bytes = request.to_bytes();
            assert_eq!(Request::read(&mut bytes.as_slice()), Some(request));
            assert_eq!(Request::read(&mut &bytes[..bytes.len() - 1]), None);
        }
        let errors = || {
            [
                StoreError::InUse,
                StoreError::OtherRoom("a b".into()),
                StoreError::OtherSecret { locked: true },
                StoreError::OtherSecret { locked: false },
                StoreError::Newer(7),
                StoreError::Foreign,
                StoreError::NotAFile {
                    kind: "a named pipe".into(),
                    beside: Some("/a/b-wal".into()),
                },
                StoreError::NotAFile {
                    kind: "a directory".into(),
                    beside: None,
                },
                StoreError::Linked(3),
                StoreError::Damaged("no such page".into()),
                StoreError::Path(io::Error::from_raw_os_error(2)),
                StoreError::Path(io::Error::other("not a file")),
                StoreError::Unusable("disk I/O error".into()),
                StoreError::Later("full".into()),
                StoreError::Moved,
                StoreError::LogMoved,
            ]
        };
        let mut replies = vec![
            Reply::Absent,
            Reply::Range(SeqRange::new(Key(u64::MAX), 1, u64::MAX)),
            Reply::Until(Position::new(1, Key(2), 3)),
            Reply::Ahead(3),
            Reply::Ready,
            Reply::Indexed(true),
            Reply::Indexed(false),
            Reply::Checkpointed,
        ];
        replies.extend(errors().map(Reply::Failed));
        replies.extend(errors().map(Reply::Unwritable));
        replies.extend(errors().map(Reply::Unindexed));
        for reply in replies {
            let line = reply.to_line();
            assert!(!line.contains('\n'), "{line}");
            let again = Reply::parse(&line);
            assert_eq!(format!("{again:?}"), format!("{:?}", Some(reply)));
        }
        assert!(Reply::parse("").is_none() && Reply::parse("range 1 2").is_none());
    }
}
