//! What a node and its helper process say to each other.
//!
//! Owns the words alone: what is asked for, what is answered, and the bytes that both are. It opens no file and
//! reads no pipe further than to the end of one request; what is done is `helper`'s business.
//!
//! The node writes one [`Request`] to the helper's stdin and reads [`Reply`] after reply, a line each, from its
//! stdout. The end of stdin says that the node has ended, or that it wants no more; on Linux the system
//! kills the helper together with the node.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use super::opening::absolute;
use super::place::FileId;
use super::{Owner, SizeLimits, StoreError};
use crate::wire::{Key, Part, Position, SeqRange, Sum};

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
        /// is dated more than 20 hours later is left out.
        now_ms: u64,
        /// How many of the newest messages the node keeps in memory.
        newest: usize,
        /// False if the node may not write to it: it is only looked at.
        writable: bool,
        /// A file that takes more of the disk than this is made smaller, if it may be written to.
        limits: SizeLimits,
    },
    /// Checkpoint, once the node has said so.
    Tend {
        /// Before that, bring the index of words further, unless the file or the log has become larger than
        /// so many bytes: what it writes is in the log, too.
        index: Option<(u64, u64)>,
    },
    /// Look for messages that have all these words, or words that begin so.
    Search {
        /// The words, apart by white space.
        words: String,
        /// Only older ones than this position.
        before: Position,
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
    /// The file is larger than it may be, and its oldest messages are deleted.
    Shrinking,
    /// It could not be made smaller, or not small enough.
    Unshrunk(StoreError),
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
    /// A message that was looked for has this position; of many the newest are told, in their order.
    Hit(Position),
    /// So many messages were found.
    Found(u64),
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

    /// To tend the file at this path, which must be that file.
    pub(super) fn tend(path: PathBuf, file: FileId, index: Option<(u64, u64)>) -> Request {
        Request {
            path,
            file,
            job: Job::Tend { index },
        }
    }

    /// To look for words in the file at this path.
    pub(super) fn search(path: PathBuf, words: &str, before: Position) -> Request {
        Request {
            path,
            file: FileId(0, 0),
            job: Job::Search {
                // A NUL would end the field.
                words: words.replace('\0', " "),
                before,
            },
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&self) -> FileId {
        self.file
    }

    pub(super) fn job(&self) -> &Job {
        &self.job
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
                limits: SizeLimits { file, used, log },
            } => [
                (if *writable { "prepare" } else { "look" }).into(),
                path,
                owner.room.clone().into(),
                // A lock is never empty.
                owner.lock.clone().unwrap_or_default().into(),
                now_ms.to_string().into(),
                format!("{newest} {file} {used} {log}").into(),
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
            Job::Search { words, before } => [
                "search".into(),
                path,
                words.clone().into(),
                before.timestamp.to_string().into(),
                before.origin.0.to_string().into(),
                before.seq.to_string().into(),
            ],
        };
        let mut bytes = fields.join(&0);
        bytes.push(0);
        bytes
    }

    pub(super) fn read(input: &mut impl BufRead) -> Option<Request> {
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
        } else if job == b"search" {
            let origin = Key(fifth.parse().ok()?);
            Job::Search {
                words: third,
                before: Position::new(fourth.parse().ok()?, origin, sixth.parse().ok()?),
            }
        } else {
            let numbers: Result<Vec<u64>, _> = sixth.split(' ').map(str::parse).collect();
            let [newest, file, used, log] = numbers.ok()?[..] else {
                return None;
            };
            Job::Prepare {
                owner: Owner {
                    room: third,
                    lock: Some(fourth).filter(|lock| !lock.is_empty()),
                },
                now_ms: fifth.parse().ok()?,
                newest: usize::try_from(newest).unwrap_or(usize::MAX),
                writable: job == b"prepare",
                limits: SizeLimits { file, used, log },
            }
        };
        let path = std::ffi::OsStr::from_bytes(path).into();
        Some(Request { path, file, job })
    }
}

impl Reply {
    pub(super) fn to_line(&self) -> String {
        match self {
            Reply::Unwritable(e) => format!("unwritable {}", e.to_words()),
            Reply::Shrinking => "shrinking".into(),
            Reply::Unshrunk(e) => format!("unshrunk {}", e.to_words()),
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
            Reply::Hit(p) => format!("hit {} {} {}", p.timestamp, p.origin.0, p.seq),
            Reply::Found(count) => format!("found {count}"),
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
            "shrinking" => Reply::Shrinking,
            "unshrunk" => Reply::Unshrunk(StoreError::from_words(rest)),
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
            "hit" => Reply::Hit(Position::new(number()?, Key(number()?), number()?)),
            "found" => Reply::Found(number()?),
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

#[cfg(test)]
mod tests {
    use std::io;

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
            limits: SizeLimits {
                file: u64::MAX,
                used: 12,
                log: 0,
            },
        };
        let tend = [Some((7, u64::MAX)), None].map(|index| Job::Tend { index });
        let search = Job::Search {
            words: "lunch\nat n\u{f6}\u{f6}n".into(),
            before: Position::new(u64::MAX, Key(2), 3),
        };
        for job in [job(None, true), job(Some("12ab"), false), search]
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
                StoreError::Emptied,
            ]
        };
        let mut replies = vec![
            Reply::Shrinking,
            Reply::Absent,
            Reply::Range(SeqRange::new(Key(u64::MAX), 1, u64::MAX)),
            Reply::Until(Position::new(1, Key(2), 3)),
            Reply::Ahead(3),
            Reply::Ready,
            Reply::Indexed(true),
            Reply::Indexed(false),
            Reply::Checkpointed,
            Reply::Hit(Position::new(1, Key(u64::MAX), 3)),
            Reply::Found(31),
        ];
        replies.extend(errors().map(Reply::Failed));
        replies.extend(errors().map(Reply::Unwritable));
        replies.extend(errors().map(Reply::Unindexed));
        replies.extend(errors().map(Reply::Unshrunk));
        for reply in replies {
            let line = reply.to_line();
            assert!(!line.contains('\n'), "{line}");
            let again = Reply::parse(&line);
            assert_eq!(format!("{again:?}"), format!("{:?}", Some(reply)));
        }
        assert!(Reply::parse("").is_none() && Reply::parse("range 1 2").is_none());
    }
}
