//! What can go wrong with a file, told apart by what is to be done about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use rusqlite::ErrorCode;
use rustix::process::{Resource, getrlimit};

use crate::platform::reason;

/// Why a store cannot be opened, read or written. No variant has changed anything.
///
/// Displayed as the second half of a line that begins with the file's name.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has it open for writing.
    InUse,
    /// It is the history of this other room.
    OtherRoom(String),
    /// It is the history of a room of this name, but with another secret, or with one where there
    /// should be none (`false`) or the other way round.
    OtherSecret {
        /// The file is a locked room's.
        locked: bool,
    },
    /// A newer papo wrote it, with this version of the schema.
    Newer(i64),
    /// It is a file, but not one of papo's.
    Foreign,
    /// It, or what lies beside it (then that path is given), is no regular file, but of this kind.
    NotAFile {
        /// What it is, with an article.
        kind: String,
        /// Where it is, if it is not the file itself.
        beside: Option<PathBuf>,
    },
    /// It has so many names (hard links), of which only one has the log beside it.
    Linked(u64),
    /// Its content makes no sense.
    Damaged(String),
    /// The path cannot be used: no such directory, no permission.
    Path(io::Error),
    /// It cannot be read or written: it is read-only, or the disk has an error.
    Unusable(String),
    /// It cannot be written now, as it is: no space, or somebody else writes.
    Later(String),
    /// Its path leads to nothing, or to another file, while it is open.
    Moved,
    /// The same has happened to its log.
    LogMoved,
    /// Somebody else cut off what it held, while it is open.
    Emptied,
}

impl StoreError {
    /// True if what was open is not where it was opened, or not only there.
    #[must_use]
    pub fn is_moved(&self) -> bool {
        matches!(
            self,
            StoreError::Moved | StoreError::LogMoved | StoreError::Emptied | StoreError::Linked(_)
        )
    }
}

impl StoreError {
    /// Writes into the log what is wrong in more words than people need, if there are any.
    pub fn log_details(&self, path: &Path) {
        if let StoreError::Damaged(why) = self {
            log::info!("{}: {why}", path.display());
        }
    }
}

/// How a helper process tells an error: one word for what kind it is, and the rest of the line.
impl StoreError {
    pub(super) fn to_words(&self) -> String {
        let words = match self {
            StoreError::InUse => "in-use".to_owned(),
            StoreError::OtherRoom(room) => format!("room {room}"),
            StoreError::OtherSecret { locked } => format!("secret {locked}"),
            StoreError::Newer(version) => format!("newer {version}"),
            StoreError::Foreign => "foreign".to_owned(),
            StoreError::NotAFile { kind, beside } => {
                let beside = beside.as_ref().map(|path| path.display().to_string());
                format!("no-file {}/{}", kind, beside.unwrap_or_default())
            }
            StoreError::Linked(names) => format!("linked {names}"),
            StoreError::Damaged(why) => format!("damaged {why}"),
            StoreError::Path(e) => match e.raw_os_error() {
                Some(code) => format!("system {code}"),
                None => format!("path {e}"),
            },
            StoreError::Unusable(why) => format!("unusable {why}"),
            StoreError::Later(why) => format!("later {why}"),
            StoreError::Moved => "moved".to_owned(),
            StoreError::LogMoved => "log-moved".to_owned(),
            StoreError::Emptied => "emptied".to_owned(),
        };
        words.replace('\n', " ")
    }

    pub(super) fn from_words(words: &str) -> StoreError {
        let (kind, rest) = words.split_once(' ').unwrap_or((words, ""));
        let number = rest.parse::<i64>().unwrap_or(0);
        match kind {
            "in-use" => StoreError::InUse,
            "room" => StoreError::OtherRoom(rest.to_owned()),
            "secret" => StoreError::OtherSecret {
                locked: rest == "true",
            },
            "newer" => StoreError::Newer(number),
            "foreign" => StoreError::Foreign,
            "no-file" => {
                let (kind, beside) = rest.split_once('/').unwrap_or((rest, ""));
                StoreError::NotAFile {
                    kind: kind.to_owned(),
                    beside: (!beside.is_empty()).then(|| beside.into()),
                }
            }
            "linked" => StoreError::Linked(u64::try_from(number).unwrap_or(2)),
            "damaged" => StoreError::Damaged(rest.to_owned()),
            "system" => {
                let code = i32::try_from(number).unwrap_or(0);
                StoreError::Path(io::Error::from_raw_os_error(code))
            }
            "path" => StoreError::Path(io::Error::other(rest.to_owned())),
            "later" => StoreError::Later(rest.to_owned()),
            "moved" => StoreError::Moved,
            "log-moved" => StoreError::LogMoved,
            "emptied" => StoreError::Emptied,
            _ => StoreError::Unusable(rest.to_owned()),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::InUse => f.write_str("another papo has it open; use another file"),
            StoreError::OtherRoom(room) => {
                write!(
                    f,
                    "it is the history of the room {room:?}; name that room, or use another file"
                )
            }
            StoreError::OtherSecret { locked: true } => f.write_str(
                "it is the history of this room when locked with another secret; give that \
                 secret, use another file, or move this one to the new secret (papo rekey)",
            ),
            StoreError::OtherSecret { locked: false } => f.write_str(
                "it is the history of an open room of this name; use another file for the locked \
                 one, or move this one to its secret (papo rekey)",
            ),
            StoreError::Newer(version) => write!(
                f,
                "a newer papo wrote it (version {version}); use that one, or another file"
            ),
            StoreError::Foreign => {
                f.write_str("papo did not write it, and leaves it alone; use another file")
            }
            StoreError::NotAFile { kind, beside } => match beside {
                Some(path) => write!(
                    f,
                    "{} is {kind}, not a regular file; remove that, or use another file",
                    path.display()
                ),
                None => write!(f, "it is {kind}, not a regular file; use another file"),
            },
            StoreError::Linked(names) => write!(
                f,
                "the file has {names} names (hard links), and its log is beside one of them only; \
                 remove the others"
            ),
            StoreError::Damaged(_) => f.write_str(
                "it is damaged; papo moves it aside and uses a new file when it is started with it, without \
                 --store-strict (details with -v)",
            ),
            StoreError::Path(e) => write!(f, "cannot use it: {}; use another file", reason(e)),
            StoreError::Moved => f.write_str("the file was moved or deleted while in use"),
            StoreError::LogMoved => {
                f.write_str("the file's log (-wal, -shm) was moved or deleted while in use")
            }
            StoreError::Emptied => f.write_str("the file was emptied while in use"),
            StoreError::Unusable(why) | StoreError::Later(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(e: rusqlite::Error) -> StoreError {
        match e.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StoreError::Damaged(e.to_string())
            }
            Some(ErrorCode::DiskFull) => StoreError::Later("the disk is full".into()),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                StoreError::Later("another program is writing to it".into())
            }
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                StoreError::Unusable("it may not be written to".into())
            }
            Some(ErrorCode::SystemIoFailure) => StoreError::Unusable(system_failure()),
            Some(_) => StoreError::Unusable(format!("it cannot be used ({e})")),
            // A row is not what the schema says.
            None => StoreError::Damaged(e.to_string()),
        }
    }
}

/// True once the system has refused to let a file grow beyond what this process may write, by the signal
/// SIGXFSZ. SQLite tells such a refusal by the same error as a disk that is broken.
static LIMIT_MET: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// What whoever handles that signal sets.
pub fn limit_met() -> Arc<AtomicBool> {
    Arc::clone(&LIMIT_MET)
}

/// What is wrong when the system did not do what SQLite asked of it.
fn system_failure() -> String {
    if !LIMIT_MET.swap(false, Ordering::Relaxed) {
        return "the disk has an error".into();
    }
    let limit = getrlimit(Resource::Fsize).current;
    let size = limit.map_or_else(String::new, |bytes| format!(": {} KiB", bytes / 1_024));
    format!(
        "the limit on the size of files (ulimit -f) is reached{size}; raise it, and start papo again"
    )
}
